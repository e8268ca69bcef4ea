//! Merging of fields of object types and interfaces.

use apollo_compiler::Name;
use apollo_compiler::ast::{Directive, Type};
use indexmap::{IndexMap, IndexSet};

use super::overrides::{Overridden, overridden};
use super::{Merger, Source};
use crate::build;
use crate::error::{ErrorCode, quoted_list};
use crate::subgraph::{Applied, FieldDef, InputDef, Kind};
use crate::supergraph::MergedField;

/// A field where it is declared.
pub(super) type FieldSource<'a> = (usize, &'a FieldDef);

impl<'a> Merger<'a> {
    pub(super) fn merge_fields(
        &mut self,
        parent: &Name,
        kind: Kind,
        sources: &[Source<'a>],
    ) -> IndexMap<Name, MergedField> {
        let names: IndexSet<Name> = sources
            .iter()
            .flat_map(|(_, def)| def.fields.keys().cloned())
            .collect();
        let mut out = IndexMap::new();
        for name in names {
            let own: Vec<FieldSource<'a>> = sources
                .iter()
                .filter_map(|(index, def)| def.fields.get(&name).map(|field| (*index, field)))
                .collect();
            let abstracted = self.interface_object_sources(kind, sources, &name);
            if own.iter().all(|(_, field)| field.external) {
                if abstracted.is_empty() {
                    self.external_everywhere(parent, &name, &own);
                }
                continue;
            }
            self.check_overrides(parent, &own);
            let states = overridden(self.subgraphs, parent, &own);
            self.check_sharing(parent, kind, sources, &own, &abstracted, &states);
            if let Some(merged) = self.merge_field(parent, sources, &own, &states) {
                out.insert(name, merged);
            }
        }
        out
    }

    fn external_everywhere(&mut self, parent: &Name, name: &Name, own: &[FieldSource<'_>]) {
        let names = quoted_list(own.iter().map(|(index, _)| self.name(*index)));
        let message = format!(
            "Field \"{parent}.{name}\" is marked @external on all the subgraphs in which it is listed ({names})."
        );
        self.report.error(ErrorCode::ExternalMissingOnBase, message);
    }

    fn merge_field(
        &mut self,
        parent: &Name,
        sources: &[Source<'a>],
        own: &[FieldSource<'a>],
        states: &IndexMap<usize, Overridden>,
    ) -> Option<MergedField> {
        let name = own.first()?.1.name.clone();
        let place = format!("{parent}.{name}");
        let resolving: Vec<FieldSource<'a>> =
            own.iter().filter(|(_, field)| !field.external).copied().collect();
        let types: Vec<(usize, &Type)> = resolving
            .iter()
            .map(|(index, field)| (*index, &field.ty))
            .collect();
        let (ty, same) = self.merge_output_type(&place, &types)?;
        let args = self.merge_arguments(&place, &resolving);
        let description = self
            .merge_description(own.iter().map(|(_, field)| field.description.as_ref()), || {
                format!("Field \"{place}\"")
            });
        let mut merged = MergedField {
            name,
            description,
            ty,
            args,
            directives: Vec::new(),
        };
        self.check_externals(&place, &merged, own, same);
        merged.directives = self.join_fields(sources, own, states, same);
        let applied: Vec<(usize, &[Applied])> = own
            .iter()
            .map(|(index, field)| (*index, field.applied.as_slice()))
            .collect();
        merged.directives.extend(self.merge_applied(&applied, &place));
        Some(merged)
    }

    /// The most general of the types; all others must be subtypes of it. Says also if all are the same.
    fn merge_output_type(&mut self, place: &str, types: &[(usize, &Type)]) -> Option<(Type, bool)> {
        self.merge_type_reference(place, types, false, ErrorCode::FieldTypeMismatch)
    }

    /// The most special of the types, for input.
    pub(super) fn merge_input_type(
        &mut self,
        place: &str,
        types: &[(usize, &Type)],
        code: ErrorCode,
    ) -> Option<(Type, bool)> {
        self.merge_type_reference(place, types, true, code)
    }

    fn merge_type_reference(
        &mut self,
        place: &str,
        types: &[(usize, &Type)],
        contravariant: bool,
        code: ErrorCode,
    ) -> Option<(Type, bool)> {
        let mut merged: &Type = types.first()?.1;
        let mut same = true;
        let mut compatible = true;
        for (_, ty) in types.iter().skip(1) {
            if merged == *ty {
                continue;
            }
            same = false;
            if self.is_strict_subtype(merged, ty) {
                if contravariant {
                    merged = ty;
                }
            } else if self.is_strict_subtype(ty, merged) {
                if !contravariant {
                    merged = ty;
                }
            } else {
                compatible = false;
            }
        }
        let by_type = |merger: &Self| {
            let distinct: IndexSet<String> = types.iter().map(|(_, ty)| ty.to_string()).collect();
            let parts: Vec<String> = distinct
                .iter()
                .map(|text| {
                    let at = types.iter().filter(|(_, ty)| ty.to_string() == *text);
                    format!(
                        "type \"{text}\" in {}",
                        quoted_list(at.map(|(index, _)| merger.name(*index)))
                    )
                })
                .collect();
            parts.join(" but ")
        };
        if !compatible {
            let what = if contravariant {
                "incompatible types"
            } else {
                "incompatible types across subgraphs"
            };
            let text = format!("Type of \"{place}\" has {what}: it has {}", by_type(self));
            self.report.error(code, text);
        } else if !same {
            let text = format!(
                "Type of \"{place}\" is inconsistent but compatible across subgraphs: it has {}. \"{merged}\" is used.",
                by_type(self)
            );
            let hint = if contravariant {
                "INCONSISTENT_BUT_COMPATIBLE_ARGUMENT_TYPE"
            } else {
                "INCONSISTENT_BUT_COMPATIBLE_FIELD_TYPE"
            };
            self.report.hint(hint, text);
        }
        Some((merged.clone(), same))
    }

    /// What a subgraph says of an external field must agree with the field: where all who have it say the same of its type,
    /// in that, too; otherwise it may be a subtype.
    fn check_externals(
        &mut self,
        place: &str,
        merged: &MergedField,
        own: &[FieldSource<'a>],
        same_type: bool,
    ) {
        for (index, field) in own.iter().filter(|(_, field)| field.external) {
            let subgraph = self.name(*index).to_owned();
            let agrees =
                merged.ty == field.ty || (!same_type && self.is_strict_subtype(&merged.ty, &field.ty));
            if !agrees {
                let message = format!(
                    "Type of field \"{place}\" is incompatible across subgraphs (where marked @external): it has type \
                     \"{}\" but \"{}\" in \"{subgraph}\"",
                    merged.ty, field.ty
                );
                self.report
                    .at(ErrorCode::ExternalTypeMismatch, &subgraph, field.line, message);
            }
            for arg in merged.args.values() {
                let Some(declared) = field.args.get(&arg.name) else {
                    let message = format!(
                        "Field \"{place}\" is missing argument \"{place}({}:)\" in some subgraphs where it is marked \
                         @external",
                        arg.name
                    );
                    self.report
                        .at(ErrorCode::ExternalArgumentMissing, &subgraph, field.line, message);
                    continue;
                };
                self.check_external_argument(place, arg, declared, &subgraph);
            }
        }
    }

    fn check_external_argument(
        &mut self,
        place: &str,
        arg: &crate::supergraph::MergedInput,
        declared: &InputDef,
        subgraph: &str,
    ) {
        if arg.ty != declared.ty && !self.is_strict_subtype(&declared.ty, &arg.ty) {
            let message = format!(
                "Type of argument \"{place}({}:)\" is incompatible across subgraphs (where \"{place}\" is marked @external)",
                arg.name
            );
            self.report.at(
                ErrorCode::ExternalArgumentTypeMismatch,
                subgraph,
                declared.line,
                message,
            );
        }
        if arg.default != declared.default {
            let message = format!(
                "Argument \"{place}({}:)\" has incompatible defaults across subgraphs (where \"{place}\" is marked @external)",
                arg.name
            );
            self.report.at(
                ErrorCode::ExternalArgumentDefaultMismatch,
                subgraph,
                declared.line,
                message,
            );
        }
    }

    /// `@join__field` for each subgraph, or nothing where all subgraphs of the type have the field plainly.
    fn join_fields(
        &self,
        sources: &[Source<'a>],
        own: &[FieldSource<'a>],
        states: &IndexMap<usize, Overridden>,
        same_type: bool,
    ) -> Vec<Directive> {
        let state = |index: usize| states.get(&index).cloned().unwrap_or_default();
        let needed = !same_type
            || states.values().any(|state| state.used || state.label.is_some())
            || sources
                .iter()
                .any(|(index, _)| match own.iter().find(|(at, _)| at == index) {
                    Some((_, field)) => {
                        state(*index).is_gone()
                            || field.external
                            || field.requires.is_some()
                            || field.provides.is_some()
                            || field.overrides.is_some()
                    }
                    None => true,
                });
        if !needed {
            return Vec::new();
        }
        let mut out = Vec::new();
        for (index, field) in own {
            let state = state(*index);
            if state.is_gone() {
                continue;
            }
            let mut args = vec![(build::name("graph"), build::variant(&self.graph(*index)))];
            if let Some(requires) = &field.requires {
                args.push((build::name("requires"), build::string(requires.text())));
            }
            if let Some(provides) = &field.provides {
                args.push((build::name("provides"), build::string(provides.text())));
            }
            if !same_type {
                args.push((build::name("type"), build::string(field.ty.to_string())));
            }
            if field.external {
                args.push((build::name("external"), build::boolean(true)));
            }
            if let Some(overrides) = &field.overrides {
                args.push((build::name("override"), build::string(overrides.from.clone())));
            }
            if state.overridden && state.used {
                args.push((build::name("usedOverridden"), build::boolean(true)));
            }
            if let Some(label) = state.label {
                args.push((build::name("overrideLabel"), build::string(label)));
            }
            out.push(build::directive(build::name("join__field"), args));
        }
        out
    }
}
