//! Who listens in this process, and what wakes them: one look at their inboxes for all of them, whoever wrote.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use kernel::UserId;
use tokio::sync::watch;

use crate::app::App;

/// Inboxes that are looked at by one command.
const AT_ONCE: usize = 500;
/// The least time between two looks, however much is written.
const BREATH: Duration = Duration::from_millis(25);

/// Who listens in this process: for each person, how much they were told as far as this process knows.
#[derive(Default)]
pub struct Live(Mutex<Listening>);

#[derive(Default)]
struct Listening {
    people: HashMap<UserId, watch::Sender<i64>>,
    is_watched: bool,
}

/// Listens for what somebody is told: the number grows with it.
pub fn listen(app: &App, user: UserId, told: i64) -> watch::Receiver<i64> {
    let mut listening = app.live.0.lock().unwrap_or_else(PoisonError::into_inner);
    let listener = listening
        .people
        .entry(user)
        .or_insert_with(|| watch::Sender::new(told))
        .subscribe();
    if !listening.is_watched {
        listening.is_watched = true;
        tokio::spawn(watch_inboxes(app.clone()));
    }
    listener
}

/// Looks at the inboxes of all who listen, until there is nobody any more.
async fn watch_inboxes(app: App) {
    let mut committed = app.deps.store.committed();
    let pause = Duration::from_millis(app.config.poll_ms.max(1));
    loop {
        // Commits of this process are seen at once, those of others by looking.
        let _ = tokio::time::timeout(pause, committed.changed()).await;
        let people = app.live.people();
        if people.is_empty() {
            return;
        }
        for people in people.chunks(AT_ONCE) {
            match app.inboxes().get_many(people).await {
                Ok(inboxes) => inboxes
                    .iter()
                    .for_each(|inbox| app.live.tell(inbox.id, inbox.told)),
                // Nothing is lost: whoever listens reads on from where they were.
                Err(error) => tracing::debug!(%error, "the inboxes cannot be looked at"),
            }
        }
        tokio::time::sleep(BREATH).await;
    }
}

impl Live {
    /// Who listens; where it is nobody, the watch ends.
    fn people(&self) -> Vec<UserId> {
        let mut listening = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        listening.people.retain(|_, told| told.receiver_count() > 0);
        listening.is_watched = !listening.people.is_empty();
        listening.people.keys().copied().collect()
    }

    fn tell(&self, user: UserId, told: i64) {
        let listening = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = listening.people.get(&user) {
            known.send_if_modified(|known| {
                let is_more = *known < told;
                *known = told.max(*known);
                is_more
            });
        }
    }
}
