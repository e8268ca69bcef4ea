//! What WeChat pushes to the platform: who may, in which form, and what it says.

mod crypto;
mod event;
mod tree;

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use kernel::Secret;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use subtle::ConstantTimeEq as _;

pub(crate) use crypto::{AesKey, sign};
pub use event::{Choice, MediaVerdict, Push, PushEvent, SendOutcome};

/// No push comes near this.
const MAX_BODY_BYTES: usize = 256 * 1024;

/// The receiver's settings, as they stand in WeChat's console under "消息推送".
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PushConfig {
    /// The token that both sides know.
    pub token: Secret,
    /// The `EncodingAESKey`, 43 characters; needed unless the mode is plain.
    pub encoding_aes_key: Option<Secret>,
    /// Whether pushes are encrypted.
    pub mode: PushMode,
}

/// Whether pushes are encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PushMode {
    /// 明文模式: not encrypted.
    #[default]
    Plain,
    /// 兼容模式: both, side by side. Only the encrypted one is believed.
    Compatible,
    /// 安全模式: encrypted.
    Secure,
}

/// The query that comes with each push.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushQuery {
    /// Over token, timestamp and nonce.
    #[serde(default)]
    pub signature: String,
    /// When it was sent, in seconds since 1970.
    #[serde(default)]
    pub timestamp: String,
    /// A random text.
    #[serde(default)]
    pub nonce: String,
    /// What the GET request wants to have back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub echostr: Option<String>,
    /// Over the encrypted message too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub msg_signature: Option<String>,
    /// `aes` when the message is encrypted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encrypt_type: Option<String>,
}

/// Reads pushes.
#[derive(Clone)]
pub struct Receiver {
    token: Secret,
    mode: PushMode,
    key: Option<AesKey>,
    appid: String,
}

/// Why a push is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PushError {
    /// The settings lack the key, or it is none, or there is no token.
    #[error("the receiver of pushes is not configured rightly")]
    Config,
    /// It is not signed with the token.
    #[error("the signature is wrong")]
    Signature,
    /// It should be encrypted and is not.
    #[error("the push is not encrypted")]
    NotEncrypted,
    /// It cannot be decrypted, or was meant for another mini-program.
    #[error("the push cannot be decrypted")]
    Decryption,
    /// It is neither JSON nor XML of the known form.
    #[error("the push is not understood")]
    Malformed,
}

impl Receiver {
    /// A receiver for the pushes to that mini-program.
    ///
    /// # Errors
    /// [`PushError::Config`] when the token is empty, or the key is missing or not 43 characters of base64.
    pub fn new(config: &PushConfig, appid: &str) -> Result<Self, PushError> {
        let key = config.encoding_aes_key.as_ref();
        let key = key.map(|key| AesKey::decode(key.expose()).ok_or(PushError::Config));
        let key = key.transpose()?;
        // An empty token would let everybody sign.
        if config.token.expose().is_empty() || (key.is_none() && config.mode != PushMode::Plain) {
            return Err(PushError::Config);
        }
        Ok(Self {
            token: config.token.clone(),
            mode: config.mode,
            key,
            appid: appid.to_owned(),
        })
    }

    /// Answers WeChat's question (a GET) whether this is the right place: the text to send back.
    ///
    /// # Errors
    /// [`PushError::Signature`], or [`PushError::Malformed`] when there is nothing to send back.
    pub fn verify_url<'a>(&self, query: &'a PushQuery) -> Result<&'a str, PushError> {
        self.check_signature(query)?;
        query.echostr.as_deref().ok_or(PushError::Malformed)
    }

    /// Reads a push (a POST). WeChat wants `success` for an answer within 5 s and else sends it again: keep
    /// [`Push::key`] and drop what was seen before.
    ///
    /// # Errors
    /// Any reason not to believe it.
    pub fn parse(&self, query: &PushQuery, body: &[u8]) -> Result<Push, PushError> {
        if body.len() > MAX_BODY_BYTES {
            return Err(PushError::Malformed);
        }
        if self.mode == PushMode::Plain {
            self.check_signature(query)?;
            let outer = tree::read(body)?;
            return event::read(&outer);
        }
        let outer = tree::read(body)?;
        let encrypted = outer
            .get("Encrypt")
            .and_then(Value::as_str)
            .ok_or(PushError::NotEncrypted)?;
        let expected = sign(&[self.token.expose(), &query.timestamp, &query.nonce, encrypted]);
        let given = query.msg_signature.as_deref().unwrap_or_default();
        if !bool::from(given.as_bytes().ct_eq(expected.as_bytes())) {
            return Err(PushError::Signature);
        }
        let key = self.key.as_ref().ok_or(PushError::Config)?;
        let sealed = BASE64_STANDARD
            .decode(encrypted)
            .map_err(|_| PushError::Decryption)?;
        let message = key.open(&sealed, &self.appid).ok_or(PushError::Decryption)?;
        event::read(&tree::read(&message)?)
    }

    fn check_signature(&self, query: &PushQuery) -> Result<(), PushError> {
        let expected = sign(&[self.token.expose(), &query.timestamp, &query.nonce]);
        match bool::from(query.signature.as_bytes().ct_eq(expected.as_bytes())) {
            true => Ok(()),
            false => Err(PushError::Signature),
        }
    }
}

impl Default for PushConfig {
    fn default() -> Self {
        Self {
            token: Secret::new(""),
            encoding_aes_key: None,
            mode: PushMode::Plain,
        }
    }
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Receiver({} {:?})", self.appid, self.mode)
    }
}

#[cfg(test)]
mod tests;
