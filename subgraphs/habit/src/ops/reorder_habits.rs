//! Putting habits in order.

use async_graphql::ID;
use docstore::Batch;
use kernel::{HabitId, Principal, Refusal, Result, Text};
use subgraph::caller;
use subgraph::input::Checker;
use subgraph::messages::HabitsEdited;

use crate::app::App;
use crate::store::HabitDoc;

/// Puts the named habits of the person who asks first, in that order; the others follow as they stood.
///
/// # Errors
/// `BAD_USER_INPUT` where an id is named twice or is no habit of the person, or there are more than anybody may have.
pub async fn reorder_habits(app: &App, principal: &Principal, ids: &[ID]) -> Result<Vec<HabitDoc>> {
    let user = caller::person(principal)?;
    let max = app.config.max_habits as usize;
    let mut check = Checker::new("ids");
    check.at_most(ids.len(), max);
    check.finish()?;
    docstore::retry_stale(async || {
        let all = app.habits().find(App::of_user(user).limit(max)).await?;
        let ordered = order(ids, all)?;
        let mut batch = Batch::new();
        let mut habits = Vec::with_capacity(ordered.len());
        let mut habit_ids = Vec::new();
        for (position, mut habit) in (0..).zip(ordered) {
            if habit.position != position {
                habit.position = position;
                habit_ids.push(habit.id);
                batch.replace(&mut habit);
            }
            habits.push(habit);
        }
        if !batch.is_empty() {
            app.deps
                .outbox
                .emit(&mut batch, user, &HabitsEdited { habit_ids })?;
            app.deps.store.commit(batch).await?;
        }
        Ok(habits)
    })
    .await
}

fn order(ids: &[ID], mut all: Vec<HabitDoc>) -> Result<Vec<HabitDoc>, Refusal> {
    let mut check = Checker::new("ids");
    let mut ordered: Vec<HabitDoc> = Vec::with_capacity(all.len());
    for (index, id) in ids.iter().enumerate() {
        check.at(index, |check| {
            let Some(id) = check.id(id) else { return };
            let id: HabitId = id;
            match all.iter().position(|habit| habit.id == id) {
                Some(place) => ordered.push(all.remove(place)),
                None if ordered.iter().any(|habit| habit.id == id) => {
                    check.issue("DUPLICATE", Text::new("issue-duplicate"));
                }
                None => check.issue("NOT_FOUND", Text::new("issue-not-found")),
            }
        });
    }
    check.finish()?;
    ordered.extend(all);
    Ok(ordered)
}
