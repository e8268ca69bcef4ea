//! What is stored of check-ins.

use docstore::{CollectionSpec, Document, IndexSpec, Order};
use jiff::Timestamp;
use jiff::civil::Date;
use kernel::{CheckInId, Error, HabitId, Result, UserId};
use rules::{Amount, Fact, FactId, HabitState, Provenance, UserState, What};
use serde::{Deserialize, Serialize};
use subgraph::messages::{KnownHabit, KnownUser, TellCheckIn};
use subgraph::place::Location;

/// A check-in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckInDoc {
    /// The id.
    #[serde(rename = "_id")]
    pub id: CheckInId,
    /// For optimistic concurrency.
    pub version: i64,
    /// Whose it is.
    pub user_id: UserId,
    /// Of which habit.
    pub habit_id: HabitId,
    /// Its logical date, decided once.
    pub date: Date,
    /// When it was made, in milliseconds since 1970.
    pub at: i64,
    /// The zone in which the date was decided.
    pub zone: String,
    /// On time, late, made up, imported.
    pub provenance: Provenance,
    /// What was done, in the rules' words: kept apart from what people wrote, so that both stay exact.
    #[serde(flatten)]
    pub done: Done,
    /// What people wrote about it.
    #[serde(flatten)]
    pub story: Story,
    /// Whether everybody may see it.
    pub is_public: bool,
    /// The part of the day's goal that is reached, 0 to 1, with all check-ins of the day.
    pub completion_rate: f64,
    /// Whether the day's goal is reached.
    pub is_completed: bool,
    /// Milliseconds since 1970.
    pub created_at: i64,
    /// Milliseconds since 1970.
    pub updated_at: i64,
    /// The fact that took it back, and when. Absent while it stands.
    pub undone: Option<Undone>,
    /// True where it was taken back: what lists leave out.
    pub is_undone: bool,
}

/// How much was done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Done {
    /// Things counted.
    pub count: Option<Amount>,
    /// Minutes spent.
    pub minutes: Option<Amount>,
}

/// What people write about a check-in.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Story {
    /// When it began, in milliseconds since 1970.
    pub start: Option<i64>,
    /// When it ended, in milliseconds since 1970.
    pub end: Option<i64>,
    /// 1 to 5.
    pub mood: Option<i32>,
    /// Some words.
    pub note: String,
    /// Addresses of pictures.
    pub images: Vec<String>,
    /// Where.
    pub location: Option<Location>,
    /// Words to find it by.
    pub tags: Vec<String>,
}

/// How a check-in was taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Undone {
    /// The fact.
    pub fact: FactId,
    /// When, in milliseconds since 1970.
    pub at: i64,
}

/// A fact about a habit that is no check-in: a skip, a pause, a freeze, and taking one back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FactDoc {
    /// The id of the fact.
    #[serde(rename = "_id")]
    pub id: FactId,
    /// Facts never change.
    pub version: i64,
    /// Whose habit.
    pub user_id: UserId,
    /// Which habit.
    pub habit_id: HabitId,
    /// The fact.
    pub fact: Fact,
}

/// What this domain knows of a habit: the owner's word, and the state computed from all facts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HabitLog {
    /// The habit.
    #[serde(rename = "_id")]
    pub id: HabitId,
    /// For optimistic concurrency.
    pub version: i64,
    /// Whose it is.
    pub user_id: UserId,
    /// What the habit domain said of it.
    pub known: KnownHabit,
    /// The state.
    pub state: HabitState,
}

/// What this domain knows of a person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UserLog {
    /// The person.
    #[serde(rename = "_id")]
    pub id: UserId,
    /// For optimistic concurrency.
    pub version: i64,
    /// What the user domain said of them.
    pub known: KnownUser,
    /// The revision of their habits that this domain knows.
    pub habits_revision: i64,
    /// Streaks over all habits, as far as they are folded; absent where they must be computed anew.
    pub streaks: Option<UserState>,
}

const USER: (&str, Order) = ("userId", Order::Asc);
const HABIT: (&str, Order) = ("habitId", Order::Asc);

docstore::document!(
    CheckInDoc,
    "check_ins",
    &[
        IndexSpec {
            name: "user_date",
            fields: &[USER, ("date", Order::Desc), ("at", Order::Desc)],
            unique: false
        },
        IndexSpec {
            name: "habit_date",
            fields: &[HABIT, ("date", Order::Desc), ("at", Order::Desc)],
            unique: false
        },
    ]
);
docstore::document!(
    FactDoc,
    "habit_facts",
    &[IndexSpec {
        name: "habit",
        fields: &[HABIT],
        unique: false
    }]
);
docstore::document!(
    HabitLog,
    "habit_logs",
    &[IndexSpec {
        name: "user",
        fields: &[USER],
        unique: false
    }]
);
docstore::document!(UserLog, "check_in_users", &[]);

/// Every collection of this domain.
pub const COLLECTIONS: [CollectionSpec; 4] = [
    CheckInDoc::COLLECTION,
    FactDoc::COLLECTION,
    HabitLog::COLLECTION,
    UserLog::COLLECTION,
];

impl CheckInDoc {
    /// The facts that it stands for: that it was made, and where it was, that it was taken back.
    ///
    /// # Errors
    /// Where a stored instant is out of range, which only a damaged store has.
    pub fn facts(&self) -> Result<impl Iterator<Item = Fact>> {
        let Done { count, minutes } = self.done;
        let check_in = rules::CheckIn {
            date: self.date,
            count,
            minutes,
            provenance: self.provenance,
        };
        let id = rules::fact_id(self.id);
        let made = Fact {
            id,
            at: instant(self.at)?,
            what: What::CheckIn(check_in),
        };
        let undone = match self.undone {
            Some(undone) => Some(Fact {
                id: undone.fact,
                at: instant(undone.at)?,
                what: What::Undo { of: id },
            }),
            None => None,
        };
        Ok([Some(made), undone].into_iter().flatten())
    }

    /// What its events tell.
    ///
    /// # Errors
    /// As [`CheckInDoc::facts`].
    pub fn tell(&self) -> Result<TellCheckIn> {
        Ok(TellCheckIn {
            id: self.id,
            habit_id: self.habit_id,
            date: self.date,
            at: instant(self.at)?,
            provenance: self.provenance,
            is_completed: self.is_completed,
            minutes: self.done.minutes.map(Amount::to_f64),
            count: self.done.count.map(Amount::to_f64),
            mood: self.story.mood,
            is_public: self.is_public,
        })
    }
}

/// A stored instant.
///
/// # Errors
/// Where it is out of range, which only a damaged store has.
pub fn instant(millisecond: i64) -> Result<Timestamp> {
    Timestamp::from_millisecond(millisecond).map_err(Error::internal)
}
