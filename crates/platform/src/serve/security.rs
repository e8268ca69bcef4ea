//! What every answer tells browsers, so that nothing of it is taken for a page, framed, or told to others
//! (<https://cheatsheetseries.owasp.org/cheatsheets/REST_Security_Cheat_Sheet.html#security-headers>).

use axum::http::header::{
    CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue};

use super::config::ServerConfig;

/// Of answers that are no pages; pages have policies of their own.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// The headers of all answers of a server.
#[derive(Clone)]
pub(super) struct SecurityHeaders {
    transport: Option<HeaderValue>,
}

impl SecurityHeaders {
    pub(super) fn new(config: &ServerConfig) -> Self {
        let seconds = config.hsts_max_age_s;
        let transport = format!("max-age={seconds}");
        Self {
            transport: HeaderValue::try_from(transport).ok().filter(|_| seconds > 0),
        }
    }

    /// Adds those that the answer does not set itself.
    pub(super) fn write(&self, headers: &mut HeaderMap) {
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        let defaults = [
            (CONTENT_SECURITY_POLICY, Some(POLICY)),
            (REFERRER_POLICY, Some(HeaderValue::from_static("no-referrer"))),
            // Pages that may read an answer by CORS still do.
            (RESOURCE_POLICY, Some(HeaderValue::from_static("same-origin"))),
            (STRICT_TRANSPORT_SECURITY, self.transport.clone()),
        ];
        for (name, value) in defaults {
            if let Some(value) = value {
                headers.entry(name).or_insert(value);
            }
        }
    }
}
