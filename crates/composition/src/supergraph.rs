//! The merged model: what the supergraph SDL is printed from, and what is validated.

use std::collections::BTreeSet;

use apollo_compiler::ast::{Directive, DirectiveDefinition, Type, Value};
use apollo_compiler::{Name, Node};
use indexmap::{IndexMap, IndexSet};

use crate::spec::Known;
use crate::subgraph::Kind;

/// The merged schema.
#[derive(Debug, Default)]
pub(crate) struct Supergraph {
    pub(crate) types: IndexMap<Name, Merged>,
    /// Executable directives that all subgraphs share, and composed ones.
    pub(crate) directives: IndexMap<Name, Node<DirectiveDefinition>>,
    /// Links of composed directives.
    pub(crate) links: Vec<ComposedLink>,
    pub(crate) schema_directives: Vec<Directive>,
    /// The known directives that occur, so that their definitions and links are printed.
    pub(crate) used: BTreeSet<Known>,
}

impl Supergraph {
    /// The object types that a value of a type can have.
    pub(crate) fn runtime_types(&self, name: &str) -> Vec<Name> {
        let Some(merged) = self.types.get(name) else {
            return Vec::new();
        };
        match merged.kind {
            Kind::Union => merged.members.iter().cloned().collect(),
            Kind::Interface => self
                .types
                .values()
                .filter(|other| other.kind == Kind::Object && other.interfaces.contains(name))
                .map(|other| other.name.clone())
                .collect(),
            _ => vec![merged.name.clone()],
        }
    }

    /// Whether every value of `sub` is one of `sup`.
    pub(crate) fn is_subtype(&self, sup: &str, sub: &str) -> bool {
        let in_union = self
            .types
            .get(sup)
            .is_some_and(|merged| merged.members.contains(sub));
        in_union
            || self
                .types
                .get(sub)
                .is_some_and(|merged| merged.interfaces.contains(sup))
    }
}

/// The link of a specification of which a directive is composed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ComposedLink {
    pub(crate) identity: String,
    pub(crate) version: Option<(u32, u32)>,
    pub(crate) alias: Option<String>,
    /// The element and its alias, both with `@`.
    pub(crate) imports: Vec<(String, Option<String>)>,
}

/// A type of the supergraph.
#[derive(Clone, Debug)]
pub(crate) struct Merged {
    pub(crate) name: Name,
    pub(crate) kind: Kind,
    pub(crate) description: Option<Node<str>>,
    pub(crate) directives: Vec<Directive>,
    pub(crate) interfaces: IndexSet<Name>,
    pub(crate) fields: IndexMap<Name, MergedField>,
    pub(crate) members: IndexSet<Name>,
    pub(crate) values: IndexMap<Name, MergedValue>,
    pub(crate) inputs: IndexMap<Name, MergedInput>,
}

impl Merged {
    pub(crate) fn is_inaccessible(&self) -> bool {
        has(&self.directives, "inaccessible")
    }
}

/// A field of the supergraph.
#[derive(Clone, Debug)]
pub(crate) struct MergedField {
    pub(crate) name: Name,
    pub(crate) description: Option<Node<str>>,
    pub(crate) ty: Type,
    pub(crate) args: IndexMap<Name, MergedInput>,
    pub(crate) directives: Vec<Directive>,
}

impl MergedField {
    pub(crate) fn is_inaccessible(&self) -> bool {
        has(&self.directives, "inaccessible")
    }
}

/// An argument or input field of the supergraph.
#[derive(Clone, Debug)]
pub(crate) struct MergedInput {
    pub(crate) name: Name,
    pub(crate) description: Option<Node<str>>,
    pub(crate) ty: Type,
    pub(crate) default: Option<Node<Value>>,
    pub(crate) directives: Vec<Directive>,
}

impl MergedInput {
    pub(crate) fn is_inaccessible(&self) -> bool {
        has(&self.directives, "inaccessible")
    }
}

/// An enum value of the supergraph.
#[derive(Clone, Debug)]
pub(crate) struct MergedValue {
    pub(crate) name: Name,
    pub(crate) description: Option<Node<str>>,
    pub(crate) directives: Vec<Directive>,
}

pub(crate) fn has(directives: &[Directive], name: &str) -> bool {
    directives.iter().any(|directive| directive.name == name)
}
