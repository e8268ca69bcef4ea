//! The router alone, in front of subgraphs whose people are known to an issuer elsewhere.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use auth::{AuthConfig, Issuer, KeySource, Keys};
use axum::Router;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::get;
use kernel::{Clock, Random};
use serde_json::{Value, json};
use tests::{LoneRouter, block_on};

use crate::lone_router::Subgraph;

const SDL: &str = r#"
    extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@authenticated"])
    type Query { hello: String secret: String @authenticated }
"#;

/// An issuer of tokens, which publishes its keys unless it is down.
struct Login {
    url: String,
    is_down: Arc<AtomicBool>,
    issuer: Issuer,
    random: Random,
}

impl Login {
    async fn serve() -> Self {
        let folder = testkit::data_dir();
        let config = AuthConfig {
            signing_key: KeySource::File(folder.path().join("signing.pem")),
            ..AuthConfig::default()
        };
        let random = Random::from_os();
        let keys = Keys::load(&config, &random).expect("a key can be made");
        let (jwks, is_down) = (keys.jwks(), Arc::new(AtomicBool::new(false)));
        let down = is_down.clone();
        let handler = move || {
            let answer = match down.load(Ordering::SeqCst) {
                true => StatusCode::SERVICE_UNAVAILABLE.into_response(),
                false => axum::Json(jwks.clone()).into_response(),
            };
            async move { answer }
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let url = format!("http://{}/keys", listener.local_addr().expect("an address"));
        tokio::spawn(async move { axum::serve(listener, Router::new().route("/keys", get(handler))).await });
        Self {
            url,
            is_down,
            issuer: Issuer::new(&keys, &config),
            random,
        }
    }

    fn token(&self) -> String {
        let now = Clock::system().now();
        let (user, session) = (self.random.id(now), self.random.id(now));
        self.issuer.issue(user, session, now).expect("a token is signed")
    }

    fn settings(&self) -> String {
        format!(
            "[{{ issuer = \"daka\", audiences = [\"daka\"], jwks = \"{}\" }}]",
            self.url
        )
    }
}

async fn ask(router: &LoneRouter, token: Option<&str>) -> (u16, http::HeaderMap, Value) {
    let mut request = router.request("{ hello secret }");
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let answer = request.send().await.expect("the router answers");
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    (status, headers, answer.json().await.expect("JSON"))
}

#[test]
fn people_of_another_issuer_are_known_by_their_tokens() {
    block_on(async {
        let (subgraph, login) = (Subgraph::serve().await, Login::serve().await);
        login.is_down.store(true, Ordering::SeqCst);
        let settings = [("DAKA__JWT__ISSUERS", login.settings())];
        let settings = settings.each_ref().map(|(name, value)| (*name, value.as_str()));
        let router = LoneRouter::start_with(&subgraph.supergraph(SDL), &settings).await;

        let (status, _, nobody) = ask(&router, None).await;
        assert_eq!(status, 200);
        assert_eq!(nobody["data"], json!({ "hello": "world", "secret": null }));
        assert_eq!(nobody["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");

        let token = login.token();
        let (status, headers, unjudged) = ask(&router, Some(&token)).await;
        assert_eq!(
            (status, &headers["retry-after"]),
            (503, &"1".parse().expect("a header"))
        );
        assert_eq!(unjudged["errors"][0]["extensions"]["code"], "SERVICE_UNAVAILABLE");
        login.is_down.store(false, Ordering::SeqCst);
        let known = loop {
            match ask(&router, Some(&token)).await {
                (503, ..) => tokio::task::yield_now().await,
                (status, _, answer) => break (status, answer),
            }
        };
        assert_eq!(
            known,
            (200, json!({ "data": { "hello": "world", "secret": "open" } }))
        );

        let (status, headers, refused) = ask(&router, Some("nonsense")).await;
        assert_eq!(status, 401);
        assert_eq!(headers["www-authenticate"], "Bearer error=\"invalid_token\"");
        assert_eq!(refused["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    });
}

#[test]
fn who_brings_no_token_is_refused_where_one_is_required() {
    block_on(async {
        let (subgraph, login) = (Subgraph::serve().await, Login::serve().await);
        let settings = login.settings();
        let settings = [
            ("DAKA__JWT__ISSUERS", settings.as_str()),
            ("DAKA__JWT__REQUIRE", "true"),
        ];
        let router = LoneRouter::start_with(&subgraph.supergraph(SDL), &settings).await;
        let (status, headers, refused) = ask(&router, None).await;
        assert_eq!(status, 401);
        assert_eq!(headers["www-authenticate"], "Bearer");
        assert_eq!(refused["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
        assert_eq!(ask(&router, Some(&login.token())).await.0, 200);
    });
}
