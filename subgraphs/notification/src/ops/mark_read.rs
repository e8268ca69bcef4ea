//! Reading: one notification, or all that there are.

use docstore::{Batch, Filter, Order, Query, Update};
use kernel::{NotificationId, Principal, Result, UserId};
use subgraph::caller;
use subgraph::messages::NotificationsChanged;

use crate::app::App;
use crate::store::{InboxDoc, NotificationDoc};

/// Notifications that are marked by one commit.
const AT_ONCE: usize = 100;

/// Marks a notification of the person who asks as read. Doing it twice changes nothing.
///
/// # Errors
/// `UNAUTHENTICATED`, `NOT_FOUND`.
pub async fn mark_read(app: &App, principal: &Principal, id: NotificationId) -> Result<NotificationDoc> {
    docstore::retry_stale(async || {
        let mut notification = app.own(principal, id).await?;
        if notification.is_read {
            return Ok(notification);
        }
        notification.is_read = true;
        notification.read_at = Some(app.deps.clock.now().as_millisecond());
        let mut batch = Batch::new();
        batch.replace(&mut notification);
        count_read(app, &mut batch, notification.user_id, 1)?;
        app.deps.store.commit(batch).await?;
        Ok(notification)
    })
    .await
}

/// Marks everything as read that the person who asks was told until now; what comes in meanwhile stays unread. Gives how
/// many there were.
///
/// # Errors
/// `UNAUTHENTICATED`.
pub async fn mark_all_read(app: &App, principal: &Principal) -> Result<i64> {
    let user = caller::person(principal)?;
    let Some(newest) = app.inbox(user).await?.map(|inbox| inbox.told) else {
        return Ok(0);
    };
    let mut all = 0;
    loop {
        // What somebody else reads at the same time is not counted twice: the commit fails, and goes on from there.
        let marked = docstore::retry_stale(async || mark_some(app, user, newest).await).await?;
        all += marked as i64;
        if marked < AT_ONCE {
            return Ok(all);
        }
    }
}

async fn mark_some(app: &App, user: UserId, newest: i64) -> Result<usize> {
    let unread = Query::all()
        .eq("userId", user)
        .eq("isRead", false)
        .lte("position", newest)
        .sort("position", Order::Desc)
        .limit(AT_ONCE);
    let mut unread = app.notifications().find(unread).await?;
    if unread.is_empty() {
        return Ok(0);
    }
    let now = app.deps.clock.now().as_millisecond();
    let mut batch = Batch::new();
    for notification in &mut unread {
        notification.is_read = true;
        notification.read_at = Some(now);
        batch.replace(notification);
    }
    count_read(app, &mut batch, user, unread.len())?;
    app.deps.store.commit(batch).await?;
    Ok(unread.len())
}

/// Adds to a batch that fewer notifications are unread. It names no version of the inbox, so that marks do not overtake each
/// other.
///
/// # Errors
/// Where the event cannot be written.
pub fn count_read(app: &App, batch: &mut Batch, user: UserId, read: usize) -> Result<()> {
    let read = read as i64;
    let enough = Filter::Gte("unread".to_owned(), read.into());
    batch.update::<InboxDoc>(user, Update::new().inc("unread", -read).when(enough));
    app.deps.outbox.emit(batch, user, &NotificationsChanged {})?;
    Ok(())
}
