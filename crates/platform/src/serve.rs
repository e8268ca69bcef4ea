//! Serves routes until the program is told to stop, and lets requests in flight finish.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::serve::ListenerExt as _;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::cli::Failure;

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
///
/// # Errors
/// Where the listener fails.
pub async fn serve(
    listener: TcpListener,
    routes: Router,
    shutdown: CancellationToken,
    grace: Duration,
) -> Result<(), Failure> {
    let stop = shutdown.clone();
    // An answer of several packets must not wait for the client to acknowledge the first ones.
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection waits for full packets");
        }
    });
    // Who is not logged in is known by the address.
    let service = telemetry::http::observed(routes).into_make_service_with_connect_info::<SocketAddr>();
    let served = axum::serve(listener, service).with_graceful_shutdown(async move { stop.cancelled().await });
    let late = async {
        shutdown.cancelled().await;
        tokio::time::sleep(grace).await;
    };
    tokio::select! {
        ended = served => ended?,
        () = late => tracing::warn!("requests in flight did not finish in time"),
    }
    Ok(())
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
