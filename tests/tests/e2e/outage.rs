//! A subgraph is killed and started again while everybody goes on asking.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use tests::{Daka, LoneRouter, Shape, Subgraph, block_on, supergraph};
use tokio::task::JoinHandle;

const PROGRAM: &str = env!("CARGO_BIN_EXE_subgraph");

/// Clients who ask the same again and again and look at every answer.
struct Clients {
    stop: Arc<AtomicBool>,
    tasks: Vec<JoinHandle<usize>>,
}

impl Clients {
    fn start<F: Future<Output = ()> + Send>(
        number: usize,
        ask: impl Fn() -> F + Clone + Send + 'static,
    ) -> Self {
        let stop = Arc::<AtomicBool>::default();
        let one = |_| {
            let (stop, ask) = (stop.clone(), ask.clone());
            tokio::spawn(async move {
                let mut asked = 0;
                while !stop.load(Ordering::Relaxed) {
                    ask().await;
                    asked += 1;
                }
                asked
            })
        };
        let tasks = (0..number).map(one).collect();
        Self { stop, tasks }
    }

    async fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        for task in self.tasks {
            assert!(task.await.expect("every answer was good") > 0);
        }
    }
}

#[test]
fn a_killed_subgraph_takes_its_own_fields_along_and_brings_them_back() {
    block_on(async {
        let (steady, mut shaky) = (Subgraph::start(PROGRAM).await, Subgraph::start(PROGRAM).await);
        let graph = supergraph(&[
            ("steady", &steady.url(), "type Query { hello: String }"),
            ("shaky", &shaky.url(), "type Query { shaky: String }"),
        ]);
        let config = "[router.all_subgraphs]\ndedupe = false\nbreaker = { failures = 5, pause_ms = 50 }\n";
        let router = Arc::new(LoneRouter::start_configured(&graph, config).await);
        let whole = json!({ "data": { "hello": "world", "shaky": "still here" } });
        let (asking, expected) = (router.clone(), whole.clone());
        let clients = Clients::start(8, move || {
            let (router, whole) = (asking.clone(), expected.clone());
            async move {
                let answer = router.ask("{ hello shaky }").await;
                if answer == whole {
                    return;
                }
                assert_eq!(
                    answer["data"],
                    json!({ "hello": "world", "shaky": null }),
                    "{answer}"
                );
                assert_eq!(
                    answer["errors"][0]["extensions"]["code"], "SERVICE_UNAVAILABLE",
                    "{answer}"
                );
                assert_eq!(answer["errors"][0]["extensions"]["service"], "shaky", "{answer}");
            }
        });
        let of_shaky = "subgraph_name=\"shaky\"";
        for _ in 0..2 {
            let open = "error_type=\"SUBREQUEST_CIRCUIT_OPEN\"";
            let before = router.metric("router_subrequest_errors_total", open).await;
            shaky.kill();
            while router.metric("router_subrequest_errors_total", open).await < before + 10.0 {
                tokio::task::yield_now().await;
            }
            assert_eq!(router.metric("router_subgraph_circuit_open", of_shaky).await, 1.0);
            shaky.restart().await;
            while router.ask("{ hello shaky }").await != whole {
                tokio::task::yield_now().await;
            }
            while router.metric("router_subgraph_circuit_open", of_shaky).await != 0.0 {
                tokio::task::yield_now().await;
            }
        }
        clients.stop().await;
        assert!(router.metric("router_subrequest_retries_total", of_shaky).await >= 1.0);
        let requests = "http_client_request_duration_seconds_count";
        let unreachable = "subgraph_name=\"shaky\",error_type=\"SUBREQUEST_UNREACHABLE\"";
        assert!(router.metric(requests, unreachable).await >= 5.0);
        let well =
            "subgraph_name=\"steady\",http_response_status_code=\"200\",network_protocol_version=\"1.1\"";
        let of_steady = router.metric(requests, "subgraph_name=\"steady\"").await;
        assert!(of_steady > 0.0);
        assert_eq!(router.metric(requests, well).await, of_steady);
        assert_eq!(
            router
                .metric("router_subrequest_errors_total", "subgraph_name=\"steady\"")
                .await,
            0.0
        );
    });
}

#[test]
fn a_distributed_platform_goes_on_without_a_subgraph_and_gets_it_back() {
    block_on(async {
        let mut daka = Daka::start(Shape::Distributed).await;
        let alice = daka.someone().await;
        let habit = alice.new_habit(json!({ "title": "Read" })).await;
        let query = "{ habits { id } myStats { totalHabits } }";
        let asking = alice.clone();
        let clients = Clients::start(4, move || {
            let alice = asking.clone();
            let habit = habit.clone();
            async move {
                let answer = alice.graphql(query, json!({})).await.body;
                assert_eq!(answer["data"]["habits"], json!([{ "id": habit }]), "{answer}");
            }
        });
        let is_whole = async || {
            let answer = alice.graphql(query, json!({})).await.body;
            answer.get("errors").is_none() && answer["data"]["myStats"] != Value::Null
        };
        daka.without_subgraph("checkin", async |_| while is_whole().await {})
            .await;
        while !is_whole().await {
            tokio::task::yield_now().await;
        }
        clients.stop().await;
    });
}
