//! A small market of three subgraphs whose data is made up as it is asked for, in the same way wherever it is asked: so a
//! federated answer can be compared with the answer of one server that knows everything.

mod fake;

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use composition::SubgraphSource;
use kernel::Principal;
use router::apollo_compiler::Schema;
use router::apollo_compiler::executable::ExecutableDocument;
use router::apollo_compiler::validation::Valid;
use router::{Batching, CacheConfig, DemandConfig, DemandMode, Engine, RequestContext, RouterConfig};
use router::{TextSubgraph, Transports};
use serde_json::{Map, Value};

/// Name and schema of every subgraph.
const SUBGRAPHS: [(&str, &str); 3] = [
    ("catalog", include_str!("world/catalog.graphql")),
    ("people", include_str!("world/people.graphql")),
    ("stock", include_str!("world/stock.graphql")),
];

/// What a subgraph needs beside its own schema to read what it is asked.
const FEDERATION: &str = include_str!("world/federation.graphql");

/// The market with a router.
pub(crate) struct World {
    pub(crate) engine: Arc<Engine>,
    log: Arc<Mutex<Log>>,
}

/// What the subgraphs were asked.
#[derive(Default)]
pub(crate) struct Log {
    /// How many questions there were.
    pub(crate) calls: usize,
    /// How many of them were mutations.
    pub(crate) mutations: usize,
    /// Questions that a subgraph cannot understand.
    pub(crate) faults: Vec<String>,
}

impl World {
    /// Subgraphs that answer every question.
    pub(crate) fn open() -> Self {
        let log = Arc::<Mutex<Log>>::default();
        let transports = SUBGRAPHS
            .into_iter()
            .fold(Transports::default(), |all, (name, sdl)| {
                all.function(name, subgraph(name, sdl, log.clone()))
            });
        Self {
            engine: engine(transports),
            log,
        }
    }

    /// What was asked since the last time.
    pub(crate) fn take_log(&self) -> Log {
        std::mem::take(&mut self.log.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What one server that knows everything answers. The error is why it cannot be asked.
    pub(crate) fn monolith(
        &self,
        document: &Valid<ExecutableDocument>,
        operation_name: Option<&str>,
        variables: &Map<String, Value>,
    ) -> Result<Value, String> {
        fake::execute(self.engine.api_schema(), document, operation_name, variables)
    }
}

/// The router over subgraphs that are reached in some way. Nothing is kept from one input to the next.
pub(crate) fn engine(transports: Transports) -> Arc<Engine> {
    let sources = SUBGRAPHS.map(|(name, sdl)| SubgraphSource::new(name, None, sdl));
    let composed = composition::compose(&sources).expect("the market composes");
    let config = config();
    Arc::new(Engine::new(&composed.supergraph_sdl, &config, transports).expect("the market loads"))
}

/// What the router is set to: everything that reads input is on.
pub(crate) fn config() -> RouterConfig {
    RouterConfig {
        cache: CacheConfig { documents: 0 },
        batching: Batching {
            enabled: true,
            ..Batching::default()
        },
        demand: DemandConfig {
            mode: Some(DemandMode::Measure),
            ..DemandConfig::default()
        },
        ..RouterConfig::default()
    }
}

/// The names of the subgraphs.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    SUBGRAPHS.into_iter().map(|(name, _)| name)
}

/// Somebody who asks.
pub(crate) fn anybody() -> RequestContext {
    RequestContext::new(Arc::new(Principal::anonymous()))
}

fn subgraph(name: &'static str, sdl: &str, log: Arc<Mutex<Log>>) -> TextSubgraph {
    let schema = subgraph_schema(sdl);
    Arc::new(move |question: &[u8]| {
        let answered = fake::answer(&schema, question);
        let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
        log.calls += 1;
        match answered {
            Ok((answer, is_mutation)) => {
                log.mutations += usize::from(is_mutation);
                answer.to_string().into()
            }
            Err(fault) => {
                let question = String::from_utf8_lossy(question);
                log.faults.push(format!("{name} was asked {question}: {fault}"));
                Bytes::from_static(b"{}")
            }
        }
    })
}

fn subgraph_schema(sdl: &str) -> Valid<Schema> {
    let builder = Schema::builder().adopt_orphan_extensions();
    let builder = builder
        .parse(FEDERATION, "federation.graphql")
        .parse(sdl, "subgraph.graphql");
    let schema = builder.build().expect("a subgraph's schema");
    let entities = schema
        .types
        .iter()
        .filter(|(_, definition)| definition.is_object() && definition.directives().has("key"));
    let entities: Vec<&str> = entities.map(|(name, _)| name.as_str()).collect();
    let added = format!(
        "union _Entity = {} extend type Query {{ _entities(representations: [_Any!]!): [_Entity]! }}",
        entities.join(" | ")
    );
    let builder = Schema::builder().adopt_orphan_extensions();
    let builder = builder
        .parse(FEDERATION, "federation.graphql")
        .parse(sdl, "subgraph.graphql");
    let schema = builder
        .parse(added, "entities.graphql")
        .build()
        .expect("a subgraph's schema");
    schema.validate().expect("a subgraph's schema")
}
