//! Keeps what this domain knows of people and habits as new as their owners' word, whatever the events' lag.

use std::collections::HashMap;
use std::sync::Arc;

use docstore::Batch;
use kernel::{HabitId, Refusal, Result, Scope, UserId};
use rules::{HabitState, Rules};
use subgraph::messages::{KnownHabit, KnownUser};
use subgraph::peers;

use crate::app::App;
use crate::store::{HabitLog, UserLog};

/// What is known of a person, as new as what the owners say now, or said in this scope: the versions are asked for,
/// and where they differ everything is taken over.
///
/// # Errors
/// `SERVICE_UNAVAILABLE` where an owner does not answer; `NOT_FOUND` where the account is gone.
pub async fn fresh(app: &App, user: UserId, scope: &Arc<Scope>) -> Result<UserLog> {
    match up_to_date(app, user, scope).await? {
        Some(log) => Ok(log),
        None => refresh(app, user).await,
    }
}

/// What is known of a person, where that is as new as what the owners say.
///
/// # Errors
/// As [`fresh`].
pub async fn up_to_date(app: &App, user: UserId, scope: &Arc<Scope>) -> Result<Option<UserLog>> {
    let (log, version, revision) = tokio::try_join!(
        async { app.users().get(user).await.map_err(kernel::Error::from) },
        peers::user_version(&app.deps.peers, user, scope.clone()),
        peers::habits_revision(&app.deps.peers, user, scope.clone()),
    )?;
    let version = version.ok_or_else(Refusal::not_found)?;
    // Newer is fine: the answer of the owner was on its way while an event came.
    let is_new = |log: &UserLog| {
        log.known.rules.version >= version && log.habits_revision >= revision.unwrap_or_default()
    };
    Ok(log.filter(is_new))
}

/// A person with all their habits, as [`fresh`]. Both are read at once, and again where that was not new enough.
///
/// # Errors
/// As [`fresh`].
pub async fn everything(app: &App, user: UserId, scope: &Arc<Scope>) -> Result<(UserLog, Vec<HabitLog>)> {
    let logs = async || Ok::<_, kernel::Error>(app.logs().find(of_user(user)).await?);
    match tokio::try_join!(up_to_date(app, user, scope), logs())? {
        (Some(owner), logs) => Ok((owner, logs)),
        (None, _) => Ok((refresh(app, user).await?, logs().await?)),
    }
}

/// Takes over all that the owners say of a person and their habits.
///
/// # Errors
/// As [`fresh`].
pub async fn refresh(app: &App, user: UserId) -> Result<UserLog> {
    docstore::retry_stale(async || {
        let (users, logs) = (app.users(), app.logs());
        let (before, logs) = tokio::try_join!(users.get(user), logs.find(of_user(user)))?;
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

fn of_user(user: UserId) -> docstore::Query {
    docstore::Query::all().eq("userId", user)
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
        let (id, user_id) = (known.id, known.user_id);
        batch.insert(&HabitLog {
            id,
            version: 0,
            user_id,
            known,
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
    log.known = known;
    batch.replace(&mut log);
    Ok(true)
}
