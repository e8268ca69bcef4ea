//! A subgraph must be a valid GraphQL schema once federation's own definitions are added.

use apollo_compiler::Schema;
use apollo_compiler::ast::{Definition, Document};

use super::defaults;
use super::parse::line_of;
use crate::error::{ErrorCode, Report};
use crate::link::Links;
use crate::spec::{self, Spec};

/// Reports what GraphQL itself has against the document.
pub(crate) fn check(document: &Document, links: &Links, subgraph: &str, report: &mut Report) {
    for definition in document
        .definitions
        .iter()
        .filter(|definition| definition.is_executable_definition())
    {
        let line = line_of(definition.location(), &document.sources);
        report.at(
            ErrorCode::InvalidGraphql,
            subgraph,
            line,
            "a schema has no operations and fragments",
        );
    }
    let defined = |key: &str| {
        document
            .definitions
            .iter()
            .any(|definition| match (definition, key.strip_prefix('@')) {
                (Definition::DirectiveDefinition(directive), Some(name)) => directive.name == name,
                (Definition::DirectiveDefinition(_), None) => false,
                (other, None) => other.name().is_some_and(|name| name == key),
                _ => false,
            })
    };
    let failures = report.errors.len();
    redefinitions(document, links, subgraph, report);
    if report.errors.len() > failures {
        return;
    }
    let missing = spec::definitions(links, defined);
    let builder = Schema::builder()
        .adopt_orphan_extensions()
        .ignore_builtin_redefinitions()
        .add_ast(document)
        .parse(missing, "federation.graphql");
    let failed = match builder.build() {
        Ok(schema) => match schema.validate() {
            Ok(schema) => return defaults::check(&schema, subgraph, report),
            Err(failed) => failed,
        },
        Err(failed) => failed,
    };
    for problem in failed.errors.iter() {
        // The query root may live in another subgraph.
        if problem.error.unstable_error_name() == Some("QueryRootOperationType") {
            continue;
        }
        let line = problem
            .line_column_range()
            .and_then(|range| u32::try_from(range.start.line).ok());
        let message = with_import_hint(&problem.error.to_string(), links);
        report.at(ErrorCode::InvalidGraphql, subgraph, line, message);
    }
    if report.errors.len() == failures {
        defaults::check(&failed.partial, subgraph, report);
    }
}

/// A subgraph may write the definitions of federation itself, but not change them.
fn redefinitions(document: &Document, links: &Links, subgraph: &str, report: &mut Report) {
    let text = spec::definitions(links, |_| false);
    let Ok(canonical) = Document::parse(text, "federation.graphql") else {
        return;
    };
    for own in document
        .definitions
        .iter()
        .filter_map(Definition::as_directive_definition)
    {
        let original = canonical
            .definitions
            .iter()
            .filter_map(Definition::as_directive_definition);
        let Some(original) = original.into_iter().find(|one| one.name == own.name) else {
            continue;
        };
        let missing = original
            .arguments
            .iter()
            .find(|argument| argument.is_required() && own.argument_by_name(&argument.name).is_none());
        let elsewhere = !own
            .locations
            .iter()
            .any(|place| original.locations.contains(place));
        let text = match missing {
            Some(argument) => format!("missing required argument \"{}\"", argument.name),
            None if elsewhere => "none of its locations is one of the original".to_owned(),
            None => continue,
        };
        let line = line_of(own.location(), &document.sources);
        let message = format!("Invalid definition for directive \"@{}\": {text}", own.name);
        report.at(ErrorCode::DirectiveDefinitionInvalid, subgraph, line, message);
    }
    for own in &document.definitions {
        let is_field_set = own.name().is_some_and(|name| {
            matches!(name.as_str(), "FieldSet" | "_FieldSet" | "federation__FieldSet")
                && spec::is_spec_type(name, links)
        });
        if is_field_set && own.as_scalar_type_definition().is_none() {
            let line = line_of(own.location(), &document.sources);
            let message = "Invalid definition for the type of field sets: it should be a scalar";
            report.at(ErrorCode::TypeDefinitionInvalid, subgraph, line, message);
        }
    }
}

/// The usual cause of an unknown directive is a missing import.
fn with_import_hint(message: &str, links: &Links) -> String {
    if !message.starts_with("cannot find directive") {
        return message.to_owned();
    }
    let name = message
        .split('@')
        .nth(1)
        .and_then(|rest| rest.split('`').next())
        .unwrap_or_default();
    let known = Spec::Federation.has_element(&format!("@{name}"), u32::MAX);
    match links.of(Spec::Federation) {
        Some(link) if known => format!(
            "Unknown directive \"@{name}\". If you meant the \"@{name}\" federation directive, you should use the \
             fully-qualified name \"@{}__{name}\" or add \"@{name}\" to the `import` argument of the @link to the \
             federation specification.",
            link.prefix()
        ),
        None if known => format!(
            "Unknown directive \"@{name}\". If you meant the \"@{name}\" federation 2 directive, note that this schema \
             is a federation 1 schema. To be a federation 2 schema, it needs to @link to the federation specification \
             v2."
        ),
        _ => format!("Unknown directive \"@{name}\"."),
    }
}
