//! Where cached values live.

use serde::{Deserialize, Serialize};

/// Where cached values live.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "backend", rename_all = "lowercase", deny_unknown_fields)]
pub enum CacheConfig {
    /// In the memory of this process: gone when it ends, not shared with other processes.
    Memory {
        /// How many values are kept, of 1 KiB each: greater ones count as several. Beyond that the ones that were not used
        /// for longest go. Leaderboards do not count.
        #[serde(default = "default_max_entries")]
        max_entries: u64,
    },
    /// In a Redis server, 6.2 or later, shared by all processes.
    Redis {
        /// Such as `redis://:password@host:6379/0`.
        url: String,
        /// What all keys begin with, followed by a colon.
        #[serde(default = "default_prefix")]
        prefix: String,
    },
}

impl Default for CacheConfig {
    fn default() -> Self {
        Self::Memory {
            max_entries: default_max_entries(),
        }
    }
}

fn default_max_entries() -> u64 {
    50_000
}

fn default_prefix() -> String {
    "daka".to_owned()
}
