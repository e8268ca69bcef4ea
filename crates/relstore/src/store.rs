//! The connection, and transactions on it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sea_orm::sqlx::{Executor as _, MySql, pool::PoolOptions};
use sea_orm::{
    ConnectOptions, Database, DatabaseConnection, DatabaseTransaction, DbBackend, SqliteTransactionMode,
    TransactionOptions, TransactionTrait as _,
};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use crate::error::{Error, Result};

/// How often a transaction runs before its collision is the caller's.
const ATTEMPTS: u32 = 10;
/// How long a call waits for a connection: an outage should be known quickly.
const MYSQL_ACQUIRE: Duration = Duration::from_secs(3);
const MYSQL_CONNECTIONS: u32 = 20;
/// One connection writes at a time, and waiting for it is no outage.
const SQLITE_ACQUIRE: Duration = Duration::from_secs(10);
const SQLITE_BUSY: Duration = Duration::from_secs(5);
const SQLITE_CONNECTIONS: u32 = 4;

/// Where the relations are kept.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RelStoreConfig {
    /// `sqlite://PATH?mode=rwc` or `mysql://USER:PASSWORD@HOST:PORT/DATABASE`.
    pub url: String,
}

/// The relational store. Clones are cheap and share the connections.
#[derive(Debug, Clone)]
pub struct RelStore {
    connection: DatabaseConnection,
    pub(crate) config: Arc<RelStoreConfig>,
    /// SQLite has one writer at a time: transactions of this process take their turn here, in order, rather
    /// than by asking again and again.
    turn: Option<Arc<Semaphore>>,
}

impl RelStore {
    /// Opens the store.
    ///
    /// SQLite: write-ahead log, synced with each commit, foreign keys on. MySQL: strict, utf8mb4, UTC, READ
    /// COMMITTED.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the server does not answer within seconds or the file cannot be opened.
    pub async fn open(config: &RelStoreConfig) -> Result<Self> {
        let sqlite = is_sqlite(&config.url);
        let connections = if sqlite {
            SQLITE_CONNECTIONS
        } else {
            MYSQL_CONNECTIONS
        };
        Ok(Self {
            connection: connect(&config.url, connections).await?,
            config: Arc::new(config.clone()),
            turn: sqlite.then(|| Arc::new(Semaphore::new(1))),
        })
    }

    /// The connection, for queries and for single statements.
    pub fn connection(&self) -> &DatabaseConnection {
        &self.connection
    }

    /// Runs work in a transaction: all of it is there, durably, when this returns, or nothing if it fails.
    ///
    /// With MySQL two transactions may read the same row at once: what is to be changed by what it was is read
    /// with `lock_exclusive()`, which SQLite, having one transaction at a time, does not need and leaves out.
    ///
    /// The work runs again, up to ten times, when the database rolled it back because of another transaction:
    /// so it must have no effects elsewhere. Nothing else is tried again.
    ///
    /// The transaction is handed over as an [`Arc`], of which the work may keep nothing: with a reference the
    /// future would not be known to be `Send` (as with `AsyncFn`), and could not be spawned.
    ///
    /// # Errors
    /// What the work returns; [`Error::Unavailable`] also when the connection was lost while committing, and
    /// then whether it was committed is not known.
    pub async fn transaction<T, F, Fut>(&self, work: F) -> Result<T>
    where
        F: Fn(Arc<DatabaseTransaction>) -> Fut,
        Fut: Future<Output = Result<T>>,
    {
        let mut attempt = 0;
        loop {
            let result = self.transaction_once(&work).await;
            attempt += 1;
            match &result {
                Err(error) if attempt < ATTEMPTS && error.is_collision() => {
                    tracing::debug!(%error, attempt, "a transaction collided and runs again");
                    tokio::time::sleep(pause(attempt)).await;
                }
                _ => return result,
            }
        }
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if it does not.
    pub async fn ping(&self) -> Result<()> {
        Ok(self.connection.ping().await?)
    }

    pub(crate) fn backend(&self) -> DbBackend {
        self.connection.get_database_backend()
    }

    async fn transaction_once<T, F, Fut>(&self, work: &F) -> Result<T>
    where
        F: Fn(Arc<DatabaseTransaction>) -> Fut,
        Fut: Future<Output = Result<T>>,
    {
        let _turn = match &self.turn {
            // It is never closed.
            Some(turn) => turn.acquire().await.ok(),
            None => None,
        };
        let transaction = Arc::new(self.connection.begin_with_options(immediate()).await?);
        let result = work(transaction.clone()).await;
        let transaction =
            Arc::into_inner(transaction).ok_or_else(|| Error::internal("work has kept its transaction"))?;
        match result {
            Ok(value) => {
                transaction.commit().await?;
                Ok(value)
            }
            Err(error) => {
                // If this fails the connection is broken, and the database rolls back by itself.
                if let Err(rollback) = transaction.rollback().await {
                    tracing::debug!(error = %rollback, "a rollback failed");
                }
                Err(error)
            }
        }
    }
}

impl Default for RelStoreConfig {
    fn default() -> Self {
        Self {
            url: "sqlite://data/relations.sqlite?mode=rwc".to_owned(),
        }
    }
}

/// Without the credentials.
impl fmt::Debug for RelStoreConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self
            .url
            .rsplit_once('@')
            .map_or(self.url.as_str(), |(_, place)| place);
        f.debug_struct("RelStoreConfig").field("url", &place).finish()
    }
}

/// Opens at most this many connections.
pub(crate) async fn connect(url: &str, connections: u32) -> Result<DatabaseConnection> {
    let mut options = ConnectOptions::new(url);
    options.sqlx_logging(false).max_connections(connections);
    if is_sqlite(url) {
        make_folder(url)?;
        options
            .acquire_timeout(SQLITE_ACQUIRE)
            .map_sqlx_sqlite_opts(sqlite_options);
    } else {
        let utc = || Some("+00:00".to_owned());
        options
            .acquire_timeout(MYSQL_ACQUIRE)
            .map_sqlx_mysql_opts(move |options| options.charset("utf8mb4").timezone(utc()))
            .map_sqlx_mysql_pool_opts(mysql_session);
    }
    Ok(Database::connect(options).await?)
}

/// For SQLite: a transaction that reads first and then writes would otherwise fail, without waiting, when
/// another one has written in between (<https://www.sqlite.org/isolation.html>).
pub(crate) fn immediate() -> TransactionOptions {
    TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    }
}

fn sqlite_options(options: SqliteConnectOptions) -> SqliteConnectOptions {
    options
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(SQLITE_BUSY)
        // Negative: in KiB.
        .pragma("cache_size", "-1024")
        .pragma("journal_size_limit", (4 << 20).to_string())
}

fn mysql_session(pool: PoolOptions<MySql>) -> PoolOptions<MySql> {
    pool.after_connect(|connection, _| {
        Box::pin(async move {
            let modes = "STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ZERO_DATE,NO_ZERO_IN_DATE,ONLY_FULL_GROUP_BY";
            let modes = format!("SET SESSION sql_mode = CONCAT(@@sql_mode, ',{modes}')");
            connection.execute(sea_orm::sqlx::AssertSqlSafe(modes)).await?;
            connection.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED").await?;
            connection.execute("SET SESSION innodb_lock_wait_timeout = 5").await?;
            Ok(())
        })
    })
}

fn is_sqlite(url: &str) -> bool {
    url.starts_with("sqlite:")
}

fn make_folder(url: &str) -> Result<()> {
    let options: SqliteConnectOptions = url
        .parse()
        .map_err(|error: sea_orm::sqlx::Error| Error::internal(error.to_string()))?;
    match options.get_filename().parent() {
        Some(folder) => std::fs::create_dir_all(folder).map_err(|error| {
            Error::Unavailable(sea_orm::DbErr::Custom(format!("{}: {error}", folder.display())))
        }),
        None => Ok(()),
    }
}

/// Longer each time, and spread so that those who collided do not collide again: successive callers get
/// numbers that lie far apart (the fractional parts of multiples of the golden ratio).
fn pause(attempt: u32) -> Duration {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
    let spread = CALLS.fetch_add(1, Ordering::Relaxed).wrapping_mul(GOLDEN);
    let fraction = (spread >> 11) as f64 / (1_u64 << 53) as f64;
    let longest = Duration::from_millis(2).saturating_mul(1 << attempt.min(6));
    longest.mul_f64(0.5 + fraction / 2.0)
}
