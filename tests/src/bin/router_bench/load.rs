//! The load: some connections that each send the same request again as soon as the answer is there, for a time. Every
//! answer is compared with the first one.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Request;
use http::header::{CONTENT_TYPE, HOST};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tokio::net::TcpStream;

use crate::Failure;

/// What is sent, to whom, and how long.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Load {
    pub(crate) address: String,
    pub(crate) body: String,
    pub(crate) connections: usize,
    pub(crate) seconds: f64,
    /// An end by number instead of by time, for tools that count instructions.
    pub(crate) requests: Option<usize>,
}

/// What came of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Outcome {
    pub(crate) requests: usize,
    pub(crate) seconds: f64,
    /// Microseconds of each answer, in ascending order.
    pub(crate) latencies: Vec<u32>,
    /// The SHA-256 of the answers' body, which was the same every time.
    pub(crate) hash: String,
    /// Its length in bytes.
    pub(crate) length: usize,
}

/// Sends until the time is over.
///
/// # Errors
/// When a connection fails, a status is not 200, or an answer differs from the first one.
pub(crate) async fn run(load: Load) -> Result<Outcome, Failure> {
    let begun = Instant::now();
    let (load, first) = (Arc::new(load), Arc::new(OnceLock::new()));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..load.connections {
        tasks.spawn(connection(load.clone(), first.clone(), begun));
    }
    let mut latencies = Vec::new();
    while let Some(ended) = tasks.join_next().await {
        latencies.extend(ended??);
    }
    let seconds = begun.elapsed().as_secs_f64();
    latencies.sort_unstable();
    let first = first.get().cloned().unwrap_or_default();
    Ok(Outcome {
        requests: latencies.len(),
        seconds,
        latencies,
        hash: Sha256::digest(&first)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect(),
        length: first.len(),
    })
}

/// One answer.
pub(crate) async fn ask(address: &str, body: &str) -> Result<Bytes, Failure> {
    let mut sender = connect(address).await?;
    send(&mut sender, address, Bytes::copy_from_slice(body.as_bytes())).await
}

async fn connection(
    load: Arc<Load>,
    first: Arc<OnceLock<Bytes>>,
    begun: Instant,
) -> Result<Vec<u32>, Failure> {
    let mut sender = connect(&load.address).await?;
    let end = begun + Duration::from_secs_f64(load.seconds);
    let most = load
        .requests
        .map_or(usize::MAX, |all| all.div_ceil(load.connections));
    let body = Bytes::copy_from_slice(load.body.as_bytes());
    let mut latencies = Vec::new();
    while latencies.len() < most && (load.requests.is_some() || Instant::now() < end) {
        let sent = Instant::now();
        let answer = send(&mut sender, &load.address, body.clone()).await?;
        latencies.push(u32::try_from(sent.elapsed().as_micros()).unwrap_or(u32::MAX));
        let first = first.get_or_init(|| answer.clone());
        if *first != answer {
            return Err(format!(
                "an answer differs from the first: {}",
                String::from_utf8_lossy(&answer)
            )
            .into());
        }
    }
    Ok(latencies)
}

async fn connect(address: &str) -> Result<SendRequest<Full<Bytes>>, Failure> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender)
}

async fn send(sender: &mut SendRequest<Full<Bytes>>, address: &str, body: Bytes) -> Result<Bytes, Failure> {
    let request = Request::post("/graphql")
        .header(HOST, address)
        .header(CONTENT_TYPE, "application/json")
        .body(Full::new(body))?;
    sender.ready().await?;
    let response = sender.send_request(request).await?;
    let status = response.status();
    let body = response.into_body().collect().await?.to_bytes();
    if status != 200 {
        return Err(format!("{address} answers {status}: {}", String::from_utf8_lossy(&body)).into());
    }
    Ok(body)
}
