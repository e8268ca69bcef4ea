//! A GraphQL response: `data` as the text that goes out, errors, and where each root field lies in the text.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Map, Value};

use crate::error::{Code, GraphQlError};
use crate::header_rules::ResponseHeaders;
use crate::rate_limit::{Exceeded, RateStanding};
use crate::response_cache::CacheControl;

/// How every response text begins.
pub(crate) const DATA: &[u8] = b"{\"data\":";

/// A GraphQL response.
#[derive(Debug, Clone, Default)]
pub struct Response {
    /// The JSON text of `data`: `null` if null was propagated to the root; `None` if the request was refused before
    /// anything was executed.
    pub data: Option<Bytes>,
    /// What went wrong, by place.
    pub errors: Vec<GraphQlError>,
    /// `extensions` of the response.
    pub extensions: Map<String, Value>,
    /// How the caller's rate limit stands, where there is one.
    pub rate: Option<RateStanding>,
    /// For how long and for whom it holds; `None` if it must not be kept.
    pub cache_control: Option<CacheControl>,
    /// What the client gets of subgraphs' headers.
    pub headers: ResponseHeaders,
    /// `{"data":…}` as a whole.
    whole: Bytes,
    fields: Vec<(Arc<str>, Range<usize>)>,
}

impl Response {
    /// A request that was refused before anything was executed.
    pub fn refused(errors: Vec<GraphQlError>) -> Self {
        Self {
            errors,
            ..Self::default()
        }
    }

    /// A request that is refused because its caller asks for too much.
    pub(crate) fn exceeded(exceeded: Exceeded) -> Self {
        Self {
            rate: Some(exceeded.standing),
            ..Self::refused(vec![exceeded.error])
        }
    }

    /// Seconds after which the same request may succeed, if it was refused because its caller asks for too much.
    pub(crate) fn retry_after(&self) -> Option<u64> {
        let code = Code::from(kernel::ErrorCode::RateLimited).as_str();
        let limited = self.errors.iter().filter(|_| self.is_request_error());
        let mut limited = limited.filter(|error| error.code() == Some(code));
        limited.next()?.extensions.get("retryAfter")?.as_u64()
    }

    /// An executed operation. `whole` is `{"data":…}`, the ranges lie in it.
    pub(crate) fn executed(
        whole: Bytes,
        data: Range<usize>,
        fields: Vec<(Arc<str>, Range<usize>)>,
        errors: Vec<GraphQlError>,
    ) -> Self {
        Self {
            data: Some(whole.slice(data)),
            errors,
            extensions: Map::new(),
            rate: None,
            cache_control: None,
            headers: ResponseHeaders::default(),
            whole,
            fields,
        }
    }

    /// The JSON text of a root field, which was written once and is not parsed again. `None` if there is no data, if
    /// it is null, or without such a response key.
    pub fn field(&self, response_key: &str) -> Option<&[u8]> {
        self.whole.get(self.range(response_key)?)
    }

    /// The same, sharing the response's memory.
    pub fn field_bytes(&self, response_key: &str) -> Option<Bytes> {
        Some(self.whole.slice(self.range(response_key)?))
    }

    /// Whether the request was refused before anything was executed.
    pub fn is_request_error(&self) -> bool {
        self.data.is_none()
    }

    /// The text that goes out: `{"errors":…,"data":…,"extensions":…}` with what is there.
    pub fn into_body(self) -> Bytes {
        if self.errors.is_empty() && self.extensions.is_empty() && self.data.is_some() {
            return self.whole;
        }
        let mut body = Vec::with_capacity(self.whole.len() + 256 * self.errors.len() + 64);
        body.push(b'{');
        let mut entry = |name: &str, text: &[u8]| {
            if body.len() > 1 {
                body.push(b',');
            }
            body.push(b'"');
            body.extend_from_slice(name.as_bytes());
            body.extend_from_slice(b"\":");
            body.extend_from_slice(text);
        };
        if !self.errors.is_empty() {
            entry("errors", &serde_json::to_vec(&self.errors).unwrap_or_default());
        }
        if let Some(data) = &self.data {
            entry("data", data);
        }
        if !self.extensions.is_empty() {
            entry(
                "extensions",
                &serde_json::to_vec(&self.extensions).unwrap_or_default(),
            );
        }
        body.push(b'}');
        body.into()
    }

    fn range(&self, response_key: &str) -> Option<Range<usize>> {
        let found = self.fields.iter().find(|(key, _)| &**key == response_key);
        found.map(|(_, range)| range.clone())
    }
}
