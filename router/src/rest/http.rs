//! Serves the endpoints over HTTP.

use std::sync::Arc;

use axum::Router;
use axum::body::Body as AxumBody;
use axum::extract::{Request, State};
use axum::routing::any;
use bytes::Bytes;
use http::header::{ALLOW, CONTENT_LENGTH, CONTENT_TYPE, ETAG, LINK, LOCATION, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use kernel::Locale;
use serde_json::Value;

use super::answer::{Asked, PARTIAL, respond};
use super::endpoint::Endpoint;
use super::problem::{Fault, Problem, allow};
use super::request::{Parts, variables};
use super::{Live, RestHandle};
use crate::cors;
use crate::rate_limit::{RATE_LIMIT, RATE_LIMIT_POLICY};
use crate::{RateStanding, ResponseHeaders};

/// How resources are asked for and changed.
const METHODS: [Method; 5] = [
    Method::GET,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
];

/// What pages of other origins may see of an answer's head.
const EXPOSED: [HeaderName; 7] = [
    ETAG,
    LINK,
    LOCATION,
    RETRY_AFTER,
    PARTIAL,
    RATE_LIMIT,
    RATE_LIMIT_POLICY,
];

/// Supplies the id of the trace that the current task belongs to.
pub type TraceId = Arc<dyn Fn() -> Option<String> + Send + Sync>;

/// What serving needs beside the endpoints.
#[derive(Clone)]
pub struct RestOptions {
    /// Who judges credentials, and the limits.
    pub http: Arc<crate::http::HttpOptions>,
    /// The trace id for `traceId` of problem documents. Without it the one of the request's `traceparent`
    /// (W3C Trace Context §3.2) is named.
    pub trace_id: Option<TraceId>,
}

#[derive(Clone)]
struct Server {
    handle: RestHandle,
    options: RestOptions,
}

/// The endpoints below the first words of their paths, `/openapi.json`, and the page `/docs`.
pub(super) fn router(handle: RestHandle, options: RestOptions) -> Router {
    let mut router = Router::new();
    for word in handle.load().api.first_words() {
        router = router
            .route(&format!("/{word}"), any(serve))
            .route(&format!("/{word}/"), any(serve))
            .route(&format!("/{word}/{{*rest}}"), any(serve));
    }
    let cors = cors::layer(&options.http.config, &METHODS, &EXPOSED);
    let server = Server {
        handle: handle.clone(),
        options,
    };
    let router = router.with_state(server).merge(super::docs::router(handle));
    match cors {
        Some(layer) => router.layer(layer),
        None => router,
    }
}

async fn serve(State(server): State<Server>, request: Request) -> axum::response::Response {
    let (parts, body) = request.into_parts();
    let (live, options) = (server.handle.load(), &server.options);
    let (mut rate, mut headers) = (None, ResponseHeaders::default());
    let answered = handle(&live, options, &parts, body, (&mut rate, &mut headers)).await;
    let mut response = answered.unwrap_or_else(|problem| {
        let trace_id = options.trace_id.as_ref().and_then(|trace_id| trace_id());
        problem.into_response(trace_id.as_deref().or_else(|| incoming_trace(&parts.headers)))
    });
    if let Some(rate) = rate {
        rate.write(response.headers_mut());
    }
    headers.write(response.headers_mut());
    let length = response.body().len();
    if parts.method == Method::HEAD {
        // The length is that of the answer to a GET (RFC 9110 §9.3.2).
        response
            .headers_mut()
            .insert(CONTENT_LENGTH, HeaderValue::from(length));
        *response.body_mut() = Bytes::new();
    }
    response.map(AxumBody::from)
}

async fn handle(
    live: &Live,
    options: &RestOptions,
    parts: &http::request::Parts,
    body: AxumBody,
    (rate, passed): (&mut Option<RateStanding>, &mut ResponseHeaders),
) -> Result<http::Response<Bytes>, Problem> {
    let header_locale = || {
        let languages = parts.headers.get(http::header::ACCEPT_LANGUAGE);
        let languages = languages.and_then(|languages| languages.to_str().ok());
        languages.map(Locale::from_accept_language).unwrap_or_default()
    };
    let Some((methods, segments)) = live.api.routes.find(parts.uri.path()) else {
        return Err(Problem::fault(Fault::NoSuchPath, header_locale()));
    };
    let method = if parts.method == Method::HEAD {
        &Method::GET
    } else {
        &parts.method
    };
    let Some((_, index)) = methods.iter().find(|(other, _)| other == method) else {
        let allow = allow(methods.iter().map(|(method, _)| method));
        if parts.method == Method::OPTIONS {
            return Ok(options_response(allow));
        }
        return Err(Problem::method_not_allowed(allow, header_locale()));
    };
    let (Some(endpoint), Some(prepared)) = (live.api.endpoints.get(*index), live.prepared.get(*index)) else {
        return Err(Problem::fault(Fault::NoSuchPath, header_locale()));
    };
    let context = crate::http::context(&live.engine, &options.http, parts).await;
    let context =
        context.map_err(|refused| Problem::new(refused.code, refused.message, refused.retry_after))?;
    let locale = context.principal.locale;
    let variables = async {
        let body = read_body(endpoint, &parts.headers, body, options, locale).await?;
        let given = Parts {
            path: &segments,
            query: parts.uri.query().unwrap_or_default(),
            headers: &parts.headers,
            body,
        };
        variables(endpoint, &live.api.inputs, given).map_err(|issues| Problem::bad_input(&issues, locale))
    };
    let variables = match variables.await {
        Ok(variables) => variables,
        Err(problem) => {
            let too_much = live.engine.too_much(&context).await;
            return Err(too_much.map_or(problem, |error| Problem::of_errors(&[error], endpoint)));
        }
    };
    let mut answer = live.engine.execute_prepared(prepared, variables, &context).await;
    *rate = answer.rate.take();
    *passed = std::mem::take(&mut answer.headers);
    let asked = Asked {
        uri: &parts.uri,
        headers: &parts.headers,
        locale,
    };
    respond(endpoint, &answer, &asked).map_err(|problem| *problem)
}

/// Whether a body means anything: that of a method which has none by itself is not read.
pub(super) fn takes_body(endpoint: &Endpoint) -> bool {
    endpoint.body.is_some() || ![Method::GET, Method::DELETE].contains(&endpoint.method)
}

/// The JSON body; `None` where there is none, or where the method has none by itself.
async fn read_body(
    endpoint: &Endpoint,
    headers: &HeaderMap,
    body: AxumBody,
    options: &RestOptions,
    locale: Locale,
) -> Result<Option<Value>, Problem> {
    if !takes_body(endpoint) {
        return Ok(None);
    }
    let limit = options.http.config.limits.max_body_bytes;
    let bytes = axum::body::to_bytes(body, limit).await.map_err(|error| {
        let source = std::error::Error::source(&error);
        let too_large = source.is_some_and(|source| source.is::<http_body_util::LengthLimitError>());
        let fault = if too_large {
            Fault::TooLarge
        } else {
            Fault::MalformedBody
        };
        Problem::fault(fault, locale)
    })?;
    if bytes.is_empty() {
        return Ok(None);
    }
    if !is_json(headers) {
        return Err(Problem::fault(Fault::MediaType, locale));
    }
    match serde_json::from_slice(&bytes) {
        Ok(value) => Ok(Some(value)),
        Err(_) => Err(Problem::fault(Fault::MalformedBody, locale)),
    }
}

/// `application/json`, or a type with the suffix `+json` (RFC 6839 §3.1).
fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = value
        .and_then(|value| value.split(';').next())
        .unwrap_or_default();
    let media_type = media_type.trim().to_ascii_lowercase();
    let subtype = media_type.strip_prefix("application/").unwrap_or_default();
    subtype == "json" || subtype.ends_with("+json")
}

fn options_response(allow: String) -> http::Response<Bytes> {
    let mut response = http::Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    if let Ok(allow) = HeaderValue::try_from(allow) {
        response.headers_mut().insert(ALLOW, allow);
    }
    response
}

/// The trace id of `traceparent`.
fn incoming_trace(headers: &HeaderMap) -> Option<&str> {
    let mut fields = headers.get("traceparent")?.to_str().ok()?.split('-');
    let id = fields.nth(1)?;
    (id.len() == 32 && id.bytes().all(|digit| digit.is_ascii_hexdigit())).then_some(id)
}
