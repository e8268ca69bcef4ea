//! Why the store did not do what it was asked to.

use std::error::Error as StdError;
use std::fmt;

use kernel::{Direction, Issue, PathSegment, Refusal, Text, TextArg};

/// The result of a store call.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why the store did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What is stored does not allow it; nothing of the batch was done.
    #[error("{0}")]
    Conflict(Conflict),
    /// The store does not answer, or is too busy. The same call may be tried again; whether a write was done
    /// is not known.
    #[error("the store is not available: {0}")]
    Unavailable(#[source] Box<dyn StdError + Send + Sync>),
    /// The cursor is not one of this list.
    #[error("not a cursor of this list")]
    InvalidCursor(Direction),
    /// A fault of this program or of the data.
    #[error("store: {0}")]
    Internal(#[source] Box<dyn StdError + Send + Sync>),
}

/// What is stored does not allow a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The collection of the write that failed.
    pub collection: &'static str,
    /// What was found instead.
    pub kind: ConflictKind,
    /// For duplicates: which unique index, `_id` for the id.
    pub index: Option<String>,
}

/// What a write found instead of what it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ConflictKind {
    /// Another document with the same id or unique key.
    Duplicate,
    /// Another version of the document, or none.
    Stale,
    /// No document that fits the update.
    Missing,
}

/// The text argument by which [`retry_stale`](crate::retry_stale) knows a store conflict from a refusal of
/// the domain's own.
const MARKER: &str = "storeConflict";

impl Error {
    pub(crate) fn internal(cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Internal(cause.into())
    }

    pub(crate) fn unavailable(cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Unavailable(cause.into())
    }

    pub(crate) fn conflict(collection: &'static str, kind: ConflictKind) -> Self {
        Self::Conflict(Conflict {
            collection,
            kind,
            index: None,
        })
    }

    pub(crate) fn duplicate(collection: &'static str, index: &str) -> Self {
        Self::Conflict(Conflict {
            collection,
            kind: ConflictKind::Duplicate,
            index: Some(index.to_owned()),
        })
    }

    /// Whether a unique index (`_id` for the id) of a collection already has the value.
    pub fn is_duplicate(&self, collection: &str, index: &str) -> bool {
        matches!(self, Self::Conflict(conflict) if conflict.kind == ConflictKind::Duplicate
            && conflict.collection == collection
            && conflict.index.as_deref() == Some(index))
    }
}

impl ConflictKind {
    const fn name(self) -> &'static str {
        match self {
            Self::Duplicate => "duplicate",
            Self::Stale => "stale",
            Self::Missing => "missing",
        }
    }
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}", self.kind.name(), self.collection)?;
        match &self.index {
            Some(index) => write!(f, " by {index}"),
            None => Ok(()),
        }
    }
}

impl From<Error> for kernel::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Conflict(conflict) => {
                let text = Text::new("version-mismatch").with(MARKER, conflict.kind.name());
                Refusal::conflict("VERSION_MISMATCH", text).into()
            }
            Error::Unavailable(cause) => {
                tracing::warn!(error = %cause, "the document store is not available");
                Refusal::unavailable(1).into()
            }
            Error::InvalidCursor(direction) => {
                let argument = match direction {
                    Direction::Forward => "after",
                    Direction::Backward => "before",
                };
                let issue = Issue {
                    path: vec![PathSegment::from(argument)],
                    code: "INVALID_CURSOR",
                    text: Text::new("invalid-cursor"),
                };
                Refusal::bad_input(vec![issue]).into()
            }
            Error::Internal(_) => Self::internal(error),
        }
    }
}

/// Whether an error of a use case came from a store conflict of that kind.
pub(crate) fn came_from(error: &kernel::Error, kind: ConflictKind) -> bool {
    let kernel::Error::Refused(refusal) = error else {
        return false;
    };
    let marker = |(name, value): &(&str, TextArg)| *name == MARKER && *value == TextArg::from(kind.name());
    refusal.text.args.iter().any(marker)
}
