//! The configuration: defaults, then a file, then the environment, then the command line. Keys that nothing reads
//! are refused, with the name that was probably meant.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use auth::{AuthConfig, JwtConfig};
use cache::CacheConfig;
use checkin::CheckInConfig;
use community::CommunityConfig;
use docstore::StoreConfig;
use events::BusConfig;
use habit::HabitConfig;
use notification::NotificationConfig;
use relstore::RelStoreConfig;
use router::RouterConfig;
use serde::{Deserialize, Serialize};
use telemetry::TelemetryConfig;
use toml::{Table, Value};
use user::UserConfig;
use wechat::WechatConfig;

use crate::serve::ServerConfig;

/// The defaults, with their comments.
pub const DEFAULTS: &str = include_str!("default.toml");

/// Environment variables of the configuration begin with this; the same stands between the parts of a key.
const PREFIX: &str = "DAKA__";
const SEPARATOR: &str = "__";

/// Everything that a deployment may set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where the program listens.
    pub listen: SocketAddr,
    /// The folder for everything that this machine keeps.
    pub data: PathBuf,
    /// Milliseconds that requests in flight get to finish at the end.
    pub shutdown_grace_ms: u64,
    /// What the server takes on at most.
    pub server: ServerConfig,
    /// Documents.
    pub store: StoreConfig,
    /// Relations.
    pub relations: RelStoreConfig,
    /// Hot data.
    pub cache: CacheConfig,
    /// Events.
    pub bus: BusConfig,
    /// Tokens and sessions.
    pub auth: AuthConfig,
    /// Tokens of other issuers, for a router that stands alone.
    pub jwt: JwtConfig,
    /// WeChat.
    pub wechat: WechatConfig,
    /// The user domain.
    pub user: UserConfig,
    /// The habit domain.
    pub habit: HabitConfig,
    /// The check-in domain.
    pub checkin: CheckInConfig,
    /// The community domain.
    pub community: CommunityConfig,
    /// The notification domain.
    pub notification: NotificationConfig,
    /// Where the subgraphs are that are processes of their own, by name.
    pub subgraphs: BTreeMap<String, String>,
    /// The router.
    pub router: RouterConfig,
    /// Logs and traces.
    pub telemetry: TelemetryConfig,
}

/// One source of settings.
#[derive(Debug)]
pub struct Layer {
    source: String,
    table: Table,
}

/// What is wrong with the configuration, and where it stands.
#[derive(Debug, thiserror::Error)]
#[error("configuration in {place}: {problem}")]
pub struct ConfigError {
    place: String,
    problem: String,
}

impl Layer {
    /// Settings from `source`, a name for messages.
    pub fn new(source: &str, table: Table) -> Self {
        Self {
            source: source.to_owned(),
            table,
        }
    }

    /// A TOML file.
    ///
    /// # Errors
    /// Where it cannot be read, or is no TOML.
    pub fn file(path: &Path) -> Result<Self, ConfigError> {
        let fault = |problem: String| ConfigError {
            place: path.display().to_string(),
            problem,
        };
        let text = std::fs::read_to_string(path).map_err(|error| fault(error.to_string()))?;
        let table = text
            .parse()
            .map_err(|error: toml::de::Error| fault(error.to_string()))?;
        Ok(Self::new(&path.display().to_string(), table))
    }

    /// Environment variables such as `DAKA__STORE__BACKEND`. A value is TOML where it reads as such, else a text.
    ///
    /// # Errors
    /// Where a name has an empty part, or contradicts another one.
    pub fn environment(variables: impl Iterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        let mut table = Table::new();
        for (name, value) in variables {
            let Some(key) = name.strip_prefix(PREFIX) else {
                continue;
            };
            let parts: Vec<String> = key.split(SEPARATOR).map(str::to_lowercase).collect();
            let fault = |problem: &str| ConfigError {
                place: format!("the environment variable {name}"),
                problem: problem.to_owned(),
            };
            if parts.iter().any(String::is_empty) {
                return Err(fault("a part of the key is empty"));
            }
            insert(&mut table, &parts, scalar(&value)).ok_or_else(|| fault("contradicts another one"))?;
        }
        Ok(Self::new("the environment", table))
    }
}

impl Config {
    /// The configuration of the defaults and the layers, later ones first in force.
    ///
    /// # Errors
    /// The first layer with a key or a value that does not fit.
    pub fn load(layers: impl IntoIterator<Item = Layer>) -> Result<Self, ConfigError> {
        let mut merged: Table = DEFAULTS.parse().map_err(|error: toml::de::Error| ConfigError {
            place: "the defaults".to_owned(),
            problem: error.to_string(),
        })?;
        let mut config = read(&merged, "the defaults")?;
        for layer in layers {
            merge(&mut merged, layer.table);
            config = read(&merged, &layer.source)?;
        }
        Ok(config)
    }

    /// The configuration as TOML, with secrets and passwords masked.
    ///
    /// # Errors
    /// Never, for a configuration that was read.
    pub fn masked(&self) -> Result<String, toml::ser::Error> {
        let mut value = Value::try_from(self)?;
        mask(&mut value);
        toml::to_string(&value)
    }

    /// How long requests in flight get to finish.
    pub fn shutdown_grace(&self) -> Duration {
        Duration::from_millis(self.shutdown_grace_ms)
    }
}

fn read(table: &Table, place: &str) -> Result<Config, ConfigError> {
    Config::deserialize(Value::Table(table.clone())).map_err(|error: toml::de::Error| {
        let problem = error.to_string();
        let problem = problem.trim();
        let hint = nearest(problem)
            .map(|name| format!("; did you mean `{name}`?"))
            .unwrap_or_default();
        ConfigError {
            place: place.to_owned(),
            problem: format!("{problem}{hint}"),
        }
    })
}

/// The expected name that is nearest to the unknown one, by what serde's message lists in backticks.
fn nearest(message: &str) -> Option<&str> {
    let mut quoted = message.split('`').skip(1).step_by(2);
    let unknown = quoted.next().filter(|_| message.contains("unknown field"))?;
    quoted
        .map(|name| (strsim::damerau_levenshtein(unknown, name), name))
        .min()
        .filter(|(distance, name)| *distance <= name.len().div_ceil(2))
        .map(|(_, name)| name)
}

/// Lays one table over another. A table that chooses another backend replaces the one below as a whole, whose
/// settings mean nothing to it.
fn merge(below: &mut Table, above: Table) {
    for (key, value) in above {
        match (below.get_mut(&key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => {
                let other_backend = above
                    .get("backend")
                    .is_some_and(|backend| Some(backend) != below.get("backend"));
                if other_backend || key == "signing_key" {
                    *below = above;
                } else {
                    merge(below, above);
                }
            }
            (_, value) => {
                below.insert(key, value);
            }
        }
    }
}

fn insert(table: &mut Table, parts: &[String], value: Value) -> Option<()> {
    let (first, rest) = parts.split_first()?;
    if rest.is_empty() {
        return table.insert(first.clone(), value).is_none().then_some(());
    }
    let below = table
        .entry(first.clone())
        .or_insert_with(|| Value::Table(Table::new()));
    insert(below.as_table_mut()?, rest, value)
}

fn scalar(text: &str) -> Value {
    let read: Result<Table, _> = format!("value = {text}").parse();
    read.ok()
        .and_then(|mut table| table.remove("value"))
        .unwrap_or_else(|| Value::String(text.to_owned()))
}

fn mask(value: &mut Value) {
    match value {
        Value::String(text) => *text = without_password(text),
        Value::Array(items) => items.iter_mut().for_each(mask),
        Value::Table(table) => table.iter_mut().for_each(|(_, value)| mask(value)),
        _ => {}
    }
}

/// An address without the password that stands in it.
fn without_password(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else {
        return text.to_owned();
    };
    let authority = rest.split('/').next().unwrap_or_default();
    match authority
        .rsplit_once('@')
        .and_then(|(user, _)| user.split_once(':'))
    {
        Some((user, password)) => {
            let masked = rest.replacen(&format!("{user}:{password}@"), &format!("{user}:***@"), 1);
            format!("{scheme}://{masked}")
        }
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(text: &str) -> Layer {
        Layer::new("daka.toml", text.parse().unwrap())
    }

    #[test]
    fn later_layers_override_earlier_ones() {
        let environment = [
            ("DAKA__HABIT__MAX_HABITS", "7"),
            ("DAKA__SUBGRAPHS__USER", "http://users/graphql"),
            ("HOME", "/root"),
        ];
        let environment = Layer::environment(
            environment
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        let file = layer("[habit]\nmax_habits = 3\n[store]\nbackend = \"mongodb\"\nurl = \"mongodb://db\"");
        let config = Config::load([file, environment.unwrap()]).unwrap();
        assert_eq!(config.habit.max_habits, 7);
        assert_eq!(config.subgraphs["user"], "http://users/graphql");
        assert!(matches!(config.store, StoreConfig::Mongo { .. }));
    }

    #[test]
    fn the_commented_defaults_are_those_of_the_code() {
        let config = Config::load([]).unwrap();
        assert_eq!(config.server, ServerConfig::default());
        assert_eq!(config.user, UserConfig::default());
        assert_eq!(config.habit, HabitConfig::default());
        assert_eq!(config.checkin, CheckInConfig::default());
        assert_eq!(config.community, CommunityConfig::default());
        assert_eq!(config.notification, NotificationConfig::default());
        assert_eq!(config.auth, AuthConfig::default());
        assert_eq!(config.jwt, JwtConfig::default());
        assert_eq!(config.cache, CacheConfig::default());
        assert_eq!(config.router, RouterConfig::default());
        assert_eq!(config.telemetry, TelemetryConfig::default());
        assert_eq!(config.wechat, WechatConfig::default());
    }

    #[test]
    fn an_unknown_key_is_refused_with_the_nearest_name() {
        let message = Config::load([layer("lisen = \"127.0.0.1:1\"")])
            .unwrap_err()
            .to_string();
        assert!(message.contains("configuration in daka.toml"), "{message}");
        assert!(message.contains("did you mean `listen`?"), "{message}");
        let message = Config::load([layer("[habit]\nmax_habit = 3")])
            .unwrap_err()
            .to_string();
        assert!(message.contains("did you mean `max_habits`?"), "{message}");
    }

    #[test]
    fn passwords_and_secrets_are_masked() {
        let file = layer(
            "[store]\nbackend = \"mongodb\"\nurl = \"mongodb://daka:hush@db/?x=1\"\n[auth]\ninternal_secret = \"hush\"",
        );
        let shown = Config::load([file]).unwrap().masked().unwrap();
        assert!(shown.contains("mongodb://daka:***@db/?x=1"), "{shown}");
        assert!(!shown.contains("hush"), "{shown}");
    }
}
