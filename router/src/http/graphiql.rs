//! GraphiQL for browsers: a page and its files, all from the program itself. `assets/graphiql/README.md` says how the
//! files are made.

use axum::Router;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, VARY};

/// Compressed with gzip, as every browser takes it.
const SCRIPT: &[u8] = include_bytes!("../../assets/graphiql/graphiql.js.gz");
const STYLE: &[u8] = include_bytes!("../../assets/graphiql/graphiql.css.gz");
const PAGE: &str = include_str!("../../assets/graphiql/index.html");

/// Nothing comes from elsewhere. GraphiQL sets styles by itself, and its editor keeps fonts and workers in data and blob
/// addresses.
const POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self' data:; \
    img-src 'self' data:; worker-src 'self' blob:; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

/// The page for an endpoint at that path.
pub(super) fn page(path: &str) -> Response {
    let headers = [
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (VARY, HeaderValue::from_static("accept")),
    ];
    (headers, Html(PAGE.replace("{{path}}", path))).into_response()
}

/// The page's files, below the endpoint.
pub(super) fn assets(path: &str) -> Router {
    Router::new()
        .route(
            &format!("{path}/graphiql.js"),
            get(|| async { file(SCRIPT, "text/javascript; charset=utf-8") }),
        )
        .route(
            &format!("{path}/graphiql.css"),
            get(|| async { file(STYLE, "text/css; charset=utf-8") }),
        )
}

fn file(bytes: &'static [u8], content_type: &'static str) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(content_type)),
        (CONTENT_ENCODING, HeaderValue::from_static("gzip")),
        (CACHE_CONTROL, HeaderValue::from_static("public, max-age=86400")),
    ];
    (headers, bytes).into_response()
}
