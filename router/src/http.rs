//! GraphQL over HTTP, by <https://graphql.github.io/graphql-over-http/draft/>: media types, status codes, GET for queries
//! only; and GraphiQL for browsers.

mod batch;
mod graphiql;
mod incremental;
mod media;
mod multipart;
mod operation;
mod streams;
mod websocket;

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, ORIGIN, RETRY_AFTER, VARY, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use kernel::ErrorCode;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::{Cors, RouterConfig};
use crate::context::{Anonymous, AuthError, Authenticator, RequestContext};
use crate::cors;
use crate::engine::{Engine, EngineHandle, GraphQlRequest};
use crate::error::{Code, GraphQlError};
use crate::header_rules::ResponseHeaders;
use crate::rate_limit::{RATE_LIMIT, RATE_LIMIT_POLICY};
use crate::response_cache;
use media::{Accepted, Delivery, MediaType};
use operation::{Answered, Operation, Subscriptions, Terms};

/// Request headers that a web page of another origin cannot set without the browser asking first.
const PREFLIGHT_HEADERS: [&str; 3] = [
    "apollo-require-preflight",
    "x-apollo-operation-name",
    "x-requested-with",
];

/// How GraphQL is served over HTTP.
#[derive(Clone)]
pub struct HttpOptions {
    /// The endpoint's path.
    pub path: String,
    /// Whether browsers that open the endpoint get GraphiQL.
    pub graphiql: bool,
    /// Who judges credentials.
    pub authenticator: Arc<dyn Authenticator>,
    /// Limits and CORS.
    pub config: RouterConfig,
    /// When the program stops: then what goes on for ever ends, with a word to the client.
    pub shutdown: CancellationToken,
    /// The WebSockets that are open; a server does not know of them.
    pub connections: TaskTracker,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            path: "/graphql".to_owned(),
            graphiql: true,
            authenticator: Arc::new(Anonymous),
            config: RouterConfig::default(),
            shutdown: CancellationToken::new(),
            connections: TaskTracker::new(),
        }
    }
}

/// The service: the endpoint, persisted operations by their ids at `persisted/{id}` below it, and GraphiQL's files.
pub fn service(engine: EngineHandle, options: HttpOptions) -> Router {
    let options = Arc::new(options);
    let path = options.path.clone();
    let dropping =
        response_cache::http::endpoint(engine.clone(), &options.config.response_cache.invalidation);
    let server = Server {
        engine,
        options: options.clone(),
        open: Arc::new(Semaphore::new(
            options.config.subscriptions.max_open.min(Semaphore::MAX_PERMITS),
        )),
    };
    let mut router = Router::new()
        .route(&path, any(endpoint))
        .route(
            &format!("{}/persisted/{{id}}", path.trim_end_matches('/')),
            any(named),
        )
        .with_state(server);
    if options.graphiql {
        router = router.merge(graphiql::assets(&path));
    }
    let exposed = [RETRY_AFTER, RATE_LIMIT, RATE_LIMIT_POLICY];
    let router = match cors::layer(&options.config, &[Method::GET, Method::POST], &exposed) {
        Some(layer) => router.layer(layer),
        None => router,
    };
    match dropping {
        Some(dropping) => router.merge(dropping),
        None => router,
    }
}

/// Judges the credentials of a request and puts together what its execution needs. A proxy before the router may say how
/// long it waits ([`kernel::TIME_LEFT_HEADER`]).
///
/// # Errors
/// Credentials that are there and not good, or that cannot be judged now, or too many of them.
pub async fn context(
    engine: &Engine,
    options: &HttpOptions,
    parts: &Parts,
) -> Result<RequestContext, AuthError> {
    let (headers, address) = (&parts.headers, engine.client_address(parts));
    let principal = match options.authenticator.authenticate(headers).await {
        Ok(principal) => principal,
        Err(error) => {
            let refusal = engine.stranger_refusal(address).await;
            return Err(refusal.map_or(error, AuthError::from));
        }
    };
    let context = RequestContext::new(Arc::new(principal))
        .with_headers(headers.clone())
        .from_address(address);
    let left = headers.get(kernel::TIME_LEFT_HEADER);
    Ok(match left.and_then(|value| kernel::time_left(value.as_bytes())) {
        Some(left) => context.with_time_left(left),
        None => context,
    })
}

#[derive(Clone)]
struct Server {
    engine: EngineHandle,
    options: Arc<HttpOptions>,
    /// Places for streams and WebSockets.
    open: Arc<Semaphore>,
}

/// What a body holds.
enum Asked {
    One(GraphQlRequest),
    Several(Vec<GraphQlRequest>),
}

/// A request that is not GraphQL over HTTP, or not let in.
struct Refused {
    status: StatusCode,
    errors: Vec<GraphQlError>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Refused {
    fn new(status: StatusCode, code: impl Into<Code>, message: impl Into<String>) -> Self {
        Self {
            status,
            errors: vec![GraphQlError::new(code, message)],
            headers: Vec::new(),
        }
    }

    fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, ErrorCode::BadUserInput, message)
    }

    /// One whose caller asks for too much, whatever else is wrong with it.
    fn too_much(error: GraphQlError) -> Self {
        AuthError::from(error).into()
    }

    fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }
}

async fn endpoint(State(server): State<Server>, request: Request) -> Response {
    if websocket::is_asked(request.headers()) {
        return websocket::open(&server, request).await;
    }
    let is_get = request.method() == Method::GET;
    if is_get && server.options.graphiql && media::prefers_html(request.headers()) {
        return graphiql::page(&server.options.path);
    }
    serve(&server, request, None).await
}

/// An operation that is named by the path.
async fn named(State(server): State<Server>, Path(id): Path<String>, request: Request) -> Response {
    serve(&server, request, Some(id)).await
}

async fn serve(server: &Server, request: Request, id: Option<String>) -> Response {
    let (parts, body) = request.into_parts();
    let Some(accepted) = media::accepted(&parts.headers) else {
        let message =
            "the answer is application/graphql-response+json, application/json or text/event-stream";
        let refused = Refused::new(StatusCode::NOT_ACCEPTABLE, ErrorCode::BadUserInput, message);
        return refusal(refused, MediaType::Json);
    };
    let asked = asked(server, &parts, body, id.as_deref()).await;
    let answer = match asked {
        Ok(asked) => answer(server, &parts, asked, accepted, id.is_some()).await,
        Err(refused) => Err(charged(server, &parts, refused).await),
    };
    answer.unwrap_or_else(|refused| refusal(refused, accepted.media_type))
}

/// What is asked, by the path, the query string or the body.
async fn asked(server: &Server, parts: &Parts, body: Body, id: Option<&str>) -> Result<Asked, Refused> {
    let asked = match parts.method {
        Method::GET => {
            same_origin(&parts.headers, &server.options.config.cors)?;
            Asked::One(from_query(&parts.uri, &server.options)?)
        }
        Method::POST => from_body(&parts.headers, body, &server.options).await?,
        _ => {
            return Err(method_not_allowed(
                "GET, POST",
                "GraphQL is asked with GET or POST",
            ));
        }
    };
    match asked {
        Asked::One(request) => check(request, id).map(Asked::One),
        Asked::Several(_) if id.is_some() => Err(Refused::bad_request("the path says already what is asked")),
        several => Ok(several),
    }
}

async fn answer(
    server: &Server,
    parts: &Parts,
    asked: Asked,
    accepted: Accepted,
    is_named: bool,
) -> Result<Response, Refused> {
    let (engine, config) = (server.engine.load(), &server.options.config);
    let context = judged(&engine, &server.options, parts).await?;
    let request = match asked {
        Asked::One(request) => request,
        Asked::Several(requests) => return Ok(batch::answer(&engine, &context, requests).await),
    };
    let terms = Terms {
        only_queries: parts.method == Method::GET,
        parts: accepted.parts,
        subscriptions: accepted
            .delivery
            .map_or(Subscriptions::NotTaken, |_| Subscriptions::Placed),
    };
    let mut answered = match Operation::prepare(&engine, context, request).await {
        Ok(operation) => operation.run(server, terms).await?,
        Err(refused) => Answered::Once(refused, None),
    };
    let (rate, headers) = match &mut answered {
        Answered::Once(response, _) => (response.rate.take(), std::mem::take(&mut response.headers)),
        Answered::Events(events) => (events.rate.take(), ResponseHeaders::default()),
    };
    let mut sent = match answered {
        Answered::Once(first, Some(later)) => incremental::respond(first, later),
        Answered::Once(response, None) => once(response, accepted, config, is_named),
        Answered::Events(events) => streams::write(events, accepted.delivery, config),
    };
    if let Some(rate) = rate {
        rate.write(sent.headers_mut());
    }
    headers.write(sent.headers_mut());
    Ok(sent)
}

/// What is told to somebody whose request is none, which costs something, too.
async fn charged(server: &Server, parts: &Parts, refused: Refused) -> Refused {
    let engine = server.engine.load();
    match engine.stranger_refusal(engine.client_address(parts)).await {
        Some(error) => Refused::too_much(error),
        None => refused,
    }
}

/// The context of a request whose credentials are good.
async fn judged(engine: &Engine, options: &HttpOptions, parts: &Parts) -> Result<RequestContext, Refused> {
    context(engine, options, parts).await.map_err(Refused::from)
}

impl From<AuthError> for Refused {
    fn from(error: AuthError) -> Self {
        let status = StatusCode::from_u16(error.code.http_status()).unwrap_or(StatusCode::UNAUTHORIZED);
        let mut refused = Self::new(status, error.code, error.message);
        if let Some(seconds) = error.retry_after {
            refused.errors = refused
                .errors
                .into_iter()
                .map(|it| it.with("retryAfter", seconds))
                .collect();
            return refused.with(RETRY_AFTER, seconds.into());
        }
        match status {
            StatusCode::UNAUTHORIZED => {
                refused.with(WWW_AUTHENTICATE, HeaderValue::from_static(error.challenge))
            }
            _ => refused,
        }
    }
}

/// Refuses a query that a page of another origin sends without the browser having asked first whether it may.
fn same_origin(headers: &HeaderMap, cors: &Cors) -> Result<(), Refused> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let foreign = matches!(text("sec-fetch-site"), Some("cross-site" | "same-site"));
    let asked_first = PREFLIGHT_HEADERS.iter().any(|name| headers.contains_key(*name))
        || text(CONTENT_TYPE.as_str())
            .is_some_and(|content_type| content_type.starts_with("application/json"));
    let allowed =
        text(ORIGIN.as_str()).is_some_and(|origin| cors.origins.iter().any(|o| o == origin || o == "*"));
    if !foreign || asked_first || allowed {
        return Ok(());
    }
    let message = "a query by GET from another site must carry the header `apollo-require-preflight`";
    Err(Refused::new(StatusCode::FORBIDDEN, ErrorCode::Forbidden, message))
}

fn from_query(uri: &http::Uri, options: &HttpOptions) -> Result<GraphQlRequest, Refused> {
    if uri
        .query()
        .is_some_and(|query| query.len() > options.config.limits.max_body_bytes)
    {
        return Err(Refused::new(
            StatusCode::URI_TOO_LONG,
            ErrorCode::BadUserInput,
            "the query string is too long",
        ));
    }
    let Query(mut fields) = Query::<HashMap<String, String>>::try_from_uri(uri)
        .map_err(|error| Refused::bad_request(format!("the query string is malformed: {error}")))?;
    let mut object = |name: &str| match fields.remove(name).filter(|text| !text.is_empty()) {
        None => Ok(Default::default()),
        Some(text) => serde_json::from_str::<Option<serde_json::Map<_, _>>>(&text)
            .map(Option::unwrap_or_default)
            .map_err(|error| Refused::bad_request(format!("`{name}` is not a JSON object: {error}"))),
    };
    let request = GraphQlRequest {
        variables: object("variables")?,
        extensions: object("extensions")?,
        query: fields.remove("query"),
        operation_name: fields.remove("operationName"),
    };
    Ok(request)
}

async fn from_body(headers: &HeaderMap, body: Body, options: &HttpOptions) -> Result<Asked, Refused> {
    if !media::is_json(headers) {
        let message = "the body must be application/json in UTF-8; file uploads are not taken";
        return Err(Refused::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            ErrorCode::BadUserInput,
            message,
        ));
    }
    let limit = options.config.limits.max_body_bytes;
    let body = axum::body::to_bytes(body, limit).await.map_err(|error| {
        let source = std::error::Error::source(&error);
        match source.is_some_and(|source| source.is::<http_body_util::LengthLimitError>()) {
            true => Refused::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                ErrorCode::BadUserInput,
                format!("the body is longer than {limit} bytes"),
            ),
            false => Refused::bad_request("the body ended too early"),
        }
    })?;
    if batch::is_array(&body) {
        return batch::read(&body, &options.config.batching).map(Asked::Several);
    }
    serde_json::from_slice(&body)
        .map(Asked::One)
        .map_err(|error| Refused::bad_request(format!("the body is not a GraphQL request: {error}")))
}

/// A request that says which document it means: by what it brings, or by the id in its path.
fn check(mut request: GraphQlRequest, id: Option<&str>) -> Result<GraphQlRequest, Refused> {
    if let Some(id) = id {
        if request.query.is_some() || request.extensions.contains_key("persistedQuery") {
            return Err(Refused::bad_request(
                "the path says already which operation is meant",
            ));
        }
        let named = serde_json::json!({ "version": 1, "sha256Hash": id });
        request.extensions.insert("persistedQuery".to_owned(), named);
    }
    if request.query.is_none() && !request.extensions.contains_key("persistedQuery") {
        return Err(Refused::bad_request("the request has no `query`"));
    }
    Ok(request)
}

fn method_not_allowed(allow: &'static str, message: &str) -> Refused {
    Refused::new(StatusCode::METHOD_NOT_ALLOWED, ErrorCode::BadUserInput, message)
        .with(ALLOW, HeaderValue::from_static(allow))
}

/// An answer that is all there.
fn once(response: crate::Response, accepted: Accepted, config: &RouterConfig, is_named: bool) -> Response {
    let retry_after = response.retry_after();
    let is_refused_for = |code: Code| {
        let mut errors = response.errors.iter();
        response.is_request_error() && errors.any(|error| error.code() == Some(code.as_str()))
    };
    let told = if retry_after.is_some() {
        Some(StatusCode::TOO_MANY_REQUESTS)
    } else if is_named && is_refused_for(Code::PersistedQueryNotFound) {
        Some(StatusCode::NOT_FOUND)
    } else if is_refused_for(Code::SubscriptionNotAcceptable) {
        Some(StatusCode::NOT_ACCEPTABLE)
    } else {
        None
    };
    if told.is_none() && accepted.delivery == Some(Delivery::Events) {
        return streams::once(response);
    }
    let status = told.unwrap_or_else(|| status(&response, accepted.media_type));
    let control = response.cache_control;
    let mut answer = write(status, accepted.media_type, response.into_body());
    if let Some(control) = control {
        response_cache::http::describe(control, config, answer.headers_mut());
    }
    if let Some(seconds) = retry_after {
        answer.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    answer
}

fn status(response: &crate::Response, media_type: MediaType) -> StatusCode {
    // application/json comes from a time when every well-formed request was answered with 200.
    if media_type == MediaType::Json || !response.is_request_error() {
        return StatusCode::OK;
    }
    let internal = Some(ErrorCode::Internal.as_str());
    match response.errors.iter().any(|error| error.code() == internal) {
        true => StatusCode::INTERNAL_SERVER_ERROR,
        false => StatusCode::BAD_REQUEST,
    }
}

fn refusal(refused: Refused, media_type: MediaType) -> Response {
    let body = crate::Response::refused(refused.errors).into_body();
    let mut response = write(refused.status, media_type, body);
    response.headers_mut().extend(refused.headers);
    response
}

fn write(status: StatusCode, media_type: MediaType, body: Bytes) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(media_type.as_str())),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (VARY, HeaderValue::from_static("accept")),
    ];
    (status, headers, body).into_response()
}
