//! Why the store did not do what it was asked to.

use kernel::Refusal;
use sea_orm::{DbErr, RuntimeErr, SqlErr, sqlx};

/// The result of a store call.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a store call or a transaction failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database does not answer, or is too busy. The same call may be tried again; whether a write was
    /// done is not known.
    #[error("the database is not available: {0}")]
    Unavailable(#[source] DbErr),
    /// A fault of this program or of the data.
    #[error("database: {0}")]
    Internal(#[source] DbErr),
    /// What the work inside a transaction refused, or failed with, by itself.
    #[error(transparent)]
    Work(kernel::Error),
}

/// Whether a row with the same unique key exists already.
pub fn is_unique_violation(error: &DbErr) -> bool {
    matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)))
}

impl Error {
    /// Whether a row with the same unique key exists already.
    pub fn is_unique_violation(&self) -> bool {
        matches!(self, Self::Internal(error) if is_unique_violation(error))
    }

    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::Internal(DbErr::Custom(message.into()))
    }

    /// Whether the database has rolled the transaction back because of another one: it may run again.
    pub(crate) fn is_collision(&self) -> bool {
        match self {
            Self::Unavailable(error) => database_error(error).is_some_and(|error| match error {
                // Deadlock; lock wait timeout.
                Native::MySql(number) => matches!(number, 1213 | 1205),
                // Busy, locked; the rest of the code tells why.
                Native::Sqlite(code) => matches!(code & 0xff, 5 | 6),
            }),
            _ => false,
        }
    }
}

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        if is_unavailable(&error) {
            Self::Unavailable(error)
        } else {
            Self::Internal(error)
        }
    }
}

impl From<kernel::Error> for Error {
    fn from(error: kernel::Error) -> Self {
        Self::Work(error)
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Work(refusal.into())
    }
}

impl From<Error> for kernel::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Unavailable(cause) => {
                tracing::warn!(error = %cause, "the relational store is not available");
                Refusal::unavailable(1).into()
            }
            Error::Internal(_) => Self::internal(error),
            Error::Work(error) => error,
        }
    }
}

/// An error number of the database itself.
enum Native {
    /// <https://mariadb.com/kb/en/mariadb-error-code-reference/>
    MySql(u16),
    /// <https://www.sqlite.org/rescode.html>
    Sqlite(u32),
}

fn is_unavailable(error: &DbErr) -> bool {
    if matches!(error, DbErr::ConnectionAcquire(_)) {
        return true;
    }
    match database_error(error) {
        // Too many connections; server shutting down; connection killed (two codes); lock wait timeout;
        // deadlock; out of resources; query interrupted; read-only (after a change of the primary: two codes).
        Some(Native::MySql(number)) => {
            matches!(
                number,
                1040 | 1053 | 1152 | 1927 | 1205 | 1213 | 1041 | 1317 | 1290 | 1836
            )
        }
        // Busy, locked, out of memory, input or output failed, disk full, cannot open.
        Some(Native::Sqlite(code)) => matches!(code & 0xff, 5 | 6 | 7 | 10 | 13 | 14),
        None => matches!(
            sqlx_error(error),
            Some(
                sqlx::Error::Io(_)
                    | sqlx::Error::Tls(_)
                    | sqlx::Error::Protocol(_)
                    | sqlx::Error::PoolTimedOut
                    | sqlx::Error::PoolClosed
                    | sqlx::Error::WorkerCrashed
            )
        ),
    }
}

fn sqlx_error(error: &DbErr) -> Option<&sqlx::Error> {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error)) => Some(error),
        _ => None,
    }
}

fn database_error(error: &DbErr) -> Option<Native> {
    let Some(sqlx::Error::Database(error)) = sqlx_error(error) else {
        return None;
    };
    if let Some(error) = error.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>() {
        return Some(Native::MySql(error.number()));
    }
    error.try_downcast_ref::<sqlx::sqlite::SqliteError>()?;
    error.code()?.parse().ok().map(Native::Sqlite)
}
