//! Why a cache did not do what it was asked to.

use kernel::Refusal;

/// The result of a cache operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a cache did not do what it was asked to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The server does not answer. Whether it carried out the operation is not known.
    #[error("the cache server is not available: {0}")]
    Unavailable(String),
    /// A mistake of the caller: a value that is not JSON, a key that holds something of another kind, a number
    /// that is out of range, a configuration that cannot be.
    #[error("the cache cannot do this: {0}")]
    Invalid(String),
}

impl From<Error> for kernel::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Unavailable(_) => Refusal::unavailable(1).into(),
            Error::Invalid(_) => Self::internal(error),
        }
    }
}

impl From<redis::RedisError> for Error {
    fn from(error: redis::RedisError) -> Self {
        use redis::ErrorKind::{Client, InvalidClientConfig, UnexpectedReturnType};
        // Whatever is not plainly the caller's mistake counts as an outage: no connection, no answer in time,
        // loading, read-only replica, out of memory, not allowed to write because the disk is full.
        let text = error.to_string();
        let callers_fault = matches!(error.kind(), Client | InvalidClientConfig | UnexpectedReturnType)
            || error.into_server_errors().is_some_and(|errors| {
                let mut codes = errors.iter().map(|(_, error)| error.code());
                codes.all(|code| matches!(code, "ERR" | "WRONGTYPE"))
            });
        if callers_fault {
            Self::Invalid(text)
        } else {
            Self::Unavailable(text)
        }
    }
}
