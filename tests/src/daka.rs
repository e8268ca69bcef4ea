//! The platform in one of its shapes.

use std::path::{Path, PathBuf};
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
    // The one that answers clients is the last.
    processes: Vec<Process>,
    folder: tempfile::TempDir,
}

impl Daka {
    /// Starts a platform without any data, and waits until it is ready.
    ///
    /// # Panics
    /// With what its processes wrote, when it does not get ready.
    pub async fn start(shape: Shape) -> Self {
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(30))
            .build()
            .expect("a client can be made");
        let (address, folder) = (free_address(), testkit::data_dir());
        let mut daka = Self { shape, address, client, processes: Vec::new(), folder };
        daka.launch().await;
        daka
    }

    /// Ends the platform as a service manager does, and starts it again on the same data.
    pub async fn restart(&mut self) {
        self.stop().await;
        self.launch().await;
    }

    /// Asks the platform to stop, and waits until it has ended.
    pub async fn stop(&mut self) {
        self.terminate();
        for process in &mut self.processes {
            process.ended().await;
        }
        self.processes.clear();
    }

    /// Asks the platform to stop.
    pub fn terminate(&self) {
        self.processes.iter().for_each(Process::terminate);
    }

    /// Starts a platform that has ended, on the data that it left.
    pub async fn launch(&mut self) {
        let folder = self.folder.path().to_owned();
        self.processes = match self.shape {
            Shape::Embedded => vec![Process::start(&[], &self.address, &folder, &quiet())],
            Shape::Distributed => distributed(&self.address, &folder).await,
        };
        for process in &mut self.processes {
            process.ready(&self.client).await;
        }
    }

    /// How the platform is laid out.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Where the platform keeps what this machine keeps.
    pub fn folder(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// What the processes wrote.
    pub fn logs(&self) -> String {
        self.processes.iter().map(Process::log).collect()
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
        let answer = nobody.query(login, json!({ "code": format!("sandbox:{name}") })).await;
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

async fn distributed(address: &str, folder: &Path) -> Vec<Process> {
    let subgraphs = ["user", "habit", "checkin"].map(|name| (name, free_address()));
    let mut env = quiet();
    let mut set = |name: &str, value: String| env.push((format!("DAKA__{name}"), value));
    for (name, address) in &subgraphs {
        set(&format!("SUBGRAPHS__{}", name.to_uppercase()), format!("http://{address}/graphql"));
    }
    let name = testkit::unique_name("daka");
    set("AUTH__INTERNAL_SECRET", testkit::unique_name("an-internal-secret-of-the-tests"));
    set("STORE__BACKEND", "mongodb".to_owned());
    set("STORE__URL", testkit::servers::mongo_url());
    set("STORE__DATABASE", name.clone());
    set("RELATIONS__URL", relations(&name).await);
    for hot in ["CACHE", "BUS"] {
        set(&format!("{hot}__BACKEND"), "redis".to_owned());
        set(&format!("{hot}__URL"), testkit::servers::redis_url());
        set(&format!("{hot}__PREFIX"), format!("{name}-{}:", hot.to_lowercase()));
    }
    let mut processes: Vec<_> =
        subgraphs.iter().map(|(name, at)| Process::start(&["subgraph", name], at, folder, &env)).collect();
    processes.push(Process::start(&["router"], address, folder, &env));
    processes
}

/// A new database on the MariaDB server.
async fn relations(name: &str) -> String {
    let server = testkit::servers::mysql_url();
    let connection = Database::connect(&server).await.expect("MariaDB answers");
    connection.execute_unprepared(&format!("CREATE DATABASE {name}")).await.expect("a database can be made");
    connection.close().await.expect("a connection closes");
    format!("{server}/{name}")
}

fn quiet() -> Vec<(String, String)> {
    vec![("DAKA__TELEMETRY__LOG__FILTER".to_owned(), "warn".to_owned())]
}
