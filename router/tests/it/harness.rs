//! Engines over the shop's subgraphs, in this process and over HTTP.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Router;
use axum::routing::post;
use kernel::{Actor, Clock, Principal, Random};
use router::{
    Engine, GraphQlRequest, HttpSubgraph, InProcessSchema, RequestContext, Response, RouterConfig, Transports,
};
use serde_json::{Map, Value, json};

use crate::shop::{self, Log};

pub(crate) const SHOP: &str = include_str!("fixtures/shop.graphql");

/// The shop, served in both ways.
pub(crate) struct Shop {
    pub(crate) log: Arc<Log>,
    pub(crate) in_process: Engine,
    pub(crate) http: Engine,
}

pub(crate) fn schemas(log: &Arc<Log>) -> Vec<(&'static str, Arc<dyn InProcessSchema>)> {
    vec![
        ("accounts", Arc::new(shop::accounts::schema(log.clone()))),
        ("products", Arc::new(shop::products::schema(log.clone()))),
        ("reviews", Arc::new(shop::reviews::schema())),
        ("inventory", Arc::new(shop::inventory::schema())),
    ]
}

impl Shop {
    pub(crate) async fn open() -> Self {
        Self::with(&RouterConfig::default()).await
    }

    pub(crate) async fn with(config: &RouterConfig) -> Self {
        let log = Arc::new(Log::default());
        let (mut local, mut remote) = (Transports::default(), Transports::default());
        for (name, schema) in schemas(&log) {
            local = local.in_process(name, schema.clone());
            remote = remote.http(name, HttpSubgraph::new(&serve(schema).await).expect("an address"));
        }
        Self {
            log,
            in_process: Engine::new(SHOP, config, local).expect("an engine"),
            http: Engine::new(SHOP, config, remote).expect("an engine"),
        }
    }

    /// Asks both engines, which must agree, and gives the answer.
    pub(crate) async fn ask(&self, query: &str) -> Value {
        self.ask_with(query, json!({})).await
    }

    pub(crate) async fn ask_with(&self, query: &str, variables: Value) -> Value {
        let local = ask(&self.in_process, query, &variables).await;
        let remote = ask(&self.http, query, &variables).await;
        assert_eq!(local, remote, "in process and over HTTP differ for {query}");
        local
    }
}

pub(crate) async fn ask(engine: &Engine, query: &str, variables: &Value) -> Value {
    ask_as(engine, query, variables, Principal::anonymous()).await
}

pub(crate) async fn ask_as(engine: &Engine, query: &str, variables: &Value, principal: Principal) -> Value {
    let context = RequestContext::new(Arc::new(principal));
    let response = execute(engine, query, variables, &context).await;
    serde_json::from_slice(&response.into_body()).expect("the answer is JSON")
}

pub(crate) async fn execute(
    engine: &Engine,
    query: &str,
    variables: &Value,
    context: &RequestContext,
) -> Response {
    let request = GraphQlRequest {
        query: Some(query.to_owned()),
        operation_name: None,
        variables: variables.as_object().cloned().unwrap_or_default(),
        extensions: Map::new(),
    };
    engine.execute(request, context).await
}

/// A caller of each kind: nobody, a person, an app, one of the staff.
pub(crate) fn callers() -> [Principal; 4] {
    let (random, now) = (Random::seeded(1), Clock::system().now());
    let person = |permissions: &[&str], scopes: Option<&[&str]>| {
        let set = |names: &[&str]| {
            Arc::new(
                names
                    .iter()
                    .map(|name| (*name).to_owned())
                    .collect::<BTreeSet<_>>(),
            )
        };
        Principal {
            actor: Actor::User {
                id: random.id(now),
                session: random.id(now),
                permissions: set(permissions),
                scopes: scopes.map(set),
            },
            ..Principal::anonymous()
        }
    };
    [
        Principal::anonymous(),
        person(&[], None),
        // An app is an app, whoever it acts for.
        person(&["users:read"], Some(&["habits:read"])),
        person(&["users:read"], None),
    ]
}

/// Serves a schema at an address of its own.
pub(crate) async fn serve(schema: Arc<dyn InProcessSchema>) -> String {
    let handler = move |body: axum::Json<async_graphql::Request>| {
        let schema = schema.clone();
        async move {
            axum::Json(
                schema
                    .execute(body.0.data(Arc::new(Principal::anonymous())))
                    .await,
            )
        }
    };
    listen(Router::new().route("/", post(handler))).await
}

/// Serves a router at an address of its own.
pub(crate) async fn listen(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}/")
}

/// JSON for snapshots: on one line what fits there.
pub(crate) fn shown(value: &Value) -> String {
    let mut text = String::new();
    show(value, 0, &mut text);
    text
}

fn show(value: &Value, indent: usize, text: &mut String) {
    let flat = value.to_string();
    if flat.len() + indent <= 110 || !(value.is_object() || value.is_array()) {
        text.push_str(&flat);
        return;
    }
    let pad = |text: &mut String, depth: usize| {
        text.push('\n');
        text.extend(std::iter::repeat_n(' ', depth));
    };
    let (open, close, items): (_, _, Vec<(Option<&String>, &Value)>) = match value {
        Value::Object(fields) => (
            '{',
            '}',
            fields.iter().map(|(name, value)| (Some(name), value)).collect(),
        ),
        _ => (
            '[',
            ']',
            value
                .as_array()
                .into_iter()
                .flatten()
                .map(|value| (None, value))
                .collect(),
        ),
    };
    text.push(open);
    for (index, (name, value)) in items.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        pad(text, indent + 2);
        if let Some(name) = name {
            text.push_str(&format!("\"{name}\": "));
        }
        show(value, indent + 2, text);
    }
    pad(text, indent);
    text.push(close);
}
