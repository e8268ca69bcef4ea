//! A subgraph over HTTP as the engine asks it: within its gate, a read perhaps twice, and equal reads that are under way
//! at the same time once for all who ask.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::{BoxFuture, Shared, WeakShared};
use http::{HeaderMap, HeaderName, HeaderValue};
use kernel::{Principal, TIME_LEFT_HEADER};
use metrics::Counter;
use tokio::time::Instant;
use tracing::{Instrument, Span};

use super::attempt::Server;
use super::compression::Compression;
use super::http::{Sent, Taken};
use super::shaping::Gate;
use super::{CallError, HttpSubgraph};
use crate::buffers::Buffers;
use crate::config::SubgraphConfig;
use crate::header_rules::SubgraphHeaders;
use crate::metrics::{SUBREQUEST_RETRIES, subrequest_deduplicated};

const TIME_LEFT: HeaderName = HeaderName::from_static(TIME_LEFT_HEADER);

/// A subgraph over HTTP.
pub(super) struct Remote {
    name: String,
    subgraph: HttpSubgraph,
    config: SubgraphConfig,
    headers: Arc<SubgraphHeaders>,
    compression: Compression,
    buffers: Buffers,
    gate: Gate,
    server: Server,
    deduplicated: Counter,
    under_way: Mutex<HashMap<Arc<Reading>, WeakShared<Flight>>>,
}

/// What is sent.
#[derive(Clone)]
pub(super) struct Question {
    pub(super) body: Bytes,
    pub(super) headers: HeaderMap,
    pub(super) is_mutation: bool,
}

/// Everything that the answer to a read depends on. It is compared, not only hashed.
#[derive(PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) body: Bytes,
    /// What is sent as headers by the rules.
    pub(super) headers: HeaderMap,
    /// How many mutations had ended when it began: who asks after one must not get what was read before it.
    pub(super) changes: u64,
    /// Who asks, where the subgraph is told.
    pub(super) principal: Option<Arc<Principal>>,
}

type Flight = BoxFuture<'static, Result<Sent, CallError>>;

/// Takes a reading off the list when it has ended, or nobody waits for it any more.
struct Listed {
    remote: Arc<Remote>,
    reading: Arc<Reading>,
}

impl Remote {
    pub(super) fn new(
        name: &str,
        subgraph: HttpSubgraph,
        config: &SubgraphConfig,
        headers: Arc<SubgraphHeaders>,
        buffers: Buffers,
        server: Server,
    ) -> Self {
        Self {
            name: name.to_owned(),
            subgraph,
            config: config.clone(),
            headers,
            compression: Compression::new(&config.compression),
            buffers,
            gate: Gate::new(name, config),
            server,
            deduplicated: subrequest_deduplicated(name),
            under_way: Mutex::default(),
        }
    }

    /// What a call has to pass.
    pub(super) fn gate(&self) -> &Gate {
        &self.gate
    }

    /// As its requests name it.
    pub(super) fn server(&self) -> &Server {
        &self.server
    }

    /// How what is sent to it is compressed.
    pub(super) fn compression(&self) -> &Compression {
        &self.compression
    }

    /// Where it is.
    pub(super) fn subgraph(&self) -> &HttpSubgraph {
        &self.subgraph
    }

    /// Whether it is that subgraph, asked in that way.
    pub(super) fn is(&self, subgraph: &HttpSubgraph, config: &SubgraphConfig) -> bool {
        self.subgraph.is(subgraph) && self.config == *config
    }

    /// Asks, for at most that time. With a `reading`, others who ask the same at the same time get the same answer.
    pub(super) async fn ask(
        self: &Arc<Self>,
        question: Question,
        reading: Option<Reading>,
        timeout: Duration,
    ) -> Result<Sent, CallError> {
        let Some(reading) = reading else {
            return self.insist(question, timeout, &Span::current()).await;
        };
        let deadline = Instant::now() + timeout;
        let (flight, is_first) = self.join(Arc::new(reading), &question, timeout);
        let joined = tokio::time::timeout_at(deadline, flight).await;
        let result = joined.unwrap_or(Err(CallError::Timeout(timeout)));
        if is_first {
            return result;
        }
        self.deduplicated.increment(1);
        let left = deadline.saturating_duration_since(Instant::now());
        match result {
            // Whoever asked first had less time.
            Err(CallError::Timeout(_)) if !left.is_zero() => {
                self.insist(question, left, &Span::current()).await
            }
            result => result,
        }
    }

    /// The answer that is under way, or one that begins now.
    fn join(
        self: &Arc<Self>,
        reading: Arc<Reading>,
        question: &Question,
        timeout: Duration,
    ) -> (Shared<Flight>, bool) {
        let mut under_way = self.under_way();
        if let Some(flight) = under_way.get(&reading).and_then(WeakShared::upgrade) {
            return (flight, false);
        }
        let listed = Listed {
            remote: self.clone(),
            reading: reading.clone(),
        };
        let (question, span) = (question.clone(), Span::current());
        let flight: Flight = Box::pin(async move {
            let result = listed.remote.insist(question, timeout, &span).await;
            drop(listed);
            result
        });
        let flight = flight.shared();
        if let Some(weak) = flight.downgrade() {
            under_way.insert(reading, weak);
        }
        (flight, true)
    }

    /// Asks in turn, not while the subgraph is given time, and a read perhaps once more.
    async fn insist(&self, question: Question, timeout: Duration, span: &Span) -> Result<Sent, CallError> {
        let deadline = Instant::now() + timeout;
        self.gate.count();
        let mut repetitions = 0;
        let question = self.compression.apply(question).await?;
        loop {
            let entering = tokio::time::timeout_at(deadline, self.gate.enter()).await;
            let pass = entering.unwrap_or(Err(CallError::Timeout(timeout)))?;
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(CallError::Timeout(timeout));
            }
            let mut attempt = self.server.attempt("POST", span, repetitions);
            let mut headers = question.headers.clone();
            headers.insert(TIME_LEFT, HeaderValue::from(left.as_millis() as u64));
            attempt.trace(&mut headers);
            let taken = Taken {
                max_bytes: self.config.max_response_bytes,
                headers: Some(&self.headers),
                buffers: &self.buffers,
            };
            let within = attempt.span();
            let sent = self
                .subgraph
                .send(question.body.clone(), headers, taken, &mut attempt);
            let answered = tokio::time::timeout_at(deadline, sent.instrument(within)).await;
            let result = answered.unwrap_or(Err(CallError::Timeout(timeout)));
            attempt.end(&result);
            // It is not the subgraph's trouble if the request had no time left for it.
            let was_hurried = timeout < self.config.timeout() && matches!(result, Err(CallError::Timeout(_)));
            if !was_hurried {
                pass.ended(&result);
            }
            match result {
                Err(error) if !question.is_mutation && self.gate.may_repeat(&error, repetitions) => {
                    repetitions += 1;
                    tracing::debug!(subgraph = self.name, %error, "a read is sent again");
                    metrics::counter!(SUBREQUEST_RETRIES, "subgraph.name" => self.name.clone()).increment(1);
                }
                result => return result,
            }
        }
    }

    fn under_way(&self) -> MutexGuard<'_, HashMap<Arc<Reading>, WeakShared<Flight>>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        self.remote.under_way().remove(&self.reading);
    }
}

impl Hash for Reading {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // Equal readings have equal bodies; the rest is compared.
        self.body.hash(state);
    }
}
