//! Credentials of subscriptions: judged when they come, and again while events flow.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use http::HeaderMap;
use kernel::{ErrorCode, Principal};
use router::{AuthError, Authenticator};
use serde_json::json;

use super::clients::{Going, Socket};
use super::feed::Way;
use super::{ENDLESS, EVENTS, Router};

/// Finds everybody's credentials as good as it is told they are.
#[derive(Default)]
struct Judge {
    trouble: Mutex<Option<ErrorCode>>,
    judged: AtomicUsize,
}

impl Judge {
    fn finds(&self, trouble: Option<ErrorCode>) {
        *self.trouble.lock().expect("nobody panics meanwhile") = trouble;
    }

    /// Waits until credentials have been judged so many times more.
    async fn has_judged(&self, times: usize) {
        let before = self.judged.load(Ordering::SeqCst);
        while self.judged.load(Ordering::SeqCst) < before + times {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

impl Authenticator for Judge {
    fn authenticate<'a>(&'a self, _: &'a HeaderMap) -> BoxFuture<'a, Result<Principal, AuthError>> {
        self.judged.fetch_add(1, Ordering::SeqCst);
        let trouble = *self.trouble.lock().expect("nobody panics meanwhile");
        let judged = match trouble {
            None => Ok(Principal::anonymous()),
            Some(code) => Err(AuthError {
                code,
                message: "not now".to_owned(),
                retry_after: None,
                challenge: "Bearer",
            }),
        };
        async { judged }.boxed()
    }
}

async fn judged() -> (Router, Arc<Judge>) {
    let judge = Arc::<Judge>::default();
    let config = json!({ "subscriptions": { "recheck_ms": 1 } });
    let router = Router::judged_by(Way::InProcess, config, judge.clone()).await;
    (router, judge)
}

#[tokio::test]
async fn a_websocket_whose_credentials_cannot_be_judged_is_told_to_come_again() {
    let (router, judge) = judged().await;
    for (trouble, code) in [
        (ErrorCode::ServiceUnavailable, 1013),
        (ErrorCode::Unauthenticated, 4403),
    ] {
        judge.finds(Some(trouble));
        let protocol = [("sec-websocket-protocol", "graphql-transport-ws")];
        let mut socket = Socket::open(&router.base, &protocol).await.expect("a WebSocket");
        socket.say(json!({ "type": "connection_init" })).await;
        assert_eq!(socket.hear().await, code, "{trouble:?}");
    }
}

#[tokio::test]
async fn a_subscription_ends_when_its_credentials_hold_no_longer_and_not_when_nobody_can_judge_them() {
    let (router, judge) = judged().await;
    let mut socket = Socket::ready(&router.base, json!({})).await;
    socket.subscribe("a", ENDLESS).await;
    let mut events = Going::post(&router.base, EVENTS, ENDLESS).await;
    events.until("endless").await;
    judge.finds(Some(ErrorCode::ServiceUnavailable));
    assert_eq!(socket.hear().await["type"], "next");
    judge.has_judged(10).await;
    judge.finds(Some(ErrorCode::Unauthenticated));
    let told = socket.hear().await;
    assert_eq!(
        (&told["type"], &told["payload"][0]["extensions"]["code"]),
        (&json!("error"), &json!("UNAUTHENTICATED"))
    );
    let events = events.all().await;
    assert!(events.contains("UNAUTHENTICATED"), "{events}");
    assert!(events.ends_with("event: complete\ndata:\n\n"), "{events}");
    router.watch.open(0).await;
}
