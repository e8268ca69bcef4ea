//! A process with a collector: its spans arrive there, as one trace, at the latest when it ends.

#![expect(clippy::unwrap_used, reason = "whatever fails here fails the test")]

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::routing::{get, post};
use bytes::Bytes;
use http::HeaderMap;
use telemetry::{LogConfig, LogFormat, OtlpConfig, TelemetryConfig};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

type Received = Arc<Mutex<Vec<(HeaderMap, Bytes)>>>;

/// A collector on loopback, its base URL, and what it has received.
async fn collector() -> (String, Received) {
    let received = Received::default();
    let take = |State(received): State<Received>, headers: HeaderMap, body: Bytes| async move {
        received.lock().unwrap().push((headers, body));
    };
    let app = Router::new()
        .route("/v1/traces", post(take))
        .with_state(Arc::clone(&received));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, app).await });
    (url, received)
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_one_trace_from_the_caller_to_the_store() {
    let (endpoint, received) = collector().await;
    let shutdown = CancellationToken::new();
    let config = TelemetryConfig {
        // What is logged and what is traced are two matters.
        log: LogConfig {
            format: LogFormat::Json,
            filter: "error".to_owned(),
        },
        otlp: OtlpConfig {
            endpoint: Some(endpoint),
            headers: [("x-tenant".to_owned(), "habits".to_owned())].into(),
            ..OtlpConfig::default()
        },
    };
    let guard = telemetry::init(&config, "daka-tests", &shutdown).unwrap();
    assert!(
        telemetry::init(&config, "daka-tests", &shutdown).is_err(),
        "a process is set up once"
    );

    let read = || async {
        let store = tracing::info_span!("store.find");
        store
            .in_scope(telemetry::propagation::trace_id)
            .unwrap_or_default()
    };
    let app: Router = telemetry::http::observed(Router::new().route("/habits/{id}", get(read)), None);
    let request = Request::builder()
        .uri("/habits/42")
        .header(
            "traceparent",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        )
        .body(Body::empty())
        .unwrap();
    let response = app.oneshot(request).await.unwrap();
    let trace = axum::body::to_bytes(response.into_body(), 1024).await.unwrap();
    assert_eq!(trace, "4bf92f3577b34da6a3ce929d0e0e4736");
    assert!(guard.metrics().render().contains(r#"http_route="/habits/{id}""#));

    shutdown.cancel();
    tokio::task::spawn_blocking(move || drop(guard)).await.unwrap();
    let received = received.lock().unwrap();
    let (headers, body) = received.first().expect("the last spans are sent at the end");
    assert_eq!(headers["x-tenant"], "habits");
    assert!(holds(body, b"daka-tests") && holds(body, b"GET /habits/{id}") && holds(body, b"store.find"));
    assert!(holds(
        body,
        &0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736_u128.to_be_bytes()
    ));
}
