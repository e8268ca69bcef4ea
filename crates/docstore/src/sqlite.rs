//! Documents in one SQLite file: a thread that writes, and a few that read.

mod read;
mod schema;
mod sql;
#[cfg(test)]
mod tests;
mod write;

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError, mpsc};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, ffi};
use tokio::sync::{oneshot, watch};

use crate::batch::Op;
use crate::collection::{Find, FindPage, FoundPage};
use crate::document::{CollectionSpec, Document};
use crate::error::{Error, Result};

/// How long a statement waits for another process that writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Connections that read, a thread each.
const READERS: usize = 3;
/// Prepared statements that each connection keeps.
const STATEMENTS: usize = 128;

pub(crate) struct Sqlite {
    writer: mpsc::Sender<write::Job>,
    readers: Arc<ReadQueue>,
}

type ReadJob = Box<dyn FnOnce(&Connection) + Send>;

/// What the reading threads take their work from. A plain channel would wake one thread for the work and
/// another one to wait in its place.
#[derive(Default)]
struct ReadQueue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    jobs: VecDeque<ReadJob>,
    closed: bool,
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
            spawn("docstore-write", move || {
                write::run(&connection, &jobs, &committed)
            })?;
            // Made before the readers, so that those which were started end if another cannot be.
            let store = Self {
                writer,
                readers: Arc::default(),
            };
            for _ in 0..READERS {
                let connection = connect(&path, false)?;
                let queue = store.readers.clone();
                spawn("docstore-read", move || queue.serve(&connection))?;
            }
            Ok(store)
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

    pub(crate) async fn ping(&self) -> Result<()> {
        let one = |connection: &Connection| connection.query_row("SELECT 1", [], |_| Ok(()));
        self.read(move |connection| one(connection).map_err(failure))
            .await
    }

    pub(crate) async fn get<D: Document>(&self, collection: CollectionSpec, id: String) -> Result<Option<D>> {
        self.read(move |connection| read::get(connection, collection.name, &id))
            .await
    }

    pub(crate) async fn find<D: Document>(&self, find: Find) -> Result<Vec<D>> {
        self.read(move |connection| read::find(connection, &find)).await
    }

    pub(crate) async fn page<D: Document>(&self, request: FindPage) -> Result<FoundPage<D>> {
        self.read(move |connection| read::page(connection, request)).await
    }

    pub(crate) async fn count(&self, find: Find) -> Result<u64> {
        self.read(move |connection| read::count(connection, &find)).await
    }

    pub(crate) async fn exists(&self, find: Find) -> Result<bool> {
        self.read(move |connection| read::exists(connection, &find)).await
    }

    pub(crate) async fn delete_where(&self, find: Find) -> Result<u64> {
        self.write(false, move |connection| write::delete_where(connection, &find))
            .await
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (answer, answered) = oneshot::channel();
        self.readers.push(Box::new(move |connection| {
            // Nobody waits any longer: the request was dropped.
            if !answer.is_closed() {
                let _ = answer.send(work(connection));
            }
        }));
        answered.await.map_err(Error::internal)?
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

impl Drop for Sqlite {
    fn drop(&mut self) {
        self.readers.close();
    }
}

impl ReadQueue {
    fn push(&self, job: ReadJob) {
        self.waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .jobs
            .push_back(job);
        self.changed.notify_one();
    }

    fn close(&self) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        self.changed.notify_all();
    }

    fn next(&self) -> Option<ReadJob> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(job) = waiting.jobs.pop_front() {
                return Some(job);
            }
            if waiting.closed {
                return None;
            }
            waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn serve(&self, connection: &Connection) {
        while let Some(job) = self.next() {
            // Documents bring their own deserialisers: one that panics fails its call, which sees the answer
            // dropped, and not the thread that serves everybody.
            let job = std::panic::AssertUnwindSafe(|| job(connection));
            if std::panic::catch_unwind(job).is_err() {
                tracing::error!("a read from the document store panicked");
            }
        }
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<()> {
    let thread = std::thread::Builder::new().name(name.to_owned()).spawn(work);
    thread.map(drop).map_err(Error::unavailable)
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
