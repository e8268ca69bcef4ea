//! A house with two sides, each a subgraph: each says which headers it was sent, and answers with those that it is told to.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_graphql::{Context, EmptySubscription, ID, Object, ObjectType, Request, Schema, SimpleObject};
use axum::Router;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::routing::post;
use composition::{SubgraphSource, compose};
use http::{HeaderMap, HeaderName, HeaderValue};
use kernel::{Clock, Principal, Random};
use router::{
    Engine, HttpSubgraph, InProcessSchema, LoadError, RequestContext, RequestInfo, RouterConfig, Transports,
};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::harness::listen;

const LEFT: &str =
    "extend schema @link(url: \"https://specs.apollo.dev/federation/v2.3\", import: [\"@key\"])
type Query { left: String! room: Room! }
type Mutation { paintLeft: String! }
type Room @key(fields: \"id\") { id: ID! }";
const RIGHT: &str =
    "extend schema @link(url: \"https://specs.apollo.dev/federation/v2.3\", import: [\"@key\"])
type Query { right: String! }
type Mutation { paintRight: String! }
type Room @key(fields: \"id\") { id: ID! size: String! }";

/// How the sides are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    InProcess,
    Http,
}

pub(super) const WAYS: [Way; 2] = [Way::InProcess, Way::Http];

/// What one side answers with, and how often it was asked.
pub(super) struct Side {
    answers: Mutex<Vec<(&'static str, &'static str)>>,
    pub(super) calls: AtomicUsize,
    held: watch::Sender<bool>,
}

pub(super) struct House {
    pub(super) engine: Arc<Engine>,
    pub(super) left: Arc<Side>,
    pub(super) right: Arc<Side>,
}

/// What came with a request over HTTP.
struct Sent(HeaderMap);

/// The headers that a side was sent, without those of every request.
fn sent(ctx: &Context<'_>) -> String {
    let side = ctx.data_unchecked::<Arc<Side>>();
    for (name, value) in side.answers.lock().expect("the side").iter() {
        ctx.append_http_header(*name, *value);
    }
    let headers = match ctx.data_opt::<RequestInfo>() {
        Some(info) => &info.headers,
        None => &ctx.data_unchecked::<Sent>().0,
    };
    const OF_EVERY_REQUEST: [&str; 5] = [
        "accept",
        "content-length",
        "content-type",
        "host",
        "x-envoy-expected-rq-timeout-ms",
    ];
    let told = headers
        .iter()
        .filter(|(name, _)| !OF_EVERY_REQUEST.contains(&name.as_str()));
    let mut told: Vec<String> = told
        .map(|(name, value)| format!("{name}: {}", value.to_str().expect("text")))
        .collect();
    told.sort();
    told.join(", ")
}

#[derive(SimpleObject)]
struct Room {
    id: ID,
}

struct LeftQuery;

#[Object]
impl LeftQuery {
    async fn left(&self, ctx: &Context<'_>) -> String {
        sent(ctx)
    }
    async fn room(&self, ctx: &Context<'_>) -> Room {
        sent(ctx);
        Room { id: "1".into() }
    }
    #[graphql(entity)]
    async fn entity(&self, id: ID) -> Room {
        Room { id }
    }
}

struct LeftMutation;

#[Object]
impl LeftMutation {
    async fn paint_left(&self, ctx: &Context<'_>) -> String {
        sent(ctx)
    }
}

mod right {
    use super::*;

    pub(super) struct Room(pub(super) ID);

    #[Object]
    impl Room {
        async fn id(&self) -> &ID {
            &self.0
        }
        async fn size(&self, ctx: &Context<'_>) -> String {
            sent(ctx)
        }
    }

    pub(super) struct Query;

    #[Object]
    impl Query {
        async fn right(&self, ctx: &Context<'_>) -> String {
            sent(ctx)
        }
        #[graphql(entity)]
        async fn entity(&self, id: ID) -> Room {
            Room(id)
        }
    }

    pub(super) struct Mutation;

    #[Object]
    impl Mutation {
        async fn paint_right(&self, ctx: &Context<'_>) -> String {
            sent(ctx)
        }
    }
}

impl Side {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            answers: Mutex::default(),
            calls: AtomicUsize::new(0),
            held: watch::Sender::new(false),
        })
    }

    /// What it answers with from now on.
    pub(super) fn say(&self, headers: &[(&'static str, &'static str)]) {
        *self.answers.lock().expect("the side") = headers.to_vec();
    }

    /// Whether it keeps its answers to itself.
    pub(super) fn hold(&self, held: bool) {
        self.held.send_replace(held);
    }

    pub(super) fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

fn schema<Q, M>(query: Q, mutation: M, side: &Arc<Side>) -> Arc<dyn InProcessSchema>
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
{
    let schema = Schema::build(query, mutation, EmptySubscription).data(side.clone());
    Arc::new(schema.enable_federation().finish())
}

async fn serve(schema: Arc<dyn InProcessSchema>, side: &Arc<Side>) -> HttpSubgraph {
    type Serving = (Arc<dyn InProcessSchema>, Arc<Side>);
    let handler =
        async |State((schema, side)): State<Serving>, sent: HeaderMap, body: axum::Json<Request>| {
            side.calls.fetch_add(1, Ordering::SeqCst);
            let mut held = side.held.subscribe();
            held.wait_for(|held| !held).await.expect("the side");
            let answer = schema.execute(body.0.data(Sent(sent))).await;
            let headers = answer.http_headers.clone();
            let mut response = axum::Json(answer).into_response();
            for (name, value) in &headers {
                response.headers_mut().append(name, value.clone());
            }
            response
        };
    let router = Router::new()
        .route("/", post(handler))
        .with_state((schema, side.clone()));
    HttpSubgraph::new(&listen(router).await).expect("an address")
}

pub(super) fn supergraph() -> String {
    let source = |name, sdl| SubgraphSource::new(name, Some("http://127.0.0.1:1/".to_owned()), sdl);
    let composed = compose(&[source("left", LEFT), source("right", RIGHT)]);
    composed
        .unwrap_or_else(|errors| panic!("{errors:?}"))
        .supergraph_sdl
}

/// An engine that is never asked anything.
pub(super) fn load(config: Value) -> Result<Engine, LoadError> {
    let config: RouterConfig = serde_json::from_value(config).expect("a configuration");
    Engine::new(&supergraph(), &config, Transports::default())
}

impl House {
    pub(super) async fn open(way: Way, config: Value) -> Self {
        let (left, right) = (Side::new(), Side::new());
        let sides = [
            ("left", schema(LeftQuery, LeftMutation, &left), &left),
            ("right", schema(right::Query, right::Mutation, &right), &right),
        ];
        let mut transports = Transports::default();
        for (name, schema, side) in sides {
            transports = match way {
                Way::InProcess => transports.in_process(name, schema),
                Way::Http => transports.http(name, serve(schema, side).await),
            };
        }
        let config: RouterConfig = serde_json::from_value(config).expect("a configuration");
        let engine = Engine::new(&supergraph(), &config, transports).expect("an engine");
        let clock = Clock::system();
        let cache = cache::Cache::open(&cache::CacheConfig::default(), clock.clone()).expect("a cache");
        let engine = engine.with_responses_in(cache, clock, Random::seeded(1));
        Self {
            engine: Arc::new(engine),
            left,
            right,
        }
    }

    /// The data of an answer to somebody who sends these headers, with the answer's headers.
    pub(super) async fn ask(&self, query: &str, headers: &[(&str, &str)]) -> (Value, Vec<String>) {
        let response = crate::harness::execute(&self.engine, query, &json!({}), &context(headers)).await;
        let passed = passed(&response);
        let body: Value = serde_json::from_slice(&response.into_body()).expect("JSON");
        assert_eq!(body["errors"], Value::Null, "{query}");
        (body["data"].clone(), passed)
    }
}

/// The headers of an answer, as they are written.
pub(super) fn passed(response: &router::Response) -> Vec<String> {
    let line = |name: &str| {
        let values = response.headers.get(name);
        values
            .map(|value| format!("{name}: {}", value.to_str().expect("text")))
            .collect::<Vec<_>>()
    };
    ["set-cookie", "x-a", "x-b", "x-c", "x-side"]
        .iter()
        .flat_map(|name| line(name))
        .collect()
}

/// Somebody who sends these headers.
pub(super) fn context(headers: &[(&str, &str)]) -> RequestContext {
    let header = |(name, value): &(&str, &str)| {
        let name = HeaderName::try_from(*name).expect("a name");
        (name, HeaderValue::try_from(*value).expect("a value"))
    };
    let mut map = HeaderMap::new();
    for (name, value) in headers.iter().map(header) {
        map.append(name, value);
    }
    RequestContext::new(Arc::new(Principal::anonymous())).with_headers(map)
}
