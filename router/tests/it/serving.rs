//! GraphQL over HTTP, and introspection.

use std::sync::Arc;

use axum::body::Body;
use futures::future::BoxFuture;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use kernel::Principal;
use router::http::{HttpOptions, service};
use router::{AuthError, Authenticator, ByCaller, Engine, EngineHandle, RouterConfig, Transports};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::harness::{SHOP, Shop, ask_as, callers, schemas, shown};
use crate::shop::Log;

fn engine() -> Engine {
    engine_with(&Arc::new(Log::default()))
}

fn engine_with(log: &Arc<Log>) -> Engine {
    let mut transports = Transports::default();
    for (name, schema) in schemas(log) {
        transports = transports.in_process(name, schema);
    }
    Engine::new(SHOP, &RouterConfig::default(), transports).expect("an engine")
}

struct Server(axum::Router);

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Value,
}

impl Answer {
    fn content_type(&self) -> &str {
        self.headers
            .get("content-type")
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }
}

impl Server {
    fn open() -> Self {
        Self::with(HttpOptions::default())
    }

    fn with(options: HttpOptions) -> Self {
        Self(service(EngineHandle::new(Arc::new(engine())), options))
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.0.clone().oneshot(request).await.expect("an answer");
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("a body").to_bytes();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        }
    }

    async fn post(&self, accept: &str, body: impl Into<Body>) -> Answer {
        let request = Request::post("/graphql")
            .header("content-type", "application/json")
            .header("accept", accept);
        self.send(request.body(body.into()).expect("a request")).await
    }

    async fn get(&self, query: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::get(format!("/graphql?{query}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::empty()).expect("a request")).await
    }
}

const NEW: &str = "application/graphql-response+json";
const OLD: &str = "application/json";

#[tokio::test]
async fn media_types_and_status_codes() {
    let server = Server::open();
    let good = r#"{"query": "query Q($n: Int) { users(first: $n) { id } }", "variables": {"n": 1}, "operationName": "Q"}"#;
    let partial = r#"{"query": "{ users { email } }"}"#;
    for (accept, body, status) in [
        (NEW, good, 200),
        (OLD, good, 200),
        ("*/*", good, 200),
        (NEW, partial, 200),
        (NEW, r#"{"query": "{"}"#, 400),
        (OLD, r#"{"query": "{"}"#, 200),
        (NEW, r#"{"query": "{ nope }"}"#, 400),
        (OLD, r#"{"query": "{ nope }"}"#, 200),
        (
            NEW,
            r#"{"query": "query($n: Int!) { users(first: $n) { id } }"}"#,
            400,
        ),
        (
            OLD,
            r#"{"query": "query($n: Int!) { users(first: $n) { id } }", "variables": null}"#,
            200,
        ),
        (NEW, "{", 400),
        (OLD, "{", 400),
        (OLD, "{}", 400),
        (OLD, r#"{"query": 7}"#, 400),
        (OLD, r#"{"query": "{ whoami }", "variables": "x"}"#, 400),
        (OLD, r#"{"query": "{ whoami }", "operationName": 1}"#, 400),
        (OLD, r#"[{"query": "{ whoami }"}]"#, 400),
        ("text/plain", good, 406),
    ] {
        let answer = server.post(accept, body).await;
        assert_eq!(answer.status, status, "{accept} {body} {}", answer.body);
        let expected = if accept == NEW { NEW } else { OLD };
        assert_eq!(
            answer.content_type(),
            format!("{expected}; charset=utf-8"),
            "{accept} {body}"
        );
        assert!(
            status != 400 || answer.body.get("data").is_none(),
            "{accept} {body}"
        );
        assert!(answer.body.get("data").is_some() || answer.body["errors"][0]["message"].is_string());
    }
}

#[tokio::test]
async fn bodies_that_are_not_json_are_refused() {
    let server = Server::open();
    let send = async |content_type: Option<&str>, body: &str| {
        let mut request = Request::post("/graphql");
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        server
            .send(request.body(Body::from(body.to_owned())).expect("a request"))
            .await
            .status
    };
    let body = r#"{"query": "{ whoami }"}"#;
    assert_eq!(send(Some("application/json"), body).await, 200);
    assert_eq!(send(Some("application/json; charset=UTF-8"), body).await, 200);
    assert_eq!(send(Some("application/json; charset=latin1"), body).await, 415);
    assert_eq!(send(Some("text/plain"), body).await, 415);
    assert_eq!(send(Some("multipart/form-data; boundary=x"), "--x").await, 415);
    assert_eq!(send(None, body).await, 415);
    assert_eq!(send(Some("application/json"), &" ".repeat(2 << 20)).await, 413);
}

#[tokio::test]
async fn get_is_for_queries() {
    let server = Server::open();
    let answer = server
        .get(
            "query=query($n:Int)%7Busers(first:$n)%7Bid%7D%7D&variables=%7B%22n%22:1%7D",
            &[],
        )
        .await;
    assert_eq!(
        (answer.status.as_u16(), answer.body),
        (200, json!({"data": {"users": [{"id": "1"}]}}))
    );
    let mutation = server
        .get(
            "query=mutation%7Brename(id:1,name:%22x%22)%7Bid%7D%7D",
            &[("accept", NEW)],
        )
        .await;
    assert_eq!(mutation.status, 405);
    assert_eq!(mutation.headers["allow"], "POST");
    assert_eq!(server.get("variables=%7B%7D", &[]).await.status, 400);
    assert_eq!(
        server.get("query=%7Bwhoami%7D&variables=7", &[]).await.status,
        400
    );
    let delete = Request::delete("/graphql")
        .body(Body::empty())
        .expect("a request");
    let delete = server.send(delete).await;
    assert_eq!(
        (delete.status.as_u16(), &delete.headers["allow"]),
        (405, &"GET, POST".parse().expect("a header"))
    );
}

#[tokio::test]
async fn pages_of_other_sites_must_let_the_browser_ask_first() {
    let server = Server::open();
    let cross = [
        ("sec-fetch-site", "cross-site"),
        ("origin", "https://evil.example"),
    ];
    assert_eq!(server.get("query=%7Bwhoami%7D", &cross).await.status, 403);
    assert_eq!(
        server
            .get(
                "query=%7Bwhoami%7D",
                &[cross[0], ("apollo-require-preflight", "1")]
            )
            .await
            .status,
        200
    );
    assert_eq!(
        server
            .get("query=%7Bwhoami%7D", &[("sec-fetch-site", "same-origin")])
            .await
            .status,
        200
    );

    let config =
        serde_json::from_value(json!({"cors": {"origins": ["https://app.example"], "credentials": true}}));
    let config: RouterConfig = config.expect("a configuration");
    let server = Server::with(HttpOptions {
        config,
        ..HttpOptions::default()
    });
    let app = [
        ("sec-fetch-site", "cross-site"),
        ("origin", "https://app.example"),
    ];
    let answer = server.get("query=%7Bwhoami%7D", &app).await;
    assert_eq!(
        (
            answer.status.as_u16(),
            &answer.headers["access-control-allow-origin"]
        ),
        (200, &"https://app.example".parse().expect("a header"))
    );
    let preflight = Request::options("/graphql")
        .header("origin", "https://evil.example")
        .header("access-control-request-method", "POST");
    let preflight = server
        .send(preflight.body(Body::empty()).expect("a request"))
        .await;
    assert!(!preflight.headers.contains_key("access-control-allow-origin"));
}

#[tokio::test]
async fn browsers_get_graphiql_from_the_program_itself() {
    let server = Server::open();
    let page = server.0.clone().oneshot(
        Request::get("/graphql")
            .header("accept", "text/html")
            .body(Body::empty())
            .expect("a request"),
    );
    let page = page.await.expect("an answer");
    let text = page.into_body().collect().await.expect("a body").to_bytes();
    let text = std::str::from_utf8(&text).expect("text");
    assert!(text.contains("/graphql/graphiql.js") && !text.contains("http://") && !text.contains("https://"));
    for file in ["graphiql.js", "graphiql.css"] {
        let file = Request::get(format!("/graphql/{file}"))
            .body(Body::empty())
            .expect("a request");
        assert_eq!(server.send(file).await.status, 200);
    }
}

struct Tokens;

impl Authenticator for Tokens {
    fn authenticate<'a>(&'a self, headers: &'a HeaderMap) -> BoxFuture<'a, Result<Principal, AuthError>> {
        Box::pin(async move {
            match headers.get("authorization").map(|value| value.as_bytes()) {
                None => Ok(Principal::anonymous()),
                Some(b"Bearer good") => Ok(Principal::service("tests")),
                Some(_) => Err(AuthError::unauthenticated("the token is not good")),
            }
        })
    }
}

#[tokio::test]
async fn bad_credentials_are_refused() {
    let server = Server::with(HttpOptions {
        authenticator: Arc::new(Tokens),
        ..HttpOptions::default()
    });
    assert_eq!(
        server
            .get("query=%7Bwhoami%7D", &[("authorization", "Bearer good")])
            .await
            .status,
        200
    );
    assert_eq!(server.get("query=%7Bwhoami%7D", &[]).await.status, 200);
    let answer = server
        .get("query=%7Bwhoami%7D", &[("authorization", "Bearer bad")])
        .await;
    assert_eq!(answer.status, 401);
    assert_eq!(answer.body["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
}

#[tokio::test]
async fn a_new_supergraph_takes_over_between_requests() {
    let handle = EngineHandle::new(Arc::new(engine()));
    let server = Server(service(handle.clone(), HttpOptions::default()));
    let smaller = SHOP.replace("  whoami: String! @join__field(graph: ACCOUNTS)\n", "");
    handle.swap(Arc::new(
        Engine::new(&smaller, &RouterConfig::default(), Transports::default()).expect("an engine"),
    ));
    assert_eq!(server.post(NEW, r#"{"query": "{ whoami }"}"#).await.status, 400);
}

#[tokio::test]
async fn types_can_be_looked_at() {
    let shop = Shop::open().await;
    let query = r#"query($d: Boolean = true) {
      f: __type(name: "Filter") { kind name isOneOf inputFields(includeDeprecated: $d) { name type { ...T } } }
      u: __type(name: "User") { fields { name description type { ...T } isDeprecated deprecationReason } }
      q: __type(name: "Query") { fields { args { name type { ...T } defaultValue } } }
      p: __type(name: "Product") { kind possibleTypes { name } interfaces { name } }
      s: __type(name: "Found") { kind possibleTypes { name } fields { name } }
      k: __type(name: "Kind") { enumValues { name isDeprecated } specifiedByURL }
      no: __type(name: "join__Graph") { name }
      me { id }
    }
    fragment T on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }"#;
    let answer = shop
        .ask(query)
        .await
        .to_string()
        .replace("\",\"ofType\":", "\" of ");
    insta::assert_snapshot!(answer.replace("\"kind\":\"", "\""), @r#"{"data":{"f":{"inputFields":[{"name":"kind","type":{"ENUM","name":"Kind" of null}},{"name":"maxPrice","type":{"SCALAR","name":"Int" of null}}],"isOneOf":false,"INPUT_OBJECT","name":"Filter"},"k":{"enumValues":[{"isDeprecated":false,"name":"PAPER"},{"isDeprecated":false,"name":"DEVICE"}],"specifiedByURL":null},"me":{"id":"1"},"no":null,"p":{"interfaces":[],"INTERFACE","possibleTypes":[{"name":"Book"},{"name":"Phone"}]},"q":{"fields":[{"args":[]},{"args":[{"defaultValue":"3","name":"first","type":{"NON_NULL","name":null,"ofType":{"SCALAR","name":"Int" of null}}}]},{"args":[]},{"args":[]},{"args":[{"defaultValue":null,"name":"filter","type":{"INPUT_OBJECT","name":"Filter" of null}}]},{"args":[]},{"args":[]}]},"s":{"fields":null,"UNION","possibleTypes":[{"name":"Book"},{"name":"Phone"}]},"u":{"fields":[{"deprecationReason":null,"description":null,"isDeprecated":false,"name":"id","type":{"NON_NULL","name":null,"ofType":{"SCALAR","name":"ID" of null}}},{"deprecationReason":null,"description":null,"isDeprecated":false,"name":"name","type":{"NON_NULL","name":null,"ofType":{"SCALAR","name":"String" of null}}},{"deprecationReason":null,"description":"Fails for the user 3.","isDeprecated":false,"name":"email","type":{"SCALAR","name":"String" of null}},{"deprecationReason":null,"description":null,"isDeprecated":false,"name":"tags","type":{"NON_NULL","name":null,"ofType":{"LIST","name":null,"ofType":{"NON_NULL","name":null,"ofType":{"SCALAR","name":"String"}}}}},{"deprecationReason":null,"description":null,"isDeprecated":false,"name":"reviews","type":{"NON_NULL","name":null,"ofType":{"LIST","name":null,"ofType":{"NON_NULL","name":null,"ofType":{"OBJECT","name":"Review"}}}}}]}}}"#);
}

#[tokio::test]
async fn the_schema_can_be_looked_at_unless_it_is_switched_off() {
    let shop = Shop::open().await;
    let query = "{ __schema { queryType { name } mutationType { name } subscriptionType { name } description \
        directives { name isRepeatable locations args { name defaultValue } } } }";
    insta::assert_snapshot!(shown(&shop.ask(query).await), @r#"
    {
      "data": {
        "__schema": {
          "description": null,
          "directives": [
            {
              "args": [{"defaultValue":null,"name":"if"}],
              "isRepeatable": false,
              "locations": ["FIELD","FRAGMENT_SPREAD","INLINE_FRAGMENT"],
              "name": "skip"
            },
            {
              "args": [{"defaultValue":null,"name":"if"}],
              "isRepeatable": false,
              "locations": ["FIELD","FRAGMENT_SPREAD","INLINE_FRAGMENT"],
              "name": "include"
            },
            {
              "args": [{"defaultValue":"\"No longer supported\"","name":"reason"}],
              "isRepeatable": false,
              "locations": ["FIELD_DEFINITION","ARGUMENT_DEFINITION","INPUT_FIELD_DEFINITION","ENUM_VALUE"],
              "name": "deprecated"
            },
            {
              "args": [{"defaultValue":null,"name":"url"}],
              "isRepeatable": false,
              "locations": ["SCALAR"],
              "name": "specifiedBy"
            },
            {"args":[],"isRepeatable":false,"locations":["INPUT_OBJECT"],"name":"oneOf"},
            {
              "args": [{"defaultValue":null,"name":"label"},{"defaultValue":"true","name":"if"}],
              "isRepeatable": false,
              "locations": ["FRAGMENT_SPREAD","INLINE_FRAGMENT"],
              "name": "defer"
            }
          ],
          "mutationType": {"name":"Mutation"},
          "queryType": {"name":"Query"},
          "subscriptionType": null
        }
      }
    }
    "#);
}

#[tokio::test]
async fn introspection_is_for_whom_the_configuration_says() {
    let config = RouterConfig {
        introspection: ByCaller {
            anonymous: false,
            people: false,
            apps: true,
            staff: true,
        },
        ..RouterConfig::default()
    };
    let shop = Shop::with(&config).await;
    let query = "{ me { id } ...more } fragment more on Query { __type(name: \"User\") { name } }";
    let mut codes = Vec::new();
    // Each asks what another one has made ready.
    for caller in callers() {
        let answer = ask_as(&shop.http, query, &json!({}), caller).await;
        codes.push(answer["errors"][0]["extensions"]["code"].clone());
    }
    assert_eq!(
        codes,
        [json!("FORBIDDEN"), json!("FORBIDDEN"), json!(null), json!(null)]
    );
    let answer = shop.ask("{ me { __typename } }").await;
    assert_eq!(answer, json!({"data": {"me": {"__typename": "User"}}}));
}

fn taking_lists() -> Server {
    let mut options = HttpOptions::default();
    options.config.batching.enabled = true;
    options.config.batching.max_requests = 3;
    Server::with(options)
}

#[tokio::test]
async fn a_list_of_requests_is_answered_in_its_order() {
    let server = taking_lists();
    let body = r#"[{"query": "{ me { id } }"}, {"query": "{ nope }"},
        {"query": "query($n: Int!) { users(first: $n) { id } }", "variables": {"n": 1}}]"#;
    let answer = server.post(OLD, body).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body[0], json!({"data": {"me": {"id": "1"}}}));
    assert_eq!(
        answer.body[1]["errors"][0]["extensions"]["code"],
        "GRAPHQL_VALIDATION_FAILED"
    );
    assert_eq!(answer.body[2], json!({"data": {"users": [{"id": "1"}]}}));
}

#[tokio::test]
async fn changes_of_a_list_come_one_after_the_other() {
    let log = Arc::new(Log::default());
    let mut options = HttpOptions::default();
    options.config.batching.enabled = true;
    let server = Server(service(EngineHandle::new(Arc::new(engine_with(&log))), options));
    let change = |query: &str| json!({ "query": format!("mutation {{ {query} }}") });
    let list = [
        change(r#"rename(id: 1, name: "x") { id }"#),
        json!({ "query": "{ me { id } }" }),
        change(r#"reprice(upc: "b1", price: 3) { title }"#),
        change(r#"rename(id: 2, name: "y") { id }"#),
    ];
    let answer = server.post(OLD, json!(list).to_string()).await;
    assert_eq!(answer.body.as_array().map(Vec::len), Some(4));
    assert_eq!(log.take(), ["rename 1 x", "reprice b1 3", "rename 2 y"]);
}

#[tokio::test]
async fn a_list_that_is_none_is_refused() {
    let server = taking_lists();
    let one = r#"{"query": "{ me { id } }"}"#;
    for (body, reason) in [
        ("[]".to_owned(), "empty"),
        (format!("[{one},{one},{one},{one}]"), "at most 3"),
        ("[1]".to_owned(), "not a list of GraphQL requests"),
        (format!("[{one}"), "not a list of GraphQL requests"),
    ] {
        let answer = server.post(OLD, body).await;
        assert_eq!(answer.status, 400);
        let message = answer.body["errors"][0]["message"].as_str().unwrap_or_default();
        assert!(message.contains(reason), "{message}");
    }
    let answer = server.post(OLD, format!("[{{}},{one}]")).await;
    assert_eq!(
        answer.body[0]["errors"][0]["extensions"]["code"],
        "BAD_USER_INPUT"
    );
    assert_eq!(answer.body[1], json!({"data": {"me": {"id": "1"}}}));
}
