//! What a sandbox pushes: made, waiting, written as WeChat writes it, delivered late, twice or out of order.

use std::fmt::Write as _;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::{SignedDuration, Timestamp};
use kernel::Secret;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use super::Sandbox;
use super::state::State;
use crate::push::{AesKey, PushConfig, PushError, PushMode, PushQuery, sign};

/// How long the receiver has to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// After this long without the right answer a push is sent again.
const RESEND_AFTER: SignedDuration = SignedDuration::from_secs(5);

/// How often.
const MAX_RESENDS: u32 = 3;

/// How many pushes wait at most; the oldest are forgotten, as when nobody listens.
const MAX_PENDING: usize = 1000;

/// The mini-program's own name in pushes.
const TO: &str = "gh_sandbox";

/// Where pushes go, and how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PushTarget {
    /// The receiver's address. Without it pushes wait to be taken by [`Sandbox::take_pushes`].
    #[serde(default)]
    pub url: Option<String>,
    /// The token that both sides know.
    pub token: Secret,
    /// The `EncodingAESKey`, unless the mode is plain.
    #[serde(default)]
    pub encoding_aes_key: Option<Secret>,
    /// Whether they are encrypted.
    #[serde(default)]
    pub mode: PushMode,
    /// How they are written.
    #[serde(default)]
    pub format: PushFormat,
    /// By how much each is late.
    #[serde(default)]
    pub delay_seconds: u32,
    /// Whether each comes twice.
    #[serde(default)]
    pub double: bool,
    /// Whether those that are due together come in the opposite order.
    #[serde(default)]
    pub reorder: bool,
}

/// How pushes are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PushFormat {
    /// As JSON.
    #[default]
    Json,
    /// As XML.
    Xml,
}

/// A push as it goes over the wire.
#[derive(Debug, Clone, PartialEq)]
pub struct RenderedPush {
    /// The query of the POST.
    pub query: PushQuery,
    /// Its body.
    pub body: String,
}

/// A push that waits.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Pending {
    due: Timestamp,
    resends: u32,
    /// In the form of JSON.
    body: Value,
}

impl Sandbox {
    /// Says where pushes go and how; before that there are none.
    ///
    /// # Errors
    /// [`PushError::Config`] when the mode needs a key and there is none, or it is no key.
    pub fn push_to(&self, target: PushTarget) -> Result<(), PushError> {
        let config = PushConfig {
            token: target.token.clone(),
            encoding_aes_key: target.encoding_aes_key.clone(),
            mode: target.mode,
        };
        crate::push::Receiver::new(&config, self.appid())?;
        self.state().target = Some(target);
        Ok(())
    }

    /// Takes what is due, as it would go over the wire, in the order of delivery.
    pub fn take_pushes(&self) -> Vec<RenderedPush> {
        let (target, due) = self.take_due();
        let Some(target) = target else {
            return Vec::new();
        };
        due.iter()
            .map(|pending| self.render(&target, &pending.body))
            .collect()
    }

    /// Sends what is due to the target's address; returns how many were taken and how many are to be sent again.
    pub async fn deliver(&self) -> (usize, usize) {
        let (target, due) = self.take_due();
        let Some((target, url)) = target.and_then(|target| Some((target.clone(), target.url?))) else {
            self.put_back(due);
            return (0, 0);
        };
        let (mut taken, mut failed) = (0, Vec::new());
        for mut pending in due {
            let push = self.render(&target, &pending.body);
            if self.post(&url, &push).await {
                taken += 1;
            } else if pending.resends < MAX_RESENDS {
                pending.resends += 1;
                pending.due = self.now().saturating_add(RESEND_AFTER).unwrap_or(pending.due);
                failed.push(pending);
            }
        }
        let again = failed.len();
        self.put_back(failed);
        (taken, again)
    }

    /// Sends what becomes due, until `shutdown`.
    pub async fn run_pushes(&self, shutdown: CancellationToken) {
        let mut ticks = tokio::time::interval(Duration::from_millis(500));
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let work = async {
            loop {
                ticks.tick().await;
                let listening = self
                    .state()
                    .target
                    .as_ref()
                    .is_some_and(|target| target.url.is_some());
                if listening {
                    self.deliver().await;
                }
            }
        };
        shutdown.run_until_cancelled(work).await;
    }

    pub(super) fn pending(&self) -> Vec<Pending> {
        self.state().pending.clone()
    }

    /// The user has answered the question for a template.
    pub(super) fn push_popup(&self, openid: &str, template: &str, accept: bool) {
        let status = if accept { "accept" } else { "reject" };
        let item = json!({"TemplateId": template, "SubscribeStatusString": status, "PopupScene": "0"});
        self.push_event(
            openid,
            "subscribe_msg_popup_event",
            json!({"List": item}),
            Duration::ZERO,
        );
    }

    /// The user has refused a template in the settings.
    pub(super) fn push_change(&self, openid: &str, template: &str) {
        let item = json!({"TemplateId": template, "SubscribeStatusString": "reject"});
        self.push_event(
            openid,
            "subscribe_msg_change_event",
            json!({"List": item}),
            Duration::ZERO,
        );
    }

    /// A message was delivered.
    pub(super) fn push_sent(&self, openid: &str, template: &str, message: &str) {
        let item =
            json!({"TemplateId": template, "MsgID": message, "ErrorCode": "0", "ErrorStatus": "success"});
        self.push_event(
            openid,
            "subscribe_msg_sent_event",
            json!({"List": item}),
            Duration::ZERO,
        );
    }

    /// A file will have been judged.
    pub(super) fn push_media_verdict(&self, openid: &str, trace_id: &str, url: &str) {
        let common = json!({"appid": self.appid(), "trace_id": trace_id, "version": 2});
        let verdict = if url.contains("[missing]") {
            json!({"detail": [], "errcode": -1008, "errmsg": "download failed"})
        } else {
            let (suggest, label) = Self::judge(url);
            json!({
                "detail": [{"strategy": "content_model", "errcode": 0, "suggest": suggest, "label": label, "prob": 90}],
                "errcode": 0,
                "errmsg": "ok",
                "result": {"suggest": suggest, "label": label},
            })
        };
        let body = merged(common, verdict);
        self.push_event(openid, "wxa_media_check", body, self.0.config.media_delay);
    }

    fn push_event(&self, openid: &str, name: &str, body: Value, delay: Duration) {
        let mut state = self.state();
        let now = self.time(&state);
        let Some(target) = &state.target else {
            return;
        };
        let delay = SignedDuration::try_from(delay)
            .unwrap_or_default()
            .saturating_add(SignedDuration::from_secs(target.delay_seconds.into()));
        let head = json!({
            "ToUserName": TO,
            "FromUserName": openid,
            "CreateTime": now.as_second(),
            "MsgType": "event",
            "Event": name,
        });
        let pending = Pending {
            due: now.saturating_add(delay).unwrap_or(now),
            resends: 0,
            body: merged(head, body),
        };
        if target.double {
            state.pending.push(pending.clone());
        }
        state.pending.push(pending);
        forget_oldest(&mut state);
    }

    /// What is due, in the order of delivery, and where it goes.
    fn take_due(&self) -> (Option<PushTarget>, Vec<Pending>) {
        let mut state = self.state();
        let now = self.time(&state);
        let mut due: Vec<_> = state
            .pending
            .extract_if(.., |pending| pending.due <= now)
            .collect();
        due.sort_by_key(|pending| pending.due);
        if state.target.as_ref().is_some_and(|target| target.reorder) {
            due.reverse();
        }
        (state.target.clone(), due)
    }

    fn put_back(&self, pending: Vec<Pending>) {
        let mut state = self.state();
        state.pending.extend(pending);
        forget_oldest(&mut state);
    }

    async fn post(&self, url: &str, push: &RenderedPush) -> bool {
        // Receivers are the developer's own: no proxy.
        let client = || reqwest::Client::builder().no_proxy().build().ok();
        let Some(client) = self.0.http.get_or_init(client) else {
            return false;
        };
        let request = client.post(url).query(&push.query).body(push.body.clone());
        match request.timeout(ANSWER_WITHIN).send().await {
            Ok(response) => response.status().is_success(),
            Err(_) => false,
        }
    }

    fn render(&self, target: &PushTarget, body: &Value) -> RenderedPush {
        let write = match target.format {
            PushFormat::Json => Value::to_string,
            PushFormat::Xml => to_xml,
        };
        let timestamp = self.now().as_second().to_string();
        let nonce = self.number_text();
        let token = target.token.expose();
        let mut query = PushQuery {
            signature: sign(&[token, &timestamp, &nonce]),
            ..PushQuery::default()
        };
        let key = target
            .encoding_aes_key
            .as_ref()
            .and_then(|key| AesKey::decode(key.expose()));
        let body = match (target.mode, key) {
            (PushMode::Compatible | PushMode::Secure, Some(key)) => {
                let sealed = key.seal(write(body).as_bytes(), self.appid(), self.0.random.bytes());
                let encrypted = BASE64_STANDARD.encode(sealed);
                query.msg_signature = Some(sign(&[token, &timestamp, &nonce, &encrypted]));
                query.encrypt_type = Some("aes".to_owned());
                let beside = match target.mode {
                    PushMode::Compatible => body.clone(),
                    _ => json!({"ToUserName": TO}),
                };
                write(&merged(beside, json!({"Encrypt": encrypted})))
            }
            _ => write(body),
        };
        query.timestamp = timestamp;
        query.nonce = nonce;
        RenderedPush { query, body }
    }
}

fn forget_oldest(state: &mut State) {
    let beyond = state.pending.len().saturating_sub(MAX_PENDING);
    state.pending.drain(..beyond);
}

fn merged(one: Value, other: Value) -> Value {
    let mut members = Map::new();
    for value in [one, other] {
        if let Value::Object(more) = value {
            members.extend(more);
        }
    }
    Value::Object(members)
}

/// The XML that WeChat writes for the same push: a list of subscriptions is wrapped in an element of its own.
fn to_xml(body: &Value) -> String {
    let mut xml = String::from("<xml>");
    let wrapper = match body["Event"].as_str() {
        Some("subscribe_msg_popup_event") => Some("SubscribeMsgPopupEvent"),
        Some("subscribe_msg_change_event") => Some("SubscribeMsgChangeEvent"),
        Some("subscribe_msg_sent_event") => Some("SubscribeMsgSentEvent"),
        _ => None,
    };
    for (name, value) in body.as_object().into_iter().flatten() {
        match wrapper.filter(|_| name == "List") {
            Some(wrapper) => element(wrapper, &json!({"List": value}), &mut xml),
            None => element(name, value, &mut xml),
        }
    }
    xml.push_str("</xml>");
    xml
}

fn element(name: &str, value: &Value, xml: &mut String) {
    // Writing to a string cannot fail.
    let _ = match value {
        Value::Array(values) => {
            values.iter().for_each(|value| element(name, value, xml));
            Ok(())
        }
        Value::Object(members) => {
            let _ = write!(xml, "<{name}>");
            members.iter().for_each(|(name, value)| element(name, value, xml));
            write!(xml, "</{name}>")
        }
        Value::String(text) => {
            let text = text.replace("]]>", "]]]]><![CDATA[>");
            write!(xml, "<{name}><![CDATA[{text}]]></{name}>")
        }
        other => write!(xml, "<{name}>{other}</{name}>"),
    };
}
