//! Why events were not carried.

use kernel::Refusal;

/// Any cause.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The result of an operation of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why events were not carried.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A store or the bus does not answer; the same may be tried again.
    #[error("events cannot be carried now: {0}")]
    Unavailable(#[source] BoxError),
    /// A fault of this program, of its configuration, or of the data.
    #[error("events: {0}")]
    Internal(#[source] BoxError),
}

impl Error {
    pub(crate) fn unavailable(cause: impl Into<BoxError>) -> Self {
        Self::Unavailable(cause.into())
    }

    pub(crate) fn internal(cause: impl Into<BoxError>) -> Self {
        Self::Internal(cause.into())
    }
}

impl From<docstore::Error> for Error {
    fn from(error: docstore::Error) -> Self {
        match error {
            // What overtakes the bookkeeping of this crate is another process doing the same: try again.
            docstore::Error::Unavailable(_) | docstore::Error::Conflict(_) => Self::unavailable(error),
            error => Self::internal(error),
        }
    }
}

impl From<redis::RedisError> for Error {
    fn from(error: redis::RedisError) -> Self {
        use redis::ErrorKind::{Client, InvalidClientConfig, UnexpectedReturnType};
        match error.kind() {
            Client | InvalidClientConfig | UnexpectedReturnType => Self::internal(error),
            _ => Self::unavailable(error),
        }
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::internal(error)
    }
}

impl From<Error> for kernel::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Unavailable(cause) => {
                tracing::warn!(error = %cause, "events cannot be carried now");
                Refusal::unavailable(1).into()
            }
            Error::Internal(_) => Self::internal(error),
        }
    }
}
