//! What consumers of events implement.

use std::sync::Arc;

use async_trait::async_trait;
use kernel::ErrorCode;

use crate::error::BoxError;
use crate::event::Event;
use crate::once::is_duplicate;

/// What a service does when something happened elsewhere.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// Handles one event. It may come more than once, also while an earlier handling of it still ends, so that
    /// handling must be idempotent: [`once`](crate::once) makes it so.
    async fn handle(&self, event: &Event) -> Result<(), HandlerError>;
}

/// Why an event was not handled.
#[derive(Debug, thiserror::Error)]
pub enum HandlerError {
    /// It had been handled before: this delivery is dropped.
    #[error("handled before")]
    Duplicate,
    /// Something that is needed does not answer. The event is tried until it works, and its successors wait.
    #[error("cannot be handled now: {0}")]
    Retry(#[source] BoxError),
    /// It did not work. The event is tried a few times, and then goes to the dead letters.
    #[error("{0}")]
    Failed(#[source] BoxError),
}

impl HandlerError {
    /// Something that is needed does not answer.
    pub fn retry(cause: impl Into<BoxError>) -> Self {
        Self::Retry(cause.into())
    }

    /// It did not work.
    pub fn failed(cause: impl Into<BoxError>) -> Self {
        Self::Failed(cause.into())
    }
}

impl From<docstore::Error> for HandlerError {
    fn from(error: docstore::Error) -> Self {
        match error {
            error if is_duplicate(&error) => Self::Duplicate,
            docstore::Error::Unavailable(_) => Self::retry(error),
            error => Self::failed(error),
        }
    }
}

impl From<kernel::Error> for HandlerError {
    fn from(error: kernel::Error) -> Self {
        match error.code() {
            ErrorCode::ServiceUnavailable => Self::retry(error),
            _ => Self::failed(error),
        }
    }
}

impl From<crate::Error> for HandlerError {
    fn from(error: crate::Error) -> Self {
        match error {
            crate::Error::Unavailable(_) => Self::retry(error),
            crate::Error::Internal(_) => Self::failed(error),
        }
    }
}

#[async_trait]
impl<H: Handler + ?Sized> Handler for Arc<H> {
    async fn handle(&self, event: &Event) -> Result<(), HandlerError> {
        (**self).handle(event).await
    }
}
