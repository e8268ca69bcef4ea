//! The shape in which everything is in this process: all subgraphs, the router, and what goes on beside requests.

use std::sync::Arc;

use auth::{Sessions, Verifier};
use axum::response::Redirect;
use axum::routing::get;
use axum::{Json, Router};
use kernel::{Clock, Random};
use router::Transports;
use subgraph::peers::Peers;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::cli::Failure;
use crate::config::Config;
use crate::gatekeeper::Gatekeeper;
use crate::serve::{Load, Routes};
use crate::stores::{self, Stores};
use crate::subgraphs::{Builder, in_process};
use crate::supergraph::InProcess;
use crate::workers::Workers;
use crate::{health, metrics, outdated, serve, supergraph};

/// The platform in one process, ready to be served.
pub struct Platform {
    /// Everything that it answers.
    pub routes: Router,
    /// Everything that keeps data.
    pub stores: Stores,
    sockets: TaskTracker,
    workers: Workers,
}

impl Platform {
    /// Builds the platform and starts what goes on beside requests.
    ///
    /// # Errors
    /// Where a store is not ready.
    pub async fn start(
        config: &Config,
        clock: Clock,
        random: Random,
        metrics: telemetry::Metrics,
        shutdown: &CancellationToken,
    ) -> Result<Self, Failure> {
        let stores = stores::open(config, clock.clone(), random.clone()).await?;
        let keys = stores::keys(config, &random)?;
        let builder = Builder {
            config,
            stores: &stores,
            keys: &keys,
        };
        let subgraphs = builder.build_all().await?;

        let peers = Peers::new("router");
        peers.connect(in_process(&subgraphs));
        let verifier = Verifier::from_keys(&keys.0, &keys.1);
        let gatekeeper = Gatekeeper::new(verifier, stores.cache.clone(), clock.clone(), peers);
        let mut transports = Transports::default();
        for subgraph in &subgraphs {
            transports = transports.in_process(subgraph.name, Arc::new(InProcess(subgraph.schema.clone())));
        }
        let composed = supergraph::compose(&Default::default())?;
        let gateway = supergraph::gateway(
            config,
            &composed.supergraph_sdl,
            transports,
            Arc::new(gatekeeper),
            stores.cache.clone(),
            clock.clone(),
            shutdown,
        )?;

        let sessions = Sessions::new(
            stores.documents.clone(),
            stores.cache.clone(),
            clock,
            random,
            &keys.1,
        );
        let workers = Workers::start(&stores, &subgraphs, Some(sessions), gateway.kept, shutdown);
        let routes = gateway
            .routes
            .route("/", get(|| async { Redirect::temporary("/graphql") }))
            .merge(published_keys(&keys.0))
            .merge(health::routes(health::of_stores(&stores), metrics));
        Ok(Self {
            routes,
            sockets: gateway.sockets,
            stores,
            workers,
        })
    }

    /// Waits for what goes on beside requests, which was told to stop.
    pub async fn finish(self) {
        self.workers.finish().await;
    }
}

/// Runs everything until the program is told to stop.
///
/// # Errors
/// Where something does not start.
pub async fn run(config: Config) -> Result<(), Failure> {
    let shutdown = serve::shutdown_on_signals();
    let telemetry = metrics::init(&config.telemetry, "daka", &shutdown)?;
    let listener = serve::listen(config.listen).await?;
    let platform = Platform::start(
        &config,
        Clock::system(),
        Random::from_os(),
        telemetry.metrics(),
        &shutdown,
    )
    .await?;
    greet(&config, listener.local_addr()?);
    let (routes, grace) = (platform.routes.clone(), config.shutdown_grace());
    let routes = Routes::new(routes, &Load::new(config.server), &config.router);
    serve::serve(listener, routes, shutdown.clone(), grace).await;
    serve::farewell(&platform.sockets, grace).await;
    shutdown.cancel();
    platform.finish().await;
    Ok(())
}

/// Runs what goes on beside requests, and serves how it stands.
///
/// # Errors
/// Where something does not start.
pub async fn work(config: Config) -> Result<(), Failure> {
    let shutdown = serve::shutdown_on_signals();
    let telemetry = metrics::init(&config.telemetry, "daka-worker", &shutdown)?;
    let listener = serve::listen(config.listen).await?;
    let (clock, random) = (Clock::system(), Random::from_os());
    let stores = stores::open(&config, clock.clone(), random.clone()).await?;
    let keys = stores::keys(&config, &random)?;
    let subgraphs = Builder {
        config: &config,
        stores: &stores,
        keys: &keys,
    }
    .build_all()
    .await?;
    let sessions = Sessions::new(
        stores.documents.clone(),
        stores.cache.clone(),
        clock,
        random,
        &keys.1,
    );
    let kept = outdated::shared(&config, &stores.clock)?;
    let workers = Workers::start(&stores, &subgraphs, Some(sessions), kept, &shutdown);
    let routes = health::routes(health::of_stores(&stores), telemetry.metrics());
    let grace = config.shutdown_grace();
    let routes = Routes::new(routes, &Load::new(config.server), &config.router);
    serve::serve(listener, routes, shutdown.clone(), grace).await;
    shutdown.cancel();
    workers.finish().await;
    Ok(())
}

/// The public keys of access tokens, where RFC 8615 and OpenID Connect look for them.
pub fn published_keys(keys: &auth::Keys) -> Router {
    let set = keys.jwks();
    Router::new().route("/.well-known/jwks.json", get(move || async move { Json(set) }))
}

fn greet(config: &Config, address: std::net::SocketAddr) {
    println!("Daka is ready, with its data in {}", config.data.display());
    println!("  GraphQL    http://{address}/graphql   (a browser gets GraphiQL there)");
    println!("  REST       http://{address}/api/v1");
    println!("  OpenAPI    http://{address}/openapi.json   docs: http://{address}/docs");
    println!("  Health     http://{address}/health/ready   metrics: http://{address}/metrics");
    println!("Try it:");
    println!("  curl -s http://{address}/graphql -H 'content-type: application/json' \\");
    println!(
        "    -d '{{\"query\":\"mutation {{ login(code: \\\"sandbox:alice\\\") {{ accessToken refreshToken expiresIn user {{ id }} }} }}\"}}'"
    );
}
