//! What of this domain's answers is out of date after its own events, and after those of others: check-ins, and what is
//! worked out from them.

use events::{Event, Payload as _};
use kernel::HabitId;
use subgraph::messages::{
    CheckInCreated, CheckInDeleted, CheckInUpdated, DaysMarked, HabitChanged, HabitCreated, HabitDeleted,
    OwnersTakenOver, UserChanged, UserEdited,
};
use subgraph::outdated::{Outdated, Outdating};

/// Figures of a person and their habits follow what they do, and from the rules that others own.
pub const OUTDATING: Outdating = Outdating {
    kinds: &[
        UserChanged::KIND,
        UserEdited::KIND,
        HabitCreated::KIND,
        HabitChanged::KIND,
        HabitDeleted::KIND,
        CheckInCreated::KIND,
        CheckInUpdated::KIND,
        CheckInDeleted::KIND,
        DaysMarked::KIND,
        OwnersTakenOver::KIND,
    ],
    after,
};

/// A check-in decides how far the others of its day reach the goal, so all are named.
const CHECK_INS: Outdated = Outdated::Type("CheckIn");

fn after(event: &Event) -> events::Result<Vec<Outdated>> {
    let user = Outdated::entity("User", event.user);
    let figures = |habit: HabitId| vec![Outdated::entity("Habit", habit), user.clone()];
    let with_check_ins = |habit: HabitId| [figures(habit), vec![CHECK_INS]].concat();
    Ok(match &*event.kind {
        HabitCreated::KIND => figures(event.payload_as::<HabitCreated>()?.habit.id),
        HabitChanged::KIND => figures(event.payload_as::<HabitChanged>()?.habit.id),
        DaysMarked::KIND => figures(event.payload_as::<DaysMarked>()?.habit_id),
        HabitDeleted::KIND => with_check_ins(event.payload_as::<HabitDeleted>()?.habit_id),
        CheckInCreated::KIND => with_check_ins(event.payload_as::<CheckInCreated>()?.check_in.habit_id),
        CheckInUpdated::KIND => with_check_ins(event.payload_as::<CheckInUpdated>()?.check_in.habit_id),
        CheckInDeleted::KIND => with_check_ins(event.payload_as::<CheckInDeleted>()?.check_in.habit_id),
        UserEdited::KIND => vec![user],
        // Days, pauses and privacy reach all habits of the person, which the event does not name.
        _ => vec![Outdated::Type("Habit"), CHECK_INS, user],
    })
}
