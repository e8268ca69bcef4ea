//! The router's configuration: limits, subgraphs, caches, CORS.

mod callers;
mod compression;
mod demand;
mod errors;
mod headers;
mod overrides;
mod rate_limit;
mod response_cache;
mod subscriptions;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use callers::ByCaller;
pub use compression::{Coding, CompressionConfig};
pub use demand::{DemandConfig, DemandMode, ShowCost};
pub use errors::ErrorsConfig;
pub use headers::{HeaderMatch, HeaderMerge, HeaderRuleError, HeaderRules, Propagate};
pub(crate) use overrides::ALL_REQUESTS;
pub use overrides::{OverridesConfig, RequestShare};
pub use rate_limit::{Allowance, ForwardedHeader, Network, RateLimitConfig};
pub(crate) use response_cache::LONGEST_S;
pub use response_cache::{InvalidationConfig, ResponseCacheConfig, ResponseCacheError};
pub use subscriptions::{EventsConfig, EventsProtocol, SubscriptionsConfig};

/// Everything about the router that an operator may set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RouterConfig {
    /// What a request may be at most.
    pub limits: Limits,
    /// Who may ask for `__schema` and `__type`.
    pub introspection: ByCaller<bool>,
    /// Milliseconds after which a request is answered with what is there.
    pub request_timeout_ms: u64,
    /// Milliseconds between two looks at the supergraph, the configuration and the manifests of a router that stands
    /// alone: what has changed takes over while requests go on. It also looks when one of the files is written. 0: only
    /// on SIGHUP.
    pub reload_ms: u64,
    /// What holds for every subgraph that `subgraphs` does not name.
    pub all_subgraphs: SubgraphConfig,
    /// By subgraph name; an entry replaces `all_subgraphs` as a whole.
    pub subgraphs: BTreeMap<String, SubgraphConfig>,
    /// How many documents stay prepared.
    pub cache: CacheConfig,
    /// Operations that clients name instead of sending their text.
    pub persisted: PersistedConfig,
    /// Whether one body may hold several requests.
    pub batching: Batching,
    /// What clients may hold open.
    pub subscriptions: SubscriptionsConfig,
    /// Whether what subgraphs answered is kept.
    pub response_cache: ResponseCacheConfig,
    /// Which web pages of other origins may ask.
    pub cors: Cors,
    /// What operations may cost.
    pub demand: DemandConfig,
    /// How much each caller may ask for in a time.
    pub rate_limit: RateLimitConfig,
    /// Which labels of progressive `@override` are on.
    #[serde(rename = "override")]
    pub overrides: OverridesConfig,
}

/// What a request may be at most; each is refused with a clear error when passed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Bytes of a request body, or of a query string.
    pub max_body_bytes: usize,
    /// Lexical tokens of a document.
    pub max_tokens: usize,
    /// Nesting of fields, fragments followed.
    pub max_depth: usize,
    /// Aliased fields, fragments followed.
    pub max_aliases: usize,
    /// Fields at the root, fragments followed.
    pub max_root_fields: usize,
    /// Fields altogether after fragments are put in their places.
    pub max_fields: usize,
    /// Milliseconds that planning one operation may take.
    pub max_planning_ms: u64,
    /// Entries of `errors` in one response; the rest is left out.
    pub max_errors: usize,
}

/// How one subgraph is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SubgraphConfig {
    /// Where it is, instead of the address in the supergraph.
    pub url: Option<String>,
    /// Milliseconds for one call.
    pub timeout_ms: u64,
    /// Bytes of one answer.
    pub max_response_bytes: usize,
    /// How often a read is sent again at once after the connection failed or the subgraph said that it is busy;
    /// where much fails, less often. What changes something is never sent twice.
    pub retries: u32,
    /// Whether equal reads that are under way at the same time are sent once, over HTTP: same operation, same
    /// variables, same headers passed on, same caller, and no mutation by this router in between.
    pub dedupe: bool,
    /// Calls that it gets at once, over HTTP; others wait. 0: as many as there are.
    pub max_concurrent: usize,
    /// When it is left alone for a while, over HTTP.
    pub breaker: BreakerConfig,
    /// What is compressed between the router and it, over HTTP.
    pub compression: CompressionConfig,
    /// Which of the client's headers are passed on, and what is added.
    pub headers: HeaderRules,
    /// Which headers of its answers the client gets, and what is added.
    pub response_headers: HeaderRules,
    /// Whether it is handed the principal, sealed: only for subgraphs of one's own.
    pub principal: bool,
    /// What clients see of its errors.
    pub errors: ErrorsConfig,
    /// How it is asked for events.
    pub subscription: EventsConfig,
}

/// When a subgraph is left alone for a while: what asks it meanwhile fails at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BreakerConfig {
    /// After so many failures in a row: no connection, no answer in time, or a status of 500 or more. 0: never.
    pub failures: u32,
    /// Milliseconds until one call finds out whether it is well.
    pub pause_ms: u64,
}

/// How many documents stay prepared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CacheConfig {
    /// Documents, parsed, validated and planned.
    pub documents: u64,
}

/// Whether one body may hold several requests, as an array.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Batching {
    /// Whether arrays are taken.
    pub enabled: bool,
    /// Requests of one array.
    pub max_requests: usize,
}

/// Operations that clients name instead of sending their text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PersistedConfig {
    /// Files with operations by id, in Apollo's or Relay's form.
    pub manifests: Vec<PathBuf>,
    /// Whether clients may register texts by their hash: Apollo's automatic persisted queries.
    pub automatic: bool,
    /// What each kind of caller may ask.
    pub safelist: Safelist,
}

/// What each kind of caller may ask. Endpoints of REST are always theirs to ask.
pub type Safelist = ByCaller<Allowed>;

/// Which operations somebody may ask.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Allowed {
    /// Any.
    #[default]
    Any,
    /// Those of the manifests, by id or by their exact text.
    Known,
    /// Those of the manifests, by id.
    Ids,
}

/// Which web pages of other origins may ask.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Cors {
    /// Origins such as `https://app.example.com`; `*` alone for every one, without credentials.
    pub origins: Vec<String>,
    /// Whether cookies and authorisation may come along.
    pub credentials: bool,
}

impl RouterConfig {
    /// What holds for one subgraph.
    pub fn subgraph(&self, name: &str) -> &SubgraphConfig {
        self.subgraphs.get(name).unwrap_or(&self.all_subgraphs)
    }

    /// The same as the platform runs it where nothing else is set: with limits on costs and rates.
    #[must_use]
    pub fn for_platform(mut self) -> Self {
        self.demand.mode.get_or_insert(DemandMode::Enforce);
        self.rate_limit.enabled.get_or_insert(true);
        self.response_cache.tell_clients.get_or_insert(false);
        self
    }

    /// Whether it is of interest what operations cost.
    pub(crate) fn counts_costs(&self) -> bool {
        self.demand.mode() != DemandMode::Off || self.rate_limit.is_enabled()
    }

    /// After which time a request is answered with what is there.
    pub fn request_timeout(&self) -> Duration {
        Duration::from_millis(self.request_timeout_ms)
    }
}

impl SubgraphConfig {
    /// How long one call may take.
    pub fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }
}

impl Default for RouterConfig {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            introspection: ByCaller::all(true),
            request_timeout_ms: 30_000,
            reload_ms: 2_000,
            all_subgraphs: SubgraphConfig::default(),
            subgraphs: BTreeMap::new(),
            cache: CacheConfig::default(),
            persisted: PersistedConfig::default(),
            batching: Batching::default(),
            subscriptions: SubscriptionsConfig::default(),
            response_cache: ResponseCacheConfig::default(),
            cors: Cors::default(),
            demand: DemandConfig::default(),
            rate_limit: RateLimitConfig::default(),
            overrides: OverridesConfig::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_body_bytes: 1 << 20,
            max_tokens: 20_000,
            max_depth: 30,
            max_aliases: 200,
            max_root_fields: 100,
            max_fields: 20_000,
            max_planning_ms: 5_000,
            max_errors: 1_000,
        }
    }
}

impl Default for SubgraphConfig {
    fn default() -> Self {
        Self {
            url: None,
            timeout_ms: 15_000,
            max_response_bytes: 32 << 20,
            retries: 1,
            dedupe: true,
            max_concurrent: 0,
            breaker: BreakerConfig::default(),
            compression: CompressionConfig::default(),
            headers: HeaderRules::default(),
            response_headers: HeaderRules::default(),
            principal: false,
            errors: ErrorsConfig::default(),
            subscription: EventsConfig::default(),
        }
    }
}

impl Default for Batching {
    fn default() -> Self {
        Self {
            enabled: false,
            max_requests: 10,
        }
    }
}

impl Default for BreakerConfig {
    fn default() -> Self {
        Self {
            failures: 20,
            pause_ms: 1_000,
        }
    }
}

impl Default for PersistedConfig {
    fn default() -> Self {
        Self {
            manifests: Vec::new(),
            automatic: true,
            safelist: Safelist::default(),
        }
    }
}

impl Default for CacheConfig {
    fn default() -> Self {
        Self { documents: 1_000 }
    }
}
