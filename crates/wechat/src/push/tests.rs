//! Which pushes are believed, and what is read out of them.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::security::{Label, Suggestion};

/// The sample of Tencent's own WXBizMsgCrypt library.
const TOKEN: &str = "spamtest";
const APPID: &str = "wx2c2769f8efd9abc2";
const KEY: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
const ENCRYPTED: &str = "hyzAe4OzmOMbd6TvGdIOO6uBmdJoD0Fk53REIHvxYtJlE2B655HuD0m8KUePWB3+LrPXo87wzQ1QLvbeUgmBM4x6F8PGHQHFVAFmOD2LdJF9FrXpbUAh0B5GIItb52sn896wVsMSHGuPE328HnRGBcrS7C41IzDWyWNlZkyyXwon8T332jisa+h6tEDYsVticbSnyU8dKOIbgU6ux5VTjg3yt+WGzjlpKn6NPhRjpA912xMezR4kw6KWwMrCVKSVCZciVGCgavjIQ6X8tCOp3yZbGpy0VxpAe+77TszTfRd5RJSVO/HTnifJpXgCSUdUue1v6h0EIBYYI1BD1DlD+C0CR8e6OewpusjZ4uBl9FyJvnhvQl+q5rv1ixrcpCumEPo5MJSgM9ehVsNPfUM669WuMyVWQLCzpu9GhglF2PE=";

fn receiver(mode: PushMode, appid: &str) -> Receiver {
    let config = PushConfig {
        token: Secret::new(TOKEN),
        encoding_aes_key: Some(Secret::new(KEY)),
        mode,
    };
    Receiver::new(&config, appid).unwrap()
}

fn sample_query() -> PushQuery {
    PushQuery {
        timestamp: "1409735669".to_owned(),
        nonce: "1320562132".to_owned(),
        msg_signature: Some("5d197aaffba7e9b25a30732f161a50dee96bd5fa".to_owned()),
        ..PushQuery::default()
    }
}

/// A query that is rightly signed for the plain mode.
fn signed() -> PushQuery {
    PushQuery {
        signature: sign(&[TOKEN, "1409735669", "1320562132"]),
        ..sample_query()
    }
}

fn plain(body: &str) -> Result<Push, PushError> {
    receiver(PushMode::Plain, APPID).parse(&signed(), body.as_bytes())
}

fn event(name: &str, more: &Value) -> Value {
    let mut body = json!({
        "ToUserName": "gh_1", "FromUserName": "oAlice", "CreateTime": 1_610_969_440, "MsgType": "event", "Event": name
    });
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

#[test]
fn the_address_is_verified_as_in_wechats_example() {
    let config = PushConfig {
        token: Secret::new("AAAAA"),
        ..PushConfig::default()
    };
    let receiver = Receiver::new(&config, APPID).unwrap();
    let query = PushQuery {
        signature: "f464b24fc39322e44b38aa78f5edd27bd1441696".to_owned(),
        timestamp: "1714036504".to_owned(),
        nonce: "1514711492".to_owned(),
        echostr: Some("4375120948345356249".to_owned()),
        ..PushQuery::default()
    };
    assert_eq!(receiver.verify_url(&query), Ok("4375120948345356249"));
    for other in [
        PushQuery {
            nonce: "1514711493".to_owned(),
            ..query.clone()
        },
        PushQuery {
            signature: String::new(),
            ..query.clone()
        },
        PushQuery::default(),
    ] {
        assert_eq!(receiver.verify_url(&other), Err(PushError::Signature));
    }
}

#[test]
fn tencents_own_sample_is_decrypted() {
    let xml = format!(
        "<xml><ToUserName><![CDATA[gh_10f6c3c3ac5a]]></ToUserName><Encrypt><![CDATA[{ENCRYPTED}]]></Encrypt></xml>"
    );
    let json = json!({"ToUserName": "gh_10f6c3c3ac5a", "Encrypt": ENCRYPTED}).to_string();
    for mode in [PushMode::Secure, PushMode::Compatible] {
        for body in [&xml, &json] {
            let push = receiver(mode, APPID)
                .parse(&sample_query(), body.as_bytes())
                .unwrap();
            assert_eq!(push.key, "message:6054768590064713728");
            assert_eq!(push.from, "oyORnuP8q7ou2gfYjqLzSIWZf0rs");
            assert_eq!(push.at.as_second(), 1_409_735_668);
            let said = PushEvent::Message {
                kind: "text".to_owned(),
                content: Some("abcdteT".to_owned()),
            };
            assert_eq!(push.event, said);
        }
    }
}

#[test]
fn what_is_not_signed_encrypted_and_meant_for_us_is_refused() {
    let body = |encrypted: &str| json!({ "Encrypt": encrypted }).to_string();
    let parse = |appid, query: &PushQuery, body: &str| {
        receiver(PushMode::Secure, appid)
            .parse(query, body.as_bytes())
            .unwrap_err()
    };
    let resigned = |encrypted: &str| PushQuery {
        msg_signature: Some(sign(&[TOKEN, "1409735669", "1320562132", encrypted])),
        ..sample_query()
    };
    let changed = ENCRYPTED.replacen("hyzA", "hyzB", 1);
    assert_eq!(
        parse(APPID, &sample_query(), &body(&changed)),
        PushError::Signature
    );
    assert_eq!(
        parse(APPID, &signed(), r#"{"MsgType": "text"}"#),
        PushError::NotEncrypted
    );
    assert_eq!(
        parse("wxsomebodyelse0000", &sample_query(), &body(ENCRYPTED)),
        PushError::Decryption
    );
    let unsigned = PushQuery {
        msg_signature: None,
        ..signed()
    };
    assert_eq!(parse(APPID, &unsigned, &body(ENCRYPTED)), PushError::Signature);
    // Signed by somebody who has the token but not the key.
    for sealed in [
        "",
        "AAAA",
        "not base64",
        &ENCRYPTED[..64],
        &ENCRYPTED[..ENCRYPTED.len() - 24],
    ] {
        assert_eq!(
            parse(APPID, &resigned(sealed), &body(sealed)),
            PushError::Decryption
        );
    }
    let compatible = receiver(PushMode::Compatible, APPID);
    assert_eq!(
        compatible.parse(&signed(), br#"{"MsgType": "text"}"#),
        Err(PushError::NotEncrypted),
        "leaving the encrypted part away is no way around it"
    );
}

#[test]
fn a_receiver_without_token_or_key_is_refused() {
    let config = |token: &str, key: Option<&str>, mode| PushConfig {
        token: Secret::new(token),
        encoding_aes_key: key.map(Secret::new),
        mode,
    };
    for bad in [
        config("", None, PushMode::Plain),
        config("t", None, PushMode::Secure),
        config("t", None, PushMode::Compatible),
        config("t", Some("short"), PushMode::Secure),
        config("t", Some(&KEY.replace('a', "*")), PushMode::Secure),
    ] {
        assert_eq!(Receiver::new(&bad, APPID).unwrap_err(), PushError::Config);
    }
}

#[test]
fn a_list_is_an_object_for_one_and_an_array_for_several() {
    let item = |template: &str, word: &str| json!({"TemplateId": template, "SubscribeStatusString": word, "PopupScene": "0"});
    let one = event(
        "subscribe_msg_popup_event",
        &json!({"List": item("T1", "accept")}),
    );
    let two = json!({"List": [item("T1", "accept"), item("T2", "reject")]});
    let two = event("subscribe_msg_popup_event", &two);
    let choice = |template: &str, accepted| Choice {
        template: template.to_owned(),
        accepted,
    };
    assert_eq!(
        plain(&one.to_string()).unwrap().event,
        PushEvent::SubscribePopup(vec![choice("T1", true)])
    );
    assert_eq!(
        plain(&two.to_string()).unwrap().event,
        PushEvent::SubscribePopup(vec![choice("T1", true), choice("T2", false)])
    );
    let xml = "<xml><ToUserName><![CDATA[gh_1]]></ToUserName><FromUserName><![CDATA[oAlice]]></FromUserName>
        <CreateTime>1610969440</CreateTime><MsgType><![CDATA[event]]></MsgType>
        <Event><![CDATA[subscribe_msg_change_event]]></Event><SubscribeMsgChangeEvent>
        <List><TemplateId><![CDATA[T1]]></TemplateId><SubscribeStatusString><![CDATA[reject]]></SubscribeStatusString></List>
        <List><TemplateId><![CDATA[T2]]></TemplateId><SubscribeStatusString><![CDATA[reject]]></SubscribeStatusString></List>
        </SubscribeMsgChangeEvent></xml>";
    let push = plain(xml).unwrap();
    assert_eq!(
        push.event,
        PushEvent::SubscribeChange(vec![choice("T1", false), choice("T2", false)])
    );
    assert_eq!(push.at.as_second(), 1_610_969_440);
    let sent = event(
        "subscribe_msg_sent_event",
        &json!({"List": {"TemplateId": "T1", "MsgID": "1700827132819554304", "ErrorCode": "0", "ErrorStatus": "success"}}),
    );
    let outcome = SendOutcome {
        template: "T1".to_owned(),
        message: "1700827132819554304".to_owned(),
        code: 0,
        status: "success".to_owned(),
    };
    assert_eq!(
        plain(&sent.to_string()).unwrap().event,
        PushEvent::SubscribeSent(vec![outcome])
    );
}

#[test]
fn a_media_verdict_without_a_result_is_no_pass() {
    let verdict = |more: Value| match plain(&event("wxa_media_check", &more).to_string()).unwrap().event {
        PushEvent::MediaChecked(verdict) => verdict,
        other => panic!("{other:?}"),
    };
    let judged = verdict(json!({
        "trace_id": "t1", "errcode": 0, "errmsg": "ok", "result": {"suggest": "risky", "label": 20002},
        "detail": [{"strategy": "content_model", "errcode": 0, "suggest": "risky", "label": 20002, "prob": 90}]
    }));
    assert_eq!(judged.advice, Some((Suggestion::Risky, Label::Pornography)));
    assert_eq!((judged.details.len(), judged.details[0].prob), (1, Some(90)));
    let failed =
        verdict(json!({"trace_id": "t2", "errcode": -1008, "errmsg": "download failed", "detail": []}));
    assert_eq!(
        (failed.code, failed.advice, failed.details.len()),
        (-1008, None, 0)
    );
    let contradictory =
        json!({"trace_id": "t3", "errcode": -1008, "result": {"suggest": "pass", "label": 100}});
    assert_eq!(verdict(contradictory).advice, None);
}

#[test]
fn the_same_push_has_the_same_key_and_another_one_another() {
    let key = |body: &str| plain(body).unwrap().key;
    let one = event(
        "subscribe_msg_popup_event",
        &json!({"List": {"TemplateId": "T1", "A": 1}}),
    );
    let same = r#"{"List": {"A": "1", "TemplateId": "T1"}, "Event": "subscribe_msg_popup_event", "MsgType": "event",
        "CreateTime": "1610969440", "FromUserName": "oAlice", "ToUserName": "gh_1"}"#;
    assert_eq!(key(&one.to_string()), key(same));
    let mut keys: Vec<_> = [
        one,
        event(
            "subscribe_msg_popup_event",
            &json!({"List": {"TemplateId": "T2", "A": 1}}),
        ),
        event(
            "subscribe_msg_popup_event",
            &json!({"List": {"TemplateId": "T1", "A": 1}, "CreateTime": 1_610_969_441}),
        ),
        event(
            "subscribe_msg_popup_event",
            &json!({"List": {"TemplateId": "T1", "A": 1}, "FromUserName": "oBob"}),
        ),
        event("wxa_media_check", &json!({"trace_id": "t1"})),
        event("wxa_media_check", &json!({"trace_id": "t2"})),
    ]
    .iter()
    .map(|body| key(&body.to_string()))
    .collect();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), 6);
}

#[test]
fn hostile_bodies_are_refused() {
    let bomb =
        r#"<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><xml><MsgType>&b;</MsgType></xml>"#;
    let file = r#"<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><xml><MsgType>&a;</MsgType></xml>"#;
    for body in [
        "",
        "[]",
        "7",
        "{}",
        "<xml/>",
        "<xml>",
        "<xml><MsgType>text</xml>",
        bomb,
        file,
        &format!("{}{}", "<a>".repeat(10_000), "</a>".repeat(10_000)),
        &"[".repeat(100_000),
        &format!("{{\"MsgType\": \"{}\"}}", "x".repeat(MAX_BODY_BYTES)),
        r#"{"MsgType": "event", "Event": "wxa_media_check"}"#,
        r#"{"MsgType": "text", "CreateTime": 9223372036854775807}"#,
    ] {
        assert_eq!(plain(body), Err(PushError::Malformed));
    }
    let unsigned = receiver(PushMode::Plain, APPID).parse(&sample_query(), b"{}");
    assert_eq!(unsigned, Err(PushError::Signature));
}

proptest! {
    #[test]
    fn any_body_is_read_or_refused(body in prop::collection::vec(any::<u8>(), 0..200), text in ".*") {
        let receiver = receiver(PushMode::Plain, APPID);
        let _ = receiver.parse(&signed(), &body);
        let _ = receiver.parse(&signed(), text.as_bytes());
        let _ = receiver.parse(&signed(), format!("<xml><MsgType>{text}</MsgType></xml>").as_bytes());
    }

    #[test]
    fn what_is_sealed_is_opened(message in ".*", salt in any::<[u8; 16]>()) {
        let key = AesKey::decode(KEY).unwrap();
        let sealed = key.seal(message.as_bytes(), APPID, salt);
        prop_assert_eq!(sealed.len() % 32, 0);
        prop_assert_eq!(key.open(&sealed, APPID), Some(message.into_bytes()));
        prop_assert_eq!(key.open(&sealed, "wx"), None);
    }

    #[test]
    fn any_bytes_are_opened_or_refused(sealed in prop::collection::vec(any::<u8>(), 0..100)) {
        let key = AesKey::decode(KEY).unwrap();
        let _ = key.open(&sealed, "");
    }
}
