//! Operations that are known ahead by an id, so that clients need not send their text.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;

/// Known operations: id → text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PersistedOperations {
    by_id: HashMap<String, Arc<str>>,
}

/// A manifest that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// A file that cannot be read.
    #[error("cannot read {file}: {error}")]
    Read {
        /// Its path.
        file: String,
        /// Why.
        error: std::io::Error,
    },
    /// A file that holds no manifest.
    #[error("{file}: {error}")]
    In {
        /// Its path.
        file: String,
        /// What is wrong with it.
        error: Box<Self>,
    },
    /// Not JSON, or of another form.
    #[error("the manifest is in neither of the known forms: {0}")]
    Form(#[from] serde_json::Error),
    /// It says that it is of another format.
    #[error("the manifest's format is `{0}`, not `apollo-persisted-query-manifest`")]
    Format(String),
}

/// Apollo's form: <https://www.apollographql.com/docs/graphos/platform/security/persisted-queries>.
#[derive(Deserialize)]
struct Manifest {
    format: String,
    operations: Vec<Operation>,
}

#[derive(Deserialize)]
struct Operation {
    id: String,
    body: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Form {
    Apollo(Manifest),
    /// Relay's form: an object of texts by id.
    Relay(HashMap<String, String>),
}

impl PersistedOperations {
    /// Reads a manifest in Apollo's or in Relay's form.
    ///
    /// # Errors
    /// A text that is in neither.
    pub fn parse(manifest: &str) -> Result<Self, ManifestError> {
        match serde_json::from_str(manifest)? {
            Form::Apollo(manifest) if manifest.format != "apollo-persisted-query-manifest" => {
                Err(ManifestError::Format(manifest.format))
            }
            Form::Apollo(manifest) => Ok(manifest
                .operations
                .into_iter()
                .map(|operation| (operation.id, operation.body))
                .collect()),
            Form::Relay(by_id) => Ok(by_id.into_iter().collect()),
        }
    }

    /// The text of an operation.
    pub fn get(&self, id: &str) -> Option<&Arc<str>> {
        self.by_id.get(id)
    }

    /// Reads manifests from files; of two operations with one id the later counts.
    ///
    /// # Errors
    /// A file that cannot be read, or is no manifest.
    pub fn load<P: AsRef<Path>>(files: impl IntoIterator<Item = P>) -> Result<Self, ManifestError> {
        let mut all = Self::default();
        for file in files {
            let (path, file) = (file.as_ref(), file.as_ref().display().to_string());
            let text = match std::fs::read_to_string(path) {
                Ok(text) => text,
                Err(error) => return Err(ManifestError::Read { file, error }),
            };
            let parsed = Self::parse(&text).map_err(|error| ManifestError::In {
                file,
                error: Box::new(error),
            })?;
            all.extend(parsed);
        }
        Ok(all)
    }

    /// Takes over those of another manifest; of two with one id the other's counts.
    pub fn extend(&mut self, other: Self) {
        self.by_id.extend(other.by_id);
    }

    /// The texts of all of them.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &Arc<str>> {
        self.by_id.values()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.by_id.iter().map(|(id, text)| (id.as_str(), &**text))
    }
}

impl FromIterator<(String, String)> for PersistedOperations {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(operations: I) -> Self {
        Self {
            by_id: operations
                .into_iter()
                .map(|(id, text)| (id, text.into()))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_manifests_are_read() {
        let apollo = r#"{"format": "apollo-persisted-query-manifest", "version": 1,
            "operations": [{"id": "a", "name": "A", "type": "query", "body": "query A { a }"}]}"#;
        let relay = r#"{"a": "query A { a }"}"#;
        for manifest in [apollo, relay] {
            let operations = PersistedOperations::parse(manifest).expect("a manifest");
            assert_eq!(operations.get("a").map(|text| &**text), Some("query A { a }"));
        }
        assert!(PersistedOperations::parse("[]").is_err());
    }

    #[test]
    fn a_file_that_is_no_manifest_is_named() {
        let absent = PersistedOperations::load(["nowhere.json"]).expect_err("there is no such file");
        assert!(absent.to_string().contains("nowhere.json"), "{absent}");
        let this = PersistedOperations::load([format!("../{}", file!())]).expect_err("this is Rust");
        assert!(matches!(this, ManifestError::In { .. }), "{this}");
        assert!(this.to_string().contains("persisted.rs"), "{this}");
    }
}
