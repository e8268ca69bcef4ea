//! Subscriptions: what clients may hold open, and how subgraphs are asked for events.

use std::time::Duration;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

/// What clients may hold open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SubscriptionsConfig {
    /// Whether there are any.
    pub enabled: bool,
    /// Streams and WebSockets that this process serves at once.
    pub max_open: usize,
    /// Operations of one WebSocket at once.
    pub max_per_connection: usize,
    /// Milliseconds in which a WebSocket must say who it is.
    #[serde(deserialize_with = "positive")]
    pub init_timeout_ms: u64,
    /// Milliseconds between two signs of life to a client, and to a subgraph behind a WebSocket. Who gives none back
    /// until the next one is gone.
    #[serde(deserialize_with = "positive")]
    pub heartbeat_ms: u64,
    /// Milliseconds in which a client must take one message.
    #[serde(deserialize_with = "positive")]
    pub send_timeout_ms: u64,
    /// Milliseconds after which the credentials that a subscription came with are judged again.
    #[serde(deserialize_with = "positive")]
    pub recheck_ms: u64,
}

/// How one subgraph is asked for events.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EventsConfig {
    /// Over what.
    pub protocol: EventsProtocol,
    /// The path at the subgraph's address, where it is another one than that of its queries. It begins with `/`.
    #[serde(deserialize_with = "path")]
    pub path: Option<String>,
}

/// Over what a subgraph sends events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventsProtocol {
    /// WebSocket, by <https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md> (`graphql-transport-ws`).
    #[default]
    Websocket,
    /// Server-sent events, by <https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md> (distinct connections).
    Sse,
}

impl SubscriptionsConfig {
    /// See [`Self::init_timeout_ms`].
    pub fn init_timeout(&self) -> Duration {
        Duration::from_millis(self.init_timeout_ms)
    }

    /// See [`Self::heartbeat_ms`].
    pub fn heartbeat(&self) -> Duration {
        Duration::from_millis(self.heartbeat_ms)
    }

    /// See [`Self::send_timeout_ms`].
    pub fn send_timeout(&self) -> Duration {
        Duration::from_millis(self.send_timeout_ms)
    }

    /// See [`Self::recheck_ms`].
    pub fn recheck(&self) -> Duration {
        Duration::from_millis(self.recheck_ms)
    }
}

impl Default for SubscriptionsConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            max_open: 10_000,
            max_per_connection: 100,
            init_timeout_ms: 10_000,
            heartbeat_ms: 15_000,
            send_timeout_ms: 30_000,
            recheck_ms: 60_000,
        }
    }
}

/// Milliseconds of which there must be some.
fn positive<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    match u64::deserialize(deserializer)? {
        0 => Err(D::Error::custom("must be at least 1")),
        milliseconds => Ok(milliseconds),
    }
}

fn path<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let path = Option::<String>::deserialize(deserializer)?;
    let is_path = |path: &String| path.starts_with('/') && path.parse::<http::uri::PathAndQuery>().is_ok();
    match path {
        Some(path) if !is_path(&path) => Err(D::Error::custom(format!(
            "`{path}` is no path that begins with `/`"
        ))),
        path => Ok(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_work_is_refused() {
        for text in [
            r#"{"heartbeat_ms":0}"#,
            r#"{"recheck_ms":0}"#,
            r#"{"init_timeout_ms":0}"#,
            r#"{"send_timeout_ms":0}"#,
        ] {
            let refused = serde_json::from_str::<SubscriptionsConfig>(text);
            assert!(
                refused.is_err_and(|e| e.to_string().contains("at least 1")),
                "{text}"
            );
        }
        let refused = serde_json::from_str::<EventsConfig>(r#"{"path":"ws"}"#);
        assert!(refused.is_err_and(|error| error.to_string().contains("`ws` is no path")));
    }
}
