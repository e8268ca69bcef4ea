//! Where the documents are kept.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Where the documents are kept.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "backend", rename_all = "lowercase", deny_unknown_fields)]
pub enum StoreConfig {
    /// One file in this process.
    Sqlite {
        /// The file; it and its folder are created when missing.
        #[serde(default = "default_path")]
        path: PathBuf,
    },
    /// A MongoDB replica set (one member is enough) or sharded cluster.
    #[serde(rename = "mongodb")]
    Mongo {
        /// A connection string, `mongodb://…` or `mongodb+srv://…`.
        url: String,
        /// The name of the database.
        #[serde(default = "default_database")]
        database: String,
    },
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self::Sqlite { path: default_path() }
    }
}

/// Without the credentials of the connection string.
impl fmt::Debug for StoreConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite { path } => f.debug_struct("Sqlite").field("path", path).finish(),
            Self::Mongo { url, database } => {
                let host = url.rsplit_once('@').map_or(url.as_str(), |(_, host)| host);
                f.debug_struct("Mongo")
                    .field("host", &host)
                    .field("database", database)
                    .finish()
            }
        }
    }
}

fn default_path() -> PathBuf {
    PathBuf::from("data/documents.sqlite")
}

fn default_database() -> String {
    "daka".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_keys_are_refused_and_secrets_are_not_shown() {
        let json = r#"{"backend": "mongodb", "url": "mongodb://daka:s3cr3t@host:1/?tls=true"}"#;
        let config: StoreConfig = serde_json::from_str(json).unwrap();
        assert_eq!(
            format!("{config:?}"),
            r#"Mongo { host: "host:1/?tls=true", database: "daka" }"#
        );
        assert!(serde_json::from_str::<StoreConfig>(r#"{"backend": "sqlite", "paht": "x"}"#).is_err());
        assert_eq!(
            serde_json::from_str::<StoreConfig>(r#"{"backend": "sqlite"}"#).unwrap(),
            StoreConfig::default()
        );
    }
}
