//! The figures that a habit shows.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::fold::Fold;

/// The figures of one habit.
///
/// A unit is a due day; for n times in a period it is the period. Closed units count, and open ones once they
/// are done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stats {
    /// All check-ins, also those on days that were not due.
    pub total_check_ins: u32,
    /// Units done in a row up to now.
    pub current_streak: u32,
    /// The most units that were ever done in a row.
    pub longest_streak: u32,
    /// `done_units / counted_units`, 0..=1; 0 when nothing was due.
    pub completion_rate: f64,
    /// The strength of the habit, 0..=1.
    pub score: f64,
    /// Minutes of all check-ins.
    pub total_duration: Amount,
    /// Counts of all check-ins.
    pub total_count: Amount,
    /// When the last check-in was recorded.
    pub last_check_in_at: Option<Timestamp>,
    /// Freezes bought and not spent.
    pub freezes_held: u32,
    /// Units that were done or made up.
    pub done_units: u32,
    /// Units that were asked for and neither skipped, paused nor frozen.
    pub counted_units: u32,
}

/// The figures of a user over all habits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UserTotals {
    /// All check-ins.
    pub total_check_ins: u64,
    /// Units done of units asked for, over all habits, 0..=1.
    pub completion_rate: f64,
    /// Minutes of all check-ins.
    pub total_duration: Amount,
}

impl Stats {
    pub(crate) fn of(fold: &Fold) -> Self {
        Self {
            total_check_ins: fold.check_ins,
            current_streak: fold.run,
            longest_streak: fold.longest,
            completion_rate: rate(fold.done.into(), fold.counted.into()),
            score: fold.score.clamp(0.0, 1.0),
            total_duration: fold.minutes,
            total_count: fold.count,
            last_check_in_at: fold.last_at,
            freezes_held: u32::try_from(fold.freezes.len()).unwrap_or(u32::MAX),
            done_units: fold.done,
            counted_units: fold.counted,
        }
    }
}

impl UserTotals {
    /// The totals of these habits.
    pub fn of<'a>(habits: impl IntoIterator<Item = &'a Stats>) -> Self {
        let mut totals = Self::default();
        let (mut done, mut counted) = (0_u64, 0_u64);
        for stats in habits {
            totals.total_check_ins += u64::from(stats.total_check_ins);
            totals.total_duration = totals.total_duration + stats.total_duration;
            done += u64::from(stats.done_units);
            counted += u64::from(stats.counted_units);
        }
        totals.completion_rate = rate(done, counted);
        totals
    }
}

fn rate(done: u64, counted: u64) -> f64 {
    if counted == 0 {
        0.0
    } else {
        done as f64 / counted as f64
    }
}
