//! Rows and transactions.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use kernel::{ErrorCode, Refusal};
use relstore::{Error, RelStore, is_unique_violation};
use sea_orm::entity::prelude::*;
use sea_orm::{ExprTrait as _, IntoActiveModel as _, QuerySelect as _, Set};
use tokio::sync::Barrier;

use crate::{Fixture, account, entry, on_both, open_account, record};

on_both! {
    texts_and_instants_come_back_as_they_were
    keys_are_compared_by_their_bytes
    one_of_many_wins_a_unique_key
    no_increment_is_lost
    a_failed_transaction_leaves_nothing
    what_work_refuses_comes_out_as_it_was
    a_dropped_transaction_leaves_nothing
    rows_need_what_they_refer_to
    a_reopened_store_has_everything
}

const MANY: usize = 64;

async fn texts_and_instants_come_back_as_they_were(fixture: &Fixture) {
    let name = "打卡 🎉 \u{1F469}\u{200D}\u{1F4BB} \"quoted\" \\ '; DROP TABLE accounts; --";
    let instants = [0, -1, 1_774_746_000_123, i64::MAX, i64::MIN];
    for instant in instants {
        let name = format!("{name}{instant}");
        open_account(fixture.store.connection(), &name, instant)
            .await
            .unwrap();
        let expected = account::Model {
            name: name.clone(),
            points: 0,
            created_at: instant,
        };
        assert_eq!(fixture.account(&name).await, Some(expected));
    }
}

async fn keys_are_compared_by_their_bytes(fixture: &Fixture) {
    for name in ["a", "A", "á", "ß", "ss", "🎉", "🎊"] {
        open_account(fixture.store.connection(), name, 0).await.unwrap();
    }
    let again = open_account(fixture.store.connection(), "🎉", 0)
        .await
        .unwrap_err();
    assert!(is_unique_violation(&again), "{again}");
}

async fn one_of_many_wins_a_unique_key(fixture: &Fixture) {
    open_account(fixture.store.connection(), "alice", 0)
        .await
        .unwrap();
    let tasks = (0..MANY).map(|_| {
        let store = fixture.store.clone();
        tokio::spawn(async move {
            store
                .transaction(|tx| async move { Ok(record(&*tx, "alice", "r").await?) })
                .await
        })
    });
    let mut won = 0;
    for task in tasks.collect::<Vec<_>>() {
        match task.await.unwrap() {
            Ok(()) => won += 1,
            Err(error) => assert!(error.is_unique_violation(), "{error}"),
        }
    }
    assert_eq!(won, 1);
    assert_eq!(
        entry::Entity::find()
            .count(fixture.store.connection())
            .await
            .unwrap(),
        1
    );
}

async fn increment(store: &RelStore, name: &str) -> relstore::Result<()> {
    store
        .transaction(|tx| async move {
            let account = account::Entity::find_by_id(name)
                .lock_exclusive()
                .one(&*tx)
                .await?;
            let account = account.ok_or_else(Refusal::not_found)?;
            let points = account.points + 1;
            let mut account = account.into_active_model();
            account.points = Set(points);
            account.update(&*tx).await?;
            Ok(())
        })
        .await
}

async fn no_increment_is_lost(fixture: &Fixture) {
    open_account(fixture.store.connection(), "alice", 0)
        .await
        .unwrap();
    let tasks = (0..MANY).map(|_| {
        let store = fixture.store.clone();
        tokio::spawn(async move { increment(&store, "alice").await })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap().unwrap();
    }
    assert_eq!(fixture.account("alice").await.unwrap().points, MANY as i64);
}

async fn a_failed_transaction_leaves_nothing(fixture: &Fixture) {
    let result = fixture
        .store
        .transaction(|tx| async move {
            open_account(&*tx, "alice", 0).await?;
            record(&*tx, "alice", "r").await?;
            Ok(record(&*tx, "alice", "r").await?)
        })
        .await;
    assert!(result.unwrap_err().is_unique_violation());
    assert_eq!(fixture.account("alice").await, None);
    assert_eq!(
        entry::Entity::find()
            .count(fixture.store.connection())
            .await
            .unwrap(),
        0
    );
}

async fn what_work_refuses_comes_out_as_it_was(fixture: &Fixture) {
    let runs = AtomicU32::new(0);
    let result: relstore::Result<()> = fixture
        .store
        .transaction(async |tx| {
            runs.fetch_add(1, Ordering::Relaxed);
            open_account(&*tx, "alice", 0).await?;
            Err(Refusal::forbidden().into())
        })
        .await;
    let error = kernel::Error::from(result.unwrap_err());
    assert_eq!(error.code(), ErrorCode::Forbidden);
    assert_eq!(runs.into_inner(), 1);
    assert_eq!(fixture.account("alice").await, None);
}

async fn a_dropped_transaction_leaves_nothing(fixture: &Fixture) {
    for _ in 0..30 {
        let (inside, entered) = tokio::sync::oneshot::channel();
        let inside = std::sync::Mutex::new(Some(inside));
        let work = fixture.store.transaction(async |tx| {
            open_account(&*tx, "alice", 0).await?;
            if let Some(inside) = inside.lock().unwrap().take() {
                let _ = inside.send(());
            }
            std::future::pending().await
        });
        let result: Option<relstore::Result<()>> = tokio::select! {
            result = work => Some(result),
            _ = entered => None,
        };
        assert!(result.is_none());
    }
    open_account(fixture.store.connection(), "alice", 0)
        .await
        .unwrap();
}

async fn rows_need_what_they_refer_to(fixture: &Fixture) {
    let error = record(fixture.store.connection(), "nobody", "r")
        .await
        .unwrap_err();
    assert!(
        matches!(error.sql_err(), Some(SqlErr::ForeignKeyConstraintViolation(_))),
        "{error}"
    );
}

async fn a_reopened_store_has_everything(fixture: &Fixture) {
    open_account(fixture.store.connection(), "alice", 7)
        .await
        .unwrap();
    let again = RelStore::open(&fixture.config).await.unwrap();
    again.ping().await.unwrap();
    let accounts = account::Entity::find().all(again.connection()).await.unwrap();
    assert_eq!(
        accounts,
        [account::Model {
            name: "alice".to_owned(),
            points: 0,
            created_at: 7
        }]
    );
}

/// SQLite has no two transactions that write at once, so none that wait for each other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deadlock_is_run_again_on_mysql() {
    let fixture = Fixture::mysql().await;
    for name in ["alice", "bob"] {
        open_account(fixture.store.connection(), name, 0).await.unwrap();
    }
    let (both, runs) = (Arc::new(Barrier::new(2)), Arc::new(AtomicU32::new(0)));
    let tasks = [["alice", "bob"], ["bob", "alice"]].map(|names| {
        let (store, both, runs) = (fixture.store.clone(), both.clone(), runs.clone());
        tokio::spawn(async move {
            let (both, runs) = (&both, &runs);
            let transfer = |tx: Arc<sea_orm::DatabaseTransaction>| async move {
                let run = runs.fetch_add(1, Ordering::SeqCst);
                for name in names {
                    let points = Expr::col(account::Column::Points).add(1);
                    let update = account::Entity::update_many().col_expr(account::Column::Points, points);
                    update.filter(account::Column::Name.eq(name)).exec(&*tx).await?;
                    if run < 2 && name == names[0] {
                        both.wait().await;
                    }
                }
                Ok(())
            };
            store.transaction(transfer).await
        })
    });
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(runs.load(Ordering::SeqCst), 3);
    for name in ["alice", "bob"] {
        assert_eq!(fixture.account(name).await.unwrap().points, 2);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_value_that_does_not_fit_is_refused_on_mysql() {
    let fixture = Fixture::mysql().await;
    assert!(
        open_account(fixture.store.connection(), &"x".repeat(121), 0)
            .await
            .is_err()
    );
    assert!(
        account::Entity::find()
            .all(fixture.store.connection())
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn what_cannot_be_opened_is_not_available() {
    for url in [
        "mysql://root@127.0.0.1:1/daka",
        "sqlite:///proc/nowhere/relations.sqlite?mode=rwc",
    ] {
        let result = RelStore::open(&relstore::RelStoreConfig { url: url.to_owned() }).await;
        assert!(matches!(result, Err(Error::Unavailable(_))), "{url}: {result:?}");
    }
}
