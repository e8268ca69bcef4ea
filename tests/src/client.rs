//! Somebody who uses the platform, over GraphQL and over REST.

use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

/// Somebody who uses the platform, logged in or not.
#[derive(Debug, Clone)]
pub struct Caller {
    client: reqwest::Client,
    base: String,
    /// The id of the person; empty for nobody.
    pub id: String,
    /// The access token; empty for nobody.
    pub access: String,
    /// The refresh token; empty for nobody.
    pub refresh: String,
    language: Option<&'static str>,
}

impl Caller {
    pub(crate) fn new(client: reqwest::Client, base: String) -> Self {
        Self {
            client,
            base,
            id: String::new(),
            access: String::new(),
            refresh: String::new(),
            language: None,
        }
    }

    /// Who is logged in by what a log-in or a renewal gave.
    pub fn logged_in(&self, payload: &Value) -> Self {
        let text = |pointer: &str| {
            payload
                .pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let (id, access, refresh) = (text("/user/id"), text("/accessToken"), text("/refreshToken"));
        assert!(
            !access.is_empty() && !refresh.is_empty(),
            "no tokens in {payload}"
        );
        Self {
            id,
            access,
            refresh,
            ..self.clone()
        }
    }

    /// The same person, with another access token.
    pub fn with_token(&self, access: &str) -> Self {
        Self {
            access: access.to_owned(),
            ..self.clone()
        }
    }

    /// The same person, who asks another process of the platform.
    #[must_use]
    pub fn at(&self, base: &str) -> Self {
        Self {
            base: base.to_owned(),
            ..self.clone()
        }
    }

    /// The same person, who wants texts in a language.
    pub fn speaking(&self, language: &'static str) -> Self {
        Self {
            language: Some(language),
            ..self.clone()
        }
    }

    /// A GraphQL request that is fulfilled: its data.
    ///
    /// # Panics
    /// When the answer has errors.
    pub async fn query(&self, query: &str, variables: Value) -> Value {
        let answer = self.graphql(query, variables).await;
        assert!(
            answer.body.get("errors").is_none(),
            "{query}\nis answered with {}",
            answer.body
        );
        answer.body["data"].clone()
    }

    /// A GraphQL request that is refused: the first error's `extensions.code`, and after a slash its reason where
    /// it has one.
    ///
    /// # Panics
    /// When the answer has no errors.
    pub async fn refused(&self, query: &str, variables: Value) -> String {
        let answer = self.graphql(query, variables).await;
        assert!(
            answer.body.get("errors").is_some(),
            "{query}\nis fulfilled with {}",
            answer.body
        );
        answer.refusal()
    }

    /// A GraphQL request.
    pub async fn graphql(&self, query: &str, variables: Value) -> Answer {
        self.post_graphql(&json!({ "query": query, "variables": variables }))
            .await
    }

    /// A body as it is for the GraphQL endpoint.
    pub async fn post_graphql(&self, body: &Value) -> Answer {
        let response = self
            .request(Method::POST, "/graphql")
            .body(body.clone())
            .send()
            .await;
        Answer {
            status: response.status,
            body: response.body,
        }
    }

    /// A request of REST.
    pub fn request(&self, method: Method, path: &str) -> Request {
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        if !self.access.is_empty() {
            request = request.bearer_auth(&self.access);
        }
        if let Some(language) = self.language {
            request = request.header("accept-language", language);
        }
        Request(request)
    }

    /// `GET`.
    pub async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await
    }

    /// `POST` with a body.
    pub async fn post(&self, path: &str, body: Value) -> Response {
        self.request(Method::POST, path).body(body).send().await
    }

    /// `PUT` with a body.
    pub async fn put(&self, path: &str, body: Value) -> Response {
        self.request(Method::PUT, path).body(body).send().await
    }

    /// `DELETE`.
    pub async fn delete(&self, path: &str) -> Response {
        self.request(Method::DELETE, path).send().await
    }

    /// Makes a habit: its id.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn new_habit(&self, input: Value) -> String {
        let create = "mutation($input: CreateHabitInput!) { createHabit(input: $input) { id } }";
        text(&self.query(create, json!({ "input": input })).await["createHabit"]["id"])
    }

    /// Checks in: the check-in's id.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn check_in(&self, input: Value) -> String {
        let create = "mutation($input: CreateCheckInInput!) { createCheckIn(input: $input) { id } }";
        text(&self.query(create, json!({ "input": input })).await["createCheckIn"]["id"])
    }

    /// The logical date of the person's today.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn today(&self) -> jiff::civil::Date {
        let answer = self.query("{ today { date } }", json!({})).await;
        text(&answer["today"]["date"]).parse().expect("a date")
    }
}

/// A subscription over server-sent events.
#[derive(Debug)]
pub struct Subscribed {
    response: reqwest::Response,
    text: String,
}

impl Subscribed {
    /// The next thing that is told.
    ///
    /// # Panics
    /// When the subscription ends before.
    pub async fn next(&mut self) -> Value {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let data = event.lines().find_map(|line| line.strip_prefix("data: "));
                let told = data.and_then(|data| serde_json::from_str(data).ok());
                self.text = rest.to_owned();
                match told {
                    Some(told) => return told,
                    None => continue,
                }
            }
            let more = self.response.chunk().await.expect("a chunk");
            let more = more.expect("more to come");
            self.text.push_str(&String::from_utf8_lossy(&more));
        }
    }
}

/// A request of REST that is not sent yet.
#[derive(Debug)]
#[must_use]
pub struct Request(reqwest::RequestBuilder);

impl Request {
    /// With a JSON body.
    pub fn body(self, body: Value) -> Self {
        Self(self.0.json(&body))
    }

    /// With a body as it is, said to be JSON.
    pub fn raw(self, body: &'static str) -> Self {
        Self(self.0.header("content-type", "application/json").body(body))
    }

    /// With a header.
    pub fn header(self, name: &str, value: &str) -> Self {
        Self(self.0.header(name, value))
    }

    /// Subscribes by it.
    ///
    /// # Panics
    /// When there is no answer.
    pub async fn subscribe(self) -> Subscribed {
        let request = self.0.header("accept", "text/event-stream");
        Subscribed {
            response: request.send().await.expect("the platform answers"),
            text: String::new(),
        }
    }

    /// Sends it.
    ///
    /// # Panics
    /// When there is no answer.
    pub async fn send(self) -> Response {
        self.try_send().await.expect("the platform answers")
    }

    /// Sends it.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn try_send(self) -> reqwest::Result<Response> {
        let response = self.0.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await?;
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Ok(Response {
            status,
            headers,
            body,
        })
    }
}

/// What a GraphQL request is answered with.
#[derive(Debug)]
pub struct Answer {
    /// The status of HTTP.
    pub status: u16,
    /// `data` and `errors`.
    pub body: Value,
}

impl Answer {
    /// The first error's code, and after a slash its reason where it has one; empty without errors.
    pub fn refusal(&self) -> String {
        let part = |name| {
            self.body
                .pointer(&format!("/errors/0/extensions/{name}"))
                .and_then(Value::as_str)
        };
        let code = part("code").unwrap_or_default();
        part("reason").map_or_else(|| code.to_owned(), |reason| format!("{code}/{reason}"))
    }

    /// The paths of the first error's issues, joined by dots, with their codes.
    pub fn issues(&self) -> Vec<String> {
        issues(self.body.pointer("/errors/0/extensions/issues"))
    }
}

/// What a REST request is answered with.
#[derive(Debug)]
pub struct Response {
    /// The status of HTTP.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; a string where it is no JSON.
    pub body: Value,
}

impl Response {
    /// A header; empty where it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// The status, the code, and the reason where there is one, such as `409 CONFLICT/ALREADY_CHECKED_IN`.
    pub fn refusal(&self) -> String {
        let kind = self.header("content-type");
        assert!(
            kind.starts_with("application/problem+json"),
            "{} {kind} {}",
            self.status,
            self.body
        );
        let code = text(&self.body["code"]);
        let reason = self.body["reason"]
            .as_str()
            .map(|reason| format!("/{reason}"))
            .unwrap_or_default();
        format!("{} {code}{reason}", self.status)
    }

    /// The paths of the issues, joined by dots, with their codes.
    pub fn issues(&self) -> Vec<String> {
        issues(self.body.get("issues"))
    }

    /// The body of a request that was fulfilled.
    ///
    /// # Panics
    /// When the status is another one.
    pub fn ok(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }
}

fn issues(list: Option<&Value>) -> Vec<String> {
    let segment = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let issue = |issue: &Value| {
        let path: Vec<_> = issue["path"]
            .as_array()
            .into_iter()
            .flatten()
            .map(segment)
            .collect();
        format!("{} {}", path.join("."), text(&issue["code"]))
    };
    list.and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(issue)
        .collect()
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is a text"))
        .to_owned()
}
