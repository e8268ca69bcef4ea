//! Access tokens: how the sandbox gives them, and how the client keeps them.

use cache::{Cache, CacheConfig};
use futures::future::join_all;
use jiff::SignedDuration;
use serde_json::{Value, json};
use wechat::{TextCheck, WechatError};

use crate::world::{World, over_both_transports};

over_both_transports! {
    one_token_is_given_again_until_its_last_five_minutes;
    a_forced_renewal_kills_the_old_token;
    a_forced_renewal_is_rare;
    tokens_that_are_no_good_are_told_apart;
    many_callers_fetch_one_token;
    processes_share_a_token_through_the_cache;
    a_killed_or_expired_token_is_replaced_and_the_call_made_again;
    a_token_is_renewed_before_its_end_and_used_on_while_that_fails;
    no_token_is_an_error;
}

impl World {
    async fn stable_token(&self, force: bool) -> Value {
        let body = json!({
            "grant_type": "client_credential", "appid": self.sandbox.appid(), "secret": self.sandbox.secret().expose(),
            "force_refresh": force,
        });
        self.ask("POST", "/cgi-bin/stable_token", body).await
    }

    /// The code that a call with that token is answered with.
    async fn code_with(&self, token: &str) -> i64 {
        let answer = self
            .ask(
                "GET",
                &format!("/wxa/checksession?access_token={token}"),
                Value::Null,
            )
            .await;
        answer["errcode"].as_i64().unwrap()
    }

    /// From now on WeChat gives so many tokens a day and no more.
    async fn tokens_a_day(&self, count: u32) {
        let quota = json!({"path": "/cgi-bin/stable_token", "perDay": count});
        self.ask("PUT", "/sandbox/quotas", quota).await;
    }

    /// A call that needs a token.
    async fn call(&self) -> Result<(), WechatError> {
        let check = TextCheck {
            openid: self.log_in("alice").await,
            scene: wechat::Scene::Comment,
            content: "hello".to_owned(),
            nickname: None,
            title: None,
            signature: None,
        };
        self.wechat.msg_sec_check(&check).await.map(|_| ())
    }
}

/// What a call is answered with that has a good token and nothing else.
const TOKEN_IS_GOOD: i64 = 40003;

fn text(answer: &Value) -> &str {
    answer["access_token"].as_str().unwrap()
}

async fn one_token_is_given_again_until_its_last_five_minutes(world: World) {
    let first = world.stable_token(false).await;
    assert_eq!(first["expires_in"], 7200);
    world.pass(7200 - 301);
    let again = world.stable_token(false).await;
    assert_eq!((text(&again), &again["expires_in"]), (text(&first), &json!(301)));
    world.pass(1);
    let renewed = world.stable_token(false).await;
    assert_ne!(text(&renewed), text(&first));
    assert_eq!(renewed["expires_in"], 7200);
    world.pass(299);
    for token in [&first, &renewed] {
        assert_eq!(world.code_with(text(token)).await, TOKEN_IS_GOOD);
    }
    world.pass(1);
    assert_eq!(world.code_with(text(&first)).await, 42001);
    assert_eq!(world.code_with(text(&renewed)).await, TOKEN_IS_GOOD);
}

async fn a_forced_renewal_kills_the_old_token(world: World) {
    let first = world.stable_token(false).await;
    let forced = world.stable_token(true).await;
    assert_ne!(text(&forced), text(&first));
    assert_eq!(world.code_with(text(&first)).await, 40001);
    assert_eq!(text(&world.stable_token(false).await), text(&forced));
}

async fn a_forced_renewal_is_rare(world: World) {
    for _ in 0..20 {
        assert!(world.stable_token(true).await["access_token"].is_string());
        world.pass(29);
        assert_eq!(world.stable_token(true).await["errcode"], 45011);
        world.pass(1);
    }
    assert_eq!(world.stable_token(true).await["errcode"], 45009);
    world.pass(24 * 60 * 60);
    assert!(world.stable_token(true).await["access_token"].is_string());
}

async fn tokens_that_are_no_good_are_told_apart(world: World) {
    assert_eq!(world.code_with("").await, 41001);
    assert_eq!(world.code_with("nonsense").await, 40014);
    assert_eq!(world.code_with("sandbox_of_long_ago").await, 40001);
    for code in [40001, 40014, 42001] {
        assert_eq!(WechatError::from_code(code, ""), WechatError::TokenRejected);
    }
}

async fn many_callers_fetch_one_token(world: World) {
    world.tokens_a_day(1).await;
    let tokens = join_all((0..64).map(|_| world.wechat.access_token())).await;
    for token in &tokens {
        assert_eq!(token, &tokens[0]);
    }
    assert!(tokens[0].is_ok());
}

async fn processes_share_a_token_through_the_cache(world: World) {
    world.tokens_a_day(1).await;
    let token = world.wechat.access_token().await.unwrap();
    let other = world.client(world.cache.clone(), |_| ());
    assert_eq!(other.access_token().await.as_ref(), Ok(&token));
    let clock = world.clock.clock();
    let alone = Cache::open(&CacheConfig::Memory { max_entries: 100 }, clock).unwrap();
    let alone = world.client(alone, |_| ());
    assert_eq!(alone.access_token().await, Err(WechatError::QuotaSpent));
}

async fn a_killed_or_expired_token_is_replaced_and_the_call_made_again(world: World) {
    let token = world.wechat.access_token().await.unwrap();
    // Somebody forces a renewal: what all processes and the cache hold is dead.
    world.stable_token(true).await;
    world.call().await.unwrap();
    let replaced = world.wechat.access_token().await.unwrap();
    assert_ne!(replaced, token);
    // The client's clock is two hours behind: to it the token seems good.
    world.sandbox.advance(SignedDuration::from_hours(2));
    world.call().await.unwrap();
    assert_ne!(world.wechat.access_token().await.unwrap(), replaced);
    // The next process finds the new one in the cache.
    world.tokens_a_day(0).await;
    let other = world.client(world.cache.clone(), |_| ());
    assert_eq!(other.access_token().await, world.wechat.access_token().await);
    // Rejected for ever, it gives up after one more try.
    world
        .fail(json!({"path": "/wxa/msg_sec_check", "errcode": 40001, "times": 9}))
        .await;
    world.tokens_a_day(100).await;
    assert_eq!(world.call().await, Err(WechatError::TokenRejected));
}

async fn a_token_is_renewed_before_its_end_and_used_on_while_that_fails(world: World) {
    let token = world.wechat.access_token().await.unwrap();
    world.pass(7200 - 241);
    assert_eq!(world.wechat.access_token().await.as_ref(), Ok(&token));
    world.pass(1);
    world
        .fail(json!({"path": "/cgi-bin/stable_token", "errcode": -1, "times": 3}))
        .await;
    assert_eq!(world.wechat.access_token().await.as_ref(), Ok(&token));
    world.call().await.unwrap();
    assert_ne!(world.wechat.access_token().await.unwrap(), token);
}

async fn no_token_is_an_error(world: World) {
    world
        .fail(json!({"path": "/cgi-bin/stable_token", "errcode": 40125, "times": 3}))
        .await;
    assert_eq!(world.call().await, Err(WechatError::BadCredentials));
    let answer = world
        .ask("POST", "/cgi-bin/stable_token", json!({"grant_type": "password"}))
        .await;
    assert_eq!(answer["errcode"], 40125, "asked for");
    world.ask("DELETE", "/sandbox/faults", Value::Null).await;
    for (body, code) in [
        (json!({"grant_type": "password"}), 40002),
        (json!({"grant_type": "client_credential"}), 41002),
        (
            json!({"grant_type": "client_credential", "appid": "wx1", "secret": "s"}),
            40013,
        ),
        (json!([]), 47001),
        (Value::Null, 44002),
    ] {
        let answer = world.ask("POST", "/cgi-bin/stable_token", body).await;
        assert_eq!(answer["errcode"], code);
    }
}
