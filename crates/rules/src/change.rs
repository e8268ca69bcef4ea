//! What a fact, or an edit, changes: made for real or tried out.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::book::Book;
use crate::checkpoint::Checkpoint;
use crate::civil::FIRST_DATE;
use crate::day::{DayResult, DayStatus};
use crate::evaluate::run;
use crate::habit::Rules;
use crate::history::Today;
use crate::stats::Stats;

/// The figures before and after, and the days whose status differs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// The first date that can differ.
    pub since: Date,
    /// The figures before.
    pub before: Stats,
    /// The figures after.
    pub after: Stats,
    /// The days, up to today, whose status is another now: what points and badges follow from.
    pub days: Vec<DayChange>,
}

/// A day whose status differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DayChange {
    /// The logical date.
    pub date: Date,
    /// What it was worth.
    pub before: DayStatus,
    /// What it is worth.
    pub after: DayStatus,
}

type Side<'a> = (Rules<'a>, &'a Book, Option<&'a Checkpoint>);

impl Change {
    /// `since` is the first date that can differ, where that is known.
    pub(crate) fn between(old: Side<'_>, new: Side<'_>, since: Option<Date>, now: Timestamp) -> Self {
        let first = |(rules, book, checkpoint): Side<'_>| match checkpoint {
            Some(checkpoint) => checkpoint.date,
            None => book
                .first_entry()
                .map_or(rules.habit.start, |date| date.min(rules.habit.start)),
        };
        let todays = [old, new].map(|(rules, ..)| rules.user.times.today(now));
        let horizon = |today: Today, (_, book, _): Side<'_>| {
            book.last_entry().map_or(today.date, |last| last.max(today.date))
        };
        let from = since
            .unwrap_or_else(|| first(old).min(first(new)))
            .max(FIRST_DATE);
        let to = horizon(todays[0], old).max(horizon(todays[1], new));
        let outcome =
            |today, (rules, book, checkpoint): Side<'_>| run(rules, book, checkpoint, Some(from..=to), today);
        let (before, after) = (outcome(todays[0], old), outcome(todays[1], new));
        let days = differences(&before.days, &after.days);
        Self {
            since: since.unwrap_or_else(|| days.first().map_or(todays[1].date, |day| day.date)),
            before: Stats::of(&before.fold),
            after: Stats::of(&after.fold),
            days,
        }
    }

    /// Nothing changed.
    pub(crate) fn none(since: Date, stats: Stats) -> Self {
        Self {
            since,
            before: stats.clone(),
            after: stats,
            days: Vec::new(),
        }
    }
}

/// Both lists have every date of the same range in order.
fn differences(before: &[DayResult], after: &[DayResult]) -> Vec<DayChange> {
    before
        .iter()
        .zip(after)
        .filter(|(before, after)| before.status != after.status)
        .map(|(before, after)| DayChange {
            date: before.date,
            before: before.status,
            after: after.status,
        })
        .collect()
}
