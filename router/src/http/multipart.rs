//! Several JSON texts in one answer, one after the other as they come: `multipart/mixed` (RFC 2046 §5.1) as Apollo's clients
//! read it. Each part is followed at once by the next boundary, since clients take a part for whole only when they see
//! that.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::stream::{self, Stream, StreamExt};
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, VARY};

const FIRST: &[u8] = b"--graphql";
const HEAD: &[u8] = b"\r\nContent-Type: application/json\r\n\r\n";
const BOUNDARY: &[u8] = b"\r\n--graphql";
const END: &[u8] = b"--\r\n";
/// What is sent while there is nothing to tell; clients skip it.
const HEARTBEAT: &[u8] = b"{}";

/// An answer with a part for each text of the stream; after each `heartbeat` in which there is none, an empty part.
/// `content_type` must name the boundary: `multipart/mixed;boundary="graphql";…`.
pub(super) fn respond(
    content_type: &'static str,
    heartbeat: Option<Duration>,
    texts: impl Stream<Item = Bytes> + Send + 'static,
) -> Response {
    let frames = stream::once(async { Bytes::from_static(FIRST) })
        .chain(with_heartbeat(texts, heartbeat, Bytes::from_static(HEARTBEAT)).map(|text| part(&text)))
        .chain(stream::once(async { Bytes::from_static(END) }));
    stream_of(content_type, frames)
}

/// An answer that is written as it comes.
pub(super) fn stream_of(
    content_type: &'static str,
    frames: impl Stream<Item = Bytes> + Send + 'static,
) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(content_type)),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (VARY, HeaderValue::from_static("accept")),
    ];
    let body = Body::from_stream(frames.map(Ok::<_, Infallible>));
    (headers, body).into_response()
}

/// The same stream, with `sign` after each period in which there was nothing.
pub(super) fn with_heartbeat(
    items: impl Stream<Item = Bytes> + Send + 'static,
    period: Option<Duration>,
    sign: Bytes,
) -> impl Stream<Item = Bytes> + Send + 'static {
    stream::unfold((Box::pin(items), sign), move |(mut items, sign)| async move {
        let item = match period {
            None => items.next().await?,
            Some(period) => match tokio::time::timeout(period, items.next()).await {
                Ok(item) => item?,
                Err(_) => sign.clone(),
            },
        };
        Some((item, (items, sign)))
    })
}

fn part(text: &[u8]) -> Bytes {
    let mut part = Vec::with_capacity(HEAD.len() + text.len() + BOUNDARY.len());
    part.extend_from_slice(HEAD);
    part.extend_from_slice(text);
    part.extend_from_slice(BOUNDARY);
    part.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn body(response: Response) -> String {
        let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await;
        String::from_utf8(bytes.expect("a body").to_vec()).expect("a text")
    }

    #[tokio::test]
    async fn each_part_ends_with_the_next_boundary() {
        let texts = stream::iter([Bytes::from_static(b"{\"a\":1}"), Bytes::from_static(b"{\"b\":2}")]);
        let response = respond("multipart/mixed;boundary=\"graphql\"", None, texts);
        assert_eq!(
            response.headers()[CONTENT_TYPE],
            "multipart/mixed;boundary=\"graphql\""
        );
        insta::assert_snapshot!(body(response).await.replace('\r', ""), @r#"
        --graphql
        Content-Type: application/json

        {"a":1}
        --graphql
        Content-Type: application/json

        {"b":2}
        --graphql--
        "#);
    }

    #[tokio::test]
    async fn a_silent_answer_shows_that_it_lives() {
        let (tell, told) = tokio::sync::oneshot::channel::<Bytes>();
        let texts = stream::once(async { told.await.unwrap_or_default() });
        let period = Some(Duration::from_millis(1));
        let response = respond("multipart/mixed;boundary=\"graphql\"", period, texts);
        let mut frames = response.into_body().into_data_stream();
        let mut next = async || frames.next().await.and_then(Result::ok).unwrap_or_default();
        assert_eq!(next().await, FIRST);
        for _ in 0..2 {
            assert_eq!(next().await, part(HEARTBEAT));
        }
        tell.send(Bytes::from_static(b"{\"late\":1}"))
            .expect("somebody listens");
        while next().await != part(b"{\"late\":1}") {}
        assert_eq!(next().await, END);
    }
}
