//! The compact form of signed tokens (RFC 7515 §3.1), with the algorithm fixed by the key and never by the token.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::TokenError;

/// Longer tokens are refused before anything is decoded: more headers would hardly be let in by any server.
pub(crate) const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// A token taken apart, its signature not yet checked.
pub(crate) struct Unverified<'a> {
    /// The key that the token names.
    pub(crate) kid: Option<String>,
    /// The algorithm that it claims.
    pub(crate) alg: String,
    /// What kind of token it is.
    pub(crate) typ: Option<String>,
    message: &'a str,
    payload: &'a str,
    signature: &'a str,
}

#[derive(Serialize)]
struct HeaderOut<'a> {
    alg: Algorithm,
    typ: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<&'a str>,
}

#[derive(Deserialize)]
struct HeaderIn {
    alg: String,
    typ: Option<String>,
    kid: Option<String>,
    crit: Option<IgnoredAny>,
}

/// Writes and signs a token.
pub(crate) fn sign<T: Serialize>(
    typ: &str,
    kid: Option<&str>,
    claims: &T,
    key: &EncodingKey,
    alg: Algorithm,
) -> kernel::Result<String> {
    let header = serde_json::to_vec(&HeaderOut { alg, typ, kid }).map_err(kernel::Error::internal)?;
    let claims = serde_json::to_vec(claims).map_err(kernel::Error::internal)?;
    let mut token = BASE64_URL_SAFE_NO_PAD.encode(header);
    token.push('.');
    BASE64_URL_SAFE_NO_PAD.encode_string(claims, &mut token);
    let signature =
        jsonwebtoken::crypto::sign(token.as_bytes(), key, alg).map_err(kernel::Error::internal)?;
    token.push('.');
    token.push_str(&signature);
    Ok(token)
}

impl<'a> Unverified<'a> {
    /// Takes a token apart. Nothing in it may be believed yet.
    pub(crate) fn read(token: &'a str) -> Result<Self, TokenError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenError::Malformed);
        }
        let (message, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
        let (header, payload) = message.split_once('.').ok_or(TokenError::Malformed)?;
        let header: HeaderIn = serde_json::from_slice(&decode(header)?).map_err(|_| TokenError::Malformed)?;
        // RFC 7515 §4.1.11: what must be understood and is not makes the token invalid.
        if header.crit.is_some() {
            return Err(TokenError::Malformed);
        }
        Ok(Self {
            kid: header.kid,
            alg: header.alg,
            typ: header.typ,
            message,
            payload,
            signature,
        })
    }

    /// The claims as JSON, if the token is of that type and signed by that key with that key's algorithm.
    pub(crate) fn verify(
        &self,
        typ: &str,
        key: &DecodingKey,
        alg: Algorithm,
        alg_name: &str,
    ) -> Result<Vec<u8>, TokenError> {
        if self.alg != alg_name {
            return Err(TokenError::WrongAlgorithm);
        }
        if !self.is_signed_by(key, alg) {
            return Err(TokenError::BadSignature);
        }
        // Only after the signature, so that strangers learn nothing from the order of checks.
        if self.typ.as_deref() != Some(typ) {
            return Err(TokenError::WrongType);
        }
        self.payload()
    }

    /// Whether the signature is that of the key.
    pub(crate) fn is_signed_by(&self, key: &DecodingKey, alg: Algorithm) -> bool {
        // An error is a signature that is no base64url or a key that does not fit: neither proves anything.
        jsonwebtoken::crypto::verify(self.signature, self.message.as_bytes(), key, alg).unwrap_or(false)
    }

    /// The claims as JSON, to be believed only with a good signature.
    pub(crate) fn payload(&self) -> Result<Vec<u8>, TokenError> {
        decode(self.payload)
    }
}

/// When a token says that it was issued, in seconds; not to be believed.
pub(crate) fn claimed_issue(token: &str) -> Option<i64> {
    #[derive(Deserialize)]
    struct Body {
        iat: f64,
    }
    let payload = Unverified::read(token).ok()?.payload().ok()?;
    let body: Body = serde_json::from_slice(&payload).ok()?;
    Some(body.iat as i64)
}

fn decode(part: &str) -> Result<Vec<u8>, TokenError> {
    BASE64_URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| TokenError::Malformed)
}
