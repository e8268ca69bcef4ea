//! The federation router: serves a supergraph's API, and asks its subgraphs over HTTP or in this process.
//!
//! [`Engine`] is one loaded supergraph. [`Engine::prepare`] makes an operation ready (parsed, validated, planned), and
//! [`Engine::execute_prepared`] runs it; [`http::service`] serves both as GraphQL over HTTP, and [`rest`] as resources.

mod authorization;
mod buffers;
mod config;
mod context;
mod cors;
mod cost;
mod demand;
mod documents;
mod engine;
mod error;
mod execution;
mod header_rules;
pub mod http;
mod introspection;
mod limits;
mod metrics;
mod overrides;
mod persisted;
mod plan;
mod prepared;
mod rate_limit;
mod response;
mod response_cache;
pub mod rest;
mod schema;
mod selection;
mod transport;
mod variables;

pub use apollo_compiler;
pub use buffers::{Buffers, Held};
pub use config::{
    Allowance, Allowed, Batching, BreakerConfig, ByCaller, CacheConfig, Coding, CompressionConfig, Cors,
    DemandConfig, DemandMode, ErrorsConfig, EventsConfig, EventsProtocol, ForwardedHeader, HeaderMatch,
    HeaderMerge, HeaderRuleError, HeaderRules, InvalidationConfig, Limits, Network, OverridesConfig,
    PersistedConfig, Propagate, RateLimitConfig, RequestShare, ResponseCacheConfig, ResponseCacheError,
    RouterConfig, Safelist, ShowCost, SubgraphConfig, SubscriptionsConfig,
};
pub use context::{Anonymous, AuthError, Authenticator, ClientInfo, PrincipalSealer, RequestContext};
pub use documents::document_id;
pub use engine::{Engine, EngineHandle, GraphQlRequest, Subscription, SubscriptionEvent};
pub use error::{Code, GraphQlError, Location, PathSegment};
pub use execution::later::Later;
pub use header_rules::ResponseHeaders;
pub use metrics::{METRICS, Metric, describe_metrics};
pub use persisted::{ManifestError, PersistedOperations};
pub use prepared::{OperationKind, Prepared};
pub use rate_limit::{RateStanding, client_address};
pub use response::Response;
pub use response_cache::{CacheControl, Invalidation, InvalidationError, Invalidator};
pub use schema::{LoadError, SubgraphInfo};
pub use transport::{
    HttpPool, HttpSubgraph, InProcessSchema, RequestInfo, TextSubgraph, Tracer, Transport, Transports,
};
