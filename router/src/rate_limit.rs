//! How much each caller may ask for in a time: a token bucket for each, charged with the estimated cost before an
//! operation runs, which gets back what the answer was not worth.
//!
//! The buckets are in the cache, where all routers share them. While its server is away each router has buckets of its own.

mod address;
pub(crate) mod field;

use std::net::IpAddr;
use std::time::Duration;

use cache::{Bucket, Cache, Spend};
use futures::FutureExt;
use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use kernel::{Actor, Clock, ErrorCode, Principal};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::config::{ByCaller, RateLimitConfig};
use crate::context::RequestContext;
use crate::error::GraphQlError;
use crate::metrics::RATE_LIMITED;

pub use address::client_address;

/// `RateLimit` of <https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/> (10).
pub(crate) const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
/// `RateLimit-Policy` of the same.
pub(crate) const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// The names of the kinds of callers.
const KINDS: ByCaller<&str> = ByCaller {
    anonymous: "anonymous",
    people: "people",
    apps: "apps",
    staff: "staff",
};

/// Charges callers.
#[derive(Clone)]
pub(crate) struct RateLimiter {
    cache: Cache,
    clock: Clock,
    config: RateLimitConfig,
}

/// How a caller's bucket stands after a charge.
#[derive(Debug, Clone, PartialEq)]
pub struct RateStanding {
    kind: &'static str,
    bucket: Bucket,
    /// What a full bucket holds.
    pub limit: u64,
    /// What was charged.
    pub cost: u64,
    /// What it holds now, rounded down.
    pub remaining: u64,
    /// How long until it is full.
    pub reset: Duration,
    /// When that will be.
    pub reset_at: Timestamp,
}

/// What an operation was charged. If it is dropped, because the client went away, the charge stands.
pub(crate) struct Charge {
    cache: Cache,
    key: String,
    spent: Spend,
    pub(crate) standing: RateStanding,
}

/// A request that is not charged because the bucket does not hold enough.
pub(crate) struct Exceeded {
    pub(crate) error: GraphQlError,
    pub(crate) standing: RateStanding,
}

impl RateLimiter {
    pub(crate) fn new(cache: Cache, clock: Clock, config: RateLimitConfig) -> Self {
        Self { cache, clock, config }
    }

    /// Charges for an operation. `None` for callers without a limit.
    pub(crate) async fn charge(
        &self,
        principal: &Principal,
        address: Option<IpAddr>,
        cost: u64,
    ) -> Result<Option<Charge>, Box<Exceeded>> {
        let allowance = self.config.allowance.of(principal);
        let Some(allowance) = allowance.filter(|allowance| allowance.capacity > 0) else {
            return Ok(None);
        };
        let kind = KINDS.of(principal).copied().unwrap_or_default();
        let bucket = Bucket {
            capacity: allowance.capacity as f64,
            refill_per_second: allowance.per_minute as f64 / 60.0,
        };
        let key = key(kind, principal, address);
        let spent = match self.cache.try_spend(&key, cost as f64, bucket).await {
            Ok(spent) => spent,
            Err(error) => {
                // A limit that cannot be judged is nobody's fault.
                tracing::error!(%error, "a rate limit is not judged");
                return Ok(None);
            }
        };
        let standing = self.standing(kind, bucket, cost, &spent);
        if spent.allowed {
            return Ok(Some(Charge {
                cache: self.cache.clone(),
                key,
                spent,
                standing,
            }));
        }
        metrics::counter!(RATE_LIMITED, "caller" => kind).increment(1);
        Err(Box::new(Exceeded {
            error: refusal(cost, allowance.capacity, spent.retry_after),
            standing,
        }))
    }

    /// Charges for a request that is refused for another reason; tells if it is refused because of its number, too.
    pub(crate) async fn charge_refusal(&self, context: &RequestContext) -> Option<Box<Exceeded>> {
        let address = context.client.address;
        let charged = self.charge(&context.principal, address, self.config.refusal_cost);
        charged.await.err()
    }

    /// Charges an address for a request of which is not known who sends it.
    pub(crate) async fn charge_stranger(&self, address: Option<IpAddr>) -> Option<Box<Exceeded>> {
        let nobody = Principal::anonymous();
        let charged = self.charge(&nobody, address, self.config.refusal_cost);
        charged.await.err()
    }

    /// Charges for having a document prepared.
    pub(crate) async fn charge_preparation(&self, context: &RequestContext) -> Result<(), Box<Exceeded>> {
        let address = context.client.address;
        let charged = self.charge(&context.principal, address, self.config.preparation_cost);
        charged.await.map(|_| ())
    }

    pub(crate) fn config(&self) -> &RateLimitConfig {
        &self.config
    }

    fn standing(&self, kind: &'static str, bucket: Bucket, cost: u64, spent: &Spend) -> RateStanding {
        let reset_at = self.clock.now().saturating_add(spent.reset);
        RateStanding {
            kind,
            bucket,
            limit: bucket.capacity as u64,
            cost,
            remaining: spent.remaining as u64,
            reset: spent.reset,
            reset_at: reset_at.unwrap_or(Timestamp::MAX),
        }
    }
}

impl Charge {
    /// Gives back what the answer was not worth. That goes on by itself: neither is the answer kept waiting, nor does it
    /// depend on whether the client waits for it.
    pub(crate) fn settle(mut self, actual: u64) -> RateStanding {
        let back = self.standing.cost.saturating_sub(actual);
        if back > 0 {
            let (cache, key, spent, bucket) = (self.cache, self.key, self.spent, self.standing.bucket);
            let mut giving = Box::pin(async move {
                if let Err(error) = cache.give_back(&key, back as f64, bucket, &spent).await {
                    tracing::warn!(%error, "what an answer was not worth is not given back");
                }
            });
            // In the memory of this process it is done now, and the next request finds it.
            if giving.as_mut().now_or_never().is_none() {
                tokio::spawn(giving);
            }
            self.standing.cost = actual;
            self.standing.give_back(back);
        }
        self.standing
    }
}

impl RateStanding {
    fn give_back(&mut self, back: u64) {
        self.remaining = self.remaining.saturating_add(back).min(self.limit);
        let missing = self.limit.saturating_sub(self.remaining) as f64;
        let reset = missing / self.bucket.refill_per_second;
        self.reset = Duration::try_from_secs_f64(reset).unwrap_or(self.reset);
    }

    /// Seconds until the bucket is full, rounded up.
    pub(crate) fn reset_seconds(&self) -> u64 {
        self.reset
            .as_millis()
            .div_ceil(1_000)
            .try_into()
            .unwrap_or(u64::MAX)
    }

    /// Adds the limit to what is shown of an operation's cost.
    pub(crate) fn show(&self, shown: &mut Map<String, Value>) {
        shown.insert("limit".to_owned(), self.limit.into());
        shown.insert("remaining".to_owned(), self.remaining.into());
        shown.insert("reset".to_owned(), self.reset_seconds().into());
    }

    /// Says how the bucket stands in the headers of an answer: `"people";q=100000;w=60` and `"people";r=99990;t=1`.
    pub(crate) fn write(&self, headers: &mut HeaderMap) {
        let Self { kind, limit, .. } = self;
        let window = (self.bucket.capacity / self.bucket.refill_per_second).ceil() as u64;
        let policy = format!("\"{kind}\";q={limit};w={window}");
        let standing = format!("\"{kind}\";r={};t={}", self.remaining, self.reset_seconds());
        for (name, value) in [(RATE_LIMIT_POLICY, policy), (RATE_LIMIT, standing)] {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(name, value);
            }
        }
    }
}

/// Which bucket a caller spends from. Apps that act for somebody have one beside that person's own.
fn key(kind: &str, principal: &Principal, address: Option<IpAddr>) -> String {
    match (&principal.actor, address) {
        (Actor::User { id, scopes, .. }, _) => {
            let owner = if scopes.is_some() { "app" } else { "user" };
            format!("router:rate:{owner}:{id}")
        }
        (Actor::External(external), _) => {
            // A subject may hold anything, and be as long as a token.
            let whole = format!("{}\n{}", external.issuer, external.subject);
            format!("router:rate:external:{}", hex::encode(Sha256::digest(whole)))
        }
        (_, Some(address)) => format!("router:rate:address:{}", address::owner(address)),
        (_, None) => format!("router:rate:{kind}"),
    }
}

fn refusal(cost: u64, capacity: u64, retry_after: Duration) -> GraphQlError {
    if cost > capacity {
        let message = format!("the operation costs {cost}; no more than {capacity} may be spent at once");
        let error = GraphQlError::new(ErrorCode::CostLimitExceeded, message);
        return error.with("cost", cost).with("limit", capacity);
    }
    let seconds = u64::try_from(retry_after.as_millis().div_ceil(1_000)).unwrap_or(u64::MAX);
    let message = format!("too much was asked for; try again in {seconds} s");
    let error = GraphQlError::new(ErrorCode::RateLimited, message);
    error.with("retryAfter", seconds.max(1)).with("limit", capacity)
}
