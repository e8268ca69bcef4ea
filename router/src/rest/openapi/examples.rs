//! Examples, made from types, names and descriptions: always the same, and valid.

use apollo_compiler::ast::{InputValueDefinition, Type};
use apollo_compiler::executable::{Field, Selection, SelectionSet};
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::{ExecutableDocument, Node, Schema};

use super::json::{Json, Object};
use super::schemas::possible_types;
use crate::rest::text::words;

/// Fields of inputs that headers give as well; examples leave them to the headers.
const LEFT_OUT: [&str; 2] = ["idempotencyKey", "version"];

/// Makes examples.
pub(super) struct Examples<'s> {
    schema: &'s Schema,
}

/// What an example is for.
#[derive(Clone, Copy)]
struct Subject<'n> {
    /// The field or argument.
    name: &'n str,
    /// The type that the field is of, for ids.
    parent: &'n str,
    description: Option<&'n str>,
}

impl<'s> Examples<'s> {
    pub(super) fn new(schema: &'s Schema) -> Self {
        Self { schema }
    }

    /// An example of a parameter of an endpoint that answers with the type `parent`.
    pub(super) fn parameter(
        &self,
        name: &str,
        parent: &str,
        ty: &Type,
        description: Option<&str>,
    ) -> Option<Json> {
        let subject = Subject {
            name,
            parent,
            description,
        };
        self.input_value(subject, ty, &mut Vec::new())
    }

    /// An example of an input value.
    pub(super) fn input(&self, name: &str, ty: &Type, description: Option<&str>) -> Option<Json> {
        let subject = Subject {
            name,
            parent: ty.inner_named_type(),
            description,
        };
        self.input_value(subject, ty, &mut Vec::new())
    }

    /// An object of input fields.
    pub(super) fn fields<'d>(&self, fields: impl Iterator<Item = &'d InputValueDefinition>) -> Json {
        self.input_fields(fields, "", false, &mut Vec::new()).into()
    }

    fn input_value(&self, subject: Subject<'_>, ty: &Type, outer: &mut Vec<String>) -> Option<Json> {
        match ty {
            Type::List(item) | Type::NonNullList(item) => {
                let item = self.input_value(subject, item, outer)?;
                Some(Json::List(vec![item]))
            }
            Type::Named(name) | Type::NonNullNamed(name) => match self.schema.types.get(name)? {
                ExtendedType::InputObject(object) => {
                    // A type within itself ends the example.
                    if outer.iter().any(|other| other == name.as_str()) {
                        return None;
                    }
                    outer.push(name.to_string());
                    let fields = object.fields.values().map(|field| &*field.node);
                    let made = self.input_fields(fields, name, object.directives.has("oneOf"), outer);
                    outer.pop();
                    Some(made.into())
                }
                _ => self.leaf(subject, name),
            },
        }
    }

    fn input_fields<'d>(
        &self,
        fields: impl Iterator<Item = &'d InputValueDefinition>,
        parent: &str,
        one_of: bool,
        outer: &mut Vec<String>,
    ) -> Object {
        let mut object = Object::new();
        for field in fields {
            let optional = !field.is_required();
            if optional && (LEFT_OUT.contains(&field.name.as_str()) || field.directives.has("deprecated")) {
                continue;
            }
            let subject = Subject {
                name: &field.name,
                parent,
                description: field.description.as_deref(),
            };
            let default = field.default_value.as_ref().map(Json::from_literal);
            let default = default.filter(|default| *default != Json::Null);
            if let Some(value) = default.or_else(|| self.input_value(subject, &field.ty, outer)) {
                object.push(field.name.as_str(), value);
            }
            if one_of && !object.is_empty() {
                break;
            }
        }
        object
    }

    /// An example of an answer.
    pub(super) fn output(&self, document: &ExecutableDocument, field: &Node<Field>) -> Json {
        self.output_value(document, field, field.ty(), "", &[&field.selection_set])
    }

    /// An example of one item of a page.
    pub(super) fn item(&self, document: &ExecutableDocument, nodes: &Node<Field>) -> Json {
        self.output_value(
            document,
            nodes,
            nodes.ty().item_type(),
            "",
            &[&nodes.selection_set],
        )
    }

    fn output_value(
        &self,
        document: &ExecutableDocument,
        field: &Field,
        ty: &Type,
        parent: &str,
        sets: &[&SelectionSet],
    ) -> Json {
        match ty {
            Type::List(item) | Type::NonNullList(item) => {
                Json::List(vec![self.output_value(document, field, item, parent, sets)])
            }
            Type::Named(name) | Type::NonNullNamed(name) => {
                if let Some(object) = possible_types(self.schema, name).first() {
                    return self.output_object(document, object, sets);
                }
                let subject = Subject {
                    name: &field.name,
                    parent,
                    description: field.definition.description.as_deref(),
                };
                self.leaf(subject, name).unwrap_or(Json::Null)
            }
        }
    }

    fn output_object(&self, document: &ExecutableDocument, ty: &str, sets: &[&SelectionSet]) -> Json {
        let mut fields: Vec<(&str, &Node<Field>, Vec<&SelectionSet>)> = Vec::new();
        self.collect(document, ty, sets, &mut fields);
        let mut object = Object::new();
        for (key, field, sets) in fields {
            let value = match field.name.as_str() {
                "__typename" => Json::from(ty),
                _ => self.output_value(document, field, field.ty(), ty, &sets),
            };
            object.push(key, value);
        }
        object.into()
    }

    fn collect<'d>(
        &self,
        document: &'d ExecutableDocument,
        ty: &str,
        sets: &[&'d SelectionSet],
        fields: &mut Vec<(&'d str, &'d Node<Field>, Vec<&'d SelectionSet>)>,
    ) {
        for selection in sets.iter().flat_map(|set| &set.selections) {
            let (condition, set) = match selection {
                Selection::Field(field) => {
                    let key = field.response_key().as_str();
                    match fields.iter_mut().find(|(other, ..)| *other == key) {
                        Some((_, _, sets)) => sets.push(&field.selection_set),
                        None => fields.push((key, field, vec![&field.selection_set])),
                    }
                    continue;
                }
                Selection::InlineFragment(inline) => (inline.type_condition.as_ref(), &inline.selection_set),
                Selection::FragmentSpread(spread) => match spread.fragment_def(document) {
                    Some(fragment) => (Some(fragment.type_condition()), &fragment.selection_set),
                    None => continue,
                },
            };
            if condition.is_none_or(|condition| {
                possible_types(self.schema, condition)
                    .iter()
                    .any(|name| name == ty)
            }) {
                self.collect(document, ty, &[set], fields);
            }
        }
    }

    fn leaf(&self, subject: Subject<'_>, ty: &str) -> Option<Json> {
        if let Some(ExtendedType::Enum(definition)) = self.schema.types.get(ty) {
            let mut values = definition.values.values();
            let value = values.find(|value| !value.directives.has("deprecated"));
            return value.map(|value| Json::from(value.value.as_str()));
        }
        let told = subject
            .description
            .and_then(told_example)
            .and_then(|text| read(text, ty));
        Some(told.unwrap_or_else(|| scalar(subject, ty)))
    }
}

/// What a description calls an example: `` e.g. `08:00` ``, `` for example `08:00` ``, `` Example: `08:00` ``.
fn told_example(description: &str) -> Option<&str> {
    let starts = ["e.g. `", "or example `", "or example, `", "xample: `"];
    let start = starts
        .iter()
        .find_map(|start| Some(description.find(start)? + start.len()))?;
    description.get(start..)?.split('`').next()
}

/// A text as a value of a scalar, if it is one.
fn read(text: &str, ty: &str) -> Option<Json> {
    match ty {
        "Int" => text.parse::<i32>().ok().map(Json::from),
        "Float" => text
            .parse::<f64>()
            .ok()
            .and_then(serde_json::Number::from_f64)
            .map(Json::Number),
        "Boolean" => text.parse::<bool>().ok().map(Json::from),
        "ID" | "String" | "DateTime" | "Date" | "TimeOfDay" | "TimeZone" | "URL" => Some(Json::from(text)),
        _ => None,
    }
}

fn scalar(subject: Subject<'_>, ty: &str) -> Json {
    match ty {
        "Int" => Json::from(subject.description.and_then(lowest).unwrap_or(1)),
        "Float" => serde_json::Number::from_f64(0.5).map_or(Json::Null, Json::Number),
        "Boolean" => Json::from(true),
        "ID" => Json::from(id(subject)),
        "DateTime" => Json::from("2026-03-01T08:00:00.000Z"),
        "Date" => Json::from("2026-03-01"),
        "TimeOfDay" => Json::from("08:00"),
        "TimeZone" => Json::from("Asia/Shanghai"),
        "URL" | "Url" => Json::from(format!("https://example.com/{}", subject.name)),
        "String" => Json::from(words(subject.name)),
        _ => Object::new().into(),
    }
}

/// The lower end of a range such as `1–5` in a description.
fn lowest(description: &str) -> Option<i32> {
    let (before, after) = description.split_once('–')?;
    let digits = before.bytes().rev().take_while(u8::is_ascii_digit).count();
    let lowest = before.get(before.len() - digits..)?;
    after
        .starts_with(|letter: char| letter.is_ascii_digit())
        .then(|| lowest.parse().ok())?
}

/// The id of a thing is the same wherever an example names it: `Habit.id` and `habitId` agree.
fn id(subject: Subject<'_>) -> String {
    let thing = match subject.name {
        "id" | "ids" => subject.parent,
        name => name
            .strip_suffix("Ids")
            .or(name.strip_suffix("Id"))
            .unwrap_or(name),
    };
    // FNV-1a.
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in thing.to_ascii_lowercase().bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    let text = format!("{hash:016x}{:016x}", hash.rotate_left(29));
    text[..24].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_may_tell_examples_and_ranges() {
        assert_eq!(told_example("The zone, e.g. `Asia/Tokyo`."), Some("Asia/Tokyo"));
        assert_eq!(told_example("Example: `7`."), Some("7"));
        assert_eq!(told_example("No example here."), None);
        assert_eq!(lowest("How it felt, 1–5."), Some(1));
        assert_eq!(lowest("2026 – later"), None);
    }

    #[test]
    fn an_id_is_the_same_wherever_it_is_named() {
        let subject = |name, parent| Subject {
            name,
            parent,
            description: None,
        };
        assert_eq!(id(subject("id", "Habit")), id(subject("habitId", "CheckIn")));
        assert_eq!(id(subject("id", "Habit")).len(), 24);
        assert_ne!(id(subject("id", "Habit")), id(subject("id", "CheckIn")));
    }
}
