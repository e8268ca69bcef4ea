//! A server with the endpoints of `operations.graphql` over one subgraph that answers as it is told.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use async_graphql::parser::types::Selection;
use axum::body::Body;
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::{self, BoxStream, StreamExt};
use http::header::{ACCEPT_LANGUAGE, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use kernel::{Locale, Principal};
use router::apollo_compiler::Schema;
use router::apollo_compiler::schema::ExtendedType;
use router::http::HttpOptions;
use router::rest::{Info, OperationFile, RestApi, RestHandle, RestOptions};
use router::{AuthError, Authenticator, Engine, InProcessSchema, RouterConfig, Transports};
use serde_json::Value;

pub(crate) const SCHEMA: &str = include_str!("schema.graphql");
pub(crate) const OPERATIONS: &str = include_str!("operations.graphql");
/// The longest body that the server takes.
pub(crate) const MAX_BODY: usize = 1_000;
pub(crate) const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// The server.
pub(crate) struct Server {
    service: TowerToHyperService<axum::Router>,
    handle: RestHandle,
    engine: Arc<Engine>,
    subgraph: Arc<Subgraph>,
}

/// A request that is being put together.
pub(crate) struct Ask(http::request::Builder, String);

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

/// Answers what it is told, and remembers the variables.
struct Subgraph {
    answer: Mutex<Value>,
    variables: Mutex<Value>,
}

/// Takes everybody for a part of the platform, but `Bearer nobody` for nobody; other tokens are wrong.
struct Tokens;

pub(crate) fn get(path: &str) -> Ask {
    ask(Method::GET, path)
}

pub(crate) fn ask(method: Method, path: &str) -> Ask {
    Ask(Request::builder().method(method).uri(path), String::new())
}

impl Ask {
    pub(crate) fn header(self, name: &str, value: &str) -> Self {
        Self(self.0.header(name, value), self.1)
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.body("application/json", &body.to_string())
    }

    pub(crate) fn body(self, media_type: &str, body: &str) -> Self {
        Self(self.0.header(CONTENT_TYPE, media_type), body.to_owned())
    }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .get(name)
            .map(|value| value.to_str().expect("a text"))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.to_vec()).expect("a text")
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }
}

impl Server {
    /// A server whose subgraph answers with that GraphQL response.
    pub(crate) fn answering(answer: Value) -> Self {
        Self::configured(answer, RouterConfig::default())
    }

    /// The same with a configuration.
    pub(crate) fn configured(answer: Value, mut config: RouterConfig) -> Self {
        let subgraph = Arc::new(Subgraph {
            answer: Mutex::new(answer),
            variables: Mutex::new(Value::Null),
        });
        let transports = Transports::default().in_process("habits", subgraph.clone());
        config.limits.max_body_bytes = MAX_BODY;
        let engine = Arc::new(Engine::new(&supergraph(), &config, transports).expect("a supergraph"));
        let api = endpoints(&engine, OPERATIONS);
        let handle = RestHandle::new(api, engine.clone(), &Info::default()).expect("operations");
        let http = HttpOptions {
            authenticator: Arc::new(Tokens),
            config,
            ..HttpOptions::default()
        };
        let options = RestOptions {
            http: Arc::new(http),
            trace_id: None,
        };
        Self {
            service: TowerToHyperService::new(handle.router(options)),
            handle,
            engine,
            subgraph,
        }
    }

    /// Puts the endpoints of other operations in force.
    pub(crate) fn swap(&self, operations: &str) {
        let api = endpoints(&self.engine, operations);
        self.handle
            .swap(api, self.engine.clone(), &Info::default())
            .expect("operations");
    }

    /// From now on the subgraph answers with that.
    pub(crate) fn answer(&self, answer: Value) {
        *self.subgraph.answer.lock().expect("the answer") = answer;
    }

    /// The variables of the last request to the subgraph; null if there was none.
    pub(crate) fn variables(&self) -> Value {
        self.subgraph.variables.lock().expect("the variables").clone()
    }

    pub(crate) async fn send(&self, ask: Ask) -> Answer {
        let request = ask.0.body(Body::from(ask.1)).expect("a request");
        let response = self.service.call(request).await.expect("it cannot fail");
        let (parts, body) = response.into_parts();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: body.collect().await.expect("a body").to_bytes(),
        }
    }
}

fn endpoints(engine: &Engine, operations: &str) -> Arc<RestApi> {
    let file = OperationFile {
        path: "operations.graphql".to_owned(),
        text: operations.to_owned(),
    };
    Arc::new(RestApi::load(engine, &[file]).expect("endpoints"))
}

impl InProcessSchema for Subgraph {
    fn execute(&self, mut request: async_graphql::Request) -> BoxFuture<'_, async_graphql::Response> {
        *self.variables.lock().expect("the variables") =
            serde_json::to_value(&request.variables).expect("JSON");
        let mut answer = self.answer.lock().expect("the answer").clone();
        let (field, key) = root(&mut request);
        // The router may ask under a key of its own.
        if let Some(data) = answer["data"].as_object_mut()
            && let Some(value) = data.remove(&field)
        {
            data.insert(key.clone(), value);
        }
        for error in answer["errors"].as_array_mut().into_iter().flatten() {
            if let Some(first) = error["path"].get_mut(0) {
                *first = Value::from(key.as_str());
            }
        }
        if answer["errors"].is_null() {
            answer["errors"] = Value::Array(Vec::new());
        }
        Box::pin(async { serde_json::from_value(answer).expect("a response") })
    }

    fn execute_stream(&self, _: async_graphql::Request) -> BoxStream<'static, async_graphql::Response> {
        stream::empty().boxed()
    }
}

/// The root field that is asked for, and the key that its value goes under.
fn root(request: &mut async_graphql::Request) -> (String, String) {
    let document = request.parsed_query().expect("a document");
    let (_, operation) = document.operations.iter().next().expect("an operation");
    match &operation.node.selection_set.node.items[0].node {
        Selection::Field(field) => (
            field.node.name.node.to_string(),
            field.node.response_key().node.to_string(),
        ),
        _ => panic!("a root field"),
    }
}

impl Authenticator for Tokens {
    fn authenticate<'a>(&'a self, headers: &'a HeaderMap) -> BoxFuture<'a, Result<Principal, AuthError>> {
        let language = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        let locale = language.map(Locale::from_accept_language).unwrap_or_default();
        let judged = match headers.get(AUTHORIZATION).map(HeaderValue::as_bytes) {
            None => Ok(Principal::service("test").speaking(locale)),
            Some(b"Bearer nobody") => Ok(Principal::anonymous().speaking(locale)),
            Some(_) => Err(AuthError::unauthenticated("The token is not valid.")),
        };
        Box::pin(async { judged })
    }
}

/// The schema as a supergraph of one subgraph, in which nothing is guarded but `Query.habit`.
fn supergraph() -> String {
    let schema = Schema::parse_and_validate(SCHEMA, "schema.graphql").expect("a schema");
    let mut sdl = HEADER.to_owned();
    for (name, ty) in schema.types.iter().filter(|(_, ty)| !ty.is_built_in()) {
        let text = ty.to_string();
        let (head, body) = match ty {
            ExtendedType::Union(_) => text.split_at(text.find(" =").expect("members")),
            ExtendedType::Scalar(_) => (text.trim_end(), ""),
            _ => text.split_at(text.rfind("\n}").and_then(|_| text.find(" {\n")).expect("fields")),
        };
        let mut body = body.to_owned();
        if let ExtendedType::Enum(definition) = ty {
            for value in definition.values.keys() {
                body = body.replace(
                    &format!("  {value}\n"),
                    &format!("  {value} @join__enumValue(graph: HABITS)\n"),
                );
            }
        }
        if name == "Query" {
            body = body.replacen("): Habit\n", "): Habit @authenticated\n", 1);
        }
        let mut members = String::new();
        if let ExtendedType::Union(union) = ty {
            for member in &union.members {
                write!(
                    members,
                    " @join__unionMember(graph: HABITS, member: \"{}\")",
                    member.name
                )
                .expect("a text");
            }
        }
        writeln!(sdl, "{head} @join__type(graph: HABITS){members}{body}").expect("a text");
    }
    sdl
}

const HEADER: &str = r#"
schema
  @link(url: "https://specs.apollo.dev/link/v1.0")
  @link(url: "https://specs.apollo.dev/join/v0.5", for: EXECUTION)
  @link(url: "https://specs.apollo.dev/authenticated/v0.1", for: SECURITY)
{ query: Query mutation: Mutation }
directive @link(url: String, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA
directive @join__graph(name: String!, url: String!) on ENUM_VALUE
directive @join__type(graph: join__Graph!, key: join__FieldSet, extension: Boolean! = false, resolvable: Boolean! = true, isInterfaceObject: Boolean! = false) repeatable on OBJECT | INTERFACE | UNION | ENUM | INPUT_OBJECT | SCALAR
directive @join__enumValue(graph: join__Graph!) repeatable on ENUM_VALUE
directive @join__unionMember(graph: join__Graph!, member: String!) repeatable on UNION
directive @authenticated on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM
directive @oneOf on INPUT_OBJECT
scalar link__Import
scalar join__FieldSet
enum link__Purpose { SECURITY EXECUTION }
enum join__Graph { HABITS @join__graph(name: "habits", url: "http://localhost:4001") }
"#;
