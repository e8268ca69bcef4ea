//! Token buckets: what the memory backend computes, and what the script in Redis must compute too.

use std::time::Duration;

/// How much may be spent at once, and how fast it comes back.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bucket {
    /// What a full bucket holds, in units of cost. Above zero.
    pub capacity: f64,
    /// Units that come back each second. Zero: never.
    pub refill_per_second: f64,
}

/// What came of trying to spend.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spend {
    /// Whether the cost was taken out. If not, nothing was.
    pub allowed: bool,
    /// What the bucket holds now.
    pub remaining: f64,
    /// How long until the same cost can be spent, in whole milliseconds; zero when it was. [`Duration::MAX`] if
    /// that never comes, because the cost is above the capacity or the bucket does not refill.
    pub retry_after: Duration,
    /// How long until the bucket is full, in whole milliseconds. [`Duration::MAX`] if it does not refill.
    pub reset: Duration,
    /// Whether this process judged by itself because the server was away.
    pub is_local: bool,
}

/// What is stored of a bucket.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Level {
    /// What it held …
    pub(crate) tokens: f64,
    /// … at this millisecond since 1970.
    pub(crate) at: i64,
}

/// Costs may differ by this much from what the bucket holds: the rounding of many small refills.
pub(crate) const TOLERANCE: f64 = 1e-6;

/// Spends `cost` at `now` (milliseconds since 1970). A bucket that was never used is full. A clock that goes
/// backwards refills nothing and takes nothing.
pub(crate) fn spend(level: Option<Level>, now: i64, cost: f64, bucket: Bucket) -> (Level, Spend) {
    let bucket = bucket.sane();
    let cost = sane(cost);
    let Level { tokens, at } = refill(level, now, bucket);
    let allowed = cost <= tokens + TOLERANCE;
    let tokens = if allowed { (tokens - cost).max(0.0) } else { tokens };
    (Level { tokens, at }, bucket.answer(allowed, tokens, cost))
}

/// Puts `amount` back at `now`, as far as it fits.
pub(crate) fn give_back(level: Option<Level>, now: i64, amount: f64, bucket: Bucket) -> (Level, Spend) {
    let bucket = bucket.sane();
    let Level { tokens, at } = refill(level, now, bucket);
    let tokens = (tokens + sane(amount)).min(bucket.capacity);
    (Level { tokens, at }, bucket.answer(true, tokens, 0.0))
}

fn refill(level: Option<Level>, now: i64, bucket: Bucket) -> Level {
    let Some(level) = level else {
        return Level {
            tokens: bucket.capacity,
            at: now,
        };
    };
    let elapsed = now.saturating_sub(level.at).max(0) as f64;
    let tokens = sane(level.tokens) + elapsed * bucket.refill_per_second / 1000.0;
    Level {
        tokens: tokens.min(bucket.capacity),
        at: now.max(level.at),
    }
}

impl Bucket {
    /// The answer for a bucket that now holds `tokens`.
    pub(crate) fn answer(self, allowed: bool, tokens: f64, cost: f64) -> Spend {
        let bucket = self.sane();
        let retry_after = if allowed {
            Duration::ZERO
        } else if sane(cost) > bucket.capacity + TOLERANCE {
            Duration::MAX
        } else {
            bucket.time_for(sane(cost) - tokens)
        };
        Spend {
            allowed,
            remaining: tokens,
            retry_after,
            reset: bucket.time_for(bucket.capacity - tokens),
            is_local: false,
        }
    }

    /// The same bucket without negative or infinite numbers: a mistake in a configuration must refuse, not panic.
    pub(crate) fn sane(self) -> Self {
        Self {
            capacity: sane(self.capacity),
            refill_per_second: sane(self.refill_per_second),
        }
    }

    /// How long `tokens` take to come back, rounded up to milliseconds. Less than the tolerance is not waited for.
    fn time_for(self, tokens: f64) -> Duration {
        const LONGEST: f64 = 1e15;
        let tokens = tokens - TOLERANCE / 2.0;
        if tokens <= 0.0 {
            return Duration::ZERO;
        }
        let millis = (tokens * 1000.0 / self.refill_per_second).ceil();
        if millis < LONGEST {
            Duration::from_millis(millis as u64)
        } else {
            Duration::MAX
        }
    }
}

fn sane(number: f64) -> f64 {
    if number.is_finite() { number.max(0.0) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn buckets() -> impl Strategy<Value = Bucket> {
        (1.0..1000.0_f64, 0.01..500.0_f64).prop_map(|(capacity, refill_per_second)| Bucket {
            capacity,
            refill_per_second,
        })
    }

    fn steps() -> impl Strategy<Value = Vec<(i64, f64)>> {
        prop::collection::vec((0..5_000_i64, 0.0..300.0_f64), 1..60)
    }

    proptest! {
        #[test]
        fn never_more_is_spent_than_the_bucket_held_and_what_came_back(bucket in buckets(), steps in steps()) {
            let (mut level, mut now, mut spent) = (None, 0, 0.0);
            for (pause, cost) in steps {
                now += pause;
                let (next, answer) = spend(level, now, cost, bucket);
                if answer.allowed {
                    spent += cost;
                }
                prop_assert!(answer.remaining >= 0.0 && answer.remaining <= bucket.capacity);
                level = Some(next);
            }
            let limit = bucket.capacity + now as f64 * bucket.refill_per_second / 1000.0;
            prop_assert!(spent <= limit + 0.001, "{spent} of {limit}");
        }

        #[test]
        fn who_waits_as_long_as_told_may_spend(bucket in buckets(), steps in steps()) {
            let (mut level, mut now) = (None, 0);
            for (pause, cost) in steps {
                now += pause;
                let (next, answer) = spend(level, now, cost, bucket);
                if !answer.allowed && cost <= bucket.capacity {
                    let later = now + i64::try_from(answer.retry_after.as_millis()).unwrap();
                    prop_assert!(spend(Some(next), later, cost, bucket).1.allowed);
                }
                level = Some(next);
            }
        }

        #[test]
        fn after_the_reset_the_bucket_is_full(bucket in buckets(), steps in steps()) {
            let (mut level, mut now) = (None, 0);
            for (pause, cost) in steps {
                now += pause;
                let (next, answer) = spend(level, now, cost, bucket);
                let later = now + i64::try_from(answer.reset.as_millis()).unwrap();
                let full = spend(Some(next), later, 0.0, bucket).1;
                prop_assert!((full.remaining - bucket.capacity).abs() < 0.001);
                level = Some(next);
            }
        }

        #[test]
        fn what_is_given_back_can_be_spent_again_and_no_more(bucket in buckets(), cost in 0.0..1000.0_f64, back in 0.0..2000.0_f64) {
            let (level, spent) = spend(None, 0, cost, bucket);
            let (level, answer) = give_back(Some(level), 0, back, bucket);
            prop_assert!(level.tokens <= bucket.capacity);
            prop_assert!(answer.remaining >= spent.remaining);
            let expected = (spent.remaining + back).min(bucket.capacity);
            prop_assert!((answer.remaining - expected).abs() < TOLERANCE);
        }

        #[test]
        fn any_numbers_are_answered(
            tokens in any::<f64>(), at in any::<i64>(), now in any::<i64>(), cost in any::<f64>(),
            capacity in any::<f64>(), refill_per_second in any::<f64>(),
        ) {
            let bucket = Bucket { capacity, refill_per_second };
            let (level, answer) = spend(Some(Level { tokens, at }), now, cost, bucket);
            prop_assert!(level.tokens.is_finite() && level.tokens >= 0.0);
            prop_assert_eq!(answer.remaining, level.tokens);
        }
    }

    #[test]
    fn a_bucket_of_three_allows_three_and_then_one_a_second() {
        let bucket = Bucket {
            capacity: 3.0,
            refill_per_second: 1.0,
        };
        let mut level = None;
        let answers: Vec<_> = [0, 0, 0, 0, 999, 1000, 1000]
            .into_iter()
            .map(|now| {
                let (next, answer) = spend(level, now, 1.0, bucket);
                level = Some(next);
                (
                    answer.allowed,
                    answer.retry_after.as_millis(),
                    answer.reset.as_millis(),
                )
            })
            .collect();
        assert_eq!(
            answers,
            [
                (true, 0, 1000),
                (true, 0, 2000),
                (true, 0, 3000),
                (false, 1000, 3000),
                (false, 1, 2001),
                (true, 0, 3000),
                (false, 1000, 3000),
            ]
        );
    }

    #[test]
    fn what_can_never_be_spent_is_said_so() {
        let small = Bucket {
            capacity: 1.0,
            refill_per_second: 1.0,
        };
        assert_eq!(spend(None, 0, 2.0, small).1.retry_after, Duration::MAX);
        let closed = Bucket {
            capacity: 0.0,
            refill_per_second: 0.0,
        };
        let answer = spend(None, 0, 1.0, closed).1;
        assert!(!answer.allowed);
        assert_eq!(answer.retry_after, Duration::MAX);
    }

    #[test]
    fn a_clock_that_goes_backwards_gives_nothing_away() {
        let bucket = Bucket {
            capacity: 1.0,
            refill_per_second: 1.0,
        };
        let (level, _) = spend(None, 10_000, 1.0, bucket);
        let (level, answer) = spend(Some(level), 0, 1.0, bucket);
        assert!(!answer.allowed);
        assert!(!spend(Some(level), 10_500, 1.0, bucket).1.allowed);
        assert!(spend(Some(level), 11_000, 1.0, bucket).1.allowed);
    }
}
