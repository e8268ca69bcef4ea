//! Moderation: whether a text or a picture may be shown to others.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::client::Call;
use crate::fields::{FieldError, FieldRule};
use crate::{Wechat, WechatError};

/// The most characters of a text that is checked.
pub(crate) const MAX_TEXT_CHARS: usize = 2500;

/// The version of both checks that this crate speaks.
const VERSION: u8 = 2;

/// A text to be checked. Its writer must have visited the mini-program within two hours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextCheck {
    /// Who wrote it.
    pub openid: String,
    /// Where it would be shown.
    pub scene: Scene,
    /// The text, at most 2500 characters.
    pub content: String,
    /// The writer's name.
    pub nickname: Option<String>,
    /// The text's title.
    pub title: Option<String>,
    /// The writer's motto, only in [`Scene::Profile`].
    pub signature: Option<String>,
}

/// A file to be checked. The verdict comes within 30 minutes as a push ([`crate::push::PushEvent::MediaChecked`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaCheck {
    /// Who uploaded it.
    pub openid: String,
    /// Where it would be shown.
    pub scene: Scene,
    /// Where WeChat can download it.
    pub url: String,
    /// What it is.
    pub media_type: MediaType,
}

/// Where something would be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scene {
    /// In somebody's profile.
    Profile = 1,
    /// As a comment.
    Comment = 2,
    /// In a forum.
    Forum = 3,
    /// In a social log.
    SocialLog = 4,
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaType {
    /// A recording.
    Audio = 1,
    /// A picture.
    Image = 2,
}

/// What WeChat thinks of a text or a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Under which it can be asked about, and by which a late verdict finds what it is about.
    pub trace_id: String,
    /// What to do.
    pub suggestion: Suggestion,
    /// What it is taken for.
    pub label: Label,
    /// What the single models found.
    pub details: Vec<VerdictDetail>,
}

/// What WeChat advises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Suggestion {
    /// Show it.
    Pass,
    /// Have a person look at it.
    Review,
    /// Do not show it.
    Risky,
    /// A word that is not known here: not to be taken for a pass.
    #[serde(other)]
    Unknown,
}

/// What something is taken for, with WeChat's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(from = "u32")]
pub enum Label {
    /// 100: nothing special.
    Normal,
    /// 10001: advertising.
    Advertising,
    /// 20001: politics.
    Politics,
    /// 20002: pornography.
    Pornography,
    /// 20003: abuse.
    Abuse,
    /// 20006: crime.
    Crime,
    /// 20008: fraud.
    Fraud,
    /// 20012: vulgarity.
    Vulgarity,
    /// 20013: a breach of copyright.
    Copyright,
    /// 21000: something else.
    Other,
    /// A number that is not known here.
    Unknown(u32),
}

/// What one model found.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct VerdictDetail {
    /// The model, such as `content_model` or `keyword`.
    #[serde(default)]
    pub strategy: String,
    /// Its own advice, if it came to one.
    pub suggest: Option<Suggestion>,
    /// What it takes it for.
    pub label: Option<Label>,
    /// How sure it is, 0 to 100.
    pub prob: Option<u32>,
    /// The word that it found.
    pub keyword: Option<String>,
}

#[derive(Deserialize)]
struct Answer {
    trace_id: String,
    result: Advice,
    #[serde(default)]
    detail: Vec<VerdictDetail>,
}

#[derive(Deserialize)]
pub(crate) struct Advice {
    pub(crate) suggest: Suggestion,
    pub(crate) label: Label,
}

impl Wechat {
    /// Checks a text. That the call succeeds does not mean that the text is safe: see [`Verdict::passes`].
    ///
    /// # Errors
    /// [`WechatError::InvalidField`] for a text that is empty or too long, [`WechatError::NotVisited`],
    /// [`WechatError::InvalidOpenid`], and what can happen on the way. Without a verdict nothing passes.
    pub async fn msg_sec_check(&self, check: &TextCheck) -> Result<Verdict, WechatError> {
        let rule = match check.content.chars().count() {
            0 => Some(FieldRule::NotEmpty),
            1..=MAX_TEXT_CHARS => None,
            _ => Some(FieldRule::AtMost(MAX_TEXT_CHARS)),
        };
        if let Some(rule) = rule {
            let field = "content".to_owned();
            return Err(WechatError::InvalidField(FieldError { field, rule }));
        }
        let mut body = json!({
            "version": VERSION,
            "openid": check.openid,
            "scene": check.scene as u8,
            "content": check.content,
        });
        let signature = check.signature.as_ref().filter(|_| check.scene == Scene::Profile);
        for (key, value) in [
            ("nickname", check.nickname.as_ref()),
            ("title", check.title.as_ref()),
            ("signature", signature),
        ] {
            if let Some(value) = value {
                body[key] = Value::from(value.as_str());
            }
        }
        let call = Call {
            path: "/wxa/msg_sec_check",
            query: Vec::new(),
            body: Some(body),
            repeatable: true,
        };
        let answer: Answer = self.call(&call).await?;
        Ok(Verdict {
            trace_id: answer.trace_id,
            suggestion: answer.result.suggest,
            label: answer.result.label,
            details: answer.detail,
        })
    }

    /// Has a file checked; returns the trace id that the pushed verdict will carry.
    ///
    /// # Errors
    /// [`WechatError::NotVisited`], [`WechatError::InvalidOpenid`], and what can happen on the way. After
    /// [`WechatError::Ambiguous`] a verdict may come under an id that nobody knows.
    pub async fn media_check_async(&self, check: &MediaCheck) -> Result<String, WechatError> {
        #[derive(Deserialize)]
        struct Answer {
            trace_id: String,
        }
        let call = Call {
            path: "/wxa/media_check_async",
            query: Vec::new(),
            body: Some(json!({
                "version": VERSION,
                "openid": check.openid,
                "scene": check.scene as u8,
                "media_url": check.url,
                "media_type": check.media_type as u8,
            })),
            repeatable: false,
        };
        let answer: Answer = self.call(&call).await?;
        Ok(answer.trace_id)
    }
}

impl Verdict {
    /// Whether it may be shown without a person having looked at it.
    pub fn passes(&self) -> bool {
        self.suggestion == Suggestion::Pass
    }
}

impl Suggestion {
    /// WeChat's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Review => "review",
            Self::Risky => "risky",
            Self::Unknown => "unknown",
        }
    }
}

impl Serialize for Suggestion {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl From<u32> for Label {
    fn from(number: u32) -> Self {
        match number {
            100 => Self::Normal,
            10001 => Self::Advertising,
            20001 => Self::Politics,
            20002 => Self::Pornography,
            20003 => Self::Abuse,
            20006 => Self::Crime,
            20008 => Self::Fraud,
            20012 => Self::Vulgarity,
            20013 => Self::Copyright,
            21000 => Self::Other,
            unknown => Self::Unknown(unknown),
        }
    }
}

impl Label {
    /// WeChat's number for it.
    pub fn number(self) -> u32 {
        match self {
            Self::Normal => 100,
            Self::Advertising => 10001,
            Self::Politics => 20001,
            Self::Pornography => 20002,
            Self::Abuse => 20003,
            Self::Crime => 20006,
            Self::Fraud => 20008,
            Self::Vulgarity => 20012,
            Self::Copyright => 20013,
            Self::Other => 21000,
            Self::Unknown(number) => number,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_pass_passes() {
        for (word, passes) in [
            ("pass", true),
            ("review", false),
            ("risky", false),
            ("fine", false),
        ] {
            let suggestion = serde_json::from_value(json!(word)).unwrap();
            let verdict = Verdict {
                trace_id: String::new(),
                suggestion,
                label: Label::Normal,
                details: Vec::new(),
            };
            assert_eq!(verdict.passes(), passes, "{word}");
        }
    }

    #[test]
    fn labels_keep_their_numbers() {
        for number in [
            100, 10001, 20001, 20002, 20003, 20006, 20008, 20012, 20013, 21000, 7,
        ] {
            assert_eq!(Label::from(number).number(), number);
        }
    }
}
