//! `Query.rateLimit`, which the router answers itself: how the caller's rate limit stands, and what the operation costs.

use apollo_compiler::ast::{self, Type};
use apollo_compiler::schema::{Component, ExtendedType, FieldDefinition, ObjectType};
use apollo_compiler::{Name, Node, Schema, name, ty};

/// The field.
pub(crate) const FIELD: &str = "rateLimit";
/// Its type.
pub(crate) const TYPE: &str = "RateLimit";

/// Adds the field to the clients' schema and says to which type. `None` where that has a field or a type of that name
/// already, which stays as it is.
pub(crate) fn add(schema: &mut Schema) -> Option<Name> {
    let root = schema.schema_definition.query.as_ref()?.name.clone();
    if schema.types.contains_key(TYPE) {
        return None;
    }
    let instant = match schema.types.get("DateTime") {
        Some(ExtendedType::Scalar(_)) => Type::NonNullNamed(name!("DateTime")),
        _ => ty!(String!),
    };
    let ExtendedType::Object(query) = schema.types.get_mut(&root)? else {
        return None;
    };
    if query.fields.contains_key(FIELD) {
        return None;
    }
    let field = FieldDefinition {
        description: Some(
            "How the caller's rate limit stands, with this operation charged; null for who has none.".into(),
        ),
        name: name!("rateLimit"),
        arguments: vec![Node::new(ast::InputValueDefinition {
            description: Some(
                "Only say what the operation would cost: nothing else of it is asked or charged.".into(),
            ),
            name: name!("dryRun"),
            ty: Node::new(ty!(Boolean)),
            default_value: Some(Node::new(ast::Value::Boolean(false))),
            directives: Default::default(),
        })],
        ty: ty!(RateLimit),
        directives: Default::default(),
    };
    query
        .make_mut()
        .fields
        .insert(name!("rateLimit"), Component::new(field));
    schema.types.insert(
        name!("RateLimit"),
        ExtendedType::Object(Node::new(rate_limit(instant))),
    );
    Some(root)
}

fn rate_limit(instant: Type) -> ObjectType {
    let field = |name: Name, ty: Type, description: &str| {
        let field = FieldDefinition {
            description: Some(description.into()),
            name: name.clone(),
            arguments: Vec::new(),
            ty,
            directives: Default::default(),
        };
        (name, Component::new(field))
    };
    let fields = [
        field(name!("limit"), ty!(Int!), "What may be spent at once."),
        field(
            name!("cost"),
            ty!(Int!),
            "What this operation costs, as estimated.",
        ),
        field(
            name!("remaining"),
            ty!(Int!),
            "What is left, before what the answer is not worth comes back.",
        ),
        field(name!("used"), ty!(Int!), "What is spent."),
        field(name!("resetAt"), instant, "When all of it will be there again."),
    ];
    ObjectType {
        description: Some("How a rate limit stands, in units of cost.".into()),
        name: name!("RateLimit"),
        implements_interfaces: Default::default(),
        directives: Default::default(),
        fields: fields.into_iter().collect(),
    }
}
