//! How the account behind an access token stands: what the user domain tells whoever judges credentials.

use std::collections::BTreeSet;

use kernel::SessionId;
use serde::{Deserialize, Serialize};

/// How an account stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// Whether the session was not ended.
    pub is_session_live: bool,
    /// What the person's roles permit.
    pub permissions: BTreeSet<String>,
}

/// Where an [`Account`] is cached, and must be forgotten when it changes.
pub fn cache_key(session: SessionId) -> String {
    format!("account:{session}")
}
