//! Figures of people, from the folded states: their cost does not grow with history.

use std::sync::Arc;

use docstore::Batch;
use kernel::Result;
use rules::{DayResult, UserState, UserStreaks, UserTotals};

use crate::app::{App, Standing};
use crate::store::UserLog;

/// Figures of a person over all habits.
#[derive(Debug, Clone)]
pub struct PersonStats {
    /// How many habits there are, archived ones included.
    pub habits: usize,
    /// How many are neither archived nor ended.
    pub active_habits: usize,
    /// Sums over habits.
    pub totals: UserTotals,
    /// Days on which anything was completed.
    pub streaks: UserStreaks,
}

/// How a person stands. What was folded further than stored is written back where the owner asks often enough to
/// gain from it; losing that race costs nothing.
///
/// # Errors
/// Where the store does not answer.
pub async fn of_person(app: &App, owner: &UserLog, habits: &[Arc<Standing>]) -> Result<PersonStats> {
    let now = app.now();
    let today = owner.known.rules.times.today(now).date;
    let (mut all, mut days) = (Vec::new(), Vec::new());
    for habit in habits {
        let outlook = habit.outlook(app, owner).await?;
        all.push(&outlook.view.stats);
        days.push(outlook.days.as_slice());
    }
    let is_active = |habit: &&Arc<Standing>| {
        let known = &habit.log.known;
        !known.is_archived && known.rules.end.is_none_or(|end| end >= today)
    };
    Ok(PersonStats {
        habits: habits.len(),
        active_habits: habits.iter().filter(is_active).count(),
        totals: UserTotals::of(all),
        streaks: streaks(app, owner, habits, &days).await?,
    })
}

async fn streaks(
    app: &App,
    owner: &UserLog,
    habits: &[Arc<Standing>],
    days: &[&[DayResult]],
) -> Result<UserStreaks> {
    let (rules, now) = (&owner.known.rules, app.now());
    if let Some(state) = &owner.streaks
        && let Ok((streaks, ahead)) = state.view_days(rules, days, now)
    {
        if let Some(ahead) = ahead {
            keep(app, owner, ahead).await?;
        }
        return Ok(streaks);
    }
    let state = rebuilt(app, owner, habits).await?;
    let states: Vec<_> = habits
        .iter()
        .map(|habit| (&habit.log.known.rules, &habit.log.state))
        .collect();
    let streaks = state
        .view(rules, &states, now)
        .map_err(|_| kernel::Error::internal("rebuilt streaks ask to be rebuilt"))?;
    keep(app, owner, state).await?;
    Ok(streaks)
}

async fn rebuilt(app: &App, owner: &UserLog, standing: &[Arc<Standing>]) -> Result<UserState> {
    tracing::debug!(user = %owner.id, "streaks are computed from all facts");
    let mut facts = Vec::with_capacity(standing.len());
    for habit in standing {
        facts.push(app.facts_of(habit.log.id).await?);
    }
    let habits: Vec<_> = standing
        .iter()
        .zip(&facts)
        .map(|(habit, facts)| (&habit.log.known.rules, facts.as_slice()))
        .collect();
    Ok(UserState::rebuild(&owner.known.rules, &habits, app.now()))
}

/// Keeps folded streaks. Somebody who changed the person's record meanwhile knows better.
async fn keep(app: &App, owner: &UserLog, streaks: UserState) -> Result<()> {
    let mut owner = owner.clone();
    owner.streaks = Some(streaks);
    let mut batch = Batch::new();
    batch.replace(&mut owner);
    match app.deps.store.commit(batch).await {
        Ok(()) | Err(docstore::Error::Conflict(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
