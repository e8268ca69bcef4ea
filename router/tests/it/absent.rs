//! What clients get where a subgraph does not return an entity that another one refers to.

use axum::Router;
use axum::routing::post;
use router::{Engine, HttpSubgraph, RouterConfig, Transports};
use serde_json::{Value, json};

use crate::harness::{ask, listen};

const DIARY: &str = include_str!("fixtures/diary.graphql");

/// A diary that refers to the habits `h1` and `h2`, and to one that no other subgraph returns.
async fn diary() -> Engine {
    diary_of("hidden").await
}

/// The same with another habit in place of the last: `broken` fails, of `new` the figures are not there yet.
async fn diary_of(hidden: &str) -> Engine {
    let other = if hidden == "broken" { hidden } else { "h1" };
    let habit = |id: &str| json!({"__typename": "Habit", "id": id});
    let habits = json!([habit("h1"), habit(hidden), habit("h2"), null]);
    let goal = |id: &str| json!({"__typename": "Goal", "id": id, "done": 3});
    let roots = json!({
        "checkIn": {"id": "c1", "habit": habit(hidden), "other": habit(other), "sureHabit": habit(hidden),
            "subjects": [{"__typename": "Note", "text": "Rain"}, habit(hidden), habit("h2")]},
        "habits": habits, "sureHabits": [habit("h1"), habit(hidden)],
        "goal": goal("hidden"), "goals": [goal("g1"), goal("hidden")],
    });
    let mut transports = Transports::default();
    for name in ["checkin", "habit", "label", "stats"] {
        let roots = roots.clone();
        let handler = move |body: axum::Json<Value>| async move { axum::Json(answer(name, &roots, &body.0)) };
        let url = listen(Router::new().route("/", post(handler))).await;
        transports = transports.http(name, HttpSubgraph::new(&url).expect("an address"));
    }
    Engine::new(DIARY, &RouterConfig::default(), transports).expect("an engine")
}

/// More than was asked for does no harm: the router takes what it asked for.
fn answer(subgraph: &str, roots: &Value, body: &Value) -> Value {
    let query = body["query"].as_str().unwrap_or_default();
    let mut asked = query.split("_entities(representations:").peekable();
    let (mut data, mut errors) = (roots.clone(), Vec::new());
    while let (Some(before), Some(after)) = (asked.next(), asked.peek()) {
        let alias = before
            .trim_end()
            .rsplit(['{', '}', ' ', ','])
            .next()
            .unwrap_or_default();
        let alias = alias.strip_suffix(':').unwrap_or("_entities");
        let variable = after
            .trim_start()
            .trim_start_matches('$')
            .split(')')
            .next()
            .unwrap_or_default();
        let representations = body["variables"][variable].as_array().expect("representations");
        let entities = representations.iter().enumerate().map(|(index, representation)| {
            if representation["id"] == "broken" {
                errors.push(
                    json!({"message": "broken", "path": [alias, index], "extensions": {"code": "BROKEN"}}),
                );
            }
            entity(subgraph, representation)
        });
        data[alias] = entities.collect();
    }
    json!({ "data": data, "errors": errors })
}

fn entity(subgraph: &str, representation: &Value) -> Value {
    let id = representation["id"].as_str().unwrap_or_default();
    match (subgraph, id) {
        (_, "hidden" | "broken") | ("stats", "new") => Value::Null,
        ("label", _) => {
            let title = representation["title"].as_str().expect("the title");
            json!({"__typename": "Habit", "label": format!("*{title}*")})
        }
        _ if representation["__typename"] == "Goal" => {
            json!({"__typename": "Distance", "id": id, "name": "Far", "done": 3})
        }
        _ => {
            let title = format!("Habit {id}");
            json!({"__typename": "Habit", "id": id, "title": title, "color": "red", "streak": 3, "rank": 1})
        }
    }
}

async fn answered(query: &str) -> Value {
    ask(&diary().await, query, &json!({})).await
}

async fn data(query: &str) -> Value {
    let answer = answered(query).await;
    assert_eq!(answer.get("errors"), None, "{query}: {answer}");
    answer["data"].clone()
}

fn not_found(path: Value, service: &str) -> Value {
    let message = format!("what must be here was not found in the service `{service}`");
    json!([{"message": message, "path": path, "extensions": {"code": "NOT_FOUND", "service": service}}])
}

#[tokio::test]
async fn where_null_may_be_an_entity_that_is_not_returned_is_null() {
    let seen = data("{ checkIn { id habit { id title } other { title } } }").await;
    assert_eq!(
        seen,
        json!({"checkIn": {"id": "c1", "habit": null, "other": {"title": "Habit h1"}}})
    );
    let seen = data("{ checkIn { habit { t: title title streak } } }").await;
    assert_eq!(seen, json!({"checkIn": {"habit": null}}));
}

#[tokio::test]
async fn what_the_referring_subgraph_says_itself_stays() {
    let seen = data("{ checkIn { habit { id } } }").await;
    assert_eq!(seen, json!({"checkIn": {"habit": {"id": "hidden"}}}));
    let seen = data("{ checkIn { habit { id color } } }").await;
    assert_eq!(
        seen,
        json!({"checkIn": {"habit": {"id": "hidden", "color": null}}})
    );
}

#[tokio::test]
async fn in_a_list_only_its_own_item_is_null() {
    let seen =
        data("{ habits { title } checkIn { subjects { ... on Note { text } ... on Habit { title } } } }")
            .await;
    assert_eq!(
        seen,
        json!({
            "habits": [{"title": "Habit h1"}, null, {"title": "Habit h2"}, null],
            "checkIn": {"subjects": [{"text": "Rain"}, null, {"title": "Habit h2"}]},
        })
    );
}

#[tokio::test]
async fn where_the_entity_must_not_be_null_the_client_is_told() {
    let seen = answered("{ checkIn { id sureHabit { title } } habits { id } }").await;
    assert_eq!(seen["data"]["checkIn"], Value::Null);
    assert_eq!(seen["data"]["habits"][0], json!({"id": "h1"}));
    assert_eq!(
        seen["errors"],
        not_found(json!(["checkIn", "sureHabit"]), "habit")
    );
    let seen = answered("{ sureHabits { title label streak } }").await;
    assert_eq!(seen["data"], json!({"sureHabits": null}));
    assert_eq!(seen["errors"], not_found(json!(["sureHabits", 1]), "habit"));
}

#[tokio::test]
async fn an_error_of_the_subgraph_is_shown() {
    let engine = diary_of("broken").await;
    let seen = ask(
        &engine,
        "{ checkIn { id habit { title } other { color } } }",
        &json!({}),
    )
    .await;
    assert_eq!(
        seen["data"],
        json!({"checkIn": {"id": "c1", "habit": null, "other": {"color": null}}})
    );
    let told: Vec<String> = seen["errors"]
        .as_array()
        .expect("errors")
        .iter()
        .map(|error| format!("{} {}", error["path"], error["extensions"]["code"]))
        .collect();
    assert_eq!(
        told,
        [
            r#"["checkIn","habit","title"] "BROKEN""#,
            r#"["checkIn","other","color"] "BROKEN""#
        ]
    );
}

#[tokio::test]
async fn a_subgraph_that_only_adds_to_an_entity_takes_only_its_own_part_along() {
    let engine = diary_of("new").await;
    let seen = ask(&engine, "{ checkIn { habit { title rank } } }", &json!({})).await;
    assert_eq!(
        seen,
        json!({"data": {"checkIn": {"habit": {"title": "Habit new", "rank": null}}}})
    );
    let seen = ask(&engine, "{ checkIn { habit { title rank streak } } }", &json!({})).await;
    assert_eq!(seen, json!({"data": {"checkIn": {"habit": null}}}));
    let seen = ask(&engine, "{ checkIn { sureHabit { title streak } } }", &json!({})).await;
    assert_eq!(
        seen["errors"],
        not_found(json!(["checkIn", "sureHabit"]), "stats")
    );
}

#[tokio::test]
async fn what_requires_something_of_it_is_not_asked_for() {
    let seen = data("{ checkIn { habit { label } other { label } } }").await;
    assert_eq!(
        seen,
        json!({"checkIn": {"habit": null, "other": {"label": "*Habit h1*"}}})
    );
    let seen = answered("{ checkIn { sureHabit { label } } }").await;
    assert_eq!(
        seen["errors"],
        not_found(json!(["checkIn", "sureHabit"]), "habit")
    );
}

#[tokio::test]
async fn an_object_whose_type_nobody_tells_is_null() {
    let seen = data("{ goals { __typename id name done } goal { __typename } }").await;
    assert_eq!(
        seen,
        json!({
            "goals": [{"__typename": "Distance", "id": "g1", "name": "Far", "done": 3}, null],
            "goal": null,
        })
    );
    let seen = data("{ goal { id done name } }").await;
    assert_eq!(seen, json!({"goal": {"id": "hidden", "done": 3, "name": null}}));
}
