//! How subgraphs are asked: over HTTP, or in this process.

mod attempt;
mod compression;
pub(crate) mod events;
mod headers;
pub(crate) mod http;
pub(crate) mod in_process;
mod remote;
mod shaping;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use ::http::HeaderMap;
use bytes::Bytes;
use futures::TryFutureExt;
use futures::future::Either;
use kernel::{ErrorCode, Scope};
use metrics::Histogram;
use serde_json::{Map, Value};
use tokio::time::Instant;
use tracing::Instrument;

pub use http::{HttpPool, HttpSubgraph};
pub use in_process::{InProcessSchema, RequestInfo};

use crate::buffers::Buffers;
use crate::config::{ErrorsConfig, SubgraphConfig};
use crate::context::{PrincipalSealer, RequestContext};
use crate::error::GraphQlError;
use crate::header_rules::SubgraphHeaders;
use crate::metrics::{SUBREQUEST_ERRORS, subrequest_duration};
use crate::plan::Fetch;
use crate::response_cache::{Forgets, Said};
use attempt::Server;
pub(crate) use headers::Head;
use remote::{Question, Reading, Remote};

/// How one subgraph is asked.
#[derive(Clone)]
pub enum Transport {
    /// Over HTTP.
    Http(HttpSubgraph),
    /// In this process, without a copy as text.
    InProcess(Arc<dyn InProcessSchema>),
    /// By a function from the text of a question to the text of its answer: what tests and fuzzing have in place of HTTP.
    Function(TextSubgraph),
}

/// Answers the body of a question with the body of an answer.
pub type TextSubgraph = Arc<dyn Fn(&[u8]) -> Bytes + Send + Sync>;

/// How the subgraphs of a supergraph are asked. One that is not named is asked over HTTP at its address in the
/// configuration, or else in the supergraph; clones share those connections, so that a new engine keeps them.
#[derive(Clone, Default)]
pub struct Transports {
    by_name: HashMap<String, Transport>,
    sealer: Option<Arc<dyn PrincipalSealer>>,
    tracer: Option<Tracer>,
    pool: HttpPool,
    buffers: Buffers,
    changes: Arc<AtomicU64>,
    known: Known,
}

/// The subgraphs over HTTP that engines ask, by name: one that stays as it is keeps its circuit when a new engine takes over.
type Known = Arc<Mutex<HashMap<String, Weak<Remote>>>>;

/// Writes the headers that tie a subgraph's trace to the current span.
pub type Tracer = Arc<dyn Fn(&mut HeaderMap) + Send + Sync>;

/// One subgraph as the engine asks it.
pub(crate) struct Service {
    pub(crate) name: String,
    way: Way,
    config: SubgraphConfig,
    headers: Arc<SubgraphHeaders>,
    sealer: Option<Arc<dyn PrincipalSealer>>,
    duration: Histogram,
    /// Counts the mutations that have ended, of all subgraphs.
    changes: Arc<AtomicU64>,
}

enum Way {
    Remote(Arc<Remote>),
    Local(Arc<dyn InProcessSchema>),
    Function(TextSubgraph),
}

/// What is asked.
pub(crate) struct Call<'c> {
    pub(crate) fetch: &'c Fetch,
    pub(crate) variables: &'c Map<String, Value>,
    pub(crate) arguments: &'c [Argument<'c>],
    pub(crate) context: &'c RequestContext,
    /// For subgraphs in this process.
    pub(crate) scope: Arc<Scope>,
    /// What is to be dropped of what is kept once this has changed something.
    pub(crate) forgets: Option<Forgets>,
}

/// A variable that holds representations.
pub(crate) struct Argument<'c> {
    pub(crate) name: &'c str,
    /// A JSON array.
    pub(crate) json: Vec<u8>,
}

/// What came back.
pub(crate) enum Answer {
    /// The text of a body, with what its head says.
    Text(Bytes, Head),
    /// The same where a part of what was asked is known, and for the rest nothing usable came back: entities that are null
    /// are lost for that reason.
    Partial(Bytes, Head, CallError),
    /// A value of this process.
    Local(async_graphql::Response),
}

/// Why nothing usable came back.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum CallError {
    /// No connection.
    #[error("cannot be reached: {0}")]
    Unreachable(String),
    /// The connection ended in the middle.
    #[error("closed the connection: {0}")]
    Closed(String),
    /// Not in time.
    #[error("did not answer within {0:?}")]
    Timeout(Duration),
    /// Not asked: it failed several times in a row, and is given time.
    #[error("is left alone for a while, since it failed several times in a row")]
    Open,
    /// An answer of another kind, with this HTTP status.
    #[error("answered with the HTTP status {0} and no GraphQL")]
    Status(u16),
    /// More than is taken.
    #[error("answered with more than {0} bytes")]
    TooLarge(usize),
    /// Compressed in a way that is not known.
    #[error("answered in an unknown way of compressing, `{0}`")]
    Coding(String),
    /// The answers that are held already leave no room.
    #[error("sends an answer for which there is no room now")]
    NoRoom,
    /// Not a GraphQL answer.
    #[error("answered with something that is not a GraphQL response: {0}")]
    Malformed(String),
    /// The request cannot be put into words.
    #[error("cannot be asked: {0}")]
    Request(String),
}

impl Answer {
    /// What was said of keeping it.
    pub(crate) fn said(&self) -> Said {
        match self {
            Self::Text(_, head) => head.said,
            Self::Partial(..) => Said::default(),
            Self::Local(response) => Said::local(response.cache_control),
        }
    }
}

impl CallError {
    fn reason(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "SUBREQUEST_UNREACHABLE",
            Self::Closed(_) => "SUBREQUEST_CLOSED",
            Self::Timeout(_) => "SUBREQUEST_TIMEOUT",
            Self::Open => "SUBREQUEST_CIRCUIT_OPEN",
            Self::Status(_) => "SUBREQUEST_HTTP_STATUS",
            Self::TooLarge(_) => "SUBREQUEST_TOO_LARGE",
            Self::Coding(_) => "SUBREQUEST_UNKNOWN_ENCODING",
            Self::NoRoom => "SUBREQUEST_NO_ROOM",
            Self::Malformed(_) => "SUBREQUEST_MALFORMED_RESPONSE",
            Self::Request(_) => "SUBREQUEST_NOT_SENT",
        }
    }

    /// As clients see it: which service and what kind of trouble, no addresses and no causes.
    pub(crate) fn error(&self, service: &str) -> GraphQlError {
        metrics::counter!(SUBREQUEST_ERRORS, "subgraph.name" => service.to_owned(), "error.type" => self.reason())
            .increment(1);
        tracing::warn!(subgraph = service, error = %self, "a subgraph failed");
        GraphQlError::new(
            ErrorCode::ServiceUnavailable,
            format!("the service `{service}` is not available"),
        )
        .with("service", service)
        .with("reason", self.reason())
    }
}

impl Transports {
    /// Asks that subgraph in this process.
    #[must_use]
    pub fn in_process(mut self, name: &str, schema: Arc<dyn InProcessSchema>) -> Self {
        self.by_name.insert(name.to_owned(), Transport::InProcess(schema));
        self
    }

    /// Asks that subgraph over HTTP in this way.
    #[must_use]
    pub fn http(mut self, name: &str, subgraph: HttpSubgraph) -> Self {
        self.by_name.insert(name.to_owned(), Transport::Http(subgraph));
        self
    }

    /// Has that subgraph's questions answered by a function, as text.
    #[must_use]
    pub fn function(mut self, name: &str, answer: TextSubgraph) -> Self {
        self.by_name.insert(name.to_owned(), Transport::Function(answer));
        self
    }

    /// Seals principals for the HTTP subgraphs that are configured to get one.
    #[must_use]
    pub fn sealer(mut self, sealer: Arc<dyn PrincipalSealer>) -> Self {
        self.sealer = Some(sealer);
        self
    }

    /// Ties the subgraphs' traces to the router's spans. Without it the client's own trace headers are passed on.
    #[must_use]
    pub fn tracer(mut self, tracer: Tracer) -> Self {
        self.tracer = Some(tracer);
        self
    }

    /// Takes the answers of HTTP subgraphs out of that budget.
    #[must_use]
    pub fn buffers(mut self, buffers: Buffers) -> Self {
        self.buffers = buffers;
        self
    }

    /// The subgraph as an engine asks it already, or a new one.
    fn remote(
        &self,
        name: &str,
        subgraph: HttpSubgraph,
        config: &SubgraphConfig,
        headers: &Arc<SubgraphHeaders>,
    ) -> Arc<Remote> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let same = known.get(name).and_then(Weak::upgrade);
        if let Some(same) = same.filter(|it| it.is(&subgraph, config)) {
            return same;
        }
        known.retain(|_, remote| remote.strong_count() > 0);
        let server = Server::new(name, subgraph.uri(), self.tracer.clone());
        let remote = Remote::new(
            name,
            subgraph,
            config,
            headers.clone(),
            self.buffers.clone(),
            server,
        );
        let remote = Arc::new(remote);
        known.insert(name.to_owned(), Arc::downgrade(&remote));
        remote
    }

    /// The subgraph as it is asked: `url` is its address in the supergraph.
    pub(crate) fn service(&self, name: &str, url: &str, config: &SubgraphConfig) -> Result<Service, String> {
        let transport = match self.by_name.get(name) {
            Some(transport) => transport.clone(),
            None => Transport::Http(HttpSubgraph::with_pool(
                config.url.as_deref().unwrap_or(url),
                &self.pool,
            )?),
        };
        let headers = SubgraphHeaders::new(config, name).map_err(|error| error.to_string())?;
        let headers = Arc::new(headers);
        let way = match transport {
            Transport::Http(subgraph) => Way::Remote(self.remote(name, subgraph, config, &headers)),
            Transport::InProcess(schema) => Way::Local(schema),
            Transport::Function(answer) => Way::Function(answer),
        };
        Ok(Service {
            name: name.to_owned(),
            way,
            config: config.clone(),
            headers,
            sealer: self.sealer.clone().filter(|_| config.principal),
            duration: subrequest_duration(name),
            changes: self.changes.clone(),
        })
    }
}

impl Service {
    /// Whether the subgraph lives in this process.
    pub(crate) fn is_in_process(&self) -> bool {
        matches!(self.way, Way::Local(_))
    }

    /// Whether the subgraph is told who asks.
    pub(crate) fn tells(&self) -> bool {
        self.is_in_process() || self.sealer.is_some()
    }

    /// What clients see of its errors.
    pub(crate) fn errors(&self) -> &ErrorsConfig {
        &self.config.errors
    }

    /// Asks, for at most the configured time and not beyond the request's deadline.
    pub(crate) async fn call(&self, call: Call<'_>) -> Result<Answer, CallError> {
        let mut timeout = self.config.timeout();
        if let Some(deadline) = call.context.deadline {
            timeout = timeout.min(deadline.saturating_duration_since(Instant::now()));
        }
        let operation = if call.fetch.mutation { "mutation" } else { "query" };
        let span = tracing::debug_span!(
            "subgraph fetch",
            subgraph.name = self.name,
            graphql.operation.type = operation,
        );
        let started = Instant::now();
        let result = match &self.way {
            Way::Remote(remote) => match self.question(remote, &call) {
                Ok((question, reading)) => {
                    let remote = remote.clone();
                    let asking = async move { remote.ask(question, reading, timeout).await }
                        .map_ok(|(text, head)| Answer::Text(text, head));
                    self.finish(asking.instrument(span), call).await
                }
                Err(error) => Err(error),
            },
            Way::Local(schema) => {
                let info = RequestInfo {
                    headers: self.forwarded(call.context),
                    deadline: call.context.deadline,
                    client: call.context.client.clone(),
                };
                match in_process::request(&call, info) {
                    Ok(request) => {
                        let asking = in_process::ask(schema.clone(), request, timeout);
                        self.finish(asking.instrument(span), call).await
                    }
                    Err(error) => Err(error),
                }
            }
            Way::Function(answer) => {
                http::body(&call).map(|question| Answer::Text(answer(&question), Head::default()))
            }
        };
        self.duration.record(started.elapsed());
        result
    }

    /// Waits for an answer. What changes something runs to its end, or its time-out, even where the client has gone away
    /// meanwhile: how far a change gets must not depend on that. Whoever is told of it does not get what was kept before.
    fn finish<A>(&self, asking: A, call: Call<'_>) -> impl Future<Output = Result<Answer, CallError>> + use<A>
    where
        A: Future<Output = Result<Answer, CallError>> + Send + 'static,
    {
        if !call.fetch.mutation {
            return Either::Left(asking);
        }
        let (changes, forgets) = (self.changes.clone(), call.forgets);
        let work = tokio::spawn(async move {
            let answer = asking.await;
            changes.fetch_add(1, Ordering::AcqRel);
            if let Some(forgets) = forgets {
                forgets.drop_now().await;
            }
            answer
        });
        Either::Right(work.unwrap_or_else(|error| Err(CallError::Closed(error.to_string()))))
    }

    /// What is sent, and what of it decides the answer where that may be shared.
    fn question(&self, remote: &Remote, call: &Call<'_>) -> Result<(Question, Option<Reading>), CallError> {
        let body = http::body(call)?;
        let forwarded = self.forwarded(call.context);
        let reading = (self.shares() && !call.fetch.mutation).then(|| Reading {
            body: body.clone(),
            headers: forwarded.clone(),
            changes: self.changes.load(Ordering::Acquire),
            principal: self.sealer.as_ref().map(|_| call.context.principal.clone()),
        });
        let question = Question {
            body,
            headers: self.headers(remote, call.context, forwarded),
            is_mutation: call.fetch.mutation,
        };
        Ok((question, reading))
    }
}
