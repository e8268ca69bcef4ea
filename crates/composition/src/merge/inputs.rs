//! Merging of arguments and of the fields of input types.

use apollo_compiler::ast::{Directive, Type, Value};
use apollo_compiler::{Name, Node};
use indexmap::{IndexMap, IndexSet};

use super::fields::FieldSource;
use super::{Merger, Source};
use crate::build;
use crate::error::{ErrorCode, quoted_list};
use crate::subgraph::{Applied, InputDef};
use crate::supergraph::MergedInput;

type InputSource<'a> = (usize, &'a InputDef);

#[derive(Clone, Copy)]
struct Codes {
    ty: ErrorCode,
    default: ErrorCode,
}

const ARGUMENT: Codes = Codes {
    ty: ErrorCode::FieldArgumentTypeMismatch,
    default: ErrorCode::FieldArgumentDefaultMismatch,
};
const INPUT_FIELD: Codes = Codes {
    ty: ErrorCode::FieldTypeMismatch,
    default: ErrorCode::InputFieldDefaultMismatch,
};

impl<'a> Merger<'a> {
    /// An argument that only some subgraphs know is dropped; it must be optional then.
    pub(super) fn merge_arguments(
        &mut self,
        place: &str,
        fields: &[FieldSource<'a>],
    ) -> IndexMap<Name, MergedInput> {
        let names: IndexSet<Name> = fields
            .iter()
            .flat_map(|(_, field)| field.args.keys().cloned())
            .collect();
        let mut out = IndexMap::new();
        for name in names {
            let own: Vec<InputSource<'a>> = fields
                .iter()
                .filter_map(|(index, field)| field.args.get(&name).map(|arg| (*index, arg)))
                .collect();
            let place = format!("{place}({name}:)");
            if own.len() < fields.len() {
                let missing = fields.iter().filter(|(_, field)| !field.args.contains_key(&name));
                let missing = quoted_list(missing.map(|(index, _)| self.name(*index)));
                let required: Vec<&str> = own
                    .iter()
                    .filter(|(_, arg)| arg.is_required())
                    .map(|(index, _)| self.name(*index))
                    .collect();
                if required.is_empty() {
                    let message = format!(
                        "Optional argument \"{place}\" will not be included in the supergraph as it does not appear in all \
                         subgraphs: it is missing in {missing}."
                    );
                    self.report.hint("INCONSISTENT_ARGUMENT_PRESENCE", message);
                } else {
                    let message = format!(
                        "Argument \"{place}\" is required in some subgraphs but does not appear in all subgraphs: it is \
                         required in {} but does not appear in {missing}",
                        quoted_list(required)
                    );
                    self.report
                        .error(ErrorCode::RequiredArgumentMissingInSomeSubgraph, message);
                }
                continue;
            }
            if let Some((merged, _)) = self.merge_input(&place, &own, ARGUMENT) {
                out.insert(name, merged);
            }
        }
        out
    }

    /// Input types merge as an intersection: the supergraph takes what all subgraphs take.
    pub(super) fn merge_input_fields(
        &mut self,
        parent: &Name,
        sources: &[Source<'a>],
    ) -> IndexMap<Name, MergedInput> {
        let names: IndexSet<Name> = sources
            .iter()
            .flat_map(|(_, def)| def.inputs.keys().cloned())
            .collect();
        let mut out = IndexMap::new();
        for name in names {
            let own: Vec<InputSource<'a>> = sources
                .iter()
                .filter_map(|(index, def)| def.inputs.get(&name).map(|input| (*index, input)))
                .collect();
            let place = format!("{parent}.{name}");
            if own.len() < sources.len() {
                let missing = sources.iter().filter(|(_, def)| !def.inputs.contains_key(&name));
                let missing = quoted_list(missing.map(|(index, _)| self.name(*index)));
                let required: Vec<&str> = own
                    .iter()
                    .filter(|(_, input)| input.is_required())
                    .map(|(index, _)| self.name(*index))
                    .collect();
                if required.is_empty() {
                    let message = format!(
                        "Input object field \"{place}\" will not be added to \"{parent}\" in the supergraph as it does not \
                         appear in all subgraphs: it is missing in {missing}."
                    );
                    self.report.hint("INCONSISTENT_INPUT_OBJECT_FIELD", message);
                } else {
                    let message = format!(
                        "Input object field \"{place}\" is required in some subgraphs but does not appear in all subgraphs: \
                         it is required in {} but does not appear in {missing}",
                        quoted_list(required)
                    );
                    self.report
                        .error(ErrorCode::RequiredInputFieldMissingInSomeSubgraph, message);
                }
                continue;
            }
            if let Some((mut merged, same)) = self.merge_input(&place, &own, INPUT_FIELD) {
                if !same {
                    let mut directives = self.join_input_types(&own);
                    directives.append(&mut merged.directives);
                    merged.directives = directives;
                }
                out.insert(name, merged);
            }
        }
        if out.is_empty() {
            let message = format!(
                "None of the fields of input object type \"{parent}\" are consistently defined in all the subgraphs \
                 defining that type. As only fields common to all subgraphs are merged, this would result in an empty type."
            );
            self.report.error(ErrorCode::EmptyMergedInputType, message);
        }
        out
    }

    fn join_input_types(&self, own: &[InputSource<'_>]) -> Vec<Directive> {
        let join = own.iter().map(|(index, input)| {
            let args = vec![
                (build::name("graph"), build::variant(&self.graph(*index))),
                (build::name("type"), build::string(input.ty.to_string())),
            ];
            build::directive(build::name("join__field"), args)
        });
        join.collect()
    }

    fn merge_input(
        &mut self,
        place: &str,
        own: &[InputSource<'a>],
        codes: Codes,
    ) -> Option<(MergedInput, bool)> {
        let name = own.first()?.1.name.clone();
        let types: Vec<(usize, &Type)> = own.iter().map(|(index, input)| (*index, &input.ty)).collect();
        let (ty, same) = self.merge_input_type(place, &types, codes.ty)?;
        let default = self.merge_default(place, own, codes.default);
        let description = self
            .merge_description(own.iter().map(|(_, input)| input.description.as_ref()), || {
                format!("\"{place}\"")
            });
        let applied: Vec<(usize, &[Applied])> = own
            .iter()
            .map(|(index, input)| (*index, input.applied.as_slice()))
            .collect();
        let directives = self.merge_applied(&applied, place);
        Some((
            MergedInput {
                name,
                description,
                ty,
                default,
                directives,
            },
            same,
        ))
    }

    /// A default must be the same everywhere; one that is missing somewhere is dropped.
    fn merge_default(
        &mut self,
        place: &str,
        own: &[InputSource<'_>],
        code: ErrorCode,
    ) -> Option<Node<Value>> {
        let given: Vec<&Node<Value>> = own
            .iter()
            .filter_map(|(_, input)| input.default.as_ref())
            .collect();
        let first = *given.first()?;
        if given.iter().any(|other| *other != first) {
            let parts: Vec<String> = own
                .iter()
                .map(|(index, input)| match &input.default {
                    Some(value) => format!("default value {value} in subgraph \"{}\"", self.name(*index)),
                    None => format!("no default value in subgraph \"{}\"", self.name(*index)),
                })
                .collect();
            let message = format!(
                "\"{place}\" has incompatible default values across subgraphs: it has {}",
                parts.join(" but ")
            );
            self.report.error(code, message);
        } else if given.len() < own.len() {
            let message = format!(
                "\"{place}\" has a default value in only some subgraphs; the default value will not be used in the \
                 supergraph."
            );
            self.report.hint("INCONSISTENT_DEFAULT_VALUE_PRESENCE", message);
            return None;
        }
        Some(first.clone())
    }
}
