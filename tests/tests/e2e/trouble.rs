//! What REST says when something behind it does not do its part: a limit is reached, a subgraph is gone.

use kernel::{ManualClock, Random};
use reqwest::Method;
use serde_json::json;
use tests::{Daka, Shape};
use tokio_util::sync::CancellationToken;
use wechat::{Sandbox, SandboxConfig, sandbox};

#[test]
fn an_embedded_platform_says_when_to_log_in_again() {
    tests::block_on(who_logs_in_too_often_is_told_to_wait(Shape::Embedded));
}

#[test]
fn a_distributed_platform_says_when_to_log_in_again() {
    tests::block_on(who_logs_in_too_often_is_told_to_wait(Shape::Distributed));
}

/// WeChat lets a person log in a hundred times a minute; here the minute never ends.
async fn who_logs_in_too_often_is_told_to_wait(shape: Shape) {
    let clock = ManualClock::at("2026-03-29T01:00:00Z".parse().expect("a time"));
    let wechat = Sandbox::new(clock.clock(), Random::seeded(7), SandboxConfig::default());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port is free");
    let address = listener.local_addr().expect("a listener has an address");
    let shutdown = CancellationToken::new();
    let _ended = shutdown.clone().drop_guard();
    tokio::spawn(sandbox::serve(wechat.clone(), listener, shutdown));
    let daka = Daka::start_with(
        shape,
        &[
            ("DAKA__WECHAT__MODE", "real"),
            ("DAKA__WECHAT__BASE_URL", &format!("http://{address}")),
            ("DAKA__WECHAT__APPID", wechat.appid()),
            ("DAKA__WECHAT__SECRET", wechat.secret().expose()),
        ],
    )
    .await;

    let nobody = daka.nobody();
    let login = async |name: &str| {
        let code = wechat.code_for(name);
        nobody.post("/api/v1/auth/login", json!({ "code": code })).await
    };
    for _ in 0..100 {
        login("alice").await.ok(200);
    }
    let refused = login("alice").await;
    assert_eq!(refused.refusal(), "429 RATE_LIMITED");
    assert_eq!(refused.header("retry-after"), "60");
    assert_eq!(refused.body["retryAfter"], 60);
    assert_eq!(refused.body["type"], "urn:problem-type:rate-limited");
    let query = "mutation($code: String!) { login(code: $code) { expiresIn } }";
    let refused = nobody
        .graphql(query, json!({ "code": wechat.code_for("alice") }))
        .await;
    assert_eq!(refused.refusal(), "RATE_LIMITED");
    assert_eq!(refused.body["errors"][0]["extensions"]["retryAfter"], 60);
    login("bob").await.ok(200);
    clock.advance(jiff::SignedDuration::from_mins(1));
    login("alice").await.ok(200);
}

#[test]
fn a_distributed_platform_answers_what_it_can_without_a_subgraph() {
    tests::block_on(what_a_lost_subgraph_takes_along_is_named());
}

async fn what_a_lost_subgraph_takes_along_is_named() {
    let mut daka = Daka::start(Shape::Distributed).await;
    let alice = daka.someone().await;
    let habit = alice.new_habit(json!({ "title": "Read" })).await;
    let check_in = alice.check_in(json!({ "habitId": habit })).await;
    let whole = alice.get("/api/v1/users/me").await;
    assert_eq!(whole.header("daka-partial"), "");
    assert!(!whole.header("etag").is_empty());
    let tag = whole.header("etag").to_owned();
    let mut expected = whole.ok(200);

    daka.stop_subgraph("checkin").await;
    let partial = alice
        .request(Method::GET, "/api/v1/users/me")
        .header("if-none-match", &tag)
        .send()
        .await;
    assert_eq!(partial.header("daka-partial"), "stats");
    assert_eq!(partial.header("etag"), "", "a part is no version of the whole");
    assert_eq!(partial.header("cache-control"), "no-store");
    expected["stats"] = json!(null);
    assert_eq!(partial.ok(200), expected);
    for path in [
        "/api/v1/checkins",
        &format!("/api/v1/checkins/{check_in}"),
        "/api/v1/users/me/stats",
    ] {
        let answer = alice.get(path).await;
        assert_eq!(answer.refusal(), "503 SERVICE_UNAVAILABLE", "{path}");
    }
    let partial = alice.get(&format!("/api/v1/habits/{habit}")).await;
    assert_eq!(partial.header("daka-partial"), "isPaused");
    let partial = partial.ok(200);
    assert_eq!(
        (&partial["title"], &partial["isPaused"]),
        (&json!("Read"), &json!(null))
    );
    alice.new_habit(json!({ "title": "Run" })).await;
    let partial = alice.get("/api/v1/habits").await;
    assert_eq!(partial.header("daka-partial"), "0.isPaused, 1.isPaused");
    assert_eq!(partial.ok(200).as_array().map(Vec::len), Some(2));
}
