//! What a running process tells of itself: structured logs, traces over OTLP, and metrics for Prometheus.

pub mod http;
pub mod propagation;

mod config;
mod init;
mod metrics;

pub use config::{LogConfig, LogFormat, OtlpConfig, TelemetryConfig};
pub use init::{Guard, InitError, init};
pub use metrics::Metrics;
