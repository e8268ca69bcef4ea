//! What clients may use without that the supergraph says so.

use std::collections::HashSet;

use apollo_compiler::schema::{Component, ExtendedType, FieldDefinition};
use apollo_compiler::{Name, Node, Schema, ast, name, ty};

/// Adds `@defer`, as <https://specs.apollo.dev/incremental/v0.1/> defines it.
pub(super) fn with_defer(mut schema: Schema) -> Schema {
    let argument = |name: Name, ty: ast::Type, default_value: Option<ast::Value>| {
        Node::new(ast::InputValueDefinition {
            description: None,
            name,
            ty: Node::new(ty),
            default_value: default_value.map(Node::new),
            directives: Default::default(),
        })
    };
    let definition = ast::DirectiveDefinition {
        description: Some("The fragment may come after the rest of the answer.".into()),
        name: name!("defer"),
        arguments: vec![
            argument(name!("label"), ty!(String), None),
            argument(name!("if"), ty!(Boolean!), Some(ast::Value::Boolean(true))),
        ],
        repeatable: false,
        locations: vec![
            ast::DirectiveLocation::FragmentSpread,
            ast::DirectiveLocation::InlineFragment,
        ],
    };
    let definitions = &mut schema.directive_definitions;
    definitions.insert(name!("defer"), Node::new(definition));
    schema
}

/// Adds what the compiler library does not know yet of the specification's `@oneOf`.
pub(super) fn with_one_of(mut schema: Schema) -> Schema {
    if let Some(ExtendedType::Object(meta)) = schema.types.get_mut("__Type") {
        let field = FieldDefinition {
            description: None,
            name: name!("isOneOf"),
            arguments: Vec::new(),
            ty: ty!(Boolean),
            directives: Default::default(),
        };
        meta.make_mut()
            .fields
            .insert(name!("isOneOf"), Component::new(field));
    }
    if !schema.directive_definitions.contains_key("oneOf") {
        let definition = ast::DirectiveDefinition {
            description: Some("Exactly one field of the input object must be given, and not be null.".into()),
            name: name!("oneOf"),
            arguments: Vec::new(),
            repeatable: false,
            locations: vec![ast::DirectiveLocation::InputObject],
        };
        schema
            .directive_definitions
            .insert(name!("oneOf"), Node::new(definition));
    }
    // A union or interface member that clients must not see is not there for them.
    let known: HashSet<Name> = schema.types.keys().cloned().collect();
    for definition in schema.types.values_mut() {
        match definition {
            ExtendedType::Union(union) => {
                union
                    .make_mut()
                    .members
                    .retain(|member| known.contains(&member.name));
            }
            ExtendedType::Object(object) => {
                object
                    .make_mut()
                    .implements_interfaces
                    .retain(|outer| known.contains(&outer.name));
            }
            ExtendedType::Interface(interface) => {
                interface
                    .make_mut()
                    .implements_interfaces
                    .retain(|outer| known.contains(&outer.name));
            }
            _ => {}
        }
    }
    schema
}
