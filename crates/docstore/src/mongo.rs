//! Documents in MongoDB.

mod read;
mod schema;
#[cfg(test)]
mod tests;
mod translate;
mod write;

use std::time::Duration;

use bson::{RawDocumentBuf, doc};
use mongodb::error::{Error as DriverError, ErrorKind, WriteFailure};
use mongodb::options::{ClientOptions, ReadConcern, WriteConcern};
use mongodb::{Client, Database};
use tokio::sync::Semaphore;

use crate::batch::Op;
use crate::collection::{Find, FindPage, FoundPage};
use crate::document::{CollectionSpec, Document};
use crate::error::{Error, Result};

/// How long a call waits for a primary: an outage should be known quickly.
const SELECTION: Duration = Duration::from_secs(3);
/// How long a call may take in all, for servers that hang.
const CALL: Duration = Duration::from_secs(15);

/// Connections to each server, if the connection string says nothing.
const CONNECTIONS: u32 = 100;

pub(crate) struct Mongo {
    client: Client,
    database: Database,
    /// A write outside of a transaction waits in the server, on its connection, while a transaction holds the
    /// document. Some connections are kept from them: else they could take all, and the transaction would
    /// find none to commit by.
    single_writes: Semaphore,
}

impl Mongo {
    pub(crate) async fn open(url: &str, database: &str) -> Result<Self> {
        let mut options = ClientOptions::parse(url).await.map_err(failure)?;
        options.server_selection_timeout.get_or_insert(SELECTION);
        options.connect_timeout.get_or_insert(SELECTION);
        options.app_name.get_or_insert_with(|| "daka".to_owned());
        // What is acknowledged survives a change of the primary, and what is read was acknowledged.
        options.write_concern = Some(
            WriteConcern::builder()
                .w(mongodb::options::Acknowledgment::Majority)
                .journal(true)
                .build(),
        );
        options.read_concern = Some(ReadConcern::majority());
        let connections = options.max_pool_size.unwrap_or(CONNECTIONS).clamp(2, 10_000);
        options.max_pool_size = Some(connections);
        let single_writes = Semaphore::new(connections as usize / 2);
        let client = Client::with_options(options).map_err(failure)?;
        let mongo = Self {
            database: client.database(database),
            client,
            single_writes,
        };
        mongo.ping().await?;
        Ok(mongo)
    }

    pub(crate) async fn ensure(&self, collections: &[CollectionSpec]) -> Result<()> {
        // Building an index takes as long as it takes.
        schema::ensure(&self.database, collections).await
    }

    pub(crate) async fn commit(&self, ops: Vec<Op>) -> Result<()> {
        limited(write::commit(self, &ops)).await
    }

    pub(crate) async fn ping(&self) -> Result<()> {
        let ping = async {
            self.database
                .run_command(doc! { "ping": 1 })
                .await
                .map_err(failure)
        };
        limited(ping).await.map(drop)
    }

    pub(crate) async fn get<D: Document>(&self, collection: CollectionSpec, id: String) -> Result<Option<D>> {
        limited(read::get(self, collection, &id)).await
    }

    pub(crate) async fn find<D: Document>(&self, find: Find) -> Result<Vec<D>> {
        limited(read::find(self, &find)).await
    }

    pub(crate) async fn page<D: Document>(&self, request: FindPage) -> Result<FoundPage<D>> {
        limited(read::page(self, request)).await
    }

    pub(crate) async fn count(&self, find: Find) -> Result<u64> {
        limited(read::count(self, &find)).await
    }

    pub(crate) async fn exists(&self, find: Find) -> Result<bool> {
        limited(read::exists(self, &find)).await
    }

    pub(crate) async fn delete_where(&self, find: Find) -> Result<u64> {
        limited(write::delete_where(self, &find)).await
    }

    fn collection(&self, name: &str) -> mongodb::Collection<RawDocumentBuf> {
        self.database.collection(name)
    }
}

async fn limited<T>(call: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::time::timeout(CALL, call)
        .await
        .map_err(Error::unavailable)?
}

/// What an error of the driver means for the caller.
fn failure(error: DriverError) -> Error {
    if is_transient(&error) {
        Error::unavailable(error)
    } else {
        Error::internal(error)
    }
}

/// Whether the driver has waited for a server in vain: then nobody waits any longer.
fn is_away(error: &DriverError) -> bool {
    matches!(error.kind.as_ref(), ErrorKind::ServerSelection { .. })
}

/// Whether the same call may succeed later.
fn is_transient(error: &DriverError) -> bool {
    let labels = [
        "RetryableWriteError",
        mongodb::error::TRANSIENT_TRANSACTION_ERROR,
        mongodb::error::UNKNOWN_TRANSACTION_COMMIT_RESULT,
    ];
    if labels.iter().any(|label| error.contains_label(label)) {
        return true;
    }
    match error.kind.as_ref() {
        ErrorKind::Io(_)
        | ErrorKind::ConnectionPoolCleared { .. }
        | ErrorKind::ServerSelection { .. }
        | ErrorKind::DnsResolve { .. }
        | ErrorKind::Write(WriteFailure::WriteConcernError(_)) => true,
        ErrorKind::Command(error) => is_transient_code(error.code),
        _ => false,
    }
}

/// <https://github.com/mongodb/mongo/blob/r6.0.5/src/mongo/base/error_codes.yml>
const fn is_transient_code(code: i32) -> bool {
    matches!(
        code,
        // HostUnreachable, HostNotFound, LockTimeout, MaxTimeMSExpired, WriteConcernFailed, NetworkTimeout,
        // ShutdownInProgress, WriteConflict, PrimarySteppedDown, ExceededTimeLimit,
        6 | 7 | 24 | 50 | 64 | 89 | 91 | 112 | 189 | 262
        // SocketException, NotWritablePrimary, InterruptedAtShutdown, InterruptedDueToReplStateChange,
        // NotPrimaryNoSecondaryOk, NotPrimaryOrSecondary
        | 9001 | 10107 | 11600 | 11602 | 13435 | 13436
    )
}

/// The name of the unique index that already has the value, if that is the error.
fn duplicate_index(error: &DriverError) -> Option<String> {
    let (code, message) = match error.kind.as_ref() {
        ErrorKind::Write(WriteFailure::WriteError(error)) => (error.code, &error.message),
        ErrorKind::Command(error) => (error.code, &error.message),
        ErrorKind::InsertMany(error) => {
            let first = error.write_errors.as_ref()?.first()?;
            (first.code, &first.message)
        }
        _ => return None,
    };
    if code != 11000 {
        return None;
    }
    // E11000 duplicate key error collection: daka.habits index: owner dup key: { userId: "…" }
    let name = message.split(" index: ").nth(1)?.split_whitespace().next()?;
    Some(if name == "_id_" {
        "_id".to_owned()
    } else {
        name.to_owned()
    })
}
