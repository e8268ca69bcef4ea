//! One operation from its request to its answer, in the same way whatever the answer is carried by.

use std::sync::Arc;

use futures::stream::{self, StreamExt};
use http::{HeaderMap, StatusCode};
use kernel::ErrorCode;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use super::{HttpOptions, Refused, Server, method_not_allowed};
use crate::context::RequestContext;
use crate::engine::{Engine, GraphQlRequest, Subscription, SubscriptionEvent};
use crate::error::{Code, GraphQlError};
use crate::execution::later::Later;
use crate::prepared::{OperationKind, Prepared};
use crate::response::Response;

/// What a client may ask and can take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms {
    /// Whether only queries may be asked, as by GET.
    pub(super) only_queries: bool,
    /// Whether an answer may come in parts.
    pub(super) parts: bool,
    pub(super) subscriptions: Subscriptions,
}

/// Whether subscriptions may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subscriptions {
    NotTaken,
    /// Each takes one of the places for streams.
    Placed,
    /// They are part of something that has a place.
    WithinPlace,
}

/// An operation that is ready to run.
pub(super) struct Operation {
    engine: Arc<Engine>,
    prepared: Arc<Prepared>,
    request: GraphQlRequest,
    context: RequestContext,
}

/// The answer to an operation.
pub(super) enum Answered {
    /// All of it, or its first part with what comes later.
    Once(Response, Option<Later>),
    /// An answer for each event.
    Events(Subscription),
}

impl Operation {
    /// Finds and prepares the operation of a request.
    ///
    /// # Errors
    /// The answer where there is none to run.
    pub(super) async fn prepare(
        engine: &Arc<Engine>,
        context: RequestContext,
        request: GraphQlRequest,
    ) -> Result<Self, Response> {
        let context = context.with_wishes_of(&request);
        let prepared = engine.prepare_request(&request, &context).await;
        Ok(Self {
            prepared: prepared.map_err(Response::refused)?,
            engine: engine.clone(),
            context,
            request,
        })
    }

    pub(super) fn kind(&self) -> OperationKind {
        self.prepared.kind()
    }

    /// Runs it, whether it is a query or a mutation. A subscription is refused.
    pub(super) async fn whole(self) -> Response {
        let variables = self.request.variables;
        self.engine
            .execute_prepared(&self.prepared, variables, &self.context)
            .await
    }

    /// Runs it, whatever it is.
    ///
    /// # Errors
    /// What is not within the terms.
    pub(super) async fn run(self, server: &Server, terms: Terms) -> Result<Answered, Refused> {
        if terms.only_queries && self.kind() == OperationKind::Mutation {
            let refused = method_not_allowed("POST", "GET is not for mutations");
            let too_much = self.engine.too_much(&self.context).await;
            return Err(too_much.map_or(refused, Refused::too_much));
        }
        if self.kind() == OperationKind::Subscription && terms.subscriptions != Subscriptions::NotTaken {
            // On the heap, like parts below: what queries do not need would make all of them large.
            return Box::pin(self.subscribe(server, terms.subscriptions)).await;
        }
        if terms.parts && self.prepared.defers() {
            let variables = self.request.variables;
            let running = self
                .engine
                .execute_in_parts(&self.prepared, variables, &self.context);
            let (response, later) = Box::pin(running).await;
            return Ok(Answered::Once(response, later));
        }
        Ok(Answered::Once(self.whole().await, None))
    }

    async fn subscribe(self, server: &Server, how: Subscriptions) -> Result<Answered, Refused> {
        let place = match how {
            Subscriptions::Placed => Some(place(server)?),
            _ => None,
        };
        let variables = self.request.variables;
        let subscribed = self
            .engine
            .subscribe(&self.prepared, variables, &self.context)
            .await;
        Ok(match subscribed {
            Ok(events) => Answered::Events(events.map_events(|events| {
                let held = Held::new(server, self.context.headers, events, place);
                held.events().boxed()
            })),
            Err(refused) => Answered::Once(refused, None),
        })
    }
}

/// A place among the streams and WebSockets that are open.
///
/// # Errors
/// Where there is none left.
pub(super) fn place(server: &Server) -> Result<OwnedSemaphorePermit, Refused> {
    server.open.clone().try_acquire_owned().map_err(|_| {
        let limit = server.options.config.subscriptions.max_open;
        let message = format!("there are {limit} streams and WebSockets already (subscriptions.max_open)");
        Refused::new(StatusCode::SERVICE_UNAVAILABLE, Code::SubscriptionLimit, message)
    })
}

/// Events that end when the program stops, and when the credentials that they were asked with do not hold any more.
struct Held<E> {
    events: E,
    recheck: Interval,
    headers: HeaderMap,
    options: Arc<HttpOptions>,
    _place: Option<OwnedSemaphorePermit>,
}

impl<E: stream::Stream<Item = SubscriptionEvent> + Unpin + Send + 'static> Held<E> {
    fn new(server: &Server, headers: HeaderMap, events: E, place: Option<OwnedSemaphorePermit>) -> Self {
        let period = server.options.config.subscriptions.recheck();
        let mut recheck = interval_at(Instant::now() + period, period);
        recheck.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            events,
            recheck,
            headers,
            options: server.options.clone(),
            _place: place,
        }
    }

    fn events(self) -> impl stream::Stream<Item = SubscriptionEvent> + Send + 'static {
        stream::unfold(Some(self), |held| async {
            let mut held = held?;
            let event = held.next().await?;
            let goes_on = matches!(event, SubscriptionEvent::Next(_));
            Some((event, goes_on.then_some(held)))
        })
    }

    async fn next(&mut self) -> Option<SubscriptionEvent> {
        loop {
            tokio::select! {
                biased;
                () = self.options.shutdown.cancelled() => {
                    let error = GraphQlError::new(ErrorCode::ServiceUnavailable, "the router stops");
                    return Some(SubscriptionEvent::Failed(error));
                }
                _ = self.recheck.tick() => match self.options.authenticator.authenticate(&self.headers).await {
                    Err(refused) if refused.code == ErrorCode::Unauthenticated => {
                        let error = GraphQlError::new(refused.code, refused.message);
                        return Some(SubscriptionEvent::Failed(error));
                    }
                    // Whoever cannot be judged now is judged next time.
                    _ => {}
                },
                event = self.events.next() => return event,
            }
        }
    }
}
