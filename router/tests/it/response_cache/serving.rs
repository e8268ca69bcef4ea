//! What clients are told of an answer's age, and how operators drop what is kept.

use http::{Method, Request, StatusCode};
use router::http::{HttpOptions, service};
use router::rest::{Info, OperationFile, RestApi, RestHandle, RestOptions};
use router::{Engine, EngineHandle, RouterConfig, Transports};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::library::{LIBRARY, Library, Place};

const SECRET: &str = "a secret of the operators";

async fn open(cache: Value) -> (Library, axum::Router) {
    let library = Library::open(&Place::memory().await, cache).await;
    let options = HttpOptions {
        config: library.config(),
        ..HttpOptions::default()
    };
    let service = service(EngineHandle::new(library.engine.clone()), options);
    (library, service)
}

/// The `Cache-Control` and `Vary` of an answer.
async fn told(service: &axum::Router, query: &str) -> (String, Vec<String>) {
    let query = query.replace(' ', "%20").replace('{', "%7B").replace('}', "%7D");
    let request = Request::get(format!("/graphql?query={query}")).body(axum::body::Body::empty());
    let response = service
        .clone()
        .oneshot(request.expect("a request"))
        .await
        .expect("an answer");
    assert_eq!(response.status(), StatusCode::OK);
    let text = |name: &str| {
        let values = response.headers().get_all(name).iter();
        values
            .map(|value| value.to_str().expect("text").to_owned())
            .collect::<Vec<_>>()
    };
    (text("cache-control").join("; "), text("vary"))
}

#[tokio::test]
async fn clients_are_told_how_long_an_answer_holds() {
    let (library, service) = open(json!({})).await;
    let (control, vary) = told(&service, "{ books { id } }").await;
    assert_eq!(control, "max-age=60, public");
    assert_eq!(vary, ["accept", "authorization, cookie", "accept-language"]);
    library.clock.advance(jiff::SignedDuration::from_secs(20));
    assert_eq!(told(&service, "{ books { id } }").await.0, "max-age=40, public");
    // The least of all parts, and private if any of them is.
    let all = told(&service, "{ books { id note price } }").await.0;
    assert_eq!(all, "max-age=5, private");
    for never in ["{ news }", "{ books { id author { name } } }", "{ __typename }"] {
        assert_eq!(told(&service, never).await.0, "no-store", "{never}");
    }
}

/// The library over REST.
fn rest(library: &Library) -> axum::Router {
    let file = OperationFile {
        path: "books.graphql".to_owned(),
        text: "query Books @rest(method: GET, path: \"/books\") { books { id title } }
            query Priced @rest(method: GET, path: \"/priced\") { books { id price } }
            query News @rest(method: GET, path: \"/news\") { news }"
            .to_owned(),
    };
    let api = RestApi::load(&library.engine, &[file]).expect("endpoints");
    let info = Info::default();
    let handle = RestHandle::new(api.into(), library.engine.clone(), &info).expect("operations");
    let http = HttpOptions {
        config: library.config(),
        ..HttpOptions::default()
    };
    handle.router(RestOptions {
        http: http.into(),
        trace_id: None,
    })
}

/// The status, `Cache-Control` and `ETag` of what is read.
async fn read(service: &axum::Router, path: &str, had: &str) -> (StatusCode, String, String) {
    let request = Request::get(path).header("if-none-match", had);
    let request = request.body(axum::body::Body::empty()).expect("a request");
    let response = service.clone().oneshot(request).await.expect("an answer");
    let text = |name: &str| {
        let value = response.headers().get(name);
        value.map_or("", |value| value.to_str().expect("text")).to_owned()
    };
    (response.status(), text("cache-control"), text("etag"))
}

#[tokio::test]
async fn rest_tells_the_client_alone_how_long_an_answer_holds() {
    let (library, _) = open(json!({})).await;
    let service = rest(&library);
    let (status, control, tag) = read(&service, "/books", "").await;
    assert_eq!(
        (status, &*control),
        (StatusCode::OK, "max-age=60, private"),
        "though it is for everybody"
    );
    // The least of all parts.
    assert_eq!(read(&service, "/priced", "").await.1, "max-age=5, private");
    assert_eq!(read(&service, "/news", "").await.1, "private, no-cache");
    library.clock.advance(jiff::SignedDuration::from_secs(20));
    let unchanged = (
        StatusCode::NOT_MODIFIED,
        "max-age=40, private".to_owned(),
        tag.clone(),
    );
    assert_eq!(read(&service, "/books", &tag).await, unchanged);
    assert_eq!(read(&service, "/books", "\"another\"").await.0, StatusCode::OK);
}

#[tokio::test]
async fn clients_that_are_told_nothing_ask_again() {
    let (library, service) = open(json!({ "tell_clients": false })).await;
    assert_eq!(told(&service, "{ books { id } }").await.0, "no-store");
    let service = rest(&library);
    let (_, control, tag) = read(&service, "/books", "").await;
    assert_eq!(control, "private, no-cache");
    let again = read(&service, "/books", &tag).await;
    assert_eq!(again, (StatusCode::NOT_MODIFIED, control, tag));
    assert_eq!(library.asked().len(), 2, "what is kept is given all the same");
}

#[tokio::test]
async fn an_answer_with_errors_is_not_to_be_kept() {
    let (library, service) = open(json!({})).await;
    library.fail(true);
    assert_eq!(told(&service, "{ books { id stock } }").await.0, "no-store");
}

#[tokio::test]
async fn without_the_cache_nothing_is_to_be_kept() {
    let (_, service) = open(json!({ "enabled": false })).await;
    assert_eq!(told(&service, "{ books { id } }").await.0, "no-store");
}

#[tokio::test]
async fn answers_tell_what_was_kept_where_that_is_switched_on() {
    let (library, _) = open(json!({ "debug": true })).await;
    library.ask("{ books { stock } }", json!({})).await;
    library
        .ask("{ pick(ids: [\"1\", \"7\"]) { stock } }", json!({}))
        .await;
    let answer = library
        .ask("{ pick(ids: [\"1\", \"7\", \"9\"]) { stock } }", json!({}))
        .await;
    let told = &answer["extensions"]["responseCache"];
    assert_eq!(
        told[1],
        json!({ "subgraph": "stock", "types": [{ "type": "Book", "hits": 2, "misses": 1 }] })
    );
}

async fn drop(service: &axum::Router, secret: Option<&str>, body: &str) -> (StatusCode, Value) {
    let mut request = Request::builder().method(Method::POST).uri("/invalidation");
    if let Some(secret) = secret {
        request = request.header("authorization", secret);
    }
    let request = request
        .body(axum::body::Body::from(body.to_owned()))
        .expect("a request");
    let response = service.clone().oneshot(request).await.expect("an answer");
    let status = response.status();
    let body = axum::body::to_bytes(response.into_body(), 10_000)
        .await
        .expect("a body");
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

#[tokio::test]
async fn operators_drop_what_is_kept_over_http() {
    let settings = json!({ "invalidation": { "enabled": true, "secret": SECRET } });
    let (library, service) = open(settings).await;
    library.ask("{ books { id } }", json!({})).await;
    let all = "[{\"kind\": \"subgraph\", \"subgraph\": \"catalog\"}]";
    for secret in [None, Some(""), Some("a secret of the operator"), Some("Bearer x")] {
        assert_eq!(
            drop(&service, secret, all).await.0,
            StatusCode::UNAUTHORIZED,
            "{secret:?}"
        );
    }
    library.ask("{ books { id } }", json!({})).await;
    assert_eq!(library.asked(), ["catalog: books"]);
    assert_eq!(
        drop(&service, Some(SECRET), all).await,
        (StatusCode::ACCEPTED, json!({ "count": 1 }))
    );
    library.ask("{ books { id } }", json!({})).await;
    assert_eq!(library.asked(), ["catalog: books"]);
}

#[tokio::test]
async fn what_is_no_list_of_what_to_drop_is_refused() {
    let settings = json!({ "invalidation": { "enabled": true, "secret": SECRET } });
    let (_, service) = open(settings).await;
    let many = format!(
        "[{}]",
        vec!["{\"kind\":\"subgraph\",\"subgraph\":\"stock\"}"; 1_001].join(",")
    );
    for body in [
        "",
        "{}",
        "[{\"kind\": \"everything\"}]",
        "[{\"kind\": \"type\", \"subgraph\": \"stock\"}]",
        "[{\"kind\": \"subgraph\", \"subgraph\": \"stock\", \"more\": 1}]",
        "[{\"kind\": \"subgraph\", \"subgraph\": \"nowhere\"}]",
        "[{\"kind\": \"entity\", \"subgraph\": \"stock\", \"type\": \"Book\", \"key\": []}]",
        &many,
    ] {
        let (status, answer) = drop(&service, Some(SECRET), body).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{answer}");
        assert!(answer["error"].is_string());
    }
}

#[tokio::test]
async fn without_being_switched_on_the_endpoint_is_not_there() {
    let (_, service) = open(json!({})).await;
    assert_eq!(drop(&service, Some(SECRET), "[]").await.0, StatusCode::NOT_FOUND);
}

#[test]
fn a_configuration_that_cannot_work_is_refused_by_its_key() {
    let refused = |cache: Value| {
        let config: RouterConfig =
            serde_json::from_value(json!({ "response_cache": cache })).expect("known keys");
        match Engine::new(LIBRARY, &config, Transports::default()) {
            Ok(_) => String::new(),
            Err(error) => error.to_string(),
        }
    };
    for (cache, key) in [
        (json!({ "max_age_s": 0 }), "router.response_cache.max_age_s"),
        (json!({ "max_age_s": 100_000 }), "router.response_cache.max_age_s"),
        (
            json!({ "max_entry_bytes": 0 }),
            "router.response_cache.max_entry_bytes",
        ),
        (
            json!({ "invalidation": { "enabled": true } }),
            "router.response_cache.invalidation.secret",
        ),
        (
            json!({ "invalidation": { "enabled": true, "secret": SECRET, "path": "x" } }),
            "router.response_cache.invalidation.path",
        ),
    ] {
        let told = refused(cache);
        assert!(told.starts_with(key), "{key}: {told}");
    }
}
