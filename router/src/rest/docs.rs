//! `/openapi.json` and the documentation page, whose assets are part of the program.

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG};
use http::{HeaderMap, StatusCode};

use super::{RestHandle, tag};

const PAGE: &str = include_str!("../../assets/docs/index.html");
/// Compressed with gzip, as every browser takes it.
const SCRIPT: &[u8] = include_bytes!("../../assets/docs/rapidoc-min.js.gz");

/// Nothing is loaded from anywhere else, fonts included; the page styles its own elements.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The routes of the documentation.
pub(super) fn router(handle: RestHandle) -> Router {
    Router::new()
        .route("/openapi.json", get(openapi))
        .route("/docs", get(page))
        .route("/docs/rapidoc-min.js", get(script))
        .with_state(handle)
}

async fn openapi(State(handle): State<RestHandle>, headers: HeaderMap) -> Response {
    let live = handle.load();
    let content = live.openapi.clone();
    let tag = tag::of(content.as_bytes(), None);
    let kind = [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-cache")];
    cached(&headers, tag, (kind, content).into_response())
}

async fn page() -> Response {
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (CACHE_CONTROL, "no-cache"),
    ];
    (headers, PAGE).into_response()
}

async fn script(headers: HeaderMap) -> Response {
    let kind = [
        (CONTENT_TYPE, "text/javascript; charset=utf-8"),
        (CONTENT_ENCODING, "gzip"),
        (CACHE_CONTROL, "no-cache"),
    ];
    cached(&headers, tag::of(SCRIPT, None), (kind, SCRIPT).into_response())
}

fn cached(headers: &HeaderMap, tag: String, whole: Response) -> Response {
    let tagged = [(ETAG, tag.clone())];
    if tag::none_match(headers, &tag) {
        (StatusCode::NOT_MODIFIED, tagged).into_response()
    } else {
        (tagged, whole).into_response()
    }
}
