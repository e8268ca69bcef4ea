//! One HTTP request to a subgraph, told by OpenTelemetry's conventions for HTTP clients: a span and
//! `http.client.request.duration` (<https://opentelemetry.io/docs/specs/semconv/http/>).

use std::sync::OnceLock;

use http::{HeaderMap, StatusCode, Uri, Version};
use metrics::{Histogram, Label, SharedString};
use tokio::time::Instant;
use tracing::Span;
use tracing::field::Empty;

use super::{CallError, Tracer};
use crate::metrics::HTTP_CLIENT_REQUEST_DURATION;

/// A subgraph as its requests name it.
pub(super) struct Server {
    subgraph: String,
    address: SharedString,
    port: u16,
    /// Without credentials.
    url: String,
    tracer: Option<Tracer>,
    /// Of posts that are answered with 200 over HTTP/1.1, which most are.
    usual: OnceLock<Histogram>,
}

/// One request. What it was is told when it has ended, or is dropped before.
pub(super) struct Attempt<'s> {
    server: &'s Server,
    method: &'static str,
    span: Span,
    started: Instant,
    head: Option<(StatusCode, Version)>,
    ended: bool,
}

impl Server {
    pub(super) fn new(subgraph: &str, uri: &Uri, tracer: Option<Tracer>) -> Self {
        let is_secure = uri.scheme_str() == Some("https");
        let authority = uri.authority().map_or("", |it| it.as_str());
        let (_, shown) = authority.rsplit_once('@').unwrap_or(("", authority));
        let path = uri.path();
        Self {
            subgraph: subgraph.to_owned(),
            address: uri.host().unwrap_or_default().to_owned().into(),
            port: uri.port_u16().unwrap_or(if is_secure { 443 } else { 80 }),
            url: format!("{}://{shown}{path}", uri.scheme_str().unwrap_or("http")),
            tracer,
            usual: OnceLock::new(),
        }
    }

    /// Whether its traces are tied to the router's.
    pub(super) fn is_traced(&self) -> bool {
        self.tracer.is_some()
    }

    /// A request that begins now, within that span, and after so many that failed.
    pub(super) fn attempt(&self, method: &'static str, within: &Span, resent: u32) -> Attempt<'_> {
        let span = tracing::debug_span!(
            parent: within,
            "http.client.request",
            otel.name = method,
            otel.kind = "client",
            otel.status_code = Empty,
            http.request.method = method,
            http.request.resend_count = Empty,
            http.response.status_code = Empty,
            network.protocol.version = Empty,
            server.address = &*self.address,
            server.port = self.port,
            url.full = self.url,
            error.type = Empty,
        );
        if resent > 0 {
            span.record("http.request.resend_count", resent);
        }
        Attempt {
            server: self,
            method,
            span,
            started: Instant::now(),
            head: None,
            ended: false,
        }
    }
}

impl Attempt<'_> {
    /// Its span.
    pub(super) fn span(&self) -> Span {
        self.span.clone()
    }

    /// Ties the subgraph's trace to this request.
    pub(super) fn trace(&self, headers: &mut HeaderMap) {
        if let Some(tracer) = &self.server.tracer {
            self.span.in_scope(|| tracer(headers));
        }
    }

    /// The head of an answer has come.
    pub(super) fn answered(&mut self, status: StatusCode, version: Version) {
        self.head = Some((status, version));
        self.span.record("http.response.status_code", status.as_u16());
        self.span.record("network.protocol.version", number(version));
    }

    /// The request has ended.
    pub(super) fn end<T>(mut self, result: &Result<T, CallError>) {
        self.tell(result.as_ref().err().map(CallError::reason));
    }

    fn tell(&mut self, failure: Option<&'static str>) {
        self.ended = true;
        let refused = self.head.filter(|(status, _)| status.as_u16() >= 400);
        let error = match (refused, failure) {
            (Some((status, _)), _) => Some(SharedString::from(status.as_str().to_owned())),
            (None, failure) => failure.map(SharedString::from),
        };
        if let Some(error) = &error {
            self.span.record("error.type", &**error);
            self.span.record("otel.status_code", "ERROR");
        }
        let is_usual =
            error.is_none() && self.head == Some((StatusCode::OK, Version::HTTP_11)) && self.method == "POST";
        let took = self.started.elapsed();
        match is_usual {
            true => self.server.usual.get_or_init(|| self.duration(None)).record(took),
            false => self.duration(error).record(took),
        }
    }

    fn duration(&self, error: Option<SharedString>) -> Histogram {
        let mut labels = vec![
            Label::from_static_parts("http.request.method", self.method),
            Label::new("server.address", self.server.address.clone()),
            Label::new("server.port", self.server.port.to_string()),
            Label::new("subgraph.name", self.server.subgraph.clone()),
        ];
        if let Some((status, version)) = self.head {
            labels.push(Label::new(
                "http.response.status_code",
                status.as_str().to_owned(),
            ));
            labels.push(Label::from_static_parts(
                "network.protocol.version",
                number(version),
            ));
        }
        labels.extend(error.map(|error| Label::new("error.type", error)));
        metrics::histogram!(HTTP_CLIENT_REQUEST_DURATION, labels)
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.tell(Some("cancelled"));
        }
    }
}

/// As `network.protocol.version` writes it.
fn number(version: Version) -> &'static str {
    match version {
        Version::HTTP_09 => "0.9",
        Version::HTTP_10 => "1.0",
        Version::HTTP_2 => "2",
        Version::HTTP_3 => "3",
        _ => "1.1",
    }
}
