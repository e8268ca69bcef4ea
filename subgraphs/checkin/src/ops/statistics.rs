//! Figures of habits and people, from the folded states: their cost does not grow with history.

use docstore::Batch;
use kernel::{Result, UserId};
use rules::{HabitRules, HabitState, HabitView, Rules, Stats, UserState, UserStreaks, UserTotals};

use crate::app::{App, Judged};
use crate::store::{HabitLog, UserLog};

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

/// How a habit stands.
///
/// # Errors
/// Where the store does not answer.
pub async fn of_habit(app: &App, log: &HabitLog, owner: &UserLog) -> Result<HabitView> {
    let (now, policy) = (app.now(), app.config.policy());
    let rules = Rules::new(&log.known.rules, &owner.known.rules);
    if let Ok(view) = log.state.view(rules, &policy, now) {
        return Ok(view);
    }
    let mut judged = Judged {
        log: log.clone(),
        owner: owner.clone(),
    };
    judged
        .ask(app, |state, rules| Ok(state.view(rules, &policy, now)?))
        .await
}

/// How a person stands. What was folded further than stored is written back where the owner asks often enough to
/// gain from it; losing that race costs nothing.
///
/// # Errors
/// Where the store does not answer.
pub async fn of_person(app: &App, owner: &UserLog, logs: &[HabitLog]) -> Result<PersonStats> {
    let now = app.now();
    let today = owner.known.rules.times.today(now).date;
    let mut all = Vec::with_capacity(logs.len());
    for log in logs {
        all.push(stats(app, log, owner).await?);
    }
    let is_active =
        |log: &&HabitLog| !log.known.is_archived && log.known.rules.end.is_none_or(|end| end >= today);
    Ok(PersonStats {
        habits: logs.len(),
        active_habits: logs.iter().filter(is_active).count(),
        totals: UserTotals::of(&all),
        streaks: streaks(app, owner, logs).await?,
    })
}

async fn stats(app: &App, log: &HabitLog, owner: &UserLog) -> Result<Stats> {
    let now = app.now();
    match log
        .state
        .stats(Rules::new(&log.known.rules, &owner.known.rules), now)
    {
        Ok(stats) => Ok(stats),
        Err(_) => {
            let mut judged = Judged {
                log: log.clone(),
                owner: owner.clone(),
            };
            judged.ask(app, |state, rules| Ok(state.stats(rules, now)?)).await
        }
    }
}

async fn streaks(app: &App, owner: &UserLog, logs: &[HabitLog]) -> Result<UserStreaks> {
    let now = app.now();
    let habits: Vec<(&HabitRules, &HabitState)> =
        logs.iter().map(|log| (&log.known.rules, &log.state)).collect();
    if let Some(state) = &owner.streaks
        && let Ok(streaks) = state.view(&owner.known.rules, &habits, now)
    {
        let mut ahead = state.clone();
        if ahead.advance(&owner.known.rules, &habits, now) == Ok(true) {
            keep(app, owner, ahead).await?;
        }
        return Ok(streaks);
    }
    let state = rebuilt(app, owner.id, owner, logs).await?;
    let streaks = state
        .view(&owner.known.rules, &habits, now)
        .map_err(|_| kernel::Error::internal("rebuilt streaks ask to be rebuilt"))?;
    keep(app, owner, state).await?;
    Ok(streaks)
}

async fn rebuilt(app: &App, user: UserId, owner: &UserLog, logs: &[HabitLog]) -> Result<UserState> {
    tracing::debug!(%user, "streaks are computed from all facts");
    let mut facts = Vec::with_capacity(logs.len());
    for log in logs {
        facts.push(app.facts_of(log.id).await?);
    }
    let habits: Vec<_> = logs
        .iter()
        .zip(&facts)
        .map(|(log, facts)| (&log.known.rules, facts.as_slice()))
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
