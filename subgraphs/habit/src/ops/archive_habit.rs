//! Putting a habit away, and taking it out again. While it is away it is never due.

use docstore::Batch;
use jiff::civil::Date;
use kernel::{HabitId, Principal, Result};
use rules::Pause;
use subgraph::messages::HabitChanged;

use crate::app::App;
use crate::store::HabitDoc;

/// Puts a habit of the person who asks away, or takes it out again. Doing it twice changes nothing.
///
/// # Errors
/// `NOT_FOUND`, `FORBIDDEN`.
pub async fn archive_habit(app: &App, principal: &Principal, id: HabitId, archive: bool) -> Result<HabitDoc> {
    let user = app.own(principal, id).await?.user_id;
    let today = app.today(user).await?;
    docstore::retry_stale(async || {
        let mut habit = app.own(principal, id).await?;
        if habit.is_archived == archive {
            return Ok(habit);
        }
        let now = app.deps.clock.now();
        habit.rules.version += 1;
        if archive {
            habit.rules.archives.push(Pause {
                id: app.deps.random.id(now),
                from: today,
                to: None,
            });
        } else {
            take_out(&mut habit.rules.archives, today);
        }
        habit.is_archived = archive;
        habit.updated_at = now.as_millisecond();
        let mut batch = Batch::new();
        app.tell(&mut batch, user, &HabitChanged { habit: habit.known() })?;
        batch.replace(&mut habit);
        app.deps.store.commit(batch).await?;
        Ok(habit)
    })
    .await
}

/// Ends the time in the archive: today counts again.
fn take_out(archives: &mut Vec<Pause>, today: Date) {
    archives.retain(|archive| archive.from < today);
    for archive in archives.iter_mut().filter(|archive| archive.to.is_none()) {
        // A date that something begins before has a day before it.
        archive.to = today.yesterday().ok();
    }
}
