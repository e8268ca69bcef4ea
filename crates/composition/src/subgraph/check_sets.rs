//! Field sets against the types that they select from.

use super::{FieldDef, Kind, Subgraph, TypeDef};
use crate::error::{ErrorCode, Report};
use crate::fieldset::{FieldSel, FieldSet, Sel};

/// Checks all field sets of a subgraph.
pub(super) fn check(subgraph: &Subgraph, report: &mut Report) {
    for def in subgraph.types.values() {
        for key in &def.keys {
            let place = format!(
                "On type \"{}\", for @key(fields: \"{}\")",
                def.name,
                key.fields.text()
            );
            Check {
                subgraph,
                report,
                rules: &KEY,
                place,
                line: key.fields.line,
            }
            .run(def, &key.fields);
        }
        if def.kind != Kind::Object {
            continue;
        }
        for field in def.fields.values() {
            let at = format!("On field \"{}.{}\"", def.name, field.name);
            if let Some(set) = &field.requires {
                let place = format!("{at}, for @requires(fields: \"{}\")", set.text());
                Check {
                    subgraph,
                    report,
                    rules: &REQUIRES,
                    place,
                    line: set.line,
                }
                .run(def, set);
            }
            if let Some(set) = &field.provides {
                let place = format!("{at}, for @provides(fields: \"{}\")", set.text());
                let mut check = Check {
                    subgraph,
                    report,
                    rules: &PROVIDES,
                    place,
                    line: set.line,
                };
                check.provides(field, set);
            }
        }
    }
}

struct Rules {
    invalid: ErrorCode,
    has_args: Option<ErrorCode>,
    missing_external: Option<ErrorCode>,
    is_key: bool,
}

static KEY: Rules = Rules {
    invalid: ErrorCode::KeyInvalidFields,
    has_args: Some(ErrorCode::KeyFieldsHasArgs),
    missing_external: None,
    is_key: true,
};
static REQUIRES: Rules = Rules {
    invalid: ErrorCode::RequiresInvalidFields,
    has_args: None,
    missing_external: Some(ErrorCode::RequiresFieldsMissingExternal),
    is_key: false,
};
static PROVIDES: Rules = Rules {
    invalid: ErrorCode::ProvidesInvalidFields,
    has_args: Some(ErrorCode::ProvidesFieldsHasArgs),
    missing_external: Some(ErrorCode::ProvidesFieldsMissingExternal),
    is_key: false,
};

struct Check<'a> {
    subgraph: &'a Subgraph,
    report: &'a mut Report,
    rules: &'static Rules,
    place: String,
    line: Option<u32>,
}

impl Check<'_> {
    fn error(&mut self, code: ErrorCode, text: &str) {
        let message = format!("{}: {text}", self.place);
        self.report.at(code, &self.subgraph.name, self.line, message);
    }

    fn run(&mut self, def: &TypeDef, set: &FieldSet) {
        self.selections(def, &set.selections, false);
    }

    fn provides(&mut self, field: &FieldDef, set: &FieldSet) {
        let target = self.subgraph.types.get(field.ty.inner_named_type());
        match target.filter(|def| def.kind.is_composite()) {
            Some(def) => self.run(def, set),
            None => {
                let text = format!(
                    "the field has the type \"{}\", which is not an object type",
                    field.ty
                );
                self.error(ErrorCode::ProvidesOnNonObjectField, &text);
            }
        }
    }

    fn selections(&mut self, parent: &TypeDef, selections: &[Sel], external_above: bool) {
        for selection in selections {
            match selection {
                Sel::Field(selected) if selected.name == "__typename" => {}
                Sel::Field(selected) => self.field(parent, selected, external_above),
                Sel::Fragment { on, selections } => {
                    let target = match on {
                        None => Some(parent),
                        Some(on) => self.subgraph.types.get(on).filter(|def| def.kind.is_composite()),
                    };
                    match target {
                        Some(target) => self.selections(target, selections, external_above),
                        None => {
                            let on = on.as_ref().map_or("", |on| on.as_str());
                            self.error(self.rules.invalid, &format!("there is no object type \"{on}\""));
                        }
                    }
                }
            }
        }
    }

    fn field(&mut self, parent: &TypeDef, selected: &FieldSel, external_above: bool) {
        let name = &selected.name;
        let Some(field) = parent.fields.get(name) else {
            let text = format!("Cannot query field \"{name}\" on type \"{}\"", parent.name);
            self.error(self.rules.invalid, &text);
            return;
        };
        let place = format!("{}.{name}", parent.name);
        if let Some(code) = self.rules.has_args
            && !field.args.is_empty()
        {
            self.error(
                code,
                &format!("field {place} cannot be included because it has arguments"),
            );
            return;
        }
        self.arguments(&place, field, selected);
        let target = self.subgraph.types.get(field.ty.inner_named_type());
        let target = target.filter(|def| def.kind.is_composite());
        if self.rules.is_key {
            let bad = if field.ty.is_list() {
                Some("a list")
            } else {
                target.and_then(|def| match def.kind {
                    Kind::Interface => Some("an interface"),
                    Kind::Union => Some("a union"),
                    _ => None,
                })
            };
            if let Some(bad) = bad {
                let text = format!("field \"{place}\" is {bad} type which is not allowed in @key");
                self.error(ErrorCode::KeyFieldsSelectInvalidType, &text);
                return;
            }
        }
        let external = self.is_external(parent, field);
        if let Some(code) = self.rules.missing_external
            && selected.selections.is_empty()
            && !external
            && !external_above
        {
            let text = format!(
                "field \"{place}\" should not be part of it since it is already provided by this subgraph"
            );
            let text = format!("{text} (it is not marked @external)");
            self.error(code, &text);
        }
        match (target, selected.selections.is_empty()) {
            (Some(target), false) => {
                self.selections(target, &selected.selections, external_above || external);
            }
            (Some(target), true) => {
                let text = format!(
                    "field \"{place}\" of type \"{}\" must have a selection of subfields",
                    target.name
                );
                self.error(self.rules.invalid, &text);
            }
            (None, false) => {
                let text = format!("field \"{place}\" has no subfields");
                self.error(self.rules.invalid, &text);
            }
            (None, true) => {}
        }
    }

    /// Arguments may be given in `@requires`.
    fn arguments(&mut self, place: &str, field: &FieldDef, selected: &FieldSel) {
        for argument in &selected.arguments {
            if !field.args.contains_key(&argument.name) {
                let text = format!("field \"{place}\" has no argument \"{}\"", argument.name);
                self.error(self.rules.invalid, &text);
            }
        }
        for argument in field.args.values().filter(|argument| argument.is_required()) {
            if !selected.arguments.iter().any(|given| given.name == argument.name) {
                let text = format!("field \"{place}\" needs the argument \"{}\"", argument.name);
                self.error(self.rules.invalid, &text);
            }
        }
    }

    /// A field of an interface is external if it is so in some implementation.
    fn is_external(&self, parent: &TypeDef, field: &FieldDef) -> bool {
        if parent.kind != Kind::Interface {
            return field.external;
        }
        let implementations = self.subgraph.runtime_types(&parent.name);
        implementations.iter().any(|name| {
            let own = self
                .subgraph
                .types
                .get(name)
                .and_then(|def| def.fields.get(&field.name));
            own.is_some_and(|own| own.external)
        })
    }
}
