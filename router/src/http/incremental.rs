//! Answers of which something comes later, as clients of `@defer` know them: `multipart/mixed` with `deferSpec=20220824`.

use axum::response::Response;
use bytes::Bytes;
use futures::stream::{StreamExt, once};

use super::multipart;
use crate::execution::later::Later;

const CONTENT_TYPE: &str = "multipart/mixed;boundary=\"graphql\";deferSpec=20220824";

/// Sends what is there, and the rest when it comes.
pub(super) fn respond(first: crate::Response, later: Later) -> Response {
    let first = with_more(&first.into_body());
    multipart::respond(CONTENT_TYPE, None, once(async { first }).chain(later.payloads()))
}

/// The text of an answer that says that more is to come.
fn with_more(body: &[u8]) -> Bytes {
    let open = body.strip_suffix(b"}").unwrap_or(body);
    [open, b",\"hasNext\":true}"].concat().into()
}
