//! Telling of likes: one unread notification a post, which counts them.

use docstore::Batch;
use events::{Event, HandlerError};
use kernel::{PostId, Result, UserId};

use super::tell::{Inbox, News, in_turn};
use crate::app::App;
use crate::store::{Kind, LikeDoc, NotificationDoc, PostDoc};

/// Tells the author of a post that somebody likes it. A like that was read is not told again, however often it is taken
/// back and given.
///
/// # Errors
/// As [`super::tell::tell`].
pub async fn liked(app: &App, event: &Event, post: PostId, author: UserId) -> Result<(), HandlerError> {
    let news = News {
        post: Some(post),
        ..News::of(author, Kind::PostLiked, event.user)
    };
    if !news.is_wanted(app).await? {
        return Ok(());
    }
    in_turn(app, event, async || count_in(app, &news, post, event.user).await).await
}

/// Takes a like out of what the author has not read yet.
///
/// # Errors
/// As [`super::tell::tell`].
pub async fn unliked(app: &App, event: &Event, post: PostId, author: UserId) -> Result<(), HandlerError> {
    in_turn(app, event, async || {
        count_out(app, post, author, event.user).await
    })
    .await
}

/// The notification that tells of the post's likes, where it is unread.
async fn open(app: &App, post: PostId) -> Result<Option<NotificationDoc>> {
    let Some(post) = app.posts().get(post).await? else {
        return Ok(None);
    };
    let found = app.notifications().get(post.notification_id).await?;
    Ok(found.filter(|notification| !notification.is_read))
}

async fn count_in(app: &App, news: &News, post: PostId, liker: UserId) -> Result<Batch> {
    let mut batch = Batch::new();
    let key = LikeDoc::key(post, liker);
    // The inbox is read first: it has changed where anything below has.
    let mut inbox = Inbox::open(app, news.to).await?;
    if app.likes().get(&key).await?.is_some() {
        return Ok(batch);
    }
    let notification_id = if let Some(mut notification) = open(app, post).await? {
        notification.count += 1;
        notification.actor_id = Some(liker);
        notification.told = inbox.next();
        batch.replace(&mut notification);
        notification.id
    } else {
        let id = inbox.add(app, &mut batch, news);
        batch.put(&PostDoc {
            id: post,
            version: 0,
            notification_id: id,
        });
        id
    };
    batch.insert(&LikeDoc {
        id: key,
        version: 0,
        notification_id,
    });
    inbox.close(app, &mut batch)?;
    Ok(batch)
}

async fn count_out(app: &App, post: PostId, author: UserId, liker: UserId) -> Result<Batch> {
    let mut batch = Batch::new();
    let key = LikeDoc::key(post, liker);
    let mut inbox = Inbox::open(app, author).await?;
    let (like, notification) = (app.likes().get(&key).await?, open(app, post).await?);
    let (Some(like), Some(mut notification)) = (like, notification) else {
        return Ok(batch);
    };
    if like.notification_id != notification.id {
        return Ok(batch);
    }
    batch.delete::<LikeDoc>(key);
    if notification.count > 1 {
        notification.count -= 1;
        batch.replace(&mut notification);
    } else {
        batch.delete_version(&notification);
        inbox.remove_unread();
    }
    inbox.close(app, &mut batch)?;
    Ok(batch)
}
