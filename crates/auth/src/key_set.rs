//! The keys that tokens are verified with, as a JWK set gives them (RFC 7517).

use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{
    AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse, RSAKeyParameters,
};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::Value;

use crate::jwt::Unverified;
use crate::{KeyError, Keys, TokenError};

/// Keys of one set: a token without a `kid` is tried with each.
const MAX_KEYS: usize = 64;

/// Shorter RSA keys must not be used (RFC 7518 §3.3).
const MIN_RSA_BYTES: usize = 2048 / 8;

/// Keys that signatures are verified with. A set never changes; what was found out with it holds as long as it is in force.
#[derive(Debug)]
pub(crate) struct KeySet {
    keys: Vec<VerifyingKey>,
    number: u64,
}

#[derive(Debug)]
struct VerifyingKey {
    kid: Option<String>,
    /// The algorithms that it may be used with: one, where it says which.
    algorithms: Vec<Algorithm>,
    key: DecodingKey,
}

impl KeySet {
    fn new(keys: Vec<VerifyingKey>) -> Self {
        static NUMBERS: AtomicU64 = AtomicU64::new(0);
        Self {
            keys,
            number: NUMBERS.fetch_add(1, Ordering::Relaxed),
        }
    }

    /// The public halves of a platform's own keys.
    pub(crate) fn own(keys: &Keys) -> Self {
        let keys = keys.public.iter().map(|key| VerifyingKey {
            kid: Some(key.kid.clone()),
            algorithms: vec![key.alg],
            key: key.key.clone(),
        });
        Self::new(keys.collect())
    }

    /// The keys of a JWK set that signatures can be verified with; others are left out (RFC 7517 §5). Secret keys are
    /// never taken: who publishes one has published how to sign.
    ///
    /// # Errors
    /// [`KeyError::EmptySet`] when there is none.
    pub(crate) fn from_jwks(jwks: &Value) -> Result<Self, KeyError> {
        let keys = jwks["keys"].as_array().ok_or(KeyError::EmptySet)?;
        let keys: Vec<_> = keys.iter().filter_map(verifying_key).take(MAX_KEYS).collect();
        if keys.is_empty() {
            return Err(KeyError::EmptySet);
        }
        Ok(Self::new(keys))
    }

    /// Tells one set from every other one of this process.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Checks the signature.
    ///
    /// # Errors
    /// [`TokenError::UnknownKey`] where a set that is newer might know the key.
    pub(crate) fn verify(&self, token: &Unverified<'_>) -> Result<(), TokenError> {
        let named = |key: &&VerifyingKey| token.kid.is_none() || key.kid == token.kid;
        if !self.keys.iter().any(|key| named(&key)) {
            return Err(TokenError::UnknownKey);
        }
        let alg: Algorithm = token.alg.parse().map_err(|_| TokenError::WrongAlgorithm)?;
        let mut fitting = self
            .keys
            .iter()
            .filter(named)
            .filter(|key| key.algorithms.contains(&alg))
            .peekable();
        if fitting.peek().is_none() {
            return Err(TokenError::WrongAlgorithm);
        }
        match fitting.any(|key| token.is_signed_by(&key.key, alg)) {
            true => Ok(()),
            false if token.kid.is_none() => Err(TokenError::UnknownKey),
            false => Err(TokenError::BadSignature),
        }
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }
}

fn verifying_key(jwk: &Value) -> Option<VerifyingKey> {
    let jwk: Jwk = serde_json::from_value(jwk.clone()).ok()?;
    let mut algorithms = algorithms(&jwk);
    if let Some(declared) = jwk.common.key_algorithm {
        algorithms.retain(|algorithm| KeyAlgorithm::from(*algorithm) == declared);
    }
    let signs = !matches!(jwk.common.public_key_use, Some(PublicKeyUse::Encryption));
    let verifies = |operations: &Vec<_>| operations.contains(&KeyOperations::Verify);
    let operates = jwk.common.key_operations.as_ref().is_none_or(verifies);
    if algorithms.is_empty() || !signs || !operates {
        return None;
    }
    Some(VerifyingKey {
        key: DecodingKey::from_jwk(&jwk).ok()?,
        kid: jwk.common.key_id,
        algorithms,
    })
}

/// What a key of that kind can be used with.
fn algorithms(jwk: &Jwk) -> Vec<Algorithm> {
    use Algorithm::{ES256, ES384, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
    match &jwk.algorithm {
        AlgorithmParameters::RSA(key) if is_long(key) => vec![RS256, RS384, RS512, PS256, PS384, PS512],
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => vec![ES256],
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P384 => vec![ES384],
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => vec![EdDSA],
        _ => Vec::new(),
    }
}

fn is_long(key: &RSAKeyParameters) -> bool {
    let modulus = BASE64_URL_SAFE_NO_PAD.decode(&key.n);
    modulus.is_ok_and(|modulus| modulus.len() >= MIN_RSA_BYTES)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_keys_that_can_verify_are_taken() {
        let ed25519 =
            json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
        let mut for_encryption = ed25519.clone();
        for_encryption["use"] = json!("enc");
        let mut for_signing = ed25519.clone();
        for_signing["key_ops"] = json!(["sign"]);
        let mut of_another_algorithm = ed25519.clone();
        of_another_algorithm["alg"] = json!("ES256");
        let set = json!({ "keys": [
            ed25519, for_encryption, for_signing, of_another_algorithm,
            {"kty": "oct", "k": "c2VjcmV0", "alg": "HS256"},
            {"kty": "RSA", "n": "AQAB", "e": "AQAB"},
            {"kty": "AKP", "pub": "…"},
            "nonsense",
        ]});
        assert_eq!(KeySet::from_jwks(&set).unwrap().len(), 1);
        for nothing in [json!({}), json!({"keys": []})] {
            assert!(matches!(KeySet::from_jwks(&nothing), Err(KeyError::EmptySet)));
        }
    }
}
