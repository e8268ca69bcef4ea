//! Events that a group could not handle.

use docstore::{Batch, DocStore, IndexSpec, Order, Query};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::document::document;
use crate::error::Result;
use crate::event::Event;

/// An event that a group could not handle, with the reason.
#[derive(Debug, Clone, PartialEq)]
pub struct DeadLetter {
    /// The event.
    pub event: Event,
    /// What the last attempt failed with.
    pub error: String,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was given up.
    pub at: Timestamp,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Stored {
    #[serde(rename = "_id")]
    id: String,
    version: i64,
    group: String,
    /// The event as JSON, or whatever else was found in its place.
    event: String,
    error: String,
    attempts: u32,
    /// Milliseconds since 1970.
    at: i64,
}

/// Puts an event away. `id` is the event's, or anything that names the delivery if that is no event.
pub(crate) async fn put(
    store: &DocStore,
    group: &str,
    id: &str,
    event: &str,
    error: String,
    attempts: u32,
    at: Timestamp,
) -> Result<()> {
    let mut batch = Batch::new();
    batch.put(&Stored {
        id: key(group, id),
        version: 0,
        group: group.to_owned(),
        event: event.to_owned(),
        error,
        attempts,
        at: at.as_millisecond(),
    });
    Ok(store.commit(batch).await?)
}

/// The oldest dead letters of a group that are events.
pub(crate) async fn list(store: &DocStore, group: &str, limit: usize) -> Result<Vec<DeadLetter>> {
    let oldest = Query::all()
        .eq("group", group)
        .sort("at", Order::Asc)
        .limit(limit);
    let stored = store.collection::<Stored>().find(oldest).await?;
    Ok(stored.into_iter().filter_map(|stored| stored.read()).collect())
}

pub(crate) async fn count(store: &DocStore, group: &str) -> Result<u64> {
    Ok(store
        .collection::<Stored>()
        .count(Query::all().eq("group", group))
        .await?)
}

pub(crate) async fn find(store: &DocStore, group: &str, id: &str) -> Result<Option<DeadLetter>> {
    let stored = store.collection::<Stored>().get(key(group, id)).await?;
    Ok(stored.and_then(|stored| stored.read()))
}

pub(crate) async fn remove(store: &DocStore, group: &str, id: &str) -> Result<()> {
    let mut batch = Batch::new();
    batch.delete::<Stored>(key(group, id));
    Ok(store.commit(batch).await?)
}

impl Stored {
    fn read(self) -> Option<DeadLetter> {
        Some(DeadLetter {
            event: serde_json::from_str(&self.event).ok()?,
            error: self.error,
            attempts: self.attempts,
            at: Timestamp::from_millisecond(self.at).ok()?,
        })
    }
}

document!(
    Stored,
    "event_dead_letters",
    IndexSpec {
        name: "group",
        fields: &[("group", Order::Asc), ("at", Order::Asc)],
        unique: false,
    }
);

fn key(group: &str, id: &str) -> String {
    format!("{group}:{id}")
}
