//! How much each caller may ask for in a time.

use std::net::SocketAddr;
use std::sync::Arc;

use async_graphql::{Request as Asked, Response as Said};
use axum::body::Body;
use axum::extract::ConnectInfo;
use cache::{Cache, CacheConfig};
use futures::StreamExt;
use futures::future::{BoxFuture, join_all};
use futures::stream::BoxStream;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use kernel::{Clock, Principal, Random};
use router::http::{HttpOptions, service};
use router::{
    Allowance, AuthError, Authenticator, ByCaller, Engine, EngineHandle, InProcessSchema, RouterConfig,
    Transports,
};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tower::ServiceExt;

use crate::demand::priced;
use crate::harness::schemas;
use crate::shop::Log;

const ME: &str = "{ me { id } }";
const USERS: &str = "query($n: Int) { users(first: $n) { id } }";

/// Lets in who brings no credentials as nobody, and who says `good` as a person.
struct Guard(Principal);

impl Authenticator for Guard {
    fn authenticate<'a>(&'a self, headers: &'a HeaderMap) -> BoxFuture<'a, Result<Principal, AuthError>> {
        let principal = match headers.get("authorization").map(|value| value.as_bytes()) {
            None => Ok(Principal::anonymous()),
            Some(b"good") => Ok(self.0.clone()),
            Some(_) => Err(AuthError::unauthenticated("who are you?")),
        };
        Box::pin(async move { principal })
    }
}

/// Buckets of `capacity` that fill so slowly that nothing comes back during a test.
fn config(capacity: u64) -> RouterConfig {
    let mut config = RouterConfig::default();
    config.rate_limit.enabled = Some(true);
    config.rate_limit.allowance = ByCaller::all(Allowance {
        capacity,
        per_minute: 1,
    });
    config.rate_limit.refusal_cost = 2;
    config.rate_limit.preparation_cost = 0;
    config
}

fn memory() -> Cache {
    Cache::open(&CacheConfig::default(), Clock::system()).expect("a cache")
}

fn engine(sdl: &str, config: &RouterConfig, cache: Cache) -> Engine {
    let mut transports = Transports::default();
    for (name, schema) in schemas(&Arc::new(Log::default())) {
        transports = transports.in_process(name, schema);
    }
    Engine::new(sdl, config, transports)
        .expect("an engine")
        .with_rate_limits_in(cache, Clock::system())
}

#[derive(Clone)]
struct Server(axum::Router);

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Value,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    fn code(&self) -> &str {
        self.body["errors"][0]["extensions"]["code"]
            .as_str()
            .unwrap_or("none")
    }
}

impl Server {
    fn open(config: &RouterConfig) -> Self {
        Self::of(engine(&priced(), config, memory()), config)
    }

    fn of(engine: Engine, config: &RouterConfig) -> Self {
        let (random, now) = (Random::seeded(1), Clock::system().now());
        let options = HttpOptions {
            config: config.clone(),
            authenticator: Arc::new(Guard(Principal::user(random.id(now), random.id(now)))),
            ..HttpOptions::default()
        };
        Self(service(EngineHandle::new(Arc::new(engine)), options))
    }

    async fn send(&self, peer: &str, headers: &[(&str, &str)], body: String) -> Answer {
        let mut request = Request::post("/graphql").header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let peer: SocketAddr = peer.parse().expect("an address");
        let request = request
            .extension(ConnectInfo(peer))
            .body(Body::from(body))
            .expect("a request");
        let response = self.0.clone().oneshot(request).await.expect("an answer");
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("a body").to_bytes();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: serde_json::from_slice(&bytes).expect("JSON"),
        }
    }

    async fn ask(&self, query: &str, variables: Value) -> Answer {
        let body = json!({ "query": query, "variables": variables, "extensions": { "cost": true } });
        self.send("192.0.2.1:1", &[], body.to_string()).await
    }
}

#[tokio::test]
async fn an_answer_says_how_the_limit_stands() {
    let server = Server::open(&config(100));
    let answer = server.ask(USERS, json!({ "n": 9 })).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("ratelimit-policy"), r#""anonymous";q=100;w=6000"#);
    assert_eq!(answer.header("ratelimit"), r#""anonymous";r=97;t=180"#);
    let cost = &answer.body["extensions"]["cost"];
    assert_eq!(
        *cost,
        json!({"estimated": 9, "actual": 3, "limit": 100, "remaining": 97, "reset": 180})
    );
}

#[tokio::test]
async fn the_estimate_is_charged_and_what_the_answer_is_not_worth_comes_back() {
    let server = Server::open(&config(10));
    // Each is estimated at 9 and worth 3.
    for remaining in [7, 4] {
        let answer = server.ask(USERS, json!({ "n": remaining })).await;
        assert_eq!(answer.body["extensions"]["cost"]["remaining"], remaining);
    }
    let answer = server.ask(USERS, json!({ "n": 5 })).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (429, "RATE_LIMITED"));
    assert_eq!(answer.header("retry-after"), "60");
    assert_eq!(answer.body["errors"][0]["extensions"]["retryAfter"], 60);
    assert_eq!(answer.header("ratelimit"), r#""anonymous";r=4;t=360"#);
    assert_eq!(server.ask(ME, json!({})).await.status, 200, "less may be asked");
}

#[tokio::test]
async fn what_can_never_be_spent_is_refused_as_too_costly() {
    let server = Server::open(&config(10));
    let answer = server.ask(USERS, json!({ "n": 11 })).await;
    assert_eq!(answer.code(), "COST_LIMIT_EXCEEDED");
    assert_eq!(answer.header("retry-after"), "");
}

#[tokio::test]
async fn everybody_has_a_bucket_of_their_own() {
    let mut config = config(2);
    config.rate_limit.trusted_proxies = vec!["10.0.0.0/8".to_owned().try_into().expect("a network")];
    let server = Server::open(&config);
    let body = json!({ "query": "{ me { id } again: me { id } }" }).to_string();
    let ask = async |peer: &str, headers: &[(&str, &str)]| {
        server.send(peer, headers, body.clone()).await.status.as_u16()
    };
    assert_eq!(ask("192.0.2.1:1", &[]).await, 200);
    assert_eq!(ask("192.0.2.1:2", &[]).await, 429);
    assert_eq!(
        ask("192.0.2.1:2", &[("x-forwarded-for", "192.0.2.9")]).await,
        429,
        "nobody's proxy"
    );
    assert_eq!(
        ask("192.0.2.1:2", &[("authorization", "good")]).await,
        200,
        "a person"
    );
    assert_eq!(
        ask("192.0.2.2:2", &[("authorization", "good")]).await,
        429,
        "the same elsewhere"
    );
    assert_eq!(
        ask("10.0.0.1:2", &[("x-forwarded-for", "192.0.2.9")]).await,
        200,
        "behind a proxy"
    );
    assert_eq!(
        ask("10.0.0.2:2", &[("x-forwarded-for", "6.6.6.6, 192.0.2.9")]).await,
        429
    );
    assert_eq!(ask("[2001:db8::1]:2", &[]).await, 200);
    assert_eq!(ask("[2001:db8::2]:2", &[]).await, 429, "the same network");
}

/// Sends 64 requests of cost 1 at once and says how many were let through.
async fn let_through(servers: &[Server]) -> usize {
    let asks = (0..64).map(|number| {
        let server = servers[number % servers.len()].clone();
        tokio::spawn(async move { server.ask(ME, json!({})).await.status })
    });
    let statuses = join_all(asks).await;
    let statuses = statuses.into_iter().map(|status| status.expect("an answer"));
    statuses.filter(|status| *status == 200).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_at_once_never_spend_more_than_there_is() {
    assert_eq!(let_through(&[Server::open(&config(10))]).await, 10);
}

#[tokio::test]
async fn credentials_that_are_not_good_are_not_tried_for_long() {
    let server = Server::open(&config(6));
    let body = json!({ "query": ME }).to_string();
    let mut statuses = Vec::new();
    for _ in 0..4 {
        let answer = server
            .send("192.0.2.1:1", &[("authorization", "bad")], body.clone())
            .await;
        statuses.push((answer.status.as_u16(), answer.header("retry-after").to_owned()));
    }
    let refused = (401, String::new());
    assert_eq!(
        statuses,
        [refused.clone(), refused.clone(), refused, (429, "120".to_owned())]
    );
}

#[tokio::test]
async fn requests_that_are_refused_cost_something_too() {
    let mut config = config(6);
    config.persisted.safelist = ByCaller::default();
    for body in [
        json!({ "extensions": { "persistedQuery": { "version": 1, "sha256Hash": "unknown" } } }),
        json!({ "query": USERS, "variables": { "n": "many" } }),
        json!({ "variables": {} }),
        json!("no request"),
    ] {
        let server = Server::open(&config);
        for _ in 0..3 {
            let answer = server.send("192.0.2.1:1", &[], body.to_string()).await;
            assert_ne!(answer.code(), "RATE_LIMITED", "{body}");
        }
        let answer = server.send("192.0.2.1:1", &[], body.to_string()).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code()),
            (429, "RATE_LIMITED"),
            "{body}"
        );
    }
}

#[tokio::test]
async fn a_document_that_is_not_ready_costs_its_preparation() {
    let mut config = config(10);
    config.rate_limit.preparation_cost = 4;
    let server = Server::open(&config);
    assert_eq!(
        server.ask(ME, json!({})).await.body["extensions"]["cost"]["remaining"],
        5
    );
    assert_eq!(
        server.ask(ME, json!({})).await.body["extensions"]["cost"]["remaining"],
        4
    );
    assert_eq!(
        server.ask("{ nope }", json!({})).await.code(),
        "GRAPHQL_VALIDATION_FAILED"
    );
    assert_eq!(server.ask("{ nope }", json!({})).await.code(), "RATE_LIMITED");
}

#[tokio::test]
async fn each_request_of_a_batch_is_charged() {
    let mut config = config(5);
    config.batching.enabled = true;
    let server = Server::open(&config);
    let body = vec![json!({ "query": ME }); 7];
    let answer = server
        .send("192.0.2.1:1", &[], Value::from(body).to_string())
        .await;
    let answers = answer.body.as_array().expect("an answer for each");
    let refused = answers
        .iter()
        .filter(|it| it["errors"][0]["extensions"]["code"] == "RATE_LIMITED");
    assert_eq!((answers.len(), refused.count()), (7, 2));
    assert_eq!(answer.header("ratelimit"), r#""anonymous";r=0;t=300"#);
}

#[tokio::test]
async fn the_limit_can_be_asked_for_beside_other_fields() {
    let server = Server::open(&config(100));
    let query = "query($n: Int) { users(first: $n) { id } r: rateLimit { __typename limit cost remaining used resetAt } }";
    let answer = server.ask(query, json!({ "n": 5 })).await;
    let mut limit = answer.body["data"]["r"].clone();
    let reset_at = limit["resetAt"].take();
    assert!(
        reset_at.as_str().is_some_and(|at| at.ends_with('Z')),
        "{reset_at}"
    );
    assert_eq!(
        limit,
        json!({"__typename": "RateLimit", "limit": 100, "cost": 5, "remaining": 95, "used": 5, "resetAt": null})
    );
    assert_eq!(answer.body["data"]["users"].as_array().map(Vec::len), Some(3));
    let alone = server.ask("{ rateLimit { remaining } }", json!({})).await;
    assert_eq!(alone.body["data"], json!({"rateLimit": {"remaining": 96}}));
}

#[tokio::test]
async fn a_dry_run_says_what_an_operation_would_cost() {
    let server = Server::open(&config(100));
    let query = "query($n: Int, $dry: Boolean) { users(first: $n) { id } rateLimit(dryRun: $dry) { cost remaining } }";
    let answer = server.ask(query, json!({ "n": 1_000, "dry": true })).await;
    // It costs what a refusal does.
    assert_eq!(
        answer.body,
        json!({"data": {"rateLimit": {"cost": 1_000, "remaining": 98}}})
    );
    assert_eq!(answer.header("ratelimit"), r#""anonymous";r=98;t=120"#);
    let answer = server.ask(query, json!({ "n": 2, "dry": false })).await;
    assert_eq!(
        answer.body["data"]["rateLimit"],
        json!({"cost": 2, "remaining": 96})
    );
}

#[tokio::test]
async fn the_schema_has_the_field_where_there_are_limits() {
    let query = r#"{ __type(name: "RateLimit") { fields { name type { ofType { name } } } } }"#;
    let answer = Server::open(&config(100)).ask(query, json!({})).await;
    let fields = answer.body["data"]["__type"]["fields"]
        .as_array()
        .expect("fields")
        .iter();
    let fields: Vec<String> = fields
        .map(|field| format!("{}: {}!", field["name"], field["type"]["ofType"]["name"]).replace('"', ""))
        .collect();
    assert_eq!(
        fields,
        [
            "limit: Int!",
            "cost: Int!",
            "remaining: Int!",
            "used: Int!",
            "resetAt: String!"
        ]
    );
    let mut off = config(100);
    off.rate_limit.enabled = None;
    let answer = Server::open(&off).ask("{ rateLimit { cost } }", json!({})).await;
    assert_eq!(answer.code(), "GRAPHQL_VALIDATION_FAILED");
    assert_eq!(answer.header("ratelimit"), "");
}

#[tokio::test]
async fn a_field_of_that_name_in_the_supergraph_stays_what_it_is() {
    let sdl = priced().replace(
        "  users(first",
        "  rateLimit: Int @join__field(graph: ACCOUNTS)\n  users(first",
    );
    let config = config(100);
    let server = Server::of(engine(&sdl, &config, memory()), &config);
    let answer = server.ask("{ rateLimit { cost } }", json!({})).await;
    assert_eq!(answer.code(), "GRAPHQL_VALIDATION_FAILED");
    assert_eq!(
        server.ask(ME, json!({})).await.header("ratelimit"),
        r#""anonymous";r=99;t=60"#
    );
}

/// A subgraph that never answers, and says when it is asked.
struct Silent(Arc<Notify>);

impl InProcessSchema for Silent {
    fn execute(&self, _: Asked) -> BoxFuture<'_, Said> {
        self.0.notify_one();
        Box::pin(std::future::pending())
    }

    fn execute_stream(&self, _: async_graphql::Request) -> BoxStream<'static, async_graphql::Response> {
        futures::stream::pending().boxed()
    }
}

#[tokio::test]
async fn who_goes_away_has_paid_the_estimate_once() {
    let (config, cache, reached) = (config(10), memory(), Arc::new(Notify::new()));
    let mut silent = Transports::default();
    for (name, _) in schemas(&Arc::new(Log::default())) {
        silent = silent.in_process(name, Arc::new(Silent(reached.clone())));
    }
    let silent = Engine::new(&priced(), &config, silent).expect("an engine");
    let silent = Server::of(
        silent.with_rate_limits_in(cache.clone(), Clock::system()),
        &config,
    );
    tokio::select! {
        _ = silent.ask(USERS, json!({ "n": 4 })) => panic!("nobody answers"),
        () = reached.notified() => {}
    }
    let other = Server::of(engine(&priced(), &config, cache), &config);
    let answer = other.ask("{ rateLimit { used } }", json!({})).await;
    assert_eq!(answer.body["data"]["rateLimit"]["used"], 4 + 1);
}
