//! Subscription messages, and the pushes about them.

use std::collections::BTreeMap;

use kernel::Secret;
use serde_json::{Value, json};
use wechat::push::{Push, PushConfig, PushEvent, PushMode, Receiver};
use wechat::sandbox::{PushFormat, PushTarget};
use wechat::{MessageLanguage, MiniprogramState, SubscribeMessage, WechatError};

use crate::world::{World, over_both_transports};

over_both_transports! {
    one_accept_is_one_message;
    a_field_beyond_its_limit_is_not_sent;
    a_field_that_wechat_misses_is_named;
    each_refusal_is_known;
    the_user_can_refuse_in_the_settings;
    pushes_are_read_in_every_form;
}

const KEY: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";

pub(crate) fn message(to: &str) -> SubscribeMessage {
    SubscribeMessage {
        to: to.to_owned(),
        template: "T1".to_owned(),
        data: BTreeMap::from([
            ("thing1".to_owned(), "晨跑".to_owned()),
            ("time2".to_owned(), "07:00".to_owned()),
        ]),
        page: Some("pages/today/index?habit=1".to_owned()),
        state: MiniprogramState::Formal,
        language: MessageLanguage::ZhCn,
    }
}

fn target(mode: PushMode, format: PushFormat) -> PushTarget {
    PushTarget {
        url: None,
        token: Secret::new("token"),
        encoding_aes_key: Some(Secret::new(KEY)),
        mode,
        format,
        delay_seconds: 0,
        double: false,
        reorder: false,
    }
}

impl World {
    /// What the platform reads out of the pushes that are due.
    pub(crate) fn pushes(&self, mode: PushMode) -> Vec<Push> {
        let config = PushConfig {
            token: Secret::new("token"),
            encoding_aes_key: Some(Secret::new(KEY)),
            mode,
        };
        let receiver = Receiver::new(&config, self.sandbox.appid()).unwrap();
        let due = self.sandbox.take_pushes();
        due.iter()
            .map(|push| receiver.parse(&push.query, push.body.as_bytes()).unwrap())
            .collect()
    }
}

async fn one_accept_is_one_message(world: World) {
    let alice = world.log_in("alice").await;
    let send = async || world.wechat.send_subscribe_message(&message(&alice)).await;
    assert_eq!(send().await, Err(WechatError::NotAccepted));
    world.accept("alice", "T1").await;
    world.accept("alice", "T1").await;
    world.accept("alice", "T2").await;
    world.accept("bob", "T1").await;
    assert_eq!(send().await, Ok(()));
    assert_eq!(send().await, Ok(()));
    assert_eq!(send().await, Err(WechatError::NotAccepted));
    let sent = world.ask("GET", "/sandbox/messages", Value::Null).await;
    assert_eq!(sent.as_array().unwrap().len(), 2);
    assert_eq!(
        sent[0]["message"],
        json!({
            "touser": alice, "template_id": "T1", "page": "pages/today/index?habit=1",
            "data": {"thing1": {"value": "晨跑"}, "time2": {"value": "07:00"}},
            "miniprogram_state": "formal", "lang": "zh_CN",
        })
    );
}

async fn a_field_beyond_its_limit_is_not_sent(world: World) {
    let alice = world.log_in("alice").await;
    world.accept("alice", "T1").await;
    let mut long = message(&alice);
    long.data.insert("thing1".to_owned(), "字".repeat(21));
    match world.wechat.send_subscribe_message(&long).await {
        Err(WechatError::InvalidField(error)) => assert_eq!(error.field, "thing1"),
        other => panic!("{other:?}"),
    }
    assert_eq!(
        world.wechat.send_subscribe_message(&message(&alice)).await,
        Ok(())
    );
}

async fn a_field_that_wechat_misses_is_named(world: World) {
    let alice = world.log_in("alice").await;
    world.accept("alice", "T1").await;
    let template = json!({"templateId": "T1", "keys": ["thing1", "date3"]});
    world.ask("PUT", "/sandbox/templates", template).await;
    match world.wechat.send_subscribe_message(&message(&alice)).await {
        Err(WechatError::InvalidField(error)) => assert_eq!(error.field, "date3"),
        other => panic!("{other:?}"),
    }
}

async fn each_refusal_is_known(world: World) {
    let alice = world.log_in("alice").await;
    let send = async |message: SubscribeMessage| world.wechat.send_subscribe_message(&message).await;
    assert_eq!(send(message("oStranger")).await, Err(WechatError::InvalidOpenid));
    world
        .ask("PUT", "/sandbox/templates", json!({"templateId": "T2"}))
        .await;
    assert_eq!(send(message(&alice)).await, Err(WechatError::InvalidTemplate));
    world
        .ask("PUT", "/sandbox/templates", json!({"templateId": "T1"}))
        .await;
    world
        .ask("PUT", "/sandbox/pages", json!({"pages": ["pages/habits/index"]}))
        .await;
    assert_eq!(send(message(&alice)).await, Err(WechatError::PageNotLive));
    world
        .ask("PUT", "/sandbox/pages", json!({"pages": ["pages/today/index"]}))
        .await;
    assert_eq!(send(message(&alice)).await, Err(WechatError::NotAccepted));
    let quota = json!({"path": "/cgi-bin/message/subscribe/send", "perDay": 0});
    world.ask("PUT", "/sandbox/quotas", quota).await;
    assert_eq!(send(message(&alice)).await, Err(WechatError::QuotaSpent));
}

async fn the_user_can_refuse_in_the_settings(world: World) {
    let alice = world.log_in("alice").await;
    world.accept("alice", "T1").await;
    let refuse = json!({"name": "alice", "templateId": "T1"});
    world.ask("PUT", "/sandbox/subscriptions", refuse).await;
    let sent = world.wechat.send_subscribe_message(&message(&alice)).await;
    assert_eq!(sent, Err(WechatError::NotAccepted));
    assert_eq!(
        world.ask("GET", "/sandbox/subscriptions", Value::Null).await,
        json!([])
    );
}

async fn pushes_are_read_in_every_form(world: World) {
    let alice = world.log_in("alice").await;
    for mode in [PushMode::Plain, PushMode::Compatible, PushMode::Secure] {
        for format in [PushFormat::Json, PushFormat::Xml] {
            world.sandbox.push_to(target(mode, format)).unwrap();
            world.accept("alice", "T1").await;
            world
                .wechat
                .send_subscribe_message(&message(&alice))
                .await
                .unwrap();
            let refuse = json!({"name": "alice", "templateId": "T1"});
            world.ask("PUT", "/sandbox/subscriptions", refuse).await;
            let pushes = world.pushes(mode);
            assert!(
                pushes
                    .iter()
                    .all(|push| push.from == alice && push.at == world.clock.now())
            );
            match pushes.map_events() {
                [
                    PushEvent::SubscribePopup(popup),
                    PushEvent::SubscribeSent(sent),
                    PushEvent::SubscribeChange(change),
                ] => {
                    assert!(popup[0].accepted && popup[0].template == "T1");
                    assert_eq!((sent[0].code, sent[0].status.as_str()), (0, "success"));
                    assert!(!change[0].accepted);
                }
                other => panic!("{other:?}"),
            }
            world.pass(1);
        }
    }
}

trait Events {
    fn map_events(self) -> [PushEvent; 3];
}

impl Events for Vec<Push> {
    fn map_events(self) -> [PushEvent; 3] {
        let events: Vec<_> = self.into_iter().map(|push| push.event).collect();
        events.try_into().unwrap()
    }
}
