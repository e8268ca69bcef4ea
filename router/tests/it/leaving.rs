//! Clients that go away, and time that runs out: what subgraphs see of it.

use std::sync::Arc;
use std::time::Duration;

use kernel::TIME_LEFT_HEADER;
use router::http::{HttpOptions, service};
use router::{Engine, EngineHandle, HttpSubgraph, RouterConfig, Transports};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::harness::{SHOP, listen, schemas};
use crate::shop::Log;

/// How long a test waits for what must happen; nothing is judged by it.
const PATIENCE: Duration = Duration::from_secs(30);

/// The router at an address of its own, before accounts that are played by the test.
struct Stage {
    router: String,
    accounts: TcpListener,
    log: Arc<Log>,
}

/// A connection from the router to the accounts, with the request that came over it.
struct Call {
    stream: TcpStream,
    request: String,
}

impl Stage {
    async fn open(config: Value) -> Self {
        let accounts = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/", accounts.local_addr().expect("an address"));
        let log = Arc::new(Log::default());
        let mut transports = Transports::default();
        for (name, schema) in schemas(&log) {
            transports = match name {
                "accounts" => transports.http(name, HttpSubgraph::new(&url).expect("an address")),
                _ => transports.in_process(name, schema),
            };
        }
        let config: RouterConfig = serde_json::from_value(config).expect("a configuration");
        let engine = Engine::new(SHOP, &config, transports).expect("an engine");
        let options = HttpOptions {
            config,
            ..HttpOptions::default()
        };
        let router = listen(service(EngineHandle::new(Arc::new(engine)), options)).await;
        Self {
            router,
            accounts,
            log,
        }
    }

    /// A client that has asked and waits.
    async fn ask(&self, query: &str, headers: &str) -> TcpStream {
        let address = self.router.trim_start_matches("http://").trim_end_matches('/');
        let mut client = TcpStream::connect(address).await.expect("the router listens");
        let body = json!({ "query": query }).to_string();
        let head = format!(
            "POST /graphql HTTP/1.1\r\nhost: router\r\ncontent-type: application/json\r\ncontent-length: {}\r\n{headers}\r\n",
            body.len()
        );
        client
            .write_all((head + &body).as_bytes())
            .await
            .expect("it takes it");
        client
    }

    /// The next call of the accounts.
    async fn called(&self) -> Call {
        let accepting = tokio::time::timeout(PATIENCE, self.accounts.accept());
        let (mut stream, _) = accepting
            .await
            .expect("the accounts are asked")
            .expect("a connection");
        let mut bytes = Vec::new();
        // The body of these questions ends with its only `"}` or `}}`.
        while !bytes.ends_with(b"\"}") && !bytes.ends_with(b"}}") {
            let read = stream.read_buf(&mut bytes).await.expect("a request");
            assert_ne!(read, 0, "the request breaks off");
        }
        let request = String::from_utf8(bytes).expect("text");
        Call { stream, request }
    }
}

impl Call {
    async fn answer(mut self, data: Value) {
        let body = json!({ "data": data }).to_string();
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n";
        let text = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
        self.stream.write_all(text.as_bytes()).await.expect("it is read");
    }

    /// Whether the router has not closed the connection.
    fn is_waited_for(&self) -> bool {
        let read = self.stream.try_read(&mut [0]);
        read.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
    }

    /// Waits until the router closes the connection without having got an answer.
    async fn given_up(mut self) {
        let mut rest = Vec::new();
        let reading = tokio::time::timeout(PATIENCE, self.stream.read_to_end(&mut rest));
        let _ = reading.await.expect("the router gives the call up");
    }

    /// The milliseconds that are left by the header.
    fn time_left(&self) -> u64 {
        let mut lines = self.request.lines();
        let value = lines.find_map(|line| line.strip_prefix(TIME_LEFT_HEADER)?.strip_prefix(": "));
        value.expect("the header is there").parse().expect("a number")
    }
}

async fn answer(mut client: TcpStream) -> Value {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"}") {
        let read = client.read_buf(&mut bytes).await.expect("an answer");
        assert_ne!(read, 0, "the answer breaks off");
    }
    let text = String::from_utf8(bytes).expect("text");
    let (_, body) = text.split_once("\r\n\r\n").expect("a body");
    serde_json::from_str(body).expect("JSON")
}

const USERS: &str = "{ users(first: 1) { id } }";
const RENAME: &str =
    "mutation { rename(id: 1, name: \"Eve\") { id } reprice(upc: \"b1\", price: 3) { title } }";

#[tokio::test]
async fn a_client_that_goes_away_takes_its_calls_along() {
    let stage = Stage::open(json!({})).await;
    let client = stage.ask(USERS, "").await;
    let call = stage.called().await;
    drop(client);
    call.given_up().await;
}

#[tokio::test]
async fn a_shared_read_goes_on_while_somebody_waits_for_it() {
    let stage = Stage::open(json!({})).await;
    let first = stage.ask(USERS, "").await;
    let call = stage.called().await;
    let second = stage.ask(USERS, "").await;
    // That the second has joined is seen by the accounts not being asked by a third, who comes after it.
    let third = stage.ask("{ users(first: 2) { id } }", "").await;
    let other = stage.called().await;
    drop(first);
    other.answer(json!({ "_c_users": [{ "id": "2" }] })).await;
    assert_eq!(answer(third).await["data"]["users"][0]["id"], "2");
    call.answer(json!({ "_c_users": [{ "id": "1" }] })).await;
    assert_eq!(answer(second).await["data"]["users"][0]["id"], "1");

    let clients = [stage.ask(USERS, "").await, stage.ask(USERS, "").await];
    let call = stage.called().await;
    drop(clients);
    call.given_up().await;
}

#[tokio::test]
async fn a_change_that_was_sent_ends_and_those_after_it_are_not_begun() {
    let stage = Stage::open(json!({})).await;
    let client = stage.ask(RENAME, "").await;
    let call = stage.called().await;
    drop(client);
    // The router has seen that the client is gone once a read of another client, gone at the same time, is given up.
    let reader = stage.ask(USERS, "").await;
    let read = stage.called().await;
    drop(reader);
    read.given_up().await;
    assert!(call.is_waited_for());
    call.answer(json!({ "_c_rename": { "id": "1" } })).await;
    let after = stage.ask(USERS, "").await;
    stage
        .called()
        .await
        .answer(json!({ "_c_users": [{ "id": "1" }] }))
        .await;
    answer(after).await;
    assert_eq!(stage.log.take(), Vec::<String>::new(), "reprice was not begun");
}

#[tokio::test]
async fn subgraphs_are_told_how_much_time_is_left() {
    let stage =
        Stage::open(json!({ "subgraphs": { "accounts": { "timeout_ms": 9000, "dedupe": false } } })).await;
    let first = stage.ask(USERS, "").await;
    let call = stage.called().await;
    let left = call.time_left();
    assert!((1..=9_000).contains(&left), "{left}");
    // A proxy before the router waits less long, and what it says counts.
    let second = stage.ask(USERS, &format!("{TIME_LEFT_HEADER}: 700\r\n")).await;
    let call = stage.called().await;
    let left = call.time_left();
    assert!((1..=700).contains(&left), "{left}");
    // Nobody waits longer than the router, whatever they say.
    let third = stage
        .ask(USERS, &format!("{TIME_LEFT_HEADER}: 18446744073709551615\r\n"))
        .await;
    assert!(stage.called().await.time_left() <= 9_000);
    drop((first, second, third));
}

#[tokio::test]
async fn with_no_time_left_nobody_is_asked() {
    let stage = Stage::open(json!({})).await;
    let client = stage.ask(USERS, &format!("{TIME_LEFT_HEADER}: 0\r\n")).await;
    let answer = answer(client).await;
    assert_eq!(answer["errors"][0]["extensions"]["reason"], "SUBREQUEST_TIMEOUT");
    // The first that the accounts hear is of somebody else.
    let client = stage.ask(RENAME, "").await;
    assert!(stage.called().await.request.contains("rename"));
    drop(client);
}
