//! The input types that endpoints use, in a form that values are checked against without the schema.

use std::collections::HashMap;

use apollo_compiler::Schema;
use apollo_compiler::ast::Type;
use apollo_compiler::schema::ExtendedType;
use indexmap::IndexMap;
use serde_json::{Map, Number, Value};

use super::rule::{Expected, Issue, Rule, Step};

/// So many issues are told at the most, whatever a hostile body holds.
pub(super) const MOST_ISSUES: usize = 100;

/// All input types in use, by number.
#[derive(Debug, Default)]
pub(super) struct Inputs {
    types: Vec<Named>,
    by_name: HashMap<String, usize>,
}

/// A type with its lists and nullability.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ty {
    Named { index: usize, nullable: bool },
    List { item: Box<Self>, nullable: bool },
}

/// A named input type.
#[derive(Debug)]
pub(super) enum Named {
    Int,
    Float,
    Boolean,
    String,
    Id,
    /// Checked by the subgraph that owns the scalar.
    Custom,
    Enum(Vec<String>),
    Object(Object),
}

/// An input object.
#[derive(Debug)]
pub(super) struct Object {
    pub(super) fields: IndexMap<String, Field>,
    /// Of its fields exactly one is given (`@oneOf`).
    pub(super) one_of: bool,
}

/// A field of an input object.
#[derive(Debug, Clone)]
pub(super) struct Field {
    pub(super) ty: Ty,
    pub(super) required: bool,
}

impl Ty {
    pub(super) fn is_nullable(&self) -> bool {
        match self {
            Self::Named { nullable, .. } | Self::List { nullable, .. } => *nullable,
        }
    }
}

impl Inputs {
    /// The type in this table, with everything that it refers to. `None` where it is no input type of the schema.
    pub(super) fn resolve(&mut self, schema: &Schema, ty: &Type) -> Option<Ty> {
        Some(match ty {
            Type::Named(name) | Type::NonNullNamed(name) => Ty::Named {
                index: self.named(schema, name)?,
                nullable: !ty.is_non_null(),
            },
            Type::List(item) | Type::NonNullList(item) => Ty::List {
                item: Box::new(self.resolve(schema, item)?),
                nullable: !ty.is_non_null(),
            },
        })
    }

    /// The type with that number.
    pub(super) fn get(&self, index: usize) -> &Named {
        // Numbers are only made by `resolve` of the same table.
        &self.types[index]
    }

    /// The input object that a type is, lists not looked into.
    pub(super) fn object(&self, ty: &Ty) -> Option<&Object> {
        match ty {
            Ty::Named { index, .. } => match self.get(*index) {
                Named::Object(object) => Some(object),
                _ => None,
            },
            Ty::List { .. } => None,
        }
    }

    fn named(&mut self, schema: &Schema, name: &str) -> Option<usize> {
        if let Some(index) = self.by_name.get(name) {
            return Some(*index);
        }
        let index = self.types.len();
        self.by_name.insert(name.to_owned(), index);
        // Holds the place while the fields, which may refer back to it, are resolved.
        self.types.push(Named::Custom);
        self.types[index] = match (name, schema.types.get(name)?) {
            ("Int", _) => Named::Int,
            ("Float", _) => Named::Float,
            ("Boolean", _) => Named::Boolean,
            ("String", _) => Named::String,
            ("ID", _) => Named::Id,
            (_, ExtendedType::Scalar(_)) => Named::Custom,
            (_, ExtendedType::Enum(definition)) => {
                Named::Enum(definition.values.keys().map(ToString::to_string).collect())
            }
            (_, ExtendedType::InputObject(definition)) => {
                let mut fields = IndexMap::new();
                for (field, definition) in &definition.fields {
                    let ty = self.resolve(schema, &definition.ty)?;
                    let required = definition.is_required();
                    fields.insert(field.to_string(), Field { ty, required });
                }
                Named::Object(Object {
                    fields,
                    one_of: definition.directives.has("oneOf"),
                })
            }
            _ => return None,
        };
        Some(index)
    }

    /// Checks a JSON value, and brings what JSON writes in several ways into one form. Every issue is told.
    pub(super) fn check(&self, value: &mut Value, ty: &Ty, path: &mut Vec<Step>, issues: &mut Vec<Issue>) {
        if issues.len() >= MOST_ISSUES {
            return;
        }
        let expected = match (ty, &mut *value) {
            (ty, Value::Null) if ty.is_nullable() => return,
            (_, Value::Null) => Expected::NotNull,
            (Ty::List { item, .. }, Value::Array(values)) => {
                for (index, value) in values.iter_mut().enumerate() {
                    path.push(Step::Index(index));
                    self.check(value, item, path, issues);
                    path.pop();
                }
                return;
            }
            (Ty::List { .. }, _) => Expected::List,
            (Ty::Named { index, .. }, value) => match self.check_named(value, self.get(*index), path, issues)
            {
                Ok(()) => return,
                Err(expected) => expected,
            },
        };
        push(issues, path, Rule::InvalidType(expected));
    }

    fn check_named(
        &self,
        value: &mut Value,
        named: &Named,
        path: &mut Vec<Step>,
        issues: &mut Vec<Issue>,
    ) -> Result<(), Expected> {
        match (named, &mut *value) {
            (Named::Int, Value::Number(number)) => {
                *value = Value::from(whole(number).ok_or(Expected::Int)?);
                Ok(())
            }
            (Named::Int, _) => Err(Expected::Int),
            (Named::Float, Value::Number(_))
            | (Named::Boolean, Value::Bool(_))
            | (Named::String, Value::String(_)) => Ok(()),
            (Named::Float, _) => Err(Expected::Float),
            (Named::Boolean, _) => Err(Expected::Boolean),
            (Named::String, _) => Err(Expected::String),
            (Named::Id, Value::String(_)) | (Named::Custom, _) => Ok(()),
            (Named::Id, Value::Number(number)) if number.is_i64() || number.is_u64() => {
                *value = Value::String(number.to_string());
                Ok(())
            }
            (Named::Id, _) => Err(Expected::Id),
            (Named::Enum(values), Value::String(text)) => {
                if !values.contains(text) {
                    push(issues, path, Rule::UnknownValue(values.clone()));
                }
                Ok(())
            }
            (Named::Enum(_), _) => Err(Expected::String),
            (Named::Object(object), Value::Object(fields)) => {
                self.check_object(fields, object, path, issues);
                Ok(())
            }
            (Named::Object(_), _) => Err(Expected::Object),
        }
    }

    fn check_object(
        &self,
        given: &mut Map<String, Value>,
        object: &Object,
        path: &mut Vec<Step>,
        issues: &mut Vec<Issue>,
    ) {
        for (name, value) in given.iter_mut() {
            path.push(Step::Field(name.clone()));
            match object.fields.get(name) {
                Some(field) => self.check(value, &field.ty, path, issues),
                None => push(issues, path, Rule::UnknownField),
            }
            path.pop();
        }
        for (name, _) in object
            .fields
            .iter()
            .filter(|(name, field)| field.required && !given.contains_key(*name))
        {
            path.push(Step::Field(name.clone()));
            push(issues, path, Rule::Required);
            path.pop();
        }
        if object.one_of && (given.len() != 1 || given.values().any(Value::is_null)) {
            push(issues, path, Rule::ExactlyOneField);
        }
    }

    /// The value that a text of a path or a query string means.
    pub(super) fn parse(&self, text: &str, index: usize) -> Result<Value, Rule> {
        let read = match self.get(index) {
            Named::Int => text.parse::<i32>().map(Value::from).map_err(|_| Expected::Int),
            Named::Float => {
                let number = text.parse::<f64>().ok().and_then(Number::from_f64);
                number.map(Value::Number).ok_or(Expected::Float)
            }
            Named::Boolean => text
                .parse::<bool>()
                .map(Value::Bool)
                .map_err(|_| Expected::Boolean),
            Named::Enum(values) if !values.iter().any(|value| value == text) => {
                return Err(Rule::UnknownValue(values.clone()));
            }
            Named::String | Named::Id | Named::Custom | Named::Enum(_) => Ok(Value::from(text)),
            Named::Object(_) => Err(Expected::Object),
        };
        read.map_err(Rule::InvalidType)
    }
}

/// A number as GraphQL's `Int`, which `1.0` is too.
fn whole(number: &Number) -> Option<i32> {
    if let Some(number) = number.as_i64() {
        return i32::try_from(number).ok();
    }
    let number = number.as_f64()?;
    let fits = number.fract() == 0.0 && number >= f64::from(i32::MIN) && number <= f64::from(i32::MAX);
    #[expect(clippy::cast_possible_truncation, reason = "it was just seen to fit")]
    fits.then_some(number as i32)
}

fn push(issues: &mut Vec<Issue>, path: &[Step], rule: Rule) {
    if issues.len() < MOST_ISSUES {
        issues.push(Issue {
            path: path.to_vec(),
            parameter: None,
            rule,
        });
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SCHEMA: &str = "
        type Query { create(input: CreateHabit!): Int }
        input CreateHabit { title: String! goal: Goal days: [Int!] kind: Kind = DAILY score: Float parent: CreateHabit id: ID when: Date }
        input Goal @oneOf { minutes: Int times: Int }
        enum Kind { DAILY WEEKLY }
        scalar Date
        directive @oneOf on INPUT_OBJECT";

    fn checked(mut value: Value) -> (Value, Vec<String>) {
        let schema = Schema::parse_and_validate(SCHEMA, "schema.graphql").expect("a schema");
        let mut inputs = Inputs::default();
        let ty = Type::parse("CreateHabit!", "type").expect("a type");
        let ty = inputs.resolve(&schema, &ty).expect("an input type");
        let (mut path, mut issues) = (vec![Step::Field("input".to_owned())], Vec::new());
        inputs.check(&mut value, &ty, &mut path, &mut issues);
        let told = issues.iter().map(|issue| {
            let issue = issue.to_json(kernel::Locale::En);
            format!("{} {}", issue["path"], issue["code"])
        });
        (value, told.collect())
    }

    #[test]
    fn a_right_body_passes_and_is_brought_into_one_form() {
        let body = json!({ "title": "Read", "days": [1, 2.0], "id": 7, "when": "2026-03-01", "goal": { "times": 3 }, "parent": null });
        let (value, issues) = checked(body);
        assert_eq!(issues, Vec::<String>::new());
        assert_eq!(value["days"], json!([1, 2]));
        assert_eq!(value["id"], json!("7"));
    }

    #[test]
    fn everything_wrong_is_told_at_once_with_its_place() {
        let body = json!({
            "days": [1, "2", null, 3_000_000_000_u64], "kind": "YEARLY", "goal": {}, "score": "1", "colour": "red",
            "parent": { "title": 5 }
        });
        let (_, mut issues) = checked(body);
        issues.sort();
        assert_eq!(
            issues,
            [
                r#"["input","colour"] "UNKNOWN_FIELD""#,
                r#"["input","days",1] "INVALID_TYPE""#,
                r#"["input","days",2] "INVALID_TYPE""#,
                r#"["input","days",3] "INVALID_TYPE""#,
                r#"["input","goal"] "EXACTLY_ONE_FIELD""#,
                r#"["input","kind"] "UNKNOWN_VALUE""#,
                r#"["input","parent","title"] "INVALID_TYPE""#,
                r#"["input","score"] "INVALID_TYPE""#,
                r#"["input","title"] "REQUIRED""#,
            ]
        );
    }

    #[test]
    fn a_body_full_of_errors_is_answered_with_a_bounded_list() {
        let days: Vec<Value> = (0..10_000).map(|_| json!("x")).collect();
        let (_, issues) = checked(json!({ "title": "x", "days": days }));
        assert_eq!(issues.len(), MOST_ISSUES);
    }
}
