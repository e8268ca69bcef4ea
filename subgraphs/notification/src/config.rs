//! What a deployment may set for this domain.

use serde::{Deserialize, Serialize};

/// Settings of the notification domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NotificationConfig {
    /// Milliseconds after which who listens hears at the latest of what another process wrote.
    pub poll_ms: u64,
}

impl Default for NotificationConfig {
    fn default() -> Self {
        Self { poll_ms: 1000 }
    }
}
