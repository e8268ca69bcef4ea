//! What one day, or one period, is worth, and why.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::book::{Day, Entry};
use crate::fact::{FactId, Provenance};
use crate::goal::{Goal, GoalDirection, GoalKind};

/// What a day is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DayStatus {
    /// Nothing was asked.
    NotDue,
    /// It is asked for, and can still be done.
    Due,
    /// It was done.
    Done,
    /// It was begun, but the goal was not reached.
    Partial,
    /// It was let go on purpose.
    Skipped,
    /// The habit was paused.
    Paused,
    /// A freeze covered it.
    Frozen,
    /// It was done afterwards, against the quota of makeups.
    MadeUp,
    /// It was not done.
    Missed,
}

/// Why a day has its status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Reason {
    /// Before the habit's effective start.
    BeforeStart,
    /// After its end.
    AfterEnd,
    /// The user had no such date: the zone or a change of zone left it out.
    NoSuchDate,
    /// The schedule does not ask for it.
    OffSchedule,
    /// The period had, or still has, enough other days.
    PeriodHasOthers,
    /// The period has all the days it asks for.
    PeriodComplete,
    /// It can still be done.
    StillOpen,
    /// A check-in reached what was asked.
    Achieved,
    /// A makeup reached what was asked.
    AchievedByMakeup,
    /// The at-most value was kept.
    KeptBelow,
    /// The at-most value was exceeded.
    Exceeded,
    /// Something was entered, but too little.
    TooLittle,
    /// Nothing was entered.
    NothingEntered,
    /// A skip was entered.
    SkipEntered,
    /// The habit was paused.
    HabitPaused,
    /// All habits were paused.
    AllPaused,
    /// The habit was in the archive.
    Archived,
    /// A freeze was spent.
    FreezeSpent,
}

/// One day of a habit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DayResult {
    /// The logical date.
    pub date: Date,
    /// What the day is worth.
    pub status: DayStatus,
    /// Why.
    pub reason: Reason,
    /// The number of the version of schedule and goal in force; none before the effective start and after the
    /// end.
    pub version: Option<u32>,
    /// The fact that decided: the check-in that reached the goal, the skip, the pause, the freeze.
    pub fact: Option<FactId>,
    /// The number of check-ins of the day.
    pub check_ins: u32,
    /// What they add up to: in the goal's measure (a duration's in minutes), else in counts.
    pub amount: Amount,
    /// The goal in force, in the same measure.
    pub target: Option<Amount>,
    /// How much of the goal is achieved, 0..=1.
    pub fraction: f64,
    /// Whether the habit was completed on this day, be it due or not.
    pub completed: bool,
    /// For n times in a period: the period.
    pub unit: Option<UnitResult>,
}

/// The period that a day belongs to, which is the unit of the streak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitResult {
    /// Its first day.
    pub from: Date,
    /// Its last day.
    pub to: Date,
    /// What the whole period is worth.
    pub status: DayStatus,
    /// The days completed in it.
    pub done: u32,
    /// The days asked for.
    pub need: u32,
}

/// A day's check-ins measured against the goal in force.
#[derive(Debug, Clone)]
pub(crate) struct Measured {
    pub(crate) check_ins: u32,
    pub(crate) amount: Amount,
    pub(crate) target: Option<Amount>,
    pub(crate) fraction: f64,
    /// Something was entered, and it reaches the goal; or nothing was, and an at-most goal is kept.
    pub(crate) achieved: bool,
    /// Only together with makeups.
    pub(crate) by_makeup: bool,
    pub(crate) decided_by: Option<FactId>,
    at_most: bool,
}

impl DayStatus {
    /// As it stands in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotDue => "NOT_DUE",
            Self::Due => "DUE",
            Self::Done => "DONE",
            Self::Partial => "PARTIAL",
            Self::Skipped => "SKIPPED",
            Self::Paused => "PAUSED",
            Self::Frozen => "FROZEN",
            Self::MadeUp => "MADE_UP",
            Self::Missed => "MISSED",
        }
    }

    /// Whether it lengthens a streak.
    pub const fn is_done(self) -> bool {
        matches!(self, Self::Done | Self::MadeUp)
    }

    /// Whether it ends a streak.
    pub const fn is_failed(self) -> bool {
        matches!(self, Self::Missed | Self::Partial)
    }
}

impl Reason {
    /// As it stands in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BeforeStart => "BEFORE_START",
            Self::AfterEnd => "AFTER_END",
            Self::NoSuchDate => "NO_SUCH_DATE",
            Self::OffSchedule => "OFF_SCHEDULE",
            Self::PeriodHasOthers => "PERIOD_HAS_OTHERS",
            Self::PeriodComplete => "PERIOD_COMPLETE",
            Self::StillOpen => "STILL_OPEN",
            Self::Achieved => "ACHIEVED",
            Self::AchievedByMakeup => "ACHIEVED_BY_MAKEUP",
            Self::KeptBelow => "KEPT_BELOW",
            Self::Exceeded => "EXCEEDED",
            Self::TooLittle => "TOO_LITTLE",
            Self::NothingEntered => "NOTHING_ENTERED",
            Self::SkipEntered => "SKIP_ENTERED",
            Self::HabitPaused => "HABIT_PAUSED",
            Self::AllPaused => "ALL_PAUSED",
            Self::Archived => "ARCHIVED",
            Self::FreezeSpent => "FREEZE_SPENT",
        }
    }
}

impl Measured {
    /// `closed`: an at-most goal is kept only when the day is over.
    pub(crate) fn of(day: Option<&Day>, goal: Option<&Goal>, closed: bool) -> Self {
        let entries = day.map_or(&[][..], |day| &day.entries[..]);
        let check_ins = u32::try_from(entries.len()).unwrap_or(u32::MAX);
        let Some(goal) = goal else {
            let first = entries
                .iter()
                .find(|entry| entry.provenance != Provenance::Makeup)
                .or(entries.first());
            let is_makeup = first.is_some_and(|entry| entry.provenance == Provenance::Makeup);
            return Self {
                check_ins,
                amount: day.map_or(Amount::ZERO, Day::count),
                target: None,
                fraction: if first.is_some() { 1.0 } else { 0.0 },
                achieved: first.is_some(),
                by_makeup: is_makeup,
                decided_by: first.map(|entry| entry.id),
                at_most: false,
            };
        };
        let target = goal.target();
        let amount = entries.iter().map(|entry| amount_of(entry, goal)).sum();
        let mut measured = Self {
            check_ins,
            amount,
            target: Some(target),
            fraction: goal.fraction(amount),
            achieved: false,
            by_makeup: false,
            decided_by: None,
            at_most: goal.direction == GoalDirection::AtMost,
        };
        if measured.at_most {
            measured.achieved = closed && amount <= target;
            measured.decided_by = exceeding(entries, goal).or(entries.last()).map(|entry| entry.id);
        } else if let Some(entry) = reaching(entries, goal) {
            measured.achieved = true;
            measured.by_makeup = entry.provenance == Provenance::Makeup;
            measured.decided_by = Some(entry.id);
        }
        measured
    }

    /// Whether the habit was completed by what was entered on this day.
    pub(crate) fn entered_and_achieved(&self) -> bool {
        self.achieved && self.check_ins > 0
    }

    pub(crate) fn done_status(&self) -> (DayStatus, Reason) {
        match (self.at_most, self.by_makeup) {
            (true, _) => (DayStatus::Done, Reason::KeptBelow),
            (false, true) => (DayStatus::MadeUp, Reason::AchievedByMakeup),
            (false, false) => (DayStatus::Done, Reason::Achieved),
        }
    }

    pub(crate) fn failed_status(&self) -> (DayStatus, Reason) {
        let status = if self.fraction > 0.0 {
            DayStatus::Partial
        } else {
            DayStatus::Missed
        };
        let reason = match (self.at_most, self.check_ins) {
            (true, _) => Reason::Exceeded,
            (false, 0) => Reason::NothingEntered,
            (false, _) => Reason::TooLittle,
        };
        (status, reason)
    }
}

fn amount_of(entry: &Entry, goal: &Goal) -> Amount {
    let entered = match goal.kind {
        GoalKind::Count => entry.count,
        GoalKind::Duration => entry.minutes,
    };
    // The goal may be younger than the entry, which then has no amount in its measure.
    entered.or_else(|| goal.assumed()).unwrap_or_default()
}

/// The entry with which the goal is reached; makeups are added last, so that a day that is done without them is
/// done on time.
fn reaching<'a>(entries: &'a [Entry], goal: &Goal) -> Option<&'a Entry> {
    let is_makeup = |entry: &&Entry| entry.provenance == Provenance::Makeup;
    let others = entries.iter().filter(|entry| !is_makeup(entry));
    let (mut total, target) = (Amount::ZERO, goal.target());
    others.chain(entries.iter().filter(is_makeup)).find(|entry| {
        total = total + amount_of(entry, goal);
        total >= target
    })
}

fn exceeding<'a>(entries: &'a [Entry], goal: &Goal) -> Option<&'a Entry> {
    let mut total = Amount::ZERO;
    entries.iter().find(|entry| {
        total = total + amount_of(entry, goal);
        total > goal.target()
    })
}
