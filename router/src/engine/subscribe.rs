//! Subscriptions: an operation that is answered once for each event of the subgraph behind its root field
//! (<https://spec.graphql.org/October2021/#sec-Subscription>). The rest of the plan runs anew for each event.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::stream::{self, BoxStream, Stream, StreamExt};
use serde_json::{Map, Value};
use tokio::time::Instant;
use tracing::Instrument;

use super::Engine;
use super::run::Ready;
use crate::context::RequestContext;
use crate::error::{Code, GraphQlError};
use crate::metrics::{Active, SUBSCRIPTION_EVENT_DURATION, SUBSCRIPTION_EVENTS, SUBSCRIPTIONS_ACTIVE};
use crate::prepared::{OperationKind, Prepared};
use crate::rate_limit::RateStanding;
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
pub struct Subscription {
    /// How the caller's rate limit stands, where there is one.
    pub rate: Option<RateStanding>,
    events: BoxStream<'static, SubscriptionEvent>,
}

struct Running {
    engine: Arc<Engine>,
    ready: Ready,
    events: Events,
    service: String,
    _active: Active,
}

impl Engine {
    /// Subscribes with an operation that this engine made ready. It ends with the engine's time in force.
    ///
    /// # Errors
    /// The answer that says why there is nothing to subscribe to.
    pub async fn subscribe(
        self: &Arc<Self>,
        prepared: &Arc<Prepared>,
        variables: Map<String, Value>,
        context: &RequestContext,
    ) -> Result<Subscription, Response> {
        let span = tracing::info_span!(
            "graphql operation",
            otel.name = "subscription",
            graphql.operation.type = "subscription",
            graphql.operation.name = prepared.name(),
        );
        let opened = self.open(prepared, variables, context).instrument(span).await;
        let counted = self.operations.of(OperationKind::Subscription);
        let outcome = if opened.is_ok() {
            &counted.ok
        } else {
            &counted.refused
        };
        outcome.increment(1);
        match opened {
            Ok(subscription) => Ok(subscription),
            Err(refused) => Err(self.charge_refused(*refused, context).await),
        }
    }

    async fn open(
        self: &Arc<Self>,
        prepared: &Arc<Prepared>,
        variables: Map<String, Value>,
        context: &RequestContext,
    ) -> Result<Subscription, Box<Response>> {
        let refused = |error| Box::new(Response::refused(vec![error]));
        if !self.config().subscriptions.enabled {
            let message = "subscriptions are switched off";
            return Err(refused(GraphQlError::new(Code::NotSupported, message)));
        }
        if prepared.kind() != OperationKind::Subscription {
            return Err(refused(GraphQlError::internal()));
        }
        let ready = self.ready(prepared, variables, context, false).await;
        let mut ready = ready.map_err(Response::refused)?;
        let compiled = ready.compiled.clone();
        // It costs what it is estimated at, however many events there will be.
        self.admit(&compiled, &mut ready).await?;
        let rate = ready.context.rate.clone();
        let Some(source) = ready.compiled.plan.source() else {
            // Its field is not for this caller: the answer says so.
            let response = self.execution(&ready).run().await;
            let events = stream::iter([SubscriptionEvent::Next(response)]).boxed();
            return Ok(Subscription { rate, events });
        };
        let Some(service) = self.services.get(source.service) else {
            return Err(refused(GraphQlError::internal()));
        };
        let opened = self.execution(&ready).subscribe(source).await;
        let events = opened.map_err(|error| {
            let mut refused = Response::refused(vec![error.error(&service.name)]);
            refused.rate.clone_from(&rate);
            refused
        })?;
        let running = Running {
            engine: self.clone(),
            service: service.name.clone(),
            ready,
            events,
            _active: Active::one(SUBSCRIPTIONS_ACTIVE),
        };
        let events = stream::unfold(Some(running), |running| async {
            let mut running = running?;
            let event = running.next().await?;
            let goes_on = matches!(event, SubscriptionEvent::Next(_));
            Some((event, goes_on.then_some(running)))
        });
        Ok(Subscription {
            rate,
            events: events.boxed(),
        })
    }
}

impl Subscription {
    /// The same with other events, made of these.
    #[must_use]
    pub(crate) fn map_events(
        self,
        change: impl FnOnce(BoxStream<'static, SubscriptionEvent>) -> BoxStream<'static, SubscriptionEvent>,
    ) -> Self {
        Self {
            rate: self.rate,
            events: change(self.events),
        }
    }
}

impl Stream for Subscription {
    type Item = SubscriptionEvent;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<SubscriptionEvent>> {
        self.events.poll_next_unpin(context)
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Subscription").finish_non_exhaustive()
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
        metrics::histogram!(SUBSCRIPTION_EVENT_DURATION).record(started.elapsed());
        let outcome = if response.errors.is_empty() {
            "ok"
        } else {
            "partial"
        };
        metrics::counter!(SUBSCRIPTION_EVENTS, "outcome" => outcome).increment(1);
        response
    }

    fn failed(&self, error: &CallError) -> GraphQlError {
        metrics::counter!(SUBSCRIPTION_EVENTS, "outcome" => "failed").increment(1);
        error.error(&self.service)
    }
}
