//! Who may resolve a field: `@shareable` and its rule.

use apollo_compiler::Name;
use indexmap::{IndexMap, IndexSet};

use super::fields::FieldSource;
use super::overrides::Overridden;
use super::{Merger, Source};
use crate::error::{ErrorCode, quoted_list};
use crate::subgraph::Kind;

impl<'a> Merger<'a> {
    /// Fields of that name which `@interfaceObject` types add to an object type from outside.
    pub(super) fn interface_object_sources(
        &self,
        kind: Kind,
        sources: &[Source<'a>],
        name: &Name,
    ) -> Vec<FieldSource<'a>> {
        if kind != Kind::Object {
            return Vec::new();
        }
        let interfaces: IndexSet<&Name> = sources.iter().flat_map(|(_, def)| &def.interfaces).collect();
        let mut out: Vec<FieldSource<'a>> = Vec::new();
        for interface in interfaces {
            let Some(own) = self.sources.get(interface) else {
                continue;
            };
            for (index, def) in own.iter().filter(|(_, def)| def.interface_object) {
                if let Some(field) = def.fields.get(name)
                    && !field.external
                    && !field.in_key
                    && !out.iter().any(|(at, _)| at == index)
                {
                    out.push((*index, field));
                }
            }
        }
        out
    }

    pub(super) fn check_sharing(
        &mut self,
        parent: &Name,
        kind: Kind,
        sources: &[Source<'a>],
        own: &[FieldSource<'a>],
        abstracted: &[FieldSource<'a>],
        states: &IndexMap<usize, Overridden>,
    ) {
        let resolving: Vec<FieldSource<'a>> = match kind {
            Kind::Object => own.iter().chain(abstracted).copied().collect(),
            // Interfaces resolve nothing, but for the subgraphs that see them as objects.
            _ => own
                .iter()
                .filter(|(index, _)| {
                    sources
                        .iter()
                        .any(|(at, def)| at == index && def.interface_object)
                })
                .copied()
                .collect(),
        };
        let resolving: Vec<FieldSource<'a>> = resolving
            .into_iter()
            .filter(|(index, field)| {
                let gone = states
                    .get(index)
                    .is_some_and(|state| state.overridden && state.label.is_none());
                (!field.external || field.provided) && !gone
            })
            .collect();
        if resolving.len() < 2 {
            return;
        }
        let Some((_, first)) = resolving.first() else {
            return;
        };
        let place = format!("{parent}.{}", first.name);
        if parent == "Subscription" {
            let message = format!(
                "Fields on root level subscription object cannot be marked as shareable: \"{place}\""
            );
            self.report.error(ErrorCode::InvalidFieldSharing, message);
            return;
        }
        let labelled = |index: &usize| states.get(index).is_some_and(|state| state.label.is_some());
        let not_shareable: Vec<&str> = resolving
            .iter()
            .filter(|(index, field)| !field.shareable && !labelled(index))
            .map(|(index, _)| self.name(*index))
            .collect();
        if not_shareable.is_empty() {
            self.check_runtime_types(&place, &resolving);
            return;
        }
        let at = if not_shareable.len() == resolving.len() {
            "all of them".to_owned()
        } else {
            quoted_list(&not_shareable)
        };
        let message = format!(
            "Non-shareable field \"{place}\" is resolved from multiple subgraphs: it is resolved from subgraphs {} and \
             defined as non-shareable in {at}",
            quoted_list(resolving.iter().map(|(index, _)| self.name(*index)))
        );
        self.report.error(ErrorCode::InvalidFieldSharing, message);
    }

    /// A shared field of an abstract type may not return different worlds in different subgraphs.
    fn check_runtime_types(&mut self, place: &str, resolving: &[FieldSource<'a>]) {
        let sets: Vec<IndexSet<Name>> = resolving
            .iter()
            .filter_map(|(index, field)| {
                let subgraph = self.subgraphs.get(*index)?;
                let target = subgraph.types.get(field.ty.inner_named_type())?;
                (target.kind.is_composite() && !target.interface_object)
                    .then(|| subgraph.runtime_types(&target.name))
            })
            .collect();
        let Some((first, rest)) = sets.split_first() else {
            return;
        };
        if rest
            .iter()
            .all(|other| other.is_empty() || first.is_empty() || other.iter().any(|t| first.contains(t)))
        {
            return;
        }
        let message = format!(
            "For the shared field \"{place}\", the runtime types of its subgraphs have nothing in common: a shared field \
             must be resolved to the same values everywhere."
        );
        self.report
            .error(ErrorCode::ShareableHasMismatchedRuntimeTypes, message);
    }
}
