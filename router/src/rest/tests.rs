//! Endpoints as a whole: what is refused at load, how requests become variables, and what is described.

use apollo_compiler::Schema;
use apollo_compiler::validation::Valid;
use http::{HeaderMap, HeaderValue, Method};
use kernel::Locale;
use serde_json::{Value, json};

use super::request::{Parts, variables};
use super::{Info, OperationFile, RestApi};

const SCHEMA: &str = include_str!("../../tests/rest/schema.graphql");
const OPERATIONS: &str = include_str!("../../tests/rest/operations.graphql");

fn schema() -> Valid<Schema> {
    Schema::parse_and_validate(SCHEMA, "schema.graphql").expect("a schema")
}

fn file(path: &str, text: &str) -> OperationFile {
    OperationFile {
        path: path.to_owned(),
        text: text.to_owned(),
    }
}

fn compile(files: &[OperationFile]) -> Result<RestApi, Vec<String>> {
    let guarded = |_: &str, field: &str| !["templates", "login"].contains(&field);
    let compiled = RestApi::compile(&schema(), &guarded, files);
    compiled.map_err(|errors| errors.iter().map(ToString::to_string).collect())
}

fn api() -> RestApi {
    compile(&[file("operations.graphql", OPERATIONS)]).expect("the operations are right")
}

fn refused(operation: &str) -> Vec<String> {
    compile(&[file("bad.graphql", operation)]).expect_err("this is wrong")
}

struct Ask {
    method: Method,
    uri: &'static str,
    headers: Vec<(&'static str, &'static str)>,
    body: Option<Value>,
}

fn get(uri: &'static str) -> Ask {
    ask(Method::GET, uri)
}

fn ask(method: Method, uri: &'static str) -> Ask {
    Ask {
        method,
        uri,
        headers: Vec::new(),
        body: None,
    }
}

impl Ask {
    fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }

    fn body(self, body: Value) -> Self {
        Self {
            body: Some(body),
            ..self
        }
    }

    /// The variables, or the issues by place, parameter and code.
    fn variables(self) -> Result<Value, Vec<String>> {
        let api = api();
        let (path, query) = self.uri.split_once('?').unwrap_or((self.uri, ""));
        let (methods, segments) = api.routes.find(path).expect("a path");
        let (_, index) = methods
            .iter()
            .find(|(method, _)| *method == self.method)
            .expect("a method");
        let mut headers = HeaderMap::new();
        for (name, value) in self.headers {
            headers.append(name, HeaderValue::from_static(value));
        }
        let parts = Parts {
            path: &segments,
            query,
            headers: &headers,
            body: self.body,
        };
        match variables(&api.endpoints[*index], &api.inputs, parts) {
            Ok(variables) => Ok(Value::Object(variables)),
            Err(issues) => Err(issues
                .iter()
                .map(|issue| {
                    let issue = issue.to_json(Locale::En);
                    let parameter = issue["parameter"].as_str().unwrap_or("-");
                    format!(
                        "{} {} {}",
                        issue["path"],
                        parameter,
                        issue["code"].as_str().unwrap_or_default()
                    )
                })
                .collect()),
        }
    }
}

#[test]
fn the_files_give_their_endpoints() {
    let api = api();
    let endpoints: Vec<String> = api
        .endpoints()
        .map(|(method, path)| format!("{method} {path}"))
        .collect();
    assert_eq!(
        endpoints,
        [
            "GET /api/v1/habits/{id}",
            "GET /api/v1/habits",
            "GET /api/v1/habits/templates",
            "GET /api/v1/feed",
            "GET /api/v1/due/{on}",
            "POST /api/v1/habits",
            "PUT /api/v1/habits/{id}",
            "DELETE /api/v1/habits/{id}",
            "POST /api/v1/auth/login",
        ]
    );
}

#[test]
fn the_engine_gets_plain_operations_and_pages_in_one_order() {
    insta::assert_snapshot!(api().endpoints[1].document, @r#"
    query Habits($filter: HabitFilter, $first: Int = 50, $after: String) {
      habitsConnection(filter: $filter, first: $first, after: $after) {
        nodes {
          ...HabitFields
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }

    fragment HabitFields on Habit {
      id
      title
      frequency
      owner {
        id
        name
      }
      createdAt
      version
      color
    }
    "#);
}

#[test]
fn fragments_are_shared_among_files() {
    let one = file(
        "a.graphql",
        r#"query A($id: ID!) @rest(method: GET, path: "/a/{id}") { habit(id: $id) { ...F } }"#,
    );
    let other = file("b.graphql", "fragment F on Habit { id }");
    assert!(compile(&[one.clone(), other.clone()]).is_ok());
    assert_eq!(
        compile(&[other]).expect_err("unused"),
        ["b.graphql:1: the fragment `F` is used by no operation"]
    );
    let errors = compile(&[one]).expect_err("unknown");
    assert!(
        errors[0].starts_with("a.graphql:1: ") && errors[0].contains('F'),
        "{errors:?}"
    );
}

#[test]
fn a_folder_is_read_in_the_order_of_paths() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/rest");
    let files = OperationFile::read_folder(folder.as_ref()).expect("the folder is there");
    let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["operations.graphql", "schema.graphql"]);
    assert_eq!(files[0].text, OPERATIONS);
}

#[test]
fn an_operation_that_does_not_fit_the_schema_is_refused_by_file_and_line() {
    let errors = refused("query A @rest(method: GET, path: \"/a\") {\n  templates { name }\n}");
    assert!(
        errors.contains(&"bad.graphql:2: type `Template` does not have a field `name`".to_owned()),
        "{errors:?}"
    );
    assert!(refused("query A {")[0].starts_with("bad.graphql:1: "));
    assert_eq!(
        refused("{ templates { id } }"),
        ["bad.graphql:1: an operation in a file needs a name"]
    );
    assert_eq!(
        refused("query A { templates { id } } query A { templates { id } }"),
        ["bad.graphql:1: there is another operation `A`"]
    );
}

#[test]
fn an_endpoint_that_cannot_be_served_is_refused() {
    let cases = [
        (
            r#"mutation A($id: ID!) @rest(method: GET, path: "/a/{id}") { deleteHabit(id: $id) }"#,
            "a mutation cannot be a GET",
        ),
        (
            r#"query A @rest(method: GET, path: "/a", status: 404) { templates { id } }"#,
            "the status of success is from 200 to 299, not 404",
        ),
        (
            r#"query A @rest(method: GET, path: "/a/{id}") { templates { id } }"#,
            "the path names `id`, which is no variable of the operation",
        ),
        (
            r#"query A @rest(method: GET, path: "/{id") { templates { id } }"#,
            "the path `/{id` has the segment `{id`: a segment is a word or a whole `{name}`",
        ),
        (
            r#"query A($id: ID!) @rest(method: GET, path: "/{id}") { habit(id: $id) { id } }"#,
            "the first segment of the path must be a word",
        ),
        (
            r#"query A @rest(method: GET, path: "/a") { templates { id } b: templates { id } }"#,
            "an operation with @rest selects exactly one root field, without fragments and directives",
        ),
        (
            r#"query A($n: Int, $c: String) @rest(method: GET, path: "/a") { habitsConnection(first: $n, after: $c) { totalCount nodes { id } pageInfo { endCursor } } }"#,
            "a page selects `nodes { … }` and `pageInfo { … }`, and nothing else",
        ),
        (
            r#"query A($n: Int) @rest(method: GET, path: "/a") { habitsConnection(first: $n) { nodes { id } pageInfo { endCursor } } }"#,
            "a page needs a variable for the argument `after`",
        ),
        (
            r#"mutation A($id: ID!, $input: UpdateHabitInput!) @rest(method: PUT, path: "/a") { updateHabit(id: $id, input: $input) { id } }"#,
            "nothing gives `$id` a value: name it in `query` or in the path",
        ),
        (
            r#"mutation A($input: CreateHabitInput!) @rest(method: POST, path: "/a", location: "/a/{owner}") { createHabit(input: $input) { id owner { id } } }"#,
            "the location names `{owner}`, which is no field of the answer",
        ),
        (
            r#"mutation A($input: CreateHabitInput!) @rest(method: POST, path: "/a", example: { title: 1 }) { createHabit(input: $input) { id } }"#,
            r#"the example is not valid at ["title"]: "This must be a text.""#,
        ),
        (
            r#"mutation A($code: String!) @rest(method: POST, path: "/a", example: { cod: "x" }) { login(code: $code) { expiresIn } }"#,
            "the example has a field `cod`, the body has not",
        ),
    ];
    for (operation, message) in cases {
        let errors = refused(operation);
        let found = errors
            .iter()
            .any(|error| error.starts_with("bad.graphql:1: ") && error.ends_with(message));
        assert!(found, "{operation}\n{errors:?}");
    }
}

#[test]
fn two_operations_for_the_same_requests_are_refused() {
    let one = r#"query A($id: ID!) @rest(method: GET, path: "/a/{id}") { habit(id: $id) { id } }"#;
    let other = r#"query B($x: ID!) @rest(method: GET, path: "/a/{x}") { habit(id: $x) { id } }"#;
    assert_eq!(
        refused(&format!("{one}\n{other}")),
        ["bad.graphql:2: GET /a/{x} is the endpoint of `A` already"]
    );
}

#[test]
fn query_parameters_become_typed_variables() {
    let read = get(
        "/api/v1/habits?frequency=DAILY&tags=a&tags=b%2Cc&isArchived=true&goal.min=3&search=1+2&limit=20&cursor=x%3D",
    );
    assert_eq!(
        read.variables(),
        Ok(json!({
            "filter": { "frequency": "DAILY", "tags": ["a", "b,c"], "isArchived": true, "goal": { "min": 3 }, "search": "1 2" },
            "first": 20,
            "after": "x="
        }))
    );
    assert_eq!(get("/api/v1/habits").variables(), Ok(json!({})));
    assert_eq!(
        get("/api/v1/feed?days=1&days=2&type=WEEKLY").variables(),
        Ok(json!({ "days": [1, 2], "kind": "WEEKLY" }))
    );
    assert_eq!(
        get("/api/v1/due/2026-03-01?isMine=false&score=0.5").variables(),
        Ok(json!({ "on": "2026-03-01", "isMine": false, "score": 0.5 }))
    );
    assert_eq!(
        get("/api/v1/habits/a%2Fb").variables(),
        Ok(json!({ "id": "a/b" }))
    );
}

#[test]
fn wrong_query_parameters_are_all_told() {
    let read = get(
        "/api/v1/habits?frequency=YEARLY&isArchived=yes&limit=many&goal.min=1&goal.min=2&first=3&colour=red&search=%ff",
    );
    assert_eq!(
        read.variables().expect_err("wrong"),
        [
            r#"["frequency"] frequency UNKNOWN_VALUE"#,
            r#"["isArchived"] isArchived INVALID_TYPE"#,
            r#"["limit"] limit INVALID_TYPE"#,
            r#"["goal.min"] goal.min REPEATED"#,
            r#"["first"] first UNKNOWN_PARAMETER"#,
            r#"["colour"] colour UNKNOWN_PARAMETER"#,
            "[] - INVALID_ENCODING",
        ]
    );
}

#[test]
fn a_body_is_the_input_object_or_an_object_of_the_variables() {
    let body = json!({ "title": "Read", "goal": { "minutes": 20 } });
    let create = || ask(Method::POST, "/api/v1/habits");
    assert_eq!(
        create().body(body.clone()).variables(),
        Ok(json!({ "input": body }))
    );
    let login = || ask(Method::POST, "/api/v1/auth/login");
    assert_eq!(
        login().body(json!({ "code": "x" })).variables(),
        Ok(json!({ "code": "x" }))
    );
    let wrong = json!({ "title": 1, "colour": "red" });
    assert_eq!(
        create().body(wrong).variables().expect_err("wrong"),
        [r#"["colour"] - UNKNOWN_FIELD"#, r#"["title"] - INVALID_TYPE"#]
    );
    assert_eq!(create().variables().expect_err("no body"), ["[] - REQUIRED"]);
    let wrong = json!({ "device": 1, "cod": "x" });
    let mut issues = login().body(wrong).variables().expect_err("wrong");
    issues.sort();
    assert_eq!(
        issues,
        [
            r#"["cod"] - UNKNOWN_FIELD"#,
            r#"["code"] - REQUIRED"#,
            r#"["device"] - INVALID_TYPE"#
        ]
    );
    assert_eq!(
        login().body(json!([])).variables().expect_err("wrong")[0],
        "[] - INVALID_TYPE"
    );
}

#[test]
fn the_idempotency_key_goes_into_the_input() {
    let create = || ask(Method::POST, "/api/v1/habits").header("idempotency-key", "k1");
    assert_eq!(
        create().body(json!({ "title": "Read" })).variables(),
        Ok(json!({ "input": { "title": "Read", "idempotencyKey": "k1" } }))
    );
    assert!(
        create()
            .body(json!({ "title": "Read", "idempotencyKey": "k1" }))
            .variables()
            .is_ok()
    );
    assert_eq!(
        create()
            .body(json!({ "title": "Read", "idempotencyKey": "k2" }))
            .variables()
            .expect_err("differs"),
        [r#"["idempotencyKey"] Idempotency-Key HEADER_DIFFERS"#]
    );
    assert_eq!(
        create().body(json!("text")).variables().expect_err("no object"),
        ["[] - INVALID_TYPE"]
    );
}

#[test]
fn if_match_is_the_version_that_an_update_expects() {
    let update = |tag| {
        ask(Method::PUT, "/api/v1/habits/h1")
            .header("if-match", tag)
            .body(json!({ "title": "x" }))
    };
    let expected = json!({ "id": "h1", "input": { "title": "x", "version": 3 } });
    assert_eq!(update("\"3.9f86d081884c7d65\"").variables(), Ok(expected.clone()));
    assert_eq!(update("\"3\"").variables(), Ok(expected));
    assert_eq!(
        update("*").variables(),
        Ok(json!({ "id": "h1", "input": { "title": "x" } }))
    );
    for tag in ["W/\"3\"", "\"3\", \"4\"", "\"9f86d081884c7d65\""] {
        assert_eq!(
            update(tag).variables().expect_err("no version"),
            [r#"["If-Match"] If-Match INVALID_ENTITY_TAG"#]
        );
    }
    let delete = ask(Method::DELETE, "/api/v1/habits/h1").header("if-match", "\"3\"");
    assert_eq!(delete.variables(), Ok(json!({ "id": "h1", "version": 3 })));
}

#[test]
fn the_description_says_what_the_endpoints_do() {
    let document = serde_json::to_value(api().openapi(&Info::default())).expect("JSON");
    let create = &document["paths"]["/api/v1/habits"]["post"];
    assert_eq!(create["operationId"], "createHabit");
    assert_eq!(create["summary"], "Makes a habit");
    assert_eq!(create["tags"], json!(["habits"]));
    assert_eq!(
        create["requestBody"]["content"]["application/json"]["example"]["goal"],
        json!({ "minutes": 20 })
    );
    assert_eq!(
        create["responses"]["201"]["content"]["application/json"]["schema"],
        json!({ "$ref": "#/components/schemas/Habit" })
    );
    assert_eq!(create["security"], json!([{ "bearerAuth": [] }]));
    assert_eq!(
        document["paths"]["/api/v1/auth/login"]["post"]["security"],
        json!([])
    );
    assert_eq!(
        document["components"]["schemas"]["CreateHabitInput"]["required"],
        json!(["title"])
    );
    assert_eq!(document["components"]["schemas"]["GoalInput"]["maxProperties"], 1);
    let read = &document["paths"]["/api/v1/habits/{id}"]["get"];
    let schema = &read["responses"]["200"]["content"]["application/json"]["schema"];
    assert_eq!(
        schema["allOf"][0],
        json!({ "$ref": "#/components/schemas/Habit" })
    );
    assert_eq!(
        schema["allOf"][1]["properties"]["stats"]["anyOf"][1],
        json!({ "type": "null" })
    );
    let list = &document["paths"]["/api/v1/habits"]["get"];
    let names: Vec<&str> = list["parameters"]
        .as_array()
        .expect("parameters")
        .iter()
        .filter_map(|one| one["name"].as_str())
        .collect();
    assert_eq!(
        names,
        [
            "frequency",
            "search",
            "tags",
            "isArchived",
            "goal.min",
            "goal.max",
            "limit",
            "cursor"
        ]
    );
    assert_eq!(
        list["responses"]["200"]["content"]["application/json"]["schema"]["type"],
        "array"
    );
    assert_eq!(
        document["components"]["schemas"]["Habit"]["properties"]["color"]["deprecated"],
        true
    );
}

#[test]
fn the_description_is_the_same_every_time() {
    let info = Info::default();
    assert_eq!(api().openapi(&info).to_string(), api().openapi(&info).to_string());
}
