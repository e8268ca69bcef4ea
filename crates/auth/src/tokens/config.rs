//! Which other issuers' tokens are accepted.

use std::collections::BTreeSet;
use std::path::PathBuf;

use jsonwebtoken::{Algorithm, AlgorithmFamily};
use serde::{Deserialize, Serialize};

use crate::KeyLocation;

/// Tokens of other issuers, as a router that stands alone accepts them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct JwtConfig {
    /// Whether requests without a token are refused altogether.
    pub require: bool,
    /// The header that carries the token.
    pub header: String,
    /// What stands before it there, and a space; empty for nothing.
    pub prefix: String,
    /// Seconds by which the clocks of issuers may differ.
    pub leeway_s: u64,
    /// Seconds after which keys are looked up again, so that those that were taken back are not accepted any more.
    pub keys_max_age_s: u64,
    /// Whose tokens are accepted; without any, nobody is asked who they are.
    pub issuers: Vec<IssuerConfig>,
}

/// One issuer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssuerConfig {
    /// The `iss` of its tokens, to the letter.
    pub issuer: String,
    /// Its tokens are for one of these: `aud`. `*` alone accepts those that are for anybody else, too.
    pub audiences: Vec<String>,
    /// The address or the file of its JWK set. Without it, OpenID Connect Discovery tells: `issuer` is an address then.
    #[serde(default)]
    pub jwks: Option<String>,
    /// The algorithms that it signs with; by default all those with public keys.
    #[serde(default)]
    pub algorithms: Option<Vec<String>>,
    /// The claims with scopes, for `@requiresScopes`.
    #[serde(default = "scope_claims")]
    pub scope_claims: Vec<String>,
    /// The claims with roles or permissions, for `@policy`: names, or JSON pointers such as `/realm_access/roles`.
    #[serde(default)]
    pub permission_claims: Vec<String>,
}

/// A setting that cannot work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("jwt.{key}: {problem}")]
pub struct JwtConfigError {
    key: String,
    problem: String,
}

impl Default for JwtConfig {
    fn default() -> Self {
        Self {
            require: false,
            header: "authorization".to_owned(),
            prefix: "Bearer".to_owned(),
            leeway_s: 30,
            keys_max_age_s: 300,
            issuers: Vec::new(),
        }
    }
}

impl JwtConfig {
    /// Whether anybody is asked who they are.
    pub fn is_off(&self) -> bool {
        self.issuers.is_empty() && !self.require
    }

    pub(super) fn check(&self) -> Result<(), JwtConfigError> {
        if self.issuers.is_empty() {
            return Err(error("issuers", "without an issuer no token is ever good"));
        }
        if self.keys_max_age_s == 0 {
            return Err(error("keys_max_age_s", "must be 1 or more"));
        }
        let mut names = BTreeSet::new();
        for (place, issuer) in self.issuers.iter().enumerate() {
            let key = |name: &str| format!("issuers[{place}].{name}");
            if issuer.issuer.is_empty() {
                return Err(error(key("issuer"), "must not be empty"));
            }
            if !names.insert(&issuer.issuer) {
                return Err(error(key("issuer"), "is named twice"));
            }
            if issuer.audiences.is_empty() {
                let problem = "names nobody; `*` stands for everybody";
                return Err(error(key("audiences"), problem));
            }
            if issuer.jwks.is_none() && !is_address(&issuer.issuer) {
                return Err(error(key("jwks"), "is needed where the issuer is no address"));
            }
            for name in issuer.algorithms.iter().flatten() {
                let algorithm = name.parse::<Algorithm>();
                if !algorithm.is_ok_and(|algorithm| algorithm.family() != AlgorithmFamily::Hmac) {
                    let problem =
                        format!("`{name}` is none of RS256 to RS512, PS256 to PS512, ES256, ES384, EdDSA");
                    return Err(error(key("algorithms"), problem));
                }
            }
        }
        Ok(())
    }
}

impl IssuerConfig {
    pub(super) fn location(&self) -> KeyLocation {
        match &self.jwks {
            None => KeyLocation::Discovery(self.issuer.clone()),
            Some(url) if is_address(url) => KeyLocation::Url(url.clone()),
            Some(file) => KeyLocation::File(PathBuf::from(file)),
        }
    }

    pub(super) fn algorithms(&self) -> Vec<Algorithm> {
        match &self.algorithms {
            Some(names) => names.iter().filter_map(|name| name.parse().ok()).collect(),
            None => [AlgorithmFamily::Rsa, AlgorithmFamily::Ec, AlgorithmFamily::Ed]
                .iter()
                .flat_map(|family| family.algorithms().to_vec())
                .collect(),
        }
    }
}

fn scope_claims() -> Vec<String> {
    vec!["scope".to_owned(), "scp".to_owned()]
}

fn is_address(text: &str) -> bool {
    text.starts_with("https://") || text.starts_with("http://")
}

fn error(key: impl Into<String>, problem: impl Into<String>) -> JwtConfigError {
    JwtConfigError {
        key: key.into(),
        problem: problem.into(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn settings_that_cannot_work_are_named() {
        let issuer = json!({"issuer": "https://a.example", "audiences": ["api"]});
        let with = |name: &str, value: serde_json::Value| {
            let mut changed = issuer.clone();
            changed[name] = value;
            json!({ "issuers": [changed] })
        };
        for (config, expected) in [
            (json!({ "require": true }), "jwt.issuers: "),
            (
                json!({ "issuers": [issuer, issuer] }),
                "jwt.issuers[1].issuer: is named twice",
            ),
            (
                json!({ "issuers": [issuer], "keys_max_age_s": 0 }),
                "jwt.keys_max_age_s: ",
            ),
            (with("issuer", json!("")), "jwt.issuers[0].issuer: "),
            (with("issuer", json!("somebody")), "jwt.issuers[0].jwks: "),
            (with("audiences", json!([])), "jwt.issuers[0].audiences: "),
            (
                with("algorithms", json!(["none"])),
                "jwt.issuers[0].algorithms: `none`",
            ),
            (
                with("algorithms", json!(["RS256", "HS256"])),
                "jwt.issuers[0].algorithms: `HS256`",
            ),
        ] {
            let config: JwtConfig = serde_json::from_value(config).unwrap();
            let refused = config.check().unwrap_err().to_string();
            assert!(refused.starts_with(expected), "{refused}");
        }
        let good: JwtConfig = serde_json::from_value(json!({ "issuers": [issuer] })).unwrap();
        assert_eq!(good.check(), Ok(()));
    }
}
