//! What the router answers itself: introspection, from the clients' schema (`__schema` and `__type` with everything below
//! them), and `rateLimit`.

use apollo_compiler::ast::{DirectiveDefinition, FieldDefinition, InputValueDefinition, Type, Value};
use apollo_compiler::schema::{EnumValueDefinition, ExtendedType};
use apollo_compiler::{Name, Node};
use serde_json::{Map, Value as Json};

use crate::rate_limit::{RateStanding, field};
use crate::response::{DATA, Response};
use crate::schema::Supergraph;
use crate::selection::{OutField, OutKind, OutType, Selections, Source};
use crate::variables;

/// Answers the introspection of one operation.
pub(crate) struct Introspection<'i> {
    pub(crate) supergraph: &'i Supergraph,
    pub(crate) selections: &'i Selections,
    pub(crate) variables: &'i Map<String, Json>,
    /// How the caller's rate limit stands.
    pub(crate) rate: Option<&'i RateStanding>,
}

/// What a field of the introspection types gives.
enum Meta<'m> {
    Null,
    Text(&'m str),
    Owned(String),
    Bool(bool),
    Int(u64),
    Object(Thing<'m>),
    List(Vec<Meta<'m>>),
}

/// An object of the introspection types.
#[derive(Clone, Copy)]
enum Thing<'m> {
    Schema,
    Named(&'m Name),
    /// A list or non-null type; of the latter what is within it, if so marked.
    Wrapped(&'m Type, bool),
    Field(&'m FieldDefinition),
    Input(&'m InputValueDefinition),
    EnumValue(&'m EnumValueDefinition),
    Directive(&'m DirectiveDefinition),
    RateLimit(&'m RateStanding),
}

impl<'i> Introspection<'i> {
    /// Writes the value of a root field.
    pub(crate) fn root(&self, field: &OutField, out: &mut Vec<u8>) {
        let Source::Introspection { field: name, .. } = &field.source else {
            return out.extend_from_slice(b"null");
        };
        let named = match self.argument(field, "name") {
            Some(Json::String(name)) => self
                .supergraph
                .api
                .types
                .get_key_value(name.as_str())
                .map(|(name, _)| name),
            _ => None,
        };
        let value = match (name.as_str(), named) {
            (field::FIELD, _) => {
                let standing = self.rate.map(Thing::RateLimit);
                standing.map_or(Meta::Null, Meta::Object)
            }
            ("__schema", _) => Meta::Object(Thing::Schema),
            (_, Some(name)) => Meta::Object(Thing::Named(name)),
            _ => Meta::Null,
        };
        self.write(&value, &field.ty, out);
    }

    /// Whether the operation only wants to know what it would cost.
    pub(crate) fn is_dry_run(&self) -> bool {
        let is_dry = |field: &OutField| {
            matches!(&field.source, Source::Introspection { field, .. } if field == field::FIELD)
                && self.argument(field, "dryRun") == Some(Json::Bool(true))
        };
        self.selections.root().fields(None).iter().any(is_dry)
    }

    /// The answer of which nothing is asked of a subgraph: what the router answers itself is all there is.
    pub(crate) fn answer(&self) -> Response {
        let mut out = DATA.to_vec();
        let start = out.len();
        let mut fields = Vec::new();
        out.push(b'{');
        let root = self.selections.root().fields(None).iter();
        for own in root.filter(|it| matches!(it.source, Source::Introspection { .. })) {
            if !fields.is_empty() {
                out.push(b',');
            }
            quote(&own.name, &mut out);
            out.push(b':');
            let at = out.len();
            self.root(own, &mut out);
            fields.push((own.name.clone(), at..out.len()));
        }
        out.push(b'}');
        let end = out.len();
        out.push(b'}');
        Response::executed(out.into(), start..end, fields, Vec::new())
    }

    fn write(&self, value: &Meta<'i>, ty: &OutType, out: &mut Vec<u8>) {
        match value {
            Meta::Null => out.extend_from_slice(b"null"),
            Meta::Bool(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
            // A GraphQL `Int` has 32 bits.
            Meta::Int(value) => out.extend_from_slice((*value).min(i32::MAX as u64).to_string().as_bytes()),
            Meta::Text(text) => quote(text, out),
            Meta::Owned(text) => quote(text, out),
            Meta::List(items) => {
                out.push(b'[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    match &ty.kind {
                        OutKind::List(inner) => self.write(item, inner, out),
                        _ => out.extend_from_slice(b"null"),
                    }
                }
                out.push(b']');
            }
            Meta::Object(thing) => self.object(*thing, ty, out),
        }
    }

    fn object(&self, thing: Thing<'i>, ty: &OutType, out: &mut Vec<u8>) {
        let OutKind::Composite(number) = &ty.kind else {
            return out.extend_from_slice(b"null");
        };
        let set = self.selections.set(*number);
        out.push(b'{');
        let mut first = true;
        for field in set.fields(None) {
            if !std::mem::take(&mut first) {
                out.push(b',');
            }
            quote(&field.name, out);
            out.push(b':');
            match &field.source {
                Source::TypeName => quote(&set.parent, out),
                Source::Introspection { field: name, .. } => {
                    let value = self.resolve(thing, name, field);
                    self.write(&value, &field.ty, out);
                }
                _ => out.extend_from_slice(b"null"),
            }
        }
        out.push(b'}');
    }

    fn resolve(&self, thing: Thing<'i>, name: &str, field: &OutField) -> Meta<'i> {
        let deprecated = || self.argument(field, "includeDeprecated") == Some(Json::Bool(true));
        match thing {
            Thing::Schema => self.schema(name),
            Thing::Named(named) => match self.supergraph.api.types.get(named) {
                Some(definition) => self.named(definition, name, deprecated()),
                None => Meta::Null,
            },
            Thing::Wrapped(ty, stripped) => match name {
                "kind" if ty.is_non_null() && !stripped => Meta::Text("NON_NULL"),
                "kind" => Meta::Text("LIST"),
                "ofType" => match ty {
                    Type::NonNullNamed(named) => Meta::Object(Thing::Named(self.known(named))),
                    Type::NonNullList(_) if !stripped => Meta::Object(Thing::Wrapped(ty, true)),
                    Type::NonNullList(item) | Type::List(item) => of_type(self, item),
                    Type::Named(_) => Meta::Null,
                },
                _ => Meta::Null,
            },
            Thing::Field(definition) => match name {
                "name" => Meta::Text(&definition.name),
                "description" => text(definition.description.as_ref()),
                "args" => inputs(&definition.arguments, deprecated()),
                "type" => of_type(self, &definition.ty),
                "isDeprecated" => Meta::Bool(definition.directives.has("deprecated")),
                "deprecationReason" => reason(definition.directives.get("deprecated").map(|d| &**d)),
                _ => Meta::Null,
            },
            Thing::Input(definition) => match name {
                "name" => Meta::Text(&definition.name),
                "description" => text(definition.description.as_ref()),
                "type" => of_type(self, &definition.ty),
                "defaultValue" => {
                    let default = definition.default_value.as_ref();
                    default.map_or(Meta::Null, |value| {
                        Meta::Owned(value.serialize().no_indent().to_string())
                    })
                }
                "isDeprecated" => Meta::Bool(definition.directives.has("deprecated")),
                "deprecationReason" => reason(definition.directives.get("deprecated").map(|d| &**d)),
                _ => Meta::Null,
            },
            Thing::EnumValue(definition) => match name {
                "name" => Meta::Text(&definition.value),
                "description" => text(definition.description.as_ref()),
                "isDeprecated" => Meta::Bool(definition.directives.has("deprecated")),
                "deprecationReason" => reason(definition.directives.get("deprecated").map(|d| &**d)),
                _ => Meta::Null,
            },
            Thing::RateLimit(standing) => rate_limit(standing, name),
            Thing::Directive(definition) => match name {
                "name" => Meta::Text(&definition.name),
                "description" => text(definition.description.as_ref()),
                "isRepeatable" => Meta::Bool(definition.repeatable),
                "locations" => Meta::List(
                    definition
                        .locations
                        .iter()
                        .map(|at| Meta::Text(at.name()))
                        .collect(),
                ),
                "args" => inputs(&definition.arguments, deprecated()),
                _ => Meta::Null,
            },
        }
    }

    fn schema(&self, name: &str) -> Meta<'i> {
        let api = &self.supergraph.api;
        let root = |name: &'i Option<apollo_compiler::schema::ComponentName>| match name {
            Some(name) => Meta::Object(Thing::Named(&name.name)),
            None => Meta::Null,
        };
        match name {
            "description" => text(api.schema_definition.description.as_ref()),
            "types" => Meta::List(
                api.types
                    .keys()
                    .map(|name| Meta::Object(Thing::Named(name)))
                    .collect(),
            ),
            "queryType" => root(&api.schema_definition.query),
            "mutationType" => root(&api.schema_definition.mutation),
            "subscriptionType" => root(&api.schema_definition.subscription),
            "directives" => {
                let all = api.directive_definitions.values();
                Meta::List(
                    all.map(|definition| Meta::Object(Thing::Directive(definition)))
                        .collect(),
                )
            }
            _ => Meta::Null,
        }
    }

    fn named(&self, definition: &'i ExtendedType, name: &str, deprecated: bool) -> Meta<'i> {
        let object = |name: &'i Name| Meta::Object(Thing::Named(name));
        let wanted = |is_deprecated: bool| deprecated || !is_deprecated;
        match (name, definition) {
            ("kind", _) => Meta::Text(match definition {
                ExtendedType::Scalar(_) => "SCALAR",
                ExtendedType::Object(_) => "OBJECT",
                ExtendedType::Interface(_) => "INTERFACE",
                ExtendedType::Union(_) => "UNION",
                ExtendedType::Enum(_) => "ENUM",
                ExtendedType::InputObject(_) => "INPUT_OBJECT",
            }),
            ("name", _) => Meta::Text(definition.name()),
            ("description", _) => text(definition.description()),
            ("fields", ExtendedType::Object(object)) => fields(object.fields.values(), wanted),
            ("fields", ExtendedType::Interface(interface)) => fields(interface.fields.values(), wanted),
            ("interfaces", ExtendedType::Object(it)) => Meta::List(
                it.implements_interfaces
                    .iter()
                    .map(|outer| object(&outer.name))
                    .collect(),
            ),
            ("interfaces", ExtendedType::Interface(it)) => Meta::List(
                it.implements_interfaces
                    .iter()
                    .map(|outer| object(&outer.name))
                    .collect(),
            ),
            ("possibleTypes", ExtendedType::Union(union)) => {
                Meta::List(union.members.iter().map(|member| object(&member.name)).collect())
            }
            ("possibleTypes", ExtendedType::Interface(interface)) => {
                let all = self.supergraph.implementers.get(&interface.name);
                Meta::List(all.into_iter().flat_map(|all| &all.objects).map(object).collect())
            }
            ("enumValues", ExtendedType::Enum(definition)) => {
                let values = definition
                    .values
                    .values()
                    .filter(|value| wanted(value.directives.has("deprecated")));
                Meta::List(
                    values
                        .map(|value| Meta::Object(Thing::EnumValue(value)))
                        .collect(),
                )
            }
            ("inputFields", ExtendedType::InputObject(input)) => {
                let fields = input
                    .fields
                    .values()
                    .filter(|field| wanted(field.directives.has("deprecated")));
                Meta::List(fields.map(|field| Meta::Object(Thing::Input(field))).collect())
            }
            ("specifiedByURL", ExtendedType::Scalar(scalar)) => {
                let url = scalar
                    .directives
                    .get("specifiedBy")
                    .and_then(|d| d.specified_argument_by_name("url"));
                url.and_then(|url| url.as_str()).map_or(Meta::Null, Meta::Text)
            }
            ("isOneOf", ExtendedType::InputObject(input)) => Meta::Bool(input.directives.has("oneOf")),
            _ => Meta::Null,
        }
    }

    /// The schema's own name, which lives as long as the schema.
    fn known(&self, name: &'i Name) -> &'i Name {
        self.supergraph
            .api
            .types
            .get_key_value(name)
            .map_or(name, |(name, _)| name)
    }

    fn argument(&self, field: &OutField, name: &str) -> Option<Json> {
        let Source::Introspection { arguments, .. } = &field.source else {
            return None;
        };
        let (_, value) = arguments.iter().find(|(known, _)| known == name)?;
        match value.as_ref() {
            Value::Variable(variable) => self.variables.get(variable.as_str()).cloned(),
            value => Some(variables::literal(value)),
        }
    }
}

fn rate_limit<'m>(standing: &RateStanding, name: &str) -> Meta<'m> {
    match name {
        "limit" => Meta::Int(standing.limit),
        "cost" => Meta::Int(standing.cost),
        "remaining" => Meta::Int(standing.remaining),
        "used" => Meta::Int(standing.limit.saturating_sub(standing.remaining)),
        "resetAt" => Meta::Owned(standing.reset_at.to_string()),
        _ => Meta::Null,
    }
}

fn of_type<'i>(introspection: &Introspection<'i>, ty: &'i Type) -> Meta<'i> {
    match ty {
        Type::Named(name) => Meta::Object(Thing::Named(introspection.known(name))),
        _ => Meta::Object(Thing::Wrapped(ty, false)),
    }
}

fn fields<'i>(
    fields: impl Iterator<Item = &'i apollo_compiler::schema::Component<FieldDefinition>>,
    wanted: impl Fn(bool) -> bool,
) -> Meta<'i> {
    let fields = fields.filter(|field| wanted(field.directives.has("deprecated")));
    Meta::List(fields.map(|field| Meta::Object(Thing::Field(field))).collect())
}

fn inputs(arguments: &[Node<InputValueDefinition>], deprecated: bool) -> Meta<'_> {
    let wanted = arguments
        .iter()
        .filter(|argument| deprecated || !argument.directives.has("deprecated"));
    Meta::List(
        wanted
            .map(|argument| Meta::Object(Thing::Input(argument)))
            .collect(),
    )
}

fn text(description: Option<&Node<str>>) -> Meta<'_> {
    description.map_or(Meta::Null, |text| Meta::Text(text))
}

fn reason(deprecated: Option<&apollo_compiler::ast::Directive>) -> Meta<'_> {
    let Some(directive) = deprecated else {
        return Meta::Null;
    };
    match directive
        .specified_argument_by_name("reason")
        .map(|value| value.as_ref())
    {
        Some(Value::String(reason)) => Meta::Text(reason),
        Some(_) => Meta::Null,
        None => Meta::Text("No longer supported"),
    }
}

fn quote(text: &str, out: &mut Vec<u8>) {
    // Writing a string to memory cannot fail.
    let _ = serde_json::to_writer(out, text);
}
