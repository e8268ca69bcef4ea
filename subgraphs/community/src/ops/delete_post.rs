//! Taking a post back. Its likes and comments go with it, on the event.

use docstore::Batch;
use kernel::{PostId, Principal, Refusal, Result};
use subgraph::messages::PostDeleted;

use super::see;
use crate::app::App;
use crate::store::PostDoc;

/// Deletes a post of the person who asks; moderators may delete every one.
///
/// # Errors
/// `NOT_FOUND` where there is none that the person may see, `FORBIDDEN` where it is somebody else's.
pub async fn delete_post(app: &App, principal: &Principal, id: PostId) -> Result<()> {
    docstore::retry_stale(async || {
        let post = deletable(app, principal, id).await?;
        let mut batch = Batch::new();
        // Exactly one of two concurrent deletions tells of it.
        batch.delete_version::<PostDoc>(&post);
        let event = PostDeleted {
            post_id: id,
            check_in_id: post.check_in_id,
        };
        app.deps.outbox.emit(&mut batch, post.user_id, &event)?;
        Ok(app.deps.store.commit(batch).await?)
    })
    .await
}

async fn deletable(app: &App, principal: &Principal, id: PostId) -> Result<PostDoc> {
    if principal.may(auth::permissions::CONTENT_MODERATE) {
        return Ok(app.posts().get(id).await?.ok_or_else(Refusal::not_found)?);
    }
    let post = see::post(app, principal, id).await?;
    if principal.user_id() == Some(post.user_id) {
        Ok(post)
    } else {
        Err(Refusal::forbidden().into())
    }
}
