//! JSON schemas of what endpoints take and give.

use std::collections::{BTreeMap, BTreeSet};

use apollo_compiler::ast::{InputValueDefinition, Type};
use apollo_compiler::executable::{Field, Fragment, Selection, SelectionSet};
use apollo_compiler::schema::{EnumType, ExtendedType, InputObjectType};
use apollo_compiler::{ExecutableDocument, Node, Schema};

use super::examples::Examples;
use super::json::{Json, Object};
use crate::rest::text::unwrapped;

/// Names that the document needs for itself.
pub(super) const PROBLEM: &str = "Problem";
pub(super) const PROBLEM_ISSUE: &str = "ProblemIssue";

/// Builds schemas, and collects those that have names.
pub(super) struct Schemas<'s> {
    pub(super) schema: &'s Schema,
    pub(super) named: BTreeMap<String, Json>,
    /// The fragments of all endpoints, for names that do not clash.
    fragments: BTreeSet<String>,
}

/// A field of the answer, with everything that is selected under its key.
struct Selected<'d> {
    key: String,
    field: &'d Node<Field>,
    sets: Vec<&'d SelectionSet>,
    /// Whether it is always there.
    always: bool,
}

impl<'s> Schemas<'s> {
    pub(super) fn new(schema: &'s Schema, fragments: BTreeSet<String>) -> Self {
        Self {
            schema,
            named: BTreeMap::new(),
            fragments,
        }
    }

    /// The schema of an input type.
    pub(super) fn input(&mut self, ty: &Type) -> Json {
        match ty {
            Type::List(item) | Type::NonNullList(item) => array(self.input(item), !ty.is_non_null()),
            Type::Named(name) | Type::NonNullNamed(name) => {
                let nullable = !ty.is_non_null();
                match self.schema.types.get(name) {
                    Some(ExtendedType::InputObject(definition)) => {
                        self.input_object(definition);
                        reference(name, nullable)
                    }
                    Some(ExtendedType::Enum(definition)) => {
                        self.enumeration(definition);
                        reference(name, nullable)
                    }
                    _ => scalar(name, nullable),
                }
            }
        }
    }

    /// The properties of an object made of input fields, and the names of those that must be there.
    pub(super) fn properties<'d>(
        &mut self,
        fields: impl Iterator<Item = &'d InputValueDefinition>,
    ) -> (Object, Vec<String>) {
        let mut properties = Object::new();
        let mut required = Vec::new();
        for field in fields {
            let mut property = described(self.input(&field.ty), field.description.as_deref());
            if let Json::Object(property) = &mut property {
                if let Some(default) = &field.default_value {
                    property.push("default", Json::from_literal(default));
                }
                if field.directives.has("deprecated") {
                    property.push("deprecated", true);
                }
            }
            properties.push(field.name.as_str(), property);
            if field.is_required() {
                required.push(field.name.to_string());
            }
        }
        (properties, required)
    }

    fn input_object(&mut self, definition: &InputObjectType) {
        if self.named.contains_key(definition.name.as_str()) {
            return;
        }
        // Holds the place while the fields, which may refer back to it, are made.
        self.named.insert(definition.name.to_string(), Json::Null);
        let (properties, required) = self.properties(definition.fields.values().map(|field| &*field.node));
        let mut object = Object::new()
            .with("type", "object")
            .with_some("description", definition.description.as_deref().map(unwrapped))
            .with("properties", properties)
            .with_some("required", (!required.is_empty()).then_some(required))
            .with("additionalProperties", false);
        if definition.directives.has("oneOf") {
            object.push("minProperties", 1);
            object.push("maxProperties", 1);
        }
        self.named.insert(definition.name.to_string(), object.into());
    }

    fn enumeration(&mut self, definition: &EnumType) {
        if self.named.contains_key(definition.name.as_str()) {
            return;
        }
        let mut description = definition
            .description
            .as_deref()
            .map(unwrapped)
            .unwrap_or_default();
        for value in definition.values.values() {
            if let Some(meaning) = value.description.as_deref() {
                let lines = if description.contains("\n- ") {
                    "\n"
                } else {
                    "\n\n"
                };
                description.push_str(&format!("{lines}- `{}`: {}", value.value, unwrapped(meaning)));
            }
        }
        let values: Vec<&str> = definition.values.keys().map(|name| name.as_str()).collect();
        let schema = Object::new()
            .with("type", "string")
            .with_some(
                "description",
                Some(description.trim_start()).filter(|text| !text.is_empty()),
            )
            .with("enum", values);
        self.named.insert(definition.name.to_string(), schema.into());
    }

    /// The schema of what a field's type and selection give.
    pub(super) fn output(
        &mut self,
        document: &ExecutableDocument,
        ty: &Type,
        sets: &[&SelectionSet],
    ) -> Json {
        match ty {
            Type::List(item) | Type::NonNullList(item) => {
                array(self.output(document, item, sets), !ty.is_non_null())
            }
            Type::Named(name) | Type::NonNullNamed(name) => {
                let nullable = !ty.is_non_null();
                match self.schema.types.get(name) {
                    Some(ExtendedType::Object(_)) => maybe_null(self.object(document, name, sets), nullable),
                    Some(ExtendedType::Interface(_) | ExtendedType::Union(_)) => {
                        maybe_null(self.variants(document, name, sets), nullable)
                    }
                    Some(ExtendedType::Enum(definition)) => {
                        self.enumeration(definition);
                        reference(name, nullable)
                    }
                    _ => scalar(name, nullable),
                }
            }
        }
    }

    /// One schema for each object type behind an interface or a union.
    fn variants(&mut self, document: &ExecutableDocument, name: &str, sets: &[&SelectionSet]) -> Json {
        let mut variants: Vec<Json> = Vec::new();
        for possible in possible_types(self.schema, name) {
            let variant = self.object(document, &possible, sets);
            if !variants.contains(&variant) {
                variants.push(variant);
            }
        }
        match variants.len() {
            1 => variants.remove(0),
            _ => Object::new().with("anyOf", variants).into(),
        }
    }

    fn object(&mut self, document: &ExecutableDocument, ty: &str, sets: &[&SelectionSet]) -> Json {
        // Fragments that are selected whole keep their names.
        let mut whole: Vec<&Node<Fragment>> = Vec::new();
        let mut rest = Vec::new();
        for selection in sets.iter().flat_map(|set| &set.selections) {
            match selection {
                Selection::FragmentSpread(spread) if spread.directives.is_empty() => {
                    let fragment = spread
                        .fragment_def(document)
                        .filter(|fragment| fragment.type_condition() == ty);
                    match fragment {
                        Some(fragment) if whole.iter().any(|other| other.name == fragment.name) => {}
                        Some(fragment) => whole.push(fragment),
                        None => rest.push(selection),
                    }
                }
                selection => rest.push(selection),
            }
        }
        let mut parts: Vec<Json> = Vec::new();
        for fragment in whole {
            parts.push(reference(&self.fragment(document, fragment), false));
        }
        if !rest.is_empty() || parts.is_empty() {
            parts.push(self.inline(document, ty, &rest));
        }
        match parts.len() {
            1 => parts.remove(0),
            _ => Object::new().with("allOf", parts).into(),
        }
    }

    /// The name of a fragment's schema, which is made if it is not there yet.
    fn fragment(&mut self, document: &ExecutableDocument, fragment: &Fragment) -> String {
        let name = self.fragment_name(&fragment.name);
        if !self.named.contains_key(&name) {
            let ty = fragment.type_condition().as_str();
            let schema = self.object(document, ty, &[&fragment.selection_set]);
            let definition = self.schema.types.get(ty);
            let description = definition
                .and_then(|definition| definition.description())
                .map(|text| &**text);
            self.named.insert(name.clone(), described(schema, description));
        }
        name
    }

    /// `HabitFields` is `Habit` for those who know nothing of fragments, unless something else has that name.
    fn fragment_name(&self, fragment: &str) -> String {
        let is_input = |name: &str| {
            let ty = self.schema.types.get(name);
            matches!(ty, Some(ExtendedType::Enum(_) | ExtendedType::InputObject(_)))
        };
        let is_free = |name: &str| !is_input(name) && name != PROBLEM && name != PROBLEM_ISSUE;
        match fragment.strip_suffix("Fields") {
            Some(short) if !short.is_empty() && is_free(short) && !self.fragments.contains(short) => {
                short.to_owned()
            }
            _ if is_free(fragment) => fragment.to_owned(),
            _ => format!("{fragment}Output"),
        }
    }

    fn inline(&mut self, document: &ExecutableDocument, ty: &str, selections: &[&Selection]) -> Json {
        let mut fields = Vec::new();
        self.collect(document, ty, selections, true, &mut fields);
        let mut properties = Object::new();
        let mut required = Vec::new();
        for selected in fields {
            properties.push(selected.key.as_str(), self.property(document, ty, &selected));
            if selected.always {
                required.push(selected.key);
            }
        }
        let object = Object::new()
            .with("type", "object")
            .with("properties", properties);
        object
            .with_some("required", (!required.is_empty()).then_some(required))
            .into()
    }

    fn property(&mut self, document: &ExecutableDocument, ty: &str, selected: &Selected<'_>) -> Json {
        let field = selected.field;
        if field.name == "__typename" {
            return Object::new().with("type", "string").with("const", ty).into();
        }
        let schema = self.output(document, field.ty(), &selected.sets);
        let mut schema = described(schema, field.definition.description.as_deref());
        if let (Json::Object(schema), true) = (&mut schema, field.definition.directives.has("deprecated")) {
            schema.push("deprecated", true);
        }
        schema
    }

    /// The fields that an object of that type gets, by key.
    fn collect<'d>(
        &self,
        document: &'d ExecutableDocument,
        ty: &str,
        selections: &[&'d Selection],
        always: bool,
        fields: &mut Vec<Selected<'d>>,
    ) {
        for selection in selections {
            let always = always && selection.directives().is_empty();
            let (condition, set) = match selection {
                Selection::Field(field) => {
                    add(fields, field, always);
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
                let selections: Vec<&Selection> = set.selections.iter().collect();
                self.collect(document, ty, &selections, always, fields);
            }
        }
    }
}

fn add<'d>(fields: &mut Vec<Selected<'d>>, field: &'d Node<Field>, always: bool) {
    let key = field.response_key().as_str();
    if let Some(known) = fields.iter_mut().find(|known| known.key == key) {
        known.sets.push(&field.selection_set);
        known.always |= always;
        return;
    }
    fields.push(Selected {
        key: key.to_owned(),
        field,
        sets: vec![&field.selection_set],
        always,
    });
}

/// The object types behind a type, itself if it is one.
pub(super) fn possible_types(schema: &Schema, name: &str) -> Vec<String> {
    match schema.types.get(name) {
        Some(ExtendedType::Object(_)) => vec![name.to_owned()],
        Some(ExtendedType::Union(union)) => union
            .members
            .iter()
            .map(|member| member.name.to_string())
            .collect(),
        Some(ExtendedType::Interface(_)) => {
            let objects = schema.types.values().filter_map(|ty| ty.as_object());
            let objects = objects.filter(|object| {
                object
                    .implements_interfaces
                    .iter()
                    .any(|other| other.name == name)
            });
            objects.map(|object| object.name.to_string()).collect()
        }
        _ => Vec::new(),
    }
}

/// The schema of a scalar. Beside the built-in ones those are known that APIs commonly define; any other may be
/// anything.
fn scalar(name: &str, nullable: bool) -> Json {
    let (ty, extra): (&str, Option<(&str, &str)>) = match name {
        "Int" => ("integer", Some(("format", "int32"))),
        "Float" => ("number", Some(("format", "double"))),
        "Boolean" => ("boolean", None),
        "ID" | "String" | "TimeZone" => ("string", None),
        "DateTime" => ("string", Some(("format", "date-time"))),
        "Date" => ("string", Some(("format", "date"))),
        "TimeOfDay" => ("string", Some(("pattern", "^([01][0-9]|2[0-3]):[0-5][0-9]$"))),
        "URL" | "Url" => ("string", Some(("format", "uri"))),
        _ => return Object::new().into(),
    };
    let schema = match nullable {
        true => Object::new().with("type", [ty, "null"]),
        false => Object::new().with("type", ty),
    };
    match extra {
        Some((name, value)) => schema.with(name, value).into(),
        None => schema.into(),
    }
}

fn array(items: Json, nullable: bool) -> Json {
    let schema = match nullable {
        true => Object::new().with("type", ["array", "null"]),
        false => Object::new().with("type", "array"),
    };
    schema.with("items", items).into()
}

fn reference(name: &str, nullable: bool) -> Json {
    let schema = Object::new().with("$ref", format!("#/components/schemas/{name}"));
    maybe_null(schema.into(), nullable)
}

fn maybe_null(schema: Json, nullable: bool) -> Json {
    if !nullable {
        return schema;
    }
    let null = Object::new().with("type", "null");
    Object::new().with("anyOf", [schema, null.into()]).into()
}

fn described(mut schema: Json, description: Option<&str>) -> Json {
    if let (Json::Object(schema), Some(description)) = (&mut schema, description) {
        schema.push("description", unwrapped(description));
    }
    schema
}

/// The schema of a parameter: like that of its type, but absent where a body would say null.
pub(super) fn parameter(schemas: &mut Schemas<'_>, ty: &Type, default: Option<Json>) -> Json {
    let mut schema = schemas.input(&ty.clone().non_null());
    if let (Json::Object(schema), Some(default)) =
        (&mut schema, default.filter(|default| *default != Json::Null))
    {
        schema.push("default", default);
    }
    schema
}

/// Examples for the same schema.
pub(super) fn examples<'s>(schemas: &Schemas<'s>) -> Examples<'s> {
    Examples::new(schemas.schema)
}
