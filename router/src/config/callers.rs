//! Settings that differ by who asks.

use kernel::{Actor, Principal};
use serde::{Deserialize, Serialize};

/// One setting for each kind of caller.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ByCaller<T> {
    /// Those who are not logged in.
    pub anonymous: T,
    /// People with clients of the platform's own.
    pub people: T,
    /// Third-party apps that act for people.
    pub apps: T,
    /// People whose roles permit more than their own data.
    pub staff: T,
}

impl<T> ByCaller<T> {
    /// The same for everybody.
    pub fn all(setting: T) -> Self
    where
        T: Copy,
    {
        Self {
            anonymous: setting,
            people: setting,
            apps: setting,
            staff: setting,
        }
    }

    /// What holds for a caller; `None` for a part of the platform itself, for which nothing is set.
    pub fn of(&self, principal: &Principal) -> Option<&T> {
        match &principal.actor {
            Actor::Anonymous => Some(&self.anonymous),
            Actor::User { scopes: Some(_), .. } => Some(&self.apps),
            Actor::User { permissions, .. } if !permissions.is_empty() => Some(&self.staff),
            Actor::User { .. } => Some(&self.people),
            Actor::External(external) if external.is_app => Some(&self.apps),
            Actor::External(external) if !external.permissions.is_empty() => Some(&self.staff),
            Actor::External(_) => Some(&self.people),
            Actor::Service { .. } => None,
        }
    }
}
