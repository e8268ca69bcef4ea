//! What of this domain's answers is out of date after an event.

use events::{Event, Payload as _};
use subgraph::messages::{
    CommentCreated, CommentDeleted, PostCreated, PostDeleted, PostLiked, PostUnliked, RelationsChanged,
};
use subgraph::outdated::{Outdated, Outdating};

/// Posts follow what is done with them, and who sees them what people are to each other.
pub const OUTDATING: Outdating = Outdating {
    kinds: &[
        PostCreated::KIND,
        PostDeleted::KIND,
        PostLiked::KIND,
        PostUnliked::KIND,
        CommentCreated::KIND,
        CommentDeleted::KIND,
        RelationsChanged::KIND,
    ],
    after,
};

const POSTS: Outdated = Outdated::Type("Post");
const COMMENTS: Outdated = Outdated::Type("Comment");

fn after(event: &Event) -> events::Result<Vec<Outdated>> {
    let author = Outdated::entity("User", event.user);
    // A post stands in lists of its author, its habit and its check-in.
    let lists = || {
        vec![
            POSTS,
            Outdated::Type("Habit"),
            Outdated::Type("CheckIn"),
            author.clone(),
        ]
    };
    Ok(match &*event.kind {
        PostLiked::KIND => vec![Outdated::entity("Post", event.payload_as::<PostLiked>()?.post_id)],
        PostUnliked::KIND => vec![Outdated::entity(
            "Post",
            event.payload_as::<PostUnliked>()?.post_id,
        )],
        CommentCreated::KIND | CommentDeleted::KIND => vec![POSTS, COMMENTS],
        RelationsChanged::KIND => {
            let other = event.payload_as::<RelationsChanged>()?.other_id;
            let mut all = lists();
            all.extend([COMMENTS, Outdated::entity("User", other)]);
            all
        }
        _ => lists(),
    })
}
