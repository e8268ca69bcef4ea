//! Everything that the router counts, with its meaning, and handles of what counts on every request: to look one up by its
//! name and labels costs more than to count.
//!
//! Names and attributes are written as OpenTelemetry's semantic conventions write them; Prometheus shows them with
//! underscores, unit and `_total`.

use metrics::{Counter, Gauge, Histogram, Unit};

use crate::prepared::OperationKind;

/// A metric of the router.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// Its name, as OpenTelemetry writes names.
    pub name: &'static str,
    /// `counter`, `gauge` or `histogram`.
    pub kind: &'static str,
    /// In what it counts.
    pub unit: Unit,
    meaning: &'static str,
}

impl Metric {
    /// What it counts, and by which attributes.
    pub fn meaning(&self) -> &'static str {
        self.meaning.trim()
    }

    /// As Prometheus shows it.
    pub fn prometheus_name(&self) -> String {
        let unit = match self.unit {
            Unit::Seconds => "_seconds",
            Unit::Bytes => "_bytes",
            _ => "",
        };
        let total = if self.kind == "counter" { "_total" } else { "" };
        format!("{}{unit}{total}", self.name.replace('.', "_"))
    }
}

/// Names of metrics; the comment on each is what whoever reads the metrics gets to see.
macro_rules! metrics {
    ($(#[doc = $meaning:literal] $kind:ident $constant:ident = $name:literal in $unit:ident;)+) => {
        $(#[doc = $meaning] pub(crate) const $constant: &str = $name;)+

        /// All metrics of the router.
        pub const METRICS: &[Metric] = &[
            $(Metric { name: $name, kind: stringify!($kind), unit: Unit::$unit, meaning: $meaning },)+
        ];
    };
}

metrics! {
    /// Operations that were answered, by `graphql.operation.type` and `outcome`: `ok`, `partial` (with errors), or `refused`.
    counter OPERATIONS = "router.operations" in Count;
    /// How long an operation took, until its answer or the first part of it was there, by `graphql.operation.type`.
    histogram OPERATION_DURATION = "router.operation.duration" in Seconds;
    /// What operations were estimated to cost, by `result` (`COST_OK` or what they were refused for).
    histogram COST_ESTIMATED = "router.cost.estimated" in Count;
    /// What answers were worth.
    histogram COST_ACTUAL = "router.cost.actual" in Count;
    /// By how much more operations were estimated than their answers were worth.
    histogram COST_DELTA = "router.cost.delta" in Count;
    /// Requests that were refused because their caller's bucket is empty, by `caller`: `anonymous`, `people`, `apps` or `staff`.
    counter RATE_LIMITED = "router.rate_limited" in Count;
    /// How long a question to a subgraph took with all its waiting and repetitions, by `subgraph.name`.
    histogram SUBREQUEST_DURATION = "router.subrequest.duration" in Seconds;
    /// Questions to subgraphs that got no usable answer, by `subgraph.name` and `error.type`.
    counter SUBREQUEST_ERRORS = "router.subrequest.errors" in Count;
    /// Questions to subgraphs that were answered by what was under way already, by `subgraph.name`.
    counter SUBREQUEST_DEDUPLICATED = "router.subrequest.deduplicated" in Count;
    /// Questions to subgraphs that were sent once more, by `subgraph.name`.
    counter SUBREQUEST_RETRIES = "router.subrequest.retries" in Count;
    /// Questions to subgraphs that were not sent once more because too many had been, by `subgraph.name`.
    counter SUBREQUEST_RETRIES_REFUSED = "router.subrequest.retries.refused" in Count;
    /// Whether a subgraph is left alone for a while since it keeps failing (1) or not (0), by `subgraph.name`.
    gauge SUBGRAPH_CIRCUIT_OPEN = "router.subgraph.circuit.open" in Count;
    /// HTTP requests to subgraphs, until the whole answer was there (of subscriptions: its head), by the attributes of OpenTelemetry's conventions.
    histogram HTTP_CLIENT_REQUEST_DURATION = "http.client.request.duration" in Seconds;
    /// Entities and root fields that were looked up among answers that are kept, by `subgraph.name`, `type` and `outcome`: `hit` or `miss`.
    counter RESPONSE_CACHE_LOOKUPS = "router.response_cache.lookups" in Count;
    /// Times that something was dropped of the answers that are kept, by `kind`: `subgraph`, `type`, `entity` or `caller`.
    counter RESPONSE_CACHE_INVALIDATIONS = "router.response_cache.invalidations" in Count;
    /// Subscriptions that are open.
    gauge SUBSCRIPTIONS_ACTIVE = "router.subscriptions.active" in Count;
    /// Events of subscriptions, by `outcome`: `ok`, `partial` (with errors), or `failed`.
    counter SUBSCRIPTION_EVENTS = "router.subscription.events" in Count;
    /// How long answering an event of a subscription took.
    histogram SUBSCRIPTION_EVENT_DURATION = "router.subscription.event.duration" in Seconds;
    /// WebSockets that are open.
    gauge WEBSOCKETS_ACTIVE = "router.websockets.active" in Count;
    /// WebSockets that were given up because their clients took nothing.
    counter WEBSOCKETS_TOO_SLOW = "router.websockets.too_slow" in Count;
    /// Bytes of requests and answers that are held at once.
    gauge HELD = "router.held" in Bytes;
    /// Supergraphs that are in force or still answer requests that began before a reload.
    gauge ENGINES = "router.engines" in Count;
}

/// Tells whoever records the metrics of this process what the router's mean; to be called once they are recorded.
pub fn describe_metrics() {
    for metric in METRICS {
        match metric.kind {
            "counter" => metrics::describe_counter!(metric.name, metric.unit, metric.meaning()),
            "gauge" => metrics::describe_gauge!(metric.name, metric.unit, metric.meaning()),
            _ => metrics::describe_histogram!(metric.name, metric.unit, metric.meaning()),
        }
    }
}

/// What is counted of operations.
pub(crate) struct OperationMetrics {
    query: KindMetrics,
    mutation: KindMetrics,
    subscription: KindMetrics,
}

/// What is counted of operations of one kind.
pub(crate) struct KindMetrics {
    pub(crate) ok: Counter,
    pub(crate) partial: Counter,
    pub(crate) refused: Counter,
    pub(crate) duration: Histogram,
}

/// What is counted of costs.
pub(crate) struct CostMetrics {
    pub(crate) actual: Histogram,
    pub(crate) delta: Histogram,
    ok: Histogram,
}

/// One that a gauge counts, until this is dropped.
pub(crate) struct Active(Gauge);

impl Active {
    pub(crate) fn one(gauge: &'static str) -> Self {
        let gauge = metrics::gauge!(gauge);
        gauge.increment(1.0);
        Self(gauge)
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}

impl OperationMetrics {
    pub(crate) fn new() -> Self {
        Self {
            query: KindMetrics::new(OperationKind::Query),
            mutation: KindMetrics::new(OperationKind::Mutation),
            subscription: KindMetrics::new(OperationKind::Subscription),
        }
    }

    pub(crate) fn of(&self, kind: OperationKind) -> &KindMetrics {
        match kind {
            OperationKind::Query => &self.query,
            OperationKind::Mutation => &self.mutation,
            OperationKind::Subscription => &self.subscription,
        }
    }
}

impl KindMetrics {
    fn new(kind: OperationKind) -> Self {
        let kind = kind.as_str();
        let outcome = |outcome: &'static str| metrics::counter!(OPERATIONS, "graphql.operation.type" => kind, "outcome" => outcome);
        Self {
            ok: outcome("ok"),
            partial: outcome("partial"),
            refused: outcome("refused"),
            duration: metrics::histogram!(OPERATION_DURATION, "graphql.operation.type" => kind),
        }
    }
}

impl CostMetrics {
    pub(crate) fn new() -> Self {
        Self {
            actual: metrics::histogram!(COST_ACTUAL),
            delta: metrics::histogram!(COST_DELTA),
            ok: Self::estimated("COST_OK"),
        }
    }

    /// Takes in what an operation was estimated at, and what it is refused for.
    pub(crate) fn estimate(&self, estimate: u64, refused_for: Option<&'static str>) {
        match refused_for {
            None => self.ok.record(estimate as f64),
            Some(result) => Self::estimated(result).record(estimate as f64),
        }
    }

    fn estimated(result: &'static str) -> Histogram {
        metrics::histogram!(COST_ESTIMATED, "result" => result)
    }
}

/// How long questions to that subgraph take.
pub(crate) fn subrequest_duration(subgraph: &str) -> Histogram {
    metrics::histogram!(SUBREQUEST_DURATION, "subgraph.name" => subgraph.to_owned())
}

/// Questions to that subgraph that were answered by what was under way.
pub(crate) fn subrequest_deduplicated(subgraph: &str) -> Counter {
    metrics::counter!(SUBREQUEST_DEDUPLICATED, "subgraph.name" => subgraph.to_owned())
}
