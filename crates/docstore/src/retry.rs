//! Trying again what was overtaken by somebody else.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::error::{ConflictKind, came_from};

/// How often a use case runs before its conflict is the caller's.
const ATTEMPTS: u32 = 10;
const SHORTEST: Duration = Duration::from_millis(1);
const LONGEST: Duration = Duration::from_millis(50);

/// Runs a use case again when its commit was overtaken: when it failed because a document had another
/// version, or because an id or a unique key had come to exist. Refusals of the use case itself, a
/// `VERSION_MISMATCH` of its own included, are returned as they are. After ten runs the conflict is returned.
///
/// Not `AsyncFn`: a future made from one is not known to be `Send`, so it could not be spawned.
pub async fn retry_stale<T, F, Fut>(op: F) -> kernel::Result<T>
where
    F: Fn() -> Fut,
    Fut: Future<Output = kernel::Result<T>>,
{
    let mut attempt = 0;
    loop {
        let result = op().await;
        attempt += 1;
        match &result {
            Err(error) if attempt < ATTEMPTS && overtaken(error) => {
                tokio::time::sleep(pause(attempt, SHORTEST, LONGEST)).await;
            }
            _ => return result,
        }
    }
}

/// How long to wait before attempt number `attempt + 1`: twice as long each time, spread so that those who
/// collided do not collide again. Successive callers get numbers that lie far apart (the fractional parts of
/// multiples of the golden ratio), for which no randomness is needed.
pub(crate) fn pause(attempt: u32, shortest: Duration, longest: Duration) -> Duration {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
    let spread = CALLS.fetch_add(1, Ordering::Relaxed).wrapping_mul(GOLDEN);
    let fraction = (spread >> 11) as f64 / (1_u64 << 53) as f64;
    let base = shortest.saturating_mul(1 << attempt.min(16)).min(longest);
    base.mul_f64(0.5 + fraction / 2.0)
}

fn overtaken(error: &kernel::Error) -> bool {
    came_from(error, ConflictKind::Stale) || came_from(error, ConflictKind::Duplicate)
}

#[cfg(test)]
mod tests {
    use kernel::{Refusal, Text};

    use super::*;
    use crate::Error;

    async fn runs_of(failure: impl Fn() -> kernel::Error + Send + Sync + 'static) -> u32 {
        // Spawned, to hold that the future can move between threads.
        let task = tokio::spawn(async move {
            let runs = std::sync::atomic::AtomicU32::new(0);
            let result: kernel::Result<()> = retry_stale(async || {
                runs.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
                Err(failure())
            })
            .await;
            assert!(result.is_err());
            runs.into_inner()
        });
        task.await.unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn only_what_was_overtaken_runs_again() {
        assert_eq!(
            runs_of(|| Error::conflict("habits", ConflictKind::Stale).into()).await,
            ATTEMPTS
        );
        assert_eq!(
            runs_of(|| Error::duplicate("habits", "owner").into()).await,
            ATTEMPTS
        );
        assert_eq!(
            runs_of(|| Error::conflict("habits", ConflictKind::Missing).into()).await,
            1
        );
        assert_eq!(runs_of(|| Error::unavailable("away").into()).await, 1);
        let own = || Refusal::conflict("VERSION_MISMATCH", Text::new("version-mismatch")).into();
        assert_eq!(runs_of(own).await, 1);
    }

    #[test]
    fn pauses_grow_up_to_a_limit() {
        for attempt in 0..40 {
            let pause = pause(attempt, SHORTEST, LONGEST);
            assert!(pause >= SHORTEST / 2 && pause <= LONGEST, "{attempt}: {pause:?}");
        }
    }
}
