//! Subscriptions through the program itself, in front of somebody else's subgraph.

use std::convert::Infallible;

use axum::Router;
use axum::response::sse::{Event, Sse};
use axum::routing::post;
use futures::stream::{self, Stream};
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tests::{LoneRouter, block_on, supergraph};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

const SDL: &str = "type Query { now: Int! } type Subscription { tick: Int! }";
const CONFIG: &str = "[router.subgraphs.clock.subscription]\nprotocol = \"sse\"\n";
const TICKS: &str = "subscription { tick }";

#[test]
fn subscribers_hear_each_event_and_that_the_router_stops() {
    block_on(async {
        let mut router = LoneRouter::start_configured(&clock().await, CONFIG).await;
        let mut socket = socket(router.address()).await;
        say(&mut socket, json!({ "type": "connection_init" })).await;
        assert_eq!(hear(&mut socket).await["type"], "connection_ack");
        let asked = json!({ "id": "a", "type": "subscribe", "payload": { "query": TICKS } });
        say(&mut socket, asked).await;
        let mut events = router
            .request(TICKS)
            .header("accept", "text/event-stream")
            .send()
            .await
            .expect("an answer");
        for tick in 1..=2 {
            let told = hear(&mut socket).await;
            assert_eq!(told["payload"], json!({ "data": { "tick": tick } }), "{told}");
        }
        let mut text = String::new();
        while !text.contains("data: {\"data\":{\"tick\":2}}") {
            text += &read(&mut events).await.expect("more to come");
        }
        router.stop().await;
        assert_eq!(closed(&mut socket).await, 1001);
        while let Some(more) = read(&mut events).await {
            text += &more;
        }
        assert!(text.contains("the router stops"), "{text}");
        assert!(text.ends_with("event: complete\ndata:\n\n"), "{text}");
    });
}

/// A subgraph that tells two events and then nothing more, and its supergraph.
async fn clock() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    let routes = Router::new().route("/", post(async || Sse::new(ticks())));
    tokio::spawn(async move { axum::serve(listener, routes).await });
    supergraph(&[("clock", &url, SDL)])
}

fn ticks() -> impl Stream<Item = Result<Event, Infallible>> {
    let told = [1, 2].map(|tick| format!("{{\"data\":{{\"tick\":{tick}}}}}"));
    let events = told.map(|text| Ok(Event::default().event("next").data(text)));
    stream::iter(events).chain(stream::pending())
}

async fn socket(address: &str) -> WebSocketStream<TcpStream> {
    let stream = TcpStream::connect(address).await.expect("a connection");
    let mut request = format!("ws://{address}/graphql")
        .into_client_request()
        .expect("a request");
    let protocol = "graphql-transport-ws".parse().expect("a header");
    request.headers_mut().insert("sec-websocket-protocol", protocol);
    let opened = tokio_tungstenite::client_async(request, stream).await;
    opened.expect("a WebSocket").0
}

async fn say(socket: &mut WebSocketStream<TcpStream>, message: Value) {
    let sent = socket.send(Message::text(message.to_string())).await;
    sent.expect("it is sent");
}

async fn hear(socket: &mut WebSocketStream<TcpStream>) -> Value {
    loop {
        match socket.next().await.expect("more to come").expect("a message") {
            Message::Text(text) => return serde_json::from_str(&text).expect("JSON"),
            Message::Close(frame) => panic!("closed: {frame:?}"),
            _ => {}
        }
    }
}

/// The code with which the other side closes it.
async fn closed(socket: &mut WebSocketStream<TcpStream>) -> u16 {
    loop {
        let message = socket.next().await.expect("more to come").expect("a message");
        if let Message::Close(frame) = message {
            return frame.map_or(1005, |frame| frame.code.into());
        }
    }
}

async fn read(events: &mut reqwest::Response) -> Option<String> {
    let bytes = events.chunk().await.expect("a chunk")?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}
