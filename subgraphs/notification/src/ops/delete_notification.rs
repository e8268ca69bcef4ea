//! Deleting a notification.

use docstore::Batch;
use kernel::{NotificationId, Principal, Result};

use super::mark_read::count_read;
use crate::app::App;

/// Deletes a notification of the person who asks.
///
/// # Errors
/// `UNAUTHENTICATED`, `NOT_FOUND`.
pub async fn delete_notification(app: &App, principal: &Principal, id: NotificationId) -> Result<()> {
    docstore::retry_stale(async || {
        let notification = app.own(principal, id).await?;
        let mut batch = Batch::new();
        batch.delete_version(&notification);
        count_read(
            app,
            &mut batch,
            notification.user_id,
            usize::from(!notification.is_read),
        )?;
        app.deps.store.commit(batch).await?;
        Ok(())
    })
    .await
}
