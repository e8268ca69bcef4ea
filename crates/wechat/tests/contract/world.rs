//! A client and its sandbox.

use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use cache::{Cache, CacheConfig};
use jiff::SignedDuration;
use kernel::{ManualClock, Random};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};
use tower::ServiceExt as _;
use wechat::{Sandbox, SandboxConfig, Wechat, WechatConfig, sandbox};

/// A client and its sandbox, whose clocks go together.
pub(crate) struct World {
    pub(crate) wechat: Wechat,
    pub(crate) sandbox: Sandbox,
    pub(crate) clock: ManualClock,
    pub(crate) cache: Cache,
    pub(crate) config: WechatConfig,
    over_socket: bool,
    router: Router,
    _server: Option<DropGuard>,
}

impl World {
    pub(crate) async fn in_process() -> Self {
        Self::new(false).await
    }

    pub(crate) async fn over_socket() -> Self {
        Self::new(true).await
    }

    async fn new(over_socket: bool) -> Self {
        let clock = ManualClock::at("2026-03-29T01:00:00Z".parse().unwrap());
        let sandbox = Sandbox::new(clock.clock(), Random::seeded(7), SandboxConfig::default());
        let cache = Cache::open(&CacheConfig::Memory { max_entries: 100 }, clock.clock()).unwrap();
        let mut config = WechatConfig {
            appid: sandbox.appid().to_owned(),
            secret: sandbox.secret().clone(),
            retry_pause: Duration::ZERO,
            timeout: Duration::from_secs(30),
            ..WechatConfig::default()
        };
        let server = if over_socket {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            config.base_url = format!("http://{}", listener.local_addr().unwrap());
            let shutdown = CancellationToken::new();
            tokio::spawn(sandbox::serve(sandbox.clone(), listener, shutdown.clone()));
            Some(shutdown.drop_guard())
        } else {
            None
        };
        let router = sandbox::router(sandbox.clone());
        let mut world = Self {
            wechat: Wechat::in_process(&sandbox, &config, cache.clone(), clock.clock()),
            sandbox,
            clock,
            cache,
            config,
            over_socket,
            router,
            _server: server,
        };
        world.wechat = world.client(world.cache.clone(), |_| ());
        world
    }

    /// One more client of the same sandbox, as another process would have it.
    pub(crate) fn client(&self, cache: Cache, change: impl FnOnce(&mut WechatConfig)) -> Wechat {
        let mut config = self.config.clone();
        change(&mut config);
        if self.over_socket {
            Wechat::new(&config, cache, self.clock.clock()).unwrap()
        } else {
            Wechat::in_process(&self.sandbox, &config, cache, self.clock.clock())
        }
    }

    pub(crate) fn pass(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    /// Any request to the sandbox; the JSON of its answer, `null` if there is none.
    pub(crate) async fn ask(&self, method: &str, target: &str, body: Value) -> Value {
        let request = Request::builder()
            .method(method)
            .uri(target)
            .header("content-type", "application/json");
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let request = request.body(Body::from(body)).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        assert!(response.status().is_success(), "{target}: {}", response.status());
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        serde_json::from_slice(&body).unwrap_or_default()
    }

    /// The next calls fail so.
    pub(crate) async fn fail(&self, fault: Value) {
        self.ask("POST", "/sandbox/faults", fault).await;
    }

    /// The openid of a user who has just logged in.
    pub(crate) async fn log_in(&self, name: &str) -> String {
        let code = format!("sandbox:{name}");
        self.wechat.code_to_session(&code).await.unwrap().openid
    }

    /// The user accepts one message of the template.
    pub(crate) async fn accept(&self, name: &str, template: &str) {
        let body = json!({"name": name, "templateId": template});
        self.ask("POST", "/sandbox/subscriptions", body).await;
    }
}

/// Makes each case a test per transport.
macro_rules! over_both_transports {
    ($($case:ident;)*) => {
        mod in_process {
            $(#[tokio::test]
            async fn $case() {
                super::$case(crate::world::World::in_process().await).await;
            })*
        }
        mod over_a_socket {
            $(#[tokio::test]
            async fn $case() {
                super::$case(crate::world::World::over_socket().await).await;
            })*
        }
    };
}
pub(crate) use over_both_transports;
