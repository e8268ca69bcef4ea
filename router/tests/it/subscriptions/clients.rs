//! Clients of the router over sockets: WebSocket, server-sent events, parts.

use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use http::{HeaderMap, Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

/// An answer that goes on, over HTTP.
pub(super) struct Going {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    body: Incoming,
    text: String,
}

impl Going {
    pub(super) async fn post(base: &str, accept: &str, query: &str) -> Self {
        let body = json!({ "query": query }).to_string();
        let request = Request::post(format!("{base}graphql"))
            .header("content-type", "application/json")
            .header("accept", accept)
            .header("x-tenant", "blue");
        Self::of(request.body(Full::from(body)).expect("a request")).await
    }

    pub(super) async fn of(request: Request<Full<Bytes>>) -> Self {
        let client = Client::builder(TokioExecutor::new()).build_http();
        let response: Response<Incoming> = client.request(request).await.expect("an answer");
        Self {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: response.into_body(),
            text: String::new(),
        }
    }

    pub(super) async fn get(base: &str, accept: &str, query: &str) -> Self {
        let query: String = query.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let request = Request::builder()
            .method(Method::GET)
            .uri(format!("{base}graphql?query={query}"))
            .header("accept", accept);
        Self::of(request.body(Full::default()).expect("a request")).await
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().expect("a text"))
    }

    /// Reads on until the text holds that.
    pub(super) async fn until(&mut self, wanted: &str) {
        while !self.text.contains(wanted) {
            let frame = self.body.frame().await.expect("more to come").expect("a frame");
            if let Ok(data) = frame.into_data() {
                self.text.push_str(std::str::from_utf8(&data).expect("a text"));
            }
        }
    }

    /// All of it.
    pub(super) async fn all(mut self) -> String {
        while let Some(frame) = self.body.frame().await {
            if let Ok(data) = frame.expect("a frame").into_data() {
                self.text.push_str(std::str::from_utf8(&data).expect("a text"));
            }
        }
        self.text.replace('\r', "")
    }
}

/// A client of `graphql-transport-ws`.
pub(super) struct Socket(WebSocketStream<TcpStream>);

impl Socket {
    pub(super) async fn open(base: &str, headers: &[(&'static str, &str)]) -> Result<Self, u16> {
        let address = base.trim_start_matches("http://").trim_end_matches('/');
        let stream = TcpStream::connect(address).await.expect("a connection");
        let mut request = format!("ws://{address}/graphql")
            .into_client_request()
            .expect("a request");
        for (name, value) in headers {
            request
                .headers_mut()
                .insert(*name, value.parse().expect("a header"));
        }
        match tokio_tungstenite::client_async(request, stream).await {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(tokio_tungstenite::tungstenite::Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    /// One that is ready.
    pub(super) async fn ready(base: &str, payload: Value) -> Self {
        let protocol = [("sec-websocket-protocol", "graphql-transport-ws")];
        let mut socket = Self::open(base, &protocol).await.expect("a WebSocket");
        socket
            .say(json!({ "type": "connection_init", "payload": payload }))
            .await;
        assert_eq!(socket.hear().await, json!({ "type": "connection_ack" }));
        socket
    }

    pub(super) async fn say(&mut self, message: Value) {
        self.raw(message.to_string()).await;
    }

    pub(super) async fn raw(&mut self, text: String) {
        self.0.send(Message::text(text)).await.expect("it is sent");
    }

    pub(super) async fn subscribe(&mut self, id: &str, query: &str) {
        let payload = json!({ "query": query });
        self.say(json!({ "id": id, "type": "subscribe", "payload": payload }))
            .await;
    }

    /// The next message, or the code with which it is closed.
    pub(super) async fn hear(&mut self) -> Value {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Text(text))) => return serde_json::from_str(&text).expect("JSON"),
                Some(Ok(Message::Close(Some(frame)))) => return json!(u16::from(frame.code)),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return json!("gone"),
            }
        }
    }
}
