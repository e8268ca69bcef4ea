//! Jobs: work that runs later, or again and again, in whatever process of the service is free.
//!
//! A job is delivered at least once. It runs a second time when the process that ran it dies, or cannot tell that it
//! is done: handlers must be idempotent. A job that fails is tried again with growing pauses, and given up with an
//! error in the log after ten attempts. What must happen together with a change to a store belongs into the outbox,
//! and its consumer may enqueue a job.
//!
//! Times are those of the system's clock, in whole seconds: the queues of [apalis](https://docs.rs/apalis) know no other.

mod queue;
mod schedule;

use std::collections::BTreeMap;
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use apalis::prelude::{BoxDynError, WorkerBuilder, WorkerError};
use apalis_core::backend::ext::BackendExt as _;
use docstore::DocStore;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use jiff::Timestamp;
use kernel::{Clock, Random};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use crate::error::{BoxError, Error, Result};
use queue::Queue;

pub use schedule::Schedule;
pub(crate) use schedule::Ticked;

/// How often a job is tried before it is given up.
const ATTEMPTS: u32 = 10;

/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// How often jobs that are done are removed, and how long they are kept.
const TIDY: Duration = Duration::from_secs(3600);

/// Where jobs wait.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "backend", rename_all = "lowercase", deny_unknown_fields)]
pub enum JobsConfig {
    /// In an SQLite file of their own.
    Sqlite {
        /// The file; it is created when it is missing, its folder is not.
        path: PathBuf,
    },
    /// In a Redis server.
    Redis {
        /// Such as `redis://:password@host:6379/0`.
        url: String,
        /// What all keys begin with.
        #[serde(default = "default_prefix")]
        prefix: String,
    },
}

/// How often a worker looks and tells that it is alive. The defaults are for production; tests shorten them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// How often it looks for jobs.
    pub poll: Duration,
    /// How often it tells that it is alive, in whole seconds. After missing it twice its jobs go to others.
    pub heartbeat: Duration,
}

/// A kind of job with its details. Fields may be added later, if they have a default.
pub trait Job: Serialize + DeserializeOwned + Send + 'static {
    /// The name, unique within the service.
    const NAME: &'static str;
}

/// Enqueues the jobs of one service. Clones share it.
#[derive(Clone)]
pub struct Jobs(Arc<Inner>);

/// Runs the jobs of one service.
pub struct JobsWorker {
    jobs: Jobs,
    pace: Pace,
    handlers: BTreeMap<&'static str, Handle>,
    schedules: Vec<(&'static str, Schedule)>,
}

struct Inner {
    queue: Queue,
    service: String,
    store: DocStore,
    clock: Clock,
    random: Random,
}

type Handle = Arc<dyn Fn(Value) -> BoxFuture<'static, Result<(), BoxError>> + Send + Sync>;

/// A job as it waits.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Call {
    name: String,
    details: Value,
    /// How often it was tried before.
    attempts: u32,
}

impl Jobs {
    /// Opens the queue of a service. `store` remembers which scheduled runs were there; it needs
    /// [`COLLECTIONS`](crate::COLLECTIONS). Does not need the Redis server yet. Has to be called inside a Tokio runtime.
    ///
    /// # Errors
    /// [`Error::Internal`] if the URL is none, [`Error::Unavailable`] if the file cannot be opened.
    pub async fn open(
        config: &JobsConfig,
        service: &str,
        store: DocStore,
        clock: Clock,
        random: Random,
    ) -> Result<Self> {
        Ok(Self(Arc::new(Inner {
            queue: Queue::open(config, service).await?,
            service: service.to_owned(),
            store,
            clock,
            random,
        })))
    }

    /// Lets a job run as soon as a worker is free.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the queue is.
    pub async fn enqueue<J: Job>(&self, job: &J) -> Result<()> {
        self.0.queue.push(call(job)?, None, None).await
    }

    /// Lets a job run at that time, or as soon after as a worker is free.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the queue is.
    pub async fn enqueue_at<J: Job>(&self, job: &J, at: Timestamp) -> Result<()> {
        self.0.queue.push(call(job)?, Some(at), None).await
    }

    /// A worker that can run nothing yet. All workers of a service need the same handlers.
    pub fn worker(&self) -> JobsWorker {
        JobsWorker {
            jobs: self.clone(),
            pace: Pace::default(),
            handlers: BTreeMap::new(),
            schedules: Vec::new(),
        }
    }
}

impl JobsWorker {
    /// How to run jobs of one kind.
    pub fn handle<J, F, Fut>(mut self, handler: F) -> Self
    where
        J: Job,
        F: Fn(J) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        let handle = move |details| match serde_json::from_value(details) {
            Ok(job) => handler(job).boxed(),
            Err(error) => futures::future::ready(Err(error.into())).boxed(),
        };
        self.handlers.insert(J::NAME, Arc::new(handle));
        self
    }

    /// What to do again and again: each time in one process of the service.
    pub fn every<F, Fut>(mut self, name: &'static str, schedule: Schedule, handler: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        self.handlers.insert(name, Arc::new(move |_| handler().boxed()));
        self.schedules.push((name, schedule));
        self
    }

    /// The same worker at another pace.
    pub fn at_pace(mut self, pace: Pace) -> Self {
        self.pace = pace;
        self
    }

    /// Runs jobs until `shutdown`; then it finishes those that are running. Problems are logged and tried again,
    /// forever.
    pub async fn run(self, shutdown: CancellationToken) {
        let jobs = self.jobs.clone();
        let ticking = futures::future::join_all(
            self.schedules
                .iter()
                .map(|(name, schedule)| schedule.tick(name, &jobs)),
        );
        let tidying = async {
            loop {
                tokio::time::sleep(TIDY).await;
                if let Err(error) = jobs.0.queue.tidy(TIDY).await {
                    tracing::warn!(%error, "jobs that are done could not be removed");
                }
            }
        };
        let beside = async {
            tokio::join!(ticking, tidying);
        };
        tokio::select! {
            () = self.work(&shutdown) => {}
            () = beside => {}
        }
    }

    async fn work(&self, shutdown: &CancellationToken) {
        let handlers = Arc::new(self.handlers.clone());
        while !shutdown.is_cancelled() {
            let inner = &self.jobs.0;
            // A name of its own each time: the queue refuses one that was alive a moment ago.
            let id = inner.random.id::<Call>(inner.clock.now());
            let worker = Arc::new(Dispatch {
                jobs: self.jobs.clone(),
                handlers: handlers.clone(),
            });
            let name = format!("{}-{id}", inner.service);
            if let Err(error) = work_as(&name, worker, self.pace, shutdown.clone()).await {
                tracing::warn!(service = inner.service, %error, "the worker of the jobs begins anew");
                shutdown
                    .run_until_cancelled(tokio::time::sleep(self.pace.poll))
                    .await;
            }
        }
    }
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            poll: Duration::from_secs(1),
            heartbeat: Duration::from_secs(15),
        }
    }
}

/// What a worker does with a job.
struct Dispatch {
    jobs: Jobs,
    handlers: Arc<BTreeMap<&'static str, Handle>>,
}

impl Dispatch {
    async fn run(&self, call: Call) -> Result<(), BoxDynError> {
        let span = tracing::info_span!("job", job.name = call.name, job.attempt = call.attempts + 1);
        self.try_to(call).instrument(span).await
    }

    async fn try_to(&self, call: Call) -> Result<(), BoxDynError> {
        let result = match self.handlers.get(call.name.as_str()) {
            None => Err(BoxError::from("this worker does not know the job")),
            Some(handler) => {
                let running = std::panic::AssertUnwindSafe(handler(call.details.clone()));
                running
                    .catch_unwind()
                    .await
                    .unwrap_or_else(|_| Err(BoxError::from("the job panicked")))
            }
        };
        let Err(error) = result else {
            return Ok(());
        };
        let attempts = call.attempts + 1;
        if attempts >= ATTEMPTS {
            tracing::error!(%error, attempts, "a job is given up");
            return Ok(());
        }
        // The queues would try again at once, or count differently each: the next attempt is a job of its own.
        let pause = Duration::from_secs(1 << attempts.min(20)).min(LONGEST_PAUSE);
        tracing::warn!(%error, ?pause, "a job failed and is tried again");
        let at = self
            .jobs
            .0
            .clock
            .now()
            .saturating_add(pause)
            .unwrap_or(Timestamp::MAX);
        Ok(self
            .jobs
            .0
            .queue
            .push(Call { attempts, ..call }, Some(at), None)
            .await?)
    }
}

/// Boxed, because the compiler cannot see that the future of a worker is `Send` through another one.
fn work_as(
    name: &str,
    dispatch: Arc<Dispatch>,
    pace: Pace,
    shutdown: CancellationToken,
) -> BoxFuture<'static, Result<(), WorkerError>> {
    let stop = async move {
        shutdown.cancelled().await;
        Ok::<(), WorkerError>(())
    };
    let jobs = dispatch.jobs.clone();
    let run = move |call: Call| {
        let dispatch = dispatch.clone();
        async move { dispatch.run(call).await }
    };
    match &jobs.0.queue {
        Queue::Sqlite(queue) => {
            let backend = queue.backend(pace).poll_with_interval(pace.poll);
            WorkerBuilder::new(name)
                .backend(backend)
                .build(run)
                .run_until(stop)
                .boxed()
        }
        Queue::Redis(queue) => {
            let backend = queue.backend(pace).poll_with_interval(pace.poll);
            WorkerBuilder::new(name)
                .backend(backend)
                .build(run)
                .run_until(stop)
                .boxed()
        }
    }
}

fn call<J: Job>(job: &J) -> Result<Call> {
    Ok(Call {
        name: J::NAME.to_owned(),
        details: serde_json::to_value(job).map_err(Error::internal)?,
        attempts: 0,
    })
}

fn default_prefix() -> String {
    "daka".to_owned()
}
