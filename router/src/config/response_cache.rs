//! Whether what subgraphs answered is kept, and for how long at most.

use std::collections::BTreeMap;

use kernel::Secret;
use serde::{Deserialize, Serialize};

/// Whether what subgraphs answered is kept, and for how long at most. What is kept, and for whom, is up to the schema's
/// `@cacheControl` and the subgraphs' `Cache-Control`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ResponseCacheConfig {
    /// Whether anything is kept.
    pub enabled: bool,
    /// Whether a subgraph that `subgraphs` does not name takes part.
    pub all_subgraphs: bool,
    /// By subgraph name: whether it takes part.
    pub subgraphs: BTreeMap<String, bool>,
    /// Seconds for which root fields and objects are kept of which nobody says anything. 0: they are not.
    pub default_max_age_s: u32,
    /// Seconds for which anything is kept at most.
    pub max_age_s: u32,
    /// Whether what is for one caller only is kept for that caller.
    pub private: bool,
    /// Bytes of one answer, or of what it says of one entity; more is not kept.
    pub max_entry_bytes: usize,
    /// Whether clients are told for how long an answer holds. What they keep themselves nobody drops. Unset: the platform,
    /// whose people see what they have changed, does not, a router that stands alone does.
    pub tell_clients: Option<bool>,
    /// Whether answers say in `extensions.responseCache` what was kept: for debugging.
    pub debug: bool,
    /// Whether what is kept can be dropped over HTTP.
    pub invalidation: InvalidationConfig,
}

/// Whether what is kept can be dropped over HTTP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InvalidationConfig {
    /// Whether the endpoint is there. It is not without a secret.
    pub enabled: bool,
    /// Its path.
    pub path: String,
    /// What `Authorization` must be.
    pub secret: Secret,
}

/// A configuration of the response cache that cannot work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("router.response_cache.{key}: {problem}")]
pub struct ResponseCacheError {
    /// Which key.
    pub key: &'static str,
    /// What is wrong with it.
    pub problem: &'static str,
}

/// An entry must not live longer than what tells that it still holds.
pub(crate) const LONGEST_S: u32 = 86_400;

/// A shorter secret can be guessed.
const SHORTEST_SECRET: usize = 16;

impl ResponseCacheConfig {
    /// Whether a subgraph takes part.
    pub fn includes(&self, subgraph: &str) -> bool {
        let named = self.subgraphs.get(subgraph).copied();
        self.enabled && named.unwrap_or(self.all_subgraphs)
    }

    /// Whether it can work.
    ///
    /// # Errors
    /// What cannot, by its key.
    pub fn check(&self) -> Result<(), ResponseCacheError> {
        let wrong = |key, problem| Err(ResponseCacheError { key, problem });
        if self.max_age_s == 0 || self.max_age_s > LONGEST_S {
            return wrong("max_age_s", "must be from 1 to 86400");
        }
        if self.max_entry_bytes == 0 {
            return wrong("max_entry_bytes", "must be above 0");
        }
        let invalidation = &self.invalidation;
        if !invalidation.enabled {
            return Ok(());
        }
        if invalidation.secret.expose().len() < SHORTEST_SECRET {
            return wrong("invalidation.secret", "must have 16 characters or more");
        }
        if !invalidation.path.starts_with('/') || invalidation.path.contains(['{', '}', '?', '#', '*']) {
            return wrong("invalidation.path", "must be a plain path that begins with /");
        }
        Ok(())
    }
}

impl Default for ResponseCacheConfig {
    fn default() -> Self {
        Self {
            enabled: false,
            all_subgraphs: true,
            subgraphs: BTreeMap::new(),
            default_max_age_s: 0,
            max_age_s: LONGEST_S,
            private: true,
            max_entry_bytes: 256 << 10,
            tell_clients: None,
            debug: false,
            invalidation: InvalidationConfig::default(),
        }
    }
}

impl Default for InvalidationConfig {
    fn default() -> Self {
        Self {
            enabled: false,
            path: "/invalidation".to_owned(),
            secret: Secret::new(""),
        }
    }
}
