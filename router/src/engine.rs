//! One loaded supergraph: prepares operations, keeps them, and runs them.

mod charging;
mod run;
mod subscribe;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use apollo_compiler::Schema;
use apollo_compiler::executable::ExecutableDocument;
use apollo_compiler::validation::Valid;
use cache::Cache;
use kernel::{Clock, Principal, Random};
use moka::sync::Cache as Kept;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::config::RouterConfig;
use crate::context::RequestContext;
use crate::documents::{Documents, Found};
use crate::error::GraphQlError;
use crate::header_rules;
use crate::metrics::{Active, CostMetrics, ENGINES, OperationMetrics};
use crate::overrides::Shares;
use crate::persisted::PersistedOperations;
use crate::plan::Planner;
use crate::prepared::{Compiler, Prepared};
use crate::rate_limit::RateLimiter;
use crate::response::Response;
use crate::response_cache::{self, Invalidation, InvalidationError, Invalidator, ResponseCache};
use crate::schema::{self, LoadError, SubgraphInfo};
use crate::transport::{Service, Transports};
pub(crate) use run::Ready;
pub use subscribe::{Subscription, SubscriptionEvent};

/// One loaded supergraph. It never changes: a new supergraph is a new engine.
pub struct Engine {
    core: Arc<Core>,
    services: Vec<Service>,
    named: Documents,
    limiter: Option<RateLimiter>,
    /// Cancelled when another engine has taken over, which ends its subscriptions.
    retired: CancellationToken,
    response_cache: Option<ResponseCache>,
    /// By which requests are told apart where fields move from one subgraph to another.
    random: Option<Random>,
    /// Until it is known where answers are kept.
    sdl_digest: [u8; 64],
    operations: OperationMetrics,
    costs: CostMetrics,
    _active: Active,
}

/// The engine in force, which may be exchanged while requests run: each keeps the one that it began with.
#[derive(Clone)]
pub struct EngineHandle(Arc<RwLock<Arc<Engine>>>);

/// A request as it comes over the wire.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GraphQlRequest {
    /// The document.
    #[serde(default)]
    pub query: Option<String>,
    /// Which of the document's operations.
    #[serde(default)]
    pub operation_name: Option<String>,
    /// Values by name.
    #[serde(default, deserialize_with = "nullable")]
    pub variables: Map<String, Value>,
    /// More, such as `persistedQuery`.
    #[serde(default, deserialize_with = "nullable")]
    pub extensions: Map<String, Value>,
}

/// What preparing needs; apart, so that it can go to another thread.
struct Core {
    compiler: Compiler,
    documents: Kept<Arc<str>, Arc<Document>>,
    /// How many operations are made ready at once for requests: as many as there are processors.
    places: Arc<Semaphore>,
}

/// A document with those of its operations that were asked for.
struct Document {
    document: Arc<Valid<ExecutableDocument>>,
    operations: Mutex<HashMap<Option<String>, Arc<Prepared>>>,
}

impl Engine {
    /// Loads a supergraph.
    ///
    /// # Errors
    /// A text that is not a supergraph, subgraphs that cannot be asked, or a configuration that cannot work.
    pub fn new(
        supergraph_sdl: &str,
        config: &RouterConfig,
        transports: Transports,
    ) -> Result<Self, LoadError> {
        config.response_cache.check()?;
        header_rules::check(config)?;
        let supergraph = schema::load(supergraph_sdl, config.rate_limit.is_enabled())?;
        let timeout = std::time::Duration::from_millis(config.limits.max_planning_ms);
        let planner = Planner::new(supergraph_sdl, timeout, Shares::new(&config.overrides))?;
        let service = |info: &SubgraphInfo| {
            let made = transports.service(&info.name, &info.url, config.subgraph(&info.name));
            made.map_err(|message| LoadError::Subgraph {
                subgraph: info.name.clone(),
                message,
            })
        };
        let services: Vec<Service> = supergraph
            .subgraphs
            .iter()
            .map(service)
            .collect::<Result<_, _>>()?;
        let positions = services.iter().enumerate();
        let compiler = Compiler {
            services: positions
                .map(|(at, it)| (it.name.clone(), (at, it.is_in_process())))
                .collect(),
            supergraph,
            planner,
            config: config.clone(),
        };
        Ok(Self {
            core: Arc::new(Core {
                compiler,
                documents: Kept::new(config.cache.documents),
                places: Arc::new(Semaphore::new(processors())),
            }),
            services,
            operations: OperationMetrics::new(),
            costs: CostMetrics::new(),
            _active: Active::one(ENGINES),
            named: Documents::new(config.persisted.safelist),
            limiter: None,
            retired: CancellationToken::new(),
            response_cache: None,
            random: None,
            sdl_digest: response_cache::digest_of(supergraph_sdl),
        })
    }

    /// The same with operations that clients may name by id. They are made ready now, which takes milliseconds each;
    /// those that do not fit the schema are logged.
    #[must_use]
    pub fn with_persisted(mut self, operations: PersistedOperations) -> Self {
        let core = &self.core;
        self.named.know(operations, |text| core.prepare(text, None));
        self
    }

    /// The same with the documents ready that another engine has ready, as far as they fit this schema: so that one that
    /// takes over does not begin with planning what everybody asks.
    #[must_use]
    pub fn with_documents_of(self, other: &Self) -> Self {
        for (text, document) in &other.core.documents {
            let names: Vec<_> = document.operations().keys().cloned().collect();
            for name in names {
                // Who asks what does not fit any more is told so then.
                let _ = self.core.prepare(&text, name.as_deref());
            }
        }
        self
    }

    /// The same, with texts that clients register by their hash in that cache, which other routers may share. Whether
    /// clients may is in the configuration.
    #[must_use]
    pub fn with_registered_in(mut self, cache: Cache) -> Self {
        if self.config().persisted.automatic {
            self.named.register_in(cache);
        }
        self
    }

    /// The same, keeping what subgraphs answered in that cache, which other routers may share. Whether anything is kept is in
    /// the configuration. Values are as large as answers, so a cache in memory should hold nothing else.
    #[must_use]
    pub fn with_responses_in(mut self, cache: Cache, clock: Clock, random: Random) -> Self {
        let config = &self.config().response_cache;
        if config.enabled {
            let supergraph = &self.core.compiler.supergraph;
            let known = response_cache::Known::new(self.sdl_digest, supergraph);
            let kept = ResponseCache::new(cache, config.clone(), clock, random, known);
            self.response_cache = Some(kept);
        }
        self
    }

    /// The same, with randomness that decides for each request which fields have moved, where the supergraph has labels of
    /// progressive `@override`. Without it fields stay where they were until they have moved for all requests.
    #[must_use]
    pub fn with_overrides_by(mut self, random: Random) -> Self {
        self.random = Some(random);
        self
    }

    /// Drops what is kept of subgraphs' answers: see [`Invalidator::invalidate`]. Without a response cache there is nothing
    /// to drop.
    ///
    /// # Errors
    /// What is not of this supergraph, or a cache that does not answer: then it has to be asked again.
    pub async fn invalidate(&self, what: &[Invalidation]) -> Result<(), InvalidationError> {
        match self.invalidator() {
            Some(invalidator) => invalidator.invalidate(what).await,
            None => Ok(()),
        }
    }

    /// What drops what is kept of subgraphs' answers, if that is switched on.
    pub fn invalidator(&self) -> Option<Invalidator> {
        self.response_cache.as_ref().map(|kept| kept.invalidator.clone())
    }

    /// What clients see: nothing of `join`, `link` and what is inaccessible.
    pub fn api_schema(&self) -> &Valid<Schema> {
        &self.core.compiler.supergraph.api
    }

    /// The subgraphs, in the supergraph's order.
    pub fn subgraphs(&self) -> impl Iterator<Item = &SubgraphInfo> {
        self.core.compiler.supergraph.subgraphs.iter()
    }

    /// The configuration that it was loaded with.
    pub fn config(&self) -> &RouterConfig {
        &self.core.compiler.config
    }

    /// Whether a field of that type is for callers who are logged in only, by the supergraph's directives.
    pub fn requires_login(&self, type_name: &str, field: &str) -> bool {
        let supergraph = &self.core.compiler.supergraph;
        let Ok(definition) = supergraph.api.type_field(type_name, field) else {
            return false;
        };
        let Some((parent, _)) = supergraph.api.types.get_key_value(type_name) else {
            return false;
        };
        let returns = definition.ty.inner_named_type();
        let nobody = Principal::anonymous();
        let requirements = supergraph
            .access
            .of_field(&supergraph.api, parent, &definition.name, returns);
        requirements
            .iter()
            .any(|requirement| requirement.refusal(&nobody).is_some())
    }

    /// Makes an operation ready, or finds it ready: documents are kept by their text. The first time costs milliseconds
    /// of computing.
    ///
    /// # Errors
    /// What is wrong with the document, all at once.
    pub fn prepare(
        &self,
        document: &str,
        operation_name: Option<&str>,
    ) -> Result<Arc<Prepared>, Vec<GraphQlError>> {
        match self.core.known(document, operation_name) {
            Some(prepared) => Ok(prepared),
            None => self.core.prepare(document, operation_name),
        }
    }

    /// The same for a request: its document may be named, and must be one that the caller may ask. An operation that is
    /// not ready yet is made so on a thread for such work.
    ///
    /// # Errors
    /// What is wrong with the document, all at once.
    pub async fn prepare_request(
        &self,
        request: &GraphQlRequest,
        context: &RequestContext,
    ) -> Result<Arc<Prepared>, Vec<GraphQlError>> {
        let found = match self.named.find(request, &context.principal).await {
            Ok(found) => found,
            Err(error) => return Err(vec![self.too_much(context).await.unwrap_or(error)]),
        };
        match found {
            Found::Ready(prepared) => Ok(prepared),
            Found::Text(text) => self.prepare_text(&text, request, context).await,
            Found::Sent { text, register_as } => {
                let prepared = self.prepare_text(text, request, context).await?;
                if let Some(hash) = register_as {
                    self.named.register(hash, text).await;
                }
                Ok(prepared)
            }
        }
    }

    async fn prepare_text(
        &self,
        document: &str,
        request: &GraphQlRequest,
        context: &RequestContext,
    ) -> Result<Arc<Prepared>, Vec<GraphQlError>> {
        let name = request.operation_name.as_deref().filter(|name| !name.is_empty());
        if let Some(prepared) = self.core.known(document, name) {
            return Ok(prepared);
        }
        self.charge_preparation(context)
            .await
            .map_err(|error| vec![error])?;
        let (core, document, name) = (self.core.clone(), document.to_owned(), name.map(str::to_owned));
        let places = core.places.clone();
        blocking(places, move || Ok(core.prepare(&document, name.as_deref())))
            .await
            .unwrap_or_else(|error| Err(vec![error]))
    }

    /// Prepares and runs.
    pub async fn execute(&self, request: GraphQlRequest, context: &RequestContext) -> Response {
        match self.prepare_request(&request, context).await {
            Ok(prepared) => self.execute_prepared(&prepared, request.variables, context).await,
            Err(errors) => Response::refused(errors),
        }
    }
}

impl Core {
    fn known(&self, text: &str, operation_name: Option<&str>) -> Option<Arc<Prepared>> {
        let document = self.documents.get(text)?;
        let operations = document.operations();
        // The map holds a handful of operations, and a look-up by a borrowed name would have to copy it.
        let found = operations
            .iter()
            .find(|(name, _)| name.as_deref() == operation_name);
        found.map(|(_, prepared)| prepared.clone())
    }

    fn prepare(&self, text: &str, operation_name: Option<&str>) -> Result<Arc<Prepared>, Vec<GraphQlError>> {
        let document = match self.documents.get(text) {
            Some(document) => document,
            None => {
                let document = Arc::new(Document {
                    document: self.compiler.document(text)?,
                    operations: Mutex::default(),
                });
                self.documents.insert(text.into(), document.clone());
                document
            }
        };
        // The only operation of a document may be named or not.
        let meant = document.document.operations.get(operation_name).ok();
        let full_name = meant.map(|operation| operation.name.as_ref().map(ToString::to_string));
        let known = full_name
            .as_ref()
            .and_then(|name| document.operations().get(name).cloned());
        let prepared = match known {
            Some(prepared) => prepared,
            None => Arc::new(self.compiler.prepare(&document.document, operation_name)?),
        };
        let mut operations = document.operations();
        operations.insert(operation_name.map(str::to_owned), prepared.clone());
        operations.extend(full_name.map(|name| (name, prepared.clone())));
        Ok(prepared)
    }
}

impl Document {
    fn operations(&self) -> MutexGuard<'_, HashMap<Option<String>, Arc<Prepared>>> {
        self.operations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl EngineHandle {
    /// A handle to that engine.
    pub fn new(engine: Arc<Engine>) -> Self {
        Self(Arc::new(RwLock::new(engine)))
    }

    /// The engine in force.
    pub fn load(&self) -> Arc<Engine> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts another engine in force and gives the one before, whose subscriptions end: it does not come back.
    pub fn swap(&self, engine: Arc<Engine>) -> Arc<Engine> {
        let before = std::mem::replace(
            &mut *self.0.write().unwrap_or_else(PoisonError::into_inner),
            engine,
        );
        before.retired.cancel();
        before
    }
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Computes on a thread for such work once there is a place, and stands a panic there. What was begun cannot be stopped,
/// so whoever goes away while waiting for a place leaves nothing behind.
async fn blocking<T: Send + 'static>(
    places: Arc<Semaphore>,
    work: impl FnOnce() -> Result<T, GraphQlError> + Send + 'static,
) -> Result<T, GraphQlError> {
    // They are never closed.
    let place = places.acquire_owned().await.ok();
    let work = tokio::task::spawn_blocking(move || {
        let _place = place;
        work()
    });
    work.await.unwrap_or_else(|error| {
        tracing::error!(%error, "preparing an operation panicked");
        Err(GraphQlError::internal())
    })
}

/// `null` is as good as nothing.
fn nullable<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Map<String, Value>, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}
