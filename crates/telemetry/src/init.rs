//! Sets up logs, traces and metrics for the whole process.

use std::io::IsTerminal as _;
use std::time::Duration;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tracing::Subscriber;
use tracing_subscriber::filter::{EnvFilter, ParseError};
use tracing_subscriber::layer::{Layer, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};

use crate::{LogConfig, LogFormat, Metrics, OtlpConfig, TelemetryConfig};

/// What never becomes a span of a trace, whatever is configured: what the exporter itself does, or each export would
/// cause the next. A target stands for all that begin like it.
const EXPORTING: [&str; 5] = [
    "h2=off",
    "hyper=off",
    "opentelemetry=off",
    "reqwest=off",
    "rustls=off",
];

/// How long the last traces may take to be sent when the process ends.
const FLUSH: Duration = Duration::from_secs(5);

/// Why telemetry could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// A filter of the configuration cannot be read.
    #[error("{key} `{filter}` is not a filter: {error}")]
    Filter {
        /// Its key.
        key: &'static str,
        /// What was configured.
        filter: String,
        /// What is wrong with it.
        error: ParseError,
    },
    /// The share of traces is not between 0 and 1.
    #[error("otlp.sample_ratio is {0}, but has to be from 0 to 1")]
    SampleRatio(f64),
    /// The collector's address or headers cannot be used.
    #[error("otlp: {0}")]
    Exporter(#[from] ExporterBuildError),
    /// Telemetry is set up once in a process.
    #[error("logs are set up already: {0}")]
    Twice(#[from] TryInitError),
    /// Called outside of a Tokio runtime.
    #[error("telemetry is set up inside a Tokio runtime")]
    NoRuntime,
}

/// Sets up logs (on standard error), traces and metrics for the whole process. `service` is what the process goes by,
/// e.g. `daka-router`, unless the configuration names it. Keep the guard to the end of `main`. What runs in the
/// background ends with `shutdown`.
///
/// # Errors
/// When the configuration cannot be used, when there is no Tokio runtime, or when it was called before.
pub fn init(
    config: &TelemetryConfig,
    service: &str,
    shutdown: &CancellationToken,
) -> Result<Guard, InitError> {
    let runtime = Handle::try_current().map_err(|_| InitError::NoRuntime)?;
    let tracer_provider = tracer_provider(&config.otlp, service)?;
    subscriber(config, tracer_provider.as_ref())?.try_init()?;
    let metrics = Metrics::install();
    runtime.spawn(metrics.clone().keep_up(shutdown.clone()));
    Ok(Guard {
        metrics,
        tracer_provider,
    })
}

/// Keeps telemetry going. Dropping it sends the traces that are still waiting, for at most five seconds; it blocks
/// meanwhile, so drop it last.
#[derive(Debug)]
pub struct Guard {
    metrics: Metrics,
    tracer_provider: Option<SdkTracerProvider>,
}

impl Guard {
    /// The metrics of this process.
    pub fn metrics(&self) -> Metrics {
        self.metrics.clone()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(Err(error)) = self
            .tracer_provider
            .take()
            .map(|provider| provider.shutdown_with_timeout(FLUSH))
        {
            tracing::warn!(%error, "the last traces were not sent");
        }
    }
}

/// What hears of spans and events. Without traces it hears only what is logged: other spans cost nothing then.
fn subscriber(
    config: &TelemetryConfig,
    tracer_provider: Option<&SdkTracerProvider>,
) -> Result<Box<dyn Subscriber + Send + Sync>, InitError> {
    let registry = tracing_subscriber::registry().with(logs(&config.log)?);
    let Some(provider) = tracer_provider else {
        return Ok(Box::new(registry));
    };
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("daka"));
    let layer = layer.with_filter(traced(&config.otlp.filter)?);
    Ok(Box::new(registry.with(layer)))
}

/// What becomes a span of a trace.
fn traced(filter: &str) -> Result<EnvFilter, InitError> {
    let exporting = EXPORTING.iter().filter_map(|directive| directive.parse().ok());
    Ok(exporting.fold(parsed("otlp.filter", filter)?, EnvFilter::add_directive))
}

fn parsed(key: &'static str, filter: &str) -> Result<EnvFilter, InitError> {
    EnvFilter::builder()
        .parse(filter)
        .map_err(|error| InitError::Filter {
            key,
            filter: filter.to_owned(),
            error,
        })
}

/// The layer that writes logs.
fn logs<S>(config: &LogConfig) -> Result<impl Layer<S> + use<S>, InitError>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let filter = parsed("log.filter", &config.filter)?;
    // Not on standard output: that is for what a command was asked for.
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let layer = match config.format {
        LogFormat::Pretty => layer.with_ansi(std::io::stderr().is_terminal()).boxed(),
        LogFormat::Json => layer.json().flatten_event(true).with_span_list(false).boxed(),
    };
    Ok(layer.with_filter(filter))
}

/// What makes traces and sends them, when there is somewhere to send them to.
fn tracer_provider(config: &OtlpConfig, service: &str) -> Result<Option<SdkTracerProvider>, InitError> {
    let ratio = config.sample_ratio;
    if !(0.0..=1.0).contains(&ratio) {
        return Err(InitError::SampleRatio(ratio));
    }
    let Some(endpoint) = &config.endpoint else {
        return Ok(None);
    };
    // OTLP specification, "OTLP/HTTP Request": the signal's path follows the base URL.
    let endpoint = format!("{}/v1/traces", endpoint.trim_end_matches('/'));
    let headers = config
        .headers
        .iter()
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let exporter = SpanExporter::builder()
        .with_http()
        .with_endpoint(endpoint)
        .with_headers(headers)
        .build()?;
    let name = config.service_name.as_deref().unwrap_or(service).to_owned();
    let provider = SdkTracerProvider::builder()
        .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(ratio))))
        .with_resource(Resource::builder().with_service_name(name).build())
        .with_batch_exporter(exporter)
        .build();
    Ok(Some(provider))
}

#[cfg(test)]
mod tests {
    use tracing::level_filters::LevelFilter;

    use super::*;

    #[test]
    fn a_wrong_filter_is_named() {
        let config = LogConfig {
            filter: "events=loud".to_owned(),
            ..LogConfig::default()
        };
        let error = logs::<tracing_subscriber::Registry>(&config).err().unwrap();
        assert!(
            error
                .to_string()
                .starts_with("log.filter `events=loud` is not a filter"),
            "{error}"
        );
    }

    #[test]
    fn a_share_of_traces_is_from_nothing_to_all() {
        for ratio in [-0.1, 1.1, f64::NAN] {
            let config = OtlpConfig {
                sample_ratio: ratio,
                ..OtlpConfig::default()
            };
            assert!(matches!(
                tracer_provider(&config, "daka"),
                Err(InitError::SampleRatio(_))
            ));
        }
        assert!(tracer_provider(&OtlpConfig::default(), "daka").unwrap().is_none());
    }

    #[test]
    fn a_wrong_endpoint_is_refused() {
        let config = OtlpConfig {
            endpoint: Some("http://not a url".to_owned()),
            ..OtlpConfig::default()
        };
        assert!(matches!(
            tracer_provider(&config, "daka"),
            Err(InitError::Exporter(_))
        ));
    }

    #[test]
    fn a_wrong_filter_of_traces_is_named() {
        let error = traced("events=loud").err().unwrap().to_string();
        assert!(
            error.starts_with("otlp.filter `events=loud` is not a filter"),
            "{error}"
        );
    }

    #[test]
    fn spans_of_stores_are_traced_and_cost_nothing_without_traces() {
        let config = TelemetryConfig::default();
        let level = |provider| subscriber(&config, provider).unwrap().max_level_hint();
        assert_eq!(level(None), Some(LevelFilter::INFO));
        assert_eq!(
            level(Some(&SdkTracerProvider::default())),
            Some(LevelFilter::DEBUG)
        );
    }

    #[test]
    fn what_the_exporter_does_is_never_traced() {
        let filter = traced("trace,hyper=trace").unwrap().to_string();
        let directives: Vec<&str> = filter.split(',').collect();
        assert!(!directives.contains(&"hyper=trace"), "{filter}");
        for directive in EXPORTING.iter().chain(&["trace"]) {
            assert!(directives.contains(directive), "{filter}");
        }
    }
}
