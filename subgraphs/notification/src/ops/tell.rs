//! Telling people something: each cause once, and their inboxes count it in the same step.

use std::time::Duration;

use docstore::{Batch, Query};
use events::{Event, HandlerError};
use kernel::{CommentId, NotificationId, PostId, Result, UserId};
use subgraph::messages::{KnownNotices, NotificationsChanged};
use subgraph::peers;

use crate::NAME;
use crate::app::App;
use crate::store::{InboxDoc, Kind, NotificationDoc};

/// How often telling is tried where others tell the same person something at the same time.
const ATTEMPTS: u32 = 50;
/// How long to wait before it is tried again, times the attempt.
const PAUSE: Duration = Duration::from_millis(2);

/// What is to be told.
#[derive(Debug, Clone, Copy)]
pub struct News {
    /// To whom.
    pub to: UserId,
    /// What it is about.
    pub kind: Kind,
    /// Who did it.
    pub actor: Option<UserId>,
    /// The post that it is about.
    pub post: Option<PostId>,
    /// The comment that it is about.
    pub comment: Option<CommentId>,
}

impl News {
    /// News of somebody's deed.
    pub fn of(to: UserId, kind: Kind, actor: UserId) -> Self {
        Self {
            to,
            kind,
            actor: Some(actor),
            post: None,
            comment: None,
        }
    }

    /// What must not be told again while it is in the inbox: people may follow and unfollow as they like.
    pub fn cause(&self) -> Option<String> {
        let is_repeatable = matches!(
            self.kind,
            Kind::Followed | Kind::FriendRequested | Kind::FriendAccepted
        );
        let actor = self.actor.filter(|_| is_repeatable)?;
        Some(format!("{}:{}:{actor}", self.kind.stored(), self.to))
    }

    /// Whether it was told before and is still in the inbox.
    async fn is_told(&self, app: &App) -> Result<bool> {
        match self.cause() {
            Some(cause) => Ok(app
                .notifications()
                .exists(Query::all().eq("cause", cause))
                .await?),
            None => Ok(false),
        }
    }

    /// Whether it is to be told: never of one's own deeds, and nothing that the person does not want to hear.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE` where the user domain does not answer.
    pub async fn is_wanted(&self, app: &App) -> Result<bool> {
        if self.actor == Some(self.to) {
            return Ok(false);
        }
        let user = peers::user(&app.deps.peers, self.to).await?;
        let wants = |notices: KnownNotices| match self.kind {
            Kind::Welcome => notices.system_notice,
            _ => notices.community_activity,
        };
        Ok(user.is_some_and(|user| wants(user.notices)))
    }
}

/// Tells what an event gives to tell, to everybody concerned or to nobody.
///
/// # Errors
/// Where a store or the user domain does not answer; [`HandlerError::Duplicate`] where it was told before.
pub async fn tell(app: &App, event: &Event, news: &[News]) -> Result<(), HandlerError> {
    let mut wanted = Vec::new();
    for one in news {
        if one.is_wanted(app).await? {
            wanted.push(*one);
        }
    }
    in_turn(app, event, async || {
        let mut batch = Batch::new();
        for news in &wanted {
            let mut inbox = Inbox::open(app, news.to).await?;
            if news.is_told(app).await? {
                continue;
            }
            inbox.add(app, &mut batch, news);
            inbox.close(app, &mut batch)?;
        }
        Ok(batch)
    })
    .await
}

/// Commits what `change` gives, once for the event, and again where an inbox changed in the meantime.
///
/// # Errors
/// As [`tell`].
pub async fn in_turn<F, Fut>(app: &App, event: &Event, change: F) -> Result<(), HandlerError>
where
    F: Fn() -> Fut,
    Fut: Future<Output = Result<Batch>>,
{
    let mut attempt = 0;
    loop {
        let mut batch = Batch::new();
        events::once(&mut batch, NAME, event);
        batch.append(change().await?);
        attempt += 1;
        match app.deps.store.commit(batch).await {
            Err(error @ docstore::Error::Conflict(_))
                if attempt < ATTEMPTS && !events::is_duplicate(&error) =>
            {
                tokio::time::sleep(PAUSE * attempt).await;
            }
            other => return Ok(other?),
        }
    }
}

/// Somebody's inbox, to be changed.
pub struct Inbox {
    doc: InboxDoc,
    is_new: bool,
}

impl Inbox {
    /// Somebody's inbox as it is now.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`.
    pub async fn open(app: &App, user: UserId) -> Result<Self> {
        let found = app.inbox(user).await?;
        let is_new = found.is_none();
        let doc = found.unwrap_or(InboxDoc {
            id: user,
            version: 0,
            unread: 0,
            told: 0,
        });
        Ok(Self { doc, is_new })
    }

    /// The number of the next thing that is told.
    pub fn next(&mut self) -> i64 {
        self.doc.told += 1;
        self.doc.told
    }

    /// Counts one unread notification less.
    pub fn remove_unread(&mut self) {
        self.doc.unread -= 1;
    }

    /// Adds a notification.
    pub fn add(&mut self, app: &App, batch: &mut Batch, news: &News) -> NotificationId {
        let now = app.deps.clock.now();
        let told = self.next();
        self.doc.unread += 1;
        let id = app.deps.random.id(now);
        batch.insert(&NotificationDoc {
            id,
            version: 0,
            user_id: news.to,
            kind: news.kind,
            actor_id: news.actor,
            count: 1,
            post_id: news.post,
            comment_id: news.comment,
            cause: news.cause(),
            position: told,
            told,
            is_read: false,
            created_at: now.as_millisecond(),
            read_at: None,
        });
        id
    }

    /// Adds to the batch what has become of the inbox. Whatever else is told to the person goes before or after.
    ///
    /// # Errors
    /// Where the event cannot be written.
    pub fn close(mut self, app: &App, batch: &mut Batch) -> Result<()> {
        if self.is_new {
            batch.insert(&self.doc);
        } else {
            batch.replace(&mut self.doc);
        }
        app.deps
            .outbox
            .emit(batch, self.doc.id, &NotificationsChanged {})?;
        Ok(())
    }
}
