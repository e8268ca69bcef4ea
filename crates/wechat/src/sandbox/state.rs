//! What a sandbox remembers, and the rules that need no more than that.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Sandbox;
use super::credentials::{Code, Token, User};
use super::pushes::{Pending, PushTarget};

/// How many sent messages are remembered.
const REMEMBERED: usize = 1000;

/// For how long after a visit texts are checked.
const VISIT: SignedDuration = SignedDuration::from_hours(2);

/// A refusal by its `errcode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Refusal(pub(super) i64);

#[derive(Default)]
pub(super) struct State {
    /// By how much the virtual clock is ahead.
    pub(super) ahead: SignedDuration,
    /// By openid.
    pub(super) users: HashMap<String, User>,
    /// Names by code.
    pub(super) codes: HashMap<String, Code<String>>,
    /// Numbers and countries by code.
    pub(super) phone_codes: HashMap<String, Code<(String, String)>>,
    /// The last one is current.
    pub(super) tokens: VecDeque<Token>,
    /// When a token was renewed by force.
    pub(super) forced: VecDeque<Timestamp>,
    /// How many messages may be sent, by openid and template.
    pub(super) credits: BTreeMap<(String, String), u32>,
    /// The fields of known templates. While there are none, every template is known.
    pub(super) templates: HashMap<String, BTreeSet<String>>,
    /// While there are none, every page is live.
    pub(super) pages: BTreeSet<String>,
    pub(super) sent: VecDeque<SentMessage>,
    pub(super) faults: VecDeque<Fault>,
    pub(super) quotas: HashMap<String, Quota>,
    pub(super) target: Option<PushTarget>,
    pub(super) pending: Vec<Pending>,
}

/// A message that was sent.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SentMessage {
    pub(super) id: String,
    pub(super) at: Timestamp,
    /// What was posted.
    pub(super) message: Value,
}

/// How the next calls fail.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Fault {
    /// Only calls of this path.
    path: Option<String>,
    /// How many of them.
    #[serde(default = "once")]
    times: u32,
    #[serde(flatten)]
    pub(super) failure: Failure,
}

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Failure {
    /// With that code; nothing is done.
    Errcode(i64),
    /// With that HTTP status, as of something in between; nothing is done.
    Status(u16),
    /// With no answer at all.
    Lose(Lost),
}

/// What gets lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Lost {
    /// The request: nothing is done.
    Request,
    /// The answer: what was asked is done.
    Answer,
}

/// How many calls of a path a day allows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Quota {
    per_day: u32,
    used: u32,
    /// Days since 1970.
    day: i64,
}

/// A message as it was posted, in as far as the rules look at it.
#[derive(Deserialize)]
pub(super) struct Posted {
    #[serde(default)]
    pub(super) touser: String,
    #[serde(default)]
    pub(super) template_id: String,
    #[serde(default)]
    pub(super) data: BTreeMap<String, PostedValue>,
    pub(super) page: Option<String>,
    pub(super) miniprogram_state: Option<crate::MiniprogramState>,
    pub(super) lang: Option<crate::MessageLanguage>,
}

#[derive(Deserialize)]
pub(super) struct PostedValue {
    pub(super) value: Value,
}

impl Sandbox {
    /// The failure that was asked for, if it is this call's turn.
    pub(super) fn fault(&self, path: &str) -> Option<Failure> {
        let mut state = self.state();
        let at = state
            .faults
            .iter()
            .position(|fault| fault.path.as_deref().is_none_or(|only| only == path))?;
        let fault = state.faults.get_mut(at)?;
        let failure = fault.failure;
        fault.times = fault.times.saturating_sub(1);
        if fault.times == 0 {
            state.faults.remove(at);
        }
        Some(failure)
    }

    /// Counts a call against its path's quota.
    pub(super) fn spend_quota(&self, path: &str) -> Result<(), Refusal> {
        let mut state = self.state();
        // Quotas start anew at midnight in Beijing.
        let day = (self.time(&state).as_second() + 8 * 3600).div_euclid(86_400);
        let Some(quota) = state.quotas.get_mut(path) else {
            return Ok(());
        };
        if quota.day != day {
            (quota.day, quota.used) = (day, 0);
        }
        if quota.used >= quota.per_day {
            return Err(Refusal(45009));
        }
        quota.used += 1;
        Ok(())
    }

    /// Judges a message and, if all is well, spends a credit on it. The second part of a refusal is what WeChat says
    /// beyond the code's usual text.
    pub(super) fn send(&self, posted: &Posted, whole: Value) -> Result<String, (Refusal, String)> {
        let plain = |code| (Refusal(code), String::new());
        if !self.is_openid(&posted.touser) {
            return Err(plain(40003));
        }
        let mut state = self.state();
        if posted.template_id.is_empty()
            || (!state.templates.is_empty() && !state.templates.contains_key(&posted.template_id))
        {
            return Err(plain(40037));
        }
        if let Some(keys) = state.templates.get(&posted.template_id)
            && let Some(missing) = keys.iter().find(|key| !posted.data.contains_key(*key))
        {
            return Err((Refusal(47003), format!("! data.{missing}.value is empty")));
        }
        for (key, PostedValue { value }) in &posted.data {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            if crate::fields::check(key, &value).is_err() {
                return Err((Refusal(47003), format!("! data.{key}.value invalid")));
            }
        }
        let page = posted.page.as_deref().and_then(|page| page.split('?').next());
        if page.is_some_and(|page| !state.pages.is_empty() && !state.pages.contains(page)) {
            return Err(plain(41030));
        }
        let credit = state
            .credits
            .get_mut(&(posted.touser.clone(), posted.template_id.clone()))
            .filter(|credits| **credits > 0);
        *credit.ok_or(plain(43101))? -= 1;
        let at = self.time(&state);
        let id = self.number_text();
        state.sent.push_back(SentMessage {
            id: id.clone(),
            at,
            message: whole,
        });
        if state.sent.len() > REMEMBERED {
            state.sent.pop_front();
        }
        Ok(id)
    }

    /// Whether texts of that user are checked now.
    pub(super) fn visited(&self, openid: &str) -> Result<(), Refusal> {
        if !self.is_openid(openid) {
            return Err(Refusal(40003));
        }
        let state = self.state();
        let now = self.time(&state);
        let last = state.users.get(openid).and_then(|user| user.last_visit);
        let lately = last.is_some_and(|last| now.duration_since(last) <= VISIT);
        if lately || self.0.config.always_visiting {
            Ok(())
        } else {
            Err(Refusal(61010))
        }
    }

    /// A random number of 19 digits at most, as WeChat names messages.
    pub(super) fn number_text(&self) -> String {
        (u64::from_be_bytes(self.0.random.bytes()) >> 1).to_string()
    }
}

impl Quota {
    pub(super) fn new(per_day: u32) -> Self {
        Self {
            per_day,
            used: 0,
            day: i64::MIN,
        }
    }
}

impl Refusal {
    /// WeChat's words for the code.
    pub(super) fn text(self) -> &'static str {
        match self.0 {
            -1 => "system error",
            40001 => "invalid credential, access_token is invalid or not latest",
            40002 => "invalid grant_type",
            40003 => "invalid openid",
            40013 => "invalid appid",
            40014 => "invalid access_token",
            40029 => "invalid code",
            40037 => "invalid template_id",
            40066 => "invalid url",
            40125 => "invalid appsecret",
            40129 => "invalid scene",
            40163 => "code been used",
            40226 => "code blocked",
            41001 => "access_token missing",
            41002 => "appid missing",
            41004 => "appsecret missing",
            41008 => "missing code",
            41030 => "invalid page",
            42001 => "access_token expired",
            43001 => "require GET method",
            43002 => "require POST method",
            43101 => "user refuse to accept the msg",
            44002 => "empty post data",
            45002 => "content size out of limit",
            45009 => "reach max api daily quota limit",
            45011 => "api minute-quota reach limit, must slower",
            47001 => "data format error",
            47003 => "argument invalid",
            61010 => "code is expired",
            87009 => "invalid signature",
            _ => "sandbox error",
        }
    }
}

fn once() -> u32 {
    1
}
