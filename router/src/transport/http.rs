//! Subgraphs over HTTP, over connections that are kept.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE};
use http::uri::InvalidUri;
use http::{HeaderMap, HeaderValue, Method, Request, Response, Uri};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpStream;

use super::attempt::Attempt;
use super::compression::AnswerBody;
use super::{Call, CallError, Head};
use crate::buffers::Buffers;
use crate::header_rules::SubgraphHeaders;
use crate::response_cache::Said;

/// Answers up to so many bytes are not counted among those that are held.
const SMALL: usize = 16 << 10;

/// So many bytes of an answer are made room for before they have come.
const RESERVED: usize = 256 << 10;

/// A body, and what its head says.
pub(super) type Sent = (Bytes, Head);

/// What is taken of an answer.
#[derive(Clone, Copy)]
pub(super) struct Taken<'t> {
    pub(super) max_bytes: usize,
    /// By which rules headers go to the client.
    pub(super) headers: Option<&'t SubgraphHeaders>,
    pub(super) buffers: &'t Buffers,
}

type Pool = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;
/// A connection for something else than requests and answers.
pub(super) type Connection = MaybeHttpsStream<TokioIo<TcpStream>>;

/// A subgraph at an address.
#[derive(Clone)]
pub struct HttpSubgraph {
    uri: Uri,
    pool: HttpPool,
}

/// Connections that clones share. They belong to the runtime in which they are made.
#[derive(Clone, Default)]
pub struct HttpPool(Arc<OnceLock<Pool>>);

impl HttpSubgraph {
    /// The subgraph at that address, `http://` or `https://`.
    ///
    /// # Errors
    /// What is wrong with the address.
    pub fn new(url: &str) -> Result<Self, String> {
        Self::with_pool(url, &HttpPool::default())
    }

    /// The same, sharing connections with others.
    ///
    /// # Errors
    /// What is wrong with the address.
    pub fn with_pool(url: &str, pool: &HttpPool) -> Result<Self, String> {
        let uri: Uri = url
            .parse()
            .map_err(|error| format!("`{url}` is not an address: {error}"))?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) || uri.host().is_none() {
            return Err(format!(
                "`{url}` is not an address that begins with http:// or https://"
            ));
        }
        Ok(Self {
            uri,
            pool: pool.clone(),
        })
    }

    /// Its address.
    pub(super) fn uri(&self) -> &Uri {
        &self.uri
    }

    /// Whether it is the same address over the same connections.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.uri == other.uri && Arc::ptr_eq(&self.pool.0, &other.pool.0)
    }

    pub(super) async fn send(
        &self,
        body: Bytes,
        headers: HeaderMap,
        taken: Taken<'_>,
        attempt: &mut Attempt<'_>,
    ) -> Result<Sent, CallError> {
        let accept = "application/graphql-response+json, application/json;q=0.9";
        let response = self.post(body, headers, accept, None, attempt).await?;
        read(response, taken).await
    }

    /// Posts, at another path where one is given.
    pub(super) async fn post(
        &self,
        body: Bytes,
        headers: HeaderMap,
        accept: &'static str,
        path: Option<&str>,
        attempt: &mut Attempt<'_>,
    ) -> Result<Response<Incoming>, CallError> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.at(path, None)?;
        *request.headers_mut() = headers;
        request
            .headers_mut()
            .insert(ACCEPT, HeaderValue::from_static(accept));
        request
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let sent = self.pool.client().request(request).await;
        let response = sent.map_err(|error| match error.is_connect() {
            true => CallError::Unreachable(chain(&error)),
            false => CallError::Closed(chain(&error)),
        })?;
        attempt.answered(response.status(), response.version());
        Ok(response)
    }

    /// Where a WebSocket is opened.
    pub(super) fn websocket_uri(&self, path: Option<&str>) -> Result<Uri, CallError> {
        let scheme = match self.uri.scheme_str() {
            Some("https") => "wss",
            _ => "ws",
        };
        self.at(path, Some(scheme))
    }

    /// A connection of its own, for something else than requests and answers.
    pub(super) async fn connect(&self) -> Result<Connection, CallError> {
        let mut connector = connector(false);
        let connecting = tower::Service::call(&mut connector, self.uri.clone()).await;
        connecting.map_err(|error| CallError::Unreachable(chain(&*error)))
    }

    fn at(&self, path: Option<&str>, scheme: Option<&str>) -> Result<Uri, CallError> {
        if path.is_none() && scheme.is_none() {
            return Ok(self.uri.clone());
        }
        let mut parts = self.uri.clone().into_parts();
        let unfit = |error: String| CallError::Request(error);
        if let Some(path) = path {
            parts.path_and_query = Some(path.parse().map_err(|e: InvalidUri| unfit(e.to_string()))?);
        }
        if let Some(scheme) = scheme {
            parts.scheme = Some(scheme.parse().map_err(|e: InvalidUri| unfit(e.to_string()))?);
        }
        Uri::from_parts(parts).map_err(|error| unfit(error.to_string()))
    }
}

impl HttpPool {
    fn client(&self) -> &Pool {
        self.0.get_or_init(|| {
            Client::builder(TokioExecutor::new())
                .pool_timer(TokioTimer::new())
                .pool_idle_timeout(Duration::from_secs(30))
                .build(connector(true))
        })
    }
}

/// Connects over TCP, and TLS where the address says so.
fn connector(with_http2: bool) -> HttpsConnector<HttpConnector> {
    let mut connector = HttpConnector::new();
    connector.enforce_http(false);
    connector.set_nodelay(true);
    connector.set_connect_timeout(Some(Duration::from_secs(10)));
    connector.set_keepalive(Some(Duration::from_secs(60)));
    // Named, not by default: other crates of the process may bring a second provider along.
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap_or_else(|_| rustls::ClientConfig::builder())
        .with_webpki_roots()
        .with_no_client_auth();
    let builder = hyper_rustls::HttpsConnectorBuilder::new()
        .with_tls_config(tls)
        .https_or_http();
    match with_http2 {
        true => builder.enable_all_versions().wrap_connector(connector),
        false => builder.enable_http1().wrap_connector(connector),
    }
}

pub(super) async fn read(response: Response<Incoming>, taken: Taken<'_>) -> Result<Sent, CallError> {
    let Taken {
        max_bytes, buffers, ..
    } = taken;
    let status = response.status();
    let head = Head {
        said: Said::of(status, response.headers()),
        headers: taken
            .headers
            .map(|rules| rules.answer(response.headers()))
            .unwrap_or_default(),
    };
    let content_type = response
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    // Graceful servers answer errors in GraphQL too; a proxy's error page is something else.
    let is_graphql = content_type.starts_with("application/json")
        || content_type.starts_with("application/graphql-response+json");
    if !status.is_success() && !is_graphql {
        return Err(CallError::Status(status.as_u16()));
    }
    let announced = response
        .headers()
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|announced| announced > max_bytes) {
        return Err(CallError::TooLarge(max_bytes));
    }
    let (parts, body) = response.into_parts();
    let mut body = AnswerBody::new(body, &parts.headers)?;
    let mut text = BytesMut::new();
    let mut held = None;
    while let Some(bytes) = body.next().await {
        let bytes = bytes?;
        let length = text.len() + bytes.len();
        if length > max_bytes {
            return Err(CallError::TooLarge(max_bytes));
        }
        if length > SMALL {
            let held = held.get_or_insert_with(|| buffers.none());
            if !held.grow(length - held.bytes()) {
                return Err(CallError::NoRoom);
            }
        } else if text.is_empty() && body.is_end() {
            return Ok((bytes, head));
        }
        if text.is_empty() {
            // Not more than that on the word of a subgraph.
            text.reserve(announced.unwrap_or_default().clamp(length, RESERVED.max(length)));
        }
        text.extend_from_slice(&bytes);
    }
    let text = text.freeze();
    let text = match held {
        Some(held) => held.keep(text),
        None => text,
    };
    Ok((text, head))
}

/// `{"query":"…","variables":{…}}`; its beginning was written when the operation was planned.
pub(super) fn body(call: &Call<'_>) -> Result<Bytes, CallError> {
    let arguments: usize = call
        .arguments
        .iter()
        .map(|argument| argument.json.len() + argument.name.len() + 4)
        .sum();
    let mut body = Vec::with_capacity(call.fetch.body.len() + arguments + 64);
    body.extend_from_slice(&call.fetch.body);
    let mut first = true;
    let mut name = |body: &mut Vec<u8>, name: &str| {
        let before: &[u8] = if std::mem::take(&mut first) {
            b",\"variables\":{\""
        } else {
            b",\""
        };
        body.extend_from_slice(before);
        body.extend_from_slice(name.as_bytes());
        body.extend_from_slice(b"\":");
    };
    for argument in call.arguments {
        name(&mut body, argument.name);
        body.extend_from_slice(&argument.json);
    }
    for variable in &call.fetch.variables {
        if let Some(value) = call.variables.get(variable) {
            name(&mut body, variable);
            serde_json::to_writer(&mut body, value).map_err(|error| CallError::Request(error.to_string()))?;
        }
    }
    body.extend_from_slice(if first { b"}" } else { b"}}" });
    Ok(body.into())
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
