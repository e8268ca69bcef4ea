//! Handling events: the share of the streams that this process works on, and each of them event by event.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt as _;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use crate::bus::{Bus, Delivery, Lane, Receipt};
use crate::dead_letters;
use crate::error::Result;
use crate::event::Event;
use crate::handler::{Handler, HandlerError};
use crate::lease::Lease;
use crate::once;

/// How many events are fetched, and at most handled, before they are acknowledged.
const AT_ONCE: usize = 64;

/// Works for the group until `shutdown`.
pub(crate) async fn run(
    bus: &Bus,
    group: &str,
    kinds: &[&str],
    handler: Arc<dyn Handler>,
    shutdown: CancellationToken,
) {
    let worker = Arc::new(Worker {
        bus: bus.clone(),
        group: group.to_owned(),
        kinds: kinds.iter().map(|kind| (*kind).to_owned()).collect(),
        handler,
    });
    let mut share = Share {
        worker: worker.clone(),
        lanes: JoinSet::new(),
        stops: BTreeMap::new(),
        begun: 0,
        registered: false,
    };
    while !shutdown.is_cancelled() {
        if let Err(error) = share.balance().await {
            tracing::warn!(group, %error, "the streams of a group could not be shared out");
        }
        share.wait(&shutdown).await;
    }
    share.stop().await;
    if let Err(error) = bus.leases().leave(group).await {
        tracing::debug!(group, %error, "leaving a group was not noted");
    }
}

struct Worker {
    bus: Bus,
    group: String,
    kinds: BTreeSet<String>,
    handler: Arc<dyn Handler>,
}

/// The streams that this process works on for a group.
struct Share {
    worker: Arc<Worker>,
    lanes: JoinSet<(u16, u64)>,
    /// The streams that are to be worked on, each with the number of the task that does.
    stops: BTreeMap<u16, (u64, CancellationToken)>,
    begun: u64,
    registered: bool,
}

/// How the handling of an event ended.
#[derive(PartialEq, Eq)]
enum Handled {
    Done,
    /// Told to stop before it was done.
    Stopped,
}

impl Share {
    /// Takes streams up to this process's fair share, and gives up what is more than that.
    async fn balance(&mut self) -> Result<()> {
        let (bus, group) = (&self.worker.bus, &self.worker.group);
        bus.leases().join(group).await?;
        if !self.registered {
            bus.register(group).await?;
            self.registered = true;
        }
        let members = bus.leases().members(group).await?.max(1);
        let fair = usize::from(bus.streams()).div_ceil(members);
        while self.stops.len() > fair {
            if let Some((_, (_, stop))) = self.stops.pop_last() {
                stop.cancel();
            }
        }
        for stream in 0..bus.streams() {
            if self.stops.len() >= fair {
                break;
            }
            if self.stops.contains_key(&stream) {
                continue;
            }
            let name = format!("group/{group}/{stream}");
            if let Some(lease) = bus.leases().acquire(&name).await? {
                let stop = CancellationToken::new();
                self.begun += 1;
                self.stops.insert(stream, (self.begun, stop.clone()));
                let (worker, number) = (self.worker.clone(), self.begun);
                self.lanes.spawn(async move {
                    work(worker, stream, lease, stop).await;
                    (stream, number)
                });
            }
        }
        Ok(())
    }

    /// Waits until it is time to balance again.
    async fn wait(&mut self, shutdown: &CancellationToken) {
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = tokio::time::sleep(self.worker.bus.tuning().poll) => {}
            Some(ended) = self.lanes.join_next() => self.ended(ended),
        }
        while let Some(ended) = self.lanes.try_join_next() {
            self.ended(ended);
        }
    }

    fn ended(&mut self, lane: Result<(u16, u64), tokio::task::JoinError>) {
        match lane {
            // One that was told to stop is not in the list any more; its successor may be.
            Ok((stream, number)) => {
                if self
                    .stops
                    .get(&stream)
                    .is_some_and(|(working, _)| *working == number)
                {
                    self.stops.remove(&stream);
                }
            }
            Err(error) => {
                tracing::error!(group = self.worker.group, %error, "the work on a stream broke off");
                // Which one it was is not known: all begin anew.
                self.stop_all();
            }
        }
    }

    fn stop_all(&mut self) {
        for (_, stop) in std::mem::take(&mut self.stops).into_values() {
            stop.cancel();
        }
    }

    async fn stop(mut self) {
        self.stop_all();
        while self.lanes.join_next().await.is_some() {}
    }
}

/// Works on one stream until told to stop, or until the lease is lost.
async fn work(worker: Arc<Worker>, stream: u16, lease: Lease, stop: CancellationToken) {
    let read = worker.read(stream, &stop);
    tokio::pin!(read);
    tokio::select! {
        () = &mut read => {}
        () = lease.lost().cancelled() => {
            // The event at hand is finished all the same; whoever took over may begin with it at the same time.
            stop.cancel();
            read.await;
        }
    }
    lease.release().await;
}

impl Worker {
    async fn read(&self, stream: u16, stop: &CancellationToken) {
        let Some(mut wake_ups) = self.bus.wake_ups(stream) else {
            return;
        };
        let opening = self.insist("opening a stream", stop, || self.bus.lane(&self.group, stream));
        let Some(mut lane) = opening.await else {
            return;
        };
        let mut failures = 0;
        while !stop.is_cancelled() {
            wake_ups.borrow_and_update();
            match lane.fetch(AT_ONCE).await {
                Ok(deliveries) if deliveries.is_empty() => {
                    failures = 0;
                    tokio::select! {
                        () = stop.cancelled() => {}
                        _ = wake_ups.changed() => {}
                        () = tokio::time::sleep(self.bus.tuning().poll) => {}
                    }
                }
                Ok(deliveries) => {
                    failures = 0;
                    if !self.handle_all(&mut lane, deliveries, stop).await {
                        return;
                    }
                }
                Err(error) => {
                    failures += 1;
                    tracing::warn!(group = self.group, stream, %error, "events could not be fetched");
                    self.pause(failures, stop).await;
                }
            }
        }
    }

    /// Handles the deliveries in their order and acknowledges what is done. `false` if another process works on
    /// this lane.
    async fn handle_all(&self, lane: &mut Lane, deliveries: Vec<Delivery>, stop: &CancellationToken) -> bool {
        let mut done = Vec::with_capacity(deliveries.len());
        for delivery in deliveries {
            if stop.is_cancelled() || self.handle(&delivery, stop).await == Handled::Stopped {
                break;
            }
            done.push(delivery.receipt);
        }
        self.acknowledge(lane, &done, stop).await
    }

    async fn acknowledge(&self, lane: &mut Lane, done: &[Receipt], stop: &CancellationToken) -> bool {
        let mut failures = 0;
        loop {
            match lane.acknowledge(done).await {
                Ok(mine) => return mine,
                Err(error) => {
                    failures += 1;
                    tracing::warn!(group = self.group, %error, "handled events could not be acknowledged");
                    if stop.is_cancelled() {
                        return true;
                    }
                    self.pause(failures, stop).await;
                }
            }
        }
    }

    async fn handle(&self, delivery: &Delivery, stop: &CancellationToken) -> Handled {
        if delivery.group.as_ref().is_some_and(|group| *group != self.group) {
            return Handled::Done;
        }
        let event: Event = match serde_json::from_str(&delivery.event) {
            Ok(event) => event,
            Err(error) => {
                tracing::error!(group = self.group, %error, receipt = ?delivery.receipt, "this is no event");
                let id = format!("{:?}", delivery.receipt);
                return self.bury(&id, &delivery.event, error.to_string(), 0, stop).await;
            }
        };
        if !self.kinds.contains(&event.kind) {
            return Handled::Done;
        }
        // A trace of its own: who emitted the event does not wait for it. It is linked to theirs, as
        // <https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/> has it.
        let span = tracing::info_span!(
            "event",
            otel.name = format_args!("process {}", event.kind),
            otel.kind = "consumer",
            messaging.operation.type = "process",
            messaging.consumer.group.name = self.group,
            messaging.message.id = event.id,
            event.kind = event.kind,
            traceparent = event.traceparent,
        );
        if let (Some(link), Some(traceparent)) = (self.bus.linker(), &event.traceparent) {
            link(&span, traceparent);
        }
        self.insist_on(&event, &delivery.event, stop)
            .instrument(span)
            .await
    }

    /// Tries the event until it is handled or has failed too often.
    async fn insist_on(&self, event: &Event, json: &str, stop: &CancellationToken) -> Handled {
        let (mut failures, mut pauses) = (0, 0);
        loop {
            let error = match AssertUnwindSafe(self.handler.handle(event)).catch_unwind().await {
                Ok(Ok(())) => return Handled::Done,
                Ok(Err(HandlerError::Duplicate)) => {
                    tracing::debug!("handled before");
                    return Handled::Done;
                }
                Ok(Err(error)) => error,
                Err(panic) => HandlerError::failed(format!("panicked: {}", text_of(&*panic))),
            };
            pauses += 1;
            if let HandlerError::Failed(cause) = &error {
                failures += 1;
                if failures >= self.bus.tuning().attempts.max(1) {
                    if once::was_handled(self.bus.store(), &self.group, event)
                        .await
                        .unwrap_or(false)
                    {
                        // A conflict that the handler did not recognise as its own earlier success.
                        return Handled::Done;
                    }
                    tracing::error!(error = %cause, attempts = failures, "an event goes to the dead letters");
                    return self
                        .bury(&event.id, json, cause.to_string(), failures, stop)
                        .await;
                }
            }
            tracing::warn!(%error, "an event could not be handled and is tried again");
            self.pause(pauses, stop).await;
            if stop.is_cancelled() {
                return Handled::Stopped;
            }
        }
    }

    async fn bury(
        &self,
        id: &str,
        json: &str,
        error: String,
        attempts: u32,
        stop: &CancellationToken,
    ) -> Handled {
        let (store, at) = (self.bus.store(), self.bus.now());
        let put = || dead_letters::put(store, &self.group, id, json, error.clone(), attempts, at);
        let buried = self.insist("putting away a dead letter", stop, put).await;
        if buried.is_some() {
            Handled::Done
        } else {
            Handled::Stopped
        }
    }

    /// Tries until it works. `None` if told to stop before.
    async fn insist<T, Fut: Future<Output = Result<T>>>(
        &self,
        what: &str,
        stop: &CancellationToken,
        operation: impl Fn() -> Fut,
    ) -> Option<T> {
        let mut failures = 0;
        loop {
            match operation().await {
                Ok(value) => return Some(value),
                Err(error) => {
                    failures += 1;
                    tracing::warn!(group = self.group, what, %error, "this is tried again");
                    self.pause(failures, stop).await;
                }
            }
            if stop.is_cancelled() {
                return None;
            }
        }
    }

    async fn pause(&self, failures: u32, stop: &CancellationToken) {
        let pause = tokio::time::sleep(self.bus.tuning().pause(failures));
        stop.run_until_cancelled(pause).await;
    }
}

fn text_of(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("?")
}
