//! Documents that are named instead of sent, and who may ask which.

use std::sync::Arc;

use axum::body::Body;
use cache::{Cache, CacheConfig};
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt;
use kernel::{Clock, Principal};
use router::http::{HttpOptions, service};
use router::{
    Allowed, Engine, EngineHandle, GraphQlRequest, PersistedOperations, RequestContext, RouterConfig,
    Safelist, Transports, document_id,
};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::harness::{SHOP, callers, schemas};
use crate::shop::Log;

const ME: &str = "{ me { id } }";
const MANIFEST: &str = r#"{
  "me": "{ me { id } }",
  "first": "query First($n: Int!) { users(first: $n) { id } }",
  "two": "query A { me { id } } query B { whoami }",
  "rename": "mutation { rename(id: 1, name: \"Eve\") { id } }",
  "stale": "{ gone }"
}"#;

fn cache() -> Cache {
    Cache::open(&CacheConfig::default(), Clock::system()).expect("a cache")
}

fn engine(config: &RouterConfig, cache: &Cache) -> Engine {
    let mut transports = Transports::default();
    for (name, schema) in schemas(&Arc::new(Log::default())) {
        transports = transports.in_process(name, schema);
    }
    Engine::new(SHOP, config, transports)
        .expect("an engine")
        .with_registered_in(cache.clone())
        .with_persisted(PersistedOperations::parse(MANIFEST).expect("a manifest"))
}

fn by_id(id: &str) -> Value {
    json!({ "extensions": { "persistedQuery": { "version": 1, "sha256Hash": id } } })
}

fn with_text(id: &str, text: &str) -> Value {
    let mut request = by_id(id);
    request["query"] = text.into();
    request
}

async fn ask_as(engine: &Engine, request: Value, principal: Principal) -> Value {
    let request: GraphQlRequest = serde_json::from_value(request).expect("a request");
    let context = RequestContext::new(Arc::new(principal));
    let answer = engine.execute(request, &context).await.into_body();
    serde_json::from_slice(&answer).expect("the answer is JSON")
}

async fn ask(engine: &Engine, request: Value) -> Value {
    ask_as(engine, request, Principal::anonymous()).await
}

fn code(answer: &Value) -> &str {
    answer["errors"][0]["extensions"]["code"]
        .as_str()
        .unwrap_or("none")
}

#[tokio::test]
async fn an_operation_of_a_manifest_is_asked_by_its_id() {
    let engine = engine(&RouterConfig::default(), &cache());
    assert_eq!(
        ask(&engine, by_id("me")).await,
        json!({"data": {"me": {"id": "1"}}})
    );
    let mut request = by_id("first");
    request["variables"] = json!({"n": 1});
    assert_eq!(
        ask(&engine, request).await,
        json!({"data": {"users": [{"id": "1"}]}})
    );
}

#[tokio::test]
async fn of_several_operations_under_one_id_the_request_says_which() {
    let engine = engine(&RouterConfig::default(), &cache());
    assert_eq!(
        code(&ask(&engine, by_id("two")).await),
        "OPERATION_RESOLUTION_FAILURE"
    );
    let mut request = by_id("two");
    request["operationName"] = "A".into();
    assert_eq!(
        ask(&engine, request.clone()).await,
        json!({"data": {"me": {"id": "1"}}})
    );
    request["operationName"] = "C".into();
    assert_eq!(code(&ask(&engine, request).await), "OPERATION_RESOLUTION_FAILURE");
    let mut request = by_id("first");
    request["operationName"] = "Other".into();
    assert_eq!(code(&ask(&engine, request).await), "OPERATION_RESOLUTION_FAILURE");
}

#[tokio::test]
async fn an_operation_that_does_not_fit_says_so_to_who_asks_it() {
    let engine = engine(&RouterConfig::default(), &cache());
    assert_eq!(
        code(&ask(&engine, by_id("stale")).await),
        "GRAPHQL_VALIDATION_FAILED"
    );
}

#[tokio::test]
async fn a_client_registers_a_text_and_every_router_knows_it() {
    let (shared, text) = (cache(), "{ users(first: 1) { id } }");
    let id = document_id(text);
    let (one, other) = (
        engine(&RouterConfig::default(), &shared),
        engine(&RouterConfig::default(), &shared),
    );
    let expected = json!({"data": {"users": [{"id": "1"}]}});
    assert_eq!(code(&ask(&one, by_id(&id)).await), "PERSISTED_QUERY_NOT_FOUND");
    assert_eq!(ask(&one, with_text(&id, text)).await, expected);
    assert_eq!(ask(&one, by_id(&id)).await, expected);
    assert_eq!(ask(&other, by_id(&id)).await, expected);
    assert_eq!(
        code(&ask(&engine(&RouterConfig::default(), &cache()), by_id(&id)).await),
        "PERSISTED_QUERY_NOT_FOUND"
    );
}

#[tokio::test]
async fn a_text_under_a_wrong_hash_or_with_a_fault_is_not_registered() {
    let (shared, text) = (cache(), "{ users { id } }");
    let engine = engine(&RouterConfig::default(), &shared);
    let wrong = document_id("{ whoami }");
    assert_eq!(
        code(&ask(&engine, with_text(&wrong, text)).await),
        "PERSISTED_QUERY_HASH_MISMATCH"
    );
    assert_eq!(
        code(&ask(&engine, by_id(&wrong)).await),
        "PERSISTED_QUERY_NOT_FOUND"
    );
    let faulty = "{ nobody }";
    let id = document_id(faulty);
    assert_eq!(
        code(&ask(&engine, with_text(&id, faulty)).await),
        "GRAPHQL_VALIDATION_FAILED"
    );
    assert_eq!(code(&ask(&engine, by_id(&id)).await), "PERSISTED_QUERY_NOT_FOUND");
}

#[tokio::test]
async fn whoever_writes_to_the_cache_does_not_decide_what_an_id_means() {
    let shared = cache();
    let engine = engine(&RouterConfig::default(), &shared);
    let id = document_id("{ whoami }");
    let ttl = std::time::Duration::from_secs(60);
    let key = format!("router:document:{id}");
    shared.set(&key, &ME, ttl).await.expect("a cache");
    assert_eq!(code(&ask(&engine, by_id(&id)).await), "PERSISTED_QUERY_NOT_FOUND");
}

#[tokio::test]
async fn registering_can_be_switched_off() {
    let mut config = RouterConfig::default();
    config.persisted.automatic = false;
    let engine = engine(&config, &cache());
    let text = "{ users(first: 1) { id } }";
    let id = document_id(text);
    assert_eq!(
        ask(&engine, with_text(&id, text)).await,
        json!({"data": {"users": [{"id": "1"}]}})
    );
    assert_eq!(code(&ask(&engine, by_id(&id)).await), "PERSISTED_QUERY_NOT_FOUND");
}

#[tokio::test]
async fn a_name_that_is_none_is_refused() {
    let engine = engine(&RouterConfig::default(), &cache());
    for named in [
        json!("me"),
        json!([]),
        json!({}),
        json!({"sha256Hash": 7}),
        json!({"sha256Hash": ""}),
        json!({"version": 2, "sha256Hash": "me"}),
        json!({"version": "1", "sha256Hash": "me"}),
    ] {
        let answer = ask(&engine, json!({ "extensions": { "persistedQuery": named } })).await;
        assert_eq!(code(&answer), "BAD_USER_INPUT", "{answer}");
    }
    assert_eq!(code(&ask(&engine, json!({})).await), "BAD_USER_INPUT");
}

#[tokio::test]
async fn each_kind_of_caller_may_ask_what_the_safelist_says() {
    let unknown = "{ whoami }";
    let new = document_id("{ whoami }");
    let requests = [
        by_id("me"),
        json!({ "query": ME }),
        with_text("me", ME),
        json!({ "query": unknown }),
        with_text(&new, unknown),
    ];
    let expected = [
        (Allowed::Any, ["none", "none", "none", "none", "none"]),
        (
            Allowed::Known,
            [
                "none",
                "none",
                "none",
                "QUERY_NOT_IN_SAFELIST",
                "QUERY_NOT_IN_SAFELIST",
            ],
        ),
        (
            Allowed::Ids,
            [
                "none",
                "PERSISTED_QUERY_ID_REQUIRED",
                "PERSISTED_QUERY_ID_REQUIRED",
                "PERSISTED_QUERY_ID_REQUIRED",
                "PERSISTED_QUERY_ID_REQUIRED",
            ],
        ),
    ];
    for place in 0..4 {
        for (allowed, codes) in &expected {
            let of = |kind: usize| if kind == place { *allowed } else { Allowed::Any };
            let mut config = RouterConfig::default();
            config.persisted.safelist = Safelist {
                anonymous: of(0),
                people: of(1),
                apps: of(2),
                staff: of(3),
            };
            let engine = engine(&config, &cache());
            for (kind, caller) in callers().into_iter().enumerate() {
                for (request, expected) in requests.iter().zip(codes) {
                    let answer = ask_as(&engine, request.clone(), caller.clone()).await;
                    let expected = if kind == place { *expected } else { "none" };
                    assert_eq!(
                        code(&answer),
                        expected,
                        "{allowed:?} of {place}, asked by {kind}: {request}"
                    );
                }
            }
            let service = ask_as(&engine, json!({ "query": unknown }), Principal::service("tests")).await;
            assert_eq!(code(&service), "none");
        }
    }
}

#[tokio::test]
async fn what_others_registered_is_not_for_those_who_may_only_ask_known_operations() {
    let mut config = RouterConfig::default();
    config.persisted.safelist.anonymous = Allowed::Known;
    let engine = engine(&config, &cache());
    let (text, [nobody, person, ..]) = ("{ whoami }", callers());
    let id = document_id(text);
    assert_eq!(
        code(&ask_as(&engine, with_text(&id, text), person.clone()).await),
        "none"
    );
    assert_eq!(code(&ask_as(&engine, by_id(&id), person).await), "none");
    assert_eq!(
        code(&ask_as(&engine, by_id(&id), nobody).await),
        "PERSISTED_QUERY_NOT_FOUND"
    );
}

async fn send(method: Method, path: &str, body: &str) -> (StatusCode, Value) {
    let engine = engine(&RouterConfig::default(), &cache());
    let server = service(EngineHandle::new(Arc::new(engine)), HttpOptions::default());
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("accept", "application/json")
        .header("content-type", "application/json")
        .body(Body::from(body.to_owned()));
    let answer = server
        .oneshot(request.expect("a request"))
        .await
        .expect("an answer");
    let status = answer.status();
    let body = answer.into_body().collect().await.expect("a body").to_bytes();
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

#[tokio::test]
async fn an_operation_has_a_path_of_its_own() {
    let users = json!({"data": {"users": [{"id": "1"}]}});
    for (method, path, body, status, expected) in [
        (Method::GET, "me", "", 200, json!({"data": {"me": {"id": "1"}}})),
        (
            Method::GET,
            "first?variables=%7B%22n%22%3A1%7D",
            "",
            200,
            users.clone(),
        ),
        (Method::POST, "first", r#"{"variables": {"n": 1}}"#, 200, users),
        (
            Method::POST,
            "rename",
            "{}",
            200,
            json!({"data": {"rename": {"id": "1"}}}),
        ),
    ] {
        let path = format!("/graphql/persisted/{path}");
        assert_eq!(
            send(method, &path, body).await,
            (StatusCode::from_u16(status).expect("a status"), expected),
            "{path}"
        );
    }
}

#[tokio::test]
async fn the_path_of_an_operation_says_all() {
    for (method, path, body, status, expected) in [
        (Method::GET, "nothing", "", 404, "PERSISTED_QUERY_NOT_FOUND"),
        (Method::POST, "nothing", "{}", 404, "PERSISTED_QUERY_NOT_FOUND"),
        (Method::GET, "rename", "", 405, "BAD_USER_INPUT"),
        (Method::GET, "me?query=%7Bwhoami%7D", "", 400, "BAD_USER_INPUT"),
        (
            Method::POST,
            "me",
            r#"{"query": "{ whoami }"}"#,
            400,
            "BAD_USER_INPUT",
        ),
        (Method::PUT, "me", "{}", 405, "BAD_USER_INPUT"),
    ] {
        let path = format!("/graphql/persisted/{path}");
        let (answered, body) = send(method, &path, body).await;
        assert_eq!(
            (answered.as_u16(), code(&body)),
            (status, expected),
            "{path}: {body}"
        );
    }
}
