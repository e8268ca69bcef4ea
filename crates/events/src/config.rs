//! Where the bus runs, and how patient it is.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Where the bus runs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "backend", rename_all = "lowercase", deny_unknown_fields)]
pub enum BusConfig {
    /// In the document store: nothing else is needed.
    #[default]
    Embedded,
    /// In the streams of a Redis server, 7.0 or later.
    Redis {
        /// Such as `redis://:password@host:6379/0`.
        url: String,
        /// What the names of the streams begin with.
        #[serde(default = "default_prefix")]
        prefix: String,
        /// Over how many streams the users are spread: how many processes can share the work of one group. All
        /// processes need the same number, and it may change only while the streams are empty.
        #[serde(default = "default_streams")]
        streams: u16,
    },
}

/// How patient the bus is. The defaults are for production; tests shorten them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tuning {
    /// How long the work of a process that died stays its own.
    pub lease: Duration,
    /// How often somebody looks for what no wake-up told of.
    pub poll: Duration,
    /// How often a handler may fail at one event before that goes to the dead letters. At least once.
    pub attempts: u32,
    /// The pause before the second attempt; it doubles from there …
    pub shortest_pause: Duration,
    /// … up to this.
    pub longest_pause: Duration,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(8),
            poll: Duration::from_secs(1),
            attempts: 8,
            shortest_pause: Duration::from_millis(50),
            longest_pause: Duration::from_secs(5),
        }
    }
}

impl Tuning {
    /// The pause after that many failures in a row.
    pub(crate) fn pause(&self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(16);
        self.shortest_pause
            .saturating_mul(1 << doublings)
            .min(self.longest_pause)
    }
}

fn default_prefix() -> String {
    "daka".to_owned()
}

fn default_streams() -> u16 {
    16
}
