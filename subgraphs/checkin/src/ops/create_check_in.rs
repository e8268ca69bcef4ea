//! Checking in: today, or on a day before that is made up or late.

use docstore::Batch;
use kernel::{CheckInId, HabitId, PathSegment, Principal, Refusal, Result, UserId};
use rules::{Fact, NewCheckIn, What};
use subgraph::caller;
use subgraph::idempotency::Idempotent;
use subgraph::input::Checker;
use subgraph::messages::CheckInCreated;

use super::judge;
use crate::app::{App, Judged};
use crate::graphql::inputs::CreateCheckInInput;
use crate::store::{CheckInDoc, Done, Story};

struct Wanted {
    habit: HabitId,
    new: NewCheckIn,
    story: Story,
    is_public: bool,
}

/// Checks in.
///
/// # Errors
/// `BAD_USER_INPUT`, `NOT_FOUND` for a habit that is not the person's; `CONFLICT` with `ALREADY_CHECKED_IN` and the
/// rules' other reasons, or with `IDEMPOTENCY_MISMATCH`.
pub async fn create_check_in(
    app: &App,
    principal: &Principal,
    input: &CreateCheckInInput,
) -> Result<CheckInDoc> {
    let user = caller::person(principal)?;
    let wanted = judge(input)?;
    let idempotent = Idempotent::new(user, "createCheckIn", input.idempotency_key.as_deref(), input);
    docstore::retry_stale(async || {
        if let Some(idempotent) = &idempotent
            && let Some(id) = idempotent
                .earlier::<kernel::kinds::CheckIn>(&app.deps.store)
                .await?
        {
            let earlier = app
                .check_ins()
                .get(id)
                .await?
                .filter(|check_in| !check_in.is_undone);
            return Ok(earlier.ok_or_else(Refusal::not_found)?);
        }
        let mut judged = app.own(user, wanted.habit).await?;
        let mut batch = Batch::new();
        let check_in = check_in(app, &mut batch, &mut judged, user, &wanted).await?;
        if let Some(idempotent) = &idempotent {
            idempotent.remember(&mut batch, check_in.id, app.now());
        }
        app.deps.store.commit(batch).await?;
        Ok(check_in)
    })
    .await
    .map_err(under_input)
}

async fn check_in(
    app: &App,
    batch: &mut Batch,
    judged: &mut Judged,
    user: UserId,
    wanted: &Wanted,
) -> Result<CheckInDoc> {
    let now = app.now();
    let policy = app.config.policy();
    let accepted = judged
        .ask(app, |state, rules| {
            state.accept_check_in(rules, &policy, &wanted.new, now)
        })
        .await?;
    let id: CheckInId = app.deps.random.id(now);
    let fact = Fact {
        id: rules::fact_id(id),
        at: now,
        what: What::CheckIn(accepted.clone()),
    };
    judged.apply(app, batch, &fact).await?;

    let mut story = wanted.story.clone();
    story.start = story.start.or(Some(now.as_millisecond()));
    let mut check_in = CheckInDoc {
        id,
        version: 0,
        user_id: user,
        habit_id: wanted.habit,
        date: accepted.date,
        at: now.as_millisecond(),
        zone: judged.owner.known.rules.times.at(now).zone().name().to_owned(),
        provenance: accepted.provenance,
        done: Done {
            count: accepted.count,
            minutes: accepted.minutes,
        },
        story,
        is_public: wanted.is_public,
        completion_rate: 0.0,
        is_completed: false,
        created_at: now.as_millisecond(),
        updated_at: now.as_millisecond(),
        undone: None,
        is_undone: false,
    };
    settle_day(app, batch, judged, &mut check_in).await?;
    batch.insert(&check_in);
    app.deps.outbox.emit(
        batch,
        user,
        &CheckInCreated {
            check_in: check_in.tell()?,
        },
    )?;
    Ok(check_in)
}

/// Writes how far the day's goal is reached into a check-in, and into the others of that day.
pub(super) async fn settle_day(
    app: &App,
    batch: &mut Batch,
    judged: &Judged,
    check_in: &mut CheckInDoc,
) -> Result<()> {
    let days = app
        .days(&judged.log, &judged.owner, check_in.date..=check_in.date)
        .await?;
    let Some(day) = days.first() else { return Ok(()) };
    let settle = |one: &mut CheckInDoc| {
        one.completion_rate = day.fraction;
        one.is_completed = day.completed;
    };
    settle(check_in);
    let others = day.check_ins > 1 || (check_in.is_undone && day.check_ins > 0);
    if others {
        let date = check_in.date.to_string();
        let query = crate::app::of_habit(check_in.habit_id)
            .eq("date", date)
            .eq("isUndone", false);
        for mut other in app.check_ins().find(query).await? {
            if other.id != check_in.id {
                settle(&mut other);
                batch.replace(&mut other);
            }
        }
    }
    Ok(())
}

/// The rules name the place from the input on.
fn under_input(error: kernel::Error) -> kernel::Error {
    match error {
        kernel::Error::Refused(mut refusal) => {
            for issue in &mut refusal.issues {
                if issue.path.first() != Some(&PathSegment::from("input")) {
                    issue.path.insert(0, PathSegment::from("input"));
                }
            }
            kernel::Error::Refused(refusal)
        }
        internal => internal,
    }
}

fn judge(input: &CreateCheckInInput) -> Result<Wanted, Refusal> {
    let mut check = Checker::new("input");
    let habit = check.at("habitId", |check| check.id(&input.habit_id));
    let date = check.at("date", |check| {
        input.date.as_ref().and_then(|date| check.date(date))
    });
    let mut story = Story::default();
    let spent = judge::time(&mut check, &mut story, &input.time);
    let minutes = input
        .duration
        .or(spent)
        .and_then(|minutes| judge::minutes(&mut check, minutes));
    let count = input.count.and_then(|count| judge::count(&mut check, count));
    judge::mood(&mut check, &mut story, &input.mood);
    judge::note(&mut check, &mut story, &input.note);
    judge::images(&mut check, &mut story, &input.images);
    judge::location(&mut check, &mut story, &input.location);
    judge::tags(&mut check, &mut story, &input.tags);
    check.idempotency_key(input.idempotency_key.as_deref());
    check.finish()?;
    let habit = habit.ok_or_else(Refusal::not_found)?;
    let is_public = input.is_public.unwrap_or(false);
    Ok(Wanted {
        habit,
        new: NewCheckIn { date, count, minutes },
        story,
        is_public,
    })
}
