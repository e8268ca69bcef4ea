//! What others' tools say of the router: the audit of GraphQL over HTTP, and graphql-js reading the schema.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use router::http::{HttpOptions, service};
use router::{Engine, EngineHandle, RouterConfig, Transports};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::federations::{compose_all, with_header};
use crate::harness::{SHOP, listen, schemas};
use crate::shop::Log;

/// The folder of the scripts, with their packages.
fn installed() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peer");
    testkit::node::install(&folder, "graphql-ws");
    folder
}

/// What a script writes about the router at an address.
pub(crate) async fn told(script: &str, engine: Engine, input: &str) -> Value {
    let folder = installed();
    let handle = EngineHandle::new(Arc::new(engine));
    let address = listen(service(handle, HttpOptions::default())).await;
    let child = Command::new("node")
        .args([script, &format!("{address}graphql")])
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let mut child = child.expect("node 20 or newer on the PATH");
    let mut stdin = child.stdin.take().expect("an input");
    stdin.write_all(input.as_bytes()).await.expect("an open input");
    drop(stdin);
    let output = child.wait_with_output().await.expect("an end");
    assert!(output.status.success(), "{script} failed");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[tokio::test]
async fn all_that_graphql_over_http_says_a_server_must_or_should_do_is_done() {
    let mut transports = Transports::default();
    for (name, schema) in schemas(&Arc::new(Log::default())) {
        transports = transports.in_process(name, schema);
    }
    let engine = Engine::new(SHOP, &RouterConfig::default(), transports).expect("an engine");
    let told = told("audit.mjs", engine, "").await;
    assert_eq!(told["failed"], json!([]));
    assert!(told["asked"].as_u64() > Some(30), "{told}");
}

const EVERYTHING: &str = r##"
    """Whom it is for.""" type Query {
      "Finds." find(id: ID!, old: Int @deprecated(reason: "use id"), older: Int @deprecated, how: How = {kind: [A, B], note: "a \"b\"\n ü"}): [[Node!]!]!
      gone: Int @deprecated(reason: "now \"there\"") leaving: Int @deprecated
      any: Any one(by: By!): Thing at(after: Time = "now", n: Float = 1.5, list: [Int!]! = [1, 2], flag: Boolean = true, none: Int = null): Time
    }
    type Mutation { do(how: How!): Int }
    type Subscription { ticks(every: Int = 1): Int! }
    interface Node { id: ID! }
    """
    A thing
      with lines
    """
    interface Named implements Node { id: ID! name(short: Boolean = false): String }
    type Thing implements Node & Named @key(fields: "id") { id: ID! name(short: Boolean = false): String self: Thing! }
    type Other implements Node { id: ID! }
    union Any = Thing | Other
    scalar Time @specifiedBy(url: "https://example.com/time")
    scalar Plain
    enum Kind { "first" A B @deprecated(reason: "use A") C @deprecated }
    input How { kind: [Kind!] = [A] note: String = "x" inner: How old: Int @deprecated(reason: "no") plain: Plain when: Time }
    input By @oneOf { id: ID name: String }
"##;

#[tokio::test]
async fn graphql_js_reads_the_schema_as_it_is() {
    let supergraph = compose_all(&[("all".to_owned(), with_header(EVERYTHING))]).expect("a supergraph");
    let engine =
        Engine::new(&supergraph, &RouterConfig::default(), Transports::default()).expect("an engine");
    let told = told(
        "introspect.mjs",
        engine,
        EVERYTHING.replace("@key(fields: \"id\")", "").as_str(),
    )
    .await;
    assert_eq!(told["differences"], json!([]));
    assert!(told["types"].as_u64() > Some(20), "{told}");
}
