//! Hearing of notifications as they are told.

use std::collections::VecDeque;

use docstore::{Order, Query};
use futures::Stream;
use futures::stream::unfold;
use kernel::{Principal, Result, UserId};
use subgraph::caller;
use tokio::sync::watch;

use crate::app::App;
use crate::live;
use crate::store::NotificationDoc;

/// Notifications that are read at once.
const AT_ONCE: usize = 50;

struct Following {
    app: App,
    user: UserId,
    told: i64,
    more: watch::Receiver<i64>,
    waiting: VecDeque<NotificationDoc>,
}

/// Everything that the person who asks is told from now on, in that order, and before it what is unread, where that is
/// asked for. Who reads slowly hears of what there is then; nothing is kept for them.
///
/// # Errors
/// `UNAUTHENTICATED`.
pub async fn follow(
    app: &App,
    principal: &Principal,
    with_unread: bool,
) -> Result<impl Stream<Item = Result<NotificationDoc>> + use<>> {
    let user = caller::person(principal)?;
    let told = app.inbox(user).await?.map_or(0, |inbox| inbox.told);
    // What is told after this look is found by its number, however late the watch begins.
    let mut more = live::listen(app, user, told);
    more.mark_changed();
    let following = Following {
        app: app.clone(),
        user,
        told: if with_unread { 0 } else { told },
        more,
        waiting: VecDeque::new(),
    };
    Ok(unfold(Some(following), async |following| {
        let mut following = following?;
        match following.next().await {
            Ok(Some(notification)) => Some((Ok(notification), Some(following))),
            Ok(None) => None,
            // The client begins anew, and finds what it missed among what is unread.
            Err(error) => Some((Err(error), None)),
        }
    }))
}

impl Following {
    async fn next(&mut self) -> Result<Option<NotificationDoc>> {
        loop {
            if let Some(notification) = self.waiting.pop_front() {
                self.told = notification.told;
                return Ok(Some(notification));
            }
            if self.more.changed().await.is_err() {
                return Ok(None);
            }
            let unread = Query::all()
                .eq("userId", self.user)
                .eq("isRead", false)
                .gt("told", self.told)
                .sort("told", Order::Asc)
                .limit(AT_ONCE);
            self.waiting = self.app.notifications().find(unread).await?.into();
            if self.waiting.len() == AT_ONCE {
                self.more.mark_changed();
            }
        }
    }
}
