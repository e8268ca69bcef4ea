//! The platform in this process, and people on it.

use axum::Router;
use axum::body::Body;
use docstore::DocStore;
use http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use kernel::{Clock, Random, UserId};
use platform::config::{Config, Layer};
use platform::embedded::Platform;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use crate::Failure;

/// Where the platform keeps its documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Backend {
    /// Files of the platform's own: the default.
    Sqlite,
    /// The shared servers of the tests: documents in MongoDB, cache and bus in Redis, as in production.
    Mongo,
}

/// The platform, ready to be called.
pub(crate) struct Stage {
    routes: Router,
    platform: Platform,
    shutdown: CancellationToken,
    pub(crate) clock: Clock,
    pub(crate) random: Random,
    _data: tempfile::TempDir,
}

impl Backend {
    /// All of them.
    pub(crate) const ALL: [Self; 2] = [Self::Sqlite, Self::Mongo];

    /// For people.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Mongo => "MongoDB",
        }
    }
}

/// A section of the configuration.
fn section<const N: usize>(name: &str, settings: [(&str, String); N]) -> (String, toml::Value) {
    let settings = settings.map(|(key, value)| (key.to_owned(), toml::Value::String(value)));
    (
        name.to_owned(),
        toml::Value::Table(settings.into_iter().collect()),
    )
}

/// Somebody who is logged in.
#[derive(Debug, Clone)]
pub(crate) struct Somebody {
    pub(crate) id: UserId,
    pub(crate) token: String,
}

impl Stage {
    /// Starts the platform with its defaults but for where things are kept, in a fresh folder or database.
    pub(crate) async fn set(backend: Backend) -> Result<Self, Failure> {
        let data = testkit::data_dir();
        let mut table = toml::Table::new();
        table.insert(
            "data".to_owned(),
            toml::Value::String(data.path().to_string_lossy().into_owned()),
        );
        if backend == Backend::Mongo {
            let of_its_own = testkit::unique_name("bench");
            let store = [
                ("backend", "mongodb".to_owned()),
                ("url", testkit::servers::mongo_url()),
                ("database", of_its_own.clone()),
            ];
            let redis = [
                ("backend", "redis".to_owned()),
                ("url", testkit::servers::redis_url()),
                ("prefix", of_its_own),
            ];
            table.extend([
                section("store", store),
                section("cache", redis.clone()),
                section("bus", redis),
            ]);
        }
        // One person asks here as often as the machine can.
        let unlimited: toml::Table = "[rate_limit]\nenabled = false".parse()?;
        table.insert("router".to_owned(), toml::Value::Table(unlimited));
        let config = Config::load([Layer::new("the benchmark", table)])?;
        let (clock, random) = (Clock::system(), Random::from_os());
        let shutdown = CancellationToken::new();
        let metrics = telemetry::Metrics::install();
        let platform = Platform::start(&config, clock.clone(), random.clone(), metrics, &shutdown).await?;
        let routes = telemetry::http::observed(platform.routes.clone(), None);
        Ok(Self {
            routes,
            platform,
            shutdown,
            clock,
            random,
            _data: data,
        })
    }

    /// Stops what goes on beside requests.
    pub(crate) async fn end(self) {
        self.shutdown.cancel();
        self.platform.finish().await;
    }

    /// The documents.
    pub(crate) fn store(&self) -> &DocStore {
        &self.platform.stores.documents
    }

    /// Logs in as a sandbox user.
    pub(crate) async fn log_in(&self, name: &str) -> Result<Somebody, Failure> {
        let query = "mutation($code: String!) { login(code: $code) { accessToken user { id } } }";
        let data = self
            .graphql(None, query, json!({ "code": format!("sandbox:{name}") }))
            .await?;
        let text = |pointer: &str| data.pointer(pointer).and_then(Value::as_str).ok_or("no log-in");
        Ok(Somebody {
            id: text("/login/user/id")?.parse()?,
            token: text("/login/accessToken")?.to_owned(),
        })
    }

    /// Asks over GraphQL; errors in the answer fail.
    pub(crate) async fn graphql(
        &self,
        as_: Option<&Somebody>,
        query: &str,
        variables: Value,
    ) -> Result<Value, Failure> {
        let body = json!({ "query": query, "variables": variables }).to_string();
        let answer = self.call(as_, Method::POST, "/graphql", Some(body)).await?;
        let mut answer: Value = serde_json::from_slice(&answer)?;
        if answer.get("errors").is_some() {
            return Err(answer.to_string().into());
        }
        Ok(answer["data"].take())
    }

    /// Calls the platform; another status than 200 or 201 fails.
    pub(crate) async fn call(
        &self,
        as_: Option<&Somebody>,
        method: Method,
        path: &str,
        body: Option<String>,
    ) -> Result<bytes::Bytes, Failure> {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(somebody) = as_ {
            request = request.header(header::AUTHORIZATION, format!("Bearer {}", somebody.token));
        }
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let request = request.body(body.map_or_else(Body::empty, Body::from))?;
        let answer = self.routes.clone().oneshot(request).await?;
        let status = answer.status();
        let body = answer.into_body().collect().await?.to_bytes();
        if !matches!(status, StatusCode::OK | StatusCode::CREATED) {
            return Err(format!("{path} answers {status}: {}", String::from_utf8_lossy(&body)).into());
        }
        Ok(body)
    }
}
