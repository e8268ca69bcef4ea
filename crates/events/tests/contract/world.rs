//! A small service to test with: it emits counts, and a group tallies them by user.

use std::future::Future;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use docstore::{Batch, CollectionSpec, DocStore, Document, Query, StoreConfig};
use events::{Bus, BusConfig, Event, Handler, HandlerError, Outbox, Payload, Relay, Tuning};
use jiff::Timestamp;
use kernel::{Clock, Random, UserId};
use serde::{Deserialize, Serialize};
use tokio_util::sync::{CancellationToken, DropGuard};

pub(crate) const SOURCE: &str = "test";

pub(crate) const TUNING: Tuning = Tuning {
    lease: Duration::from_secs(1),
    poll: Duration::from_millis(50),
    attempts: 4,
    shortest_pause: Duration::from_millis(1),
    longest_pause: Duration::from_millis(20),
};

/// A store, a bus configuration and a service that emits.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) store: DocStore,
    pub(crate) outbox: Outbox,
    config: BusConfig,
    clock: Clock,
    random: Random,
    shutdown: CancellationToken,
    _end: Arc<(DropGuard, Option<tempfile::TempDir>)>,
}

/// Where a store is, for other processes.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) enum StoreAt {
    Sqlite(PathBuf),
    /// The name of the database.
    Mongo(String),
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Counted {
    pub(crate) number: i64,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Renamed {}

/// What a group has seen of a user, in the order in which it came.
#[derive(Serialize, Deserialize)]
pub(crate) struct Tally {
    #[serde(rename = "_id")]
    id: String,
    version: i64,
    group: String,
    seen: Vec<i64>,
}

/// The tallies of one group.
#[derive(Clone)]
pub(crate) struct Tallies {
    store: DocStore,
    group: &'static str,
}

impl World {
    pub(crate) async fn sqlite() -> Self {
        let dir = testkit::data_dir();
        let path = dir.path().join("store.sqlite");
        Self::new(&StoreConfig::Sqlite { path }, BusConfig::Embedded, Some(dir)).await
    }

    pub(crate) async fn mongo() -> Self {
        Self::new(&mongo(), BusConfig::Embedded, None).await
    }

    pub(crate) async fn redis(url: &str) -> Self {
        let config = BusConfig::Redis {
            url: url.to_owned(),
            prefix: testkit::unique_name("events"),
            streams: 8,
        };
        Self::new(&mongo(), config, None).await
    }

    pub(crate) async fn new(store: &StoreConfig, config: BusConfig, dir: Option<tempfile::TempDir>) -> Self {
        let store = DocStore::open(store).await.unwrap();
        store.ensure(events::COLLECTIONS).await.unwrap();
        store.ensure(&[Tally::COLLECTION]).await.unwrap();
        let (clock, random) = (Clock::system(), Random::from_os());
        let shutdown = CancellationToken::new();
        Self {
            store,
            outbox: Outbox::new(SOURCE, clock.clone(), random.clone()),
            config,
            clock,
            random,
            _end: Arc::new((shutdown.clone().drop_guard(), dir)),
            shutdown,
        }
    }

    /// The bus as another process has it.
    pub(crate) fn bus(&self) -> Bus {
        let (store, clock, random) = (self.store.clone(), self.clock.clone(), self.random.clone());
        Bus::open(&self.config, store, clock, random)
            .unwrap()
            .tuned(TUNING)
    }

    /// Where its files are, if it has some.
    pub(crate) fn dir(&self) -> &Path {
        self._end.1.as_ref().unwrap().path()
    }

    pub(crate) fn relay(&self, bus: &Bus) {
        self.spawn(Relay::run(
            self.store.clone(),
            bus.clone(),
            SOURCE,
            self.shutdown.clone(),
        ));
    }

    /// Tallies what the group gets until the test ends.
    pub(crate) fn consume(&self, bus: &Bus, group: &'static str) -> Tallies {
        let tallies = Tallies::new(self, group);
        self.spawn(self.consuming(bus, group, &[Counted::KIND], tallies.handler()));
        tallies
    }

    pub(crate) fn consuming<H: Handler>(
        &self,
        bus: &Bus,
        group: &'static str,
        kinds: &'static [&'static str],
        handler: H,
    ) -> impl Future<Output = ()> + Send + use<H> {
        let (bus, shutdown) = (bus.clone(), self.shutdown.clone());
        async move { bus.consume(group, kinds, handler, shutdown).await }
    }

    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        tokio::spawn(task);
    }

    pub(crate) fn users(&self, count: usize) -> Vec<UserId> {
        (0..count).map(|_| self.random.id(self.clock.now())).collect()
    }

    pub(crate) fn event(&self, user: UserId, number: i64) -> Event {
        Event {
            id: self.random.id::<Timestamp>(self.clock.now()).to_string(),
            kind: Counted::KIND.to_owned(),
            user,
            at: self.clock.now(),
            payload: serde_json::to_value(Counted { number }).unwrap(),
            traceparent: None,
            source: SOURCE.to_owned(),
        }
    }

    /// Emits these numbers for the user, each in a change of its own.
    pub(crate) async fn emit_all(&self, user: UserId, numbers: Range<i64>) {
        for number in numbers {
            let mut batch = Batch::new();
            self.outbox.emit(&mut batch, user, &Counted { number }).unwrap();
            self.store.commit(batch).await.unwrap();
        }
    }
}

impl Tallies {
    pub(crate) fn new(world: &World, group: &'static str) -> Self {
        Self {
            store: world.store.clone(),
            group,
        }
    }

    pub(crate) fn handler(&self) -> impl Handler {
        let tallies = self.clone();
        handler(move |event: Event| {
            let tallies = tallies.clone();
            async move { tallies.record(&event).await }
        })
    }

    pub(crate) async fn record(&self, event: &Event) -> Result<(), HandlerError> {
        let Counted { number } = event.payload_as()?;
        let mut batch = Batch::new();
        events::once(&mut batch, self.group, event);
        let id = format!("{}/{}", self.group, event.user);
        match self.store.collection::<Tally>().get(id).await? {
            Some(mut tally) => {
                tally.seen.push(number);
                batch.replace(&mut tally);
            }
            None => {
                let mut tally = Tally::new(self.group, event.user);
                tally.seen.push(number);
                batch.insert(&tally);
            }
        }
        Ok(self.store.commit(batch).await?)
    }

    pub(crate) async fn expect_each(&self, users: &[UserId], numbers: Range<i64>) {
        let numbers: Vec<i64> = numbers.collect();
        for user in users {
            self.expect(user, &numbers).await;
        }
    }

    pub(crate) async fn expect(&self, user: &UserId, numbers: &[i64]) {
        eventually(async || {
            let seen = self.seen(user).await;
            assert!(seen.len() <= numbers.len(), "{seen:?} instead of {numbers:?}");
            seen.len() == numbers.len()
        })
        .await;
        assert_eq!(self.seen(user).await, numbers);
    }

    /// As [`Tallies::expect_each`], in whatever order.
    pub(crate) async fn expect_sets(&self, users: &[UserId], numbers: Range<i64>) {
        let numbers: Vec<i64> = numbers.collect();
        for user in users {
            eventually(async || self.seen(user).await.len() >= numbers.len()).await;
            let mut seen = self.seen(user).await;
            seen.sort_unstable();
            assert_eq!(seen, numbers);
        }
    }

    pub(crate) async fn count(&self) -> usize {
        let tallies = self.store.collection::<Tally>().find(Query::all()).await.unwrap();
        tallies
            .iter()
            .filter(|tally| tally.group == self.group)
            .map(|tally| tally.seen.len())
            .sum()
    }

    pub(crate) async fn seen(&self, user: &UserId) -> Vec<i64> {
        let tally = self
            .store
            .collection::<Tally>()
            .get(format!("{}/{user}", self.group))
            .await
            .unwrap();
        tally.map_or_else(Vec::new, |tally| tally.seen)
    }
}

impl Tally {
    pub(crate) fn new(group: &str, user: UserId) -> Self {
        Self {
            id: format!("{group}/{user}"),
            version: 0,
            group: group.to_owned(),
            seen: Vec::new(),
        }
    }
}

impl Payload for Counted {
    const KIND: &'static str = "test.counted";
}

impl Payload for Renamed {
    const KIND: &'static str = "test.renamed";
}

impl Document for Tally {
    const COLLECTION: CollectionSpec = CollectionSpec {
        name: "tallies",
        indexes: &[],
    };

    fn id(&self) -> String {
        self.id.clone()
    }

    fn version(&self) -> i64 {
        self.version
    }

    fn set_version(&mut self, version: i64) {
        self.version = version;
    }
}

struct FromFn<F>(F);

#[async_trait]
impl<F, Fut> Handler for FromFn<F>
where
    F: Fn(Event) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), HandlerError>> + Send,
{
    async fn handle(&self, event: &Event) -> Result<(), HandlerError> {
        (self.0)(event.clone()).await
    }
}

/// A handler made of a function.
pub(crate) fn handler<F, Fut>(function: F) -> impl Handler
where
    F: Fn(Event) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), HandlerError>> + Send,
{
    FromFn(function)
}

/// Waits until it holds, and fails when that takes too long for any machine.
pub(crate) async fn eventually<F: Future<Output = bool>>(holds: impl Fn() -> F) {
    let wait = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(240), wait)
        .await
        .expect("it comes to hold");
}

impl StoreAt {
    pub(crate) fn config(&self) -> StoreConfig {
        match self {
            Self::Sqlite(path) => StoreConfig::Sqlite { path: path.clone() },
            Self::Mongo(database) => StoreConfig::Mongo {
                url: testkit::servers::mongo_url(),
                database: database.clone(),
            },
        }
    }
}

fn mongo() -> StoreConfig {
    StoreAt::Mongo(testkit::unique_name("events")).config()
}
