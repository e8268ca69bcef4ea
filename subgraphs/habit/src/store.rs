//! What is stored of habits.

use docstore::{IndexSpec, Order};
use kernel::{HabitId, TemplateId, UserId};
use rules::HabitRules;
use serde::{Deserialize, Serialize};
use subgraph::messages::KnownHabit;

/// A habit of somebody.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HabitDoc {
    /// The id.
    #[serde(rename = "_id")]
    pub id: HabitId,
    /// For optimistic concurrency.
    pub version: i64,
    /// Whose it is.
    pub user_id: UserId,
    /// What people see of it.
    #[serde(flatten)]
    pub face: Face,
    /// When people are reminded.
    pub reminder: Reminder,
    /// Schedules and goals with their history.
    pub rules: HabitRules,
    /// Whether it is put away.
    pub is_archived: bool,
    /// Whether everybody may see it.
    pub is_public: bool,
    /// Habits of the same person that belong to it.
    pub linked_habits: Vec<HabitId>,
    /// What sets it off.
    pub triggers: Vec<Trigger>,
    /// From which template it was made.
    pub template_id: Option<TemplateId>,
    /// Where it stands in its owner's list.
    pub position: i64,
    /// Milliseconds since 1970.
    pub created_at: i64,
    /// Milliseconds since 1970.
    pub updated_at: i64,
}

/// What people see of a habit or a template.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Face {
    /// Name.
    pub title: String,
    /// More words.
    pub description: String,
    /// Group.
    pub category: String,
    /// An emoji or the name of a picture.
    pub icon: String,
    /// `#RRGGBB`.
    pub color: String,
    /// Words to find it by.
    pub tags: Vec<String>,
}

/// When people are reminded of a habit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reminder {
    /// Whether they are.
    pub enabled: bool,
    /// `HH:MM` of the owner's wall clock.
    pub time: Vec<String>,
    /// Minutes before those times.
    pub advance: i32,
}

/// What sets a habit off.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Trigger {
    /// The kind, as the client understands it.
    #[serde(rename = "type")]
    pub kind: String,
    /// What must hold, as JSON text.
    pub condition: String,
}

/// What is counted of somebody's habits together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OwnerDoc {
    /// Who.
    #[serde(rename = "_id")]
    pub id: UserId,
    /// For optimistic concurrency.
    pub version: i64,
    /// Grows with each change that other domains must learn of.
    pub revision: i64,
    /// How many habits there are.
    pub habits: i64,
}

docstore::document!(
    HabitDoc,
    "habits",
    &[IndexSpec {
        name: "list",
        fields: &[("userId", Order::Asc), ("position", Order::Asc)],
        unique: false,
    }]
);

docstore::document!(OwnerDoc, "habit_owners", &[]);

impl HabitDoc {
    /// What other domains know of it.
    pub fn known(&self) -> KnownHabit {
        KnownHabit {
            id: self.id,
            user_id: self.user_id,
            rules: self.rules.clone(),
            is_public: self.is_public,
            is_archived: self.is_archived,
        }
    }

    /// Whether somebody may see it: its owner, and everybody where it is public.
    pub fn is_visible_to(&self, user: Option<UserId>) -> bool {
        self.is_public || user == Some(self.user_id)
    }
}
