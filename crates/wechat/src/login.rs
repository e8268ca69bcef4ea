//! Who has the mini-program open: codes into sessions and phone numbers.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use kernel::Secret;
use serde::{Deserialize, Deserializer};
use serde_json::json;
use sha2::Sha256;

use crate::client::Call;
use crate::{Wechat, WechatError};

/// Codes are 32 characters today; what is much longer is none and is not sent.
const MAX_CODE_BYTES: usize = 512;

/// What a log-in code stands for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct WechatSession {
    /// The person, as this mini-program knows them.
    pub openid: String,
    /// The person, as all apps of one owner know them; only where the owner has linked them.
    #[serde(default)]
    pub unionid: Option<String>,
    /// The key of this log-in. Never to leave the server.
    pub session_key: Secret,
}

/// A phone number that its owner has agreed to give.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PhoneNumber {
    /// With the country's code where it is abroad.
    pub phone_number: String,
    /// Without the country's code.
    pub pure_phone_number: String,
    /// Such as `86`.
    #[serde(deserialize_with = "text_or_number")]
    pub country_code: String,
}

impl Wechat {
    /// Exchanges a log-in code, which works once.
    ///
    /// After a lost answer the code is tried again: at worst WeChat then says [`WechatError::CodeUsed`], and the
    /// client gets itself a new one.
    ///
    /// # Errors
    /// [`WechatError::InvalidCode`], [`WechatError::CodeUsed`], [`WechatError::RateLimited`] (100 a minute and
    /// user), [`WechatError::HighRiskUser`], and what can happen on the way.
    pub async fn code_to_session(&self, code: &str) -> Result<WechatSession, WechatError> {
        check_code(code)?;
        let inner = self.inner();
        let call = Call {
            path: "/sns/jscode2session",
            query: vec![
                ("appid", &inner.appid),
                ("secret", inner.secret.expose()),
                ("js_code", code),
                ("grant_type", "authorization_code"),
            ],
            body: None,
            repeatable: true,
        };
        inner.call(&call, None).await
    }

    /// Whether that is still the person's session key.
    ///
    /// # Errors
    /// What can happen on the way; a key that is not valid any more is an answer, not an error.
    pub async fn check_session_key(&self, openid: &str, session_key: &Secret) -> Result<bool, WechatError> {
        const INVALID_SIGNATURE: i64 = 87009;
        let signature = sign_nothing(session_key);
        let call = Call {
            path: "/wxa/checksession",
            query: vec![
                ("openid", openid),
                ("signature", &signature),
                ("sig_method", "hmac_sha256"),
            ],
            body: None,
            repeatable: true,
        };
        match self.call::<serde_json::Value>(&call).await {
            Ok(_) => Ok(true),
            Err(WechatError::Refused {
                code: INVALID_SIGNATURE,
                ..
            }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Exchanges the code of a phone number, which works once and within five minutes.
    ///
    /// # Errors
    /// [`WechatError::InvalidCode`], [`WechatError::CodeUsed`], and what can happen on the way.
    pub async fn phone_number(&self, code: &str) -> Result<PhoneNumber, WechatError> {
        #[derive(Deserialize)]
        struct Answer {
            phone_info: Info,
        }
        #[derive(Deserialize)]
        struct Info {
            #[serde(flatten)]
            number: PhoneNumber,
            watermark: Watermark,
        }
        #[derive(Deserialize)]
        struct Watermark {
            appid: String,
        }
        check_code(code)?;
        let call = Call {
            path: "/wxa/business/getuserphonenumber",
            query: Vec::new(),
            body: Some(json!({ "code": code })),
            repeatable: true,
        };
        let Answer { phone_info } = self.call(&call).await?;
        if phone_info.watermark.appid != self.appid() {
            return Err(WechatError::Protocol("a phone number for another mini-program"));
        }
        Ok(phone_info.number)
    }
}

/// The signature of the empty text, which shows that one has the key (as a text: it is not decoded first).
pub(crate) fn sign_nothing(session_key: &Secret) -> String {
    // HMAC takes keys of any length, so this cannot fail.
    Hmac::<Sha256>::new_from_slice(session_key.expose().as_bytes())
        .map(|mac| hex::encode(mac.finalize().into_bytes()))
        .unwrap_or_default()
}

fn check_code(code: &str) -> Result<(), WechatError> {
    if code.is_empty() || code.len() > MAX_CODE_BYTES {
        return Err(WechatError::InvalidCode);
    }
    Ok(())
}

fn text_or_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Text(String),
        Number(u32),
    }
    Ok(match Either::deserialize(deserializer)? {
        Either::Text(text) => text,
        Either::Number(number) => number.to_string(),
    })
}

impl fmt::Debug for PhoneNumber {
    /// Only the country: the rest is nobody's business in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PhoneNumber(+{} ***)", self.country_code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_country_is_a_text_or_a_number() {
        for country in ["\"86\"", "86"] {
            let json = format!(
                r#"{{"phoneNumber": "13800138000", "purePhoneNumber": "13800138000", "countryCode": {country}}}"#
            );
            let number: PhoneNumber = serde_json::from_str(&json).unwrap();
            assert_eq!(number.country_code, "86");
            assert_eq!(format!("{number:?}"), "PhoneNumber(+86 ***)");
        }
    }

    #[test]
    fn nothing_is_signed_as_hmac_has_it() {
        // HMAC-SHA-256 of the empty text under the empty key: a value found in many places.
        assert_eq!(
            sign_nothing(&Secret::new("")),
            "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"
        );
    }
}
