//! Which pages of other origins may ask, and what they may see of the answer's head (<https://fetch.spec.whatwg.org/#cors-protocol>).

use std::time::Duration;

use http::{HeaderName, HeaderValue, Method};
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

use crate::config::RouterConfig;
use crate::header_rules;

/// Lets pages of the configured origins ask with these methods, and see these headers and those that come from subgraphs.
/// `None` if there are no such origins.
pub(crate) fn layer(config: &RouterConfig, methods: &[Method], exposed: &[HeaderName]) -> Option<CorsLayer> {
    let origins = &config.cors.origins;
    if origins.is_empty() {
        return None;
    }
    let exposed = exposed.iter().cloned().chain(header_rules::answered(config));
    let layer = CorsLayer::new()
        .allow_methods(methods.to_vec())
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers(exposed.collect::<Vec<_>>())
        .max_age(Duration::from_secs(3600));
    if origins.iter().any(|origin| origin == "*") {
        return Some(layer.allow_origin(AllowOrigin::any()));
    }
    let origins: Vec<HeaderValue> = origins.iter().filter_map(|origin| origin.parse().ok()).collect();
    Some(
        layer
            .allow_origin(AllowOrigin::list(origins))
            .allow_credentials(config.cors.credentials),
    )
}
