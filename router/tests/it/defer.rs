//! Answers in parts: what `@defer` marks comes later.

use std::sync::Arc;

use futures::StreamExt;
use kernel::Principal;
use router::{Engine, GraphQlRequest, Limits, RequestContext, RouterConfig};
use serde_json::{Value, json};

use crate::differential::{assert_none, library, nodes};
use crate::generate::Generator;
use crate::graph::Federation;
use crate::harness::{Shop, shown};

/// The parts of an answer.
pub(crate) async fn parts(engine: &Arc<Engine>, query: &str, variables: &Value) -> Vec<Value> {
    let context = RequestContext::new(Arc::new(Principal::anonymous()));
    let request = GraphQlRequest {
        query: Some(query.to_owned()),
        ..GraphQlRequest::default()
    };
    let prepared = engine
        .prepare_request(&request, &context)
        .await
        .unwrap_or_else(|errors| panic!("{query}: {errors:?}"));
    let variables = variables.as_object().cloned().unwrap_or_default();
    let (first, later) = engine.execute_in_parts(&prepared, variables, &context).await;
    let read = |bytes: &[u8]| -> Value { serde_json::from_slice(bytes).expect("JSON") };
    let mut parts = vec![read(&first.into_body())];
    if let Some(later) = later {
        parts[0]["hasNext"] = json!(true);
        let rest: Vec<_> = later.payloads().collect().await;
        parts.extend(rest.iter().map(|part| read(part)));
    }
    parts
}

/// What a client makes of the parts, with what is wrong about them.
pub(crate) fn merged(parts: &[Value]) -> Result<Value, String> {
    let mut whole = json!({"data": parts[0]["data"], "errors": []});
    let mut errors = parts[0]["errors"].as_array().cloned().unwrap_or_default();
    for (number, part) in parts.iter().enumerate() {
        let is_last = number + 1 == parts.len();
        if parts.len() > 1 && part["hasNext"] != json!(!is_last) {
            return Err(format!("`hasNext` of part {number} is wrong"));
        }
        for entry in part["incremental"].as_array().into_iter().flatten() {
            let mut place = &mut whole["data"];
            for step in entry["path"].as_array().ok_or("no path")? {
                let inner = match step {
                    Value::String(key) => place.get_mut(key),
                    step => place.get_mut(step.as_u64().unwrap_or_default() as usize),
                };
                place = inner
                    .filter(|it| !it.is_null())
                    .ok_or_else(|| format!("nothing is at {}", entry["path"]))?;
            }
            if !entry["data"].is_null() {
                merge(place, &entry["data"])?;
            }
            errors.extend(entry["errors"].as_array().cloned().unwrap_or_default());
        }
    }
    whole["errors"] = Value::Array(errors);
    Ok(whole)
}

fn merge(old: &mut Value, new: &Value) -> Result<(), String> {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            for (key, value) in new {
                merge(old.entry(key).or_insert(value.clone()), value)?;
            }
        }
        (Value::Array(old), Value::Array(new)) if old.len() == new.len() => {
            for (old, new) in old.iter_mut().zip(new) {
                merge(old, new)?;
            }
        }
        (old, new) if *old == *new => {}
        (old, new) => return Err(format!("first {old}, then {new}")),
    }
    Ok(())
}

async fn compare(
    federation: &Federation,
    query: &str,
    variables: &Value,
    deferred: &mut usize,
) -> Option<String> {
    federation.calls.lock().expect("the calls").clear();
    let expected = federation.monolith(query, variables);
    let parts = parts(&federation.engine, query, variables).await;
    let actual = merged(&parts);
    *deferred += parts.len() - 1;
    if actual
        .as_ref()
        .is_ok_and(|actual| actual["data"] == expected["data"] && actual["errors"] == json!([]))
    {
        return None;
    }
    let calls = federation.calls.lock().expect("the calls").join("\n");
    let shown: Vec<_> = parts.iter().map(Value::to_string).collect();
    Some(format!(
        "{query}\n{variables}\n{}\nis        {actual:?}\nshould be {expected}\n{calls}\n",
        shown.join("\n")
    ))
}

#[tokio::test]
async fn all_parts_together_are_the_answer_without_defer() {
    let (mut wrong, mut deferred) = (Vec::new(), 0);
    for (folder, graph) in [("library", library()), ("nodes", nodes())] {
        let federation = Federation::open(folder, graph).await;
        let schema = federation.engine.api_schema().clone();
        for seed in 1..=30 {
            let query = Generator::deferring(&schema, seed).query();
            for variables in [json!({"t": true, "f": false}), json!({"t": false, "f": true})] {
                wrong.extend(compare(&federation, &query, &variables, &mut deferred).await);
            }
        }
    }
    assert_none(wrong);
    assert!(deferred > 60, "only {deferred} parts came later");
}

/// The library with some fields that fail.
async fn failing() -> Federation {
    let mut graph = library();
    for (entity, field) in [("Person/1", "score"), ("Person/2", "nick"), ("Person/3", "name")] {
        graph["entities"][entity][field] = json!({"error": format!("no {field}")});
    }
    Federation::open("library", graph).await
}

async fn show(federation: &Federation, query: &str) -> String {
    federation.calls.lock().expect("the calls").clear();
    let parts = parts(&federation.engine, query, &json!({"on": true, "off": false})).await;
    merged(&parts).expect("parts that fit together");
    parts.iter().map(shown).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn a_deferred_fragment_comes_after_the_rest() {
    let library = Federation::open("library", library()).await;
    let query = r#"{ people(first: 2) { name ... @defer(label: "more") { name score } } }"#;
    insta::assert_snapshot!(show(&library, query).await, @r#"
    {"data":{"people":[{"name":"Person 1"},{"name":"Person 2"}]},"hasNext":true}
    {
      "hasNext": false,
      "incremental": [
        {"data":{"name":"Person 1","score":100},"label":"more","path":["people",0]},
        {"data":{"name":"Person 2","score":200},"label":"more","path":["people",1]}
      ]
    }
    "#);
}

#[tokio::test]
async fn what_comes_first_is_not_fetched_again() {
    let library = Federation::open("library", library()).await;
    show(&library, "{ me { name best { name } ...More @defer } } fragment More on Person { name age best { name score } }").await;
    insta::assert_snapshot!(library.calls.lock().expect("the calls").join("\n"), @r#"
    people: {me{name best{name __typename id} __typename id}} null
    people: query($representations:[_Any!]!){_entities(representations: $representations){...on Person{age address{city}}}} {"representations":[{"__typename":"Person","id":"p2"}]}
    people: query($representations:[_Any!]!){_entities(representations: $representations){...on Person{age}}} {"representations":[{"__typename":"Person","id":"p1"}]}
    stats: query($representations:[_Any!]!){_entities(representations: $representations){...on Person{score}}} {"representations":[{"__typename":"Person","address":null,"age":20,"id":"p2"}]}
    "#);
}

#[tokio::test]
async fn deferred_fragments_within_deferred_fragments_come_one_after_the_other() {
    let library = Federation::open("library", library()).await;
    let query =
        r#"{ me { id ... @defer(label: "outer") { best { name ... @defer(label: "inner") { score } } } } }"#;
    insta::assert_snapshot!(show(&library, query).await, @r#"
    {"data":{"me":{"id":"p1"}},"hasNext":true}
    {"hasNext":true,"incremental":[{"data":{"best":{"name":"Person 2"}},"label":"outer","path":["me"]}]}
    {"hasNext":false,"incremental":[{"data":{"score":200},"label":"inner","path":["me","best"]}]}
    "#);
}

#[tokio::test]
async fn at_the_root_and_below_what_is_no_entity() {
    let library = Federation::open("library", library()).await;
    let query = r#"{ me { name } ... @defer(label: "root") { library { open } } }"#;
    insta::assert_snapshot!(show(&library, query).await, @r#"
    {"data":{"me":{"name":"Person 1"}},"hasNext":true}
    {"hasNext":false,"incremental":[{"data":{"library":{"open":true}},"label":"root","path":[]}]}
    "#);
    let query = r#"{ library { ... @defer(label: "below") { open books { title loans } } } }"#;
    insta::assert_snapshot!(show(&library, query).await, @r#"
    {"data":{"library":{}},"hasNext":true}
    {
      "hasNext": false,
      "incremental": [{"data":{"books":[{"loans":2,"title":"Book 2"}],"open":true},"label":"below","path":["library"]}]
    }
    "#);
}

#[tokio::test]
async fn what_would_wait_for_nothing_is_not_deferred() {
    let library = Federation::open("library", library()).await;
    for query in [
        "{ library { ... @defer { open } } }",
        "{ me { name ... @defer { name } } }",
        "{ me { name ... @defer(if: false) { score } } }",
        "query($off: Boolean!) { me { name ... @defer(if: $off) { score } } }",
        "query($off: Boolean!) { me { name ... @defer @include(if: $off) { score } } }",
        "{ ... @defer { __typename __schema { queryType { name } } } }",
    ] {
        let parts = parts(&library.engine, query, &json!({"off": false})).await;
        assert_eq!(parts.len(), 1, "{query}");
        assert_eq!(parts[0].get("hasNext"), None, "{query}");
    }
}

#[tokio::test]
async fn a_null_goes_no_further_than_the_deferred_fragment() {
    let library = failing().await;
    let query = r#"{ people { id ... @defer(label: "score") { s: score } } }"#;
    insta::assert_snapshot!(show(&library, query).await, @r#"
    {"data":{"people":[{"id":"p1"},{"id":"p2"},{"id":"p3"}]},"hasNext":true}
    {
      "hasNext": false,
      "incremental": [
        {
          "data": null,
          "errors": [{"extensions":{"service":"stats"},"message":"resolver error: no score","path":["people",0,"s"]}],
          "label": "score",
          "path": ["people",0]
        },
        {"data":{"s":200},"label":"score","path":["people",1]},
        {"data":{"s":300},"label":"score","path":["people",2]}
      ]
    }
    "#);
    let query = "{ people { id ... @defer { n: nick(upper: true) best { name } } } }";
    insta::assert_snapshot!(show(&library, query).await, @r#"
    {"data":{"people":[{"id":"p1"},{"id":"p2"},{"id":"p3"}]},"hasNext":true}
    {
      "hasNext": false,
      "incremental": [
        {"data":{"best":{"name":"Person 2"},"n":"N1 {\"upper\":true}"},"path":["people",0]},
        {
          "data": {"best":null,"n":null},
          "errors": [{"extensions":{"service":"people"},"message":"resolver error: no nick","path":["people",1,"n"]}],
          "path": ["people",1]
        },
        {
          "data": {"best":null,"n":"N3 {\"upper\":true}"},
          "errors": [
            {
              "extensions": {"service":"people"},
              "message": "resolver error: no name",
              "path": ["people",2,"best","name"]
            }
          ],
          "path": ["people",2]
        }
      ]
    }
    "#);
}

#[tokio::test]
async fn nothing_is_delivered_for_what_is_null() {
    let library = failing().await;
    let query = "{ me { id best { name ... @defer { age } } rival { name ... @defer { age } } } }";
    insta::assert_snapshot!(show(&library, query).await, @r#"
    {
      "data": {"me":{"best":{"name":"Person 2"},"id":"p1","rival":null}},
      "errors": [{"extensions":{"service":"people"},"message":"resolver error: no name","path":["me","rival","name"]}],
      "hasNext": true
    }
    {"hasNext":false,"incremental":[{"data":{"age":20},"path":["me","best"]}]}
    "#);
    let query = "{ me { best { name best { name } } rival { name ... @defer { age } } } }";
    insta::assert_snapshot!(show(&library, query).await, @r#"
    {
      "data": {"me":{"best":{"best":null,"name":"Person 2"},"rival":null}},
      "errors": [{"extensions":{"service":"people"},"message":"resolver error: no name","path":["me","rival","name"]}]
    }
    "#);
}

#[tokio::test]
async fn what_the_specification_forbids_is_refused() {
    let shop = Shop::open().await;
    let mut answers = Vec::new();
    for query in [
        "query($l: String) { me { ... @defer(label: $l) { name } } }",
        r#"{ me { ... @defer(label: "x") { name } ... @defer(label: "x") { email } } }"#,
        r#"mutation { ... @defer { rename(id: 1, name: "Eve") { id } } }"#,
        "{ me @defer { name } }",
        "{ me { ... @defer @defer { name } } }",
        "{ me { ... @defer(if: null) { name } } }",
    ] {
        let answer = shop.ask(query).await;
        let error = &answer["errors"][0];
        answers.push(format!(
            "{} {} {}",
            error["extensions"]["code"], error["locations"][0], error["message"]
        ));
    }
    insta::assert_snapshot!(answers.join("\n"), @r#"
    "GRAPHQL_VALIDATION_FAILED" {"column":44,"line":1} "`@defer` label argument must be a static String, not a variable"
    "GRAPHQL_VALIDATION_FAILED" {"column":58,"line":1} "`@defer` label `x` is not unique within the document"
    "GRAPHQL_VALIDATION_FAILED" {"column":16,"line":1} "`@defer` is not allowed on root selections of mutation operations"
    "GRAPHQL_VALIDATION_FAILED" {"column":6,"line":1} "defer directive is not supported for FIELD location"
    "GRAPHQL_VALIDATION_FAILED" {"column":19,"line":1} "non-repeatable directive defer can only be used once per location"
    "GRAPHQL_VALIDATION_FAILED" {"column":23,"line":1} "expected value of type Boolean!, found null"
    "#);
}

#[tokio::test]
async fn deferred_fields_count_like_others() {
    let config = RouterConfig {
        limits: Limits {
            max_fields: 4,
            ..Limits::default()
        },
        ..RouterConfig::default()
    };
    let shop = Shop::with(&config).await;
    let answer = shop.ask("{ me { id ... @defer { name email tags } } }").await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "COST_LIMIT_EXCEEDED");
}

#[tokio::test]
async fn who_takes_no_parts_gets_the_whole_answer() {
    let shop = Shop::open().await;
    let answer = shop.ask("{ me { id ... @defer { name } } }").await;
    assert_eq!(
        answer,
        json!({"data": {"me": {"id": "1", "name": "Ada \"the first\""}}})
    );
}

#[tokio::test]
async fn below_the_root_of_a_mutation() {
    let shop = Shop::open().await;
    let engine = Arc::new(shop.http);
    let query = r#"mutation { rename(id: 1, name: "Eve") { id ... @defer { name reviews { id } } } }"#;
    let parts = parts(&engine, query, &json!({})).await;
    insta::assert_snapshot!(parts.iter().map(shown).collect::<Vec<_>>().join("\n"), @r#"
    {"data":{"rename":{"id":"1"}},"hasNext":true}
    {
      "hasNext": false,
      "incremental": [{"data":{"name":"Ada \"the first\"","reviews":[{"id":"3"}]},"path":["rename"]}]
    }
    "#);
    assert_eq!(shop.log.take(), ["rename 1 Eve"]);
}

#[tokio::test]
async fn clients_see_the_directive() {
    let shop = Shop::open().await;
    let answer = shop.ask("{ __schema { directives { name locations args { name defaultValue type { kind ofType { name } } } } } }").await;
    let directives = answer["data"]["__schema"]["directives"]
        .as_array()
        .expect("directives");
    let defer = directives
        .iter()
        .find(|it| it["name"] == "defer")
        .expect("`@defer`");
    insta::assert_snapshot!(shown(defer), @r#"
    {
      "args": [
        {"defaultValue":null,"name":"label","type":{"kind":"SCALAR","ofType":null}},
        {"defaultValue":"true","name":"if","type":{"kind":"NON_NULL","ofType":{"name":"Boolean"}}}
      ],
      "locations": ["FRAGMENT_SPREAD","INLINE_FRAGMENT"],
      "name": "defer"
    }
    "#);
}
