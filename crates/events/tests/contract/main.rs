//! What the outbox, the relay and the bus hold to, on every backend: embedded over SQLite, embedded over MongoDB, and
//! Redis with MongoDB.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod crash;
mod jobs;
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use docstore::Batch;
use events::{Event, HandlerError, Health, Lag, Outbox, Payload, Relay};
use futures::future::join_all;
use kernel::{Clock, Random, UserId};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use world::{Counted, SOURCE, Tallies, World, eventually, handler};

/// Runs each case on every backend.
macro_rules! on_every_backend {
    ($($case:ident)*) => {
        mod embedded_in_sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $case() {
                super::$case(super::World::sqlite().await).await;
            })*
        }
        mod embedded_in_mongodb {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $case() {
                super::$case(super::World::mongo().await).await;
            })*
        }
        mod redis_with_mongodb {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $case() {
                super::$case(super::World::redis(&testkit::servers::redis_url()).await).await;
            })*
        }
    };
}

on_every_backend! {
    a_users_events_come_in_their_order_while_others_come_too
    a_change_that_is_not_committed_tells_nothing
    every_group_gets_its_kinds_and_nothing_else
    a_handler_that_fails_now_and_then_misses_nothing
    an_outage_of_what_a_handler_needs_costs_no_event
    a_doubled_delivery_has_one_effect
    poison_goes_to_the_dead_letters_and_can_be_replayed
    a_crash_in_the_middle_of_handling_is_made_up_for_by_another_process
    a_relay_goes_on_where_another_stopped
    relays_that_race_carry_everything_once_in_effect
    processes_share_the_work_of_a_group_and_take_over_from_each_other
    what_waits_in_the_outbox_is_flushed_at_the_end
    tidying_keeps_what_a_group_still_needs
    a_late_group_gets_what_the_bus_still_has
    something_that_is_no_event_stops_nobody
}

async fn a_users_events_come_in_their_order_while_others_come_too(world: World) {
    let bus = world.bus();
    let tallies = world.consume(&bus, "counter");
    world.relay(&bus);
    let users = world.users(12);
    join_all(users.iter().map(|user| world.emit_all(*user, 0..25))).await;
    tallies.expect_each(&users, 0..25).await;
    eventually(async || bus.lag("counter").await.unwrap() == Lag { waiting: 0, dead: 0 }).await;
    assert_eq!(Relay::pending(&world.store, SOURCE).await.unwrap(), 0);
    assert_eq!(bus.health().await, Health::Ok);
}

async fn a_change_that_is_not_committed_tells_nothing(world: World) {
    let bus = world.bus();
    let tallies = world.consume(&bus, "counter");
    world.relay(&bus);
    let user = world.users(1)[0];
    world.emit_all(user, 0..1).await;
    let mut batch = Batch::new();
    world
        .outbox
        .emit(&mut batch, user, &Counted { number: 99 })
        .unwrap();
    batch
        .insert(&world::Tally::new("counter", user))
        .insert(&world::Tally::new("counter", user));
    assert!(world.store.commit(batch).await.is_err());
    world.emit_all(user, 1..3).await;
    tallies.expect_each(&[user], 0..3).await;
}

async fn every_group_gets_its_kinds_and_nothing_else(world: World) {
    let bus = world.bus();
    let (one, other) = (world.consume(&bus, "one"), world.consume(&bus, "other"));
    let (sender, mut heard) = mpsc::unbounded_channel();
    let renamed = handler(move |event: Event| {
        let sender = sender.clone();
        async move {
            sender.send(event.kind).unwrap();
            Ok(())
        }
    });
    world.spawn(world.consuming(&bus, "third", &[world::Renamed::KIND], renamed));
    world.relay(&bus);
    let user = world.users(1)[0];
    world.emit_all(user, 0..2).await;
    let mut batch = Batch::new();
    world.outbox.emit(&mut batch, user, &world::Renamed {}).unwrap();
    world.store.commit(batch).await.unwrap();
    world.emit_all(user, 2..4).await;
    one.expect_each(&[user], 0..4).await;
    other.expect_each(&[user], 0..4).await;
    assert_eq!(heard.recv().await.unwrap(), "test.renamed");
    eventually(async || bus.lag("third").await.unwrap().waiting == 0).await;
    assert!(heard.try_recv().is_err());
}

async fn a_handler_that_fails_now_and_then_misses_nothing(world: World) {
    let bus = world.bus();
    let tallies = Tallies::new(&world, "counter");
    let (tries, inner) = (Arc::new(Mutex::new(BTreeMap::new())), tallies.clone());
    let moody = handler(move |event: Event| {
        let try_number = {
            let mut tries = tries.lock().unwrap();
            let tried: &mut u32 = tries.entry(event.id.clone()).or_default();
            std::mem::replace(tried, *tried + 1)
        };
        let inner = inner.clone();
        async move {
            // Each event has a mood of its own, and fails at most as often as it may.
            match (event.payload_as::<Counted>()?.number % 4, try_number) {
                (1, 0) | (2, 0..3) => Err(HandlerError::failed("not today")),
                (3, 0) => panic!("not at all"),
                (3, 1) => {
                    // Done, and yet reported as failed: it comes again.
                    inner.record(&event).await?;
                    Err(HandlerError::failed("lost the answer"))
                }
                _ => inner.record(&event).await,
            }
        }
    });
    world.spawn(world.consuming(&bus, "counter", &[Counted::KIND], moody));
    world.relay(&bus);
    let users = world.users(4);
    join_all(users.iter().map(|user| world.emit_all(*user, 0..20))).await;
    tallies.expect_each(&users, 0..20).await;
    assert_eq!(bus.dead_letters("counter", 10).await.unwrap(), []);
}

async fn an_outage_of_what_a_handler_needs_costs_no_event(world: World) {
    let bus = world.bus();
    let tallies = Tallies::new(&world, "counter");
    let (outage, tries, inner) = (
        Arc::new(AtomicBool::new(true)),
        Arc::new(AtomicU32::new(0)),
        tallies.clone(),
    );
    let dependent = handler({
        let (outage, tries) = (outage.clone(), tries.clone());
        move |event: Event| {
            let (outage, tries, inner) = (outage.clone(), tries.clone(), inner.clone());
            async move {
                tries.fetch_add(1, Ordering::SeqCst);
                if outage.load(Ordering::SeqCst) {
                    return Err(kernel::Error::from(kernel::Refusal::unavailable(1)).into());
                }
                inner.record(&event).await
            }
        }
    });
    world.spawn(world.consuming(&bus, "counter", &[Counted::KIND], dependent));
    world.relay(&bus);
    let user = world.users(1)[0];
    world.emit_all(user, 0..3).await;
    // More often than it takes to become a dead letter.
    eventually(async || tries.load(Ordering::SeqCst) > world::TUNING.attempts + 2).await;
    outage.store(false, Ordering::SeqCst);
    tallies.expect_each(&[user], 0..3).await;
    assert_eq!(bus.lag("counter").await.unwrap().dead, 0);
}

async fn a_doubled_delivery_has_one_effect(world: World) {
    let bus = world.bus();
    let tallies = world.consume(&bus, "counter");
    let user = world.users(1)[0];
    let events: Vec<Event> = (0..5).map(|number| world.event(user, number)).collect();
    bus.publish(&events).await.unwrap();
    bus.publish(&events[..3]).await.unwrap();
    bus.publish(&[events.clone(), vec![world.event(user, 5)]].concat())
        .await
        .unwrap();
    tallies.expect_each(&[user], 0..6).await;
    eventually(async || bus.lag("counter").await.unwrap().waiting == 0).await;
    tallies.expect_each(&[user], 0..6).await;
}

async fn poison_goes_to_the_dead_letters_and_can_be_replayed(world: World) {
    let bus = world.bus();
    let tallies = Tallies::new(&world, "counter");
    let (healed, inner) = (Arc::new(AtomicBool::new(false)), tallies.clone());
    let allergic = handler({
        let healed = healed.clone();
        move |event: Event| {
            let (healed, inner) = (healed.clone(), inner.clone());
            async move {
                let Counted { number } = event.payload_as()?;
                if number == 1 && !healed.load(Ordering::SeqCst) {
                    return Err(HandlerError::failed("cannot stand a 1"));
                }
                inner.record(&event).await
            }
        }
    });
    world.spawn(world.consuming(&bus, "counter", &[Counted::KIND], allergic));
    let bystander = world.consume(&bus, "bystander");
    world.relay(&bus);
    let user = world.users(1)[0];
    world.emit_all(user, 0..4).await;
    tallies.expect(&user, &[0, 2, 3]).await;
    let letters = bus.dead_letters("counter", 10).await.unwrap();
    assert_eq!(letters.len(), 1);
    let letter = &letters[0];
    assert_eq!(letter.event.payload_as::<Counted>().unwrap().number, 1);
    assert_eq!(
        (letter.error.as_str(), letter.attempts),
        ("cannot stand a 1", world::TUNING.attempts)
    );
    assert_eq!(bus.lag("counter").await.unwrap().dead, 1);
    assert!(
        !bus.replay("bystander", &letter.event.id).await.unwrap(),
        "it is no dead letter of that group"
    );

    // Still poison: it comes back.
    assert!(bus.replay("counter", &letter.event.id).await.unwrap());
    eventually(async || bus.lag("counter").await.unwrap() == Lag { waiting: 0, dead: 1 }).await;
    healed.store(true, Ordering::SeqCst);
    assert!(bus.replay("counter", &letter.event.id).await.unwrap());
    tallies.expect(&user, &[0, 2, 3, 1]).await;
    assert_eq!(bus.dead_letters("counter", 10).await.unwrap(), []);
    bystander.expect_each(&[user], 0..4).await;
}

async fn a_crash_in_the_middle_of_handling_is_made_up_for_by_another_process(world: World) {
    let users = world.users(6);
    join_all(users.iter().map(|user| world.emit_all(*user, 0..10))).await;
    Relay::flush(&world.store, &world.bus(), SOURCE).await.unwrap();
    let tallies = Tallies::new(&world, "counter");
    // The first process handles some events, gets stuck in one of them, and dies with all that it holds.
    let (sender, mut stuck) = mpsc::unbounded_channel();
    let doomed = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let inner = tallies.clone();
    let stuck_at_seven = handler(move |event: Event| {
        let (sender, inner) = (sender.clone(), inner.clone());
        async move {
            let Counted { number } = event.payload_as()?;
            if number == 7 {
                inner.record(&event).await?;
                sender.send(()).unwrap();
                std::future::pending::<()>().await;
            }
            inner.record(&event).await
        }
    });
    let other = world.clone();
    doomed.spawn(async move {
        let bus = other.bus();
        bus.consume(
            "counter",
            &[Counted::KIND],
            stuck_at_seven,
            CancellationToken::new(),
        )
        .await;
    });
    stuck.recv().await.unwrap();
    doomed.shutdown_background();
    let survivor = world.bus();
    world.spawn(world.consuming(&survivor, "counter", &[Counted::KIND], tallies.handler()));
    tallies.expect_each(&users, 0..10).await;
}

async fn a_relay_goes_on_where_another_stopped(world: World) {
    let bus = world.bus();
    let tallies = world.consume(&bus, "counter");
    let users = world.users(3);
    let (emitter, emitting) = (world.clone(), users.clone());
    let emitting = tokio::spawn(async move {
        join_all(emitting.iter().map(|user| emitter.emit_all(*user, 0..60))).await;
    });
    while !emitting.is_finished() {
        let stop = CancellationToken::new();
        let relay = tokio::spawn(Relay::run(world.store.clone(), world.bus(), SOURCE, stop.clone()));
        let before = Relay::pending(&world.store, SOURCE).await.unwrap();
        eventually(async || {
            emitting.is_finished() || Relay::pending(&world.store, SOURCE).await.unwrap() != before
        })
        .await;
        // Every second one is not stopped but breaks off.
        stop.cancel();
        relay.await.unwrap();
        let relay = tokio::spawn(Relay::run(
            world.store.clone(),
            bus.clone(),
            SOURCE,
            CancellationToken::new(),
        ));
        tokio::task::yield_now().await;
        relay.abort();
    }
    emitting.await.unwrap();
    Relay::flush(&world.store, &bus, SOURCE).await.unwrap();
    tallies.expect_each(&users, 0..60).await;
}

async fn relays_that_race_carry_everything_once_in_effect(world: World) {
    let buses = [world.bus(), world.bus(), world.bus()];
    let tallies = world.consume(&buses[0], "counter");
    let (deliveries, seen) = (Arc::new(AtomicU32::new(0)), Arc::new(Mutex::new(BTreeSet::new())));
    let counting = handler({
        let (deliveries, seen) = (deliveries.clone(), seen.clone());
        move |event: Event| {
            deliveries.fetch_add(1, Ordering::SeqCst);
            seen.lock().unwrap().insert(event.id);
            async { Ok(()) }
        }
    });
    world.spawn(world.consuming(&buses[1], "watcher", &[Counted::KIND], counting));
    for bus in &buses {
        world.relay(bus);
    }
    let users = world.users(5);
    join_all(users.iter().map(|user| world.emit_all(*user, 0..40))).await;
    tallies.expect_each(&users, 0..40).await;
    eventually(async || seen.lock().unwrap().len() == 200).await;
    eventually(async || buses[1].lag("watcher").await.unwrap().waiting == 0).await;
    assert_eq!(deliveries.load(Ordering::SeqCst), 200, "only one of them works");
}

async fn processes_share_the_work_of_a_group_and_take_over_from_each_other(world: World) {
    let tallies = Tallies::new(&world, "counter");
    world.relay(&world.bus());
    let users = world.users(40);
    let process = |name: &'static str, heard: mpsc::UnboundedSender<&'static str>| {
        let (bus, inner, stop) = (world.bus(), tallies.clone(), CancellationToken::new());
        let telling = handler(move |event: Event| {
            let (heard, inner) = (heard.clone(), inner.clone());
            async move {
                inner.record(&event).await?;
                heard.send(name).map_err(HandlerError::failed)
            }
        });
        let token = stop.clone();
        let task =
            tokio::spawn(async move { bus.consume("counter", &[Counted::KIND], telling, token).await });
        (stop, task)
    };
    let (sender, mut heard) = mpsc::unbounded_channel();
    let (stop_one, one) = process("one", sender.clone());
    let (_stop_two, _two) = process("two", sender);
    // Once both are known to each other, both work.
    let mut number = 0;
    let mut names = BTreeSet::new();
    while names.len() < 2 {
        join_all(users.iter().map(|user| world.emit_all(*user, number..number + 1))).await;
        number += 1;
        for _ in &users {
            names.insert(heard.recv().await.unwrap());
        }
    }
    // One stops properly: it finishes what it has begun, and the other does the rest.
    stop_one.cancel();
    join_all(users.iter().map(|user| world.emit_all(*user, number..number + 2))).await;
    one.await.unwrap();
    tallies.expect_each(&users, 0..number + 2).await;
}

async fn what_waits_in_the_outbox_is_flushed_at_the_end(world: World) {
    let bus = world.bus();
    let stop = CancellationToken::new();
    let relay = tokio::spawn(Relay::run(world.store.clone(), bus.clone(), SOURCE, stop.clone()));
    let user = world.users(1)[0];
    world.emit_all(user, 0..1).await;
    eventually(async || Relay::pending(&world.store, SOURCE).await.unwrap() == 0).await;
    world.emit_all(user, 1..300).await;
    stop.cancel();
    relay.await.unwrap();
    assert_eq!(Relay::pending(&world.store, SOURCE).await.unwrap(), 0);
    world.consume(&bus, "counter").expect_each(&[user], 0..300).await;
}

async fn tidying_keeps_what_a_group_still_needs(world: World) {
    let bus = world.bus();
    let users = world.users(8);
    let idle = CancellationToken::new();
    let registered = tokio::spawn({
        let (bus, idle) = (bus.clone(), idle.clone());
        async move {
            bus.consume("slow", &[], handler(|_| async { Ok(()) }), idle)
                .await;
        }
    });
    let tallies = world.consume(&bus, "counter");
    join_all(users.iter().map(|user| world.emit_all(*user, 0..3))).await;
    Relay::flush(&world.store, &bus, SOURCE).await.unwrap();
    tallies.expect_each(&users, 0..3).await;
    eventually(async || bus.lag("slow").await.unwrap().waiting == 0).await;
    idle.cancel();
    registered.await.unwrap();
    join_all(users.iter().map(|user| world.emit_all(*user, 3..6))).await;
    Relay::flush(&world.store, &bus, SOURCE).await.unwrap();
    tallies.expect_each(&users, 0..6).await;
    eventually(async || bus.lag("counter").await.unwrap().waiting == 0).await;
    bus.tidy(Duration::ZERO).await.unwrap();
    assert_eq!(
        bus.lag("slow").await.unwrap().waiting,
        24,
        "the slow group has not done the last three of each"
    );
    let caught_up = Tallies::new(&world, "slow");
    world.spawn(world.consuming(&bus, "slow", &[Counted::KIND], caught_up.handler()));
    caught_up.expect_each(&users, 3..6).await;
    eventually(async || bus.lag("slow").await.unwrap().waiting == 0).await;
    bus.tidy(Duration::ZERO).await.unwrap();
}

async fn a_late_group_gets_what_the_bus_still_has(world: World) {
    let bus = world.bus();
    let users = world.users(5);
    join_all(users.iter().map(|user| world.emit_all(*user, 0..7))).await;
    Relay::flush(&world.store, &bus, SOURCE).await.unwrap();
    assert_eq!(bus.lag("late").await.unwrap(), Lag { waiting: 35, dead: 0 });
    world.consume(&bus, "late").expect_each(&users, 0..7).await;
}

async fn something_that_is_no_event_stops_nobody(world: World) {
    let bus = world.bus();
    let tallies = Tallies::new(&world, "counter");
    let inner = tallies.clone();
    let strict = handler(move |event: Event| {
        let inner = inner.clone();
        async move {
            // The details are not what the kind promises.
            event.payload_as::<Counted>()?;
            inner.record(&event).await
        }
    });
    world.spawn(world.consuming(&bus, "counter", &[Counted::KIND], strict));
    let user = world.users(1)[0];
    let odd = Event {
        payload: serde_json::json!({ "number": "many" }),
        ..world.event(user, 7)
    };
    bus.publish(&[world.event(user, 0), odd, world.event(user, 1)])
        .await
        .unwrap();
    tallies.expect_each(&[user], 0..2).await;
    assert_eq!(bus.dead_letters("counter", 2).await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_event_carries_who_when_and_which_trace() {
    let world = World::sqlite().await;
    let bus = world.bus();
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let outbox = Outbox::new("habit", Clock::system(), Random::seeded(5))
        .tracing_with(Arc::new(move || Some(trace.to_owned())));
    let (sender, mut heard) = mpsc::unbounded_channel();
    let listening = handler(move |event: Event| {
        let sender = sender.clone();
        async move {
            sender
                .send(event)
                .map_err(|_| HandlerError::failed("nobody listens"))
        }
    });
    world.spawn(world.consuming(&bus, "listener", &[Counted::KIND], listening));
    let user: UserId = world.users(1)[0];
    let mut batch = Batch::new();
    outbox.emit(&mut batch, user, &Counted { number: 4 }).unwrap();
    world.store.commit(batch).await.unwrap();
    Relay::flush(&world.store, &bus, "habit").await.unwrap();
    let event = heard.recv().await.unwrap();
    assert_eq!(
        (event.source.as_str(), event.user, event.id.len()),
        ("habit", user, 24)
    );
    assert_eq!(event.traceparent.as_deref(), Some(trace));
    assert_eq!(event.payload_as::<Counted>().unwrap(), Counted { number: 4 });
}
