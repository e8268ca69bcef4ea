//! Which types stand behind which, as the supergraph says.

use std::collections::{HashMap, HashSet};

use apollo_compiler::Node;
use apollo_compiler::ast::{self, Definition, Document};

/// Which object types stand behind an abstract type, inaccessible ones included.
#[derive(Debug, Default)]
pub(crate) struct TypeTable {
    subtypes: HashMap<Box<str>, HashSet<Box<str>>>,
    interface_objects: HashSet<Box<str>>,
}

impl TypeTable {
    /// Reads a supergraph.
    pub(super) fn read(document: &Document) -> Self {
        let mut table = Self::default();
        let mut add = |outer: &str, inner: &str| {
            table
                .subtypes
                .entry(outer.into())
                .or_default()
                .insert(inner.into());
        };
        for definition in &document.definitions {
            match definition {
                Definition::ObjectTypeDefinition(object) => {
                    object
                        .implements_interfaces
                        .iter()
                        .for_each(|interface| add(interface, &object.name));
                }
                Definition::InterfaceTypeDefinition(interface) => {
                    interface
                        .implements_interfaces
                        .iter()
                        .for_each(|outer| add(outer, &interface.name));
                }
                Definition::UnionTypeDefinition(union) => {
                    union.members.iter().for_each(|member| add(&union.name, member));
                }
                _ => {}
            }
        }
        for definition in &document.definitions {
            if let Definition::InterfaceTypeDefinition(interface) = definition {
                table.subtypes.entry(interface.name.as_str().into()).or_default();
                let is_object = |join: &&Node<ast::Directive>| {
                    let flag = join.specified_argument_by_name("isInterfaceObject");
                    join.name == "join__type" && flag.and_then(|flag| flag.to_bool()) == Some(true)
                };
                if interface.directives.iter().find(is_object).is_some() {
                    table.interface_objects.insert(interface.name.as_str().into());
                }
            }
        }
        table
    }

    /// Whether an object of the type `actual` satisfies the condition `on expected`.
    pub(crate) fn satisfies(&self, actual: &str, expected: &str) -> bool {
        actual == expected
            || self
                .subtypes
                .get(expected)
                .is_some_and(|subtypes| subtypes.contains(actual))
    }

    /// Whether the name is that of an interface or a union.
    pub(crate) fn is_abstract(&self, name: &str) -> bool {
        self.subtypes.contains_key(name)
    }

    /// The types behind an abstract one.
    pub(crate) fn behind(&self, name: &str) -> impl Iterator<Item = &str> {
        self.subtypes.get(name).into_iter().flatten().map(|name| &**name)
    }

    /// The abstract types that a type is behind.
    pub(crate) fn above(&self, name: &str) -> impl Iterator<Item = &str> {
        let above = self
            .subtypes
            .iter()
            .filter(move |(_, inner)| inner.contains(name));
        above.map(|(outer, _)| &**outer)
    }

    /// Whether some subgraph knows the interface only as an object type (`@interfaceObject`).
    pub(crate) fn is_interface_object(&self, name: &str) -> bool {
        self.interface_objects.contains(name)
    }
}
