//! Several requests in one body, as an array: answered by an array in the same order.

use std::sync::Arc;

use axum::response::Response;
use bytes::Bytes;
use futures::future::join_all;
use http::StatusCode;
use http::request::Parts;

use super::media::MediaType;
use super::{Refused, Server, check, judged, write};
use crate::config::Batching;
use crate::context::RequestContext;
use crate::engine::{Engine, GraphQlRequest};
use crate::error::GraphQlError;
use crate::prepared::{OperationKind, Prepared};

/// Whether a body is an array.
pub(super) fn is_array(body: &[u8]) -> bool {
    body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[')
}

/// Reads the requests of an array.
///
/// # Errors
/// Where arrays are not taken, for one that is too long or empty, and for anything in it that is no request.
pub(super) fn read(body: &[u8], batching: &Batching) -> Result<Vec<GraphQlRequest>, Refused> {
    if !batching.enabled {
        return Err(Refused::bad_request("lists of requests are not taken"));
    }
    let requests: Vec<GraphQlRequest> = serde_json::from_slice(body).map_err(|error| {
        Refused::bad_request(format!("the body is not a list of GraphQL requests: {error}"))
    })?;
    match requests.len() {
        0 => Err(Refused::bad_request("the list of requests is empty")),
        length if length > batching.max_requests => Err(Refused::bad_request(format!(
            "a list has at most {} requests, and this one has {length}",
            batching.max_requests
        ))),
        _ => Ok(requests),
    }
}

/// Answers them all: at once, or one after the other where any of them changes something.
pub(super) async fn answer(
    server: &Server,
    parts: &Parts,
    requests: Vec<GraphQlRequest>,
) -> Result<Response, Refused> {
    let engine = server.engine.load();
    let context = judged(&engine, &server.options, parts).await?;
    let prepared = join_all(
        requests
            .into_iter()
            .map(|request| prepare(&engine, &context, request)),
    )
    .await;
    let changes = |one: &Result<Ready, _>| {
        one.as_ref()
            .is_ok_and(|(prepared, _)| prepared.kind() == OperationKind::Mutation)
    };
    let answers = if prepared.iter().any(changes) {
        let mut answers = Vec::with_capacity(prepared.len());
        for one in prepared {
            answers.push(run(&engine, &context, one).await);
        }
        answers
    } else {
        join_all(prepared.into_iter().map(|one| run(&engine, &context, one))).await
    };
    let rates = answers.iter().filter_map(|answer| answer.rate.clone());
    let rate = rates.min_by_key(|rate| rate.remaining);
    let bodies: Vec<Bytes> = answers.into_iter().map(crate::Response::into_body).collect();
    let mut body = Vec::with_capacity(bodies.iter().map(|body| body.len() + 1).sum::<usize>() + 1);
    for (place, one) in bodies.iter().enumerate() {
        body.push(if place == 0 { b'[' } else { b',' });
        body.extend_from_slice(one);
    }
    body.push(b']');
    let mut response = write(StatusCode::OK, MediaType::Json, body.into());
    if let Some(rate) = rate {
        rate.write(response.headers_mut());
    }
    Ok(response)
}

type Ready = (Arc<Prepared>, GraphQlRequest);

async fn prepare(
    engine: &Engine,
    context: &RequestContext,
    request: GraphQlRequest,
) -> Result<Ready, Vec<GraphQlError>> {
    let request = check(request, None).map_err(|refused| refused.errors)?;
    let prepared = engine.prepare_request(&request, context).await?;
    Ok((prepared, request))
}

async fn run(
    engine: &Engine,
    context: &RequestContext,
    ready: Result<Ready, Vec<GraphQlError>>,
) -> crate::Response {
    match ready {
        Ok((prepared, request)) => {
            let context = context.clone().with_wishes_of(&request);
            engine
                .execute_prepared(&prepared, request.variables, &context)
                .await
        }
        Err(errors) => crate::Response::refused(errors),
    }
}
