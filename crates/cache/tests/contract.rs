//! What every backend of the cache holds to, and what happens while a Redis is away.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

#[path = "contract/buckets.rs"]
mod buckets;
#[path = "contract/many.rs"]
mod many;

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use cache::{Bucket, Cache, CacheConfig, Error, Health};
use futures::future::join_all;
use jiff::SignedDuration;
use kernel::{Clock, ManualClock};
use testkit::servers::Redis;

use buckets::{
    a_bucket_never_gives_more_than_it_holds, what_was_not_spent_is_given_back_once_and_never_more_than_fits,
};
use many::*;

const MINUTE: Duration = Duration::from_secs(60);

fn memory() -> Cache {
    Cache::open(&CacheConfig::default(), Clock::system()).unwrap()
}

fn redis(url: &str) -> Cache {
    let config = CacheConfig::Redis {
        url: url.to_owned(),
        prefix: testkit::unique_name("cache"),
    };
    Cache::open(&config, Clock::system()).unwrap()
}

/// Runs each case on every backend.
macro_rules! on_every_backend {
    ($($case:ident)*) => {
        mod in_memory {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $case() {
                super::$case(super::memory()).await;
            })*
        }
        mod in_redis {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $case() {
                super::$case(super::redis(&testkit::servers::redis_url())).await;
            })*
        }
    };
}

on_every_backend! {
    a_value_is_read_as_it_was_written
    a_value_of_another_shape_counts_as_absent
    the_first_of_many_sets_the_value
    one_of_many_takes_the_value
    concurrent_increments_all_count
    a_counter_that_would_overflow_or_is_none_is_refused
    many_who_want_a_value_load_it_once
    a_failed_load_is_everybodys_own_and_keeps_nothing
    a_cancelled_load_is_taken_over
    a_leaderboard_is_read_from_the_top
    concurrent_scores_all_count
    a_bucket_never_gives_more_than_it_holds
    what_was_not_spent_is_given_back_once_and_never_more_than_fits
    kinds_do_not_mix
    what_expires_is_gone
    it_is_healthy
    many_values_are_read_and_written_at_once
    nothing_at_once_is_fine
    all_who_set_what_is_absent_get_the_same
}

async fn a_value_is_read_as_it_was_written(cache: Cache) {
    assert_eq!(cache.get::<String>("name").await, Ok(None));
    cache.set("name", "打卡 \"quoted\"\n", MINUTE).await.unwrap();
    assert_eq!(cache.get("name").await, Ok(Some("打卡 \"quoted\"\n".to_owned())));
    cache
        .set_strict("name", &vec![Some(1), None], MINUTE)
        .await
        .unwrap();
    assert_eq!(cache.get_strict("name").await, Ok(Some(vec![Some(1), None])));
    cache.delete("name").await.unwrap();
    cache.delete("name").await.unwrap();
    assert_eq!(cache.get::<String>("name").await, Ok(None));
}

async fn a_value_of_another_shape_counts_as_absent(cache: Cache) {
    cache.set("user", &("Ann", 3), MINUTE).await.unwrap();
    assert_eq!(cache.get::<bool>("user").await, Ok(None));
    let loaded = cache
        .get_or_load("user", MINUTE, || async { Ok::<_, Error>(true) })
        .await;
    assert_eq!(loaded, Ok(true));
    assert_eq!(cache.get("user").await, Ok(Some(true)));
}

async fn the_first_of_many_sets_the_value(cache: Cache) {
    let tries = (0..64).map(|i| {
        let cache = cache.clone();
        tokio::spawn(async move { (i, cache.set_if_absent("lock", &i, MINUTE).await.unwrap()) })
    });
    let winners: Vec<i32> = join_all(tries)
        .await
        .into_iter()
        .map(Result::unwrap)
        .filter_map(|(i, won)| won.then_some(i))
        .collect();
    assert_eq!(winners.len(), 1);
    assert_eq!(cache.get("lock").await, Ok(Some(winners[0])));
    cache.delete_strict("lock").await.unwrap();
    assert_eq!(cache.set_if_absent("lock", &99, MINUTE).await, Ok(true));
}

async fn one_of_many_takes_the_value(cache: Cache) {
    cache.set("code", "secret", MINUTE).await.unwrap();
    let tries = (0..64).map(|_| {
        let cache = cache.clone();
        tokio::spawn(async move { cache.take::<String>("code").await.unwrap() })
    });
    let found: Vec<String> = join_all(tries)
        .await
        .into_iter()
        .filter_map(Result::unwrap)
        .collect();
    assert_eq!(found, ["secret"]);
}

async fn concurrent_increments_all_count(cache: Cache) {
    let tries = (0..64).map(|_| {
        let cache = cache.clone();
        tokio::spawn(async move { cache.increment("views", 2, MINUTE).await.unwrap() })
    });
    let mut sums: Vec<i64> = join_all(tries).await.into_iter().map(Result::unwrap).collect();
    sums.sort_unstable();
    assert_eq!(sums, (1..=64).map(|i| i * 2).collect::<Vec<_>>());
    assert_eq!(cache.increment("views", -128, MINUTE).await, Ok(0));
    assert_eq!(cache.get::<i64>("views").await, Ok(Some(0)));
}

async fn a_counter_that_would_overflow_or_is_none_is_refused(cache: Cache) {
    cache.increment("count", i64::MAX, MINUTE).await.unwrap();
    assert!(matches!(
        cache.increment("count", 1, MINUTE).await,
        Err(Error::Invalid(_))
    ));
    assert_eq!(cache.get("count").await, Ok(Some(i64::MAX)));
    cache.set("text", "many", MINUTE).await.unwrap();
    assert!(matches!(
        cache.increment("text", 1, MINUTE).await,
        Err(Error::Invalid(_))
    ));
    assert_eq!(
        cache.health().await,
        Health::Ok,
        "a mistake of the caller is no outage"
    );
}

async fn many_who_want_a_value_load_it_once(cache: Cache) {
    let loads = Arc::new(AtomicU32::new(0));
    let everybody_asked = Arc::new(tokio::sync::Barrier::new(33));
    let asks = (0..32).map(|_| {
        let (cache, loads, barrier) = (cache.clone(), loads.clone(), everybody_asked.clone());
        tokio::spawn(async move {
            let load = || async {
                loads.fetch_add(1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                Ok::<_, Error>("loaded".to_owned())
            };
            barrier.wait().await;
            cache.get_or_load("profile", MINUTE, load).await.unwrap()
        })
    });
    let asks: Vec<_> = asks.collect();
    everybody_asked.wait().await;
    for value in join_all(asks).await {
        assert_eq!(value.unwrap(), "loaded");
    }
    assert_eq!(loads.load(Ordering::SeqCst), 1);
}

async fn a_failed_load_is_everybodys_own_and_keeps_nothing(cache: Cache) {
    let asks = (0..8).map(|i| {
        let cache = cache.clone();
        tokio::spawn(async move {
            let load = || async { Err::<i32, String>(format!("failure {i}")) };
            cache.get_or_load("broken", MINUTE, load).await
        })
    });
    for (i, result) in join_all(asks).await.into_iter().enumerate() {
        assert_eq!(result.unwrap(), Err(format!("failure {i}")));
    }
    assert_eq!(cache.get::<i32>("broken").await, Ok(None));
}

async fn a_cancelled_load_is_taken_over(cache: Cache) {
    let (started, has_started) = tokio::sync::oneshot::channel();
    let pilot = tokio::spawn({
        let cache = cache.clone();
        async move {
            let load = || async {
                started.send(()).unwrap();
                std::future::pending::<Result<i32, Error>>().await
            };
            cache.get_or_load("slow", MINUTE, load).await
        }
    });
    has_started.await.unwrap();
    let passenger = tokio::spawn({
        let cache = cache.clone();
        async move {
            cache
                .get_or_load("slow", MINUTE, || async { Ok::<_, Error>(7) })
                .await
        }
    });
    pilot.abort();
    assert_eq!(passenger.await.unwrap(), Ok(7));
}

async fn a_leaderboard_is_read_from_the_top(cache: Cache) {
    let board = cache.sorted_set("streaks");
    assert_eq!(board.top(0..10).await, Ok(vec![]));
    assert_eq!(board.rank("ann").await, Ok(None));
    for (member, score) in [
        ("ann", 3.0),
        ("bob", 10.5),
        ("cyd", 3.0),
        ("dan", -1.0),
        ("eve", -0.0),
    ] {
        board.set(member, score).await.unwrap();
    }
    assert_eq!(board.add("dan", 1.0).await, Ok(0.0));
    let top = board.top(0..10).await.unwrap();
    let names: Vec<&str> = top.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["bob", "cyd", "ann", "eve", "dan"]);
    assert_eq!(top[0].1, 10.5);
    assert_eq!(board.top(1..3).await.unwrap(), top[1..3]);
    assert_eq!(board.top(4..usize::MAX).await.unwrap(), top[4..]);
    assert_eq!(board.top(9..10).await, Ok(vec![]));
    assert_eq!(board.top(2..2).await, Ok(vec![]));
    assert_eq!(board.rank("ann").await, Ok(Some(2)));
    assert_eq!(board.score("ann").await, Ok(Some(3.0)));
    board.remove("bob").await.unwrap();
    board.remove("bob").await.unwrap();
    assert_eq!(board.rank("cyd").await, Ok(Some(0)));
    assert!(matches!(board.set("nan", f64::NAN).await, Err(Error::Invalid(_))));
    cache.delete("streaks").await.unwrap();
    assert_eq!(board.top(0..10).await, Ok(vec![]));
}

async fn concurrent_scores_all_count(cache: Cache) {
    let board = cache.sorted_set("points");
    let adds = (0..64).map(|i| {
        let board = board.clone();
        tokio::spawn(async move { board.add(&format!("member-{}", i % 4), 1.0).await.unwrap() })
    });
    join_all(adds).await;
    let top = board.top(0..9).await.unwrap();
    assert_eq!(top.len(), 4);
    assert!(top.iter().all(|(_, score)| *score == 16.0));
}

async fn kinds_do_not_mix(cache: Cache) {
    let bucket = Bucket {
        capacity: 1.0,
        refill_per_second: 0.0,
    };
    cache.try_spend("bucket", 1.0, bucket).await.unwrap();
    assert!(matches!(cache.get::<i32>("bucket").await, Err(Error::Invalid(_))));
    assert!(matches!(
        cache.take::<i32>("bucket").await,
        Err(Error::Invalid(_))
    ));
    assert!(matches!(
        cache.increment("bucket", 1, MINUTE).await,
        Err(Error::Invalid(_))
    ));
    cache.set("value", &1, MINUTE).await.unwrap();
    assert!(matches!(
        cache.try_spend("value", 1.0, bucket).await,
        Err(Error::Invalid(_))
    ));
}

async fn what_expires_is_gone(cache: Cache) {
    let moment = Duration::from_millis(20);
    cache.set("value", &1, moment).await.unwrap();
    cache.set("lasting", &1, MINUTE).await.unwrap();
    cache.set_if_absent("lock", &1, moment).await.unwrap();
    cache.increment("count", 1, moment).await.unwrap();
    eventually(async || cache.get::<i32>("value").await == Ok(None)).await;
    eventually(async || cache.set_if_absent("lock", &2, MINUTE).await == Ok(true)).await;
    eventually(async || cache.get::<i32>("count").await == Ok(None)).await;
    assert_eq!(cache.increment("count", 1, MINUTE).await, Ok(1));
    assert_eq!(cache.get("lasting").await, Ok(Some(1)));
}

async fn it_is_healthy(cache: Cache) {
    assert_eq!(cache.health().await, Health::Ok);
}

#[tokio::test]
async fn in_memory_a_value_lives_to_the_millisecond() {
    let manual = ManualClock::at("2026-03-29T01:00:00Z".parse().unwrap());
    let cache = Cache::open(&CacheConfig::default(), manual.clock()).unwrap();
    cache.set("value", &1, MINUTE).await.unwrap();
    cache.increment("count", 1, MINUTE).await.unwrap();
    manual.advance(SignedDuration::from_millis(59_999));
    assert_eq!(cache.increment("count", 1, MINUTE).await, Ok(2));
    assert_eq!(cache.get("value").await, Ok(Some(1)));
    manual.advance(SignedDuration::from_millis(1));
    assert_eq!(cache.get::<i32>("value").await, Ok(None));
    assert_eq!(cache.take::<i32>("value").await, Ok(None));
    assert_eq!(
        cache.increment("count", 1, MINUTE).await,
        Ok(1),
        "an increment does not prolong a counter"
    );
}

#[tokio::test]
async fn in_memory_no_more_is_kept_than_configured() {
    let config = CacheConfig::Memory { max_entries: 100 };
    let cache = Cache::open(&config, Clock::system()).unwrap();
    for i in 0..10_000 {
        cache.set(&format!("value-{i}"), &i, MINUTE).await.unwrap();
        assert_eq!(
            cache.get(&format!("value-{i}")).await,
            Ok(Some(i)),
            "the newest is always kept"
        );
    }
    let mut kept = 0;
    for i in 0..9_000 {
        kept += usize::from(cache.get::<i32>(&format!("value-{i}")).await.unwrap().is_some());
    }
    assert_eq!(kept, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_redis_that_never_was_is_told_by_health_and_hangs_nobody() {
    let cache = redis("redis://127.0.0.1:9/");
    assert!(matches!(cache.health().await, Health::Degraded(_)));
    cache.set("value", &1, MINUTE).await.unwrap();
    assert_eq!(cache.get("value").await, Ok(Some(1)), "this process remembers");
    assert!(matches!(
        cache.set_if_absent("lock", &1, MINUTE).await,
        Err(Error::Unavailable(_))
    ));
    assert!(matches!(
        cache.take::<i32>("value").await,
        Err(Error::Unavailable(_))
    ));
    assert!(matches!(
        cache.increment("count", 1, MINUTE).await,
        Err(Error::Unavailable(_))
    ));
    assert!(matches!(
        cache.get_strict::<i32>("value").await,
        Err(Error::Unavailable(_))
    ));
    assert!(matches!(
        cache.sorted_set("board").top(0..3).await,
        Err(Error::Unavailable(_))
    ));
    let bucket = Bucket {
        capacity: 1.0,
        refill_per_second: 0.0,
    };
    assert!(cache.try_spend("ann", 1.0, bucket).await.unwrap().allowed);
    assert!(
        !cache.try_spend("ann", 1.0, bucket).await.unwrap().allowed,
        "judged by this process"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_redis_that_accepts_and_never_answers_hangs_nobody() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let cache = redis(&format!("redis://{}/", silent.local_addr().unwrap()));
    let asks = (0..500).map(|i| {
        let cache = cache.clone();
        tokio::spawn(async move { cache.get::<i32>(&format!("value-{i}")).await })
    });
    for answer in join_all(asks).await {
        assert_eq!(answer.unwrap(), Ok(None));
    }
    assert!(matches!(cache.health().await, Health::Degraded(_)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_changed_while_redis_was_away_does_not_come_back_outdated() {
    let mut server = Redis::start().await;
    let cache = redis(server.url());
    cache.set("name", "Ann", MINUTE).await.unwrap();
    cache.set("role", "admin", MINUTE).await.unwrap();
    cache.set("zone", "Asia/Shanghai", MINUTE).await.unwrap();
    durable(server.url()).await;
    server.kill();
    cache.delete("role").await.unwrap();
    cache.set("name", "Anna", MINUTE).await.unwrap();
    assert_eq!(cache.get("name").await, Ok(Some("Anna".to_owned())));
    assert_eq!(cache.get::<String>("zone").await, Ok(None));
    server.restart().await;
    eventually(async || cache.health().await == Health::Ok).await;
    assert_eq!(cache.get::<String>("role").await, Ok(None));
    assert_eq!(cache.get::<String>("name").await, Ok(None));
    assert_eq!(cache.get("zone").await, Ok(Some("Asia/Shanghai".to_owned())));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_redis_killed_under_load_keeps_every_acknowledged_increment() {
    let mut server = Redis::start().await;
    durable(server.url()).await;
    let cache = redis(server.url());
    let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let done = Arc::new(AtomicU32::new(0));
    let writers: Vec<_> = (0..8)
        .map(|i| {
            let (cache, stop, done) = (cache.clone(), stop.clone(), done.clone());
            tokio::spawn(async move {
                let (mut acknowledged, mut unknown) = (0_i64, 0_i64);
                while !stop.load(Ordering::SeqCst) {
                    match cache.increment(&format!("count-{i}"), 1, MINUTE).await {
                        Ok(_) => {
                            acknowledged += 1;
                            done.fetch_add(1, Ordering::SeqCst);
                        }
                        Err(Error::Unavailable(_)) => {
                            unknown += 1;
                            // Refusals come at once while the server is away.
                            tokio::task::yield_now().await;
                        }
                        Err(error) => panic!("{error}"),
                    }
                }
                (acknowledged, unknown)
            })
        })
        .collect();
    eventually(async || done.load(Ordering::SeqCst) > 200).await;
    server.kill();
    eventually(async || matches!(cache.health().await, Health::Degraded(_))).await;
    server.restart().await;
    let before = done.load(Ordering::SeqCst);
    eventually(async || done.load(Ordering::SeqCst) > before + 200).await;
    stop.store(true, Ordering::SeqCst);
    for (i, writer) in writers.into_iter().enumerate() {
        let (acknowledged, unknown) = writer.await.unwrap();
        let counted = cache.increment(&format!("count-{i}"), 0, MINUTE).await.unwrap();
        assert!(
            (acknowledged..=acknowledged + unknown).contains(&counted),
            "{counted} counted, {acknowledged} acknowledged, {unknown} unknown"
        );
        // An increment is sent once: at most the one that was under way when the server died is in doubt.
        assert!(
            counted <= acknowledged + 1,
            "{counted} counted, {acknowledged} acknowledged"
        );
    }
}

/// Makes a private server write each change to the disk before it acknowledges it.
async fn durable(url: &str) {
    let client = ::redis::Client::open(url).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let () = ::redis::cmd("CONFIG")
        .arg(&["SET", "appendfsync", "always"])
        .query_async(&mut connection)
        .await
        .unwrap();
}

/// Waits until it holds, and fails when that takes too long for any machine.
async fn eventually<F: Future<Output = bool>>(holds: impl Fn() -> F) {
    let wait = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), wait)
        .await
        .expect("it comes to hold");
}
