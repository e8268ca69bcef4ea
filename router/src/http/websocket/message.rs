//! The messages of `graphql-transport-ws`.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::engine::GraphQlRequest;
use crate::error::GraphQlError;

pub(super) const ACK: &str = "{\"type\":\"connection_ack\"}";
pub(super) const PONG: &str = "{\"type\":\"pong\"}";

/// What a client says.
#[derive(Debug)]
pub(super) enum Asked {
    Init(Map<String, Value>),
    Subscribe { id: String, request: GraphQlRequest },
    Complete { id: String },
    Ping,
    Pong,
}

/// What an operation tells.
#[derive(Debug)]
pub(super) enum Told {
    Next(Bytes),
    /// Nothing follows.
    Errors(Vec<GraphQlError>),
    /// Nothing follows.
    Complete,
}

#[derive(Deserialize)]
struct Wire {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    payload: Option<Value>,
}

/// Reads a message.
///
/// # Errors
/// What is wrong with it, in so few words that they fit into a close frame (RFC 6455 §5.5).
pub(super) fn read(text: &str) -> Result<Asked, &'static str> {
    let wire: Wire = serde_json::from_str(text).map_err(|_| "Invalid message received")?;
    let id = |id: Option<String>| id.filter(|id| is_id(id)).ok_or("The message has no fit id");
    match wire.kind.as_str() {
        "connection_init" => match wire.payload {
            None | Some(Value::Null) => Ok(Asked::Init(Map::new())),
            Some(Value::Object(payload)) => Ok(Asked::Init(payload)),
            Some(_) => Err("The payload of connection_init is no object"),
        },
        "subscribe" => {
            let request = wire.payload.map(GraphQlRequest::deserialize);
            let Some(Ok(request)) = request else {
                return Err("The payload of subscribe is no GraphQL request");
            };
            let id = id(wire.id)?;
            Ok(Asked::Subscribe { id, request })
        }
        "complete" => id(wire.id).map(|id| Asked::Complete { id }),
        "ping" => Ok(Asked::Ping),
        "pong" => Ok(Asked::Pong),
        _ => Err("Invalid message received"),
    }
}

/// Short enough to be named in a close frame.
fn is_id(id: &str) -> bool {
    (1..=80).contains(&id.len())
}

/// A message about an operation.
pub(super) fn told(id: &str, told: Told) -> String {
    let id = Value::from(id);
    match told {
        Told::Next(body) => {
            let body = String::from_utf8_lossy(&body);
            format!("{{\"id\":{id},\"type\":\"next\",\"payload\":{body}}}")
        }
        Told::Errors(errors) => {
            serde_json::json!({ "id": id, "type": "error", "payload": errors }).to_string()
        }
        Told::Complete => format!("{{\"id\":{id},\"type\":\"complete\"}}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_message_is_refused() {
        for text in [
            "",
            "[]",
            "{}",
            r#"{"type":"start"}"#,
            r#"{"type":"connection_init","payload":7}"#,
            r#"{"type":"subscribe","id":"1"}"#,
            r#"{"type":"subscribe","payload":{"query":"{ a }"}}"#,
            r#"{"type":"subscribe","id":"","payload":{"query":"{ a }"}}"#,
            r#"{"type":"subscribe","id":"1","payload":{"query":7}}"#,
            r#"{"type":"complete"}"#,
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
