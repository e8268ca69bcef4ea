//! The shape in which router and subgraphs are processes of their own.

use std::sync::Arc;
use std::time::Duration;

use auth::{KeyLocation, PRINCIPAL_HEADER, PublishedKeys, ServiceToken, Sessions, Verifier};
use cache::{Cache, CacheConfig};
use http::{HeaderMap, HeaderName, HeaderValue};
use kernel::{Clock, Principal, Random};
use router::{EventsProtocol, PrincipalSealer, SubgraphConfig, Transports};
use subgraph::peers::Peers;

use crate::cli::Failure;
use crate::config::Config;
use crate::gatekeeper::Gatekeeper;
use crate::health::{Check, Standing};
use crate::serve::{Load, Routes};
use crate::subgraphs::{Builder, over_http, sealed, service_token};
use crate::workers::Workers;
use crate::{embedded, health, metrics, outdated, serve, stores, supergraph};

/// How old the keys of access tokens may become.
const KEYS_MAX_AGE: Duration = Duration::from_secs(300);

/// Runs the router of this platform's subgraphs until the program is told to stop.
///
/// # Errors
/// Where something does not start.
pub async fn router(mut config: Config) -> Result<(), Failure> {
    if config.router.response_cache.enabled && matches!(config.cache, CacheConfig::Memory { .. }) {
        // Those who know what is out of date are other processes.
        return Err(
            "router.response_cache needs a cache that processes share: cache.backend = \"redis\"".into(),
        );
    }
    let shutdown = serve::shutdown_on_signals();
    let telemetry = metrics::init(&config.telemetry, "daka-router", &shutdown)?;
    let listener = serve::listen(config.listen).await?;
    let clock = Clock::system();
    let cache = Cache::open(&config.cache, clock.clone())?;
    let peers = Peers::new("router");
    peers.connect(over_http(&config, &clock)?);

    // The platform's own subgraphs demand to know who asks.
    for (name, url) in &config.subgraphs {
        let subgraph = config
            .router
            .subgraphs
            .entry(name.clone())
            .or_insert_with(|| SubgraphConfig {
                url: Some(url.clone()),
                ..config.router.all_subgraphs.clone()
            });
        subgraph.principal = true;
        // Another router may have changed something since a read began here, and the platform promises that who
        // changes something sees it.
        subgraph.dedupe = false;
        // What `subgraph::server` answers subscriptions with.
        subgraph.subscription.protocol = EventsProtocol::Sse;
    }
    let sealer = Sealer {
        tokens: service_token(&config)?,
        clock: clock.clone(),
    };
    let load = Load::new(config.server);
    let transports = Transports::default()
        .buffers(load.buffers())
        .sealer(Arc::new(sealer))
        .tracer(Arc::new(telemetry::propagation::inject));
    let keys = published(&config, &clock)?;
    let following = keys.clone().follow(KEYS_MAX_AGE);
    tokio::spawn(shutdown.clone().run_until_cancelled_owned(following));
    let verifier = Verifier::from_published(keys, &config.auth);
    let gatekeeper = Gatekeeper::new(verifier, cache.clone(), clock.clone(), peers);
    let composed = supergraph::compose(&config.subgraphs)?;
    let gateway = supergraph::gateway(
        &config,
        &composed.supergraph_sdl,
        transports,
        Arc::new(gatekeeper),
        cache.clone(),
        clock,
        &shutdown,
    )?;
    let routes = gateway
        .routes
        .merge(health::routes(checks(&config, cache)?, telemetry.metrics()));
    println!("The router listens on http://{}", listener.local_addr()?);
    let (routes, grace) = (
        Routes::new(routes, &load, &config.router),
        config.shutdown_grace(),
    );
    serve::serve(listener, routes, shutdown, grace).await;
    serve::farewell(&gateway.sockets, grace).await;
    Ok(())
}

/// Runs one subgraph, with what goes on beside its requests, until the program is told to stop.
///
/// # Errors
/// For a name that there is not, or where something does not start.
pub async fn subgraph(config: Config, name: &str) -> Result<(), Failure> {
    let shutdown = serve::shutdown_on_signals();
    let telemetry = metrics::init(&config.telemetry, &format!("daka-{name}"), &shutdown)?;
    let listener = serve::listen(config.listen).await?;
    let (clock, random) = (Clock::system(), Random::from_os());
    let stores = stores::open(&config, clock.clone(), random.clone()).await?;
    let keys = stores::keys(&config, &random)?;
    let (built, peers) = Builder {
        config: &config,
        stores: &stores,
        keys: &keys,
    }
    .build(name)
    .await?;
    peers.connect(over_http(&config, &clock)?);

    let tokens = service_token(&config)?;
    let audience = built.name;
    let open_clock = clock.clone();
    let open = Arc::new(move |headers: &HeaderMap| opened(&tokens, headers, audience, &open_clock));
    let mut routes = ::subgraph::server::routes(&built, open)
        .merge(health::routes(health::of_stores(&stores), telemetry.metrics()));
    if name == user::NAME {
        routes = routes.merge(embedded::published_keys(&keys.0));
    }
    let sessions = Sessions::new(
        stores.documents.clone(),
        stores.cache.clone(),
        clock,
        random,
        &keys.1,
    );
    let sessions = (name == user::NAME).then_some(sessions);
    let kept = outdated::shared(&config, &stores.clock)?;
    let workers = Workers::start(&stores, std::slice::from_ref(&built), sessions, kept, &shutdown);
    println!("The subgraph {name} listens on http://{}", listener.local_addr()?);
    let grace = config.shutdown_grace();
    let routes = Routes::new(routes, &Load::new(config.server), &config.router);
    serve::serve(listener, routes, shutdown.clone(), grace).await;
    shutdown.cancel();
    workers.finish().await;
    Ok(())
}

struct Sealer {
    tokens: Arc<ServiceToken>,
    clock: Clock,
}

impl PrincipalSealer for Sealer {
    fn seal(&self, principal: &Principal, subgraph: &str) -> Option<(HeaderName, HeaderValue)> {
        sealed(&self.tokens, principal, subgraph, &self.clock)
            .inspect_err(|error| tracing::error!(%error, "a principal is not sealed"))
            .ok()
    }
}

fn opened(tokens: &ServiceToken, headers: &HeaderMap, audience: &str, clock: &Clock) -> Option<Principal> {
    let value = headers.get(PRINCIPAL_HEADER)?.to_str().ok()?;
    tokens
        .open(value, audience, clock.now())
        .inspect_err(|error| tracing::warn!(%error, "a principal that was handed over is refused"))
        .ok()
}

/// The keys that the user subgraph publishes beside its endpoint.
fn published(config: &Config, clock: &Clock) -> Result<Arc<PublishedKeys>, Failure> {
    let url = beside(config, user::NAME, "/.well-known/jwks.json")?;
    Ok(PublishedKeys::new(
        KeyLocation::Url(url),
        client()?,
        clock.clone(),
    ))
}

/// Another path of the process that serves a subgraph.
fn beside(config: &Config, name: &str, path: &str) -> Result<String, Failure> {
    let url = config
        .subgraphs
        .get(name)
        .ok_or_else(|| format!("subgraphs.{name} is not configured"))?;
    let url: reqwest::Url = url
        .parse()
        .map_err(|error| format!("subgraphs.{name}: {error}"))?;
    Ok(url.join(path)?.to_string())
}

fn client() -> Result<reqwest::Client, Failure> {
    Ok(reqwest::Client::builder()
        .no_proxy()
        .timeout(Duration::from_secs(5))
        .build()?)
}

/// What the router needs: its cache, and each subgraph. Without one of these the others still answer.
fn checks(config: &Config, cache: Cache) -> Result<Vec<Check>, Failure> {
    let mut checks = vec![Check::new("cache", move || {
        let cache = cache.clone();
        Box::pin(async move { health::of_cache(cache.health().await) })
    })];
    let client = client()?;
    for name in crate::subgraphs::NAMES {
        let (url, client) = (beside(config, name, "/health/live")?, client.clone());
        checks.push(Check::new(name, move || {
            let asked = client.get(&url).send();
            Box::pin(async move {
                match asked.await.and_then(reqwest::Response::error_for_status) {
                    Ok(_) => Standing::Ok,
                    Err(error) => Standing::Degraded {
                        reason: error.without_url().to_string(),
                    },
                }
            })
        }));
    }
    Ok(checks)
}
