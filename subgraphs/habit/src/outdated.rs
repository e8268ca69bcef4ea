//! What of this domain's answers is out of date after its own events, and after those of others.

use events::{Event, Payload as _};
use subgraph::messages::{HabitChanged, HabitCreated, HabitDeleted, HabitsEdited, UserChanged, UserEdited};
use subgraph::outdated::{Outdated, Outdating};

/// Whether a habit shows whose it is depends on who may see the person.
pub const OUTDATING: Outdating = Outdating {
    kinds: &[
        UserChanged::KIND,
        UserEdited::KIND,
        HabitCreated::KIND,
        HabitChanged::KIND,
        HabitsEdited::KIND,
        HabitDeleted::KIND,
    ],
    after,
};

fn after(event: &Event) -> events::Result<Vec<Outdated>> {
    let ids = match &*event.kind {
        HabitCreated::KIND => vec![event.payload_as::<HabitCreated>()?.habit.id],
        HabitChanged::KIND => vec![event.payload_as::<HabitChanged>()?.habit.id],
        HabitDeleted::KIND => vec![event.payload_as::<HabitDeleted>()?.habit_id],
        HabitsEdited::KIND => event.payload_as::<HabitsEdited>()?.habit_ids,
        _ => return Ok(vec![Outdated::entity("User", event.user)]),
    };
    Ok(ids.into_iter().map(|id| Outdated::entity("Habit", id)).collect())
}
