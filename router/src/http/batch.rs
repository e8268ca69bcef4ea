//! Several requests in one body, as an array: answered by an array in the same order.

use std::sync::Arc;

use axum::response::Response;
use bytes::Bytes;
use futures::future::join_all;
use http::StatusCode;

use super::media::MediaType;
use super::operation::Operation;
use super::{Refused, check, write};
use crate::config::Batching;
use crate::context::RequestContext;
use crate::engine::{Engine, GraphQlRequest};
use crate::header_rules::ResponseHeaders;
use crate::prepared::OperationKind;

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
    engine: &Arc<Engine>,
    context: &RequestContext,
    requests: Vec<GraphQlRequest>,
) -> Response {
    let operations = requests
        .into_iter()
        .map(|request| prepare(engine, context, request));
    let operations = join_all(operations).await;
    let changes = |one: &Result<Operation, _>| {
        one.as_ref()
            .is_ok_and(|operation| operation.kind() == OperationKind::Mutation)
    };
    let mut answers = if operations.iter().any(changes) {
        let mut answers = Vec::with_capacity(operations.len());
        for operation in operations {
            answers.push(run(operation).await);
        }
        answers
    } else {
        join_all(operations.into_iter().map(run)).await
    };
    let rates = answers.iter_mut().filter_map(|answer| answer.rate.take());
    let rate = rates.min_by_key(|rate| rate.remaining);
    let mut headers = ResponseHeaders::default();
    answers.iter().for_each(|answer| headers.merge(&answer.headers));
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
    headers.write(response.headers_mut());
    response
}

async fn prepare(
    engine: &Arc<Engine>,
    context: &RequestContext,
    request: GraphQlRequest,
) -> Result<Operation, crate::Response> {
    let request = check(request, None).map_err(|refused| crate::Response::refused(refused.errors))?;
    Operation::prepare(engine, context.clone(), request).await
}

async fn run(operation: Result<Operation, crate::Response>) -> crate::Response {
    match operation {
        Ok(operation) => operation.whole().await,
        Err(refused) => refused,
    }
}
