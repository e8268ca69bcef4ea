//! Who may see what.

use kernel::{PostId, Principal, Refusal, Result};
use subgraph::caller;

use crate::app::App;
use crate::store::PostDoc;

/// A post that the caller may see.
///
/// # Errors
/// `UNAUTHENTICATED`; `NOT_FOUND` where there is none that they may see.
pub async fn post(app: &App, principal: &Principal, id: PostId) -> Result<PostDoc> {
    let me = caller::person(principal)?;
    let post = app.posts().get(id).await?.ok_or_else(Refusal::not_found)?;
    let between = app.between(me, post.user_id).await?;
    if post.is_visible_to(principal, &between) {
        Ok(post)
    } else {
        Err(Refusal::not_found().into())
    }
}
