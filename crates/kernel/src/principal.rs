//! Who asks: judged once, by the router, and handed to every subgraph.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Locale, SessionId, UserId};

/// Who asks, and in which language they are answered.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Principal {
    /// Who it is.
    pub actor: Actor,
    /// The language of messages.
    #[serde(default)]
    pub locale: Locale,
}

/// Who it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Actor {
    /// Nobody is logged in.
    Anonymous,
    /// A person.
    #[serde(rename_all = "camelCase")]
    User {
        /// The person.
        id: UserId,
        /// The session of the access token.
        session: SessionId,
        /// What the person's roles permit beyond their own data: permission names such as `users:read`.
        #[serde(default)]
        permissions: Arc<BTreeSet<String>>,
        /// For an app that acts for the person: what it was granted. `None` for the person's own client.
        #[serde(default)]
        scopes: Option<Arc<BTreeSet<String>>>,
    },
    /// Somebody for whom another issuer of tokens vouches, in front of other people's subgraphs.
    External(Arc<External>),
    /// A part of the platform acting for itself, never for a person.
    Service {
        /// Which part.
        name: Service,
    },
}

/// Somebody for whom another issuer of tokens vouches.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct External {
    /// Who vouches: `iss`. Subjects of two issuers are never the same.
    pub issuer: String,
    /// Who it is there: `sub`.
    pub subject: String,
    /// Whether it is a program that acts for itself.
    pub is_app: bool,
    /// What the token was granted.
    pub scopes: BTreeSet<String>,
    /// What roles permit.
    pub permissions: BTreeSet<String>,
    /// All that the token says.
    pub claims: Map<String, Value>,
}

/// A part of the platform that asks others on its own behalf.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Service(pub String);

impl Principal {
    /// Nobody, answered in the default language.
    pub fn anonymous() -> Self {
        Self {
            actor: Actor::Anonymous,
            locale: Locale::default(),
        }
    }

    /// A person's own client without staff permissions.
    pub fn user(id: UserId, session: SessionId) -> Self {
        let actor = Actor::User {
            id,
            session,
            permissions: Arc::default(),
            scopes: None,
        };
        Self {
            actor,
            locale: Locale::default(),
        }
    }

    /// A part of the platform.
    pub fn service(name: &str) -> Self {
        Self {
            actor: Actor::Service {
                name: Service(name.to_owned()),
            },
            locale: Locale::default(),
        }
    }

    /// The same principal, answered in another language.
    pub fn speaking(self, locale: Locale) -> Self {
        Self { locale, ..self }
    }

    /// The person, if it is one.
    pub fn user_id(&self) -> Option<UserId> {
        match &self.actor {
            Actor::User { id, .. } => Some(*id),
            _ => None,
        }
    }

    /// What the token of another issuer says under that name.
    pub fn claim(&self, name: &str) -> Option<&Value> {
        match &self.actor {
            Actor::External(external) => external.claims.get(name),
            _ => None,
        }
    }

    /// Whether this is a part of the platform itself.
    pub fn is_service(&self) -> bool {
        matches!(self.actor, Actor::Service { .. })
    }

    /// Whether the principal has a staff permission. The platform's own services have all of them.
    pub fn may(&self, permission: &str) -> bool {
        match &self.actor {
            Actor::Anonymous => false,
            Actor::User { permissions, .. } => permissions.contains(permission),
            Actor::External(external) => external.permissions.contains(permission),
            Actor::Service { .. } => true,
        }
    }

    /// Whether the principal may use a scope: a person's own client may use every one.
    pub fn has_scope(&self, scope: &str) -> bool {
        match &self.actor {
            Actor::Anonymous => false,
            Actor::User { scopes, .. } => scopes.as_ref().is_none_or(|scopes| scopes.contains(scope)),
            Actor::External(external) => external.scopes.contains(scope),
            Actor::Service { .. } => true,
        }
    }
}
