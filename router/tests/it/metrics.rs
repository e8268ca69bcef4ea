//! What operators read of the metrics.

use router::METRICS;

#[test]
fn every_metric_stands_in_the_documentation_with_what_it_counts() {
    let page = include_str!("../../../docs/telemetry.md");
    for metric in METRICS {
        let row = format!(
            "| `{}` | {} | {} |",
            metric.prometheus_name(),
            metric.kind,
            metric.meaning()
        );
        assert!(
            page.lines().any(|line| line == row),
            "docs/telemetry.md lacks\n{row}"
        );
    }
}
