//! What is accepted as an access token, and what hostile clients try.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use futures::FutureExt as _;
use jiff::SignedDuration;
use jsonwebtoken::{Algorithm, EncodingKey};
use kernel::{Random, Secret};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::KeySource;

const P256: &str = "-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgfs29s6QMNknc8gFK
/Zw3kZa+e07SOSacL3rkj2gdbmChRANCAAQnGfKkXPeG3MCvIYhGkq9bfy6bXbGQ
VbfhM/asNR4GiAkdzIR8IoKIz/Y0Uu/f5WZGGdBw0pS2ZZfZUijNvhP2
-----END PRIVATE KEY-----
";
const ED25519: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g
-----END PRIVATE KEY-----
";

impl Verifier {
    fn verify_now(&self, token: &str, now: Timestamp) -> Result<Claims, TokenError> {
        self.verify(token, now)
            .now_or_never()
            .expect("keys of this process need no look-up")
    }
}

fn now() -> Timestamp {
    "2026-03-29T01:00:00.250Z".parse().unwrap()
}

fn config(signing: &str) -> AuthConfig {
    AuthConfig {
        signing_key: KeySource::Pem(Secret::new(signing)),
        ..AuthConfig::default()
    }
}

fn keys(signing: &str) -> Keys {
    Keys::load(&config(signing), &Random::seeded(1)).unwrap()
}

fn verifier(signing: &str) -> Verifier {
    Verifier::from_keys(&keys(signing), &config(signing))
}

fn alice() -> (UserId, SessionId) {
    let random = Random::seeded(7);
    (random.id(now()), random.id(now()))
}

fn token(signing: &str) -> String {
    let (user, session) = alice();
    Issuer::new(&keys(signing), &config(signing))
        .issue(user, session, now())
        .unwrap()
}

/// A token with any header and claims, signed by any key.
fn forge(header: &Value, claims: &Value, key: &EncodingKey, alg: Algorithm) -> String {
    let part = |json: &Value| BASE64_URL_SAFE_NO_PAD.encode(json.to_string());
    let message = format!("{}.{}", part(header), part(claims));
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), key, alg).unwrap();
    format!("{message}.{signature}")
}

fn good_header() -> Value {
    json!({"alg": "EdDSA", "typ": "at+jwt", "kid": keys(ED25519).signing.kid})
}

fn good_claims() -> Value {
    let (user, session) = alice();
    let iat = now().as_second();
    json!({"iss": "daka", "aud": "daka", "sub": user, "sid": session, "iat": iat, "exp": iat + 7200})
}

#[test]
fn a_token_says_who_it_is_for_two_hours() {
    for signing in [ED25519, P256] {
        let (user, session) = alice();
        let verifier = verifier(signing);
        let token = token(signing);
        let claims = verifier.verify_now(&token, now()).unwrap();
        assert_eq!((claims.user, claims.session), (user, session));
        let end = claims.expires_at;
        assert_eq!(
            end,
            now().round(jiff::Unit::Second).unwrap() + SignedDuration::from_hours(2)
        );
        // Twice: the second time it is remembered, and its time still counts.
        for _ in 0..2 {
            assert!(
                verifier
                    .verify_now(&token, end - SignedDuration::from_millis(1))
                    .is_ok()
            );
            assert_eq!(verifier.verify_now(&token, end), Err(TokenError::Expired));
            let before = now() - SignedDuration::from_secs(31);
            assert_eq!(verifier.verify_now(&token, before), Err(TokenError::NotYetValid));
        }
    }
}

#[test]
fn tokens_of_a_previous_key_are_accepted_until_it_is_dropped() {
    let old = token(P256);
    let changed = AuthConfig {
        previous_keys: vec![KeySource::Pem(Secret::new(P256))],
        ..config(ED25519)
    };
    let keys = Keys::load(&changed, &Random::seeded(1)).unwrap();
    assert!(
        Verifier::from_keys(&keys, &changed)
            .verify_now(&old, now())
            .is_ok()
    );
    assert_eq!(
        verifier(ED25519).verify_now(&old, now()),
        Err(TokenError::UnknownKey)
    );
    let published = VerifyingKeys::Own(Arc::new(KeySet::from_jwks(&keys.jwks()).unwrap()));
    let remote = Verifier::new(published, &changed);
    assert!(remote.verify_now(&old, now()).is_ok());
    assert!(remote.verify_now(&token(ED25519), now()).is_ok());
}

#[test]
fn the_algorithm_is_the_keys_and_never_the_tokens() {
    let public: Value = keys(ED25519).jwks()["keys"][0].clone();
    let kid = public["kid"].as_str().unwrap();
    let verifier = verifier(ED25519);
    let own = EncodingKey::from_ed_pem(ED25519.as_bytes()).unwrap();
    // HMAC with the public key as its secret, in every form that a library might take it in.
    let raw = BASE64_URL_SAFE_NO_PAD
        .decode(public["x"].as_str().unwrap())
        .unwrap();
    for secret in [raw.as_slice(), public.to_string().as_bytes(), b""] {
        let hmac = EncodingKey::from_secret(secret);
        for alg in ["HS256", "EdDSA", "RS256", "none"] {
            let header = json!({"alg": alg, "typ": "at+jwt", "kid": kid});
            let forged = forge(&header, &good_claims(), &hmac, Algorithm::HS256);
            assert!(verifier.verify_now(&forged, now()).is_err(), "{alg}");
        }
    }
    for alg in ["none", "None", "NONE", "HS256", "RS256", "ES256", "eddsa", ""] {
        let header = json!({"alg": alg, "typ": "at+jwt", "kid": kid});
        let forged = forge(&header, &good_claims(), &own, Algorithm::EdDSA);
        assert_eq!(
            verifier.verify_now(&forged, now()),
            Err(TokenError::WrongAlgorithm)
        );
        let unsigned = forged.rsplit_once('.').unwrap().0;
        assert_eq!(
            verifier.verify_now(&format!("{unsigned}."), now()),
            Err(TokenError::WrongAlgorithm)
        );
    }
}

#[test]
fn a_token_cannot_bring_its_own_key() {
    let verifier = verifier(ED25519);
    let theirs = EncodingKey::from_ec_pem(P256.as_bytes()).unwrap();
    let their_jwk = keys(P256).jwks()["keys"][0].clone();
    for kid in [
        json!("../../../dev/null"),
        json!("' OR 1=1 --"),
        their_jwk["kid"].clone(),
        Value::Null,
    ] {
        let header = json!({"alg": "ES256", "typ": "at+jwt", "kid": kid, "jwk": their_jwk, "jku": "https://example.com"});
        let forged = forge(&header, &good_claims(), &theirs, Algorithm::ES256);
        assert_eq!(verifier.verify_now(&forged, now()), Err(TokenError::UnknownKey));
    }
}

#[test]
fn each_claim_counts() {
    let own = EncodingKey::from_ed_pem(ED25519.as_bytes()).unwrap();
    let far = 1_i64 << 60;
    for (name, value, expected) in [
        ("iss", json!("other"), TokenError::WrongIssuer),
        ("aud", json!("other"), TokenError::WrongAudience),
        ("aud", json!(["daka"]), TokenError::Malformed),
        ("sub", json!("nobody"), TokenError::Malformed),
        ("sid", Value::Null, TokenError::Malformed),
        ("iat", json!(now().as_second() + 31), TokenError::NotYetValid),
        ("iat", json!("yesterday"), TokenError::Malformed),
        ("exp", json!(now().as_second()), TokenError::Expired),
        ("exp", json!(far), TokenError::Malformed),
        ("exp", json!(1e300), TokenError::Malformed),
        ("exp", Value::Null, TokenError::Malformed),
    ] {
        let mut claims = good_claims();
        claims[name] = value.clone();
        let forged = forge(&good_header(), &claims, &own, Algorithm::EdDSA);
        assert_eq!(
            verifier(ED25519).verify_now(&forged, now()),
            Err(expected),
            "{name} {value}"
        );
    }
    for (name, value, expected) in [
        ("typ", json!("JWT"), TokenError::WrongType),
        ("typ", json!("daka-principal+jwt"), TokenError::WrongType),
        ("crit", json!(["exp"]), TokenError::Malformed),
        ("kid", json!(7), TokenError::Malformed),
    ] {
        let mut header = good_header();
        header[name] = value;
        let forged = forge(&header, &good_claims(), &own, Algorithm::EdDSA);
        assert_eq!(
            verifier(ED25519).verify_now(&forged, now()),
            Err(expected),
            "{name}"
        );
    }
}

#[test]
fn huge_and_odd_inputs_are_refused() {
    let verifier = verifier(ED25519);
    let good = token(ED25519);
    for text in [
        String::new(),
        ".".repeat(3),
        "a.b.c".to_owned(),
        format!("{good}."),
        format!(".{good}"),
        format!(" {good}"),
        format!("{good}="),
        "é.é.é".to_owned(),
        "x".repeat(10_000_000),
        format!("{}{good}", "e30.".repeat(1000)),
    ] {
        assert!(verifier.verify_now(&text, now()).is_err());
    }
}

proptest! {
    #[test]
    fn a_changed_token_is_refused(position in any::<prop::sample::Index>(), byte in "[A-Za-z0-9_.-]") {
        let good = token(ED25519);
        let at = position.index(good.len());
        let mut changed = good.clone();
        changed.replace_range(at..=at, &byte);
        prop_assume!(changed != good);
        let verifier = verifier(ED25519);
        prop_assert!(verifier.verify_now(&good, now()).is_ok());
        prop_assert!(verifier.verify_now(&changed, now()).is_err());
    }

    #[test]
    fn any_text_is_refused(text in ".*") {
        prop_assert!(verifier(ED25519).verify_now(&text, now()).is_err());
    }
}
