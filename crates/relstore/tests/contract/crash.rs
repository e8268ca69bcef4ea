//! What was acknowledged survives a server that is killed in the middle of the load, exactly once.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use relstore::{Error, RelStore, RelStoreConfig};
use sea_orm::ExprTrait as _;
use sea_orm::entity::prelude::*;
use tokio::sync::watch;

use crate::{Migrator, account, database_on, entry, open_account, record};

const WRITERS: usize = 8;

/// An entry and the points for it, in one transaction.
async fn earn(store: &RelStore, reference: &str) -> relstore::Result<()> {
    store
        .transaction(|tx| async move {
            record(&*tx, "alice", reference).await?;
            let points = Expr::col(account::Column::Points).add(1);
            let update = account::Entity::update_many().col_expr(account::Column::Points, points);
            update
                .filter(account::Column::Name.eq("alice"))
                .exec(&*tx)
                .await?;
            Ok(())
        })
        .await
}

async fn load(
    store: RelStore,
    writer: usize,
    acknowledged: Arc<Mutex<Vec<String>>>,
    done: watch::Sender<usize>,
    stop: watch::Receiver<bool>,
) {
    for n in 0.. {
        if *stop.borrow() {
            return;
        }
        let reference = format!("{writer}-{n}");
        match earn(&store, &reference).await {
            Ok(()) => {
                acknowledged.lock().unwrap().push(reference);
                done.send_modify(|done| *done += 1);
            }
            Err(Error::Unavailable(_)) => tokio::task::yield_now().await,
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_loses_nothing_on_mysql() {
    let mut server = testkit::servers::MariaDb::start().await;
    let url = database_on(server.url()).await;
    let store = RelStore::open(&RelStoreConfig { url }).await.unwrap();
    store.migrate::<Migrator>().await.unwrap();
    open_account(store.connection(), "alice", 0).await.unwrap();

    let acknowledged = Arc::new(Mutex::new(Vec::new()));
    let (done, mut rounds) = watch::channel(0);
    let (stop, stopped) = watch::channel(false);
    let writers: Vec<_> = (0..WRITERS)
        .map(|n| {
            tokio::spawn(load(
                store.clone(),
                n,
                acknowledged.clone(),
                done.clone(),
                stopped.clone(),
            ))
        })
        .collect();
    for _ in 0..2 {
        let target = *rounds.borrow() + 100;
        rounds.wait_for(|rounds| *rounds >= target).await.unwrap();
        tokio::task::block_in_place(|| server.kill());
        server.restart().await;
    }
    // The same connections go on by themselves.
    let target = *rounds.borrow() + 100;
    rounds.wait_for(|rounds| *rounds >= target).await.unwrap();
    stop.send_replace(true);
    for writer in writers {
        writer.await.unwrap();
    }

    let entries = entry::Entity::find().all(store.connection()).await.unwrap();
    let stored: HashSet<&str> = entries.iter().map(|entry| entry.reference.as_str()).collect();
    for reference in acknowledged.lock().unwrap().iter() {
        assert!(
            stored.contains(reference.as_str()),
            "{reference} was acknowledged and is lost"
        );
    }
    let account = account::Entity::find_by_id("alice")
        .one(store.connection())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(account.points, entries.len() as i64);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_is_known_quickly_on_mysql() {
    let mut server = testkit::servers::MariaDb::start().await;
    let url = database_on(server.url()).await;
    let store = RelStore::open(&RelStoreConfig { url }).await.unwrap();
    tokio::task::block_in_place(|| server.kill());
    let call = tokio::time::timeout(Duration::from_secs(30), earn(&store, "r"))
        .await
        .unwrap();
    assert!(matches!(call, Err(Error::Unavailable(_))), "{call:?}");
    assert!(matches!(store.ping().await, Err(Error::Unavailable(_))));
    server.restart().await;
    store.ping().await.unwrap();
}
