//! Drops tags. What could not be dropped is owed: until it is, this process gives away nothing that is kept.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cache::Cache;

/// How often what is owed is tried beside requests: other routers of the cache do not know of it.
const TRY_EVERY: Duration = Duration::from_secs(1);

/// Beyond so many, everything of all subgraphs is owed instead.
const MAX_OWED: usize = 10_000;

/// Drops tags of a cache.
pub(crate) struct Dropping {
    cache: Cache,
    owed: Mutex<Owed>,
    /// The tags that all entries depend on, of one subgraph or another.
    everything: Vec<String>,
}

#[derive(Default)]
struct Owed {
    /// Each with a number, so that one that is owed anew while it is being dropped stays.
    tags: BTreeMap<String, u64>,
    count: u64,
    is_tried: bool,
}

/// What is to be dropped once something was changed.
pub(crate) struct Forgets {
    pub(super) dropping: Arc<Dropping>,
    pub(super) tag: String,
}

impl Dropping {
    pub(crate) fn new(cache: Cache, everything: Vec<String>) -> Self {
        Self {
            cache,
            owed: Mutex::default(),
            everything,
        }
    }

    /// Drops tags, now or not at all.
    pub(crate) async fn try_now(&self, tags: &[String]) -> cache::Result<()> {
        self.cache.delete_many(tags).await
    }

    /// Whether nothing is owed. What is, is tried once.
    pub(crate) async fn is_even(&self) -> bool {
        let tags = self.owed().tags.clone();
        if tags.is_empty() {
            return true;
        }
        let names: Vec<String> = tags.keys().cloned().collect();
        if let Err(error) = self.try_now(&names).await {
            tracing::debug!(%error, "what has to be dropped from the response cache waits");
            return false;
        }
        let mut owed = self.owed();
        owed.tags.retain(|name, number| tags.get(name) != Some(number));
        owed.tags.is_empty()
    }

    /// Owes a tag, and tries until nothing is owed.
    fn owe(self: &Arc<Self>, tag: String) {
        let mut owed = self.owed();
        owed.count += 1;
        let number = owed.count;
        owed.tags.insert(tag, number);
        if owed.tags.len() > MAX_OWED {
            let everything = self.everything.iter().cloned();
            owed.tags = everything.map(|tag| (tag, number)).collect();
        }
        if !std::mem::replace(&mut owed.is_tried, true) {
            let dropping = self.clone();
            tokio::spawn(async move {
                loop {
                    tokio::time::sleep(TRY_EVERY).await;
                    dropping.is_even().await;
                    let mut owed = dropping.owed();
                    if owed.tags.is_empty() {
                        owed.is_tried = false;
                        return;
                    }
                }
            });
        }
    }

    fn owed(&self) -> MutexGuard<'_, Owed> {
        self.owed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Forgets {
    /// Drops it, or owes it.
    pub(crate) async fn drop_now(self) {
        if let Err(error) = self.dropping.try_now(std::slice::from_ref(&self.tag)).await {
            tracing::debug!(%error, "what a caller has changed is dropped from the response cache later");
            self.dropping.owe(self.tag);
        }
    }
}
