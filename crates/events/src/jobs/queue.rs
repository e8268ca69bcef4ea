//! Where jobs wait: apalis over SQLite or Redis.

use std::time::Duration;

use apalis::prelude::{TaskBuilder, TaskSink};
use apalis_core::backend::Vacuum as _;
use apalis_redis::RedisStorage;
use apalis_sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions, SqliteStorage};
use jiff::Timestamp;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};

use crate::error::{Error, Result};
use crate::jobs::{Call, JobsConfig, Pace};

/// How many jobs a worker takes at once.
const AT_ONCE: usize = 10;

/// How many heartbeats a worker may miss.
const MISSED: usize = 2;

/// How long a job that was enqueued under a key keeps another one away.
const KEYS_LAST: Duration = Duration::from_secs(86_400);

/// How long the server may take to accept a connection or to answer.
const PATIENCE: Duration = Duration::from_secs(3);

pub(crate) enum Queue {
    Sqlite(SqliteQueue),
    Redis(RedisQueue),
}

pub(crate) struct SqliteQueue {
    pool: SqlitePool,
    name: String,
}

pub(crate) struct RedisQueue {
    connection: ConnectionManager,
    name: String,
}

impl Queue {
    pub(crate) async fn open(config: &JobsConfig, service: &str) -> Result<Self> {
        match config {
            JobsConfig::Sqlite { path } => {
                let options = SqliteConnectOptions::new()
                    .filename(path)
                    .create_if_missing(true)
                    .busy_timeout(PATIENCE)
                    .pragma("journal_mode", "WAL")
                    .pragma("synchronous", "FULL")
                    .pragma("cache_size", "-1024");
                let pool = SqlitePoolOptions::new().max_connections(2);
                let pool = pool.connect_with(options).await.map_err(Error::unavailable)?;
                // Not `SqliteStorage::setup`: that turns syncing off and takes 256 MB for its cache.
                SqliteStorage::migrations()
                    .run(&pool)
                    .await
                    .map_err(Error::internal)?;
                let name = service.to_owned();
                Ok(Self::Sqlite(SqliteQueue { pool, name }))
            }
            JobsConfig::Redis { url, prefix } => {
                let config = ConnectionManagerConfig::new()
                    .set_number_of_retries(1)
                    .set_connection_timeout(Some(PATIENCE))
                    .set_response_timeout(Some(PATIENCE));
                let client = redis::Client::open(url.as_str())?;
                Ok(Self::Redis(RedisQueue {
                    connection: ConnectionManager::new_lazy_with_config(client, config)?,
                    // In braces: all keys of a queue must be in one slot of a cluster.
                    name: format!("{{{prefix}:jobs:{service}}}"),
                }))
            }
        }
    }

    /// Adds a job. With a key it is added only if none was under the same key lately.
    pub(crate) async fn push(&self, call: Call, at: Option<Timestamp>, key: Option<String>) -> Result<()> {
        let mut task = TaskBuilder::new(call);
        if let Some(at) = at {
            // Never early: up to the next second.
            let seconds = at.as_millisecond().max(0).unsigned_abs().div_ceil(1000);
            task = task.run_at_timestamp(seconds);
        }
        if let Some(key) = key {
            task = task.idempotency_key(key);
        }
        match self {
            Self::Sqlite(queue) => queue
                .backend(Pace::default())
                .push_task(task.build())
                .await
                .map_err(Error::unavailable),
            Self::Redis(queue) => queue
                .backend(Pace::default())
                .push_task(task.build())
                .await
                .map_err(Error::unavailable),
        }
    }

    /// Removes jobs that were done longer ago than that.
    pub(crate) async fn tidy(&self, age: Duration) -> Result<()> {
        match self {
            Self::Sqlite(queue) => {
                queue
                    .backend(Pace::default())
                    .vacuum_before(age)
                    .await
                    .map_err(Error::unavailable)?;
            }
            Self::Redis(queue) => {
                queue
                    .backend(Pace::default())
                    .vacuum_before(age)
                    .await
                    .map_err(Error::unavailable)?;
            }
        }
        Ok(())
    }
}

impl SqliteQueue {
    pub(crate) fn backend(&self, pace: Pace) -> SqliteStorage<Call> {
        let config = apalis_sqlite::Config::default()
            .queue(&self.name)
            .batch_size(AT_ONCE)
            .heartbeat_interval(pace.heartbeat)
            .missed_heartbeats(MISSED);
        SqliteStorage::new(&self.pool).with_config(config)
    }
}

impl RedisQueue {
    pub(crate) fn backend(&self, pace: Pace) -> RedisStorage<Call> {
        let mut config = apalis_redis::Config::default()
            .queue(&self.name)
            .batch_size(AT_ONCE)
            .heartbeat_interval(pace.heartbeat)
            .missed_heartbeats(MISSED);
        config.emit_events = false;
        config.idempotency_ttl = Some(KEYS_LAST);
        RedisStorage::new(self.connection.clone()).with_config(config)
    }
}
