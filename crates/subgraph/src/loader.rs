//! Batches look-ups by key: one store call for all that resolvers of one request ask for at the same level.

use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kernel::{Error, Result};
use tokio::sync::watch;

type Load<K, V> =
    Arc<dyn Fn(Vec<K>) -> Pin<Box<dyn Future<Output = Result<HashMap<K, V>>> + Send>> + Send + Sync>;

/// Loads values by key for one request, each key once.
///
/// The first resolver that asks yields to its siblings, so that they add their keys, then loads for all of them.
/// async-graphql's own data loader waits on a timer instead, which costs every level of a query a millisecond.
pub struct Loader<K, V> {
    load: Load<K, V>,
    state: Arc<Mutex<State<K, V>>>,
}

struct State<K, V> {
    known: HashMap<K, Option<V>>,
    waiting: Vec<K>,
    /// Tells the resolvers whose keys wait that their batch is done; a message is the failure's text.
    batch: Option<watch::Receiver<Outcome>>,
}

type Outcome = Option<Result<(), Arc<str>>>;

impl<K, V> Clone for Loader<K, V> {
    fn clone(&self) -> Self {
        Self {
            load: self.load.clone(),
            state: self.state.clone(),
        }
    }
}

impl<K, V> Loader<K, V>
where
    K: Eq + Hash + Copy + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// A loader that asks `load` for the values of distinct keys; keys without a value are left out.
    pub fn new<F, Fut>(load: F) -> Self
    where
        F: Fn(Vec<K>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<HashMap<K, V>>> + Send + 'static,
    {
        let state = State {
            known: HashMap::new(),
            waiting: Vec::new(),
            batch: None,
        };
        Self {
            load: Arc::new(move |keys| Box::pin(load(keys))),
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// The value of a key.
    ///
    /// # Errors
    /// What the load failed with; for all but one of the askers as an internal error with the same text.
    pub async fn get(&self, key: K) -> Result<Option<V>> {
        loop {
            let mut batch = match self.join(key) {
                Joined::Known(value) => return Ok(value),
                Joined::Leading(done) => {
                    self.lead(done).await?;
                    continue;
                }
                Joined::Following(batch) => batch,
            };
            match batch
                .wait_for(Option::is_some)
                .await
                .map(|outcome| outcome.clone())
            {
                Ok(Some(Err(message))) => return Err(Error::internal(message.to_string())),
                Ok(_) => {}
                // The leader was cancelled: the next round leads.
                Err(_) => self.abandon(),
            }
        }
    }

    /// Remembers a value that came another way.
    pub fn prime(&self, key: K, value: V) {
        self.lock().known.insert(key, Some(value));
    }

    fn join(&self, key: K) -> Joined<V> {
        let mut state = self.lock();
        if let Some(value) = state.known.get(&key) {
            return Joined::Known(value.clone());
        }
        if !state.waiting.contains(&key) {
            state.waiting.push(key);
        }
        if let Some(batch) = &state.batch {
            return Joined::Following(batch.clone());
        }
        let (done, batch) = watch::channel(None);
        state.batch = Some(batch);
        Joined::Leading(done)
    }

    async fn lead(&self, done: watch::Sender<Outcome>) -> Result<()> {
        tokio::task::yield_now().await;
        let keys = {
            let mut state = self.lock();
            // Whoever asks from now on starts the next batch.
            state.batch = None;
            std::mem::take(&mut state.waiting)
        };
        match (self.load)(keys.clone()).await {
            Ok(mut values) => {
                let mut state = self.lock();
                for key in keys {
                    let value = values.remove(&key);
                    state.known.insert(key, value);
                }
                drop(state);
                done.send_replace(Some(Ok(())));
                Ok(())
            }
            Err(error) => {
                done.send_replace(Some(Err(error.to_string().into())));
                Err(error)
            }
        }
    }

    fn abandon(&self) {
        let mut state = self.lock();
        if state
            .batch
            .as_ref()
            .is_some_and(|batch| batch.has_changed().is_err())
        {
            state.batch = None;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<K, V>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Joined<V> {
    Known(Option<V>),
    Leading(watch::Sender<Outcome>),
    Following(watch::Receiver<Outcome>),
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures::future::join_all;

    use super::*;

    fn doubling(calls: Arc<AtomicUsize>) -> Loader<u32, u32> {
        Loader::new(move |keys: Vec<u32>| {
            calls.fetch_add(1, Ordering::SeqCst);
            async move {
                tokio::task::yield_now().await;
                if keys.contains(&13) {
                    return Err(Error::internal("unlucky"));
                }
                Ok(keys
                    .into_iter()
                    .filter(|key| *key != 0)
                    .map(|key| (key, key * 2))
                    .collect())
            }
        })
    }

    #[tokio::test]
    async fn siblings_share_one_load_and_a_key_is_loaded_once() {
        let calls = Arc::new(AtomicUsize::new(0));
        let loader = doubling(calls.clone());
        let values = join_all((0..100).map(|n| loader.get(n % 10))).await;
        assert_eq!(calls.load(Ordering::SeqCst), 1);
        assert_eq!(values[7].as_ref().unwrap(), &Some(14));
        assert_eq!(values[0].as_ref().unwrap(), &None);
        loader.get(3).await.unwrap();
        assert_eq!(calls.load(Ordering::SeqCst), 1);
        loader.get(11).await.unwrap();
        assert_eq!(calls.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn a_failed_load_fails_everybody_who_waited_and_may_be_tried_again() {
        let calls = Arc::new(AtomicUsize::new(0));
        let loader = doubling(calls.clone());
        assert!(
            join_all([1, 13].map(|key| loader.get(key)))
                .await
                .iter()
                .all(Result::is_err)
        );
        assert_eq!(loader.get(1).await.unwrap(), Some(2));
        assert_eq!(calls.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn a_cancelled_leader_does_not_block_the_others() {
        let loader = doubling(Arc::default());
        let mut leader = Box::pin(loader.get(1));
        assert!(futures::poll!(leader.as_mut()).is_pending());
        let mut follower = Box::pin(loader.get(2));
        assert!(futures::poll!(follower.as_mut()).is_pending());
        drop(leader);
        assert_eq!(follower.await.unwrap(), Some(4));
    }
}
