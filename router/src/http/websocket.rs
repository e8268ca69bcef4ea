//! GraphQL over WebSocket (<https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md>, `graphql-transport-ws`). One
//! task serves a connection: while its client does not take what is sent, nothing is read and no event is made.

mod message;

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::extract::{FromRequestParts, Request};
use axum::response::Response;
use futures::future::AbortHandle;
use futures::stream::{self, Abortable, BoxStream, SelectAll, StreamExt};
use http::header::{HOST, ORIGIN, UPGRADE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use kernel::ErrorCode;
use serde_json::{Map, Value};
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tokio_tungstenite::tungstenite;

use super::media::MediaType;
use super::operation::{Answered, Operation, Subscriptions, Terms, place};
use super::{Refused, Server, check, refusal};
use crate::config::Cors;
use crate::context::RequestContext;
use crate::engine::{GraphQlRequest, SubscriptionEvent};
use crate::error::{Code, GraphQlError};
use crate::metrics::{Active, WEBSOCKETS_ACTIVE, WEBSOCKETS_TOO_SLOW};
use message::{Asked, Told};

const SUBPROTOCOL: &str = "graphql-transport-ws";

/// Why a connection is closed, with the protocol's codes and words.
#[derive(Debug)]
enum Close {
    /// The client is gone, or does not take anything.
    Gone,
    With(u16, String),
}

struct Connection {
    server: Server,
    socket: WebSocket,
    /// The upgrade, with the headers that the first message brought too.
    parts: Parts,
    /// Who asks, once that is known.
    context: Option<RequestContext>,
    operations: SelectAll<BoxStream<'static, (Arc<str>, Told)>>,
    open: HashMap<Arc<str>, AbortHandle>,
    /// Whether anything came since the last heartbeat.
    is_alive: bool,
}

/// Whether a request asks for a WebSocket.
pub(super) fn is_asked(headers: &HeaderMap) -> bool {
    headers
        .get(UPGRADE)
        .is_some_and(|to| to.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// Opens a WebSocket.
pub(super) async fn open(server: &Server, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    match upgraded(server, &mut parts).await {
        Ok(response) => response,
        Err(refused) => refusal(refused, MediaType::Json),
    }
}

async fn upgraded(server: &Server, parts: &mut Parts) -> Result<Response, Refused> {
    if !server.options.config.subscriptions.enabled {
        let message = "WebSockets are switched off";
        return Err(Refused::new(StatusCode::FORBIDDEN, Code::NotSupported, message));
    }
    known_origin(parts, &server.options.config.cors)?;
    let upgrade = WebSocketUpgrade::from_request_parts(parts, &()).await;
    let upgrade = upgrade.map_err(|rejection| Refused::bad_request(rejection.body_text()))?;
    let place = place(server)?;
    let limit = server.options.config.limits.max_body_bytes;
    let (server, parts) = (server.clone(), parts.clone());
    let upgrade = upgrade
        .protocols([SUBPROTOCOL])
        .max_message_size(limit)
        .max_frame_size(limit);
    Ok(upgrade.on_upgrade(move |socket| {
        let connections = server.options.connections.clone();
        let connection = Connection {
            server,
            socket,
            parts,
            context: None,
            operations: SelectAll::new(),
            open: HashMap::new(),
            is_alive: true,
        };
        connections.track_future(async move {
            connection.serve().await;
            drop(place);
        })
    }))
}

/// Refuses a page of another origin that may not ask: browsers open WebSockets without asking first, cookies and all.
fn known_origin(parts: &Parts, cors: &Cors) -> Result<(), Refused> {
    let Some(origin) = parts.headers.get(ORIGIN) else {
        return Ok(());
    };
    let origin = origin.to_str().unwrap_or_default();
    let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
    let host = host.or_else(|| parts.uri.authority().map(http::uri::Authority::as_str));
    let is_own = origin
        .split_once("://")
        .is_some_and(|(_, authority)| host.is_some_and(|host| host.eq_ignore_ascii_case(authority)));
    if is_own
        || cors
            .origins
            .iter()
            .any(|allowed| allowed == origin || allowed == "*")
    {
        return Ok(());
    }
    let message = "pages of this origin may not open a WebSocket (cors.origins)";
    Err(Refused::new(StatusCode::FORBIDDEN, ErrorCode::Forbidden, message))
}

impl Connection {
    async fn serve(mut self) {
        let active = Active::one(WEBSOCKETS_ACTIVE);
        let closed = self.talk().await;
        drop(active);
        self.operations.clear();
        if let Err(Close::With(code, reason)) = closed {
            tracing::debug!(code, reason, "a WebSocket is closed");
            let frame = CloseFrame {
                code,
                reason: reason.into(),
            };
            let patience = self.server.options.config.subscriptions.send_timeout();
            let farewell = async {
                if self.socket.send(Message::Close(Some(frame))).await.is_ok() {
                    while let Some(Ok(_)) = self.socket.recv().await {}
                }
            };
            // A client that does not answer it is left.
            let _ = tokio::time::timeout(patience, farewell).await;
        }
    }

    async fn talk(&mut self) -> Result<(), Close> {
        if self.socket.protocol().is_none() {
            return Err(close(4406, "Subprotocol not acceptable"));
        }
        let options = self.server.options.clone();
        let config = options.config.subscriptions;
        let mut heartbeat = interval_at(Instant::now() + config.heartbeat(), config.heartbeat());
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let init = tokio::time::sleep(config.init_timeout());
        tokio::pin!(init);
        loop {
            tokio::select! {
                biased;
                () = options.shutdown.cancelled() => return Err(close(1001, "the router stops")),
                () = &mut init, if self.context.is_none() => {
                    return Err(close(4408, "Connection initialisation timeout"));
                }
                message = self.socket.recv() => self.hear(message).await?,
                _ = heartbeat.tick() => {
                    if !std::mem::take(&mut self.is_alive) {
                        return Err(Close::Gone);
                    }
                    self.send(Message::Ping(bytes::Bytes::new())).await?;
                }
                Some((id, told)) = self.operations.next() => self.tell(&id, told).await?,
            }
        }
    }

    async fn hear(&mut self, message: Option<Result<Message, axum::Error>>) -> Result<(), Close> {
        self.is_alive = true;
        match message {
            Some(Ok(Message::Text(text))) => match message::read(&text) {
                Ok(asked) => self.follow(asked).await,
                Err(problem) => Err(close(4400, problem)),
            },
            Some(Ok(Message::Binary(_))) => Err(close(4400, "Only text is understood")),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(()),
            Some(Ok(Message::Close(_))) | None => Err(Close::Gone),
            Some(Err(error)) => Err(broken(error)),
        }
    }

    async fn follow(&mut self, asked: Asked) -> Result<(), Close> {
        match asked {
            Asked::Init(payload) => self.init(payload).await,
            Asked::Subscribe { id, request } => self.subscribe(id, request).await,
            Asked::Complete { id } => {
                if let Some(operation) = self.open.remove(id.as_str()) {
                    operation.abort();
                }
                Ok(())
            }
            Asked::Ping => self.send(Message::text(message::PONG)).await,
            Asked::Pong => Ok(()),
        }
    }

    /// What the first message brings counts as headers, so that credentials are judged in one place only.
    async fn init(&mut self, payload: Map<String, Value>) -> Result<(), Close> {
        if self.context.is_some() {
            return Err(close(4429, "Too many initialisation requests"));
        }
        for (name, value) in &payload {
            let name = HeaderName::try_from(name.as_str());
            let value = value.as_str().map(HeaderValue::from_str);
            if let (Ok(name), Some(Ok(value))) = (name, value) {
                self.parts.headers.insert(name, value);
            }
        }
        let engine = self.server.engine.load();
        let judged = super::context(&engine, &self.server.options, &self.parts).await;
        self.context = Some(RequestContext {
            // Each operation has the time of a request.
            deadline: None,
            ..judged.map_err(|error| match error.code {
                // Nobody says that the credentials are not good (RFC 6455's registry of close codes).
                ErrorCode::ServiceUnavailable => close(1013, "Try again later"),
                _ => close(4403, "Forbidden"),
            })?
        });
        self.send(Message::text(message::ACK)).await
    }

    async fn subscribe(&mut self, id: String, request: GraphQlRequest) -> Result<(), Close> {
        let Some(context) = self.context.clone() else {
            return Err(close(4401, "Unauthorized"));
        };
        if self.open.contains_key(id.as_str()) {
            return Err(close(4409, format!("Subscriber for {id} already exists")));
        }
        let limit = self.server.options.config.subscriptions.max_per_connection;
        if self.open.len() >= limit {
            let message =
                format!("this connection has {limit} operations already (subscriptions.max_per_connection)");
            let error = GraphQlError::new(Code::SubscriptionLimit, message);
            return self
                .send(Message::text(message::told(&id, Told::Errors(vec![error]))))
                .await;
        }
        let id: Arc<str> = id.into();
        let told = stream::once(run(self.server.clone(), request, context)).flatten();
        let (handle, registration) = AbortHandle::new_pair();
        let name = id.clone();
        let told = Abortable::new(told.boxed(), registration).map(move |told| (name.clone(), told));
        self.operations.push(told.boxed());
        self.open.insert(id, handle);
        Ok(())
    }

    async fn tell(&mut self, id: &Arc<str>, told: Told) -> Result<(), Close> {
        if !self.open.contains_key(id) {
            // It was completed by the client, and what was under way is of no use any more.
            return Ok(());
        }
        if !matches!(told, Told::Next(_))
            && let Some(operation) = self.open.remove(id)
        {
            operation.abort();
        }
        self.send(Message::text(message::told(id, told))).await
    }

    async fn send(&mut self, message: Message) -> Result<(), Close> {
        let patience = self.server.options.config.subscriptions.send_timeout();
        match tokio::time::timeout(patience, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Close::Gone),
            Err(_) => {
                metrics::counter!(WEBSOCKETS_TOO_SLOW).increment(1);
                tracing::debug!("a WebSocket is given up, since its client takes nothing");
                Err(Close::Gone)
            }
        }
    }
}

/// Runs one operation, whatever its kind.
async fn run(server: Server, request: GraphQlRequest, context: RequestContext) -> BoxStream<'static, Told> {
    let errors = |errors| stream::iter([Told::Errors(errors)]).boxed();
    let request = match check(request, None) {
        Ok(request) => request,
        Err(refused) => return errors(refused.errors),
    };
    let terms = Terms {
        only_queries: false,
        parts: false,
        subscriptions: Subscriptions::WithinPlace,
    };
    let engine = server.engine.load();
    let answered = match Operation::prepare(&engine, context, request).await {
        Ok(operation) => operation.run(&server, terms).await,
        Err(refused) => return errors(refused.errors),
    };
    match answered {
        Ok(Answered::Once(response, _)) if response.is_request_error() => errors(response.errors),
        Ok(Answered::Once(response, _)) => {
            stream::iter([Told::Next(response.into_body()), Told::Complete]).boxed()
        }
        Ok(Answered::Events(events)) => events
            .map(|event| match event {
                SubscriptionEvent::Next(response) => Told::Next(response.into_body()),
                SubscriptionEvent::Failed(error) => Told::Errors(vec![error]),
            })
            .chain(stream::iter([Told::Complete]))
            .boxed(),
        Err(refused) => errors(refused.errors),
    }
}

fn close(code: u16, reason: impl Into<String>) -> Close {
    Close::With(code, reason.into())
}

fn broken(error: axum::Error) -> Close {
    let error = error.into_inner();
    match error.downcast_ref::<tungstenite::Error>() {
        // RFC 6455 §7.4.1.
        Some(tungstenite::Error::Capacity(_)) => close(1009, "the message is too long"),
        Some(tungstenite::Error::Utf8(_)) => close(1007, "the message is not UTF-8"),
        _ => Close::Gone,
    }
}
