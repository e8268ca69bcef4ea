//! Requests as text, so that a corpus can be read: a line with method and target, lines with headers, an empty line,
//! and the body.

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Uri};

/// A request. What does not look like one is missing in it, so that every text is some request.
pub(crate) fn read(bytes: &[u8], default_target: &str) -> Request<Bytes> {
    let (head, body) = split(bytes);
    let mut lines = head.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let mut first = lines.next().unwrap_or_default().splitn(2, |byte| *byte == b' ');
    let method = first.next().and_then(|word| Method::from_bytes(word).ok());
    let target = first
        .next()
        .and_then(|word| Uri::try_from(word.trim_ascii()).ok());
    let mut request = Request::new(Bytes::copy_from_slice(body));
    *request.method_mut() = method.unwrap_or(Method::POST);
    let is_path = |uri: &Uri| uri.path().starts_with('/');
    *request.uri_mut() = match target.filter(is_path) {
        Some(target) => target,
        None => Uri::try_from(default_target).unwrap_or_default(),
    };
    for line in lines {
        let mut parts = line.splitn(2, |byte| *byte == b':');
        let name = parts.next().and_then(|name| HeaderName::from_bytes(name).ok());
        let value = parts
            .next()
            .and_then(|value| HeaderValue::from_bytes(value.trim_ascii()).ok());
        if let (Some(name), Some(value)) = (name, value)
            && request.headers().len() < 100
        {
            request.headers_mut().append(name, value);
        }
    }
    request
}

/// The same as a service takes it.
pub(crate) fn with_body(request: Request<Bytes>) -> Request<Body> {
    request.map(Body::from)
}

fn split(bytes: &[u8]) -> (&[u8], &[u8]) {
    let mut at = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let end = at + line.len();
        if line.trim_ascii().is_empty() {
            return (&bytes[..at], &bytes[end..]);
        }
        at = end;
    }
    (bytes, b"")
}
