//! Serves a subgraph over HTTP, to the router and to other subgraphs: never to strangers.

use std::sync::Arc;
use std::time::Duration;

use async_graphql::parser::types::OperationType;
use async_graphql::{Request, Response, Value};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response as HttpResponse};
use axum::routing::post;
use axum::{Json, Router};
use futures::{Stream, StreamExt};
use kernel::{ErrorCode, Principal, Refusal, TIME_LEFT_HEADER, Text};
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
    let left = headers
        .get(TIME_LEFT_HEADER)
        .and_then(|value| kernel::time_left(value.as_bytes()));
    let mut request = request.data(Arc::new(principal));
    if asks_for(&mut request, OperationType::Subscription) {
        return events(served.schema.execute_stream(request));
    }
    match within(left, served, request).await {
        Some(response) => reply(&response),
        None => refused(StatusCode::GATEWAY_TIMEOUT, Refusal::unavailable(1)),
    }
}

/// Answers in the time that is left; `None` where it is over. What is read stops then, and when the router goes away; what
/// changes something is begun only while there is time, and then left to end.
async fn within(left: Option<Duration>, served: Arc<Served>, mut request: Request) -> Option<Response> {
    let changes = asks_for(&mut request, OperationType::Mutation);
    let span = tracing::info_span!("subgraph", graphql.subgraph.name = served.name);
    let work = async move { served.schema.execute(request).await }.instrument(span);
    if left.is_some_and(|left| left.is_zero()) {
        return None;
    }
    let within = left.unwrap_or(Duration::MAX);
    if changes {
        let work = tokio::spawn(work);
        return match tokio::time::timeout(within, work).await {
            Ok(Ok(response)) => Some(response),
            Ok(Err(error)) => {
                tracing::error!(%error, "a mutation broke off");
                None
            }
            Err(_) => None,
        };
    }
    tokio::time::timeout(within, work).await.ok()
}

/// Answers with server-sent events, by <https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md> (distinct
/// connections mode). They end when the router goes away.
fn events(responses: impl Stream<Item = Response> + Send + 'static) -> HttpResponse {
    let next = |response| Event::default().event("next").json_data(response);
    let complete = futures::stream::iter([Ok(Event::default().event("complete"))]);
    Sse::new(responses.map(next).chain(complete))
        .keep_alive(KeepAlive::default())
        .into_response()
}

/// Whether anything in the document is an operation of that type; a document that is none is refused later.
fn asks_for(request: &mut Request, wanted: OperationType) -> bool {
    request.parsed_query().is_ok_and(|document| {
        let mut operations = document.operations.iter();
        operations.any(|(_, operation)| operation.node.ty == wanted)
    })
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
    refused(StatusCode::UNAUTHORIZED, refusal)
}

fn refused(status: StatusCode, refusal: Refusal) -> HttpResponse {
    let error = answer::to_graphql(&refusal.into(), kernel::Locale::default());
    let response = Response::from_errors(vec![error.into_server_error(async_graphql::Pos::default())]);
    (status, reply(&response)).into_response()
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

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::sync::Mutex;

    use futures::channel::oneshot;

    use super::*;

    /// Answers when it is told to, and tells how it went.
    struct Slow {
        answer: Mutex<Option<oneshot::Receiver<()>>>,
        ended: Mutex<Option<oneshot::Sender<()>>>,
    }

    impl Executable for Slow {
        fn execute(&self, _: Request) -> Pin<Box<dyn Future<Output = Response> + Send + '_>> {
            let (answer, ended) = (
                self.answer.lock().unwrap().take(),
                self.ended.lock().unwrap().take(),
            );
            Box::pin(async move {
                answer.expect("it is asked once").await.expect("it is told to");
                let _ = ended.expect("it is asked once").send(());
                Response::default()
            })
        }

        fn execute_stream(&self, _: Request) -> Pin<Box<dyn Stream<Item = Response> + Send>> {
            Box::pin(futures::stream::iter([1, 2].map(Response::new)))
        }
    }

    /// A subgraph, what tells it to answer, and what tells that it has: nothing, where it was stopped.
    fn slow() -> (Arc<Served>, oneshot::Sender<()>, oneshot::Receiver<()>) {
        let (answer, told) = oneshot::channel();
        let (ended, end) = oneshot::channel();
        let slow = Slow {
            answer: Mutex::new(Some(told)),
            ended: Mutex::new(Some(ended)),
        };
        let served = Served {
            name: "slow",
            sdl: String::new(),
            schema: Arc::new(slow),
            open: Arc::new(|_| None),
        };
        (Arc::new(served), answer, end)
    }

    const MOMENT: Option<Duration> = Some(Duration::from_millis(10));

    #[tokio::test]
    async fn a_read_is_stopped_when_nobody_waits_any_more() {
        let (served, answer, end) = slow();
        assert!(within(MOMENT, served, Request::new("{ a }")).await.is_none());
        assert!(answer.send(()).is_err(), "nobody works on it");
        assert!(end.await.is_err());
    }

    #[tokio::test]
    async fn a_change_that_has_begun_is_left_to_end() {
        let (served, answer, end) = slow();
        assert!(
            within(MOMENT, served, Request::new("mutation { a }"))
                .await
                .is_none()
        );
        answer.send(()).expect("it is worked on");
        end.await.expect("it ends");
    }

    #[tokio::test]
    async fn nothing_is_begun_that_nobody_waits_for() {
        for query in ["{ a }", "mutation { a }"] {
            let (served, answer, _) = slow();
            let request = Request::new(query);
            assert!(within(Some(Duration::ZERO), served, request).await.is_none());
            assert!(answer.send(()).is_err(), "{query}");
        }
    }

    #[tokio::test]
    async fn a_subscription_is_answered_with_events() {
        let (served, ..) = slow();
        let answer = events(served.schema.execute_stream(Request::new("subscription { a }")));
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        let body = axum::body::to_bytes(answer.into_body(), 1_000).await.unwrap();
        let text =
            "event: next\ndata: {\"data\":1}\n\nevent: next\ndata: {\"data\":2}\n\nevent: complete\n\n";
        assert_eq!(body, text);
    }

    #[tokio::test]
    async fn who_says_nothing_waits() {
        let (served, answer, _) = slow();
        answer.send(()).expect("it waits");
        assert!(within(None, served, Request::new("{ a }")).await.is_some());
    }
}
