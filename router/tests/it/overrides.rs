//! Progressive `@override`: fields that move from one subgraph to another for a share of the requests.

use std::sync::Arc;

use kernel::Random;
use router::{Engine, EngineHandle, HttpSubgraph, OverridesConfig, RequestShare, RouterConfig, Transports};
use serde_json::{Value, json};

use crate::defer::{merged, parts};
use crate::federations::{compose_all, with_header};
use crate::graph::{Federation, serve};
use crate::harness::ask;

const OLD: &str = "type Query { goods: [Good!]! } \
    type Good @key(fields: \"id\") { id: ID! name: String stock: Int weight: Int }";
const NEW: &str = "type Good @key(fields: \"id\") { id: ID! \
    stock: Int @override(from: \"old\", label: \"percent(30)\") \
    weight: Int @override(from: \"old\", label: \"weights\") }";
const POST: &str = "type Good @key(fields: \"id\") { id: ID! weight: Int @external \
    postage: Int @requires(fields: \"weight\") }";

/// The engine's share of the requests that asks `new`, for which it moves `stock`.
const THIRTY_PERCENT: u64 = 3_000_000_000;

fn goods() -> Value {
    let good = |id: u32| {
        json!({"__typename": "Good", "id": id.to_string(), "name": format!("Good {id}"), "stock": id * 2,
            "weight": id * 3, "postage": id * 5})
    };
    json!({"Query": {"goods": ["@Good/1", "@Good/2"]}, "entities": {"Good/1": good(1), "Good/2": good(2)}})
}

fn config(weights: RequestShare) -> RouterConfig {
    RouterConfig {
        overrides: OverridesConfig {
            labels: [("weights".to_owned(), weights)].into(),
        },
        ..RouterConfig::default()
    }
}

fn subgraphs() -> (Vec<(String, String)>, String) {
    let subgraphs = [("old", OLD), ("new", NEW), ("post", POST)];
    let subgraphs = subgraphs.map(|(name, sdl)| (name.to_owned(), with_header(sdl)));
    let supergraph = compose_all(&subgraphs).expect("a supergraph");
    (subgraphs.into(), supergraph)
}

/// Requests are told apart by that seed.
async fn federation(weights: RequestShare, seed: u64) -> Federation {
    let (subgraphs, supergraph) = subgraphs();
    let random = Random::seeded(seed);
    Federation::drawing(&subgraphs, &supergraph, goods(), &config(weights), random).await
}

/// Whether `new` was asked for an answer that must be the monolith's.
async fn asks_new(federation: &Federation, query: &str) -> bool {
    federation.calls.lock().expect("the calls").clear();
    let answer = ask(&federation.engine, query, &json!({})).await;
    assert_eq!(answer, federation.monolith(query, &json!({})), "{query}");
    let calls = federation.calls.lock().expect("the calls");
    calls.iter().any(|call| call.starts_with("new: "))
}

/// What the engine draws for each of so many requests.
fn drawn(seed: u64, requests: usize) -> Vec<u64> {
    let random = Random::seeded(seed);
    let draw = |_| u64::from_be_bytes(random.bytes()) % 10_000_000_000;
    (0..requests).map(draw).collect()
}

#[tokio::test]
async fn a_label_moves_its_share_of_the_requests() {
    let federation = federation(RequestShare::default(), 7).await;
    let expected: Vec<bool> = drawn(7, 200)
        .iter()
        .map(|number| *number < THIRTY_PERCENT)
        .collect();
    let mut moved = Vec::new();
    for _ in &expected {
        moved.push(asks_new(&federation, "{ goods { name stock } }").await);
    }
    assert_eq!(moved, expected);
    let count = moved.iter().filter(|moved| **moved).count();
    assert!((40..80).contains(&count), "{count} of 200 are not 30 %");
}

#[tokio::test]
async fn an_operation_that_nothing_moves_for_draws_nothing() {
    let federation = federation(RequestShare::default(), 7).await;
    let mut moved = Vec::new();
    for _ in 0..40 {
        assert!(!asks_new(&federation, "{ goods { name } }").await);
        moved.push(asks_new(&federation, "{ goods { stock } }").await);
    }
    let expected: Vec<bool> = drawn(7, 40)
        .iter()
        .map(|number| *number < THIRTY_PERCENT)
        .collect();
    assert_eq!(moved, expected, "the others have drawn, too");
}

#[tokio::test]
async fn a_label_with_a_name_is_on_as_the_configuration_says() {
    let half = RequestShare::percent(50.0).expect("a share");
    for (share, from) in [
        (RequestShare::all(true), 100),
        (RequestShare::all(false), 0),
        (half, 50),
    ] {
        let federation = federation(share, 3).await;
        for number in drawn(3, 20) {
            // What is required of another subgraph moves, too.
            let moved = asks_new(&federation, "{ goods { postage } }").await;
            assert_eq!(moved, number < from * 100_000_000);
        }
    }
}

#[tokio::test]
async fn a_request_is_on_one_side_for_all_of_its_fields() {
    let federation = federation(RequestShare::percent(60.0).expect("a share"), 5).await;
    let mut seen = [false; 3];
    for number in drawn(5, 60) {
        asks_new(&federation, "{ goods { stock weight postage } }").await;
        let calls = federation.calls.lock().expect("the calls").clone();
        let new: Vec<_> = calls.iter().filter(|call| call.starts_with("new: ")).collect();
        let side = usize::from(number >= THIRTY_PERCENT) + usize::from(number >= 2 * THIRTY_PERCENT);
        let asked = |field: &str| new.iter().any(|call| call.contains(field));
        assert_eq!(
            (asked("stock"), asked("weight")),
            (side < 1, side < 2),
            "{calls:?}"
        );
        seen[side] = true;
    }
    assert_eq!(seen, [true; 3]);
}

#[tokio::test]
async fn what_is_deferred_is_on_the_same_side() {
    let federation = federation(RequestShare::default(), 11).await;
    let query = "{ goods { name stock ... @defer { postage weight } ... @defer { again: stock } } }";
    let expected = federation.monolith(query, &json!({}));
    for number in drawn(11, 30) {
        federation.calls.lock().expect("the calls").clear();
        let parts = parts(&federation.engine, query, &json!({})).await;
        assert!(parts.len() > 1, "nothing is deferred");
        let whole = merged(&parts).expect("an answer");
        assert_eq!(whole["data"], expected["data"]);
        let calls = federation.calls.lock().expect("the calls").clone();
        let of = |name: &str| {
            let of = calls
                .iter()
                .filter(|call| call.starts_with(name) && call.contains("stock"));
            of.count()
        };
        let moved = number < THIRTY_PERCENT;
        assert_eq!((of("new: ") > 0, of("old: ") > 0), (moved, !moved), "{calls:?}");
    }
}

#[tokio::test]
async fn a_new_configuration_takes_over_the_shares() {
    let (subgraphs, supergraph) = subgraphs();
    let (calls, graph) = (Arc::default(), Arc::new(crate::graph::Graph(goods())));
    let mut transports = Transports::default();
    for (name, sdl) in &subgraphs {
        let url = serve(name, sdl, Arc::clone(&graph), Arc::clone(&calls)).await;
        transports = transports.http(name, HttpSubgraph::new(&url).expect("an address"));
    }
    let engine = |is_on: bool| {
        let config = config(RequestShare::all(is_on));
        let engine = Engine::new(&supergraph, &config, transports.clone()).expect("an engine");
        engine.with_overrides_by(Random::seeded(1))
    };
    let handle = EngineHandle::new(Arc::new(engine(false)));
    for is_on in [false, true, false] {
        let next = engine(is_on).with_documents_of(&handle.load());
        handle.swap(Arc::new(next));
        ask(&handle.load(), "{ goods { weight } }", &json!({})).await;
        let calls = std::mem::take(&mut *calls.lock().expect("the calls"));
        assert_eq!(
            calls.iter().any(|call| call.starts_with("new: ")),
            is_on,
            "{calls:?}"
        );
    }
}

#[tokio::test]
async fn without_randomness_fields_stay_until_they_have_moved_for_all() {
    let (subgraphs, supergraph) = subgraphs();
    let federation =
        Federation::plain(&subgraphs, &supergraph, goods(), &config(RequestShare::all(true))).await;
    assert!(!asks_new(&federation, "{ goods { stock } }").await);
    assert!(asks_new(&federation, "{ goods { weight } }").await);
}
