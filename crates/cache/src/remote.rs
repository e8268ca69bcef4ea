//! The backend in Redis.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use kernel::Clock;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{RedisResult, Script, cmd};

use crate::bucket::{Bucket, Spend, TOLERANCE};
use crate::circuit::Circuit;
use crate::error::{Error, Result};
use crate::memory::Memory;

/// How long the server may take to accept a connection or to answer.
const PATIENCE: Duration = Duration::from_millis(250);

/// How long a call may take with everything: after this the caller goes on without the server.
const LIMIT: Duration = Duration::from_millis(300);

/// How many values the memory holds that stands in for the server.
const LOCAL_ENTRIES: u64 = 10_000;

/// How many keys are remembered that were changed while the server was away.
const MAX_STALE: usize = 100_000;

/// How many keys one command deletes.
const DELETE_AT_ONCE: usize = 1_000;

pub(crate) struct Remote {
    client: redis::Client,
    prefix: String,
    connection: Mutex<ConnectionManager>,
    circuit: Circuit,
    /// What stands in for the server while it is away.
    local: Memory,
    stale: Stale,
}

/// The keys, with prefix, that were changed while the server was away and that it may hold outdated values of.
#[derive(Default)]
struct Stale {
    any: AtomicBool,
    keys: Mutex<HashSet<String>>,
}

/// Spends from a bucket by the clock of the server; the same as `bucket::spend`, and with a negative cost as
/// `bucket::give_back`. A test sets the time by the fourth argument.
static SPEND: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local cost, capacity, rate = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
        local now = tonumber(ARGV[4])
        if not now then
            local time = redis.call('TIME')
            now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
        end
        local stored = redis.call('HMGET', KEYS[1], 'tokens', 'at')
        local tokens, at = tonumber(stored[1]), tonumber(stored[2])
        if tokens and at then
            tokens = math.min(capacity, tokens + math.max(0, now - at) * rate / 1000)
            at = math.max(now, at)
        else
            tokens, at = capacity, now
        end
        local allowed = cost <= tokens + tonumber(ARGV[5])
        if allowed then tokens = math.min(capacity, math.max(0, tokens - cost)) end
        redis.call('HSET', KEYS[1], 'tokens', string.format('%.17g', tokens), 'at', string.format('%.0f', at))
        -- A full bucket is the same as none, but for a clock that is set back: it is kept a minute at least, and one
        -- that never refills a year.
        local full = rate > 0 and math.ceil((capacity - tokens) * 1000 / rate) or 31536000000
        redis.call('PEXPIRE', KEYS[1], string.format('%.0f', math.min(math.max(full, 60000), 31536000000)))
        return {allowed and 1 or 0, string.format('%.17g', tokens)}
        ",
    )
});

impl Remote {
    pub(crate) fn open(url: &str, prefix: &str, clock: Clock) -> Result<Self> {
        let client = redis::Client::open(url)?;
        tokio::runtime::Handle::try_current()
            .map_err(|_| Error::Invalid("Redis is used outside of a Tokio runtime".to_owned()))?;
        Ok(Self {
            connection: Mutex::new(connect(&client)?),
            client,
            prefix: prefix.to_owned(),
            circuit: Circuit::new(),
            local: Memory::new(LOCAL_ENTRIES, clock),
            stale: Stale::default(),
        })
    }

    /// What stands in for the server while it is away.
    pub(crate) fn local(&self) -> &Memory {
        &self.local
    }

    /// Remembers that the key was changed without the server.
    pub(crate) fn mark_stale(&self, key: &str) {
        if !self.stale.add(self.key(key)) {
            tracing::warn!(
                "so many keys were changed without the cache server that it may return outdated values"
            );
        }
    }

    pub(crate) async fn ping(&self) -> Result<()> {
        self.call(async |mut connection| cmd("PING").query_async(&mut connection).await)
            .await
    }

    pub(crate) async fn get(&self, key: &str) -> Result<Option<Arc<[u8]>>> {
        let key = self.key(key);
        let found: Option<Vec<u8>> = self
            .call(async |mut connection| cmd("GET").arg(key).query_async(&mut connection).await)
            .await?;
        Ok(found.map(Into::into))
    }

    pub(crate) async fn set(&self, key: &str, json: &[u8], ttl: Duration) -> Result<()> {
        let key = self.key(key);
        self.call(async |mut connection| {
            let mut set = cmd("SET");
            set.arg(key).arg(json).arg("PX").arg(millis(ttl));
            set.query_async(&mut connection).await
        })
        .await
    }

    pub(crate) async fn set_if_absent(&self, key: &str, json: &[u8], ttl: Duration) -> Result<bool> {
        let key = self.key(key);
        let set: Option<String> = self
            .call(async |mut connection| {
                let mut set = cmd("SET");
                set.arg(key).arg(json).arg("NX").arg("PX").arg(millis(ttl));
                set.query_async(&mut connection).await
            })
            .await?;
        Ok(set.is_some())
    }

    pub(crate) async fn delete(&self, key: &str) -> Result<()> {
        let key = self.key(key);
        self.call(async |mut connection| cmd("UNLINK").arg(key).query_async(&mut connection).await)
            .await
    }

    pub(crate) async fn get_many(&self, keys: &[String]) -> Result<Vec<Option<Arc<[u8]>>>> {
        let mut get = cmd("MGET");
        keys.iter().for_each(|key| {
            get.arg(self.key(key));
        });
        let found: Vec<Option<Vec<u8>>> = self
            .call(async |mut connection| get.query_async(&mut connection).await)
            .await?;
        Ok(found.into_iter().map(|found| found.map(Into::into)).collect())
    }

    pub(crate) async fn set_many(&self, values: &[(String, Vec<u8>, Duration)]) -> Result<()> {
        let mut all = redis::pipe();
        for (key, json, ttl) in values {
            let set = all.cmd("SET").arg(self.key(key)).arg(json);
            set.arg("PX").arg(millis(*ttl)).ignore();
        }
        self.call(async |mut connection| all.query_async(&mut connection).await)
            .await
    }

    pub(crate) async fn get_or_set_many(
        &self,
        values: &[(String, Vec<u8>)],
        ttl: Duration,
    ) -> Result<Vec<Option<Arc<[u8]>>>> {
        let (mut both, mut get) = (redis::pipe(), cmd("MGET"));
        for (key, json) in values {
            let key = self.key(key);
            get.arg(&key);
            let set = both.cmd("SET").arg(key).arg(json).arg("NX");
            set.arg("PX").arg(millis(ttl)).ignore();
        }
        both.add_command(get);
        let (found,): (Vec<Option<Vec<u8>>>,) = self
            .call(async |mut connection| both.query_async(&mut connection).await)
            .await?;
        Ok(found.into_iter().map(|found| found.map(Into::into)).collect())
    }

    pub(crate) async fn delete_many(&self, keys: &[String]) -> Result<()> {
        let mut unlink = cmd("UNLINK");
        keys.iter().for_each(|key| {
            unlink.arg(self.key(key));
        });
        self.call(async |mut connection| unlink.query_async(&mut connection).await)
            .await
    }

    pub(crate) async fn take(&self, key: &str) -> Result<Option<Arc<[u8]>>> {
        let key = self.key(key);
        let found: Option<Vec<u8>> = self
            .call(async |mut connection| cmd("GETDEL").arg(key).query_async(&mut connection).await)
            .await?;
        Ok(found.map(Into::into))
    }

    pub(crate) async fn increment(&self, key: &str, by: i64, ttl: Duration) -> Result<i64> {
        let key = self.key(key);
        let (sum,) = self
            .call(async |mut connection| {
                let mut both = redis::pipe();
                both.atomic();
                both.cmd("SET")
                    .arg(&key)
                    .arg(0)
                    .arg("NX")
                    .arg("PX")
                    .arg(millis(ttl))
                    .ignore();
                both.cmd("INCRBY").arg(&key).arg(by);
                both.query_async::<(i64,)>(&mut connection).await
            })
            .await?;
        Ok(sum)
    }

    pub(crate) async fn try_spend(&self, key: &str, cost: f64, bucket: Bucket) -> Result<Spend> {
        self.try_spend_at(key, cost, bucket, None).await
    }

    pub(crate) async fn give_back(&self, key: &str, amount: f64, bucket: Bucket) -> Result<()> {
        let amount = if amount.is_finite() { amount.max(0.0) } else { 0.0 };
        self.change_bucket(key, -amount, bucket.sane(), None).await?;
        Ok(())
    }

    async fn try_spend_at(&self, key: &str, cost: f64, bucket: Bucket, now: Option<i64>) -> Result<Spend> {
        let bucket = bucket.sane();
        let cost = if cost.is_finite() { cost.max(0.0) } else { 0.0 };
        let (allowed, tokens) = self.change_bucket(key, cost, bucket, now).await?;
        Ok(bucket.answer(allowed, tokens, cost))
    }

    async fn change_bucket(
        &self,
        key: &str,
        cost: f64,
        bucket: Bucket,
        now: Option<i64>,
    ) -> Result<(bool, f64)> {
        let key = self.key(key);
        self.call(async |mut connection| {
            let mut script = SPEND.key(key);
            script
                .arg(cost)
                .arg(bucket.capacity)
                .arg(bucket.refill_per_second);
            script
                .arg(now.map_or_else(String::new, |now| now.to_string()))
                .arg(TOLERANCE);
            script.invoke_async(&mut connection).await
        })
        .await
    }

    pub(crate) async fn score_set(&self, set: &str, member: &str, score: f64) -> Result<()> {
        let key = self.key(set);
        self.call(async |mut connection| {
            cmd("ZADD")
                .arg(key)
                .arg(score)
                .arg(member)
                .query_async(&mut connection)
                .await
        })
        .await
    }

    pub(crate) async fn score_add(&self, set: &str, member: &str, by: f64) -> Result<f64> {
        let key = self.key(set);
        self.call(async |mut connection| {
            cmd("ZINCRBY")
                .arg(key)
                .arg(by)
                .arg(member)
                .query_async(&mut connection)
                .await
        })
        .await
    }

    pub(crate) async fn top(&self, set: &str, places: Range<usize>) -> Result<Vec<(String, f64)>> {
        let key = self.key(set);
        // The last place is included in Redis.
        let (first, last) = (place(places.start), place(places.end.saturating_sub(1)));
        self.call(async |mut connection| {
            let mut range = cmd("ZREVRANGE");
            range.arg(key).arg(first).arg(last).arg("WITHSCORES");
            range.query_async(&mut connection).await
        })
        .await
    }

    pub(crate) async fn rank(&self, set: &str, member: &str) -> Result<Option<u64>> {
        let key = self.key(set);
        self.call(async |mut connection| {
            cmd("ZREVRANK")
                .arg(key)
                .arg(member)
                .query_async(&mut connection)
                .await
        })
        .await
    }

    pub(crate) async fn score(&self, set: &str, member: &str) -> Result<Option<f64>> {
        let key = self.key(set);
        self.call(async |mut connection| {
            cmd("ZSCORE")
                .arg(key)
                .arg(member)
                .query_async(&mut connection)
                .await
        })
        .await
    }

    pub(crate) async fn score_remove(&self, set: &str, member: &str) -> Result<()> {
        let key = self.key(set);
        self.call(async |mut connection| {
            cmd("ZREM")
                .arg(key)
                .arg(member)
                .query_async(&mut connection)
                .await
        })
        .await
    }

    /// Asks the server if it is worth trying, and remembers whether it answered.
    async fn call<T>(&self, operation: impl AsyncFnOnce(ConnectionManager) -> RedisResult<T>) -> Result<T> {
        if !self.circuit.admits() {
            return Err(Error::Unavailable(self.circuit.reason()));
        }
        let connection = self
            .connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let answer = tokio::time::timeout(LIMIT, async {
            self.delete_stale(connection.clone()).await?;
            operation(connection).await
        });
        let (result, hangs) = match answer.await {
            Ok(Ok(value)) => (Ok(value), false),
            Ok(Err(error)) => {
                let hangs = error.is_timeout();
                (Err(Error::from(error)), hangs)
            }
            Err(_) => (Err(Error::Unavailable("no answer in time".to_owned())), true),
        };
        match &result {
            Err(Error::Unavailable(reason)) => {
                if self.circuit.failed(reason) {
                    tracing::warn!(reason, "the cache server is away: going on without it");
                }
                if hangs {
                    self.reconnect();
                }
            }
            Ok(_) | Err(Error::Invalid(_)) => {
                if self.circuit.answered() {
                    self.local.clear();
                    tracing::info!("the cache server is back");
                }
            }
        }
        result
    }

    /// Deletes what was changed without the server, before anything outdated is read.
    async fn delete_stale(&self, mut connection: ConnectionManager) -> RedisResult<()> {
        if !self.stale.any.load(Ordering::Acquire) {
            return Ok(());
        }
        let keys = self.stale.list();
        for some in keys.chunks(DELETE_AT_ONCE) {
            let mut each = redis::pipe();
            for key in some {
                // One by one: in a cluster they live in different slots.
                each.cmd("UNLINK").arg(key).ignore();
            }
            each.query_async::<()>(&mut connection).await?;
            self.stale.remove(some);
        }
        Ok(())
    }

    /// A server that neither answers nor closes the connection may never do: the next call takes a new one.
    fn reconnect(&self) {
        if let Ok(fresh) = connect(&self.client) {
            *self.connection.lock().unwrap_or_else(PoisonError::into_inner) = fresh;
        }
    }

    fn key(&self, key: &str) -> String {
        format!("{}:{key}", self.prefix)
    }
}

impl Stale {
    fn add(&self, key: String) -> bool {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = keys.len() < MAX_STALE || keys.contains(&key);
        if fits {
            keys.insert(key);
            self.any.store(true, Ordering::Release);
        }
        fits
    }

    fn list(&self) -> Vec<String> {
        let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        keys.iter().cloned().collect()
    }

    fn remove(&self, gone: &[String]) {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        for key in gone {
            keys.remove(key);
        }
        self.any.store(!keys.is_empty(), Ordering::Release);
    }
}

/// A connection that is made when it is first used. It does not try again by itself: the circuit decides when.
fn connect(client: &redis::Client) -> RedisResult<ConnectionManager> {
    let config = ConnectionManagerConfig::new()
        .set_number_of_retries(0)
        .set_connection_timeout(Some(PATIENCE))
        .set_response_timeout(Some(PATIENCE))
        .set_pipeline_buffer_size(1024);
    ConnectionManager::new_lazy_with_config(client.clone(), config)
}

/// A time to live that Redis takes: at least a millisecond, at most a hundred years.
fn millis(ttl: Duration) -> u64 {
    const HUNDRED_YEARS: u64 = 100 * 366 * 86_400_000;
    u64::try_from(ttl.as_millis())
        .unwrap_or(u64::MAX)
        .clamp(1, HUNDRED_YEARS)
}

fn place(place: usize) -> i64 {
    i64::try_from(place).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bucket::{give_back, spend};

    #[tokio::test]
    async fn the_script_computes_what_the_function_does() {
        let prefix = testkit::unique_name("cache-bucket");
        let remote = Remote::open(&testkit::servers::redis_url(), &prefix, Clock::system()).unwrap();
        let random = kernel::Random::seeded(11);
        let number = |below: u32| f64::from(u32::from_le_bytes(random.bytes()) % (below * 1000)) / 1000.0;
        for round in 0..20 {
            let key = format!("bucket-{round}");
            let bucket = Bucket {
                capacity: 1.0 + number(50),
                refill_per_second: number(20),
            };
            let (mut level, mut now) = (None, 1_800_000_000_000_i64);
            for _ in 0..20 {
                now += number(3_000) as i64 - 200;
                let cost = number(60);
                let (next, expected) = spend(level, now, cost, bucket);
                let answer = remote.try_spend_at(&key, cost, bucket, Some(now)).await.unwrap();
                assert_eq!(answer, expected, "{bucket:?} {level:?} at {now} for {cost}");
                let back = number(30);
                let (next, expected) = give_back(Some(next), now, back, bucket);
                let change = remote.change_bucket(&key, -back, bucket.sane(), Some(now));
                let (_, tokens) = change.await.unwrap();
                assert_eq!(
                    tokens, expected.remaining,
                    "{bucket:?} {level:?} at {now} for -{back}"
                );
                level = Some(next);
            }
        }
    }
}
