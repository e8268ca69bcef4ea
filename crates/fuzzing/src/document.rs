//! The target `document`: a GraphQL document, asked of a market whose data is made up.

use std::sync::LazyLock;

use router::apollo_compiler::ExecutableDocument;
use router::{GraphQlError, GraphQlRequest, OperationKind, Prepared};
use serde_json::{Map, Value};

use crate::world::{World, anybody};
use crate::{on_a_small_stack, text, wait_for};

/// What a document may be refused for.
const REFUSALS: [&str; 5] = [
    "GRAPHQL_PARSE_FAILED",
    "GRAPHQL_VALIDATION_FAILED",
    "OPERATION_RESOLUTION_FAILURE",
    "COST_LIMIT_EXCEEDED",
    "NOT_SUPPORTED",
];

/// A line of this beginning, a comment to GraphQL, holds the variables.
const VARIABLES: &str = "# variables:";

/// Takes a document, with its variables in a comment at the end. What is right:
///
/// - A document is refused for what is wrong with it, with a code that says so, and never with an internal error.
/// - What is accepted is accepted again when it is written anew.
/// - Every question to a subgraph is valid by the schema of that subgraph, and what it says of an entity is so.
/// - The answer is what one server with all the data would answer.
///
/// # Panics
/// Where one of these does not hold.
pub fn document(bytes: &[u8]) {
    static WORLD: LazyLock<World> = LazyLock::new(World::open);
    LazyLock::force(&WORLD);
    let text = text(bytes);
    on_a_small_stack(|| wait_for(ask(&WORLD, &text)));
}

async fn ask(world: &World, text: &str) {
    let (document, variables) = match text.rsplit_once(VARIABLES) {
        Some((document, variables)) => (document, serde_json::from_str(variables).unwrap_or_default()),
        None => (text, Map::new()),
    };
    world.take_log();
    let request = GraphQlRequest {
        query: Some(document.to_owned()),
        ..GraphQlRequest::default()
    };
    let prepared = match world.engine.prepare_request(&request, &anybody()).await {
        Ok(prepared) => prepared,
        Err(errors) => return assert_refused(&errors),
    };
    let written = prepared.document().to_string();
    if let Err(errors) = world.engine.prepare(&written, prepared.name()) {
        // Only what is counted in characters of the text may have become too much.
        let too_much =
            |error: &GraphQlError| error.code() == Some("GRAPHQL_PARSE_FAILED") && written.len() > text.len();
        assert!(errors.iter().all(too_much), "{written} is refused: {errors:?}");
    }
    let (engine, context) = (&world.engine, anybody());
    let response = engine
        .execute_prepared(&prepared, variables.clone(), &context)
        .await;
    let is_refused = response.is_request_error();
    let codes: Vec<_> = response
        .errors
        .iter()
        .filter_map(GraphQlError::code)
        .map(str::to_owned)
        .collect();
    let answer: Value = serde_json::from_slice(&response.into_body()).expect("an answer is JSON");
    let log = world.take_log();
    assert!(log.faults.is_empty(), "{}", log.faults.join("\n"));
    if is_refused {
        assert_eq!(log.calls, 0, "subgraphs were asked before {answer}");
        let expected = match prepared.kind() {
            OperationKind::Subscription => "SUBSCRIPTION_NOT_ACCEPTABLE",
            _ => "BAD_USER_INPUT",
        };
        assert!(
            !codes.is_empty() && codes.iter().all(|code| code == expected),
            "{answer}"
        );
        return;
    }
    if introspects(&prepared) {
        return;
    }
    let whole = world.monolith(prepared.document(), prepared.name(), &variables);
    let whole = whole.unwrap_or_else(|why| panic!("only the router takes it: {why}"));
    assert_eq!(answer["errors"], Value::Null, "{answer}");
    assert_eq!(answer["data"], whole["data"], "the answers differ");
}

fn assert_refused(errors: &[GraphQlError]) {
    assert!(!errors.is_empty(), "refused without a reason");
    for error in errors {
        let code = error.code().unwrap_or_default();
        assert!(REFUSALS.contains(&code), "refused with {code}: {}", error.message);
    }
}

/// Whether it asks about the schema, of which the other server tells in another way.
fn introspects(prepared: &Prepared) -> bool {
    let document: &ExecutableDocument = prepared.document();
    let root = prepared.operation().root_fields(document);
    root.into_iter()
        .any(|field| field.name.starts_with("__") && field.name != "__typename")
}
