//! The backend in the memory of the process.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use kernel::Clock;
use moka::ops::compute::{CompResult, Op};
use moka::policy::EvictionPolicy;
use moka::sync::Cache as Slots;

use crate::bucket::{self, Bucket, Level, Spend};
use crate::error::{Error, Result};
use crate::sorted_set::Score;

pub(crate) struct Memory {
    clock: Clock,
    slots: Slots<String, Slot>,
    sets: Mutex<HashMap<String, Ranking>>,
}

#[derive(Clone)]
struct Slot {
    content: Content,
    /// Milliseconds since 1970 from which it counts as absent.
    expires_at: i64,
}

#[derive(Clone)]
enum Content {
    Json(Arc<[u8]>),
    Bucket(Level),
}

/// A sorted set: by member to change it, by score to read it.
#[derive(Default)]
struct Ranking {
    scores: HashMap<String, Score>,
    order: BTreeSet<(Score, String)>,
}

impl Memory {
    pub(crate) fn new(max_entries: u64, clock: Clock) -> Self {
        // The one that was unused for longest goes first. The other policy of the library may turn away a new
        // value at once, and then a lock would have two owners.
        let slots = Slots::builder()
            .max_capacity(max_entries)
            .weigher(|key: &String, slot: &Slot| slot.weight(key))
            .eviction_policy(EvictionPolicy::lru())
            .build();
        Self {
            clock,
            slots,
            sets: Mutex::default(),
        }
    }

    pub(crate) fn get(&self, key: &str) -> Result<Option<Arc<[u8]>>> {
        match self.slots.get(key).filter(|slot| self.lives(slot)) {
            None => Ok(None),
            Some(Slot {
                content: Content::Json(json),
                ..
            }) => Ok(Some(json)),
            Some(_) => Err(wrong_kind(key)),
        }
    }

    pub(crate) fn set(&self, key: &str, json: Arc<[u8]>, ttl: Duration) {
        let slot = self.slot(Content::Json(json), ttl);
        self.slots.insert(key.to_owned(), slot);
    }

    pub(crate) fn set_if_absent(&self, key: &str, json: Arc<[u8]>, ttl: Duration) -> bool {
        let result = self.slots.entry_by_ref(key).and_compute_with(|entry| {
            let taken = entry.is_some_and(|entry| self.lives(entry.value()));
            if taken {
                Op::Nop
            } else {
                Op::Put(self.slot(Content::Json(json), ttl))
            }
        });
        matches!(result, CompResult::Inserted(_) | CompResult::ReplacedWith(_))
    }

    pub(crate) fn delete(&self, key: &str) {
        self.slots.invalidate(key);
        self.sets().remove(key);
    }

    pub(crate) fn take(&self, key: &str) -> Result<Option<Arc<[u8]>>> {
        let result = self
            .slots
            .entry_by_ref(key)
            .and_try_compute_with(|entry| match entry {
                Some(entry)
                    if matches!(entry.value().content, Content::Bucket(_)) && self.lives(entry.value()) =>
                {
                    Err(wrong_kind(key))
                }
                _ => Ok(Op::Remove),
            })?;
        Ok(match result {
            CompResult::Removed(entry) => match entry.into_value() {
                slot @ Slot { .. } if !self.lives(&slot) => None,
                Slot {
                    content: Content::Json(json),
                    ..
                } => Some(json),
                _ => None,
            },
            _ => None,
        })
    }

    pub(crate) fn increment(&self, key: &str, by: i64, ttl: Duration) -> Result<i64> {
        let mut sum = by;
        self.slots
            .entry_by_ref(key)
            .and_try_compute_with(|entry| -> Result<_> {
                let Some(slot) = entry
                    .map(|entry| entry.into_value())
                    .filter(|slot| self.lives(slot))
                else {
                    return Ok(Op::Put(self.slot(json_of(by), ttl)));
                };
                let number = match &slot.content {
                    Content::Json(json) => serde_json::from_slice::<i64>(json).ok(),
                    Content::Bucket(_) => None,
                };
                sum = number.and_then(|number| number.checked_add(by)).ok_or_else(|| {
                    Error::Invalid(format!("`{key}` is no whole number, or would be too great"))
                })?;
                Ok(Op::Put(Slot {
                    content: json_of(sum),
                    ..slot
                }))
            })?;
        Ok(sum)
    }

    pub(crate) fn try_spend(&self, key: &str, cost: f64, bucket: Bucket) -> Result<Spend> {
        self.change_bucket(key, |level, now| bucket::spend(level, now, cost, bucket))
    }

    pub(crate) fn give_back(&self, key: &str, amount: f64, bucket: Bucket) -> Result<()> {
        self.change_bucket(key, |level, now| bucket::give_back(level, now, amount, bucket))?;
        Ok(())
    }

    fn change_bucket(
        &self,
        key: &str,
        change: impl FnOnce(Option<Level>, i64) -> (Level, Spend),
    ) -> Result<Spend> {
        let now = self.clock.now().as_millisecond();
        let mut answer = None;
        self.slots
            .entry_by_ref(key)
            .and_try_compute_with(|entry| -> Result<_> {
                let level = match entry
                    .map(|entry| entry.into_value())
                    .filter(|slot| self.lives(slot))
                {
                    None => None,
                    Some(Slot {
                        content: Content::Bucket(level),
                        ..
                    }) => Some(level),
                    Some(_) => return Err(wrong_kind(key)),
                };
                let (level, spend) = change(level, now);
                answer = Some(spend);
                // A full bucket is the same as none.
                Ok(Op::Put(self.slot(Content::Bucket(level), spend.reset)))
            })?;
        answer.ok_or_else(|| Error::Invalid("the bucket was not judged".to_owned()))
    }

    pub(crate) fn score_set(&self, set: &str, member: &str, score: Score) {
        self.sets().entry(set.to_owned()).or_default().put(member, score);
    }

    pub(crate) fn score_add(&self, set: &str, member: &str, by: Score) -> Result<f64> {
        let mut sets = self.sets();
        let ranking = sets.entry(set.to_owned()).or_default();
        let old = ranking.scores.get(member).map_or(0.0, |score| score.get());
        let score = Score::new(old + by.get())?;
        ranking.put(member, score);
        Ok(score.get())
    }

    pub(crate) fn top(&self, set: &str, range: Range<usize>) -> Vec<(String, f64)> {
        let sets = self.sets();
        let Some(ranking) = sets.get(set) else {
            return Vec::new();
        };
        let best_first = ranking.order.iter().rev();
        best_first
            .skip(range.start)
            .take(range.len())
            .map(|(score, member)| (member.clone(), score.get()))
            .collect()
    }

    pub(crate) fn rank(&self, set: &str, member: &str) -> Option<u64> {
        let sets = self.sets();
        let ranking = sets.get(set)?;
        let place = (*ranking.scores.get(member)?, member.to_owned());
        let better = ranking.order.range(&place..).count();
        Some(better.saturating_sub(1) as u64)
    }

    pub(crate) fn score(&self, set: &str, member: &str) -> Option<f64> {
        Some(self.sets().get(set)?.scores.get(member)?.get())
    }

    pub(crate) fn score_remove(&self, set: &str, member: &str) {
        let mut sets = self.sets();
        if let Some(ranking) = sets.get_mut(set) {
            ranking.remove(member);
            if ranking.scores.is_empty() {
                sets.remove(set);
            }
        }
    }

    pub(crate) fn clear(&self) {
        self.slots.invalidate_all();
    }

    fn sets(&self) -> MutexGuard<'_, HashMap<String, Ranking>> {
        self.sets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn slot(&self, content: Content, ttl: Duration) -> Slot {
        let expires_at = self.clock.now().saturating_add(ttl).unwrap_or(Timestamp::MAX);
        Slot {
            content,
            expires_at: expires_at.as_millisecond(),
        }
    }

    fn lives(&self, slot: &Slot) -> bool {
        self.clock.now().as_millisecond() < slot.expires_at
    }
}

impl Slot {
    /// How many entries it counts as: one for each KiB that is begun.
    fn weight(&self, key: &str) -> u32 {
        let content = match &self.content {
            Content::Json(json) => json.len(),
            Content::Bucket(_) => 0,
        };
        u32::try_from((key.len() + content) / 1024 + 1).unwrap_or(u32::MAX)
    }
}

impl Ranking {
    fn put(&mut self, member: &str, score: Score) {
        self.remove(member);
        self.scores.insert(member.to_owned(), score);
        self.order.insert((score, member.to_owned()));
    }

    fn remove(&mut self, member: &str) {
        if let Some(score) = self.scores.remove(member) {
            self.order.remove(&(score, member.to_owned()));
        }
    }
}

fn json_of(number: i64) -> Content {
    Content::Json(number.to_string().into_bytes().into())
}

fn wrong_kind(key: &str) -> Error {
    Error::Invalid(format!("`{key}` holds something of another kind"))
}
