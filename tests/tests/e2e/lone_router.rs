//! The router in front of somebody else's subgraphs, and the commands for supergraphs.

use std::sync::Arc;

use axum::Router;
use axum::routing::post;
use serde_json::{Value, json};
use tests::{LoneRouter, block_on, run_in};
use tokio::sync::Semaphore;

/// A subgraph of one sentence, which waits before it answers what is slow.
pub(crate) struct Subgraph {
    url: String,
    answers: Arc<Semaphore>,
    asked: Arc<Semaphore>,
}

impl Subgraph {
    pub(crate) async fn serve() -> Self {
        let (answers, asked) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
        let (held, told) = (answers.clone(), asked.clone());
        let handler = move |body: axum::Json<Value>| {
            let (held, told) = (held.clone(), told.clone());
            async move {
                if body.0["query"]
                    .as_str()
                    .is_some_and(|query| query.contains("slow"))
                {
                    told.add_permits(1);
                    let _answer = held.acquire().await;
                }
                axum::Json(
                    json!({ "data": { "hello": "world", "slow": "but sure", "more": 7, "secret": "open" } }),
                )
            }
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let url = format!("http://{}/", listener.local_addr().expect("an address"));
        let routes = Router::new().route("/", post(handler));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { url, answers, asked }
    }

    /// What `daka compose` makes of it.
    pub(crate) fn supergraph(&self, sdl: &str) -> String {
        let folder = testkit::data_dir();
        let file = |name: &str, text: String| {
            std::fs::write(folder.path().join(name), text).expect("a file can be written");
        };
        file("one.graphql", sdl.to_owned());
        file(
            "supergraph.yaml",
            format!(
                "federation_version: 2\nsubgraphs:\n  one:\n    routing_url: {}\n    schema:\n      file: one.graphql\n",
                self.url
            ),
        );
        let composed = run_in(folder.path(), &["compose", "--config", "supergraph.yaml"]);
        assert!(composed.is_ok, "{}", composed.err);
        composed.out
    }
}

const FIRST: &str = "type Query { hello: String slow: String }";
const SECOND: &str = "type Query { hello: String more: Int }";

#[test]
fn a_new_supergraph_takes_over_and_what_is_under_way_is_finished() {
    block_on(async {
        let subgraph = Subgraph::serve().await;
        let router = Arc::new(LoneRouter::start(&subgraph.supergraph(FIRST)).await);
        assert_eq!(
            router.ask("{ hello }").await,
            json!({ "data": { "hello": "world" } })
        );
        let asking = router.clone();
        let slow = tokio::spawn(async move { asking.ask("{ slow }").await });
        let _asked = subgraph.asked.acquire().await;
        router.replace(&subgraph.supergraph(SECOND));
        while router.ask("{ more }").await != json!({ "data": { "more": 7 } }) {
            tokio::task::yield_now().await;
        }
        assert_eq!(code(&router.ask("{ slow }").await), "GRAPHQL_VALIDATION_FAILED");
        subgraph.answers.add_permits(1);
        let slow = slow.await.expect("it is answered");
        assert_eq!(slow, json!({ "data": { "slow": "but sure" } }));
    });
}

#[test]
fn a_supergraph_that_does_not_hold_does_not_take_over() {
    block_on(async {
        let subgraph = Subgraph::serve().await;
        let router = LoneRouter::start(&subgraph.supergraph(FIRST)).await;
        router.replace("type Query {");
        while !router.log().contains("the new supergraph does not hold") {
            assert_eq!(
                router.ask("{ hello }").await,
                json!({ "data": { "hello": "world" } })
            );
        }
        router.replace(&subgraph.supergraph(SECOND));
        while router.ask("{ more }").await != json!({ "data": { "more": 7 } }) {
            tokio::task::yield_now().await;
        }
    });
}

#[test]
fn what_does_not_compose_is_told() {
    let folder = testkit::data_dir();
    let yaml = "federation_version: 2\nsubgraphs:\n  one:\n    routing_url: http://localhost/\n    schema:\n      file: one.graphql\n";
    std::fs::write(folder.path().join("supergraph.yaml"), yaml).expect("a file can be written");
    std::fs::write(
        folder.path().join("one.graphql"),
        "type Query { me: User } type User @key(fields: \"nope\") { id: ID }",
    )
    .expect("a file can be written");
    let refused = run_in(folder.path(), &["compose", "--config", "supergraph.yaml"]);
    assert!(!refused.is_ok && refused.out.is_empty());
    assert!(refused.err.contains("KEY_INVALID_FIELDS"), "{}", refused.err);
    let absent = run_in(folder.path(), &["compose", "--config", "nowhere.yaml"]);
    assert!(
        !absent.is_ok && absent.err.contains("nowhere.yaml"),
        "{}",
        absent.err
    );
    let mistaken = run_in(folder.path(), &["router", "--supergraph", "supergraph.yaml"]);
    assert!(!mistaken.is_ok);
    assert!(
        mistaken.err.contains("give it as --config supergraph.yaml"),
        "{}",
        mistaken.err
    );
}

#[test]
fn a_check_says_what_changes_and_whom_it_breaks() {
    let folder = testkit::data_dir();
    for (name, text) in [
        ("old.graphql", FIRST),
        ("new.graphql", SECOND),
        ("hello.graphql", "query Hello { hello }"),
        ("slow.graphql", "query Slow { slow }"),
    ] {
        std::fs::write(folder.path().join(name), text).expect("a file can be written");
    }
    let check = |more: &[&str]| {
        let args = [&["check", "old.graphql", "new.graphql"], more].concat();
        run_in(folder.path(), &args)
    };
    let all = check(&[]);
    assert!(!all.is_ok);
    assert!(
        all.out.contains("BREAKING FIELD_REMOVED Query.slow"),
        "{}",
        all.out
    );
    let unused = check(&["--operations", "hello.graphql"]);
    assert!(unused.is_ok, "{}{}", unused.out, unused.err);
    assert!(
        unused.out.contains("1 operations of 1 still work"),
        "{}",
        unused.out
    );
    let used = check(&["--operations", "hello.graphql", "--operations", "slow.graphql"]);
    assert!(!used.is_ok);
    assert!(used.out.contains("BROKEN Slow"), "{}", used.out);
}

fn code(answer: &Value) -> &str {
    answer["errors"][0]["extensions"]["code"]
        .as_str()
        .unwrap_or("none")
}
