//! What clients send.

use async_graphql::{Enum, ID, InputObject};
use subgraph::place::LocationInput;
use subgraph::scalars::Url;
use subgraph::visibility::Visibility;

use crate::store::PostType;

/// A new post: words, pictures or a check-in.
#[derive(Debug, InputObject)]
pub struct CreatePostInput {
    /// What it is; by default what it shows.
    #[graphql(name = "type")]
    pub kind: Option<PostType>,
    /// Some words, up to 2000 characters.
    pub content: Option<String>,
    /// Addresses of pictures, at most 9.
    pub images: Option<Vec<Url>>,
    /// An own habit that it is about.
    pub habit_id: Option<ID>,
    /// An own check-in that it shows, which no other post may show.
    pub check_in_id: Option<ID>,
    /// Where it was.
    pub location: Option<LocationInput>,
    /// Who sees it; by default everybody who is logged in.
    pub visibility: Option<Visibility>,
    /// Words to find it by, at most 20 of up to 30 characters.
    pub tags: Option<Vec<String>>,
    /// The same key with the same input gives the first result again, for at least a day.
    pub idempotency_key: Option<String>,
}

/// A new comment.
#[derive(Debug, InputObject)]
pub struct CreateCommentInput {
    /// The words, 1 to 500 characters.
    pub content: String,
    /// The comment of the same post that it answers.
    pub reply_to: Option<ID>,
    /// The same key with the same input gives the first result again, for at least a day.
    pub idempotency_key: Option<String>,
}

/// Which posts.
#[derive(Debug, Default, InputObject)]
pub struct PostFilter {
    /// From whom, where no `userId` is given; by default everybody.
    pub feed: Option<Feed>,
    /// Of this person.
    pub user_id: Option<ID>,
    /// Of this kind.
    #[graphql(name = "type")]
    pub kind: Option<PostType>,
    /// About this habit.
    pub habit_id: Option<ID>,
    /// With this tag, 1 to 30 characters.
    pub tag: Option<String>,
}

/// From whom posts are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum Feed {
    /// Everybody, the newest first.
    Latest,
    /// Those whom the person follows, the newest first.
    Following,
}
