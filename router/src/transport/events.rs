//! Subscriptions in subgraphs: an endless answer, over WebSocket, as server-sent events, or in this process. It is read
//! only as fast as the client takes what becomes of it, so that nothing piles up in between.

mod sse;
mod websocket;

use futures::StreamExt;
use futures::stream::BoxStream;
use http::{StatusCode, Version};
use tokio::time::Instant;
use tracing::Span;

use super::headers::Head;
use super::{Answer, Call, CallError, RequestInfo, Service, Way, in_process};
use crate::config::EventsProtocol;

/// The answers of a subscription, one for each event. After an error comes nothing more; dropping it ends the
/// subscription in the subgraph.
pub(crate) type Events = BoxStream<'static, Result<Answer, CallError>>;

impl Service {
    /// Subscribes, within the configured time.
    pub(crate) async fn subscribe(&self, call: &Call<'_>) -> Result<Events, CallError> {
        let timeout = self.config.timeout();
        let remote = match &self.way {
            Way::Remote(remote) => remote,
            Way::Local(schema) => {
                let info = RequestInfo {
                    headers: self.forwarded(call.context),
                    deadline: None,
                    client: call.context.client.clone(),
                };
                return Ok(in_process::events(
                    schema.as_ref(),
                    in_process::request(call, info)?,
                ));
            }
            Way::Function(answer) => {
                let answer = answer(&super::http::body(call)?);
                let event = Answer::Text(answer, Head::default());
                return Ok(futures::stream::iter([Ok(event)]).boxed());
            }
        };
        let (mut question, _) = self.question(remote, call)?;
        let deadline = Instant::now() + timeout;
        let entering = tokio::time::timeout_at(deadline, remote.gate().enter()).await;
        let pass = entering.unwrap_or(Err(CallError::Timeout(timeout)))?;
        let protocol = self.config.subscription.protocol;
        let method = match protocol {
            EventsProtocol::Websocket => "GET",
            EventsProtocol::Sse => "POST",
        };
        let mut attempt = remote.server().attempt(method, &Span::current(), 0);
        attempt.trace(&mut question.headers);
        let opening = async {
            match protocol {
                EventsProtocol::Websocket => {
                    let opened = websocket::open(remote.subgraph(), question, &self.config).await?;
                    attempt.answered(StatusCode::SWITCHING_PROTOCOLS, Version::HTTP_11);
                    Ok(opened.boxed())
                }
                EventsProtocol::Sse => {
                    let question = remote.compression().apply(question).await?;
                    let opened = sse::open(remote.subgraph(), question, &self.config, &mut attempt).await?;
                    Ok(opened.boxed())
                }
            }
        };
        let opened = tokio::time::timeout_at(deadline, opening).await;
        let opened = opened.unwrap_or(Err(CallError::Timeout(timeout)));
        pass.ended(&opened);
        attempt.end(&opened);
        opened
    }
}
