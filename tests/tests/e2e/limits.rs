//! What requests may cost, and how much each caller may ask for in a time.

use futures::future::join_all;
use serde_json::{Value, json};
use testkit::servers::Redis;
use tests::{Daka, LoneRouter, Shape, block_on};

scenarios!(answers_say_what_they_cost_and_how_the_limit_stands,);

const ME: &str = "{ me { id } }";

async fn answers_say_what_they_cost_and_how_the_limit_stands(daka: &Daka) {
    let alice = daka.someone().await;
    let asked = json!({ "query": ME, "extensions": { "cost": true } });
    let answer = alice.post_graphql(&asked).await.body;
    let cost = &answer["extensions"]["cost"];
    assert_eq!(
        (&cost["estimated"], &cost["actual"]),
        (&json!(1), &json!(1)),
        "{answer}"
    );
    assert_eq!(
        (&cost["max"], &cost["limit"]),
        (&json!(20_000), &json!(100_000)),
        "{answer}"
    );

    let limit = alice
        .query(
            "{ rateLimit { limit cost used remaining resetAt } me { id } }",
            json!({}),
        )
        .await;
    let limit = &limit["rateLimit"];
    let sum = limit["used"]
        .as_i64()
        .zip(limit["remaining"].as_i64())
        .map(|(used, left)| used + left);
    assert_eq!((sum, &limit["cost"]), (Some(100_000), &json!(1)), "{limit}");

    let habits = alice.get("/api/v1/habits").await;
    assert_eq!(habits.header("ratelimit-policy"), r#""people";q=100000;w=60"#);
    assert!(
        habits.header("ratelimit").starts_with(r#""people";r="#),
        "{:?}",
        habits.headers
    );
}

#[test]
fn an_embedded_platform_refuses_what_costs_too_much() {
    block_on(what_costs_too_much_is_refused(Shape::Embedded));
}

#[test]
fn a_distributed_platform_refuses_what_costs_too_much() {
    block_on(what_costs_too_much_is_refused(Shape::Distributed));
}

async fn what_costs_too_much_is_refused(shape: Shape) {
    let limits = [
        ("DAKA__ROUTER__DEMAND__MAX_COST__PEOPLE", "200"),
        ("DAKA__ROUTER__RATE_LIMIT__PREPARATION_COST", "0"),
        (
            "DAKA__ROUTER__RATE_LIMIT__ALLOWANCE__PEOPLE",
            "{ capacity = 100, per_minute = 1 }",
        ),
    ];
    let daka = Daka::start_with(shape, &limits).await;
    let alice = daka.someone().await;
    let long = alice.get("/api/v1/habits?limit=100").await;
    assert_eq!(long.refusal(), "400 COST_LIMIT_EXCEEDED");
    assert_eq!(long.body["limit"], 200);
    assert!(
        long.body["cost"].as_u64().is_some_and(|cost| cost > 200),
        "{}",
        long.body
    );

    // Each me is worth one, and the limit counts what REST and GraphQL ask together.
    let many = format!(
        "{{ {} }}",
        (0..70).map(|n| format!("m{n}: me {{ id }} ")).collect::<String>()
    );
    alice.query(&many, json!({})).await;
    let refused = alice.graphql(&many, json!({})).await;
    assert_eq!(
        (refused.status, refused.refusal()),
        (429, "RATE_LIMITED".to_owned())
    );
    let refused = loop {
        let answer = alice.get("/api/v1/users/me").await;
        if answer.status != 200 {
            break answer;
        }
    };
    assert_eq!(refused.refusal(), "429 RATE_LIMITED");
    assert_eq!(
        refused.body["retryAfter"].to_string(),
        refused.header("retry-after")
    );
    let bob = daka.someone().await;
    assert_eq!(bob.get("/api/v1/users/me").await.status, 200, "others may go on");
}

/// A subgraph that nobody asks.
const SUPERGRAPH: &str = r#"
    schema @link(url: "https://specs.apollo.dev/link/v1.0") @link(url: "https://specs.apollo.dev/join/v0.3", for: EXECUTION) { query: Query }
    directive @join__graph(name: String!, url: String!) on ENUM_VALUE
    directive @join__type(graph: join__Graph!) repeatable on OBJECT
    directive @link(url: String, for: link__Purpose) repeatable on SCHEMA
    enum link__Purpose { EXECUTION }
    enum join__Graph { A @join__graph(name: "a", url: "http://127.0.0.1:1/") }
    type Query @join__type(graph: A) { a: Int }
"#;

/// A router that lets each address ask ten times, with its buckets in that Redis.
async fn router(redis: &str, prefix: &str) -> LoneRouter {
    let settings = [
        ("DAKA__CACHE__BACKEND", "redis"),
        ("DAKA__CACHE__URL", redis),
        ("DAKA__CACHE__PREFIX", prefix),
        ("DAKA__ROUTER__RATE_LIMIT__ENABLED", "true"),
        ("DAKA__ROUTER__RATE_LIMIT__PREPARATION_COST", "0"),
        (
            "DAKA__ROUTER__RATE_LIMIT__ALLOWANCE__ANONYMOUS",
            "{ capacity = 10, per_minute = 1 }",
        ),
    ];
    LoneRouter::start_with(SUPERGRAPH, &settings).await
}

const CHEAPEST: &str = "{ __typename }";

fn code(answer: &Value) -> &str {
    answer["errors"][0]["extensions"]["code"]
        .as_str()
        .unwrap_or("none")
}

#[test]
fn several_routers_share_what_a_caller_may_ask() {
    block_on(async {
        let (url, prefix) = (testkit::servers::redis_url(), testkit::unique_name("rate"));
        let routers = join_all((0..3).map(|_| router(&url, &prefix))).await;
        let asks = (0..64).map(|number| routers[number % routers.len()].ask(CHEAPEST));
        let answers = join_all(asks).await;
        let let_through = answers.iter().filter(|answer| answer["data"].is_object()).count();
        assert_eq!(let_through, 10);
        assert!(
            answers
                .iter()
                .all(|it| it["data"].is_object() || code(it) == "RATE_LIMITED")
        );
    });
}

#[test]
fn a_router_whose_redis_is_away_limits_by_itself_and_says_so_once() {
    block_on(async {
        let mut redis = Redis::start().await;
        let router = router(redis.url(), &testkit::unique_name("rate")).await;
        for _ in 0..10 {
            assert_eq!(router.ask(CHEAPEST).await["data"]["__typename"], "Query");
        }
        assert_eq!(code(&router.ask(CHEAPEST).await), "RATE_LIMITED");
        redis.kill();
        // It begins with a full bucket of its own.
        for _ in 0..10 {
            assert_eq!(router.ask(CHEAPEST).await["data"]["__typename"], "Query");
        }
        assert_eq!(code(&router.ask(CHEAPEST).await), "RATE_LIMITED");
        let log = router.log();
        assert_eq!(log.matches("the cache server is away").count(), 1, "{log}");
    });
}
