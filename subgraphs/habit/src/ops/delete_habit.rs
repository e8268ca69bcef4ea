//! Deleting a habit. Its check-ins go with it, in their own domain, on the event.

use docstore::{Batch, Query, Update};
use kernel::{HabitId, Principal, Result};
use subgraph::messages::HabitDeleted;

use crate::app::App;
use crate::store::{HabitDoc, OwnerDoc};

/// Deletes a habit of the person who asks, and every link to it.
///
/// # Errors
/// `NOT_FOUND`, `FORBIDDEN`.
pub async fn delete_habit(app: &App, principal: &Principal, id: HabitId) -> Result<()> {
    docstore::retry_stale(async || {
        let habit = app.own(principal, id).await?;
        let mut batch = Batch::new();
        let linking = app
            .habits()
            .find(
                Query::all()
                    .eq("userId", habit.user_id)
                    .contains("linkedHabits", id),
            )
            .await?;
        for mut other in linking {
            other.linked_habits.retain(|link| *link != id);
            batch.replace(&mut other);
        }
        // Exactly one of two concurrent deletions counts the habit out.
        batch.delete_version::<HabitDoc>(&habit);
        batch.update::<OwnerDoc>(habit.user_id, Update::new().inc("habits", -1));
        app.tell(&mut batch, habit.user_id, &HabitDeleted { habit_id: id })?;
        Ok(app.deps.store.commit(batch).await?)
    })
    .await
}
