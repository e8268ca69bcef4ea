//! Carries events from an outbox to the bus: at least once, in their order, one process at a time for each source.
//!
//! A server that restarts may have lost what it acknowledged last. So events that went there stay in the outbox for
//! a while, and are published once more when the server is another than before; the embedded bus loses nothing, and
//! events leave the outbox at once.

use std::time::Duration;

use docstore::{Batch, DocStore, Order, Query, Update};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::bus::Bus;
use crate::dead_letters;
use crate::document::document;
use crate::error::Result;
use crate::event::Event;
use crate::outbox::Row;

/// Carries events from the outbox of a source to the bus.
pub struct Relay;

/// How many events are carried at once.
const AT_ONCE: usize = 256;

/// How long after a wake-up the outbox is read: what is committed meanwhile comes along. Each carrying costs commits of
/// its own, which on one disk compete with those that it carries.
const GATHER: Duration = Duration::from_millis(50);

/// How long events stay in the outbox after they went to a server. A server that syncs its log every second
/// loses less than two seconds.
const KEEP: Duration = Duration::from_secs(10);

/// How often is looked whether the server is still the same, and what was kept is removed.
const TIDY: Duration = Duration::from_secs(10);

/// Which server the events of a source went to.
#[derive(Serialize, Deserialize)]
pub(crate) struct Progress {
    /// The source.
    #[serde(rename = "_id")]
    id: String,
    version: i64,
    epoch: String,
}

impl Relay {
    /// Carries the events of `source`, of which `store` has the outbox, until `shutdown`; then it carries what is
    /// left, as far as the bus takes it. Any number of processes may run it for the same source: one of them works.
    ///
    /// Problems are logged and tried again, forever.
    pub async fn run(store: DocStore, bus: Bus, source: &str, shutdown: CancellationToken) {
        let carrier = Carrier { store, bus, source };
        while !shutdown.is_cancelled() {
            match carrier.bus.leases().acquire(&carrier.lease()).await {
                Ok(Some(lease)) => {
                    tokio::select! {
                        () = carrier.carry_on() => {}
                        () = lease.lost().cancelled() => {}
                        () = shutdown.cancelled() => {
                            if let Err(error) = carrier.drain().await {
                                tracing::warn!(source, %error, "events stay in the outbox until the next start");
                            }
                        }
                    }
                    lease.release().await;
                }
                Ok(None) => carrier.wait(&shutdown).await,
                Err(error) => {
                    tracing::warn!(source, %error, "the relay of a source could not begin");
                    carrier.wait(&shutdown).await;
                }
            }
        }
    }

    /// Returns when the outbox of the source is empty: carried by this call, or by the relay that runs. Does not
    /// give up by itself as long as another process is at work.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable) if the store or the bus is.
    pub async fn flush(store: &DocStore, bus: &Bus, source: &str) -> Result<()> {
        let carrier = Carrier {
            store: store.clone(),
            bus: bus.clone(),
            source,
        };
        while Self::pending(store, source).await? > 0 {
            match bus.leases().acquire(&carrier.lease()).await? {
                Some(lease) => {
                    let drained = carrier.drain().await;
                    lease.release().await;
                    drained?;
                }
                None => sleep(Duration::from_millis(5)).await,
            }
        }
        Ok(())
    }

    /// How many events of the source wait in the outbox.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable) if the store is.
    pub async fn pending(store: &DocStore, source: &str) -> Result<u64> {
        let waiting = Query::all().eq("source", source).eq("relayedAt", 0_i64);
        Ok(store.collection::<Row>().count(waiting).await?)
    }
}

struct Carrier<'a> {
    store: DocStore,
    bus: Bus,
    source: &'a str,
}

impl Carrier<'_> {
    /// Carries whatever comes.
    async fn carry_on(&self) {
        let mut committed = self.store.committed();
        let mut checked: Option<(Instant, u64)> = None;
        let mut failures = 0;
        loop {
            committed.borrow_and_update();
            let disruptions = self.bus.disruptions();
            let sure = checked.is_some_and(|(at, seen)| at.elapsed() < TIDY && seen == disruptions);
            let round = async {
                if !sure {
                    self.check_server().await?;
                }
                self.carry().await
            };
            match round.await {
                Ok(carried) => {
                    failures = 0;
                    if !sure {
                        checked = Some((Instant::now(), disruptions));
                    }
                    if carried == 0 {
                        tokio::select! {
                            _ = committed.changed() => sleep(GATHER).await,
                            () = sleep(self.bus.tuning().poll) => {}
                        }
                    }
                }
                Err(error) => {
                    failures += 1;
                    checked = None;
                    tracing::warn!(source = self.source, %error, "events wait in the outbox");
                    sleep(self.bus.tuning().pause(failures)).await;
                }
            }
        }
    }

    /// Carries all that waits now.
    async fn drain(&self) -> Result<()> {
        self.check_server().await?;
        while self.carry().await? > 0 {}
        Ok(())
    }

    /// Carries the next few, and returns how many.
    async fn carry(&self) -> Result<usize> {
        let next = Query::all().eq("source", self.source).eq("relayedAt", 0_i64);
        let next = next.sort("order", Order::Asc).limit(AT_ONCE);
        let rows = self.store.collection::<Row>().find(next).await?;
        if rows.is_empty() {
            return Ok(0);
        }
        let mut events = Vec::with_capacity(rows.len());
        for row in &rows {
            match serde_json::from_str::<Event>(&row.event) {
                Ok(event) => events.push(event),
                Err(error) => {
                    tracing::error!(source = self.source, id = row.id, %error, "this is no event");
                    let group = format!("relay/{}", self.source);
                    let (error, at) = (error.to_string(), self.bus.now());
                    dead_letters::put(self.bus.store(), &group, &row.id, &row.event, error, 0, at).await?;
                }
            }
        }
        self.bus
            .publish_to(&events.iter().collect::<Vec<_>>(), None)
            .await?;
        let now = self.bus.now().as_millisecond().max(1);
        let mut batch = Batch::new();
        for row in &rows {
            if self.bus.may_forget() {
                batch.update::<Row>(&row.id, Update::new().set("relayedAt", now).or_ignore());
            } else {
                batch.delete::<Row>(&row.id);
            }
        }
        self.store.commit(batch).await?;
        Ok(rows.len())
    }

    /// Lets wait again what went to a server that is not there any more, and removes what was kept long enough.
    async fn check_server(&self) -> Result<()> {
        let Some(epoch) = self.bus.epoch().await? else {
            return Ok(());
        };
        let rows = self.store.collection::<Row>();
        let relayed = Query::all().eq("source", self.source).gt("relayedAt", 0_i64);
        let known = self.store.collection::<Progress>().get(self.source).await?;
        if known.as_ref().is_some_and(|known| known.epoch == epoch) {
            let before = self.bus.now().as_millisecond() - KEEP.as_millis() as i64;
            rows.delete_where(relayed.lt("relayedAt", before)).await?;
            return Ok(());
        }
        if known.is_some() {
            tracing::warn!(
                source = self.source,
                "the server of the bus is another: its last events go there again"
            );
        }
        loop {
            let some = rows.find(relayed.clone().limit(AT_ONCE)).await?;
            if some.is_empty() {
                break;
            }
            let mut batch = Batch::new();
            for row in some {
                batch.update::<Row>(&row.id, Update::new().set("relayedAt", 0_i64).or_ignore());
            }
            self.store.commit(batch).await?;
        }
        let mut batch = Batch::new();
        batch.put(&Progress {
            id: self.source.to_owned(),
            version: 0,
            epoch,
        });
        Ok(self.store.commit(batch).await?)
    }

    async fn wait(&self, shutdown: &CancellationToken) {
        shutdown.run_until_cancelled(sleep(self.bus.tuning().poll)).await;
    }

    fn lease(&self) -> String {
        format!("relay/{}", self.source)
    }
}

document!(Progress, "event_relays");
