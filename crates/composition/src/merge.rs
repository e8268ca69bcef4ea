//! Merges the subgraphs into one schema.
//!
//! Source of the rules: <https://www.apollographql.com/docs/graphos/schema-design/federated-schemas/composition>.

mod composed;
pub(crate) mod directives;
mod fields;
mod inputs;
mod overrides;
mod sharing;
mod types;

use apollo_compiler::Name;
use apollo_compiler::ast::Type;
use indexmap::{IndexMap, IndexSet};

use crate::error::{ErrorCode, Report, quoted_list};
use crate::subgraph::{Kind, Subgraph, TypeDef};
use crate::supergraph::Supergraph;

pub(crate) use overrides::{Overridden, overridden};

/// Merges; what cannot be merged is reported.
pub(crate) fn merge(subgraphs: &[Subgraph], report: &mut Report) -> Supergraph {
    let mut merger = Merger::new(subgraphs, report);
    merger.merge_types();
    merger.add_interface_object_fields();
    merger.merge_schema_directives();
    merger.out
}

/// A type where it is declared: the index of its subgraph, and its definition there.
pub(crate) type Source<'a> = (usize, &'a TypeDef);

pub(crate) struct Merger<'a> {
    subgraphs: &'a [Subgraph],
    report: &'a mut Report,
    out: Supergraph,
    /// Where each type is declared, by name.
    sources: IndexMap<Name, Vec<Source<'a>>>,
    /// Interfaces and members, over all subgraphs: for comparing types.
    supertypes: IndexMap<Name, IndexSet<Name>>,
    composed: composed::Composed,
    used_as_input: IndexMap<Name, String>,
    used_as_output: IndexMap<Name, String>,
}

impl<'a> Merger<'a> {
    fn new(subgraphs: &'a [Subgraph], report: &'a mut Report) -> Self {
        let mut sources: IndexMap<Name, Vec<Source<'a>>> = IndexMap::new();
        let mut supertypes: IndexMap<Name, IndexSet<Name>> = IndexMap::new();
        for (index, subgraph) in subgraphs.iter().enumerate() {
            for def in subgraph.types.values() {
                sources.entry(def.name.clone()).or_default().push((index, def));
                supertypes
                    .entry(def.name.clone())
                    .or_default()
                    .extend(def.interfaces.iter().cloned());
                for member in &def.members {
                    supertypes
                        .entry(member.clone())
                        .or_default()
                        .insert(def.name.clone());
                }
            }
        }
        sources.sort_unstable_keys();
        let (used_as_input, used_as_output) = usage(subgraphs);
        let mut out = Supergraph::default();
        let composed = composed::Composed::read(subgraphs, &mut out, report);
        Self {
            subgraphs,
            report,
            out,
            sources,
            supertypes,
            composed,
            used_as_input,
            used_as_output,
        }
    }

    fn merge_types(&mut self) {
        let all: Vec<(Name, Vec<Source<'a>>)> = self
            .sources
            .iter()
            .map(|(name, sources)| (name.clone(), sources.clone()))
            .collect();
        for (name, sources) in all {
            let Some(kind) = self.common_kind(&name, &sources) else {
                continue;
            };
            self.check_base(&name, &sources);
            let merged = self.merge_type(&name, kind, &sources);
            if let Some(merged) = merged {
                self.out.types.insert(name, merged);
            }
        }
    }

    fn common_kind(&mut self, name: &Name, sources: &[Source<'_>]) -> Option<Kind> {
        let of = |def: &TypeDef| {
            if def.interface_object {
                Kind::Interface
            } else {
                def.kind
            }
        };
        let kinds: IndexSet<Kind> = sources.iter().map(|(_, def)| of(def)).collect();
        if let [only] = kinds.iter().copied().collect::<Vec<_>>()[..] {
            if only == Kind::Interface && sources.iter().all(|(_, def)| def.interface_object) {
                self.report.error(
                    ErrorCode::InterfaceObjectUsageError,
                    format!(
                        "Type \"{name}\" is declared with @interfaceObject in all the subgraphs in which it is defined"
                    ),
                );
                return None;
            }
            return Some(only);
        }
        let parts: Vec<String> = kinds
            .iter()
            .map(|kind| {
                let names = sources
                    .iter()
                    .filter(|(_, def)| of(def) == *kind)
                    .map(|(i, _)| self.name(*i));
                format!("{} Type in {}", kind.text(), quoted_list(names))
            })
            .collect();
        let text = parts.join(" but ");
        self.report.error(
            ErrorCode::TypeKindMismatch,
            format!("Type \"{name}\" has mismatched kind: it is defined as {text}"),
        );
        None
    }

    fn check_base(&mut self, name: &Name, sources: &[Source<'_>]) {
        if matches!(name.as_str(), "Query" | "Mutation" | "Subscription") {
            return;
        }
        if sources.iter().any(|(_, def)| def.defined) {
            return;
        }
        for (index, def) in sources {
            let subgraph = self.name(*index).to_owned();
            self.report.at(
                ErrorCode::ExtensionWithNoBase,
                &subgraph,
                def.line,
                format!("Type \"{name}\" is an extension type, but there is no type definition for \"{name}\" in any subgraph."),
            );
        }
    }

    fn name(&self, index: usize) -> &'a str {
        let subgraphs = self.subgraphs;
        subgraphs.get(index).map_or("", |subgraph| subgraph.name.as_str())
    }

    fn graph(&self, index: usize) -> Name {
        self.subgraphs
            .get(index)
            .map_or_else(|| crate::build::name("_"), |subgraph| subgraph.graph.clone())
    }

    /// Whether `sub` is a strict subtype of `sup`.
    fn is_strict_subtype(&self, sup: &Type, sub: &Type) -> bool {
        sup != sub && self.is_subtype(sup, sub)
    }

    fn is_subtype(&self, sup: &Type, sub: &Type) -> bool {
        match (sup, sub) {
            (Type::Named(sup), Type::Named(sub) | Type::NonNullNamed(sub))
            | (Type::NonNullNamed(sup), Type::NonNullNamed(sub)) => {
                sup == sub || self.supertypes.get(sub).is_some_and(|own| own.contains(sup))
            }
            (Type::List(sup), Type::List(sub) | Type::NonNullList(sub))
            | (Type::NonNullList(sup), Type::NonNullList(sub)) => self.is_subtype(sup, sub),
            _ => false,
        }
    }
}

/// Where each enum is used, as one example for input and one for output.
fn usage(subgraphs: &[Subgraph]) -> (IndexMap<Name, String>, IndexMap<Name, String>) {
    let mut input = IndexMap::new();
    let mut output = IndexMap::new();
    for def in subgraphs.iter().flat_map(|subgraph| subgraph.types.values()) {
        for field in def.fields.values() {
            let place = format!("{}.{}", def.name, field.name);
            for arg in field.args.values() {
                let place = format!("{place}({}:)", arg.name);
                input.entry(arg.ty.inner_named_type().clone()).or_insert(place);
            }
            output.entry(field.ty.inner_named_type().clone()).or_insert(place);
        }
        for field in def.inputs.values() {
            let place = format!("{}.{}", def.name, field.name);
            input.entry(field.ty.inner_named_type().clone()).or_insert(place);
        }
    }
    (input, output)
}
