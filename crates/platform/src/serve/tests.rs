//! A server at a socket, and clients who are slow, many or hostile.

use std::num::{NonZeroU64, NonZeroUsize};
use std::sync::Arc;

use axum::routing::{get, post};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::*;

/// How long a test waits for what must happen; nothing is judged by it.
const PATIENCE: Duration = Duration::from_secs(30);
/// A large answer: more than the buffers of a connection take.
const LARGE: usize = 16 << 20;

struct Server {
    address: SocketAddr,
    load: Load,
    /// What `/slow` waits for.
    answers: Arc<Semaphore>,
    shutdown: CancellationToken,
    ended: JoinHandle<()>,
}

impl Server {
    async fn start(change: impl FnOnce(&mut ServerConfig)) -> Self {
        let mut config = ServerConfig::default();
        change(&mut config);
        let answers = Arc::new(Semaphore::new(0));
        let held = answers.clone();
        let slow = move || async move {
            let _answer = held.acquire().await;
            "slow but sure"
        };
        let routes = Router::new()
            .route("/", get(|| async { "hello" }))
            .route("/health/live", get(|| async { "alive" }))
            .route(
                "/page",
                get(|| async { [("content-security-policy", "default-src 'self'")] }),
            )
            .route("/slow", get(slow))
            .route("/large", get(|| async { vec![b'x'; LARGE] }))
            .route("/length", post(async |body: String| body.len().to_string()));
        let listener = listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let (address, load) = (listener.local_addr().unwrap(), Load::new(config));
        let shutdown = CancellationToken::new();
        let stop = shutdown.clone();
        let ended = tokio::spawn(serve(
            listener,
            Routes::new(routes, &load, &RouterConfig::default()),
            stop,
            PATIENCE,
        ));
        Self {
            address,
            load,
            answers,
            shutdown,
            ended,
        }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// A client that has sent this and does not read.
    async fn send(&self, text: &str) -> TcpStream {
        let mut client = self.connect().await;
        client.write_all(text.as_bytes()).await.unwrap();
        client
    }

    /// A client that asks for a page and does not read.
    async fn ask(&self, path: &str) -> TcpStream {
        let text = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        self.send(&text).await
    }

    /// The answer to a page, whole.
    async fn get(&self, path: &str) -> String {
        rest(self.ask(path).await).await
    }

    /// Waits until so many bytes are held.
    async fn holds(&self, bytes: impl Fn(usize) -> bool) {
        let waiting = async {
            while !bytes(self.load.buffers().held()) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting)
            .await
            .expect("it comes to hold that");
    }
}

/// All that still comes, until the server closes the connection.
async fn rest(mut client: TcpStream) -> String {
    let mut bytes = Vec::new();
    let reading = tokio::time::timeout(PATIENCE, client.read_to_end(&mut bytes));
    // A connection that is cut ends with an error.
    let _ = reading.await.expect("the connection ends");
    String::from_utf8_lossy(&bytes).into_owned()
}

fn millis(value: u64) -> NonZeroU64 {
    NonZeroU64::new(value).unwrap()
}

fn count(value: usize) -> NonZeroUsize {
    NonZeroUsize::new(value).unwrap()
}

#[tokio::test]
async fn every_answer_tells_browsers_to_make_nothing_else_of_it() {
    let server = Server::start(|config| config.hsts_max_age_s = 60).await;
    for path in ["/", "/nowhere", "/health/live"] {
        let answer = server.get(path).await;
        for header in [
            "x-content-type-options: nosniff",
            "content-security-policy: default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            "referrer-policy: no-referrer",
            "cross-origin-resource-policy: same-origin",
            "strict-transport-security: max-age=60",
        ] {
            assert!(answer.contains(header), "{path} {header} {answer}");
        }
    }
    let page = server.get("/page").await;
    assert!(
        page.contains("content-security-policy: default-src 'self'\r\n"),
        "{page}"
    );
    let without_tls = Server::start(|_| {}).await.get("/").await;
    assert!(
        !without_tls.contains("strict-transport-security"),
        "{without_tls}"
    );
}

#[tokio::test]
async fn more_requests_than_it_takes_on_are_refused_for_now() {
    let server = Server::start(|config| config.max_requests = count(2)).await;
    let waiting = [server.ask("/slow").await, server.ask("/slow").await];
    let mut refused = server.get("/").await;
    // The two may come in after it.
    while !refused.starts_with("HTTP/1.1 503") {
        refused = server.get("/").await;
    }
    assert!(refused.contains("retry-after: 1\r\n"), "{refused}");
    assert!(refused.contains("\"code\":\"SERVICE_UNAVAILABLE\""), "{refused}");
    assert!(server.get("/health/live").await.ends_with("alive"));
    server.answers.add_permits(2);
    for client in waiting {
        assert!(rest(client).await.ends_with("slow but sure"));
    }
    assert!(server.get("/").await.ends_with("hello"));
}

#[tokio::test]
async fn more_connections_than_it_takes_on_wait_for_those_before() {
    let server = Server::start(|config| config.max_connections = count(1)).await;
    let first = server.ask("/slow").await;
    while server.load.requests_under_way() == 0 {
        tokio::task::yield_now().await;
    }
    let second = server.ask("/").await;
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    assert!(second.try_read(&mut [0]).is_err(), "it is answered too early");
    server.answers.add_permits(1);
    assert!(rest(first).await.ends_with("slow but sure"));
    assert!(rest(second).await.ends_with("hello"));
}

#[tokio::test]
async fn connections_without_a_whole_head_are_closed() {
    let server = Server::start(|config| config.idle_timeout_ms = millis(30)).await;
    let h2 = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    for sent in ["", "P", "GET / HTTP/1.1\r\nhost: x\r\nx-slow: ", h2] {
        rest(server.send(sent).await).await;
    }
    // And one that has been answered, after a while.
    let kept = server.send("GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(rest(kept).await.ends_with("hello"));
}

#[tokio::test]
async fn a_request_under_way_keeps_its_connection() {
    let server = Server::start(|config| config.idle_timeout_ms = millis(5)).await;
    let waiting = server.ask("/slow").await;
    // Others come and go through several looks.
    for _ in 0..5 {
        rest(server.send("").await).await;
    }
    server.answers.add_permits(1);
    assert!(rest(waiting).await.ends_with("slow but sure"));
}

#[tokio::test]
async fn a_body_that_takes_too_long_is_refused() {
    let server = Server::start(|config| config.body_timeout_ms = millis(30)).await;
    let half = "POST /length HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf";
    let answer = rest(server.send(half).await).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    let whole = "POST /length HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 5\r\n\r\nwhole";
    assert!(rest(server.send(whole).await).await.ends_with("\r\n5"));
}

#[tokio::test]
async fn bodies_for_which_there_is_no_room_are_refused() {
    let server = Server::start(|config| config.max_held_bytes = count(10)).await;
    let post = |body: &str| {
        let head = "POST /length HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length:";
        format!("{head} {}\r\n\r\n{body}", body.len())
    };
    let answer = rest(server.send(&post("more than ten bytes")).await).await;
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    assert!(
        rest(server.send(&post("ten bytes.")).await)
            .await
            .ends_with("\r\n10")
    );
    assert_eq!(server.load.buffers().held(), 0);
}

#[tokio::test]
async fn answers_that_nobody_takes_count_until_their_clients_are_gone() {
    let server = Server::start(|config| config.max_held_bytes = count(2 * LARGE)).await;
    let waiting = [server.ask("/large").await, server.ask("/large").await];
    server.holds(|held| held == 2 * LARGE).await;
    assert!(server.get("/large").await.starts_with("HTTP/1.1 503"));
    assert!(server.get("/").await.ends_with("hello"), "small answers go on");
    drop(waiting);
    server.holds(|held| held == 0).await;
    assert!(server.get("/large").await.ends_with("xxx"));
    server.holds(|held| held == 0).await;
}

#[tokio::test]
async fn a_client_that_takes_nothing_is_cut_off() {
    let server = Server::start(|config| config.answer_timeout_ms = millis(30)).await;
    let client = server.ask("/large").await;
    server.holds(|held| held == LARGE).await;
    server.holds(|held| held == 0).await;
    let got = rest(client).await;
    assert!(got.len() < LARGE, "{}", got.len());
}

#[tokio::test]
async fn streams_that_are_reset_as_fast_as_they_are_opened_end_the_connection() {
    let server = Server::start(|_| {}).await;
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    let mut frame = |kind: u8, flags: u8, stream: u32, payload: &[u8]| {
        bytes.extend_from_slice(&(payload.len() as u32).to_be_bytes()[1..]);
        bytes.extend([kind, flags]);
        bytes.extend(stream.to_be_bytes());
        bytes.extend_from_slice(payload);
    };
    frame(0x4, 0, 0, &[]);
    for n in 0..10_000 {
        // `GET http://x/slow` by HPACK, with END_HEADERS and END_STREAM; then RST_STREAM with CANCEL.
        frame(0x1, 0x5, 2 * n + 1, b"\x82\x86\x04\x05/slow\x41\x01x");
        frame(0x3, 0, 2 * n + 1, &[0, 0, 0, 8]);
    }
    let (mut reading, mut writing) = server.connect().await.into_split();
    let sending = tokio::spawn(async move { writing.write_all(&bytes).await });
    let mut got = Vec::new();
    let read = tokio::time::timeout(PATIENCE, reading.read_to_end(&mut got)).await;
    let _ = read.expect("the connection ends");
    sending.abort();
    // GOAWAY with ENHANCE_YOUR_CALM.
    let calm = got.windows(4).any(|bytes| bytes == [0, 0, 0, 0xb]);
    assert!(calm, "{got:?}");
    assert!(server.get("/").await.ends_with("hello"));
}

#[tokio::test]
async fn requests_in_flight_are_finished_at_the_end() {
    let server = Server::start(|_| {}).await;
    let idle = server.send("GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    let waiting = server.send("GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await;
    while server.load.requests_under_way() == 0 {
        tokio::task::yield_now().await;
    }
    server.shutdown.cancel();
    assert!(rest(idle).await.ends_with("hello"));
    server.answers.add_permits(1);
    assert!(rest(waiting).await.ends_with("slow but sure"));
    server.ended.await.unwrap();
}

#[test]
fn what_cannot_work_is_refused_by_its_key() {
    let refused = toml::from_str::<ServerConfig>("max_connections = 0").unwrap_err();
    assert!(refused.to_string().contains("max_connections = 0"), "{refused}");
    assert!(toml::from_str::<ServerConfig>("max_conections = 1").is_err());
}
