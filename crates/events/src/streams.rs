//! The bus in Redis Streams: `PREFIX:{N}:events`, each in a slot of its own, so that they spread over a cluster.
//!
//! Each group is a consumer group with a single consumer, which is played by whoever holds the lease: what its
//! predecessor fetched and did not acknowledge is pending for it too, in order, and comes first. A message on
//! `PREFIX:wake` tells that there is something new in a stream; it may get lost, since readers also look by themselves.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt as _;
use jiff::Timestamp;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::streams::{StreamInfoGroupsReply, StreamPendingReply};
use redis::{InfoDict, RedisResult, cmd};
use tokio_util::sync::CancellationToken;

use crate::bus::{Delivery, Receipt, Wakes};
use crate::error::{Error, Result};
use crate::event::Event;

/// How long a connection may take to be made.
const CONNECTING: Duration = Duration::from_secs(1);

/// How long the server may take to answer.
const ANSWERING: Duration = Duration::from_secs(3);

/// The single consumer of each group.
const CONSUMER: &str = "worker";

/// After how many looks in vain a reader looks for entries that were fetched but forgotten: by a predecessor that
/// was slow to notice that it had lost its lease.
const LOOK_BACK: u32 = 30;

/// What XREADGROUP answers: streams with their entries; an entry that was removed has no fields.
type Read = Option<Vec<(String, Vec<(String, Option<Vec<String>>)>)>>;

pub(crate) struct Streams {
    link: Arc<Link>,
    prefix: String,
    count: u16,
}

/// One stream as one group reads it.
pub(crate) struct Lane {
    link: Arc<Link>,
    stream: String,
    group: String,
    /// Whether entries that were fetched before may be unacknowledged.
    looks_back: bool,
    in_vain: u32,
}

struct Link {
    client: redis::Client,
    connection: Mutex<ConnectionManager>,
    failures: AtomicU64,
}

impl Streams {
    pub(crate) fn open(url: &str, prefix: &str, count: u16) -> Result<Self> {
        let client = redis::Client::open(url)?;
        Ok(Self {
            link: Arc::new(Link {
                connection: Mutex::new(connect(&client)?),
                client,
                failures: AtomicU64::new(0),
            }),
            prefix: prefix.to_owned(),
            count: count.max(1),
        })
    }

    pub(crate) fn count(&self) -> u16 {
        self.count
    }

    pub(crate) async fn publish(&self, events: &[&Event], group: Option<&str>) -> Result<()> {
        let mut commands = redis::pipe();
        let mut touched = vec![false; usize::from(self.count)];
        for event in events {
            let stream = event.partition(self.count);
            if let Some(touched) = touched.get_mut(usize::from(stream)) {
                *touched = true;
            }
            let add = commands.cmd("XADD").arg(self.stream(stream)).arg("*");
            add.arg("event").arg(serde_json::to_string(event)?);
            if let Some(group) = group {
                add.arg("group").arg(group);
            }
            add.ignore();
        }
        for (stream, _) in touched.iter().enumerate().filter(|(_, touched)| **touched) {
            commands.cmd("PUBLISH").arg(self.channel()).arg(stream).ignore();
        }
        self.link
            .call(async |mut connection| commands.query_async(&mut connection).await)
            .await
    }

    pub(crate) async fn register(&self, group: &str) -> Result<()> {
        for stream in 0..self.count {
            self.link.create_group(&self.stream(stream), group).await?;
        }
        Ok(())
    }

    pub(crate) fn lane(&self, group: &str, stream: u16) -> Lane {
        Lane {
            link: self.link.clone(),
            stream: self.stream(stream),
            group: group.to_owned(),
            looks_back: true,
            in_vain: 0,
        }
    }

    pub(crate) async fn waiting(&self, group: &str) -> Result<u64> {
        let mut waiting = 0;
        for stream in 0..self.count {
            let stream = self.stream(stream);
            let groups = self.groups(&stream).await?.groups;
            waiting += match groups.iter().find(|known| known.name == group) {
                Some(known) => known.pending + known.lag.unwrap_or(0),
                None => {
                    self.link
                        .call(async |mut connection| {
                            cmd("XLEN").arg(&stream).query_async(&mut connection).await
                        })
                        .await?
                }
            };
        }
        Ok(waiting as u64)
    }

    pub(crate) async fn trim(&self, before: Timestamp) -> Result<()> {
        for stream in 0..self.count {
            let stream = self.stream(stream);
            let mut oldest = (u64::try_from(before.as_millisecond()).unwrap_or(0), 0);
            for group in self.groups(&stream).await?.groups {
                let needed = if group.pending == 0 {
                    group.last_delivered_id
                } else {
                    let pending: StreamPendingReply = self
                        .link
                        .call(async |mut connection| {
                            cmd("XPENDING")
                                .arg(&stream)
                                .arg(&group.name)
                                .query_async(&mut connection)
                                .await
                        })
                        .await?;
                    match pending {
                        StreamPendingReply::Data(pending) => pending.start_id,
                        _ => group.last_delivered_id,
                    }
                };
                oldest = oldest.min(entry_id(&needed).unwrap_or((0, 0)));
            }
            let oldest = format!("{}-{}", oldest.0, oldest.1);
            let () = self
                .link
                .call(async |mut connection| {
                    let mut trim = cmd("XTRIM");
                    trim.arg(&stream).arg("MINID").arg("~").arg(oldest);
                    trim.query_async(&mut connection).await
                })
                .await?;
        }
        Ok(())
    }

    /// Another one after each restart of the server or failover to another.
    pub(crate) async fn epoch(&self) -> Result<String> {
        let info: InfoDict = self
            .link
            .call(async |mut connection| cmd("INFO").arg("server").query_async(&mut connection).await)
            .await?;
        info.get("run_id")
            .ok_or_else(|| Error::internal("the server does not tell its run_id"))
    }

    /// Another number after the server did not answer.
    pub(crate) fn disruptions(&self) -> u64 {
        self.link.failures.load(Ordering::Acquire)
    }

    pub(crate) async fn ping(&self) -> Result<()> {
        self.link
            .call(async |mut connection| cmd("PING").query_async(&mut connection).await)
            .await
    }

    /// Wakes the readers of this process when another one has published, until `end`.
    pub(crate) fn listen(&self, wakes: Arc<Wakes>, end: CancellationToken) {
        let (client, channel) = (self.link.client.clone(), self.channel());
        tokio::spawn(async move {
            let listening = async {
                loop {
                    if let Err(error) = hear(&client, &channel, &wakes).await {
                        tracing::debug!(%error, "wake-ups of other processes are not heard");
                    }
                    tokio::time::sleep(CONNECTING).await;
                }
            };
            end.run_until_cancelled(listening).await;
        });
    }

    async fn groups(&self, stream: &str) -> Result<StreamInfoGroupsReply> {
        let exists: bool = self
            .link
            .call(async |mut connection| cmd("EXISTS").arg(stream).query_async(&mut connection).await)
            .await?;
        if !exists {
            return Ok(StreamInfoGroupsReply::default());
        }
        self.link
            .call(async |mut connection| {
                cmd("XINFO")
                    .arg("GROUPS")
                    .arg(stream)
                    .query_async(&mut connection)
                    .await
            })
            .await
    }

    fn stream(&self, stream: u16) -> String {
        format!("{}:{{{stream}}}:events", self.prefix)
    }

    fn channel(&self) -> String {
        format!("{}:wake", self.prefix)
    }
}

impl Lane {
    pub(crate) async fn fetch(&mut self, limit: usize) -> Result<Vec<Delivery>> {
        if self.looks_back {
            let entries = self.read(limit, "0").await?;
            if !entries.is_empty() {
                return Ok(entries);
            }
            self.looks_back = false;
        }
        let entries = self.read(limit, ">").await?;
        self.in_vain = if entries.is_empty() { self.in_vain + 1 } else { 0 };
        if self.in_vain >= LOOK_BACK {
            self.in_vain = 0;
            self.looks_back = true;
        }
        Ok(entries)
    }

    pub(crate) async fn acknowledge(&self, done: &[String]) -> Result<bool> {
        let () = self
            .link
            .call(async |mut connection| {
                cmd("XACK")
                    .arg(&self.stream)
                    .arg(&self.group)
                    .arg(done)
                    .query_async(&mut connection)
                    .await
            })
            .await?;
        Ok(true)
    }

    async fn read(&mut self, limit: usize, from: &str) -> Result<Vec<Delivery>> {
        let mut read = cmd("XREADGROUP");
        read.arg("GROUP")
            .arg(&self.group)
            .arg(CONSUMER)
            .arg("COUNT")
            .arg(limit);
        read.arg("STREAMS").arg(&self.stream).arg(from);
        let answer: Result<Read> = self
            .link
            .call(async |mut connection| {
                let answer: RedisResult<Read> = read.query_async(&mut connection).await;
                match answer {
                    // Somebody emptied the server: the group begins anew.
                    Err(error) if error.code() == Some("NOGROUP") => Ok(None),
                    answer => answer.map(Some),
                }
            })
            .await
            .and_then(|answer| answer.ok_or_else(|| Error::unavailable("the group is gone")));
        let Ok(answer) = answer else {
            // What the lost answer brought is pending now.
            self.looks_back = true;
            self.link.create_group(&self.stream, &self.group).await?;
            return answer.map(|_| Vec::new());
        };
        let entries = answer.into_iter().flatten().flat_map(|(_, entries)| entries);
        Ok(entries
            .map(|(id, fields)| delivery(id, fields.unwrap_or_default()))
            .collect())
    }
}

impl Link {
    async fn create_group(&self, stream: &str, group: &str) -> Result<()> {
        self.call(async |mut connection| {
            let mut create = cmd("XGROUP");
            create
                .arg("CREATE")
                .arg(stream)
                .arg(group)
                .arg("0")
                .arg("MKSTREAM");
            match create.query_async(&mut connection).await {
                Err(error) if error.code() == Some("BUSYGROUP") => Ok(()),
                result => result,
            }
        })
        .await
    }

    async fn call<T>(&self, operation: impl AsyncFnOnce(ConnectionManager) -> RedisResult<T>) -> Result<T> {
        let connection = self
            .connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let (error, hangs) = match tokio::time::timeout(ANSWERING * 2, operation(connection)).await {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(error)) => {
                let hangs = error.is_timeout();
                (error.into(), hangs)
            }
            Err(_) => (Error::unavailable("no answer in time"), true),
        };
        self.failures.fetch_add(1, Ordering::AcqRel);
        if hangs && let Ok(fresh) = connect(&self.client) {
            // A server that neither answers nor closes the connection may never do.
            *self.connection.lock().unwrap_or_else(PoisonError::into_inner) = fresh;
        }
        Err(error)
    }
}

/// A connection that is made when it is first used. It does not try again by itself: callers do.
fn connect(client: &redis::Client) -> RedisResult<ConnectionManager> {
    let config = ConnectionManagerConfig::new()
        .set_number_of_retries(0)
        .set_connection_timeout(Some(CONNECTING))
        .set_response_timeout(Some(ANSWERING))
        .set_pipeline_buffer_size(1024);
    ConnectionManager::new_lazy_with_config(client.clone(), config)
}

async fn hear(client: &redis::Client, channel: &str, wakes: &Wakes) -> Result<()> {
    let connecting = tokio::time::timeout(ANSWERING, client.get_async_pubsub());
    let mut listener = connecting.await.map_err(Error::unavailable)??;
    listener.subscribe(channel).await?;
    // What was published before this is not told of.
    wakes.wake_all();
    let mut messages = listener.into_on_message();
    while let Some(message) = messages.next().await {
        if let Ok(stream) = message.get_payload::<u16>() {
            wakes.wake(stream);
        }
    }
    Ok(())
}

fn delivery(id: String, fields: Vec<String>) -> Delivery {
    let (mut event, mut group) = (String::new(), None);
    let mut fields = fields.into_iter();
    while let (Some(name), Some(value)) = (fields.next(), fields.next()) {
        match name.as_str() {
            "event" => event = value,
            "group" => group = Some(value),
            _ => {}
        }
    }
    Delivery {
        receipt: Receipt::Entry(id),
        group,
        event,
    }
}

/// The milliseconds and the counter of an entry's id.
fn entry_id(id: &str) -> Option<(u64, u64)> {
    let (time, count) = id.split_once('-')?;
    Some((time.parse().ok()?, count.parse().ok()?))
}
