//! What clients see of an error that a subgraph sent.

use serde_json::{Map, Value as Json};

use crate::config::ErrorsConfig;
use crate::error::GraphQlError;

/// What subgraphs call an error that nobody is meant to see: Daka's own, and what Apollo Server says of whatever was
/// thrown (<https://www.apollographql.com/docs/apollo-server/data/errors#built-in-error-codes>).
const INTERNAL: [&str; 2] = ["INTERNAL", "INTERNAL_SERVER_ERROR"];

/// The error as clients see it, still without its place. What is hidden from them goes to the log.
pub(super) fn client_error(
    service: &str,
    config: &ErrorsConfig,
    message: String,
    mut extensions: Map<String, Json>,
) -> GraphQlError {
    extensions.retain(|name, _| !config.hidden_extensions.contains(name));
    let code = extensions.get("code").and_then(Json::as_str);
    let is_internal = code.is_some_and(|code| INTERNAL.contains(&code));
    let is_for_people = code.is_some_and(|code| config.shown_codes.iter().any(|shown| shown == code));
    let mut error = GraphQlError {
        message: String::new(),
        locations: Vec::new(),
        path: Vec::new(),
        extensions: Map::new(),
    };
    if is_internal || !(config.show || is_for_people) {
        tracing::warn!(
            subgraph = service,
            code,
            message,
            "an error of a subgraph is masked"
        );
        error.message = match is_internal {
            true => GraphQlError::internal().message,
            false => format!("the service `{service}` could not answer this"),
        };
        error.extensions.extend(extensions.remove_entry("code"));
    } else {
        error.message = message;
        error.extensions = extensions;
    }
    error
        .extensions
        .entry("service")
        .or_insert_with(|| service.into());
    error
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use serde_json::json;

    use super::*;

    fn seen(config: Json, extensions: Json) -> String {
        let config: ErrorsConfig = serde_json::from_value(config).unwrap();
        let extensions = extensions.as_object().cloned().unwrap();
        let error = client_error("stock", &config, "row 7 is locked".into(), extensions);
        serde_json::to_string(&error).unwrap()
    }

    #[test]
    fn an_internal_error_is_masked_whatever_is_set() {
        let config = json!({"shown_codes": ["INTERNAL_SERVER_ERROR"]});
        let error = seen(config, json!({"code": "INTERNAL_SERVER_ERROR", "sql": "SELECT"}));
        assert_snapshot!(error, @r#"{"message":"internal error","extensions":{"code":"INTERNAL_SERVER_ERROR","service":"stock"}}"#);
    }

    #[test]
    fn what_helps_debugging_is_not_for_clients() {
        let extensions = json!({"code": "LOCKED", "stacktrace": ["at"], "retryAfter": 3});
        assert_snapshot!(seen(json!({}), extensions), @r#"{"message":"row 7 is locked","extensions":{"code":"LOCKED","retryAfter":3,"service":"stock"}}"#);
    }

    #[test]
    fn a_service_may_be_masked_but_for_codes_that_are_for_people() {
        let config = json!({"show": false, "shown_codes": ["SOLD_OUT"]});
        assert_snapshot!(seen(config.clone(), json!({"code": "LOCKED", "row": 7})), @r#"{"message":"the service `stock` could not answer this","extensions":{"code":"LOCKED","service":"stock"}}"#);
        assert_snapshot!(seen(config, json!({"code": "SOLD_OUT", "row": 7})), @r#"{"message":"row 7 is locked","extensions":{"code":"SOLD_OUT","row":7,"service":"stock"}}"#);
    }

    #[test]
    fn an_error_without_a_code_may_be_masked_too() {
        assert_snapshot!(seen(json!({"show": false}), json!({})), @r#"{"message":"the service `stock` could not answer this","extensions":{"service":"stock"}}"#);
    }
}
