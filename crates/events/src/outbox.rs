//! The outbox: events that are committed together with the change they tell of, until they are carried on.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use docstore::{Batch, IndexSpec, Order};
use jiff::Timestamp;
use kernel::{Clock, Random, UserId};
use serde::{Deserialize, Serialize};

use crate::document::document;
use crate::error::Result;
use crate::event::{Event, Payload};

/// Writes the events of one service. Clones share it; a process has one per service.
#[derive(Clone)]
pub struct Outbox(Arc<Inner>);

struct Inner {
    source: String,
    clock: Clock,
    random: Random,
    order: AtomicI64,
    traceparent: Option<Traceparent>,
}

type Traceparent = Arc<dyn Fn() -> Option<String> + Send + Sync>;

/// An event in the outbox.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Row {
    #[serde(rename = "_id")]
    pub(crate) id: String,
    pub(crate) version: i64,
    pub(crate) source: String,
    /// 0 while it waits; then the millisecond since 1970 at which it was given to the bus.
    pub(crate) relayed_at: i64,
    /// Ascending in the order of emitting.
    pub(crate) order: i64,
    /// The event as JSON: exactly what is carried.
    pub(crate) event: String,
}

impl Outbox {
    /// The outbox of the service `source`, such as `habit`.
    pub fn new(source: &str, clock: Clock, random: Random) -> Self {
        Self(Arc::new(Inner {
            source: source.to_owned(),
            clock,
            random,
            order: AtomicI64::new(0),
            traceparent: None,
        }))
    }

    /// The same outbox, which asks `traceparent` for the current trace whenever it emits.
    pub fn tracing_with(self, traceparent: Arc<dyn Fn() -> Option<String> + Send + Sync>) -> Self {
        Self(Arc::new(Inner {
            source: self.0.source.clone(),
            clock: self.0.clock.clone(),
            random: self.0.random.clone(),
            order: AtomicI64::new(self.0.order.load(Ordering::Relaxed)),
            traceparent: Some(traceparent),
        }))
    }

    /// Adds an event to the batch of the change that it tells of.
    ///
    /// To be called after what the change depends on was loaded: then events of changes that build on each other
    /// are in the order of these changes.
    ///
    /// # Errors
    /// [`Error::Internal`](crate::Error::Internal) if the payload cannot be written as JSON.
    pub fn emit<P: Payload>(&self, batch: &mut Batch, user: UserId, payload: &P) -> Result<()> {
        let now = self.0.clock.now();
        let event = Event {
            id: self.0.random.id::<Event>(now).to_string(),
            kind: P::KIND.to_owned(),
            user,
            at: now,
            payload: serde_json::to_value(payload)?,
            traceparent: self.0.traceparent.as_ref().and_then(|traceparent| traceparent()),
            source: self.0.source.clone(),
        };
        batch.insert(&Row {
            version: 0,
            source: self.0.source.clone(),
            relayed_at: 0,
            order: self.next_order(now),
            event: serde_json::to_string(&event)?,
            id: event.id,
        });
        Ok(())
    }

    /// A number greater than all before: the time, with 16 bits to count within a millisecond. Never smaller than
    /// before in one process; between processes it is as good as their clocks.
    fn next_order(&self, now: Timestamp) -> i64 {
        let time = now.as_millisecond().saturating_mul(1 << 16);
        let next = |last: i64| Some(time.max(last.saturating_add(1)));
        match self
            .0
            .order
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, next)
        {
            Ok(last) | Err(last) => time.max(last.saturating_add(1)),
        }
    }
}

document!(
    Row,
    "event_outbox",
    IndexSpec {
        name: "waiting",
        fields: &[
            ("source", Order::Asc),
            ("relayedAt", Order::Asc),
            ("order", Order::Asc),
        ],
        unique: false,
    }
);

#[cfg(test)]
mod tests {
    use kernel::ManualClock;

    use super::*;

    #[test]
    fn the_order_rises_even_if_the_clock_does_not() {
        let manual = ManualClock::at("2026-03-29T01:00:00Z".parse().unwrap());
        let outbox = Outbox::new("habit", manual.clock(), Random::seeded(1));
        let first = outbox.next_order(manual.now());
        let second = outbox.next_order(manual.now());
        let earlier = manual.now() - jiff::SignedDuration::from_secs(60);
        let third = outbox.next_order(earlier);
        assert!(first < second && second < third);
    }
}
