//! The keys that sign access tokens, and their public halves as a JWK set.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use kernel::Random;

use crate::{AuthConfig, KeySource};

/// A PKCS#8 Ed25519 private key is these bytes and then the 32 bytes of its seed (RFC 8410 §7).
const ED25519_PKCS8: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// The key that signs, and all keys whose signatures are accepted.
#[derive(Clone)]
pub struct Keys {
    pub(crate) signing: SigningKey,
    pub(crate) public: Vec<PublicKey>,
}

/// Why the keys could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file is not there, or cannot be read or made.
    #[error("the key file {path}: {source}")]
    File {
        /// Which file.
        path: PathBuf,
        /// What went wrong.
        source: io::Error,
    },
    /// What was found is no key that can be used.
    #[error("{place} is not a PEM key of Ed25519 (PKCS#8 v1) or P-256 (PKCS#8)")]
    Unusable {
        /// Where it was found.
        place: String,
    },
    /// The internal secret is too short to be one.
    #[error("the internal secret needs at least 32 bytes")]
    ShortSecret,
    /// A key set from elsewhere has no key that can be used.
    #[error("the key set has no usable key")]
    EmptySet,
}

#[derive(Clone)]
pub(crate) struct SigningKey {
    pub(crate) kid: String,
    pub(crate) alg: Algorithm,
    pub(crate) key: EncodingKey,
}

#[derive(Clone)]
pub(crate) struct PublicKey {
    pub(crate) kid: String,
    pub(crate) alg: Algorithm,
    pub(crate) key: DecodingKey,
    jwk: Jwk,
}

impl Keys {
    /// Loads the configured keys; a signing key file that does not exist yet is made.
    pub fn load(config: &AuthConfig, random: &Random) -> Result<Self, KeyError> {
        if let KeySource::File(path) = &config.signing_key {
            create_if_missing(path, random).map_err(|source| KeyError::File {
                path: path.clone(),
                source,
            })?;
        }
        let (pem, place) = read(&config.signing_key)?;
        let unusable = || KeyError::Unusable { place: place.clone() };
        let (key, alg, jwk) = private_key(&pem).ok_or_else(unusable)?;
        let current = PublicKey::new(jwk, alg).ok_or_else(unusable)?;
        let signing = SigningKey {
            kid: current.kid.clone(),
            alg,
            key,
        };
        let mut public = vec![current];
        for source in &config.previous_keys {
            let (pem, place) = read(source)?;
            let previous = public_half(&pem)
                .and_then(|(jwk, alg)| PublicKey::new(jwk, alg))
                .ok_or(KeyError::Unusable { place })?;
            if public.iter().all(|known| known.kid != previous.kid) {
                public.push(previous);
            }
        }
        Ok(Self { signing, public })
    }

    /// The public keys as a JWK set (RFC 7517 §5): the current one first, then the previous ones.
    pub fn jwks(&self) -> serde_json::Value {
        let keys: Vec<_> = self.public.iter().map(|key| &key.jwk).collect();
        serde_json::json!({ "keys": keys })
    }
}

impl PublicKey {
    /// Names the key by its thumbprint (RFC 7638), whatever it was called before.
    fn new(mut jwk: Jwk, alg: Algorithm) -> Option<Self> {
        let kid = jwk.thumbprint(ThumbprintHash::SHA256).ok()?;
        jwk.common.key_id = Some(kid.clone());
        jwk.common.key_algorithm = Some(alg.into());
        jwk.common.public_key_use = Some(PublicKeyUse::Signature);
        let key = DecodingKey::from_jwk(&jwk).ok()?;
        Some(Self { kid, alg, key, jwk })
    }
}

/// The one algorithm that a key may be used with.
fn algorithm(jwk: &Jwk) -> Option<Algorithm> {
    match &jwk.algorithm {
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
            Some(Algorithm::EdDSA)
        }
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => Some(Algorithm::ES256),
        _ => None,
    }
}

fn private_key(pem: &str) -> Option<(EncodingKey, Algorithm, Jwk)> {
    let pem = pem.as_bytes();
    let (key, alg) = EncodingKey::from_ed_pem(pem)
        .map(|key| (key, Algorithm::EdDSA))
        .or_else(|_| EncodingKey::from_ec_pem(pem).map(|key| (key, Algorithm::ES256)))
        .ok()?;
    let jwk = Jwk::from_encoding_key(&key, alg).ok()?;
    // Signs once, so that a key which cannot sign is found at the start and not at the first log-in.
    jsonwebtoken::crypto::sign(b"probe", &key, alg).ok()?;
    (algorithm(&jwk) == Some(alg)).then_some((key, alg, jwk))
}

fn public_half(pem: &str) -> Option<(Jwk, Algorithm)> {
    if !pem.contains("PUBLIC KEY") {
        return private_key(pem).map(|(_, alg, jwk)| (jwk, alg));
    }
    let key = DecodingKey::from_ed_pem(pem.as_bytes())
        .or_else(|_| DecodingKey::from_ec_pem(pem.as_bytes()))
        .ok()?;
    let jwk = Jwk::from_decoding_key(&key, None).ok()?;
    let alg = algorithm(&jwk)?;
    Some((jwk, alg))
}

fn read(source: &KeySource) -> Result<(String, String), KeyError> {
    match source {
        KeySource::Pem(pem) => Ok((pem.expose().to_owned(), "the key in the configuration".to_owned())),
        KeySource::File(path) => match fs::read_to_string(path) {
            Ok(pem) => Ok((pem, path.display().to_string())),
            Err(source) => Err(KeyError::File {
                path: path.clone(),
                source,
            }),
        },
    }
}

/// Makes the file unless it is there. Two processes that start at once end up with one key: the file appears
/// under its name complete, and only if nobody else's has.
fn create_if_missing(path: &Path, random: &Random) -> io::Result<()> {
    if path.try_exists()? {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(".{}", hex::encode(random.bytes::<8>())));
    let draft = PathBuf::from(draft);
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&draft)?;
    let written = file
        .write_all(new_pem(random).as_bytes())
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::hard_link(&draft, path));
    fs::remove_file(&draft)?;
    match written {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

fn new_pem(random: &Random) -> String {
    let der = [&ED25519_PKCS8[..], &random.bytes::<32>()].concat();
    format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        BASE64_STANDARD.encode(der)
    )
}

#[cfg(test)]
mod tests {
    use kernel::Secret;

    use super::*;

    const P256: &str = "-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgfs29s6QMNknc8gFK
/Zw3kZa+e07SOSacL3rkj2gdbmChRANCAAQnGfKkXPeG3MCvIYhGkq9bfy6bXbGQ
VbfhM/asNR4GiAkdzIR8IoKIz/Y0Uu/f5WZGGdBw0pS2ZZfZUijNvhP2
-----END PRIVATE KEY-----
";

    fn with(signing: &str) -> AuthConfig {
        AuthConfig {
            signing_key: KeySource::Pem(Secret::new(signing)),
            ..AuthConfig::default()
        }
    }

    #[test]
    fn the_first_start_makes_a_key_that_later_starts_find() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys/signing.pem");
        let config = AuthConfig {
            signing_key: KeySource::File(path.clone()),
            ..AuthConfig::default()
        };
        let first = Keys::load(&config, &Random::seeded(1)).unwrap();
        let second = Keys::load(&config, &Random::seeded(2)).unwrap();
        assert_eq!(first.jwks(), second.jwks());
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
        #[cfg(unix)]
        assert_eq!(
            std::os::unix::fs::PermissionsExt::mode(&fs::metadata(path).unwrap().permissions()) & 0o777,
            0o600
        );
    }

    #[test]
    fn the_key_set_has_public_halves_named_by_thumbprint() {
        // The key and its thumbprint are those of RFC 8037, appendices A.1 to A.3.
        let seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
        let der = [&ED25519_PKCS8[..], &hex::decode(seed).unwrap()].concat();
        let pem = format!(
            "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
            BASE64_STANDARD.encode(der)
        );
        let config = AuthConfig {
            previous_keys: vec![KeySource::Pem(Secret::new(P256))],
            ..with(&pem)
        };
        let jwks = Keys::load(&config, &Random::seeded(1)).unwrap().jwks();
        assert_eq!(
            jwks["keys"][0],
            serde_json::json!({
                "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA",
                "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
                "kid": "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
            })
        );
        assert_eq!(jwks["keys"][1]["alg"], "ES256");
        assert!(!jwks.to_string().contains("\"d\""));
    }

    #[test]
    fn what_is_no_usable_key_is_refused_with_its_place() {
        let public = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";
        for pem in [
            "",
            "nonsense",
            public,
            &P256[..120],
            &P256.replace("MIGH", "MIGI"),
        ] {
            let refused = Keys::load(&with(pem), &Random::seeded(1)).map(|_| ());
            assert!(matches!(refused, Err(KeyError::Unusable { .. })), "{pem}");
        }
        let previous_only = AuthConfig {
            previous_keys: vec![KeySource::Pem(Secret::new(public))],
            ..with(P256)
        };
        assert!(Keys::load(&previous_only, &Random::seeded(1)).is_ok());
        let absent = AuthConfig {
            previous_keys: vec![KeySource::File("/nowhere/key.pem".into())],
            ..with(P256)
        };
        let refused = Keys::load(&absent, &Random::seeded(1)).map(|_| ());
        assert!(matches!(refused, Err(KeyError::File { .. })));
    }
}
