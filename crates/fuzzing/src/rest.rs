//! The target `rest`: a request to an endpoint of REST.

use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use axum::Router;
use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE};
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use router::apollo_compiler::ExecutableDocument;
use router::apollo_compiler::request::coerce_variable_values;
use router::http::HttpOptions;
use router::rest::{Info, OperationFile, RestApi, RestHandle, RestOptions};
use router::{Engine, RouterConfig, TextSubgraph, Transports};
use serde_json::{Map, Value};
use tower::ServiceExt as _;

use crate::{message, on_a_small_stack, wait_for};

const SCHEMA: &str = include_str!("rest/schema.graphql");
const OPERATIONS: &str = include_str!("rest/operations.graphql");

/// Every status that an endpoint may answer with. The subgraph here finds nothing, which for some is an error of the server.
const STATUSES: [u16; 12] = [200, 201, 204, 304, 400, 404, 405, 412, 413, 415, 422, 503];

struct Served {
    api: Arc<RestApi>,
    engine: Arc<Engine>,
    router: Router,
    /// The bodies of what the subgraph was asked.
    asked: Arc<Mutex<Vec<Bytes>>>,
}

/// Takes a request as text: method and target, headers, an empty line, the body. What is right:
///
/// - What the request is mapped onto are variables that the operation takes, by another implementation, too; or issues,
///   each with a place, a code and a text.
/// - With issues nobody asks the subgraph, and they are what the client is told.
/// - What the subgraph gets are those variables, and nothing else that was in the request.
/// - An error is a problem document whose status is that of the response; no error is an internal one.
///
/// # Panics
/// Where one of these does not hold.
pub fn rest(bytes: &[u8]) {
    static SERVED: LazyLock<Served> = LazyLock::new(Served::open);
    LazyLock::force(&SERVED);
    let request = message::read(bytes, "/api/things");
    on_a_small_stack(|| wait_for(SERVED.ask(request)));
}

impl Served {
    fn open() -> Self {
        let asked = Arc::<Mutex<Vec<Bytes>>>::default();
        let log = asked.clone();
        let nothing: TextSubgraph = Arc::new(move |question: &[u8]| {
            let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
            log.push(Bytes::copy_from_slice(question));
            Bytes::from_static(b"{\"data\":{}}")
        });
        let source = composition::SubgraphSource::new("all", None, SCHEMA);
        let supergraph = composition::compose(&[source])
            .expect("the schema composes")
            .supergraph_sdl;
        let transports = Transports::default().function("all", nothing);
        let engine = Engine::new(&supergraph, &RouterConfig::default(), transports);
        let engine = Arc::new(engine.expect("the schema loads"));
        let file = OperationFile {
            path: "operations.graphql".to_owned(),
            text: OPERATIONS.to_owned(),
        };
        let api = Arc::new(RestApi::load(&engine, &[file]).expect("the operations are right"));
        let info = Info {
            title: "Things".to_owned(),
            version: "1".to_owned(),
            ..Info::default()
        };
        let handle = RestHandle::new(api.clone(), engine.clone(), &info).expect("the operations fit");
        let router = handle.router(RestOptions {
            http: Arc::new(HttpOptions::default()),
            trace_id: None,
        });
        Self {
            api,
            engine,
            router,
            asked,
        }
    }

    async fn ask(&self, request: Request<Bytes>) {
        let body = request.body().clone();
        let (parts, ()) = request.clone().map(|_| ()).into_parts();
        let json = serde_json::from_slice(&body).ok().filter(|_| !body.is_empty());
        let mapped = self.api.mapped(&parts, json);
        if let Some((operation, mapped)) = &mapped {
            self.assert_mapped(operation, mapped);
        }
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let response = self.router.clone().oneshot(message::with_body(request)).await;
        let (head, told) = response.unwrap_or_else(|never| match never {}).into_parts();
        let told = told
            .collect()
            .await
            .expect("a body that was made here")
            .to_bytes();
        let asked = std::mem::take(&mut *self.asked.lock().unwrap_or_else(PoisonError::into_inner));
        let status = head.status;
        assert!(
            STATUSES.contains(&status.as_u16()),
            "the status is {status}: {}",
            String::from_utf8_lossy(&told)
        );
        if status == StatusCode::METHOD_NOT_ALLOWED {
            assert!(head.headers.contains_key(ALLOW), "nothing is allowed");
        }
        let is_problem = head
            .headers
            .get(CONTENT_TYPE)
            .is_some_and(|it| it == "application/problem+json");
        if parts.method == Method::HEAD || !is_problem {
            return;
        }
        let problem: Value = serde_json::from_slice(&told).expect("a problem is JSON");
        assert_eq!(problem["status"], status.as_u16(), "{problem}");
        assert_ne!(problem["code"], "INTERNAL", "{problem}");
        for key in ["type", "title", "detail", "code"] {
            assert!(
                problem[key].as_str().is_some_and(|text| !text.is_empty()),
                "{problem}"
            );
        }
        if problem["code"] == "BAD_USER_INPUT" {
            let Some((_, Err(issues))) = mapped else {
                panic!("the mapping had nothing against it: {problem}");
            };
            assert_eq!(problem["issues"], Value::Array(issues), "{problem}");
            assert!(asked.is_empty(), "asked with issues");
        }
        if let [question] = asked.as_slice() {
            assert_question(question);
        }
    }

    fn assert_mapped(&self, operation: &str, mapped: &Result<Map<String, Value>, Vec<Value>>) {
        match mapped {
            Ok(variables) => {
                let document = self.api.operations().find(|(name, _)| *name == operation);
                let (_, document) = document.expect("an endpoint's operation");
                let schema = self.engine.api_schema();
                let document = ExecutableDocument::parse_and_validate(schema, document, "operation.graphql");
                let document = document.expect("a valid document");
                let operation = document.operations.get(Some(operation)).expect("the operation");
                let given = serde_json::from_value(Value::Object(variables.clone())).expect("JSON");
                if let Err(error) = coerce_variable_values(schema, operation, &given) {
                    panic!("{variables:?} are no variables: {}", error.message());
                }
            }
            Err(issues) => {
                assert!(!issues.is_empty(), "refused without an issue");
                for issue in issues {
                    let is_text = |key: &str| issue[key].as_str().is_some_and(|text| !text.is_empty());
                    assert!(
                        issue["path"].is_array() && is_text("code") && is_text("message"),
                        "{issue}"
                    );
                }
            }
        }
    }
}

fn assert_question(question: &[u8]) {
    let question: Value = serde_json::from_slice(question).expect("a question is JSON");
    assert!(question["query"].is_string(), "{question}");
}
