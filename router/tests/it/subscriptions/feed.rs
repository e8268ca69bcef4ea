//! Reviews that are added in one subgraph, and their texts in another; the feed is served in three ways.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_graphql::http::{WebSocket as Peer, WebSocketProtocols, WsMessage};
use async_graphql::{
    Context, EmptyMutation, EmptySubscription, ID, Object, Result, Schema, SimpleObject, Subscription,
};
use axum::extract::WebSocketUpgrade;
use axum::extract::ws::{CloseFrame, Message};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use cache::{Cache, CacheConfig};
use futures::stream::{self, BoxStream, Stream, StreamExt};
use kernel::Clock;
use router::{Engine, HttpSubgraph, RouterConfig, Transports};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::harness::listen;

const LIVE: &str = include_str!("../fixtures/live.graphql");

/// How the feed is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    InProcess,
    WebSocket,
    Sse,
}

pub(super) const WAYS: [Way; 3] = [Way::InProcess, Way::WebSocket, Way::Sse];

/// What the feed tells of itself.
#[derive(Default)]
pub(super) struct Watch {
    /// Events that were made.
    pub(super) made: AtomicUsize,
    open: AtomicUsize,
    changed: Notify,
    /// What the WebSocket's first message said.
    pub(super) init: std::sync::Mutex<Option<Value>>,
}

impl Watch {
    /// Waits until so many subscriptions are open.
    pub(super) async fn open(&self, count: usize) {
        loop {
            let changed = self.changed.notified();
            if self.open.load(Ordering::SeqCst) == count {
                return;
            }
            changed.await;
        }
    }

    fn count(self: &Arc<Self>) -> Open {
        self.open.fetch_add(1, Ordering::SeqCst);
        self.changed.notify_waiters();
        Open(self.clone())
    }
}

struct Open(Arc<Watch>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::SeqCst);
        self.0.changed.notify_waiters();
    }
}

#[derive(SimpleObject, Clone)]
struct Review {
    id: ID,
    stars: Option<i32>,
}

struct FeedQuery;

#[Object]
impl FeedQuery {
    async fn asked(&self) -> i32 {
        7
    }
    #[graphql(entity)]
    async fn review(&self, id: ID) -> Review {
        Review { id, stars: Some(5) }
    }
}

struct FeedSubscription;

fn reviews(watch: Arc<Watch>) -> impl Stream<Item = Review> {
    let open = watch.count();
    stream::iter(1..).map(move |number: i32| {
        let watch = &open.0;
        watch.made.fetch_add(1, Ordering::SeqCst);
        Review {
            id: number.to_string().into(),
            stars: Some(number % 5),
        }
    })
}

#[Subscription]
impl FeedSubscription {
    async fn review_added(&self, ctx: &Context<'_>, first: usize) -> Result<impl Stream<Item = Review>> {
        Ok(reviews(ctx.data::<Arc<Watch>>()?.clone()).take(first))
    }
    /// One review, and nothing after it.
    async fn endless(&self, ctx: &Context<'_>) -> Result<impl Stream<Item = Review>> {
        let open = ctx.data::<Arc<Watch>>()?.count();
        let one = Review {
            id: "1".into(),
            stars: Some(1),
        };
        let endless = stream::iter([one]).chain(stream::pending());
        Ok(endless.map(move |review| {
            let _open = &open;
            review
        }))
    }
    async fn failing(&self) -> Result<BoxStream<'static, Option<Review>>> {
        Err("no feed today".into())
    }
}

struct Texts;

#[Object]
impl Texts {
    async fn texts(&self) -> i32 {
        0
    }
    #[graphql(entity)]
    async fn review(&self, id: ID) -> Result<ReviewText> {
        match id.as_str() {
            "3" => Err("the text of 3 is lost".into()),
            _ => Ok(ReviewText(id)),
        }
    }
}

struct ReviewText(ID);

#[Object(name = "Review")]
impl ReviewText {
    async fn id(&self) -> &ID {
        &self.0
    }
    async fn body(&self) -> String {
        format!("Text {}", self.0.as_str())
    }
}

type Feed = Schema<FeedQuery, EmptyMutation, FeedSubscription>;

/// An engine whose feed is reached in that way.
pub(super) async fn engine(way: Way, watch: &Arc<Watch>, config: Value) -> Engine {
    let feed: Feed = Schema::build(FeedQuery, EmptyMutation, FeedSubscription)
        .data(watch.clone())
        .finish();
    let texts = Schema::build(Texts, EmptyMutation, EmptySubscription).finish();
    let mut config = config;
    let mut transports = Transports::default().in_process("texts", Arc::new(texts));
    transports = match way {
        Way::InProcess => transports.in_process("feed", Arc::new(feed)),
        Way::WebSocket | Way::Sse => {
            let url = listen(served(feed, watch.clone())).await;
            transports.http("feed", HttpSubgraph::new(&url).expect("an address"))
        }
    };
    let protocol = if way == Way::Sse { "sse" } else { "websocket" };
    let path = if way == Way::Sse { "/events" } else { "/ws" };
    config["subgraphs"]["feed"] = json!({
        "headers": ["x-tenant"],
        "subscription": { "protocol": protocol, "path": path },
    });
    let config: RouterConfig = serde_json::from_value(config).expect("a configuration");
    let cache = Cache::open(&CacheConfig::default(), Clock::system()).expect("a cache");
    Engine::new(LIVE, &config, transports)
        .expect("an engine")
        .with_rate_limits_in(cache, Clock::system())
}

/// The feed over sockets, with async-graphql's own implementation of the protocol.
fn served(feed: Feed, watch: Arc<Watch>) -> Router {
    let (over_socket, as_events) = (feed.clone(), feed.clone());
    let socket = move |upgrade: WebSocketUpgrade| {
        let (feed, watch) = (over_socket.clone(), watch.clone());
        async move {
            upgrade
                .protocols(["graphql-transport-ws"])
                .on_upgrade(move |socket| talk(socket, feed, watch))
        }
    };
    let events = move |Json(request): Json<async_graphql::Request>| {
        let feed = as_events.clone();
        async move { as_sse(feed.execute_stream(request)) }
    };
    let query = move |Json(request): Json<async_graphql::Request>| {
        let feed = feed.clone();
        async move { Json(feed.execute(request).await) }
    };
    Router::new()
        .route("/", axum::routing::post(query))
        .route("/events", axum::routing::post(events))
        .route("/ws", get(socket))
}

fn as_sse(responses: BoxStream<'static, async_graphql::Response>) -> Response {
    let events = responses.map(|response| Event::default().event("next").json_data(response));
    let complete = stream::iter([Ok(Event::default().event("complete").data(""))]);
    Sse::new(events.chain(complete)).into_response()
}

async fn talk(socket: axum::extract::ws::WebSocket, feed: Feed, watch: Arc<Watch>) {
    use futures::SinkExt;
    let (mut out, incoming) = socket.split();
    let texts = incoming.take_while(|message| {
        std::future::ready(matches!(
            message,
            Ok(Message::Text(_) | Message::Ping(_) | Message::Pong(_))
        ))
    });
    let texts = texts.filter_map(|message| async move {
        match message {
            Ok(Message::Text(text)) => Some(text.as_str().as_bytes().to_vec()),
            _ => None,
        }
    });
    let peer = Peer::new(feed, texts.boxed(), WebSocketProtocols::GraphQLWS).on_connection_init(
        move |payload| async move {
            *watch.init.lock().expect("the watch") = Some(payload);
            Ok(async_graphql::Data::default())
        },
    );
    let mut peer = std::pin::pin!(peer);
    while let Some(message) = peer.next().await {
        let message = match message {
            WsMessage::Text(text) => Message::text(text),
            WsMessage::Close(code, reason) => Message::Close(Some(CloseFrame {
                code,
                reason: reason.into(),
            })),
        };
        if out.send(message).await.is_err() {
            return;
        }
    }
}
