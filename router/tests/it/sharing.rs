//! Equal reads that are under way at the same time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::routing::post;
use futures::FutureExt;
use futures::future::{BoxFuture, join_all};
use http::{HeaderMap, HeaderName, HeaderValue};
use kernel::{Clock, Principal, Random};
use router::{Engine, HttpSubgraph, PrincipalSealer, RequestContext, RouterConfig, Transports};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::harness::{SHOP, execute, listen, schemas};
use crate::shop::Log;

const USERS: &str = "query($n: Int) { users(first: $n) { id } }";
const RENAME: &str = "mutation { rename(id: 1, name: \"Eve\") { id } }";

/// The accounts, served elsewhere by somebody who answers only when told to.
struct Held {
    engine: Engine,
    calls: Arc<AtomicUsize>,
    answers: Arc<Semaphore>,
}

/// Tells the subgraph who asks.
struct Sealer;

impl PrincipalSealer for Sealer {
    fn seal(&self, principal: &Principal, _: &str) -> Option<(HeaderName, HeaderValue)> {
        let value = HeaderValue::from_str(&format!("{:?}", principal.user_id())).ok()?;
        Some((HeaderName::from_static("x-principal"), value))
    }
}

impl Held {
    async fn open(config: Value) -> Self {
        let config = json!({ "subgraphs": { "accounts": config } });
        let config: RouterConfig = serde_json::from_value(config).expect("a configuration");
        let (calls, answers) = (Arc::<AtomicUsize>::default(), Arc::new(Semaphore::new(0)));
        let (counted, held) = (calls.clone(), answers.clone());
        let handler = move |body: axum::Json<Value>| {
            let (calls, held) = (counted.clone(), held.clone());
            async move {
                calls.fetch_add(1, Ordering::SeqCst);
                let _answer = held.acquire().await;
                let users = json!([{ "id": body.0["variables"]["n"] }]);
                let rename = json!({ "id": "1" });
                axum::Json(
                    json!({ "data": { "users": users, "_c_users": users, "rename": rename, "_c_rename": rename } }),
                )
            }
        };
        let url = listen(Router::new().route("/", post(handler))).await;
        let mut transports = Transports::default().sealer(Arc::new(Sealer));
        for (name, schema) in schemas(&Arc::new(Log::default())) {
            transports = match name {
                "accounts" => transports.http(name, HttpSubgraph::new(&url).expect("an address")),
                _ => transports.in_process(name, schema),
            };
        }
        let engine = Engine::new(SHOP, &config, transports).expect("an engine");
        for query in [USERS, RENAME] {
            engine.prepare(query, None).expect("a good query");
        }
        Self {
            engine,
            calls,
            answers,
        }
    }

    /// Asks, as far as that goes without an answer: the subgraph has been asked, or another's question joined.
    fn ask<'h>(&'h self, query: &'h str, n: i64, context: RequestContext) -> BoxFuture<'h, Value> {
        let asking = async move {
            let answer = execute(&self.engine, query, &json!({ "n": n }), &context).await;
            serde_json::from_slice(&answer.into_body()).expect("the answer is JSON")
        };
        let mut asking = asking.boxed();
        assert!((&mut asking).now_or_never().is_none());
        asking
    }

    /// Lets the subgraph answer everything.
    fn answer(&self) {
        self.answers.add_permits(1_000);
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

fn nobody() -> RequestContext {
    RequestContext::new(Arc::new(Principal::anonymous()))
}

fn person(seed: u64) -> RequestContext {
    let (random, now) = (Random::seeded(seed), Clock::system().now());
    RequestContext::new(Arc::new(Principal::user(random.id(now), random.id(now))))
}

fn with_header(name: &'static str, value: &'static str) -> RequestContext {
    nobody().with_headers(HeaderMap::from_iter([(
        HeaderName::from_static(name),
        HeaderValue::from_static(value),
    )]))
}

fn users(n: i64) -> Value {
    json!({ "data": { "users": [{ "id": n.to_string() }] } })
}

#[tokio::test]
async fn equal_reads_are_sent_once_and_everybody_gets_the_answer() {
    let held = Held::open(json!({})).await;
    let asking: Vec<_> = (0..20).map(|_| held.ask(USERS, 1, nobody())).collect();
    held.answer();
    for answer in join_all(asking).await {
        assert_eq!(answer, users(1));
    }
    assert_eq!(held.calls(), 1);
    // What has been answered is asked anew.
    assert_eq!(held.ask(USERS, 1, nobody()).await, users(1));
    assert_eq!(held.calls(), 2);
}

#[tokio::test]
async fn reads_that_differ_in_anything_are_sent_each() {
    let config = json!({ "principal": true, "headers": ["accept-language"] });
    let held = Held::open(config).await;
    let (one, other) = (person(1), person(2));
    let asking = [
        held.ask(USERS, 1, nobody()),
        held.ask(USERS, 2, nobody()),
        held.ask(USERS, 1, one.clone()),
        held.ask(USERS, 1, other),
        held.ask(USERS, 1, with_header("accept-language", "zh")),
        held.ask(USERS, 1, with_header("accept-language", "en")),
        // These are asked already: a header that is not passed on makes no difference.
        held.ask(USERS, 1, one),
        held.ask(USERS, 1, with_header("accept-language", "zh")),
        held.ask(USERS, 1, with_header("user-agent", "x")),
    ];
    held.answer();
    join_all(asking).await;
    assert_eq!(held.calls(), 6);
}

#[tokio::test]
async fn callers_are_the_same_to_a_subgraph_that_is_not_told_who_asks() {
    let held = Held::open(json!({})).await;
    let asking = [held.ask(USERS, 1, person(1)), held.ask(USERS, 1, person(2))];
    held.answer();
    join_all(asking).await;
    assert_eq!(held.calls(), 1);
}

#[tokio::test]
async fn changes_are_sent_each() {
    let held = Held::open(json!({})).await;
    let asking = [held.ask(RENAME, 1, nobody()), held.ask(RENAME, 1, nobody())];
    held.answer();
    join_all(asking).await;
    assert_eq!(held.calls(), 2);
}

#[tokio::test]
async fn who_asks_after_a_change_does_not_get_what_was_read_before_it() {
    let held = Held::open(json!({})).await;
    let before = held.ask(USERS, 1, nobody());
    let change = "mutation { reprice(upc: \"b1\", price: 3) { title } }";
    let changed = execute(&held.engine, change, &json!({}), &nobody()).await;
    assert!(changed.errors.is_empty(), "{:?}", changed.errors);
    let after = held.ask(USERS, 1, nobody());
    held.answer();
    join_all([before, after]).await;
    assert_eq!(held.calls(), 2);
}

#[tokio::test]
async fn who_asked_first_may_go_away() {
    let held = Held::open(json!({})).await;
    let first = held.ask(USERS, 1, nobody());
    let second = held.ask(USERS, 1, nobody());
    drop(first);
    held.answer();
    assert_eq!(second.await, users(1));
    assert!(held.calls() <= 1);
}

#[tokio::test]
async fn when_all_have_gone_away_the_next_asks_anew() {
    let held = Held::open(json!({})).await;
    drop([held.ask(USERS, 1, nobody()), held.ask(USERS, 1, nobody())]);
    let next = held.ask(USERS, 1, nobody());
    held.answer();
    assert_eq!(next.await, users(1));
}

#[tokio::test]
async fn it_can_be_switched_off() {
    let held = Held::open(json!({ "dedupe": false })).await;
    let asking = [held.ask(USERS, 1, nobody()), held.ask(USERS, 1, nobody())];
    held.answer();
    join_all(asking).await;
    assert_eq!(held.calls(), 2);
}
