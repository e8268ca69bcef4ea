//! Liking a post, and no longer liking it.

use docstore::{Batch, ConflictKind, Update};
use kernel::{PostId, Principal, Refusal, Result};
use subgraph::caller;
use subgraph::messages::{PostLiked, PostUnliked};

use super::see;
use crate::app::App;
use crate::store::{LikeDoc, PostDoc};

/// Likes a post, or no longer does. To do it again changes nothing.
///
/// # Errors
/// `NOT_FOUND` where there is no post that the person may see.
pub async fn like_post(app: &App, principal: &Principal, id: PostId, likes: bool) -> Result<PostDoc> {
    let me = caller::person(principal)?;
    docstore::retry_stale(async || {
        let post = see::post(app, principal, id).await?;
        let like = app.likes().get(LikeDoc::id_of(id, me)).await?;
        let author_id = post.user_id;
        let mut batch = Batch::new();
        // The like decides whether to count: of two equal requests at once, one finds that the other was first.
        match (likes, &like) {
            (true, None) => {
                batch.insert(&LikeDoc {
                    id: LikeDoc::id_of(id, me),
                    version: 0,
                    post_id: id,
                    user_id: me,
                    created_at: app.deps.clock.now().as_millisecond(),
                });
                batch.update::<PostDoc>(id, Update::new().inc("likes", 1));
                let event = PostLiked {
                    post_id: id,
                    author_id,
                };
                app.deps.outbox.emit(&mut batch, me, &event)?;
            }
            (false, Some(like)) => {
                batch.delete_version::<LikeDoc>(like);
                batch.update::<PostDoc>(id, Update::new().inc("likes", -1));
                let event = PostUnliked {
                    post_id: id,
                    author_id,
                };
                app.deps.outbox.emit(&mut batch, me, &event)?;
            }
            _ => return Ok(post),
        }
        match app.deps.store.commit(batch).await {
            Err(docstore::Error::Conflict(conflict)) if conflict.kind == ConflictKind::Missing => {
                Err(Refusal::not_found().into())
            }
            other => {
                other?;
                Ok(app.posts().get(id).await?.ok_or_else(Refusal::not_found)?)
            }
        }
    })
    .await
}
