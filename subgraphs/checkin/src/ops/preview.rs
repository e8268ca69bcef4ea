//! Dry runs: what a change of the past or of the rules would do, without doing it.

use jiff::civil::Date;
use kernel::{HabitId, Principal, Refusal, Result, Text};
use rules::{Change, NeedsRebuild, NewCheckIn, Rules};
use subgraph::caller;
use subgraph::input::Checker;

use crate::app::App;
use crate::graphql::inputs::PreviewHabitInput;

/// The years that days are asked for in.
pub const YEARS: std::ops::RangeInclusive<i16> = 1970..=2100;

/// What making up a day would do.
///
/// # Errors
/// `NOT_FOUND`; `CONFLICT` with the rules' reasons, as making it up would.
pub async fn makeup(app: &App, principal: &Principal, habit: HabitId, date: Date) -> Result<Change> {
    let user = caller::person(principal)?;
    let mut judged = app.own(user, habit).await?;
    let (now, policy) = (app.now(), app.config.policy());
    let goal = judged.log.known.rules.in_force(date).goal.clone();
    // As much as the goal of that day wants.
    let (count, minutes) = match goal {
        Some(goal) if goal.kind == rules::GoalKind::Duration => (None, Some(goal.target())),
        Some(goal) => (Some(goal.target()), None),
        None => (None, None),
    };
    let new = NewCheckIn {
        date: Some(date),
        count,
        minutes,
    };
    judged
        .ask(app, |state, rules| {
            state.preview_makeup(rules, &policy, &new, now)
        })
        .await
}

/// What a change of a habit's rules would do.
///
/// # Errors
/// `NOT_FOUND`, `BAD_USER_INPUT`.
pub async fn update(
    app: &App,
    principal: &Principal,
    habit: HabitId,
    input: &PreviewHabitInput,
) -> Result<Change> {
    let user = caller::person(principal)?;
    let judged = app.own(user, habit).await?;
    let now = app.now();
    let today = judged.owner.known.rules.times.today(now).date;
    let changed = input.apply(Checker::new("input"), &judged.log.known.rules, today)?;
    let new = Rules::new(&changed, &judged.owner.known.rules);
    match judged.log.state.preview_update(judged.rules(), new, now) {
        Ok(change) => Ok(change),
        Err(NeedsRebuild) => {
            let facts = app.facts_of(habit).await?;
            Ok(rules::preview_update(judged.rules(), new, &facts, now))
        }
    }
}

/// A date that was sent as an argument of its own.
///
/// # Errors
/// `BAD_USER_INPUT`.
pub fn date(argument: &'static str, date: &subgraph::scalars::Date) -> Result<Date, Refusal> {
    let mut check = Checker::new(argument);
    let judged = check.date(date);
    // Days are walked through one by one: nobody means one so far off.
    if judged.is_some_and(|date| !YEARS.contains(&date.year())) {
        let (min, max) = (i32::from(*YEARS.start()), i32::from(*YEARS.end()));
        check.issue(
            "OUT_OF_RANGE",
            Text::new("issue-out-of-range").with("min", min).with("max", max),
        );
    }
    check.finish()?;
    judged.ok_or_else(Refusal::not_found)
}
