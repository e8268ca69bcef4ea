//! Randomness as something that is handed in: from the operating system, or seeded so that a run repeats.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::Id;

/// A cryptographically strong generator that clones share.
#[derive(Clone)]
pub struct Random(Arc<Mutex<StdRng>>);

impl Random {
    /// Seeded by the operating system: what a deployment uses.
    pub fn from_os() -> Self {
        Self::new(rand::make_rng())
    }

    /// Seeded by a number, so that tests and demo data repeat.
    pub fn seeded(seed: u64) -> Self {
        Self::new(StdRng::seed_from_u64(seed))
    }

    /// Fills an array with random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .fill_bytes(&mut bytes);
        bytes
    }

    /// A new id for something that is created at `now`.
    pub fn id<T>(&self, now: Timestamp) -> Id<T> {
        let mut bytes = [0; 12];
        let seconds = u32::try_from(now.as_second()).unwrap_or(0);
        bytes[..4].copy_from_slice(&seconds.to_be_bytes());
        bytes[4..].copy_from_slice(&self.bytes::<8>());
        Id::from_bytes(bytes)
    }

    /// An independent generator, seeded by this one: for a task that wants to draw without waiting for others.
    pub fn fork(&self) -> Self {
        Self::new(StdRng::from_seed(self.bytes()))
    }

    fn new(rng: StdRng) -> Self {
        Self(Arc::new(Mutex::new(rng)))
    }
}

impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Random")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::UserId;

    #[test]
    fn a_seed_repeats_and_ids_carry_their_second() {
        let now: Timestamp = "2026-03-29T01:00:00Z".parse().unwrap();
        let (one, two) = (Random::seeded(7), Random::seeded(7));
        let id: UserId = one.id(now);
        assert_eq!(id, two.id(now));
        assert_ne!(id, two.id(now));
        assert_eq!(
            u32::from_be_bytes(id.bytes()[..4].try_into().unwrap()),
            now.as_second() as u32
        );
    }
}
