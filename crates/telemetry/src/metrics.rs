//! The metrics of the process, as Prometheus reads them.
//!
//! Code counts through the macros of the `metrics` crate, by OpenTelemetry's names (`http.server.request.duration`), and
//! says each name's unit once (`describe_histogram!`). What is rendered follows from that by the rules of OpenTelemetry's
//! Prometheus compatibility: dots become underscores, the unit is the suffix, a counter ends in `_total`.

use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

use metrics::Unit;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

/// Seconds, as OpenTelemetry's semantic conventions advise for `http.server.request.duration`.
const SECONDS: &[f64] = &[
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];

/// Bytes, for everything whose name ends in `size`.
const BYTES: &[f64] = &[
    256.0,
    1024.0,
    4096.0,
    16_384.0,
    65_536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
];

/// Costs of operations, for everything whose name begins with `router_cost`. The difference between estimated and actual
/// ones may be negative.
const COSTS: &[f64] = &[
    -1000.0, -100.0, -10.0, 0.0, 1.0, 10.0, 50.0, 100.0, 500.0, 1000.0, 5000.0, 10_000.0, 100_000.0,
];

/// The metrics of this process. Clones are one and the same.
#[derive(Clone)]
pub struct Metrics(PrometheusHandle);

impl Metrics {
    /// The media type of what [`Self::render`] gives (Prometheus, "Exposition formats").
    pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

    /// Lets the whole process count into these metrics. Every further call gives the same ones.
    pub fn install() -> Self {
        static INSTALLED: OnceLock<Metrics> = OnceLock::new();
        INSTALLED.get_or_init(Self::set_up).clone()
    }

    /// All metrics in Prometheus's text format.
    pub fn render(&self) -> String {
        self.0.render()
    }

    /// Sums up, now and then, what histograms have taken in: were nobody to ask for the metrics, it would pile up.
    pub(crate) async fn keep_up(self, shutdown: CancellationToken) {
        let mut ticks = interval(Duration::from_secs(5));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while shutdown.run_until_cancelled(ticks.tick()).await.is_some() {
            self.0.run_upkeep();
        }
    }

    fn set_up() -> Self {
        let recorder = PrometheusBuilder::new()
            .with_recommended_naming(true)
            .set_buckets(SECONDS)
            .and_then(|builder| builder.set_buckets_for_metric(Matcher::Suffix("size".to_owned()), BYTES))
            .and_then(|builder| {
                builder.set_buckets_for_metric(Matcher::Prefix("router_cost".to_owned()), COSTS)
            })
            .expect("the lists of buckets are not empty")
            .build_recorder();
        let handle = recorder.handle();
        if metrics::set_global_recorder(recorder).is_err() {
            tracing::warn!("somebody else records the metrics of this process; /metrics stays empty");
        }
        describe();
        Self(handle)
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Metrics")
    }
}

/// Says what the metrics of this crate mean.
fn describe() {
    metrics::describe_histogram!(
        "http.server.request.duration",
        Unit::Seconds,
        "How long answering HTTP requests took, until the head of the answer."
    );
    metrics::describe_gauge!(
        "http.server.active_requests",
        Unit::Count,
        "HTTP requests that are being answered."
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_from_opentelemetrys() {
        let metrics = Metrics::install();
        metrics::describe_counter!("daka.tests.events", Unit::Count, "Events of a test.");
        metrics::counter!("daka.tests.events").increment(2);
        metrics::histogram!("daka.tests.body.size").record(300.0);
        metrics::describe_histogram!("daka.tests.wait", Unit::Seconds, "A wait of a test.");
        metrics::histogram!("daka.tests.wait").record(0.02);
        let text = metrics.render();
        assert!(text.contains("\ndaka_tests_events_total 2"), "{text}");
        assert!(
            text.contains("daka_tests_body_size_bucket{le=\"1024\"} 1"),
            "{text}"
        );
        assert!(
            text.contains("daka_tests_wait_seconds_bucket{le=\"0.025\"} 1"),
            "{text}"
        );
    }

    #[test]
    fn installing_again_gives_the_same_metrics() {
        let first = Metrics::install();
        let second = Metrics::install();
        metrics::counter!("daka.tests.again").increment(1);
        assert!(first.render().contains("daka_tests_again_total 1"));
        assert!(second.render().contains("daka_tests_again_total 1"));
    }

    #[tokio::test]
    async fn upkeep_ends_with_the_process() {
        let shutdown = CancellationToken::new();
        let upkeep = tokio::spawn(Metrics::install().keep_up(shutdown.clone()));
        shutdown.cancel();
        upkeep.await.unwrap();
    }
}
