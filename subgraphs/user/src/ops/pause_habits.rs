//! Pausing all habits at once: holidays, illness.

use kernel::{Principal, Result, Text};
use rules::Pause;
use subgraph::caller;
use subgraph::input::Checker;
use subgraph::scalars::Date;

use crate::app::App;
use crate::store::UserDoc;

/// Pauses all habits of the person who asks, from today or a later date on, until a date or until they resume.
/// A pause that is open or lies ahead is replaced.
///
/// # Errors
/// `UNAUTHENTICATED`; `BAD_USER_INPUT` for dates that lie back or contradict each other.
pub async fn pause_all(
    app: &App,
    principal: &Principal,
    from: Option<&Date>,
    until: Option<&Date>,
) -> Result<UserDoc> {
    let id = caller::person(principal)?;
    let mut check = Checker::new("from");
    let from = from.and_then(|date| check.date(date));
    check.finish()?;
    let mut check = Checker::new("until");
    let until = until.and_then(|date| check.date(date));
    check.finish()?;
    app.change(id, |user| {
        let now = app.deps.clock.now();
        let today = user.rules.times.today(now).date;
        let from = from.unwrap_or(today);
        if from < today {
            let mut check = Checker::new("from");
            check.issue("PAST_DATE", Text::new("issue-past-date"));
            check.finish()?;
        }
        if until.is_some_and(|until| until < from) {
            let mut check = Checker::new("until");
            check.issue("BEFORE_START", Text::new("issue-before-start"));
            check.finish()?;
        }
        end_pauses(user, from);
        user.rules.pauses.push(Pause {
            id: app.deps.random.id(now),
            from,
            to: until,
        });
        Ok(())
    })
    .await
}

/// Resumes all habits of the person who asks: today counts again. Where nothing is paused, nothing changes.
///
/// # Errors
/// `UNAUTHENTICATED`.
pub async fn resume_all(app: &App, principal: &Principal) -> Result<UserDoc> {
    let id = caller::person(principal)?;
    app.change(id, |user| {
        let today = user.rules.times.today(app.deps.clock.now()).date;
        end_pauses(user, today);
        Ok(())
    })
    .await
}

/// Lets no pause reach `date` or later.
fn end_pauses(user: &mut UserDoc, date: jiff::civil::Date) {
    user.rules.pauses.retain(|pause| pause.from < date);
    for pause in &mut user.rules.pauses {
        if pause.to.is_none_or(|to| to >= date) {
            // A date that something begins before has a day before it.
            pause.to = date.yesterday().ok();
        }
    }
}
