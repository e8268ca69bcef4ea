//! What a subgraph is spared, and what its trouble costs others.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use futures::future::join_all;
use http::StatusCode;
use router::{Engine, HttpSubgraph, RouterConfig, Transports};
use serde_json::{Value, json};

use crate::harness::{SHOP, ask, listen, schemas};
use crate::shop::Log;

const USERS: &str = "{ users(first: 1) { id } }";
const RENAME: &str = "mutation { rename(id: 1, name: \"Eve\") { id } }";

/// The accounts, served elsewhere: they are in trouble for some calls, and then are well.
struct Accounts {
    engine: Engine,
    calls: Arc<AtomicUsize>,
    most_at_once: Arc<AtomicUsize>,
}

impl Accounts {
    async fn with(config: Value, troubled: usize, status: u16) -> Self {
        let config = json!({ "subgraphs": { "accounts": config } });
        let config: RouterConfig = serde_json::from_value(config).expect("a configuration");
        let (calls, most) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let (counted, most_at_once, now) = (calls.clone(), most.clone(), Arc::<AtomicUsize>::default());
        let handler = move |body: axum::Json<Value>| {
            let (calls, most, now) = (counted.clone(), most_at_once.clone(), now.clone());
            async move {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                // Others may come in meanwhile.
                for _ in 0..50 {
                    tokio::task::yield_now().await;
                }
                now.fetch_sub(1, Ordering::SeqCst);
                answer(calls.fetch_add(1, Ordering::SeqCst) < troubled, status, &body.0)
            }
        };
        let url = listen(Router::new().route("/", post(handler))).await;
        let mut transports = Transports::default();
        for (name, schema) in schemas(&Arc::new(Log::default())) {
            transports = match name {
                "accounts" => transports.http(name, HttpSubgraph::new(&url).expect("an address")),
                _ => transports.in_process(name, schema),
            };
        }
        Self {
            engine: Engine::new(SHOP, &config, transports).expect("an engine"),
            calls,
            most_at_once: most,
        }
    }

    async fn ask(&self, query: &str) -> Value {
        ask(&self.engine, query, &json!({})).await
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

fn answer(is_troubled: bool, status: u16, request: &Value) -> Response {
    if is_troubled {
        return StatusCode::from_u16(status).expect("a status").into_response();
    }
    let is_mutation = request["query"]
        .as_str()
        .is_some_and(|query| query.starts_with("mutation"));
    let data = match is_mutation {
        true => json!({ "rename": { "id": "1" } }),
        false => json!({ "users": [{ "id": "1" }], "_c_users": [{ "id": "1" }] }),
    };
    axum::Json(json!({ "data": data })).into_response()
}

fn reason(answer: &Value) -> &str {
    answer["errors"][0]["extensions"]["reason"]
        .as_str()
        .unwrap_or("none")
}

#[tokio::test]
async fn a_read_is_sent_again_when_the_subgraph_is_busy() {
    let accounts = Accounts::with(json!({}), 1, 503).await;
    assert_eq!(
        accounts.ask(USERS).await,
        json!({"data": {"users": [{"id": "1"}]}})
    );
    assert_eq!(accounts.calls(), 2);
}

#[tokio::test]
async fn a_read_is_not_sent_again_for_ever_nor_for_every_trouble() {
    for (config, status, calls) in [
        (json!({}), 503, 2),
        (json!({ "retries": 3 }), 502, 4),
        (json!({ "retries": 0 }), 503, 1),
        (json!({}), 500, 1),
        (json!({}), 404, 1),
    ] {
        let accounts = Accounts::with(config.clone(), usize::MAX, status).await;
        assert_eq!(reason(&accounts.ask(USERS).await), "SUBREQUEST_HTTP_STATUS");
        assert_eq!(accounts.calls(), calls, "{status} with {config}");
    }
}

#[tokio::test]
async fn a_change_is_never_sent_twice() {
    let accounts = Accounts::with(json!({ "retries": 5 }), 1, 503).await;
    assert_eq!(reason(&accounts.ask(RENAME).await), "SUBREQUEST_HTTP_STATUS");
    assert_eq!(accounts.calls(), 1);
}

#[tokio::test]
async fn a_subgraph_that_fails_again_and_again_is_left_alone_and_the_others_are_answered() {
    let config = json!({ "retries": 0, "breaker": { "failures": 3, "pause_ms": 3_600_000 } });
    let accounts = Accounts::with(config, usize::MAX, 500).await;
    for _ in 0..3 {
        assert_eq!(reason(&accounts.ask(USERS).await), "SUBREQUEST_HTTP_STATUS");
    }
    for _ in 0..5 {
        assert_eq!(reason(&accounts.ask(USERS).await), "SUBREQUEST_CIRCUIT_OPEN");
    }
    assert_eq!(accounts.calls(), 3);
    let others = accounts.ask("{ topReviews { id } }").await;
    assert_eq!(others.get("errors"), None, "{others}");
}

#[tokio::test]
async fn a_subgraph_that_is_well_again_is_asked_again() {
    let config = json!({ "retries": 0, "breaker": { "failures": 1, "pause_ms": 1 } });
    let accounts = Accounts::with(config, 3, 500).await;
    let well = json!({"data": {"users": [{"id": "1"}]}});
    while accounts.ask(USERS).await != well {
        tokio::task::yield_now().await;
    }
    assert_eq!(accounts.calls(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_calls_are_under_way_than_a_subgraph_stands() {
    let accounts = Accounts::with(json!({ "max_concurrent": 2, "dedupe": false }), 0, 200).await;
    let answers = join_all((0..40).map(|_| accounts.ask(USERS))).await;
    assert!(answers.iter().all(|answer| answer.get("errors").is_none()));
    assert_eq!(accounts.calls(), 40);
    assert!(accounts.most_at_once.load(Ordering::SeqCst) <= 2);
}
