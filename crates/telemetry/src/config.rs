//! The configuration of logs and traces.

use std::collections::BTreeMap;
use std::fmt;

use serde::ser::SerializeMap as _;
use serde::{Deserialize, Serialize, Serializer};

/// How a process tells of itself. Metrics are always kept and need no configuration.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct TelemetryConfig {
    /// Logs, on standard error.
    pub log: LogConfig,
    /// Traces, to an OpenTelemetry collector.
    pub otlp: OtlpConfig,
}

/// How logs look and what is logged.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct LogConfig {
    /// For people or for machines.
    pub format: LogFormat,
    /// What is logged: a level, or `target=level` pairs separated by commas, e.g. `info,events=debug`
    /// (the syntax of `tracing_subscriber::EnvFilter`).
    pub filter: String,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            format: LogFormat::Pretty,
            filter: "info,sea_orm=warn".to_owned(),
        }
    }
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people: coloured on a terminal.
    #[default]
    Pretty,
    /// For machines: one JSON object a line.
    Json,
}

/// Where traces go.
#[derive(Clone, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct OtlpConfig {
    /// The collector's base URL for OTLP over HTTP, e.g. `http://127.0.0.1:4318`; `/v1/traces` is added. None: no traces.
    pub endpoint: Option<String>,
    /// Headers of each request to the collector. They hold credentials, so they are never printed.
    #[serde(serialize_with = "masked")]
    pub headers: BTreeMap<String, String>,
    /// What becomes a span or an event of a trace, whatever is logged; written like `log.filter`. The stores' and
    /// WeChat's spans, and the router's own, are of the level `debug`: without traces they cost nothing.
    pub filter: String,
    /// The share of traces that is kept, from 0 to 1, where no caller has decided it already.
    pub sample_ratio: f64,
    /// The name that the process goes by in traces, where its own does not do.
    pub service_name: Option<String>,
}

impl Default for OtlpConfig {
    fn default() -> Self {
        Self {
            endpoint: None,
            headers: BTreeMap::new(),
            filter: "info,router=debug,docstore=debug,cache=debug,wechat=debug".to_owned(),
            sample_ratio: 1.0,
            service_name: None,
        }
    }
}

impl fmt::Debug for OtlpConfig {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("OtlpConfig")
            .field("endpoint", &self.endpoint)
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .field("filter", &self.filter)
            .field("sample_ratio", &self.sample_ratio)
            .field("service_name", &self.service_name)
            .finish()
    }
}

fn masked<S: Serializer>(headers: &BTreeMap<String, String>, serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(headers.len()))?;
    for name in headers.keys() {
        map.serialize_entry(name, "***")?;
    }
    map.end()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nothing_needs_to_be_said() {
        let config: TelemetryConfig = serde_json::from_value(json!({})).unwrap();
        assert_eq!(config, TelemetryConfig::default());
        assert_eq!(config.log.filter, "info,sea_orm=warn");
        assert_eq!(config.otlp.endpoint, None);
    }

    #[test]
    fn an_unknown_key_is_refused() {
        let config = serde_json::from_value::<TelemetryConfig>(json!({ "log": { "level": "debug" } }));
        assert!(config.unwrap_err().to_string().contains("`level`"));
    }

    #[test]
    fn credentials_are_never_printed() {
        let config: TelemetryConfig =
            serde_json::from_value(json!({ "otlp": { "headers": { "authorization": "Bearer abc" } } }))
                .unwrap();
        assert_eq!(config.otlp.headers["authorization"], "Bearer abc");
        assert!(!format!("{config:?}").contains("abc"));
        assert_eq!(
            serde_json::to_value(&config).unwrap()["otlp"]["headers"],
            json!({ "authorization": "***" })
        );
    }
}
