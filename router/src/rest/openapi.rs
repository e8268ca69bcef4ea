//! The OpenAPI 3.1 description of the endpoints, made from the same source as they are.

mod examples;
mod json;
mod operations;
mod schemas;

use std::collections::BTreeSet;
use std::fmt;

use apollo_compiler::ast::Type;
use serde::Serialize;

use self::json::{Json, Object};
use self::operations::Operations;
use self::schemas::{PROBLEM, PROBLEM_ISSUE, Schemas};
use super::parameter::Body;
use super::rule::{Issue, Step};
use super::{RestApi, RestError};

/// What the document says about the API as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Info {
    /// The name of the API.
    pub title: String,
    /// The version of the API.
    pub version: String,
    /// What it is for, in Markdown.
    pub description: Option<String>,
    /// Where it is served; where it was read from if empty.
    pub servers: Vec<String>,
}

/// An OpenAPI document. Shown as indented JSON; its members have a fixed order, so that it can be committed.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct OpenApi(Object);

impl Default for Info {
    fn default() -> Self {
        Self {
            title: "REST API".to_owned(),
            version: "1".to_owned(),
            description: None,
            servers: Vec::new(),
        }
    }
}

impl fmt::Display for OpenApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The values are plain JSON: writing them cannot fail.
        f.write_str(&serde_json::to_string_pretty(self).unwrap_or_default())
    }
}

/// The document of all endpoints.
pub(super) fn document(api: &RestApi, info: &Info) -> OpenApi {
    let fragments: BTreeSet<String> = api
        .endpoints
        .iter()
        .flat_map(|endpoint| endpoint.docs.executable.fragments.keys().map(ToString::to_string))
        .collect();
    let mut operations = Operations::new(Schemas::new(&api.schema, fragments));
    for endpoint in &api.endpoints {
        operations.add(endpoint);
    }
    let about = Object::new()
        .with("title", info.title.as_str())
        .with("version", info.version.as_str())
        .with_some("description", info.description.as_deref());
    let servers: Vec<Json> = match info.servers.as_slice() {
        [] => vec![Object::new().with("url", "/").into()],
        urls => urls
            .iter()
            .map(|url| Object::new().with("url", url.as_str()).into())
            .collect(),
    };
    let tags: Vec<Json> = operations
        .tags
        .iter()
        .map(|tag| Object::new().with("name", tag.as_str()).into())
        .collect();
    let bearer = Object::new()
        .with("type", "http")
        .with("scheme", "bearer")
        .with("bearerFormat", "JWT")
        .with("description", "The access token of a login.");
    let mut named: Object = operations.schemas.named.into_iter().collect();
    named.push(PROBLEM, problem());
    named.push(PROBLEM_ISSUE, problem_issue());
    let components = Object::new()
        .with("schemas", named)
        .with("responses", operations::error_responses())
        .with("parameters", operations::header_parameters())
        .with("headers", operations::response_headers())
        .with("securitySchemes", Object::new().with("bearerAuth", bearer));
    OpenApi(
        Object::new()
            .with("openapi", "3.1.0")
            .with("info", about)
            .with("servers", servers)
            .with("tags", tags)
            .with("paths", operations.paths.into_iter().collect::<Object>())
            .with("components", components),
    )
}

/// Examples of bodies that the endpoints themselves would refuse.
pub(super) fn check_examples(api: &RestApi) -> Vec<RestError> {
    let mut errors = Vec::new();
    for endpoint in &api.endpoints {
        let Some(example) = &endpoint.docs.example else {
            continue;
        };
        // The document is plain JSON.
        let mut value = serde_json::to_value(Json::from_literal(example)).unwrap_or_default();
        let mut issues: Vec<Issue> = Vec::new();
        let types = endpoint
            .variables
            .iter()
            .map(|variable| (variable.name.as_str(), &variable.ty));
        match &endpoint.body {
            None => errors.push(at(
                endpoint,
                "the endpoint has no body that could have an example",
            )),
            Some(Body::Variable(name)) => {
                for (_, ty) in types.filter(|(other, _)| other == name) {
                    api.inputs.check(&mut value, ty, &mut Vec::new(), &mut issues);
                }
            }
            Some(Body::Fields(names)) => {
                let mut fields = value.as_object_mut();
                for (name, ty) in types.filter(|(other, _)| names.iter().any(|name| name == other)) {
                    if let Some(value) = fields.as_mut().and_then(|fields| fields.get_mut(name)) {
                        api.inputs
                            .check(value, ty, &mut vec![Step::Field(name.to_owned())], &mut issues);
                    }
                }
                let unknown = fields
                    .iter()
                    .flat_map(|fields| fields.keys())
                    .filter(|name| !names.contains(name));
                errors.extend(unknown.map(|name| {
                    at(
                        endpoint,
                        &format!("the example has a field `{name}`, the body has not"),
                    )
                }));
            }
        }
        for issue in issues {
            let issue = issue.to_json(kernel::Locale::En);
            errors.push(at(
                endpoint,
                &format!(
                    "the example is not valid at {}: {}",
                    issue["path"], issue["message"]
                ),
            ));
        }
    }
    errors
}

fn at(endpoint: &super::endpoint::Endpoint, message: &str) -> RestError {
    let document = &endpoint.docs.executable;
    let place = endpoint
        .docs
        .example
        .as_ref()
        .and_then(|example| example.location());
    super::load::error_at(&document.sources, place, message.to_owned())
}

fn problem() -> Object {
    let text = |description: &str| {
        Object::new()
            .with("type", "string")
            .with("description", description)
    };
    let issues = Object::new()
        .with("type", "array")
        .with(
            "items",
            Object::new().with("$ref", format!("#/components/schemas/{PROBLEM_ISSUE}")),
        )
        .with("description", "Everything that is wrong with the input.");
    let number = |description: &str| {
        Object::new()
            .with("type", "integer")
            .with("description", description)
    };
    let properties = Object::new()
        .with(
            "type",
            text("The kind of problem, as a URI.").with("format", "uri"),
        )
        .with("title", text("The meaning of the status."))
        .with("status", number("The HTTP status."))
        .with("detail", text("What happened, in the caller's language."))
        .with("code", text("The stable code."))
        .with("reason", text("For conflicts: which one, as a stable code."))
        .with("issues", issues)
        .with(
            "retryAfter",
            number("Seconds after which the same request may succeed."),
        )
        .with("traceId", text("Names this request to the operators."));
    Object::new()
        .with("type", "object")
        .with("description", "An error (RFC 9457).")
        .with("properties", properties)
        .with("required", ["type", "title", "status", "detail", "code"])
}

fn problem_issue() -> Object {
    let text = |description: &str| {
        Object::new()
            .with("type", "string")
            .with("description", description)
    };
    let step = Object::new().with("type", ["string", "integer"]);
    let path = Object::new().with("type", "array").with("items", step).with(
        "description",
        "Where in the body, or the name of the parameter or header; numbers are positions in lists, from 0.",
    );
    let properties = Object::new()
        .with("path", path)
        .with("parameter", text("The parameter or header, where it is one."))
        .with("code", text("The rule that is broken, as a stable code."))
        .with("message", text("What is wrong, in the caller's language."));
    Object::new()
        .with("type", "object")
        .with("description", "One thing that is wrong with the input.")
        .with("properties", properties)
        .with("required", ["path", "code", "message"])
}

/// The schema of an endpoint's answer, without the null that is a 404 instead.
fn answer_type(ty: &Type) -> Type {
    ty.clone().non_null()
}
