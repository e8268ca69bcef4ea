//! Answers that go on: server-sent events (<https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md>, distinct
//! connections mode), and subscriptions in parts, as Apollo's clients take them
//! (<https://www.apollographql.com/docs/graphos/routing/operations/subscriptions/multipart-protocol>).

use std::sync::Arc;

use axum::response::Response;
use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt};
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode};
use kernel::ErrorCode;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use super::media::{Delivery, MediaType};
use super::{HttpOptions, Refused, Server, judged, method_not_allowed, multipart, respond, same_origin};
use crate::engine::{GraphQlRequest, Subscription, SubscriptionEvent};
use crate::error::{Code, GraphQlError};
use crate::prepared::OperationKind;

const PARTS: &str = "multipart/mixed;boundary=\"graphql\";subscriptionSpec=1.0";
const EVENTS: &str = "text/event-stream";

/// Answers a request whose client takes an answer that goes on. In parts only subscriptions are answered; events take any
/// operation. What is all there and not taken as events has that media type.
pub(super) async fn answer(
    server: &Server,
    parts: &Parts,
    request: GraphQlRequest,
    (delivery, media_type): (Delivery, MediaType),
) -> Result<Response, Refused> {
    let headers = &parts.headers;
    let engine = server.engine.load();
    let context = judged(&engine, &server.options, parts)
        .await?
        .with_wishes_of(&request);
    let is_get = parts.method == Method::GET;
    if is_get {
        same_origin(headers, &server.options.config.cors)?;
    }
    let once = |response| match delivery {
        Delivery::Parts => respond(response, media_type, &server.options.config),
        Delivery::Events => event_stream(stream::iter([next(&response.into_body())]).boxed()),
    };
    let prepared = match engine.prepare_request(&request, &context).await {
        Ok(prepared) => prepared,
        Err(errors) => return Ok(once(crate::Response::refused(errors))),
    };
    match prepared.kind() {
        OperationKind::Mutation if is_get => {
            return Err(method_not_allowed("POST", "GET is not for mutations"));
        }
        OperationKind::Query | OperationKind::Mutation => {
            let response = engine.execute_prepared(&prepared, request.variables, &context);
            return Ok(once(response.await));
        }
        OperationKind::Subscription => {}
    }
    let place = place(server)?;
    let subscribed = engine.subscribe(&prepared, request.variables, &context).await;
    Ok(match subscribed {
        Ok(events) => write(server, delivery, held(server, headers.clone(), events), place),
        Err(errors) => once(crate::Response::refused(errors)),
    })
}

/// A place among the streams and WebSockets that are open.
///
/// # Errors
/// Where there is none left.
pub(super) fn place(server: &Server) -> Result<OwnedSemaphorePermit, Refused> {
    server.open.clone().try_acquire_owned().map_err(|_| {
        let limit = server.options.config.subscriptions.max_open;
        let message = format!("there are {limit} streams and WebSockets already (subscriptions.max_open)");
        Refused::new(StatusCode::SERVICE_UNAVAILABLE, Code::SubscriptionLimit, message)
    })
}

/// The same events, which end when the program stops, and when the credentials that they were asked with do not hold any
/// more.
pub(super) fn held(server: &Server, headers: HeaderMap, events: Subscription) -> Subscription {
    let period = server.options.config.subscriptions.recheck();
    let mut recheck = interval_at(Instant::now() + period, period);
    recheck.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let held = Held {
        events,
        recheck,
        headers,
        options: server.options.clone(),
    };
    stream::unfold(Some(held), |held| async {
        let mut held = held?;
        let event = held.next().await?;
        let goes_on = matches!(event, SubscriptionEvent::Next(_));
        Some((event, goes_on.then_some(held)))
    })
    .boxed()
}

struct Held {
    events: Subscription,
    recheck: Interval,
    headers: HeaderMap,
    options: Arc<HttpOptions>,
}

impl Held {
    async fn next(&mut self) -> Option<SubscriptionEvent> {
        loop {
            tokio::select! {
                biased;
                () = self.options.shutdown.cancelled() => {
                    let error = GraphQlError::new(ErrorCode::ServiceUnavailable, "the router stops");
                    return Some(SubscriptionEvent::Failed(error));
                }
                _ = self.recheck.tick() => match self.options.authenticator.authenticate(&self.headers).await {
                    Err(refused) if refused.code == ErrorCode::Unauthenticated => {
                        let error = GraphQlError::new(refused.code, refused.message);
                        return Some(SubscriptionEvent::Failed(error));
                    }
                    // Whoever cannot be judged now is judged next time.
                    _ => {}
                },
                event = self.events.next() => return event,
            }
        }
    }
}

fn write(server: &Server, delivery: Delivery, events: Subscription, place: OwnedSemaphorePermit) -> Response {
    let heartbeat = Some(server.options.config.subscriptions.heartbeat());
    // The place is given back with the stream.
    let events = events.map(move |event| {
        let _place = &place;
        event
    });
    match delivery {
        Delivery::Parts => multipart::respond(PARTS, heartbeat, events.map(payload)),
        Delivery::Events => {
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
