//! Runs a plan: asks subgraphs in the plan's order, puts their answers into one tree, and notes what failed where.

pub(crate) mod data;
mod decode;
mod deliver;
mod projection;
mod representations;
pub(crate) mod shape;
mod wire;

use std::sync::{Mutex, MutexGuard, PoisonError};

use futures::future::{BoxFuture, join_all};
use serde_json::{Map, Value as Json};

use crate::context::RequestContext;
use crate::error::{GraphQlError, PathSegment};
use crate::plan::{Fetch, FetchKind, Node};
use crate::prepared::{Compiled, Compiler};
use crate::response::Response;
use crate::transport::{Argument, Call, Service};
use data::{Object, Sources};

/// Everything that one request's execution needs.
pub(crate) struct Execution<'e> {
    pub(crate) compiler: &'e Compiler,
    pub(crate) services: &'e [Service],
    pub(crate) compiled: &'e Compiled,
    pub(crate) variables: &'e Map<String, Json>,
    pub(crate) context: &'e RequestContext,
}

/// What is known so far.
#[derive(Default)]
struct State {
    root: Object,
    sources: Sources,
    failures: Vec<Failure>,
    /// Errors whose place is not null, or which have none.
    loose: Vec<GraphQlError>,
}

/// Why something is null. It may be null at many places, and becomes an error at each that the client sees.
#[derive(Debug)]
struct Failure {
    errors: Vec<Reason>,
}

/// One error at the place that is null, or below it, where the subgraph's own null came from.
#[derive(Debug, Clone)]
struct Reason {
    error: GraphQlError,
    below: Vec<PathSegment>,
}

impl Execution<'_> {
    /// Runs the plan and writes the answer. Never fails: what fails is in the answer.
    pub(crate) async fn run(&self) -> Response {
        let state = Mutex::new(State::default());
        if let Some(root) = &self.compiled.plan.root {
            self.node(root, &state).await;
        }
        let state = state.into_inner().unwrap_or_else(PoisonError::into_inner);
        projection::write(self, state)
    }

    fn node<'a>(&'a self, node: &'a Node, state: &'a Mutex<State>) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            match node {
                Node::Sequence(nodes) => {
                    for node in nodes {
                        self.node(node, state).await;
                    }
                }
                Node::Parallel(nodes) => {
                    join_all(nodes.iter().map(|node| self.node(node, state))).await;
                }
                Node::Condition { variable, met, unmet } => {
                    let clause = if self.is_true(variable) { met } else { unmet };
                    if let Some(clause) = clause {
                        self.node(clause, state).await;
                    }
                }
                Node::Fetch(fetch) => self.fetch(fetch, state).await,
            }
        })
    }

    /// Whether a Boolean variable is true; one without a value counts as false.
    fn is_true(&self, variable: &str) -> bool {
        self.variables.get(variable) == Some(&Json::Bool(true))
    }

    async fn fetch(&self, fetch: &Fetch, state: &Mutex<State>) {
        let Some(service) = self.services.get(fetch.service) else {
            return;
        };
        match &fetch.kind {
            FetchKind::Root { path } => {
                let places = representations::places(&lock(state), path, &self.compiler.supergraph.types);
                if places.is_empty() {
                    return;
                }
                let answer = service.call(self.call(fetch, &[])).await;
                deliver::root(self, service, fetch, &places, answer, &mut lock(state));
            }
            FetchKind::Entities(batches) => {
                let asked =
                    representations::build(&mut lock(state), fetch, batches, &self.compiler.supergraph.types);
                if asked.arguments.is_empty() {
                    return;
                }
                let answer = service.call(self.call(fetch, &asked.arguments)).await;
                deliver::entities(self, service, fetch, &asked.batches, answer, &mut lock(state));
            }
        }
    }

    fn call<'c>(&'c self, fetch: &'c Fetch, arguments: &'c [Argument<'c>]) -> Call<'c> {
        Call {
            fetch,
            variables: self.variables,
            arguments,
            context: self.context,
        }
    }
}

impl State {
    /// Notes a failure; its number is what values refer to.
    fn failure(&mut self, reason: Reason) -> u32 {
        self.failures.push(Failure { errors: vec![reason] });
        (self.failures.len() - 1) as u32
    }
}

/// All of a request's work is done in one task: the lock is held between two awaits and nobody waits for it.
fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
