//! What operations may cost.

use std::sync::Arc;

use axum::body::Body;
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use kernel::{Clock, Principal, Random};
use router::http::{HttpOptions, service};
use router::{ByCaller, DemandMode, Engine, EngineHandle, RouterConfig, ShowCost, Transports};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::harness::{Shop, ask, ask_as, schemas};
use crate::shop::Log;

/// The shop's users and what they wrote, with what they cost: users are sliced, and reviews count as ten.
const PRICED: &str = include_str!("fixtures/shop.graphql");

pub(crate) fn priced() -> String {
    let link = r#"@link(url: "https://specs.apollo.dev/join/v0.3", for: EXECUTION)"#;
    let cost = r#"@link(url: "https://specs.apollo.dev/cost/v0.1", import: [{name: "@cost", as: "@price"}, {name: "@listSize", as: "@federation__listSize"}])"#;
    let directives = "directive @price(weight: Int!) on FIELD_DEFINITION | OBJECT
directive @federation__listSize(assumedSize: Int, slicingArguments: [String!], sizedFields: [String!], requireOneSlicingArgument: Boolean = true) on FIELD_DEFINITION";
    let users = PRICED
        .lines()
        .find(|line| line.trim_start().starts_with("users("))
        .expect("users");
    let sliced = format!("{users} @federation__listSize(slicingArguments: [\"first\"])");
    let sdl = PRICED
        .replace(link, &format!("{link} {cost}"))
        .replace(users, &sliced);
    format!("{sdl}\n{directives}\n")
}

fn engine(config: &RouterConfig) -> Engine {
    let mut transports = Transports::default();
    for (name, schema) in schemas(&Arc::new(Log::default())) {
        transports = transports.in_process(name, schema);
    }
    Engine::new(&priced(), config, transports).expect("an engine")
}

fn config(mode: DemandMode, limit: u64) -> RouterConfig {
    let mut config = RouterConfig::default();
    config.demand.mode = Some(mode);
    config.demand.max_cost = ByCaller {
        anonymous: limit,
        people: limit * 2,
        apps: limit,
        staff: 0,
    };
    config
}

async fn post(engine: Engine, config: &RouterConfig, body: Value) -> (StatusCode, Value) {
    let options = HttpOptions {
        config: config.clone(),
        ..HttpOptions::default()
    };
    let request = Request::post("/graphql")
        .header("content-type", "application/json")
        .header("accept", "application/graphql-response+json")
        .body(Body::from(body.to_string()))
        .expect("a request");
    let service = service(EngineHandle::new(Arc::new(engine)), options);
    let (parts, body) = service.oneshot(request).await.expect("an answer").into_parts();
    let bytes = body.collect().await.expect("a body").to_bytes();
    (parts.status, serde_json::from_slice(&bytes).expect("JSON"))
}

const USERS: &str = "query($n: Int) { users(first: $n) { id } }";

#[tokio::test]
async fn what_costs_too_much_is_refused_before_it_runs() {
    let config = config(DemandMode::Enforce, 10);
    let body = json!({ "query": USERS, "variables": { "n": 11 } });
    let (status, answer) = post(engine(&config), &config, body).await;
    assert_eq!(status, 400);
    assert_eq!(
        answer,
        json!({"errors": [{
            "message": "the operation costs 11; 10 is the limit: ask for fewer or shorter lists",
            "extensions": {"code": "COST_LIMIT_EXCEEDED", "cost": 11, "limit": 10},
        }]})
    );
    let body = json!({ "query": USERS, "variables": { "n": 10 } });
    let (status, answer) = post(engine(&config), &config, body).await;
    assert_eq!(
        (status.as_u16(), answer["data"]["users"].as_array().map(Vec::len)),
        (200, Some(3))
    );
}

#[tokio::test]
async fn each_kind_of_caller_has_a_limit_of_its_own() {
    let engine = engine(&config(DemandMode::Enforce, 10));
    let random = Random::seeded(1);
    let now = Clock::system().now();
    let person = Principal::user(random.id(now), random.id(now));
    let variables = json!({ "n": 15 });
    assert_eq!(
        ask_as(&engine, USERS, &variables, person).await["errors"],
        Value::Null
    );
    let service = Principal::service("worker");
    assert_eq!(
        ask_as(&engine, USERS, &json!({ "n": 1_000 }), service).await["errors"],
        Value::Null
    );
    let code = &ask(&engine, USERS, &variables).await["errors"][0]["extensions"]["code"];
    assert_eq!(code, "COST_LIMIT_EXCEEDED");
}

#[tokio::test]
async fn a_list_that_must_be_sliced_says_which_when_it_is_not() {
    let engine = engine(&config(DemandMode::Enforce, 1_000));
    let answer = ask(&engine, USERS, &json!({ "n": null })).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
    insta::assert_snapshot!(answer["errors"][0]["message"], @r#""Query.users takes exactly one argument that limits it, and has 0""#);
}

#[tokio::test]
async fn where_costs_are_measured_nothing_is_refused() {
    let engine = engine(&config(DemandMode::Measure, 1));
    let answer = ask(&engine, "{ users(first: 3) { id } }", &json!({})).await;
    assert_eq!(
        answer,
        json!({"data": {"users": [{"id": "1"}, {"id": "2"}, {"id": "3"}]}})
    );
}

#[tokio::test]
async fn who_asks_is_told_what_the_answer_cost() {
    let mut config = config(DemandMode::Enforce, 50);
    let asks = json!({ "query": USERS, "variables": { "n": 20 }, "extensions": { "cost": true } });
    let (_, answer) = post(engine(&config), &config, asks.clone()).await;
    assert_eq!(
        answer["extensions"]["cost"],
        json!({"estimated": 20, "actual": 3, "max": 50})
    );
    let silent = json!({ "query": USERS, "variables": { "n": 20 } });
    let (_, answer) = post(engine(&config), &config, silent.clone()).await;
    assert_eq!(answer.get("extensions"), None);
    config.demand.show = ShowCost::Never;
    let (_, answer) = post(engine(&config), &config, asks).await;
    assert_eq!(answer.get("extensions"), None);
    config.demand.show = ShowCost::Always;
    let (_, answer) = post(engine(&config), &config, silent).await;
    assert_eq!(answer["extensions"]["cost"]["estimated"], 20);
}

#[tokio::test]
async fn each_request_of_a_batch_is_judged_by_itself() {
    let mut config = config(DemandMode::Enforce, 10);
    config.batching.enabled = true;
    let one = |n: u32| json!({ "query": USERS, "variables": { "n": n }, "extensions": { "cost": true } });
    let (status, answers) = post(engine(&config), &config, json!([one(2), one(11)])).await;
    assert_eq!(status, 200);
    assert_eq!(answers[0]["extensions"]["cost"]["actual"], 2);
    assert_eq!(
        answers[1]["errors"][0]["extensions"]["code"],
        "COST_LIMIT_EXCEEDED"
    );
}

#[tokio::test]
async fn fields_that_fail_or_are_left_out_cost_what_is_there() {
    let engine = engine(&config(DemandMode::Measure, 0));
    let prepared = engine.prepare(
        "query($on: Boolean!) { me { id } users(first: 9) @include(if: $on) { id } }",
        None,
    );
    let prepared = prepared.expect("a good operation");
    let with = |on: bool| json!({ "on": on }).as_object().cloned().unwrap_or_default();
    assert_eq!(prepared.estimate(&with(false)), Some(1));
    // Cases are made ready when they are first asked for.
    ask(
        &engine,
        "query($on: Boolean!) { me { id } users(first: 9) @include(if: $on) { id } }",
        &json!({"on": true}),
    )
    .await;
    assert_eq!(prepared.estimate(&with(true)), Some(10));
}

#[tokio::test]
async fn a_router_that_is_told_nothing_asks_no_price() {
    let shop = Shop::open().await;
    let prepared = shop
        .in_process
        .prepare("{ me { id } }", None)
        .expect("a good operation");
    assert_eq!(prepared.estimate(&Default::default()), None);
}
