//! Default values must be values of their types; the parser's validation does not look at them.

use apollo_compiler::ast::{InputValueDefinition, Type, Value};
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::{Name, Schema};

use super::parse::line_of;
use crate::error::{ErrorCode, Report};

/// Reports defaults that are no values of their types.
pub(super) fn check(schema: &Schema, subgraph: &str, report: &mut Report) {
    let mut check = |what: &str, place: String, input: &InputValueDefinition, line| {
        let Some(default) = &input.default_value else {
            return;
        };
        if !fits(schema, &input.ty, default) {
            let message = format!(
                "Invalid default value (got: {}) provided for {what} {place} of type {}.",
                default.serialize().no_indent(),
                input.ty
            );
            report.at(ErrorCode::InvalidGraphql, subgraph, line, message);
        }
    };
    for (name, def) in &schema.types {
        let fields = match def {
            ExtendedType::Object(def) => &def.fields,
            ExtendedType::Interface(def) => &def.fields,
            ExtendedType::InputObject(def) => {
                for input in def.fields.values() {
                    let line = line_of(input.location(), &schema.sources);
                    check("input field", format!("{name}.{}", input.name), input, line);
                }
                continue;
            }
            _ => continue,
        };
        for field in fields.values() {
            for argument in &field.arguments {
                let line = line_of(argument.location(), &schema.sources);
                let place = format!("{name}.{}({}:)", field.name, argument.name);
                check("argument", place, argument, line);
            }
        }
    }
}

fn fits(schema: &Schema, ty: &Type, value: &Value) -> bool {
    match (ty, value) {
        (_, Value::Null) => !ty.is_non_null(),
        (Type::List(item) | Type::NonNullList(item), Value::List(items)) => {
            items.iter().all(|value| fits(schema, item, value))
        }
        // One item stands for a list of it.
        (Type::List(item) | Type::NonNullList(item), one) => fits(schema, item, one),
        (Type::Named(name) | Type::NonNullNamed(name), value) => match schema.types.get(name) {
            Some(ExtendedType::Scalar(_)) => fits_scalar(name, value),
            // Older libraries write them as texts.
            Some(ExtendedType::Enum(def)) => match value {
                Value::Enum(name) => def.values.contains_key(name),
                Value::String(name) => def.values.contains_key(name.as_str()),
                _ => false,
            },
            Some(ExtendedType::InputObject(def)) => {
                let Value::Object(given) = value else { return false };
                let known = given.iter().all(|(name, value)| {
                    let field = def.fields.get(name);
                    field.is_some_and(|field| fits(schema, &field.ty, value))
                });
                let is_given = |name: &Name| given.iter().any(|(given, _)| given == name);
                let mut required = def.fields.values().filter(|field| field.is_required());
                known && required.all(|field| is_given(&field.name))
            }
            // What is wrong with the type is told elsewhere.
            _ => true,
        },
    }
}

fn fits_scalar(name: &str, value: &Value) -> bool {
    match name {
        "Int" => value.to_i32().is_some(),
        "Float" => matches!(value, Value::Int(_) | Value::Float(_)),
        "String" => matches!(value, Value::String(_)),
        "Boolean" => matches!(value, Value::Boolean(_)),
        "ID" => matches!(value, Value::String(_) | Value::Int(_)),
        _ => true,
    }
}
