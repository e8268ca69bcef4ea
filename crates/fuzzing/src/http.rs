//! The target `http`: a request as it comes over the wire.

use std::sync::LazyLock;

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::header::{ACCEPT, ALLOW, CONTENT_TYPE, UPGRADE};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use router::http::{HttpOptions, service};
use router::{EngineHandle, GraphQlRequest};
use serde_json::Value;
use tower::ServiceExt as _;

use crate::world::{World, anybody, config};
use crate::{message, on_a_small_stack, wait_for};

/// What a request may be answered with. An error of the server is none of it.
const STATUSES: [u16; 12] = [200, 202, 204, 400, 403, 404, 405, 406, 413, 414, 415, 426];

struct Served {
    world: World,
    router: Router,
}

/// Takes a request to the GraphQL endpoint, as text: method and target, headers, an empty line, the body. What is right:
///
/// - The status is one that a client can cause. What was refused asked no subgraph, and says why in JSON.
/// - A GET changes nothing.
/// - An answer is JSON with `data` or `errors`, or a list of such, or parts each of which is that.
/// - A plain POST gets what the engine answers to its body.
///
/// # Panics
/// Where one of these does not hold.
pub fn http(bytes: &[u8]) {
    static SERVED: LazyLock<Served> = LazyLock::new(Served::open);
    LazyLock::force(&SERVED);
    let request = message::read(bytes, "/graphql");
    on_a_small_stack(|| wait_for(SERVED.ask(request)));
}

impl Served {
    fn open() -> Self {
        let world = World::open();
        let options = HttpOptions {
            config: config(),
            ..HttpOptions::default()
        };
        let router = service(EngineHandle::new(world.engine.clone()), options);
        Self { world, router }
    }

    async fn ask(&self, request: Request<Bytes>) {
        self.world.take_log();
        let (method, headers, body) = (
            request.method().clone(),
            request.headers().clone(),
            request.body().clone(),
        );
        let is_endpoint = request.uri().path() == "/graphql";
        let response = self.router.clone().oneshot(message::with_body(request)).await;
        let response = response.unwrap_or_else(|never| match never {});
        let status = response.status();
        assert!(STATUSES.contains(&status.as_u16()), "the status is {status}");
        let log = self.world.take_log();
        assert!(log.faults.is_empty(), "{}", log.faults.join("\n"));
        assert!(
            log.mutations == 0 || method == Method::POST,
            "{method} changed something"
        );
        if status == StatusCode::METHOD_NOT_ALLOWED {
            assert!(response.headers().contains_key(ALLOW), "nothing is allowed");
        }
        if !status.is_success() {
            assert_eq!(log.calls, 0, "a refused request asked a subgraph");
        }
        let media_type = media_type(response.headers());
        let told = all_of(response).await;
        if method == Method::HEAD || !is_endpoint {
            return;
        }
        for text in texts(&media_type, &told) {
            assert_answer(text, status);
        }
        let plain = method == Method::POST
            && headers
                .get(CONTENT_TYPE)
                .is_some_and(|it| it == "application/json")
            && !headers.contains_key(ACCEPT)
            && !headers.contains_key(UPGRADE);
        if plain && let Ok(request) = serde_json::from_slice::<GraphQlRequest>(&body) {
            self.assert_same(request, status, &told).await;
        }
    }

    /// The engine itself answers the same.
    async fn assert_same(&self, request: GraphQlRequest, status: StatusCode, told: &[u8]) {
        let is_said = request.query.is_some() || request.extensions.contains_key("persistedQuery");
        if !is_said || status != StatusCode::OK {
            return;
        }
        let context = anybody().with_wishes_of(&request);
        let answer = self.world.engine.execute(request, &context).await.into_body();
        let (one, other) = (String::from_utf8_lossy(&answer), String::from_utf8_lossy(told));
        assert_eq!(one, other, "the engine answers something else");
    }
}

/// All of a body; one that does not end is as good as none.
async fn all_of(response: Response<Body>) -> Bytes {
    let body = response.into_body().collect().await;
    body.expect("a body that was made here").to_bytes()
}

fn media_type(headers: &HeaderMap) -> String {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let value = value.and_then(|value| value.split(';').next());
    value.unwrap_or_default().to_owned()
}

/// The JSON texts of a body. What was sent as something else is checked here.
fn texts<'b>(media_type: &str, body: &'b [u8]) -> Vec<&'b [u8]> {
    let text = || std::str::from_utf8(body).expect("UTF-8");
    match media_type {
        "application/json" | "application/graphql-response+json" => vec![body],
        "text/event-stream" => {
            let lines = text().lines();
            let data = lines.filter_map(|line| line.strip_prefix("data:"));
            let texts: Vec<_> = data.map(|data| data.trim().as_bytes()).collect();
            assert!(
                text().contains("event: complete") || !texts.is_empty(),
                "{}",
                text()
            );
            texts.into_iter().filter(|text| !text.is_empty()).collect()
        }
        "multipart/mixed" => {
            assert!(text().ends_with("--graphql--\r\n"), "{}", text());
            let parts = text().split("--graphql").skip(1);
            let parts = parts.filter_map(|part| Some(part.split_once("\r\n\r\n")?.1.trim_end().as_bytes()));
            parts.collect()
        }
        "text/html" => Vec::new(),
        // A WebSocket that is none, and nothing at all.
        _ => {
            assert!(
                body.is_empty() || body.is_ascii(),
                "{media_type} is nothing that is told"
            );
            Vec::new()
        }
    }
}

fn assert_answer(text: &[u8], status: StatusCode) {
    let answer: Value = serde_json::from_slice(text)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(text)));
    let answers = match &answer {
        Value::Array(answers) => answers.as_slice(),
        one => std::slice::from_ref(one),
    };
    for answer in answers {
        let errors = answer["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
        for error in errors {
            assert!(
                error["message"].is_string() && error["extensions"]["code"].is_string(),
                "{answer}"
            );
            assert_ne!(error["extensions"]["code"], "INTERNAL", "{answer}");
        }
        if status.is_success() {
            let known = ["data", "errors", "payload", "incremental", "hasNext"];
            assert!(
                known.iter().any(|key| answer.get(key).is_some()),
                "{answer} is no answer"
            );
        } else {
            assert!(
                !errors.is_empty() && answer.get("data").is_none(),
                "{answer} refuses nothing"
            );
        }
    }
}
