//! Headers are passed on by rules: the client's to subgraphs, and the subgraphs' to the client.

mod house;

use futures::FutureExt;
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use router::EngineHandle;
use router::http::{HttpOptions, service};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::harness::execute;
use house::{House, WAYS, Way, context, load, passed};

const BOTH: &str = "{ left right }";
/// The right side is asked after the left one.
const ROOM: &str = "{ room { size } }";

#[tokio::test]
async fn a_subgraph_is_sent_what_the_rules_say() {
    let rules = json!({
        "propagate": [
            "accept-language",
            { "name": "x-user", "rename": "x-person" },
            { "name": "x-tenant", "default": "none" },
            { "matching": "x-ctx-(.*)", "rename": "x-$1" },
            { "matching": "X-Debug-.+" },
        ],
        "remove": ["x-debug-all", { "matching": ".*-secret" }],
        "insert": { "x-router": "daka", "x-debug-level": "3" },
    });
    for way in WAYS {
        let config = json!({ "subgraphs": { "left": { "headers": rules } } });
        let house = House::open(way, config).await;
        let client = [
            ("accept-language", "nl"),
            ("x-user", "ada"),
            ("x-ctx-city", "Delft"),
            ("x-ctx-secret", "1"),
            ("x-debug-all", "1"),
            ("x-debug-level", "1"),
            ("x-debug-a", "1"),
            ("x-debug-a", "2"),
            ("x-other", "1"),
        ];
        let (data, _) = house.ask(BOTH, &client).await;
        let expected = "accept-language: nl, x-city: Delft, x-debug-a: 1, x-debug-a: 2, x-debug-level: 3, \
             x-person: ada, x-router: daka, x-tenant: none";
        assert_eq!(data["left"], expected, "{way:?}");
        // The other side has no rules.
        assert_eq!(data["right"], "", "{way:?}");
    }
}

#[tokio::test]
async fn of_two_rules_for_one_name_the_first_that_has_something_wins() {
    let rules =
        json!([{ "name": "x-new", "rename": "x-id" }, { "name": "x-old", "rename": "x-id", "default": "0" }]);
    let house = House::open(Way::Http, json!({ "all_subgraphs": { "headers": rules } })).await;
    for (client, expected) in [
        (vec![("x-old", "1"), ("x-new", "2")], "x-id: 2"),
        (vec![("x-old", "1")], "x-id: 1"),
        (vec![], "x-id: 0"),
    ] {
        assert_eq!(house.ask("{ left }", &client).await.0["left"], expected);
    }
}

#[tokio::test]
async fn a_pattern_never_passes_on_what_is_about_the_connection_or_the_routers_own() {
    let house = House::open(
        Way::Http,
        json!({ "all_subgraphs": { "headers": [{ "matching": ".*" }] } }),
    )
    .await;
    let client = [
        ("connection", "keep-alive, X-Hop"),
        ("x-hop", "1"),
        ("keep-alive", "timeout=5"),
        ("te", "trailers"),
        ("upgrade", "h2c"),
        ("transfer-encoding", "chunked"),
        ("proxy-authorization", "secret"),
        ("content-length", "7"),
        ("content-type", "text/plain"),
        ("content-encoding", "gzip"),
        ("accept-encoding", "gzip"),
        ("host", "elsewhere"),
        ("if-none-match", "\"1\""),
        ("daka-principal", "forged"),
        ("x-mine", "1"),
    ];
    assert_eq!(house.ask("{ left }", &client).await.0["left"], "x-mine: 1");
}

#[test]
fn a_rule_that_cannot_work_is_refused_at_start_with_its_place() {
    let at = |key: &str, rules: Value| {
        let config = json!({ "subgraphs": { "left": { key: rules } } });
        load(config).err().expect("it is refused").to_string()
    };
    let left = "router.subgraphs.left";
    let belongs = "belongs to the router or to one connection, and no rule may name it";
    let cases = [
        (
            "headers",
            json!(["host"]),
            format!("{left}.headers.propagate[0].name: `host` {belongs}"),
        ),
        (
            "headers",
            json!([{ "name": "x-a", "rename": "Daka-Principal" }]),
            format!("{left}.headers.propagate[0].rename: `Daka-Principal` {belongs}"),
        ),
        (
            "headers",
            json!({ "insert": { "traceparent": "1" } }),
            format!("{left}.headers.insert.traceparent: `traceparent` {belongs}"),
        ),
        (
            "headers",
            json!({ "remove": ["x-a", "te"] }),
            format!("{left}.headers.remove[1].name: `te` {belongs}"),
        ),
        (
            "headers",
            json!(["x a"]),
            format!("{left}.headers.propagate[0].name: `x a` is not the name of a header"),
        ),
        (
            "headers",
            json!({ "insert": { "x-a": "1\n2" } }),
            format!("{left}.headers.insert.x-a: not the value of a header"),
        ),
        (
            "headers",
            json!([{ "name": "x-a", "merge": "first" }]),
            format!("{left}.headers.propagate[0].merge: only answers are merged"),
        ),
        (
            "response_headers",
            json!([{ "name": "x-a", "matching": "x-.*" }]),
            format!("{left}.response_headers.propagate[0]: either `name` or `matching` is needed"),
        ),
        (
            "response_headers",
            json!([{ "matching": "x-.*", "default": "1" }]),
            format!("{left}.response_headers.propagate[0].default: a pattern has no default"),
        ),
        (
            "response_headers",
            json!(["cache-control"]),
            format!("{left}.response_headers.propagate[0].name: `cache-control` {belongs}"),
        ),
    ];
    for (key, rules, expected) in cases {
        assert_eq!(at(key, rules), expected);
    }
    let broken = at("headers", json!([{ "matching": "x-(" }]));
    assert!(broken.starts_with("router.subgraphs.left.headers.propagate[0].matching: regex parse error"));
    // A subgraph that the supergraph does not have is looked at, too.
    let config = json!({ "subgraphs": { "attic": { "headers": ["host"] } } });
    assert!(load(config).is_err());
}

#[tokio::test]
async fn what_several_subgraphs_answer_with_is_merged_as_the_rules_say() {
    let rules = json!({
        "propagate": [
            { "name": "x-first", "rename": "x-a", "merge": "first" },
            { "name": "x-last", "rename": "x-b" },
            { "name": "x-all", "rename": "x-c", "merge": "append" },
            { "name": "set-cookie", "merge": "append" },
            { "matching": "x-.*", "merge": "append" },
        ],
        "remove": ["x-inner"],
        "insert": { "x-router": "daka" },
    });
    for way in WAYS {
        let house = House::open(way, json!({ "all_subgraphs": { "response_headers": rules } })).await;
        house.left.say(&[
            ("x-first", "1"),
            ("x-last", "1"),
            ("x-all", "1"),
            ("x-all", "2"),
            ("set-cookie", "a=1"),
            ("x-inner", "1"),
            ("x-side", "left"),
            ("vary", "*"),
            ("other", "1"),
        ]);
        house.right.say(&[
            ("x-first", "2"),
            ("x-last", "2"),
            ("x-all", "3"),
            ("set-cookie", "b=2"),
            ("x-side", "right"),
        ]);
        let expected = [
            "set-cookie: a=1",
            "set-cookie: b=2",
            "x-a: 1",
            "x-b: 2",
            "x-c: 1",
            "x-c: 2",
            "x-c: 3",
            "x-side: left",
            "x-side: right",
        ];
        assert_eq!(house.ask(ROOM, &[]).await.1, expected, "{way:?}");
        // Mutations run one after the other.
        assert_eq!(
            house.ask("mutation { paintLeft paintRight }", &[]).await.1,
            expected,
            "{way:?}"
        );
        assert_eq!(
            house.ask("{ left }", &[]).await.1[0],
            "set-cookie: a=1",
            "{way:?}"
        );
    }
}

#[tokio::test]
async fn a_client_over_http_gets_them_in_the_answers_head() {
    let rules = json!({
        "propagate": [{ "name": "x-a", "merge": "append" }, { "name": "set-cookie", "merge": "append" }],
        "insert": { "x-router": "daka" },
    });
    let config = json!({
        "all_subgraphs": { "response_headers": rules },
        "batching": { "enabled": true },
        "cors": { "origins": ["https://app.example.com"] },
    });
    let house = House::open(Way::Http, config.clone()).await;
    house.left.say(&[("x-a", "1"), ("set-cookie", "a=1")]);
    house.right.say(&[("x-a", "2"), ("set-cookie", "b=2")]);
    let options = HttpOptions {
        config: serde_json::from_value(config).expect("a configuration"),
        ..HttpOptions::default()
    };
    let service = service(EngineHandle::new(house.engine.clone()), options);
    let json = "application/json";
    let defer = "{ room { ... @defer { size } } }";
    let cases = [
        (json!({ "query": ROOM }), json, "1, 2", 2),
        (json!({ "query": ROOM }), "text/event-stream", "1, 2", 2),
        (
            json!([{ "query": "mutation { paintRight }" }, { "query": "mutation { paintLeft }" }]),
            json,
            "2, 1",
            2,
        ),
        // What comes later comes too late for the head.
        (
            json!({ "query": defer }),
            "multipart/mixed;deferSpec=20220824, application/json",
            "1",
            1,
        ),
        (json!({ "query": defer }), json, "1, 2", 2),
    ];
    for (body, accept, expected, cookies) in cases {
        let request = Request::post("/graphql")
            .header("content-type", json)
            .header("accept", accept)
            .header("origin", "https://app.example.com")
            .body(axum::body::Body::from(body.to_string()));
        let answer = service.clone().oneshot(request.expect("a request")).await;
        let answer = answer.expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK);
        let head = answer.headers().clone();
        answer.into_body().collect().await.expect("a body");
        let lines = |name: &str| head.get_all(name).iter().cloned().collect::<Vec<_>>();
        assert_eq!(lines("x-a"), [expected], "{body}");
        assert_eq!(lines("set-cookie").len(), cookies, "{body}");
        assert_eq!(lines("x-router"), ["daka"], "{body}");
        let exposed = head["access-control-expose-headers"].to_str().expect("text");
        assert!(
            exposed.contains("x-a") && exposed.contains("x-router"),
            "{exposed}"
        );
    }
}

#[tokio::test]
async fn whoever_shares_an_answer_gets_its_headers_and_nobody_shares_with_other_headers() {
    let config = json!({ "all_subgraphs": {
        "headers": [{ "matching": "x-.*" }],
        "response_headers": ["x-a"],
    } });
    let house = House::open(Way::Http, config).await;
    house.left.say(&[("x-a", "1")]);
    house.engine.prepare("{ left }", None).expect("a good query");
    house.left.hold(true);
    let ask = |headers: &'static [(&'static str, &'static str)]| {
        let house = &house;
        async move {
            let response = execute(&house.engine, "{ left }", &json!({}), &context(headers)).await;
            (passed(&response), response.into_body())
        }
    };
    let mut asking: Vec<_> = [
        &[("x-who", "ada")][..],
        &[("x-who", "ada")],
        &[("x-who", "eve")],
        &[],
    ]
    .into_iter()
    .map(|headers| ask(headers).boxed())
    .collect();
    for one in &mut asking {
        assert!(one.now_or_never().is_none());
    }
    house.left.hold(false);
    let answers = futures::future::join_all(asking).await;
    for ((headers, body), who) in answers.iter().zip(["x-who: ada", "x-who: ada", "x-who: eve", ""]) {
        assert_eq!(headers[..], ["x-a: 1"]);
        let body: Value = serde_json::from_slice(body).expect("JSON");
        assert_eq!(body["data"]["left"], who);
    }
    assert_eq!(house.left.calls(), 3);
}

#[tokio::test]
async fn an_answer_that_may_set_cookies_is_for_one_client_only() {
    let config = json!({
        "all_subgraphs": { "response_headers": ["set-cookie"] },
        "response_cache": { "enabled": true },
    });
    let house = House::open(Way::Http, config).await;
    house.left.say(&[
        ("set-cookie", "session=1"),
        ("cache-control", "max-age=60, public"),
    ]);
    house.engine.prepare("{ left }", None).expect("a good query");
    house.left.hold(true);
    let mut asking: Vec<_> = (0..2).map(|_| house.ask("{ left }", &[]).boxed()).collect();
    for one in &mut asking {
        assert!(one.now_or_never().is_none());
    }
    house.left.hold(false);
    futures::future::join_all(asking).await;
    house.ask("{ left }", &[]).await;
    assert_eq!(house.left.calls(), 3);
}

#[tokio::test]
async fn what_is_kept_is_kept_with_its_headers_and_for_the_same_headers() {
    let config = json!({
        "all_subgraphs": {
            "headers": ["x-who"],
            "response_headers": [{ "matching": "x-.*", "merge": "append" }],
        },
        "response_cache": { "enabled": true },
    });
    let house = House::open(Way::Http, config).await;
    let control = ("cache-control", "max-age=60, public");
    house.left.say(&[control, ("x-a", "1")]);
    house.right.say(&[control, ("x-a", "2")]);
    let first = house.ask(ROOM, &[("x-who", "ada")]).await;
    assert_eq!(first.1, ["x-a: 1", "x-a: 2"]);
    let calls = (house.left.calls(), house.right.calls());
    assert_eq!(house.ask(ROOM, &[("x-who", "ada")]).await, first);
    assert_eq!((house.left.calls(), house.right.calls()), calls);
    let other = house.ask(ROOM, &[("x-who", "eve")]).await;
    assert_eq!(other.0["room"]["size"], "x-who: eve");
}
