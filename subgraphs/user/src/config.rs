//! What a deployment may set for this domain.

use serde::{Deserialize, Serialize};

/// Settings of the user domain.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UserConfig {
    /// The time zone of somebody who has not chosen one: an IANA name.
    pub default_timezone: String,
    /// WeChat OpenIDs whose owners become administrators when they log in.
    pub administrators: Vec<String>,
}

impl Default for UserConfig {
    fn default() -> Self {
        Self {
            default_timezone: "Asia/Shanghai".to_owned(),
            administrators: Vec::new(),
        }
    }
}
