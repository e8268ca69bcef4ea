//! The directives that turn an operation into an endpoint: their definition, and one use of them, read.

use apollo_compiler::ast::{Directive, DirectiveList, Value};
use apollo_compiler::parser::SourceSpan;
use apollo_compiler::validation::Valid;
use apollo_compiler::{Node, Schema};

/// The definition of `@rest` and `@param`, which operation files may use without declaring them.
pub const SDL: &str = r#"
"Mounts the operation as a REST endpoint. Its answer is the operation's single root field."
directive @rest(
  "The HTTP method. A mutation cannot be a GET."
  method: RestMethod!
  "The path, from the root of the server: `/api/v1/habits/{id}`. Each `{name}` is a variable of the operation."
  path: String!
  "The status of success: 200 to 299. With 204 the answer has no body."
  status: Int! = 200
  "The variable that the JSON body is the value of. By default `input`, where the operation has it; otherwise the body is an object of all variables that come from nowhere else."
  body: String
  "Variables that come from the query string although the method has a body."
  query: [String!]! = []
  "For the `Location` header: the path of what was made. Each `{name}` is a field of the answer."
  location: String
  "One line for the documentation. By default the first sentence of the root field's description."
  summary: String
  "The group in the documentation. By default the first word of the path after the version."
  tag: String
  "An example of the request body for the documentation."
  example: RestValue
) on QUERY | MUTATION

"Says more about a variable of an operation with `@rest`."
directive @param(
  "The name of the query parameter; for an input object, what the names of its fields are prefixed with."
  name: String
  "For the documentation. By default the description of the argument that the variable is given to."
  description: String
  "An example for the documentation."
  example: RestValue
) on VARIABLE_DEFINITION

"The HTTP methods of endpoints."
enum RestMethod { GET POST PUT PATCH DELETE }

"Any value."
scalar RestValue
"#;

/// One `@rest`, as written.
#[derive(Debug)]
pub(super) struct RestDirective {
    pub(super) method: http::Method,
    pub(super) path: String,
    pub(super) status: http::StatusCode,
    pub(super) body: Option<String>,
    pub(super) query: Vec<String>,
    pub(super) location: Option<String>,
    pub(super) summary: Option<String>,
    pub(super) tag: Option<String>,
    pub(super) example: Option<Node<Value>>,
    pub(super) span: Option<SourceSpan>,
}

/// One `@param`, as written.
#[derive(Debug, Default)]
pub(super) struct ParamDirective {
    pub(super) name: Option<String>,
    pub(super) description: Option<String>,
    pub(super) example: Option<Node<Value>>,
}

impl RestDirective {
    /// Reads `@rest` from a validated operation's directives. The error is about the values, which validation
    /// knows nothing of.
    pub(super) fn of(directives: &DirectiveList) -> Option<Result<Self, String>> {
        directives.get("rest").map(Self::read)
    }

    fn read(directive: &Node<Directive>) -> Result<Self, String> {
        let method = value(directive, "method")
            .and_then(|method| method.as_enum())
            .map(|method| method.as_str())
            .and_then(|method| http::Method::from_bytes(method.as_bytes()).ok())
            .ok_or("the method is missing")?;
        let status = match value(directive, "status").and_then(|status| status.to_i32()) {
            Some(status) => u16::try_from(status)
                .ok()
                .filter(|status| (200..300).contains(status))
                .and_then(|status| http::StatusCode::from_u16(status).ok())
                .ok_or_else(|| format!("the status of success is from 200 to 299, not {status}"))?,
            None => http::StatusCode::OK,
        };
        let query = value(directive, "query")
            .and_then(|names| names.as_list())
            .unwrap_or_default();
        Ok(Self {
            method,
            path: text(directive, "path").unwrap_or_default(),
            status,
            body: text(directive, "body"),
            query: query
                .iter()
                .filter_map(|name| name.as_str().map(str::to_owned))
                .collect(),
            location: text(directive, "location"),
            summary: text(directive, "summary"),
            tag: text(directive, "tag"),
            example: value(directive, "example").cloned(),
            span: directive.location(),
        })
    }
}

impl ParamDirective {
    /// Reads `@param` from a variable's directives; empty where there is none.
    pub(super) fn of(directives: &DirectiveList) -> Self {
        directives
            .get("param")
            .map_or_else(Self::default, |directive| Self {
                name: text(directive, "name"),
                description: text(directive, "description"),
                example: value(directive, "example").cloned(),
            })
    }
}

/// The schema with the directives in it, for validation only. Errors where the schema already has another
/// meaning for one of the names.
pub(super) fn extend(schema: &Valid<Schema>) -> Result<Valid<Schema>, String> {
    // The definition alone is no schema (it has no query type), so it is taken apart by hand.
    let own = match Schema::parse(SDL, "rest.graphql") {
        Ok(own) => own,
        Err(refused) => return Err(refused.to_string()),
    };
    let mut extended: Schema = Schema::clone(schema);
    for name in ["rest", "param"] {
        if let Some(definition) = own.directive_definitions.get(name) {
            extended
                .directive_definitions
                .insert(definition.name.clone(), definition.clone());
        }
    }
    for name in ["RestMethod", "RestValue", "Int", "String"] {
        let Some((name, definition)) = own.types.get_key_value(name) else {
            continue;
        };
        let present = extended.types.contains_key(name);
        if present && name.as_str().starts_with("Rest") {
            return Err(format!(
                "the schema has a type `{name}`, a name that REST endpoints need"
            ));
        }
        if !present {
            extended.types.insert(name.clone(), definition.clone());
        }
    }
    Ok(Valid::assume_valid(extended))
}

/// The directives without `@rest` and `@param`, which are nothing to the engine.
pub(super) fn strip(directives: &mut DirectiveList) {
    directives
        .0
        .retain(|directive| directive.name != "rest" && directive.name != "param");
}

fn value<'a>(directive: &'a Node<Directive>, name: &str) -> Option<&'a Node<Value>> {
    directive
        .specified_argument_by_name(name)
        .filter(|value| !value.is_null())
}

fn text(directive: &Node<Directive>, name: &str) -> Option<String> {
    value(directive, name)
        .and_then(|value| value.as_str())
        .map(str::to_owned)
}
