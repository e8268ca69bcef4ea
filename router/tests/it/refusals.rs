//! Requests that are refused, and what callers may not see.

use std::sync::Arc;

use kernel::{Actor, Locale, Principal};
use router::{Engine, RouterConfig, Transports};
use serde_json::{Value, json};

use crate::harness::{SHOP, Shop, ask, ask_as, schemas, shown};
use crate::shop::Log;

#[tokio::test]
async fn documents_that_are_wrong_are_refused_with_their_places() {
    let shop = Shop::open().await;
    for (query, code, message) in [
        ("{ me { ", "GRAPHQL_PARSE_FAILED", "expected"),
        ("", "GRAPHQL_PARSE_FAILED", ""),
        ("{ nope me { id } }", "GRAPHQL_VALIDATION_FAILED", "nope"),
        ("{ me { _service } }", "GRAPHQL_VALIDATION_FAILED", ""),
        (
            "query A { me { id } } query B { me { id } }",
            "OPERATION_RESOLUTION_FAILURE",
            "",
        ),
        (
            "{ me { __typename: id } }",
            "GRAPHQL_VALIDATION_FAILED",
            "reserved",
        ),
        (
            "fragment F on User { ...F } { me { ...F } }",
            "GRAPHQL_VALIDATION_FAILED",
            "",
        ),
    ] {
        let answer = shop.ask(query).await;
        assert!(answer.get("data").is_none(), "{query}");
        assert_eq!(answer["errors"][0]["extensions"]["code"], code, "{answer}");
        let text = answer["errors"][0]["message"].as_str().unwrap_or_default();
        assert!(text.contains(message), "{query}: {text}");
    }
    assert_eq!(
        shop.ask("{ nope }").await["errors"][0]["locations"],
        json!([{"line": 1, "column": 3}])
    );
}

#[tokio::test]
async fn variables_that_are_wrong_are_refused_all_at_once() {
    let shop = Shop::open().await;
    let query = "query($f: Filter, $n: Int!) { products(filter: $f) { upc } users(first: $n) { id } }";
    let answer = shop
        .ask_with(query, json!({"f": {"kind": "STONE", "maxPrice": "x", "no": 1}}))
        .await;
    insta::assert_snapshot!(shown(&answer), @r#"
    {
      "errors": [
        {
          "extensions": {
            "code": "BAD_USER_INPUT",
            "issues": [
              {"code":"INVALID_ENUM_VALUE","message":"\"STONE\" is not a value of Kind","path":["f","kind"]},
              {"code":"INVALID_TYPE","message":"\"x\" is not a 32-bit integer","path":["f","maxPrice"]},
              {"code":"UNKNOWN_FIELD","message":"Filter has no field `no`","path":["f","no"]}
            ],
            "variable": "f"
          },
          "locations": [{"column":8,"line":1}],
          "message": "variable $f: \"STONE\" is not a value of Kind"
        },
        {
          "extensions": {
            "code": "BAD_USER_INPUT",
            "issues": [{"code":"REQUIRED","message":"a value of type Int! is required","path":["n"]}],
            "variable": "n"
          },
          "locations": [{"column":20,"line":1}],
          "message": "variable $n: a value of type Int! is required"
        }
      ]
    }
    "#);
}

#[tokio::test]
async fn operations_beyond_the_limits_are_refused() {
    let config =
        json!({"limits": {"max_depth": 3, "max_aliases": 2, "max_root_fields": 2, "max_tokens": 40}});
    let shop = Shop::with(&serde_json::from_value(config).expect("a configuration")).await;
    for (query, message) in [
        ("{ me { reviews { book { title } } } }", "depth"),
        ("{ a: me { id } b: me { id n: name } }", "aliases"),
        ("{ me { id } whoami users { id } }", "root fields"),
        (&format!("{{ me {{ id {} }} }}", "name ".repeat(50)), "token"),
    ] {
        let answer = shop.ask(query).await;
        let text = answer["errors"][0]["message"].as_str().unwrap_or_default();
        assert!(answer.get("data").is_none() && text.contains(message), "{answer}");
    }
}

#[test]
fn a_mistaken_key_in_the_configuration_is_refused() {
    let config = serde_json::from_value::<RouterConfig>(json!({"limits": {"max_dept": 3}}));
    assert!(config.expect_err("a mistake").to_string().contains("max_dept"));
}

fn guarded() -> Engine {
    let guards = SHOP
        .replacen("{\n  query: Query", "@link(url: \"https://specs.apollo.dev/authenticated/v0.1\", for: SECURITY) \
            @link(url: \"https://specs.apollo.dev/requiresScopes/v0.1\", for: SECURITY) \
            @link(url: \"https://specs.apollo.dev/policy/v0.1\", for: SECURITY) {\n  query: Query", 1)
        .replace("  email: String @join", "  email: String @authenticated @join")
        .replace("  tags: [String!]! @join", "  tags: [String!]! @policy(policies: [[\"users:read\"]]) @join")
        .replace("  rename(id", "  \"r\" rename(id")
        .replace("User! @join__field(graph: ACCOUNTS)", "User! @requiresScopes(scopes: [[\"profile:write\", \"x\"], [\"all\"]]) @join__field(graph: ACCOUNTS)")
        .replace("type Phone implements", "type Phone @authenticated implements")
        + "directive @authenticated on FIELD_DEFINITION | OBJECT\n\
           directive @requiresScopes(scopes: [[String!]!]!) on FIELD_DEFINITION\n\
           directive @policy(policies: [[String!]!]!) on FIELD_DEFINITION\n";
    let guards = guards.replace(
        "type Phone @authenticated implements Product @join",
        "type Phone implements Product @authenticated @join",
    );
    let mut transports = Transports::default();
    for (name, schema) in schemas(&Arc::new(Log::default())) {
        transports = transports.in_process(name, schema);
    }
    Engine::new(&guards, &RouterConfig::default(), transports).expect("an engine")
}

fn user(permissions: &[&str], scopes: Option<&[&str]>) -> Principal {
    let set = |names: &[&str]| Arc::new(names.iter().map(|name| (*name).to_owned()).collect());
    Principal {
        actor: Actor::User {
            id: "6543210f6543210f6543210f".parse().expect("an id"),
            session: "6543210f6543210f65432100".parse().expect("an id"),
            permissions: set(permissions),
            scopes: scopes.map(set),
        },
        locale: Locale::default(),
    }
}

#[tokio::test]
async fn fields_that_a_caller_may_not_see_are_null_with_an_error_and_not_asked_for() {
    let engine = guarded();
    let query = "{ me { name mail: email } search { __typename ... on Book { title } ... on Phone { weight } } whoami }";
    let answer = ask(&engine, query, &json!({})).await;
    insta::assert_snapshot!(shown(&answer), @r#"
    {
      "data": null,
      "errors": [
        {"extensions":{"code":"UNAUTHENTICATED"},"message":"log in to see this","path":["me","mail"]},
        {"extensions":{"code":"UNAUTHENTICATED"},"message":"log in to see this","path":["search",1,"weight"]}
      ]
    }
    "#);
    let answer = ask_as(
        &engine,
        "{ me { mail: email } whoami }",
        &json!({}),
        user(&[], None),
    )
    .await;
    assert_eq!(
        answer,
        json!({"data": {"me": {"mail": "1@example.com"}, "whoami": "6543210f6543210f6543210f"}})
    );
}

#[tokio::test]
async fn policies_are_permissions_and_scopes_are_granted_to_apps() {
    let engine = guarded();
    let codes = |answer: &Value| answer["errors"][0]["extensions"]["code"].clone();
    let tags = "{ me { tags } }";
    assert_eq!(
        codes(&ask_as(&engine, tags, &json!({}), Principal::anonymous()).await),
        "UNAUTHENTICATED"
    );
    assert_eq!(
        codes(&ask_as(&engine, tags, &json!({}), user(&[], None)).await),
        "FORBIDDEN"
    );
    assert_eq!(
        codes(&ask_as(&engine, tags, &json!({}), user(&["users:read"], None)).await),
        Value::Null
    );
    assert!(engine.requires_login("User", "tags") && !engine.requires_login("User", "name"));

    let rename = "mutation { rename(id: \"1\", name: \"x\") { id } }";
    assert_eq!(
        codes(&ask_as(&engine, rename, &json!({}), user(&[], Some(&["profile:write"]))).await),
        "FORBIDDEN"
    );
    for scopes in [None, Some(&["profile:write", "x"][..]), Some(&["all"][..])] {
        assert_eq!(
            codes(&ask_as(&engine, rename, &json!({}), user(&[], scopes)).await),
            Value::Null
        );
    }
}

#[test]
fn supergraphs_that_cannot_be_loaded_are_told_why() {
    for (sdl, message) in [
        ("type Query { a: Int }", "supergraph"),
        ("type {", "valid"),
        ("", ""),
    ] {
        let error = Engine::new(sdl, &RouterConfig::default(), Transports::default())
            .err()
            .expect("an error");
        assert!(error.to_string().contains(message), "{error}");
    }
    let nowhere = SHOP.replace("http://127.0.0.1:1/reviews", "ftp://reviews");
    let error = Engine::new(&nowhere, &RouterConfig::default(), Transports::default())
        .err()
        .expect("an error");
    assert!(error.to_string().contains("`reviews`"), "{error}");
}
