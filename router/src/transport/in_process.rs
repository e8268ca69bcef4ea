//! Subgraphs in this process: the document was parsed when the operation was planned, and the answer comes as a value.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::{ObjectType, Request, Response, Schema, SubscriptionType, Value as Local, Variables};
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt};
use http::HeaderMap;
use tokio::time::Instant;

use super::events::Events;
use super::{Answer, Call, CallError};
use crate::context::ClientInfo;
use crate::execution::data::Span;
use crate::execution::shape::DecodeSet;
use crate::execution::tree::{Field, ObjectId, Tree, Value};

/// A subgraph in this process.
pub trait InProcessSchema: Send + Sync {
    /// Executes a request. Its data holds the caller as `Arc<kernel::Principal>`, what was learned for the same client
    /// request as `Arc<kernel::Scope>`, and a [`RequestInfo`].
    fn execute(&self, request: Request) -> BoxFuture<'_, Response>;

    /// Subscribes: a response for each event. The request's data is the same.
    fn execute_stream(&self, request: Request) -> BoxStream<'static, Response>;
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

    fn execute_stream(&self, request: Request) -> BoxStream<'static, Response> {
        Schema::execute_stream(self, request).boxed()
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

/// Subscribes.
pub(super) fn events(schema: &dyn InProcessSchema, request: Request) -> Events {
    let events = AssertUnwindSafe(schema.execute_stream(request)).catch_unwind();
    let answer = |event: std::thread::Result<Response>| {
        event
            .map(Answer::Local)
            .map_err(|_| CallError::Closed("a resolver panicked".to_owned()))
    };
    events.map(answer).boxed()
}

/// Reads an answer into the tree by the shape that was asked for; its leaves become JSON text in `text`, which is the source
/// of that number. `None` for null.
pub(crate) fn decode(
    data: Local,
    shape: &DecodeSet,
    source: u32,
    text: &mut Vec<u8>,
    tree: &mut Tree,
) -> Option<ObjectId> {
    match data {
        Local::Object(fields) => Some(Reader { source, text, tree }.object(fields, shape)),
        _ => None,
    }
}

struct Reader<'r> {
    source: u32,
    text: &'r mut Vec<u8>,
    tree: &'r mut Tree,
}

impl Reader<'_> {
    fn object(
        &mut self,
        values: impl IntoIterator<Item = (async_graphql::Name, Local)>,
        shape: &DecodeSet,
    ) -> ObjectId {
        let mut fields: Vec<Field> = Vec::with_capacity(shape.fields.len());
        for (name, value) in values {
            let Some(field) = shape.field(&name) else { continue };
            let value = match &field.set {
                Some(set) => self.composite(value, set),
                None => self.leaf(value),
            };
            match fields.iter_mut().find(|(known, _)| *known == field.key) {
                None => fields.push((field.key, value)),
                Some(_) if value == Value::Null => {}
                Some((_, known)) => *known = value,
            }
        }
        self.tree.object(fields)
    }

    fn composite(&mut self, value: Local, shape: &DecodeSet) -> Value {
        match value {
            Local::Object(fields) => Value::Object(self.object(fields, shape)),
            Local::List(items) => {
                let items: Vec<Value> = items
                    .into_iter()
                    .map(|item| self.composite(item, shape))
                    .collect();
                Value::List(self.tree.list(items))
            }
            other => self.leaf(other),
        }
    }

    fn leaf(&mut self, value: Local) -> Value {
        match value {
            Local::Null => Value::Null,
            Local::List(items) => {
                let items: Vec<Value> = items.into_iter().map(|item| self.leaf(item)).collect();
                Value::List(self.tree.list(items))
            }
            other => {
                let start = self.text.len();
                if serde_json::to_writer(&mut *self.text, &other).is_err() {
                    self.text.truncate(start);
                    return Value::Null;
                }
                Value::Scalar(Span::new(self.source, start, self.text.len()))
            }
        }
    }
}
