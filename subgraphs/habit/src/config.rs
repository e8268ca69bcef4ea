//! What a deployment may set for this domain.

use serde::{Deserialize, Serialize};

/// Settings of the habit domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HabitConfig {
    /// How many habits somebody may have, archived ones included.
    pub max_habits: u32,
}

impl Default for HabitConfig {
    fn default() -> Self {
        Self { max_habits: 500 }
    }
}
