//! What Prometheus gets to read.

use std::collections::BTreeSet;

use tests::{LoneRouter, Subgraph, block_on, supergraph};

const PROGRAM: &str = env!("CARGO_BIN_EXE_subgraph");

#[test]
fn every_metric_says_what_it_counts_here_and_in_the_documentation() {
    block_on(async {
        let subgraph = Subgraph::start(PROGRAM).await;
        let graph = supergraph(&[("greeter", &subgraph.url(), "type Query { hello: String }")]);
        let config = "[router.demand]\nmode = \"measure\"\n";
        let router = LoneRouter::start_configured(&graph, config).await;
        router.ask("{ hello }").await;
        router.ask("{ nothing }").await;
        let text = router.metrics().await;

        let named = |kind: &'static str| {
            let names = text
                .lines()
                .filter_map(move |line| line.strip_prefix(kind)?.split(' ').next());
            names.collect::<BTreeSet<_>>()
        };
        let shown = named("# TYPE ");
        assert_eq!(shown, named("# HELP "), "a metric without a description");
        let page = include_str!("../../../docs/telemetry.md");
        for name in &shown {
            assert!(
                page.contains(&format!("| `{name}` |")),
                "docs/telemetry.md lacks {name}"
            );
        }
        for name in [
            "http_server_request_duration_seconds",
            "http_client_request_duration_seconds",
            "router_operations_total",
            "router_operation_duration_seconds",
            "router_subrequest_duration_seconds",
            "router_cost_estimated",
            "router_engines",
        ] {
            assert!(shown.contains(name), "{name} is missing:\n{text}");
        }
    });
}
