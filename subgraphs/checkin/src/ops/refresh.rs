//! Keeps what this domain knows of people and habits as new as their owners' word, whatever the events' lag.

use std::collections::HashMap;

use docstore::Batch;
use kernel::{HabitId, Refusal, Result, UserId};
use rules::{HabitState, Rules};
use subgraph::messages::{KnownHabit, KnownUser};
use subgraph::peers;

use crate::app::App;
use crate::store::{HabitLog, UserLog};

/// What is known of a person, as new as what the owners say now: the versions are asked for, and where they
/// differ everything is taken over.
///
/// # Errors
/// `SERVICE_UNAVAILABLE` where an owner does not answer; `NOT_FOUND` where the account is gone.
pub async fn fresh(app: &App, user: UserId) -> Result<UserLog> {
    let (log, version, revision) = tokio::try_join!(
        async { app.users().get(user).await.map_err(kernel::Error::from) },
        peers::user_version(&app.deps.peers, user),
        peers::habits_revision(&app.deps.peers, user),
    )?;
    fresh_as(app, user, log, version, revision).await
}

/// The same for a caller that was told the version of the user's rules by the router.
///
/// # Errors
/// As [`fresh`].
pub async fn fresh_user(app: &App, user: UserId, version: i64) -> Result<UserLog> {
    let (log, revision) = tokio::try_join!(
        async { app.users().get(user).await.map_err(kernel::Error::from) },
        peers::habits_revision(&app.deps.peers, user),
    )?;
    fresh_as(app, user, log, Some(version), revision).await
}

async fn fresh_as(
    app: &App,
    user: UserId,
    log: Option<UserLog>,
    version: Option<i64>,
    revision: Option<i64>,
) -> Result<UserLog> {
    let version = version.ok_or_else(Refusal::not_found)?;
    match log {
        // Newer is fine: the answer of the owner was on its way while an event came.
        Some(log)
            if log.known.rules.version >= version && log.habits_revision >= revision.unwrap_or_default() =>
        {
            Ok(log)
        }
        _ => refresh(app, user).await,
    }
}

/// Takes over all that the owners say of a person and their habits.
///
/// # Errors
/// As [`fresh`].
pub async fn refresh(app: &App, user: UserId) -> Result<UserLog> {
    docstore::retry_stale(async || {
        let (users, logs) = (app.users(), app.logs());
        let of_user = docstore::Query::all().eq("userId", user);
        let (before, logs) = tokio::try_join!(users.get(user), logs.find(of_user))?;
        // The owners are asked last: what is written is at least as new as what was read.
        let (known, habits) = tokio::try_join!(
            peers::user(&app.deps.peers, user),
            peers::habits(&app.deps.peers, user)
        )?;
        let known = known.ok_or_else(Refusal::not_found)?;
        let habits = habits.ok_or_else(Refusal::not_found)?;

        let mut batch = Batch::new();
        let mut logs: HashMap<HabitId, HabitLog> = logs.into_iter().map(|log| (log.id, log)).collect();
        let mut changed = false;
        for habit in habits.habits {
            changed |= take_over(app, &mut batch, logs.remove(&habit.id), habit, &known).await?;
        }
        for gone in logs.values() {
            changed = true;
            batch.delete_version::<HabitLog>(gone);
        }
        let mut log = UserLog {
            id: user,
            version: before.as_ref().map_or(0, |log| log.version),
            known,
            habits_revision: habits.revision,
            streaks: before
                .as_ref()
                .filter(|_| !changed)
                .and_then(|log| log.streaks.clone()),
        };
        match before {
            None => {
                batch.insert(&log);
            }
            Some(before) if before != log => {
                batch.replace(&mut log);
            }
            Some(_) => {}
        }
        app.deps.store.commit(batch).await?;
        Ok(log)
    })
    .await
}

/// Takes over one habit; tells whether anything changed.
async fn take_over(
    app: &App,
    batch: &mut Batch,
    before: Option<HabitLog>,
    known: KnownHabit,
    user: &KnownUser,
) -> Result<bool> {
    let rules = Rules::new(&known.rules, &user.rules);
    let Some(mut log) = before else {
        let facts = app.facts_of(known.id).await?;
        let state = HabitState::rebuild(rules, &facts, app.now());
        let (id, user_id, user_version) = (known.id, known.user_id, user.rules.version);
        batch.insert(&HabitLog {
            id,
            version: 0,
            user_id,
            known,
            user_version,
            state,
        });
        return Ok(true);
    };
    if log.known == known && log.state.fits(rules) {
        return Ok(false);
    }
    if log.state.rules_changed(rules).is_err() {
        let facts = app.facts_of(known.id).await?;
        log.state = HabitState::rebuild(rules, &facts, app.now());
    }
    log.user_version = user.rules.version;
    log.known = known;
    batch.replace(&mut log);
    Ok(true)
}
