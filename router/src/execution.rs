//! Runs a plan: asks subgraphs in the plan's order, puts their answers into one tree, and notes what failed where.

pub(crate) mod data;
mod decode;
mod deliver;
pub(crate) mod later;
mod masking;
mod projection;
mod representations;
pub(crate) mod shape;
pub(crate) mod tree;
mod wire;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::future::{BoxFuture, join_all};
use kernel::{ErrorCode, Scope};
use serde_json::{Map, Value as Json};

use crate::context::RequestContext;
use crate::error::{GraphQlError, PathSegment};
use crate::header_rules::ResponseHeaders;
use crate::plan::{Fetch, FetchKind, Node, Plan};
use crate::prepared::{Compiled, Compiler};
use crate::response::Response;
use crate::response_cache::{Asked, Forgets, Freshness, ResponseCache};
use crate::transport::events::Events;
use crate::transport::{Answer, Argument, Call, CallError, Service};
use data::Sources;
use tree::{ObjectId, Tree};

/// Everything that one request's execution needs.
pub(crate) struct Execution<'e> {
    pub(crate) compiler: &'e Compiler,
    pub(crate) services: &'e [Service],
    pub(crate) compiled: &'e Compiled,
    pub(crate) variables: &'e Map<String, Json>,
    pub(crate) context: &'e RequestContext,
    /// What subgraphs answered; `None` where it must not matter, or is not kept.
    pub(crate) response_cache: Option<&'e ResponseCache>,
    /// The same, where changes are to be told of.
    pub(crate) told_of_changes: Option<&'e ResponseCache>,
}

/// The object at the root of the answer.
const ROOT: ObjectId = 0;

/// What is known so far.
struct State {
    tree: Tree,
    sources: Sources,
    failures: Vec<Failure>,
    /// Errors whose place is not null, or which have none.
    loose: Vec<GraphQlError>,
    /// What subgraphs in this process have learned since the last mutation.
    scope: Arc<Scope>,
    /// The event of a subscription, which is the answer to its first call.
    event: Option<Answer>,
    /// For how long and for whom what was answered holds.
    freshness: Freshness,
    /// What was kept of it, for debugging.
    lookups: Vec<Json>,
    /// What the client gets of subgraphs' headers.
    headers: ResponseHeaders,
}

/// Why something is null. It may be null at many places.
#[derive(Debug)]
enum Failure {
    /// Something went wrong: an error at each place that the client sees.
    Errors(Vec<Reason>),
    /// The subgraph that was asked about an entity answered null for it, without an error: it does not know the entity,
    /// or does not show it to this caller. Then what was asked of that subgraph is null, and so is what depends on it by
    /// `@requires`; what other subgraphs say of the entity stays. Where such a field must not be null, the entity itself
    /// is null at that place: a plain null where one may be, as if the field that leads there had found nothing. Only
    /// where the entity must not be null either is there something to tell: this error, at the place of the entity.
    NotReturned(GraphQlError),
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
        let state = Mutex::new(State::new());
        self.plan(&self.compiled.plan, &state).await;
        let mut state = state.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut response = projection::write(self, &mut state).0;
        response.headers = state.headers;
        if let Some(cache) = self.response_cache {
            cache.describe(state.freshness, state.lookups, &mut response);
        }
        response
    }

    /// The same for an event of a subscription.
    pub(crate) async fn event(&self, event: Answer) -> Response {
        let state = Mutex::new(State {
            event: Some(event),
            ..State::new()
        });
        self.plan(&self.compiled.plan, &state).await;
        let mut state = state.into_inner().unwrap_or_else(PoisonError::into_inner);
        projection::write(self, &mut state).0
    }

    /// Subscribes in the subgraph whose events a subscription has.
    pub(crate) async fn subscribe(&self, source: &Fetch) -> Result<Events, CallError> {
        let Some(service) = self.services.get(source.service) else {
            return Err(CallError::Request("there is no such subgraph".to_owned()));
        };
        let state = Mutex::new(State::new());
        service.subscribe(&self.call(source, &[], &state)).await
    }

    async fn plan(&self, plan: &Plan, state: &Mutex<State>) {
        if let Some(root) = &plan.root {
            self.node(root, state).await;
        }
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
                let types = &self.compiler.supergraph.types;
                let places = representations::places(&lock(state), path, types);
                if places.is_empty() {
                    return;
                }
                let event = lock(state).event.take();
                let answer = match event {
                    Some(event) => Ok(event),
                    None => self.ask(service, fetch, &[], state).await,
                };
                if fetch.mutation {
                    lock(state).scope = Arc::default();
                }
                let state = &mut lock(state);
                // Elsewhere than at the root, an object may have been copied meanwhile.
                let places = match path.is_empty() {
                    true => places,
                    false => representations::places(state, path, types),
                };
                deliver::root(self, service, fetch, &places, answer, state);
            }
            FetchKind::Entities(batches) => {
                let mut asked =
                    representations::build(&mut lock(state), fetch, batches, &self.compiler.supergraph.types);
                if asked.arguments.is_empty() {
                    return;
                }
                let answer = self.ask(service, fetch, &asked.arguments, state).await;
                let state = &mut lock(state);
                asked.follow_copies(&state.tree);
                deliver::entities(self, service, fetch, &asked.batches, answer, state);
            }
        }
    }

    async fn ask(
        &self,
        service: &Service,
        fetch: &Fetch,
        arguments: &[Argument<'_>],
        state: &Mutex<State>,
    ) -> Result<Answer, CallError> {
        let call = self.call(fetch, arguments, state);
        let answer = match (self.response_cache, &fetch.caching) {
            (None, _) => service.call(call).await,
            (Some(cache), caching) => {
                let asked = match caching {
                    Some(caching) => Box::pin(cache.ask(service, call, caching)).await,
                    None => Asked::plainly(service.call(call).await),
                };
                let state = &mut lock(state);
                state.freshness = state.freshness.with(asked.freshness);
                state.lookups.extend(asked.trace);
                asked.answer
            }
        };
        if service.passes_headers()
            && let Ok(answer) = &answer
        {
            lock(state).headers.merge(&service.headers_of(answer));
        }
        answer
    }

    fn forgets(&self) -> Option<Forgets> {
        self.told_of_changes?.forgets(self.context)
    }

    fn call<'c>(&'c self, fetch: &'c Fetch, arguments: &'c [Argument<'c>], state: &Mutex<State>) -> Call<'c> {
        Call {
            fetch,
            variables: self.variables,
            arguments,
            context: self.context,
            scope: lock(state).scope.clone(),
            forgets: fetch.mutation.then(|| self.forgets()).flatten(),
        }
    }
}

impl State {
    fn new() -> Self {
        let mut tree = Tree::default();
        // The first object is the root.
        tree.object([]);
        Self {
            tree,
            sources: Sources::default(),
            failures: Vec::new(),
            loose: Vec::new(),
            scope: Arc::default(),
            event: None,
            freshness: Freshness::default(),
            lookups: Vec::new(),
            headers: ResponseHeaders::default(),
        }
    }

    /// Notes an error; its number is what values refer to.
    fn failure(&mut self, error: GraphQlError, below: Vec<PathSegment>) -> u32 {
        self.note(Failure::Errors(vec![Reason { error, below }]))
    }

    /// Notes that a subgraph does not return an entity.
    fn not_returned(&mut self, service: &Service) -> u32 {
        let message = format!(
            "what must be here was not found in the service `{}`",
            service.name
        );
        let error = GraphQlError::new(ErrorCode::NotFound, message).with("service", service.name.as_str());
        self.note(Failure::NotReturned(error))
    }

    fn note(&mut self, failure: Failure) -> u32 {
        self.failures.push(failure);
        (self.failures.len() - 1) as u32
    }
}

/// All of a request's work is done in one task: the lock is held between two awaits and nobody waits for it.
fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
