//! What WeChat refuses, by its codes, and what can go wrong on the way to it.

use kernel::{ErrorCode, Issue, PathSegment, Refusal, Text};

use crate::fields::FieldError;

/// Why a call to WeChat failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WechatError {
    /// −1: WeChat is busy, also after the retries. Nothing was done.
    #[error("WeChat is busy")]
    Busy,
    /// 40029: nobody was given this code, or it has expired.
    #[error("the code is invalid")]
    InvalidCode,
    /// 40163: the code was used before.
    #[error("the code was used before")]
    CodeUsed,
    /// 45011: too often for this user, or for this minute.
    #[error("WeChat asks to call less often")]
    RateLimited,
    /// 45009: the day's quota is spent.
    #[error("the day's quota is spent")]
    QuotaSpent,
    /// 40226: WeChat takes the user for a danger and does not let them in.
    #[error("WeChat blocks this user")]
    HighRiskUser,
    /// 40003: no user of this mini-program.
    #[error("the openid is invalid")]
    InvalidOpenid,
    /// 40037: no template of this mini-program.
    #[error("the template is invalid")]
    InvalidTemplate,
    /// 43101: the user has refused, or every accept of theirs is spent.
    #[error("the user does not accept the message")]
    NotAccepted,
    /// 47003, or found before sending: a field breaks its kind's rule.
    #[error(transparent)]
    InvalidField(FieldError),
    /// 41030: the page is not in the published mini-program.
    #[error("the page is not live")]
    PageNotLive,
    /// 61010: the user has not visited within two hours.
    #[error("the user has not visited lately")]
    NotVisited,
    /// 40001, 40014, 42001: the access token is not accepted, nor is a new one.
    #[error("the access token is not accepted")]
    TokenRejected,
    /// 40013, 40125: the configured mini-program or its secret is wrong.
    #[error("WeChat does not know this appid and secret")]
    BadCredentials,
    /// It was never reached: nothing was done.
    #[error("WeChat cannot be reached")]
    Unreachable,
    /// It was asked and did not answer (in time): what was asked may have been done or not.
    #[error("WeChat did not answer: it may have acted or not")]
    Ambiguous,
    /// It answered something that the contract does not know.
    #[error("WeChat's answer is not understood: {0}")]
    Protocol(&'static str),
    /// Another refusal.
    #[error("WeChat refuses: {code} {message}")]
    Refused {
        /// WeChat's `errcode`.
        code: i64,
        /// Its `errmsg`, with the request's `rid` where it gave one.
        message: String,
    },
}

impl WechatError {
    /// The meaning of an `errcode` that is not 0.
    pub fn from_code(code: i64, message: &str) -> Self {
        match code {
            -1 => Self::Busy,
            40029 => Self::InvalidCode,
            40163 => Self::CodeUsed,
            45011 => Self::RateLimited,
            45009 => Self::QuotaSpent,
            40226 => Self::HighRiskUser,
            40003 => Self::InvalidOpenid,
            40037 => Self::InvalidTemplate,
            43101 => Self::NotAccepted,
            47003 => Self::InvalidField(FieldError::from_message(message)),
            41030 => Self::PageNotLive,
            61010 => Self::NotVisited,
            40001 | 40014 | 42001 => Self::TokenRejected,
            40013 | 40125 => Self::BadCredentials,
            _ => Self::Refused {
                code,
                message: message.chars().take(200).collect(),
            },
        }
    }

    /// Whether WeChat surely did nothing: the same call may be made again at no cost.
    pub fn nothing_happened(&self) -> bool {
        !matches!(self, Self::Ambiguous | Self::Protocol(_))
    }
}

impl From<WechatError> for kernel::Error {
    /// For the log-in and other use cases in which a person waits: what they can mend is said, the rest is an
    /// outage or a fault.
    fn from(error: WechatError) -> Self {
        let bad_code = |code, key| {
            Refusal::bad_input(vec![Issue {
                path: vec![PathSegment::from("code")],
                code,
                text: Text::new(key),
            }])
            .into()
        };
        match error {
            WechatError::InvalidCode => bad_code("INVALID_CODE", "wechat-invalid-code"),
            WechatError::CodeUsed => bad_code("CODE_USED", "wechat-code-used"),
            WechatError::HighRiskUser => {
                Refusal::new(ErrorCode::Forbidden, Text::new("wechat-high-risk-user")).into()
            }
            WechatError::RateLimited => Refusal::rate_limited(60).into(),
            WechatError::Busy | WechatError::Unreachable | WechatError::Ambiguous => {
                Refusal::unavailable(1).into()
            }
            WechatError::QuotaSpent => Refusal::unavailable(3600).into(),
            other => Self::internal(other),
        }
    }
}
