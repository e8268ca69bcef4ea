//! Checks of texts and files, and the pushed verdicts.

use kernel::Secret;
use serde_json::{Value, json};
use wechat::push::{MediaVerdict, PushEvent, PushMode};
use wechat::sandbox::{PushFormat, PushTarget};
use wechat::{Label, MediaCheck, MediaType, Scene, Suggestion, TextCheck, WechatError};

use crate::world::{World, over_both_transports};

over_both_transports! {
    a_text_passes_only_by_its_verdict;
    a_text_has_at_most_2500_characters;
    the_writer_must_have_visited_within_two_hours;
    a_verdict_on_a_file_is_pushed_later;
    verdicts_come_twice_and_out_of_order;
    malformed_checks_are_refused;
}

fn text(openid: &str, content: &str) -> TextCheck {
    TextCheck {
        openid: openid.to_owned(),
        scene: Scene::SocialLog,
        content: content.to_owned(),
        nickname: Some("Alice".to_owned()),
        title: Some("a title".to_owned()),
        signature: None,
    }
}

fn picture(openid: &str, url: &str) -> MediaCheck {
    MediaCheck {
        openid: openid.to_owned(),
        scene: Scene::Comment,
        url: url.to_owned(),
        media_type: MediaType::Image,
    }
}

fn target() -> PushTarget {
    PushTarget {
        url: None,
        token: Secret::new("token"),
        encoding_aes_key: None,
        mode: PushMode::Plain,
        format: PushFormat::Json,
        delay_seconds: 0,
        double: false,
        reorder: false,
    }
}

fn verdict(event: PushEvent) -> MediaVerdict {
    match event {
        PushEvent::MediaChecked(verdict) => verdict,
        other => panic!("{other:?}"),
    }
}

async fn a_text_passes_only_by_its_verdict(world: World) {
    let alice = world.log_in("alice").await;
    for (content, suggestion, label) in [
        ("早起第十天", Suggestion::Pass, Label::Normal),
        ("[review] hm", Suggestion::Review, Label::Other),
        ("buy [risky] now", Suggestion::Risky, Label::Politics),
        ("[risky:10001]", Suggestion::Risky, Label::Advertising),
        ("[risky:20012]", Suggestion::Risky, Label::Vulgarity),
        ("[risky:30000]", Suggestion::Risky, Label::Unknown(30000)),
    ] {
        let verdict = world.wechat.msg_sec_check(&text(&alice, content)).await.unwrap();
        assert_eq!((verdict.suggestion, verdict.label), (suggestion, label));
        assert_eq!(verdict.passes(), suggestion == Suggestion::Pass);
        assert!(!verdict.trace_id.is_empty() && verdict.details.len() == 1);
    }
}

async fn a_text_has_at_most_2500_characters(world: World) {
    let alice = world.log_in("alice").await;
    let check = async |content: &str| world.wechat.msg_sec_check(&text(&alice, content)).await;
    assert!(check(&"字".repeat(2500)).await.is_ok());
    for bad in ["", &"字".repeat(2501)] {
        assert!(
            matches!(check(bad).await, Err(WechatError::InvalidField(error)) if error.field == "content")
        );
    }
}

async fn the_writer_must_have_visited_within_two_hours(world: World) {
    let alice = world.log_in("alice").await;
    world.pass(7200);
    assert!(world.wechat.msg_sec_check(&text(&alice, "hi")).await.is_ok());
    world.pass(1);
    let refused = world.wechat.msg_sec_check(&text(&alice, "hi")).await;
    assert_eq!(refused, Err(WechatError::NotVisited));
    let file = world
        .wechat
        .media_check_async(&picture(&alice, "https://x/1.png"))
        .await;
    assert_eq!(file, Err(WechatError::NotVisited));
    let visit = json!({"name": "alice", "visits": true});
    world.ask("PUT", "/sandbox/users", visit).await;
    assert!(world.wechat.msg_sec_check(&text(&alice, "hi")).await.is_ok());
    let stranger = world.wechat.msg_sec_check(&text("oStranger", "hi")).await;
    assert_eq!(stranger, Err(WechatError::InvalidOpenid));
}

async fn a_verdict_on_a_file_is_pushed_later(world: World) {
    let alice = world.log_in("alice").await;
    world.sandbox.push_to(target()).unwrap();
    for (url, code, advice) in [
        ("https://x/cat.png", 0, Some((Suggestion::Pass, Label::Normal))),
        (
            "https://x/[risky:20002].png",
            0,
            Some((Suggestion::Risky, Label::Pornography)),
        ),
        ("https://x/[missing].png", -1008, None),
    ] {
        let trace_id = world
            .wechat
            .media_check_async(&picture(&alice, url))
            .await
            .unwrap();
        assert_eq!(world.pushes(PushMode::Plain), []);
        world.pass(2);
        let mut pushes = world.pushes(PushMode::Plain);
        let verdict = verdict(pushes.remove(0).event);
        assert_eq!(
            (verdict.trace_id, verdict.code, verdict.advice),
            (trace_id, code, advice)
        );
        assert_eq!(verdict.details.is_empty(), code != 0);
    }
}

async fn verdicts_come_twice_and_out_of_order(world: World) {
    let alice = world.log_in("alice").await;
    let odd = PushTarget {
        delay_seconds: 600,
        double: true,
        reorder: true,
        ..target()
    };
    world.sandbox.push_to(odd).unwrap();
    let first = world
        .wechat
        .media_check_async(&picture(&alice, "https://x/1.png"))
        .await;
    world.pass(1);
    let second = world
        .wechat
        .media_check_async(&picture(&alice, "https://x/2.png"))
        .await;
    world.pass(600);
    assert_eq!(world.pushes(PushMode::Plain), []);
    world.pass(2);
    let pushes = world.pushes(PushMode::Plain);
    assert_eq!(pushes[0].key, pushes[1].key);
    assert_ne!(pushes[1].key, pushes[2].key);
    let came: Vec<_> = pushes
        .into_iter()
        .map(|push| verdict(push.event).trace_id)
        .collect();
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_eq!(came, [second.clone(), second, first.clone(), first]);
}

async fn malformed_checks_are_refused(world: World) {
    let alice = world.log_in("alice").await;
    let token = world.wechat.access_token().await.unwrap();
    let good_text = json!({"version": 2, "openid": alice, "scene": 1, "content": "hi"});
    let good_file =
        json!({"version": 2, "openid": alice, "scene": 1, "media_url": "https://x", "media_type": 2});
    for (path, good, field, value, code) in [
        ("msg_sec_check", &good_text, "version", json!(1), 47001),
        ("msg_sec_check", &good_text, "scene", json!(5), 40129),
        (
            "msg_sec_check",
            &good_text,
            "content",
            json!("字".repeat(2501)),
            45002,
        ),
        ("media_check_async", &good_file, "media_type", json!(3), 47001),
        ("media_check_async", &good_file, "scene", json!(0), 40129),
        ("media_check_async", &good_file, "media_url", Value::Null, 47001),
    ] {
        let mut body = good.clone();
        body[field] = value;
        let target = format!("/wxa/{path}?access_token={}", token.expose());
        assert_eq!(world.ask("POST", &target, body).await["errcode"], code, "{field}");
    }
}
