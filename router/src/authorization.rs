//! Who may see what: `@authenticated`, `@requiresScopes` and `@policy` of the supergraph.
//!
//! A field that the caller may not see is not asked for at all; it is null in the answer, with an error at
//! its place. Policies are names of permissions.

use std::collections::HashMap;

use apollo_compiler::ast::{Definition, DirectiveList, Document, Value};
use apollo_compiler::{Name, Schema, schema::ExtendedType};
use kernel::{Actor, ErrorCode, Principal};

/// The requirements of one type or field; all of them must be met.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Requirement {
    authenticated: bool,
    /// At least one of these lists must be granted as a whole.
    scopes: Vec<Vec<String>>,
    /// At least one of these lists must be permitted as a whole.
    policies: Vec<Vec<String>>,
}

/// The requirements of a whole supergraph.
#[derive(Debug, Default)]
pub(crate) struct Access {
    types: HashMap<Name, Requirement>,
    fields: HashMap<Name, HashMap<Name, Requirement>>,
}

impl Requirement {
    /// Why the principal does not meet it, if they do not.
    pub(crate) fn refusal(&self, principal: &Principal) -> Option<ErrorCode> {
        let nobody = principal.actor == Actor::Anonymous;
        let scopes = self.scopes.is_empty()
            || self
                .scopes
                .iter()
                .any(|all| all.iter().all(|scope| principal.has_scope(scope)));
        let policies = self.policies.is_empty()
            || self
                .policies
                .iter()
                .any(|all| all.iter().all(|policy| principal.may(policy)));
        let met = !(self.authenticated && nobody) && scopes && policies;
        let code = if nobody {
            ErrorCode::Unauthenticated
        } else {
            ErrorCode::Forbidden
        };
        (!met).then_some(code)
    }

    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Access {
    /// Reads the requirements; `local_name` says what a specification's directive is called here.
    pub(crate) fn read(document: &Document, local_name: impl Fn(&str) -> String) -> Self {
        let names = ["authenticated", "requiresScopes", "policy"].map(local_name);
        let mut access = Self::default();
        for definition in &document.definitions {
            let (name, directives, fields) = match definition {
                Definition::ObjectTypeDefinition(object) => {
                    (&object.name, &object.directives, Some(&object.fields))
                }
                Definition::InterfaceTypeDefinition(interface) => {
                    (&interface.name, &interface.directives, Some(&interface.fields))
                }
                Definition::ScalarTypeDefinition(scalar) => (&scalar.name, &scalar.directives, None),
                Definition::EnumTypeDefinition(definition) => {
                    (&definition.name, &definition.directives, None)
                }
                _ => continue,
            };
            let own = requirement(directives, &names);
            if !own.is_empty() {
                access.types.insert(name.clone(), own);
            }
            for field in fields.into_iter().flatten() {
                let own = requirement(&field.directives, &names);
                if !own.is_empty() {
                    access
                        .fields
                        .entry(name.clone())
                        .or_default()
                        .insert(field.name.clone(), own);
                }
            }
        }
        access
    }

    /// Whether nothing in the supergraph is guarded.
    pub(crate) fn is_empty(&self) -> bool {
        self.types.is_empty() && self.fields.is_empty()
    }

    /// All that must be met to select a field of a type: the type's own requirements, the field's, those of
    /// what it returns, and for an abstract type also those of every type behind it.
    pub(crate) fn of_field(
        &self,
        schema: &Schema,
        parent: &Name,
        field: &Name,
        returns: &Name,
    ) -> Vec<&Requirement> {
        let mut all: Vec<&Requirement> = Vec::new();
        all.extend(self.types.get(parent));
        all.extend(self.types.get(returns));
        all.extend(self.field(parent, field));
        if matches!(schema.types.get(parent), Some(ExtendedType::Interface(_))) {
            for (name, definition) in &schema.types {
                let implements = match definition {
                    ExtendedType::Object(object) => object.implements_interfaces.contains(parent),
                    _ => false,
                };
                if implements {
                    all.extend(self.types.get(name));
                    all.extend(self.field(name, field));
                }
            }
        }
        all
    }

    fn field(&self, parent: &Name, field: &Name) -> Option<&Requirement> {
        self.fields.get(parent)?.get(field)
    }
}

fn requirement(directives: &DirectiveList, names: &[String; 3]) -> Requirement {
    let [authenticated, scopes, policies] = names;
    let lists = |directive: &str, argument: &str| {
        let value = directives.get(directive)?.specified_argument_by_name(argument)?;
        let outer = value.as_list()?.iter();
        Some(outer.map(|inner| names_of(inner)).collect())
    };
    Requirement {
        authenticated: directives.has(authenticated),
        scopes: lists(scopes, "scopes").unwrap_or_default(),
        policies: lists(policies, "policies").unwrap_or_default(),
    }
}

/// `["a", "b"]`, or `"a"` where the list coercion of GraphQL makes one of it.
fn names_of(value: &Value) -> Vec<String> {
    match value {
        Value::List(names) => names
            .iter()
            .filter_map(|name| name.as_str())
            .map(str::to_owned)
            .collect(),
        Value::String(name) => vec![name.clone()],
        _ => Vec::new(),
    }
}
