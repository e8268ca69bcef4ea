//! What a server takes on at most.

use std::num::{NonZeroU32, NonZeroU64, NonZeroUsize};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What a server takes on at most, so that clients who are slow, many or hostile cost the others nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServerConfig {
    /// Connections at once; others wait to be accepted.
    pub max_connections: NonZeroUsize,
    /// Requests that are worked on at once; others are refused with 503.
    pub max_requests: NonZeroUsize,
    /// Bytes of requests and answers that are held at once: bodies that are read, answers of subgraphs, and answers that
    /// clients have not taken yet. What does not fit is refused with 503.
    pub max_held_bytes: NonZeroUsize,
    /// Streams of one HTTP/2 connection at once.
    pub max_streams: NonZeroU32,
    /// Milliseconds after which a connection is closed that has no request under way, or has not told one whole.
    pub idle_timeout_ms: NonZeroU64,
    /// Milliseconds that a client gets to send the body of a request.
    pub body_timeout_ms: NonZeroU64,
    /// Milliseconds that a client gets to take a large answer; then its connection is cut.
    pub answer_timeout_ms: NonZeroU64,
    /// Seconds for which browsers are to come by HTTPS only (RFC 6797), where a proxy before the server speaks it; 0: nothing
    /// is said.
    pub hsts_max_age_s: u64,
}

impl ServerConfig {
    pub(super) fn idle_timeout(&self) -> Duration {
        Duration::from_millis(self.idle_timeout_ms.get())
    }

    pub(super) fn body_timeout(&self) -> Duration {
        Duration::from_millis(self.body_timeout_ms.get())
    }

    pub(super) fn answer_timeout(&self) -> Duration {
        Duration::from_millis(self.answer_timeout_ms.get())
    }
}

impl Default for ServerConfig {
    fn default() -> Self {
        let size = |value| NonZeroUsize::new(value).unwrap_or(NonZeroUsize::MIN);
        let time = |value| NonZeroU64::new(value).unwrap_or(NonZeroU64::MIN);
        Self {
            max_connections: size(10_000),
            max_requests: size(2_000),
            max_held_bytes: size(512 << 20),
            max_streams: NonZeroU32::new(200).unwrap_or(NonZeroU32::MIN),
            idle_timeout_ms: time(75_000),
            body_timeout_ms: time(30_000),
            answer_timeout_ms: time(60_000),
            hsts_max_age_s: 0,
        }
    }
}
