//! REST endpoints over HTTP: statuses, headers and bodies that clients see, and the description they are given.

#[path = "rest/server.rs"]
mod server;
#[path = "rest/validator.rs"]
mod validator;

use http::{Method, StatusCode};
use router::RouterConfig;
use router::apollo_compiler::Schema;
use router::rest::{Info, OperationFile, RestApi};
use serde_json::{Value, json};

use server::{Server, ask, get};

const HABIT: &str = r#"{"id":"h1","title":"Read","frequency":"DAILY","owner":{"id":"u1","name":"Ada"},"createdAt":"2026-03-01T08:00:00.000Z","version":3,"color":null"#;

fn habit() -> Value {
    json!({
        "id": "h1", "title": "Read", "frequency": "DAILY", "owner": { "id": "u1", "name": "Ada" },
        "createdAt": "2026-03-01T08:00:00.000Z", "version": 3, "color": null
    })
}

fn with_stats(stats: &Value) -> Value {
    let mut habit = habit();
    habit["stats"] = stats.clone();
    habit
}

fn error(path: &Value, extensions: &Value) -> Value {
    json!({ "message": "It went wrong.", "path": path, "extensions": extensions })
}

#[tokio::test]
async fn headers_of_subgraphs_are_passed_on_whether_it_is_found_or_not() {
    let rules = json!({ "response_headers": { "insert": { "x-served-by": "habits", "x-zone": "7" } } });
    let cors = json!({ "origins": ["https://app.example"] });
    let config = json!({ "all_subgraphs": rules, "cors": cors });
    let config: RouterConfig = serde_json::from_value(config).expect("a configuration");
    let found = json!({ "data": { "habit": with_stats(&json!({ "streak": 2, "rate": 0.5 })) } });
    let server = Server::configured(found, config);
    let request = || get("/api/v1/habits/h1").header("origin", "https://app.example");
    for status in [StatusCode::OK, StatusCode::NOT_FOUND] {
        let answer = server.send(request()).await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("x-served-by"), Some("habits"));
        let exposed = answer
            .header("access-control-expose-headers")
            .expect("what pages see");
        assert!(
            exposed.contains("etag") && exposed.contains("x-zone"),
            "{exposed}"
        );
        server.answer(json!({ "data": { "habit": null } }));
    }
}

#[tokio::test]
async fn a_read_answers_with_the_bare_entity() {
    let server =
        Server::answering(json!({ "data": { "habit": with_stats(&json!({ "streak": 2, "rate": 0.5 })) } }));
    let answer = server.send(get("/api/v1/habits/h1")).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(
        answer.text(),
        format!("{HABIT},\"stats\":{{\"streak\":2,\"rate\":0.5}}}}")
    );
    assert_eq!(server.variables(), json!({ "id": "h1" }));
}

#[tokio::test]
async fn a_client_that_has_the_answer_gets_no_second_copy() {
    let server = Server::answering(json!({ "data": { "habit": with_stats(&Value::Null) } }));
    let first = server.send(get("/api/v1/habits/h1")).await;
    let tag = first.header("etag").expect("a tag").to_owned();
    assert!(tag.starts_with("\"3."), "{tag}");
    let second = server
        .send(get("/api/v1/habits/h1").header("if-none-match", &tag))
        .await;
    assert_eq!(second.status, StatusCode::NOT_MODIFIED);
    assert_eq!(second.header("etag"), Some(tag.as_str()));
    assert_eq!(second.text(), "");
    server.answer(json!({ "data": { "habit": with_stats(&json!({ "streak": 1, "rate": 1.0 })) } }));
    let third = server
        .send(get("/api/v1/habits/h1").header("if-none-match", &tag))
        .await;
    assert_eq!(third.status, StatusCode::OK);
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let server = Server::answering(json!({ "data": { "habit": with_stats(&Value::Null) } }));
    let whole = server.send(get("/api/v1/habits/h1")).await;
    let head = server.send(ask(Method::HEAD, "/api/v1/habits/h1")).await;
    assert_eq!(head.status, StatusCode::OK);
    assert_eq!(head.text(), "");
    assert_eq!(
        head.header("content-length"),
        Some(whole.text().len().to_string().as_str())
    );
    assert_eq!(head.header("etag"), whole.header("etag"));
}

#[tokio::test]
async fn what_does_not_exist_is_404() {
    let server = Server::answering(json!({ "data": { "habit": null } }));
    let answer = server.send(get("/api/v1/habits/h9")).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    assert_eq!(
        answer.json(),
        json!({
            "type": "urn:problem-type:not-found", "title": "Not Found", "status": 404,
            "detail": "It does not exist.", "code": "NOT_FOUND"
        })
    );
    for path in [
        "/api/v1/nothing",
        "/api",
        "/api/",
        "/api/v1/habits/h1/x",
        "/api/v1/habits/",
    ] {
        let answer = server.send(get(path)).await;
        assert_eq!(
            (answer.status, answer.json()["code"].clone()),
            (StatusCode::NOT_FOUND, json!("NOT_FOUND")),
            "{path}"
        );
    }
}

#[tokio::test]
async fn every_code_has_its_status() {
    let cases = [
        ("UNAUTHENTICATED", 401),
        ("FORBIDDEN", 403),
        ("NOT_FOUND", 404),
        ("BAD_USER_INPUT", 422),
        ("CONFLICT", 409),
        ("RATE_LIMITED", 429),
        ("COST_LIMIT_EXCEEDED", 400),
        ("SERVICE_UNAVAILABLE", 503),
        ("SOMETHING_ELSE", 500),
    ];
    for (code, status) in cases {
        let errors = [error(&json!(["habit"]), &json!({ "code": code }))];
        let server = Server::answering(json!({ "data": { "habit": null }, "errors": errors }));
        let answer = server
            .send(get("/api/v1/habits/h1").header("traceparent", server::TRACE))
            .await;
        assert_eq!(answer.status.as_u16(), status, "{code}");
        let problem = answer.json();
        assert_eq!(problem["code"], code);
        assert_eq!(problem["status"], status);
        assert_eq!(problem["traceId"], "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(answer.header("www-authenticate").is_some(), status == 401);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
}

#[tokio::test]
async fn what_is_for_those_who_are_logged_in_asks_for_a_login() {
    let server = Server::answering(json!({ "data": { "habit": with_stats(&Value::Null) } }));
    let answer = server
        .send(get("/api/v1/habits/h1").header("authorization", "Bearer nobody"))
        .await;
    assert_eq!(
        (answer.status, answer.json()["code"].clone()),
        (StatusCode::UNAUTHORIZED, json!("UNAUTHENTICATED"))
    );
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
}

#[tokio::test]
async fn a_conflict_says_why_and_a_limit_says_until_when() {
    let errors = [error(
        &json!(["createHabit"]),
        &json!({ "code": "CONFLICT", "reason": "ALREADY_CHECKED_IN" }),
    )];
    let server = Server::answering(json!({ "data": null, "errors": errors }));
    let create = || ask(Method::POST, "/api/v1/habits").json(&json!({ "title": "Read" }));
    let conflict = server.send(create()).await;
    assert_eq!(conflict.status, StatusCode::CONFLICT);
    assert_eq!(conflict.json()["reason"], "ALREADY_CHECKED_IN");
    assert_eq!(conflict.json()["type"], "urn:problem-type:already-checked-in");
    let errors = [error(
        &json!(["createHabit"]),
        &json!({ "code": "RATE_LIMITED", "retryAfter": 30 }),
    )];
    server.answer(json!({ "data": null, "errors": errors }));
    let limited = server.send(create()).await;
    assert_eq!(limited.header("retry-after"), Some("30"));
    assert_eq!(limited.json()["retryAfter"], 30);
}

#[tokio::test]
async fn issues_of_a_subgraph_name_the_parameter() {
    let issues = json!([
        { "path": ["filter", "goal", "min"], "code": "TOO_SMALL", "message": "…" },
        { "path": ["first"], "code": "TOO_LARGE", "message": "…" },
        { "path": ["filter", "tags", 1], "code": "DUPLICATE", "message": "…" },
        { "path": ["filter"], "code": "TOO_WIDE", "message": "…" },
    ]);
    let errors = [error(
        &json!(["habitsConnection"]),
        &json!({ "code": "BAD_USER_INPUT", "issues": issues }),
    )];
    let server = Server::answering(json!({ "data": null, "errors": errors }));
    let answer = server.send(get("/api/v1/habits?limit=999&goal.min=-1")).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    let places = json!([
        { "path": ["goal.min"], "parameter": "goal.min", "code": "TOO_SMALL", "message": "…" },
        { "path": ["limit"], "parameter": "limit", "code": "TOO_LARGE", "message": "…" },
        { "path": ["tags", 1], "parameter": "tags", "code": "DUPLICATE", "message": "…" },
        { "path": ["filter"], "code": "TOO_WIDE", "message": "…" },
    ]);
    assert_eq!(answer.json()["issues"], places);
}

#[tokio::test]
async fn issues_of_a_subgraph_name_the_place_in_the_body() {
    let issues = json!([
        { "path": ["input", "title"], "code": "REQUIRED", "message": "…" },
        { "path": ["input", "days", 0], "code": "OUT_OF_RANGE", "message": "…" },
        { "path": ["input"], "code": "EMPTY", "message": "…" },
    ]);
    let errors = [error(
        &json!(["updateHabit"]),
        &json!({ "code": "BAD_USER_INPUT", "issues": issues }),
    )];
    let server = Server::answering(json!({ "data": null, "errors": errors }));
    let update = ask(Method::PUT, "/api/v1/habits/h1").json(&json!({ "title": "" }));
    let answer = server.send(update).await;
    assert_eq!(
        answer.json()["issues"],
        json!([
            { "path": ["title"], "code": "REQUIRED", "message": "…" },
            { "path": ["days", 0], "code": "OUT_OF_RANGE", "message": "…" },
            { "path": [], "code": "EMPTY", "message": "…" },
        ])
    );
    let issues = json!([{ "path": ["id"], "code": "NO_ID", "message": "…" }, { "path": ["version"], "code": "OLD", "message": "…" }]);
    let errors = [error(
        &json!(["deleteHabit"]),
        &json!({ "code": "BAD_USER_INPUT", "issues": issues }),
    )];
    server.answer(json!({ "data": null, "errors": errors }));
    let answer = server.send(ask(Method::DELETE, "/api/v1/habits/h1")).await;
    assert_eq!(
        answer.json()["issues"],
        json!([
            { "path": ["id"], "parameter": "id", "code": "NO_ID", "message": "…" },
            { "path": ["If-Match"], "parameter": "If-Match", "code": "OLD", "message": "…" },
        ])
    );
}

#[tokio::test]
async fn a_read_that_lost_a_part_still_answers_and_says_so() {
    let errors = [error(
        &json!(["habit", "stats"]),
        &json!({ "code": "SERVICE_UNAVAILABLE" }),
    )];
    let server =
        Server::answering(json!({ "data": { "habit": with_stats(&Value::Null) }, "errors": errors }));
    let answer = server.send(get("/api/v1/habits/h1")).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("daka-partial"), Some("stats"));
    let nowhere = error(&json!([]), &json!({ "code": "INTERNAL" }));
    let errors = [errors[0].clone(), nowhere];
    server.answer(json!({ "data": { "habit": with_stats(&Value::Null) }, "errors": errors }));
    let answer = server.send(get("/api/v1/habits/h1")).await;
    assert_eq!(answer.header("daka-partial"), Some("*, stats"));
    assert_eq!(answer.header("etag"), None);
    assert_eq!(answer.json()["stats"], Value::Null);
}

#[tokio::test]
async fn a_list_comes_in_pages() {
    let page = |next: bool| json!({ "data": { "habitsConnection": { "nodes": [habit(), habit()], "pageInfo": { "hasNextPage": next, "endCursor": "a\"&b=" } } } });
    let server = Server::answering(page(true));
    let answer = server
        .send(get("/api/v1/habits?limit=2&search=a%20b&cursor=old"))
        .await;
    assert_eq!(
        server.variables(),
        json!({ "filter": { "search": "a b" }, "first": 2, "after": "old" })
    );
    assert_eq!(answer.text(), format!("[{HABIT}}},{HABIT}}}]"));
    let next = "/api/v1/habits?limit=2&search=a%20b&cursor=a%22%26b%3D";
    assert_eq!(
        answer.header("link"),
        Some(format!("<{next}>; rel=\"next\"").as_str())
    );
    server.answer(page(false));
    let answer = server.send(get(next)).await;
    assert_eq!(server.variables()["after"], "a\"&b=");
    assert_eq!(answer.header("link"), None);
}

#[tokio::test]
async fn a_part_that_a_page_lost_is_named_by_its_item() {
    let mut broken = habit();
    broken["owner"] = Value::Null;
    let errors = [error(
        &json!(["habitsConnection", "nodes", 1, "owner"]),
        &json!({ "code": "INTERNAL" }),
    )];
    let page = json!({ "nodes": [habit(), broken], "pageInfo": { "hasNextPage": false, "endCursor": null } });
    let server = Server::answering(json!({ "data": { "habitsConnection": page }, "errors": errors }));
    assert_eq!(
        server.send(get("/api/v1/habits")).await.header("daka-partial"),
        Some("1.owner")
    );
}

#[tokio::test]
async fn something_made_has_a_status_and_a_location() {
    let server = Server::answering(json!({ "data": { "createHabit": habit() } }));
    let create = ask(Method::POST, "/api/v1/habits").header("idempotency-key", "k1");
    let answer = server.send(create.json(&json!({ "title": "Read" }))).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    assert_eq!(answer.header("location"), Some("/api/v1/habits/h1"));
    assert_eq!(answer.header("etag"), None);
    assert_eq!(
        server.variables(),
        json!({ "input": { "title": "Read", "idempotencyKey": "k1" } })
    );
}

#[tokio::test]
async fn a_removal_answers_with_nothing() {
    let server = Server::answering(json!({ "data": { "deleteHabit": true } }));
    let answer = server
        .send(ask(Method::DELETE, "/api/v1/habits/h1").header("if-match", "\"3\""))
        .await;
    assert_eq!(
        (answer.status, answer.text()),
        (StatusCode::NO_CONTENT, String::new())
    );
    assert_eq!(server.variables(), json!({ "id": "h1", "version": 3 }));
}

#[tokio::test]
async fn a_request_that_does_not_fit_never_reaches_a_subgraph() {
    let server = Server::answering(json!({ "data": null }));
    let bad = server
        .send(get("/api/v1/habits?colour=red&limit=x").header("accept-language", "zh-CN"))
        .await;
    assert_eq!(bad.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(
        bad.json()["issues"],
        json!([
            { "path": ["colour"], "parameter": "colour", "code": "UNKNOWN_PARAMETER", "message": "没有这个参数。" },
            { "path": ["limit"], "parameter": "limit", "code": "INVALID_TYPE", "message": "必须是 32 位整数。" },
        ])
    );
    let post = || ask(Method::POST, "/api/v1/habits");
    let form = server
        .send(post().body("application/x-www-form-urlencoded", "title=Read"))
        .await;
    assert_eq!(form.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let broken = server.send(post().body("application/json", "{")).await;
    assert_eq!(
        (broken.status, broken.json()["code"].clone()),
        (StatusCode::BAD_REQUEST, json!("MALFORMED_BODY"))
    );
    let large = server
        .send(post().body("application/json", &" ".repeat(server::MAX_BODY + 1)))
        .await;
    assert_eq!(large.status, StatusCode::PAYLOAD_TOO_LARGE);
    let token = server
        .send(get("/api/v1/habits/h1").header("authorization", "Bearer wrong"))
        .await;
    assert_eq!(
        (token.status, token.json()["code"].clone()),
        (StatusCode::UNAUTHORIZED, json!("UNAUTHENTICATED"))
    );
    assert_eq!(server.variables(), Value::Null);
}

#[tokio::test]
async fn a_path_says_which_methods_it_has() {
    let server = Server::answering(json!({ "data": null }));
    let answer = server.send(ask(Method::PATCH, "/api/v1/habits/h1")).await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(answer.header("allow"), Some("GET, HEAD, PUT, DELETE, OPTIONS"));
    assert_eq!(answer.json()["code"], "METHOD_NOT_ALLOWED");
    let answer = server.send(ask(Method::OPTIONS, "/api/v1/auth/login")).await;
    assert_eq!(
        (answer.status, answer.header("allow")),
        (StatusCode::NO_CONTENT, Some("POST, OPTIONS"))
    );
    let head = server.send(ask(Method::HEAD, "/api/v1/auth/login")).await;
    assert_eq!(head.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn the_documentation_is_served_and_loads_nothing_from_elsewhere() {
    let server = Server::answering(json!({ "data": null }));
    let page = server.send(get("/docs")).await;
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(!page.text().contains("//"), "{}", page.text());
    let policy = page.header("content-security-policy").expect("a policy");
    assert!(
        policy.starts_with("default-src 'none'") && !policy.contains("http"),
        "{policy}"
    );
    let script = server.send(get("/docs/rapidoc-min.js")).await;
    assert_eq!(script.header("content-encoding"), Some("gzip"));
    let tag = script.header("etag").expect("a tag").to_owned();
    let again = server
        .send(get("/docs/rapidoc-min.js").header("if-none-match", &tag))
        .await;
    assert_eq!(again.status, StatusCode::NOT_MODIFIED);
    let described = server.send(get("/openapi.json")).await.json();
    assert_eq!(described["openapi"], "3.1.0");
    assert_eq!(
        described["paths"]["/api/v1/habits/{id}"]["get"]["security"],
        json!([{ "bearerAuth": [] }])
    );
    assert_eq!(
        described["paths"]["/api/v1/habits/templates"]["get"]["security"],
        json!([])
    );
}

#[tokio::test]
async fn other_endpoints_take_the_place_of_those_in_force() {
    let server = Server::answering(json!({ "data": { "templates": [] } }));
    server.swap("query T @rest(method: GET, path: \"/api/v2/templates\") { templates { id } }");
    assert_eq!(
        server.send(get("/api/v1/habits/templates")).await.status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(server.send(get("/api/v2/templates")).await.text(), "[]");
    let described = server.send(get("/openapi.json")).await.json();
    assert_eq!(described["paths"].as_object().map(|paths| paths.len()), Some(1));
}

#[test]
fn the_description_is_valid_openapi_with_valid_examples() {
    let schema = Schema::parse_and_validate(server::SCHEMA, "schema.graphql").expect("a schema");
    let file = OperationFile {
        path: "operations.graphql".to_owned(),
        text: server::OPERATIONS.to_owned(),
    };
    let api = RestApi::compile(&schema, &|_, field| field != "login", &[file]).expect("endpoints");
    let document = api.openapi(&Info::default()).to_string();
    let valid = validator::validate(&document);
    assert!(valid.starts_with("valid, with "), "{valid}");
}

#[test]
fn the_validator_sees_what_is_wrong() {
    let document = json!({
        "openapi": "3.1.0",
        "info": { "title": "x", "version": "1" },
        "paths": { "/a": { "get": { "responses": { "200": { "description": "x", "content": { "application/json": {
            "schema": { "type": "integer" }, "example": "no number"
        } } } } } } },
        "components": { "schemas": {} }
    });
    let found = validator::validate(&document.to_string());
    assert!(found.contains("is not of type 'integer'"), "{found}");
}
