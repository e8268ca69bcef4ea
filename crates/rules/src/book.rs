//! The facts that still count, by date: undone ones are gone, amended ones have their last amounts.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::amount::Amount;
use crate::civil::previous;
use crate::fact::{CheckIn, Fact, FactId, Provenance, What};
use crate::habit::Pause;

/// The facts of a habit from some date on. Field names are short because this is stored for each habit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Book {
    /// By date, each date once.
    #[serde(
        default,
        rename = "d",
        skip_serializing_if = "Vec::is_empty",
        with = "crate::packed"
    )]
    pub(crate) days: Vec<Day>,
    /// By first date.
    #[serde(default, rename = "p", skip_serializing_if = "Vec::is_empty")]
    pub(crate) pauses: Vec<Pause>,
    /// By date.
    #[serde(default, rename = "f", skip_serializing_if = "Vec::is_empty")]
    pub(crate) freezes: Vec<Freeze>,
}

/// What happened on a date.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Day {
    pub(crate) date: Date,
    /// By instant and id. Mostly one, which then needs no memory of its own.
    pub(crate) entries: SmallVec<[Entry; 1]>,
    /// By id.
    pub(crate) skips: Vec<FactId>,
}

/// A check-in.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) id: FactId,
    /// Whole milliseconds.
    pub(crate) at: Timestamp,
    pub(crate) count: Option<Amount>,
    pub(crate) minutes: Option<Amount>,
    pub(crate) provenance: Provenance,
    /// When the amounts were last replaced.
    pub(crate) amended: Option<Timestamp>,
}

/// A freeze that was bought and not yet spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Freeze {
    #[serde(rename = "d")]
    pub(crate) date: Date,
    #[serde(rename = "i")]
    pub(crate) id: FactId,
}

/// The fact that another names is not in the book.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotInBook;

impl Book {
    /// The book of facts in any order.
    pub(crate) fn of(facts: &[Fact]) -> Self {
        let mut book = Self::default();
        let is_reference = |fact: &&Fact| {
            matches!(
                fact.what,
                What::Amend { .. } | What::Undo { .. } | What::Resume { .. }
            )
        };
        let mut references: Vec<&Fact> = facts.iter().filter(is_reference).collect();
        references.sort_by_key(|fact| (fact.at, fact.id));
        let mut plain: Vec<&Fact> = facts.iter().filter(|fact| !is_reference(fact)).collect();
        // In order of dates every day is added at the end.
        plain.sort_by_key(|fact| (own_date(&fact.what), fact.at, fact.id));
        plain.dedup_by_key(|fact| fact.id);
        let mut undone: Vec<FactId> = references
            .iter()
            .filter_map(|fact| match fact.what {
                What::Undo { of } => Some(of),
                _ => None,
            })
            .collect();
        undone.sort_unstable();
        for fact in plain {
            if undone.binary_search(&fact.id).is_err() {
                let _ = book.add(fact);
            }
        }
        let dates = book.dates_of_entries();
        for fact in references {
            match fact.what {
                What::Amend { of, count, minutes } => {
                    let entry = dates
                        .binary_search_by_key(&of, |(id, _)| *id)
                        .ok()
                        .and_then(|place| book.entry_mut(dates[place].1, of));
                    if let Some(entry) = entry {
                        entry.amend(fact.at, count, minutes);
                    }
                }
                What::Resume { .. } => {
                    let _ = book.add(fact);
                }
                _ => {}
            }
        }
        book
    }

    /// Adds a fact and returns the first date whose worth it can change; none if it was there already.
    pub(crate) fn add(&mut self, fact: &Fact) -> Result<Option<Date>, NotInBook> {
        let at = whole_milliseconds(fact.at);
        match &fact.what {
            What::CheckIn(check_in) => Ok(self.add_check_in(fact.id, at, check_in)),
            What::Amend { of, count, minutes } => {
                let (date, entry) = self.find_entry(*of).ok_or(NotInBook)?;
                Ok(entry.amend(at, *count, *minutes).then_some(date))
            }
            What::Undo { of } => self.remove(*of).map(Some),
            What::Skip { date } => {
                let skips = &mut self.day_mut(*date).skips;
                Ok(insert_sorted(skips, fact.id).then_some(*date))
            }
            What::Pause { from, to } => {
                if self.pauses.iter().any(|pause| pause.id == fact.id) {
                    return Ok(None);
                }
                let place = self
                    .pauses
                    .partition_point(|pause| (pause.from, pause.id) < (*from, fact.id));
                self.pauses.insert(
                    place,
                    Pause {
                        id: fact.id,
                        from: *from,
                        to: *to,
                    },
                );
                Ok(Some(*from))
            }
            What::Resume { of, on } => {
                let pause = self
                    .pauses
                    .iter_mut()
                    .find(|pause| pause.id == *of)
                    .ok_or(NotInBook)?;
                let last = previous(*on);
                if pause.to.is_some_and(|to| to <= last) {
                    return Ok(None);
                }
                pause.to = Some(last);
                Ok(Some((*on).max(pause.from)))
            }
            What::Freeze { date } => Ok(insert_sorted(
                &mut self.freezes,
                Freeze {
                    date: *date,
                    id: fact.id,
                },
            )
            .then_some(*date)),
        }
    }

    pub(crate) fn day(&self, date: Date) -> Option<&Day> {
        let place = self.days.binary_search_by_key(&date, |day| day.date).ok()?;
        self.days.get(place)
    }

    /// The date of the first check-in.
    pub(crate) fn first_entry(&self) -> Option<Date> {
        self.days
            .iter()
            .find(|day| !day.entries.is_empty())
            .map(|day| day.date)
    }

    /// The date of the last check-in.
    pub(crate) fn last_entry(&self) -> Option<Date> {
        self.days
            .iter()
            .rev()
            .find(|day| !day.entries.is_empty())
            .map(|day| day.date)
    }

    pub(crate) fn find(&self, id: FactId) -> Option<(Date, &Entry)> {
        self.days.iter().rev().find_map(|day| {
            let entry = day.entries.iter().find(|entry| entry.id == id)?;
            Some((day.date, entry))
        })
    }

    /// Drops everything that lies wholly before a date.
    pub(crate) fn forget_before(&mut self, date: Date) {
        let kept = self.days.partition_point(|day| day.date < date);
        self.days.drain(..kept);
        self.pauses.retain(|pause| pause.to.is_none_or(|to| to >= date));
        self.freezes.retain(|freeze| freeze.date >= date);
    }

    fn add_check_in(&mut self, id: FactId, at: Timestamp, check_in: &CheckIn) -> Option<Date> {
        let entries = &mut self.day_mut(check_in.date).entries;
        if entries.iter().any(|entry| entry.id == id) {
            return None;
        }
        let place = entries.partition_point(|entry| (entry.at, entry.id) < (at, id));
        entries.insert(
            place,
            Entry {
                id,
                at,
                count: check_in.count,
                minutes: check_in.minutes,
                provenance: check_in.provenance,
                amended: None,
            },
        );
        Some(check_in.date)
    }

    fn remove(&mut self, id: FactId) -> Result<Date, NotInBook> {
        for (place, day) in self.days.iter_mut().enumerate().rev() {
            let before = day.entries.len() + day.skips.len();
            day.entries.retain(|entry| entry.id != id);
            day.skips.retain(|skip| *skip != id);
            if day.entries.len() + day.skips.len() < before {
                let date = day.date;
                if day.entries.is_empty() && day.skips.is_empty() {
                    self.days.remove(place);
                }
                return Ok(date);
            }
        }
        if let Some(place) = self.pauses.iter().position(|pause| pause.id == id) {
            return Ok(self.pauses.remove(place).from);
        }
        let place = self.freezes.iter().position(|freeze| freeze.id == id);
        let freeze = self.freezes.remove(place.ok_or(NotInBook)?);
        Ok(freeze.date)
    }

    fn day_mut(&mut self, date: Date) -> &mut Day {
        let place = self
            .days
            .binary_search_by_key(&date, |day| day.date)
            .unwrap_or_else(|place| {
                self.days.insert(
                    place,
                    Day {
                        date,
                        entries: SmallVec::new(),
                        skips: Vec::new(),
                    },
                );
                place
            });
        &mut self.days[place]
    }

    fn find_entry(&mut self, id: FactId) -> Option<(Date, &mut Entry)> {
        self.days.iter_mut().rev().find_map(|day| {
            let date = day.date;
            let entry = day.entries.iter_mut().find(|entry| entry.id == id)?;
            Some((date, entry))
        })
    }

    fn entry_mut(&mut self, date: Date, id: FactId) -> Option<&mut Entry> {
        let place = self.days.binary_search_by_key(&date, |day| day.date).ok()?;
        self.days
            .get_mut(place)?
            .entries
            .iter_mut()
            .find(|entry| entry.id == id)
    }

    fn dates_of_entries(&self) -> Vec<(FactId, Date)> {
        let mut dates: Vec<(FactId, Date)> = self
            .days
            .iter()
            .flat_map(|day| day.entries.iter().map(|entry| (entry.id, day.date)))
            .collect();
        dates.sort_unstable();
        dates
    }
}

impl Day {
    /// The minutes of the day's check-ins.
    pub(crate) fn minutes(&self) -> Amount {
        self.entries.iter().filter_map(|entry| entry.minutes).sum()
    }

    /// The counts of the day's check-ins.
    pub(crate) fn count(&self) -> Amount {
        self.entries.iter().filter_map(|entry| entry.count).sum()
    }
}

impl Entry {
    fn amend(&mut self, at: Timestamp, count: Option<Amount>, minutes: Option<Amount>) -> bool {
        let at = whole_milliseconds(at);
        if self.amended.is_some_and(|amended| amended > at) {
            return false;
        }
        self.amended = Some(at);
        self.count = count;
        self.minutes = minutes;
        true
    }
}

fn own_date(what: &What) -> Option<Date> {
    match what {
        What::CheckIn(check_in) => Some(check_in.date),
        What::Skip { date } | What::Freeze { date } => Some(*date),
        What::Pause { from, .. } => Some(*from),
        What::Amend { .. } | What::Undo { .. } | What::Resume { .. } => None,
    }
}

fn insert_sorted<T: Ord>(items: &mut Vec<T>, item: T) -> bool {
    match items.binary_search(&item) {
        Ok(_) => false,
        Err(place) => {
            items.insert(place, item);
            true
        }
    }
}

/// What a store keeps is what counts, so that nothing differs after loading.
fn whole_milliseconds(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at)
}
