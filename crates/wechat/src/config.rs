//! What can be configured about WeChat.

use std::time::Duration;

use kernel::Secret;
use serde::{Deserialize, Serialize};

use crate::push::PushConfig;

/// How WeChat is reached. Durations are written like `5s` or `PT5S`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WechatConfig {
    /// WeChat itself, or a sandbox inside this program.
    pub mode: Mode,
    /// Where the API is. Another sandbox's address serves as well.
    pub base_url: String,
    /// The mini-program's id.
    pub appid: String,
    /// The mini-program's secret.
    pub secret: Secret,
    /// How long one call may take.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub timeout: Duration,
    /// How often a call is tried again where that is safe.
    pub retries: u32,
    /// The pause before the first of these; each further one is twice as long.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub retry_pause: Duration,
    /// How WeChat's pushes come in.
    pub push: PushConfig,
}

/// Which WeChat it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// A sandbox that the program starts inside itself: logging in works with no WeChat account.
    #[default]
    Sandbox,
    /// What answers at `base_url`.
    Real,
}

impl Default for WechatConfig {
    fn default() -> Self {
        Self {
            mode: Mode::Sandbox,
            base_url: "https://api.weixin.qq.com".to_owned(),
            appid: String::new(),
            secret: Secret::new(""),
            timeout: Duration::from_secs(5),
            retries: 2,
            retry_pause: Duration::from_millis(100),
            push: PushConfig::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_is_read_with_defaults_and_shown_without_secrets() {
        let config: WechatConfig = serde_json::from_str(
            r#"{"mode": "real", "appid": "wx1", "secret": "hush", "timeout": "250ms", "push": {"token": "psst"}}"#,
        )
        .unwrap();
        assert_eq!(config.timeout, Duration::from_millis(250));
        assert_eq!(config.base_url, "https://api.weixin.qq.com");
        let shown = serde_json::to_string(&config).unwrap() + &format!("{config:?}");
        assert!(!shown.contains("hush") && !shown.contains("psst"), "{shown}");
        assert!(serde_json::from_str::<WechatConfig>(r#"{"appId": "x"}"#).is_err());
    }
}
