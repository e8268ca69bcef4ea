//! What holds when many write at once.

use docstore::{Batch, DocStore, Document as _, Query, Update, retry_stale};
use futures::future::join_all;

use crate::{Fixture, Habit, on_both};

on_both! {
    no_increment_is_lost
    no_increment_is_lost_in_batches_over_two_documents
    increments_by_the_store_need_no_retry
    one_of_many_wins_a_unique_key
    one_of_many_wins_an_id
    several_processes_may_create_the_collections_at_once
    a_read_after_a_commit_sees_it
}

const MANY: usize = 64;
/// Every one of them runs until nobody is in its way, which takes much longer than twice as long for twice as many.
const SOME: usize = 16;

async fn increment(store: &DocStore, ids: &[&str]) -> kernel::Result<()> {
    let mut habits = Vec::new();
    for id in ids {
        habits.extend(store.collection::<Habit>().get(id).await?);
    }
    let mut batch = Batch::new();
    for habit in &mut habits {
        habit.position = habit.position.map(|position| position + 1);
        batch.replace(habit);
    }
    Ok(store.commit(batch).await?)
}

async fn increments(fixture: &Fixture, times: usize, ids: &'static [&'static str]) {
    for id in ids {
        fixture
            .habits()
            .insert(&Habit {
                position: Some(0),
                ..Habit::new(id)
            })
            .await
            .unwrap();
    }
    let tasks = (0..times).map(|_| {
        let store = fixture.store.clone();
        tokio::spawn(async move {
            // 64 at once are more than ten attempts are for; each loses to at least one that succeeds.
            while let Err(error) = retry_stale(async || increment(&store, ids).await).await {
                assert!(error.is_conflict("VERSION_MISMATCH"), "{error}");
            }
        })
    });
    for task in join_all(tasks).await {
        task.unwrap();
    }
    for id in ids {
        let habit = fixture.habits().get(id).await.unwrap().unwrap();
        assert_eq!(
            (habit.position, habit.version),
            (Some(times as i64), times as i64)
        );
    }
}

async fn no_increment_is_lost(fixture: &Fixture) {
    increments(fixture, MANY, &["h1"]).await;
}

async fn no_increment_is_lost_in_batches_over_two_documents(fixture: &Fixture) {
    increments(fixture, SOME, &["h1", "h2"]).await;
}

async fn increments_by_the_store_need_no_retry(fixture: &Fixture) {
    fixture.insert(&[Habit::new("h1"), Habit::new("h2")]).await;
    let tasks = (0..MANY).map(|n| {
        let store = fixture.store.clone();
        tokio::spawn(async move {
            let mut batch = Batch::new();
            batch.update::<Habit>("h1", Update::new().inc("count", 1));
            if n % 2 == 0 {
                batch.update::<Habit>("h2", Update::new().inc("count", 1));
            }
            store.commit(batch).await
        })
    });
    for result in join_all(tasks).await {
        result.unwrap().unwrap();
    }
    assert_eq!(
        fixture.habits().get("h1").await.unwrap().unwrap().count,
        Some(MANY as i64)
    );
    assert_eq!(
        fixture.habits().get("h2").await.unwrap().unwrap().count,
        Some(MANY as i64 / 2)
    );
}

async fn winners(fixture: &Fixture, habit: impl Fn(usize) -> Habit, index: &str) {
    let tasks = (0..MANY).map(|n| {
        let (store, habit) = (fixture.store.clone(), habit(n));
        tokio::spawn(async move {
            // Half of them in a transaction with another write.
            let mut batch = Batch::new();
            if n % 2 == 0 {
                batch.insert(&Habit::new(&format!("with-{n}")));
            }
            batch.insert(&habit);
            store.commit(batch).await.map(|()| habit)
        })
    });
    let mut won = Vec::new();
    for result in join_all(tasks).await {
        match result.unwrap() {
            Ok(habit) => won.push(habit),
            Err(error) => assert!(error.is_duplicate("habits", index), "{error}"),
        }
    }
    assert_eq!(won.len(), 1);
    let alone = fixture
        .habits()
        .find(Query::all().eq("title", "Won"))
        .await
        .unwrap();
    assert_eq!(alone, won);
    let companions = fixture
        .habits()
        .count(Query::all().eq("title", "Read"))
        .await
        .unwrap();
    assert!(companions <= 1);
}

async fn one_of_many_wins_a_unique_key(fixture: &Fixture) {
    let habit = |n: usize| Habit {
        code: Some("run".to_owned()),
        title: "Won".to_owned(),
        ..Habit::new(&format!("h{n}"))
    };
    winners(fixture, habit, "code").await;
}

async fn one_of_many_wins_an_id(fixture: &Fixture) {
    let habit = |_| Habit {
        title: "Won".to_owned(),
        ..Habit::new("h1")
    };
    winners(fixture, habit, "_id").await;
}

async fn several_processes_may_create_the_collections_at_once(fixture: &Fixture) {
    let tasks = (0..8).map(|_| {
        let config = fixture.config.clone();
        tokio::spawn(async move {
            let store = DocStore::open(&config).await?;
            store.ensure(&[Habit::COLLECTION]).await
        })
    });
    for result in join_all(tasks).await {
        result.unwrap().unwrap();
    }
}

async fn a_read_after_a_commit_sees_it(fixture: &Fixture) {
    let tasks = (0..8).map(|writer| {
        let habits = fixture.habits();
        tokio::spawn(async move {
            for n in 0..20 {
                let habit = Habit::new(&format!("{writer}-{n}"));
                habits.insert(&habit).await.unwrap();
                assert_eq!(habits.get(&habit.id).await.unwrap(), Some(habit));
            }
        })
    });
    for task in join_all(tasks).await {
        task.unwrap();
    }
}
