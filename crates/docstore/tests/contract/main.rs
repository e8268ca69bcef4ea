//! The contract of the store: every case on SQLite and on MongoDB.

#![expect(clippy::unwrap_used, reason = "a case that fails should say where")]

mod concurrency;
mod crash;
mod documents;
mod pages;
mod queries;

use docstore::{CollectionSpec, DocStore, Document, IndexSpec, Order, StoreConfig};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

/// Makes two tests of each case: one for each backend.
macro_rules! on_both {
    ($($case:ident)*) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::$case(&crate::Fixture::sqlite().await).await;
            })*
        }
        mod mongodb {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::$case(&crate::Fixture::mongodb().await).await;
            })*
        }
    };
}
pub(crate) use on_both;

/// An empty store of its own for a case.
struct Fixture {
    store: DocStore,
    config: StoreConfig,
    _folder: TempDir,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Habit {
    #[serde(rename = "_id")]
    id: String,
    version: i64,
    user_id: String,
    title: String,
    date: Option<String>,
    position: Option<i64>,
    score: f64,
    archived: bool,
    code: Option<String>,
    tags: Vec<String>,
    frequency: Frequency,
    extra: serde_json::Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    count: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
struct Frequency {
    #[serde(rename = "type")]
    kind: String,
    times: Option<i64>,
}

impl Document for Habit {
    const COLLECTION: CollectionSpec = CollectionSpec {
        name: "habits",
        indexes: &[
            IndexSpec {
                name: "date",
                fields: &[("userId", Order::Asc), ("date", Order::Desc)],
                unique: false,
            },
            IndexSpec {
                name: "code",
                fields: &[("userId", Order::Asc), ("code", Order::Asc)],
                unique: true,
            },
            IndexSpec {
                name: "frequency",
                fields: &[("frequency.type", Order::Asc)],
                unique: false,
            },
        ],
    };

    fn id(&self) -> String {
        self.id.clone()
    }

    fn version(&self) -> i64 {
        self.version
    }

    fn set_version(&mut self, version: i64) {
        self.version = version;
    }
}

impl Habit {
    fn new(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            version: 0,
            user_id: "alice".to_owned(),
            title: "Read".to_owned(),
            date: None,
            position: None,
            score: 0.0,
            archived: false,
            code: None,
            tags: Vec::new(),
            frequency: Frequency {
                kind: "daily".to_owned(),
                times: None,
            },
            extra: serde_json::Value::Null,
            count: None,
        }
    }
}

impl Fixture {
    async fn sqlite() -> Self {
        let folder = testkit::data_dir();
        let config = StoreConfig::Sqlite {
            path: folder.path().join("new/documents.sqlite"),
        };
        Self::open(config, folder).await
    }

    async fn mongodb() -> Self {
        let database = testkit::unique_name("docstore");
        Self::open(
            StoreConfig::Mongo {
                url: testkit::servers::mongo_url(),
                database,
            },
            testkit::data_dir(),
        )
        .await
    }

    async fn open(config: StoreConfig, folder: TempDir) -> Self {
        let store = DocStore::open(&config).await.unwrap();
        store.ensure(&[Habit::COLLECTION]).await.unwrap();
        Self {
            store,
            config,
            _folder: folder,
        }
    }

    fn habits(&self) -> docstore::Collection<Habit> {
        self.store.collection()
    }

    async fn insert(&self, habits: &[Habit]) {
        let mut batch = docstore::Batch::new();
        for habit in habits {
            batch.insert(habit);
        }
        self.store.commit(batch).await.unwrap();
    }
}
