//! Log-in sessions and their refresh tokens.
//!
//! A session is a family of refresh tokens. Each use of a token makes the next *generation* and retires the one
//! used. A retired token that turns up again means that two parties hold the family, and nobody can tell which is
//! the thief: the whole session is revoked (RFC 9700 §4.14.2).
//!
//! One case must not count as theft: the answer with the new token was lost on the way, or two requests of one
//! phone used the token at once. So the token that was used last may be used again for [`GRACE`] while nothing of
//! its next generation was used, a few times. It then gets one more token of that same generation. All of these are
//! good; the first one used retires the others.

mod store;

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use cache::Cache;
use docstore::{
    Batch, Collection, CollectionSpec, ConflictKind, DocStore, Document as _, Filter, Order, Query, Update,
};
use jiff::{SignedDuration, Timestamp};
use kernel::{Clock, Key, Random, Refusal, SessionId, UserId};
use sha2::{Digest as _, Sha256};

use store::IssuedToken;
pub use store::{Device, RevokedBy, Session};

use crate::AuthConfig;

/// The collections that sessions are kept in, for [`DocStore::ensure`].
pub const COLLECTIONS: &[CollectionSpec] = &[Session::COLLECTION, IssuedToken::COLLECTION];

/// For how long after its use a token may be used once more.
const GRACE: SignedDuration = SignedDuration::from_secs(10);

/// How often within that time: a phone that tries again does so a few times, not without end.
const MAX_REPEATS: u32 = 5;

/// How often a change is tried again after somebody else's came first.
const ATTEMPTS: usize = 32;

/// How many sessions a list shows, the last used first.
const LISTED: usize = 100;

/// For how long a process believes its last look at a session's state.
const BELIEVED: SignedDuration = SignedDuration::from_secs(2);

/// For how long the shared cache may say that a session stands.
const CACHED: Duration = Duration::from_secs(5);

const PREFIX: &str = "dkr_";
const SECRET_BYTES: usize = 32;

/// The log-in sessions of everybody. Cheap to clone.
#[derive(Clone)]
pub struct Sessions {
    store: DocStore,
    sessions: Collection<Session>,
    tokens: Collection<IssuedToken>,
    cache: Cache,
    clock: Clock,
    random: Random,
    refresh_ttl: SignedDuration,
    /// How long a revoked session must be known as such: as long as one of its access tokens may live.
    access_ttl: Duration,
    /// What this process saw last, and when: spares most requests the way to the cache.
    seen: moka::sync::Cache<SessionId, (bool, Timestamp)>,
}

/// The text of a refresh token, which only its client keeps: `dkr_` and 256 random bits in base64url.
#[derive(Clone, PartialEq, Eq)]
pub struct RefreshToken(String);

/// Why a refresh token was not exchanged.
#[derive(Debug, thiserror::Error)]
pub enum RotateError {
    /// Nobody was given this token, or it is long gone.
    #[error("the refresh token is unknown")]
    Unknown,
    /// It was good once, for too long ago.
    #[error("the refresh token has expired")]
    Expired,
    /// It was used before: its session has been revoked just now.
    #[error("the refresh token was used before")]
    Reused {
        /// The session, so that what is cached of it elsewhere can be forgotten.
        session: SessionId,
    },
    /// Its session was ended.
    #[error("the session was ended")]
    Revoked,
    /// It could not be judged.
    #[error(transparent)]
    Failed(kernel::Error),
}

enum Attempt {
    Done(Box<(Session, RefreshToken)>),
    Reused,
    /// Somebody else changed the session meanwhile.
    Lost,
}

impl Sessions {
    /// Keeps sessions in `store` (whose [`COLLECTIONS`] exist) and their state in `cache` for quick looks.
    pub fn new(store: DocStore, cache: Cache, clock: Clock, random: Random, config: &AuthConfig) -> Self {
        Self {
            sessions: store.collection(),
            tokens: store.collection(),
            store,
            cache,
            clock,
            random,
            refresh_ttl: SignedDuration::try_from(config.refresh_ttl).unwrap_or(SignedDuration::MAX),
            access_ttl: config.access_ttl,
            seen: moka::sync::Cache::new(16 * 1024),
        }
    }

    /// Begins a session: somebody has logged in.
    pub async fn create(&self, user: UserId, device: Device) -> kernel::Result<(Session, RefreshToken)> {
        let now = self.clock.now();
        let session = Session::begin(self.random.id(now), user, device.cut(), now, self.expiry(now));
        let token = RefreshToken::new(&self.random);
        let mut batch = Batch::new();
        batch.insert(&session).insert(&IssuedToken::of(&session, &token));
        self.store.commit(batch).await?;
        Ok((session, token))
    }

    /// Exchanges a refresh token for the next one of its session.
    ///
    /// # Errors
    /// Says why not. After [`RotateError::Reused`] the session is revoked, the tokens of the honest party too.
    pub async fn rotate(&self, token: &str) -> Result<(Session, RefreshToken), RotateError> {
        let hash = RefreshToken::hash_of(token).ok_or(RotateError::Unknown)?;
        let issued = self.tokens.get(hash).await.map_err(failed)?;
        let issued = issued.ok_or(RotateError::Unknown)?;
        for _ in 0..ATTEMPTS {
            match self.attempt(&issued).await? {
                Attempt::Done(done) => return Ok(*done),
                Attempt::Reused => {
                    tracing::warn!(session = %issued.session, "a refresh token was used again: session revoked");
                    self.remember_revoked(issued.session).await;
                    return Err(RotateError::Reused {
                        session: issued.session,
                    });
                }
                Attempt::Lost => {}
            }
        }
        Err(RotateError::Failed(Refusal::unavailable(1).into()))
    }

    /// Ends a session. Ending it again, or one that does not exist, is fine.
    pub async fn revoke(&self, session: SessionId) -> kernel::Result<()> {
        let now = self.clock.now();
        let mut batch = Batch::new();
        end(&mut batch, session, RevokedBy::User, now);
        self.store.commit(batch).await?;
        self.remember_revoked(session).await;
        Ok(())
    }

    /// Ends all sessions of a user but one; says how many.
    pub async fn revoke_all(&self, user: UserId, except: Option<SessionId>) -> kernel::Result<usize> {
        const AT_ONCE: usize = 200;
        let now = self.clock.now();
        let mut ended = 0;
        loop {
            let mut query = standing(user).limit(AT_ONCE);
            if let Some(kept) = except {
                query = query.filter(Filter::Not(Box::new(Filter::Eq("_id".to_owned(), kept.into()))));
            }
            let sessions = self.sessions.find(query).await?;
            let mut batch = Batch::new();
            for session in &sessions {
                end(&mut batch, session.id, RevokedBy::User, now);
            }
            if batch.is_empty() {
                return Ok(ended);
            }
            self.store.commit(batch).await?;
            for session in &sessions {
                self.remember_revoked(session.id).await;
            }
            ended += sessions.len();
        }
    }

    /// The sessions of a user in which they are still logged in, the last used first, at most 100.
    pub async fn list(&self, user: UserId) -> kernel::Result<Vec<Session>> {
        let query = standing(user)
            .gt("expiresAt", self.clock.now())
            .sort("lastUsedAt", Order::Desc)
            .limit(LISTED);
        Ok(self.sessions.find(query).await?)
    }

    /// One session, ended ones too, until it is purged.
    pub async fn get(&self, session: SessionId) -> kernel::Result<Option<Session>> {
        Ok(self.sessions.get(session).await?)
    }

    /// Whether a session has been ended, or does not exist. An end is seen by every process within seconds: it is
    /// written to the store and the cache, a process believes what it saw for 2 s and the cache for 5 s.
    pub async fn is_revoked(&self, session: SessionId) -> kernel::Result<bool> {
        let now = self.clock.now();
        if let Some((revoked, at)) = self.seen.get(&session) {
            // What is revoked stays so. A clock set back must not make a look last longer.
            if revoked || (at <= now && now.duration_since(at) < BELIEVED) {
                return Ok(revoked);
            }
        }
        let key = cache_key(session);
        let revoked = match self.cache.get::<bool>(&key).await.ok().flatten() {
            Some(revoked) => revoked,
            None => {
                let Some(stored) = self.sessions.get(session).await? else {
                    // Not remembered: it may be that new that the store does not show it yet.
                    return Ok(true);
                };
                let revoked = stored.revoked_at.is_some();
                let ttl = if revoked { self.access_ttl } else { CACHED };
                if let Err(error) = self.cache.set(&key, &revoked, ttl).await {
                    tracing::debug!(%error, "the state of a session was not cached");
                }
                revoked
            }
        };
        self.seen.insert(session, (revoked, now));
        Ok(revoked)
    }

    /// Removes what has expired; says how many documents. For a job that runs now and then.
    pub async fn purge(&self) -> kernel::Result<u64> {
        const AT_ONCE: usize = 1000;
        let expired = || Query::all().lt("expiresAt", self.clock.now()).limit(AT_ONCE);
        let mut removed = 0;
        loop {
            let tokens = self.tokens.delete_where(expired()).await?;
            let sessions = self.sessions.delete_where(expired()).await?;
            removed += tokens + sessions;
            if tokens + sessions == 0 {
                return Ok(removed);
            }
        }
    }

    /// Judges and exchanges once, on the session as it stands now.
    async fn attempt(&self, issued: &IssuedToken) -> Result<Attempt, RotateError> {
        let now = self.clock.now();
        let session = self.sessions.get(issued.session).await.map_err(failed)?;
        let mut session = session.ok_or(RotateError::Unknown)?;
        if session.revoked_at.is_some() {
            return Err(RotateError::Revoked);
        }
        if now >= issued.expires_at || now >= session.expires_at {
            return Err(RotateError::Expired);
        }
        let mut batch = Batch::new();
        let next = session.accept(issued.generation, now).then(|| {
            session.last_used_at = now;
            session.expires_at = self.expiry(now);
            RefreshToken::new(&self.random)
        });
        match &next {
            Some(token) => batch.insert(&IssuedToken::of(&session, token)),
            None => {
                session.revoked_at = Some(now);
                session.revoked_by = Some(RevokedBy::Reuse);
                &mut batch
            }
        };
        batch.replace(&mut session);
        match (self.store.commit(batch).await, next) {
            (Ok(()), Some(token)) => Ok(Attempt::Done(Box::new((session, token)))),
            (Ok(()), None) => Ok(Attempt::Reused),
            (Err(docstore::Error::Conflict(conflict)), _) if conflict.kind != ConflictKind::Duplicate => {
                Ok(Attempt::Lost)
            }
            (Err(error), _) => Err(failed(error)),
        }
    }

    async fn remember_revoked(&self, session: SessionId) {
        self.seen.insert(session, (true, self.clock.now()));
        // The store knows; without the cache others learn it a few seconds later.
        if let Err(error) = self.cache.set(&cache_key(session), &true, self.access_ttl).await {
            tracing::debug!(%error, "the end of a session was not cached");
        }
    }

    fn expiry(&self, now: Timestamp) -> Timestamp {
        now.saturating_add(self.refresh_ttl).unwrap_or(Timestamp::MAX)
    }
}

impl Session {
    /// Whether a token of that generation may be exchanged; if so, the session has counted it.
    fn accept(&mut self, generation: u32, now: Timestamp) -> bool {
        if generation == self.generation {
            self.generation = self.generation.saturating_add(1);
            self.rotated_at = now;
            self.repeats = 0;
            return true;
        }
        let used_last = generation.checked_add(1) == Some(self.generation);
        let in_grace = now.duration_since(self.rotated_at) <= GRACE;
        if used_last && in_grace && self.repeats < MAX_REPEATS {
            self.repeats += 1;
            return true;
        }
        false
    }
}

impl RefreshToken {
    fn new(random: &Random) -> Self {
        let secret = random.bytes::<SECRET_BYTES>();
        Self(format!("{PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(secret)))
    }

    /// The text, to be given to the client.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is stored instead of the token. 256 random bits need no salt and no slow hash.
    fn hash(&self) -> String {
        hex::encode(Sha256::digest(&self.0))
    }

    /// The same of a text from outside; `None` if it has not the form of a token.
    fn hash_of(text: &str) -> Option<String> {
        let mut secret = [0; SECRET_BYTES];
        let encoded = text.strip_prefix(PREFIX)?;
        let length = BASE64_URL_SAFE_NO_PAD.decode_slice(encoded, &mut secret).ok()?;
        (length == SECRET_BYTES).then(|| hex::encode(Sha256::digest(text)))
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("dkr_***")
    }
}

impl From<RotateError> for kernel::Error {
    /// The client is told no more than that it must log in again.
    fn from(error: RotateError) -> Self {
        match error {
            RotateError::Failed(error) => error,
            _ => Refusal::unauthenticated().into(),
        }
    }
}

fn standing(user: UserId) -> Query {
    Query::all().eq("userId", user).eq("revokedAt", Key::Null)
}

fn end(batch: &mut Batch, session: SessionId, by: RevokedBy, now: Timestamp) {
    let update = Update::new()
        .set("revokedAt", now)
        .set("revokedBy", by.as_str())
        .when(Filter::Eq("revokedAt".to_owned(), Key::Null))
        .or_ignore();
    batch.update::<Session>(session, update);
}

fn cache_key(session: SessionId) -> String {
    format!("auth:revoked:{session}")
}

fn failed(error: docstore::Error) -> RotateError {
    RotateError::Failed(error.into())
}

#[cfg(test)]
mod tests;
