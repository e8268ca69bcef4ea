//! What clients send.

use async_graphql::InputObject;

use crate::store::Kind;

/// Which notifications.
#[derive(Debug, Default, InputObject)]
pub struct NotificationFilter {
    /// Unread ones, or those that were read; by default all.
    pub is_unread: Option<bool>,
    /// Of these types; by default all.
    pub types: Option<Vec<Kind>>,
}
