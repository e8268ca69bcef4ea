//! What can be configured about tokens and sessions.

use std::path::{Path, PathBuf};
use std::time::Duration;

use kernel::Secret;
use serde::{Deserialize, Serialize};

/// Tokens and sessions. Durations are written like `2h` or `PT2H`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuthConfig {
    /// The `iss` of access tokens.
    pub issuer: String,
    /// The `aud` of access tokens.
    pub audience: String,
    /// How long an access token is good for.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub access_ttl: Duration,
    /// How long a refresh token is good for; each use starts it anew.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub refresh_ttl: Duration,
    /// The private key that signs access tokens.
    pub signing_key: KeySource,
    /// Keys whose tokens are still accepted, private or public, for the time after a change of the signing key.
    pub previous_keys: Vec<KeySource>,
    /// What the processes of one platform share, at least 32 bytes. Needed only when subgraphs are reached over
    /// HTTP.
    pub internal_secret: Option<Secret>,
}

/// Where a key is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeySource {
    /// In a PEM file. A signing key that is missing there is made on the first start, readable by its owner only.
    File(PathBuf),
    /// Written out as PEM: Ed25519 or P-256, a private key in PKCS#8.
    Pem(Secret),
}

impl Default for AuthConfig {
    fn default() -> Self {
        Self {
            issuer: "daka".to_owned(),
            audience: "daka".to_owned(),
            access_ttl: Duration::from_secs(2 * 60 * 60),
            refresh_ttl: Duration::from_secs(30 * 24 * 60 * 60),
            signing_key: KeySource::File(PathBuf::from("signing-key.pem")),
            previous_keys: Vec::new(),
            internal_secret: None,
        }
    }
}

impl AuthConfig {
    /// The same configuration, its relative paths taken from `folder`.
    pub fn under(mut self, folder: &Path) -> Self {
        for source in std::iter::once(&mut self.signing_key).chain(&mut self.previous_keys) {
            if let KeySource::File(path) = source {
                // `join` keeps a path that is absolute already.
                *path = folder.join(&path);
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_is_read_with_defaults_and_shown_without_secrets() {
        let config: AuthConfig = serde_json::from_str(
            r#"{"access_ttl": "90m", "signing_key": {"pem": "PRIVATE"}, "internal_secret": "hush"}"#,
        )
        .unwrap();
        assert_eq!(config.access_ttl, Duration::from_secs(90 * 60));
        assert_eq!(config.issuer, "daka");
        let shown = serde_json::to_string(&config).unwrap() + &format!("{config:?}");
        assert!(!shown.contains("PRIVATE") && !shown.contains("hush"), "{shown}");
        assert!(serde_json::from_str::<AuthConfig>(r#"{"isuer": "x"}"#).is_err());
    }

    #[test]
    fn relative_key_files_are_taken_from_the_data_folder() {
        let config = AuthConfig {
            previous_keys: vec![KeySource::File("/etc/old.pem".into())],
            ..AuthConfig::default()
        }
        .under(Path::new("data"));
        assert_eq!(config.signing_key, KeySource::File("data/signing-key.pem".into()));
        assert_eq!(config.previous_keys, [KeySource::File("/etc/old.pem".into())]);
    }
}
