//! Keys that an issuer publishes as a JWK set, looked up at the start, by age, and when a token names an unknown one.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use kernel::Clock;
use serde_json::Value;
use tokio::sync::Mutex;

use crate::TokenError;
use crate::jwt::claimed_issue;
use crate::key_set::KeySet;

/// Between two look-ups because of unknown keys, in seconds: tokens with invented keys must not make one each.
const PAUSE: i64 = 5;
/// After a look-up that failed, in seconds.
const PAUSE_AFTER_FAILURE: i64 = 1;
/// How far the clocks of two machines may differ, in seconds.
const LEEWAY: i64 = 30;
/// When an attempt that failed is repeated within one look-up.
const REPEATS: [Duration; 2] = [Duration::from_millis(50), Duration::from_millis(300)];
/// For one request to the issuer.
const TIMEOUT: Duration = Duration::from_secs(3);
/// Bytes of a key set, or of what an issuer tells of itself.
const MAX_BYTES: usize = 512 * 1024;

/// Where an issuer's keys are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyLocation {
    /// At an address that gives a JWK set.
    Url(String),
    /// In a file with a JWK set.
    File(PathBuf),
    /// Where the issuer of that name says, at `/.well-known/openid-configuration` below it (OpenID Connect Discovery 1.0).
    Discovery(String),
}

/// An issuer's published keys. Keys that are known stay in force while the issuer cannot be reached.
pub struct PublishedKeys {
    location: KeyLocation,
    client: reqwest::Client,
    clock: Clock,
    known: RwLock<Option<Known>>,
    last: Arc<Mutex<Option<LookUp>>>,
    /// How many look-ups have ended.
    ended: AtomicU64,
}

#[derive(Clone)]
struct Known {
    set: Arc<KeySet>,
    jwks: Arc<Value>,
    /// When it was looked up last.
    at: Timestamp,
}

/// How the last look-up ended, and when.
#[derive(Clone, Copy)]
struct LookUp {
    at: Timestamp,
    succeeded: bool,
}

enum Outcome {
    /// What is known is what the issuer publishes now.
    Fresh,
    /// Nothing was looked up, since it was a moment ago; seconds until it may be again.
    Paused(u64),
    Failed,
}

type Fault = Box<dyn std::error::Error + Send + Sync>;

impl PublishedKeys {
    /// Keys at that place, none of which is looked up yet.
    pub fn new(location: KeyLocation, client: reqwest::Client, clock: Clock) -> Arc<Self> {
        Arc::new(Self {
            location,
            client,
            clock,
            known: RwLock::default(),
            last: Arc::default(),
            ended: AtomicU64::new(0),
        })
    }

    /// Looks the keys up now, and again whenever they are that old, so that a key that is taken back is not accepted for
    /// longer. Never ends.
    pub async fn follow(self: Arc<Self>, max_age: Duration) {
        loop {
            let wait = match self.look_up().await {
                Outcome::Failed => Duration::from_secs(PAUSE_AFTER_FAILURE.unsigned_abs()).min(max_age),
                Outcome::Fresh | Outcome::Paused(_) => max_age,
            };
            tokio::time::sleep(wait).await;
        }
    }

    /// Judges a token by the keys that are known, and looks these up if it names another one.
    ///
    /// # Errors
    /// What `check` says of it, or [`TokenError::Unjudged`] where its key may well be good but cannot be looked up now.
    pub(crate) async fn judge<T>(
        self: &Arc<Self>,
        token: &str,
        check: impl Fn(&KeySet) -> Result<T, TokenError>,
    ) -> Result<T, TokenError> {
        if let Some(known) = self.known() {
            match check(&known.set) {
                Err(TokenError::UnknownKey) => {}
                judged => return judged,
            }
        }
        let outcome = self.look_up().await;
        let unjudged = |retry_after| Err(TokenError::Unjudged { retry_after });
        let Some(known) = self.known() else {
            return unjudged(PAUSE_AFTER_FAILURE.unsigned_abs());
        };
        match (check(&known.set), outcome) {
            (Err(TokenError::UnknownKey), Outcome::Failed) => unjudged(PAUSE_AFTER_FAILURE.unsigned_abs()),
            // Its key may have been published since.
            (Err(TokenError::UnknownKey), Outcome::Paused(left)) if !is_older(token, known.at) => {
                unjudged(left)
            }
            (judged, _) => judged,
        }
    }

    fn known(&self) -> Option<Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Looks the keys up, once for all who wait for it.
    async fn look_up(self: &Arc<Self>) -> Outcome {
        let before = self.ended.load(Ordering::Acquire);
        let mut last = self.last.clone().lock_owned().await;
        let now = self.clock.now();
        if let Some(LookUp { at, succeeded }) = *last {
            if self.ended.load(Ordering::Acquire) != before {
                return if succeeded {
                    Outcome::Fresh
                } else {
                    Outcome::Failed
                };
            }
            let pause = if succeeded { PAUSE } else { PAUSE_AFTER_FAILURE };
            let passed = now.as_second() - at.as_second();
            // A clock that was set back must not make it longer.
            if (0..pause).contains(&passed) {
                return match succeeded {
                    true => Outcome::Paused((pause - passed).unsigned_abs()),
                    false => Outcome::Failed,
                };
            }
        }
        // Apart, so that it is finished even if whoever asked goes away.
        let keys = self.clone();
        let looked_up = tokio::spawn(async move {
            let succeeded = keys.take(now).await;
            *last = Some(LookUp { at: now, succeeded });
            keys.ended.fetch_add(1, Ordering::Release);
            succeeded
        });
        match looked_up.await {
            Ok(true) => Outcome::Fresh,
            _ => Outcome::Failed,
        }
    }

    /// Takes over what is published now; whether it could be had.
    async fn take(&self, now: Timestamp) -> bool {
        let mut repeats = REPEATS.iter();
        let found = loop {
            let fault = match self.fetch().await {
                Ok(found) => break found,
                Err(fault) => fault,
            };
            match repeats.next() {
                Some(wait) => tokio::time::sleep(*wait).await,
                None => {
                    tracing::warn!(location = ?self.location, error = %fault, "published keys cannot be looked up");
                    return false;
                }
            }
        };
        let (jwks, set) = found;
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        match &mut *known {
            // What was found out with the set goes on being good.
            Some(known) if *known.jwks == jwks => known.at = now,
            _ => {
                *known = Some(Known {
                    set: Arc::new(set),
                    jwks: Arc::new(jwks),
                    at: now,
                });
            }
        }
        true
    }

    async fn fetch(&self) -> Result<(Value, KeySet), Fault> {
        let jwks = match &self.location {
            KeyLocation::Url(url) => self.get(url).await?,
            KeyLocation::File(path) => serde_json::from_slice(&tokio::fs::read(path).await?)?,
            KeyLocation::Discovery(issuer) => {
                let well_known = format!(
                    "{}/.well-known/openid-configuration",
                    issuer.trim_end_matches('/')
                );
                let told = self.get(&well_known).await?;
                if told["issuer"].as_str() != Some(issuer) {
                    return Err("the issuer calls itself by another name".into());
                }
                let url = told["jwks_uri"].as_str().ok_or("the issuer has no `jwks_uri`")?;
                self.get(url).await?
            }
        };
        let set = KeySet::from_jwks(&jwks)?;
        Ok((jwks, set))
    }

    async fn get(&self, url: &str) -> Result<Value, Fault> {
        let asked = self.client.get(url).timeout(TIMEOUT).send().await?;
        let mut answer = asked.error_for_status()?;
        let mut text = Vec::new();
        while let Some(part) = answer.chunk().await? {
            if text.len() + part.len() > MAX_BYTES {
                return Err(format!("the answer has more than {MAX_BYTES} bytes").into());
            }
            text.extend_from_slice(&part);
        }
        Ok(serde_json::from_slice(&text)?)
    }
}

impl std::fmt::Debug for PublishedKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("PublishedKeys").field(&self.location).finish()
    }
}

/// Whether a token says that it was issued before keys were looked up: then its own would have been among them.
fn is_older(token: &str, looked_up: Timestamp) -> bool {
    let latest = looked_up.saturating_sub(SignedDuration::from_secs(LEEWAY));
    let (Some(issued), Ok(latest)) = (claimed_issue(token), latest) else {
        return true;
    };
    issued < latest.as_second()
}

#[cfg(test)]
mod tests;
