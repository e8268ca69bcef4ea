//! Keeps one subgraph's trouble its own: how many calls it gets at once, when it gets none for a while, and how often
//! a read is tried again.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

use super::CallError;
use crate::config::SubgraphConfig;
use crate::metrics::{SUBGRAPH_CIRCUIT_OPEN, SUBREQUEST_RETRIES_REFUSED};

/// How many repetitions may be saved up, and after how many calls there is one more: where everything fails, a tenth
/// more is asked, and not twice as much.
const REPETITIONS_SAVED: u32 = 10;
const CALLS_FOR_ONE: u32 = 10;

/// What a call has to pass. Clones of an engine do not share it.
pub(super) struct Gate {
    name: String,
    at_once: Option<Semaphore>,
    breaker: Breaker,
    budget: Budget,
    retries: u32,
}

/// A call that was let in. Its end must be told to [`Pass::ended`]; one that is dropped before says nothing of the
/// subgraph.
pub(super) struct Pass<'g> {
    breaker: &'g Breaker,
    is_probe: bool,
    told: bool,
    _place: Option<SemaphorePermit<'g>>,
}

/// Lets nothing through for a while after several failures in a row; then one call, which decides.
struct Breaker {
    name: String,
    /// Failures in a row; 0: never.
    limit: u32,
    pause: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    failures: u32,
    open_until: Option<Instant>,
    is_probed: bool,
}

/// Repetitions, counted in calls.
struct Budget(AtomicU32);

impl Gate {
    pub(super) fn new(name: &str, config: &SubgraphConfig) -> Self {
        Self {
            name: name.to_owned(),
            at_once: (config.max_concurrent > 0).then(|| Semaphore::new(config.max_concurrent)),
            breaker: Breaker {
                name: name.to_owned(),
                limit: config.breaker.failures,
                pause: Duration::from_millis(config.breaker.pause_ms),
                state: Mutex::default(),
            },
            budget: Budget(AtomicU32::new(REPETITIONS_SAVED * CALLS_FOR_ONE)),
            retries: config.retries,
        }
    }

    /// Waits for a place.
    ///
    /// # Errors
    /// [`CallError::Open`] while the subgraph is given time.
    pub(super) async fn enter(&self) -> Result<Pass<'_>, CallError> {
        let place = match &self.at_once {
            // It is never closed.
            Some(places) => places.acquire().await.ok(),
            None => None,
        };
        // After the wait, in which much may have happened.
        let is_probe = self.breaker.enter(Instant::now())?;
        Ok(Pass {
            breaker: &self.breaker,
            is_probe,
            told: false,
            _place: place,
        })
    }

    /// Notes a call that is to be made.
    pub(super) fn count(&self) {
        self.budget.save();
    }

    /// Whether a call that failed so is to be made once more.
    pub(super) fn may_repeat(&self, error: &CallError, repetitions: u32) -> bool {
        if repetitions >= self.retries || !is_passing(error) {
            return false;
        }
        let may = self.budget.spend();
        if !may {
            metrics::counter!(SUBREQUEST_RETRIES_REFUSED, "subgraph.name" => self.name.clone()).increment(1);
        }
        may
    }
}

impl Pass<'_> {
    pub(super) fn ended<T>(mut self, result: &Result<T, CallError>) {
        self.told = true;
        let is_well = result.as_ref().err().is_none_or(|error| !is_its_trouble(error));
        self.breaker.ended(is_well, self.is_probe, Instant::now());
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if self.is_probe && !self.told {
            // The next call finds out.
            self.breaker.state().is_probed = false;
        }
    }
}

impl Breaker {
    /// Whether the call is the one that finds out.
    fn enter(&self, now: Instant) -> Result<bool, CallError> {
        let mut state = self.state();
        match state.open_until {
            None => Ok(false),
            Some(until) if now < until || state.is_probed => Err(CallError::Open),
            Some(_) => {
                state.is_probed = true;
                Ok(true)
            }
        }
    }

    fn ended(&self, is_well: bool, is_probe: bool, now: Instant) {
        if self.limit == 0 {
            return;
        }
        let mut state = self.state();
        if is_probe {
            state.is_probed = false;
        }
        if is_well {
            // A call from before the failures does not speak for now.
            if is_probe || state.open_until.is_none() {
                if state.open_until.is_some() {
                    self.tell(false);
                }
                *state = State::default();
            }
            return;
        }
        state.failures = state.failures.saturating_add(1);
        if is_probe || (state.open_until.is_none() && state.failures >= self.limit) {
            if state.open_until.is_none() {
                self.tell(true);
            }
            state.open_until = now.checked_add(self.pause);
        }
    }

    /// Tells operators that it has opened or closed.
    fn tell(&self, is_open: bool) {
        let subgraph = self.name.as_str();
        match is_open {
            true => tracing::warn!(
                subgraph,
                "a subgraph is left alone for a while, since it keeps failing"
            ),
            false => tracing::info!(subgraph, "a subgraph is well again"),
        }
        metrics::gauge!(SUBGRAPH_CIRCUIT_OPEN, "subgraph.name" => self.name.clone())
            .set(f64::from(u8::from(is_open)));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Budget {
    fn save(&self) {
        let full = REPETITIONS_SAVED * CALLS_FOR_ONE;
        let one_more = |saved: u32| (saved < full).then_some(saved + 1);
        // That it is full already is fine.
        let _ = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more);
    }

    fn spend(&self) -> bool {
        let less = |saved: u32| saved.checked_sub(CALLS_FOR_ONE);
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less)
            .is_ok()
    }
}

/// Whether the same call may succeed at once: the connection was the trouble, or a server says that it is busy.
fn is_passing(error: &CallError) -> bool {
    match error {
        CallError::Unreachable(_) | CallError::Closed(_) => true,
        CallError::Status(status) => matches!(status, 502..=504),
        _ => false,
    }
}

/// Whether the failure speaks against the subgraph as a whole, and not against this one answer.
fn is_its_trouble(error: &CallError) -> bool {
    match error {
        CallError::Unreachable(_) | CallError::Closed(_) | CallError::Timeout(_) => true,
        CallError::Status(status) => *status >= 500,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAUSE: Duration = Duration::from_secs(10);

    fn breaker(limit: u32) -> Breaker {
        Breaker {
            name: String::new(),
            limit,
            pause: PAUSE,
            state: Mutex::default(),
        }
    }

    fn fail(breaker: &Breaker, times: u32, now: Instant) {
        for _ in 0..times {
            let probe = breaker.enter(now).expect("closed");
            breaker.ended(false, probe, now);
        }
    }

    #[test]
    fn failures_in_a_row_open_it_and_a_success_between_them_does_not() {
        let (breaker, now) = (breaker(3), Instant::now());
        fail(&breaker, 2, now);
        breaker.ended(true, false, now);
        fail(&breaker, 3, now);
        assert!(matches!(breaker.enter(now), Err(CallError::Open)));
    }

    #[test]
    fn after_the_pause_one_call_finds_out() {
        let (breaker, now) = (breaker(1), Instant::now());
        fail(&breaker, 1, now);
        let later = now + PAUSE;
        assert!(matches!(breaker.enter(later), Ok(true)));
        assert!(breaker.enter(later).is_err(), "one is under way");
        breaker.ended(false, true, later);
        assert!(breaker.enter(later).is_err(), "it failed");
        let much_later = later + PAUSE;
        assert!(matches!(breaker.enter(much_later), Ok(true)));
        breaker.ended(true, true, much_later);
        assert!(matches!(breaker.enter(much_later), Ok(false)));
    }

    #[test]
    fn a_call_from_before_does_not_close_it() {
        let (breaker, now) = (breaker(2), Instant::now());
        let early = breaker.enter(now).expect("closed");
        fail(&breaker, 2, now);
        breaker.ended(true, early, now);
        assert!(breaker.enter(now).is_err());
    }

    #[tokio::test]
    async fn a_probe_that_is_given_up_leaves_it_to_the_next() {
        let mut config = SubgraphConfig::default();
        config.breaker.failures = 1;
        config.breaker.pause_ms = 0;
        let gate = Gate::new("x", &config);
        let pass = gate.enter().await.expect("closed");
        pass.ended::<()>(&Err(CallError::Status(500)));
        drop(gate.enter().await.expect("a probe"));
        assert!(gate.enter().await.is_ok());
    }

    #[test]
    fn without_a_limit_it_never_opens() {
        let (breaker, now) = (breaker(0), Instant::now());
        fail(&breaker, 1_000, now);
    }

    #[test]
    fn repetitions_run_out_and_come_back_with_calls() {
        let config = SubgraphConfig {
            retries: 1,
            ..SubgraphConfig::default()
        };
        let gate = Gate::new("x", &config);
        let error = CallError::Status(503);
        let repeated = (0..100).filter(|_| gate.may_repeat(&error, 0)).count();
        assert_eq!(repeated, REPETITIONS_SAVED as usize);
        (0..CALLS_FOR_ONE).for_each(|_| gate.count());
        assert!(gate.may_repeat(&error, 0));
        assert!(!gate.may_repeat(&error, 0));
    }

    #[test]
    fn only_passing_trouble_is_tried_again() {
        let gate = Gate::new("x", &SubgraphConfig::default());
        assert!(gate.may_repeat(&CallError::Closed(String::new()), 0));
        assert!(!gate.may_repeat(&CallError::Closed(String::new()), 1));
        for error in [
            CallError::Timeout(PAUSE),
            CallError::Status(500),
            CallError::Malformed(String::new()),
            CallError::TooLarge(1),
        ] {
            assert!(!gate.may_repeat(&error, 0), "{error}");
        }
    }
}
