//! What clients get when subgraphs fail.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bytes::Bytes;
use router::{Engine, HttpSubgraph, RouterConfig, TextSubgraph, Transports};
use serde_json::{Value, json};

use crate::harness::{SHOP, ask, listen, schemas, shown};
use crate::shop::Log;

const QUERY: &str = "{ us: users(first: 2) { name r: reviews { body } } top: topReviews { id } }";

/// The shop, with reviews served elsewhere.
fn shop_with_reviews_at(url: &str) -> Engine {
    let config = json!({"subgraphs": {"reviews": {"timeout_ms": 100, "max_response_bytes": 5000}}});
    let config: RouterConfig = serde_json::from_value(config).expect("a configuration");
    let mut transports = Transports::default();
    for (name, schema) in schemas(&Arc::new(Log::default())) {
        transports = match name {
            "reviews" => transports.http(name, HttpSubgraph::new(url).expect("an address")),
            _ => transports.in_process(name, schema),
        };
    }
    Engine::new(SHOP, &config, transports).expect("an engine")
}

async fn answering<F>(answer: F) -> Engine
where
    F: Fn(Value) -> Response + Clone + Send + Sync + 'static,
{
    let handler = move |body: axum::Json<Value>| async move { answer(body.0) };
    shop_with_reviews_at(&listen(Router::new().route("/", post(handler))).await)
}

fn reasons(answer: &Value) -> Vec<String> {
    let errors = answer["errors"].as_array().into_iter().flatten();
    errors
        .map(|e| {
            format!(
                "{} {} {}",
                e["path"], e["extensions"]["code"], e["extensions"]["reason"]
            )
        })
        .collect()
}

#[tokio::test]
async fn a_failing_subgraph_fails_at_its_places_and_the_others_are_answered() {
    let engine = answering(|_| (http::StatusCode::BAD_GATEWAY, "<html>no</html>").into_response()).await;
    let answer = ask(
        &engine,
        "{ me { name } us: users(first: 2) { id email } }",
        &json!({}),
    )
    .await;
    assert_eq!(
        answer,
        json!({"data": {"me": {"name": "Ada \"the first\""}, "us": [
        {"id": "1", "email": "1@example.com"}, {"id": "2", "email": "2@example.com"}]}})
    );
    let answer = ask(&engine, "{ me { name } maybe: products { ... on Book { title } } search { ... on Book { r: reviews { id } } } }", &json!({})).await;
    insta::assert_snapshot!(shown(&answer), @r#"
    {
      "data": null,
      "errors": [
        {
          "extensions": {"code":"SERVICE_UNAVAILABLE","reason":"SUBREQUEST_HTTP_STATUS","service":"reviews"},
          "message": "the service `reviews` is not available",
          "path": ["search",0,"r"]
        }
      ]
    }
    "#);
}

#[tokio::test]
async fn every_kind_of_failure_is_told() {
    let rubbish = answering(|_| "<html></html>".into_response()).await;
    let not_graphql = answering(|_| "[1, 2]".into_response()).await;
    let nothing = answering(|_| "{}".into_response()).await;
    let half = answering(|_| "{\"data\": {\"topReviews\": [{\"id\": \"1".into_response()).await;
    let error_page = answering(|_| (http::StatusCode::BAD_GATEWAY, "no").into_response()).await;
    let large = answering(|_| format!("{{\"data\": \"{}\"}}", "x".repeat(9000)).into_response()).await;
    let endless = answering(|_| {
        let chunks =
            futures::stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from_static(&[b' '; 1000])));
        Body::from_stream(chunks).into_response()
    })
    .await;
    let silent = answering(|_| {
        Body::from_stream(futures::stream::pending::<Result<Bytes, std::io::Error>>()).into_response()
    })
    .await;
    let closing = {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let url = format!("http://{}/", listener.local_addr().expect("an address"));
        tokio::spawn(async move { while listener.accept().await.is_ok() {} });
        shop_with_reviews_at(&url)
    };
    let absent = {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        shop_with_reviews_at(&format!("http://{}/", listener.local_addr().expect("an address")))
    };
    for (engine, reason) in [
        (rubbish, "SUBREQUEST_MALFORMED_RESPONSE"),
        (not_graphql, "SUBREQUEST_MALFORMED_RESPONSE"),
        (nothing, "SUBREQUEST_MALFORMED_RESPONSE"),
        (half, "SUBREQUEST_MALFORMED_RESPONSE"),
        (error_page, "SUBREQUEST_HTTP_STATUS"),
        (large, "SUBREQUEST_TOO_LARGE"),
        (endless, "SUBREQUEST_TOO_LARGE"),
        (silent, "SUBREQUEST_TIMEOUT"),
        (closing, "SUBREQUEST_CLOSED"),
        (absent, "SUBREQUEST_UNREACHABLE"),
    ] {
        let answer = ask(&engine, QUERY, &json!({})).await;
        assert_eq!(answer["data"], Value::Null);
        // The first null that may not be takes everything along.
        assert_eq!(
            reasons(&answer),
            [format!("[\"us\",0,\"r\"] \"SERVICE_UNAVAILABLE\" \"{reason}\"")]
        );
    }
}

#[tokio::test]
async fn errors_come_at_the_clients_own_paths_with_their_extensions() {
    let engine = shop_with_reviews_at("http://127.0.0.1:9/");
    let answer = ask(&engine, "{ everybody: users { id mail: email } }", &json!({})).await;
    insta::assert_snapshot!(shown(&answer), @r#"
    {
      "data": {"everybody":[{"id":"1","mail":"1@example.com"},{"id":"2","mail":"2@example.com"},{"id":"3","mail":null}]},
      "errors": [
        {
          "extensions": {"code":"NO_MAIL","service":"accounts"},
          "message": "no mail for Edsger",
          "path": ["everybody",2,"mail"]
        }
      ]
    }
    "#);
}

#[tokio::test]
async fn errors_of_entities_come_at_every_place_of_the_entity() {
    let engine = answering(|body| {
        let count = body["variables"]["representations"].as_array().map_or(0, Vec::len);
        if count == 0 {
            let review = |id: u32| json!({"id": id, "book": {"__typename": "Book", "upc": format!("b{id}"), "reviews": null}});
            let errors = json!([{"message": "gone", "path": ["topReviews", 1, "book", "reviews"]}]);
            return axum::Json(json!({"data": {"topReviews": [review(1), review(2)]}, "errors": errors})).into_response();
        }
        axum::Json(json!({"data": {"_entities": vec![Value::Null; count]}, "errors": [
            {"message": "lost", "path": ["_entities", 0, "reviews", 3], "extensions": {"code": "LOST", "n": 1}},
            {"message": "strange", "path": ["_entities", 9]},
            {"message": "general"}]}))
        .into_response()
    })
    .await;
    let query = "{ topReviews { id book { reviews { id } } } }";
    let answer = ask(&engine, query, &json!({})).await;
    insta::assert_snapshot!(shown(&answer), @r#"
    {
      "data": null,
      "errors": [
        {
          "extensions": {"code":"INTERNAL"},
          "message": "null for the non-nullable field Book.reviews",
          "path": ["topReviews",0,"book","reviews"]
        }
      ]
    }
    "#);
    let answer = ask(
        &engine,
        "{ search { ... on Book { title reviews { id } } } }",
        &json!({}),
    )
    .await;
    insta::assert_snapshot!(shown(&answer), @r#"
    {
      "data": null,
      "errors": [
        {"extensions":{"code":"LOST","n":1,"service":"reviews"},"message":"lost","path":["search",0,"reviews",3]},
        {"extensions":{"service":"reviews"},"message":"general"},
        {"extensions":{"service":"reviews"},"message":"strange"}
      ]
    }
    "#);
}

#[tokio::test]
async fn values_that_are_not_of_their_type_are_null_with_an_error() {
    let engine = answering(|_| {
        axum::Json(json!({"data": {"topReviews": [{"id": 7, "body": "fine"}, {"id": 1.5, "body": ["x"]}, "no", null]}}))
            .into_response()
    })
    .await;
    let answer = ask(&engine, "{ topReviews { id } }", &json!({})).await;
    insta::assert_snapshot!(shown(&answer), @r#"
    {
      "data": null,
      "errors": [
        {
          "extensions": {"code":"INTERNAL"},
          "message": "a subgraph answered a value that is not of its type",
          "path": ["topReviews",1,"id"]
        }
      ]
    }
    "#);
}

#[tokio::test]
async fn an_entity_list_of_another_length_is_a_failure() {
    let engine =
        answering(|_| axum::Json(json!({"data": {"_entities": [{"reviews": []}]}})).into_response()).await;
    let answer = ask(&engine, "{ users(first: 2) { reviews { id } } }", &json!({})).await;
    assert_eq!(
        reasons(&answer),
        ["[\"users\",0,\"reviews\"] \"SERVICE_UNAVAILABLE\" \"SUBREQUEST_MALFORMED_RESPONSE\""]
    );
}

#[tokio::test]
async fn the_deadline_of_a_request_ends_its_calls() {
    let engine = answering(|_| {
        Body::from_stream(futures::stream::pending::<Result<Bytes, std::io::Error>>()).into_response()
    })
    .await;
    let context = router::RequestContext::new(Arc::new(kernel::Principal::anonymous()));
    let context = context.with_deadline(tokio::time::Instant::now());
    let response =
        crate::harness::execute(&engine, "{ me { id } topReviews { id } }", &json!({}), &context).await;
    assert_eq!(response.errors.len(), 1, "{:?}", response.errors);
    assert_eq!(response.errors[0].extensions["reason"], "SUBREQUEST_TIMEOUT");
}

#[tokio::test]
async fn a_resolver_that_panics_fails_its_subgraph_only() {
    let engine = shop_with_reviews_at("http://127.0.0.1:9/");
    let answer = ask(&engine, "{ broken search { __typename } }", &json!({})).await;
    let found = json!([{"__typename": "Book"}, {"__typename": "Phone"}]);
    assert_eq!(answer["data"], json!({"broken": null, "search": found}));
    assert_eq!(
        reasons(&answer),
        ["[\"broken\"] \"SERVICE_UNAVAILABLE\" \"SUBREQUEST_CLOSED\""]
    );
}

/// A subgraph of people and robots that answers `{ all }` with one object, whatever is asked of it.
fn telling(object: &'static str) -> Engine {
    let sdl = "type Query { all: [Named] }
        interface Named { name: String }
        type Person implements Named { name: String age: Int }
        type Robot implements Named { name: String model: String }";
    let source = crate::federations::compose_all(&[("named".to_owned(), sdl.to_owned())]);
    let answer: TextSubgraph =
        Arc::new(move |_| format!("{{\"data\":{{\"all\":[{object}]}}}}").into_bytes().into());
    let transports = Transports::default().function("named", answer);
    Engine::new(
        &source.expect("it composes"),
        &RouterConfig::default(),
        transports,
    )
    .expect("an engine")
}

#[tokio::test]
async fn an_object_that_does_not_tell_its_type_is_null_where_it_depends_on_it() {
    let engine = telling(r#"{"name":"Ada","age":36}"#);
    let answer = ask(&engine, "{ all { name } }", &json!({})).await;
    assert_eq!(
        answer,
        json!({ "data": { "all": [{ "name": "Ada" }] } }),
        "all have names"
    );
    for query in [
        "{ all { name ... on Person { age } } }",
        "{ all { __typename name } }",
    ] {
        let answer = ask(&engine, query, &json!({})).await;
        let error = json!({
            "message": "a subgraph answered an object without its `__typename`",
            "path": ["all", 0],
            "extensions": { "code": "INTERNAL" }
        });
        assert_eq!(
            answer,
            json!({ "data": { "all": [null] }, "errors": [error] }),
            "{query}"
        );
    }
}
