//! What has been folded so far: runs, counts and the score, one unit after the other.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::book::{Day, Freeze};
use crate::day::DayStatus;

/// The worth of all days up to some date.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Fold {
    /// Units done in a row up to now.
    pub(crate) run: u32,
    pub(crate) longest: u32,
    pub(crate) done: u32,
    /// Units that were asked for and not excused.
    pub(crate) counted: u32,
    pub(crate) score: f64,
    /// What a day without a due date of its own is worth: as much as the last unit. None before the first unit,
    /// and after a skipped or paused one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) worth: Option<f64>,
    pub(crate) check_ins: u32,
    pub(crate) minutes: Amount,
    pub(crate) count: Amount,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "jiff::fmt::serde::timestamp::millisecond::optional"
    )]
    pub(crate) last_at: Option<Timestamp>,
    /// Held, the first bought first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) freezes: Vec<Freeze>,
}

impl Fold {
    /// Adds what was entered on a day, due or not.
    pub(crate) fn add_day(&mut self, day: &Day) {
        let entries = u32::try_from(day.entries.len()).unwrap_or(u32::MAX);
        self.check_ins = self.check_ins.saturating_add(entries);
        self.minutes = self.minutes + day.minutes();
        self.count = self.count + day.count();
        self.last_at = self.last_at.max(day.entries.iter().map(|entry| entry.at).max());
    }

    /// Adds a unit with its status.
    pub(crate) fn add_unit(&mut self, status: DayStatus) {
        if status.is_done() {
            self.run = self.run.saturating_add(1);
            self.longest = self.longest.max(self.run);
            self.done = self.done.saturating_add(1);
        } else if status.is_failed() {
            self.run = 0;
        } else {
            return;
        }
        self.counted = self.counted.saturating_add(1);
    }

    /// One more day of the score: s·m + v·(1−m), where v is what the last unit was worth.
    ///
    /// The formula is that of Loop Habit Tracker (`Score.compute`), with m = 0.5^(√f/13).
    pub(crate) fn add_score(&mut self, multiplier: f64) {
        if let Some(worth) = self.worth {
            self.score = self.score * multiplier + worth * (1.0 - multiplier);
        }
    }
}
