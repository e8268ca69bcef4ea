//! The endpoint that drops what is kept: `POST` with `[{"kind": "entity", "subgraph": …, "type": …, "key": {…}}]` and the
//! secret as `Authorization`, as Apollo Router has it.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use http::header::{AUTHORIZATION, CACHE_CONTROL, VARY};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{CacheControl, Invalidation, InvalidationError};
use crate::config::{InvalidationConfig, RouterConfig};
use crate::engine::EngineHandle;

/// Entries of one request.
const MAX_ENTRIES: usize = 1_000;

/// Bytes of one request.
const MAX_BYTES: usize = 1 << 20;

#[derive(Clone)]
struct Endpoint {
    engine: EngineHandle,
    /// Digests are compared, so that the time it takes says nothing of the secret.
    secret: Arc<[u8]>,
}

/// The endpoint, where it is switched on.
pub(crate) fn endpoint(engine: EngineHandle, config: &InvalidationConfig) -> Option<Router> {
    let secret = config.secret.expose();
    if !config.enabled || secret.is_empty() {
        return None;
    }
    let endpoint = Endpoint {
        engine,
        secret: Sha256::digest(secret.as_bytes()).as_slice().into(),
    };
    let router = Router::new()
        .route(&config.path, post(invalidate))
        .layer(DefaultBodyLimit::max(MAX_BYTES))
        .with_state(endpoint);
    Some(router)
}

/// Tells a client and the proxies before it for how long an answer holds. What a proxy keeps for everybody must not be given
/// to somebody who shows other credentials.
pub(crate) fn describe(control: CacheControl, config: &RouterConfig, headers: &mut HeaderMap) {
    let subgraphs = config.subgraphs.values().chain([&config.all_subgraphs]);
    let rules = subgraphs.flat_map(|it| &it.headers.propagate);
    let names: Option<BTreeSet<&str>> = rules.map(|rule| rule.name.as_deref()).collect();
    // With a pattern nobody can say which headers of other requests matter.
    let Some(passed_on) = names else { return };
    if let Ok(value) = HeaderValue::from_str(&control.header()) {
        headers.insert(CACHE_CONTROL, value);
    }
    headers.append(VARY, HeaderValue::from_static("authorization, cookie"));
    let passed_on = passed_on
        .into_iter()
        .filter_map(|name| HeaderValue::from_str(name).ok());
    passed_on.for_each(|name| {
        headers.append(VARY, name);
    });
}

async fn invalidate(State(endpoint): State<Endpoint>, headers: HeaderMap, body: Bytes) -> Response {
    let given = headers.get(AUTHORIZATION).map(|value| value.as_bytes());
    let digest = Sha256::digest(given.unwrap_or_default());
    if given.is_none() || digest.as_slice() != &*endpoint.secret {
        return refused(StatusCode::UNAUTHORIZED, "`Authorization` is not the secret");
    }
    let what: Vec<Invalidation> = match serde_json::from_slice(&body) {
        Ok(what) => what,
        Err(error) => {
            return refused(
                StatusCode::BAD_REQUEST,
                &format!("the body is no list of what to drop: {error}"),
            );
        }
    };
    if what.len() > MAX_ENTRIES {
        let message = format!("the list has more than {MAX_ENTRIES} entries");
        return refused(StatusCode::BAD_REQUEST, &message);
    }
    match endpoint.engine.load().invalidate(&what).await {
        Ok(()) => (StatusCode::ACCEPTED, axum::Json(json!({ "count": what.len() }))).into_response(),
        Err(error @ InvalidationError::Unknown { .. }) => {
            refused(StatusCode::BAD_REQUEST, &error.to_string())
        }
        Err(InvalidationError::Unavailable(error)) => {
            tracing::warn!(%error, "nothing could be dropped from the response cache");
            refused(StatusCode::SERVICE_UNAVAILABLE, "the cache does not answer")
        }
    }
}

fn refused(status: StatusCode, message: &str) -> Response {
    (status, axum::Json(json!({ "error": message }))).into_response()
}
