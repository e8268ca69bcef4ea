//! What a built subgraph is to the platform that runs it.

use std::any::{Any, TypeId};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use async_graphql::{ObjectType, Request, Response, Schema, SubscriptionType};
use cache::Cache;
use docstore::{CollectionSpec, DocStore};
use events::{Handler, Outbox};
use futures::Stream;
use kernel::{Clock, Random, Result, Scope, UserId};
use relstore::RelStore;

use crate::peers::Peers;

/// What every subgraph is built from.
#[derive(Clone)]
pub struct Deps {
    /// Documents.
    pub store: DocStore,
    /// Relations.
    pub relations: RelStore,
    /// Hot data and counters.
    pub cache: Cache,
    /// Where events go, in the transaction of what they tell of.
    pub outbox: Outbox,
    /// The time.
    pub clock: Clock,
    /// Ids and secrets.
    pub random: Random,
    /// The other subgraphs.
    pub peers: Peers,
}

/// A schema that answers requests.
pub trait Executable: Send + Sync {
    /// Answers one request. In its data are who asks, as `Arc<Principal>`, and where the caller has one, the
    /// `Arc<Scope>` of the client request that it is a part of.
    fn execute(&self, request: Request) -> Pin<Box<dyn Future<Output = Response> + Send + '_>>;

    /// Subscribes: a response for each event. The request's data is the same. Loaders live as long as the subscription,
    /// and what they have looked up with it: what an event tells of must be in the event.
    fn execute_stream(&self, request: Request) -> Pin<Box<dyn Stream<Item = Response> + Send>>;
}

/// A schema together with its loaders, which live as long as a client request. Resolvers find them as
/// `Arc<Loaders>`.
pub struct Prepared<Q, M, S, F> {
    schema: Schema<Q, M, S>,
    loaders: F,
}

impl<Q, M, S, F, L> Prepared<Q, M, S, F>
where
    F: Fn(&Arc<Scope>) -> L + Send + Sync,
    L: Any + Send + Sync,
{
    /// A schema with what makes its loaders. They become a part of the scope, so they may hold it weakly only.
    pub fn new(schema: Schema<Q, M, S>, loaders: F) -> Self {
        Self { schema, loaders }
    }
}

impl<Q, M, S, F, L> Executable for Prepared<Q, M, S, F>
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
    F: Fn(&Arc<Scope>) -> L + Send + Sync,
    L: Any + Send + Sync,
{
    fn execute(&self, request: Request) -> Pin<Box<dyn Future<Output = Response> + Send + '_>> {
        Box::pin(self.schema.execute(self.with_loaders(request)))
    }

    fn execute_stream(&self, request: Request) -> Pin<Box<dyn Stream<Item = Response> + Send>> {
        self.schema.execute_stream(self.with_loaders(request))
    }
}

impl<Q, M, S, F, L> Prepared<Q, M, S, F>
where
    F: Fn(&Arc<Scope>) -> L + Send + Sync,
    L: Any + Send + Sync,
{
    fn with_loaders(&self, request: Request) -> Request {
        let known = request.data.get(&TypeId::of::<Arc<Scope>>());
        let known = known.and_then(|scope| scope.downcast_ref::<Arc<Scope>>());
        let scope = known.cloned().unwrap_or_default();
        let loaders = scope.get_or_insert_with(|| (self.loaders)(&scope));
        request.data(scope).data(loaders)
    }
}

/// Says to the other subgraphs of this process which version of a person it knows now: what an inaccessible field of
/// `User` says to those of other processes. They ask with every request, so it goes without a query in between. `None`
/// where the person is not known.
pub type VersionOf = Arc<
    dyn Fn(UserId, Arc<Scope>) -> Pin<Box<dyn Future<Output = Result<Option<i64>>> + Send>> + Send + Sync,
>;

/// A built subgraph: what the platform serves, starts and composes.
pub struct Subgraph {
    /// Its name in the supergraph, which is also its consumer group and the source of its events.
    pub name: &'static str,
    /// Its schema in Federation 2 form.
    pub sdl: String,
    /// Answers its requests.
    pub schema: Arc<dyn Executable>,
    /// Where others ask for versions of a person: which one this is.
    pub version_of: Option<VersionOf>,
    /// The collections it owns.
    pub collections: Vec<CollectionSpec>,
    /// What it does with the events of others.
    pub consumers: Vec<Consumer>,
}

/// Something that happens on events.
pub struct Consumer {
    /// The kinds of events.
    pub kinds: &'static [&'static str],
    /// What happens.
    pub handler: Arc<dyn Handler>,
}
