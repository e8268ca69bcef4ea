//! The router for anybody's supergraph: it knows nothing about habits.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use cache::Cache;
use composition::SubgraphSource;
use composition::config::SupergraphConfig;
use kernel::Clock;
use router::{Engine, EngineHandle, PersistedOperations, Transports};

use crate::cli::Failure;
use crate::config::Config;
use crate::supergraph::lines;
use crate::{health, serve};

/// Where a supergraph comes from.
#[derive(Debug, Clone)]
pub enum Supergraph {
    /// A file with its SDL.
    Composed(PathBuf),
    /// A supergraph.yaml that names its subgraphs.
    Sources(PathBuf),
}

/// Serves a supergraph until the program is told to stop.
///
/// # Errors
/// Where the supergraph cannot be read, composed or loaded.
pub async fn run(config: Config, supergraph: &Supergraph) -> Result<(), Failure> {
    let shutdown = serve::shutdown_on_signals();
    let telemetry = telemetry::init(&config.telemetry, "daka-router", &shutdown)?;
    let listener = serve::listen(config.listen).await?;
    let supergraph = match supergraph {
        Supergraph::Composed(file) => std::fs::read_to_string(file)
            .map_err(|error| format!("cannot read {}: {error}", file.display()))?,
        Supergraph::Sources(file) => composed(file).await?,
    };
    let transports = Transports::default().tracer(Arc::new(telemetry::propagation::inject));
    let cache = Cache::open(&config.cache, Clock::system())?;
    let persisted = PersistedOperations::load(&config.router.persisted.manifests)?;
    let engine = Engine::new(&supergraph, &config.router, transports)?
        .with_registered_in(cache)
        .with_persisted(persisted);
    let options = router::http::HttpOptions {
        config: config.router.clone(),
        ..Default::default()
    };
    let routes = router::http::service(EngineHandle::new(Arc::new(engine)), options)
        .merge(health::routes(Vec::new(), telemetry.metrics()));
    println!("The router listens on http://{}/graphql", listener.local_addr()?);
    serve::serve(listener, routes, shutdown, config.shutdown_grace()).await
}

/// Prints the supergraph of a supergraph.yaml.
///
/// # Errors
/// Everything that is wrong with it, a line each.
pub async fn compose(file: &Path) -> Result<(), Failure> {
    print!("{}", composed(file).await?);
    Ok(())
}

async fn composed(file: &Path) -> Result<String, Failure> {
    let config = SupergraphConfig::load(file)?;
    let mut fetched = std::collections::HashMap::new();
    for (name, url) in config.urls() {
        fetched.insert(name.to_owned(), sdl(name, url).await?);
    }
    let sources: Vec<SubgraphSource> = config.sources(|name, _| {
        fetched
            .remove(name)
            .ok_or_else(|| format!("{name} was not asked"))
    })?;
    let composed = composition::compose(&sources).map_err(|errors| lines(&errors))?;
    for hint in &composed.hints {
        eprintln!("hint {}: {}", hint.code, hint.message);
    }
    Ok(composed.supergraph_sdl)
}

/// The SDL that a running subgraph tells of itself.
async fn sdl(name: &str, url: &str) -> Result<String, Failure> {
    let fault = |problem: &dyn std::fmt::Display| {
        format!("the subgraph {name} at {url} does not tell its SDL: {problem}")
    };
    let client = reqwest::Client::builder()
        .timeout(std::time::Duration::from_secs(10))
        .build()?;
    let query = serde_json::json!({ "query": "query { _service { sdl } }" });
    let sent = client
        .post(url)
        .json(&query)
        .send()
        .await
        .and_then(reqwest::Response::error_for_status);
    let answer: serde_json::Value = sent
        .map_err(|error| fault(&error.without_url()))?
        .json()
        .await
        .map_err(|error| fault(&error))?;
    let sdl = answer
        .pointer("/data/_service/sdl")
        .and_then(serde_json::Value::as_str);
    Ok(sdl.ok_or_else(|| fault(&"its answer has none"))?.to_owned())
}
