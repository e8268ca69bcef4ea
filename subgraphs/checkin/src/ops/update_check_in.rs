//! Changing a check-in: how much was done, and what is told of it. Its date stays.

use async_graphql::MaybeUndefined;
use docstore::Batch;
use kernel::{CheckInId, Principal, Refusal, Result, Text};
use rules::{Amount, Fact, HabitState, Rules};
use subgraph::caller;
use subgraph::input::Checker;
use subgraph::messages::CheckInUpdated;

use super::create_check_in::settle_day;
use super::judge;
use crate::app::App;
use crate::graphql::inputs::UpdateCheckInInput;
use crate::store::{CheckInDoc, Done};

/// Changes a check-in of the person who asks. What is not given stays; `null` clears what may be cleared.
///
/// # Errors
/// `NOT_FOUND`, `FORBIDDEN`, `BAD_USER_INPUT`; `CONFLICT` with `VERSION_MISMATCH`.
pub async fn update_check_in(
    app: &App,
    principal: &Principal,
    id: CheckInId,
    input: &UpdateCheckInInput,
) -> Result<CheckInDoc> {
    docstore::retry_stale(async || {
        let before = own(app, principal, id).await?;
        if input
            .version
            .is_some_and(|version| i64::from(version) != before.version)
        {
            return Err(Refusal::conflict("VERSION_MISMATCH", Text::new("version-mismatch")).into());
        }
        let mut check_in = judged(&before, input)?;
        if check_in == before {
            return Ok(check_in);
        }
        let now = app.now();
        check_in.updated_at = now.as_millisecond();
        let mut batch = Batch::new();
        if check_in.done != before.done {
            let mut judged = app.own(before.user_id, before.habit_id).await?;
            let (of, Done { count, minutes }) = (rules::fact_id(id), check_in.done);
            let policy = app.config.policy();
            let accept = |state: &mut HabitState, rules: Rules<'_>| {
                state.accept_amend(rules, &policy, of, count, minutes, now)
            };
            let what = judged.ask(app, accept).await?;
            let fact = Fact {
                id: app.deps.random.id(now),
                at: now,
                what,
            };
            judged.apply(app, &mut batch, &fact).await?;
            settle_day(app, &mut batch, &judged, &mut check_in).await?;
        }
        batch.replace(&mut check_in);
        app.deps.outbox.emit(
            &mut batch,
            check_in.user_id,
            &CheckInUpdated {
                check_in: check_in.tell()?,
            },
        )?;
        app.deps.store.commit(batch).await?;
        Ok(check_in)
    })
    .await
}

/// A check-in of the person who asks.
pub(super) async fn own(app: &App, principal: &Principal, id: CheckInId) -> Result<CheckInDoc> {
    let user = caller::person(principal)?;
    let found = app
        .check_ins()
        .get(id)
        .await?
        .filter(|check_in| !check_in.is_undone)
        .ok_or_else(Refusal::not_found)?;
    if found.user_id == user {
        return Ok(found);
    }
    let is_visible = found.is_public
        && app
            .users()
            .get(found.user_id)
            .await?
            .is_some_and(|log| log.known.is_activity_public);
    Err(if is_visible {
        Refusal::forbidden()
    } else {
        Refusal::not_found()
    }
    .into())
}

fn judged(before: &CheckInDoc, input: &UpdateCheckInInput) -> Result<CheckInDoc, Refusal> {
    let mut check = Checker::new("input");
    let mut check_in = before.clone();
    let story = &mut check_in.story;
    let spent = judge::time(&mut check, story, &input.time);
    judge::mood(&mut check, story, &input.mood);
    judge::note(&mut check, story, &input.note);
    judge::images(&mut check, story, &input.images);
    judge::location(&mut check, story, &input.location);
    judge::tags(&mut check, story, &input.tags);
    let duration = match (&input.duration, spent) {
        (MaybeUndefined::Undefined, Some(spent)) => MaybeUndefined::Value(spent),
        (duration, _) => *duration,
    };
    amount(&mut check_in.done.minutes, duration, |minutes| {
        judge::minutes(&mut check, minutes)
    });
    amount(&mut check_in.done.count, input.count, |count| {
        judge::count(&mut check, count)
    });
    if let Some(is_public) = input.is_public {
        check_in.is_public = is_public;
    }
    check.finish()?;
    Ok(check_in)
}

fn amount(
    field: &mut Option<Amount>,
    change: MaybeUndefined<f64>,
    judge: impl FnOnce(f64) -> Option<Amount>,
) {
    match change {
        MaybeUndefined::Undefined => {}
        MaybeUndefined::Null => *field = None,
        MaybeUndefined::Value(value) => *field = judge(value),
    }
}
