//! What the program counts beside the router, and what all metrics mean to whoever reads them.

use metrics::Unit;
use telemetry::{Guard, InitError, TelemetryConfig};
use tokio_util::sync::CancellationToken;

/// Requests that were refused because the server has taken on enough, by `http.response.status_code`.
pub(crate) const REFUSED_REQUESTS: &str = "router.refused_requests";
/// Supergraphs and configurations that took another one's place, by `outcome`.
pub(crate) const RELOADS: &str = "router.reloads";
/// Events that wait for a consumer group.
pub(crate) const EVENTS_WAITING: &str = "daka.events.waiting";
/// Events that a consumer group gave up on.
pub(crate) const EVENTS_DEAD: &str = "daka.events.dead";

/// Sets up telemetry for the process: [`telemetry::init`].
///
/// # Errors
/// Its.
pub(crate) fn init(
    config: &TelemetryConfig,
    service: &str,
    shutdown: &CancellationToken,
) -> Result<Guard, InitError> {
    let guard = telemetry::init(config, service, shutdown)?;
    describe();
    Ok(guard)
}

fn describe() {
    router::describe_metrics();
    metrics::describe_counter!(
        REFUSED_REQUESTS,
        Unit::Count,
        "Requests that were refused because the server has taken on enough, by `http.response.status_code`."
    );
    metrics::describe_counter!(
        RELOADS,
        Unit::Count,
        "Supergraphs and configurations that were to take over, by `outcome`: `ok`, or `refused` if they do not hold."
    );
    metrics::describe_gauge!(
        EVENTS_WAITING,
        Unit::Count,
        "Events that a consumer group has not handled yet, by `messaging.consumer.group.name`."
    );
    metrics::describe_gauge!(
        EVENTS_DEAD,
        Unit::Count,
        "Events that a consumer group gave up on, by `messaging.consumer.group.name`."
    );
}
