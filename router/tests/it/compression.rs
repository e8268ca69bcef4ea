//! What is compressed between the router and subgraphs.

use std::sync::{Arc, Mutex};

use async_compression::tokio::bufread::{
    BrotliDecoder, BrotliEncoder, GzipDecoder, GzipEncoder, ZlibDecoder, ZlibEncoder, ZstdDecoder,
    ZstdEncoder,
};
use axum::Router;
use axum::extract::State;
use axum::routing::post;
use bytes::Bytes;
use composition::{SubgraphSource, compose};
use futures::StreamExt;
use http::{HeaderMap, HeaderValue, StatusCode};
use kernel::Principal;
use router::{Engine, HttpSubgraph, RequestContext, RouterConfig, SubscriptionEvent, Transports};
use serde_json::{Map, Value, json};
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::harness::{SHOP, execute, listen, schemas};
use crate::shop::Log;

/// The accounts, served elsewhere by somebody who compresses.
#[derive(Clone, Default)]
struct Accounts {
    /// How the answer is compressed, and what it is.
    answer: Arc<Mutex<(&'static str, Bytes)>>,
    /// What was asked.
    asked: Arc<Mutex<Vec<(HeaderMap, Bytes)>>>,
}

struct Shop {
    engine: Engine,
    accounts: Accounts,
}

impl Shop {
    async fn open(config: Value) -> Self {
        let accounts = Accounts::default();
        let handler = async |State(accounts): State<Accounts>, headers: HeaderMap, body: Bytes| {
            accounts.asked.lock().expect("the log").push((headers, body));
            let (coding, body) = accounts.answer.lock().expect("the answer").clone();
            let mut head = HeaderMap::new();
            head.insert("content-type", HeaderValue::from_static("application/json"));
            if !coding.is_empty() {
                head.insert("content-encoding", HeaderValue::from_static(coding));
            }
            (StatusCode::OK, head, body)
        };
        let url = listen(
            Router::new()
                .route("/", post(handler))
                .with_state(accounts.clone()),
        )
        .await;
        let mut transports = Transports::default();
        for (name, schema) in schemas(&Arc::new(Log::default())) {
            transports = match name {
                "accounts" => transports.http(name, HttpSubgraph::new(&url).expect("an address")),
                _ => transports.in_process(name, schema),
            };
        }
        let config = json!({ "subgraphs": { "accounts": config } });
        let config: RouterConfig = serde_json::from_value(config).expect("a configuration");
        Self {
            engine: Engine::new(SHOP, &config, transports).expect("an engine"),
            accounts,
        }
    }

    fn answer(&self, coding: &'static str, body: impl Into<Bytes>) {
        *self.accounts.answer.lock().expect("the answer") = (coding, body.into());
    }

    /// The data, or the reason why there is none.
    async fn ask(&self) -> Value {
        self.ask_for("{ users(first: 1) { id } }").await
    }

    async fn ask_for(&self, query: &str) -> Value {
        let context = RequestContext::new(Arc::new(Principal::anonymous()));
        let answer = execute(&self.engine, query, &json!({}), &context).await;
        let answer: Value = serde_json::from_slice(&answer.into_body()).expect("JSON");
        match answer.pointer("/errors/0/extensions/reason") {
            Some(reason) => reason.clone(),
            None => answer["data"].clone(),
        }
    }
}

const ALL: [&str; 4] = ["gzip", "br", "zstd", "deflate"];

async fn all(mut reader: impl AsyncRead + Unpin) -> Bytes {
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).await.expect("it can be read");
    bytes.into()
}

async fn packed(coding: &str, text: &[u8]) -> Bytes {
    match coding {
        "gzip" => all(GzipEncoder::new(text)).await,
        "br" => all(BrotliEncoder::new(text)).await,
        "zstd" => all(ZstdEncoder::new(text)).await,
        _ => all(ZlibEncoder::new(text)).await,
    }
}

async fn unpacked(coding: &str, bytes: &[u8]) -> Bytes {
    match coding {
        "gzip" => all(GzipDecoder::new(bytes)).await,
        "br" => all(BrotliDecoder::new(bytes)).await,
        "zstd" => all(ZstdDecoder::new(bytes)).await,
        _ => all(ZlibDecoder::new(bytes)).await,
    }
}

fn users() -> Value {
    json!({ "users": [{ "id": "1" }] })
}

/// An answer of at least so many bytes.
fn answer(bytes: usize) -> Vec<u8> {
    let users = &users()["users"];
    // Under the name that the router asks for it by, too.
    let data = json!({ "users": users, "_c_users": users });
    format!("{{{}\"data\":{data}}}", " ".repeat(bytes)).into_bytes()
}

#[tokio::test]
async fn answers_are_read_however_they_are_compressed() {
    let shop = Shop::open(json!({ "compression": { "answers": ALL } })).await;
    for coding in ALL {
        for bytes in [0, 100_000] {
            shop.answer(coding, packed(coding, &answer(bytes)).await);
            assert_eq!(shop.ask().await, users(), "{coding}");
        }
    }
    let (head, _) = shop.accounts.asked.lock().expect("the log").remove(0);
    assert_eq!(head["accept-encoding"], "gzip, br, zstd, deflate");
}

#[tokio::test]
async fn events_are_read_however_they_are_compressed() {
    let ticks = [1, 2].map(|tick| json!({ "data": { "tick": tick } }));
    let told = ticks.iter().map(|tick| format!("event: next\ndata: {tick}\n\n"));
    let text = told.collect::<String>() + "event: complete\ndata:\n\n";
    for coding in ALL {
        let body = packed(coding, text.as_bytes()).await;
        let head = [
            ("content-type", "text/event-stream"),
            ("content-encoding", coding),
        ];
        let url = listen(Router::new().route("/", post(async move || (head, body)))).await;
        let sdl = "type Query { now: Int } type Subscription { tick: Int }";
        let clock = SubgraphSource::new("clock", Some(url), sdl);
        let supergraph = compose(&[clock]).expect("a supergraph").supergraph_sdl;
        let config = json!({ "all_subgraphs": { "subscription": { "protocol": "sse" } } });
        let config: RouterConfig = serde_json::from_value(config).expect("a configuration");
        let engine = Engine::new(&supergraph, &config, Transports::default()).expect("an engine");
        let prepared = engine
            .prepare("subscription { tick }", None)
            .expect("a subscription");
        let context = RequestContext::new(Arc::new(Principal::anonymous()));
        let events = Arc::new(engine).subscribe(&prepared, Map::new(), &context).await;
        let heard = events.expect("events").map(|event| match event {
            SubscriptionEvent::Next(response) => {
                serde_json::from_slice::<Value>(&response.into_body()).expect("JSON")
            }
            SubscriptionEvent::Failed(error) => panic!("{coding}: {error:?}"),
        });
        assert_eq!(heard.collect::<Vec<_>>().await, ticks, "{coding}");
    }
}

#[tokio::test]
async fn nothing_is_compressed_where_nothing_is_said() {
    let shop = Shop::open(json!({})).await;
    for coding in ["identity", ""] {
        shop.answer(coding, answer(0));
        assert_eq!(shop.ask().await, users());
    }
    let (head, _) = shop.accounts.asked.lock().expect("the log").remove(0);
    assert!(!head.contains_key("accept-encoding") && !head.contains_key("content-encoding"));
}

#[tokio::test]
async fn an_answer_counts_by_what_comes_out_of_it() {
    let shop = Shop::open(json!({ "max_response_bytes": 100_000 })).await;
    for coding in ALL {
        let bomb = packed(coding, &answer(20 << 20)).await;
        assert!(bomb.len() < 100_000, "{coding}");
        shop.answer(coding, bomb);
        assert_eq!(shop.ask().await, "SUBREQUEST_TOO_LARGE", "{coding}");
        shop.answer(coding, packed(coding, &answer(99_000)).await);
        assert_eq!(shop.ask().await, users(), "{coding}");
    }
}

#[tokio::test]
async fn what_cannot_be_decompressed_is_the_subgraphs_failure() {
    let shop = Shop::open(json!({ "retries": 0 })).await;
    for coding in ["compress", "gzip, br"] {
        shop.answer(coding, answer(0));
        assert_eq!(shop.ask().await, "SUBREQUEST_UNKNOWN_ENCODING", "{coding}");
    }
    for coding in ALL {
        shop.answer(coding, answer(100));
        assert_eq!(shop.ask().await, "SUBREQUEST_MALFORMED_RESPONSE", "{coding}");
        let whole = packed(coding, &answer(1_000)).await;
        shop.answer(coding, whole.slice(..whole.len() - 4));
        assert_eq!(shop.ask().await, "SUBREQUEST_MALFORMED_RESPONSE", "{coding}, cut");
    }
}

#[tokio::test]
async fn long_requests_are_compressed_where_the_subgraph_takes_them() {
    let fields: Vec<_> = (0..100)
        .map(|at| format!("a{at}: users(first: {at}) {{ id }}"))
        .collect();
    for coding in ALL {
        let shop = Shop::open(json!({ "compression": { "requests": coding } })).await;
        shop.answer("", answer(0));
        assert_eq!(shop.ask().await, users(), "{coding}");
        shop.ask_for(&format!("{{ {} }}", fields.join(" "))).await;
        let asked = shop.accounts.asked.lock().expect("the log").clone();
        let [(short, _), (long, body)] = &asked[..] else {
            panic!("{} requests", asked.len());
        };
        assert!(!short.contains_key("content-encoding"), "{coding}");
        assert_eq!(long["content-encoding"], coding);
        let text = unpacked(coding, body).await;
        assert!(
            text.starts_with(b"{\"query\":") && text.len() > body.len(),
            "{coding}"
        );
        assert_eq!(long["content-length"], body.len().to_string(), "{coding}");
    }
}
