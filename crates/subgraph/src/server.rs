//! Serves a subgraph over HTTP, to the router and to other subgraphs: never to strangers.

use std::sync::Arc;

use async_graphql::{Request, Response, Value};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response as HttpResponse};
use axum::routing::post;
use axum::{Json, Router};
use kernel::{ErrorCode, Principal, Refusal, Text};
use tracing::Instrument;

use crate::answer;
use crate::service::{Executable, Subgraph};

/// Reads the principal that the router handed over; `None` where there is none that can be trusted.
pub type Open = Arc<dyn Fn(&HeaderMap) -> Option<Principal> + Send + Sync>;

struct Served {
    name: &'static str,
    sdl: String,
    schema: Arc<dyn Executable>,
    open: Open,
}

/// `POST /graphql` of a subgraph. A request without a principal is refused, but for its SDL.
pub fn routes(subgraph: &Subgraph, open: Open) -> Router {
    let served = Served {
        name: subgraph.name,
        sdl: subgraph.sdl.clone(),
        schema: subgraph.schema.clone(),
        open,
    };
    Router::new()
        .route("/graphql", post(answer))
        .with_state(Arc::new(served))
}

async fn answer(
    State(served): State<Arc<Served>>,
    headers: HeaderMap,
    Json(request): Json<Request>,
) -> HttpResponse {
    let Some(principal) = (served.open)(&headers) else {
        return match is_sdl_request(&request) {
            true => reply(&sdl(&served.sdl)),
            false => refuse(),
        };
    };
    let span = tracing::info_span!("subgraph", graphql.subgraph.name = served.name);
    let response = served
        .schema
        .execute(request.data(Arc::new(principal)))
        .instrument(span)
        .await;
    reply(&response)
}

/// The whole of the document that composition sends (`{ _service { sdl } }`), whatever its white space.
fn is_sdl_request(request: &Request) -> bool {
    let words: String = request.query.split_whitespace().collect();
    matches!(words.trim_start_matches("query"), "{_service{sdl}}")
}

/// The SDL as this crate writes it: async-graphql's own answer links another version of the specification.
fn sdl(sdl: &str) -> Response {
    let object = |name: &str, value: Value| {
        Value::Object([(async_graphql::Name::new(name), value)].into_iter().collect())
    };
    Response::new(object("_service", object("sdl", Value::from(sdl))))
}

fn refuse() -> HttpResponse {
    let refusal = Refusal::new(ErrorCode::Unauthenticated, Text::new("unauthenticated"));
    let error = answer::to_graphql(&refusal.into(), kernel::Locale::default());
    let response = Response::from_errors(vec![error.into_server_error(async_graphql::Pos::default())]);
    (StatusCode::UNAUTHORIZED, reply(&response)).into_response()
}

fn reply(response: &Response) -> HttpResponse {
    match serde_json::to_vec(response) {
        Ok(body) => (
            [(header::CONTENT_TYPE, "application/graphql-response+json")],
            body,
        )
            .into_response(),
        Err(error) => {
            tracing::error!(%error, "an answer cannot be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
