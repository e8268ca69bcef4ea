//! Time as something that is handed in: the system's, or one that a test or a simulation sets.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{SignedDuration, Timestamp};

/// The source of the current instant, with millisecond precision: what is stored and what the API shows.
#[derive(Clone)]
pub struct Clock(Source);

/// A clock that moves only when told to. Clones share the same time.
#[derive(Clone)]
pub struct ManualClock(Arc<AtomicI64>);

#[derive(Clone)]
enum Source {
    System,
    Manual(ManualClock),
}

impl Clock {
    /// The clock of the operating system.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// The current instant, cut to whole milliseconds.
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::System => system_now(),
            Source::Manual(clock) => clock.now(),
        }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Source::System => f.write_str("Clock(system)"),
            Source::Manual(clock) => write!(f, "Clock({})", clock.now()),
        }
    }
}

impl ManualClock {
    /// A clock that stands at `start`.
    pub fn at(start: Timestamp) -> Self {
        Self(Arc::new(AtomicI64::new(start.as_millisecond())))
    }

    /// The same clock in the form that the code under test takes.
    pub fn clock(&self) -> Clock {
        Clock(Source::Manual(self.clone()))
    }

    /// The instant it stands at.
    pub fn now(&self) -> Timestamp {
        // Only `set` and `advance` write, and both store a valid millisecond count.
        Timestamp::from_millisecond(self.0.load(Ordering::SeqCst)).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// Sets the time, forwards or backwards.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.as_millisecond(), Ordering::SeqCst);
    }

    /// Moves the time by `by`, which may be negative.
    pub fn advance(&self, by: SignedDuration) {
        let now = self.now().saturating_add(by).unwrap_or(Timestamp::MAX);
        self.set(now);
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the system's clock"
)]
fn system_now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_only_when_told() {
        let manual = ManualClock::at("2026-03-29T00:59:59.999Z".parse().unwrap());
        let clock = manual.clock();
        assert_eq!(clock.now(), clock.now());
        manual.advance(SignedDuration::from_millis(1));
        assert_eq!(clock.now().to_string(), "2026-03-29T01:00:00Z");
    }

    #[test]
    fn the_system_clock_has_no_more_than_milliseconds() {
        assert_eq!(Clock::system().now().subsec_nanosecond() % 1_000_000, 0);
    }
}
