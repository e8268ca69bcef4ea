//! Charges callers for what they ask of the engine.

use std::net::IpAddr;

use cache::Cache;
use http::request::Parts;
use kernel::Clock;
use serde_json::{Map, Value};

use super::Engine;
use crate::context::RequestContext;
use crate::demand::LEAST;
use crate::error::GraphQlError;
use crate::introspection::Introspection;
use crate::prepared::Compiled;
use crate::rate_limit::{Charge, RateLimiter, client_address};
use crate::response::Response;

impl Engine {
    /// The same with limits on how much callers ask for in a time, if the configuration has them. They are counted in that
    /// cache, which other routers may share.
    #[must_use]
    pub fn with_rate_limits_in(mut self, cache: Cache, clock: Clock) -> Self {
        let config = self.config().rate_limit.clone();
        self.limiter = config
            .is_enabled()
            .then(|| RateLimiter::new(cache, clock, config));
        self
    }

    /// The address that a request comes from, as far as trusted proxies say.
    pub(crate) fn client_address(&self, parts: &Parts) -> Option<IpAddr> {
        client_address(&parts.headers, &parts.extensions, &self.config().rate_limit)
    }

    /// What to tell somebody unknown whose request is refused: the error, or that they ask for too much.
    pub(crate) async fn stranger_refusal(&self, address: Option<IpAddr>) -> Option<GraphQlError> {
        let exceeded = self.limiter.as_ref()?.charge_stranger(address).await;
        exceeded.map(|exceeded| exceeded.error)
    }

    /// Charges a caller whose request is refused; tells if they ask for too much.
    pub(crate) async fn too_much(&self, context: &RequestContext) -> Option<GraphQlError> {
        let exceeded = self.limiter.as_ref()?.charge_refusal(context).await;
        exceeded.map(|exceeded| exceeded.error)
    }

    /// Charges for having a document prepared.
    pub(super) async fn charge_preparation(&self, context: &RequestContext) -> Result<(), GraphQlError> {
        let Some(limiter) = &self.limiter else {
            return Ok(());
        };
        let charged = limiter.charge_preparation(context).await;
        charged.map_err(|exceeded| exceeded.error)
    }

    /// Charges for an operation that was refused before it was charged.
    pub(super) async fn charge_refused(&self, response: Response, context: &RequestContext) -> Response {
        let Some(limiter) = self.limiter.as_ref().filter(|_| response.is_request_error()) else {
            return response;
        };
        if response.rate.is_some() {
            return response;
        }
        let exceeded = limiter.charge_refusal(context).await;
        exceeded.map_or(response, |exceeded| Response::exceeded(*exceeded))
    }

    /// Charges for an operation of that estimated cost.
    ///
    /// # Errors
    /// The answer where the caller asks for too much, or only wants to know what it costs.
    pub(super) async fn charge(
        &self,
        estimate: u64,
        compiled: &Compiled,
        variables: &Map<String, Value>,
        context: &RequestContext,
    ) -> Result<Option<Charge>, Box<Response>> {
        let Some(limiter) = &self.limiter else {
            return Ok(None);
        };
        let cost = estimate.max(LEAST);
        let mut own = Introspection {
            supergraph: &self.core.compiler.supergraph,
            selections: &compiled.selections,
            variables,
            rate: None,
        };
        let is_dry_run = own.is_dry_run();
        let charged = if is_dry_run {
            limiter.config().refusal_cost
        } else {
            cost
        };
        let charged = limiter.charge(&context.principal, context.client.address, charged);
        let charge = match charged.await {
            Ok(charge) => charge,
            Err(exceeded) => return Err(Response::exceeded(*exceeded).into()),
        };
        if !is_dry_run {
            return Ok(charge);
        }
        let mut standing = charge.map(|charge| charge.standing);
        if let Some(standing) = &mut standing {
            standing.cost = cost;
        }
        own.rate = standing.as_ref();
        let mut response = own.answer();
        response.rate = standing;
        Err(response.into())
    }
}
