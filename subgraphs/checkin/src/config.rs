//! What a deployment may set for this domain.

use rules::CheckInPolicy;
use serde::{Deserialize, Serialize};

/// Settings of the check-in domain.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CheckInConfig {
    /// Days back that a missed day can be made up.
    pub makeup_window_days: u16,
    /// Makeups in a calendar month.
    pub makeup_quota: u16,
    /// Whether an entry inside that window counts as late instead, and spends no makeup.
    pub allow_late: bool,
}

impl Default for CheckInConfig {
    fn default() -> Self {
        let CheckInPolicy {
            makeup_window_days,
            makeup_quota,
            allow_late,
        } = CheckInPolicy::default();
        Self {
            makeup_window_days,
            makeup_quota,
            allow_late,
        }
    }
}

impl CheckInConfig {
    /// The same for the rules.
    pub fn policy(&self) -> CheckInPolicy {
        CheckInPolicy {
            makeup_window_days: self.makeup_window_days,
            makeup_quota: self.makeup_quota,
            allow_late: self.allow_late,
        }
    }
}
