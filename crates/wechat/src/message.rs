//! Subscription messages: one accept of the user, one message.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::client::Call;
use crate::{Wechat, WechatError, fields};

/// A message to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscribeMessage {
    /// The openid of its reader.
    pub to: String,
    /// The template that the reader has accepted.
    pub template: String,
    /// The template's fields, such as `thing1`, each with its value.
    pub data: BTreeMap<String, String>,
    /// The page that opens on a tap, with its query.
    pub page: Option<String>,
    /// Which version of the mini-program opens.
    pub state: MiniprogramState,
    /// The language of what WeChat itself adds.
    pub language: MessageLanguage,
}

/// Which version of the mini-program a message opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MiniprogramState {
    /// The one being developed.
    Developer,
    /// The one given to testers.
    Trial,
    /// The published one.
    #[default]
    Formal,
}

/// The languages of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum MessageLanguage {
    /// Simplified Chinese.
    #[default]
    #[serde(rename = "zh_CN")]
    ZhCn,
    /// English.
    #[serde(rename = "en_US")]
    EnUs,
    /// Traditional Chinese as in Hong Kong.
    #[serde(rename = "zh_HK")]
    ZhHk,
    /// Traditional Chinese as in Taiwan.
    #[serde(rename = "zh_TW")]
    ZhTw,
}

impl Wechat {
    /// Sends a message. Its fields are checked first ([`fields::check`]), because a message that WeChat refuses
    /// helps nobody.
    ///
    /// # Errors
    /// [`WechatError::InvalidField`] before anything is sent; [`WechatError::NotAccepted`],
    /// [`WechatError::InvalidOpenid`], [`WechatError::InvalidTemplate`], [`WechatError::PageNotLive`]; and
    /// [`WechatError::Ambiguous`] when no answer came: the message may have been sent, so it is not sent again.
    pub async fn send_subscribe_message(&self, message: &SubscribeMessage) -> Result<(), WechatError> {
        let mut data = Map::new();
        for (key, value) in &message.data {
            fields::check(key, value).map_err(WechatError::InvalidField)?;
            data.insert(key.clone(), json!({ "value": value }));
        }
        let mut body = json!({
            "touser": message.to,
            "template_id": message.template,
            "data": data,
            "miniprogram_state": message.state,
            "lang": message.language,
        });
        if let Some(page) = &message.page {
            body["page"] = Value::from(page.as_str());
        }
        let call = Call {
            path: "/cgi-bin/message/subscribe/send",
            query: Vec::new(),
            body: Some(body),
            repeatable: false,
        };
        self.call::<Value>(&call).await.map(|_| ())
    }
}
