//! Who and what is genuine: users by their names, codes, and access tokens.

use std::collections::VecDeque;

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use kernel::Secret;
use sha2::{Digest as _, Sha256};

use super::Sandbox;
use super::state::{Refusal, State};

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const CODE_LIVES: SignedDuration = SignedDuration::from_mins(5);
const TOKEN_LIVES: SignedDuration = SignedDuration::from_hours(2);
/// How long before its end a token is renewed, and for how long the old and the new one are then both good.
const OVERLAP: SignedDuration = SignedDuration::from_mins(5);
const FORCED_APART: SignedDuration = SignedDuration::from_secs(30);
const FORCED_A_DAY: usize = 20;
const LOGINS_A_MINUTE: usize = 100;
const MAX_NAME_CHARS: usize = 64;

/// A log-in code of this form needs no issuing: the rest is a name.
const NAMED: &str = "sandbox:";

/// A user of the sandbox.
#[derive(Debug, Clone, Default)]
pub(super) struct User {
    pub(super) session_key: Option<Secret>,
    pub(super) last_visit: Option<Timestamp>,
    pub(super) high_risk: bool,
    /// Whether they have no unionid.
    pub(super) unlinked: bool,
    logins: VecDeque<Timestamp>,
}

/// A code that was issued.
#[derive(Debug, Clone)]
pub(super) struct Code<T> {
    pub(super) stands_for: T,
    issued: Timestamp,
    used: bool,
}

/// An access token that was given out.
#[derive(Debug, Clone)]
pub(super) struct Token {
    text: String,
    until: Timestamp,
    /// Whether a forced renewal ended it before its time.
    killed: bool,
}

/// What a log-in answers.
pub(super) struct Login {
    pub(super) openid: String,
    pub(super) unionid: Option<String>,
    pub(super) session_key: Secret,
}

impl Sandbox {
    pub(super) fn issue_code(&self, name: &str) -> String {
        let mut state = self.state();
        let now = self.time(&state);
        let code = self.random_text(24);
        drop_old(&mut state, now);
        let issued = Code::new(name.to_owned(), now);
        state.codes.insert(code.clone(), issued);
        code
    }

    pub(super) fn issue_phone_code(&self, number: String, country: String) -> String {
        let mut state = self.state();
        let now = self.time(&state);
        let code = self.random_text(32);
        drop_old(&mut state, now);
        state
            .phone_codes
            .insert(code.clone(), Code::new((number, country), now));
        code
    }

    /// Exchanges a log-in code.
    pub(super) fn log_in(&self, code: &str) -> Result<Login, Refusal> {
        let mut state = self.state();
        let now = self.time(&state);
        let (name, named) = match code.strip_prefix(NAMED) {
            Some(name) => (name.to_owned(), true),
            None => (redeem(state.codes.get_mut(code), now)?, false),
        };
        if !is_name(&name) {
            return Err(Refusal(40029));
        }
        let openid = self.openid(&name);
        let user = state.users.entry(openid.clone()).or_default();
        if user.high_risk {
            return Err(Refusal(40226));
        }
        if !named {
            // A code that turns out to come too often is used up all the same.
            user.logins.retain(|login| now.duration_since(*login) < MINUTE);
            if user.logins.len() >= LOGINS_A_MINUTE {
                return Err(Refusal(45011));
            }
            user.logins.push_back(now);
        }
        let session_key = Secret::new(BASE64_STANDARD.encode(self.0.random.bytes::<16>()));
        user.session_key = Some(session_key.clone());
        user.last_visit = Some(now);
        let unionid = (!user.unlinked).then(|| unionid(&name));
        Ok(Login {
            openid,
            unionid,
            session_key,
        })
    }

    pub(super) fn redeem_phone_code(&self, code: &str) -> Result<(String, String), Refusal> {
        let mut state = self.state();
        let now = self.time(&state);
        redeem(state.phone_codes.get_mut(code), now)
    }

    /// The openid of a name: 28 characters, of which the last eight prove the others, so that a sandbox knows its
    /// own after a restart.
    pub(super) fn openid(&self, name: &str) -> String {
        let body = BASE64_URL_SAFE_NO_PAD.encode(digest(&["openid", self.appid(), name]));
        let body = format!("o{}", &body[..19]);
        let proof = self.proof(&body);
        body + &proof
    }

    pub(super) fn is_openid(&self, text: &str) -> bool {
        text.split_at_checked(20)
            .is_some_and(|(body, proof)| self.proof(body) == proof)
    }

    /// A token for the caller, and for how many seconds.
    pub(super) fn stable_token(&self, force: bool) -> Result<(String, i64), Refusal> {
        let mut state = self.state();
        let now = self.time(&state);
        if force {
            let day = SignedDuration::from_hours(24);
            state.forced.retain(|forced| now.duration_since(*forced) < day);
            if state
                .forced
                .back()
                .is_some_and(|last| now.duration_since(*last) < FORCED_APART)
            {
                return Err(Refusal(45011));
            }
            if state.forced.len() >= FORCED_A_DAY {
                return Err(Refusal(45009));
            }
            state.forced.push_back(now);
            for token in &mut state.tokens {
                token.killed = true;
            }
        }
        let current = state.tokens.back().filter(|token| !token.killed);
        let left = current.map_or(SignedDuration::ZERO, |token| token.until.duration_since(now));
        if let Some(token) = current.filter(|_| left > OVERLAP) {
            return Ok((token.text.clone(), left.as_secs()));
        }
        if left.is_positive()
            && let Some(old) = state.tokens.back_mut()
        {
            // The overlap is counted from the renewal, however late that comes.
            old.until = now.saturating_add(OVERLAP).unwrap_or(now);
        }
        let text = format!("sandbox_{}", self.random_text(96));
        state.tokens.push_back(Token {
            text: text.clone(),
            until: now.saturating_add(TOKEN_LIVES).unwrap_or(now),
            killed: false,
        });
        // Some old ones are remembered, to tell an expired token from an invented one.
        if state.tokens.len() > 8 {
            state.tokens.pop_front();
        }
        Ok((text, TOKEN_LIVES.as_secs()))
    }

    pub(super) fn check_token(&self, text: Option<&str>) -> Result<(), Refusal> {
        let text = text.filter(|text| !text.is_empty()).ok_or(Refusal(41001))?;
        let state = self.state();
        let now = self.time(&state);
        match state.tokens.iter().find(|token| token.text == text) {
            Some(token) if token.killed => Err(Refusal(40001)),
            Some(token) if now >= token.until => Err(Refusal(42001)),
            Some(_) => Ok(()),
            None if text.starts_with("sandbox_") => Err(Refusal(40001)),
            None => Err(Refusal(40014)),
        }
    }

    /// Random letters and digits.
    pub(super) fn random_text(&self, bytes: usize) -> String {
        let random = self.0.random.bytes::<96>();
        BASE64_URL_SAFE_NO_PAD.encode(&random[..bytes.min(random.len())])
    }

    fn proof(&self, body: &str) -> String {
        let proof = digest(&["openid proof", self.appid(), body]);
        BASE64_URL_SAFE_NO_PAD.encode(&proof[..6])
    }
}

impl<T> Code<T> {
    fn new(stands_for: T, issued: Timestamp) -> Self {
        Self {
            stands_for,
            issued,
            used: false,
        }
    }
}

/// Whether users can have that name: 1 to 64 characters.
pub(super) fn is_name(name: &str) -> bool {
    (1..=MAX_NAME_CHARS).contains(&name.chars().take(MAX_NAME_CHARS + 1).count())
}

fn redeem<T: Clone>(code: Option<&mut Code<T>>, now: Timestamp) -> Result<T, Refusal> {
    let code = code.ok_or(Refusal(40029))?;
    if code.used {
        return Err(Refusal(40163));
    }
    if now.duration_since(code.issued) > CODE_LIVES {
        return Err(Refusal(40029));
    }
    code.used = true;
    Ok(code.stands_for.clone())
}

/// Forgets codes that would be refused anyway.
fn drop_old(state: &mut State, now: Timestamp) {
    let fresh = |issued: Timestamp| now.duration_since(issued) <= CODE_LIVES;
    state.codes.retain(|_, code| fresh(code.issued));
    state.phone_codes.retain(|_, code| fresh(code.issued));
}

fn unionid(name: &str) -> String {
    let body = BASE64_URL_SAFE_NO_PAD.encode(digest(&["unionid", name]));
    format!("u{}", &body[..27])
}

fn digest(parts: &[&str]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
        hash.update([0]);
    }
    hash.finalize().into()
}
