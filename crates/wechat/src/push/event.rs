//! What a push says.

use jiff::Timestamp;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::PushError;
use crate::security::{Label, Suggestion, VerdictDetail};

/// One push.
#[derive(Debug, Clone, PartialEq)]
pub struct Push {
    /// The same for the same push sent again, and for no other.
    pub key: String,
    /// The openid of the person it is about, or WeChat's own.
    pub from: String,
    /// When it happened, to the second.
    pub at: Timestamp,
    /// What happened.
    pub event: PushEvent,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum PushEvent {
    /// The person has answered the question for subscriptions.
    SubscribePopup(Vec<Choice>),
    /// The person has changed a subscription in the settings. WeChat tells only of refusals.
    SubscribeChange(Vec<Choice>),
    /// Messages were delivered or not.
    SubscribeSent(Vec<SendOutcome>),
    /// The verdict on a file.
    MediaChecked(MediaVerdict),
    /// A message that the person wrote to the mini-program's service.
    Message {
        /// `text`, `image`, …
        kind: String,
        /// What a text message says.
        content: Option<String>,
    },
    /// Another event, whole.
    Other {
        /// WeChat's name for it.
        name: String,
        /// Everything that was pushed.
        body: Value,
    },
}

/// The answer to one template's question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The template.
    pub template: String,
    /// Whether the person accepts.
    pub accepted: bool,
}

/// What became of one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendOutcome {
    /// The template.
    pub template: String,
    /// WeChat's id of the message.
    pub message: String,
    /// 0 when it was delivered.
    pub code: i64,
    /// WeChat's word for it.
    pub status: String,
}

/// The verdict on a file.
#[derive(Debug, Clone, PartialEq)]
pub struct MediaVerdict {
    /// As [`crate::Wechat::media_check_async`] returned it.
    pub trace_id: String,
    /// 0 when it was judged. −1008 when it could not be downloaded; then there is no advice.
    pub code: i64,
    /// What WeChat advises and takes it for. `None` is no pass.
    pub advice: Option<(Suggestion, Label)>,
    /// What the single models found.
    pub details: Vec<VerdictDetail>,
}

/// Reads the tree of a push that is believed.
pub(super) fn read(body: &Value) -> Result<Push, PushError> {
    let from = text(body, "FromUserName");
    let created = number(body, "CreateTime").unwrap_or(0);
    let at = Timestamp::from_second(created).map_err(|_| PushError::Malformed)?;
    let kind = text(body, "MsgType");
    let name = text(body, "Event");
    if kind.is_empty() {
        return Err(PushError::Malformed);
    }
    let event = match name.as_str() {
        _ if kind != "event" => PushEvent::Message {
            kind,
            content: body.get("Content").and_then(Value::as_str).map(str::to_owned),
        },
        "subscribe_msg_popup_event" => PushEvent::SubscribePopup(choices(body, "SubscribeMsgPopupEvent")),
        "subscribe_msg_change_event" => PushEvent::SubscribeChange(choices(body, "SubscribeMsgChangeEvent")),
        "subscribe_msg_sent_event" => PushEvent::SubscribeSent(outcomes(body)),
        "wxa_media_check" => PushEvent::MediaChecked(media_verdict(body)?),
        _ => PushEvent::Other {
            name: name.clone(),
            body: body.clone(),
        },
    };
    let key = key(&event, &name, &from, created, body);
    Ok(Push { key, from, at, event })
}

/// WeChat says: by `MsgId`, or for an event by sender and time. Two different events of one person in one second
/// are not the same, so the content counts too.
fn key(event: &PushEvent, name: &str, from: &str, created: i64, body: &Value) -> String {
    match event {
        PushEvent::MediaChecked(verdict) => format!("{name}:{}", verdict.trace_id),
        PushEvent::Message { .. } if !text(body, "MsgId").is_empty() => {
            format!("message:{}", text(body, "MsgId"))
        }
        _ => {
            let mut canonical = String::new();
            write_canonical(body, &mut canonical);
            let digest = Sha256::digest(canonical);
            format!("{name}:{from}:{created}:{}", hex::encode(&digest[..16]))
        }
    }
}

/// One text for one tree, in whatever order its members came and whichever of two forms it came in.
fn write_canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(name, _)| *name);
            out.push('{');
            for (name, value) in members {
                // In compatible mode only one of two deliveries may carry it.
                if name != "Encrypt" {
                    out.push_str(&Value::from(name.as_str()).to_string());
                    write_canonical(value, out);
                }
            }
            out.push('}');
        }
        Value::Array(values) => {
            out.push('[');
            values.iter().for_each(|value| write_canonical(value, out));
            out.push(']');
        }
        Value::String(text) => out.push_str(&Value::from(text.as_str()).to_string()),
        other => out.push_str(&Value::from(other.to_string()).to_string()),
    }
}

/// The items of an event: in JSON an object for one and an array for several; in XML one level deeper.
fn items<'a>(body: &'a Value, wrapper: &str) -> Vec<&'a Value> {
    let list = body
        .get("List")
        .or_else(|| body.get(wrapper).and_then(|inner| inner.get("List")));
    match list {
        Some(Value::Array(items)) => items.iter().collect(),
        Some(item @ Value::Object(_)) => vec![item],
        _ => Vec::new(),
    }
}

fn choices(body: &Value, wrapper: &str) -> Vec<Choice> {
    items(body, wrapper)
        .into_iter()
        .map(|item| Choice {
            template: text(item, "TemplateId"),
            accepted: text(item, "SubscribeStatusString") == "accept",
        })
        .collect()
}

fn outcomes(body: &Value) -> Vec<SendOutcome> {
    items(body, "SubscribeMsgSentEvent")
        .into_iter()
        .map(|item| SendOutcome {
            template: text(item, "TemplateId"),
            message: text(item, "MsgID"),
            // Without a number it is not known to have been delivered.
            code: number(item, "ErrorCode").unwrap_or(-1),
            status: text(item, "ErrorStatus"),
        })
        .collect()
}

fn media_verdict(body: &Value) -> Result<MediaVerdict, PushError> {
    let trace_id = text(body, "trace_id");
    if trace_id.is_empty() {
        return Err(PushError::Malformed);
    }
    let details = match body.get("detail") {
        Some(Value::Array(details)) => details.iter().filter_map(detail).collect(),
        Some(single) => detail(single).into_iter().collect(),
        None => Vec::new(),
    };
    let advice = body
        .get("result")
        .and_then(|result| Some((suggestion(result)?, label(result)?)));
    let code = number(body, "errcode").unwrap_or(0);
    Ok(MediaVerdict {
        trace_id,
        code,
        advice: advice.filter(|_| code == 0),
        details,
    })
}

fn detail(item: &Value) -> Option<VerdictDetail> {
    item.is_object().then(|| VerdictDetail {
        strategy: text(item, "strategy"),
        suggest: suggestion(item),
        label: label(item),
        prob: number(item, "prob").and_then(|prob| u32::try_from(prob).ok()),
        keyword: item.get("keyword").and_then(Value::as_str).map(str::to_owned),
    })
}

fn suggestion(item: &Value) -> Option<Suggestion> {
    serde_json::from_value(item.get("suggest")?.clone()).ok()
}

fn label(item: &Value) -> Option<Label> {
    let number = number(item, "label")?;
    u32::try_from(number).ok().map(Label::from)
}

/// A member that may come as a text or as a number.
fn text(body: &Value, name: &str) -> String {
    match body.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}

fn number(body: &Value, name: &str) -> Option<i64> {
    match body.get(name)? {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}
