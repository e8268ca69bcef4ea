//! Skips, pauses and freezes: what is said of days beside check-ins.

use docstore::Batch;
use jiff::Timestamp;
use jiff::civil::Date;
use kernel::{HabitId, Principal, Refusal, Result, Text};
use rules::{DayStatus, Fact, HabitState, Rules, Stop, What};
use subgraph::caller;
use subgraph::messages::DaysMarked;

use crate::app::{App, Judged};
use crate::store::FactDoc;

/// Skips a day of a habit: it neither breaks nor lengthens the streak.
///
/// # Errors
/// `NOT_FOUND`; `CONFLICT` with the rules' reasons. So do all functions here.
pub async fn skip(app: &App, principal: &Principal, habit: HabitId, date: Option<Date>) -> Result<Judged> {
    mark(app, principal, habit, |state, rules, now| {
        state.accept_skip(rules, date, now)
    })
    .await
}

/// Takes a skip back.
///
/// # Errors
/// Also `CONFLICT` with `NOT_SKIPPED`.
pub async fn unskip(app: &App, principal: &Principal, habit: HabitId, date: Date) -> Result<Judged> {
    let user = caller::person(principal)?;
    let judged = app.own(user, habit).await?;
    let days = app.days(&judged.log, &judged.owner, date..=date).await?;
    let skip = days
        .first()
        .filter(|day| day.status == DayStatus::Skipped)
        .and_then(|day| day.fact);
    let skip = skip.ok_or_else(|| Refusal::conflict("NOT_SKIPPED", Text::new("not-skipped")))?;
    mark(app, principal, habit, |state, rules, now| {
        state.accept_undo(rules, skip, now)
    })
    .await
}

/// Pauses a habit: paused days are not due.
pub async fn pause(
    app: &App,
    principal: &Principal,
    habit: HabitId,
    from: Option<Date>,
    until: Option<Date>,
) -> Result<Judged> {
    mark(app, principal, habit, |state, rules, now| {
        state.accept_pause(rules, from, until, now)
    })
    .await
}

/// Ends the pause of a habit.
pub async fn resume(app: &App, principal: &Principal, habit: HabitId) -> Result<Judged> {
    mark(app, principal, habit, |state, rules, now| {
        state.accept_resume(rules, now)
    })
    .await
}

/// Adds a freeze to a habit, which is spent by itself on the first missed due unit.
pub async fn add_freeze(app: &App, principal: &Principal, habit: HabitId) -> Result<Judged> {
    mark(app, principal, habit, |state, rules, now| {
        state.accept_freeze(rules, now)
    })
    .await
}

async fn mark(
    app: &App,
    principal: &Principal,
    habit: HabitId,
    accept: impl Fn(&mut HabitState, Rules<'_>, Timestamp) -> Result<What, Stop>,
) -> Result<Judged> {
    let user = caller::person(principal)?;
    docstore::retry_stale(async || {
        let mut judged = app.own(user, habit).await?;
        let now = app.now();
        let what = judged.ask(app, |state, rules| accept(state, rules, now)).await?;
        let fact = Fact {
            id: app.deps.random.id(now),
            at: now,
            what,
        };
        let mut batch = Batch::new();
        judged.apply(app, &mut batch, &fact).await?;
        batch.insert(&FactDoc {
            id: fact.id,
            version: 0,
            user_id: user,
            habit_id: habit,
            fact,
        });
        app.deps
            .outbox
            .emit(&mut batch, user, &DaysMarked { habit_id: habit })?;
        app.deps.store.commit(batch).await?;
        Ok(judged)
    })
    .await
}
