//! Token buckets: many who spend at once, what they give back, and who judges while a Redis is away.

use std::time::Duration;

use cache::{Bucket, Cache};
use futures::future::join_all;
use testkit::servers::Redis;

/// Refills so slowly that nothing comes back during a test.
const TEN: Bucket = Bucket {
    capacity: 10.0,
    refill_per_second: 1e-6,
};

pub(crate) async fn a_bucket_never_gives_more_than_it_holds(cache: Cache) {
    let tries = (0..64).map(|_| {
        let cache = cache.clone();
        tokio::spawn(async move { cache.try_spend("ann", 1.0, TEN).await.unwrap() })
    });
    let answers: Vec<_> = join_all(tries).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(answers.iter().filter(|answer| answer.allowed).count(), 10);
    let refused = answers.iter().find(|answer| !answer.allowed).unwrap();
    assert!(refused.retry_after > Duration::from_secs(900_000) && refused.reset > refused.retry_after);
    assert!(
        cache.try_spend("bob", 1.0, TEN).await.unwrap().allowed,
        "each key is a bucket of its own"
    );
    cache.delete("ann").await.unwrap();
    assert_eq!(cache.try_spend("ann", 4.0, TEN).await.unwrap().remaining, 6.0);
}

pub(crate) async fn what_was_not_spent_is_given_back_once_and_never_more_than_fits(cache: Cache) {
    let spent = cache.try_spend("ann", 8.0, TEN).await.unwrap();
    assert_eq!((spent.allowed, spent.is_local), (true, false));
    cache.give_back("ann", 5.0, TEN, &spent).await.unwrap();
    let left = cache.try_spend("ann", 0.0, TEN).await.unwrap().remaining;
    assert!((left - 7.0).abs() < 0.001, "{left}");
    cache.give_back("ann", 50.0, TEN, &spent).await.unwrap();
    let left = cache.try_spend("ann", 0.0, TEN).await.unwrap().remaining;
    assert!((left - 10.0).abs() < 0.001, "{left}");
    cache.give_back("ann", f64::NAN, TEN, &spent).await.unwrap();
    cache.give_back("ann", -3.0, TEN, &spent).await.unwrap();
    assert!(cache.try_spend("ann", 10.0, TEN).await.unwrap().allowed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_spent_while_redis_was_away_is_not_given_back_to_it() {
    let mut server = Redis::start().await;
    let cache = super::redis(server.url());
    super::durable(server.url()).await;
    let there = cache.try_spend("ann", 9.0, TEN).await.unwrap();
    server.kill();
    let here = cache.try_spend("ann", 4.0, TEN).await.unwrap();
    assert_eq!(
        (there.is_local, here.is_local, here.remaining),
        (false, true, 6.0)
    );
    // What was taken from the server is lost with it; what was taken here comes back here.
    cache.give_back("ann", 9.0, TEN, &there).await.unwrap();
    assert_eq!(cache.try_spend("ann", 0.0, TEN).await.unwrap().remaining, 6.0);
    cache.give_back("ann", 4.0, TEN, &here).await.unwrap();
    assert_eq!(cache.try_spend("ann", 0.0, TEN).await.unwrap().remaining, 10.0);
    server.restart().await;
    super::eventually(|| async { !cache.try_spend("ann", 0.0, TEN).await.unwrap().is_local }).await;
    cache.give_back("ann", 4.0, TEN, &here).await.unwrap();
    let left = cache.try_spend("ann", 0.0, TEN).await.unwrap().remaining;
    assert!((left - 1.0).abs() < 0.01, "{left}");
}
