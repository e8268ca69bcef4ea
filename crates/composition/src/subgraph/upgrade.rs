//! Reads a Federation 1 subgraph as the Federation 2 subgraph that it means.
//!
//! Source: <https://www.apollographql.com/docs/graphos/reference/migration/to-federation-version-2>.

use apollo_compiler::Name;
use indexmap::IndexSet;

use super::analyze::{interface_fields, used_fields};
use super::{Kind, Subgraph};
use crate::fieldset::Sel;
use crate::spec::Known;

/// Rewrites the model in place: what Federation 1 ignored goes away.
pub(super) fn upgrade(subgraph: &mut Subgraph) {
    drop_ignored_directives(subgraph);
    drop_inactive_selections(subgraph);
    drop_unused_externals(subgraph);
}

/// Keys and external fields of interfaces had no meaning, nor had `@provides` on a leaf.
fn drop_ignored_directives(subgraph: &mut Subgraph) {
    let composite: IndexSet<Name> = subgraph
        .types
        .values()
        .filter(|def| def.kind.is_composite())
        .map(|def| def.name.clone())
        .collect();
    for def in subgraph.types.values_mut() {
        let interface = def.kind == Kind::Interface;
        if interface {
            def.keys.clear();
            def.applied.retain(|applied| applied.known != Some(Known::Key));
        }
        for field in def.fields.values_mut() {
            if interface {
                field.requires = None;
                field.provides = None;
                field.overrides = None;
                field.applied.retain(|applied| {
                    !matches!(
                        applied.known,
                        Some(Known::External | Known::Requires | Known::Provides | Known::Override)
                    )
                });
            }
            if !composite.contains(field.ty.inner_named_type()) {
                field.provides = None;
                field
                    .applied
                    .retain(|applied| applied.known != Some(Known::Provides));
            }
            if field.external {
                field
                    .applied
                    .retain(|applied| !matches!(applied.known, Some(Known::Tag | Known::Inaccessible)));
            }
        }
    }
}

/// `@provides` and `@requires` of fields that are not external did nothing.
fn drop_inactive_selections(subgraph: &mut Subgraph) {
    let snapshot = subgraph.clone();
    for def in subgraph.types.values_mut() {
        for field in def.fields.values_mut() {
            if let Some(requires) = &mut field.requires {
                keep_external(&snapshot, &def.name, &mut requires.selections);
            }
            if field
                .requires
                .as_ref()
                .is_some_and(|set| set.selections.is_empty())
            {
                field.requires = None;
                field
                    .applied
                    .retain(|applied| applied.known != Some(Known::Requires));
            }
            if let Some(provides) = &mut field.provides {
                keep_external(&snapshot, field.ty.inner_named_type(), &mut provides.selections);
            }
            if field
                .provides
                .as_ref()
                .is_some_and(|set| set.selections.is_empty())
            {
                field.provides = None;
                field
                    .applied
                    .retain(|applied| applied.known != Some(Known::Provides));
            }
        }
    }
}

fn keep_external(subgraph: &Subgraph, parent: &Name, selections: &mut Vec<Sel>) {
    selections.retain_mut(|selection| match selection {
        Sel::Field(selected) => {
            let Some(def) = subgraph.types.get(parent) else {
                return true;
            };
            let Some(field) = def.fields.get(&selected.name) else {
                return true;
            };
            let implementations = subgraph.runtime_types(parent);
            let external = field.external
                || implementations.iter().any(|implementation| {
                    let own = subgraph.types.get(implementation);
                    own.and_then(|def| def.fields.get(&selected.name))
                        .is_some_and(|own| own.external)
                });
            if external {
                return true;
            }
            keep_external(subgraph, field.ty.inner_named_type(), &mut selected.selections);
            !selected.selections.is_empty()
        }
        Sel::Fragment { on, selections } => {
            let parent = on.clone().unwrap_or_else(|| parent.clone());
            keep_external(subgraph, &parent, selections);
            !selections.is_empty()
        }
    });
}

/// External fields that nothing uses were allowed; they say nothing about the subgraph.
fn drop_unused_externals(subgraph: &mut Subgraph) {
    let mut used = used_fields(subgraph);
    used.extend(interface_fields(subgraph));
    let mut emptied = IndexSet::new();
    for def in subgraph.types.values_mut() {
        let had = def.fields.len();
        let name = def.name.clone();
        def.fields
            .retain(|field, own| !own.external || used.contains(&(name.clone(), field.clone())));
        if had > 0 && def.fields.is_empty() {
            emptied.insert(name);
        }
    }
    if emptied.is_empty() {
        return;
    }
    let referenced: IndexSet<Name> = subgraph
        .types
        .values()
        .flat_map(|def| {
            let of_fields = def
                .fields
                .values()
                .map(|field| field.ty.inner_named_type().clone());
            of_fields
                .chain(def.members.iter().cloned())
                .chain(def.interfaces.iter().cloned())
        })
        .collect();
    subgraph
        .types
        .retain(|name, _| !emptied.contains(name) || referenced.contains(name));
}
