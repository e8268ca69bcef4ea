//! Events of a subgraph over a WebSocket of their own
//! (<https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md>).

use std::time::Duration;

use bytes::Bytes;
use futures::stream::{self, Stream};
use futures::{SinkExt, StreamExt};
use http::HeaderMap;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use tokio::runtime::Handle;
use tokio::time::{Instant, Interval, MissedTickBehavior};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Message, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error as SocketError, client::IntoClientRequest};

use super::super::http::{Connection, HttpSubgraph};
use super::super::remote::Question;
use super::super::{Answer, CallError, Head};
use crate::config::SubgraphConfig;

type Socket = WebSocketStream<TokioIo<Connection>>;

const SUBPROTOCOL: &str = "graphql-transport-ws";
/// The one subscription of the connection.
const ID: &str = "1";
/// How often a sign of life is asked for. Proxies cut connections after a minute of silence, mostly.
const HEARTBEAT: Duration = Duration::from_secs(20);
/// How long a subgraph may take to hear that nobody listens any more.
const FAREWELL: Duration = Duration::from_secs(5);

/// A message of the subgraph.
#[derive(Deserialize)]
struct Received<'m> {
    #[serde(rename = "type", borrow)]
    kind: std::borrow::Cow<'m, str>,
    #[serde(borrow, default)]
    payload: Option<&'m RawValue>,
}

struct Subscribed {
    /// Until it is dropped.
    socket: Option<Socket>,
    heartbeat: Interval,
    /// Whether anything came since the last heartbeat.
    is_alive: bool,
}

/// What a message means.
enum Heard {
    Answer(Bytes),
    /// The last answer.
    Errors(Bytes),
    Complete,
    Ping,
    Acknowledged,
    Nothing,
}

/// Subscribes. The headers go with the upgrade and, as a browser's client could not send them, in the first message too.
pub(super) async fn open(
    subgraph: &HttpSubgraph,
    question: Question,
    config: &SubgraphConfig,
) -> Result<impl Stream<Item = Result<Answer, CallError>> + Send + use<>, CallError> {
    let mut socket = connect(subgraph, &question.headers, config).await?;
    let init = json!({ "type": "connection_init", "payload": payload(&question.headers) });
    say(&mut socket, init.to_string()).await?;
    loop {
        match hear(receive(&mut socket).await?)? {
            Heard::Acknowledged => break,
            Heard::Ping => say(&mut socket, PONG.to_owned()).await?,
            Heard::Nothing => {}
            _ => {
                return Err(CallError::Malformed(
                    "a WebSocket that was not acknowledged".to_owned(),
                ));
            }
        }
    }
    let body = std::str::from_utf8(&question.body).map_err(|error| CallError::Request(error.to_string()))?;
    let subscribe = format!("{{\"id\":\"{ID}\",\"type\":\"subscribe\",\"payload\":{body}}}");
    say(&mut socket, subscribe).await?;
    let mut heartbeat = tokio::time::interval_at(Instant::now() + HEARTBEAT, HEARTBEAT);
    heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let subscribed = Subscribed {
        socket: Some(socket),
        heartbeat,
        is_alive: true,
    };
    Ok(stream::unfold(Some(subscribed), |subscribed| async {
        let mut subscribed = subscribed?;
        match subscribed.next().await {
            Ok(Some((answer, is_last))) => {
                let rest = (!is_last).then_some(subscribed);
                Some((Ok(Answer::Text(answer, Head::default())), rest))
            }
            Ok(None) => None,
            Err(error) => Some((Err(error), None)),
        }
    }))
}

const PONG: &str = "{\"type\":\"pong\"}";

impl Subscribed {
    /// The next answer, and whether it is the last one; `None` once there are no more.
    async fn next(&mut self) -> Result<Option<(Bytes, bool)>, CallError> {
        let Some(socket) = &mut self.socket else {
            return Ok(None);
        };
        loop {
            let text = tokio::select! {
                text = receive(socket) => text?,
                _ = self.heartbeat.tick() => {
                    if !std::mem::take(&mut self.is_alive) {
                        return Err(CallError::Closed("no sign of life".to_owned()));
                    }
                    let ping = socket.send(Message::Ping(Bytes::new())).await;
                    ping.map_err(closed)?;
                    continue;
                }
            };
            self.is_alive = true;
            match hear(text)? {
                Heard::Answer(answer) => return Ok(Some((answer, false))),
                Heard::Errors(answer) => return Ok(Some((answer, true))),
                Heard::Complete => return Ok(None),
                Heard::Ping => say(socket, PONG.to_owned()).await?,
                Heard::Acknowledged | Heard::Nothing => {}
            }
        }
    }
}

impl Drop for Subscribed {
    /// Tells the subgraph at once that nobody listens any more.
    fn drop(&mut self) {
        let (Some(mut socket), Ok(runtime)) = (self.socket.take(), Handle::try_current()) else {
            return;
        };
        runtime.spawn(tokio::time::timeout(FAREWELL, async move {
            say(&mut socket, format!("{{\"id\":\"{ID}\",\"type\":\"complete\"}}")).await?;
            socket.close(None).await.map_err(closed)
        }));
    }
}

async fn connect(
    subgraph: &HttpSubgraph,
    headers: &HeaderMap,
    config: &SubgraphConfig,
) -> Result<Socket, CallError> {
    let uri = subgraph.websocket_uri(config.subscription.path.as_deref())?;
    let io = subgraph.connect().await?;
    let mut request = uri
        .into_client_request()
        .map_err(|error| CallError::Request(error.to_string()))?;
    for (name, value) in headers {
        request.headers_mut().append(name, value.clone());
    }
    let protocol = http::HeaderValue::from_static(SUBPROTOCOL);
    request
        .headers_mut()
        .insert(http::header::SEC_WEBSOCKET_PROTOCOL, protocol);
    let limits = WebSocketConfig::default()
        .max_message_size(Some(config.max_response_bytes))
        .max_frame_size(Some(config.max_response_bytes));
    let opening = tokio_tungstenite::client_async_with_config(request, TokioIo::new(io), Some(limits)).await;
    let (socket, response) = opening.map_err(|error| match error {
        SocketError::Http(response) => CallError::Status(response.status().as_u16()),
        error => closed(error),
    })?;
    let chosen = response.headers().get(http::header::SEC_WEBSOCKET_PROTOCOL);
    if chosen.is_none_or(|chosen| chosen.as_bytes() != SUBPROTOCOL.as_bytes()) {
        return Err(CallError::Malformed(format!(
            "a WebSocket without `{SUBPROTOCOL}`"
        )));
    }
    Ok(socket)
}

/// The next message with a text; an empty one where a frame only shows that the subgraph is there.
async fn receive(socket: &mut Socket) -> Result<Bytes, CallError> {
    match socket.next().await {
        Some(Ok(Message::Text(text))) => Ok(text.into()),
        Some(Ok(Message::Close(frame))) => Err(CallError::Closed(reason(frame))),
        // Pings are answered by the library.
        Some(Ok(_)) => Ok(Bytes::new()),
        Some(Err(error)) => Err(closed(error)),
        None => Err(CallError::Closed("the WebSocket broke off".to_owned())),
    }
}

fn hear(text: Bytes) -> Result<Heard, CallError> {
    if text.is_empty() {
        return Ok(Heard::Nothing);
    }
    let malformed = |error: serde_json::Error| CallError::Malformed(error.to_string());
    let received: Received<'_> = serde_json::from_slice(&text).map_err(malformed)?;
    let payload = received.payload.map_or("null", RawValue::get);
    Ok(match &*received.kind {
        "next" => Heard::Answer(text.slice_ref(payload.as_bytes())),
        "error" => Heard::Errors(format!("{{\"errors\":{payload}}}").into()),
        "complete" => Heard::Complete,
        "ping" => Heard::Ping,
        "connection_ack" => Heard::Acknowledged,
        _ => Heard::Nothing,
    })
}

async fn say(socket: &mut Socket, text: String) -> Result<(), CallError> {
    socket.send(Message::text(text)).await.map_err(closed)
}

/// The headers as an object.
fn payload(headers: &HeaderMap) -> Map<String, Value> {
    let text = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        Some((name.to_string(), value.to_str().ok()?.into()))
    };
    headers.iter().filter_map(text).collect()
}

fn reason(frame: Option<CloseFrame>) -> String {
    frame.map_or_else(
        || "the WebSocket was closed".to_owned(),
        |frame| format!("the WebSocket was closed: {} {}", frame.code, frame.reason),
    )
}

fn closed(error: SocketError) -> CallError {
    match error {
        SocketError::Capacity(_) => CallError::Malformed(error.to_string()),
        error => CallError::Closed(error.to_string()),
    }
}
