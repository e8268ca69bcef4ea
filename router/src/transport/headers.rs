//! What goes to a subgraph as headers, and what of an answer's headers matters.

use std::borrow::Cow;

use http::HeaderMap;

use super::remote::Remote;
use super::{Answer, Service};
use crate::context::RequestContext;
use crate::header_rules::ResponseHeaders;
use crate::response_cache::Said;

/// What an answer's head says.
#[derive(Debug, Clone, Default)]
pub(crate) struct Head {
    /// Of keeping it.
    pub(crate) said: Said,
    /// What the client gets of its headers.
    pub(crate) headers: ResponseHeaders,
}

impl Service {
    /// What is sent beside the body by the rules: of the client's headers, and what is added.
    pub(crate) fn forwarded(&self, context: &RequestContext) -> HeaderMap {
        self.headers.request(&context.headers)
    }

    /// Whether anything of its answers' headers goes to the client.
    pub(crate) fn passes_headers(&self) -> bool {
        self.headers.passes_answers()
    }

    /// What the client gets of an answer's headers.
    pub(crate) fn headers_of<'a>(&self, answer: &'a Answer) -> Cow<'a, ResponseHeaders> {
        match answer {
            Answer::Text(_, head) | Answer::Partial(_, head, _) => Cow::Borrowed(&head.headers),
            Answer::Local(response) => Cow::Owned(self.headers.answer(&response.http_headers)),
        }
    }

    /// What tells its rules for answers from others; empty without any.
    pub(crate) fn header_digest(&self) -> &[u8] {
        self.headers.digest()
    }

    /// Whether an answer may be given to others who ask the same: not one that sets somebody's cookies.
    pub(super) fn shares(&self) -> bool {
        self.config.dedupe && !self.headers.passes_cookies()
    }

    pub(super) fn headers(
        &self,
        remote: &Remote,
        context: &RequestContext,
        forwarded: HeaderMap,
    ) -> HeaderMap {
        let mut headers = forwarded;
        // Otherwise each attempt names itself.
        if !remote.server().is_traced() {
            for name in ["traceparent", "tracestate"] {
                if let Some(value) = context.headers.get(name) {
                    headers.insert(name, value.clone());
                }
            }
        }
        let sealed = self
            .sealer
            .as_ref()
            .and_then(|sealer| sealer.seal(&context.principal, &self.name));
        if let Some((name, value)) = sealed {
            headers.insert(name, value);
        }
        headers
    }
}
