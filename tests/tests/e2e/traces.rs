//! What a collector gets to hear of requests: one trace each, from the request through the subgraphs to the stores.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use prost::Message as _;
use reqwest::Method;
use serde_json::{Value, json};
use tests::{Caller, Daka, Shape};

#[test]
fn an_embedded_platform_traces_requests_down_to_the_stores() {
    tests::block_on(requests_are_traced(Shape::Embedded));
}

#[test]
fn a_distributed_platform_traces_requests_through_its_processes_down_to_the_stores() {
    tests::block_on(requests_are_traced(Shape::Distributed));
}

/// A span as the collector got it.
#[derive(Debug, Clone)]
struct Span {
    trace: Vec<u8>,
    id: Vec<u8>,
    parent: Vec<u8>,
    name: String,
    kind: i32,
    service: String,
    attributes: HashMap<String, String>,
    /// The traces that it is linked to.
    links: Vec<Vec<u8>>,
}

/// A collector on loopback that takes OTLP over HTTP in protobuf:
/// <https://opentelemetry.io/docs/specs/otlp/#otlphttp-request>.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<Span>>>);

impl Collector {
    async fn start() -> (Self, String) {
        let collector = Self::default();
        let take = |State(collector): State<Self>, body: Bytes| async move { collector.take(body) };
        let app = Router::new()
            .route("/v1/traces", post(take))
            .with_state(collector.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port is free");
        let address = listener.local_addr().expect("a listener has an address");
        tokio::spawn(async { axum::serve(listener, app).await });
        (collector, format!("http://{address}"))
    }

    fn take(&self, body: Bytes) {
        let request = ExportTraceServiceRequest::decode(body).expect("spans in protobuf");
        let mut spans = self.0.lock().expect("nobody panics meanwhile");
        for of_process in request.resource_spans {
            let resource = of_process.resource.unwrap_or_default();
            let service = texts(resource.attributes)
                .remove("service.name")
                .unwrap_or_default();
            let found = of_process.scope_spans.into_iter().flat_map(|scope| scope.spans);
            spans.extend(found.map(|span| Span {
                trace: span.trace_id,
                id: span.span_id,
                parent: span.parent_span_id,
                name: span.name,
                kind: span.kind,
                service: service.clone(),
                attributes: texts(span.attributes),
                links: span.links.into_iter().map(|link| link.trace_id).collect(),
            }));
        }
    }

    /// What came so far of a trace.
    fn trace(&self, id: u128) -> Trace {
        let spans = self.0.lock().expect("nobody panics meanwhile");
        let of_trace = spans.iter().filter(|span| span.trace == id.to_be_bytes());
        Trace(of_trace.cloned().collect())
    }

    /// The first span that handles an event which was emitted in a trace.
    fn handled(&self, id: u128) -> Option<Span> {
        let spans = self.0.lock().expect("nobody panics meanwhile");
        let caused = |span: &&Span| span.links.iter().any(|link| *link == id.to_be_bytes());
        spans.iter().find(caused).cloned()
    }
}

/// The spans of a trace.
struct Trace(Vec<Span>);

impl Trace {
    /// The spans in which this one lies, from the inside outwards.
    fn around<'a>(&'a self, span: &'a Span) -> impl Iterator<Item = &'a Span> {
        let parent = |span: &&Span| self.0.iter().find(|other| other.id == span.parent);
        let parent = move |span: &&'a Span| parent(span);
        std::iter::successors(parent(&span), parent)
    }

    /// Whether each span but those that the caller made lies in another one that is there.
    fn is_whole(&self) -> bool {
        let known: HashSet<&[u8]> = self.0.iter().map(|span| span.id.as_slice()).collect();
        let outer = CALLER.to_be_bytes();
        let is_there = |span: &Span| span.parent == outer || known.contains(span.parent.as_slice());
        self.0.iter().any(|span| span.parent == outer) && self.0.iter().all(is_there)
    }

    /// The spans of operations in a store: those with its system as an attribute.
    fn of_stores(&self) -> Vec<&Span> {
        let has_system = |span: &&Span| system(span).is_some();
        self.0.iter().filter(has_system).collect()
    }
}

/// Of the span that the tests pretend to have.
const CALLER: u64 = 0x00f0_67aa_0ba9_02b7;

fn texts(attributes: Vec<KeyValue>) -> HashMap<String, String> {
    let text = |pair: KeyValue| match pair.value?.value? {
        any_value::Value::StringValue(text) => Some((pair.key, text)),
        any_value::Value::IntValue(number) => Some((pair.key, number.to_string())),
        _ => None,
    };
    attributes.into_iter().filter_map(text).collect()
}

fn system(span: &Span) -> Option<&str> {
    let named = ["db.system.name", "db.system"];
    named
        .iter()
        .find_map(|name| span.attributes.get(*name))
        .map(String::as_str)
}

/// Asks as part of a trace: the data.
async fn ask(caller: &Caller, trace: u128, query: &str, variables: Value) -> Value {
    let traceparent = format!("00-{trace:032x}-{CALLER:016x}-01");
    let request = caller
        .request(Method::POST, "/graphql")
        .header("traceparent", &traceparent);
    let body = json!({ "query": query, "variables": variables });
    let answer = request.body(body).send().await.ok(200);
    assert_eq!(answer.get("errors"), None, "{answer}");
    answer["data"].clone()
}

async fn requests_are_traced(shape: Shape) {
    let (collector, endpoint) = Collector::start().await;
    let settings = [
        ("DAKA__TELEMETRY__OTLP__ENDPOINT", endpoint.as_str()),
        // The specification's name for how often spans are sent, in milliseconds.
        ("OTEL_BSP_SCHEDULE_DELAY", "100"),
    ];
    let daka = Daka::start_with(shape, &settings).await;
    let (log_in, create, check_in) = (
        0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_0001,
        0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_0002,
        0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_0003,
    );
    let query = "mutation { login(code: \"sandbox:alice\") {
        accessToken refreshToken user { id badges { code } }
    } }";
    let nobody = daka.nobody();
    let logged_in = ask(&nobody, log_in, query, json!({})).await;
    let alice = nobody.logged_in(&logged_in["login"]);
    let query = "mutation { createHabit(input: { title: \"Read\" }) { id } }";
    let habit = ask(&alice, create, query, json!({})).await["createHabit"]["id"].take();
    let query = "mutation($id: ID!) { createCheckIn(input: { habitId: $id }) { id habit { title user { nickname } } } }";
    ask(&alice, check_in, query, json!({ "id": habit })).await;

    // Each process sends its spans when it likes.
    let since = Instant::now();
    while let Err(missing) = is_traced(&collector, shape, [log_in, create, check_in]) {
        assert!(
            since.elapsed() < Duration::from_secs(30),
            "{missing}: {:#?}\n{}",
            collector.0,
            daka.logs()
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let handled = collector.handled(create).expect("it was there just now");
    assert_eq!(handled.name, "process habit.created");
    assert_eq!(handled.kind, SpanKind::Consumer as i32);
    assert_ne!(handled.trace, create.to_be_bytes(), "who emits does not wait");
}

/// Whether all is there that is to be told of the three requests; else what is missing.
fn is_traced(
    collector: &Collector,
    shape: Shape,
    [log_in, create, check_in]: [u128; 3],
) -> Result<(), &'static str> {
    let (documents, hot) = match shape {
        Shape::Embedded => ("sqlite", "memory"),
        Shape::Distributed => ("mongodb", "redis"),
    };
    let [log_in, creation, check_in] = [log_in, create, check_in].map(|trace| collector.trace(trace));
    let all = [&log_in, &creation, &check_in];
    let badges = |span: &Span| span.name.starts_with("sea_orm.") && is_asked_for(&log_in, span);
    let services: HashSet<&str> = check_in.0.iter().map(|span| span.service.as_str()).collect();
    let expected: &[&str] = match shape {
        Shape::Embedded => &["daka"],
        Shape::Distributed => &["daka-router", "daka-user", "daka-habit", "daka-checkin"],
    };
    let wanted = [
        (all.iter().all(|trace| trace.is_whole()), "a span's parent"),
        (collector.handled(create).is_some(), "who handles the event"),
        (
            goes_down_to_the_stores(&check_in, documents, Some(hot)),
            "the check-in in the stores",
        ),
        (
            goes_down_to_the_stores(&creation, documents, Some(hot)),
            "the habit in the stores",
        ),
        (
            goes_down_to_the_stores(&log_in, documents, None),
            "the log-in in the stores",
        ),
        (log_in.0.iter().any(badges), "the badges in the relational store"),
        (
            check_in.0.iter().any(tells_of_the_client),
            "who asked, in the server's span",
        ),
        (
            shape == Shape::Embedded || calls_name_the_server(&check_in),
            "the requests to subgraphs",
        ),
        (
            services == expected.iter().copied().collect(),
            "a service of the check-in",
        ),
    ];
    match wanted.iter().find(|(is_there, _)| !is_there) {
        Some((_, missing)) => Err(missing),
        None => Ok(()),
    }
}

/// Whether a span lies in the request.
fn is_of_request(trace: &Trace, span: &Span) -> bool {
    trace.around(span).last().is_some_and(|outermost| {
        outermost.name == "POST /graphql"
            && outermost.kind == SpanKind::Server as i32
            && outermost.parent == CALLER.to_be_bytes()
    })
}

/// Whether a span says of a client's request what OpenTelemetry's conventions for HTTP servers want.
fn tells_of_the_client(span: &Span) -> bool {
    let is = |name: &str, value: &str| span.attributes.get(name).is_some_and(|it| it == value);
    span.name == "POST /graphql"
        && is("url.scheme", "http")
        && is("url.path", "/graphql")
        && is("network.protocol.version", "1.1")
        && is("http.response.status_code", "200")
        && is("client.address", "127.0.0.1")
        && is("server.address", "127.0.0.1")
        && is("user_agent.original", "daka-tests")
}

/// Whether each fetch holds a client's span as OpenTelemetry's conventions want it, which is the parent of what the subgraph
/// tells of it.
fn calls_name_the_server(trace: &Trace) -> bool {
    let is_call = |span: &Span| {
        let named = [
            "server.address",
            "server.port",
            "url.full",
            "network.protocol.version",
        ];
        span.name == "POST"
            && span.kind == SpanKind::Client as i32
            && named.iter().all(|name| span.attributes.contains_key(*name))
            && span
                .attributes
                .get("http.response.status_code")
                .is_some_and(|it| it == "200")
    };
    let within = |outer: &Span, is: &dyn Fn(&Span) -> bool| {
        let inner = trace.0.iter().filter(|span| span.parent == outer.id);
        inner.filter(|span| is(span)).count() == 1
    };
    let is_answered = |call: &Span| is_call(call) && within(call, &|it| it.kind == SpanKind::Server as i32);
    let mut fetches = trace
        .0
        .iter()
        .filter(|span| span.name == "subgraph fetch")
        .peekable();
    fetches.peek().is_some() && fetches.all(|fetch| within(fetch, &is_answered))
}

/// Whether a span lies in what was asked of a subgraph (`subgraph fetch` where that is in the same process, `subgraph`
/// in its own process), and that in the request.
fn is_asked_for(trace: &Trace, span: &Span) -> bool {
    let asked = |outer: &Span| ["subgraph fetch", "subgraph"].contains(&outer.name.as_str());
    trace.around(span).any(asked) && is_of_request(trace, span)
}

/// Whether operations in these kinds of stores lie in the request: those on documents in what was asked of subgraphs.
fn goes_down_to_the_stores(trace: &Trace, documents: &str, hot: Option<&str>) -> bool {
    let of_stores = trace.of_stores();
    let is_there = |wanted: &str, lies: fn(&Trace, &Span) -> bool| {
        of_stores.iter().any(|span| {
            system(span) == Some(wanted) && span.kind == SpanKind::Client as i32 && lies(trace, span)
        })
    };
    is_there(documents, is_asked_for) && hot.is_none_or(|hot| is_there(hot, is_of_request))
}
