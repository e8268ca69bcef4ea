//! What a deployment allows, and the refusals that follow from rules and policy.

use jiff::civil::Date;
use kernel::{Issue, PathSegment, Refusal, Text};
use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::fact::FactId;
use crate::state::{NeedsRebuild, WINDOW_DAYS};

/// Freezes of one habit that can be held when another is bought.
pub const FREEZES_HELD_MAX: u32 = 2;
/// Check-ins of one habit on one date.
pub const CHECK_INS_A_DAY_MAX: usize = 100;
/// Pauses of one habit that its state keeps: those of the last months and of the future.
pub const PAUSES_MAX: usize = 100;
/// Days that a skip or a pause may lie ahead.
pub const AHEAD_MAX_DAYS: u16 = 366;

/// How a deployment lets people enter what they forgot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct CheckInPolicy {
    /// How many days back a date can be made up, 0..=62.
    pub makeup_window_days: u16,
    /// How many dates of a calendar month can be made up.
    pub makeup_quota: u16,
    /// Whether late entries inside the window are free: they count as done, and spend no quota.
    pub allow_late: bool,
}

/// A check-in as it is asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct NewCheckIn {
    /// Its date; today when left out.
    pub date: Option<Date>,
    /// How many; one when left out and the goal counts.
    pub count: Option<Amount>,
    /// How long, in minutes; the whole goal when left out and the goal is a duration.
    pub minutes: Option<Amount>,
}

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{}", self.code())]
pub enum Refused {
    /// A habit without a goal is checked in once a day.
    AlreadyCheckedIn {
        /// The check-in of that date.
        existing: FactId,
    },
    /// The day is done, so there is nothing to skip.
    AlreadyDone,
    /// The date is skipped already.
    AlreadySkipped,
    /// There is a pause in those dates already.
    AlreadyPaused,
    /// An at-most duration is not known unless it is said.
    AmountRequired,
    /// The date is outside of the calendar of habits.
    DateOutOfRange,
    /// The day is over: nothing can be excused or raised afterwards.
    DayClosed {
        /// The first date that is not over.
        first_open: Date,
    },
    /// The last date lies before the first.
    EndBeforeStart,
    /// So many freezes are held already.
    FreezeLimit,
    /// A freeze that was spent cannot be taken back.
    FreezeSpent,
    /// The date lies ahead of the logical today.
    FutureDate {
        /// The logical today.
        today: Date,
    },
    /// The habit is in the archive.
    HabitArchived,
    /// The habit was over before that date.
    HabitEnded {
        /// Its last date.
        end: Date,
    },
    /// All makeups of that month are spent.
    MakeupQuotaSpent {
        /// How many there are.
        quota: u16,
    },
    /// The user never had that date: the zone left it out.
    NoSuchDate,
    /// Nothing is asked on that date.
    NotDue,
    /// There is no pause to end.
    NotPaused,
    /// Too long ago to be made up.
    OutsideMakeupWindow {
        /// The first date that can be.
        oldest: Date,
    },
    /// Too far ahead.
    TooFarAhead {
        /// The last date that is not.
        latest: Date,
    },
    /// That date has as many check-ins as a date can have.
    TooManyCheckIns,
    /// There are as many pauses as a habit can have.
    TooManyPauses,
}

/// Why a request is not answered with a fact.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Stop {
    /// The rules say no.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The stored state cannot say.
    #[error(transparent)]
    NeedsRebuild(#[from] NeedsRebuild),
}

impl CheckInPolicy {
    /// What a deployment's configuration gets wrong, in words for its operator.
    ///
    /// # Errors
    /// The window is longer than the stored state reaches back.
    pub fn check(&self) -> Result<(), String> {
        if self.makeup_window_days > WINDOW_DAYS {
            return Err(format!("makeupWindowDays is at most {WINDOW_DAYS}"));
        }
        Ok(())
    }
}

impl Default for CheckInPolicy {
    fn default() -> Self {
        Self {
            makeup_window_days: 7,
            makeup_quota: 3,
            allow_late: false,
        }
    }
}

impl Refused {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::AlreadyCheckedIn { .. } => "ALREADY_CHECKED_IN",
            Self::AlreadyDone => "ALREADY_DONE",
            Self::AlreadySkipped => "ALREADY_SKIPPED",
            Self::AlreadyPaused => "ALREADY_PAUSED",
            Self::AmountRequired => "AMOUNT_REQUIRED",
            Self::DateOutOfRange => "DATE_OUT_OF_RANGE",
            Self::DayClosed { .. } => "DAY_CLOSED",
            Self::EndBeforeStart => "END_BEFORE_START",
            Self::FreezeLimit => "FREEZE_LIMIT",
            Self::FreezeSpent => "FREEZE_SPENT",
            Self::FutureDate { .. } => "FUTURE_DATE",
            Self::HabitArchived => "HABIT_ARCHIVED",
            Self::HabitEnded { .. } => "HABIT_ENDED",
            Self::MakeupQuotaSpent { .. } => "MAKEUP_QUOTA_SPENT",
            Self::NoSuchDate => "NO_SUCH_DATE",
            Self::NotDue => "NOT_DUE",
            Self::NotPaused => "NOT_PAUSED",
            Self::OutsideMakeupWindow { .. } => "OUTSIDE_MAKEUP_WINDOW",
            Self::TooFarAhead { .. } => "TOO_FAR_AHEAD",
            Self::TooManyCheckIns => "TOO_MANY_CHECK_INS",
            Self::TooManyPauses => "TOO_MANY_PAUSES",
        }
    }

    /// What the message says: its key is the code in kebab case.
    pub fn text(&self) -> Text {
        match self {
            Self::AlreadyCheckedIn { .. } => Text::new("already-checked-in"),
            Self::AlreadyDone => Text::new("already-done"),
            Self::AlreadySkipped => Text::new("already-skipped"),
            Self::AlreadyPaused => Text::new("already-paused"),
            Self::AmountRequired => Text::new("amount-required"),
            Self::DateOutOfRange => Text::new("date-out-of-range"),
            Self::DayClosed { first_open } => {
                Text::new("day-closed").with("firstOpen", first_open.to_string())
            }
            Self::EndBeforeStart => Text::new("end-before-start"),
            Self::FreezeLimit => Text::new("freeze-limit").with("max", FREEZES_HELD_MAX),
            Self::FreezeSpent => Text::new("freeze-spent"),
            Self::FutureDate { today } => Text::new("future-date").with("today", today.to_string()),
            Self::HabitArchived => Text::new("habit-archived"),
            Self::HabitEnded { end } => Text::new("habit-ended").with("end", end.to_string()),
            Self::MakeupQuotaSpent { quota } => {
                Text::new("makeup-quota-spent").with("quota", u32::from(*quota))
            }
            Self::NoSuchDate => Text::new("no-such-date"),
            Self::NotDue => Text::new("not-due"),
            Self::NotPaused => Text::new("not-paused"),
            Self::OutsideMakeupWindow { oldest } => {
                Text::new("outside-makeup-window").with("oldest", oldest.to_string())
            }
            Self::TooFarAhead { latest } => Text::new("too-far-ahead").with("latest", latest.to_string()),
            Self::TooManyCheckIns => Text::new("too-many-check-ins").with("max", CHECK_INS_A_DAY_MAX),
            Self::TooManyPauses => Text::new("too-many-pauses").with("max", PAUSES_MAX),
        }
    }

    /// The field of the input that is bad, for refusals that no other state would lift.
    pub const fn field(&self) -> Option<&'static str> {
        match self {
            Self::DateOutOfRange | Self::FutureDate { .. } | Self::NoSuchDate | Self::TooFarAhead { .. } => {
                Some("date")
            }
            Self::EndBeforeStart => Some("to"),
            Self::AmountRequired => Some("duration"),
            _ => None,
        }
    }

    /// The refusal for the caller: bad input with the path of the field after `prefix`, else a conflict.
    pub fn refusal(&self, prefix: &[PathSegment]) -> Refusal {
        let Some(field) = self.field() else {
            return Refusal::conflict(self.code(), self.text());
        };
        let mut path = prefix.to_vec();
        path.push(field.into());
        Refusal::bad_input(vec![Issue {
            path,
            code: self.code(),
            text: self.text(),
        }])
    }
}
