//! What jobs hold to, queued in SQLite and in Redis.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use docstore::DocStore;
use events::{BoxError, Job, Jobs, JobsConfig, JobsWorker, Pace, Schedule};
use jiff::SignedDuration;
use kernel::{Clock, Random};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::world::{World, eventually};

const PACE: Pace = Pace {
    poll: Duration::from_millis(50),
    heartbeat: Duration::from_secs(1),
};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Greet {
    name: String,
}

impl Job for Greet {
    const NAME: &'static str = "greet";
}

/// A service with jobs.
struct Service {
    store: DocStore,
    config: JobsConfig,
    name: String,
    _world: World,
}

impl Service {
    async fn on_sqlite() -> Self {
        let world = World::sqlite().await;
        let path = world.dir().join("jobs.sqlite");
        Self::new(world, JobsConfig::Sqlite { path })
    }

    async fn on_redis() -> Self {
        let config = JobsConfig::Redis {
            url: testkit::servers::redis_url(),
            prefix: testkit::unique_name("jobs"),
        };
        Self::new(World::sqlite().await, config)
    }

    fn new(world: World, config: JobsConfig) -> Self {
        Self {
            store: world.store.clone(),
            config,
            name: "habit".to_owned(),
            _world: world,
        }
    }

    /// The jobs as another process has them.
    async fn jobs(&self) -> Jobs {
        let store = self.store.clone();
        Jobs::open(
            &self.config,
            &self.name,
            store,
            Clock::system(),
            Random::from_os(),
        )
        .await
        .unwrap()
    }
}

/// Runs each case on every backend.
macro_rules! on_every_backend {
    ($($case:ident)*) => {
        mod in_sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $case() {
                super::$case(super::Service::on_sqlite().await).await;
            })*
        }
        mod in_redis {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $case() {
                super::$case(super::Service::on_redis().await).await;
            })*
        }
    };
}

on_every_backend! {
    a_job_waits_for_a_worker_and_is_run_once_by_one_of_many
    a_job_for_later_does_not_run_early
    a_job_that_fails_or_panics_is_tried_again
    a_job_of_a_worker_that_died_is_run_by_another
    what_is_scheduled_runs_once_however_many_workers_there_are
    a_cron_expression_runs_again_and_again
    services_do_not_run_each_others_jobs
}

async fn a_job_waits_for_a_worker_and_is_run_once_by_one_of_many(service: Service) {
    let jobs = service.jobs().await;
    for i in 0..40 {
        jobs.enqueue(&greet(i)).await.unwrap();
    }
    drop(jobs);
    let runs: Arc<Mutex<BTreeMap<String, u32>>> = Arc::default();
    let mut workers = Vec::new();
    for _ in 0..3 {
        let runs = runs.clone();
        workers.push(start(service.jobs().await.worker().handle(
            move |Greet { name }| {
                *runs.lock().unwrap().entry(name).or_default() += 1;
                async { Ok(()) }
            },
        )));
    }
    eventually(async || runs.lock().unwrap().len() == 40).await;
    for (stop, worker) in workers {
        stop.cancel();
        worker.await.unwrap();
    }
    assert!(runs.lock().unwrap().values().all(|count| *count == 1));
}

async fn a_job_for_later_does_not_run_early(service: Service) {
    let jobs = service.jobs().await;
    let at = Clock::system().now() + SignedDuration::from_millis(1500);
    jobs.enqueue_at(&greet(1), at).await.unwrap();
    jobs.enqueue(&greet(2)).await.unwrap();
    let (sender, mut heard) = mpsc::unbounded_channel();
    let _worker = start(jobs.worker().handle(move |job: Greet| {
        let said = sender.send((job.name, Clock::system().now()));
        async move { Ok(said?) }
    }));
    assert_eq!(heard.recv().await.unwrap().0, "name-2");
    let (name, ran_at) = heard.recv().await.unwrap();
    assert_eq!(name, "name-1");
    assert!(ran_at >= at);
}

async fn a_job_that_fails_or_panics_is_tried_again(service: Service) {
    let jobs = service.jobs().await;
    jobs.enqueue(&greet(1)).await.unwrap();
    let (sender, mut heard) = mpsc::unbounded_channel();
    let tries = Arc::new(Mutex::new(0));
    let _worker = start(jobs.worker().handle(move |job: Greet| {
        let (sender, tries) = (sender.clone(), tries.clone());
        async move {
            let tried = {
                let mut tries = tries.lock().unwrap();
                *tries += 1;
                *tries
            };
            match tried {
                1 => Err("not today".into()),
                2 => panic!("not at all"),
                _ => Ok(sender.send(job.name)?),
            }
        }
    }));
    assert_eq!(heard.recv().await.unwrap(), "name-1");
}

async fn a_job_of_a_worker_that_died_is_run_by_another(service: Service) {
    let jobs = service.jobs().await;
    jobs.enqueue(&greet(1)).await.unwrap();
    let (sender, mut stuck) = mpsc::unbounded_channel();
    let doomed = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let (config, store, name) = (
        service.config.clone(),
        service.store.clone(),
        service.name.clone(),
    );
    doomed.spawn(async move {
        let jobs = Jobs::open(&config, &name, store, Clock::system(), Random::from_os())
            .await
            .unwrap();
        let worker = jobs.worker().at_pace(PACE).handle(move |_: Greet| {
            let said = sender.send(());
            async move {
                said?;
                std::future::pending::<Result<(), BoxError>>().await
            }
        });
        worker.run(CancellationToken::new()).await;
    });
    stuck.recv().await.unwrap();
    doomed.shutdown_background();
    let (sender, mut heard) = mpsc::unbounded_channel();
    let _worker = start(jobs.worker().handle(move |job: Greet| {
        let said = sender.send(job.name);
        async move { Ok(said?) }
    }));
    assert_eq!(heard.recv().await.unwrap(), "name-1");
}

async fn what_is_scheduled_runs_once_however_many_workers_there_are(service: Service) {
    let runs = Arc::new(Mutex::new(0));
    let (sender, mut heard) = mpsc::unbounded_channel();
    let worker = |jobs: Jobs| {
        let (runs, sender) = (runs.clone(), sender.clone());
        // A period of ten years: it does not end during the test.
        let decade = Schedule::interval(Duration::from_secs(10 * 365 * 86_400));
        let worker = jobs.worker().every("purge", decade, move || {
            *runs.lock().unwrap() += 1;
            async { Ok(()) }
        });
        start(worker.handle(move |job: Greet| {
            let said = sender.send(job.name);
            async move { Ok(said?) }
        }))
    };
    let mut workers = Vec::new();
    for _ in 0..4 {
        workers.push(worker(service.jobs().await));
    }
    eventually(async || *runs.lock().unwrap() > 0).await;
    for (stop, worker) in workers {
        stop.cancel();
        worker.await.unwrap();
    }
    // Who starts later knows that it was done.
    let jobs = service.jobs().await;
    let _later = worker(jobs.clone());
    jobs.enqueue(&greet(1)).await.unwrap();
    heard.recv().await.unwrap();
    assert_eq!(*runs.lock().unwrap(), 1);
}

async fn a_cron_expression_runs_again_and_again(service: Service) {
    assert!(Schedule::cron("every now and then").is_err());
    let (sender, mut heard) = mpsc::unbounded_channel();
    let secondly = Schedule::cron("* * * * * *").unwrap();
    let _worker = start(service.jobs().await.worker().every("tick", secondly, move || {
        let said = sender.send(());
        async move { Ok(said?) }
    }));
    for _ in 0..3 {
        heard.recv().await.unwrap();
    }
}

async fn services_do_not_run_each_others_jobs(service: Service) {
    let other = Service {
        name: "checkin".to_owned(),
        store: service.store.clone(),
        config: service.config.clone(),
        _world: service._world.clone(),
    };
    let (sender, mut heard) = mpsc::unbounded_channel();
    let listen = |jobs: &Jobs, who: &'static str| {
        let sender = sender.clone();
        start(jobs.worker().handle(move |job: Greet| {
            let said = sender.send((who, job.name));
            async move { Ok(said?) }
        }))
    };
    let (jobs, others) = (service.jobs().await, other.jobs().await);
    let _workers = [listen(&jobs, "habit"), listen(&others, "checkin")];
    for i in 0..10 {
        jobs.enqueue(&greet(i)).await.unwrap();
    }
    others.enqueue(&greet(10)).await.unwrap();
    for _ in 0..11 {
        let (who, name) = heard.recv().await.unwrap();
        assert_eq!(who == "checkin", name == "name-10");
    }
}

fn start(worker: JobsWorker) -> (CancellationToken, JoinHandle<()>) {
    let stop = CancellationToken::new();
    (stop.clone(), tokio::spawn(worker.at_pace(PACE).run(stop)))
}

fn greet(i: u32) -> Greet {
    Greet {
        name: format!("name-{i}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn jobs_survive_a_redis_that_is_killed() {
    let mut server = testkit::servers::Redis::start().await;
    let config = JobsConfig::Redis {
        url: server.url().to_owned(),
        prefix: "jobs".to_owned(),
    };
    let service = Service::new(World::sqlite().await, config);
    let jobs = service.jobs().await;
    let (sender, mut heard) = mpsc::unbounded_channel();
    let _worker = start(jobs.worker().handle(move |job: Greet| {
        let said = sender.send(job.name);
        async move { Ok(said?) }
    }));
    jobs.enqueue(&greet(1)).await.unwrap();
    assert_eq!(heard.recv().await.unwrap(), "name-1");
    server.kill();
    assert!(matches!(
        jobs.enqueue(&greet(2)).await,
        Err(events::Error::Unavailable(_))
    ));
    server.restart().await;
    eventually(async || jobs.enqueue(&greet(3)).await.is_ok()).await;
    while heard.recv().await.unwrap() != "name-3" {}
}
