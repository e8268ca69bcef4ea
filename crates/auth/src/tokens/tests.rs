//! Tokens of several issuers, whose keys are in files or where they say.

use std::collections::BTreeSet;

use axum::Router;
use axum::routing::get;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::SignedDuration;
use jsonwebtoken::EncodingKey;
use jsonwebtoken::jwk::Jwk;
use kernel::ManualClock;
use serde_json::json;

use super::*;

const RSA: &[u8] = include_bytes!("fixtures/rsa.pem");
const P384: &[u8] = include_bytes!("fixtures/p384.pem");
const ONE: &str = "https://one.example/";
const TWO: &str = "two";

struct World {
    tokens: Tokens,
    clock: ManualClock,
    _folder: tempfile::TempDir,
}

/// A trusted issuer with the RSA key, and one with the P-384 key that names no `kid`.
fn world(change: impl FnOnce(&mut Value)) -> World {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, keys: Value| {
        let path = folder.path().join(name);
        std::fs::write(&path, json!({ "keys": keys }).to_string()).unwrap();
        path.display().to_string()
    };
    let mut config = json!({ "issuers": [
        { "issuer": ONE, "audiences": ["api", "other-api"], "jwks": file("one.json", json!([rsa_jwk()])),
          "permission_claims": ["/realm_access/roles", "https://one.example/roles"] },
        { "issuer": TWO, "audiences": ["*"], "jwks": file("two.json", json!([p384_jwk()])) },
    ]});
    change(&mut config);
    let config: JwtConfig = serde_json::from_value(config).unwrap();
    let clock = ManualClock::at("2026-03-29T01:00:00Z".parse().unwrap());
    World {
        tokens: Tokens::new(&config, &reqwest::Client::new(), &clock.clock()).unwrap(),
        clock,
        _folder: folder,
    }
}

impl World {
    async fn judge(&self, token: &str) -> Result<Arc<External>, TokenError> {
        match self.tokens.judge(token, self.clock.now()).await? {
            Actor::External(external) => Ok(external),
            other => panic!("{other:?}"),
        }
    }

    fn claims(&self) -> Value {
        let now = self.clock.now().as_second();
        json!({ "iss": ONE, "aud": "api", "sub": "alice", "iat": now, "exp": now + 60, "scope": "read write" })
    }
}

fn rsa() -> EncodingKey {
    EncodingKey::from_rsa_pem(RSA).unwrap()
}

fn rsa_jwk() -> Value {
    let mut jwk = serde_json::to_value(Jwk::from_encoding_key(&rsa(), Algorithm::RS256).unwrap()).unwrap();
    jwk["kid"] = json!("rsa-1");
    jwk.as_object_mut().unwrap().remove("alg");
    jwk
}

fn p384_jwk() -> Value {
    let key = EncodingKey::from_ec_pem(P384).unwrap();
    let mut jwk = serde_json::to_value(Jwk::from_encoding_key(&key, Algorithm::ES384).unwrap()).unwrap();
    jwk.as_object_mut().unwrap().remove("kid");
    jwk
}

fn sign(header: &Value, claims: &Value, key: &EncodingKey, alg: Algorithm) -> String {
    let part = |json: &Value| BASE64_URL_SAFE_NO_PAD.encode(json.to_string());
    let message = format!("{}.{}", part(header), part(claims));
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), key, alg).unwrap();
    format!("{message}.{signature}")
}

fn rs256(claims: &Value) -> String {
    sign(
        &json!({"alg": "RS256", "kid": "rsa-1"}),
        claims,
        &rsa(),
        Algorithm::RS256,
    )
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[tokio::test]
async fn a_token_says_who_it_is_and_what_they_may() {
    let world = world(|_| ());
    let mut claims = world.claims();
    claims["realm_access"] = json!({ "roles": ["editor"] });
    claims["https://one.example/roles"] = json!("billing:read");
    claims["scp"] = json!(["delete"]);
    claims["tenant"] = json!("acme");
    for _ in 0..2 {
        let alice = world.judge(&rs256(&claims)).await.unwrap();
        assert_eq!((alice.issuer.as_str(), alice.subject.as_str()), (ONE, "alice"));
        assert_eq!(alice.scopes, set(&["read", "write", "delete"]));
        assert_eq!(alice.permissions, set(&["editor", "billing:read"]));
        assert_eq!(alice.claims["tenant"], "acme");
        assert!(!alice.is_app);
    }
}

#[tokio::test]
async fn every_algorithm_of_a_key_is_accepted_and_no_other() {
    use Algorithm::{PS256, PS384, PS512, RS256, RS384, RS512};
    let world = world(|_| ());
    for (name, alg) in [
        ("RS256", RS256),
        ("RS384", RS384),
        ("RS512", RS512),
        ("PS256", PS256),
        ("PS384", PS384),
        ("PS512", PS512),
    ] {
        let token = sign(
            &json!({"alg": name, "kid": "rsa-1"}),
            &world.claims(),
            &rsa(),
            alg,
        );
        assert!(world.judge(&token).await.is_ok(), "{name}");
    }
    let mut claims = world.claims();
    claims["iss"] = json!(TWO);
    let p384 = EncodingKey::from_ec_pem(P384).unwrap();
    let token = sign(&json!({"alg": "ES384"}), &claims, &p384, Algorithm::ES384);
    assert_eq!(world.judge(&token).await.unwrap().issuer, TWO);

    // Secrets that an attacker knows.
    let public = rsa_jwk();
    let modulus = BASE64_URL_SAFE_NO_PAD
        .decode(public["n"].as_str().unwrap())
        .unwrap();
    for secret in [modulus.as_slice(), public.to_string().as_bytes(), b""] {
        for alg in ["HS256", "none", "RS256", ""] {
            let header = json!({"alg": alg, "kid": "rsa-1"});
            let key = EncodingKey::from_secret(secret);
            let forged = sign(&header, &world.claims(), &key, Algorithm::HS256);
            assert!(world.judge(&forged).await.is_err(), "{alg}");
            let unsigned = forged.rsplit_once('.').unwrap().0;
            assert!(world.judge(&format!("{unsigned}.")).await.is_err(), "{alg}");
        }
    }
}

#[tokio::test]
async fn only_the_algorithms_of_the_configuration_are_accepted() {
    let world = world(|config| config["issuers"][0]["algorithms"] = json!(["PS256"]));
    assert_eq!(
        world.judge(&rs256(&world.claims())).await,
        Err(TokenError::WrongAlgorithm)
    );
    let header = json!({"alg": "PS256", "kid": "rsa-1"});
    let token = sign(&header, &world.claims(), &rsa(), Algorithm::PS256);
    assert!(world.judge(&token).await.is_ok());
}

#[tokio::test]
async fn an_issuer_speaks_for_itself_alone() {
    let world = world(|_| ());
    let mut claims = world.claims();
    claims["iss"] = json!(TWO);
    assert!(world.judge(&rs256(&claims)).await.is_err());
    claims["iss"] = json!("https://stranger.example/");
    assert_eq!(world.judge(&rs256(&claims)).await, Err(TokenError::WrongIssuer));
}

#[tokio::test]
async fn each_claim_counts() {
    let world = world(|_| ());
    let now = world.clock.now().as_second();
    for (name, value, expected) in [
        ("aud", json!("stranger"), TokenError::WrongAudience),
        ("aud", Value::Null, TokenError::WrongAudience),
        ("aud", json!(7), TokenError::Malformed),
        ("exp", json!(now - 30), TokenError::Expired),
        ("exp", Value::Null, TokenError::Malformed),
        ("nbf", json!(now + 31), TokenError::NotYetValid),
        ("sub", Value::Null, TokenError::Malformed),
        ("iss", json!(["https://one.example/"]), TokenError::Malformed),
    ] {
        let mut claims = world.claims();
        claims[name] = value.clone();
        assert_eq!(
            world.judge(&rs256(&claims)).await,
            Err(expected),
            "{name} {value}"
        );
    }
    for (name, value) in [
        ("aud", json!(["x", "other-api"])),
        ("exp", json!(now as f64 + 0.5)),
        // Within the leeway.
        ("exp", json!(now - 29)),
        ("nbf", json!(now + 30)),
        ("iat", json!(now + 3600)),
    ] {
        let mut claims = world.claims();
        claims[name] = value.clone();
        assert!(world.judge(&rs256(&claims)).await.is_ok(), "{name} {value}");
    }
    for (typ, is_good) in [("JWT", true), ("application/at+jwt", true), ("logout+jwt", false)] {
        let header = json!({"alg": "RS256", "kid": "rsa-1", "typ": typ});
        let token = sign(&header, &world.claims(), &rsa(), Algorithm::RS256);
        assert_eq!(world.judge(&token).await.is_ok(), is_good, "{typ}");
    }
}

#[tokio::test]
async fn a_remembered_token_expires_all_the_same() {
    let world = world(|_| ());
    let token = rs256(&world.claims());
    assert!(world.judge(&token).await.is_ok());
    world.clock.advance(SignedDuration::from_secs(89));
    assert!(world.judge(&token).await.is_ok());
    world.clock.advance(SignedDuration::from_secs(1));
    assert_eq!(world.judge(&token).await, Err(TokenError::Expired));
}

#[tokio::test]
async fn a_program_that_acts_for_itself_is_known_as_one() {
    let world = world(|_| ());
    for (sub, client, is_app) in [
        (json!("alice"), json!("app"), false),
        (json!("app"), json!("app"), true),
        (Value::Null, json!("app"), true),
    ] {
        let mut claims = world.claims();
        (claims["sub"], claims["client_id"]) = (sub, client);
        assert_eq!(world.judge(&rs256(&claims)).await.unwrap().is_app, is_app);
    }
}

#[tokio::test]
async fn an_issuer_tells_where_its_keys_are() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    let told = json!({ "issuer": issuer, "jwks_uri": format!("{issuer}/keys") });
    let routes = Router::new()
        .route(
            "/.well-known/openid-configuration",
            get(|| async { axum::Json(told) }),
        )
        .route(
            "/keys",
            get(|| async { axum::Json(json!({ "keys": [rsa_jwk()] })) }),
        );
    tokio::spawn(async move { axum::serve(listener, routes).await });
    let world = world(|config| {
        config["issuers"][0] = json!({ "issuer": issuer, "audiences": ["api"] });
    });
    let mut claims = world.claims();
    claims["iss"] = json!(issuer);
    assert!(world.judge(&rs256(&claims)).await.is_ok());
}

#[tokio::test]
async fn hostile_texts_are_refused() {
    let world = world(|_| ());
    for text in [
        String::new(),
        "a.b.c".to_owned(),
        "é.é.é".to_owned(),
        ".".repeat(100),
        "x".repeat(10_000_000),
        "e30.e30.".to_owned(),
        format!("{}.", rs256(&world.claims())),
    ] {
        assert!(world.judge(&text).await.is_err());
    }
}
