//! The platform in one of its shapes.

use std::path::Path;
use std::time::Duration;

use sea_orm::{ConnectionTrait as _, Database};
use serde_json::json;

use crate::client::Caller;
use crate::process::{Process, free_address};

/// How the platform is laid out over processes and stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// One process with SQLite files.
    Embedded,
    /// The router and each subgraph as processes of their own, on MongoDB, MariaDB and Redis.
    Distributed,
}

/// A running platform. Dropping it ends it; so does the end of the test process.
#[derive(Debug)]
pub struct Daka {
    shape: Shape,
    address: String,
    client: reqwest::Client,
    // Arguments and addresses of the processes.
    programs: Vec<(Vec<&'static str>, String)>,
    env: Vec<(String, String)>,
    processes: Vec<Process>,
    folder: tempfile::TempDir,
}

impl Daka {
    /// Starts a platform without any data, and waits until it is ready.
    ///
    /// # Panics
    /// With what its processes wrote, when it does not get ready.
    pub async fn start(shape: Shape) -> Self {
        Self::start_with(shape, &[]).await
    }

    /// The same with more environment variables.
    ///
    /// # Panics
    /// With what its processes wrote, when it does not get ready.
    pub async fn start_with(shape: Shape, more: &[(&str, &str)]) -> Self {
        let client = reqwest::Client::builder()
            .user_agent("daka-tests")
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(30))
            .build()
            .expect("a client can be made");
        let (address, folder) = (free_address(), testkit::data_dir());
        let mut programs = Vec::new();
        if shape == Shape::Distributed {
            programs.extend(SUBGRAPHS.map(|name| (vec!["subgraph", name], free_address())));
            programs.push((vec!["router"], address.clone()));
        } else {
            programs.push((Vec::new(), address.clone()));
        }
        let mut env = environment(shape, &programs).await;
        env.extend(
            more.iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        );
        let mut daka = Self {
            shape,
            address,
            client,
            programs,
            env,
            processes: Vec::new(),
            folder,
        };
        daka.launch().await;
        daka
    }

    /// Ends the platform as a service manager does, and starts it again on the same data.
    pub async fn restart(&mut self) {
        self.stop().await;
        self.launch().await;
    }

    /// Sets an environment variable for the next start.
    pub fn set(&mut self, name: &str, value: String) {
        self.env.push((name.to_owned(), value));
    }

    /// Asks the platform to stop, and waits until it has ended.
    pub async fn stop(&mut self) {
        self.terminate();
        for process in &mut self.processes {
            process.ended().await;
        }
        self.processes.clear();
    }

    /// Ends the process of one subgraph of a distributed platform.
    ///
    /// # Panics
    /// When there is no such process.
    pub async fn stop_subgraph(&mut self, name: &str) {
        let mut process = self.processes.remove(self.position(name));
        process.terminate();
        process.ended().await;
    }

    /// Kills the process of one subgraph of a distributed platform, and does then what is to be done without it; at last
    /// starts it again.
    ///
    /// # Panics
    /// When there is no such process.
    pub async fn without_subgraph(&mut self, name: &str, meanwhile: impl AsyncFnOnce(&Self)) {
        let position = self.position(name);
        drop(self.processes.remove(position));
        meanwhile(self).await;
        let (args, address) = &self.programs[position];
        let mut process = Process::start(args, address, self.folder.path(), &self.env);
        process.ready(&self.client).await;
        self.processes.insert(position, process);
    }

    /// Starts another router of a distributed platform, and tells where it is.
    pub async fn another_router(&mut self) -> String {
        let address = free_address();
        let mut process = Process::start(&["router"], &address, self.folder.path(), &self.env);
        process.ready(&self.client).await;
        let base = format!("http://{address}");
        self.programs.push((vec!["router"], address));
        self.processes.push(process);
        base
    }

    fn position(&self, subgraph: &str) -> usize {
        let is_it = |(args, _): &(Vec<_>, _)| args.as_slice() == ["subgraph", subgraph];
        self.programs.iter().position(is_it).expect("a subgraph")
    }

    /// Asks the platform to stop.
    pub fn terminate(&self) {
        self.processes.iter().for_each(Process::terminate);
    }

    /// Starts a platform that has ended, on the data that it left.
    pub async fn launch(&mut self) {
        let start =
            |(args, address): &(Vec<_>, String)| Process::start(args, address, self.folder.path(), &self.env);
        self.processes = self.programs.iter().map(start).collect();
        for process in &mut self.processes {
            process.ready(&self.client).await;
        }
    }

    /// How the platform is laid out.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The folder of its data.
    pub fn data(&self) -> &Path {
        self.folder.path()
    }

    /// What the processes wrote.
    pub fn logs(&self) -> String {
        self.processes.iter().map(Process::log).collect()
    }

    /// Says how the processes' logs end.
    pub(crate) fn tell(&self) {
        for process in &self.processes {
            eprintln!("{}", process.last_words());
        }
    }

    /// Somebody who is not logged in.
    pub fn nobody(&self) -> Caller {
        Caller::new(self.client.clone(), format!("http://{}", self.address))
    }

    /// Logs somebody in by a name of the sandbox.
    ///
    /// # Panics
    /// When the log-in is refused.
    pub async fn login(&self, name: &str) -> Caller {
        let login = "mutation($code: String!) {
            login(code: $code) { accessToken refreshToken expiresIn user { id } }
        }";
        let nobody = self.nobody();
        let answer = nobody
            .query(login, json!({ "code": format!("sandbox:{name}") }))
            .await;
        nobody.logged_in(&answer["login"])
    }

    /// Logs in somebody new.
    ///
    /// # Panics
    /// When the log-in is refused.
    pub async fn someone(&self) -> Caller {
        self.login(&testkit::unique_name("someone")).await
    }
}

const SUBGRAPHS: [&str; 5] = ["user", "habit", "checkin", "community", "notification"];

/// The configuration, with stores that nobody else uses.
async fn environment(shape: Shape, programs: &[(Vec<&str>, String)]) -> Vec<(String, String)> {
    let mut env = vec![("DAKA__TELEMETRY__LOG__FILTER".to_owned(), "warn".to_owned())];
    if shape == Shape::Embedded {
        return env;
    }
    let mut set = |name: &str, value: String| env.push((format!("DAKA__{name}"), value));
    for (name, (_, address)) in SUBGRAPHS.iter().zip(programs) {
        set(
            &format!("SUBGRAPHS__{}", name.to_uppercase()),
            format!("http://{address}/graphql"),
        );
    }
    let name = testkit::unique_name("daka");
    set(
        "AUTH__INTERNAL_SECRET",
        testkit::unique_name("an-internal-secret-of-the-tests"),
    );
    set("STORE__BACKEND", "mongodb".to_owned());
    set("STORE__URL", testkit::servers::mongo_url());
    set("STORE__DATABASE", name.clone());
    set("RELATIONS__URL", relations(&name).await);
    for hot in ["CACHE", "BUS"] {
        set(&format!("{hot}__BACKEND"), "redis".to_owned());
        set(&format!("{hot}__URL"), testkit::servers::redis_url());
        set(
            &format!("{hot}__PREFIX"),
            format!("{name}-{}:", hot.to_lowercase()),
        );
    }
    env
}

/// A new database on the MariaDB server.
async fn relations(name: &str) -> String {
    let server = testkit::servers::mysql_url();
    let connection = Database::connect(&server).await.expect("MariaDB answers");
    connection
        .execute_unprepared(&format!("CREATE DATABASE {name}"))
        .await
        .expect("a database can be made");
    connection.close().await.expect("a connection closes");
    format!("{server}/{name}")
}
