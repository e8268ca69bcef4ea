//! What `@inaccessible` may hide (<https://specs.apollo.dev/inaccessible/v0.2>).

use apollo_compiler::ast::{Type, Value};

use crate::error::{ErrorCode, Report};
use crate::subgraph::Kind;
use crate::supergraph::{Merged, MergedField, MergedInput, Supergraph, has};

/// Reports what would leave a hole in the API schema.
pub(super) fn check(supergraph: &Supergraph, report: &mut Report) {
    let mut check = Check { supergraph, report };
    for merged in supergraph
        .types
        .values()
        .filter(|merged| !merged.is_inaccessible())
    {
        check.children(merged);
        for field in merged.fields.values().filter(|field| !field.is_inaccessible()) {
            check.field(merged, field);
        }
        for field in merged.fields.values().filter(|field| field.is_inaccessible()) {
            check.implemented(merged, field);
        }
        for input in merged.inputs.values() {
            check.input(&format!("{}.{}", merged.name, input.name), input);
        }
    }
}

struct Check<'a> {
    supergraph: &'a Supergraph,
    report: &'a mut Report,
}

impl Check<'_> {
    fn children(&mut self, merged: &Merged) {
        let hidden = |name: &str| {
            self.supergraph
                .types
                .get(name)
                .is_some_and(Merged::is_inaccessible)
        };
        let (what, any, visible) = match merged.kind {
            Kind::Object | Kind::Interface => (
                "fields",
                !merged.fields.is_empty(),
                merged.fields.values().any(|one| !one.is_inaccessible()),
            ),
            Kind::Input => (
                "fields",
                !merged.inputs.is_empty(),
                merged.inputs.values().any(|one| !one.is_inaccessible()),
            ),
            Kind::Enum => (
                "values",
                !merged.values.is_empty(),
                merged
                    .values
                    .values()
                    .any(|one| !has(&one.directives, "inaccessible")),
            ),
            Kind::Union => (
                "members",
                !merged.members.is_empty(),
                merged.members.iter().any(|name| !hidden(name)),
            ),
            Kind::Scalar => return,
        };
        if any && !visible {
            let message = format!(
                "Type \"{}\" is in the API schema but all of its {what} are @inaccessible.",
                merged.name
            );
            self.report.error(ErrorCode::OnlyInaccessibleChildren, message);
        }
    }

    fn field(&mut self, merged: &Merged, field: &MergedField) {
        let place = format!("{}.{}", merged.name, field.name);
        self.reference(&place, &field.ty);
        for arg in field.args.values() {
            self.input(&format!("{place}({}:)", arg.name), arg);
        }
    }

    fn reference(&mut self, place: &str, ty: &Type) {
        let name = ty.inner_named_type();
        if self
            .supergraph
            .types
            .get(name)
            .is_some_and(Merged::is_inaccessible)
        {
            let message = format!(
                "Type \"{name}\" is @inaccessible but is referenced by \"{place}\", which is in the API schema."
            );
            self.report.error(ErrorCode::ReferencedInaccessible, message);
        }
    }

    fn input(&mut self, place: &str, input: &MergedInput) {
        if input.is_inaccessible() {
            if input.ty.is_non_null() && input.default.is_none() {
                let message =
                    format!("\"{place}\" is @inaccessible but is required where it is in the API schema.");
                self.report.error(ErrorCode::RequiredInaccessible, message);
            }
            return;
        }
        self.reference(place, &input.ty);
        if let Some(default) = &input.default
            && self.uses_hidden(&input.ty, default)
        {
            let message = format!(
                "Something in the default value of \"{place}\" is @inaccessible, but \"{place}\" is in the API schema."
            );
            self.report
                .error(ErrorCode::DefaultValueUsesInaccessible, message);
        }
    }

    fn uses_hidden(&self, ty: &Type, value: &Value) -> bool {
        let Some(merged) = self.supergraph.types.get(ty.inner_named_type()) else {
            return false;
        };
        match value {
            Value::Enum(_) if merged.is_inaccessible() => true,
            Value::Enum(name) => merged
                .values
                .get(name)
                .is_some_and(|value| has(&value.directives, "inaccessible")),
            Value::List(items) => items.iter().any(|item| self.uses_hidden(ty.item_type(), item)),
            Value::Object(fields) => fields.iter().any(|(name, value)| {
                merged
                    .inputs
                    .get(name)
                    .is_some_and(|input| input.is_inaccessible() || self.uses_hidden(&input.ty, value))
            }),
            _ => false,
        }
    }

    fn implemented(&mut self, merged: &Merged, field: &MergedField) {
        for name in &merged.interfaces {
            let Some(interface) = self.supergraph.types.get(name) else {
                continue;
            };
            let visible = interface
                .fields
                .get(&field.name)
                .is_some_and(|own| !own.is_inaccessible());
            if visible && !interface.is_inaccessible() {
                let message = format!(
                    "Field \"{}.{}\" is @inaccessible but implements the interface field \"{name}.{}\", which is in the API \
                     schema.",
                    merged.name, field.name, field.name
                );
                self.report.error(ErrorCode::ImplementedByInaccessible, message);
            }
        }
    }
}
