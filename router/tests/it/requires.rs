//! Fields that need what other subgraphs say (`@requires`, `@interfaceObject`), on ways that planners find hard.

use router::RouterConfig;
use serde_json::{Value, json};

use crate::federations::{compose_all, with_header};
use crate::graph::Federation;
use crate::harness::ask;

/// The answer, which must be the monolith's.
async fn answered(subgraphs: &[(&str, &str)], graph: Value, query: &str) -> Value {
    let subgraphs: Vec<_> = subgraphs
        .iter()
        .map(|(name, sdl)| ((*name).to_owned(), with_header(sdl)))
        .collect();
    let supergraph = compose_all(&subgraphs).expect("a supergraph");
    let federation = Federation::serve(&subgraphs, &supergraph, graph, &RouterConfig::default()).await;
    let answer = ask(&federation.engine, query, &json!({})).await;
    assert_eq!(answer, federation.monolith(query, &json!({})));
    answer["data"].clone()
}

const USERS: &[(&str, &str)] = &[
    (
        "accounts",
        "type Query { me: User } type User @key(fields: \"id\") { id: ID! age: Int name: String }",
    ),
    (
        "social",
        "type User @key(fields: \"id\") { id: ID! age: Int @external name: String @external friends: [User!] \
         best: User @requires(fields: \"age\") score: Int @requires(fields: \"age\") \
         greeting: String @requires(fields: \"name\") plain: Int }",
    ),
];

fn users() -> Value {
    let user = |id: u32, friends: Value| {
        json!({"__typename": "User", "id": id.to_string(), "age": id * 10, "name": format!("U{id}"),
            "friends": friends, "best": "@User/2", "score": id, "greeting": format!("Hi U{id}"), "plain": id})
    };
    json!({"Query": {"me": "@User/1"}, "entities": {
        "User/1": user(1, json!(["@User/2", "@User/3"])),
        "User/2": user(2, json!([])),
        "User/3": user(3, json!(["@User/1"])),
    }})
}

#[tokio::test]
async fn of_an_object_that_the_same_subgraph_has_found() {
    let data = answered(USERS, users(), "{ me { friends { score } } }").await;
    assert_eq!(data, json!({"me": {"friends": [{"score": 2}, {"score": 3}]}}));
    for query in [
        "{ me { score friends { score plain friends { score name greeting } } } }",
        "{ me { friends { best { score best { greeting } } } } }",
        "{ me { best { best { friends { plain score } } } } }",
    ] {
        answered(USERS, users(), query).await;
    }
}

#[tokio::test]
async fn that_are_reached_by_a_key_which_the_subgraph_before_knows() {
    let subgraphs = [
        (
            "labels",
            "type Owner @key(fields: \"id\") { id: ID! label: String } \
             type Pet @key(fields: \"id\") @key(fields: \"chip\") { id: ID! chip: String! \
             tag: String @requires(fields: \"owners { label }\") owners: [Owner] @external }",
        ),
        (
            "pets",
            "type Query { pets: [Pet!]! } type Owner @key(fields: \"id\") { id: ID! } \
             type Pet @key(fields: \"id\") { id: ID! owners: [Owner] }",
        ),
    ];
    let graph = json!({"Query": {"pets": ["@Pet/1"]}, "entities": {
        "Pet/1": {"__typename": "Pet", "id": "1", "chip": "c1", "owners": ["@Owner/1", null], "tag": "t1"},
        "Owner/1": {"__typename": "Owner", "id": "o1", "label": "L"},
    }});
    let data = answered(&subgraphs, graph, "{ pets { tag } }").await;
    assert_eq!(data, json!({"pets": [{"tag": "t1"}]}));
}

/// The one way leads from `chip` to `id` and from there on: each step needs what the one before found out.
#[tokio::test]
async fn that_are_reached_over_several_keys() {
    let subgraphs = [
        (
            "finds",
            "type Query { pets: [Pet!]! } type Pet @key(fields: \"chip\") { chip: String! }",
        ),
        (
            "pets",
            "type Pet @key(fields: \"id\") @key(fields: \"chip\") { id: ID! chip: String! weights: [Int!]! mother: Pet }",
        ),
        (
            "food",
            "type Pet @key(fields: \"id\") { id: ID! weights: [Int!]! @external ration: Int @requires(fields: \"weights\") }",
        ),
    ];
    let graph = json!({"Query": {"pets": ["@Pet/1", "@Pet/2"]}, "entities": {
        "Pet/1": {"__typename": "Pet", "id": "1", "chip": "c1", "weights": [1, 2], "ration": 3, "mother": "@Pet/2"},
        "Pet/2": {"__typename": "Pet", "id": "2", "chip": "c2", "weights": [], "ration": null, "mother": null},
    }});
    let data = answered(&subgraphs, graph.clone(), "{ pets { ration } }").await;
    assert_eq!(data, json!({"pets": [{"ration": 3}, {"ration": null}]}));
    answered(
        &subgraphs,
        graph,
        "{ pets { chip mother { ration chip } ration } }",
    )
    .await;
}

#[tokio::test]
async fn of_a_type_behind_an_interface_object() {
    let subgraphs = [
        (
            "checkin",
            "type Query { goal: Goal goals: [Goal] } type Goal @interfaceObject @key(fields: \"id\") { id: ID! done: Int }",
        ),
        (
            "habit",
            "interface Goal @key(fields: \"id\") { id: ID! name: String } \
             type Distance implements Goal @key(fields: \"id\") { id: ID! name: String metres: Int! } \
             type Times implements Goal @key(fields: \"id\") { id: ID! name: String times: Int! }",
        ),
    ];
    let graph = json!({"Query": {"goal": "@g1", "goals": ["@g2", null, "@g1"]}, "entities": {
        "g1": {"__typename": "Distance", "interfaces": ["Goal"], "id": "g1", "name": "run", "metres": 5000, "done": 3},
        "g2": {"__typename": "Times", "interfaces": ["Goal"], "id": "g2", "name": "read", "times": 7, "done": null},
    }});
    let query = "{ goal { ... on Distance { metres } } }";
    let data = answered(&subgraphs, graph.clone(), query).await;
    assert_eq!(data, json!({"goal": {"metres": 5000}}));
    let query =
        "{ goals { __typename id done ... on Distance { metres name } ... on Times { times done } } }";
    answered(&subgraphs, graph, query).await;
}

/// The objects of an answer that are equal are one, until something differs.
#[tokio::test]
async fn of_equal_objects_at_several_levels() {
    let subgraphs = [
        (
            "old",
            "type Query { start: Step } type Step @key(fields: \"id\") { id: ID! name: String @shareable \
             next: [Step] @external length: Int @requires(fields: \"next { name }\") }",
        ),
        (
            "new",
            "type Step @key(fields: \"id\") { id: ID! name: String @shareable text: String next: [Step] }",
        ),
    ];
    let step = |id: u32, next: Value| {
        json!({"__typename": "Step", "id": format!("the step of number {id}"), "name": format!("Step {id}"), "text": "long ".repeat(200),
            "next": next, "length": id})
    };
    let graph = json!({"Query": {"start": "@Step/1"}, "entities": {
        "Step/1": step(1, json!(["@Step/2", "@Step/3"])),
        "Step/2": step(2, json!([])),
        "Step/3": step(3, json!(["@Step/2", "@Step/2"])),
    }});
    for query in [
        "{ start { next { text length next { again: length } } } }",
        "{ start { next { text length next { length } } } }",
        "{ start { text length next { a: length next { b: length next { c: length } } } } }",
    ] {
        answered(&subgraphs, graph.clone(), query).await;
    }
}
