//! What every HTTP server of ours tells of its requests: a span and two metrics, by OpenTelemetry's semantic conventions
//! (<https://opentelemetry.io/docs/specs/semconv/http/>).

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use ::http::header::{HOST, USER_AGENT};
use ::http::uri::Authority;
use ::http::{Extensions, HeaderMap, HeaderName, Method, StatusCode, Version};
use axum::Router;
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use metrics::{Gauge, Histogram, Label, SharedString};
use tracing::field::Empty;
use tracing::{Instrument as _, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use crate::propagation;

/// Finds the address of a request's client where it comes through proxies.
pub type ClientAddress = Arc<dyn Fn(&HeaderMap, &Extensions) -> Option<IpAddr> + Send + Sync>;

/// Puts a span and the metrics around every route that the router has so far. The span goes on with the trace that the
/// request names. Without a `client`, the client is the peer.
pub fn observed<S: Clone + Send + Sync + 'static>(
    router: Router<S>,
    client: Option<ClientAddress>,
) -> Router<S> {
    let observer = Arc::new(Observer {
        client,
        durations: RwLock::default(),
        active: Mutex::default(),
    });
    router.layer(from_fn_with_state(observer, observe))
}

/// What requests are told to. Their metrics are kept, since looking one up costs more than counting.
struct Observer {
    client: Option<ClientAddress>,
    durations: RwLock<HashMap<Kind, Histogram>>,
    active: Mutex<HashMap<&'static str, Gauge>>,
}

/// By what durations are told apart.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Kind {
    method: &'static str,
    route: Option<Arc<str>>,
    status: StatusCode,
    version: Version,
}

async fn observe(State(observer): State<Arc<Observer>>, request: Request, next: Next) -> Response {
    let start = Instant::now();
    let (method, version) = (known(request.method()), request.version());
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map(|route| Arc::from(route.as_str()));
    let span = observer.span(&request, method, route.as_deref());
    let active = Active::enter(&observer, method);

    let response = next.run(request).instrument(span.clone()).await;

    drop(active);
    let status = response.status();
    span.record("http.response.status_code", status.as_u16());
    if status.is_server_error() {
        span.record("otel.status_code", "ERROR");
        span.record("error.type", status.as_str());
    }
    let kind = Kind {
        method,
        route,
        status,
        version,
    };
    observer.took(kind, start.elapsed());
    response
}

impl Observer {
    fn span(&self, request: &Request, method: &'static str, route: Option<&str>) -> Span {
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
                error.type = Empty,
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
                error.type = Empty,
                trace_id = Empty,
            ),
        };
        propagation::adopt(&span, request.headers());
        if let Some(id) = propagation::id_of(&span) {
            span.record("trace_id", id);
            self.describe(&span, request);
        }
        span
    }

    /// What traces tell of a request beside what logs do: who asked is nobody's business there.
    fn describe(&self, span: &Span, request: &Request) {
        let (headers, extensions) = (request.headers(), request.extensions());
        let text = |name: HeaderName| headers.get(name)?.to_str().ok().map(str::to_owned);
        span.set_attribute("network.protocol.version", number(request.version()));
        // Where TLS ends in front of this server, the one in front knows.
        span.set_attribute(
            "url.scheme",
            request.uri().scheme_str().unwrap_or("http").to_owned(),
        );
        if *request.method() != known(request.method()) {
            span.set_attribute("http.request.method_original", request.method().to_string());
        }
        if let Some(agent) = text(USER_AGENT) {
            span.set_attribute("user_agent.original", agent);
        }
        let authority = request.uri().authority().cloned();
        let authority = authority.or_else(|| text(HOST)?.parse::<Authority>().ok());
        if let Some(authority) = authority {
            span.set_attribute("server.address", authority.host().to_owned());
            if let Some(port) = authority.port_u16() {
                span.set_attribute("server.port", i64::from(port));
            }
        }
        let peer = extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0);
        if let Some(peer) = peer {
            span.set_attribute("network.peer.address", peer.ip().to_canonical().to_string());
            span.set_attribute("network.peer.port", i64::from(peer.port()));
        }
        let client = match &self.client {
            Some(find) => find(headers, extensions),
            None => peer.map(|peer| peer.ip().to_canonical()),
        };
        if let Some(client) = client {
            span.set_attribute("client.address", client.to_string());
        }
    }

    fn took(&self, kind: Kind, time: Duration) {
        let known = self.durations.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(duration) = known.get(&kind) {
            return duration.record(time);
        }
        drop(known);
        let duration = kind.duration();
        duration.record(time);
        let mut known = self.durations.write().unwrap_or_else(PoisonError::into_inner);
        known.insert(kind, duration);
    }
}

impl Kind {
    fn duration(&self) -> Histogram {
        let code: SharedString = self.status.as_str().to_owned().into();
        let mut labels = vec![
            Label::from_static_parts("http.request.method", self.method),
            Label::new("http.response.status_code", code.clone()),
            Label::from_static_parts("network.protocol.version", number(self.version)),
        ];
        if let Some(route) = &self.route {
            labels.push(Label::new("http.route", route.to_string()));
        }
        if self.status.is_server_error() {
            labels.push(Label::new("error.type", code));
        }
        metrics::histogram!("http.server.request.duration", labels)
    }
}

/// As `network.protocol.version` writes it.
fn number(version: Version) -> &'static str {
    match version {
        Version::HTTP_09 => "0.9",
        Version::HTTP_10 => "1.0",
        Version::HTTP_2 => "2",
        Version::HTTP_3 => "3",
        _ => "1.1",
    }
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
    fn enter(observer: &Observer, method: &'static str) -> Self {
        let mut known = observer.active.lock().unwrap_or_else(PoisonError::into_inner);
        let gauge = known.entry(method).or_insert_with(
            || metrics::gauge!("http.server.active_requests", "http.request.method" => method),
        );
        let gauge = gauge.clone();
        drop(known);
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
        let router = observed(router, None);
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
        let ok = r#"http_request_method="GET",http_response_status_code="200",network_protocol_version="1.1",http_route="/observed/{id}""#;
        assert_eq!(count(ok).as_deref(), Some("2"), "{text}");
        let broken = r#"http_request_method="GET",http_response_status_code="500",network_protocol_version="1.1",http_route="/observed-broken",error_type="500""#;
        assert_eq!(count(broken).as_deref(), Some("1"), "{text}");
        let other = r#"http_request_method="_OTHER",http_response_status_code="405",network_protocol_version="1.1",http_route="/observed/{id}""#;
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
        let router = observed(router, None);
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
