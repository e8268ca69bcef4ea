//! Subscriptions, from clients through the router to subgraphs: over real sockets, in each of the ways that there are.

mod clients;
mod credentials;
mod feed;
mod tools;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures::StreamExt;
use kernel::Principal;
use router::http::{HttpOptions, service};
use router::{Anonymous, Authenticator, EngineHandle, RequestContext, RouterConfig, SubscriptionEvent};
use serde_json::{Map, Value, json};

use crate::harness::listen;
use clients::{Going, Socket};
use feed::{WAYS, Watch, Way, engine};

const EVENTS: &str = "text/event-stream";
const PARTS: &str = "multipart/mixed;boundary=\"graphql\";subscriptionSpec=1.0,application/json";
const TWO: &str = "subscription { reviewAdded(first: 2) { id stars body } }";
const ENDLESS: &str = "subscription { endless { id } }";

struct Router {
    base: String,
    handle: EngineHandle,
    options: HttpOptions,
    watch: Arc<Watch>,
}

impl Router {
    async fn open(way: Way) -> Self {
        Self::with(way, json!({})).await
    }

    async fn with(way: Way, config: Value) -> Self {
        Self::judged_by(way, config, Arc::new(Anonymous)).await
    }

    async fn judged_by(way: Way, config: Value, authenticator: Arc<dyn Authenticator>) -> Self {
        let watch = Arc::<Watch>::default();
        let handle = EngineHandle::new(Arc::new(engine(way, &watch, config.clone()).await));
        let options = HttpOptions {
            config: serde_json::from_value::<RouterConfig>(config).expect("a configuration"),
            authenticator,
            ..HttpOptions::default()
        };
        Self {
            base: listen(service(handle.clone(), options.clone())).await,
            handle,
            options,
            watch,
        }
    }
}

fn review(number: i32) -> Value {
    let text = format!("Text {number}");
    json!({ "data": { "reviewAdded": { "id": number.to_string(), "stars": number, "body": text } } })
}

#[tokio::test]
async fn a_websocket_is_told_each_event_with_what_another_subgraph_knows() {
    for way in WAYS {
        let router = Router::open(way).await;
        let mut socket = Socket::ready(&router.base, json!({})).await;
        socket.subscribe("a", TWO).await;
        for number in 1..=2 {
            let expected = json!({ "id": "a", "type": "next", "payload": review(number) });
            assert_eq!(socket.hear().await, expected, "{way:?}");
        }
        assert_eq!(
            socket.hear().await,
            json!({ "id": "a", "type": "complete" }),
            "{way:?}"
        );
        router.watch.open(0).await;
    }
}

#[tokio::test]
async fn server_sent_events_tell_each_event_by_post_and_by_get() {
    let mut expected = String::new();
    for number in 1..=2 {
        expected.push_str(&format!("event: next\ndata: {}\n\n", text(number)));
    }
    expected.push_str("event: complete\ndata:\n\n");
    for way in WAYS {
        let router = Router::open(way).await;
        let posted = Going::post(&router.base, EVENTS, TWO).await;
        assert_eq!((posted.status, posted.header("content-type")), (200, EVENTS));
        assert_eq!(posted.all().await, expected, "{way:?}");
        assert_eq!(Going::get(&router.base, EVENTS, TWO).await.all().await, expected);
    }
}

#[tokio::test]
async fn parts_tell_each_event() {
    for way in WAYS {
        let router = Router::open(way).await;
        let parts = Going::post(&router.base, PARTS, TWO).await;
        assert_eq!(
            parts.header("content-type"),
            "multipart/mixed;boundary=\"graphql\";subscriptionSpec=1.0"
        );
        let part = |number| {
            let text = text(number);
            format!("\nContent-Type: application/json\n\n{{\"payload\":{text}}}\n--graphql")
        };
        let expected = format!("--graphql{}{}--\n", part(1), part(2));
        assert_eq!(parts.all().await, expected, "{way:?}");
    }
}

fn text(number: i32) -> String {
    format!(
        "{{\"data\":{{\"reviewAdded\":{{\"id\":\"{number}\",\"stars\":{number},\"body\":\"Text {number}\"}}}}}}"
    )
}

#[tokio::test]
async fn what_fails_for_one_event_is_told_at_its_place_and_the_next_comes() {
    let router = Router::open(Way::InProcess).await;
    let mut socket = Socket::ready(&router.base, json!({})).await;
    socket
        .subscribe("a", "subscription { reviewAdded(first: 4) { id text: body } }")
        .await;
    let mut third = Value::Null;
    for _ in 0..3 {
        third = socket.hear().await;
    }
    assert_eq!(
        third["payload"]["data"],
        json!({ "reviewAdded": { "id": "3", "text": null } })
    );
    assert_eq!(
        third["payload"]["errors"][0]["path"],
        json!(["reviewAdded", "text"])
    );
    assert_eq!(
        socket.hear().await["payload"]["data"]["reviewAdded"]["text"],
        "Text 4"
    );
    assert_eq!(socket.hear().await["type"], "complete");
}

#[tokio::test]
async fn conditions_and_variables_hold_for_each_event() {
    let router = Router::open(Way::InProcess).await;
    let mut socket = Socket::ready(&router.base, json!({})).await;
    let query =
        "subscription($n: Int!, $with: Boolean!) { reviewAdded(first: $n) { id body @include(if: $with) } }";
    let payload = json!({ "query": query, "variables": { "n": 1, "with": false } });
    socket
        .say(json!({ "id": "a", "type": "subscribe", "payload": payload }))
        .await;
    assert_eq!(
        socket.hear().await["payload"],
        json!({ "data": { "reviewAdded": { "id": "1" } } })
    );
}

#[tokio::test]
async fn a_subgraph_that_refuses_is_told_and_the_subscription_ends() {
    for way in WAYS {
        let router = Router::open(way).await;
        let text = Going::post(&router.base, EVENTS, "subscription { failing { id } }").await;
        let text = text.all().await;
        assert!(text.contains("\"data\":{\"failing\":null}"), "{way:?} {text}");
        assert!(
            text.contains("no feed today") || text.contains("\"service\":\"feed\""),
            "{way:?} {text}"
        );
        assert!(text.ends_with("event: complete\ndata:\n\n"), "{way:?} {text}");
    }
}

#[tokio::test]
async fn a_subscription_without_an_answer_that_goes_on_is_refused() {
    let router = Router::open(Way::InProcess).await;
    let refused = Going::post(&router.base, "application/json", TWO).await;
    assert_eq!(refused.status, 406);
    assert!(refused.all().await.contains("SUBSCRIPTION_NOT_ACCEPTABLE"));
    let refused = Going::get(&router.base, "application/graphql-response+json", TWO).await;
    assert_eq!(refused.status, 406);
    let query = Going::post(&router.base, PARTS, "{ asked }").await;
    assert_eq!(query.all().await, "{\"data\":{\"asked\":7}}");
    let query = Going::post(&router.base, EVENTS, "{ asked }").await;
    assert_eq!(
        query.all().await,
        "event: next\ndata: {\"data\":{\"asked\":7}}\n\nevent: complete\ndata:\n\n"
    );
}

#[tokio::test]
async fn a_subscription_is_charged_whether_it_is_opened_or_refused() {
    let allowance = json!({ "capacity": 100, "per_minute": 1 });
    let limits = json!({ "enabled": true, "refusal_cost": 30, "preparation_cost": 0, "allowance": {
        "anonymous": allowance, "people": allowance, "apps": allowance, "staff": allowance } });
    let router = Router::with(Way::InProcess, json!({ "rate_limit": limits })).await;
    let opened = Going::post(&router.base, EVENTS, ENDLESS).await;
    assert_eq!(opened.header("ratelimit-policy"), "\"anonymous\";q=100;w=6000");
    let without_variable = "subscription($n: Int!) { reviewAdded(first: $n) { id } }";
    for _ in 0..3 {
        let refused = Going::post(&router.base, EVENTS, without_variable).await;
        assert_eq!(refused.status, 200);
        assert!(refused.all().await.contains("BAD_USER_INPUT"));
    }
    let too_much = Going::post(&router.base, EVENTS, without_variable).await;
    assert_eq!(too_much.status, 429);
    assert!(too_much.header("ratelimit").starts_with("\"anonymous\";r="));
    assert_ne!(too_much.header("retry-after"), "");
}

#[tokio::test]
async fn an_operation_that_nobody_knows_is_not_found_in_whatever_form_it_is_asked() {
    let router = Router::open(Way::InProcess).await;
    for accept in [EVENTS, PARTS, "application/json"] {
        let request = http::Request::get(format!("{}graphql/persisted/nothing", router.base));
        let request = request.header("accept", accept).body(Default::default());
        let answer = Going::of(request.expect("a request")).await;
        assert_eq!(answer.status, 404, "{accept}");
        assert!(answer.all().await.contains("PERSISTED_QUERY_NOT_FOUND"));
    }
}

#[tokio::test]
async fn queries_go_over_the_websocket_too_and_what_is_wrong_with_them_is_told() {
    let router = Router::open(Way::InProcess).await;
    let mut socket = Socket::ready(&router.base, json!({})).await;
    socket.subscribe("q", "{ asked }").await;
    let next = json!({ "id": "q", "type": "next", "payload": { "data": { "asked": 7 } } });
    assert_eq!(socket.hear().await, next);
    assert_eq!(socket.hear().await, json!({ "id": "q", "type": "complete" }));
    socket.subscribe("q", "{ nope }").await;
    let refused = socket.hear().await;
    assert_eq!(refused["type"], "error");
    assert_eq!(
        refused["payload"][0]["extensions"]["code"],
        "GRAPHQL_VALIDATION_FAILED"
    );
    socket.say(json!({ "type": "ping" })).await;
    assert_eq!(socket.hear().await, json!({ "type": "pong" }));
}

#[tokio::test]
async fn what_a_client_stops_ends_in_the_subgraph_and_so_does_what_it_leaves() {
    for way in WAYS {
        let router = Router::open(way).await;
        let mut socket = Socket::ready(&router.base, json!({})).await;
        socket.subscribe("a", ENDLESS).await;
        assert_eq!(socket.hear().await["type"], "next", "{way:?}");
        router.watch.open(1).await;
        socket.say(json!({ "id": "a", "type": "complete" })).await;
        router.watch.open(0).await;
        socket.subscribe("a", ENDLESS).await;
        assert_eq!(socket.hear().await["type"], "next", "{way:?}");
        drop(socket);
        router.watch.open(0).await;
        for accept in [EVENTS, PARTS] {
            let mut going = Going::post(&router.base, accept, ENDLESS).await;
            going.until("endless").await;
            drop(going);
            router.watch.open(0).await;
        }
    }
}

#[tokio::test]
async fn the_protocol_is_held() {
    let config = json!({ "subscriptions": { "max_per_connection": 1, "init_timeout_ms": 60_000 } });
    let router = Router::with(Way::InProcess, config).await;
    let init = json!({ "type": "connection_init" });
    for (code, before, message) in [
        (4400, true, json!("no message")),
        (4400, true, json!({ "type": "start" })),
        (
            4401,
            false,
            json!({ "id": "1", "type": "subscribe", "payload": { "query": "{ asked }" } }),
        ),
        (4429, true, init.clone()),
    ] {
        let protocol = [("sec-websocket-protocol", "graphql-transport-ws")];
        let mut socket = Socket::open(&router.base, &protocol).await.expect("a WebSocket");
        if before {
            socket.say(init.clone()).await;
            assert_eq!(socket.hear().await["type"], "connection_ack");
        }
        socket.say(message.clone()).await;
        assert_eq!(socket.hear().await, code, "{message}");
    }
    let mut old = Socket::open(&router.base, &[]).await.expect("a WebSocket");
    assert_eq!(old.hear().await, 4406);
    let mut twice = Socket::ready(&router.base, json!({})).await;
    twice.subscribe("a", ENDLESS).await;
    assert_eq!(twice.hear().await["type"], "next");
    twice.subscribe("b", ENDLESS).await;
    let refused = twice.hear().await;
    assert_eq!((&refused["id"], &refused["type"]), (&json!("b"), &json!("error")));
    assert_eq!(refused["payload"][0]["extensions"]["code"], "SUBSCRIPTION_LIMIT");
    twice.subscribe("a", ENDLESS).await;
    assert_eq!(twice.hear().await, 4409);
}

#[tokio::test]
async fn who_says_nothing_in_time_or_too_much_is_closed() {
    let config = json!({ "subscriptions": { "init_timeout_ms": 1 }, "limits": { "max_body_bytes": 1000 } });
    let router = Router::with(Way::InProcess, config).await;
    let protocol = [("sec-websocket-protocol", "graphql-transport-ws")];
    let mut silent = Socket::open(&router.base, &protocol).await.expect("a WebSocket");
    assert_eq!(silent.hear().await, 4408);
    let config = json!({ "limits": { "max_body_bytes": 1000 } });
    let router = Router::with(Way::InProcess, config).await;
    let mut loud = Socket::ready(&router.base, json!({})).await;
    loud.raw("x".repeat(2000)).await;
    assert_eq!(loud.hear().await, 1009);
}

#[tokio::test]
async fn pages_of_other_origins_open_no_websocket() {
    let config = json!({ "cors": { "origins": ["https://app.example.com"] } });
    let router = Router::with(Way::InProcess, config).await;
    let own = router.base.trim_end_matches('/').to_owned();
    for (origin, allowed) in [
        (own.as_str(), true),
        ("https://app.example.com", true),
        ("https://evil.example.com", false),
        ("null", false),
    ] {
        let headers = [
            ("sec-websocket-protocol", "graphql-transport-ws"),
            ("origin", origin),
        ];
        let opened = Socket::open(&router.base, &headers).await;
        assert_eq!(opened.err(), (!allowed).then_some(403), "{origin}");
    }
}

#[tokio::test]
async fn no_more_are_open_than_are_taken() {
    let config = json!({ "subscriptions": { "max_open": 1 } });
    let router = Router::with(Way::InProcess, config).await;
    let mut first = Going::post(&router.base, EVENTS, ENDLESS).await;
    first.until("endless").await;
    let refused = Going::post(&router.base, EVENTS, ENDLESS).await;
    assert_eq!(refused.status, 503);
    assert!(refused.all().await.contains("SUBSCRIPTION_LIMIT"));
    let protocol = [("sec-websocket-protocol", "graphql-transport-ws")];
    assert_eq!(Socket::open(&router.base, &protocol).await.err(), Some(503));
    drop(first);
    router.watch.open(0).await;
}

#[tokio::test]
async fn a_new_schema_ends_the_streams_of_the_old_one_and_lets_it_go() {
    let router = Router::open(Way::InProcess).await;
    let mut socket = Socket::ready(&router.base, json!({})).await;
    socket.subscribe("a", ENDLESS).await;
    assert_eq!(socket.hear().await["type"], "next");
    let mut parts = Going::post(&router.base, PARTS, ENDLESS).await;
    parts.until("endless").await;
    let new = engine(Way::InProcess, &router.watch, json!({})).await;
    let old = Arc::downgrade(&router.handle.swap(Arc::new(new)));
    let told = socket.hear().await;
    assert_eq!((&told["id"], &told["type"]), (&json!("a"), &json!("error")));
    assert_eq!(
        told["payload"][0]["extensions"]["code"],
        "SUBSCRIPTION_SCHEMA_RELOAD"
    );
    let text = parts.all().await;
    assert!(
        text.contains("\"payload\":null") && text.ends_with("--graphql--\n"),
        "{text}"
    );
    router.watch.open(0).await;
    while old.upgrade().is_some() {
        tokio::task::yield_now().await;
    }
    socket.subscribe("a", ENDLESS).await;
    assert_eq!(socket.hear().await["type"], "next");
}

#[tokio::test]
async fn a_router_that_stops_says_so() {
    let router = Router::open(Way::InProcess).await;
    let mut socket = Socket::ready(&router.base, json!({})).await;
    let mut events = Going::post(&router.base, EVENTS, ENDLESS).await;
    events.until("endless").await;
    router.options.shutdown.cancel();
    assert_eq!(socket.hear().await, 1001);
    assert!(events.all().await.ends_with("event: complete\ndata:\n\n"));
    drop(socket);
    router.options.connections.close();
    router.options.connections.wait().await;
}

#[tokio::test]
async fn a_silent_stream_shows_that_it_lives() {
    let config = json!({ "subscriptions": { "heartbeat_ms": 1 } });
    let router = Router::with(Way::InProcess, config).await;
    let mut events = Going::post(&router.base, EVENTS, ENDLESS).await;
    events.until("\n\n:\n\n:\n\n").await;
    let mut parts = Going::post(&router.base, PARTS, ENDLESS).await;
    parts.until("\r\n\r\n{}\r\n--graphql").await;
}

#[tokio::test]
async fn events_are_made_only_as_fast_as_the_client_takes_them() {
    let router = Router::open(Way::InProcess).await;
    let engine = router.handle.load();
    let prepared = engine
        .prepare("subscription { reviewAdded(first: 1000000) { id body } }", None)
        .expect("a subscription");
    let context = RequestContext::new(Arc::new(Principal::anonymous()));
    let subscribed = engine.subscribe(&prepared, Map::new(), &context).await;
    let mut events = subscribed.expect("events");
    for taken in 1..=3 {
        assert!(matches!(events.next().await, Some(SubscriptionEvent::Next(_))));
        assert_eq!(router.watch.made.load(Ordering::SeqCst), taken);
    }
    drop(events);
    router.watch.open(0).await;
}

#[tokio::test]
async fn what_the_client_brings_goes_to_the_subgraph() {
    let router = Router::open(Way::WebSocket).await;
    let mut socket = Socket::ready(
        &router.base,
        json!({ "x-tenant": "blue", "deep": { "is": "left out" } }),
    )
    .await;
    socket.subscribe("a", ENDLESS).await;
    assert_eq!(socket.hear().await["type"], "next");
    let init = router.watch.init.lock().expect("the watch").clone();
    assert_eq!(init.expect("an init")["x-tenant"], "blue");
}
