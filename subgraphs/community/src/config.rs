//! What a deployment may set for this domain.

use serde::{Deserialize, Serialize};

/// Settings of the community domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CommunityConfig {
    /// How many people somebody may follow.
    pub max_following: u32,
    /// How many friends somebody may have, and requests that they have not been answered.
    pub max_friends: u32,
    /// How many people somebody may block, and as many mute.
    pub max_blocked: u32,
}

impl Default for CommunityConfig {
    fn default() -> Self {
        Self {
            max_following: 1000,
            max_friends: 500,
            max_blocked: 500,
        }
    }
}
