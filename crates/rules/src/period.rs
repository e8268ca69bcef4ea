//! The days of a period of which a number is asked for.

use jiff::civil::Date;

use crate::day::{DayResult, DayStatus, Measured, Reason, UnitResult};
use crate::fact::FactId;
use crate::habit::RuleVersion;
use crate::walk::{Excuse, result_of};

/// One day of a period.
pub(crate) struct PeriodDay<'a> {
    pub(crate) date: Date,
    pub(crate) version: &'a RuleVersion,
    pub(crate) measured: Measured,
    pub(crate) excuse: Option<Excuse>,
    pub(crate) exists: bool,
}

impl PeriodDay<'_> {
    pub(crate) fn completed(&self) -> bool {
        self.measured.entered_and_achieved()
    }

    /// Whether the day is one of those of which some are asked for.
    pub(crate) fn is_asked(&self) -> bool {
        self.completed() || (self.exists && self.excuse.is_none())
    }
}

/// What a period is worth in which no day is asked for.
pub(crate) fn excused_period(days: &[PeriodDay<'_>]) -> DayStatus {
    let mut excuses = days.iter().filter_map(|day| day.excuse);
    match excuses.find(|(status, ..)| *status == DayStatus::Skipped) {
        Some(_) => DayStatus::Skipped,
        None if days.iter().any(|day| day.excuse.is_some()) => DayStatus::Paused,
        None => DayStatus::NotDue,
    }
}

/// The days of a period: a failed or frozen period shows it on its last day that could have been used.
pub(crate) fn period_results(
    days: &[PeriodDay<'_>],
    unit: UnitResult,
    freeze: Option<FactId>,
    first_open: Date,
) -> Vec<DayResult> {
    let last_chance = days
        .iter()
        .rev()
        .find(|day| day.is_asked() && !day.completed())
        .map(|day| day.date);
    days.iter()
        .map(|day| {
            let verdict = match unit.status {
                DayStatus::Frozen => Some(Reason::FreezeSpent),
                DayStatus::Partial => Some(Reason::TooLittle),
                DayStatus::Missed => Some(Reason::NothingEntered),
                _ => None,
            };
            let (status, reason, fact) = if day.completed() {
                let (status, reason) = day.measured.done_status();
                (status, reason, day.measured.decided_by)
            } else if !day.exists {
                (DayStatus::NotDue, Reason::NoSuchDate, None)
            } else if let Some((status, reason, fact)) = day.excuse {
                (status, reason, Some(fact))
            } else if let Some(reason) = verdict.filter(|_| last_chance == Some(day.date)) {
                (unit.status, reason, freeze)
            } else if unit.status.is_done() {
                (DayStatus::NotDue, Reason::PeriodComplete, None)
            } else if unit.status == DayStatus::Due && day.date >= first_open {
                (DayStatus::Due, Reason::StillOpen, None)
            } else {
                (DayStatus::NotDue, Reason::PeriodHasOthers, None)
            };
            let mut result = result_of(day.date, status, reason, day.version, &day.measured);
            result.fact = fact;
            result.completed = day.completed();
            result.unit = Some(unit);
            result
        })
        .collect()
}
