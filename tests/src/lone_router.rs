//! The program as the router of somebody else's supergraph, and its commands for supergraphs.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::process::{Process, free_address, program};

/// The file that a [`LoneRouter`] serves, in its folder.
const SUPERGRAPH: &str = "supergraph.graphql";
/// Its configuration, where the program looks for one.
const CONFIG: &str = "daka.toml";

/// `daka router --supergraph FILE`. Dropping it ends it.
#[derive(Debug)]
pub struct LoneRouter {
    address: String,
    client: reqwest::Client,
    process: Process,
    folder: tempfile::TempDir,
}

/// How a command ended.
#[derive(Debug)]
pub struct Ran {
    /// Whether it succeeded.
    pub is_ok: bool,
    /// What it printed.
    pub out: String,
    /// What it said beside.
    pub err: String,
}

/// Runs a command of `daka` to its end in a folder.
///
/// # Panics
/// When it cannot be run.
pub fn run_in(folder: &Path, args: &[&str]) -> Ran {
    let mut command = Command::new(program());
    command.args(args).current_dir(folder).env_remove("DAKA_CONFIG");
    let ended = command.stdin(Stdio::null()).output().expect("daka runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ran {
        is_ok: ended.status.success(),
        out: text(&ended.stdout),
        err: text(&ended.stderr),
    }
}

impl LoneRouter {
    /// Starts the router with a supergraph, which it looks at all the time.
    ///
    /// # Panics
    /// With what it wrote, when it does not get ready.
    pub async fn start(supergraph: &str) -> Self {
        Self::start_with(supergraph, &[]).await
    }

    /// The same with more environment variables.
    ///
    /// # Panics
    /// With what it wrote, when it does not get ready.
    pub async fn start_with(supergraph: &str, more: &[(&str, &str)]) -> Self {
        Self::start_as(supergraph, "", more, 20).await
    }

    /// The same with a configuration file.
    ///
    /// # Panics
    /// With what it wrote, when it does not get ready.
    pub async fn start_configured(supergraph: &str, config: &str) -> Self {
        Self::start_as(supergraph, config, &[], 20).await
    }

    /// The same for a router that looks every so many milliseconds whether something has changed.
    ///
    /// # Panics
    /// With what it wrote, when it does not get ready.
    pub async fn start_looking(supergraph: &str, reload_ms: u64) -> Self {
        Self::start_as(supergraph, "", &[], reload_ms).await
    }

    async fn start_as(supergraph: &str, config: &str, more: &[(&str, &str)], reload_ms: u64) -> Self {
        let (address, folder) = (free_address(), testkit::data_dir());
        std::fs::write(folder.path().join(SUPERGRAPH), supergraph).expect("a file can be written");
        std::fs::write(folder.path().join(CONFIG), config).expect("a file can be written");
        let client = reqwest::Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(30))
            .build()
            .expect("a client can be made");
        let reload_ms = reload_ms.to_string();
        let looking = [("DAKA__ROUTER__RELOAD_MS", reload_ms.as_str())];
        let more = more.iter().chain(&looking);
        let env: Vec<_> = more
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let args = ["router", "--supergraph", SUPERGRAPH];
        let mut process = Process::start(&args, &address, folder.path(), &env);
        process.ready(&client).await;
        Self {
            address,
            client,
            process,
            folder,
        }
    }

    /// Puts another supergraph into the place of the one that is served, at once.
    ///
    /// # Panics
    /// When the file cannot be written.
    pub fn replace(&self, supergraph: &str) {
        self.write(SUPERGRAPH, supergraph);
    }

    /// Puts another configuration into the place of the one that is in force, at once.
    ///
    /// # Panics
    /// When the file cannot be written.
    pub fn configure(&self, config: &str) {
        self.write(CONFIG, config);
    }

    /// Writes a file in the router's folder, at once.
    ///
    /// # Panics
    /// When the file cannot be written.
    pub fn write(&self, name: &str, text: &str) {
        let new = self.folder.path().join("new");
        std::fs::write(&new, text).expect("a file can be written");
        std::fs::rename(new, self.folder.path().join(name)).expect("a file can be moved");
    }

    /// Asks it to stop, as a service manager does, and waits until it has.
    ///
    /// # Panics
    /// When it does not end, or not well.
    pub async fn stop(&mut self) {
        self.process.terminate();
        self.process.ended().await;
    }

    /// Sends it a signal, such as `HUP`.
    pub fn signal(&self, name: &str) {
        self.process.signal(name);
    }

    /// Where it listens.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The most memory that it has had at once, in bytes.
    pub fn peak_memory(&self) -> usize {
        self.process.peak_memory()
    }

    /// The memory that it has now, in bytes.
    pub fn memory(&self) -> usize {
        self.process.memory_now()
    }

    /// All metrics as Prometheus reads them.
    ///
    /// # Panics
    /// When the router does not answer.
    pub async fn metrics(&self) -> String {
        let url = format!("http://{}/metrics", self.address);
        let answer = self.client.get(url).send().await.expect("the router answers");
        answer.text().await.expect("the metrics are text")
    }

    /// The sum of a metric over all series whose labels hold this text.
    ///
    /// # Panics
    /// When the router does not tell its metrics.
    pub async fn metric(&self, name: &str, labels: &str) -> f64 {
        let text = self.metrics().await;
        let series = text
            .lines()
            .filter_map(|line| line.strip_prefix(name)?.rsplit_once(' '));
        let series = series.filter(|(of, _)| (of.is_empty() || of.starts_with('{')) && of.contains(labels));
        series.filter_map(|(_, value)| value.parse::<f64>().ok()).sum()
    }

    /// The answer to a query.
    ///
    /// # Panics
    /// When there is none.
    pub async fn ask(&self, query: &str) -> Value {
        self.send(&json!({ "query": query })).await
    }

    /// The answer to a request.
    ///
    /// # Panics
    /// When there is none.
    pub async fn send(&self, request: &Value) -> Value {
        let url = format!("http://{}/graphql", self.address);
        let asked = self.client.post(url).json(request);
        let answer = asked.send().await.expect("the router answers");
        answer.json().await.expect("the answer is JSON")
    }

    /// A query that is not sent yet.
    pub fn request(&self, query: &str) -> reqwest::RequestBuilder {
        self.client
            .post(self.url("/graphql"))
            .json(&json!({ "query": query }))
    }

    /// The address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// What it wrote.
    pub fn log(&self) -> String {
        self.process.log()
    }
}
