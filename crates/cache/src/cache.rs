//! The cache as its users see it.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use kernel::Clock;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tracing::{Instrument as _, Span};

use crate::bucket::{Bucket, Spend};
use crate::config::CacheConfig;
use crate::error::{Error, Result};
use crate::flight::{self, Flights, Outcome, Seat};
use crate::memory::Memory;
use crate::remote::Remote;
use crate::sorted_set::SortedSet;

/// A cache; clones share it. Which operations degrade and which refuse while the server is away stands at the
/// top of this crate's documentation.
#[derive(Clone)]
pub struct Cache(Arc<Inner>);

/// Whether the cache works as configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// It does.
    Ok,
    /// It goes on without its server; the reason is for operators.
    Degraded(String),
}

pub(crate) enum Backend {
    Memory(Memory),
    Redis(Box<Remote>),
}

struct Inner {
    backend: Backend,
    flights: Flights,
}

impl Cache {
    /// The configured cache. Does not wait for the server and does not need it yet. Has to be called inside a
    /// Tokio runtime.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the URL is none.
    pub fn open(config: &CacheConfig, clock: Clock) -> Result<Self> {
        let backend = match config {
            CacheConfig::Memory { max_entries } => Backend::Memory(Memory::new(*max_entries, clock)),
            CacheConfig::Redis { url, prefix } => Backend::Redis(Box::new(Remote::open(url, prefix, clock)?)),
        };
        Ok(Self(Arc::new(Inner {
            backend,
            flights: Flights::default(),
        })))
    }

    /// The value, if it is there and has not expired. One that cannot be read as a `T`, such as one written by
    /// an earlier release, counts as absent.
    pub async fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>> {
        let operation = async { Ok(self.read(key).await?.and_then(|json| decode(key, &json))) };
        operation.instrument(self.span("get")).await
    }

    /// Like [`Cache::get`], but refuses while the server is away.
    pub async fn get_strict<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>> {
        let operation = async {
            let json = match self.backend() {
                Backend::Memory(memory) => memory.get(key)?,
                Backend::Redis(remote) => remote.get(key).await?,
            };
            Ok(json.and_then(|json| decode(key, &json)))
        };
        operation.instrument(self.span("get")).await
    }

    /// Keeps the value for `ttl`, in place of any other.
    pub async fn set<T: Serialize + ?Sized>(&self, key: &str, value: &T, ttl: Duration) -> Result<()> {
        let json = encode(value)?;
        self.write(key, json, ttl).instrument(self.span("set")).await
    }

    /// Like [`Cache::set`], but refuses while the server is away.
    pub async fn set_strict<T: Serialize + ?Sized>(&self, key: &str, value: &T, ttl: Duration) -> Result<()> {
        let json = encode(value)?;
        let operation = async {
            match self.backend() {
                Backend::Memory(memory) => memory.set(key, json, ttl),
                Backend::Redis(remote) => remote.set(key, &json, ttl).await?,
            }
            Ok(())
        };
        operation.instrument(self.span("set")).await
    }

    /// Keeps the value for `ttl` if there is none. Of any number of callers at once exactly one gets `true`.
    /// Refuses while the server is away.
    pub async fn set_if_absent<T: Serialize + ?Sized>(
        &self,
        key: &str,
        value: &T,
        ttl: Duration,
    ) -> Result<bool> {
        let json = encode(value)?;
        let operation = async {
            match self.backend() {
                Backend::Memory(memory) => Ok(memory.set_if_absent(key, json, ttl)),
                Backend::Redis(remote) => remote.set_if_absent(key, &json, ttl).await,
            }
        };
        operation.instrument(self.span("set_if_absent")).await
    }

    /// Removes the value, counter, bucket or leaderboard; absent is fine.
    pub async fn delete(&self, key: &str) -> Result<()> {
        let operation = async {
            let remote = match self.backend() {
                Backend::Memory(memory) => {
                    memory.delete(key);
                    return Ok(());
                }
                Backend::Redis(remote) => remote,
            };
            degrade(remote.delete(key).await, || {
                remote.local().delete(key);
                remote.mark_stale(key);
                Ok(())
            })
        };
        operation.instrument(self.span("delete")).await
    }

    /// Like [`Cache::delete`], but refuses while the server is away. This is how to give back a lock: a delayed
    /// delete could hit the next owner's.
    pub async fn delete_strict(&self, key: &str) -> Result<()> {
        let operation = async {
            match self.backend() {
                Backend::Memory(memory) => memory.delete(key),
                Backend::Redis(remote) => remote.delete(key).await?,
            }
            Ok(())
        };
        operation.instrument(self.span("delete")).await
    }

    /// Gets and removes the value. Of any number of callers at once exactly one gets it. Refuses while the
    /// server is away.
    pub async fn take<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>> {
        let operation = async {
            let json = match self.backend() {
                Backend::Memory(memory) => memory.take(key)?,
                Backend::Redis(remote) => remote.take(key).await?,
            };
            Ok(json.and_then(|json| decode(key, &json)))
        };
        operation.instrument(self.span("take")).await
    }

    /// The value, or else what `load` returns, which is then kept for `ttl`. Of many callers in this process at
    /// once one loads and the others get its value; if its load fails, each of them loads for itself. A cache
    /// that fails is no error: the value is loaded.
    ///
    /// # Errors
    /// Those of `load`.
    pub async fn get_or_load<T, E, F, Fut>(&self, key: &str, ttl: Duration, load: F) -> Result<T, E>
    where
        T: Serialize + DeserializeOwned,
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        let operation = async {
            let kept = async || {
                let json = self.read(key).await.ok().flatten()?;
                Some((decode(key, &json)?, json))
            };
            loop {
                if let Some((value, _)) = kept().await {
                    return Ok(value);
                }
                let pilot = match self.0.flights.board(key) {
                    Seat::Pilot(pilot) => pilot,
                    Seat::Passenger(flight) => match flight::arrival(flight).await {
                        Outcome::UnderWay => continue,
                        Outcome::Loaded(json) => match decode(key, &json) {
                            Some(value) => return Ok(value),
                            None => return load().await,
                        },
                        Outcome::Failed => return load().await,
                    },
                };
                // Another flight may have landed between the look and the boarding.
                if let Some((value, json)) = kept().await {
                    pilot.land(Outcome::Loaded(json));
                    return Ok(value);
                }
                let loaded = load().await;
                let json = loaded.as_ref().ok().and_then(|value| encode(value).ok());
                match json {
                    None => pilot.land(Outcome::Failed),
                    Some(json) => {
                        // Who asks from now on must find it, so it is written before the flight ends.
                        if let Err(error) = self.write(key, json.clone(), ttl).await {
                            tracing::warn!(key, %error, "a loaded value could not be kept");
                        }
                        pilot.land(Outcome::Loaded(json));
                    }
                }
                return loaded;
            }
        };
        operation.instrument(self.span("get_or_load")).await
    }

    /// The JSON texts of many values, in the order of the keys, in one question. Refuses while the server is away.
    pub async fn get_many(&self, keys: &[String]) -> Result<Vec<Option<Arc<[u8]>>>> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let operation = async {
            match self.backend() {
                Backend::Memory(memory) => keys.iter().map(|key| memory.get(key)).collect(),
                Backend::Redis(remote) => remote.get_many(keys).await,
            }
        };
        operation.instrument(self.span("get_many")).await
    }

    /// Keeps many values, by key with their JSON text and how long, in place of any others. Refuses while the server is
    /// away; then some may be kept.
    pub async fn set_many(&self, values: Vec<(String, Vec<u8>, Duration)>) -> Result<()> {
        if values.is_empty() {
            return Ok(());
        }
        let operation = async {
            match self.backend() {
                Backend::Memory(memory) => {
                    for (key, json, ttl) in values {
                        memory.set(&key, json.into(), ttl);
                    }
                    Ok(())
                }
                Backend::Redis(remote) => remote.set_many(&values).await,
            }
        };
        operation.instrument(self.span("set_many")).await
    }

    /// For each key the JSON text that is there, or else this one, which is then kept for `ttl`: of any number of callers
    /// at once all get the same. Refuses while the server is away.
    pub async fn get_or_set_many(
        &self,
        values: Vec<(String, Vec<u8>)>,
        ttl: Duration,
    ) -> Result<Vec<Option<Arc<[u8]>>>> {
        if values.is_empty() {
            return Ok(Vec::new());
        }
        let operation = async {
            match self.backend() {
                Backend::Memory(memory) => {
                    let kept = values.into_iter().map(|(key, json)| {
                        memory.set_if_absent(&key, json.into(), ttl);
                        memory.get(&key)
                    });
                    kept.collect()
                }
                Backend::Redis(remote) => remote.get_or_set_many(&values, ttl).await,
            }
        };
        operation.instrument(self.span("get_or_set_many")).await
    }

    /// Removes many values; absent is fine. Refuses while the server is away.
    pub async fn delete_many(&self, keys: &[String]) -> Result<()> {
        if keys.is_empty() {
            return Ok(());
        }
        let operation = async {
            match self.backend() {
                Backend::Memory(memory) => {
                    keys.iter().for_each(|key| memory.delete(key));
                    Ok(())
                }
                Backend::Redis(remote) => remote.delete_many(keys).await,
            }
        };
        operation.instrument(self.span("delete_many")).await
    }

    /// Adds to a counter, which starts at 0 and then lives for `ttl` from its first increment on, and returns the
    /// sum. Refuses while the server is away.
    pub async fn increment(&self, key: &str, by: i64, ttl: Duration) -> Result<i64> {
        let operation = async {
            match self.backend() {
                Backend::Memory(memory) => memory.increment(key, by, ttl),
                Backend::Redis(remote) => remote.increment(key, by, ttl).await,
            }
        };
        operation.instrument(self.span("increment")).await
    }

    /// The leaderboard of that name.
    pub fn sorted_set(&self, name: impl Into<String>) -> SortedSet {
        SortedSet {
            cache: self.clone(),
            name: name.into(),
        }
    }

    /// Takes `cost` out of a token bucket if it holds that much. The clock is the server's, or for the memory
    /// backend the one handed in. While the server is away each process judges for itself.
    pub async fn try_spend(&self, key: &str, cost: f64, bucket: Bucket) -> Result<Spend> {
        let operation = async {
            match self.backend() {
                Backend::Memory(memory) => memory.try_spend(key, cost, bucket),
                Backend::Redis(remote) => degrade(remote.try_spend(key, cost, bucket).await, || {
                    let spend = remote.local().try_spend(key, cost, bucket)?;
                    Ok(Spend {
                        is_local: true,
                        ..spend
                    })
                }),
            }
        };
        operation.instrument(self.span("try_spend")).await
    }

    /// Puts a part of what was spent back into a token bucket, as far as it fits. It goes to where it was taken from: if
    /// that is not there any more, nothing happens. Without a server that is done at once, at the first poll.
    pub async fn give_back(&self, key: &str, amount: f64, bucket: Bucket, spent: &Spend) -> Result<()> {
        let operation = async {
            match self.backend() {
                Backend::Memory(memory) => memory.give_back(key, amount, bucket),
                Backend::Redis(remote) if spent.is_local => remote.local().give_back(key, amount, bucket),
                Backend::Redis(remote) => match remote.give_back(key, amount, bucket).await {
                    Err(Error::Unavailable(_)) => Ok(()),
                    given => given,
                },
            }
        };
        operation.instrument(self.span("give_back")).await
    }

    /// Whether the cache works as configured. Asks the server.
    pub async fn health(&self) -> Health {
        match self.backend() {
            Backend::Memory(_) => Health::Ok,
            Backend::Redis(remote) => match remote.ping().await {
                Ok(()) => Health::Ok,
                Err(error) => Health::Degraded(error.to_string()),
            },
        }
    }

    pub(crate) fn backend(&self) -> &Backend {
        &self.0.backend
    }

    /// The span of an operation, named as OpenTelemetry's semantic conventions for databases have it.
    pub(crate) fn span(&self, operation: &'static str) -> Span {
        let system = match self.backend() {
            Backend::Memory(_) => "memory",
            Backend::Redis(_) => "redis",
        };
        tracing::debug_span!(
            "cache",
            otel.kind = "client",
            db.system.name = system,
            db.operation.name = operation
        )
    }

    async fn read(&self, key: &str) -> Result<Option<Arc<[u8]>>> {
        match self.backend() {
            Backend::Memory(memory) => memory.get(key),
            Backend::Redis(remote) => degrade(remote.get(key).await, || remote.local().get(key)),
        }
    }

    async fn write(&self, key: &str, json: Arc<[u8]>, ttl: Duration) -> Result<()> {
        let remote = match self.backend() {
            Backend::Memory(memory) => {
                memory.set(key, json, ttl);
                return Ok(());
            }
            Backend::Redis(remote) => remote,
        };
        degrade(remote.set(key, &json, ttl).await, || {
            remote.local().set(key, json, ttl);
            remote.mark_stale(key);
            Ok(())
        })
    }
}

/// What the server said, or what `local` says if it said nothing.
fn degrade<T>(answer: Result<T>, local: impl FnOnce() -> Result<T>) -> Result<T> {
    match answer {
        Err(Error::Unavailable(_)) => local(),
        answer => answer,
    }
}

fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Arc<[u8]>> {
    serde_json::to_vec(value)
        .map(Into::into)
        .map_err(|error| Error::Invalid(error.to_string()))
}

fn decode<T: DeserializeOwned>(key: &str, json: &[u8]) -> Option<T> {
    serde_json::from_slice(json)
        .inspect_err(|error| tracing::debug!(key, %error, "a cached value of another shape counts as absent"))
        .ok()
}
