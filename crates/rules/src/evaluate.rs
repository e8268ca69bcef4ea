//! Answers from raw facts, of any age: what the stored state is measured against, and what answers for dates
//! that the state no longer holds. The cost grows with the history.

use std::ops::RangeInclusive;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::book::Book;
use crate::change::Change;
use crate::checkpoint::Checkpoint;
use crate::civil::{LAST_DATE, days_between, next, plus_days};
use crate::day::DayResult;
use crate::fact::Fact;
use crate::fold::Fold;
use crate::habit::Rules;
use crate::history::Today;
use crate::stats::Stats;
use crate::walk::Walk;

/// The days of a range, one for each date of it. The cost also grows with the range, which the caller bounds;
/// nothing is said about dates after [`LAST_DATE`].
pub fn evaluate(
    rules: Rules<'_>,
    facts: &[Fact],
    range: RangeInclusive<Date>,
    now: Timestamp,
) -> Vec<DayResult> {
    let today = rules.user.times.today(now);
    run(rules, &Book::of(facts), None, Some(range), today).days
}

/// One day with its reason.
pub fn explain_day(rules: Rules<'_>, facts: &[Fact], date: Date, now: Timestamp) -> DayResult {
    evaluate(rules, facts, date..=date, now)
        .pop()
        .unwrap_or_else(|| Walk::after_calendar(date))
}

/// The figures of a habit.
pub fn stats(rules: Rules<'_>, facts: &[Fact], now: Timestamp) -> Stats {
    let today = rules.user.times.today(now);
    Stats::of(&run(rules, &Book::of(facts), None, None, today).fold)
}

/// What other rules would change, from all facts: for a change that the stored state cannot judge.
pub fn preview_update(rules: Rules<'_>, new: Rules<'_>, facts: &[Fact], now: Timestamp) -> Change {
    let book = Book::of(facts);
    Change::between((rules, &book, None), (new, &book, None), None, now)
}

/// Days for which room is made beforehand: two months and the one before, whose units may reach into them.
const DAYS: usize = 93;

/// What came out of a walk.
pub(crate) struct Outcome {
    pub(crate) fold: Fold,
    pub(crate) days: Vec<DayResult>,
}

/// Folds everything that counts, and gives the days of a range, which may lie ahead.
pub(crate) fn run(
    rules: Rules<'_>,
    book: &Book,
    checkpoint: Option<&Checkpoint>,
    range: Option<RangeInclusive<Date>>,
    today: Today,
) -> Outcome {
    let Some(range) = range else {
        return Outcome {
            fold: Walk::begin(rules, book, checkpoint, None, today).finish(),
            days: Vec::new(),
        };
    };
    let (first, last) = (*range.start(), (*range.end()).min(LAST_DATE));
    let mut walk = Walk::begin(rules, book, checkpoint, Some(last), today);
    let mut days = Vec::with_capacity(usize::try_from(days_between(first, last)).unwrap_or(0).min(DAYS) + 1);
    let mut date = first;
    while date < walk.start && date <= last {
        days.push(Walk::before_start(date));
        date = next(date);
    }
    // No unit is longer than a month: those before it need no results.
    let near = plus_days(first, -31);
    let step = |walk: &mut Walk<'_>, days: &mut Vec<DayResult>| {
        let touches = walk.next >= near && walk.next <= last;
        walk.step(touches.then_some(days));
    };
    while walk.next <= walk.horizon && !walk.is_over() {
        step(&mut walk, &mut days);
    }
    let fold = if walk.next <= last {
        let fold = walk.clone().finish();
        while walk.next <= last {
            step(&mut walk, &mut days);
        }
        fold
    } else {
        walk.finish()
    };
    days.retain(|day| first <= day.date && day.date <= last);
    Outcome { fold, days }
}
