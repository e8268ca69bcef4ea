//! A WeChat of one's own: an HTTP server that keeps the contract of WeChat's server API, so that logging in works
//! with no account, tests need no network, and developers can try what the real one seldom shows.
//!
//! Beside WeChat's own paths it has control paths under `/sandbox`, with JSON in and out:
//!
//! | path | does |
//! |---|---|
//! | `GET /sandbox` | tells the appid and what is there |
//! | `POST /sandbox/codes {name}` | issues a log-in code, which works once and for five minutes |
//! | `POST /sandbox/phone-codes {phoneNumber, countryCode?}` | issues the code of a phone number |
//! | `PUT /sandbox/users {name, highRisk?, unlinked?, visits?}` | makes the user high-risk, without unionid, or lets them visit now |
//! | `POST /sandbox/subscriptions {name, templateId, accept?}` | the user answers the question: one more credit, or none |
//! | `PUT /sandbox/subscriptions {name, templateId}` | the user refuses in the settings: all credits are gone |
//! | `GET /sandbox/subscriptions` | the credits |
//! | `GET`, `DELETE /sandbox/messages` | the messages sent; forgets them |
//! | `POST`, `DELETE /sandbox/faults {path?, times?, errcode? \| lose? \| status?}` | the next calls fail so; forgets that |
//! | `GET`, `POST /sandbox/clock {advanceSeconds}` | the virtual clock; moves it |
//! | `PUT /sandbox/quotas {path, perDay}` | the day's quota of a path |
//! | `PUT /sandbox/templates {templateId, keys}` | makes a template known; others then are not |
//! | `PUT /sandbox/pages {pages}` | the pages that are live; others then are not |
//! | `PUT /sandbox/push {url?, token, encodingAesKey?, mode?, format?, delaySeconds?, double?, reorder?}` | where pushes go and how |
//! | `GET /sandbox/pushes`, `POST /sandbox/pushes/deliver` | what waits; sends what is due |
//!
//! A content with `[risky]`, `[risky:20002]` or `[review]` in it gets that verdict, and so does a media URL with
//! these words; a media URL with `[missing]` cannot be downloaded.

mod api;
mod control;
mod credentials;
mod pushes;
mod state;

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use kernel::{Clock, Random, Secret};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use pushes::{PushFormat, PushTarget, RenderedPush};
use state::State;

/// A sandbox. Clones are the same one.
#[derive(Clone)]
pub struct Sandbox(Arc<Inner>);

struct Inner {
    config: SandboxConfig,
    clock: Clock,
    random: Random,
    state: Mutex<State>,
    /// Ends calls that were told never to be answered, so that they do not outlive the server.
    closing: CancellationToken,
    /// Made when the first push is sent: most sandboxes never send one.
    http: OnceLock<Option<reqwest::Client>>,
}

/// How a sandbox behaves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SandboxConfig {
    /// The only mini-program that it knows.
    pub appid: String,
    /// The mini-program's secret.
    pub secret: Secret,
    /// Whether all users count as visiting all the time. WeChat checks texts only of those who visited within two
    /// hours, but a sandbox sees no visits other than log-ins.
    pub always_visiting: bool,
    /// How long the verdict on a file takes.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub media_delay: Duration,
}

impl Default for SandboxConfig {
    fn default() -> Self {
        Self {
            appid: "wxsandbox000000000".to_owned(),
            secret: Secret::new("sandbox-secret-of-no-value"),
            always_visiting: false,
            media_delay: Duration::from_secs(2),
        }
    }
}

impl Sandbox {
    /// A sandbox in which nothing has happened yet. Its own clock runs with `clock` and can be moved ahead of it.
    pub fn new(clock: Clock, random: Random, config: SandboxConfig) -> Self {
        Self(Arc::new(Inner {
            config,
            clock,
            random,
            state: Mutex::default(),
            closing: CancellationToken::new(),
            http: OnceLock::new(),
        }))
    }

    /// The mini-program that it knows.
    pub fn appid(&self) -> &str {
        &self.0.config.appid
    }

    /// The mini-program's secret.
    pub fn secret(&self) -> &Secret {
        &self.0.config.secret
    }

    /// Its virtual time.
    pub fn now(&self) -> Timestamp {
        self.time(&self.state())
    }

    /// Moves its virtual time ahead; what has become due is not sent by that.
    pub fn advance(&self, by: SignedDuration) {
        let mut state = self.state();
        state.ahead = state.ahead.saturating_add(by);
    }

    /// A log-in code for the user of that name, which works once and for five minutes.
    pub fn code_for(&self, name: &str) -> String {
        self.issue_code(name)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn time(&self, state: &State) -> Timestamp {
        let now = self.0.clock.now();
        now.saturating_add(state.ahead).unwrap_or(now)
    }
}

/// The sandbox as a service: WeChat's paths and the control paths.
pub fn router(sandbox: Sandbox) -> axum::Router {
    api::router(sandbox.clone()).merge(control::router(sandbox))
}

/// Serves a sandbox, and sends its pushes, until `shutdown`.
///
/// # Errors
/// When the listener fails.
pub async fn serve(sandbox: Sandbox, listener: TcpListener, shutdown: CancellationToken) -> io::Result<()> {
    let closing = sandbox.0.closing.clone();
    let ended = shutdown.clone();
    let server = axum::serve(listener, router(sandbox.clone())).with_graceful_shutdown(async move {
        ended.cancelled().await;
        closing.cancel();
    });
    let (served, ()) = tokio::join!(server, sandbox.run_pushes(shutdown.clone()));
    served
}
