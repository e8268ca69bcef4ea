//! Who may see what.

use std::collections::HashSet;

use kernel::{PostId, Principal, Refusal, Result, UserId};
use subgraph::caller;

use crate::app::App;
use crate::relations::{Between, Kind, Side};
use crate::store::PostDoc;

/// A post that the caller may see, and how they stand to its author.
///
/// # Errors
/// `UNAUTHENTICATED`; `NOT_FOUND` where there is none that they may see.
pub async fn post(app: &App, principal: &Principal, id: PostId) -> Result<(PostDoc, Between)> {
    let me = caller::person(principal)?;
    let post = app.posts().get(id).await?.ok_or_else(Refusal::not_found)?;
    let between = app.between(me, post.user_id).await?;
    if post.is_visible_to(principal, &between) {
        Ok((post, between))
    } else {
        Err(Refusal::not_found().into())
    }
}

/// Whose posts are left out of lists: whom somebody blocks or mutes, and who blocks them. `max` of each.
///
/// # Errors
/// `SERVICE_UNAVAILABLE` where the store does not answer.
pub async fn hidden(app: &App, me: UserId) -> Result<HashSet<UserId>> {
    let max = app.config.max_blocked as usize;
    let mut hidden = HashSet::new();
    for (side, kind, most) in [
        (Side::Of, Kind::Blocks, max),
        (Side::Of, Kind::Mutes, max),
        // Whoever blocks is not limited by how many do so.
        (Side::To, Kind::Blocks, usize::MAX >> 1),
    ] {
        hidden.extend(app.relations.list(me, side, kind, most).await?);
    }
    Ok(hidden)
}
