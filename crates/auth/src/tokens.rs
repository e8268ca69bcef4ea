//! Tokens of other issuers (RFC 7519): who sends one, by the issuer's published keys.

mod config;

use std::sync::Arc;

use jiff::Timestamp;
use jsonwebtoken::Algorithm;
use kernel::{Actor, Clock, External};
use serde::Deserialize;
use serde_json::{Map, Value};

pub use config::{IssuerConfig, JwtConfig, JwtConfigError};

use crate::jwt::{self, Unverified};
use crate::key_set::KeySet;
use crate::{PublishedKeys, TokenError};

/// Bytes of verified tokens that are remembered, with what they say.
const REMEMBERED: u64 = 16 << 20;

/// Judges tokens of the issuers that are trusted.
pub struct Tokens {
    issuers: Vec<TrustedIssuer>,
    leeway: f64,
    verified: moka::sync::Cache<Arc<str>, Arc<Verified>>,
}

struct TrustedIssuer {
    config: IssuerConfig,
    algorithms: Vec<Algorithm>,
    keys: Arc<PublishedKeys>,
}

/// What a token said when its signature was found good.
struct Verified {
    /// The number of the key set by which it was.
    set: u64,
    issuer: usize,
    not_before: f64,
    expires_at: f64,
    caller: Arc<External>,
}

#[derive(Deserialize)]
struct Registered {
    iss: String,
    #[serde(default)]
    aud: Option<OneOrMore>,
    sub: Option<String>,
    client_id: Option<String>,
    azp: Option<String>,
    /// Seconds, perhaps with a fraction (RFC 7519 §2).
    exp: f64,
    nbf: Option<f64>,
}

/// As audiences are written (RFC 7519 §4.1.3).
#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl Tokens {
    /// Trusts the configured issuers, whose keys are looked up with that client.
    ///
    /// # Errors
    /// Settings that cannot work, by their keys.
    pub fn new(config: &JwtConfig, client: &reqwest::Client, clock: &Clock) -> Result<Self, JwtConfigError> {
        config.check()?;
        let issuers = config.issuers.iter().map(|issuer| TrustedIssuer {
            keys: PublishedKeys::new(issuer.location(), client.clone(), clock.clone()),
            algorithms: issuer.algorithms(),
            config: issuer.clone(),
        });
        let weight = |token: &Arc<str>, _: &Arc<Verified>| u32::try_from(token.len() * 3).unwrap_or(u32::MAX);
        Ok(Self {
            issuers: issuers.collect(),
            leeway: config.leeway_s as f64,
            verified: moka::sync::Cache::builder()
                .max_capacity(REMEMBERED)
                .weigher(weight)
                .build(),
        })
    }

    /// The issuers' keys, each to be followed as long as tokens are judged.
    pub fn keys(&self) -> impl Iterator<Item = &Arc<PublishedKeys>> {
        self.issuers.iter().map(|issuer| &issuer.keys)
    }

    /// Who sends that token, if it is good at `now`.
    ///
    /// # Errors
    /// [`TokenError::Unjudged`] where nobody can say now, or the first reason found not to accept it.
    pub async fn judge(&self, token: &str, now: Timestamp) -> Result<Actor, TokenError> {
        // Before the look-up, which reads all of it.
        if token.len() > jwt::MAX_TOKEN_BYTES {
            return Err(TokenError::Malformed);
        }
        let remembered = self.verified.get(token);
        let place = match &remembered {
            Some(verified) => verified.issuer,
            None => self.issuer_of(token)?,
        };
        let issuer = self.issuers.get(place).ok_or(TokenError::WrongIssuer)?;
        let check = |set: &KeySet| match &remembered {
            Some(verified) if verified.set == set.number() => Ok(verified.clone()),
            _ => {
                let verified = Arc::new(issuer.verify(token, set, place)?);
                self.verified.insert(token.into(), verified.clone());
                Ok(verified)
            }
        };
        let verified = issuer.keys.judge(token, check).await?;
        let now = now.as_millisecond() as f64 / 1e3;
        if verified.not_before > now + self.leeway {
            return Err(TokenError::NotYetValid);
        }
        if now >= verified.expires_at + self.leeway {
            return Err(TokenError::Expired);
        }
        Ok(Actor::External(verified.caller.clone()))
    }

    /// Whom the token claims to be of: that decides by whose keys it is judged.
    fn issuer_of(&self, token: &str) -> Result<usize, TokenError> {
        #[derive(Deserialize)]
        struct Claimed {
            iss: String,
        }
        let payload = Unverified::read(token)?.payload()?;
        let claimed: Claimed = serde_json::from_slice(&payload).map_err(|_| TokenError::Malformed)?;
        let mut issuers = self.issuers.iter();
        let place = issuers.position(|issuer| issuer.config.issuer == claimed.iss);
        place.ok_or(TokenError::WrongIssuer)
    }
}

impl TrustedIssuer {
    /// Everything but the time.
    fn verify(&self, token: &str, set: &KeySet, place: usize) -> Result<Verified, TokenError> {
        let unverified = Unverified::read(token)?;
        let alg: Result<Algorithm, _> = unverified.alg.parse();
        if alg.is_ok_and(|alg| !self.algorithms.contains(&alg)) {
            return Err(TokenError::WrongAlgorithm);
        }
        set.verify(&unverified)?;
        if !unverified.typ.as_deref().is_none_or(is_for_access) {
            return Err(TokenError::WrongType);
        }
        let payload = unverified.payload()?;
        let malformed = |_| TokenError::Malformed;
        let registered: Registered = serde_json::from_slice(&payload).map_err(malformed)?;
        let claims: Map<String, Value> = serde_json::from_slice(&payload).map_err(malformed)?;
        if registered.iss != self.config.issuer {
            return Err(TokenError::WrongIssuer);
        }
        let audiences = registered
            .aud
            .as_ref()
            .map(OneOrMore::as_slice)
            .unwrap_or_default();
        let accepted = |expected: &String| expected == "*" || audiences.contains(expected);
        if !self.config.audiences.iter().any(accepted) {
            return Err(TokenError::WrongAudience);
        }
        let program = registered.client_id.or(registered.azp);
        // Who acts for nobody else is its own subject (RFC 9068 §2.2).
        let is_app = program.is_some() && (registered.sub.is_none() || registered.sub == program);
        let subject = registered.sub.or(program).ok_or(TokenError::Malformed)?;
        let names = |claim: &str| found(&claims, claim).map(names).unwrap_or_default();
        let scopes = self.config.scope_claims.iter().flat_map(|claim| names(claim));
        let permissions = self
            .config
            .permission_claims
            .iter()
            .flat_map(|claim| names(claim));
        let (scopes, permissions) = (scopes.collect(), permissions.collect());
        let caller = External {
            issuer: registered.iss,
            subject,
            is_app,
            scopes,
            permissions,
            claims,
        };
        Ok(Verified {
            set: set.number(),
            issuer: place,
            not_before: registered.nbf.unwrap_or(f64::NEG_INFINITY),
            expires_at: registered.exp,
            caller: Arc::new(caller),
        })
    }
}

impl OneOrMore {
    fn as_slice(&self) -> &[String] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::More(more) => more,
        }
    }
}

/// Whether a `typ` is that of a token for access: RFC 9068 §2.1, and what older issuers write.
fn is_for_access(typ: &str) -> bool {
    let typ = typ.to_ascii_lowercase();
    matches!(typ.strip_prefix("application/").unwrap_or(&typ), "at+jwt" | "jwt")
}

/// A claim by its name, or by a JSON pointer such as `/realm_access/roles`.
fn found<'c>(claims: &'c Map<String, Value>, claim: &str) -> Option<&'c Value> {
    let Some((first, rest)) = claim
        .strip_prefix('/')
        .map(|path| path.split_once('/').unwrap_or((path, "")))
    else {
        return claims.get(claim);
    };
    let outer = claims.get(&first.replace("~1", "/").replace("~0", "~"))?;
    match rest {
        "" => Some(outer),
        rest => outer.pointer(&format!("/{rest}")),
    }
}

/// The names in a claim: a list, or a text with spaces between them.
fn names(claim: &Value) -> Vec<String> {
    match claim {
        Value::String(text) => text.split_ascii_whitespace().map(str::to_owned).collect(),
        Value::Array(names) => names
            .iter()
            .filter_map(|name| name.as_str().map(str::to_owned))
            .collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
