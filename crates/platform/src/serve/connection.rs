//! One connection of a client: HTTP/1.1 or HTTP/2, ended when it is idle, cut, or told to end.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tokio_util::sync::CancellationToken;
use tower::Service as _;

use super::Routes;
use super::config::ServerConfig;
use super::security::SecurityHeaders;

/// Bytes that one connection may buffer each way; a head must fit in.
const BUFFER: usize = 128 << 10;
/// Bytes of one HTTP/2 stream that wait to be sent, and of its headers.
const STREAM_BUFFER: usize = 64 << 10;
/// How often an HTTP/2 client is asked whether it is still there, and how long it has to say so.
const PING_EVERY: Duration = Duration::from_secs(30);
const PING_TIMEOUT: Duration = Duration::from_secs(20);

/// What requests know of their connection.
#[derive(Debug, Default)]
pub(super) struct Connection {
    begun: AtomicUsize,
    under_way: AtomicUsize,
    cut: CancellationToken,
}

/// A request of a connection that is under way until this is dropped.
#[derive(Debug)]
pub(super) struct UnderWay(Arc<Connection>);

/// A stream with its place among the connections, which an upgrade takes along.
pub(super) struct Stream {
    tcp: TcpStream,
    client: SocketAddr,
    _place: OwnedSemaphorePermit,
}

impl Connection {
    pub(super) fn enter(self: &Arc<Self>) -> UnderWay {
        self.begun.fetch_add(1, Ordering::Relaxed);
        self.under_way.fetch_add(1, Ordering::Relaxed);
        UnderWay(self.clone())
    }
}

impl Connection {
    /// Keeps the connection, idle or not: it carries a WebSocket of HTTP/2 (RFC 8441), which has a heartbeat of its own.
    pub(super) fn keep(&self) {
        self.under_way.fetch_add(1, Ordering::Relaxed);
    }
}

impl UnderWay {
    /// Cuts its connection off.
    pub(super) fn cut(&self) -> CancellationToken {
        self.0.cut.clone()
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Serves a connection to its end.
pub(super) async fn serve(
    stream: Stream,
    routes: Routes,
    security: SecurityHeaders,
    shutdown: CancellationToken,
    config: ServerConfig,
) {
    let state = Arc::new(Connection::default());
    let client = ConnectInfo(stream.client);
    let answering = {
        let state = state.clone();
        service_fn(move |request: hyper::Request<Incoming>| {
            let mut request: Request = request.map(Body::new);
            request.extensions_mut().insert(state.clone());
            // Who is not logged in is known by the address.
            request.extensions_mut().insert(client);
            let (answer, security) = (routes.current().call(request), security.clone());
            async move {
                let mut answer = answer.await?;
                security.write(answer.headers_mut());
                Ok::<_, Infallible>(answer)
            }
        })
    };
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().max_buf_size(BUFFER);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PING_TIMEOUT)
        .max_concurrent_streams(config.max_streams.get())
        .max_send_buf_size(STREAM_BUFFER)
        .max_header_list_size(STREAM_BUFFER as u32)
        // Web sockets over HTTP/2.
        .enable_connect_protocol();
    let mut serving = pin!(builder.serve_connection_with_upgrades(TokioIo::new(stream), answering));
    let mut looks = interval_at(Instant::now() + config.idle_timeout(), config.idle_timeout());
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut begun, mut is_ending) = (0, false);
    loop {
        tokio::select! {
            ended = serving.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "a connection broke off");
                }
                return;
            }
            () = state.cut.cancelled() => {
                tracing::debug!("a connection is cut: its client does not take an answer");
                return;
            }
            () = shutdown.cancelled(), if !is_ending => {
                is_ending = true;
                serving.as_mut().graceful_shutdown();
            }
            _ = looks.tick() => {
                let now = state.begun.load(Ordering::Relaxed);
                let is_idle = state.under_way.load(Ordering::Relaxed) == 0 && now == begun;
                match is_idle {
                    // It was told before, or has never told a request: there is nobody to be polite to.
                    true if is_ending || now == 0 => return,
                    true => {
                        is_ending = true;
                        serving.as_mut().graceful_shutdown();
                    }
                    false => begun = now,
                }
            }
        }
    }
}

impl Stream {
    pub(super) fn new(tcp: TcpStream, client: SocketAddr, place: OwnedSemaphorePermit) -> Self {
        // Answers are written whole; waiting for more to send with them only delays them.
        if let Err(error) = tcp.set_nodelay(true) {
            tracing::debug!(%error, "a connection waits for full packets");
        }
        Self {
            tcp,
            client,
            _place: place,
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        to: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_read(cx, to)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}
