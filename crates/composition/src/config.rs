//! `supergraph.yaml`: which subgraphs make up a supergraph, and where their schemas are.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use serde::Deserialize;

use crate::SubgraphSource;

/// The whole file. Unknown keys are refused.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SupergraphConfig {
    /// Accepted for compatibility (`2`, `=2.9.0`); composition always speaks Federation 2.
    #[serde(default)]
    pub federation_version: Option<FederationVersion>,
    /// The subgraphs by name.
    pub subgraphs: IndexMap<String, SubgraphConfig>,
}

/// `2`, `2.9` or `"=2.9.0"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FederationVersion(pub String);

impl<'de> Deserialize<'de> for FederationVersion {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Raw {
            Int(u32),
            Float(f64),
            Text(String),
        }
        let text = match Raw::deserialize(deserializer)? {
            Raw::Int(number) => number.to_string(),
            Raw::Float(number) => number.to_string(),
            Raw::Text(text) => text,
        };
        let major = text
            .trim_start_matches(['=', 'v', '^', '~'])
            .split('.')
            .next()
            .unwrap_or_default();
        if matches!(major, "1" | "2" | "latest-2" | "latest-1") {
            Ok(Self(text))
        } else {
            Err(serde::de::Error::custom(format!(
                "federation_version \"{text}\" is not a version 1 or 2"
            )))
        }
    }
}

/// One subgraph.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubgraphConfig {
    /// Where the router sends its requests. Default: the `subgraph_url`, if there is one.
    #[serde(default)]
    pub routing_url: Option<String>,
    /// Where the schema comes from.
    pub schema: SchemaSource,
}

/// Where a schema comes from: exactly one of the keys.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "RawSource")]
pub enum SchemaSource {
    /// `file:`, relative to the configuration file.
    File(PathBuf),
    /// `subgraph_url:`, asked for `{ _service { sdl } }`.
    SubgraphUrl(String),
    /// `sdl:`, the schema itself.
    Sdl(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSource {
    file: Option<PathBuf>,
    subgraph_url: Option<String>,
    sdl: Option<String>,
}

impl TryFrom<RawSource> for SchemaSource {
    type Error = &'static str;

    fn try_from(raw: RawSource) -> Result<Self, Self::Error> {
        match (raw.file, raw.subgraph_url, raw.sdl) {
            (Some(file), None, None) => Ok(Self::File(file)),
            (None, Some(url), None) => Ok(Self::SubgraphUrl(url)),
            (None, None, Some(sdl)) => Ok(Self::Sdl(sdl)),
            _ => Err("a schema has exactly one of the keys file, subgraph_url and sdl"),
        }
    }
}

/// Why a configuration or a schema that it names cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The text is not a valid configuration; the message says the key, line and column.
    #[error("{0}")]
    Invalid(String),
    /// A schema could not be fetched.
    #[error("cannot fetch the schema of subgraph \"{subgraph}\" from {url}: {message}")]
    Fetch {
        /// The subgraph.
        subgraph: String,
        /// The address that was asked.
        url: String,
        /// What the fetching side said.
        message: String,
    },
}

impl SupergraphConfig {
    /// Reads a configuration from text.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`], with the place.
    pub fn parse(yaml: &str) -> Result<Self, ConfigError> {
        let config: Self =
            serde_yaml::from_str(yaml).map_err(|error| ConfigError::Invalid(error.to_string()))?;
        if config.subgraphs.is_empty() {
            return Err(ConfigError::Invalid("subgraphs: there is none".to_owned()));
        }
        Ok(config)
    }

    /// Reads a configuration file and remembers its folder.
    ///
    /// # Errors
    /// [`ConfigError::Read`] or [`ConfigError::Invalid`].
    pub fn load(path: &Path) -> Result<LoadedConfig, ConfigError> {
        let text = read(path)?;
        let config = Self::parse(&text)
            .map_err(|error| ConfigError::Invalid(format!("{}: {error}", path.display())))?;
        let folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
        Ok(LoadedConfig { config, folder })
    }
}

/// A configuration with the folder that its paths are relative to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadedConfig {
    /// What the file says.
    pub config: SupergraphConfig,
    /// The folder of the file.
    pub folder: PathBuf,
}

impl LoadedConfig {
    /// The subgraphs whose schemas must be fetched: name and address.
    pub fn urls(&self) -> impl Iterator<Item = (&str, &str)> {
        self.config
            .subgraphs
            .iter()
            .filter_map(|(name, subgraph)| match &subgraph.schema {
                SchemaSource::SubgraphUrl(url) => Some((name.as_str(), url.as_str())),
                _ => None,
            })
    }

    /// The schema files, for watching them.
    pub fn files(&self) -> impl Iterator<Item = PathBuf> {
        self.config
            .subgraphs
            .values()
            .filter_map(|subgraph| match &subgraph.schema {
                SchemaSource::File(file) => Some(self.folder.join(file)),
                _ => None,
            })
    }

    /// All subgraphs with their schemas. `fetch` is handed a subgraph's name and address, and answers with
    /// the SDL of `{ _service { sdl } }`.
    ///
    /// # Errors
    /// [`ConfigError::Read`] or [`ConfigError::Fetch`].
    pub fn sources<E: Display>(
        &self,
        mut fetch: impl FnMut(&str, &str) -> Result<String, E>,
    ) -> Result<Vec<SubgraphSource>, ConfigError> {
        let mut sources = Vec::with_capacity(self.config.subgraphs.len());
        for (name, subgraph) in &self.config.subgraphs {
            let mut url = subgraph.routing_url.clone();
            let sdl = match &subgraph.schema {
                SchemaSource::Sdl(sdl) => sdl.clone(),
                SchemaSource::File(file) => read(&self.folder.join(file))?,
                SchemaSource::SubgraphUrl(at) => {
                    url.get_or_insert_with(|| at.clone());
                    fetch(name, at).map_err(|error| ConfigError::Fetch {
                        subgraph: name.clone(),
                        url: at.clone(),
                        message: error.to_string(),
                    })?
                }
            };
            sources.push(SubgraphSource {
                name: name.clone(),
                url,
                sdl,
            });
        }
        Ok(sources)
    }
}

fn read(path: &Path) -> Result<String, ConfigError> {
    std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_file_is_read() {
        let config = SupergraphConfig::parse(
            "federation_version: =2.9.0\nsubgraphs:\n  a:\n    routing_url: http://a\n    schema:\n      file: ./a.graphql\n  b:\n    schema:\n      subgraph_url: http://b/graphql\n",
        )
        .unwrap();
        assert_eq!(
            config.subgraphs["a"].schema,
            SchemaSource::File("./a.graphql".into())
        );
        let loaded = LoadedConfig {
            config,
            folder: "conf".into(),
        };
        assert_eq!(loaded.urls().collect::<Vec<_>>(), [("b", "http://b/graphql")]);
        assert_eq!(
            loaded.files().collect::<Vec<_>>(),
            [PathBuf::from("conf/./a.graphql")]
        );
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_place() {
        let error = SupergraphConfig::parse("subgraphs:\n  a:\n    route: x\n    schema: {sdl: x}\n")
            .unwrap_err()
            .to_string();
        assert!(error.contains("route") && error.contains("line 3"), "{error}");
    }

    #[test]
    fn a_schema_has_one_source() {
        let error = SupergraphConfig::parse("subgraphs:\n  a:\n    schema: {sdl: x, file: y}\n")
            .unwrap_err()
            .to_string();
        assert!(error.contains("exactly one"), "{error}");
    }

    #[test]
    fn a_fetched_schema_brings_its_address_as_route() {
        let config =
            SupergraphConfig::parse("subgraphs:\n  a:\n    schema: {subgraph_url: 'http://a'}\n").unwrap();
        let loaded = LoadedConfig {
            config,
            folder: PathBuf::new(),
        };
        let sources = loaded
            .sources(|name, url| Ok::<_, String>(format!("# {name} {url}")))
            .unwrap();
        assert_eq!(
            sources,
            [SubgraphSource::new(
                "a",
                Some("http://a".to_owned()),
                "# a http://a"
            )]
        );
        let failed = loaded
            .sources(|_, _| Err::<String, _>("refused"))
            .unwrap_err()
            .to_string();
        assert_eq!(
            failed,
            "cannot fetch the schema of subgraph \"a\" from http://a: refused"
        );
    }
}
