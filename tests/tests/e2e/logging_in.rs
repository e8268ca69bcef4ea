//! Logging in, staying logged in, and logging out.

use std::time::{Duration, Instant};

use auth::{AuthConfig, Issuer, KeySource, Keys};
use jiff::SignedDuration;
use kernel::{Clock, Random};
use serde_json::{Value, json};
use tests::{Caller, Daka};

scenarios!(
    concurrent_first_logins_make_one_account,
    a_renewal_replaces_the_refresh_token,
    a_replaced_refresh_token_used_again_ends_the_session,
    logging_out_ends_the_access,
    sessions_are_listed_and_revoked_by_their_person,
    all_other_sessions_end_at_once,
    bad_tokens_are_refused,
    an_expired_token_is_refused,
);

const ME: &str = "{ me { id } }";
const RENEW: &str = "mutation($token: String!) {
    refreshToken(refreshToken: $token) { accessToken refreshToken expiresIn user { id } }
}";
/// How long a session that was ended may still be taken for live: the platform promises seconds.
const SECONDS: Duration = Duration::from_secs(10);

async fn concurrent_first_logins_make_one_account(daka: &Daka) {
    let name = testkit::unique_name("twin");
    let (one, other, third) = tokio::join!(daka.login(&name), daka.login(&name), daka.login(&name));
    assert_eq!((&one.id, &one.id), (&other.id, &third.id));
    assert_eq!(one.query(ME, json!({})).await, json!({ "me": { "id": one.id } }));
    assert_ne!(daka.someone().await.id, one.id);
}

async fn renewed(caller: &Caller) -> Caller {
    let answer = caller.query(RENEW, json!({ "token": caller.refresh })).await;
    caller.logged_in(&answer["refreshToken"])
}

async fn a_renewal_replaces_the_refresh_token(daka: &Daka) {
    let alice = daka.someone().await;
    let first = renewed(&alice).await;
    assert_eq!(first.id, alice.id);
    assert_ne!(first.refresh, alice.refresh);
    let second = renewed(&first).await;
    assert_eq!(second.query(ME, json!({})).await["me"]["id"], json!(alice.id));
    assert_eq!(
        daka.nobody().refused(RENEW, json!({ "token": "garbage" })).await,
        "UNAUTHENTICATED"
    );
}

async fn a_replaced_refresh_token_used_again_ends_the_session(daka: &Daka) {
    let name = testkit::unique_name("stolen");
    let alice = daka.login(&name).await;
    let newest = renewed(&renewed(&alice).await).await;
    let nobody = daka.nobody();
    assert_eq!(
        nobody.refused(RENEW, json!({ "token": alice.refresh })).await,
        "UNAUTHENTICATED"
    );
    assert_eq!(
        nobody.refused(RENEW, json!({ "token": newest.refresh })).await,
        "UNAUTHENTICATED"
    );
    ends(&newest).await;
    let sessions = daka
        .login(&name)
        .await
        .query("{ sessions { id } }", json!({}))
        .await;
    assert_eq!(
        sessions["sessions"].as_array().map(Vec::len),
        Some(1),
        "only the new one: {sessions}"
    );
}

/// Waits until the access of a session that was ended has ended.
async fn ends(caller: &Caller) {
    let since = Instant::now();
    loop {
        let answer = caller.graphql(ME, json!({})).await;
        if answer.status == 401 {
            assert_eq!(answer.refusal(), "UNAUTHENTICATED");
            return;
        }
        assert!(since.elapsed() < SECONDS, "the access goes on: {}", answer.body);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn logging_out_ends_the_access(daka: &Daka) {
    let alice = daka.someone().await;
    alice.query(ME, json!({})).await;
    assert_eq!(
        alice.query("mutation { logout }", json!({})).await,
        json!({ "logout": true })
    );
    ends(&alice).await;
    assert_eq!(
        daka.nobody()
            .refused(RENEW, json!({ "token": alice.refresh }))
            .await,
        "UNAUTHENTICATED"
    );
}

async fn sessions_are_listed_and_revoked_by_their_person(daka: &Daka) {
    let name = testkit::unique_name("devices");
    let login = json!({ "code": format!("sandbox:{name}"), "device": "Tablet" });
    let tablet = daka.nobody().post("/api/v1/auth/login", login).await.ok(200);
    let tablet = daka.nobody().logged_in(&tablet);
    let phone = daka.login(&name).await;
    let listed = phone
        .query("{ sessions { id device isCurrent } }", json!({}))
        .await;
    let sessions = listed["sessions"].as_array().expect("a list");
    assert_eq!(sessions.len(), 2, "{listed}");
    let current: Vec<&Value> = sessions.iter().map(|session| &session["isCurrent"]).collect();
    assert_eq!(current, [&json!(true), &json!(false)], "newest first: {listed}");
    assert_eq!(sessions[1]["device"], "Tablet");

    let revoke = "mutation($id: ID!) { revokeSession(id: $id) }";
    let mallory = daka.someone().await;
    assert_eq!(
        mallory.refused(revoke, json!({ "id": sessions[1]["id"] })).await,
        "NOT_FOUND"
    );
    tablet.query(ME, json!({})).await;
    phone.query(revoke, json!({ "id": sessions[1]["id"] })).await;
    ends(&tablet).await;
    phone.query(ME, json!({})).await;
    let left = phone.query("{ sessions { id } }", json!({})).await;
    assert_eq!(left["sessions"].as_array().map(Vec::len), Some(1));
}

async fn all_other_sessions_end_at_once(daka: &Daka) {
    let name = testkit::unique_name("many");
    let (one, other, kept) = (
        daka.login(&name).await,
        daka.login(&name).await,
        daka.login(&name).await,
    );
    let ended = kept.query("mutation { revokeOtherSessions }", json!({})).await;
    assert_eq!(ended, json!({ "revokeOtherSessions": 2 }));
    ends(&one).await;
    ends(&other).await;
    kept.query(ME, json!({})).await;
}

async fn bad_tokens_are_refused(daka: &Daka) {
    let alice = daka.someone().await;
    let (head, signature) = alice.access.rsplit_once('.').expect("a JWT");
    let turned: String = signature.chars().rev().collect();
    // {"alg":"none"} and an end in 1970, as in RFC 7519, section 6.1.
    let unsigned = "eyJhbGciOiJub25lIn0.eyJzdWIiOiIwIiwiZXhwIjoxfQ.";
    let bad = [
        format!("{head}.{turned}"),
        format!("{head}."),
        unsigned.to_owned(),
        "x".to_owned(),
    ];
    for token in bad.iter().chain([&alice.refresh]) {
        let mallory = daka.nobody().with_token(token);
        let answer = mallory.graphql("{ habitTemplates { id } }", json!({})).await;
        assert_eq!(
            (answer.status, answer.refusal().as_str()),
            (401, "UNAUTHENTICATED"),
            "{token}"
        );
        assert_eq!(
            mallory.get("/api/v1/users/me").await.refusal(),
            "401 UNAUTHENTICATED",
            "{token}"
        );
    }
    let basic = daka.nobody().request(reqwest::Method::GET, "/api/v1/users/me");
    let basic = basic.header("authorization", "Basic YTpi").send().await;
    assert_eq!(basic.refusal(), "401 UNAUTHENTICATED");
    let login = "mutation { login(code: \"nonsense\") { accessToken } }";
    assert_eq!(daka.nobody().refused(login, json!({})).await, "BAD_USER_INPUT");
}

/// The token is the platform's own work in everything but its time: signed with the key in its folder.
async fn an_expired_token_is_refused(daka: &Daka) {
    let alice = daka.someone().await;
    let sessions = alice.query("{ sessions { id } }", json!({})).await;
    let session = sessions["sessions"][0]["id"]
        .as_str()
        .and_then(|id| id.parse().ok())
        .expect("an id");
    let config = AuthConfig {
        signing_key: KeySource::File(daka.data().join("signing-key.pem")),
        ..AuthConfig::default()
    };
    let keys = Keys::load(&config, &Random::from_os()).expect("the platform has made a key");
    let issuer = Issuer::new(&keys, &config);
    let (user, now) = (alice.id.parse().expect("an id"), Clock::system().now());
    let issued = |ago: SignedDuration| {
        let token = issuer.issue(user, session, now - ago).expect("a token");
        daka.nobody().with_token(&token)
    };
    let two_hours = SignedDuration::from_hours(2);
    let good = issued(two_hours - SignedDuration::from_mins(5));
    assert_eq!(good.query(ME, json!({})).await["me"]["id"], json!(alice.id));
    let expired = issued(two_hours);
    let answer = expired.graphql(ME, json!({})).await;
    assert_eq!(
        (answer.status, answer.refusal().as_str()),
        (401, "UNAUTHENTICATED")
    );
    let answer = expired.get("/api/v1/users/me").await;
    assert_eq!(answer.refusal(), "401 UNAUTHENTICATED");
}
