//! A library of two subgraphs over HTTP: the catalogue, and what is in stock. They answer when they are told to, and say who
//! asked.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_graphql::{
    Context, EmptyMutation, EmptySubscription, Error, ID, Object, Request, Result, Schema, SimpleObject,
};
use axum::Router;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::routing::post;
use cache::{Cache, CacheConfig};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use kernel::{Clock, ManualClock, Principal, Random};
use router::{Engine, HttpSubgraph, Invalidation, PrincipalSealer, RequestContext, RouterConfig, Transports};
use serde_json::{Value, json};
use testkit::servers::Redis;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::harness::{execute, listen};

pub(crate) const LIBRARY: &str = include_str!("../fixtures/library.graphql");

/// Where answers are kept.
pub(crate) struct Place {
    redis: Option<tokio::sync::Mutex<Redis>>,
    url: Option<String>,
}

impl Place {
    pub(crate) async fn memory() -> Self {
        Self {
            redis: None,
            url: None,
        }
    }

    pub(crate) async fn redis() -> Self {
        let redis = Redis::start().await;
        Self {
            url: Some(redis.url().to_owned()),
            redis: Some(tokio::sync::Mutex::new(redis)),
        }
    }

    pub(crate) async fn stop(&self) {
        if let Some(redis) = &self.redis {
            redis.lock().await.kill();
        }
    }

    pub(crate) async fn start_again(&self) {
        if let Some(redis) = &self.redis {
            redis.lock().await.restart().await;
        }
    }

    fn cache(&self, clock: Clock) -> Cache {
        let config = match &self.url {
            Some(url) => CacheConfig::Redis {
                url: url.clone(),
                prefix: testkit::unique_name("library"),
            },
            None => CacheConfig::default(),
        };
        Cache::open(&config, clock).expect("a cache")
    }
}

/// What both subgraphs do.
pub(crate) struct Desk {
    log: Mutex<Vec<String>>,
    count: watch::Sender<usize>,
    held: watch::Sender<bool>,
    fails: AtomicBool,
    control: Mutex<&'static str>,
}

pub(crate) struct Library {
    pub(crate) engine: Arc<Engine>,
    pub(crate) clock: ManualClock,
    desk: Arc<Desk>,
    cache: Cache,
    config: RouterConfig,
    transports: Transports,
}

/// Who asks a subgraph, in which language.
struct Asker {
    who: String,
    language: String,
}

#[derive(SimpleObject)]
struct Author {
    name: String,
}

struct Book(ID);

#[Object]
impl Book {
    async fn id(&self) -> &ID {
        &self.0
    }
    async fn title(&self) -> String {
        format!("Book {}", self.0.as_str())
    }
    async fn price(&self) -> i32 {
        5
    }
    async fn author(&self) -> Author {
        Author {
            name: "Ada".to_owned(),
        }
    }
}

/// How often something was lent.
#[derive(Default)]
struct Lent(AtomicUsize);

struct Catalog;

#[Object]
impl Catalog {
    async fn books(&self) -> Vec<Book> {
        ["1", "2", "3"].map(|id| Book(id.into())).into()
    }
    async fn pick(&self, ids: Vec<ID>) -> Vec<Book> {
        ids.into_iter().map(Book).collect()
    }
    async fn news(&self) -> &str {
        "none"
    }
    async fn mine(&self, ctx: &Context<'_>) -> Result<String> {
        Ok(ctx.data::<Arc<Asker>>()?.who.clone())
    }
    async fn lent(&self, ctx: &Context<'_>) -> Result<usize> {
        Ok(ctx.data::<Lent>()?.0.load(Ordering::SeqCst))
    }
    async fn greeting(&self, ctx: &Context<'_>) -> Result<String> {
        Ok(format!("hello in {}", ctx.data::<Arc<Asker>>()?.language))
    }
}

struct Lending;

#[Object]
impl Lending {
    async fn lend(&self, ctx: &Context<'_>, id: ID) -> Result<Book> {
        ctx.data::<Lent>()?.0.fetch_add(1, Ordering::SeqCst);
        Ok(Book(id))
    }
}

mod shelves {
    use super::*;

    pub(super) struct Book(pub(super) ID);

    #[Object]
    impl Book {
        async fn id(&self) -> &ID {
            &self.0
        }
        async fn stock(&self) -> Option<Result<i64>> {
            Some(match self.0.as_str() {
                "bad" => Err(Error::new("nobody counted them")),
                id => Ok(id.parse().unwrap_or(id.len() as i64) * 10),
            })
        }
        /// With it the whole answer is lost.
        async fn shelf(&self) -> Result<&str> {
            match self.0.as_str() {
                "bad" => Err(Error::new("nobody finds it")),
                _ => Ok("left"),
            }
        }
        async fn note(&self, ctx: &Context<'_>) -> Result<String> {
            Ok(format!(
                "{} of {}",
                self.0.as_str(),
                ctx.data::<Arc<Asker>>()?.who
            ))
        }
    }

    pub(super) struct Stock;

    #[Object]
    impl Stock {
        #[graphql(entity)]
        async fn book(&self, id: ID) -> Book {
            Book(id)
        }
    }
}

/// Tells the subgraphs who asks.
struct Sealer;

impl PrincipalSealer for Sealer {
    fn seal(&self, principal: &Principal, _: &str) -> Option<(HeaderName, HeaderValue)> {
        let value = HeaderValue::from_str(&name(principal)).ok()?;
        Some((HeaderName::from_static("x-principal"), value))
    }
}

/// What subgraphs know somebody by.
pub(crate) fn name(principal: &Principal) -> String {
    principal
        .user_id()
        .map_or_else(|| "nobody".to_owned(), |id| id.to_string())
}

/// Always the same for the same seed.
pub(crate) fn person(seed: u64) -> Principal {
    let (random, now) = (Random::seeded(seed), jiff::Timestamp::UNIX_EPOCH);
    Principal::user(random.id(now), random.id(now))
}

type Answering =
    Arc<dyn Fn(Request) -> futures::future::BoxFuture<'static, async_graphql::Response> + Send + Sync>;

#[derive(Clone)]
struct Server {
    name: &'static str,
    desk: Arc<Desk>,
    answering: Answering,
}

async fn serve(name: &'static str, desk: &Arc<Desk>, answering: Answering) -> HttpSubgraph {
    let desk = desk.clone();
    let server = Server {
        name,
        desk,
        answering,
    };
    let url = listen(Router::new().route("/", post(answer)).with_state(server)).await;
    HttpSubgraph::new(&url).expect("an address")
}

async fn answer(
    State(server): State<Server>,
    headers: HeaderMap,
    body: axum::Json<Request>,
) -> axum::response::Response {
    let text = |name: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let desk = &server.desk;
    desk.note(format!("{}: {}", server.name, summary(&body.0)));
    if server.name == "stock" && desk.fails.load(Ordering::SeqCst) {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    let asker = Arc::new(Asker {
        who: text("x-principal"),
        language: text("accept-language"),
    });
    let bad = summary(&body.0).split(' ').position(|id| id == "bad");
    let answer = (server.answering)(body.0.data(asker)).await;
    let answer = with_index(serde_json::to_value(answer).expect("an answer"), bad);
    let mut held = desk.held.subscribe();
    held.wait_for(|held| !held).await.expect("the desk");
    let control = *desk.control.lock().expect("the desk");
    let mut response = axum::Json(answer).into_response();
    if server.name == "catalog" && !control.is_empty() {
        response
            .headers_mut()
            .insert("cache-control", HeaderValue::from_static(control));
    }
    response
}

/// The GraphQL library leaves out which entity an error speaks of.
fn with_index(mut answer: Value, bad: Option<usize>) -> Value {
    for error in answer["errors"].as_array_mut().into_iter().flatten() {
        if let (Some(path), Some(bad)) = (error["path"].as_array_mut(), bad)
            && !path.get(1).is_some_and(Value::is_number)
        {
            path.insert(1, json!(bad));
        }
    }
    answer
}

/// The first root field, or of which entities.
fn summary(request: &Request) -> String {
    let variables = serde_json::to_value(&request.variables).expect("variables");
    if let Some(representations) = variables["representations"].as_array() {
        let ids = representations
            .iter()
            .map(|book| book["id"].as_str().unwrap_or_default());
        return ids.collect::<Vec<_>>().join(" ");
    }
    let fields = ["books", "pick", "lend", "lent", "mine", "greeting", "news"];
    let field = fields.iter().find(|field| request.query.contains(*field));
    (*field.unwrap_or(&"?")).to_owned()
}

impl Desk {
    fn note(&self, line: String) {
        self.log.lock().expect("the log").push(line);
        self.count.send_modify(|count| *count += 1);
    }
}

impl Library {
    pub(crate) async fn open(place: &Place, cache: Value) -> Self {
        Self::open_passing_on(place, cache, &["accept-language"]).await
    }

    /// The same, where subgraphs get those of the client's headers.
    pub(crate) async fn open_passing_on(place: &Place, cache: Value, headers: &[&str]) -> Self {
        let desk = Arc::new(Desk {
            log: Mutex::default(),
            count: watch::channel(0).0,
            held: watch::channel(false).0,
            fails: AtomicBool::new(false),
            control: Mutex::new(""),
        });
        let catalog = Schema::build(Catalog, Lending, EmptySubscription)
            .data(Lent::default())
            .finish();
        let stock = Schema::build(shelves::Stock, EmptyMutation, EmptySubscription).finish();
        let catalog: Answering = Arc::new(move |request| {
            let catalog = catalog.clone();
            Box::pin(async move { catalog.execute(request).await })
        });
        let stock: Answering = Arc::new(move |request| {
            let stock = stock.clone();
            Box::pin(async move { stock.execute(request).await })
        });
        let transports = Transports::default()
            .sealer(Arc::new(Sealer))
            .http("catalog", serve("catalog", &desk, catalog).await)
            .http("stock", serve("stock", &desk, stock).await);
        let mut settings = json!({ "enabled": true });
        let given = cache.as_object().cloned().unwrap_or_default();
        settings.as_object_mut().expect("an object").extend(given);
        let config = json!({
            "all_subgraphs": { "principal": true, "headers": headers },
            "response_cache": settings,
        });
        let config: RouterConfig = serde_json::from_value(config).expect("a configuration");
        let clock = ManualClock::at(Clock::system().now());
        let cache = place.cache(clock.clock());
        let engine = engine(LIBRARY, &config, &transports, &cache, &clock);
        Self {
            engine,
            clock,
            desk,
            cache,
            config,
            transports,
        }
    }

    /// The same library behind a router of another version of the supergraph.
    pub(crate) fn with_a_new_supergraph(&self) -> Self {
        let sdl = format!("{LIBRARY}\n# Another version.\n");
        Self {
            engine: engine(&sdl, &self.config, &self.transports, &self.cache, &self.clock),
            clock: self.clock.clone(),
            desk: self.desk.clone(),
            cache: self.cache.clone(),
            config: self.config.clone(),
            transports: self.transports.clone(),
        }
    }

    /// The same library behind another router that shares what is kept.
    pub(crate) fn with_another_router(&self) -> Self {
        Self {
            engine: engine(LIBRARY, &self.config, &self.transports, &self.cache, &self.clock),
            ..self.with_a_new_supergraph()
        }
    }

    pub(crate) fn config(&self) -> RouterConfig {
        self.config.clone()
    }

    pub(crate) async fn ask(&self, query: &str, variables: Value) -> Value {
        self.ask_as(query, variables, Principal::anonymous()).await
    }

    pub(crate) async fn ask_as(&self, query: &str, variables: Value, principal: Principal) -> Value {
        ask(
            &self.engine,
            query,
            &variables,
            RequestContext::new(Arc::new(principal)),
        )
        .await
    }

    /// Asks without waiting for the answer.
    pub(crate) fn begin(&self, query: &str) -> JoinHandle<Value> {
        self.begin_as(query, json!({}), Principal::anonymous())
    }

    pub(crate) fn begin_as(&self, query: &str, variables: Value, principal: Principal) -> JoinHandle<Value> {
        let (engine, query) = (self.engine.clone(), query.to_owned());
        let context = RequestContext::new(Arc::new(principal));
        tokio::spawn(async move { ask(&engine, &query, &variables, context).await })
    }

    /// What the subgraphs were asked since the last time.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.desk.count.send_replace(0);
        std::mem::take(&mut *self.desk.log.lock().expect("the log"))
    }

    pub(crate) async fn until_asked(&self, times: usize) {
        let mut count = self.desk.count.subscribe();
        count.wait_for(|count| *count >= times).await.expect("the desk");
    }

    /// From now on the subgraphs keep their answers to themselves.
    pub(crate) fn hold(&self) {
        self.desk.count.send_replace(0);
        self.desk.held.send_replace(true);
    }

    pub(crate) fn release(&self) {
        self.desk.held.send_replace(false);
    }

    /// Whether the stock fails.
    pub(crate) fn fail(&self, fails: bool) {
        self.desk.fails.store(fails, Ordering::SeqCst);
    }

    /// What the catalogue says with its answers.
    pub(crate) fn say(&self, control: &'static str) {
        *self.desk.control.lock().expect("the desk") = control;
    }

    pub(crate) async fn drop_all(&self) {
        let all = ["catalog", "stock"].map(|subgraph| Invalidation::Subgraph {
            subgraph: subgraph.to_owned(),
        });
        self.engine.invalidate(&all).await.expect("the cache answers");
    }
}

pub(crate) async fn ask(engine: &Engine, query: &str, variables: &Value, context: RequestContext) -> Value {
    let response = execute(engine, query, variables, &context).await;
    serde_json::from_slice(&response.into_body()).expect("the answer is JSON")
}

fn engine(
    sdl: &str,
    config: &RouterConfig,
    transports: &Transports,
    cache: &Cache,
    clock: &ManualClock,
) -> Arc<Engine> {
    let engine = Engine::new(sdl, config, transports.clone()).expect("an engine");
    Arc::new(engine.with_responses_in(cache.clone(), clock.clock(), Random::from_os()))
}
