//! Servers over one graph of data: each subgraph serves the part that its SDL knows, a monolith serves all of it. So
//! that the federated answer can be compared with the answer of the monolith.

use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::routing::post;
use kernel::Random;
use router::apollo_compiler::Schema;
use router::apollo_compiler::executable::ExecutableDocument;
use router::apollo_compiler::request::coerce_variable_values;
use router::apollo_compiler::resolvers::{Execution, FieldError, ObjectValue, ResolveInfo, ResolvedValue};
use router::apollo_compiler::response::JsonMap;
use router::apollo_compiler::schema::ExtendedType;
use router::apollo_compiler::validation::Valid;
use router::{Engine, HttpSubgraph, RouterConfig, Transports};
use serde_json::{Map, Value, json};

use crate::harness::listen;

/// All the data: `entities` by `Type/key`, and the fields of the root types. An object names its type with
/// `__typename`; the text `@Type/key` refers to an entity. What has arguments answers with them in its text; a list
/// with `first` is cut.
pub(crate) struct Graph(pub(crate) Value);

/// A federated graph with what it was asked.
pub(crate) struct Federation {
    pub(crate) engine: Arc<Engine>,
    pub(crate) graph: Arc<Graph>,
    /// `subgraph: query variables` of every call.
    pub(crate) calls: Arc<Mutex<Vec<String>>>,
}

const FEDERATION: &str = r#"
    directive @key(fields: String!, resolvable: Boolean) repeatable on OBJECT | INTERFACE
    directive @requires(fields: String!) on FIELD_DEFINITION
    directive @provides(fields: String!) on FIELD_DEFINITION
    directive @external on OBJECT | FIELD_DEFINITION
    directive @shareable repeatable on OBJECT | FIELD_DEFINITION
    directive @override(from: String!, label: String) on FIELD_DEFINITION
    directive @interfaceObject on OBJECT
    directive @inaccessible on OBJECT | FIELD_DEFINITION
    directive @tag(name: String!) repeatable on OBJECT | FIELD_DEFINITION
    directive @link(url: String!, import: [String]) repeatable on SCHEMA
    scalar _Any
"#;

impl Federation {
    /// Serves the subgraphs of a folder of fixtures and loads their supergraph.
    pub(crate) async fn open(folder: &str, graph: Value) -> Self {
        Self::with(folder, graph, &RouterConfig::default()).await
    }

    pub(crate) async fn with(folder: &str, graph: Value, config: &RouterConfig) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/it/fixtures")
            .join(folder);
        let mut subgraphs = Vec::new();
        for entry in std::fs::read_dir(&folder).expect("the folder") {
            let path = entry.expect("a file").path();
            let name = path
                .file_stem()
                .and_then(|name| name.to_str())
                .expect("a name")
                .to_owned();
            if name != "supergraph" {
                let sdl = std::fs::read_to_string(&path).expect("the schema");
                subgraphs.push((name, sdl));
            }
        }
        let sdl = std::fs::read_to_string(folder.join("supergraph.graphql")).expect("the supergraph");
        Self::serve(&subgraphs, &sdl, graph, config).await
    }

    /// Serves subgraphs, given by name and SDL, and loads their supergraph. Fields with a label move for a share of the
    /// requests.
    pub(crate) async fn serve(
        subgraphs: &[(String, String)],
        supergraph: &str,
        graph: Value,
        config: &RouterConfig,
    ) -> Self {
        Self::drawing(subgraphs, supergraph, graph, config, Random::seeded(7)).await
    }

    /// The same with the randomness that moves fields.
    pub(crate) async fn drawing(
        subgraphs: &[(String, String)],
        supergraph: &str,
        graph: Value,
        config: &RouterConfig,
        random: Random,
    ) -> Self {
        let (engine, graph, calls) = Self::parts(subgraphs, supergraph, graph, config).await;
        let engine = Arc::new(engine.with_overrides_by(random));
        Self { engine, graph, calls }
    }

    /// The same without any.
    pub(crate) async fn plain(
        subgraphs: &[(String, String)],
        supergraph: &str,
        graph: Value,
        config: &RouterConfig,
    ) -> Self {
        let (engine, graph, calls) = Self::parts(subgraphs, supergraph, graph, config).await;
        let engine = Arc::new(engine);
        Self { engine, graph, calls }
    }

    async fn parts(
        subgraphs: &[(String, String)],
        supergraph: &str,
        graph: Value,
        config: &RouterConfig,
    ) -> (Engine, Arc<Graph>, Arc<Mutex<Vec<String>>>) {
        let graph = Arc::new(Graph(graph));
        let calls = Arc::default();
        let mut transports = Transports::default();
        for (name, sdl) in subgraphs {
            let url = serve(name, sdl, graph.clone(), Arc::clone(&calls)).await;
            transports = transports.http(name, HttpSubgraph::new(&url).expect("an address"));
        }
        let engine = Engine::new(supergraph, config, transports).expect("an engine");
        (engine, graph, calls)
    }

    /// The monolith's answer.
    pub(crate) fn monolith(&self, query: &str, variables: &Value) -> Value {
        execute(&self.graph, self.engine.api_schema(), query, variables)
    }
}

pub(crate) async fn serve(
    name: &str,
    sdl: &str,
    graph: Arc<Graph>,
    calls: Arc<Mutex<Vec<String>>>,
) -> String {
    let schema = Arc::new(subgraph_schema(sdl));
    let name = name.to_owned();
    let handler = move |body: axum::Json<Value>| {
        let (schema, graph, calls, name) = (schema.clone(), graph.clone(), calls.clone(), name.clone());
        async move {
            let query = body.0["query"].as_str().unwrap_or_default();
            calls
                .lock()
                .expect("the calls")
                .push(format!("{name}: {query} {}", body.0["variables"]));
            axum::Json(execute(&graph, &schema, query, &body.0["variables"]))
        }
    };
    listen(Router::new().route("/", post(handler))).await
}

/// The subgraph's schema with what federation adds to it.
fn subgraph_schema(sdl: &str) -> Valid<Schema> {
    let plain = Schema::builder()
        .parse(FEDERATION, "federation")
        .parse(sdl, "subgraph")
        .adopt_orphan_extensions();
    let plain = plain.build().expect("the subgraph's schema");
    let entities: Vec<&str> = plain
        .types
        .iter()
        .filter(|(name, definition)| {
            let keyed = |name: &str| plain.types.get(name).is_some_and(|it| it.directives().has("key"));
            match definition {
                ExtendedType::Object(object) => {
                    keyed(name)
                        || object
                            .implements_interfaces
                            .iter()
                            .any(|interface| keyed(&interface.name))
                }
                _ => false,
            }
        })
        .map(|(name, _)| name.as_str())
        .collect();
    let added = format!(
        "union _Entity = {} extend type Query {{ _entities(representations: [_Any!]!): [_Entity]! }}",
        entities.join(" | ")
    );
    let whole = Schema::builder()
        .parse(FEDERATION, "federation")
        .parse(sdl, "subgraph")
        .parse(added, "entities");
    let schema = whole.adopt_orphan_extensions().build().expect("the schema");
    schema.validate().expect("a valid schema")
}

fn execute(graph: &Graph, schema: &Valid<Schema>, query: &str, variables: &Value) -> Value {
    let document = match ExecutableDocument::parse_and_validate(schema, query, "query") {
        Ok(document) => document,
        Err(error) => panic!("an invalid query reached a server: {query}\n{}", error.errors),
    };
    let operation = document.operations.get(None).expect("an operation");
    let variables: JsonMap = serde_json::from_value(variables.clone()).unwrap_or_default();
    let variables = match coerce_variable_values(schema, operation, &variables) {
        Ok(variables) => variables,
        Err(error) => panic!("bad variables reached a server: {query} {}", error.message()),
    };
    let empty = Map::new();
    let root = Node {
        graph,
        schema,
        type_name: operation.object_type().as_str().to_owned(),
        given: None,
        fields: graph.0[operation.object_type().as_str()]
            .as_object()
            .unwrap_or(&empty),
    };
    let execution = Execution::new(schema, &document)
        .operation(operation)
        .coerced_variable_values(&variables);
    let response = execution.execute_sync(&root).expect("an answer");
    serde_json::to_value(response).expect("JSON")
}

struct Node<'g> {
    graph: &'g Graph,
    schema: &'g Valid<Schema>,
    type_name: String,
    fields: &'g Map<String, Value>,
    /// The representation that asked for it.
    given: Option<Value>,
}

impl<'g> Node<'g> {
    fn resolved(&self, declared: &str, value: &'g Value) -> ResolvedValue<'g> {
        match value {
            Value::Array(items) => {
                let items: Vec<_> = items
                    .iter()
                    .map(|item| Ok(self.resolved(declared, item)))
                    .collect();
                ResolvedValue::List(Box::new(items.into_iter()))
            }
            value => match self.graph.object(value) {
                None => ResolvedValue::leaf(value.clone()),
                Some(fields) => ResolvedValue::object(self.node(declared, fields)),
            },
        }
    }

    fn node(&self, declared: &str, fields: &'g Map<String, Value>) -> Node<'g> {
        let actual = fields["__typename"].as_str().expect("a type");
        // Behind an interface object stand types that the subgraph does not know.
        let type_name = if self.schema.get_object(actual).is_some() {
            actual
        } else {
            declared
        };
        let root = self.graph.0["Query"].as_object().filter(|_| actual == "Query");
        Node {
            graph: self.graph,
            schema: self.schema,
            type_name: type_name.to_owned(),
            fields: root.unwrap_or(fields),
            given: None,
        }
    }

    /// What `@requires` asks for must have been sent along. Its field set names fields only, outside braces.
    fn assert_given(&self, requires: &str) {
        let mut depth = 0;
        let spaced = requires
            .replace('{', " { ")
            .replace('}', " } ")
            .replace('(', " (");
        for word in spaced.split_whitespace() {
            match word {
                "{" => depth += 1,
                "}" => depth -= 1,
                word if depth == 0 && !word.contains(['(', ')']) => {
                    let given = self.given.as_ref().is_some_and(|given| given.get(word).is_some());
                    assert!(
                        given,
                        "{} requires `{requires}`, given is {:?}",
                        self.type_name, self.given
                    );
                }
                _ => {}
            }
        }
    }

    fn entity(&self, representation: &Value) -> Option<ResolvedValue<'g>> {
        let wanted = representation["__typename"].as_str()?;
        let entities = self.graph.0["entities"].as_object()?;
        let found = entities.values().filter_map(Value::as_object).find(|entity| {
            let actual = entity["__typename"].as_str().unwrap_or_default();
            let of_type = actual == wanted
                || entity
                    .get("interfaces")
                    .is_some_and(|all| all.as_array().is_some_and(|a| a.contains(&json!(wanted))));
            of_type
                && self
                    .graph
                    .covers(&Value::Object((*entity).clone()), representation)
        });
        match found {
            Some(found) => Some(ResolvedValue::object(Node {
                given: Some(representation.clone()),
                ..self.node(wanted, found)
            })),
            None => panic!("no entity is like {representation}"),
        }
    }
}

impl Graph {
    fn object<'g>(&'g self, value: &'g Value) -> Option<&'g Map<String, Value>> {
        match value {
            Value::Object(fields) if fields.contains_key("__typename") => Some(fields),
            Value::String(text) => self.0["entities"].get(text.strip_prefix('@')?)?.as_object(),
            _ => None,
        }
    }

    /// Whether the data holds all that a representation says.
    fn covers(&self, data: &Value, representation: &Value) -> bool {
        match representation {
            Value::Object(fields) => {
                let Some(object) = self.object(data) else {
                    return false;
                };
                fields.iter().all(|(name, value)| {
                    name == "__typename" || object.get(name).is_some_and(|data| self.covers(data, value))
                })
            }
            Value::Array(items) => {
                let data = data.as_array().map(Vec::as_slice).unwrap_or_default();
                data.len() == items.len()
                    && items.iter().zip(data).all(|(item, data)| self.covers(data, item))
            }
            value => value == data,
        }
    }
}

impl ObjectValue for Node<'_> {
    fn type_name(&self) -> &str {
        &self.type_name
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let name = info.field_name();
        let arguments = serde_json::to_value(info.arguments()).expect("JSON");
        if name == "_entities" {
            let representations = arguments["representations"]
                .as_array()
                .cloned()
                .unwrap_or_default();
            let found: Vec<_> = representations
                .iter()
                .map(|representation| Ok(self.entity(representation).unwrap_or(ResolvedValue::null())))
                .collect();
            return Ok(ResolvedValue::List(Box::new(found.into_iter())));
        }
        if let Some(requires) = info.field_definition().directives.get("requires") {
            let fields = requires.specified_argument_by_name("fields");
            self.assert_given(fields.and_then(|fields| fields.as_str()).unwrap_or_default());
        }
        let declared = info.field_definition().ty.inner_named_type().as_str();
        let value = self.fields.get(name).unwrap_or(&Value::Null);
        if value.get("error").is_some() {
            return Err(FieldError {
                message: value["error"].as_str().unwrap_or_default().to_owned(),
            });
        }
        match (
            value,
            arguments.as_object().filter(|arguments| !arguments.is_empty()),
        ) {
            (Value::Array(items), Some(arguments)) => {
                let first = arguments.get("first").and_then(Value::as_u64).unwrap_or(u64::MAX) as usize;
                let items: Vec<_> = items
                    .iter()
                    .take(first)
                    .map(|item| Ok(self.resolved(declared, item)))
                    .collect();
                Ok(ResolvedValue::List(Box::new(items.into_iter())))
            }
            (Value::String(text), Some(_)) if !text.starts_with('@') => {
                Ok(ResolvedValue::leaf(format!("{text} {arguments}")))
            }
            _ => Ok(self.resolved(declared, value)),
        }
    }
}
