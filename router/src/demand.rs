//! Judges what an operation costs before it runs, and measures what it was worth when it has run.

use kernel::ErrorCode;
use serde_json::{Map, Value, json};

use crate::config::{DemandConfig, DemandMode, ShowCost};
use crate::context::RequestContext;
use crate::cost::{Cost, Priced};
use crate::error::GraphQlError;
use crate::metrics::CostMetrics;
use crate::prepared::Compiled;
use crate::rate_limit::Charge;
use crate::response::Response;

/// What every operation is charged at least.
pub(crate) const LEAST: u64 = 1;

/// What a running operation has been estimated at.
pub(crate) struct Bill<'b> {
    cost: &'b Cost,
    priced: Priced,
    limit: Option<u64>,
    is_shown: bool,
    costs: &'b CostMetrics,
    /// What the caller was charged, where there are rate limits.
    pub(crate) charge: Option<Charge>,
}

/// Estimates what an operation costs with these variables. `None` where costs are of no interest.
///
/// # Errors
/// One that costs more than its caller may spend at once, or that does not limit a list that it must limit, where limits
/// are in force.
pub(crate) fn judge<'b>(
    config: &DemandConfig,
    compiled: &'b Compiled,
    variables: &Map<String, Value>,
    context: &RequestContext,
    costs: &'b CostMetrics,
) -> Result<Option<Bill<'b>>, GraphQlError> {
    let Some(cost) = &compiled.cost else {
        return Ok(None);
    };
    let mut priced = cost.price(variables);
    let limit = config.max_cost.of(&context.principal).copied();
    let limit = limit.filter(|limit| *limit > 0);
    let is_too_much = limit.is_some_and(|limit| priced.estimate > limit);
    let is_enforced = config.mode() == DemandMode::Enforce;
    let refused_for = match (is_too_much, priced.fault.is_some()) {
        (true, _) => Some("COST_ESTIMATED_TOO_EXPENSIVE"),
        (_, true) => Some("COST_QUERY_PARSE_FAILURE"),
        _ => None,
    };
    costs.estimate(priced.estimate, refused_for);
    if is_enforced {
        if let Some(fault) = priced.fault.take() {
            return Err(GraphQlError::new(ErrorCode::BadUserInput, fault));
        }
        if let Some(limit) = limit.filter(|_| is_too_much) {
            let message = format!(
                "the operation costs {}; {limit} is the limit: ask for fewer or shorter lists",
                priced.estimate
            );
            let error = GraphQlError::new(ErrorCode::CostLimitExceeded, message);
            return Err(error.with("cost", priced.estimate).with("limit", limit));
        }
    }
    Ok(Some(Bill {
        cost,
        priced,
        limit: limit.filter(|_| is_enforced),
        is_shown: match config.show {
            ShowCost::Never => false,
            ShowCost::Asked => context.asks_cost,
            ShowCost::Always => true,
        },
        charge: None,
        costs,
    }))
}

impl Bill<'_> {
    /// What it is estimated at.
    pub(crate) fn estimate(&self) -> u64 {
        self.priced.estimate
    }

    /// Finds out what the answer was worth, and says so in it if that is wished.
    pub(crate) fn settle(self, response: &mut Response) {
        let data = response.data.as_deref().unwrap_or(b"null");
        // What cannot be counted counts as estimated.
        let actual = self.cost.actual(&self.priced, data);
        let actual = actual.unwrap_or(self.priced.estimate);
        self.settle_at(actual, response);
    }

    /// Takes an answer that goes out before all of it is there for what it was estimated at.
    pub(crate) fn settle_as_estimated(self, response: &mut Response) {
        let estimated = self.priced.estimate;
        self.settle_at(estimated, response);
    }

    fn settle_at(self, actual: u64, response: &mut Response) {
        let estimated = self.priced.estimate;
        self.costs.actual.record(actual as f64);
        self.costs.delta.record(estimated as f64 - actual as f64);
        response.rate = self.charge.map(|charge| charge.settle(actual.max(LEAST)));
        if self.is_shown {
            let mut shown = json!({ "estimated": estimated, "actual": actual });
            if let Some(limit) = self.limit {
                shown["max"] = limit.into();
            }
            if let (Some(rate), Some(shown)) = (&response.rate, shown.as_object_mut()) {
                rate.show(shown);
            }
            response.extensions.insert("cost".to_owned(), shown);
        }
    }
}
