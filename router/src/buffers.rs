//! How many bytes of requests and answers are held at once: a budget of the whole process, so that clients who take
//! nothing and subgraphs that send much cannot use up its memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use metrics::Gauge;

use crate::metrics::HELD;

/// A budget of bytes. Clones are one and the same.
#[derive(Debug, Clone)]
pub struct Buffers(Arc<Budget>);

/// Bytes that are taken of a budget, until this is dropped.
#[derive(Debug)]
pub struct Held {
    buffers: Buffers,
    bytes: usize,
}

#[derive(Debug)]
struct Budget {
    limit: usize,
    held: AtomicUsize,
    /// The bytes that are held, of all budgets of the process.
    counted: Gauge,
}

impl Buffers {
    /// A budget of that many bytes.
    pub fn new(limit: usize) -> Self {
        Self(Arc::new(Budget {
            limit,
            held: AtomicUsize::new(0),
            counted: metrics::gauge!(HELD),
        }))
    }

    /// Takes bytes; `None` where there are not so many left.
    pub fn hold(&self, bytes: usize) -> Option<Held> {
        let mut held = self.none();
        held.grow(bytes).then_some(held)
    }

    /// Nothing yet, to be grown.
    pub fn none(&self) -> Held {
        Held {
            buffers: self.clone(),
            bytes: 0,
        }
    }

    /// How many bytes are taken.
    pub fn held(&self) -> usize {
        self.0.held.load(Ordering::Relaxed)
    }
}

impl Default for Buffers {
    /// A budget without an end.
    fn default() -> Self {
        Self::new(usize::MAX)
    }
}

impl Held {
    /// Takes more bytes; where there are not so many left, none and `false`.
    #[must_use]
    pub fn grow(&mut self, bytes: usize) -> bool {
        let budget = &self.buffers.0;
        let more = |held: usize| held.checked_add(bytes).filter(|sum| *sum <= budget.limit);
        let taken = budget
            .held
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more)
            .is_ok();
        if taken {
            self.bytes += bytes;
            budget.counted.increment(bytes as f64);
        }
        taken
    }

    /// How many bytes it is.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The bytes that this was taken for: given back when the last copy of them is dropped.
    pub fn keep(self, bytes: Bytes) -> Bytes {
        struct Kept(
            Bytes,
            #[expect(dead_code, reason = "held until it is dropped")] Held,
        );
        impl AsRef<[u8]> for Kept {
            fn as_ref(&self) -> &[u8] {
                &self.0
            }
        }
        Bytes::from_owner(Kept(bytes, self))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let budget = &self.buffers.0;
        budget.held.fetch_sub(self.bytes, Ordering::Relaxed);
        budget.counted.decrement(self.bytes as f64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dropped_is_given_back() {
        let buffers = Buffers::new(10);
        let mut first = buffers.hold(6).expect("enough");
        assert!(buffers.hold(5).is_none());
        assert!(!first.grow(5));
        assert!(first.grow(4));
        let kept = first.keep(Bytes::from_static(b"0123456789"));
        let slice = kept.slice(2..4);
        drop(kept);
        assert_eq!((buffers.held(), &slice[..]), (10, &b"23"[..]));
        drop(slice);
        assert_eq!(buffers.held(), 0);
        assert!(buffers.hold(usize::MAX).is_none());
    }
}
