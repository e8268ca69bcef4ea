//! Parts of answers on their way: over real connections, with a subgraph that answers only when told to.

use std::sync::Arc;

use axum::Router;
use axum::routing::post;
use futures::StreamExt;
use kernel::Principal;
use router::http::{HttpOptions, service};
use router::{
    Engine, EngineHandle, GraphQlRequest, HttpSubgraph, InProcessSchema, RequestContext, RouterConfig,
    Transports,
};
use serde_json::{Map, Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::harness::{SHOP, listen, schemas};
use crate::shop::Log;

const PARTS: &str = "multipart/mixed;deferSpec=20220824, application/json";
const QUERY: &str = r#"{ me { id name ... @defer(label: \"slow\") { reviews { body } } } }"#;

/// The shop with reviews that are answered only when told to.
struct Held {
    engine: Arc<Engine>,
    address: String,
    answers: Arc<Semaphore>,
    events: UnboundedReceiver<&'static str>,
}

/// Tells when a call has been given up.
struct Call(UnboundedSender<&'static str>);

impl Drop for Call {
    fn drop(&mut self) {
        let _nobody_listens = self.0.send("ended");
    }
}

impl Held {
    async fn open() -> Self {
        let (told, events) = unbounded_channel();
        let answers = Arc::new(Semaphore::new(0));
        let mut transports = Transports::default();
        for (name, schema) in schemas(&Arc::new(Log::default())) {
            transports = match name {
                "reviews" => {
                    let url = hold(schema, answers.clone(), told.clone()).await;
                    transports.http(name, HttpSubgraph::new(&url).expect("an address"))
                }
                _ => transports.in_process(name, schema),
            };
        }
        let engine = Arc::new(Engine::new(SHOP, &RouterConfig::default(), transports).expect("an engine"));
        let router = service(EngineHandle::new(engine.clone()), HttpOptions::default());
        let url = listen(router).await;
        let address = url.trim_start_matches("http://").trim_end_matches('/').to_owned();
        Self {
            engine,
            address,
            answers,
            events,
        }
    }

    async fn ask(&self, accept: &str) -> Connection {
        let body = format!(r#"{{"query": "{QUERY}"}}"#);
        let mut stream = TcpStream::connect(&self.address).await.expect("a connection");
        let head = format!(
            "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\naccept: {accept}\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all((head + &body).as_bytes()).await.expect("sent");
        Connection {
            stream,
            text: String::new(),
        }
    }
}

async fn hold(
    schema: Arc<dyn InProcessSchema>,
    answers: Arc<Semaphore>,
    told: UnboundedSender<&'static str>,
) -> String {
    let handler = move |body: axum::Json<async_graphql::Request>| {
        let (schema, answers, told) = (schema.clone(), answers.clone(), told.clone());
        async move {
            told.send("asked").expect("the test listens");
            let call = Call(told);
            answers.acquire().await.expect("a permit").forget();
            let answer = schema
                .execute(body.0.data(Arc::new(Principal::anonymous())))
                .await;
            drop(call);
            axum::Json(answer)
        }
    };
    listen(Router::new().route("/", post(handler))).await
}

struct Connection {
    stream: TcpStream,
    text: String,
}

impl Connection {
    /// What has come when that text has.
    async fn until(&mut self, end: &str) -> &str {
        while !self.text.contains(end) {
            let mut bytes = [0; 4096];
            let read = self.stream.read(&mut bytes).await.expect("an answer");
            assert_ne!(read, 0, "the answer ended without {end}: {}", self.text);
            self.text
                .push_str(std::str::from_utf8(&bytes[..read]).expect("a text"));
        }
        &self.text
    }
}

#[tokio::test]
async fn a_slow_subgraph_does_not_delay_the_first_part() {
    let shop = Held::open().await;
    let mut connection = shop.ask(PARTS).await;
    let first = connection.until("\"hasNext\":true}\r\n--graphql").await;
    assert!(
        first.contains("content-type: multipart/mixed;boundary=\"graphql\";deferSpec=20220824\r\n"),
        "{first}"
    );
    assert!(
        first.contains(r#"{"data":{"me":{"id":"1","name":"Ada \"the first\""}},"hasNext":true}"#),
        "{first}"
    );
    assert!(!first.contains("incremental"), "{first}");
    shop.answers.add_permits(1);
    // The end of the parts, and of the chunked body.
    let whole = connection.until("--\r\n\r\n0\r\n\r\n").await;
    let rest = r#"{"incremental":[{"data":{"reviews":[{"body":"Review 3"}]},"path":["me"],"label":"slow"}],"hasNext":false}"#;
    assert!(whole.contains(rest), "{whole}");
}

#[tokio::test]
async fn who_takes_no_parts_waits_for_the_whole_answer() {
    let shop = Held::open().await;
    shop.answers.add_permits(1);
    let mut connection = shop.ask("application/json").await;
    let whole = connection.until("}}}").await;
    assert!(whole.contains("content-type: application/json"), "{whole}");
    assert!(whole.contains("\"reviews\":[{\"body\""), "{whole}");
}

#[tokio::test]
async fn a_client_that_goes_away_stops_what_comes_later() {
    let mut shop = Held::open().await;
    let mut connection = shop.ask(PARTS).await;
    connection.until("\"hasNext\":true}").await;
    assert_eq!(shop.events.recv().await, Some("asked"));
    drop(connection);
    assert_eq!(shop.events.recv().await, Some("ended"));
}

#[tokio::test]
async fn the_deadline_holds_for_what_comes_later() {
    let shop = Held::open().await;
    let soon = tokio::time::Instant::now() + std::time::Duration::from_millis(300);
    let context = RequestContext::new(Arc::new(Principal::anonymous())).with_deadline(soon);
    let request = GraphQlRequest {
        query: Some(QUERY.replace('\\', "")),
        ..GraphQlRequest::default()
    };
    let prepared = shop
        .engine
        .prepare_request(&request, &context)
        .await
        .expect("an operation");
    let (first, later) = shop
        .engine
        .execute_in_parts(&prepared, Map::new(), &context)
        .await;
    assert_eq!(first.errors, []);
    let rest: Vec<_> = later.expect("more to come").payloads().collect().await;
    let rest: Value = serde_json::from_slice(&rest[0]).expect("JSON");
    let entry = &rest["incremental"][0];
    assert_eq!(entry["data"], Value::Null);
    assert_eq!(entry["errors"][0]["path"], json!(["me", "reviews"]));
    assert_eq!(entry["errors"][0]["extensions"]["reason"], "SUBREQUEST_TIMEOUT");
}
