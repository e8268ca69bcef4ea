//! A subgraph of a few sentences, for tests that need one in a process of its own: `subgraph --listen ADDRESS`. It knows
//! no schema: it answers every field of its own that the query names.

use std::convert::Infallible;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use serde_json::{Map, Value, json};

/// Bytes of what is `large`.
const LARGE: usize = 2 << 20;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip_while(|arg| arg != "--listen").skip(1);
    let address = args.next().ok_or("subgraph --listen ADDRESS")?;
    let listener = tokio::net::TcpListener::bind(address).await?;
    let routes = Router::new()
        .route("/health/ready", get(|| async {}))
        .route("/graphql", post(answer));
    axum::serve(listener, routes).await?;
    Ok(())
}

async fn answer(Json(request): Json<Value>) -> Response {
    let query = request["query"].as_str().unwrap_or_default();
    if query.contains("endless") {
        let begin = futures::stream::iter([Bytes::from_static(b"{\"data\":{\"endless\":\"")]);
        let more = futures::stream::repeat(Bytes::from_static(&[b'x'; 64 << 10]));
        let chunks = futures::StreamExt::chain(begin, more);
        return text(Body::from_stream(futures::StreamExt::map(
            chunks,
            Ok::<_, Infallible>,
        )));
    }
    if query.contains("deep") {
        let (open, close) = ("[".repeat(100_000), "]".repeat(100_000));
        return text(Body::from(format!("{{\"data\":{{\"deep\":{open}{close}}}}}")));
    }
    if query.contains("failing") {
        let errors = "{\"message\":\"no\",\"path\":[\"failing\"]},".repeat(50_000);
        return text(Body::from(format!(
            "{{\"data\":{{\"failing\":null}},\"errors\":[{errors}{{}}]}}"
        )));
    }
    if query.contains("large") {
        let large = "x".repeat(LARGE);
        return text(Body::from(format!("{{\"data\":{{\"large\":\"{large}\"}}}}")));
    }
    let known = [("hello", "world"), ("shaky", "still here"), ("more", "of it")];
    let named = known.into_iter().filter(|(name, _)| query.contains(name));
    let data: Map<_, _> = named
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect();
    Json(json!({ "data": data })).into_response()
}

fn text(body: Body) -> Response {
    ([("content-type", "application/json")], body).into_response()
}
