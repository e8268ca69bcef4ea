//! What a request brings beside its operation: who asks, until when, with which headers; and how that is judged.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use http::{HeaderMap, HeaderName, HeaderValue};
use kernel::{ErrorCode, Principal};
use tokio::time::Instant;

use crate::engine::GraphQlRequest;
use crate::error::GraphQlError;
use crate::rate_limit::RateStanding;

/// Who asks, until when, with which headers.
#[derive(Debug, Clone)]
pub struct RequestContext {
    /// Who asks.
    pub principal: Arc<Principal>,
    /// The client's headers; a subgraph gets those that its configuration names, and the trace headers.
    pub headers: HeaderMap,
    /// When the answer must be there; what is not there then is an error at its place.
    pub deadline: Option<Instant>,
    /// Which program asks, as it says itself.
    pub client: ClientInfo,
    /// Whether the answer is to say what it cost.
    pub asks_cost: bool,
    /// How the caller's rate limit stands with this operation charged.
    pub(crate) rate: Option<RateStanding>,
}

/// Which program asks, as it says itself, and from where.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientInfo {
    /// The address that it asks from, as far as trusted proxies say.
    pub address: Option<IpAddr>,
    /// `graphql-client-name`.
    pub name: Option<String>,
    /// `graphql-client-version`.
    pub version: Option<String>,
}

/// Judges credentials.
pub trait Authenticator: Send + Sync {
    /// Who sends these headers: [`Principal::anonymous`] if they carry no credentials.
    ///
    /// # Errors
    /// Credentials that are there and not good, or that cannot be judged now.
    fn authenticate<'a>(&'a self, headers: &'a HeaderMap) -> BoxFuture<'a, Result<Principal, AuthError>>;
}

/// Credentials that are not good, or that cannot be judged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct AuthError {
    /// [`ErrorCode::Unauthenticated`], or why they cannot be judged.
    pub code: ErrorCode,
    /// For people.
    pub message: String,
    /// Seconds after which the same request may succeed.
    pub retry_after: Option<u64>,
    /// What `WWW-Authenticate` says to whoever is not logged in (RFC 6750 §3).
    pub challenge: &'static str,
}

/// Takes everybody in as nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct Anonymous;

/// Seals the principal into a header for a subgraph that lives elsewhere.
pub trait PrincipalSealer: Send + Sync {
    /// The header for that subgraph; `None` if it gets none.
    fn seal(&self, principal: &Principal, subgraph: &str) -> Option<(HeaderName, HeaderValue)>;
}

impl RequestContext {
    /// A request of that principal with nothing else.
    pub fn new(principal: Arc<Principal>) -> Self {
        Self {
            principal,
            headers: HeaderMap::new(),
            deadline: None,
            client: ClientInfo::default(),
            asks_cost: false,
            rate: None,
        }
    }

    /// The same with the client's headers.
    #[must_use]
    pub fn with_headers(self, headers: HeaderMap) -> Self {
        let text = |name: &str| {
            headers
                .get(name)
                .and_then(|value| value.to_str().ok())
                .map(str::to_owned)
        };
        let client = ClientInfo {
            address: self.client.address,
            name: text("graphql-client-name"),
            version: text("graphql-client-version"),
        };
        Self {
            headers,
            client,
            ..self
        }
    }

    /// The same with the time in which the answer must be there, from now on.
    #[must_use]
    pub fn with_time_left(self, left: Duration) -> Self {
        Self {
            // What is too far away to be told is no limit.
            deadline: Instant::now().checked_add(left),
            ..self
        }
    }

    /// The same with the address that the client asks from.
    #[must_use]
    pub fn from_address(mut self, address: Option<IpAddr>) -> Self {
        self.client.address = address;
        self
    }

    /// The same with what one request wishes beside its operation: `"extensions": {"cost": true}`.
    #[must_use]
    pub fn with_wishes_of(self, request: &GraphQlRequest) -> Self {
        Self {
            asks_cost: request.extensions.get("cost") == Some(&serde_json::Value::Bool(true)),
            ..self
        }
    }

    /// The same with a time by which the answer must be there.
    #[must_use]
    pub fn with_deadline(self, deadline: Instant) -> Self {
        Self {
            deadline: Some(deadline),
            ..self
        }
    }
}

impl AuthError {
    /// Credentials that are there and not good.
    pub fn unauthenticated(message: impl Into<String>) -> Self {
        Self {
            code: ErrorCode::Unauthenticated,
            message: message.into(),
            retry_after: None,
            challenge: "Bearer error=\"invalid_token\"",
        }
    }

    /// No credentials where these are demanded.
    pub fn required(message: impl Into<String>) -> Self {
        Self {
            challenge: "Bearer",
            ..Self::unauthenticated(message)
        }
    }

    /// Credentials that nobody can judge now; seconds until somebody may.
    pub fn unavailable(message: impl Into<String>, retry_after: u64) -> Self {
        Self {
            code: ErrorCode::ServiceUnavailable,
            retry_after: Some(retry_after),
            ..Self::unauthenticated(message)
        }
    }
}

impl From<GraphQlError> for AuthError {
    fn from(error: GraphQlError) -> Self {
        let code = error.code().and_then(ErrorCode::parse);
        Self {
            code: code.unwrap_or(ErrorCode::RateLimited),
            retry_after: error.extensions.get("retryAfter").and_then(|it| it.as_u64()),
            ..Self::unauthenticated(error.message)
        }
    }
}

impl Authenticator for Anonymous {
    fn authenticate<'a>(&'a self, _: &'a HeaderMap) -> BoxFuture<'a, Result<Principal, AuthError>> {
        Box::pin(async { Ok(Principal::anonymous()) })
    }
}
