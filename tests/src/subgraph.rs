//! Somebody's subgraph as a process of its own (`tests/src/bin/subgraph.rs`), to be killed and started again.

use std::path::PathBuf;

use crate::lone_router::run_in;
use crate::process::{Process, free_address};

/// A subgraph at an address. Dropping it ends it.
#[derive(Debug)]
pub struct Subgraph {
    program: PathBuf,
    address: String,
    folder: tempfile::TempDir,
    process: Option<Process>,
}

impl Subgraph {
    /// Starts the program.
    ///
    /// # Panics
    /// With what it wrote, when it does not get ready.
    pub async fn start(program: &str) -> Self {
        let mut subgraph = Self {
            program: program.into(),
            address: free_address(),
            folder: testkit::data_dir(),
            process: None,
        };
        subgraph.restart().await;
        subgraph
    }

    /// Kills it.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Starts it again, at the same address.
    ///
    /// # Panics
    /// With what it wrote, when it does not get ready.
    pub async fn restart(&mut self) {
        self.kill();
        let client = reqwest::Client::builder()
            .no_proxy()
            .build()
            .expect("a client can be made");
        let mut process = Process::start_program(&self.program, &[], &self.address, self.folder.path(), &[]);
        process.ready(&client).await;
        self.process = Some(process);
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("http://{}/graphql", self.address)
    }
}

/// What `daka compose` makes of subgraphs: their names, addresses and SDL.
///
/// # Panics
/// When they do not compose.
pub fn supergraph(subgraphs: &[(&str, &str, &str)]) -> String {
    let folder = testkit::data_dir();
    let mut yaml = "federation_version: 2\nsubgraphs:\n".to_owned();
    for (name, url, sdl) in subgraphs {
        yaml += &format!("  {name}:\n    routing_url: {url}\n    schema:\n      file: {name}.graphql\n");
        std::fs::write(folder.path().join(format!("{name}.graphql")), sdl).expect("a file can be written");
    }
    std::fs::write(folder.path().join("supergraph.yaml"), yaml).expect("a file can be written");
    let composed = run_in(folder.path(), &["compose", "--config", "supergraph.yaml"]);
    assert!(composed.is_ok, "{}", composed.err);
    composed.out
}
