//! What a built subgraph is to the platform that runs it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use async_graphql::{ObjectType, Request, Response, Schema, SubscriptionType};
use cache::Cache;
use docstore::{CollectionSpec, DocStore};
use events::{Handler, Outbox};
use kernel::{Clock, Random};
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
    /// Answers one request. Who asks is in its data, as `Arc<Principal>`.
    fn execute(&self, request: Request) -> Pin<Box<dyn Future<Output = Response> + Send + '_>>;
}

/// A schema together with what is made anew for each request, such as loaders.
pub struct Prepared<Q, M, S, F> {
    schema: Schema<Q, M, S>,
    prepare: F,
}

impl<Q, M, S, F> Prepared<Q, M, S, F>
where
    F: Fn(Request) -> Request + Send + Sync,
{
    /// A schema whose requests go through `prepare` first.
    pub fn new(schema: Schema<Q, M, S>, prepare: F) -> Self {
        Self { schema, prepare }
    }
}

impl<Q, M, S, F> Executable for Prepared<Q, M, S, F>
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
    F: Fn(Request) -> Request + Send + Sync,
{
    fn execute(&self, request: Request) -> Pin<Box<dyn Future<Output = Response> + Send + '_>> {
        let request = (self.prepare)(request);
        Box::pin(self.schema.execute(request))
    }
}

/// A built subgraph: what the platform serves, starts and composes.
pub struct Subgraph {
    /// Its name in the supergraph, which is also its consumer group and the source of its events.
    pub name: &'static str,
    /// Its schema in Federation 2 form.
    pub sdl: String,
    /// Answers its requests.
    pub schema: Arc<dyn Executable>,
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
