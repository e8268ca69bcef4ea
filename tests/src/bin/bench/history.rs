//! People with habits and a history, written straight into the store.

use checkin::seed::{Entry, History, Person};
use habit::seed::{Plan, What};
use jiff::Span;
use jiff::civil::Date;
use kernel::{HabitId, Locale};
use rules::{Amount, Goal, GoalDirection, GoalKind, Provenance, Schedule};
use user::UserDoc;

use crate::Failure;
use crate::stage::{Somebody, Stage};

/// Gives somebody daily habits with `days` days of check-ins up to yesterday, of which each sixth day is missed, and
/// with today's on every fourth habit where they are to be `begun`. Returns the habits.
pub(crate) async fn give(
    stage: &Stage,
    somebody: &Somebody,
    habits: usize,
    days: i64,
    begun: bool,
) -> Result<Vec<HabitId>, Failure> {
    let store = stage.store();
    let user = store
        .collection::<UserDoc>()
        .get(somebody.id)
        .await?
        .ok_or("the account is gone")?;
    let now = stage.clock.now();
    let today = user.rules.times.today(now).date;
    let start = today.saturating_sub(Span::new().days(days));
    let mut documents = Vec::new();
    let mut histories = Vec::new();
    for number in 0..habits {
        let document = habit::seed::document(&plan(stage, somebody, number, start))?;
        let last = if begun && number % 4 == 0 { 0 } else { 1 };
        let dates = (last..=days)
            .rev()
            .filter(|back| (back + number as i64) % 6 != 0 || *back == 0);
        let entries = dates
            .map(|back| entry(stage, today.saturating_sub(Span::new().days(back)), back))
            .collect();
        histories.push(History {
            habit: document.known(),
            entries,
            facts: Vec::new(),
        });
        documents.push(document);
    }
    let mut last = docstore::Batch::new();
    let habits_revision = habit::seed::write(&mut last, somebody.id, &documents);
    let person = Person {
        id: somebody.id,
        known: user.known(),
        habits_revision,
        habits: histories,
    };
    for batch in checkin::seed::write(&person, now)? {
        store.commit(batch).await?;
    }
    store.commit(last).await?;
    Ok(documents.iter().map(|document| document.id).collect())
}

fn plan(stage: &Stage, somebody: &Somebody, number: usize, start: Date) -> Plan {
    let goal = Goal::new(GoalKind::Duration, 20.0, "minutes", GoalDirection::AtLeast);
    Plan {
        id: stage.random.id(stage.clock.now()),
        user: somebody.id,
        what: What::Own {
            title: format!("Habit {number}"),
            category: "benchmark".to_owned(),
            icon: "⏱".to_owned(),
            color: "#4F46E5".to_owned(),
            schedule: Schedule::Daily,
            goal: goal.ok(),
        },
        locale: Locale::En,
        start,
        end: None,
        raised: None,
        archived: None,
        is_public: false,
        linked: Vec::new(),
        created_at: stage.clock.now(),
    }
}

fn entry(stage: &Stage, date: Date, back: i64) -> Entry {
    let now = stage.clock.now();
    let at = now - jiff::SignedDuration::from_hours(24 * back);
    Entry {
        id: stage.random.id(at),
        date,
        at,
        provenance: Provenance::OnTime,
        count: None,
        minutes: Some(Amount::whole(25)),
        mood: Some(4),
        note: "Felt great today.".to_owned(),
        tags: vec!["home".to_owned()],
        place: None,
        is_public: false,
        undone: None,
    }
}
