//! `@override`: which subgraph no longer resolves a field.

use apollo_compiler::Name;
use indexmap::IndexMap;

use super::Merger;
use crate::error::ErrorCode;
use crate::subgraph::analyze::{interface_fields, used_fields};
use crate::subgraph::{FieldDef, Subgraph};

/// What became of a field in one subgraph.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Overridden {
    /// Another subgraph took the field over, for the share that the label says, or wholly.
    pub(crate) overridden: bool,
    /// It is still needed here for keys, `@requires`, `@provides` or an interface.
    pub(crate) used: bool,
    /// The label of a gradual override, on both sides.
    pub(crate) label: Option<String>,
}

impl Overridden {
    /// The field is gone from its subgraph.
    pub(crate) fn is_gone(&self) -> bool {
        self.overridden && !self.used && self.label.is_none()
    }
}

/// The state of a field in each of its subgraphs; subgraphs without a say are left out.
pub(crate) fn overridden(
    subgraphs: &[Subgraph],
    parent: &Name,
    own: &[(usize, &FieldDef)],
) -> IndexMap<usize, Overridden> {
    let mut out: IndexMap<usize, Overridden> = IndexMap::new();
    for (index, field) in own {
        let Some(overrides) = &field.overrides else {
            continue;
        };
        let from = subgraphs
            .iter()
            .position(|subgraph| subgraph.name == overrides.from);
        let Some(from) = from.filter(|from| from != index) else {
            continue;
        };
        let Some((_, source)) = own.iter().find(|(other, _)| *other == from) else {
            continue;
        };
        let coordinate = (parent.clone(), source.name.clone());
        let used = subgraphs.get(from).is_some_and(|subgraph| {
            used_fields(subgraph).contains(&coordinate) || interface_fields(subgraph).contains(&coordinate)
        });
        let state = out.entry(from).or_default();
        state.overridden = true;
        state.used = used;
        state.label.clone_from(&overrides.label);
        out.entry(*index).or_default().label.clone_from(&overrides.label);
    }
    out
}

impl Merger<'_> {
    /// Reports what `@override` may not do.
    pub(super) fn check_overrides(&mut self, parent: &Name, own: &[(usize, &FieldDef)]) {
        for (index, field) in own {
            let Some(overrides) = &field.overrides else {
                continue;
            };
            let place = format!("{parent}.{}", field.name);
            let subgraph = self.name(*index).to_owned();
            let subgraphs = self.subgraphs;
            let Some(from) = subgraphs.iter().position(|other| other.name == overrides.from) else {
                let message = format!(
                    "Source subgraph \"{}\" for field \"{place}\" does not exist.",
                    overrides.from
                );
                self.report.hint("FROM_SUBGRAPH_DOES_NOT_EXIST", message);
                continue;
            };
            let Some((_, source)) = own.iter().find(|(other, _)| *other == from) else {
                let message = format!(
                    "Field \"{place}\" in subgraph \"{subgraph}\" no longer exists in the from subgraph. The @override \
                     directive can be removed."
                );
                self.report.hint("OVERRIDE_DIRECTIVE_CAN_BE_REMOVED", message);
                continue;
            };
            if source.overrides.is_some() {
                let message = format!(
                    "Field \"{place}\" on subgraph \"{subgraph}\" is also marked with directive @override in subgraph \
                     \"{}\". Only one @override directive is allowed per field.",
                    overrides.from
                );
                self.report.at(
                    ErrorCode::OverrideSourceHasOverride,
                    &subgraph,
                    overrides.line,
                    message,
                );
                continue;
            }
            let conflict = if field.external {
                Some(("@external", subgraph.as_str()))
            } else if source.external {
                Some(("@external", overrides.from.as_str()))
            } else if source.requires.is_some() {
                Some(("@requires", overrides.from.as_str()))
            } else if source.provides.is_some() {
                Some(("@provides", overrides.from.as_str()))
            } else {
                None
            };
            if let Some((directive, at)) = conflict {
                let message = format!(
                    "@override cannot be used on field \"{place}\" on subgraph \"{subgraph}\" since \"{place}\" on \"{at}\" \
                     is marked with directive \"{directive}\""
                );
                self.report.at(
                    ErrorCode::OverrideCollisionWithAnotherDirective,
                    &subgraph,
                    overrides.line,
                    message,
                );
            }
        }
    }
}
