//! Check-ins in bulk, for demonstrations and benchmarks: what people did, from plain values into documents with
//! every figure computed, so that nothing has to be computed anew when they are first read. No events are told.

use std::collections::HashMap;

use docstore::{Batch, CollectionSpec};
use jiff::Timestamp;
use jiff::civil::Date;
use kernel::{CheckInId, Result, UserId};
use rules::{Amount, DayResult, Fact, FactId, HabitRules, HabitState, Provenance, Rules, UserState};
use subgraph::messages::{KnownHabit, KnownUser};
use subgraph::place::Location;

use crate::store::{Done, Story, Undone};

pub use crate::store::{COLLECTIONS as ALL, CheckInDoc, FactDoc, HabitLog, UserLog};

/// The collections that [`write`] writes to.
pub const COLLECTIONS: [CollectionSpec; 4] = ALL;

/// Documents of one batch at the most: what a store takes at once without making others wait for long.
const BATCH: usize = 500;

/// A check-in as it is to be.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The id.
    pub id: CheckInId,
    /// Its logical date.
    pub date: Date,
    /// When it was made.
    pub at: Timestamp,
    /// On time, late, made up, imported.
    pub provenance: Provenance,
    /// Things counted.
    pub count: Option<Amount>,
    /// Minutes spent.
    pub minutes: Option<Amount>,
    /// 1 to 5.
    pub mood: Option<i32>,
    /// Some words; empty for none.
    pub note: String,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// Degrees of longitude and latitude, and what people call the place.
    pub place: Option<(f64, f64, String)>,
    /// Whether everybody may see it.
    pub is_public: bool,
    /// The fact that took it back, and when.
    pub undone: Option<(FactId, Timestamp)>,
}

/// All that happened to a habit.
#[derive(Debug, Clone)]
pub struct History {
    /// The habit, as its domain tells of it.
    pub habit: KnownHabit,
    /// Check-ins, in any order.
    pub entries: Vec<Entry>,
    /// Skips, pauses and freezes.
    pub facts: Vec<Fact>,
}

/// A person with all that happened to their habits.
#[derive(Debug, Clone)]
pub struct Person {
    /// Who.
    pub id: UserId,
    /// What the user domain tells of them.
    pub known: KnownUser,
    /// The revision of their habits.
    pub habits_revision: i64,
    /// All habits, archived ones included.
    pub habits: Vec<History>,
}

/// A person's documents as batches of some hundred, those with the figures in the last one. Documents of the same
/// ids are replaced.
///
/// # Errors
/// Where an instant is out of range.
pub fn write(person: &Person, now: Timestamp) -> Result<Vec<Batch>> {
    let mut batches = Batches::default();
    let mut logs = Vec::with_capacity(person.habits.len());
    let mut all_facts = Vec::with_capacity(person.habits.len());
    for history in &person.habits {
        let rules = Rules::new(&history.habit.rules, &person.known.rules);
        let mut check_ins: Vec<CheckInDoc> = history
            .entries
            .iter()
            .map(|entry| check_in(person, history, entry))
            .collect();
        let mut facts = history.facts.clone();
        for check_in in &check_ins {
            facts.extend(check_in.facts()?);
        }
        settle(rules, &facts, &mut check_ins, now);
        for check_in in &check_ins {
            batches.next().put(check_in);
        }
        for fact in &history.facts {
            let (user_id, habit_id) = (person.id, history.habit.id);
            batches.next().put(&FactDoc {
                id: fact.id,
                version: 0,
                user_id,
                habit_id,
                fact: fact.clone(),
            });
        }
        logs.push(HabitLog {
            id: history.habit.id,
            version: 0,
            user_id: person.id,
            known: history.habit.clone(),
            state: HabitState::rebuild(rules, &facts, now),
        });
        all_facts.push(facts);
    }
    let habits: Vec<(&HabitRules, &[Fact])> = logs
        .iter()
        .zip(&all_facts)
        .map(|(log, facts)| (&log.known.rules, facts.as_slice()))
        .collect();
    let streaks = UserState::rebuild(&person.known.rules, &habits, now);
    let last = batches.next();
    for log in &logs {
        last.put(log);
    }
    last.put(&UserLog {
        id: person.id,
        version: 0,
        known: person.known.clone(),
        habits_revision: person.habits_revision,
        streaks: Some(streaks),
    });
    Ok(batches.full)
}

/// Batches that fill up one after the other.
#[derive(Default)]
struct Batches {
    full: Vec<Batch>,
    written: usize,
}

impl Batches {
    /// The batch that the next document goes to.
    fn next(&mut self) -> &mut Batch {
        if self.written.is_multiple_of(BATCH) {
            self.full.push(Batch::new());
        }
        self.written += 1;
        let last = self.full.len() - 1;
        &mut self.full[last]
    }
}

fn check_in(person: &Person, history: &History, entry: &Entry) -> CheckInDoc {
    let at = entry.at.as_millisecond();
    CheckInDoc {
        id: entry.id,
        version: 0,
        user_id: person.id,
        habit_id: history.habit.id,
        date: entry.date,
        at,
        zone: person.known.rules.times.at(entry.at).zone().name().to_owned(),
        provenance: entry.provenance,
        done: Done {
            count: entry.count,
            minutes: entry.minutes,
        },
        story: Story {
            start: Some(at),
            mood: entry.mood,
            note: entry.note.clone(),
            tags: entry.tags.clone(),
            location: entry.place.clone().map(|(longitude, latitude, name)| Location {
                longitude,
                latitude,
                name,
            }),
            ..Story::default()
        },
        is_public: entry.is_public,
        completion_rate: 0.0,
        is_completed: false,
        created_at: at,
        updated_at: entry.undone.map_or(at, |(_, at)| at.as_millisecond()),
        undone: entry.undone.map(|(fact, at)| Undone {
            fact,
            at: at.as_millisecond(),
        }),
        is_undone: entry.undone.is_some(),
    }
}

/// Writes how far each day's goal is reached into its check-ins.
fn settle(rules: Rules<'_>, facts: &[Fact], check_ins: &mut [CheckInDoc], now: Timestamp) {
    let dates = || check_ins.iter().map(|check_in| check_in.date);
    let (Some(first), Some(last)) = (dates().min(), dates().max()) else {
        return;
    };
    let days: HashMap<Date, DayResult> = rules::evaluate(rules, facts, first..=last, now)
        .into_iter()
        .map(|day| (day.date, day))
        .collect();
    for check_in in check_ins {
        if let Some(day) = days.get(&check_in.date) {
            check_in.completion_rate = day.fraction;
            check_in.is_completed = day.completed;
        }
    }
}
