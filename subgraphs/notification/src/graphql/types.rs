//! What clients get.

use async_graphql::{ComplexObject, Context, ID, Object, SimpleObject};
use jiff::Timestamp;
use kernel::{Result, Text, UserId};
use subgraph::answer::Answer;
use subgraph::caller::Caller;
use subgraph::directives::{authenticated, kept};
use subgraph::scalars::DateTime;
use subgraph::texts;

use crate::app::App;
use crate::store::{Kind, NotificationDoc};

/// Something that somebody is told.
pub struct Notification(pub NotificationDoc);

/// Something that somebody is told.
#[Object]
impl Notification {
    /// The id.
    async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// What it is about.
    #[graphql(name = "type")]
    async fn kind(&self) -> Kind {
        self.0.kind
    }

    /// The words, in the caller's language.
    async fn text(&self, ctx: &Context<'_>) -> String {
        texts::render(&words(&self.0), ctx.caller().locale)
    }

    /// Who did it, the last one where there are several; nobody where it is from the platform.
    async fn actor(&self) -> Option<User> {
        self.0.actor_id.map(User::of)
    }

    /// How many people did it.
    async fn count(&self) -> i32 {
        self.0.count.try_into().unwrap_or(i32::MAX)
    }

    /// The post that it is about.
    async fn post_id(&self) -> Option<ID> {
        self.0.post_id.map(|id| id.to_string().into())
    }

    /// The comment that it is about.
    async fn comment_id(&self) -> Option<ID> {
        self.0.comment_id.map(|id| id.to_string().into())
    }

    /// Whether it was read.
    async fn is_read(&self) -> bool {
        self.0.is_read
    }

    /// When it was told first.
    async fn created_at(&self) -> DateTime {
        instant(self.0.created_at)
    }

    /// When it was read.
    async fn read_at(&self) -> Option<DateTime> {
        self.0.read_at.map(instant)
    }
}

fn words(notification: &NotificationDoc) -> Text {
    match notification.kind {
        Kind::Welcome => Text::new("notification-welcome"),
        Kind::PostLiked => Text::new("notification-post-liked").with("count", notification.count as f64),
        Kind::PostCommented => Text::new("notification-post-commented"),
        Kind::CommentAnswered => Text::new("notification-comment-answered"),
        Kind::Followed => Text::new("notification-followed"),
        Kind::FriendRequested => Text::new("notification-friend-requested"),
        Kind::FriendAccepted => Text::new("notification-friend-accepted"),
    }
}

/// What the notification domain adds to a person.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct User {
    /// The id.
    id: ID,
    #[graphql(skip)]
    user: UserId,
}

impl User {
    /// A reference to a person.
    pub fn of(user: UserId) -> Self {
        Self {
            id: user.to_string().into(),
            user,
        }
    }
}

/// What the notification domain adds to a person.
#[ComplexObject]
impl User {
    /// How many notifications are unread; only for the person.
    #[graphql(directive = authenticated::apply(), directive = kept::apply(0))]
    async fn unread_notifications(&self, ctx: &Context<'_>) -> Option<i32> {
        let is_own = ctx.caller().user_id() == Some(self.user);
        if !is_own {
            return None;
        }
        ctx.nullable(unread(app(ctx), self.user).await.map(Some))
    }
}

/// How many notifications of somebody are unread.
pub(super) async fn unread(app: &App, user: UserId) -> Result<i32> {
    let unread = app.inbox(user).await?.map_or(0, |inbox| inbox.unread);
    Ok(unread.try_into().unwrap_or(i32::MAX))
}

pub(super) fn app<'a>(ctx: &Context<'a>) -> &'a App {
    ctx.data_unchecked()
}

fn instant(millisecond: i64) -> DateTime {
    Timestamp::from_millisecond(millisecond)
        .unwrap_or_default()
        .into()
}
