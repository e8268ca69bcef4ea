//! What clients send.

use async_graphql::{ID, InputObject, MaybeUndefined};
use jiff::civil::Date as CivilDate;
use kernel::Refusal;
use rules::HabitRules;
use subgraph::habit_rules::{FrequencyInput, GoalInput};
use subgraph::input::Checker;
use subgraph::place::LocationInput;
use subgraph::scalars::{Date, DateTime, Url};

/// A new check-in. Only the habit is required.
#[derive(Debug, InputObject)]
pub struct CreateCheckInInput {
    /// The habit.
    pub habit_id: ID,
    /// The day; by default today. A day before is made up, as far as that is allowed.
    pub date: Option<Date>,
    /// When it began and ended; by default it began now.
    pub time: Option<CheckInTimeInput>,
    /// Minutes spent, up to 1440; by default from `time`.
    pub duration: Option<f64>,
    /// Things counted, up to 1000000.
    pub count: Option<f64>,
    /// How one felt, 1 to 5.
    pub mood: MaybeUndefined<i32>,
    /// Some words, up to 2000 characters.
    pub note: MaybeUndefined<String>,
    /// Addresses of pictures, at most 9.
    pub images: Option<Vec<Url>>,
    /// Where it was.
    pub location: MaybeUndefined<LocationInput>,
    /// Whether everybody may see it; by default nobody else does.
    pub is_public: Option<bool>,
    /// Words to find it by, at most 20 of up to 30 characters.
    pub tags: Option<Vec<String>>,
    /// The same key with the same input gives the first result again, for at least a day.
    pub idempotency_key: Option<String>,
}

/// Changes of a check-in. What is left out stays, `null` clears what may be cleared.
#[derive(Debug, InputObject)]
pub struct UpdateCheckInInput {
    /// When it began and ended.
    pub time: Option<CheckInTimeInput>,
    /// Minutes spent, up to 1440.
    pub duration: MaybeUndefined<f64>,
    /// Things counted, up to 1000000.
    pub count: MaybeUndefined<f64>,
    /// How one felt, 1 to 5.
    pub mood: MaybeUndefined<i32>,
    /// Some words, up to 2000 characters.
    pub note: MaybeUndefined<String>,
    /// Addresses of pictures, at most 9.
    pub images: Option<Vec<Url>>,
    /// Where it was.
    pub location: MaybeUndefined<LocationInput>,
    /// Whether everybody may see it.
    pub is_public: Option<bool>,
    /// Words to find it by, at most 20 of up to 30 characters.
    pub tags: Option<Vec<String>>,
    /// The version that the change was made against; another one is refused with `VERSION_MISMATCH`.
    pub version: Option<i32>,
}

/// When a check-in began and ended.
#[derive(Debug, InputObject)]
pub struct CheckInTimeInput {
    /// The beginning.
    pub start: DateTime,
    /// The end, not before the beginning.
    pub end: Option<DateTime>,
}

/// Which check-ins.
#[derive(Debug, Default, InputObject)]
pub struct CheckInFilter {
    /// Of this habit.
    pub habit_id: Option<ID>,
    /// From this day on.
    pub from: Option<Date>,
    /// Up to this day.
    pub to: Option<Date>,
    /// With this tag.
    pub tag: Option<String>,
    /// The public ones of somebody else; by default the own ones.
    pub user_id: Option<ID>,
}

/// A change of a habit's rules to try out. What is left out stays.
#[derive(Debug, InputObject)]
pub struct PreviewHabitInput {
    /// When it is due, from `effectiveDate` on.
    pub frequency: Option<FrequencyInput>,
    /// What makes a day done, from `effectiveDate` on; `null` for any check-in.
    pub goal: MaybeUndefined<GoalInput>,
    /// From which day on they hold; by default today.
    pub effective_date: Option<Date>,
    /// The first day.
    pub start_date: Option<Date>,
    /// The last day; `null` for none.
    pub end_date: MaybeUndefined<Date>,
}

impl PreviewHabitInput {
    /// The rules with the change.
    ///
    /// # Errors
    /// `BAD_USER_INPUT`.
    pub fn apply(
        &self,
        mut check: Checker,
        before: &HabitRules,
        today: CivilDate,
    ) -> Result<HabitRules, Refusal> {
        let changed = subgraph::habit_rules::RulesChange {
            frequency: self.frequency.as_ref(),
            goal: self.goal.as_opt_ref(),
            effective: self.effective_date.as_ref(),
            start: self.start_date.as_ref(),
            end: self.end_date.as_opt_ref(),
        }
        .apply(&mut check, before, today);
        check.finish()?;
        Ok(changed)
    }
}
