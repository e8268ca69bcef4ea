//! What goes on beside requests: events go out and come in, and what is no longer needed is thrown away.

use std::sync::Arc;
use std::time::Duration;

use auth::Sessions;
use docstore::{Filter, Query};
use events::Relay;
use router::Invalidator;
use subgraph::idempotency::Remembered;
use subgraph::service::{Consumer, Subgraph};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::metrics::{EVENTS_DEAD, EVENTS_WAITING};
use crate::outdated::{self, DropOutdated};
use crate::stores::Stores;

/// How long the end may wait for the outbox to be empty.
const FLUSH: Duration = Duration::from_secs(5);
/// How often what is no longer needed is thrown away.
const TIDY_EVERY: Duration = Duration::from_secs(3600);
/// How often what waits is counted.
const COUNT_EVERY: Duration = Duration::from_secs(15);
/// How long relayed events are kept for groups that are late.
const KEEP_EVENTS: Duration = Duration::from_secs(3 * 24 * 3600);
/// Records that go at once.
const PURGED_AT_ONCE: usize = 1000;

/// The tasks of a process.
pub struct Workers {
    stores: Stores,
    sources: Vec<&'static str>,
    tasks: JoinSet<()>,
}

impl Workers {
    /// Starts what the subgraphs of this process need: a relay for what each emits, and its consumers; and what drops of
    /// the answers that routers keep those that are out of date.
    pub fn start(
        stores: &Stores,
        subgraphs: &[Subgraph],
        sessions: Option<Sessions>,
        kept: Option<Invalidator>,
        shutdown: &CancellationToken,
    ) -> Self {
        let mut tasks = JoinSet::new();
        for subgraph in subgraphs {
            let (store, bus, stop) = (stores.documents.clone(), stores.bus.clone(), shutdown.clone());
            let source = subgraph.name;
            tasks.spawn(async move { Relay::run(store, bus, source, stop).await });
            for consumer in &subgraph.consumers {
                tasks.spawn(consume(stores.clone(), source, consumer, shutdown.clone()));
            }
        }
        tasks.spawn(tidy(stores.clone(), sessions, shutdown.clone()));
        let groups = subgraphs.iter().filter(|subgraph| !subgraph.consumers.is_empty());
        let mut groups: Vec<&str> = groups.map(|subgraph| subgraph.name).collect();
        if let Some(kept) = kept {
            groups.push(outdated::GROUP);
            tasks.spawn(drop_outdated(stores.clone(), kept, shutdown.clone()));
        }
        tasks.spawn(count(stores.clone(), groups, shutdown.clone()));
        let sources = subgraphs.iter().map(|subgraph| subgraph.name).collect();
        Self {
            stores: stores.clone(),
            sources,
            tasks,
        }
    }

    /// Waits for the tasks, which were told to stop, and sends what is still in the outbox.
    pub async fn finish(mut self) {
        while self.tasks.join_next().await.is_some() {}
        for source in self.sources {
            let flush = Relay::flush(&self.stores.documents, &self.stores.bus, source);
            match tokio::time::timeout(FLUSH, flush).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    tracing::warn!(source, %error, "events stay in the outbox for the next start")
                }
                Err(_) => tracing::warn!(source, "events stay in the outbox for the next start"),
            }
        }
    }
}

fn consume(
    stores: Stores,
    group: &'static str,
    consumer: &Consumer,
    shutdown: CancellationToken,
) -> impl Future<Output = ()> + Send + 'static {
    let (kinds, handler) = (consumer.kinds, Arc::clone(&consumer.handler));
    let bus = stores.bus.linking_with(Arc::new(telemetry::propagation::link));
    async move { bus.consume(group, kinds, handler, shutdown).await }
}

async fn drop_outdated(stores: Stores, kept: Invalidator, shutdown: CancellationToken) {
    let bus = stores.bus.linking_with(Arc::new(telemetry::propagation::link));
    let handler = DropOutdated(kept);
    bus.consume(outdated::GROUP, &outdated::kinds(), handler, shutdown)
        .await
}

/// Counts what waits for each group, and what it gave up on.
async fn count(stores: Stores, groups: Vec<&'static str>, shutdown: CancellationToken) {
    loop {
        for group in &groups {
            match stores.bus.lag(group).await {
                Ok(lag) => {
                    metrics::gauge!(EVENTS_WAITING, "messaging.consumer.group.name" => *group)
                        .set(lag.waiting as f64);
                    metrics::gauge!(EVENTS_DEAD, "messaging.consumer.group.name" => *group)
                        .set(lag.dead as f64);
                }
                Err(error) => tracing::debug!(group, %error, "the lag is not known"),
            }
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(COUNT_EVERY) => {}
        }
    }
}

async fn tidy(stores: Stores, sessions: Option<Sessions>, shutdown: CancellationToken) {
    loop {
        if let Err(error) = tidy_once(&stores, sessions.as_ref()).await {
            tracing::warn!(%error, "what is no longer needed is not thrown away");
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(TIDY_EVERY) => {}
        }
    }
}

/// Throws away what is no longer needed. Several processes may do it at once.
async fn tidy_once(stores: &Stores, sessions: Option<&Sessions>) -> kernel::Result<()> {
    stores.bus.tidy(KEEP_EVENTS).await?;
    if let Some(sessions) = sessions {
        sessions.purge().await?;
    }
    let now = stores.clock.now().as_millisecond();
    let expired = Query::all()
        .filter(Filter::Lt("expiresAt".to_owned(), now.into()))
        .limit(PURGED_AT_ONCE);
    let remembered = stores.documents.collection::<Remembered>();
    while remembered.delete_where(expired.clone()).await? > 0 {}
    Ok(())
}
