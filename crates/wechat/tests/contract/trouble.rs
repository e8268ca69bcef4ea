//! When WeChat is busy, slow, away or not itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::{get, post};
use kernel::Secret;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use wechat::push::PushMode;
use wechat::sandbox::{PushFormat, PushTarget};
use wechat::{Wechat, WechatError};

use crate::messages::message;
use crate::world::{World, over_both_transports};

over_both_transports! {
    a_busy_wechat_is_asked_again;
    something_in_between_may_hide_that_wechat_acted;
    a_wrong_method_or_path_is_told;
}

const SEND: &str = "/cgi-bin/message/subscribe/send";

impl World {
    async fn credits(&self) -> u64 {
        let credits = self.ask("GET", "/sandbox/subscriptions", Value::Null).await;
        credits[0]["credits"].as_u64().unwrap()
    }
}

async fn a_busy_wechat_is_asked_again(world: World) {
    world.fail(json!({"errcode": -1, "times": 2})).await;
    world.log_in("alice").await;
    world.fail(json!({"errcode": -1, "times": 3})).await;
    let busy = world.wechat.code_to_session("sandbox:alice").await;
    assert_eq!(busy, Err(WechatError::Busy));
    let alice = world.log_in("alice").await;
    world.accept("alice", "T1").await;
    world.fail(json!({"path": SEND, "errcode": -1, "times": 2})).await;
    assert_eq!(
        world.wechat.send_subscribe_message(&message(&alice)).await,
        Ok(())
    );
    assert_eq!(world.credits().await, 0);
}

async fn something_in_between_may_hide_that_wechat_acted(world: World) {
    let alice = world.log_in("alice").await;
    world.accept("alice", "T1").await;
    world.fail(json!({"path": SEND, "status": 502})).await;
    let sent = world.wechat.send_subscribe_message(&message(&alice)).await;
    assert_eq!(sent, Err(WechatError::Ambiguous));
    assert!(!WechatError::Ambiguous.nothing_happened());
    // A log-in may be asked for again.
    world.fail(json!({"status": 504, "times": 2})).await;
    world.log_in("alice").await;
    world.fail(json!({"status": 404})).await;
    let refused = world.wechat.code_to_session("sandbox:alice").await;
    assert!(matches!(refused, Err(WechatError::Protocol(_))));
}

async fn a_wrong_method_or_path_is_told(world: World) {
    for (method, path, code) in [
        ("POST", "/sns/jscode2session", 43001),
        ("GET", "/cgi-bin/stable_token", 43002),
        ("GET", "/wxa/nothing", 40066),
    ] {
        assert_eq!(world.ask(method, path, Value::Null).await["errcode"], code);
    }
}

/// The runtime's time stands still and jumps to the next timer only when nothing else can happen: the answer is
/// lost after the work was done, on however slow a machine.
#[tokio::test(start_paused = true)]
async fn a_lost_answer_never_spends_twice() {
    let world = World::in_process().await;
    let alice = world.log_in("alice").await;
    for _ in 0..3 {
        world.accept("alice", "T1").await;
    }
    let send = async || world.wechat.send_subscribe_message(&message(&alice)).await;
    world.fail(json!({"path": SEND, "lose": "answer"})).await;
    assert_eq!(send().await, Err(WechatError::Ambiguous));
    assert_eq!(world.credits().await, 2, "it was sent, and not again");
    world.fail(json!({"path": SEND, "lose": "request"})).await;
    assert_eq!(send().await, Err(WechatError::Ambiguous));
    assert_eq!(
        world.credits().await,
        2,
        "it was not sent, which the client cannot know"
    );
    assert_eq!(send().await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn a_lost_log_in_is_tried_again() {
    let world = World::in_process().await;
    let code = world.sandbox.code_for("alice");
    world.fail(json!({"lose": "request"})).await;
    assert!(world.wechat.code_to_session(&code).await.is_ok());
    let code = world.sandbox.code_for("alice");
    world.fail(json!({"lose": "answer"})).await;
    // The first try has used it: the client needs a new one.
    assert_eq!(
        world.wechat.code_to_session(&code).await,
        Err(WechatError::CodeUsed)
    );
}

#[tokio::test]
async fn over_a_socket_silence_is_ambiguous_too() {
    let world = World::over_socket().await;
    let alice = world.log_in("alice").await;
    world.wechat.access_token().await.unwrap();
    let impatient = world.client(world.cache.clone(), |config| {
        config.timeout = Duration::from_millis(300)
    });
    world
        .fail(json!({"path": SEND, "lose": "request", "times": 9}))
        .await;
    let sent = impatient.send_subscribe_message(&message(&alice)).await;
    assert_eq!(sent, Err(WechatError::Ambiguous));
}

#[tokio::test]
async fn nobody_there_is_unreachable_and_shows_no_secret() {
    let world = World::over_socket().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let client = world.client(world.cache.clone(), |config| config.base_url = nobody);
    let error = client.code_to_session("sandbox:alice").await.unwrap_err();
    assert_eq!(error, WechatError::Unreachable);
    assert!(error.nothing_happened());
    let shown = format!("{error} {error:?} {client:?}");
    assert!(!shown.contains(world.sandbox.secret().expose()));
}

#[tokio::test]
async fn an_answer_that_is_not_wechats_is_refused() {
    let world = World::over_socket().await;
    for body in [
        "",
        "<html>captive portal</html>",
        "[]",
        "{}",
        r#"{"errcode": "0"}"#,
        r#"{"errcode": 0, "openid": "o"}"#,
    ] {
        let wrong: Wechat = world.client(world.cache.clone(), |config| config.base_url = serve(body));
        let refused = wrong.code_to_session("sandbox:alice").await;
        assert!(matches!(refused, Err(WechatError::Protocol(_))), "{body}");
    }
    let huge: &'static str = Box::leak(" ".repeat(3_000_000).into_boxed_str());
    let wrong = world.client(world.cache.clone(), |config| config.base_url = serve(huge));
    let refused = wrong.code_to_session("sandbox:alice").await;
    assert!(matches!(refused, Err(WechatError::Protocol(_))));
}

#[tokio::test]
async fn a_push_that_is_not_answered_rightly_is_sent_again() {
    let (heard, mut pushed) = tokio::sync::mpsc::unbounded_channel();
    let calls = Arc::new(AtomicU32::new(0));
    let receiver = Router::new().route(
        "/push",
        post(async move || {
            heard.send(()).unwrap();
            match calls.fetch_add(1, Ordering::SeqCst) {
                0 => (StatusCode::INTERNAL_SERVER_ERROR, ""),
                _ => (StatusCode::OK, "success"),
            }
        }),
    );
    // In process, so that nothing but this test delivers.
    let quiet = World::in_process().await;
    let target = PushTarget {
        url: Some(format!("{}/push", serve_app(receiver))),
        token: Secret::new("token"),
        encoding_aes_key: None,
        mode: PushMode::Plain,
        format: PushFormat::Json,
        delay_seconds: 0,
        double: false,
        reorder: false,
    };
    quiet.sandbox.push_to(target.clone()).unwrap();
    quiet.accept("alice", "T1").await;
    assert_eq!(quiet.sandbox.deliver().await, (0, 1));
    assert_eq!(
        quiet.sandbox.deliver().await,
        (0, 0),
        "not before five seconds have passed"
    );
    quiet.pass(5);
    let delivered = quiet.ask("POST", "/sandbox/pushes/deliver", Value::Null).await;
    assert_eq!(delivered, json!({"delivered": 1, "again": 0}));
    for _ in 0..2 {
        pushed.recv().await.unwrap();
    }
    // A served sandbox delivers by itself.
    let world = World::over_socket().await;
    world.sandbox.push_to(target).unwrap();
    world.accept("alice", "T1").await;
    pushed.recv().await.unwrap();
}

/// The address of a server that always answers so.
fn serve(body: &'static str) -> String {
    serve_app(Router::new().fallback(get(move || async move { body })))
}

fn serve_app(app: Router) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let listener = TcpListener::from_std(listener).unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    format!("http://{address}")
}
