//! Pages: complete, in order, and stable while documents come.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU32, Ordering};

use docstore::{Order, Query};
use kernel::{Cursor, Direction, PageRequest};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use crate::{Fixture, Habit, on_both};

on_both! {
    pages_tell_whether_there_is_more
    a_page_goes_on_where_a_removed_item_was
}

/// Days of the habits that are there, and of those that come meanwhile; ties and nulls are frequent.
type Days = Vec<Option<u8>>;

fn habit(user: &str, id: String, day: Option<u8>) -> Habit {
    Habit {
        user_id: user.to_owned(),
        date: day.map(|day| format!("2026-03-{day:02}")),
        ..Habit::new(&format!("{user}-{id}"))
    }
}

fn latest(user: &str, order: Order) -> Query {
    Query::all().eq("userId", user).sort("date", order)
}

async fn pages_tell_whether_there_is_more(fixture: &Fixture) {
    let days = [None, None, Some(1), Some(2), Some(2), Some(2), Some(3)];
    let habits: Vec<_> = days
        .iter()
        .zip('a'..)
        .map(|(day, id)| habit("alice", id.into(), *day))
        .collect();
    fixture.insert(&habits).await;
    for order in [Order::Asc, Order::Desc] {
        let whole = fixture.habits().find(latest("alice", order)).await.unwrap();
        let everything = fixture
            .habits()
            .page(latest("alice", order), &PageRequest::first(99))
            .await
            .unwrap();
        let cursors: Vec<Cursor> = everything
            .items
            .iter()
            .map(|(cursor, _)| cursor.clone())
            .collect();
        assert_eq!(everything.into_items(), whole);
        for (position, cursor) in cursors.iter().enumerate() {
            for limit in 0..=whole.len() + 1 {
                // As a client hands it back.
                let from = Some(Cursor::decode(&cursor.encode()).unwrap());
                let request = |direction| PageRequest {
                    limit,
                    direction,
                    from: from.clone(),
                };
                let end = (position + 1 + limit).min(whole.len());
                let page = fixture
                    .habits()
                    .page(latest("alice", order), &request(Direction::Forward))
                    .await
                    .unwrap();
                assert_eq!((page.has_previous, page.has_next), (true, end < whole.len()));
                assert_eq!(page.into_items(), whole[position + 1..end]);
                let start = position.saturating_sub(limit);
                let page = fixture
                    .habits()
                    .page(latest("alice", order), &request(Direction::Backward))
                    .await
                    .unwrap();
                assert_eq!((page.has_previous, page.has_next), (start > 0, true));
                assert_eq!(page.into_items(), whole[start..position]);
            }
        }
        let last = PageRequest {
            limit: 2,
            direction: Direction::Backward,
            from: None,
        };
        let page = fixture
            .habits()
            .page(latest("alice", order), &last)
            .await
            .unwrap();
        assert_eq!((page.has_previous, page.has_next), (true, false));
        assert_eq!(page.into_items(), whole[whole.len() - 2..]);
    }
    let none = fixture
        .habits()
        .page(latest("bob", Order::Asc), &PageRequest::first(1))
        .await
        .unwrap();
    assert!(none.items.is_empty() && !none.has_next && !none.has_previous);
}

async fn a_page_goes_on_where_a_removed_item_was(fixture: &Fixture) {
    let habits: Vec<_> = (1..=4)
        .map(|day| habit("alice", day.to_string(), Some(day)))
        .collect();
    fixture.insert(&habits).await;
    let first = fixture
        .habits()
        .page(latest("alice", Order::Asc), &PageRequest::first(2))
        .await
        .unwrap();
    let from = first.items.last().map(|(cursor, _)| cursor.clone());
    let mut batch = docstore::Batch::new();
    batch.delete::<Habit>("alice-1").delete::<Habit>("alice-2");
    fixture.store.commit(batch).await.unwrap();
    let request = PageRequest {
        from,
        ..PageRequest::first(2)
    };
    let second = fixture
        .habits()
        .page(latest("alice", Order::Asc), &request)
        .await
        .unwrap();
    assert!(!second.has_previous && !second.has_next);
    assert_eq!(second.into_items(), habits[2..]);
}

/// Walks all pages while habits are inserted at all places.
async fn walk(
    fixture: &Fixture,
    user: &str,
    there: &Days,
    coming: &Days,
    limit: usize,
    order: Order,
    direction: Direction,
) {
    let known: Vec<_> = there
        .iter()
        .enumerate()
        .map(|(n, day)| habit(user, format!("{n:03}"), *day))
        .collect();
    fixture.insert(&known).await;
    let expected = fixture.habits().find(latest(user, order)).await.unwrap();

    let (habits, owner) = (fixture.habits(), user.to_owned());
    let coming = coming.clone();
    let inserting = tokio::spawn(async move {
        for (n, day) in coming.into_iter().enumerate() {
            // Ids before, between and after those that are there.
            habits
                .insert(&habit(&owner, format!("{:03}-new", n * 7 % 50), day))
                .await
                .unwrap();
        }
    });
    let mut walked = Vec::new();
    let mut from = None;
    loop {
        let request = PageRequest {
            limit,
            direction,
            from,
        };
        let page = fixture
            .habits()
            .page(latest(user, order), &request)
            .await
            .unwrap();
        let (more, edge) = match direction {
            Direction::Forward => (page.has_next, page.items.last()),
            Direction::Backward => (page.has_previous, page.items.first()),
        };
        from = edge.map(|(cursor, _)| cursor.clone());
        let items = page.into_items();
        match direction {
            Direction::Forward => walked.extend(items),
            Direction::Backward => drop(walked.splice(0..0, items)),
        }
        if !more {
            break;
        }
    }
    inserting.await.unwrap();

    let ids: HashSet<&str> = walked.iter().map(|habit| habit.id.as_str()).collect();
    assert_eq!(ids.len(), walked.len(), "no item comes twice");
    let before: Vec<Habit> = walked
        .iter()
        .filter(|habit| !habit.id.ends_with("-new"))
        .cloned()
        .collect();
    assert_eq!(before, expected, "every item that was there comes once, in order");
    let all = fixture.habits().find(latest(user, order)).await.unwrap();
    let in_order: Vec<Habit> = all
        .into_iter()
        .filter(|habit| ids.contains(habit.id.as_str()))
        .collect();
    assert_eq!(walked, in_order, "all that came is in order");
}

fn pages_are_stable(cases: u32, open: impl Future<Output = Fixture>) {
    static USERS: AtomicU32 = AtomicU32::new(0);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let fixture = runtime.block_on(open);
    let day = || prop_oneof![Just(None), (1_u8..5).prop_map(Some)];
    let days = |count| prop::collection::vec(day(), 0..count);
    let order = prop_oneof![Just(Order::Asc), Just(Order::Desc)];
    let direction = prop_oneof![Just(Direction::Forward), Just(Direction::Backward)];
    let config = ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    TestRunner::new(config)
        .run(
            &(days(40), days(20), 1_usize..7, order, direction),
            |(there, coming, limit, order, direction)| {
                let user = format!("user{}", USERS.fetch_add(1, Ordering::Relaxed));
                runtime.block_on(walk(&fixture, &user, &there, &coming, limit, order, direction));
                Ok(())
            },
        )
        .unwrap();
}

#[test]
fn pages_are_stable_while_items_come_on_sqlite() {
    pages_are_stable(64, Fixture::sqlite());
}

#[test]
fn pages_are_stable_while_items_come_on_mongodb() {
    pages_are_stable(32, Fixture::mongodb());
}
