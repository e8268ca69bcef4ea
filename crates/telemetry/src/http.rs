//! What every HTTP server of ours tells of its requests: a span and two metrics, by OpenTelemetry's semantic conventions
//! (<https://opentelemetry.io/docs/specs/semconv/http/>).

use std::time::Instant;

use ::http::{Method, StatusCode};
use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use metrics::{Gauge, Label, SharedString};
use tracing::field::Empty;
use tracing::{Instrument as _, Span};

use crate::propagation;

/// Puts a span and the metrics around every route that the router has so far. The span goes on with the trace that the
/// request names.
pub fn observed<S: Clone + Send + Sync + 'static>(router: Router<S>) -> Router<S> {
    router.layer(from_fn(observe))
}

async fn observe(request: Request, next: Next) -> Response {
    let start = Instant::now();
    let method = known(request.method());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let span = span(&request, method, route.as_ref().map(MatchedPath::as_str));
    let active = Active::enter(method);

    let response = next.run(request).instrument(span.clone()).await;

    drop(active);
    let status = response.status();
    span.record("http.response.status_code", status.as_u16());
    if status.is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
    record(start, method, route.as_ref().map(MatchedPath::as_str), status);
    response
}

fn span(request: &Request, method: &'static str, route: Option<&str>) -> Span {
    // The convention wants names of low cardinality: the route, never the path.
    let span = match route {
        Some(route) => tracing::info_span!(
            "http.request",
            otel.name = format_args!("{method} {route}"),
            otel.kind = "server",
            otel.status_code = Empty,
            http.request.method = method,
            http.route = route,
            http.response.status_code = Empty,
            url.path = request.uri().path(),
            trace_id = Empty,
        ),
        None => tracing::info_span!(
            "http.request",
            otel.name = method,
            otel.kind = "server",
            otel.status_code = Empty,
            http.request.method = method,
            http.response.status_code = Empty,
            url.path = request.uri().path(),
            trace_id = Empty,
        ),
    };
    propagation::adopt(&span, request.headers());
    if let Some(id) = propagation::id_of(&span) {
        span.record("trace_id", id);
    }
    span
}

fn record(start: Instant, method: &'static str, route: Option<&str>, status: StatusCode) {
    let code: SharedString = status.as_str().to_owned().into();
    let mut labels = vec![
        Label::from_static_parts("http.request.method", method),
        Label::new("http.response.status_code", code.clone()),
    ];
    if let Some(route) = route {
        labels.push(Label::new("http.route", route.to_owned()));
    }
    if status.is_server_error() {
        labels.push(Label::new("error.type", code));
    }
    metrics::histogram!("http.server.request.duration", labels).record(start.elapsed());
}

/// The method by the names of the convention. Any other is one and the same: callers choose it, and must not be able to
/// make metrics grow.
fn known(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "DELETE" => "DELETE",
        "CONNECT" => "CONNECT",
        "OPTIONS" => "OPTIONS",
        "TRACE" => "TRACE",
        "PATCH" => "PATCH",
        _ => "_OTHER",
    }
}

/// A request that is being answered. It is no longer when the value is dropped, which also happens when the client goes
/// away before the answer.
struct Active(Gauge);

impl Active {
    fn enter(method: &'static str) -> Self {
        let gauge = metrics::gauge!("http.server.active_requests", "http.request.method" => method);
        gauge.increment(1.0);
        Self(gauge)
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::routing::get;
    use tower::ServiceExt as _;

    use super::*;
    use crate::Metrics;

    async fn ask(router: &Router, method: &str, path: &str) -> StatusCode {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .body(Body::empty())
            .unwrap();
        router.clone().oneshot(request).await.unwrap().status()
    }

    #[tokio::test]
    async fn requests_are_counted_by_route_and_never_by_path() {
        let metrics = Metrics::install();
        let router: Router = Router::new()
            .route("/observed/{id}", get(|| async { "a habit" }))
            .route(
                "/observed-broken",
                get(|| async { StatusCode::INTERNAL_SERVER_ERROR }),
            );
        let router = observed(router);
        assert_eq!(ask(&router, "GET", "/observed/1").await, StatusCode::OK);
        assert_eq!(ask(&router, "GET", "/observed/2").await, StatusCode::OK);
        assert_eq!(
            ask(&router, "GET", "/observed-broken").await,
            StatusCode::INTERNAL_SERVER_ERROR
        );
        assert_eq!(
            ask(&router, "BREW", "/observed/1").await,
            StatusCode::METHOD_NOT_ALLOWED
        );
        assert_eq!(
            ask(&router, "GET", "/observed-nowhere").await,
            StatusCode::NOT_FOUND
        );

        let text = metrics.render();
        let count = |labels: &str| {
            let name = format!("http_server_request_duration_seconds_count{{{labels}}} ");
            text.lines()
                .find_map(|line| line.strip_prefix(&name))
                .map(str::to_owned)
        };
        let ok = r#"http_request_method="GET",http_response_status_code="200",http_route="/observed/{id}""#;
        assert_eq!(count(ok).as_deref(), Some("2"), "{text}");
        let broken = r#"http_request_method="GET",http_response_status_code="500",http_route="/observed-broken",error_type="500""#;
        assert_eq!(count(broken).as_deref(), Some("1"), "{text}");
        let other =
            r#"http_request_method="_OTHER",http_response_status_code="405",http_route="/observed/{id}""#;
        assert_eq!(count(other).as_deref(), Some("1"), "{text}");
        assert!(
            !text.contains("BREW") && !text.contains("observed/1") && !text.contains("nowhere"),
            "{text}"
        );
    }

    #[tokio::test]
    async fn a_request_whose_client_goes_away_is_active_no_longer() {
        let metrics = Metrics::install();
        let active = r#"http_server_active_requests{http_request_method="PATCH"}"#;
        let router: Router = Router::new().route("/stuck", axum::routing::patch(std::future::pending::<()>));
        let router = observed(router);
        let mut stuck = Box::pin(ask(&router, "PATCH", "/stuck"));
        assert!(still_pending(&mut stuck).await, "the request hangs");
        assert!(
            metrics.render().contains(&format!("{active} 1")),
            "{}",
            metrics.render()
        );
        drop(stuck);
        assert!(
            metrics.render().contains(&format!("{active} 0")),
            "{}",
            metrics.render()
        );
    }

    /// Polls a future once and tells whether it is still pending.
    async fn still_pending<F: Future + Unpin>(future: &mut F) -> bool {
        std::future::poll_fn(|context| {
            std::task::Poll::Ready(std::pin::Pin::new(&mut *future).poll(context).is_pending())
        })
        .await
    }
}
