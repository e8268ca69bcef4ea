//! What a router alone serves changes while it serves: its configuration, its manifests, its supergraph a hundred times.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use tests::{LoneRouter, Subgraph, block_on, supergraph};

const SDL: &str = "type Query { hello: String shaky: String }";
const OTHER: &str = "type Query { hello: String more: String }";

/// A subgraph and what is made of it.
async fn stage() -> (Subgraph, String) {
    let subgraph = Subgraph::start(env!("CARGO_BIN_EXE_subgraph")).await;
    let graph = supergraph(&[("one", &subgraph.url(), SDL)]);
    (subgraph, graph)
}

fn hello() -> Value {
    json!({ "data": { "hello": "world" } })
}

fn code(answer: &Value) -> &str {
    let code = &answer["errors"][0]["extensions"]["code"];
    code.as_str().unwrap_or("none")
}

/// Asks until it is answered with this code.
async fn until(router: &LoneRouter, query: &str, expected: &str) {
    while code(&router.ask(query).await) != expected {
        tokio::task::yield_now().await;
    }
}

#[test]
fn a_changed_configuration_takes_over_and_what_needs_a_restart_is_named() {
    block_on(async {
        let (_subgraph, graph) = stage().await;
        let router = LoneRouter::start(&graph).await;
        assert_eq!(router.ask("{ hello }").await, hello());
        router.configure("[router.limits]\nmax_root_fields = 1\n[server]\nmax_requests = 7\n");
        until(&router, "{ hello shaky }", "COST_LIMIT_EXCEEDED").await;
        while !router.log().contains("server") {
            tokio::task::yield_now().await;
        }
        // What is no configuration is told, and the one before stays.
        router.configure("[router]\nnonsense = 1\n");
        while !router.log().contains("nonsense") {
            assert_eq!(router.ask("{ hello }").await, hello());
        }
        router.configure("[router]\nintrospection = { anonymous = false }\n");
        until(&router, "{ __schema { queryType { name } } }", "FORBIDDEN").await;
        assert_eq!(router.ask("{ hello shaky }").await["data"]["hello"], "world");
        assert!(router.metric("router_reloads_total", "outcome=\"ok\"").await >= 2.0);
    });
}

#[test]
fn manifests_change_under_a_running_router() {
    block_on(async {
        let (_subgraph, graph) = stage().await;
        let router = LoneRouter::start(&graph).await;
        let manifest = |id: &str| json!({ id: "{ hello }" }).to_string();
        router.write("ops.json", &manifest("a"));
        router.configure("[router.persisted]\nmanifests = [\"ops.json\"]\n");
        let ask = async |id: &str| {
            let persisted = json!({ "version": 1, "sha256Hash": id });
            router
                .send(&json!({ "extensions": { "persistedQuery": persisted } }))
                .await
        };
        while ask("a").await != hello() {
            tokio::task::yield_now().await;
        }
        router.write("ops.json", &manifest("b"));
        while ask("b").await != hello() {
            tokio::task::yield_now().await;
        }
        assert_ne!(ask("a").await, hello());
    });
}

#[test]
fn the_program_looks_when_it_is_told_to() {
    block_on(async {
        let (subgraph, graph) = stage().await;
        let router = LoneRouter::start_looking(&graph, 0).await;
        router.replace(&supergraph(&[("one", &subgraph.url(), OTHER)]));
        assert_eq!(code(&router.ask("{ more }").await), "GRAPHQL_VALIDATION_FAILED");
        router.signal("HUP");
        until(&router, "{ more }", "none").await;
    });
}

#[test]
fn a_written_file_is_looked_at_at_once() {
    block_on(async {
        let (subgraph, graph) = stage().await;
        // An hour until it would look by itself.
        let router = LoneRouter::start_looking(&graph, 3_600_000).await;
        router.replace(&supergraph(&[("one", &subgraph.url(), OTHER)]));
        until(&router, "{ more }", "none").await;
    });
}

#[test]
fn a_circuit_stays_open_over_a_reload() {
    block_on(async {
        let (mut subgraph, graph) = stage().await;
        let config = "[router.all_subgraphs]\nretries = 0\nbreaker = { failures = 2, pause_ms = 3600000 }\n";
        let router = LoneRouter::start_configured(&graph, config).await;
        subgraph.kill();
        let reason = async |query: &str| router.ask(query).await["errors"][0]["extensions"]["reason"].clone();
        while reason("{ hello }").await != "SUBREQUEST_CIRCUIT_OPEN" {}
        router.replace(&supergraph(&[("one", &subgraph.url(), OTHER)]));
        until(&router, "{ shaky }", "GRAPHQL_VALIDATION_FAILED").await;
        assert_eq!(reason("{ hello }").await, "SUBREQUEST_CIRCUIT_OPEN");
        // Another way of asking is another subgraph.
        router.configure("[router.all_subgraphs]\nretries = 0\ntimeout_ms = 1000\n");
        while reason("{ hello }").await != "SUBREQUEST_UNREACHABLE" {
            tokio::task::yield_now().await;
        }
    });
}

#[test]
fn a_hundred_reloads_under_load_leave_nothing_behind() {
    block_on(async {
        let (subgraph, graph) = stage().await;
        let router = Arc::new(LoneRouter::start(&graph).await);
        let other = supergraph(&[("one", &subgraph.url(), OTHER)]);
        let stop = Arc::<AtomicBool>::default();
        let (asking, stopped) = (router.clone(), stop.clone());
        let load = tokio::spawn(async move {
            while !stopped.load(Ordering::Relaxed) {
                assert_eq!(asking.ask("{ hello }").await, hello());
            }
        });
        let mut after_some = 0;
        for round in 0..50 {
            router.replace(&other);
            until(&router, "{ more }", "none").await;
            router.replace(&graph);
            until(&router, "{ shaky }", "none").await;
            if round == 10 {
                after_some = router.memory();
            }
        }
        stop.store(true, Ordering::Relaxed);
        load.await.expect("every answer was good");
        assert!(router.metric("router_reloads_total", "outcome=\"ok\"").await >= 100.0);
        while router.metric("router_engines", "").await > 1.0 {
            tokio::task::yield_now().await;
        }
        let grown = router.memory().saturating_sub(after_some);
        assert!(grown < 48 << 20, "{} MB more", grown >> 20);
    });
}
