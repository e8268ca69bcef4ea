//! Access tokens: what a client shows with each request for two hours.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use kernel::{Actor, Locale, Principal, Refusal, SessionId, UserId};
use serde::{Deserialize, Serialize};

use crate::jwt::{self, Unverified};
use crate::key_set::KeySet;
use crate::keys::SigningKey;
use crate::{AuthConfig, Keys, PublishedKeys};

/// Says that this is an access token and nothing else that the same key may sign one day (RFC 8725 §3.11; the
/// name is that of RFC 9068).
const TYPE: &str = "at+jwt";

/// How far into the future a token's time of issue may lie, in seconds: the clocks of machines differ.
const LEEWAY: i64 = 30;

/// How many verified tokens are remembered, so that a client's next request costs no signature check.
const REMEMBERED: u64 = 4096;

/// Makes access tokens.
#[derive(Clone)]
pub struct Issuer {
    key: Arc<SigningKey>,
    issuer: Arc<str>,
    audience: Arc<str>,
    ttl: Duration,
}

/// Reads access tokens. Cheap to clone.
#[derive(Clone)]
pub struct Verifier {
    keys: VerifyingKeys,
    issuer: Arc<str>,
    audience: Arc<str>,
    /// With the number of the key set by which it was verified.
    verified: moka::sync::Cache<Arc<str>, (u64, Claims)>,
}

#[derive(Clone)]
enum VerifyingKeys {
    Own(Arc<KeySet>),
    Published(Arc<PublishedKeys>),
}

/// What a valid access token says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claims {
    /// Who it is.
    pub user: UserId,
    /// The session that the token was made in. Whether it still stands, [`crate::Sessions::is_revoked`] knows.
    pub session: SessionId,
    /// When it was made, to the second.
    pub issued_at: Timestamp,
    /// From when on it is worth nothing, to the second.
    pub expires_at: Timestamp,
}

/// Why a token is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It was good once.
    #[error("the token has expired")]
    Expired,
    /// It claims to be made in the future.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// It has not the form of a token.
    #[error("this is no token")]
    Malformed,
    /// It was changed, or signed by somebody else.
    #[error("the signature is wrong")]
    BadSignature,
    /// It names a key that is not known (or none).
    #[error("the key of the token is unknown")]
    UnknownKey,
    /// It names another algorithm than its key's.
    #[error("the algorithm is not that of the key")]
    WrongAlgorithm,
    /// It is a token for something else.
    #[error("this is a token of another type")]
    WrongType,
    /// Somebody else made it.
    #[error("the token is of another issuer")]
    WrongIssuer,
    /// It was made for somebody else.
    #[error("the token is for another audience")]
    WrongAudience,
    /// Nobody can say now whether it is good: the issuer's keys cannot be looked up. Never to be told as "not logged in".
    #[error("the issuer's keys cannot be looked up")]
    Unjudged {
        /// Seconds after which it may be judged.
        retry_after: u64,
    },
}

#[derive(Serialize, Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    iss: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    aud: std::borrow::Cow<'a, str>,
    sub: UserId,
    sid: SessionId,
    iat: i64,
    exp: i64,
}

impl Issuer {
    /// Signs with the current key.
    pub fn new(keys: &Keys, config: &AuthConfig) -> Self {
        Self {
            key: Arc::new(keys.signing.clone()),
            issuer: config.issuer.as_str().into(),
            audience: config.audience.as_str().into(),
            ttl: config.access_ttl,
        }
    }

    /// How long its tokens are good for.
    pub fn ttl(&self) -> Duration {
        self.ttl
    }

    /// A token for that session of that user.
    ///
    /// # Errors
    /// Internal, when the cryptographic library fails.
    pub fn issue(&self, user: UserId, session: SessionId, now: Timestamp) -> kernel::Result<String> {
        let iat = now.as_second();
        let body = Body {
            iss: (&*self.issuer).into(),
            aud: (&*self.audience).into(),
            sub: user,
            sid: session,
            iat,
            exp: iat.saturating_add_unsigned(self.ttl.as_secs()),
        };
        jwt::sign(TYPE, Some(&self.key.kid), &body, &self.key.key, self.key.alg)
    }
}

impl Verifier {
    /// Accepts the tokens of the current and the previous keys.
    pub fn from_keys(keys: &Keys, config: &AuthConfig) -> Self {
        Self::new(VerifyingKeys::Own(Arc::new(KeySet::own(keys))), config)
    }

    /// Accepts the tokens of published keys: for a process that must not have the private key.
    pub fn from_published(keys: Arc<PublishedKeys>, config: &AuthConfig) -> Self {
        Self::new(VerifyingKeys::Published(keys), config)
    }

    fn new(keys: VerifyingKeys, config: &AuthConfig) -> Self {
        Self {
            keys,
            issuer: config.issuer.as_str().into(),
            audience: config.audience.as_str().into(),
            verified: moka::sync::Cache::new(REMEMBERED),
        }
    }

    /// What the token says, if it is ours and good at `now`.
    ///
    /// # Errors
    /// [`TokenError::Unjudged`] where nobody can say now, or the first reason found not to accept it; callers tell clients
    /// no more than that they are not logged in.
    pub async fn verify(&self, token: &str, now: Timestamp) -> Result<Claims, TokenError> {
        // Before the look-up, which reads all of it.
        if token.len() > jwt::MAX_TOKEN_BYTES {
            return Err(TokenError::Malformed);
        }
        let claims = match &self.keys {
            VerifyingKeys::Own(set) => self.claims(token, set)?,
            VerifyingKeys::Published(keys) => keys.judge(token, |set| self.claims(token, set)).await?,
        };
        if claims.issued_at.as_second() > now.as_second().saturating_add(LEEWAY) {
            return Err(TokenError::NotYetValid);
        }
        if now >= claims.expires_at {
            return Err(TokenError::Expired);
        }
        Ok(claims)
    }

    /// Everything but the time, remembered as long as the keys are in force.
    fn claims(&self, token: &str, set: &KeySet) -> Result<Claims, TokenError> {
        // The text as a whole is the key: a token that differs in one byte is another one.
        match self.verified.get(token) {
            Some((number, claims)) if number == set.number() => Ok(claims),
            _ => {
                let claims = self.check(token, set)?;
                self.verified.insert(token.into(), (set.number(), claims));
                Ok(claims)
            }
        }
    }

    /// Everything but the time.
    fn check(&self, token: &str, set: &KeySet) -> Result<Claims, TokenError> {
        let unverified = Unverified::read(token)?;
        if unverified.kid.is_none() {
            return Err(TokenError::UnknownKey);
        }
        set.verify(&unverified)?;
        // Only after the signature, so that strangers learn nothing from the order of checks.
        if unverified.typ.as_deref() != Some(TYPE) {
            return Err(TokenError::WrongType);
        }
        let payload = unverified.payload()?;
        let body: Body<'_> = serde_json::from_slice(&payload).map_err(|_| TokenError::Malformed)?;
        if body.iss != *self.issuer {
            return Err(TokenError::WrongIssuer);
        }
        if body.aud != *self.audience {
            return Err(TokenError::WrongAudience);
        }
        let instant = |second| Timestamp::from_second(second).map_err(|_| TokenError::Malformed);
        Ok(Claims {
            user: body.sub,
            session: body.sid,
            issued_at: instant(body.iat)?,
            expires_at: instant(body.exp)?,
        })
    }
}

impl Claims {
    /// The person as a principal: with what their roles permit, answered in that language.
    pub fn principal(&self, permissions: Arc<BTreeSet<String>>, locale: Locale) -> Principal {
        Principal {
            actor: Actor::User {
                id: self.user,
                session: self.session,
                permissions,
                scopes: None,
            },
            locale,
        }
    }
}

impl From<TokenError> for kernel::Error {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Unjudged { retry_after } => Refusal::unavailable(retry_after).into(),
            _ => Refusal::unauthenticated().into(),
        }
    }
}

#[cfg(test)]
mod tests;
