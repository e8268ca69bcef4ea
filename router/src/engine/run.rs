//! Runs operations that are ready, as a whole or in parts, and keeps the books on them.

use std::sync::Arc;

use futures::FutureExt;
use serde_json::{Map, Value};
use tokio::time::Instant;
use tracing::Instrument;

use super::{Engine, blocking};
use crate::context::RequestContext;
use crate::demand::{self, Bill};
use crate::error::{Code, GraphQlError};
use crate::execution::Execution;
use crate::execution::later::{Later, Run};
use crate::overrides::Drawing;
use crate::prepared::{Compiled, OperationKind, Prepared};
use crate::response::Response;
use crate::variables;

/// An operation with all that its execution needs.
pub(crate) struct Ready {
    pub(super) compiled: Arc<Compiled>,
    pub(super) variables: Map<String, Value>,
    pub(super) context: RequestContext,
    /// Whether it only reads.
    pub(super) is_query: bool,
}

impl Engine {
    /// Runs an operation that this engine made ready.
    pub async fn execute_prepared(
        &self,
        prepared: &Arc<Prepared>,
        variables: Map<String, Value>,
        context: &RequestContext,
    ) -> Response {
        let run = async {
            let ready = match answerable(prepared) {
                Ok(()) => self.ready(prepared, variables, context, false).await,
                Err(error) => Err(vec![error]),
            };
            let response = match ready {
                Ok(ready) => self.whole(ready).await,
                Err(errors) => Response::refused(errors),
            };
            (self.charge_refused(response, context).await, None)
        };
        let (response, _) = self.observed(prepared, run).await;
        response
    }

    /// The same for a client that takes answers in parts: what is deferred comes later, if anything is.
    pub async fn execute_in_parts(
        self: &Arc<Self>,
        prepared: &Arc<Prepared>,
        variables: Map<String, Value>,
        context: &RequestContext,
    ) -> (Response, Option<Later>) {
        let run = async {
            let ready = match answerable(prepared) {
                Ok(()) => self.ready(prepared, variables, context, true).await,
                Err(error) => Err(vec![error]),
            };
            let (response, later) = match ready {
                Ok(ready) if ready.compiled.deferred.is_empty() => (self.whole(ready).await, None),
                Ok(ready) => self.in_parts(ready).await,
                Err(errors) => (Response::refused(errors), None),
            };
            (self.charge_refused(response, context).await, later)
        };
        self.observed(prepared, run).await
    }

    async fn whole(&self, mut ready: Ready) -> Response {
        let compiled = ready.compiled.clone();
        let bill = match self.admit(&compiled, &mut ready).await {
            Ok(bill) => bill,
            Err(response) => return *response,
        };
        let mut response = self.execution(&ready).run().await;
        if let Some(bill) = bill {
            bill.settle(&mut response);
        }
        response
    }

    async fn in_parts(self: &Arc<Self>, mut ready: Ready) -> (Response, Option<Later>) {
        let compiled = ready.compiled.clone();
        let bill = match self.admit(&compiled, &mut ready).await {
            Ok(bill) => bill,
            Err(response) => return (*response, None),
        };
        let run = Run {
            engine: self.clone(),
            ready,
        };
        let (mut response, later) = run.first().await;
        match (bill, &later) {
            (Some(bill), None) => bill.settle(&mut response),
            (Some(bill), Some(_)) => bill.settle_as_estimated(&mut response),
            (None, _) => {}
        }
        (response, later)
    }

    /// Judges what the operation costs, and charges the caller for it.
    ///
    /// # Errors
    /// The answer in place of the operation's.
    pub(super) async fn admit<'c>(
        &'c self,
        compiled: &'c Compiled,
        ready: &mut Ready,
    ) -> Result<Option<Bill<'c>>, Box<Response>> {
        let config = &self.config().demand;
        let judged = demand::judge(config, compiled, &ready.variables, &ready.context, &self.costs);
        let mut bill = judged.map_err(|error| Response::refused(vec![error]))?;
        if let Some(bill) = &mut bill {
            let charged = self.charge(bill.estimate(), compiled, &ready.variables, &ready.context);
            bill.charge = charged.await?;
            ready.context.rate = bill.charge.as_ref().map(|charge| charge.standing.clone());
        }
        Ok(bill)
    }

    /// What runs an operation.
    pub(crate) fn execution<'e>(&'e self, ready: &'e Ready) -> Execution<'e> {
        Execution {
            compiler: &self.core.compiler,
            services: &self.services,
            compiled: &ready.compiled,
            variables: &ready.variables,
            context: &ready.context,
            response_cache: self.response_cache.as_ref().filter(|_| ready.is_query),
            told_of_changes: self.response_cache.as_ref(),
        }
    }

    pub(super) async fn ready(
        &self,
        prepared: &Arc<Prepared>,
        variables: Map<String, Value>,
        context: &RequestContext,
        in_parts: bool,
    ) -> Result<Ready, Vec<GraphQlError>> {
        let compiler = &self.core.compiler;
        if let Some(error) = prepared.refusal(&context.principal, &compiler.config) {
            return Err(vec![error]);
        }
        let sources = &prepared.document().sources;
        let api = &compiler.supergraph.api;
        let variables = variables::coerce(api, prepared.operation(), sources, variables)?;
        let drawing = Drawing::new(self.random.as_ref());
        let compiled = match prepared.compiled(&context.principal, &variables, in_parts, drawing) {
            Ok(compiled) => compiled,
            Err(unknown) => {
                let (core, prepared) = (self.core.clone(), prepared.clone());
                let places = core.places.clone();
                let made = blocking(places, move || prepared.compile(&core.compiler, unknown)).await;
                made.map_err(|error| vec![error])?
            }
        };
        let limit = Instant::now() + compiler.config.request_timeout();
        let context = RequestContext {
            deadline: Some(context.deadline.map_or(limit, |deadline| deadline.min(limit))),
            ..context.clone()
        };
        Ok(Ready {
            compiled,
            variables,
            context,
            is_query: prepared.kind() == OperationKind::Query,
        })
    }

    /// Traces and counts an operation, or the first part of its answer. Not an `async fn`: that would hold `run` twice.
    fn observed<'a, R>(&'a self, prepared: &Prepared, run: R) -> impl Future<Output = R::Output> + use<'a, R>
    where
        R: Future<Output = (Response, Option<Later>)>,
    {
        let kind = prepared.kind();
        let span = tracing::debug_span!(
            "graphql operation",
            otel.name = kind.as_str(),
            graphql.operation.type = kind.as_str(),
            graphql.operation.name = prepared.name(),
        );
        let counted = self.operations.of(kind);
        let started = Instant::now();
        run.instrument(span).inspect(move |(response, _)| {
            counted.duration.record(started.elapsed());
            let outcome = match (response.is_request_error(), response.errors.is_empty()) {
                (true, _) => &counted.refused,
                (false, false) => &counted.partial,
                (false, true) => &counted.ok,
            };
            outcome.increment(1);
        })
    }
}

/// A subscription has no one answer.
fn answerable(prepared: &Prepared) -> Result<(), GraphQlError> {
    if prepared.kind() != OperationKind::Subscription {
        return Ok(());
    }
    let message = "a subscription is asked over WebSocket, or with `Accept: text/event-stream` or \
        `multipart/mixed;subscriptionSpec=1.0`";
    Err(GraphQlError::new(Code::SubscriptionNotAcceptable, message))
}
