//! What differs between arguments, fields of inputs, and directives.

use apollo_compiler::ast::{DirectiveDefinition, InputValueDefinition, Value};
use apollo_compiler::collections::IndexMap;
use apollo_compiler::{Name, Node, Schema};

use super::{Code, Found, Place, retyped};

/// The codes for one kind of values.
pub(super) struct Codes {
    removed: Code,
    required_added: Code,
    optional_added: Code,
    retyped: Code,
    widened: Code,
    became_required: Code,
    default_changed: Code,
    default_added: Code,
    deprecation: [Code; 2],
}

/// For arguments of fields.
pub(super) const ARGUMENT: Codes = Codes {
    removed: Code::ArgRemoved,
    required_added: Code::RequiredArgAdded,
    optional_added: Code::OptionalArgAdded,
    retyped: Code::ArgChangedKind,
    widened: Code::ArgTypeWidened,
    became_required: Code::ArgBecameRequired,
    default_changed: Code::ArgDefaultValueChange,
    default_added: Code::ArgDefaultValueAdded,
    deprecation: [Code::ArgDeprecated, Code::ArgUndeprecated],
};

/// For fields of inputs.
pub(super) const INPUT_FIELD: Codes = Codes {
    removed: Code::FieldRemoved,
    required_added: Code::RequiredInputFieldAdded,
    optional_added: Code::OptionalInputFieldAdded,
    retyped: Code::FieldChangedKind,
    widened: Code::InputFieldTypeWidened,
    became_required: Code::InputFieldBecameRequired,
    default_changed: Code::InputFieldDefaultValueChange,
    default_added: Code::InputFieldDefaultValueAdded,
    deprecation: [Code::FieldDeprecated, Code::FieldUndeprecated],
};

/// For arguments of directives.
const DIRECTIVE_ARGUMENT: Codes = Codes {
    removed: Code::DirectiveArgRemoved,
    required_added: Code::RequiredDirectiveArgAdded,
    optional_added: Code::OptionalDirectiveArgAdded,
    retyped: Code::DirectiveArgChangedKind,
    widened: Code::DirectiveArgTypeWidened,
    became_required: Code::DirectiveArgBecameRequired,
    default_changed: Code::DirectiveArgDefaultValueChange,
    default_added: Code::DirectiveArgDefaultValueAdded,
    deprecation: [Code::ArgDeprecated, Code::ArgUndeprecated],
};

type Values<'a> = IndexMap<&'a Name, &'a Node<InputValueDefinition>>;

pub(super) fn by_name<'a>(values: impl IntoIterator<Item = &'a Node<InputValueDefinition>>) -> Values<'a> {
    values.into_iter().map(|value| (&value.name, value)).collect()
}

pub(super) fn diff(
    codes: &Codes,
    old: &Values<'_>,
    new: &Values<'_>,
    place: &dyn Fn(&Name) -> Place,
    found: &mut Found,
) {
    for (name, before) in old {
        let Some(after) = new.get(name) else {
            found.add(codes.removed, place(name), "it was removed");
            continue;
        };
        if before.ty.is_assignable_to(&after.ty) {
            if before.ty != after.ty {
                found.add(codes.widened, place(name), retyped(&before.ty, &after.ty));
            }
            default(codes, before, after, place(name), found);
        } else {
            found.add(codes.retyped, place(name), retyped(&before.ty, &after.ty));
        }
        found.deprecation(
            codes.deprecation,
            place(name),
            &before.directives,
            &after.directives,
        );
        found.description(
            place(name),
            before.description.as_ref(),
            after.description.as_ref(),
        );
    }
    for (name, added) in new.iter().filter(|(name, _)| !old.contains_key(*name)) {
        if added.is_required() {
            let message = format!("it was added, and has to be given: `{}`", added.ty);
            found.add(codes.required_added, place(name), message);
        } else {
            let message = format!("it was added, and may be given: `{}`", added.ty);
            found.add(codes.optional_added, place(name), message);
        }
    }
}

/// graphql-js looks at changed and removed defaults only. A default that is removed from a non-null value makes it
/// required, though, and one that is added to a nullable value changes what leaving it out means.
fn default(
    codes: &Codes,
    before: &InputValueDefinition,
    after: &InputValueDefinition,
    place: Place,
    found: &mut Found,
) {
    match (&before.default_value, &after.default_value) {
        (Some(old), Some(new)) if !same(old, new) => {
            let message = format!("its default was `{old}` and is `{new}`");
            found.add(codes.default_changed, place, message);
        }
        (Some(old), None) if after.is_required() => {
            let message = format!("its default `{old}` was removed, so that it has to be given");
            found.add(codes.became_required, place, message);
        }
        (Some(old), None) => {
            let message = format!("its default `{old}` was removed");
            found.add(codes.default_changed, place, message);
        }
        (None, Some(new)) => {
            let code = if before.is_required() {
                codes.default_added
            } else {
                codes.default_changed
            };
            found.add(code, place, format!("its default is `{new}` now"));
        }
        _ => {}
    }
}

/// The order of an object's fields means nothing.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(name, value)| {
                    other
                        .iter()
                        .any(|(other_name, other_value)| name == other_name && same(value, other_value))
                })
        }
        (Value::List(one), Value::List(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        _ => one == other,
    }
}

/// Defined by the specification: a schema that defines them itself says nothing new.
const BUILT_IN: [&str; 5] = ["skip", "include", "deprecated", "specifiedBy", "oneOf"];

pub(super) fn directives(old: &Schema, new: &Schema, found: &mut Found) {
    let ours = |name: &Name| !BUILT_IN.contains(&name.as_str());
    let place = |name: &Name| Place::Directive(name.clone());
    for (name, before) in old.directive_definitions.iter().filter(|(name, _)| ours(name)) {
        match new.directive_definitions.get(name) {
            None => found.add(Code::DirectiveRemoved, place(name), "the directive was removed"),
            Some(after) => directive(before, after, found),
        }
    }
    for name in new.directive_definitions.keys().filter(|name| ours(name)) {
        if !old.directive_definitions.contains_key(name) {
            found.add(Code::DirectiveAdded, place(name), "the directive was added");
        }
    }
}

fn directive(before: &DirectiveDefinition, after: &DirectiveDefinition, found: &mut Found) {
    let place = || Place::Directive(before.name.clone());
    diff(
        &DIRECTIVE_ARGUMENT,
        &by_name(&before.arguments),
        &by_name(&after.arguments),
        &|argument| Place::DirectiveArgument(before.name.clone(), argument.clone()),
        found,
    );
    match (before.repeatable, after.repeatable) {
        (true, false) => found.add(
            Code::DirectiveRepeatableRemoved,
            place(),
            "it may be given only once now",
        ),
        (false, true) => found.add(
            Code::DirectiveRepeatableAdded,
            place(),
            "it may be given more than once now",
        ),
        _ => {}
    }
    for gone in &before.locations {
        if !after.locations.contains(gone) {
            let message = format!("it is not allowed on {gone} any more");
            found.add(Code::DirectiveLocationRemoved, place(), message);
        }
    }
    for added in &after.locations {
        if !before.locations.contains(added) {
            let message = format!("it is allowed on {added} now");
            found.add(Code::DirectiveLocationAdded, place(), message);
        }
    }
    found.description(place(), before.description.as_ref(), after.description.as_ref());
}
