//! Exactly one effect of an event that is delivered more than once.

use docstore::{Batch, DocStore, Document as _, IndexSpec, Order, Query};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::document::document;
use crate::error::Result;
use crate::event::Event;

/// How many markers are removed by one command.
const AT_ONCE: usize = 1_000;

/// Adds to a handler's batch that this group has handled the event. When the event comes again the commit fails
/// with a conflict that [`is_duplicate`] knows, and that becomes
/// [`HandlerError::Duplicate`](crate::HandlerError::Duplicate) by `?`; nothing else of the batch happens then.
pub fn once(batch: &mut Batch, group: &str, event: &Event) {
    batch.insert(&Processed {
        id: id(group, event),
        version: 0,
        at: event.at.as_millisecond(),
    });
}

/// Whether a commit failed because the event had been handled before.
pub fn is_duplicate(error: &docstore::Error) -> bool {
    error.is_duplicate(Processed::COLLECTION.name, "_id")
}

/// That a group has handled an event.
#[derive(Serialize, Deserialize)]
pub(crate) struct Processed {
    #[serde(rename = "_id")]
    id: String,
    version: i64,
    /// When the event was emitted: milliseconds since 1970.
    at: i64,
}

document!(
    Processed,
    "event_processed",
    IndexSpec {
        name: "at",
        fields: &[("at", Order::Asc)],
        unique: false,
    }
);

/// Whether the group has handled the event, as far as this store knows.
pub(crate) async fn was_handled(store: &DocStore, group: &str, event: &Event) -> Result<bool> {
    Ok(store
        .collection::<Processed>()
        .get(id(group, event))
        .await?
        .is_some())
}

/// Forgets events that were emitted before.
pub(crate) async fn forget(store: &DocStore, before: Timestamp) -> Result<()> {
    let markers = store.collection::<Processed>();
    loop {
        let old = Query::all()
            .lt("at", before)
            .sort("at", Order::Asc)
            .limit(AT_ONCE);
        if markers.delete_where(old).await? < AT_ONCE as u64 {
            return Ok(());
        }
    }
}

fn id(group: &str, event: &Event) -> String {
    format!("{group}:{}", event.id)
}
