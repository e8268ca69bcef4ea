//! Documents in one SQLite file: one thread writes, so that commits share a sync of the disk; whoever reads does so
//! where they are.
//!
//! A read that finds its pages in memory takes microseconds, most of them for taking the document apart, which is
//! the caller's work anyway: handing it to another thread and back costs more. A write-ahead log keeps readers from
//! waiting for the writer (<https://www.sqlite.org/wal.html>).

mod read;
mod schema;
mod sql;
#[cfg(test)]
mod tests;
mod write;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, ffi};
use tokio::sync::{oneshot, watch};

use crate::batch::Op;
use crate::collection::{Find, FindPage, FoundPage};
use crate::document::{CollectionSpec, Document};
use crate::error::{Error, Result};

/// How long a statement waits for another process that writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Connections that are kept for reading. There are never more in use than threads that read.
const READERS: usize = 8;
/// Prepared statements that each connection keeps.
const STATEMENTS: usize = 128;

pub(crate) struct Sqlite {
    writer: mpsc::Sender<write::Job>,
    readers: Readers,
}

/// Connections that read.
struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl Sqlite {
    pub(crate) async fn open(path: &Path, committed: Arc<watch::Sender<u64>>) -> Result<Self> {
        let path = path.to_owned();
        let open = move || -> Result<Self> {
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder).map_err(Error::unavailable)?;
            }
            // The writer comes first: it makes the file and sets its mode, which is stored in the file.
            let connection = connect(&path, true)?;
            let (writer, jobs) = mpsc::channel();
            let thread = std::thread::Builder::new().name("docstore-write".to_owned());
            thread
                .spawn(move || write::run(&connection, &jobs, &committed))
                .map_err(Error::unavailable)?;
            // The first reader, to learn now whether there can be any.
            let idle = Mutex::new(vec![connect(&path, false)?]);
            let readers = Readers { path, idle };
            Ok(Self { writer, readers })
        };
        tokio::task::spawn_blocking(open).await.map_err(Error::internal)?
    }

    pub(crate) async fn ensure(&self, collections: Vec<CollectionSpec>) -> Result<()> {
        self.write(true, move |connection| {
            schema::ensure(connection, &collections).map(|()| 0)
        })
        .await?;
        Ok(())
    }

    pub(crate) async fn commit(&self, ops: Vec<Op>) -> Result<()> {
        // One statement is all or nothing by itself.
        let several = ops.len() > 1;
        self.write(several, move |connection| {
            write::apply(connection, &ops).map(|()| 0)
        })
        .await?;
        Ok(())
    }

    pub(crate) fn ping(&self) -> Result<()> {
        let one = |connection: &Connection| connection.query_row("SELECT 1", [], |_| Ok(()));
        self.readers.read(|connection| one(connection).map_err(failure))
    }

    pub(crate) fn get<D: Document>(&self, collection: CollectionSpec, id: &str) -> Result<Option<D>> {
        self.readers
            .read(|connection| read::get(connection, collection.name, id))
    }

    pub(crate) fn find<D: Document>(&self, find: &Find) -> Result<Vec<D>> {
        self.readers.read(|connection| read::find(connection, find))
    }

    pub(crate) fn page<D: Document>(&self, request: FindPage) -> Result<FoundPage<D>> {
        self.readers.read(|connection| read::page(connection, request))
    }

    pub(crate) fn count(&self, find: &Find) -> Result<u64> {
        self.readers.read(|connection| read::count(connection, find))
    }

    pub(crate) fn exists(&self, find: &Find) -> Result<bool> {
        self.readers.read(|connection| read::exists(connection, find))
    }

    pub(crate) async fn delete_where(&self, find: Find) -> Result<u64> {
        self.write(false, move |connection| write::delete_where(connection, &find))
            .await
    }

    async fn write(
        &self,
        several: bool,
        work: impl FnOnce(&Connection) -> Result<u64> + Send + 'static,
    ) -> Result<u64> {
        let (answer, answered) = oneshot::channel();
        let job = write::Job {
            several,
            work: Box::new(work),
            answer,
        };
        self.writer
            .send(job)
            .map_err(|_| Error::internal("the writing thread has ended"))?;
        answered.await.map_err(Error::internal)?
    }
}

impl Readers {
    fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let idle = self.idle().pop();
        let connection = idle.map_or_else(|| connect(&self.path, false), Ok)?;
        let result = work(&connection);
        let mut idle = self.idle();
        if idle.len() < READERS {
            idle.push(connection);
        }
        result
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn connect(path: &Path, writes: bool) -> Result<Connection> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || -> rusqlite::Result<Connection> {
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        if writes {
            connection.pragma_update(None, "journal_mode", "WAL")?;
            // FULL syncs the log with each commit; NORMAL would lose the last ones when the power fails
            // (https://www.sqlite.org/pragma.html#pragma_synchronous).
            connection.pragma_update(None, "synchronous", "FULL")?;
            connection.pragma_update(None, "journal_size_limit", 16 << 20)?;
        } else {
            connection.pragma_update(None, "query_only", true)?;
        }
        // Negative: in KiB.
        connection.pragma_update(None, "cache_size", -2048)?;
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        Ok(connection)
    };
    open().map_err(failure)
}

/// What an error of SQLite means for the caller.
fn failure(error: rusqlite::Error) -> Error {
    match error.sqlite_error_code() {
        Some(
            ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::DiskFull
            | ErrorCode::SystemIoFailure
            | ErrorCode::CannotOpen
            | ErrorCode::OutOfMemory,
        ) => Error::unavailable(error),
        _ => Error::internal(error),
    }
}

/// What an error of a write to a collection means for the caller.
fn write_failure(collection: &'static str, error: rusqlite::Error) -> Error {
    let rusqlite::Error::SqliteFailure(code, message) = &error else {
        return failure(error);
    };
    match code.extended_code {
        ffi::SQLITE_CONSTRAINT_PRIMARYKEY => Error::duplicate(collection, "_id"),
        ffi::SQLITE_CONSTRAINT_UNIQUE => {
            // UNIQUE constraint failed: index 'habits.owner'
            let full = message.as_deref().and_then(|message| message.split('\'').nth(1));
            let name = full.and_then(|full| full.strip_prefix(collection)?.strip_prefix('.'));
            Error::duplicate(collection, name.unwrap_or_default())
        }
        _ => failure(error),
    }
}
