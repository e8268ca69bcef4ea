//! What a server takes on: so many requests at once, so many bytes held, and no client that sends or takes its bytes
//! without end.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body::Body as _;
use kernel::ErrorCode;
use router::Buffers;
use tokio::sync::{Semaphore, oneshot};

use super::body::{self, Keeping, Problem};
use super::config::ServerConfig;
use super::connection::{Connection, UnderWay};
use crate::metrics::REFUSED_REQUESTS;

/// Answers up to so many bytes are not counted: they go into the buffers of the connection.
const SMALL: u64 = 16 << 10;
/// Seconds after which a client may try again.
const RETRY_AFTER: u16 = 1;

/// What a server has taken on. Clones are one and the same.
#[derive(Debug, Clone)]
pub struct Load {
    pub(super) config: ServerConfig,
    pub(super) connections: Arc<Semaphore>,
    requests: Arc<Semaphore>,
    buffers: Buffers,
}

impl Load {
    /// Nothing so far.
    pub fn new(config: ServerConfig) -> Self {
        Self {
            config,
            connections: Arc::new(Semaphore::new(places(config.max_connections.get()))),
            requests: Arc::new(Semaphore::new(places(config.max_requests.get()))),
            buffers: Buffers::new(config.max_held_bytes.get()),
        }
    }

    /// The bytes that are held.
    pub fn buffers(&self) -> Buffers {
        self.buffers.clone()
    }

    #[cfg(test)]
    pub(super) fn requests_under_way(&self) -> usize {
        self.config.max_requests.get() - self.requests.available_permits()
    }

    /// The answer as it goes out: a large one is held until the client has taken it, for so long.
    fn sent(&self, response: Response, under_way: Option<UnderWay>) -> Response {
        let Some(under_way) = under_way else {
            return response;
        };
        let size = response.body().size_hint();
        let held = match size.exact() {
            Some(small) if small <= SMALL => return response,
            Some(large) => match self.buffers.hold(usize::try_from(large).unwrap_or(usize::MAX)) {
                Some(held) => Some(held),
                None => {
                    return refused(
                        StatusCode::SERVICE_UNAVAILABLE,
                        "this answer is too large for now",
                    );
                }
            },
            // A stream: it is told apart by whoever streams it.
            None => None,
        };
        let taken = held.is_some().then(|| self.cut_when_late(&under_way));
        let keeping = Keeping {
            held,
            under_way,
            taken,
        };
        response.map(|body| body::sent(body, keeping))
    }

    /// Cuts the connection when what is returned is not dropped in time.
    fn cut_when_late(&self, under_way: &UnderWay) -> oneshot::Sender<()> {
        let (taken, is_taken) = oneshot::channel();
        let (cut, within) = (under_way.cut(), self.config.answer_timeout());
        tokio::spawn(async move {
            if tokio::time::timeout(within, is_taken).await.is_err() {
                cut.cancel();
            }
        });
        taken
    }
}

/// Lets a request in, or refuses it.
pub(super) async fn admit(State(load): State<Load>, request: Request, next: Next) -> Response {
    if is_watching(request.uri().path()) {
        return next.run(request).await;
    }
    let Ok(place) = load.requests.clone().try_acquire_owned() else {
        return refused(StatusCode::SERVICE_UNAVAILABLE, "too many requests are under way");
    };
    let connection = request.extensions().get::<Arc<Connection>>();
    let under_way = connection.map(Connection::enter);
    if request.method() == Method::CONNECT {
        connection.inspect(|connection| connection.keep());
    }
    let (parts, body) = request.into_parts();
    let (body, reading) = body::watched(body, load.config.body_timeout(), &load.buffers);
    let response = next.run(Request::from_parts(parts, body)).await;
    drop(place);
    match reading.and_then(|reading| reading.problem()) {
        Some(Problem::Slow) => refused(StatusCode::REQUEST_TIMEOUT, "the body took too long"),
        Some(Problem::Large) => refused(StatusCode::SERVICE_UNAVAILABLE, "this body is too large for now"),
        None => load.sent(response, under_way),
    }
}

/// Whether the path is one at which the process is watched: it must answer when it is busiest.
fn is_watching(path: &str) -> bool {
    path.starts_with("/health/") || path == "/metrics"
}

/// More than the semaphore can count is as good as no limit.
fn places(wanted: usize) -> usize {
    wanted.min(Semaphore::MAX_PERMITS)
}

/// As GraphQL and as a problem document (RFC 9457), since nobody has looked yet what is asked.
fn refused(status: StatusCode, message: &str) -> Response {
    let code = ErrorCode::ServiceUnavailable.as_str();
    metrics::counter!(REFUSED_REQUESTS, "http.response.status_code" => status.as_str().to_owned())
        .increment(1);
    let body = serde_json::json!({
        "errors": [{ "message": message, "extensions": { "code": code, "retryAfter": RETRY_AFTER } }],
        "type": "urn:problem-type:service-unavailable",
        "title": message,
        "status": status.as_u16(),
        "code": code,
        "retryAfter": RETRY_AFTER,
    });
    let headers = [
        (header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (status, headers, axum::Json(body)).into_response()
}
