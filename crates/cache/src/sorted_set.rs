//! Leaderboards: members with scores, read from the highest score down.

use std::cmp::Ordering;
use std::ops::Range;

use tracing::Instrument as _;

use crate::cache::{Backend, Cache};
use crate::error::{Error, Result};

/// A leaderboard: members with a score each. It has no time to live; [`Cache::delete`] removes it as a whole.
///
/// Among equal scores the member whose name is greater, byte by byte, comes first, as in Redis. Scores are
/// numbers, not NaN and not infinite: others are [`Error::Invalid`]. Every method is [`Error::Unavailable`] while
/// the server is away.
#[derive(Clone)]
pub struct SortedSet {
    pub(crate) cache: Cache,
    pub(crate) name: String,
}

/// A score that can be ordered.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Score(f64);

impl SortedSet {
    /// Gives the member this score.
    pub async fn set(&self, member: &str, score: f64) -> Result<()> {
        let score = Score::new(score)?;
        let operation = async {
            match self.cache.backend() {
                Backend::Memory(memory) => memory.score_set(&self.name, member, score),
                Backend::Redis(remote) => remote.score_set(&self.name, member, score.get()).await?,
            }
            Ok(())
        };
        operation.instrument(self.cache.span("score_set")).await
    }

    /// Adds to the member's score, which is 0 if it has none, and returns the sum.
    pub async fn add(&self, member: &str, by: f64) -> Result<f64> {
        let by = Score::new(by)?;
        let operation = async {
            match self.cache.backend() {
                Backend::Memory(memory) => memory.score_add(&self.name, member, by),
                Backend::Redis(remote) => remote.score_add(&self.name, member, by.get()).await,
            }
        };
        operation.instrument(self.cache.span("score_add")).await
    }

    /// The members at these places, from 0, the highest score first.
    pub async fn top(&self, places: Range<usize>) -> Result<Vec<(String, f64)>> {
        if places.is_empty() {
            return Ok(Vec::new());
        }
        let operation = async {
            match self.cache.backend() {
                Backend::Memory(memory) => Ok(memory.top(&self.name, places)),
                Backend::Redis(remote) => remote.top(&self.name, places).await,
            }
        };
        operation.instrument(self.cache.span("top")).await
    }

    /// The member's place, from 0 for the highest score.
    pub async fn rank(&self, member: &str) -> Result<Option<u64>> {
        let operation = async {
            match self.cache.backend() {
                Backend::Memory(memory) => Ok(memory.rank(&self.name, member)),
                Backend::Redis(remote) => remote.rank(&self.name, member).await,
            }
        };
        operation.instrument(self.cache.span("rank")).await
    }

    /// The member's score.
    pub async fn score(&self, member: &str) -> Result<Option<f64>> {
        let operation = async {
            match self.cache.backend() {
                Backend::Memory(memory) => Ok(memory.score(&self.name, member)),
                Backend::Redis(remote) => remote.score(&self.name, member).await,
            }
        };
        operation.instrument(self.cache.span("score")).await
    }

    /// Removes the member; absent is fine.
    pub async fn remove(&self, member: &str) -> Result<()> {
        let operation = async {
            match self.cache.backend() {
                Backend::Memory(memory) => memory.score_remove(&self.name, member),
                Backend::Redis(remote) => remote.score_remove(&self.name, member).await?,
            }
            Ok(())
        };
        operation.instrument(self.cache.span("score_remove")).await
    }
}

impl Score {
    pub(crate) fn new(score: f64) -> Result<Self> {
        if score.is_finite() {
            // Adding zero turns -0 into 0, which Redis holds for the same score.
            Ok(Self(score + 0.0))
        } else {
            Err(Error::Invalid(format!("{score} is no score")))
        }
    }

    pub(crate) fn get(self) -> f64 {
        self.0
    }
}

impl Eq for Score {}

impl Ord for Score {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialOrd for Score {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
