//! The bus as its users see it.

use std::sync::Arc;
use std::time::Duration;

use docstore::DocStore;
use jiff::Timestamp;
use kernel::{Clock, Random};
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::config::{BusConfig, Tuning};
use crate::consumer;
use crate::dead_letters::{self, DeadLetter};
use crate::embedded::{self, Embedded};
use crate::error::{Error, Result};
use crate::event::Event;
use crate::handler::Handler;
use crate::lease::Leases;
use crate::once;
use crate::streams::{self, Streams};

/// Links a span to the one that a `traceparent` names: where an event was emitted.
pub type Linker = Arc<dyn Fn(&tracing::Span, &str) + Send + Sync>;

/// Carries events from the outboxes to the groups. A process opens one and clones it: events wake the readers of
/// the same bus at once, and those of others within a [`Tuning::poll`] at the latest.
#[derive(Clone)]
pub struct Bus {
    inner: Arc<Inner>,
    tuning: Tuning,
    leases: Leases,
    linker: Option<Linker>,
}

/// How much a group has before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lag {
    /// Events on the bus that the group has not done yet, those of kinds that it does not want included.
    pub waiting: u64,
    /// Events in the group's dead letters.
    pub dead: u64,
}

/// Whether the bus works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// It does.
    Ok,
    /// Events wait where they are; the reason is for operators.
    Degraded(String),
}

/// What a lane hands out.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) receipt: Receipt,
    /// Only for this group.
    pub(crate) group: Option<String>,
    /// The event as JSON.
    pub(crate) event: String,
}

/// By what a delivery is acknowledged.
#[derive(Debug, Clone)]
pub(crate) enum Receipt {
    Position(i64),
    Entry(String),
}

/// One stream as one group reads it. Only who holds the lease may use it.
pub(crate) enum Lane {
    Embedded(embedded::Lane),
    Redis(streams::Lane),
}

/// Wakes the readers of each stream.
pub(crate) struct Wakes(Vec<watch::Sender<u64>>);

struct Inner {
    backend: Backend,
    store: DocStore,
    clock: Clock,
    random: Random,
    wakes: Arc<Wakes>,
    _end: DropGuard,
}

enum Backend {
    Embedded(Embedded),
    Redis(Streams),
}

impl Bus {
    /// The configured bus. `store` holds the leases and the dead letters, and the streams of the embedded bus; all
    /// processes that relay a source or consume as a group need the same. Does not wait for a server and does not
    /// need it yet. Has to be called inside a Tokio runtime.
    ///
    /// # Errors
    /// [`Error::Internal`] if the URL is none, or outside of a runtime.
    pub fn open(config: &BusConfig, store: DocStore, clock: Clock, random: Random) -> Result<Self> {
        tokio::runtime::Handle::try_current().map_err(Error::internal)?;
        let end = CancellationToken::new();
        let (backend, wakes) = match config {
            BusConfig::Embedded => {
                let embedded = Embedded::new(store.clone(), clock.clone());
                (
                    Backend::Embedded(embedded),
                    Arc::new(Wakes::new(embedded::STREAMS)),
                )
            }
            BusConfig::Redis { url, prefix, streams } => {
                let streams = Streams::open(url, prefix, *streams)?;
                let wakes = Arc::new(Wakes::new(streams.count()));
                streams.listen(wakes.clone(), end.clone());
                (Backend::Redis(streams), wakes)
            }
        };
        let tuning = Tuning::default();
        let leases = Leases::new(store.clone(), clock.clone(), random.clone(), tuning.lease);
        let inner = Arc::new(Inner {
            backend,
            store,
            clock,
            random,
            wakes,
            _end: end.drop_guard(),
        });
        Ok(Self {
            inner,
            tuning,
            leases,
            linker: None,
        })
    }

    /// The same bus with other patience; to be called before it is used and cloned.
    pub fn tuned(self, tuning: Tuning) -> Self {
        let Inner {
            store, clock, random, ..
        } = &*self.inner;
        let leases = Leases::new(store.clone(), clock.clone(), random.clone(), tuning.lease);
        Self {
            tuning,
            leases,
            ..self
        }
    }

    /// The same bus, which links the span of each event's handling to where the event was emitted.
    pub fn linking_with(self, linker: Linker) -> Self {
        Self {
            linker: Some(linker),
            ..self
        }
    }

    /// Gives events to every group. Those of one user keep this order. What is in an outbox is published by its
    /// [`Relay`](crate::Relay).
    ///
    /// # Errors
    /// [`Error::Unavailable`]: some of them may have been published; publishing all of them again is right.
    pub async fn publish(&self, events: &[Event]) -> Result<()> {
        let events: Vec<&Event> = events.iter().collect();
        self.publish_to(&events, None).await
    }

    /// Handles events of these kinds as part of the group until `shutdown`; then it finishes the events that are
    /// being handled. Several processes may do so for the same group: they share the users among them. A new group
    /// begins with the oldest event that the bus still has.
    ///
    /// Problems are logged and tried again, forever.
    pub async fn consume(
        &self,
        group: &str,
        kinds: &[&str],
        handler: impl Handler,
        shutdown: CancellationToken,
    ) {
        consumer::run(self, group, kinds, Arc::new(handler), shutdown).await;
    }

    /// The oldest events that the group could not handle.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the store is.
    pub async fn dead_letters(&self, group: &str, limit: usize) -> Result<Vec<DeadLetter>> {
        dead_letters::list(self.store(), group, limit).await
    }

    /// Gives a dead letter to its group once more, after all that waits now. `false` if there is none of that
    /// event.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the store or the bus is: then it is where it was.
    pub async fn replay(&self, group: &str, event_id: &str) -> Result<bool> {
        let Some(letter) = dead_letters::find(self.store(), group, event_id).await? else {
            return Ok(false);
        };
        self.publish_to(&[&letter.event], Some(group)).await?;
        dead_letters::remove(self.store(), group, event_id).await?;
        Ok(true)
    }

    /// How much the group has before it.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the store or the bus is.
    pub async fn lag(&self, group: &str) -> Result<Lag> {
        let waiting = match &self.inner.backend {
            Backend::Embedded(embedded) => embedded.waiting(group).await?,
            Backend::Redis(streams) => streams.waiting(group).await?,
        };
        let dead = dead_letters::count(self.store(), group).await?;
        Ok(Lag { waiting, dead })
    }

    /// Whether the bus works. Asks its server.
    pub async fn health(&self) -> Health {
        let result = match &self.inner.backend {
            Backend::Embedded(_) => self.store().ping().await.map_err(Error::from),
            Backend::Redis(streams) => streams.ping().await,
        };
        result.map_or_else(|error| Health::Degraded(error.to_string()), |()| Health::Ok)
    }

    /// Removes what is not needed any more: events that every group has done and that were published longer ago
    /// than `keep`, and the markers of [`once`](crate::once()) in the store of this bus for events that were
    /// emitted longer ago than `keep`. That must be longer than any delay with which an event may still come.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the store or the bus is.
    pub async fn tidy(&self, keep: Duration) -> Result<()> {
        let before = self
            .inner
            .clock
            .now()
            .saturating_sub(keep)
            .unwrap_or(Timestamp::MIN);
        match &self.inner.backend {
            Backend::Embedded(embedded) => embedded.trim(before).await?,
            Backend::Redis(streams) => streams.trim(before).await?,
        }
        once::forget(self.store(), before).await?;
        self.leases.forget(before).await
    }

    pub(crate) async fn publish_to(&self, events: &[&Event], group: Option<&str>) -> Result<()> {
        match &self.inner.backend {
            Backend::Embedded(embedded) => embedded.publish(events, group).await?,
            Backend::Redis(streams) => streams.publish(events, group).await?,
        }
        for event in events {
            self.inner.wakes.wake(event.partition(self.streams()));
        }
        Ok(())
    }

    /// Makes the bus keep events for the group from now on.
    pub(crate) async fn register(&self, group: &str) -> Result<()> {
        match &self.inner.backend {
            Backend::Embedded(embedded) => embedded.register(group).await,
            Backend::Redis(streams) => streams.register(group).await,
        }
    }

    pub(crate) async fn lane(&self, group: &str, stream: u16) -> Result<Lane> {
        Ok(match &self.inner.backend {
            Backend::Embedded(embedded) => Lane::Embedded(embedded.lane(group, stream).await?),
            Backend::Redis(streams) => Lane::Redis(streams.lane(group, stream)),
        })
    }

    /// What changes whenever acknowledged events may have been lost by the server; `None` if they never are.
    pub(crate) async fn epoch(&self) -> Result<Option<String>> {
        match &self.inner.backend {
            Backend::Embedded(_) => Ok(None),
            Backend::Redis(streams) => streams.epoch().await.map(Some),
        }
    }

    /// Whether the server may lose what it acknowledged.
    pub(crate) fn may_forget(&self) -> bool {
        matches!(self.inner.backend, Backend::Redis(_))
    }

    /// Another number after the server did not answer.
    pub(crate) fn disruptions(&self) -> u64 {
        match &self.inner.backend {
            Backend::Embedded(_) => 0,
            Backend::Redis(streams) => streams.disruptions(),
        }
    }

    /// How many streams there are.
    pub(crate) fn streams(&self) -> u16 {
        match &self.inner.backend {
            Backend::Embedded(_) => embedded::STREAMS,
            Backend::Redis(streams) => streams.count(),
        }
    }

    pub(crate) fn wake_ups(&self, stream: u16) -> Option<watch::Receiver<u64>> {
        self.inner
            .wakes
            .0
            .get(usize::from(stream))
            .map(watch::Sender::subscribe)
    }

    pub(crate) fn store(&self) -> &DocStore {
        &self.inner.store
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    pub(crate) fn tuning(&self) -> &Tuning {
        &self.tuning
    }

    pub(crate) fn linker(&self) -> Option<&Linker> {
        self.linker.as_ref()
    }

    pub(crate) fn leases(&self) -> &Leases {
        &self.leases
    }
}

impl Lane {
    /// The next deliveries that are not acknowledged.
    pub(crate) async fn fetch(&mut self, limit: usize) -> Result<Vec<Delivery>> {
        match self {
            Self::Embedded(lane) => lane.fetch(limit).await,
            Self::Redis(lane) => lane.fetch(limit).await,
        }
    }

    /// Everything up to and including these is done. `false` if another process works on this lane now.
    pub(crate) async fn acknowledge(&mut self, done: &[Receipt]) -> Result<bool> {
        match self {
            Self::Embedded(lane) => {
                let positions = done.iter().filter_map(|receipt| match receipt {
                    Receipt::Position(position) => Some(*position),
                    Receipt::Entry(_) => None,
                });
                match positions.max() {
                    Some(last) => lane.acknowledge(last).await,
                    None => Ok(true),
                }
            }
            Self::Redis(lane) => {
                let entries: Vec<String> = done
                    .iter()
                    .filter_map(|receipt| match receipt {
                        Receipt::Entry(id) => Some(id.clone()),
                        Receipt::Position(_) => None,
                    })
                    .collect();
                if entries.is_empty() {
                    Ok(true)
                } else {
                    lane.acknowledge(&entries).await
                }
            }
        }
    }
}

impl Wakes {
    fn new(streams: u16) -> Self {
        Self((0..streams).map(|_| watch::Sender::new(0)).collect())
    }

    pub(crate) fn wake(&self, stream: u16) {
        if let Some(wake) = self.0.get(usize::from(stream)) {
            wake.send_modify(|count| *count = count.wrapping_add(1));
        }
    }

    pub(crate) fn wake_all(&self) {
        (0..self.0.len()).for_each(|stream| self.wake(stream as u16));
    }
}
