//! A process or a server that is killed in the middle of emitting, relaying and handling.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use events::{BusConfig, Health, Relay};
use futures::future::join_all;
use kernel::UserId;
use serde::{Deserialize, Serialize};

use crate::world::{SOURCE, StoreAt, World, eventually};

/// Set for the process that is killed: what it does, as JSON.
const TASK: &str = "DAKA_TEST_EVENTS_TASK";

#[derive(Serialize, Deserialize)]
struct Task {
    store: StoreAt,
    bus: BusConfig,
    users: Vec<UserId>,
    first: i64,
}

/// Not a test by itself, but the process that is killed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_process_that_is_killed() {
    let Ok(task) = std::env::var(TASK) else {
        return;
    };
    let task: Task = serde_json::from_str(&task).unwrap();
    let world = World::new(&task.store.config(), task.bus, None).await;
    let bus = world.bus();
    world.relay(&bus);
    world.consume(&bus, "counter");
    join_all(task.users.iter().map(async |user| {
        for number in task.first.. {
            world.emit_all(*user, number..number + 1).await;
            println!("acknowledged {user} {number}");
        }
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn embedded_in_sqlite_nothing_acknowledged_is_lost_or_doubled() {
    let dir = testkit::data_dir();
    let store = StoreAt::Sqlite(dir.path().join("store.sqlite"));
    survives(store, BusConfig::Embedded).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn redis_with_mongodb_nothing_acknowledged_is_lost_or_doubled() {
    let bus = BusConfig::Redis {
        url: testkit::servers::redis_url(),
        prefix: testkit::unique_name("events"),
        streams: 4,
    };
    survives(StoreAt::Mongo(testkit::unique_name("events")), bus).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_redis_killed_under_load_costs_no_event_and_doubles_no_effect() {
    let mut server = testkit::servers::Redis::start().await;
    let world = World::redis(server.url()).await;
    let bus = world.bus();
    let tallies = world.consume(&bus, "counter");
    world.relay(&bus);
    let users = world.users(8);
    for round in 0..3_i64 {
        let (emitter, emitting) = (world.clone(), users.clone());
        let load = tokio::spawn(async move {
            let numbers = round * 40..(round + 1) * 40;
            join_all(
                emitting
                    .iter()
                    .map(|user| emitter.emit_all(*user, numbers.clone())),
            )
            .await;
        });
        // Die in the middle of it. The server syncs its log only every second: it forgets what it has
        // acknowledged last.
        eventually(async || tallies.count().await > (round * 320 + 40) as usize || load.is_finished()).await;
        server.kill();
        eventually(async || matches!(bus.health().await, Health::Degraded(_))).await;
        load.await.unwrap();
        server.restart().await;
        // Lost events come again, maybe after later ones; every one has its effect once.
        tallies.expect_sets(&users, 0..(round + 1) * 40).await;
    }
    assert_eq!(bus.health().await, Health::Ok);
    assert_eq!(bus.lag("counter").await.unwrap().dead, 0);
}

async fn survives(store: StoreAt, bus: BusConfig) {
    let world = World::new(&store.config(), bus.clone(), None).await;
    let users = world.users(4);
    let mut acknowledged: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for round in 0..3 {
        let task = Task {
            store: store.clone(),
            bus: bus.clone(),
            users: users.clone(),
            first: round * 1_000_000,
        };
        let task = serde_json::to_string(&task).unwrap();
        let lines = tokio::task::spawn_blocking(move || acknowledged_before_the_kill(&task, 60))
            .await
            .unwrap();
        for (user, number) in lines {
            acknowledged.entry(user).or_default().push(number);
        }
    }
    let bus = world.bus();
    world.relay(&bus);
    let tallies = world.consume(&bus, "counter");
    eventually(async || Relay::pending(&world.store, SOURCE).await.unwrap() == 0).await;
    eventually(async || bus.lag("counter").await.unwrap().waiting == 0).await;
    for user in &users {
        let seen = tallies.seen(user).await;
        assert!(
            seen.is_sorted_by(|one, next| one < next),
            "each once and in order: {seen:?}"
        );
        for number in acknowledged.remove(&user.to_string()).unwrap_or_default() {
            assert!(seen.binary_search(&number).is_ok(), "{number} was acknowledged");
        }
    }
}

/// Starts the process, and kills it after so many acknowledgements.
fn acknowledged_before_the_kill(task: &str, count: usize) -> Vec<(String, i64)> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["crash::the_process_that_is_killed", "--exact", "--nocapture"])
        .env(TASK, task)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut acknowledged = Vec::new();
    let mut killed = false;
    // What it wrote before it died counts, too.
    for line in lines.map_while(Result::ok) {
        if let Some((user, number)) = line
            .strip_prefix("acknowledged ")
            .and_then(|rest| rest.split_once(' '))
        {
            acknowledged.push((user.to_owned(), number.parse().unwrap()));
        }
        if acknowledged.len() >= count && !std::mem::replace(&mut killed, true) {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    assert!(acknowledged.len() >= count);
    acknowledged
}
