//! The headers that no rule passes on, since they are about one connection, about one body, or the router's own.

use http::HeaderName;
use kernel::TIME_LEFT_HEADER;

use super::Direction;

/// About one connection (<https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1>), or about one body.
const BOTH: [&str; 22] = [
    "connection",
    "content-encoding",
    "content-length",
    "content-range",
    "content-type",
    "daka-principal",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authentication-info",
    "proxy-authorization",
    "proxy-connection",
    "sec-websocket-accept",
    "sec-websocket-extensions",
    "sec-websocket-key",
    "sec-websocket-protocol",
    "sec-websocket-version",
    "te",
    "traceparent",
    "tracestate",
    "trailer",
    "transfer-encoding",
];

/// What the router says to subgraphs itself; conditions and ranges mean its own answer.
const REQUESTS: [&str; 10] = [
    "accept",
    "accept-encoding",
    "expect",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "range",
];

/// What the router says to clients itself: of its own answer, which is put together of several.
const ANSWERS: [&str; 24] = [
    "accept-ranges",
    "access-control-allow-credentials",
    "access-control-allow-headers",
    "access-control-allow-methods",
    "access-control-allow-origin",
    "access-control-expose-headers",
    "access-control-max-age",
    "age",
    "allow",
    "alt-svc",
    "cache-control",
    "daka-partial",
    "date",
    "etag",
    "expires",
    "last-modified",
    "link",
    "location",
    "ratelimit",
    "ratelimit-policy",
    "retry-after",
    "traceresponse",
    "vary",
    "www-authenticate",
];

/// Whether no rule may pass a header on. Cookies are only set by a rule that names them.
pub(super) fn is_owned(name: &HeaderName, direction: Direction, by_pattern: bool) -> bool {
    let name = name.as_str();
    let own: &[&str] = match direction {
        Direction::Request => &REQUESTS,
        Direction::Answer => &ANSWERS,
    };
    BOTH.contains(&name)
        || own.contains(&name)
        || name == "upgrade"
        || name == TIME_LEFT_HEADER
        || (by_pattern && direction == Direction::Answer && name == "set-cookie")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_set_by_name_only() {
        let cookie = http::header::SET_COOKIE;
        assert!(is_owned(&cookie, Direction::Answer, true));
        assert!(!is_owned(&cookie, Direction::Answer, false));
    }

    #[test]
    fn all_names_are_written_as_they_are_compared() {
        for name in BOTH.iter().chain(&REQUESTS).chain(&ANSWERS) {
            assert_eq!(HeaderName::from_static(name).as_str(), *name);
        }
    }
}
