//! The router for anybody's supergraph: it knows nothing about habits.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use cache::Cache;
use composition::SubgraphSource;
use composition::config::SupergraphConfig;
use kernel::{Clock, Random};
use router::{Engine, EngineHandle, PersistedOperations, RouterConfig, Transports};

use crate::cli::Failure;
use crate::config::Config;
use crate::serve::Load;
use crate::supergraph::lines;
use crate::{health, jwt, serve};

/// Where a supergraph comes from.
#[derive(Debug, Clone)]
pub enum Supergraph {
    /// A file with its SDL.
    Composed(PathBuf),
    /// A supergraph.yaml that names its subgraphs.
    Sources(PathBuf),
}

/// Serves a supergraph until the program is told to stop, and each that takes its place.
///
/// # Errors
/// Where the supergraph cannot be read, composed or loaded.
pub async fn run(config: Config, supergraph: &Supergraph) -> Result<(), Failure> {
    let shutdown = serve::shutdown_on_signals();
    let telemetry = telemetry::init(&config.telemetry, "daka-router", &shutdown)?;
    let listener = serve::listen(config.listen).await?;
    let load = Load::new(config.server);
    let authenticator = jwt::authenticator(&config.jwt, &Clock::system(), &shutdown)?;
    let loader = Loader {
        supergraph: supergraph.clone(),
        cache: Cache::open(&config.cache, Clock::system())?,
        responses: Cache::open(&config.cache, Clock::system())?,
        transports: Transports::default()
            .buffers(load.buffers())
            .tracer(Arc::new(telemetry::propagation::inject)),
        config: config.router.clone(),
    };
    let inputs = loader.inputs().await?;
    let engine = EngineHandle::new(Arc::new(loader.engine(&inputs)?));
    let options = router::http::HttpOptions {
        authenticator,
        config: config.router.clone(),
        ..Default::default()
    };
    let routes =
        router::http::service(engine.clone(), options).merge(health::routes(Vec::new(), telemetry.metrics()));
    let following = tokio::spawn(
        shutdown
            .clone()
            .run_until_cancelled_owned(loader.follow(inputs, engine)),
    );
    println!("The router listens on http://{}/graphql", listener.local_addr()?);
    serve::serve(listener, routes, shutdown, config.shutdown_grace(), &load).await;
    following.abort();
    Ok(())
}

/// Loads what is served.
struct Loader {
    supergraph: Supergraph,
    config: RouterConfig,
    cache: Cache,
    /// What subgraphs answered: in memory it must not push out what else is kept.
    responses: Cache,
    transports: Transports,
}

/// All that an engine is made of and that may change while it serves.
#[derive(PartialEq)]
struct Inputs {
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
        let sdl = match &self.supergraph {
            Supergraph::Composed(file) => Sdl::Supergraph(
                std::fs::read_to_string(file)
                    .map_err(|error| format!("cannot read {}: {error}", file.display()))?,
            ),
            Supergraph::Sources(file) => Sdl::Subgraphs(sources(file).await?),
        };
        let persisted = PersistedOperations::load(&self.config.persisted.manifests)?;
        Ok(Inputs { sdl, persisted })
    }

    fn engine(&self, inputs: &Inputs) -> Result<Engine, Failure> {
        let supergraph = match &inputs.sdl {
            Sdl::Supergraph(sdl) => sdl.clone(),
            Sdl::Subgraphs(sources) => supergraph_of(sources)?,
        };
        Ok(Engine::new(&supergraph, &self.config, self.transports.clone())?
            .with_registered_in(self.cache.clone())
            .with_rate_limits_in(self.cache.clone(), Clock::system())
            .with_responses_in(self.responses.clone(), Clock::system(), Random::from_os())
            .with_persisted(inputs.persisted.clone()))
    }

    /// Looks again and again whether there is something new, and lets it take over where it holds. Requests under way
    /// are finished by the engine that they began with.
    async fn follow(self, mut known: Inputs, engine: EngineHandle) {
        if self.config.reload_ms == 0 {
            return std::future::pending().await;
        }
        let loader = Arc::new(self);
        let mut refused = None;
        loop {
            tokio::time::sleep(Duration::from_millis(loader.config.reload_ms)).await;
            let inputs = match loader.inputs().await {
                Ok(inputs) if inputs == known || refused.as_ref() == Some(&inputs) => continue,
                Ok(inputs) => Arc::new(inputs),
                Err(error) => {
                    tracing::warn!(%error, "the supergraph cannot be looked at; the one before is served");
                    continue;
                }
            };
            let (taking, old, with) = (loader.clone(), engine.load(), inputs.clone());
            let made = tokio::task::spawn_blocking(move || {
                Ok::<_, Failure>(taking.engine(&with)?.with_documents_of(&old))
            });
            let made = made.await.unwrap_or_else(|error| Err(error.into()));
            let outcome = if made.is_ok() { "ok" } else { "refused" };
            metrics::counter!("router_reloads_total", "outcome" => outcome).increment(1);
            let Some(inputs) = Arc::into_inner(inputs) else {
                continue;
            };
            match made {
                Ok(new) => {
                    engine.swap(Arc::new(new));
                    (known, refused) = (inputs, None);
                    tracing::info!("a new supergraph has taken over");
                }
                Err(error) => {
                    tracing::error!(%error, "the new supergraph does not hold; the one before is served");
                    refused = Some(inputs);
                }
            }
        }
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
