//! Who sees something that somebody shares.

use serde::{Deserialize, Serialize};

/// Who sees something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, async_graphql::Enum)]
#[serde(rename_all = "camelCase")]
pub enum Visibility {
    /// Everybody who is logged in.
    Public,
    /// Friends.
    Friends,
    /// Nobody else.
    Private,
}
