//! What this domain does after its own events.

use async_trait::async_trait;
use docstore::Query;
use events::{Event, Handler, HandlerError, Payload as _};
use kernel::PostId;
use subgraph::messages::PostDeleted;

use crate::app::App;

/// The events after which there is something to do.
pub const KINDS: &[&str] = &[PostDeleted::KIND];

/// Rows of a deleted post that go at once.
const DELETED_AT_ONCE: usize = 500;

/// Deletes what belonged to a deleted post. Nothing is added to it any more, so events may come twice.
pub struct PostsDeleted(pub App);

#[async_trait]
impl Handler for PostsDeleted {
    async fn handle(&self, event: &Event) -> Result<(), HandlerError> {
        let Ok(PostDeleted { post_id, .. }) = event.payload_as::<PostDeleted>() else {
            return Ok(());
        };
        while self.0.likes().delete_where(some_of(post_id)).await? > 0 {}
        while self.0.comments().delete_where(some_of(post_id)).await? > 0 {}
        Ok(())
    }
}

fn some_of(post: PostId) -> Query {
    Query::all().eq("postId", post).limit(DELETED_AT_ONCE)
}
