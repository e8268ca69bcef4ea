//! Finds what differs between two schemas.

mod values;

use apollo_compiler::ast::{DirectiveList, OperationType};
use apollo_compiler::collections::{IndexMap, IndexSet};
use apollo_compiler::schema::{
    Component, ComponentName, EnumType, ExtendedType, FieldDefinition, InputObjectType, UnionType,
};
use apollo_compiler::{Name, Node, Schema};

use super::place::Place;
use super::{Change, ChangeCode as Code};

/// All changes, the worst first.
pub(super) fn diff(old: &Schema, new: &Schema) -> Vec<Change> {
    let mut found = Found::default();
    roots(old, new, &mut found);
    types(old, new, &mut found);
    values::directives(old, new, &mut found);
    let mut changes = found.0;
    changes.sort_by(|one, other| {
        let key = |change: &Change| (change.level, change.coordinate.clone(), change.code);
        key(one)
            .cmp(&key(other))
            .then_with(|| one.message.cmp(&other.message))
    });
    changes
}

/// Collects changes.
#[derive(Default)]
struct Found(Vec<Change>);

impl Found {
    fn add(&mut self, code: Code, place: Place, message: impl Into<String>) {
        self.push(code, place, None, message.into());
    }

    /// Of a union or a type with interfaces: `other` is the member or the interface.
    fn add_about(&mut self, code: Code, place: Place, other: &Name, message: impl Into<String>) {
        self.push(code, place, Some(other.clone()), message.into());
    }

    fn push(&mut self, code: Code, place: Place, other: Option<Name>, message: String) {
        self.0.push(Change {
            level: code.level(),
            code,
            coordinate: place.to_string(),
            message,
            place,
            other,
        });
    }

    fn description(&mut self, place: Place, before: Option<&Node<str>>, after: Option<&Node<str>>) {
        let message = match (before, after) {
            (None, Some(_)) => "it is described now",
            (Some(_), None) => "its description is gone",
            (Some(before), Some(after)) if before != after => "its description changed",
            _ => return,
        };
        self.add(Code::DescriptionChanged, place, message);
    }

    /// `codes` are for what is deprecated now, and for what is so no more.
    fn deprecation(&mut self, codes: [Code; 2], place: Place, before: &DirectiveList, after: &DirectiveList) {
        let [deprecated, undeprecated] = codes;
        match (deprecation(before), deprecation(after)) {
            (None, Some(reason)) => self.add(deprecated, place, format!("it is deprecated: {reason}")),
            (Some(_), None) => self.add(undeprecated, place, "it is deprecated no more"),
            (Some(before), Some(after)) if before != after => {
                let message = format!("the reason of its deprecation is now: {after}");
                self.add(Code::DeprecationReasonChanged, place, message);
            }
            _ => {}
        }
    }
}

fn deprecation(directives: &DirectiveList) -> Option<&str> {
    let directive = directives.get("deprecated")?;
    let reason = directive.specified_argument_by_name("reason");
    // The default that the specification gives.
    Some(
        reason
            .and_then(|value| value.as_str())
            .unwrap_or("No longer supported"),
    )
}

fn roots(old: &Schema, new: &Schema, found: &mut Found) {
    for kind in [
        OperationType::Query,
        OperationType::Mutation,
        OperationType::Subscription,
    ] {
        match (old.root_operation(kind), new.root_operation(kind)) {
            (Some(before), None) => {
                let message = format!("there is no {kind} any more");
                found.add(Code::RootTypeRemoved, Place::Type(before.clone()), message);
            }
            (None, Some(after)) => {
                let message = format!("there is a {kind} now");
                found.add(Code::RootTypeAdded, Place::Type(after.clone()), message);
            }
            (Some(before), Some(after)) if before != after => {
                let message = format!("the {kind} type is `{after}` now");
                found.add(Code::RootTypeChanged, Place::Type(before.clone()), message);
            }
            _ => {}
        }
    }
}

fn types(old: &Schema, new: &Schema, found: &mut Found) {
    // Built-in ones come and go with what refers to them.
    for (name, before) in old.types.iter().filter(|(_, def)| !def.is_built_in()) {
        match new.types.get(name) {
            None => {
                let message = format!("the {} was removed", kind(before));
                found.add(Code::TypeRemoved, Place::Type(name.clone()), message);
            }
            Some(after) => same_name(name, before, after, found),
        }
    }
    let added = new
        .types
        .iter()
        .filter(|(name, def)| !def.is_built_in() && !old.types.contains_key(*name));
    for (name, def) in added {
        let message = format!("the {} was added", kind(def));
        found.add(Code::TypeAdded, Place::Type(name.clone()), message);
    }
}

fn same_name(name: &Name, before: &ExtendedType, after: &ExtendedType, found: &mut Found) {
    use ExtendedType as T;
    let place = Place::Type(name.clone());
    found.description(place.clone(), before.description(), after.description());
    match (before, after) {
        (T::Scalar(_), T::Scalar(_)) => {}
        (T::Object(_), T::Object(_)) | (T::Interface(_), T::Interface(_)) => {
            if let (Some(before), Some(after)) = (parts(before), parts(after)) {
                interfaces(name, before.0, after.0, found);
                fields(name, before.1, after.1, found);
            }
        }
        (T::Union(before), T::Union(after)) => members(before, after, found),
        (T::Enum(before), T::Enum(after)) => enum_values(before, after, found),
        (T::InputObject(before), T::InputObject(after)) => input(before, after, found),
        _ => {
            let message = format!("the {} is {} now", kind(before), with_article(kind(after)));
            found.add(Code::TypeChangedKind, place, message);
        }
    }
}

/// The interfaces and fields of an object type or interface.
fn parts(def: &ExtendedType) -> Option<(&IndexSet<ComponentName>, &Fields)> {
    match def {
        ExtendedType::Object(def) => Some((&def.implements_interfaces, &def.fields)),
        ExtendedType::Interface(def) => Some((&def.implements_interfaces, &def.fields)),
        _ => None,
    }
}

fn interfaces(
    name: &Name,
    before: &IndexSet<ComponentName>,
    after: &IndexSet<ComponentName>,
    found: &mut Found,
) {
    let place = || Place::Type(name.clone());
    for gone in before.difference(after) {
        let message = format!("it does not implement `{}` any more", gone.name);
        found.add_about(Code::ImplementedInterfaceRemoved, place(), &gone.name, message);
    }
    for added in after.difference(before) {
        let message = format!("it implements `{}` now", added.name);
        found.add_about(Code::ImplementedInterfaceAdded, place(), &added.name, message);
    }
}

type Fields = IndexMap<Name, Component<FieldDefinition>>;

fn fields(owner: &Name, old: &Fields, new: &Fields, found: &mut Found) {
    let place = |field: &Name| Place::Member(owner.clone(), field.clone());
    for (name, before) in old {
        let Some(after) = new.get(name) else {
            found.add(Code::FieldRemoved, place(name), "the field was removed");
            continue;
        };
        if before.ty != after.ty {
            // Who reads `A` can read `A!`: outputs may become stricter.
            let narrowed = after.ty.is_assignable_to(&before.ty);
            let code = if narrowed {
                Code::FieldTypeNarrowed
            } else {
                Code::FieldChangedKind
            };
            found.add(code, place(name), retyped(&before.ty, &after.ty));
        }
        let codes = [Code::FieldDeprecated, Code::FieldUndeprecated];
        found.deprecation(codes, place(name), &before.directives, &after.directives);
        found.description(
            place(name),
            before.description.as_ref(),
            after.description.as_ref(),
        );
        values::diff(
            &values::ARGUMENT,
            &values::by_name(&before.arguments),
            &values::by_name(&after.arguments),
            &|argument| Place::Argument(owner.clone(), name.clone(), argument.clone()),
            found,
        );
    }
    for name in new.keys().filter(|name| !old.contains_key(*name)) {
        found.add(Code::FieldAdded, place(name), "the field was added");
    }
}

fn members(before: &UnionType, after: &UnionType, found: &mut Found) {
    let place = || Place::Type(before.name.clone());
    for gone in before.members.difference(&after.members) {
        let message = format!("`{}` was removed from the union", gone.name);
        found.add_about(Code::TypeRemovedFromUnion, place(), &gone.name, message);
    }
    for added in after.members.difference(&before.members) {
        let message = format!("`{}` was added to the union", added.name);
        found.add_about(Code::TypeAddedToUnion, place(), &added.name, message);
    }
}

fn enum_values(old: &EnumType, new: &EnumType, found: &mut Found) {
    let place = |value: &Name| Place::Member(old.name.clone(), value.clone());
    for (name, before) in &old.values {
        let Some(after) = new.values.get(name) else {
            found.add(Code::ValueRemovedFromEnum, place(name), "the value was removed");
            continue;
        };
        let codes = [Code::ValueDeprecated, Code::ValueUndeprecated];
        found.deprecation(codes, place(name), &before.directives, &after.directives);
        found.description(
            place(name),
            before.description.as_ref(),
            after.description.as_ref(),
        );
    }
    for name in new.values.keys().filter(|name| !old.values.contains_key(*name)) {
        found.add(Code::ValueAddedToEnum, place(name), "the value was added");
    }
}

fn input(before: &InputObjectType, after: &InputObjectType, found: &mut Found) {
    let place = || Place::Type(before.name.clone());
    match (before.directives.has("oneOf"), after.directives.has("oneOf")) {
        (false, true) => found.add(
            Code::InputBecameOneOf,
            place(),
            "exactly one field has to be given now",
        ),
        (true, false) => found.add(
            Code::InputCeasedOneOf,
            place(),
            "any of its fields may be given now",
        ),
        _ => {}
    }
    values::diff(
        &values::INPUT_FIELD,
        &values::by_name(before.fields.values().map(|field| &field.node)),
        &values::by_name(after.fields.values().map(|field| &field.node)),
        &|field| Place::Member(before.name.clone(), field.clone()),
        found,
    );
}

fn retyped(before: &impl std::fmt::Display, after: &impl std::fmt::Display) -> String {
    format!("its type was `{before}` and is `{after}`")
}

const fn kind(def: &ExtendedType) -> &'static str {
    match def {
        ExtendedType::Scalar(_) => "scalar",
        ExtendedType::Object(_) => "object type",
        ExtendedType::Interface(_) => "interface",
        ExtendedType::Union(_) => "union",
        ExtendedType::Enum(_) => "enum",
        ExtendedType::InputObject(_) => "input type",
    }
}

fn with_article(kind: &str) -> String {
    let article = if kind.starts_with(['o', 'i', 'e']) {
        "an"
    } else {
        "a"
    };
    format!("{article} {kind}")
}
