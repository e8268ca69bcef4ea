//! What is stored of posts.

use docstore::{CollectionSpec, Document, IndexSpec, Order};
use kernel::{CheckInId, CommentId, HabitId, PostId, UserId};
use serde::{Deserialize, Serialize};
use subgraph::place::Location;
use subgraph::visibility::Visibility;

/// All collections of this domain.
pub const COLLECTIONS: [CollectionSpec; 3] =
    [PostDoc::COLLECTION, LikeDoc::COLLECTION, CommentDoc::COLLECTION];

/// What somebody shares.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PostDoc {
    /// The id.
    #[serde(rename = "_id")]
    pub id: PostId,
    /// For optimistic concurrency.
    pub version: i64,
    /// Who shares it.
    pub user_id: UserId,
    /// The kind.
    #[serde(rename = "type")]
    pub kind: PostType,
    /// Some words.
    pub content: String,
    /// Addresses of pictures.
    pub images: Vec<String>,
    /// An own habit that it is about.
    pub habit_id: Option<HabitId>,
    /// An own check-in that it shows: one post each.
    pub check_in_id: Option<CheckInId>,
    /// Where.
    pub location: Option<Location>,
    /// Who sees it.
    pub visibility: Visibility,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// How many like it: as many as there are likes.
    pub likes: i64,
    /// How many comments there are.
    pub comments: i64,
    /// Milliseconds since 1970.
    pub created_at: i64,
    /// Milliseconds since 1970.
    pub updated_at: i64,
}

/// What a post is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, async_graphql::Enum)]
#[serde(rename_all = "camelCase")]
pub enum PostType {
    /// Words and pictures.
    Normal,
    /// It shows a check-in.
    CheckIn,
    /// It shows something that was reached.
    Achievement,
}

impl PostType {
    /// As it is stored.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::CheckIn => "checkIn",
            Self::Achievement => "achievement",
        }
    }
}

/// That somebody likes a post. Its id is made of both, so that nobody likes twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LikeDoc {
    /// The post and who likes it.
    #[serde(rename = "_id")]
    pub id: String,
    /// For optimistic concurrency.
    pub version: i64,
    /// The post.
    pub post_id: PostId,
    /// Who likes it.
    pub user_id: UserId,
    /// Milliseconds since 1970.
    pub created_at: i64,
}

impl LikeDoc {
    /// The id of a like.
    pub fn id_of(post: PostId, user: UserId) -> String {
        format!("{post}:{user}")
    }
}

/// What somebody says of a post.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CommentDoc {
    /// The id.
    #[serde(rename = "_id")]
    pub id: CommentId,
    /// For optimistic concurrency.
    pub version: i64,
    /// The post.
    pub post_id: PostId,
    /// Who says it.
    pub user_id: UserId,
    /// The words.
    pub content: String,
    /// The comment that it answers.
    pub reply_to: Option<CommentId>,
    /// Milliseconds since 1970.
    pub created_at: i64,
}

docstore::document!(
    PostDoc,
    "posts",
    &[
        IndexSpec {
            name: "author",
            fields: &[("userId", Order::Asc), ("createdAt", Order::Desc)],
            unique: false,
        },
        IndexSpec {
            name: "latest",
            fields: &[("createdAt", Order::Desc)],
            unique: false,
        },
        IndexSpec {
            name: "checkIn",
            fields: &[("checkInId", Order::Asc)],
            unique: true,
        },
    ]
);

docstore::document!(
    LikeDoc,
    "likes",
    &[IndexSpec {
        name: "post",
        fields: &[("postId", Order::Asc), ("createdAt", Order::Desc)],
        unique: false,
    }]
);

docstore::document!(
    CommentDoc,
    "comments",
    &[IndexSpec {
        name: "post",
        fields: &[("postId", Order::Asc), ("createdAt", Order::Asc)],
        unique: false,
    }]
);
