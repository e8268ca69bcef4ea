//! Sessions and refresh tokens as they are stored.

use docstore::{CollectionSpec, Document, IndexSpec, Order};
use jiff::Timestamp;
use kernel::{SessionId, UserId};
use serde::{Deserialize, Serialize};

use super::RefreshToken;

/// A log-in session. Ended and expired ones stay until they are purged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// Its id, which access tokens carry.
    #[serde(rename = "_id")]
    pub id: SessionId,
    version: i64,
    /// Who has logged in.
    pub user_id: UserId,
    /// On what.
    pub device: Device,
    /// When they logged in.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub created_at: Timestamp,
    /// When its refresh token was last exchanged.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub last_used_at: Timestamp,
    /// When it ends by itself, unless it is used before.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub expires_at: Timestamp,
    /// When it was ended.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::optional", default)]
    pub revoked_at: Option<Timestamp>,
    /// What ended it.
    #[serde(default)]
    pub revoked_by: Option<RevokedBy>,
    /// How often its refresh token was exchanged.
    pub generation: u32,
    /// When the generation before this one was first used.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub(super) rotated_at: Timestamp,
    /// How often it was used again since.
    pub(super) repeats: u32,
}

/// What somebody logged in on, as the client and the connection tell: for the user to recognise, not to trust.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Device {
    /// What the client calls it, such as a phone's model.
    pub name: String,
    /// The address that the log-in came from.
    #[serde(default)]
    pub ip: Option<String>,
    /// The `User-Agent` of the log-in.
    #[serde(default)]
    pub user_agent: Option<String>,
}

/// What ended a session before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RevokedBy {
    /// Its user, by logging out or from the list of sessions, or staff on their behalf.
    User,
    /// A refresh token that was used twice.
    Reuse,
}

/// A refresh token that was given out.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct IssuedToken {
    /// SHA-256 of its text.
    #[serde(rename = "_id")]
    hash: String,
    version: i64,
    pub(super) session: SessionId,
    pub(super) generation: u32,
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub(super) expires_at: Timestamp,
}

impl Session {
    pub(super) fn begin(
        id: SessionId,
        user_id: UserId,
        device: Device,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Self {
        Self {
            id,
            version: 0,
            user_id,
            device,
            created_at: now,
            last_used_at: now,
            expires_at,
            revoked_at: None,
            revoked_by: None,
            generation: 0,
            rotated_at: now,
            repeats: 0,
        }
    }
}

impl IssuedToken {
    /// The token as one of the session's current generation.
    pub(super) fn of(session: &Session, token: &RefreshToken) -> Self {
        Self {
            hash: token.hash(),
            version: 0,
            session: session.id,
            generation: session.generation,
            expires_at: session.expires_at,
        }
    }
}

impl Device {
    /// The same with texts of bounded length: they come from outside.
    pub(super) fn cut(self) -> Self {
        let cut = |text: String, most| match text.char_indices().nth(most) {
            Some((end, _)) => text[..end].to_owned(),
            None => text,
        };
        Self {
            name: cut(self.name, 64),
            ip: self.ip.map(|ip| cut(ip, 45)),
            user_agent: self.user_agent.map(|agent| cut(agent, 256)),
        }
    }
}

impl RevokedBy {
    /// As it is stored.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Reuse => "reuse",
        }
    }
}

const BY_EXPIRY: IndexSpec = IndexSpec {
    name: "expiry",
    fields: &[("expiresAt", Order::Asc)],
    unique: false,
};

docstore::document!(
    Session,
    "sessions",
    &[
        IndexSpec {
            name: "user",
            fields: &[("userId", Order::Asc), ("lastUsedAt", Order::Desc)],
            unique: false,
        },
        BY_EXPIRY,
    ]
);

impl Document for IssuedToken {
    const COLLECTION: CollectionSpec = CollectionSpec {
        name: "refreshTokens",
        indexes: &[BY_EXPIRY],
    };

    fn id(&self) -> String {
        self.hash.clone()
    }

    fn version(&self) -> i64 {
        self.version
    }

    fn set_version(&mut self, version: i64) {
        self.version = version;
    }
}
