//! Keys at an address that answers as it likes.

use std::sync::atomic::AtomicUsize;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use kernel::{ManualClock, Random, Secret};
use serde_json::json;

use super::*;
use crate::{AuthConfig, Issuer, KeySource, Keys, Verifier};

/// An issuer that publishes keys, fails for so many calls, and counts them.
#[derive(Clone, Default)]
struct Publisher {
    jwks: Arc<RwLock<Value>>,
    failures: Arc<AtomicUsize>,
    calls: Arc<AtomicUsize>,
}

struct World {
    publisher: Publisher,
    keys: Arc<PublishedKeys>,
    clock: ManualClock,
}

impl Publisher {
    async fn answer(State(publisher): State<Self>) -> Response {
        publisher.calls.fetch_add(1, Ordering::SeqCst);
        let fewer = |left: usize| left.checked_sub(1);
        if publisher
            .failures
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, fewer)
            .is_ok()
        {
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
        axum::Json(publisher.jwks.read().unwrap().clone()).into_response()
    }

    fn publish(&self, keys: &[&Keys]) {
        let sets = keys.iter().map(|keys| keys.jwks()["keys"][0].clone());
        *self.jwks.write().unwrap() = json!({ "keys": sets.collect::<Vec<_>>() });
    }

    fn fail(&self, times: usize) {
        self.failures.store(times, Ordering::SeqCst);
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

impl World {
    async fn open() -> Self {
        let publisher = Publisher::default();
        let routes = Router::new()
            .route("/jwks.json", get(Publisher::answer))
            .with_state(publisher.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/jwks.json", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        let clock = ManualClock::at("2026-03-29T01:00:00Z".parse().unwrap());
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Self {
            keys: PublishedKeys::new(KeyLocation::Url(url), client, clock.clock()),
            publisher,
            clock,
        }
    }

    fn verifier(&self) -> Verifier {
        Verifier::from_published(self.keys.clone(), &AuthConfig::default())
    }

    fn token(&self, keys: &Keys) -> String {
        let random = Random::seeded(7);
        let now = self.clock.now();
        let issuer = Issuer::new(keys, &AuthConfig::default());
        issuer.issue(random.id(now), random.id(now), now).unwrap()
    }

    async fn judged(&self, verifier: &Verifier, token: &str) -> Result<(), TokenError> {
        verifier.verify(token, self.clock.now()).await.map(|_| ())
    }

    fn pass(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }
}

/// Another key each time.
fn keys(seed: u8) -> Keys {
    use base64::Engine as _;
    let mut der = hex::decode("302e020100300506032b657004220420").unwrap();
    der.extend([seed; 32]);
    let pem = format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        base64::prelude::BASE64_STANDARD.encode(der)
    );
    let config = AuthConfig {
        signing_key: KeySource::Pem(Secret::new(pem)),
        ..AuthConfig::default()
    };
    Keys::load(&config, &Random::seeded(1)).unwrap()
}

#[tokio::test]
async fn a_token_is_good_though_the_first_look_at_the_keys_fails() {
    let world = World::open().await;
    world.publisher.publish(&[&keys(1)]);
    world.publisher.fail(2);
    let token = world.token(&keys(1));
    assert_eq!(world.judged(&world.verifier(), &token).await, Ok(()));
    assert_eq!(world.publisher.calls(), 3);
}

#[tokio::test]
async fn while_the_keys_cannot_be_looked_up_nobody_is_said_to_be_logged_out() {
    let world = World::open().await;
    let verifier = world.verifier();
    world.publisher.publish(&[&keys(1)]);
    world.publisher.fail(usize::MAX);
    let token = world.token(&keys(1));
    let unjudged = Err(TokenError::Unjudged { retry_after: 1 });
    assert_eq!(world.judged(&verifier, &token).await, unjudged);
    let calls = world.publisher.calls();
    assert_eq!(world.judged(&verifier, &token).await, unjudged);
    assert_eq!(world.publisher.calls(), calls, "it is given a second");
    world.publisher.fail(0);
    world.pass(1);
    assert_eq!(world.judged(&verifier, &token).await, Ok(()));

    // What is known stays known, and what is not cannot be judged.
    world.publisher.fail(usize::MAX);
    world.pass(3600);
    assert_eq!(world.judged(&verifier, &world.token(&keys(1))).await, Ok(()));
    assert_eq!(world.judged(&verifier, &world.token(&keys(2))).await, unjudged);
}

#[tokio::test]
async fn a_new_key_is_looked_up_and_a_removed_one_forgotten() {
    let world = World::open().await;
    let verifier = world.verifier();
    world.publisher.publish(&[&keys(1)]);
    let (old, new) = (world.token(&keys(1)), world.token(&keys(2)));
    assert_eq!(world.judged(&verifier, &old).await, Ok(()));
    world.publisher.publish(&[&keys(1), &keys(2)]);
    // A look-up was made just now: it is not known yet whether the key is good.
    let unjudged = Err(TokenError::Unjudged { retry_after: 5 });
    assert_eq!(world.judged(&verifier, &new).await, unjudged);
    world.pass(5);
    assert_eq!(world.judged(&verifier, &new).await, Ok(()));
    assert_eq!(world.judged(&verifier, &old).await, Ok(()));
    world.publisher.publish(&[&keys(2)]);
    world.pass(5);
    assert!(matches!(world.keys.look_up().await, Outcome::Fresh));
    assert_eq!(
        world.judged(&verifier, &old).await,
        Err(TokenError::Unjudged { retry_after: 5 })
    );
    world.pass(5);
    assert_eq!(world.judged(&verifier, &old).await, Err(TokenError::UnknownKey));
    world.pass(60);
    assert_eq!(world.judged(&verifier, &world.token(&keys(2))).await, Ok(()));
}

#[tokio::test]
async fn keys_are_looked_up_again_by_age() {
    let world = World::open().await;
    world.publisher.publish(&[&keys(1)]);
    let following = tokio::spawn(world.keys.clone().follow(Duration::from_millis(1)));
    let verifier = world.verifier();
    let token = world.token(&keys(1));
    assert_eq!(world.judged(&verifier, &token).await, Ok(()));
    world.publisher.publish(&[&keys(2)]);
    while world.judged(&verifier, &token).await.is_ok() {
        world.pass(5);
        tokio::task::yield_now().await;
    }
    following.abort();
}

#[tokio::test]
async fn invented_keys_cause_no_look_up_each() {
    let world = World::open().await;
    let verifier = world.verifier();
    world.publisher.publish(&[&keys(1)]);
    assert_eq!(world.judged(&verifier, &world.token(&keys(1))).await, Ok(()));
    let old = world.token(&keys(2));
    world.pass(60);
    let invented: Vec<_> = (2..100).map(|seed| world.token(&keys(seed))).collect();
    let calls = world.publisher.calls();
    let judged = futures::future::join_all(invented.iter().map(|token| world.judged(&verifier, token))).await;
    assert!(judged.iter().all(Result::is_err));
    assert_eq!(world.publisher.calls(), calls + 1);
    // One that is older than the look-up would have been found by it.
    assert_eq!(world.judged(&verifier, &old).await, Err(TokenError::UnknownKey));
    assert_eq!(world.publisher.calls(), calls + 1);
}

#[tokio::test]
async fn many_who_wait_at_once_make_one_look_up() {
    let world = World::open().await;
    let verifier = world.verifier();
    world.publisher.publish(&[&keys(1)]);
    let token = world.token(&keys(1));
    let all = (0..100).map(|_| world.judged(&verifier, &token));
    let judged = futures::future::join_all(all).await;
    assert!(judged.iter().all(Result::is_ok));
    assert_eq!(world.publisher.calls(), 1);
}

#[tokio::test]
async fn a_look_up_is_finished_though_who_asked_goes_away() {
    let world = World::open().await;
    let verifier = world.verifier();
    world.publisher.publish(&[&keys(1)]);
    let token = world.token(&keys(1));
    let mut asking = Box::pin(world.judged(&verifier, &token));
    assert!(futures::poll!(asking.as_mut()).is_pending());
    drop(asking);
    assert_eq!(world.judged(&verifier, &token).await, Ok(()));
    assert_eq!(world.publisher.calls(), 1);
}

#[tokio::test]
async fn what_is_no_key_set_is_not_taken_over() {
    let world = World::open().await;
    for nonsense in [
        json!({}),
        json!({"keys": []}),
        json!({"keys": "x".repeat(MAX_BYTES)}),
    ] {
        *world.publisher.jwks.write().unwrap() = nonsense;
        assert!(matches!(world.keys.look_up().await, Outcome::Failed));
        world.pass(1);
    }
}
