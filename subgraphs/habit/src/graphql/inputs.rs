//! What clients send.

use async_graphql::{ID, InputObject, MaybeUndefined};
use subgraph::habit_rules::{FrequencyInput, GoalInput};
use subgraph::scalars::{Date, Json, TimeOfDay};

/// A new habit. Only the title is required; with a template, what is not given comes from it.
#[derive(Debug, InputObject)]
pub struct CreateHabitInput {
    /// Name, 1 to 50 characters.
    pub title: String,
    /// More words, up to 500 characters.
    pub description: MaybeUndefined<String>,
    /// Group, up to 30 characters.
    pub category: MaybeUndefined<String>,
    /// An emoji, or the name of a picture.
    pub icon: MaybeUndefined<String>,
    /// Colour as `#RRGGBB`.
    pub color: MaybeUndefined<String>,
    /// When it is due; by default every day.
    pub frequency: Option<FrequencyInput>,
    /// When to be reminded.
    pub reminder: Option<ReminderInput>,
    /// What makes a day done; by default any check-in does.
    pub goal: Option<GoalInput>,
    /// The first day; by default today.
    pub start_date: Option<Date>,
    /// The last day; by default there is none.
    pub end_date: Option<Date>,
    /// Words to find it by, at most 20 of up to 30 characters.
    pub tags: Option<Vec<String>>,
    /// Whether everybody may see it; by default nobody else does.
    pub is_public: Option<bool>,
    /// Own habits that belong to it, at most 20.
    pub linked_habits: Option<Vec<ID>>,
    /// What sets it off, at most 10.
    pub triggers: Option<Vec<TriggerInput>>,
    /// The template to begin with.
    pub template_id: Option<ID>,
    /// The same key with the same input gives the first result again, for at least a day.
    pub idempotency_key: Option<String>,
}

/// Changes of a habit. What is left out stays, `null` clears what may be cleared.
#[derive(Debug, InputObject)]
pub struct UpdateHabitInput {
    /// Name, 1 to 50 characters.
    pub title: MaybeUndefined<String>,
    /// More words, up to 500 characters.
    pub description: MaybeUndefined<String>,
    /// Group, up to 30 characters.
    pub category: MaybeUndefined<String>,
    /// An emoji, or the name of a picture.
    pub icon: MaybeUndefined<String>,
    /// Colour as `#RRGGBB`.
    pub color: MaybeUndefined<String>,
    /// When it is due, from `effectiveDate` on.
    pub frequency: Option<FrequencyInput>,
    /// When to be reminded.
    pub reminder: Option<ReminderInput>,
    /// What makes a day done, from `effectiveDate` on; `null` for any check-in.
    pub goal: MaybeUndefined<GoalInput>,
    /// From which day on the schedule and the goal hold; by default today.
    pub effective_date: Option<Date>,
    /// The first day.
    pub start_date: Option<Date>,
    /// The last day; `null` for none.
    pub end_date: MaybeUndefined<Date>,
    /// Words to find it by, at most 20 of up to 30 characters.
    pub tags: Option<Vec<String>>,
    /// Whether everybody may see it.
    pub is_public: Option<bool>,
    /// Own habits that belong to it, at most 20, without circles.
    pub linked_habits: Option<Vec<ID>>,
    /// What sets it off, at most 10.
    pub triggers: Option<Vec<TriggerInput>>,
    /// The version that the change was made against; another one is refused with `VERSION_MISMATCH`.
    pub version: Option<i32>,
}

/// When to be reminded of a habit.
#[derive(Debug, InputObject)]
pub struct ReminderInput {
    /// Whether to be; by default where times are given.
    pub enabled: Option<bool>,
    /// Times of the wall clock, at most 10, each once.
    pub time: Option<Vec<TimeOfDay>>,
    /// Minutes before those times, 0 to 1440.
    pub advance: Option<i32>,
}

/// What sets a habit off.
#[derive(Debug, InputObject)]
pub struct TriggerInput {
    /// The kind, as the client understands it, up to 30 characters.
    #[graphql(name = "type")]
    pub kind: String,
    /// What must hold, up to 2048 bytes.
    pub condition: Json,
}

/// Which habits.
#[derive(Debug, Default, InputObject)]
pub struct HabitFilter {
    /// Archived ones, or (the default) the others.
    pub is_archived: Option<bool>,
    /// Of this group, 1 to 30 characters.
    pub category: Option<String>,
    /// With this tag, 1 to 30 characters.
    pub tag: Option<String>,
    /// With these words in the title, 1 to 50 characters.
    pub search: Option<String>,
    /// Due on this date by their schedules.
    pub due_on: Option<Date>,
    /// The public ones of somebody else; by default the own ones.
    pub user_id: Option<ID>,
}
