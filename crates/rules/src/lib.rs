//! The habit domain: facts and rules in, answers out. No I/O, no clock, no async; the same answers for the same
//! input (of a score, the last digit may differ between platforms).
//!
//! - A [`HabitRules`] says when a habit is due and what it asks for, in versions; a [`UserRules`] when its owner's
//!   days begin and end. [`Rules`] is both.
//! - A [`Fact`] is something that happened. One fold over rules and facts gives each day a [`DayStatus`] and each
//!   habit its [`Stats`].
//! - [`evaluate`], [`explain_day`] and [`stats`] fold all facts. [`HabitState`] is the fold of old days with the
//!   facts since: a bounded document that answers the same, and takes one fact after the other. A request is
//!   decided by an `accept_…` method, recorded as a fact, and applied.
//! - [`UserState`] does the same for the streak of a user over all habits.
//!
//! Where the rules leave something open, it is decided here as follows.
//!
//! - *Closing*: days close in order. Nothing is missed, partial or frozen, and no at-most goal kept, before.
//! - *Periods*: for n times in a period the unit is the period, cut where the habit starts or ends, where the week
//!   start changes (with the first new week), and where a version with another kind of period, or none, comes into
//!   force. Of a period that is cut, or partly skipped or paused, a proportional number of days is asked for,
//!   rounded up; a new number within a period counts for its share of days. While it is open and not complete its
//!   open days are `DUE`; when it is complete, or over, a day without check-in is `NOT_DUE`; a failed or frozen period
//!   shows on its last day that was still free.
//! - *Checking in on a day that is not due* is allowed; the check-in counts, the day stays `NOT_DUE`, and the user's
//!   own streak takes it as a completed day.
//! - *At most*: a day without entries keeps the value. Over it, the day is `PARTIAL` up to twice the value, else
//!   `MISSED`.
//! - *Excuses*: what was done beats a skip, a skip beats a pause, a pause beats a freeze. Only days that are not
//!   over can be skipped or paused. The archive counts as a pause.
//! - *Freezes* belong to a habit. The fold spends the first bought on the first unit, from the purchase on, that
//!   would end a streak, be it missed or partial. Making that unit up gives the freeze back.
//! - *Makeups*: the quota counts the made-up dates of the calendar month in which the dates lie, so that no month
//!   of the record ever has more. Undoing the makeup frees it. A date before the habit's start can be made up too.
//! - *Score*: each closed day moves it, an open one once its unit is done. A day that is not due is worth what the
//!   last unit was; skipped and paused days, and those not due after them, hold it still. A frozen unit counts with
//!   what was really done.

mod accept;
mod amount;
mod book;
mod change;
mod checkpoint;
mod civil;
mod day;
mod evaluate;
mod fact;
mod fold;
mod frequency;
mod goal;
mod habit;
mod history;
mod packed;
mod period;
mod policy;
mod schedule;
mod state;
mod stats;
mod time;
mod user_state;
mod walk;

pub use accept::accept_import;
pub use amount::Amount;
pub use change::{Change, DayChange};
pub use civil::{FIRST_DATE, InvalidDate, LAST_DATE, parse_date};
pub use day::{DayResult, DayStatus, Reason, UnitResult};
pub use evaluate::{evaluate, explain_day, preview_update, stats};
pub use fact::{AnyFact, CheckIn, Fact, FactId, Provenance, What, check_in_id, fact_id};
pub use frequency::{Frequency, FrequencyType};
pub use goal::{Goal, GoalDirection, GoalKind};
pub use habit::{HabitRules, Pause, RuleVersion, Rules, UserRules, VERSIONS_MAX, validate, validate_dates};
pub use history::{TimeVersion, Today, ZoneHistory, day_is_closed};
pub use policy::{
    AHEAD_MAX_DAYS, CHECK_INS_A_DAY_MAX, CheckInPolicy, FREEZES_HELD_MAX, NewCheckIn, PAUSES_MAX, Refused,
    Stop,
};
pub use schedule::{Period, Schedule};
pub use state::{HabitState, HabitView, NeedsRebuild, Outlook, WINDOW_DAYS};
pub use stats::{Stats, UserTotals};
pub use time::{UserTime, Zone, ZoneError, day_bounds, logical_date};
pub use user_state::{UserState, UserStreaks};
