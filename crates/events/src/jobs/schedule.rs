//! What runs again and again: in one process each time, whatever number of them there is.

use std::str::FromStr as _;
use std::time::Duration;

use apalis_cron::CronScheduler;
use docstore::Batch;
use futures::{Stream, StreamExt as _};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::document::document;
use crate::error::{Error, Result};
use crate::jobs::{Call, Jobs};

/// The pause before a run that could not be enqueued is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// When something runs again and again.
#[derive(Debug, Clone)]
pub struct Schedule(When);

#[derive(Debug, Clone)]
enum When {
    Interval(Duration),
    Cron(Box<cron::Schedule>),
}

/// Which run of a schedule was enqueued last.
#[derive(Serialize, Deserialize)]
pub(crate) struct Ticked {
    #[serde(rename = "_id")]
    id: String,
    version: i64,
    /// The time it was due: seconds since 1970.
    tick: i64,
}

impl Schedule {
    /// Once in each period of that length, counted from 1970 on, at least a second long: at its beginning, or later
    /// in it as soon as a worker is there.
    pub fn interval(period: Duration) -> Self {
        Self(When::Interval(period.max(Duration::from_secs(1))))
    }

    /// At the times of a cron expression in UTC, with seconds first: `0 30 3 * * *` is half past three each night.
    /// What was due while there was no worker is not made up for.
    ///
    /// # Errors
    /// [`Error::Internal`] if it is no such expression.
    pub fn cron(expression: &str) -> Result<Self> {
        let schedule = cron::Schedule::from_str(expression).map_err(Error::internal)?;
        Ok(Self(When::Cron(Box::new(schedule))))
    }

    /// Enqueues the runs as they come due.
    pub(crate) async fn tick(&self, name: &'static str, jobs: &Jobs) {
        match &self.0 {
            When::Interval(period) => {
                let period = i64::try_from(period.as_millis()).unwrap_or(i64::MAX);
                loop {
                    let now = jobs.0.clock.now().as_millisecond();
                    let begun = now - now.rem_euclid(period);
                    insist(name, begun.div_euclid(1000), jobs).await;
                    let left = u64::try_from(begun + period - now).unwrap_or(1);
                    tokio::time::sleep(Duration::from_millis(left)).await;
                }
            }
            When::Cron(schedule) => {
                let mut due = std::pin::pin!(ticks((**schedule).clone()));
                while let Some(tick) = due.next().await {
                    insist(name, tick, jobs).await;
                }
                // Cron expressions may name years that are over: other schedules go on.
                std::future::pending().await
            }
        }
    }
}

/// The times of a cron expression, each when it is due.
fn ticks(schedule: cron::Schedule) -> impl Stream<Item = i64> {
    CronScheduler::new(schedule).into_stream().filter_map(|tick| {
        let seconds = tick
            .ok()
            .and_then(|tick| i64::try_from(tick.get_timestamp()).ok());
        std::future::ready(seconds)
    })
}

async fn insist(name: &str, tick: i64, jobs: &Jobs) {
    while let Err(error) = enqueue(name, tick, jobs).await {
        tracing::warn!(name, %error, "a scheduled job could not be enqueued");
        tokio::time::sleep(AGAIN).await;
    }
}

/// Enqueues a run, unless some process did. Two that do so at the same time are one by the key of the job, and
/// who comes later finds it noted.
async fn enqueue(name: &str, tick: i64, jobs: &Jobs) -> Result<()> {
    let schedules = jobs.0.store.collection::<Ticked>();
    let id = format!("{}/{name}", jobs.0.service);
    let known = schedules.get(&id).await?;
    if known.as_ref().is_some_and(|known| known.tick >= tick) {
        return Ok(());
    }
    let call = Call {
        name: name.to_owned(),
        details: Value::Null,
        attempts: 0,
    };
    jobs.0
        .queue
        .push(call, None, Some(format!("{name}@{tick}")))
        .await?;
    let mut batch = Batch::new();
    match known {
        Some(mut known) => {
            known.tick = tick;
            batch.replace(&mut known);
        }
        None => {
            batch.insert(&Ticked { id, version: 0, tick });
        }
    }
    match jobs.0.store.commit(batch).await {
        Ok(()) | Err(docstore::Error::Conflict(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

document!(Ticked, "job_schedules");
