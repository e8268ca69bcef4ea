//! The model of one subgraph: extensions folded in, federation directives under their canonical names.

pub(crate) mod analyze;
pub(crate) mod check;
mod check_sets;
mod defaults;
pub(crate) mod parse;
mod schema_check;
mod upgrade;

use apollo_compiler::ast::{DirectiveDefinition, Type, Value};
use apollo_compiler::{Name, Node};
use indexmap::{IndexMap, IndexSet};

use crate::fieldset::FieldSet;
use crate::link::Links;
use crate::spec::Known;

/// One subgraph, parsed.
#[derive(Clone, Debug)]
pub(crate) struct Subgraph {
    pub(crate) name: String,
    pub(crate) url: String,
    /// Its value of `join__Graph`.
    pub(crate) graph: Name,
    pub(crate) links: Links,
    pub(crate) types: IndexMap<Name, TypeDef>,
    /// Directive definitions that belong to no known specification.
    pub(crate) directives: IndexMap<Name, Node<DirectiveDefinition>>,
    /// Directives named by `@composeDirective`, without `@`, with the line.
    pub(crate) composed: Vec<(String, Option<u32>)>,
    /// Directives on the schema itself that travel to the supergraph (`@tag`, composed ones).
    pub(crate) schema_applied: Vec<Applied>,
}

impl Subgraph {
    /// Whether this is a Federation 1 subgraph: one without `@link` to the federation specification.
    pub(crate) fn is_federation_1(&self) -> bool {
        self.links.federation().is_none()
    }

    /// Whether its Federation version is at least 2.`minor`.
    pub(crate) fn at_least(&self, minor: u32) -> bool {
        self.links.federation().is_some_and(|own| own >= minor)
    }

    /// The object types that a value of a type can have in this subgraph.
    pub(crate) fn runtime_types(&self, name: &str) -> IndexSet<Name> {
        let Some(def) = self.types.get(name) else {
            return IndexSet::new();
        };
        match def.kind {
            Kind::Union => def.members.clone(),
            Kind::Interface => self
                .types
                .values()
                .filter(|other| other.kind == Kind::Object && other.interfaces.contains(name))
                .map(|other| other.name.clone())
                .collect(),
            _ => IndexSet::from([def.name.clone()]),
        }
    }
}

/// The kinds of types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
    Scalar,
    Object,
    Interface,
    Union,
    Enum,
    Input,
}

impl Kind {
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Scalar => "Scalar",
            Self::Object => "Object",
            Self::Interface => "Interface",
            Self::Union => "Union",
            Self::Enum => "Enum",
            Self::Input => "InputObject",
        }
    }

    pub(crate) const fn is_composite(self) -> bool {
        matches!(self, Self::Object | Self::Interface | Self::Union)
    }
}

/// A type of one subgraph.
#[derive(Clone, Debug)]
pub(crate) struct TypeDef {
    pub(crate) name: Name,
    pub(crate) kind: Kind,
    pub(crate) description: Option<Node<str>>,
    pub(crate) applied: Vec<Applied>,
    /// It has a definition, not only extensions, and no `@extends`.
    pub(crate) defined: bool,
    /// It has an extension or `@extends`.
    pub(crate) extended: bool,
    pub(crate) interface_object: bool,
    pub(crate) interfaces: IndexSet<Name>,
    pub(crate) fields: IndexMap<Name, FieldDef>,
    pub(crate) members: IndexSet<Name>,
    pub(crate) values: IndexMap<Name, ValueDef>,
    pub(crate) inputs: IndexMap<Name, InputDef>,
    pub(crate) keys: Vec<Key>,
    pub(crate) line: Option<u32>,
}

impl TypeDef {
    pub(crate) fn has(&self, known: Known) -> bool {
        has(&self.applied, known)
    }
}

/// A `@key`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) fields: FieldSet,
    pub(crate) resolvable: bool,
    pub(crate) of_extension: bool,
}

/// A field of an object type or interface.
#[derive(Clone, Debug)]
pub(crate) struct FieldDef {
    pub(crate) name: Name,
    pub(crate) description: Option<Node<str>>,
    pub(crate) ty: Type,
    pub(crate) args: IndexMap<Name, InputDef>,
    pub(crate) applied: Vec<Applied>,
    pub(crate) line: Option<u32>,
    /// Resolved elsewhere: `@external`, except on the key of an extension.
    pub(crate) external: bool,
    /// Part of a key of its type.
    pub(crate) in_key: bool,
    /// Some `@provides` of this subgraph selects it.
    pub(crate) provided: bool,
    pub(crate) shareable: bool,
    pub(crate) requires: Option<FieldSet>,
    pub(crate) provides: Option<FieldSet>,
    pub(crate) overrides: Option<Override>,
}

impl FieldDef {
    pub(crate) fn has(&self, known: Known) -> bool {
        has(&self.applied, known)
    }
}

/// An `@override`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Override {
    pub(crate) from: String,
    pub(crate) label: Option<String>,
    pub(crate) line: Option<u32>,
}

/// An argument or a field of an input type.
#[derive(Clone, Debug)]
pub(crate) struct InputDef {
    pub(crate) name: Name,
    pub(crate) description: Option<Node<str>>,
    pub(crate) ty: Type,
    pub(crate) default: Option<Node<Value>>,
    pub(crate) applied: Vec<Applied>,
    pub(crate) line: Option<u32>,
}

impl InputDef {
    /// A value must be given.
    pub(crate) fn is_required(&self) -> bool {
        self.ty.is_non_null() && self.default.is_none()
    }
}

/// A value of an enum.
#[derive(Clone, Debug)]
pub(crate) struct ValueDef {
    pub(crate) description: Option<Node<str>>,
    pub(crate) applied: Vec<Applied>,
}

/// A directive where it is applied.
#[derive(Clone, Debug)]
pub(crate) struct Applied {
    /// The name in the subgraph.
    pub(crate) name: Name,
    pub(crate) known: Option<Known>,
    pub(crate) args: Vec<(Name, Node<Value>)>,
    pub(crate) line: Option<u32>,
    pub(crate) of_extension: bool,
}

impl Applied {
    pub(crate) fn arg(&self, name: &str) -> Option<&Node<Value>> {
        self.args
            .iter()
            .find(|(own, _)| own == name)
            .map(|(_, value)| value)
    }

    pub(crate) fn str_arg(&self, name: &str) -> Option<&str> {
        self.arg(name).and_then(|value| value.as_str())
    }
}

pub(crate) fn has(applied: &[Applied], known: Known) -> bool {
    applied.iter().any(|directive| directive.known == Some(known))
}

pub(crate) fn all(applied: &[Applied], known: Known) -> impl Iterator<Item = &Applied> {
    applied
        .iter()
        .filter(move |directive| directive.known == Some(known))
}
