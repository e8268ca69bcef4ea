//! What this domain does with the events of others.

use async_trait::async_trait;
use docstore::Batch;
use events::{Event, Handler, HandlerError, Payload as _};
use kernel::ErrorCode;
use subgraph::messages::{HabitChanged, HabitCreated, HabitDeleted, OwnersTakenOver, UserChanged};

use crate::app::{App, of_habit};
use crate::ops::refresh;

/// The events that change what this domain knows of others.
pub const KINDS: &[&str] = &[
    UserChanged::KIND,
    HabitCreated::KIND,
    HabitChanged::KIND,
    HabitDeleted::KIND,
];

/// Check-ins of a deleted habit that go at once.
const DELETED_AT_ONCE: usize = 500;

/// Takes over what the owners say now. An event only says that it is time to: doubled, late and reordered ones do
/// no harm.
pub struct OwnersChanged(pub App);

#[async_trait]
impl Handler for OwnersChanged {
    async fn handle(&self, event: &Event) -> Result<(), HandlerError> {
        if let Ok(HabitDeleted { habit_id }) = event.payload_as::<HabitDeleted>() {
            while self
                .0
                .check_ins()
                .delete_where(of_habit(habit_id).limit(DELETED_AT_ONCE))
                .await?
                > 0
            {}
            while self
                .0
                .facts()
                .delete_where(of_habit(habit_id).limit(DELETED_AT_ONCE))
                .await?
                > 0
            {}
        }
        match refresh::refresh(&self.0, event.user).await {
            // The account is gone, and with it the need to know.
            Err(error) if error.code() == ErrorCode::NotFound => {}
            other => drop(other?),
        }
        // Only what others see follows the events; everything else asks the owners.
        if [UserChanged::KIND, HabitDeleted::KIND].contains(&&*event.kind) {
            let mut batch = Batch::new();
            self.0
                .deps
                .outbox
                .emit(&mut batch, event.user, &OwnersTakenOver {})?;
            self.0.deps.store.commit(batch).await?;
        }
        Ok(())
    }
}
