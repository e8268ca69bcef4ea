//! What this domain does with the events of others: it tells the people concerned.

use async_trait::async_trait;
use events::{Event, Handler, HandlerError, Payload as _};
use subgraph::messages::{
    CommentCreated, FriendAccepted, FriendRequested, PostLiked, PostUnliked, UserFollowed, UserRegistered,
};

use crate::app::App;
use crate::ops::tell::{News, tell};
use crate::ops::tell_likes::{liked, unliked};
use crate::store::Kind;

/// The events that there is something to tell of.
pub const KINDS: &[&str] = &[
    UserRegistered::KIND,
    PostLiked::KIND,
    PostUnliked::KIND,
    CommentCreated::KIND,
    UserFollowed::KIND,
    FriendRequested::KIND,
    FriendAccepted::KIND,
];

/// Tells the people concerned. Doubled events are told once.
pub struct Tell(pub App);

#[async_trait]
impl Handler for Tell {
    async fn handle(&self, event: &Event) -> Result<(), HandlerError> {
        let app = &self.0;
        let news = match &*event.kind {
            PostLiked::KIND => {
                let PostLiked { post_id, author_id } = event.payload_as()?;
                return liked(app, event, post_id, author_id).await;
            }
            PostUnliked::KIND => {
                let PostUnliked { post_id, author_id } = event.payload_as()?;
                return unliked(app, event, post_id, author_id).await;
            }
            UserRegistered::KIND => vec![News {
                actor: None,
                ..News::of(event.user, Kind::Welcome, event.user)
            }],
            CommentCreated::KIND => of_comment(event)?,
            UserFollowed::KIND => {
                let followed = event.payload_as::<UserFollowed>()?.followed_id;
                vec![News::of(followed, Kind::Followed, event.user)]
            }
            FriendRequested::KIND => {
                let asked = event.payload_as::<FriendRequested>()?.asked_id;
                vec![News::of(asked, Kind::FriendRequested, event.user)]
            }
            FriendAccepted::KIND => {
                let friend = event.payload_as::<FriendAccepted>()?.friend_id;
                vec![News::of(friend, Kind::FriendAccepted, event.user)]
            }
            _ => Vec::new(),
        };
        tell(app, event, &news).await
    }
}

/// Who wrote the answered comment is told of the answer; the post's author of the comment, unless it is the same person.
fn of_comment(event: &Event) -> Result<Vec<News>, HandlerError> {
    let comment: CommentCreated = event.payload_as()?;
    let told = |to, kind| News {
        post: Some(comment.post_id),
        comment: Some(comment.comment_id),
        ..News::of(to, kind, event.user)
    };
    let answered = comment.answered_id.map(|to| told(to, Kind::CommentAnswered));
    let author = (comment.answered_id != Some(comment.author_id))
        .then(|| told(comment.author_id, Kind::PostCommented));
    Ok(answered.into_iter().chain(author).collect())
}
