//! Works out what the federation directives of a subgraph mean for its fields.

use apollo_compiler::Name;
use indexmap::IndexSet;

use super::{Applied, Key, Kind, Override, Subgraph, TypeDef, all, upgrade};
use crate::error::{ErrorCode, Report};
use crate::fieldset::{FieldSet, FieldSetError, Sel};
use crate::spec::Known;

/// A type and a field of it.
pub(crate) type Coordinate = (Name, Name);

/// Fills in keys, field sets and flags of all fields.
pub(crate) fn analyze(subgraph: &mut Subgraph, report: &mut Report) {
    read_field_sets(subgraph, report);
    read_flags(subgraph);
    if subgraph.is_federation_1() {
        upgrade::upgrade(subgraph);
    }
    let provided = provided_fields(subgraph);
    let federation_1 = subgraph.is_federation_1();
    for def in subgraph.types.values_mut() {
        let all_shareable = def.has(Known::Shareable) || federation_1;
        for field in def.fields.values_mut() {
            let key = (def.name.clone(), field.name.clone());
            field.provided = provided.contains(&key);
            field.shareable = all_shareable || field.has(Known::Shareable) || field.in_key || field.provided;
        }
    }
}

#[derive(Clone, Copy)]
struct Codes {
    directive: &'static str,
    not_a_string: ErrorCode,
    invalid: ErrorCode,
    has_directive: ErrorCode,
}

const KEY: Codes = Codes {
    directive: "@key",
    not_a_string: ErrorCode::KeyInvalidFieldsType,
    invalid: ErrorCode::KeyInvalidFields,
    has_directive: ErrorCode::KeyDirectiveInFieldsArg,
};
const REQUIRES: Codes = Codes {
    directive: "@requires",
    not_a_string: ErrorCode::RequiresInvalidFieldsType,
    invalid: ErrorCode::RequiresInvalidFields,
    has_directive: ErrorCode::RequiresDirectiveInFieldsArg,
};
const PROVIDES: Codes = Codes {
    directive: "@provides",
    not_a_string: ErrorCode::ProvidesInvalidFieldsType,
    invalid: ErrorCode::ProvidesInvalidFields,
    has_directive: ErrorCode::ProvidesDirectiveInFieldsArg,
};

struct SetReader<'a> {
    subgraph: &'a str,
    lists: bool,
    report: &'a mut Report,
}

impl SetReader<'_> {
    fn read(&mut self, applied: &Applied, place: &str, codes: Codes) -> Option<FieldSet> {
        let problem = match FieldSet::read(applied.arg("fields"), applied.line, self.lists) {
            Ok(set) => return Some(set),
            Err(problem) => problem,
        };
        let (code, text) = match problem {
            FieldSetError::NotAString(value) => (
                codes.not_a_string,
                format!("the fields argument must be a string, and is {value}"),
            ),
            FieldSetError::Syntax(text) => (codes.invalid, text),
            FieldSetError::Directive(directive) => (
                codes.has_directive,
                format!("the fields argument cannot have directive applications, and has {directive}"),
            ),
        };
        let message = format!("On {place}, for {}: {text}", codes.directive);
        self.report.at(code, self.subgraph, applied.line, message);
        None
    }
}

fn read_field_sets(subgraph: &mut Subgraph, report: &mut Report) {
    let lists = subgraph.is_federation_1();
    let mut reader = SetReader {
        subgraph: &subgraph.name,
        lists,
        report,
    };
    for def in subgraph.types.values_mut() {
        let mut keys = Vec::new();
        for applied in all(&def.applied, Known::Key) {
            let Some(fields) = reader.read(applied, &format!("type \"{}\"", def.name), KEY) else {
                continue;
            };
            let resolvable = applied.arg("resolvable").and_then(|value| value.to_bool()) != Some(false);
            let of_extension = applied.of_extension || def.has(Known::Extends);
            keys.push(Key {
                fields,
                resolvable,
                of_extension,
            });
        }
        def.keys = keys;
        for field in def.fields.values_mut() {
            let place = format!("field \"{}.{}\"", def.name, field.name);
            field.requires = all(&field.applied, Known::Requires)
                .find_map(|applied| reader.read(applied, &place, REQUIRES));
            field.provides = all(&field.applied, Known::Provides)
                .find_map(|applied| reader.read(applied, &place, PROVIDES));
            field.overrides = all(&field.applied, Known::Override)
                .next()
                .map(|applied| Override {
                    from: applied.str_arg("from").unwrap_or_default().to_owned(),
                    label: applied.str_arg("label").map(str::to_owned),
                    line: applied.line,
                });
        }
    }
}

fn read_flags(subgraph: &mut Subgraph) {
    let mut in_key = IndexSet::new();
    // A key of an extension names its fields as external without meaning it: they identify the entity.
    let mut not_external = IndexSet::new();
    for def in subgraph.types.values() {
        for key in &def.keys {
            let mut selected = IndexSet::new();
            collect(subgraph, def, &key.fields.selections, &mut selected);
            if key.of_extension {
                not_external.extend(selected.iter().cloned());
            }
            in_key.extend(selected);
        }
    }
    let federation_1 = subgraph.is_federation_1();
    for def in subgraph.types.values_mut() {
        let whole_type = def.has(Known::External) && !federation_1;
        let interface = def.kind == Kind::Interface;
        for field in def.fields.values_mut() {
            let key = (def.name.clone(), field.name.clone());
            field.in_key = in_key.contains(&key);
            field.external =
                (whole_type || field.has(Known::External)) && !interface && !not_external.contains(&key);
        }
    }
}

/// The fields that a field set selects, at all depths, with the implementations of interface fields.
pub(crate) fn collect(
    subgraph: &Subgraph,
    parent: &TypeDef,
    selections: &[Sel],
    out: &mut IndexSet<Coordinate>,
) {
    for selection in selections {
        match selection {
            Sel::Field(selected) => {
                if parent.kind == Kind::Interface {
                    let implementations = subgraph.runtime_types(&parent.name);
                    for def in implementations.iter().filter_map(|name| subgraph.types.get(name)) {
                        collect(subgraph, def, std::slice::from_ref(selection), out);
                    }
                }
                let Some(field) = parent.fields.get(&selected.name) else {
                    continue;
                };
                out.insert((parent.name.clone(), field.name.clone()));
                if let Some(next) = subgraph.types.get(field.ty.inner_named_type()) {
                    collect(subgraph, next, &selected.selections, out);
                }
            }
            Sel::Fragment { on, selections } => {
                let next = on.as_ref().map_or(Some(parent), |on| subgraph.types.get(on));
                if let Some(next) = next {
                    collect(subgraph, next, selections, out);
                }
            }
        }
    }
}

/// All fields that some `@provides` of the subgraph selects.
pub(crate) fn provided_fields(subgraph: &Subgraph) -> IndexSet<Coordinate> {
    let mut out = IndexSet::new();
    for field in subgraph.types.values().flat_map(|def| def.fields.values()) {
        if let Some(provides) = &field.provides
            && let Some(target) = subgraph.types.get(field.ty.inner_named_type())
        {
            collect(subgraph, target, &provides.selections, &mut out);
        }
    }
    out
}

/// All fields that keys, `@requires` and `@provides` of the subgraph select.
pub(crate) fn used_fields(subgraph: &Subgraph) -> IndexSet<Coordinate> {
    let mut out = provided_fields(subgraph);
    for def in subgraph.types.values() {
        let keys = def.keys.iter().map(|key| &key.fields);
        for set in keys.chain(def.fields.values().filter_map(|field| field.requires.as_ref())) {
            collect(subgraph, def, &set.selections, &mut out);
        }
    }
    out
}

/// Fields that a type must have to implement its interfaces.
pub(crate) fn interface_fields(subgraph: &Subgraph) -> IndexSet<Coordinate> {
    let mut out = IndexSet::new();
    for def in subgraph.types.values() {
        for interface in def.interfaces.iter().filter_map(|name| subgraph.types.get(name)) {
            out.extend(
                interface
                    .fields
                    .keys()
                    .map(|field| (def.name.clone(), field.clone())),
            );
        }
    }
    out
}
