//! How the process stands: alive, ready, and what it counts.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use futures::future::{BoxFuture, join_all};
use serde::Serialize;
use telemetry::Metrics;

/// How long a check may take before it counts as failed.
const PATIENCE: Duration = Duration::from_secs(2);

/// How one thing stands that the process needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "status", rename_all = "lowercase")]
pub enum Standing {
    /// It answers.
    Ok,
    /// It does not, and the process goes on with less.
    Degraded {
        /// What is missing.
        reason: String,
    },
    /// It does not, and requests that need it fail.
    Unavailable {
        /// Why.
        reason: String,
    },
}

/// A check with its name.
pub struct Check {
    name: &'static str,
    check: Box<dyn Fn() -> BoxFuture<'static, Standing> + Send + Sync>,
}

impl Check {
    /// A check.
    pub fn new(
        name: &'static str,
        check: impl Fn() -> BoxFuture<'static, Standing> + Send + Sync + 'static,
    ) -> Self {
        Self {
            name,
            check: Box::new(check),
        }
    }
}

#[derive(Serialize)]
struct Ready {
    status: &'static str,
    checks: serde_json::Map<String, serde_json::Value>,
}

/// `/health/live`, `/health/ready` and `/metrics`.
pub fn routes(checks: Vec<Check>, metrics: Metrics) -> Router {
    Router::new()
        .route(
            "/health/live",
            get(|| async { Json(serde_json::json!({ "status": "ok" })) }),
        )
        .route("/health/ready", get(ready).with_state(Arc::new(checks)))
        .route("/metrics", get(exposition).with_state(metrics))
}

async fn exposition(State(metrics): State<Metrics>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, Metrics::CONTENT_TYPE)], metrics.render())
}

async fn ready(State(checks): State<Arc<Vec<Check>>>) -> Response {
    let standings = join_all(checks.iter().map(|check| async {
        let judged = tokio::time::timeout(PATIENCE, (check.check)()).await;
        let late = || Standing::Unavailable {
            reason: "does not answer in time".to_owned(),
        };
        (check.name, judged.unwrap_or_else(|_| late()))
    }))
    .await;
    let worst = standings
        .iter()
        .map(|(_, standing)| standing)
        .fold("ok", |worst, standing| match standing {
            Standing::Ok => worst,
            Standing::Degraded { .. } if worst == "ok" => "degraded",
            Standing::Degraded { .. } => worst,
            Standing::Unavailable { .. } => "unavailable",
        });
    let checks = standings
        .into_iter()
        .map(|(name, standing)| {
            (
                name.to_owned(),
                serde_json::to_value(standing).unwrap_or_default(),
            )
        })
        .collect();
    let status = if worst == "unavailable" {
        StatusCode::SERVICE_UNAVAILABLE
    } else {
        StatusCode::OK
    };
    (
        status,
        Json(Ready {
            status: worst,
            checks,
        }),
    )
        .into_response()
}

/// The checks of the stores.
pub fn of_stores(stores: &crate::stores::Stores) -> Vec<Check> {
    let (documents, relations) = (stores.documents.clone(), stores.relations.clone());
    let (cache, bus) = (stores.cache.clone(), stores.bus.clone());
    vec![
        Check::new("documents", move || {
            let documents = documents.clone();
            Box::pin(async move { needed(documents.ping().await) })
        }),
        Check::new("relations", move || {
            let relations = relations.clone();
            Box::pin(async move { needed(relations.ping().await) })
        }),
        Check::new("cache", move || {
            let cache = cache.clone();
            Box::pin(async move { of_cache(cache.health().await) })
        }),
        Check::new("bus", move || {
            let bus = bus.clone();
            Box::pin(async move {
                match bus.health().await {
                    events::Health::Ok => Standing::Ok,
                    events::Health::Degraded(reason) => Standing::Degraded { reason },
                }
            })
        }),
    ]
}

/// The check of a cache.
pub fn of_cache(health: cache::Health) -> Standing {
    match health {
        cache::Health::Ok => Standing::Ok,
        cache::Health::Degraded(reason) => Standing::Degraded { reason },
    }
}

fn needed<E: std::fmt::Display>(pinged: Result<(), E>) -> Standing {
    match pinged {
        Ok(()) => Standing::Ok,
        Err(error) => Standing::Unavailable {
            reason: error.to_string(),
        },
    }
}
