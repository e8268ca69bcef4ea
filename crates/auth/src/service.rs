//! The principal as it travels from the router to a subgraph in another process.

use jiff::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use kernel::{Principal, Secret};
use serde::{Deserialize, Serialize};

use crate::jwt::{self, Unverified};
use crate::{KeyError, TokenError};

/// The HTTP header that carries the sealed principal.
pub const PRINCIPAL_HEADER: &str = "daka-principal";

const TYPE: &str = "daka-principal+jwt";

/// How long a seal holds, in seconds: long enough for one call, too short to be kept.
const TTL: i64 = 60;

/// How far the clocks of two machines may differ, in seconds.
const LEEWAY: i64 = 30;

/// Below this an HMAC-SHA-256 key is weaker than the hash (RFC 7518 §3.2).
const MIN_SECRET_BYTES: usize = 32;

/// Seals principals for one subgraph and opens those sealed for it, with a secret that all processes share.
#[derive(Clone)]
pub struct ServiceToken {
    sealing: EncodingKey,
    opening: DecodingKey,
}

#[derive(Serialize)]
struct Sealed<'a> {
    aud: &'a str,
    iat: i64,
    exp: i64,
    principal: &'a Principal,
}

#[derive(Deserialize)]
struct Opened {
    aud: String,
    iat: i64,
    exp: i64,
    principal: Principal,
}

impl ServiceToken {
    /// With that secret.
    ///
    /// # Errors
    /// [`KeyError::ShortSecret`] when it has less than 32 bytes.
    pub fn new(secret: &Secret) -> Result<Self, KeyError> {
        let secret = secret.expose().as_bytes();
        if secret.len() < MIN_SECRET_BYTES {
            return Err(KeyError::ShortSecret);
        }
        Ok(Self {
            sealing: EncodingKey::from_secret(secret),
            opening: DecodingKey::from_secret(secret),
        })
    }

    /// The header's value for a call to the subgraph `audience`.
    ///
    /// # Errors
    /// Internal, when the cryptographic library fails.
    pub fn seal(&self, principal: &Principal, audience: &str, now: Timestamp) -> kernel::Result<String> {
        let iat = now.as_second();
        let sealed = Sealed {
            aud: audience,
            iat,
            exp: iat.saturating_add(TTL),
            principal,
        };
        jwt::sign(TYPE, None, &sealed, &self.sealing, Algorithm::HS256)
    }

    /// The principal of a call that reached the subgraph `audience`.
    ///
    /// # Errors
    /// Any reason not to believe the header; the call is then refused, never answered as anonymous.
    pub fn open(&self, value: &str, audience: &str, now: Timestamp) -> Result<Principal, TokenError> {
        let payload = Unverified::read(value)?.verify(TYPE, &self.opening, Algorithm::HS256, "HS256")?;
        let opened: Opened = serde_json::from_slice(&payload).map_err(|_| TokenError::Malformed)?;
        if opened.aud != audience {
            return Err(TokenError::WrongAudience);
        }
        let now = now.as_second();
        if opened.iat > now.saturating_add(LEEWAY) {
            return Err(TokenError::NotYetValid);
        }
        if now > opened.exp.saturating_add(LEEWAY) {
            return Err(TokenError::Expired);
        }
        Ok(opened.principal)
    }
}

#[cfg(test)]
mod tests {
    use kernel::{Locale, Random};

    use super::*;

    fn service(secret: &str) -> ServiceToken {
        ServiceToken::new(&Secret::new(secret)).unwrap()
    }

    fn now() -> Timestamp {
        "2026-03-29T01:00:00Z".parse().unwrap()
    }

    fn alice() -> Principal {
        let random = Random::seeded(1);
        let mut alice = Principal::user(random.id(now()), random.id(now())).speaking(Locale::ZhCn);
        if let kernel::Actor::User { permissions, .. } = &mut alice.actor {
            *permissions = std::sync::Arc::new(["users:read".to_owned()].into());
        }
        alice
    }

    #[test]
    fn a_subgraph_opens_what_the_router_sealed_for_it() {
        let token = service("0123456789abcdef0123456789abcdef");
        for principal in [alice(), Principal::anonymous(), Principal::service("checkin")] {
            let sealed = token.seal(&principal, "habit", now()).unwrap();
            assert_eq!(token.open(&sealed, "habit", now()), Ok(principal));
        }
    }

    #[test]
    fn a_seal_of_another_subgraph_time_or_secret_is_refused() {
        let token = service("0123456789abcdef0123456789abcdef");
        let sealed = token.seal(&alice(), "habit", now()).unwrap();
        let later = now() + jiff::SignedDuration::from_secs(91);
        let earlier = now() - jiff::SignedDuration::from_secs(31);
        assert_eq!(
            token.open(&sealed, "checkin", now()),
            Err(TokenError::WrongAudience)
        );
        assert_eq!(token.open(&sealed, "habit", later), Err(TokenError::Expired));
        assert_eq!(
            token.open(&sealed, "habit", earlier),
            Err(TokenError::NotYetValid)
        );
        let other = service("another secret of 32 bytes or more");
        assert_eq!(other.open(&sealed, "habit", now()), Err(TokenError::BadSignature));
        assert_eq!(token.open("", "habit", now()), Err(TokenError::Malformed));
        assert!(matches!(
            ServiceToken::new(&Secret::new("short")),
            Err(KeyError::ShortSecret)
        ));
    }
}
