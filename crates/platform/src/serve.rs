//! Serves routes until the program is told to stop, and lets requests in flight finish.

mod body;
mod config;
mod connection;
mod load;
mod security;
#[cfg(test)]
mod tests;

use std::io::ErrorKind::{ConnectionAborted, ConnectionReset};
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::Router;
use axum::middleware::from_fn_with_state;
use router::RouterConfig;
use telemetry::http::ClientAddress;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::cli::Failure;
use connection::Stream;
use security::SecurityHeaders;

pub use config::ServerConfig;
pub use load::Load;

/// How long no connection is accepted after one could not be.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What is served. It may be exchanged while requests run: each is answered by the routes that it began with.
#[derive(Clone)]
pub struct Routes {
    current: Arc<RwLock<Router>>,
    load: Load,
}

impl Routes {
    /// These routes, as far as the load lets requests in.
    pub fn new(routes: Router, load: &Load, config: &RouterConfig) -> Self {
        Self {
            current: Arc::new(RwLock::new(ready(routes, load, config))),
            load: load.clone(),
        }
    }

    /// Puts other routes in force.
    pub fn swap(&self, routes: Router, config: &RouterConfig) {
        let routes = ready(routes, &self.load, config);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = routes;
    }

    fn current(&self) -> Router {
        self.current
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

fn ready(routes: Router, load: &Load, config: &RouterConfig) -> Router {
    let routes = routes.layer(from_fn_with_state(load.clone(), load::admit));
    let proxies = config.rate_limit.clone();
    let client: ClientAddress =
        Arc::new(move |headers, extensions| router::client_address(headers, extensions, &proxies));
    // With its state, so that it is not put in for each request.
    telemetry::http::observed(routes, Some(client)).with_state(())
}

/// Listens.
///
/// # Errors
/// Where the address is taken or not this machine's.
pub async fn listen(address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address)
        .await
        .map_err(|error| format!("cannot listen on {address}: {error}").into())
}

/// Serves until `shutdown`; requests in flight get `grace` to finish.
pub async fn serve(listener: TcpListener, routes: Routes, shutdown: CancellationToken, grace: Duration) {
    let load = &routes.load;
    let connections = TaskTracker::new();
    let security = SecurityHeaders::new(&load.config);
    while let Some(stream) = shutdown.run_until_cancelled(accept(&listener, load)).await {
        connections.spawn(connection::serve(
            stream,
            routes.clone(),
            security.clone(),
            shutdown.clone(),
            load.config,
        ));
    }
    drop(listener);
    connections.close();
    if tokio::time::timeout(grace, connections.wait()).await.is_err() {
        tracing::warn!("requests in flight did not finish in time");
    }
}

/// Waits for WebSockets, which are no requests any more, to say goodbye.
pub async fn farewell(sockets: &TaskTracker, grace: Duration) {
    sockets.close();
    if tokio::time::timeout(grace, sockets.wait()).await.is_err() {
        tracing::warn!("WebSockets did not close in time");
    }
}

/// The next connection, once there is a place for it.
async fn accept(listener: &TcpListener, load: &Load) -> Stream {
    // The semaphore is never closed.
    let Ok(place) = load.connections.clone().acquire_owned().await else {
        return std::future::pending().await;
    };
    loop {
        match listener.accept().await {
            Ok((stream, client)) => return Stream::new(stream, client, place),
            // That client has gone away.
            Err(error) if matches!(error.kind(), ConnectionAborted | ConnectionReset) => {}
            Err(error) => {
                // No more open files, mostly: connections that end help.
                tracing::warn!(%error, "a connection is not accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// A token that is cancelled by SIGINT or SIGTERM.
pub fn shutdown_on_signals() -> CancellationToken {
    let token = CancellationToken::new();
    let cancelled = token.clone();
    tokio::spawn(async move {
        signal().await;
        tracing::info!("stopping");
        cancelled.cancel();
    });
    token
}

async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let terminate = async {
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => {
                terminate.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminate => {}
    }
}
