//! Subscriptions: an operation that is answered once for each event of the subgraph behind its root field
//! (<https://spec.graphql.org/October2021/#sec-Subscription>). The rest of the plan runs anew for each event.

use std::sync::Arc;

use futures::stream::{self, BoxStream, StreamExt};
use serde_json::{Map, Value};
use tokio::time::Instant;
use tracing::Instrument;

use super::Engine;
use super::run::Ready;
use crate::context::RequestContext;
use crate::error::{Code, GraphQlError};
use crate::prepared::{OperationKind, Prepared};
use crate::response::Response;
use crate::transport::events::Events;
use crate::transport::{Answer, CallError};

/// What a subscriber hears.
#[derive(Debug)]
pub enum SubscriptionEvent {
    /// The response to an event.
    Next(Response),
    /// Why there are no more events: the last that is heard.
    Failed(GraphQlError),
}

/// The events of one subscription. The subgraph's are read only when this is, so nothing piles up for a slow client;
/// dropping it ends the subscription in the subgraph.
pub type Subscription = BoxStream<'static, SubscriptionEvent>;

struct Running {
    engine: Arc<Engine>,
    ready: Ready,
    events: Events,
    service: String,
    _counted: Counted,
}

/// One of the subscriptions that are open.
struct Counted;

impl Engine {
    /// Subscribes with an operation that this engine made ready. It ends with the engine's time in force.
    ///
    /// # Errors
    /// Why there is nothing to subscribe to.
    pub async fn subscribe(
        self: &Arc<Self>,
        prepared: &Arc<Prepared>,
        variables: Map<String, Value>,
        context: &RequestContext,
    ) -> Result<Subscription, Vec<GraphQlError>> {
        if !self.config().subscriptions.enabled {
            let message = "subscriptions are switched off";
            return Err(vec![GraphQlError::new(Code::NotSupported, message)]);
        }
        if prepared.kind() != OperationKind::Subscription {
            return Err(vec![GraphQlError::internal()]);
        }
        let mut ready = self.ready(prepared, variables, context, false).await?;
        let compiled = ready.compiled.clone();
        // It costs what it is estimated at, however many events there will be.
        self.admit(&compiled, &mut ready)
            .await
            .map_err(|response| response.errors)?;
        let Some(source) = ready.compiled.plan.source() else {
            // Its field is not for this caller: the answer says so.
            let response = self.execution(&ready).run().await;
            return Ok(stream::iter([SubscriptionEvent::Next(response)]).boxed());
        };
        let Some(service) = self.services.get(source.service) else {
            return Err(vec![GraphQlError::internal()]);
        };
        let span = tracing::info_span!(
            "graphql operation",
            otel.name = "subscription",
            graphql.operation.type = "subscription",
            graphql.operation.name = prepared.name(),
        );
        let opened = self.execution(&ready).subscribe(source).instrument(span).await;
        let outcome = if opened.is_ok() { "ok" } else { "refused" };
        metrics::counter!("router_operations_total", "type" => "subscription", "outcome" => outcome)
            .increment(1);
        let events = opened.map_err(|error| vec![error.error(&service.name)])?;
        let running = Running {
            engine: self.clone(),
            service: service.name.clone(),
            ready,
            events,
            _counted: Counted::new(),
        };
        Ok(stream::unfold(Some(running), |running| async {
            let mut running = running?;
            let event = running.next().await?;
            let goes_on = matches!(event, SubscriptionEvent::Next(_));
            Some((event, goes_on.then_some(running)))
        })
        .boxed())
    }
}

impl Running {
    async fn next(&mut self) -> Option<SubscriptionEvent> {
        let event = tokio::select! {
            biased;
            () = self.engine.retired.cancelled() => {
                let message = "the schema has changed; subscribe again";
                let error = GraphQlError::new(Code::SubscriptionSchemaReload, message);
                return Some(SubscriptionEvent::Failed(error));
            }
            event = self.events.next() => event?,
        };
        Some(match event {
            Ok(answer) => SubscriptionEvent::Next(self.respond(answer).await),
            Err(error) => SubscriptionEvent::Failed(self.failed(&error)),
        })
    }

    async fn respond(&mut self, answer: Answer) -> Response {
        let started = Instant::now();
        // Each event has the time that a request has.
        self.ready.context.deadline = Some(started + self.engine.config().request_timeout());
        let span = tracing::info_span!("graphql subscription event", subgraph.name = self.service);
        let response = self
            .engine
            .execution(&self.ready)
            .event(answer)
            .instrument(span)
            .await;
        metrics::histogram!("router_subscription_event_duration_seconds")
            .record(started.elapsed().as_secs_f64());
        let outcome = if response.errors.is_empty() {
            "ok"
        } else {
            "partial"
        };
        metrics::counter!("router_subscription_events_total", "outcome" => outcome).increment(1);
        response
    }

    fn failed(&self, error: &CallError) -> GraphQlError {
        metrics::counter!("router_subscription_events_total", "outcome" => "failed").increment(1);
        error.error(&self.service)
    }
}

impl Counted {
    fn new() -> Self {
        metrics::gauge!("router_subscriptions_active").increment(1.0);
        Self
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        metrics::gauge!("router_subscriptions_active").decrement(1.0);
    }
}
