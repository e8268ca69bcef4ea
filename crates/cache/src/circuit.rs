//! Spares callers the wait for a server that is known to be away: after a failure one call per pause tries again.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long nobody tries after a failure.
const PAUSE: Duration = Duration::from_millis(500);

pub(crate) struct Circuit {
    started: Instant,
    /// Milliseconds after `started` from which one call may try again; 0 while all is well.
    retry_at: AtomicU64,
    reason: Mutex<String>,
}

impl Circuit {
    pub(crate) fn new() -> Self {
        Self {
            started: Instant::now(),
            retry_at: AtomicU64::new(0),
            reason: Mutex::default(),
        }
    }

    /// Whether the caller may try. While the server is away that is one caller per pause.
    pub(crate) fn admits(&self) -> bool {
        let retry_at = self.retry_at.load(Ordering::Acquire);
        if retry_at == 0 {
            return true;
        }
        let now = self.now();
        now >= retry_at
            && self
                .retry_at
                .compare_exchange(retry_at, now + pause(), Ordering::AcqRel, Ordering::Acquire)
                .is_ok()
    }

    /// The server did not answer. Returns whether that is news.
    pub(crate) fn failed(&self, reason: &str) -> bool {
        reason.clone_into(&mut self.reason.lock().unwrap_or_else(PoisonError::into_inner));
        self.retry_at.swap(self.now() + pause(), Ordering::AcqRel) == 0
    }

    /// The server answered. Returns whether that is news.
    pub(crate) fn answered(&self) -> bool {
        self.retry_at.load(Ordering::Acquire) != 0 && self.retry_at.swap(0, Ordering::AcqRel) != 0
    }

    /// Why the server counts as away.
    pub(crate) fn reason(&self) -> String {
        self.reason.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX / 2)
    }
}

fn pause() -> u64 {
    PAUSE.as_millis() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_failure_nobody_waits_and_after_an_answer_everybody_may_ask() {
        let circuit = Circuit::new();
        assert!(circuit.admits());
        assert!(circuit.failed("connection refused"));
        assert!(!circuit.failed("connection refused"), "known already");
        assert!(!circuit.admits());
        assert_eq!(circuit.reason(), "connection refused");
        assert!(circuit.answered());
        assert!(!circuit.answered(), "known already");
        assert!(circuit.admits());
    }

    #[test]
    fn when_the_pause_is_over_exactly_one_caller_tries() {
        let circuit = Circuit::new();
        circuit.retry_at.store(1, Ordering::Release);
        while circuit.now() < 1 {
            std::hint::spin_loop();
        }
        let tries = (0..10).filter(|_| circuit.admits()).count();
        assert_eq!(tries, 1);
    }
}
