//! What comes after the first part of an answer: the deferred fragments, each when it is there, as payloads of
//! incremental delivery in the form of <https://specs.apollo.dev/incremental/v0.1/> (`deferSpec=20220824`).
//!
//! All of them work on what the first part has fetched. Nobody works on them but who reads the payloads: a client that
//! goes away stops everything, and one that reads slowly makes it slow.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt};
use futures::stream::{FuturesUnordered, Stream, StreamExt, unfold};
use tracing::{Instrument, Span};

use super::data::Key;
use super::tree::{ObjectId, Tree, Value};
use super::{Execution, ROOT, State, lock, projection};
use crate::engine::{Engine, Ready};
use crate::response::Response;

/// An operation under way, which outlives the first part of its answer.
pub(crate) struct Run {
    pub(crate) engine: Arc<Engine>,
    pub(crate) ready: Ready,
}

/// The rest of an answer.
pub struct Later {
    shared: Arc<Shared>,
    under_way: FuturesUnordered<BoxFuture<'static, Fragment>>,
    /// How many errors may still be told.
    errors: usize,
    ended: bool,
}

/// A step to a place in the answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Hop {
    /// Into a field.
    Field(Key),
    /// Into an item of a list.
    Item(usize),
}

/// An object of the answer of which a deferred fragment is still to come.
#[derive(Debug, PartialEq)]
pub(super) struct Awaited {
    /// The number of the fragment.
    pub(super) fragment: usize,
    /// The number of the set that it selects.
    pub(super) set: usize,
    /// Where the object is.
    pub(super) place: Box<[Hop]>,
}

struct Shared {
    run: Run,
    state: Mutex<State>,
    span: Span,
}

/// A fragment with the places at which it is awaited.
struct Fragment {
    number: usize,
    places: Vec<Awaited>,
}

impl Run {
    /// Runs what comes first. What comes later, if anything does, runs when it is asked for.
    pub(crate) async fn first(self) -> (Response, Option<Later>) {
        let shared = Arc::new(Shared {
            run: self,
            state: Mutex::new(State::new()),
            span: Span::current(),
        });
        let execution = shared.execution();
        execution.plan(&execution.compiled.plan, &shared.state).await;
        let (mut response, awaited) = projection::write(&execution, &mut lock(&shared.state));
        // What comes later comes too late for the head.
        response.headers = std::mem::take(&mut lock(&shared.state).headers);
        let max_errors = execution.compiler.config.limits.max_errors;
        let mut later = Later {
            under_way: FuturesUnordered::new(),
            errors: max_errors.saturating_sub(response.errors.len()),
            ended: false,
            shared: shared.clone(),
        };
        later.start(awaited);
        let later = (!later.under_way.is_empty()).then_some(later);
        (response, later)
    }
}

impl Shared {
    fn execution(&self) -> Execution<'_> {
        self.run.engine.execution(&self.run.ready)
    }
}

impl Later {
    /// The payloads, the last of which says so.
    pub fn payloads(self) -> impl Stream<Item = Bytes> + Send {
        unfold(self, async |mut later| Some((later.next().await?, later)))
    }

    async fn next(&mut self) -> Option<Bytes> {
        if self.ended {
            return None;
        }
        let mut payload = b"{\"incremental\":[".to_vec();
        let none = payload.len();
        while payload.len() == none {
            let Some(fragment) = self.under_way.next().await else {
                self.ended = true;
                return Some(Bytes::from_static(b"{\"hasNext\":false}"));
            };
            self.write(fragment, &mut payload);
            // What is there at the same time comes at the same time.
            while let Some(Some(fragment)) = self.under_way.next().now_or_never() {
                self.write(fragment, &mut payload);
            }
        }
        self.ended = self.under_way.is_empty();
        let end = if self.ended {
            b"],\"hasNext\":false}".as_slice()
        } else {
            b"],\"hasNext\":true}".as_slice()
        };
        payload.extend_from_slice(end);
        Some(payload.into())
    }

    fn write(&mut self, fragment: Fragment, payload: &mut Vec<u8>) {
        let shared = self.shared.clone();
        let execution = shared.execution();
        let label = execution.compiled.deferred.get(fragment.number);
        let label = label.and_then(|deferred| deferred.label.as_deref());
        let mut awaited = Vec::new();
        for place in &fragment.places {
            if payload.last() != Some(&b'[') {
                payload.push(b',');
            }
            let mut state = lock(&shared.state);
            let (errors, more) =
                projection::write_later(&execution, &mut state, place, label, self.errors, payload);
            self.errors = self.errors.saturating_sub(errors);
            awaited.extend(more);
        }
        self.start(awaited);
    }

    /// Starts what these places wait for.
    fn start(&mut self, awaited: Vec<Awaited>) {
        let mut fragments: BTreeMap<usize, Vec<Awaited>> = BTreeMap::new();
        for one in awaited {
            fragments.entry(one.fragment).or_default().push(one);
        }
        for (number, places) in fragments {
            let shared = self.shared.clone();
            self.under_way.push(Box::pin(
                async move {
                    let execution = shared.execution();
                    if let Some(deferred) = execution.compiled.deferred.get(number) {
                        execution.plan(&deferred.plan, &shared.state).await;
                    }
                    Fragment { number, places }
                }
                .instrument(self.shared.span.clone()),
            ));
        }
    }
}

/// The object at a place. Its number is another one as soon as a shared object has been copied on the way.
pub(super) fn find(tree: &Tree, place: &[Hop]) -> Option<ObjectId> {
    let mut value = Value::Object(ROOT);
    for hop in place {
        value = match (value, *hop) {
            (Value::Object(object), Hop::Field(key)) => tree.get(object, key)?,
            (Value::List(list), Hop::Item(index)) => *tree.items(list).get(index)?,
            _ => return None,
        };
    }
    match value {
        Value::Object(object) => Some(object),
        _ => None,
    }
}
