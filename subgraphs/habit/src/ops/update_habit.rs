//! Changing a habit. A new schedule or goal begins on a date and never rewrites the past before it.

use docstore::{Batch, Update};
use jiff::civil::Date;
use kernel::{HabitId, Principal, Refusal, Result};
use subgraph::habit_rules::RulesChange;
use subgraph::input::Checker;
use subgraph::messages::{HabitChanged, HabitsEdited};

use super::{judge, links};
use crate::app::App;
use crate::graphql::inputs::UpdateHabitInput;
use crate::store::{HabitDoc, OwnerDoc};

/// Changes a habit of the person who asks. What is not given stays; `null` clears what may be cleared.
///
/// # Errors
/// `NOT_FOUND`, `FORBIDDEN`, `BAD_USER_INPUT`; `CONFLICT` with `VERSION_MISMATCH`.
pub async fn update_habit(
    app: &App,
    principal: &Principal,
    id: HabitId,
    input: &UpdateHabitInput,
) -> Result<HabitDoc> {
    let user = app.own(principal, id).await?.user_id;
    let today = app.today(user).await?;
    docstore::retry_stale(async || {
        let before = app.own(principal, id).await?;
        App::expect_version(&before, input.version)?;
        let mut habit = changed(&before, input, today)?;
        if habit == before {
            return Ok(habit);
        }
        habit.updated_at = app.deps.clock.now().as_millisecond();
        let mut batch = Batch::new();
        if habit.linked_habits != before.linked_habits {
            judge_links(app, &mut batch, &habit).await?;
        }
        if habit.known() != before.known() {
            app.tell(&mut batch, user, &HabitChanged { habit: habit.known() })?;
        } else {
            let habit_ids = vec![id];
            app.deps
                .outbox
                .emit(&mut batch, user, &HabitsEdited { habit_ids })?;
        }
        batch.replace(&mut habit);
        app.deps.store.commit(batch).await?;
        Ok(habit)
    })
    .await
}

/// Links are judged against all of the owner's habits, so two changes of links must not pass each other: the
/// owner's record, which both change, lets one win.
async fn judge_links(app: &App, batch: &mut Batch, habit: &HabitDoc) -> Result<()> {
    let owner = app
        .owners()
        .get(habit.user_id)
        .await?
        .ok_or_else(Refusal::not_found)?;
    let all = app
        .habits()
        .find(App::of_user(habit.user_id).limit(app.config.max_habits as usize))
        .await?;
    links::judge(habit.id, &habit.linked_habits, &all)?;
    let same = docstore::Filter::Eq("version".into(), owner.version.into());
    batch.update::<OwnerDoc>(owner.id, Update::new().inc("links", 1).when(same));
    Ok(())
}

fn changed(before: &HabitDoc, input: &UpdateHabitInput, today: Date) -> Result<HabitDoc, Refusal> {
    let mut check = Checker::new("input");
    let mut habit = before.clone();
    let face = &mut habit.face;
    set(
        &mut face.title,
        judge::text(&mut check, "title", &input.title, 1, 50),
    );
    set(
        &mut face.description,
        judge::text(&mut check, "description", &input.description, 0, 500),
    );
    set(
        &mut face.category,
        judge::text(&mut check, "category", &input.category, 0, 30),
    );
    set(
        &mut face.icon,
        judge::text(&mut check, "icon", &input.icon, 0, 100),
    );
    set(&mut face.color, judge::color(&mut check, &input.color));
    set(&mut face.tags, judge::tags(&mut check, &input.tags));
    habit.reminder = judge::reminder(&mut check, &input.reminder, &before.reminder);
    set(&mut habit.is_public, input.is_public);
    set(
        &mut habit.linked_habits,
        judge::links(&mut check, &input.linked_habits),
    );
    set(&mut habit.triggers, judge::triggers(&mut check, &input.triggers));
    let change = RulesChange {
        frequency: input.frequency.as_ref(),
        goal: input.goal.as_opt_ref(),
        effective: input.effective_date.as_ref(),
        start: input.start_date.as_ref(),
        end: input.end_date.as_opt_ref(),
    };
    habit.rules = change.apply(&mut check, &before.rules, today);
    check.finish()?;
    Ok(habit)
}

fn set<T>(field: &mut T, change: Option<T>) {
    if let Some(value) = change {
        *field = value;
    }
}
