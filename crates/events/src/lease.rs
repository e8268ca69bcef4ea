//! Who works on what: a piece of work is held by one process at a time, until that gives it back or dies.
//!
//! Each process is a *node* that renews a single document while it lives; what it holds refers to the node. So the
//! cost of being alive does not grow with the work. A node that could not renew in time gives up everything it holds
//! and goes on under a new name, since others may have taken over. That two still work at the same time for a moment
//! is possible (a process may be stopped between looking at the clock and acting); handlers are idempotent for that.

use std::collections::{BTreeSet, HashSet};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use docstore::{Batch, ConflictKind, DocStore, IndexSpec, Order, Query, Update};
use jiff::Timestamp;
use kernel::{Clock, Random};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::document::document;
use crate::error::Result;

/// How far clocks of different processes may be apart: so much longer a node counts as alive.
const SKEW: Duration = Duration::from_secs(1);

/// How many old nodes are removed at once.
const AT_ONCE: usize = 1_000;

/// What this process holds. Clones share it.
#[derive(Clone)]
pub(crate) struct Leases(Arc<Inner>);

/// A piece of work that is this process's own. Dropped, it is given back in the background.
pub(crate) struct Lease {
    leases: Leases,
    name: String,
    node: Arc<Membership>,
    released: bool,
}

struct Inner {
    store: DocStore,
    clock: Clock,
    random: Random,
    time: Duration,
    node: tokio::sync::Mutex<Option<Arc<Membership>>>,
    groups: Mutex<BTreeSet<String>>,
}

/// This process as one of those that share the work.
struct Membership {
    id: String,
    /// Cancelled when others may have taken over.
    lost: CancellationToken,
    held: Mutex<HashSet<String>>,
}

/// A process that is alive, or was.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Node {
    #[serde(rename = "_id")]
    id: String,
    version: i64,
    /// Until when it counts as alive: milliseconds since 1970.
    until: i64,
    /// The consumer groups that it works for.
    groups: BTreeSet<String>,
}

/// That a node holds a piece of work.
#[derive(Serialize, Deserialize)]
pub(crate) struct Holding {
    /// The name of the work.
    #[serde(rename = "_id")]
    id: String,
    version: i64,
    node: String,
}

impl Leases {
    pub(crate) fn new(store: DocStore, clock: Clock, random: Random, time: Duration) -> Self {
        Self(Arc::new(Inner {
            store,
            clock,
            random,
            time,
            node: tokio::sync::Mutex::default(),
            groups: Mutex::default(),
        }))
    }

    /// Takes the work of that name, if nobody who is alive holds it.
    pub(crate) async fn acquire(&self, name: &str) -> Result<Option<Lease>> {
        let node = self.node().await?;
        if !lock(&node.held).insert(name.to_owned()) {
            return Ok(None);
        }
        // From here on dropping the lease gives the work back, whatever happens.
        let mut lease = Lease {
            leases: self.clone(),
            name: name.to_owned(),
            node,
            released: false,
        };
        match self.take(&lease).await {
            Ok(true) => Ok(Some(lease)),
            Ok(false) => {
                lease.released = true;
                lock(&lease.node.held).remove(name);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Counts this process among those that work for the group.
    pub(crate) async fn join(&self, group: &str) -> Result<()> {
        let node = self.node().await?;
        if lock(&self.0.groups).insert(group.to_owned()) {
            self.renew(&node.id).await?;
        }
        Ok(())
    }

    /// Stops counting this process among those that work for the group.
    pub(crate) async fn leave(&self, group: &str) -> Result<()> {
        if lock(&self.0.groups).remove(group) {
            let node = self.node().await?;
            self.renew(&node.id).await?;
        }
        Ok(())
    }

    /// How many living processes work for the group.
    pub(crate) async fn members(&self, group: &str) -> Result<usize> {
        let alive = Query::all()
            .contains("groups", group)
            .gte("until", self.expired());
        let count = self.0.store.collection::<Node>().count(alive).await?;
        Ok(usize::try_from(count).unwrap_or(usize::MAX))
    }

    /// Forgets processes that have been dead since before.
    pub(crate) async fn forget(&self, before: Timestamp) -> Result<()> {
        let dead = Query::all().lt("until", before).limit(AT_ONCE);
        self.0.store.collection::<Node>().delete_where(dead).await?;
        Ok(())
    }

    async fn take(&self, lease: &Lease) -> Result<bool> {
        let holdings = self.0.store.collection::<Holding>();
        let result = match holdings.get(&lease.name).await? {
            None => {
                let holding = Holding {
                    id: lease.name.clone(),
                    version: 0,
                    node: lease.node.id.clone(),
                };
                holdings.insert(&holding).await
            }
            // Left behind by this very node, when giving it back failed.
            Some(holding) if holding.node == lease.node.id => return Ok(true),
            Some(mut holding) => {
                let other = self.0.store.collection::<Node>().get(&holding.node).await?;
                if other.is_some_and(|other| other.until >= self.expired().as_millisecond()) {
                    return Ok(false);
                }
                holding.node.clone_from(&lease.node.id);
                holdings.replace(&mut holding).await
            }
        };
        match result {
            Ok(()) => Ok(true),
            Err(docstore::Error::Conflict(_)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// The node of this process, which begins to exist when it is first needed.
    async fn node(&self) -> Result<Arc<Membership>> {
        let mut slot = self.0.node.lock().await;
        if let Some(node) = slot.as_ref().filter(|node| !node.lost.is_cancelled()) {
            return Ok(node.clone());
        }
        let id = self.0.random.id::<Node>(self.0.clock.now()).to_string();
        let begun = Instant::now();
        self.0
            .store
            .collection::<Node>()
            .insert(&self.document(&id))
            .await?;
        let node = Arc::new(Membership {
            id: id.clone(),
            lost: CancellationToken::new(),
            held: Mutex::default(),
        });
        tokio::spawn(keep_alive(Arc::downgrade(&self.0), id, node.lost.clone(), begun));
        *slot = Some(node.clone());
        Ok(node)
    }

    async fn renew(&self, id: &str) -> Result<()> {
        let document = self.document(id);
        let groups: Vec<&String> = document.groups.iter().collect();
        let mut batch = Batch::new();
        batch.update::<Node>(
            id,
            Update::new()
                .set("until", document.until)
                .set_json("groups", &groups),
        );
        Ok(self.0.store.commit(batch).await?)
    }

    fn document(&self, id: &str) -> Node {
        let until = self
            .0
            .clock
            .now()
            .saturating_add(self.0.time)
            .unwrap_or(Timestamp::MAX);
        Node {
            id: id.to_owned(),
            version: 0,
            until: until.as_millisecond(),
            groups: lock(&self.0.groups).clone(),
        }
    }

    /// A node that was alive until before this counts as dead.
    fn expired(&self) -> Timestamp {
        self.0.clock.now().saturating_sub(SKEW).unwrap_or(Timestamp::MIN)
    }
}

impl Lease {
    /// Cancelled when others may have taken over.
    pub(crate) fn lost(&self) -> &CancellationToken {
        &self.node.lost
    }

    /// Gives the work back.
    pub(crate) async fn release(mut self) {
        self.released = true;
        give_back(self.leases.clone(), self.node.clone(), self.name.clone()).await;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let (false, Ok(runtime)) = (self.released, tokio::runtime::Handle::try_current()) {
            runtime.spawn(give_back(
                self.leases.clone(),
                self.node.clone(),
                self.name.clone(),
            ));
        }
    }
}

/// Removes the holding. If that fails the node still holds it and will find so when it takes it again.
async fn give_back(leases: Leases, node: Arc<Membership>, name: String) {
    let holdings = leases.0.store.collection::<Holding>();
    let result = async {
        match holdings.get(&name).await? {
            Some(holding) if holding.node == node.id => {
                let mut batch = Batch::new();
                batch.delete_version(&holding);
                leases.0.store.commit(batch).await
            }
            _ => Ok(()),
        }
    };
    match result.await {
        Ok(()) => {}
        Err(docstore::Error::Conflict(conflict)) if conflict.kind == ConflictKind::Stale => {}
        Err(error) => tracing::warn!(name, %error, "a lease could not be given back"),
    }
    lock(&node.held).remove(&name);
}

/// Renews the node until nobody uses it any more, or until it is too late to.
async fn keep_alive(leases: Weak<Inner>, id: String, lost: CancellationToken, mut renewed: Instant) {
    // However this ends: who still works must stop before somebody else may begin.
    let _lost = lost.drop_guard();
    while let Some(time) = leases.upgrade().map(|inner| inner.time) {
        tokio::time::sleep(time / 4).await;
        let Some(inner) = leases.upgrade() else {
            return;
        };
        let begun = Instant::now();
        let left = time.saturating_sub(renewed.elapsed());
        match tokio::time::timeout(left, Leases(inner).renew(&id)).await {
            Ok(Ok(())) => renewed = begun,
            Ok(Err(error)) => tracing::warn!(%error, "this process could not tell that it is alive"),
            Err(_) => {
                tracing::warn!(
                    "this process could not tell in time that it is alive: others take over its events"
                );
                return;
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

document!(
    Node,
    "event_nodes",
    IndexSpec {
        name: "until",
        fields: &[("until", Order::Asc)],
        unique: false,
    }
);
document!(Holding, "event_leases");
