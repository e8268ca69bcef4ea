//! Codes into sessions and phone numbers.

use kernel::Secret;
use serde_json::json;
use wechat::WechatError;

use crate::world::{World, over_both_transports};

over_both_transports! {
    a_name_logs_in_its_user_again_and_again;
    a_name_has_1_to_64_characters;
    an_issued_code_works_once_and_for_five_minutes;
    a_user_logs_in_a_hundred_times_a_minute_at_most;
    a_high_risk_user_stays_out;
    a_user_need_not_have_a_unionid;
    a_wrong_secret_is_noticed;
    a_session_key_is_good_until_the_next_log_in;
    a_phone_code_works_once_and_for_five_minutes;
}

async fn a_name_logs_in_its_user_again_and_again(world: World) {
    let first = world.wechat.code_to_session("sandbox:alice").await.unwrap();
    assert_eq!((first.openid.len(), &first.openid[..1]), (28, "o"));
    assert!(first.unionid.is_some());
    for _ in 0..150 {
        let again = world.wechat.code_to_session("sandbox:alice").await.unwrap();
        assert_eq!((&again.openid, &again.unionid), (&first.openid, &first.unionid));
        assert_ne!(again.session_key, first.session_key);
    }
    let bob = world.wechat.code_to_session("sandbox:bob").await.unwrap();
    assert_ne!(bob.openid, first.openid);
    assert_ne!(bob.unionid, first.unionid);
    assert!(!format!("{first:?}").contains(first.session_key.expose()));
    // Another sandbox, as after a restart, knows the same people.
    let restarted = World::in_process().await;
    assert_eq!(restarted.log_in("alice").await, first.openid);
}

async fn a_name_has_1_to_64_characters(world: World) {
    let long = "字".repeat(64);
    for good in ["a", "小明 & co=100%", long.as_str()] {
        world.log_in(good).await;
    }
    for bad in ["", &format!("{long}字")] {
        let refused = world.wechat.code_to_session(&format!("sandbox:{bad}")).await;
        assert_eq!(refused, Err(WechatError::InvalidCode));
    }
}

async fn an_issued_code_works_once_and_for_five_minutes(world: World) {
    let issued = world
        .ask("POST", "/sandbox/codes", json!({"name": "alice"}))
        .await;
    let code = issued["code"].as_str().unwrap();
    let session = world.wechat.code_to_session(code).await.unwrap();
    assert_eq!(issued["openid"], session.openid.as_str());
    assert_eq!(session.openid, world.log_in("alice").await);
    assert_eq!(
        world.wechat.code_to_session(code).await,
        Err(WechatError::CodeUsed)
    );

    let late = world.sandbox.code_for("alice");
    world.pass(301);
    assert_eq!(
        world.wechat.code_to_session(&late).await,
        Err(WechatError::InvalidCode)
    );
    for unknown in ["nobody-issued-this", "", &"x".repeat(10_000)] {
        let refused = world.wechat.code_to_session(unknown).await;
        assert_eq!(refused, Err(WechatError::InvalidCode));
    }
}

async fn a_user_logs_in_a_hundred_times_a_minute_at_most(world: World) {
    for _ in 0..100 {
        let code = world.sandbox.code_for("alice");
        world.wechat.code_to_session(&code).await.unwrap();
    }
    let one_more = world.sandbox.code_for("alice");
    assert_eq!(
        world.wechat.code_to_session(&one_more).await,
        Err(WechatError::RateLimited)
    );
    let other = world.sandbox.code_for("bob");
    world.wechat.code_to_session(&other).await.unwrap();
    world.pass(60);
    let later = world.sandbox.code_for("alice");
    world.wechat.code_to_session(&later).await.unwrap();
}

async fn a_high_risk_user_stays_out(world: World) {
    let change = |risk: bool| json!({"name": "mallory", "highRisk": risk});
    world.ask("PUT", "/sandbox/users", change(true)).await;
    let refused = world.wechat.code_to_session("sandbox:mallory").await;
    assert_eq!(refused, Err(WechatError::HighRiskUser));
    world.ask("PUT", "/sandbox/users", change(false)).await;
    world.log_in("mallory").await;
}

async fn a_user_need_not_have_a_unionid(world: World) {
    let change = json!({"name": "alice", "unlinked": true});
    world.ask("PUT", "/sandbox/users", change).await;
    let session = world.wechat.code_to_session("sandbox:alice").await.unwrap();
    assert_eq!(session.unionid, None);
}

async fn a_wrong_secret_is_noticed(world: World) {
    let answer = world
        .ask(
            "GET",
            "/sns/jscode2session?appid=wxsandbox000000000&secret=wrong&js_code=sandbox:alice&grant_type=authorization_code",
            json!(null),
        )
        .await;
    assert_eq!(answer["errcode"], 40125);
    assert_eq!(WechatError::from_code(40125, ""), WechatError::BadCredentials);
}

async fn a_session_key_is_good_until_the_next_log_in(world: World) {
    let first = world.wechat.code_to_session("sandbox:alice").await.unwrap();
    let check = async |key: &Secret| world.wechat.check_session_key(&first.openid, key).await;
    assert_eq!(check(&first.session_key).await, Ok(true));
    assert_eq!(check(&Secret::new("wrong")).await, Ok(false));
    let second = world.wechat.code_to_session("sandbox:alice").await.unwrap();
    assert_eq!(check(&first.session_key).await, Ok(false));
    assert_eq!(check(&second.session_key).await, Ok(true));
    let stranger = world
        .wechat
        .check_session_key("oStranger", &first.session_key)
        .await;
    assert_eq!(stranger, Err(WechatError::InvalidOpenid));
}

async fn a_phone_code_works_once_and_for_five_minutes(world: World) {
    let issue = async |body| {
        let issued = world.ask("POST", "/sandbox/phone-codes", body).await;
        issued["code"].as_str().unwrap().to_owned()
    };
    let code = issue(json!({"phoneNumber": "13800138000"})).await;
    let number = world.wechat.phone_number(&code).await.unwrap();
    assert_eq!(
        (number.phone_number.as_str(), number.country_code.as_str()),
        ("13800138000", "86")
    );
    assert_eq!(world.wechat.phone_number(&code).await, Err(WechatError::CodeUsed));
    let abroad = issue(json!({"phoneNumber": "15112345678", "countryCode": "49"})).await;
    let number = world.wechat.phone_number(&abroad).await.unwrap();
    assert_eq!(number.phone_number, "+4915112345678");
    assert_eq!(number.pure_phone_number, "15112345678");
    let late = issue(json!({"phoneNumber": "13800138000"})).await;
    world.pass(301);
    assert_eq!(
        world.wechat.phone_number(&late).await,
        Err(WechatError::InvalidCode)
    );
}
