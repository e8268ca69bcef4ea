//! The router under more than it should have to stand: slow clients, subgraphs that answer without end, hostile documents.

use serde_json::{Value, json};
use tests::{LoneRouter, Subgraph, block_on, supergraph};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

const SDL: &str =
    "type Query { hello: String large: String endless: String deep: String failing: String nest: Query
    list(of: [[[String]]]): String }";

/// Bytes that the router may hold.
const BUDGET: usize = 16 << 20;
/// What the process may need at most, in a build for tests: far less than what is asked of it.
const BOUND: usize = BUDGET + (200 << 20);

async fn stage(config: &str) -> (Subgraph, LoneRouter) {
    let subgraph = Subgraph::start(env!("CARGO_BIN_EXE_subgraph")).await;
    let graph = supergraph(&[("one", &subgraph.url(), SDL)]);
    let config = format!("[server]\nmax_held_bytes = {BUDGET}\n{config}");
    let router = LoneRouter::start_configured(&graph, &config).await;
    (subgraph, router)
}

/// A client that asks and does not read.
async fn asking(router: &LoneRouter, query: &str) -> TcpStream {
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    // So that the answer stays with the router, and not in the kernel.
    socket.set_recv_buffer_size(4 << 10).expect("a small buffer");
    let address = router.address().parse().expect("an address");
    let mut client = socket.connect(address).await.expect("the router listens");
    let body = json!({ "query": query }).to_string();
    let length = body.len();
    let head = "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length:";
    let request = format!("{head} {length}\r\n\r\n{body}");
    client
        .write_all(request.as_bytes())
        .await
        .expect("the router reads");
    client
}

#[test]
fn clients_who_take_nothing_cost_no_more_memory_than_is_allowed() {
    block_on(async {
        let (_subgraph, router) = stage("[router.all_subgraphs]\ndedupe = false\n").await;
        // Two megabytes each, once from the subgraph and once for the client: in all, three times the bound.
        let mut clients = Vec::new();
        for _ in 0..150 {
            clients.push(asking(&router, "{ large }").await);
        }
        while router.metric("router_held_bytes", "").await < BUDGET as f64 / 2.0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(
            router.ask("{ hello }").await,
            json!({ "data": { "hello": "world" } })
        );
        drop(clients);
        while router.metric("router_held_bytes", "").await > 0.0 {
            tokio::task::yield_now().await;
        }
        let answer = router.ask("{ large }").await;
        assert_eq!(answer["data"]["large"].as_str().map(str::len), Some(2 << 20));
        let peak = router.peak_memory();
        assert!(peak < BOUND, "{} MB", peak >> 20);
    });
}

#[test]
fn answers_without_end_cost_no_more_memory_than_is_allowed() {
    block_on(async {
        let (_subgraph, router) = stage("[router.all_subgraphs]\ndedupe = false\n").await;
        let asked = (0..20).map(|_| router.ask("{ endless }"));
        for answer in futures::future::join_all(asked).await {
            let reason = &answer["errors"][0]["extensions"]["reason"];
            let known = ["SUBREQUEST_NO_ROOM", "SUBREQUEST_TOO_LARGE"];
            assert!(known.iter().any(|known| reason == known), "{answer}");
        }
        let failing = router.ask("{ failing }").await;
        let errors = failing["errors"].as_array().map_or(0, Vec::len);
        assert!((1..=1_000).contains(&errors), "{errors}");
        assert_eq!(
            router.ask("{ hello }").await,
            json!({ "data": { "hello": "world" } })
        );
        assert_eq!(router.metric("router_held_bytes", "").await, 0.0);
        let peak = router.peak_memory();
        assert!(peak < BOUND, "{} MB", peak >> 20);
    });
}

#[test]
fn deep_nesting_is_refused_and_nothing_breaks() {
    block_on(async {
        let (_subgraph, router) = stage("[router.limits]\nmax_depth = 1000\n").await;
        let nested = |open: &str, inner: &str, close: &str, times: usize| {
            format!("{}{inner}{}", open.repeat(times), close.repeat(times))
        };
        let queries = |times: usize| {
            [
                format!("{{ {} }}", nested("nest { ", "hello", " }", times)),
                format!("{{ {} }}", nested("... { ", "hello", " }", times)),
                format!(
                    "{{ {} }}",
                    nested("... @include(if: true) { ", "hello", " }", times)
                ),
                format!("{{ list(of: {}) }}", nested("[", "\"x\"", "]", times)),
                format!("query($x: {}) {{ hello }}", nested("[", "String", "]", times)),
            ]
        };
        for times in [60, 100, 150, 190, 500, 10_000, 50_000] {
            for query in queries(times) {
                let answer = router.ask(&query).await;
                let code = answer["errors"][0]["extensions"]["code"].as_str();
                assert!(
                    code.is_some_and(|code| code != "INTERNAL"),
                    "{times}: {query:.40} {answer}"
                );
            }
            let variables = nested("[", "1", "]", times);
            let request = format!("{{\"query\": \"{{ hello }}\", \"variables\": {{\"x\": {variables}}}}}");
            let mut client = TcpStream::connect(router.address())
                .await
                .expect("the router listens");
            let head =
                "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length:";
            let request = format!("{head} {}\r\nconnection: close\r\n\r\n{request}", request.len());
            client
                .write_all(request.as_bytes())
                .await
                .expect("the router reads");
            let mut answer = String::new();
            let _ = tokio::io::AsyncReadExt::read_to_string(&mut client, &mut answer).await;
            assert!(answer.starts_with("HTTP/1.1 "), "{times}: {answer}");
        }
        let deep = router.ask("{ deep }").await;
        let reason = &deep["errors"][0]["extensions"]["reason"];
        assert_eq!(*reason, Value::from("SUBREQUEST_MALFORMED_RESPONSE"));
        assert_eq!(
            router.ask("{ hello }").await,
            json!({ "data": { "hello": "world" } })
        );
    });
}
