//! The store: one of the two backends, and what is the same for both.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::watch;
use tracing::{Instrument as _, Span, debug_span};

use crate::batch::Batch;
use crate::collection::Collection;
use crate::config::StoreConfig;
use crate::document::{CollectionSpec, Document};
use crate::error::Result;
use crate::mongo::Mongo;
use crate::sqlite::Sqlite;

/// A store of documents. Clones are cheap and share everything.
#[derive(Clone)]
pub struct DocStore(Arc<Inner>);

/// How often a store was called since it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Calls {
    /// Calls that only read.
    pub reads: u64,
    /// Commits and other calls that write.
    pub writes: u64,
}

pub(crate) enum Backend {
    Sqlite(Sqlite),
    Mongo(Mongo),
}

struct Inner {
    backend: Backend,
    reads: AtomicU64,
    writes: AtomicU64,
    committed: Arc<watch::Sender<u64>>,
}

impl DocStore {
    /// Opens the store.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable) if the server does not answer or the file cannot be
    /// opened.
    pub async fn open(config: &StoreConfig) -> Result<Self> {
        let committed = Arc::new(watch::Sender::new(0));
        let backend = match config {
            StoreConfig::Sqlite { path } => Backend::Sqlite(Sqlite::open(path, committed.clone()).await?),
            StoreConfig::Mongo { url, database } => Backend::Mongo(Mongo::open(url, database).await?),
        };
        Ok(Self(Arc::new(Inner {
            backend,
            reads: AtomicU64::new(0),
            writes: AtomicU64::new(0),
            committed,
        })))
    }

    /// Creates what is missing of these collections and their indexes, and replaces indexes that are declared
    /// otherwise. Several processes may do it at once.
    ///
    /// # Errors
    /// [`Error::Internal`](crate::Error::Internal) if stored documents break a new unique index.
    pub async fn ensure(&self, collections: &[CollectionSpec]) -> Result<()> {
        collections.iter().try_for_each(CollectionSpec::check)?;
        match &self.0.backend {
            Backend::Sqlite(sqlite) => sqlite.ensure(collections.to_vec()).await,
            Backend::Mongo(mongo) => mongo.ensure(collections).await,
        }
    }

    /// The collection of a document type.
    pub fn collection<D: Document>(&self) -> Collection<D> {
        Collection::new(self.clone())
    }

    /// Applies a batch: all of it or nothing. It is durable when this returns.
    ///
    /// # Errors
    /// [`Error::Conflict`](crate::Error::Conflict) if a condition of the batch does not hold, and
    /// [`Error::Unavailable`](crate::Error::Unavailable) if it may be tried again; then whether it was applied
    /// is not known.
    pub async fn commit(&self, batch: Batch) -> Result<()> {
        let ops = batch.into_ops()?;
        let Some(first) = ops.first() else {
            return Ok(());
        };
        let span = self.write_span(first.collection.name, "commit");
        match &self.0.backend {
            Backend::Sqlite(sqlite) => sqlite.commit(ops).instrument(span).await,
            Backend::Mongo(mongo) => {
                mongo.commit(ops).instrument(span).await?;
                self.announce();
                Ok(())
            }
        }
    }

    /// Whether the store answers.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable) if it does not.
    pub async fn ping(&self) -> Result<()> {
        match &self.0.backend {
            Backend::Sqlite(sqlite) => sqlite.ping(),
            Backend::Mongo(mongo) => mongo.ping().await,
        }
    }

    /// How often this store was called since it was opened; for tests that count.
    pub fn calls(&self) -> Calls {
        Calls {
            reads: self.0.reads.load(Ordering::Relaxed),
            writes: self.0.writes.load(Ordering::Relaxed),
        }
    }

    /// A number that changes after each commit of this process: what waits for new documents wakes on it.
    pub fn committed(&self) -> watch::Receiver<u64> {
        self.0.committed.subscribe()
    }

    pub(crate) fn backend(&self) -> &Backend {
        &self.0.backend
    }

    pub(crate) fn announce(&self) {
        self.0
            .committed
            .send_modify(|count| *count = count.wrapping_add(1));
    }

    pub(crate) fn read_span(&self, collection: &'static str, operation: &'static str) -> Span {
        self.0.reads.fetch_add(1, Ordering::Relaxed);
        self.span(collection, operation)
    }

    pub(crate) fn write_span(&self, collection: &'static str, operation: &'static str) -> Span {
        self.0.writes.fetch_add(1, Ordering::Relaxed);
        self.span(collection, operation)
    }

    /// Attributes by OpenTelemetry's semantic conventions for databases:
    /// <https://opentelemetry.io/docs/specs/semconv/db/database-spans/>.
    fn span(&self, collection: &'static str, operation: &'static str) -> Span {
        let system = match self.0.backend {
            Backend::Sqlite(_) => "sqlite",
            Backend::Mongo(_) => "mongodb",
        };
        debug_span!(
            "docstore",
            otel.kind = "client",
            db.system.name = system,
            db.collection.name = collection,
            db.operation.name = operation,
        )
    }
}

impl std::fmt::Debug for DocStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.0.backend {
            Backend::Sqlite(_) => "DocStore(sqlite)",
            Backend::Mongo(_) => "DocStore(mongodb)",
        })
    }
}
