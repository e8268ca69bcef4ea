//! Validation of the merged schema.

mod inaccessible;
mod requirements;

use apollo_compiler::ast::Type;

use crate::error::{ErrorCode, Report, quoted_list};
use crate::subgraph::{Kind, Subgraph};
use crate::supergraph::Supergraph;

pub(crate) use requirements::validate_selections;

/// Checks the merged schema, and passes authorisation on to interfaces.
pub(crate) fn validate(supergraph: &mut Supergraph, subgraphs: &[Subgraph], report: &mut Report) {
    if supergraph
        .types
        .get("Query")
        .is_none_or(|query| query.fields.is_empty())
    {
        report.error(
            ErrorCode::NoQueries,
            "No queries found in any subgraph: a supergraph must have a query root type.",
        );
    }
    implementations(supergraph, subgraphs, report);
    interface_keys(supergraph, subgraphs, report);
    inaccessible::check(supergraph, report);
    requirements::onto_interfaces(supergraph);
}

/// Each subgraph is valid GraphQL; what clients see must be, too.
pub(crate) fn validate_api(api_sdl: &str, report: &mut Report) {
    if let Err(failed) = apollo_compiler::Schema::parse_and_validate(api_sdl, "api.graphql") {
        for problem in failed.errors.iter() {
            report.error(ErrorCode::InvalidGraphql, problem.error.to_string());
        }
    }
}

/// Every implementation has every field of its interfaces, with a fitting type.
fn implementations(supergraph: &Supergraph, subgraphs: &[Subgraph], report: &mut Report) {
    let implementing = supergraph
        .types
        .values()
        .filter(|merged| matches!(merged.kind, Kind::Object | Kind::Interface));
    for merged in implementing {
        for interface in merged
            .interfaces
            .iter()
            .filter_map(|name| supergraph.types.get(name))
        {
            for field in interface.fields.values() {
                let Some(own) = merged.fields.get(&field.name) else {
                    let with = quoted_list(
                        subgraphs
                            .iter()
                            .filter(|subgraph| {
                                let def = subgraph.types.get(&interface.name);
                                def.is_some_and(|def| def.fields.contains_key(&field.name))
                            })
                            .map(|subgraph| &subgraph.name),
                    );
                    let message = format!(
                        "Interface field \"{}.{}\" is declared in {with} but type \"{}\", which implements \"{}\", does not \
                         have field \"{}\".",
                        interface.name, field.name, merged.name, interface.name, field.name
                    );
                    report.error(ErrorCode::InterfaceFieldNoImplem, message);
                    continue;
                };
                if !is_subtype(supergraph, &field.ty, &own.ty) {
                    let message = format!(
                        "Interface field {}.{} expects type {} but {}.{} of type {} is not a proper subtype.",
                        interface.name, field.name, field.ty, merged.name, own.name, own.ty
                    );
                    report.error(ErrorCode::InvalidGraphql, message);
                }
            }
        }
    }
}

fn is_subtype(supergraph: &Supergraph, sup: &Type, sub: &Type) -> bool {
    match (sup, sub) {
        (Type::Named(sup), Type::Named(sub) | Type::NonNullNamed(sub))
        | (Type::NonNullNamed(sup), Type::NonNullNamed(sub)) => sup == sub || supergraph.is_subtype(sup, sub),
        (Type::List(sup), Type::List(sub) | Type::NonNullList(sub))
        | (Type::NonNullList(sup), Type::NonNullList(sub)) => is_subtype(supergraph, sup, sub),
        _ => false,
    }
}

/// A subgraph that can resolve an interface by its key must know all implementations.
fn interface_keys(supergraph: &Supergraph, subgraphs: &[Subgraph], report: &mut Report) {
    for merged in supergraph
        .types
        .values()
        .filter(|merged| merged.kind == Kind::Interface)
    {
        let all = supergraph.runtime_types(&merged.name);
        for subgraph in subgraphs {
            let Some(def) = subgraph.types.get(&merged.name) else {
                continue;
            };
            let implementing: Vec<_> = all
                .iter()
                .filter(|name| subgraph.types.contains_key(*name))
                .collect();
            if def.interface_object && !implementing.is_empty() {
                let message = format!(
                    "Interface type \"{}\" is defined as an @interfaceObject in subgraph \"{}\" so that subgraph should not \
                     define any of the implementation types of \"{}\", but it defines {}",
                    merged.name,
                    subgraph.name,
                    merged.name,
                    quoted_list(implementing)
                );
                report.at(
                    ErrorCode::InterfaceObjectUsageError,
                    &subgraph.name,
                    def.line,
                    message,
                );
            }
            let Some(key) = def
                .keys
                .iter()
                .find(|key| key.resolvable && !def.interface_object)
            else {
                continue;
            };
            let known = subgraph.runtime_types(&merged.name);
            let missing: Vec<_> = all.iter().filter(|name| !known.contains(*name)).collect();
            if !missing.is_empty() {
                let message = format!(
                    "Interface type \"{}\" has a resolvable key (@key(fields: \"{}\")) in subgraph \"{}\" but that subgraph is \
                     missing some of the supergraph implementation types of \"{}\": it should define {}.",
                    merged.name,
                    key.fields.text(),
                    subgraph.name,
                    merged.name,
                    quoted_list(missing)
                );
                report.at(
                    ErrorCode::InterfaceKeyMissingImplementationType,
                    &subgraph.name,
                    key.fields.line,
                    message,
                );
            }
        }
    }
}
