//! What is stored of notifications.

use docstore::{CollectionSpec, Document, IndexSpec, Order};
use kernel::{CommentId, NotificationId, PostId, UserId};
use serde::{Deserialize, Serialize};

/// The collections of this domain.
pub const COLLECTIONS: [CollectionSpec; 4] = [
    NotificationDoc::COLLECTION,
    InboxDoc::COLLECTION,
    PostDoc::COLLECTION,
    LikeDoc::COLLECTION,
];

/// Something that somebody is told. Its words are made when it is read, in the language of who reads it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NotificationDoc {
    /// The id.
    #[serde(rename = "_id")]
    pub id: NotificationId,
    /// For optimistic concurrency.
    pub version: i64,
    /// Who is told.
    pub user_id: UserId,
    /// What it is about.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// Who did it; the last one where there are several.
    pub actor_id: Option<UserId>,
    /// How many did it.
    pub count: i64,
    /// The post that it is about.
    pub post_id: Option<PostId>,
    /// The comment that it is about.
    pub comment_id: Option<CommentId>,
    /// What must not be told again, however often it is done: a follow, a request, a friendship.
    pub cause: Option<String>,
    /// Where it stands in the inbox: later ones have greater numbers.
    pub position: i64,
    /// The number of the change of the inbox that it was told by last.
    pub told: i64,
    /// Whether it was read.
    pub is_read: bool,
    /// Milliseconds since 1970.
    pub created_at: i64,
    /// Milliseconds since 1970.
    pub read_at: Option<i64>,
}

/// What a notification is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, async_graphql::Enum)]
#[graphql(name = "NotificationType")]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// Somebody is new here.
    Welcome,
    /// People like a post.
    PostLiked,
    /// Somebody commented on a post.
    PostCommented,
    /// Somebody answered a comment.
    CommentAnswered,
    /// Somebody follows the person.
    Followed,
    /// Somebody asks for friendship.
    FriendRequested,
    /// Somebody accepted a request for friendship.
    FriendAccepted,
}

impl Kind {
    /// The kind as it is stored.
    pub fn stored(self) -> &'static str {
        match self {
            Self::Welcome => "welcome",
            Self::PostLiked => "postLiked",
            Self::PostCommented => "postCommented",
            Self::CommentAnswered => "commentAnswered",
            Self::Followed => "followed",
            Self::FriendRequested => "friendRequested",
            Self::FriendAccepted => "friendAccepted",
        }
    }
}

/// What is counted of somebody's notifications. Whatever is told to them replaces it, so that one thing is told at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InboxDoc {
    /// Who.
    #[serde(rename = "_id")]
    pub id: UserId,
    /// For optimistic concurrency.
    pub version: i64,
    /// How many notifications are unread.
    pub unread: i64,
    /// Counts what was told.
    pub told: i64,
}

/// Which notification tells of a post's likes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PostDoc {
    /// The post.
    #[serde(rename = "_id")]
    pub id: PostId,
    /// For optimistic concurrency.
    pub version: i64,
    /// The notification that was made last.
    pub notification_id: NotificationId,
}

/// That a like was told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LikeDoc {
    /// The post and who likes it.
    #[serde(rename = "_id")]
    pub id: String,
    /// For optimistic concurrency.
    pub version: i64,
    /// Which notification counts it.
    pub notification_id: NotificationId,
}

impl LikeDoc {
    /// The id of somebody's like.
    pub fn key(post: PostId, liker: UserId) -> String {
        format!("{post}:{liker}")
    }
}

docstore::document!(
    NotificationDoc,
    "notifications",
    &[
        IndexSpec {
            name: "list",
            fields: &[("userId", Order::Asc), ("position", Order::Desc)],
            unique: false,
        },
        IndexSpec {
            name: "unread",
            fields: &[
                ("userId", Order::Asc),
                ("isRead", Order::Asc),
                ("position", Order::Desc)
            ],
            unique: false,
        },
        IndexSpec {
            name: "told",
            fields: &[("userId", Order::Asc), ("told", Order::Asc)],
            unique: false,
        },
        IndexSpec {
            name: "cause",
            fields: &[("cause", Order::Asc)],
            unique: false,
        },
    ]
);
docstore::document!(InboxDoc, "inboxes", &[]);
docstore::document!(PostDoc, "notification_posts", &[]);
docstore::document!(LikeDoc, "notification_likes", &[]);
