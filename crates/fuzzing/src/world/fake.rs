//! Data that is made up when it is asked for: what a field holds depends on nothing but its object's type and number, its
//! name and its arguments.

use std::hash::{DefaultHasher, Hash, Hasher};

use router::apollo_compiler::Schema;
use router::apollo_compiler::ast::{OperationType, Type};
use router::apollo_compiler::executable::ExecutableDocument;
use router::apollo_compiler::request::coerce_variable_values;
use router::apollo_compiler::resolvers::{Execution, FieldError, ObjectValue, ResolveInfo, ResolvedValue};
use router::apollo_compiler::response::JsonMap;
use router::apollo_compiler::schema::ExtendedType;
use router::apollo_compiler::validation::Valid;
use serde_json::{Map, Value, json};

/// The types that have an `id`; there are few of each, so that they are met again.
const ENTITIES: [&str; 4] = ["Book", "Lamp", "Person", "Store"];
const OF_EACH: u64 = 7;

/// An object.
struct Node<'s> {
    schema: &'s Valid<Schema>,
    type_name: &'s str,
    number: u64,
    /// Whom a reference speaks of that says something wrong.
    fault: Option<String>,
}

/// A subgraph's answer to a question, and whether that was a mutation. The error is why the question is none.
pub(super) fn answer(schema: &Valid<Schema>, question: &[u8]) -> Result<(Value, bool), String> {
    let question: Value = serde_json::from_slice(question).map_err(|error| error.to_string())?;
    let query = question["query"].as_str().ok_or("no query")?;
    let document = ExecutableDocument::parse_and_validate(schema, query, "question.graphql");
    let document = document.map_err(|invalid| invalid.errors.to_string())?;
    let operation = document
        .operations
        .get(None)
        .map_err(|error| error.message().to_string())?;
    let is_mutation = operation.operation_type == OperationType::Mutation;
    let empty = Map::new();
    let variables = question["variables"].as_object().unwrap_or(&empty);
    let answer = execute(schema, &document, None, variables)?;
    match answer["errors"].as_array() {
        Some(errors) if !errors.is_empty() => Err(format!("{errors:?}")),
        _ => Ok((answer, is_mutation)),
    }
}

/// Executes an operation.
pub(super) fn execute(
    schema: &Valid<Schema>,
    document: &Valid<ExecutableDocument>,
    operation_name: Option<&str>,
    variables: &Map<String, Value>,
) -> Result<Value, String> {
    let operation = document.operations.get(operation_name);
    let operation = operation.map_err(|error| error.message().to_string())?;
    let variables: JsonMap =
        serde_json::from_value(Value::Object(variables.clone())).map_err(|error| error.to_string())?;
    let variables = coerce_variable_values(schema, operation, &variables);
    let variables = variables.map_err(|error| error.message().to_string())?;
    let root = Node {
        schema,
        type_name: operation.object_type().as_str(),
        number: 0,
        fault: None,
    };
    let execution = Execution::new(schema, document)
        .operation(operation)
        .coerced_variable_values(&variables);
    let answer = execution
        .execute_sync(&root)
        .map_err(|error| error.message().to_string())?;
    serde_json::to_value(answer).map_err(|error| error.to_string())
}

impl<'s> Node<'s> {
    fn new(schema: &'s Valid<Schema>, type_name: &'s str, seed: u64) -> Self {
        let number = if ENTITIES.contains(&type_name) {
            seed % OF_EACH
        } else {
            seed
        };
        Self {
            schema,
            type_name,
            number,
            fault: None,
        }
    }

    /// An entity that somebody refers to: all that is said of it must be so.
    fn referred(schema: &'s Valid<Schema>, reference: &Value) -> Result<Self, String> {
        let type_name = reference["__typename"].as_str().unwrap_or_default();
        let number = reference["id"].as_str().and_then(|id| id.parse().ok());
        let definition = schema.types.get_key_value(type_name);
        let (Some((type_name, _)), Some(number)) = (definition, number) else {
            return Err(format!("there is no entity {reference}"));
        };
        let node = Self::new(schema, type_name.as_str(), number);
        for (name, told) in reference
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(name, _)| *name != "__typename")
        {
            let field = schema.type_field(type_name, name);
            let field = field.map_err(|_| format!("{type_name} has no field {name}"))?;
            let known = node.leaf(&field.ty, name, seed(type_name, number, name, &[]));
            if known.as_ref() != Some(told) {
                return Err(format!("{name} of {type_name} {number} is {known:?}, not {told}"));
            }
        }
        Ok(node)
    }

    /// What a field without lists and objects holds.
    fn leaf(&self, ty: &Type, name: &str, seed: u64) -> Option<Value> {
        if !ty.is_non_null() && is_null(seed) {
            return Some(Value::Null);
        }
        if name == "id" && ENTITIES.contains(&self.type_name) {
            return Some(json!(self.number.to_string()));
        }
        let inner = ty.inner_named_type();
        Some(match (inner.as_str(), self.schema.types.get(inner)?) {
            ("Int", _) => json!(seed % 1_000),
            ("Float", _) => json!((seed % 1_000) as f64 / 4.0),
            ("Boolean", _) => json!(seed.is_multiple_of(2)),
            ("String" | "ID", _) => json!(format!("{name} \"{}\"\u{e9}", seed % 100)),
            (_, ExtendedType::Enum(definition)) => {
                let values = definition.values.len() as u64;
                let value = definition.values.keys().nth((seed % values.max(1)) as usize)?;
                json!(value.as_str())
            }
            (_, ExtendedType::Scalar(_)) => json!({"any": [seed % 10, null]}),
            _ => return None,
        })
    }

    fn value(&self, ty: &Type, name: &str, seed: u64) -> ResolvedValue<'s> {
        let is_list = ty.is_list();
        if !is_list && let Some(leaf) = self.leaf(ty, name, seed) {
            return ResolvedValue::leaf(leaf);
        }
        if !ty.is_non_null() && is_null(seed) {
            return ResolvedValue::null();
        }
        if is_list {
            // Below the root short ones: fields of lists of fields of lists would become too many.
            let longest = if self.number == 0 { 4 } else { 2 };
            let items: Vec<_> = (0..(seed / 8) % longest)
                .map(|number| Ok(self.value(ty.item_type(), name, mixed(seed, number))))
                .collect();
            return ResolvedValue::List(Box::new(items.into_iter()));
        }
        match self.concrete(ty, seed) {
            Some(type_name) => ResolvedValue::object(Node::new(self.schema, type_name, seed)),
            None => ResolvedValue::null(),
        }
    }

    /// The object type that a value is of.
    fn concrete(&self, ty: &Type, seed: u64) -> Option<&'s str> {
        let (name, definition) = self.schema.types.get_key_value(ty.inner_named_type())?;
        let mut possible: Vec<&str> = match definition {
            ExtendedType::Object(_) => return Some(name.as_str()),
            ExtendedType::Union(union) => union.members.iter().map(|member| member.name.as_str()).collect(),
            _ => {
                let objects = self.schema.types.iter();
                let objects =
                    objects.filter_map(|(other, definition)| Some((other, definition.as_object()?)));
                let of_it = objects.filter(|(_, object)| object.implements_interfaces.contains(name));
                of_it.map(|(other, _)| other.as_str()).collect()
            }
        };
        possible.sort_unstable();
        let place = (seed / 16) % (possible.len() as u64).max(1);
        possible.get(place as usize).copied()
    }
}

impl ObjectValue for Node<'_> {
    fn type_name(&self) -> &str {
        self.type_name
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        if let Some(fault) = &self.fault {
            return Err(FieldError {
                message: fault.clone(),
            });
        }
        let name = info.field_name();
        let arguments = serde_json::to_value(info.arguments()).unwrap_or_default();
        if name == "_entities" {
            let references = arguments["representations"]
                .as_array()
                .cloned()
                .unwrap_or_default();
            let found = references.into_iter().map(|reference| {
                let node = Node::referred(self.schema, &reference);
                node.map(ResolvedValue::object)
                    .map_err(|message| FieldError { message })
            });
            return Ok(ResolvedValue::List(Box::new(found)));
        }
        let mut given = Vec::new();
        for (argument, value) in arguments.as_object().into_iter().flatten() {
            given.push(format!("{argument}:{}", plain(value)));
        }
        given.sort();
        let seed = seed(self.type_name, self.number, name, &given);
        Ok(self.value(&info.field_definition().ty, name, seed))
    }
}

/// Numbers are written in several ways, and so are ids.
fn plain(value: &Value) -> String {
    match value {
        Value::Number(number) => number.as_f64().unwrap_or_default().to_string(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(|item| format!("[{}]", plain(item))).collect(),
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields
                .iter()
                .map(|(name, value)| format!("{{{name}:{}}}", plain(value)))
                .collect();
            fields.sort();
            fields.concat()
        }
        value => value.to_string(),
    }
}

fn seed(type_name: &str, number: u64, field: &str, arguments: &[String]) -> u64 {
    // What no argument is given for has its default, and means the same as where no argument is known.
    let mut hasher = DefaultHasher::new();
    (type_name, number, field, arguments).hash(&mut hasher);
    hasher.finish()
}

fn mixed(seed: u64, number: u64) -> u64 {
    let mut hasher = DefaultHasher::new();
    (seed, number).hash(&mut hasher);
    hasher.finish()
}

fn is_null(seed: u64) -> bool {
    (seed / 4).is_multiple_of(9)
}
