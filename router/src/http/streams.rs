//! Answers that go on: server-sent events (<https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md>, distinct
//! connections mode), and subscriptions in parts, as Apollo's clients take them
//! (<https://www.apollographql.com/docs/graphos/routing/operations/subscriptions/multipart-protocol>).

use axum::response::Response;
use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt};

use super::media::Delivery;
use super::multipart;
use crate::config::RouterConfig;
use crate::engine::{Subscription, SubscriptionEvent};

const PARTS: &str = "multipart/mixed;boundary=\"graphql\";subscriptionSpec=1.0";
const EVENTS: &str = "text/event-stream";

/// An answer that is all there, as the only event.
pub(super) fn once(response: crate::Response) -> Response {
    event_stream(stream::iter([next(&response.into_body())]).boxed())
}

/// The answers to events, as they come.
pub(super) fn write(events: Subscription, delivery: Option<Delivery>, config: &RouterConfig) -> Response {
    let heartbeat = Some(config.subscriptions.heartbeat());
    match delivery {
        Some(Delivery::Parts) => multipart::respond(PARTS, heartbeat, events.map(payload)),
        Some(Delivery::Events) | None => {
            let texts = events.map(|event| match event {
                SubscriptionEvent::Next(response) => next(&response.into_body()),
                SubscriptionEvent::Failed(error) => next(&crate::Response::refused(vec![error]).into_body()),
            });
            let comment = Bytes::from_static(b":\n\n");
            let texts = multipart::with_heartbeat(texts, heartbeat, comment).boxed();
            event_stream(texts)
        }
    }
}

fn event_stream(events: BoxStream<'static, Bytes>) -> Response {
    let complete = stream::iter([Bytes::from_static(b"event: complete\ndata:\n\n")]);
    multipart::stream_of(EVENTS, events.chain(complete))
}

/// One event; white space in the text may hold ends of lines, each of which begins a field anew.
fn next(text: &[u8]) -> Bytes {
    let mut event = Vec::with_capacity(text.len() + 24);
    event.extend_from_slice(b"event: next\n");
    for line in text.split(|byte| matches!(byte, b'\n' | b'\r')) {
        event.extend_from_slice(b"data: ");
        event.extend_from_slice(line);
        event.push(b'\n');
    }
    event.push(b'\n');
    event.into()
}

/// `{"payload":…}`; what ends the subscription stands beside a `payload` that is null.
fn payload(event: SubscriptionEvent) -> Bytes {
    match event {
        SubscriptionEvent::Next(response) => [b"{\"payload\":", response.into_body().as_ref(), b"}"]
            .concat()
            .into(),
        SubscriptionEvent::Failed(error) => serde_json::json!({ "payload": null, "errors": [error] })
            .to_string()
            .into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_keeps_its_lines() {
        assert_eq!(
            next(b"{\"data\":\r\n {}}"),
            "event: next\ndata: {\"data\":\ndata: \ndata:  {}}\n\n"
        );
    }
}
