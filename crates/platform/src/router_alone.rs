//! The router for anybody's supergraph: it knows nothing about habits.

mod follow;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use cache::Cache;
use composition::SubgraphSource;
use composition::config::SupergraphConfig;
use kernel::{Clock, Random};
use router::{Authenticator, Engine, EngineHandle, PersistedOperations, Transports};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::cli::Failure;
use crate::config::Config;
use crate::serve::{Load, Routes};
use crate::supergraph::lines;
use crate::{health, jwt, metrics, serve};
use follow::Occasions;

/// Where a supergraph comes from.
#[derive(Debug, Clone)]
pub enum Supergraph {
    /// A file with its SDL.
    Composed(PathBuf),
    /// A supergraph.yaml that names its subgraphs.
    Sources(PathBuf),
}

/// Where a router's configuration comes from, each time it is looked at.
pub struct Source {
    /// Reads it.
    pub load: Box<dyn Fn() -> Result<Config, Failure> + Send + Sync>,
    /// The file in it, where there is one.
    pub file: Option<PathBuf>,
}

/// Serves a supergraph until the program is told to stop, and each that takes its place.
///
/// # Errors
/// Where the configuration or the supergraph cannot be read, composed or loaded.
pub async fn run(source: Source, supergraph: Supergraph) -> Result<(), Failure> {
    let config = (source.load)()?;
    let shutdown = serve::shutdown_on_signals();
    let telemetry = metrics::init(&config.telemetry, "daka-router", &shutdown)?;
    let listener = serve::listen(config.listen).await?;
    let load = Load::new(config.server);
    let transports = Transports::default()
        .buffers(load.buffers())
        .tracer(Arc::new(telemetry::propagation::inject));
    let loader = Loader {
        cache: Cache::open(&config.cache, Clock::system())?,
        responses: Cache::open(&config.cache, Clock::system())?,
        authenticator: jwt::authenticator(&config.jwt, &Clock::system(), &shutdown)?,
        grace: config.shutdown_grace(),
        metrics: telemetry.metrics(),
        shutdown: shutdown.clone(),
        sockets: TaskTracker::new(),
        first: config,
        source,
        supergraph,
        transports,
    };
    let inputs = loader.inputs().await?;
    let engine = EngineHandle::new(Arc::new(loader.engine(&inputs)?));
    let routes = Routes::new(
        loader.routes(&engine, &inputs.config),
        &load,
        &inputs.config.router,
    );
    let (grace, sockets) = (loader.grace, loader.sockets.clone());
    println!("The router listens on http://{}/graphql", listener.local_addr()?);
    let served = Served {
        engine,
        routes: routes.clone(),
    };
    let following = follow::follow(Arc::new(loader), inputs, served, Occasions::new());
    let following = tokio::spawn(shutdown.clone().run_until_cancelled_owned(following));
    serve::serve(listener, routes, shutdown, grace).await;
    following.abort();
    serve::farewell(&sockets, grace).await;
    Ok(())
}

/// Loads what is served.
struct Loader {
    source: Source,
    supergraph: Supergraph,
    /// The configuration that the program was started with.
    first: Config,
    grace: Duration,
    metrics: telemetry::Metrics,
    shutdown: CancellationToken,
    sockets: TaskTracker,
    authenticator: Arc<dyn Authenticator>,
    cache: Cache,
    /// What subgraphs answered: in memory it must not push out what else is kept.
    responses: Cache,
    transports: Transports,
}

/// What is in force.
struct Served {
    engine: EngineHandle,
    routes: Routes,
}

/// All that may change while the router serves.
#[derive(PartialEq)]
struct Inputs {
    config: Config,
    sdl: Sdl,
    persisted: PersistedOperations,
}

#[derive(PartialEq)]
enum Sdl {
    Supergraph(String),
    Subgraphs(Vec<SubgraphSource>),
}

impl Loader {
    async fn inputs(&self) -> Result<Inputs, Failure> {
        let config = (self.source.load)()?;
        let sdl = match &self.supergraph {
            Supergraph::Composed(file) if file.extension().is_some_and(|it| it == "yaml" || it == "yml") => {
                let file = file.display();
                return Err(format!(
                    "{file} lists subgraphs, and is no supergraph: give it as --config {file}"
                )
                .into());
            }
            Supergraph::Composed(file) => Sdl::Supergraph(
                std::fs::read_to_string(file)
                    .map_err(|error| format!("cannot read {}: {error}", file.display()))?,
            ),
            Supergraph::Sources(file) => Sdl::Subgraphs(sources(file).await?),
        };
        let persisted = PersistedOperations::load(&config.router.persisted.manifests)?;
        Ok(Inputs {
            config,
            sdl,
            persisted,
        })
    }

    fn engine(&self, inputs: &Inputs) -> Result<Engine, Failure> {
        let supergraph = match &inputs.sdl {
            Sdl::Supergraph(sdl) => sdl.clone(),
            Sdl::Subgraphs(sources) => supergraph_of(sources)?,
        };
        let engine = Engine::new(&supergraph, &inputs.config.router, self.transports.clone())?;
        Ok(engine
            .with_registered_in(self.cache.clone())
            .with_rate_limits_in(self.cache.clone(), Clock::system())
            .with_responses_in(self.responses.clone(), Clock::system(), Random::from_os())
            .with_overrides_by(Random::from_os())
            .with_persisted(inputs.persisted.clone()))
    }

    fn routes(&self, engine: &EngineHandle, config: &Config) -> axum::Router {
        let options = router::http::HttpOptions {
            authenticator: self.authenticator.clone(),
            config: config.router.clone(),
            shutdown: self.shutdown.clone(),
            connections: self.sockets.clone(),
            ..Default::default()
        };
        let health = health::routes(Vec::new(), self.metrics.clone());
        router::http::service(engine.clone(), options).merge(health)
    }

    /// The files in which something may change, as far as they are known by name.
    fn files(&self, inputs: &Inputs) -> Vec<PathBuf> {
        let (Supergraph::Composed(supergraph) | Supergraph::Sources(supergraph)) = &self.supergraph;
        let manifests = inputs.config.router.persisted.manifests.iter();
        let files = std::iter::once(supergraph)
            .chain(&self.source.file)
            .chain(manifests);
        files.cloned().collect()
    }
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
    supergraph_of(&sources(file).await?)
}

/// The subgraphs that a supergraph.yaml names.
async fn sources(file: &Path) -> Result<Vec<SubgraphSource>, Failure> {
    let config = SupergraphConfig::load(file)?;
    let mut fetched = std::collections::HashMap::new();
    for (name, url) in config.urls() {
        fetched.insert(name.to_owned(), sdl(name, url).await?);
    }
    Ok(config.sources(|name, _| {
        fetched
            .remove(name)
            .ok_or_else(|| format!("{name} was not asked"))
    })?)
}

fn supergraph_of(sources: &[SubgraphSource]) -> Result<String, Failure> {
    let composed = composition::compose(sources).map_err(|errors| lines(&errors))?;
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
        .timeout(Duration::from_secs(10))
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
