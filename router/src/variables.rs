//! Variables by the rules of the GraphQL specification (CoerceVariableValues), with every fault at once.

use apollo_compiler::Schema;
use apollo_compiler::ast::{Type, Value as Literal};
use apollo_compiler::executable::Operation;
use apollo_compiler::schema::{ExtendedType, InputObjectType};
use kernel::ErrorCode;
use serde_json::{Map, Number, Value, json};

use crate::error::{GraphQlError, Location, PathSegment};

/// At most so many faults are listed.
const MAX_ISSUES: usize = 50;

/// Deeper values are refused; guards the stack.
const MAX_DEPTH: usize = 64;

/// The values that an operation runs with: given ones coerced, defaults for the others.
///
/// # Errors
/// One for every variable that is wrong, with `extensions.issues` naming each bad place.
pub(crate) fn coerce(
    schema: &Schema,
    operation: &Operation,
    sources: &apollo_compiler::parser::SourceMap,
    mut given: Map<String, Value>,
) -> Result<Map<String, Value>, Vec<GraphQlError>> {
    let mut values = Map::new();
    let mut errors = Vec::new();
    for definition in &operation.variables {
        let name = definition.name.as_str();
        let mut coercion = Coercion {
            schema,
            issues: Vec::new(),
            path: vec![name.into()],
        };
        match given.remove(name) {
            Some(value) => {
                let value = coercion.value(&definition.ty, value);
                values.insert(name.to_owned(), value);
            }
            None => match &definition.default_value {
                Some(default) => {
                    values.insert(name.to_owned(), literal(default));
                }
                None if definition.ty.is_non_null() => {
                    coercion.issue(
                        "REQUIRED",
                        format!("a value of type {} is required", definition.ty),
                    );
                }
                None => {}
            },
        }
        if let Some(issue) = coercion.issues.first() {
            let mut error = GraphQlError::new(
                ErrorCode::BadUserInput,
                format!(
                    "variable ${name}: {}",
                    issue["message"].as_str().unwrap_or_default()
                ),
            )
            .with("variable", name)
            .with("issues", coercion.issues);
            let place = definition.name.line_column_range(sources);
            error.locations.extend(place.map(|place| Location {
                line: place.start.line,
                column: place.start.column,
            }));
            errors.push(error);
        }
    }
    if errors.is_empty() {
        Ok(values)
    } else {
        Err(errors)
    }
}

/// A literal without variables as JSON.
pub(crate) fn literal(literal: &Literal) -> Value {
    match literal {
        Literal::Null | Literal::Variable(_) => Value::Null,
        Literal::Enum(name) => name.as_str().into(),
        Literal::String(text) => text.as_str().into(),
        Literal::Boolean(value) => (*value).into(),
        Literal::Int(number) => number
            .as_str()
            .parse::<Number>()
            .map_or(Value::Null, Value::Number),
        Literal::Float(number) => number
            .as_str()
            .parse::<Number>()
            .map_or(Value::Null, Value::Number),
        Literal::List(items) => items.iter().map(|item| self::literal(item)).collect(),
        Literal::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.to_string(), self::literal(value)))
            .collect::<Map<_, _>>()
            .into(),
    }
}

struct Coercion<'s> {
    schema: &'s Schema,
    issues: Vec<Value>,
    path: Vec<PathSegment>,
}

impl Coercion<'_> {
    fn issue(&mut self, code: &str, message: String) -> Value {
        if self.issues.len() < MAX_ISSUES {
            self.issues
                .push(json!({"path": self.path, "code": code, "message": message}));
        }
        Value::Null
    }

    fn below(&mut self, segment: impl Into<PathSegment>, ty: &Type, value: Value) -> Value {
        self.path.push(segment.into());
        let value = self.value(ty, value);
        self.path.pop();
        value
    }

    fn value(&mut self, ty: &Type, value: Value) -> Value {
        if self.path.len() > MAX_DEPTH {
            return self.issue("TOO_DEEP", "the value is nested too deep".to_owned());
        }
        if value.is_null() {
            return match ty.is_non_null() {
                true => self.issue("REQUIRED", format!("null is not a value of type {ty}")),
                false => Value::Null,
            };
        }
        match ty {
            Type::List(item) | Type::NonNullList(item) => match value {
                Value::Array(items) => {
                    let items = items.into_iter().enumerate();
                    items
                        .map(|(index, value)| self.below(index, item, value))
                        .collect()
                }
                // By the specification one value stands for the list of it.
                single => Value::Array(vec![self.value(item, single)]),
            },
            Type::Named(name) | Type::NonNullNamed(name) => match self.schema.types.get(name) {
                Some(ExtendedType::Enum(definition)) => match value.as_str() {
                    Some(text) if definition.values.contains_key(text) => value,
                    _ => self.issue("INVALID_ENUM_VALUE", format!("{value} is not a value of {name}")),
                },
                Some(ExtendedType::InputObject(definition)) => {
                    let definition = definition.clone();
                    self.object(&definition, value)
                }
                _ => self.scalar(name, value),
            },
        }
    }

    fn scalar(&mut self, name: &str, value: Value) -> Value {
        let integral = |value: &Value| match value.as_i64() {
            Some(number) => Some(number),
            // 1.0 is an integer in JSON.
            None => value
                .as_f64()
                .filter(|f| f.fract() == 0.0 && f.abs() < 1e15)
                .map(|f| f as i64),
        };
        match name {
            "Int" => match integral(&value).and_then(|number| i32::try_from(number).ok()) {
                Some(number) => number.into(),
                None => self.issue("INVALID_TYPE", format!("{value} is not a 32-bit integer")),
            },
            "Float" if !value.is_number() => self.issue("INVALID_TYPE", format!("{value} is not a number")),
            "String" if !value.is_string() => self.issue("INVALID_TYPE", format!("{value} is not a string")),
            "Boolean" if !value.is_boolean() => {
                self.issue("INVALID_TYPE", format!("{value} is not a boolean"))
            }
            "ID" => match value {
                Value::String(_) => value,
                Value::Number(number) if number.is_i64() || number.is_u64() => number.to_string().into(),
                _ => self.issue("INVALID_TYPE", format!("{value} is not an ID")),
            },
            _ => value,
        }
    }

    fn object(&mut self, definition: &InputObjectType, value: Value) -> Value {
        let Value::Object(mut given) = value else {
            return self.issue(
                "INVALID_TYPE",
                format!("{value} is not an object of type {}", definition.name),
            );
        };
        let mut object = Map::new();
        for (name, field) in &definition.fields {
            match given.remove(name.as_str()) {
                Some(value) => {
                    let value = self.below(name.as_str(), &field.ty, value);
                    object.insert(name.to_string(), value);
                }
                None if field.is_required() => {
                    self.path.push(name.as_str().into());
                    self.issue("REQUIRED", format!("a value of type {} is required", field.ty));
                    self.path.pop();
                }
                None => {}
            }
        }
        for unknown in given.keys() {
            self.path.push(unknown.as_str().into());
            self.issue(
                "UNKNOWN_FIELD",
                format!("{} has no field `{unknown}`", definition.name),
            );
            self.path.pop();
        }
        let one = object.len() == 1 && object.values().all(|value| !value.is_null());
        if definition.directives.has("oneOf") && !one {
            return self.issue("ONE_OF", format!("{} takes exactly one field", definition.name));
        }
        object.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use apollo_compiler::executable::ExecutableDocument;

    const SCHEMA: &str = r#"
        directive @oneOf on INPUT_OBJECT
        type Query { a(i: Habit, n: Int, ids: [ID!], by: By, f: Float): Int }
        input Habit { title: String! days: [Day!]! = [MON] goal: Goal }
        input Goal { value: Int! unit: String }
        input By @oneOf { id: ID name: String }
        enum Day { MON TUE }
    "#;

    fn run(declared: &str, given: Value) -> Result<Value, Vec<Value>> {
        let schema = Schema::parse_and_validate(SCHEMA, "s").expect("a schema");
        let text = format!("query({declared}) {{ __typename }}");
        let document = ExecutableDocument::parse(&schema, text, "q").expect("a document");
        let operation = document.operations.get(None).expect("an operation");
        let given = given.as_object().cloned().unwrap_or_default();
        let values = coerce(&schema, operation, &document.sources, given);
        values.map(Value::Object).map_err(|errors| {
            let issues = errors
                .iter()
                .filter_map(|error| error.extensions["issues"].as_array());
            issues
                .flatten()
                .map(|issue| json!([issue["path"], issue["code"]]))
                .collect()
        })
    }

    #[test]
    fn values_are_brought_to_their_type() {
        let given = json!({"n": 3.0, "ids": 7, "i": {"title": "Read"}, "x": 1});
        let expected = json!({"n": 3, "ids": ["7"], "i": {"title": "Read"}, "d": ["TUE"]});
        assert_eq!(
            run(
                "$n: Int, $ids: [ID!], $i: Habit, $d: [Day!] = [TUE], $f: Float",
                given
            ),
            Ok(expected)
        );
    }

    #[test]
    fn every_fault_is_named_with_its_place() {
        let given = json!({"i": {"goal": {"value": "x"}, "days": ["SUN", null], "more": 1}, "by": {"id": 1, "name": "a"}});
        let issues = run("$i: Habit, $by: By, $n: Int!", given).expect_err("faults");
        insta::assert_snapshot!(Value::from(issues).to_string(), @r#"[[["i","title"],"REQUIRED"],[["i","days",0],"INVALID_ENUM_VALUE"],[["i","days",1],"REQUIRED"],[["i","goal","value"],"INVALID_TYPE"],[["i","more"],"UNKNOWN_FIELD"],[["by"],"ONE_OF"],[["n"],"REQUIRED"]]"#);
    }
}
