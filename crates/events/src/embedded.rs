//! The bus in a document store: streams of entries with rising positions, and how far each group is in each.
//!
//! Positions are given out under one document that every publishing replaces, so that entries become visible in
//! the order of their positions and a group that has passed a position has missed nothing before it.

use docstore::{Batch, ConflictKind, DocStore, Document as _, IndexSpec, Order, Query};
use jiff::Timestamp;
use kernel::Clock;
use serde::{Deserialize, Serialize};

use crate::bus::{Delivery, Receipt};
use crate::document::document;
use crate::error::{Error, Result};
use crate::event::Event;

/// How many streams there are: all are worked on by the same few processes, and write to the same disk.
pub(crate) const STREAMS: u16 = 4;

/// How many events become visible together.
const AT_ONCE: usize = 500;

/// How many old entries one command removes.
const TRIM_AT_ONCE: usize = 1_000;

/// How often others may overtake a publishing before it is given up.
const ATTEMPTS: usize = 100;

const HEAD: &str = "head";

pub(crate) struct Embedded {
    store: DocStore,
    clock: Clock,
    /// One at a time within the process: those who raced would only overtake each other.
    publishing: tokio::sync::Mutex<()>,
}

/// One stream as one group reads it.
pub(crate) struct Lane {
    store: DocStore,
    position: Position,
}

/// The next position, in all streams together.
#[derive(Serialize, Deserialize)]
pub(crate) struct Head {
    #[serde(rename = "_id")]
    id: String,
    version: i64,
    next: i64,
}

/// How far a group is in a stream.
#[derive(Serialize, Deserialize)]
pub(crate) struct Position {
    #[serde(rename = "_id")]
    id: String,
    version: i64,
    stream: i64,
    /// Everything up to here is done.
    position: i64,
}

/// An event in a stream.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Entry {
    #[serde(rename = "_id")]
    id: String,
    version: i64,
    stream: i64,
    position: i64,
    /// Only for this group: a dead letter that is replayed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    /// Milliseconds since 1970.
    published_at: i64,
    /// The event as JSON.
    event: String,
}

impl Embedded {
    pub(crate) fn new(store: DocStore, clock: Clock) -> Self {
        Self {
            store,
            clock,
            publishing: tokio::sync::Mutex::default(),
        }
    }

    pub(crate) async fn publish(&self, events: &[&Event], group: Option<&str>) -> Result<()> {
        let _turn = self.publishing.lock().await;
        for some in events.chunks(AT_ONCE) {
            self.append(some.to_vec(), group).await?;
        }
        Ok(())
    }

    pub(crate) async fn register(&self, group: &str) -> Result<()> {
        for stream in 0..STREAMS {
            self.lane(group, stream).await?;
        }
        Ok(())
    }

    pub(crate) async fn lane(&self, group: &str, stream: u16) -> Result<Lane> {
        let positions = self.store.collection::<Position>();
        let id = format!("{group}/{stream}");
        let position = match positions.get(&id).await? {
            Some(position) => position,
            None => {
                let position = Position {
                    id,
                    version: 0,
                    stream: stream.into(),
                    position: 0,
                };
                positions.insert(&position).await?;
                position
            }
        };
        Ok(Lane {
            store: self.store.clone(),
            position,
        })
    }

    pub(crate) async fn waiting(&self, group: &str) -> Result<u64> {
        let mut waiting = 0;
        for stream in 0..STREAMS {
            let position = self
                .store
                .collection::<Position>()
                .get(format!("{group}/{stream}"))
                .await?;
            let after = position.map_or(0, |position| position.position);
            let query = Query::all().eq("stream", i64::from(stream)).gt("position", after);
            waiting += self.store.collection::<Entry>().count(query).await?;
        }
        Ok(waiting)
    }

    pub(crate) async fn trim(&self, before: Timestamp) -> Result<()> {
        for stream in 0..i64::from(STREAMS) {
            let readers = self
                .store
                .collection::<Position>()
                .find(Query::all().eq("stream", stream))
                .await?;
            let done = readers
                .iter()
                .map(|reader| reader.position)
                .min()
                .unwrap_or(i64::MAX);
            loop {
                let old = Query::all()
                    .eq("stream", stream)
                    .lte("position", done)
                    .lt("publishedAt", before);
                let old = old.sort("position", Order::Asc).limit(TRIM_AT_ONCE);
                if self.store.collection::<Entry>().delete_where(old).await? < TRIM_AT_ONCE as u64 {
                    break;
                }
            }
        }
        Ok(())
    }

    async fn append(&self, mut events: Vec<&Event>, group: Option<&str>) -> Result<()> {
        for _ in 0..ATTEMPTS {
            match self.store.commit(self.batch(&events, group).await?).await {
                Ok(()) => return Ok(()),
                Err(docstore::Error::Conflict(conflict))
                    if conflict.collection == Entry::COLLECTION.name
                        && conflict.kind == ConflictKind::Duplicate =>
                {
                    // Some were published before, by a relay that could not note it.
                    let ids = events.iter().map(|event| event.id.clone());
                    let known = self.store.collection::<Entry>().get_many(ids).await?;
                    events.retain(|event| known.iter().all(|entry| entry.id != event.id));
                }
                // Another process published in between.
                Err(docstore::Error::Conflict(_)) => {}
                Err(error) => return Err(error.into()),
            }
            if events.is_empty() {
                return Ok(());
            }
        }
        Err(Error::unavailable("others publish all the time"))
    }

    async fn batch(&self, events: &[&Event], group: Option<&str>) -> Result<Batch> {
        let mut batch = Batch::new();
        let count = i64::try_from(events.len()).map_err(Error::internal)?;
        let first = match self.store.collection::<Head>().get(HEAD).await? {
            Some(mut head) => {
                let first = head.next;
                head.next += count;
                batch.replace(&mut head);
                first
            }
            None => {
                batch.insert(&Head {
                    id: HEAD.to_owned(),
                    version: 0,
                    next: 1 + count,
                });
                1
            }
        };
        for (position, event) in (first..).zip(events) {
            batch.insert(&Entry {
                // An event is published once, but replayed as often as somebody wants to.
                id: group.map_or_else(|| event.id.clone(), |_| format!("{}@{position}", event.id)),
                version: 0,
                stream: event.partition(STREAMS).into(),
                position,
                group: group.map(str::to_owned),
                published_at: self.clock.now().as_millisecond(),
                event: serde_json::to_string(event)?,
            });
        }
        Ok(batch)
    }
}

impl Lane {
    pub(crate) async fn fetch(&self, limit: usize) -> Result<Vec<Delivery>> {
        let next = Query::all()
            .eq("stream", self.position.stream)
            .gt("position", self.position.position)
            .sort("position", Order::Asc)
            .limit(limit);
        let entries = self.store.collection::<Entry>().find(next).await?;
        let deliver = |entry: Entry| Delivery {
            receipt: Receipt::Position(entry.position),
            group: entry.group,
            event: entry.event,
        };
        Ok(entries.into_iter().map(deliver).collect())
    }

    /// Everything up to the position is done. `false` if another process works on this lane now.
    pub(crate) async fn acknowledge(&mut self, done: i64) -> Result<bool> {
        let mut next = Position {
            id: self.position.id.clone(),
            position: done.max(self.position.position),
            ..self.position
        };
        match self.store.collection::<Position>().replace(&mut next).await {
            Ok(()) => {
                self.position = next;
                Ok(true)
            }
            Err(docstore::Error::Conflict(_)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

document!(Head, "event_head");
document!(Position, "event_positions");
document!(
    Entry,
    "event_streams",
    IndexSpec {
        name: "position",
        fields: &[("stream", Order::Asc), ("position", Order::Asc)],
        unique: true,
    }
);
