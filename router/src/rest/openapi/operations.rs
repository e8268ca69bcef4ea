//! Paths, parameters, bodies and responses of the OpenAPI document.

use apollo_compiler::Node;
use apollo_compiler::ast::InputValueDefinition;
use apollo_compiler::executable::Field;
use http::{Method, StatusCode};
use indexmap::IndexMap;

use super::json::{Json, Object};
use super::schemas::{self, PROBLEM, Schemas};
use crate::rest::endpoint::Endpoint;
use crate::rest::parameter::{Body, Parameter, ParameterDocs, Place, Variable};
use crate::rest::problem::{MEDIA_TYPE, type_uri};
use crate::rest::text::words;

/// Every problem response: status, name of the component, code, what it means.
const ERRORS: [(u16, &str, &str, &str); 11] = [
    (
        400,
        "BadRequest",
        "MALFORMED_BODY",
        "The request cannot be understood, or would cost too much.",
    ),
    (
        401,
        "Unauthorized",
        "UNAUTHENTICATED",
        "Nobody is logged in, or the token has expired.",
    ),
    (403, "Forbidden", "FORBIDDEN", "The caller may not do this."),
    (
        404,
        "NotFound",
        "NOT_FOUND",
        "It does not exist, or the caller may not see it.",
    ),
    (
        409,
        "Conflict",
        "CONFLICT",
        "The state does not allow it; `reason` says why.",
    ),
    (
        413,
        "ContentTooLarge",
        "PAYLOAD_TOO_LARGE",
        "The request body is too large.",
    ),
    (
        415,
        "UnsupportedMediaType",
        "UNSUPPORTED_MEDIA_TYPE",
        "The request body is not JSON.",
    ),
    (
        422,
        "UnprocessableContent",
        "BAD_USER_INPUT",
        "The input breaks a rule; `issues` says where and which.",
    ),
    (
        429,
        "TooManyRequests",
        "RATE_LIMITED",
        "Too many requests; `Retry-After` says when to come back.",
    ),
    (500, "InternalServerError", "INTERNAL", "A fault of the platform."),
    (
        503,
        "ServiceUnavailable",
        "SERVICE_UNAVAILABLE",
        "Something that is needed does not answer; try again later.",
    ),
];

/// Tells the documentation page not to send the example of a parameter that nobody filled in.
const NOT_FILLED_IN: &str = "x-fill-example";

/// Collects the operations of all endpoints.
pub(super) struct Operations<'s> {
    pub(super) schemas: Schemas<'s>,
    pub(super) paths: IndexMap<String, Object>,
    pub(super) tags: Vec<String>,
}

impl<'s> Operations<'s> {
    pub(super) fn new(schemas: Schemas<'s>) -> Self {
        Self {
            schemas,
            paths: IndexMap::new(),
            tags: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, endpoint: &Endpoint) {
        if !self.tags.contains(&endpoint.docs.tag) {
            self.tags.push(endpoint.docs.tag.clone());
        }
        let mut parameters: Vec<Json> = endpoint
            .parameters
            .iter()
            .map(|parameter| self.parameter(endpoint, parameter))
            .collect();
        parameters.extend(header_references(endpoint));
        let operation = Object::new()
            .with("operationId", operation_id(&endpoint.name))
            .with(
                "summary",
                endpoint
                    .docs
                    .summary
                    .clone()
                    .unwrap_or_else(|| words(&endpoint.name)),
            )
            .with_some("description", endpoint.docs.description.as_deref())
            .with("tags", [endpoint.docs.tag.as_str()])
            .with_some("parameters", (!parameters.is_empty()).then_some(parameters))
            .with_some("requestBody", self.body(endpoint))
            .with("responses", self.responses(endpoint))
            .with("security", security(endpoint));
        let path = self.paths.entry(endpoint.template.to_string()).or_default();
        path.push(endpoint.method.as_str().to_ascii_lowercase(), operation);
    }

    fn parameter(&mut self, endpoint: &Endpoint, parameter: &Parameter) -> Json {
        let docs = &parameter.docs;
        let default = docs.default.as_ref().map(Json::from_literal);
        let mut schema = schemas::parameter(&mut self.schemas, &docs.ty, default.clone());
        if let (Json::Object(schema), "limit") = (&mut schema, parameter.name.as_str()) {
            schema.push("minimum", 1);
        }
        let example = docs.example.as_ref().map(Json::from_literal);
        let example = example.or(default.filter(|default| *default != Json::Null));
        // A cursor is opaque: any example would mislead.
        let made = || {
            self.made_example(endpoint, parameter)
                .filter(|_| parameter.name != "cursor")
        };
        let place = match parameter.place {
            Place::Path => "path",
            Place::Query => "query",
        };
        Object::new()
            .with("name", parameter.name.as_str())
            .with("in", place)
            .with_some("description", docs.description.as_deref())
            .with("required", docs.required)
            .with_some("deprecated", docs.deprecated.then_some(true))
            .with("schema", schema)
            .with_some("example", example.or_else(made))
            .with_some(NOT_FILLED_IN, (!docs.required).then_some("no"))
            .into()
    }

    fn made_example(&self, endpoint: &Endpoint, parameter: &Parameter) -> Option<Json> {
        let docs = &parameter.docs;
        let name = parameter.name.rsplit('.').next().unwrap_or(&parameter.name);
        // `/habits/{id}` is the id of what the endpoint answers with.
        let parent = endpoint
            .root_field()
            .map(|root| root.ty().inner_named_type().as_str());
        let examples = schemas::examples(&self.schemas);
        examples.parameter(
            name,
            parent.unwrap_or_default(),
            &docs.ty,
            docs.description.as_deref(),
        )
    }

    fn body(&mut self, endpoint: &Endpoint) -> Option<Json> {
        let variable = |name: &String| endpoint.variables.iter().find(|variable| variable.name == *name);
        let told = endpoint.docs.example.as_ref().map(Json::from_literal);
        let examples = schemas::examples(&self.schemas);
        let (schema, example, required) = match endpoint.body.as_ref()? {
            Body::Variable(name) => {
                let variable = variable(name)?;
                let ParameterDocs { ty, description, .. } = &variable.docs;
                let example = told.or_else(|| examples.input(name, ty, description.as_deref()));
                (
                    self.schemas.input(&ty.clone().non_null()),
                    example,
                    variable.required,
                )
            }
            Body::Fields(names) => {
                let variables: Vec<&Variable> = names.iter().filter_map(variable).collect();
                let fields: Vec<InputValueDefinition> =
                    variables.iter().map(|variable| as_field(variable)).collect();
                let example = told.unwrap_or_else(|| examples.fields(fields.iter()));
                let (properties, required) = self.schemas.properties(fields.iter());
                let is_required = !required.is_empty();
                let schema = Object::new()
                    .with("type", "object")
                    .with("properties", properties)
                    .with_some("required", is_required.then_some(required))
                    .with("additionalProperties", false);
                (schema.into(), Some(example), is_required)
            }
        };
        let content = Object::new().with("schema", schema).with_some("example", example);
        let body = Object::new()
            .with("required", required)
            .with("content", Object::new().with("application/json", content));
        Some(body.into())
    }

    fn responses(&mut self, endpoint: &Endpoint) -> Object {
        let mut responses = Object::new();
        responses.push(endpoint.status.as_str(), self.success(endpoint));
        if endpoint.is_read() {
            let not_modified =
                Object::new().with("description", "The caller has the current answer already.");
            responses.push("304", not_modified);
        }
        for (status, name, ..) in ERRORS {
            if may_answer(endpoint, status) {
                let reference = Object::new().with("$ref", format!("#/components/responses/{name}"));
                responses.push(status.to_string(), reference);
            }
        }
        responses
    }

    fn success(&mut self, endpoint: &Endpoint) -> Object {
        let description = match endpoint.status {
            StatusCode::CREATED => "Made.",
            StatusCode::NO_CONTENT => "Done.",
            _ if endpoint.is_page => "One page of the list.",
            _ => "The answer.",
        };
        let headers = [
            ("ETag", endpoint.is_read()),
            ("Link", endpoint.is_page),
            ("Location", endpoint.location.is_some()),
            ("Daka-Partial", endpoint.status != StatusCode::NO_CONTENT),
        ];
        let mut named = Object::new();
        for (name, _) in headers.into_iter().filter(|(_, present)| *present) {
            named.push(
                name,
                Object::new().with("$ref", format!("#/components/headers/{name}")),
            );
        }
        let response = Object::new()
            .with("description", description)
            .with_some("headers", (!named.is_empty()).then_some(named));
        if endpoint.status == StatusCode::NO_CONTENT {
            return response;
        }
        let content = endpoint.root_field().map(|root| self.answer(endpoint, root));
        response.with_some("content", content)
    }

    fn answer(&mut self, endpoint: &Endpoint, root: &Node<Field>) -> Object {
        let document = &endpoint.docs.executable;
        let nodes = root
            .selection_set
            .fields()
            .find(|field| endpoint.is_page && field.name == "nodes");
        let (schema, example) = match nodes {
            Some(nodes) => {
                let item = self
                    .schemas
                    .output(document, nodes.ty().item_type(), &[&nodes.selection_set]);
                let schema = Object::new().with("type", "array").with("items", item);
                let example = schemas::examples(&self.schemas).item(document, nodes);
                (Json::from(schema), Json::List(vec![example]))
            }
            None => {
                let ty = super::answer_type(root.ty());
                let schema = self.schemas.output(document, &ty, &[&root.selection_set]);
                (schema, schemas::examples(&self.schemas).output(document, root))
            }
        };
        let content = Object::new().with("schema", schema).with("example", example);
        Object::new().with("application/json", content)
    }
}

/// The problem responses, by name.
pub(super) fn error_responses() -> Object {
    let mut responses = Object::new();
    for (status, name, code, description) in ERRORS {
        let title = StatusCode::from_u16(status)
            .ok()
            .and_then(|status| status.canonical_reason());
        let (kind, reason) = match status {
            409 => ("VERSION_MISMATCH", Some("VERSION_MISMATCH")),
            _ => (code, None),
        };
        let issue = Object::new()
            .with("path", ["title"])
            .with("code", "REQUIRED")
            .with("message", "This is required.");
        let example = Object::new()
            .with("type", type_uri(kind))
            .with("title", title.unwrap_or(name))
            .with("status", i32::from(status))
            .with("detail", description)
            .with("code", code)
            .with_some("reason", reason)
            .with_some("issues", (status == 422).then_some([issue]))
            .with_some("retryAfter", matches!(status, 429 | 503).then_some(30))
            .with("traceId", "4bf92f3577b34da6a3ce929d0e0e4736");
        let content = Object::new()
            .with(
                "schema",
                Object::new().with("$ref", format!("#/components/schemas/{PROBLEM}")),
            )
            .with("example", example);
        let retry_after = Object::new()
            .with("description", "Seconds after which the same request may succeed.")
            .with("schema", Object::new().with("type", "integer"));
        let response = Object::new()
            .with("description", description)
            .with_some(
                "headers",
                (status == 429).then(|| Object::new().with("Retry-After", retry_after)),
            )
            .with("content", Object::new().with(MEDIA_TYPE, content));
        responses.push(name, response);
    }
    responses
}

/// The request headers that several endpoints take.
pub(super) fn header_parameters() -> Object {
    let header = |name: &str, description: &str, example: &str| {
        Object::new()
            .with("name", name)
            .with("in", "header")
            .with("description", description)
            .with("required", false)
            .with("schema", Object::new().with("type", "string"))
            .with("example", example)
            .with(NOT_FILLED_IN, "no")
    };
    Object::new()
        .with(
            "IdempotencyKey",
            header(
                "Idempotency-Key",
                "Chosen by the caller: the same request sent again with the same key has no second effect and gets the first answer.",
                "2f1c7a52-5d1e-4a55-9a55-0c9d3f0e7a10",
            ),
        )
        .with(
            "IfMatch",
            header(
                "If-Match",
                "The `ETag` of what is to be changed, or its `version` in quotes: where it has changed in the meantime, nothing is done.",
                "\"3\"",
            ),
        )
        .with(
            "IfNoneMatch",
            header(
                "If-None-Match",
                "The `ETag` of an earlier answer: if it is still current, the answer is 304 without a body.",
                "\"3.9f86d081884c7d65\"",
            ),
        )
}

/// The response headers that several endpoints send.
pub(super) fn response_headers() -> Object {
    let header = |description: &str| {
        Object::new()
            .with("description", description)
            .with("schema", Object::new().with("type", "string"))
    };
    Object::new()
        .with("ETag", header("Names this answer, for `If-None-Match`, and for `If-Match` where it has a version."))
        .with("Link", header("With `rel=\"next\"`: where the next page is. Missing on the last page."))
        .with("Location", header("Where what was made can be read."))
        .with(
            "Daka-Partial",
            header("The parts of the answer that are null because something behind them failed. Missing when it is whole."),
        )
}

fn header_references(endpoint: &Endpoint) -> Vec<Json> {
    let headers = [
        ("IdempotencyKey", endpoint.idempotency_key.is_some()),
        ("IfMatch", endpoint.version.is_some()),
        ("IfNoneMatch", endpoint.is_read()),
    ];
    let present = headers.into_iter().filter(|(_, present)| *present);
    let reference = |name| Object::new().with("$ref", format!("#/components/parameters/{name}"));
    present.map(|(name, _)| reference(name).into()).collect()
}

fn may_answer(endpoint: &Endpoint, status: u16) -> bool {
    let has_body = ![Method::GET, Method::DELETE].contains(&endpoint.method) || endpoint.body.is_some();
    let is_nullable = endpoint.root_field().is_some_and(|root| !root.ty().is_non_null());
    match status {
        401 | 403 => endpoint.docs.needs_login,
        404 => is_nullable || endpoint.template.parameters().next().is_some(),
        409 => !endpoint.is_read(),
        413 | 415 => has_body,
        422 => has_body || !endpoint.parameters.is_empty(),
        _ => true,
    }
}

fn security(endpoint: &Endpoint) -> Json {
    if endpoint.docs.needs_login {
        let none: [&str; 0] = [];
        return Json::from([Object::new().with("bearerAuth", none)]);
    }
    Json::List(Vec::new())
}

fn operation_id(name: &str) -> String {
    let mut letters = name.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

/// A variable that is a field of the body.
fn as_field(variable: &Variable) -> InputValueDefinition {
    let docs = &variable.docs;
    // A variable's name is a GraphQL name.
    let name = apollo_compiler::Name::new(&variable.name).unwrap_or(apollo_compiler::name!("field"));
    InputValueDefinition {
        description: docs.description.as_deref().map(Node::new_str),
        name,
        ty: Node::new(docs.ty.clone()),
        default_value: docs.default.clone(),
        directives: apollo_compiler::ast::DirectiveList::new(),
    }
}
