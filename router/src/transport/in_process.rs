//! Subgraphs in this process: the document was parsed when the operation was planned, and the answer comes as a value.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::{ObjectType, Request, Response, Schema, SubscriptionType, Value as Local, Variables};
use futures::FutureExt;
use futures::future::BoxFuture;
use http::HeaderMap;
use tokio::time::Instant;

use super::{Answer, Call, CallError};
use crate::context::ClientInfo;
use crate::execution::data::{Object, Span, Value};
use crate::execution::shape::DecodeSet;

/// A subgraph in this process.
pub trait InProcessSchema: Send + Sync {
    /// Executes a request. Its data holds the caller as `Arc<kernel::Principal>`, what was learned for the same client
    /// request as `Arc<kernel::Scope>`, and a [`RequestInfo`].
    fn execute(&self, request: Request) -> BoxFuture<'_, Response>;
}

/// What a subgraph in this process learns beside the principal.
#[derive(Debug, Clone)]
pub struct RequestInfo {
    /// The client's headers that the configuration passes on.
    pub headers: HeaderMap,
    /// When the answer must be there.
    pub deadline: Option<Instant>,
    /// Which program asks, as it says itself.
    pub client: ClientInfo,
}

impl<Q, M, S> InProcessSchema for Schema<Q, M, S>
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    fn execute(&self, request: Request) -> BoxFuture<'_, Response> {
        Box::pin(Schema::execute(self, request))
    }
}

/// What is asked, with who asks.
pub(super) fn request(call: &Call<'_>, info: RequestInfo) -> Result<Request, CallError> {
    let unfit = |error: serde_json::Error| CallError::Request(error.to_string());
    let mut variables = Variables::default();
    for argument in call.arguments {
        let value: Local = serde_json::from_slice(&argument.json).map_err(unfit)?;
        variables.insert(async_graphql::Name::new(argument.name), value);
    }
    for name in &call.fetch.variables {
        if let Some(value) = call.variables.get(name) {
            variables.insert(
                async_graphql::Name::new(name),
                Local::from_json(value.clone()).map_err(unfit)?,
            );
        }
    }
    let document = call.fetch.parsed.clone();
    let document = document.ok_or_else(|| CallError::Request("the document was not parsed".to_owned()))?;
    let mut request = Request::new("")
        .variables(variables)
        .data(Arc::clone(&call.context.principal))
        .data(Arc::clone(&call.scope))
        .data(info);
    request.set_parsed_query(document);
    Ok(request)
}

/// Asks, for at most that time.
pub(super) async fn ask(
    schema: Arc<dyn InProcessSchema>,
    request: Request,
    timeout: Duration,
) -> Result<Answer, CallError> {
    // A resolver that panics is the trouble of its subgraph, as it would be behind a network.
    let answering = AssertUnwindSafe(schema.execute(request)).catch_unwind();
    match tokio::time::timeout(timeout, answering).await {
        Ok(Ok(response)) => Ok(Answer::Local(response)),
        Ok(Err(_)) => Err(CallError::Closed("a resolver panicked".to_owned())),
        Err(_) => Err(CallError::Timeout(timeout)),
    }
}

/// Reads an answer by the shape that was asked for; its leaves become JSON text in `text`, which is the source of that
/// number. `None` for null.
pub(crate) fn decode(data: Local, shape: &DecodeSet, source: u32, text: &mut Vec<u8>) -> Option<Object> {
    match data {
        Local::Object(fields) => Some(object(fields, shape, &mut Leaves { source, text })),
        _ => None,
    }
}

struct Leaves<'t> {
    source: u32,
    text: &'t mut Vec<u8>,
}

fn object(
    fields: impl IntoIterator<Item = (async_graphql::Name, Local)>,
    shape: &DecodeSet,
    leaves: &mut Leaves<'_>,
) -> Object {
    let mut object = Object {
        fields: Vec::with_capacity(shape.fields.len()),
    };
    for (name, value) in fields {
        let Some(field) = shape.field(&name) else { continue };
        let value = match &field.set {
            Some(set) => composite(value, set, leaves),
            None => leaf(value, leaves),
        };
        if object.get(field.key).is_none() || !matches!(value, Value::Null) {
            object.put(field.key, value);
        }
    }
    object
}

fn composite(value: Local, shape: &DecodeSet, leaves: &mut Leaves<'_>) -> Value {
    match value {
        Local::Object(fields) => Value::Object(object(fields, shape, leaves)),
        Local::List(items) => Value::List(
            items
                .into_iter()
                .map(|item| composite(item, shape, leaves))
                .collect(),
        ),
        other => leaf(other, leaves),
    }
}

fn leaf(value: Local, leaves: &mut Leaves<'_>) -> Value {
    match value {
        Local::Null => Value::Null,
        Local::List(items) => Value::List(items.into_iter().map(|item| leaf(item, leaves)).collect()),
        other => {
            let start = leaves.text.len();
            if serde_json::to_writer(&mut *leaves.text, &other).is_err() {
                leaves.text.truncate(start);
                return Value::Null;
            }
            Value::Scalar(Span::new(leaves.source, start, leaves.text.len()))
        }
    }
}
