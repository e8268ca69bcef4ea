//! The rules' answers in GraphQL's words.

use async_graphql::{Enum, ID, Object, SimpleObject};
use kernel::HabitId;
use rules::{DayResult, Reason, Stats};
use subgraph::directives::list_size;
use subgraph::plain::{self, leaf};
use subgraph::plain_fields;
use subgraph::scalars::{Date, DateTime};

use super::types::Habit;

macro_rules! mirrored {
    ($(#[$doc:meta])* $name:ident of $theirs:path { $($(#[$variant_doc:meta])* $variant:ident,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl From<$theirs> for $name {
            fn from(value: $theirs) -> Self {
                match value { $(<$theirs>::$variant => Self::$variant,)* }
            }
        }
    };
}

mirrored! {
    /// What a day is for a habit.
    DayStatus of rules::DayStatus {
        /// Nothing is to be done.
        NotDue,
        /// Something is to be done, and there is time.
        Due,
        /// Done.
        Done,
        /// Begun, and over.
        Partial,
        /// Left out on purpose.
        Skipped,
        /// Within a pause.
        Paused,
        /// Missed, and saved by a freeze.
        Frozen,
        /// Missed, and made up later.
        MadeUp,
        /// Not done, and over.
        Missed,
    }
}

mirrored! {
    /// How a check-in came to its day.
    Provenance of rules::Provenance {
        /// Made on the day itself.
        OnTime,
        /// Entered later, without spending a makeup.
        Late,
        /// Made up later.
        Makeup,
        /// Brought from elsewhere.
        Import,
    }
}

/// What a day is for one habit.
pub struct HabitDay {
    pub(super) habit: HabitId,
    pub(super) result: DayResult,
}

/// What a day is for one habit.
#[Object]
impl HabitDay {
    /// The id of the habit.
    async fn habit_id(&self) -> ID {
        self.habit.to_string().into()
    }

    /// The habit.
    async fn habit(&self) -> Habit {
        Habit::of(self.habit)
    }

    /// The day.
    async fn date(&self) -> Date {
        self.result.date.into()
    }

    /// What the day is.
    async fn status(&self) -> DayStatus {
        self.result.status.into()
    }

    /// How much was done: minutes or things, as the goal of that day counts; check-ins where there was no goal.
    async fn amount(&self) -> f64 {
        self.done()
    }

    /// How much the goal of that day wanted; absent where there was no goal.
    async fn target(&self) -> Option<f64> {
        self.result.target.map(rules::Amount::to_f64)
    }

    /// How many check-ins there were.
    async fn check_in_count(&self) -> i32 {
        int(self.result.check_ins)
    }

    /// The part that is done, 0 to 1.
    async fn completion_rate(&self) -> f64 {
        self.result.fraction
    }

    /// Whether it is done.
    async fn is_completed(&self) -> bool {
        self.result.completed
    }
}

plain_fields!(HabitDay, |day, field| {
    "habitId" => leaf(ID::from(day.habit.to_string())),
    "habit" => plain::object(&Habit::of(day.habit), field),
    "date" => leaf(Date::from(day.result.date)),
    "status" => leaf(DayStatus::from(day.result.status)),
    "amount" => leaf(day.done()),
    "target" => leaf(day.result.target.map(rules::Amount::to_f64)),
    "checkInCount" => leaf(int(day.result.check_ins)),
    "completionRate" => leaf(day.result.fraction),
    "isCompleted" => leaf(day.result.completed),
});

impl HabitDay {
    /// Minutes or things, or else check-ins.
    fn done(&self) -> f64 {
        match self.result.target {
            Some(_) => self.result.amount.to_f64(),
            None => f64::from(self.result.check_ins),
        }
    }

    /// A day's result for a habit.
    pub fn of(habit: HabitId, result: DayResult) -> Self {
        Self { habit, result }
    }
}

/// Why a day is what it is for a habit.
#[derive(SimpleObject)]
pub struct DayExplanation {
    /// What the day is.
    pub(super) day: HabitDay,
    /// What decided it, as a stable code.
    pub(super) reason: String,
    /// The same in words.
    pub(super) text: String,
    /// Which version of the habit's rules was in force, counted from 1; absent before the habit began.
    pub(super) rules_version: Option<i32>,
    /// The check-in, skip, pause or freeze that decided it.
    pub(super) fact_id: Option<ID>,
    /// For a habit that is due a number of times in a week or month: that period.
    pub(super) period: Option<PeriodResult>,
}

/// A week or month of a habit that is due a number of times in it.
#[derive(SimpleObject)]
pub struct PeriodResult {
    /// The first day.
    from: Date,
    /// The last day.
    to: Date,
    /// What the period is.
    status: DayStatus,
    /// How many times it was done.
    done: i32,
    /// How many times it is to be done.
    need: i32,
}

impl From<&rules::UnitResult> for PeriodResult {
    fn from(unit: &rules::UnitResult) -> Self {
        Self {
            from: unit.from.into(),
            to: unit.to.into(),
            status: unit.status.into(),
            done: int(unit.done),
            need: int(unit.need),
        }
    }
}

/// What a change would do.
#[derive(SimpleObject)]
pub struct ChangePreview {
    /// The figures as they are.
    before: PreviewStats,
    /// The figures as they would be.
    after: PreviewStats,
    /// The days that would be something else.
    #[graphql(directive = list_size::apply(31))]
    days: Vec<DayChange>,
}

/// Figures of a habit that a change may touch.
#[derive(SimpleObject)]
pub struct PreviewStats {
    /// Due units in a row up to now.
    current_streak: i32,
    /// Most due units in a row.
    longest_streak: i32,
    /// Done units among those that counted, 0 to 1.
    completion_rate: f64,
    /// Strength of the habit, 0 to 1.
    score: f64,
}

/// A day that a change would make something else.
#[derive(SimpleObject)]
pub struct DayChange {
    /// The day.
    date: Date,
    /// What it is.
    before: DayStatus,
    /// What it would be.
    after: DayStatus,
}

impl From<rules::Change> for ChangePreview {
    fn from(change: rules::Change) -> Self {
        let day = |day: rules::DayChange| DayChange {
            date: day.date.into(),
            before: day.before.into(),
            after: day.after.into(),
        };
        Self {
            before: (&change.before).into(),
            after: (&change.after).into(),
            days: change.days.into_iter().map(day).collect(),
        }
    }
}

impl From<&Stats> for PreviewStats {
    fn from(stats: &Stats) -> Self {
        Self {
            current_streak: int(stats.current_streak),
            longest_streak: int(stats.longest_streak),
            completion_rate: stats.completion_rate,
            score: stats.score,
        }
    }
}

/// Figures of a habit.
#[derive(SimpleObject)]
pub struct HabitStats {
    /// All check-ins.
    total_check_ins: i32,
    /// Due units in a row up to now: days, or weeks or months for a habit that is due a number of times in them.
    current_streak: i32,
    /// Most due units in a row.
    longest_streak: i32,
    /// Done units among those that counted, 0 to 1.
    completion_rate: f64,
    /// Strength of the habit, 0 to 1: recent days weigh more.
    score: f64,
    /// Minutes spent.
    total_duration: f64,
    /// Things counted.
    total_count: f64,
    /// When the last check-in was made.
    last_check_in_at: Option<DateTime>,
    /// Freezes that wait for a missed unit.
    freezes_held: i32,
    /// Makeups that are left in this month.
    makeups_left: i32,
}

plain_fields!(HabitStats, |stats, _field| {
    "totalCheckIns" => leaf(stats.total_check_ins),
    "currentStreak" => leaf(stats.current_streak),
    "longestStreak" => leaf(stats.longest_streak),
    "completionRate" => leaf(stats.completion_rate),
    "score" => leaf(stats.score),
    "totalDuration" => leaf(stats.total_duration),
    "totalCount" => leaf(stats.total_count),
    "lastCheckInAt" => leaf(stats.last_check_in_at.clone()),
    "freezesHeld" => leaf(stats.freezes_held),
    "makeupsLeft" => leaf(stats.makeups_left),
});

impl From<&rules::HabitView> for HabitStats {
    fn from(view: &rules::HabitView) -> Self {
        let stats = &view.stats;
        Self {
            total_check_ins: int(stats.total_check_ins),
            current_streak: int(stats.current_streak),
            longest_streak: int(stats.longest_streak),
            completion_rate: stats.completion_rate,
            score: stats.score,
            total_duration: stats.total_duration.to_f64(),
            total_count: stats.total_count.to_f64(),
            last_check_in_at: stats.last_check_in_at.map(DateTime::from),
            freezes_held: int(stats.freezes_held),
            makeups_left: int(view.makeups_left),
        }
    }
}

/// A count as GraphQL's 32 bits hold it.
pub(super) fn int(count: impl TryInto<i32>) -> i32 {
    count.try_into().unwrap_or(i32::MAX)
}

/// The key of a reason's text.
pub(super) const fn reason_key(reason: Reason) -> &'static str {
    match reason {
        Reason::BeforeStart => "day-before-start",
        Reason::AfterEnd => "day-after-end",
        Reason::NoSuchDate => "day-no-such-date",
        Reason::OffSchedule => "day-off-schedule",
        Reason::PeriodHasOthers => "day-period-has-others",
        Reason::PeriodComplete => "day-period-complete",
        Reason::StillOpen => "day-still-open",
        Reason::Achieved => "day-achieved",
        Reason::AchievedByMakeup => "day-achieved-by-makeup",
        Reason::KeptBelow => "day-kept-below",
        Reason::Exceeded => "day-exceeded",
        Reason::TooLittle => "day-too-little",
        Reason::NothingEntered => "day-nothing-entered",
        Reason::SkipEntered => "day-skip-entered",
        Reason::HabitPaused => "day-habit-paused",
        Reason::AllPaused => "day-all-paused",
        Reason::Archived => "day-archived",
        Reason::FreezeSpent => "day-freeze-spent",
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use kernel::Random;
    use rules::{Amount, DayStatus as Status};
    use subgraph::assert_plain_fields_agree;

    use super::*;

    fn day(target: Option<Amount>) -> HabitDay {
        let result = DayResult {
            date: date(2026, 3, 29),
            status: Status::Partial,
            reason: Reason::TooLittle,
            version: Some(1),
            fact: None,
            check_ins: 2,
            amount: Amount::whole(25),
            target,
            fraction: 0.5,
            completed: false,
            unit: None,
        };
        HabitDay::of(
            Random::seeded(1).id("2026-03-29T06:00:00Z".parse().unwrap()),
            result,
        )
    }

    #[tokio::test]
    async fn days_are_the_same_in_both_ways() {
        assert_plain_fields_agree!(HabitDay, day(Some(Amount::whole(50))), "habit" => "{ __typename id }");
        assert_plain_fields_agree!(HabitDay, day(None), "habit" => "{ id }");
    }

    fn stats() -> HabitStats {
        HabitStats {
            total_check_ins: 1,
            current_streak: 2,
            longest_streak: 3,
            completion_rate: 0.4,
            score: 0.5,
            total_duration: 6.0,
            total_count: 7.0,
            last_check_in_at: Some(DateTime("2026-03-29T06:00:00.000Z".to_owned())),
            freezes_held: 8,
            makeups_left: 9,
        }
    }

    #[tokio::test]
    async fn figures_are_the_same_in_both_ways() {
        assert_plain_fields_agree!(HabitStats, stats());
    }
}
