//! What one subgraph may not say, apart from the field sets.

use apollo_compiler::ast::{Type, Value};

use super::analyze::{interface_fields, used_fields};
use super::{FieldDef, Kind, Subgraph, TypeDef, all, check_sets, has};
use crate::error::{ErrorCode, Report};
use crate::spec::Known;

/// Reports the mistakes of one subgraph.
pub(crate) fn check(subgraph: &Subgraph, report: &mut Report) {
    let mut check = Check { subgraph, report };
    check.unsupported();
    check.definitions();
    for def in subgraph.types.values() {
        check.type_rules(def);
        for field in def.fields.values() {
            check.field_rules(def, field);
        }
    }
    check.externals();
    check.interface_keys();
    check_sets::check(subgraph, report);
}

struct Check<'a> {
    subgraph: &'a Subgraph,
    report: &'a mut Report,
}

const AUTHORIZATION: [(Known, &str); 3] = [
    (Known::Authenticated, "@authenticated"),
    (Known::RequiresScopes, "@requiresScopes"),
    (Known::Policy, "@policy"),
];

impl Check<'_> {
    fn error(&mut self, code: ErrorCode, line: Option<u32>, message: impl Into<String>) {
        self.report.at(code, &self.subgraph.name, line, message);
    }

    /// `@context`, `@fromContext` and `@cacheTag` by their full names; imports are refused earlier.
    fn unsupported(&mut self) {
        let subgraph = self.subgraph;
        let of_types = subgraph.types.values().flat_map(|def| {
            let of_fields = def.fields.values().flat_map(|field| {
                field
                    .applied
                    .iter()
                    .chain(field.args.values().flat_map(|arg| &arg.applied))
            });
            def.applied.iter().chain(of_fields)
        });
        let found: Vec<_> = of_types
            .filter(|applied| applied.known == Some(Known::Context))
            .collect();
        for applied in found {
            let message = format!("\"@{}\" is not supported by this composition.", applied.name);
            self.error(ErrorCode::UnsupportedFeature, applied.line, message);
        }
    }

    fn definitions(&mut self) {
        let query = self.subgraph.types.get("Query");
        if let Some(query) = query.filter(|query| query.has(Known::Inaccessible)) {
            let message = "Type \"Query\" is @inaccessible but is the query root type, which must be in the API schema.";
            self.error(ErrorCode::QueryRootTypeInaccessible, query.line, message);
        }
    }

    fn type_rules(&mut self, def: &TypeDef) {
        let name = &def.name;
        if def.interface_object && def.keys.is_empty() && !has(&def.applied, Known::Key) {
            let message = format!(
                "The @interfaceObject directive can only be applied to entity types but type \"{name}\" has no @key in this \
                 subgraph."
            );
            self.error(ErrorCode::InterfaceObjectUsageError, def.line, message);
        }
        if def.kind == Kind::Interface || def.interface_object {
            let what = if def.interface_object {
                "interface object"
            } else {
                "interface"
            };
            for (known, directive) in AUTHORIZATION {
                if let Some(applied) = all(&def.applied, known).next() {
                    let message = format!(
                        "Invalid use of {directive} on {what} \"{name}\": {directive} cannot be applied on interfaces, \
                         interface fields and interface objects"
                    );
                    self.error(
                        ErrorCode::AuthRequirementsAppliedOnInterface,
                        applied.line,
                        message,
                    );
                }
            }
        }
        let federation_2 = !self.subgraph.is_federation_1();
        if def.kind == Kind::Interface && federation_2 && !self.subgraph.at_least(3) {
            for applied in all(&def.applied, Known::Key) {
                let message = format!(
                    "Cannot use @key on interface \"{name}\": @key is not yet supported on interfaces before Federation 2.3"
                );
                self.error(ErrorCode::KeyUnsupportedOnInterface, applied.line, message);
            }
        }
    }

    fn field_rules(&mut self, def: &TypeDef, field: &FieldDef) {
        if def.kind == Kind::Interface {
            self.interface_field_rules(def, field);
        }
        let place = format!("{}.{}", def.name, field.name);
        if let Some(overrides) = field
            .overrides
            .as_ref()
            .filter(|own| own.from == self.subgraph.name)
        {
            let message = format!(
                "Source and destination subgraphs \"{}\" are the same for overridden field \"{place}\"",
                overrides.from
            );
            self.error(ErrorCode::OverrideFromSelfError, overrides.line, message);
        }
        if let Some(overrides) = &field.overrides
            && let Some(label) = &overrides.label
            && !is_label(label)
        {
            let message = format!(
                "Invalid @override label \"{label}\" on field \"{place}\" on subgraph \"{}\": labels must start with a letter \
                 and after that may contain alphanumerics, underscores, minuses, colons, periods, or slashes. Alternatively, \
                 labels may be of the form \"percent(x)\" where x is a float between 0-100 inclusive.",
                self.subgraph.name
            );
            self.error(ErrorCode::OverrideLabelInvalid, overrides.line, message);
        }
        self.list_size(&place, field);
    }

    fn interface_field_rules(&mut self, def: &TypeDef, field: &FieldDef) {
        let place = format!("{}.{}", def.name, field.name);
        let federation_2 = !self.subgraph.is_federation_1();
        let rules = [
            (
                Known::External,
                "@external",
                ErrorCode::ExternalOnInterface,
                federation_2,
            ),
            (
                Known::Shareable,
                "@shareable",
                ErrorCode::InvalidShareableUsage,
                true,
            ),
            (
                Known::Override,
                "@override",
                ErrorCode::OverrideOnInterface,
                federation_2,
            ),
            (
                Known::Requires,
                "@requires",
                ErrorCode::RequiresUnsupportedOnInterface,
                federation_2,
            ),
            (
                Known::Provides,
                "@provides",
                ErrorCode::ProvidesUnsupportedOnInterface,
                federation_2,
            ),
            (Known::Cost, "@cost", ErrorCode::CostAppliedToInterfaceField, true),
        ];
        for (known, directive, code, applies) in rules {
            if let Some(applied) = all(&field.applied, known).next().filter(|_| applies) {
                let message = format!(
                    "Invalid use of {directive} on field \"{place}\": {directive} is not supported on fields of an interface"
                );
                self.error(code, applied.line, message);
            }
        }
        for (known, directive) in AUTHORIZATION {
            if let Some(applied) = all(&field.applied, known).next() {
                let message = format!(
                    "Invalid use of {directive} on field \"{place}\": {directive} cannot be applied on interfaces, interface \
                     fields and interface objects"
                );
                self.error(
                    ErrorCode::AuthRequirementsAppliedOnInterface,
                    applied.line,
                    message,
                );
            }
        }
    }

    fn list_size(&mut self, place: &str, field: &FieldDef) {
        for applied in all(&field.applied, Known::ListSize) {
            let strings = |name: &str| -> Vec<String> {
                let items = applied
                    .arg(name)
                    .and_then(|value| value.as_list())
                    .unwrap_or_default();
                items
                    .iter()
                    .filter_map(|item| item.as_str().map(str::to_owned))
                    .collect()
            };
            let sized = strings("sizedFields");
            if !field.ty.is_list() && sized.is_empty() {
                let message = format!("\"{place}\" has @listSize applied, but is not a list");
                self.error(ErrorCode::ListSizeAppliedToNonList, applied.line, message);
            }
            if let Some(Value::Int(size)) = applied.arg("assumedSize").map(|value| value.as_ref())
                && size.as_str().starts_with('-')
            {
                let message = format!("Assumed size of \"{place}\" cannot be negative");
                self.error(ErrorCode::ListSizeInvalidAssumedSize, applied.line, message);
            }
            for argument in strings("slicingArguments") {
                let ty = field.args.get(argument.as_str()).map(|arg| &arg.ty);
                let is_int =
                    matches!(ty, Some(Type::Named(name) | Type::NonNullNamed(name)) if name == "Int");
                if !is_int {
                    let message = format!(
                        "Slicing argument \"{argument}\" of \"{place}\" must be an argument of type Int or Int!"
                    );
                    self.error(ErrorCode::ListSizeInvalidSlicingArgument, applied.line, message);
                }
            }
            self.sized_fields(place, field, &sized, applied.line);
        }
    }

    fn sized_fields(&mut self, place: &str, field: &FieldDef, sized: &[String], line: Option<u32>) {
        for path in sized {
            let mut parent = self.subgraph.types.get(field.ty.inner_named_type());
            let mut last = None;
            for name in path.split(['{', '}', ' ']).filter(|name| !name.is_empty()) {
                last = parent.and_then(|def| def.fields.get(name));
                parent = last.and_then(|own| self.subgraph.types.get(own.ty.inner_named_type()));
            }
            let (code, text) = match last {
                None => (ErrorCode::ListSizeInvalidSizedField, "not a field of its type"),
                Some(own) if !own.ty.is_list() => (ErrorCode::ListSizeAppliedToNonList, "not a list"),
                Some(_) => continue,
            };
            let message =
                format!("\"{place}\" references \"{path}\" in @listSize(sizedFields:), which is {text}.");
            self.error(code, line, message);
        }
    }

    fn externals(&mut self) {
        if self.subgraph.is_federation_1() {
            return;
        }
        let mut used = used_fields(self.subgraph);
        used.extend(interface_fields(self.subgraph));
        for def in self.subgraph.types.values() {
            for field in def.fields.values().filter(|field| field.external) {
                let place = format!("{}.{}", def.name, field.name);
                if !used.contains(&(def.name.clone(), field.name.clone())) {
                    let message = format!(
                        "Field \"{place}\" is marked @external but is not used in any federation directive (@key, @provides, \
                         @requires) or to satisfy an interface; the field declaration has no use and should be removed (or the \
                         field should not be @external)."
                    );
                    self.error(ErrorCode::ExternalUnused, field.line, message);
                }
                let merged = [Known::Tag, Known::Inaccessible];
                for applied in field
                    .applied
                    .iter()
                    .filter(|one| one.known.is_some_and(|known| merged.contains(&known)))
                {
                    let message = format!(
                        "Cannot apply merged directive @{} to external field \"{place}\"",
                        applied.name
                    );
                    self.error(
                        ErrorCode::MergedDirectiveApplicationOnExternal,
                        applied.line,
                        message,
                    );
                }
            }
        }
    }

    /// A key of an interface must be a key of all its implementations.
    fn interface_keys(&mut self) {
        for interface in self
            .subgraph
            .types
            .values()
            .filter(|def| def.kind == Kind::Interface)
        {
            for key in &interface.keys {
                let text = key.fields.text();
                let missing: Vec<String> = self
                    .subgraph
                    .runtime_types(&interface.name)
                    .iter()
                    .filter_map(|name| self.subgraph.types.get(name))
                    .filter(|def| {
                        !def.keys
                            .iter()
                            .any(|own| own.fields.text() == text && (own.resolvable || !key.resolvable))
                    })
                    .map(|def| format!("\"{}\"", def.name))
                    .collect();
                if !missing.is_empty() {
                    let message = format!(
                        "Key @key(fields: \"{text}\") on interface type \"{}\" is missing on implementation type(s) {}.",
                        interface.name,
                        missing.join(", ")
                    );
                    self.error(
                        ErrorCode::InterfaceKeyNotOnImplementation,
                        key.fields.line,
                        message,
                    );
                }
            }
        }
    }
}

/// Source: <https://www.apollographql.com/docs/graphos/reference/federation/directives#override>.
fn is_label(label: &str) -> bool {
    if let Some(percent) = label
        .strip_prefix("percent(")
        .and_then(|rest| rest.strip_suffix(')'))
    {
        let mut parts = percent.split('.');
        let digits = |part: &str, most: usize| {
            !part.is_empty() && part.len() <= most && part.bytes().all(|byte| byte.is_ascii_digit())
        };
        let whole = parts.next().is_some_and(|part| digits(part, 3));
        let fraction = parts.next().is_none_or(|part| digits(part, 8));
        return whole
            && fraction
            && parts.next().is_none()
            && percent.parse::<f64>().is_ok_and(|value| value <= 100.0);
    }
    label.starts_with(|first: char| first.is_ascii_alphabetic())
        && label
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ':' | '.' | '/'))
}

#[cfg(test)]
mod tests {
    use super::is_label;

    #[test]
    fn a_label_is_a_name_or_a_percentage() {
        for good in [
            "a",
            "flag:my-team/x.1",
            "percent(0)",
            "percent(99.99999999)",
            "percent(100)",
        ] {
            assert!(is_label(good), "{good}");
        }
        for bad in [
            "",
            "1a",
            "percent(101)",
            "percent(1.)",
            "percent(-1)",
            "percent(1.123456789)",
            "a b",
        ] {
            assert!(!is_label(bad), "{bad}");
        }
    }
}
