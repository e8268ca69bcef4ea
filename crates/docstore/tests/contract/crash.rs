//! What was acknowledged survives a kill in the middle of the load, exactly once.

use std::collections::HashSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use docstore::{Batch, DocStore, Document as _, Error, Query, StoreConfig, Update, retry_stale};
use tokio::sync::watch;

use crate::Habit;

/// The folder of the store for [`writes_until_it_is_killed`].
const FOLDER: &str = "DOCSTORE_CRASH_FOLDER";
const WRITERS: usize = 8;

fn config(folder: &Path) -> StoreConfig {
    StoreConfig::Sqlite {
        path: folder.join("documents.sqlite"),
    }
}

/// Inserts a document and counts it, in one batch.
fn counted(id: &str) -> Batch {
    let mut batch = Batch::new();
    batch.insert(&Habit {
        title: "Counted".to_owned(),
        ..Habit::new(id)
    });
    batch.update::<Habit>("counter", Update::new().inc("count", 1));
    batch
}

/// The child of the test below; by itself it does nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_until_it_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let store = DocStore::open(&config(Path::new(&folder))).await.unwrap();
    let writers = (0..WRITERS).map(|writer| {
        let store = store.clone();
        tokio::spawn(async move {
            for n in 0.. {
                let id = format!("{writer}-{n}");
                store.commit(counted(&id)).await.unwrap();
                // One write, so that a line is there whole or not at all.
                std::io::stdout()
                    .write_all(format!("\nacknowledged {id}\n").as_bytes())
                    .unwrap();
            }
        })
    });
    futures::future::join_all(writers).await;
}

#[tokio::test]
async fn a_killed_process_loses_nothing_on_sqlite() {
    let folder = testkit::data_dir();
    let store = DocStore::open(&config(folder.path())).await.unwrap();
    store.ensure(&[Habit::COLLECTION]).await.unwrap();
    store.collection().insert(&Habit::new("counter")).await.unwrap();
    let mut acknowledged = Vec::new();
    for _ in 0..3 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["crash::writes_until_it_is_killed", "--exact", "--nocapture"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let start = acknowledged.len();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        for line in lines.map_while(Result::ok) {
            if let Some(id) = line.strip_prefix("acknowledged ") {
                acknowledged.push(id.to_owned());
            }
            if acknowledged.len() == start + 200 {
                // What it says until it is dead is still read.
                child.kill().unwrap();
            }
        }
        child.wait().unwrap();
        check(&store, &acknowledged).await;
        // The next one begins with the same ids.
        store
            .collection::<Habit>()
            .delete_where(Query::all().eq("title", "Counted"))
            .await
            .unwrap();
        let mut batch = Batch::new();
        batch.put(&Habit::new("counter"));
        store.commit(batch).await.unwrap();
        acknowledged.clear();
    }
}

/// Everything acknowledged is there, and the counter shows that each batch was applied whole and once.
async fn check(store: &DocStore, acknowledged: &[String]) {
    let stored = store
        .collection::<Habit>()
        .find(Query::all().eq("title", "Counted"))
        .await
        .unwrap();
    let ids: HashSet<&str> = stored.iter().map(|habit| habit.id.as_str()).collect();
    for id in acknowledged {
        assert!(ids.contains(id.as_str()), "{id} was acknowledged and is lost");
    }
    let counter = store.collection::<Habit>().get("counter").await.unwrap().unwrap();
    assert_eq!(counter.count.unwrap_or_default(), stored.len() as i64);
}

/// What the writers know while the server is killed and comes back.
#[derive(Default)]
struct Load {
    batches: Vec<String>,
    singles: Vec<String>,
    increments: i64,
    doubtful_increments: i64,
}

async fn load(
    store: DocStore,
    writer: usize,
    load: Arc<Mutex<Load>>,
    done: watch::Sender<usize>,
    until: watch::Receiver<bool>,
) {
    for n in 0.. {
        if *until.borrow() {
            return;
        }
        let (batch, single) = (format!("batch-{writer}-{n}"), format!("single-{writer}-{n}"));
        match store.commit(counted(&batch)).await {
            Ok(()) => load.lock().unwrap().batches.push(batch),
            Err(Error::Unavailable(_)) => {}
            Err(error) => panic!("{error}"),
        }
        match store.collection().insert(&Habit::new(&single)).await {
            Ok(()) => load.lock().unwrap().singles.push(single),
            Err(Error::Unavailable(_)) => {}
            Err(error) => panic!("{error}"),
        }
        match retry_stale(async || increment(&store).await).await {
            Ok(()) => load.lock().unwrap().increments += 1,
            Err(error) if error.is_conflict("VERSION_MISMATCH") => {}
            Err(error) => {
                assert_eq!(error.code(), kernel::ErrorCode::ServiceUnavailable, "{error}");
                load.lock().unwrap().doubtful_increments += 1;
            }
        }
        done.send_modify(|done| *done += 1);
    }
}

async fn increment(store: &DocStore) -> kernel::Result<()> {
    let mut habit: Habit = store
        .collection()
        .get("shared")
        .await?
        .ok_or_else(|| kernel::Error::internal("gone"))?;
    habit.position = habit.position.map(|position| position + 1);
    Ok(store.collection().replace(&mut habit).await?)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_loses_nothing_on_mongodb() {
    let mut server = testkit::servers::Mongo::start().await;
    let config = StoreConfig::Mongo {
        url: server.url().to_owned(),
        database: "docstore".to_owned(),
    };
    let store = DocStore::open(&config).await.unwrap();
    store.ensure(&[Habit::COLLECTION]).await.unwrap();
    store.collection().insert(&Habit::new("counter")).await.unwrap();
    store
        .collection()
        .insert(&Habit {
            position: Some(0),
            ..Habit::new("shared")
        })
        .await
        .unwrap();

    let known = Arc::new(Mutex::new(Load::default()));
    let (done, mut rounds) = watch::channel(0);
    let (stop, until) = watch::channel(false);
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            tokio::spawn(load(
                store.clone(),
                writer,
                known.clone(),
                done.clone(),
                until.clone(),
            ))
        })
        .collect();
    for _ in 0..2 {
        let target = *rounds.borrow() + 60;
        rounds.wait_for(|rounds| *rounds >= target).await.unwrap();
        tokio::task::block_in_place(|| server.kill());
        server.restart().await;
    }
    let target = *rounds.borrow() + 60;
    rounds.wait_for(|rounds| *rounds >= target).await.unwrap();
    stop.send_replace(true);
    for writer in writers {
        writer.await.unwrap();
    }

    let known = std::mem::take(&mut *known.lock().unwrap());
    check(&store, &known.batches).await;
    let singles = store
        .collection::<Habit>()
        .get_many(&known.singles)
        .await
        .unwrap();
    assert_eq!(singles.len(), known.singles.len());
    let shared: Habit = store.collection().get("shared").await.unwrap().unwrap();
    let most = known.increments + known.doubtful_increments;
    assert!(
        (known.increments..=most).contains(&shared.position.unwrap()),
        "{shared:?}"
    );
    assert_eq!(shared.position, Some(shared.version));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_is_known_quickly_on_mongodb() {
    let mut server = testkit::servers::Mongo::start().await;
    let config = StoreConfig::Mongo {
        url: server.url().to_owned(),
        database: "docstore".to_owned(),
    };
    let store = DocStore::open(&config).await.unwrap();
    tokio::task::block_in_place(|| server.kill());
    let limit = Duration::from_secs(30);
    let (habits, habit) = (store.collection::<Habit>(), Habit::new("h1"));
    let (single, several) = (habits.insert(&habit), store.commit(counted("h1")));
    let calls = async {
        tokio::join!(
            habits.get("h1"),
            single,
            several,
            store.ping(),
            DocStore::open(&config)
        )
    };
    let (read, single, several, ping, opened) = tokio::time::timeout(limit, calls).await.unwrap();
    for result in [read.map(drop), single, several, ping, opened.map(drop)] {
        assert!(matches!(result, Err(Error::Unavailable(_))), "{result:?}");
    }
    server.restart().await;
    store.collection().insert(&Habit::new("h2")).await.unwrap();
    store.ping().await.unwrap();
}
