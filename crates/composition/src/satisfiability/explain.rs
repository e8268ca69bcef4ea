//! Says why a query cannot be resolved, and shows it.

use std::fmt::Write as _;

use apollo_compiler::ast::Type;

use super::Step;
use super::graph::{Graph, Node};
use crate::subgraph::Kind;
use crate::supergraph::{Merged, MergedField, Supergraph};

/// No subgraph that can be reached resolves the field.
pub(super) fn field<'a>(
    graph: &mut Graph<'a>,
    path: &[Step],
    merged: &'a Merged,
    field: &MergedField,
    start: &[Node],
    reachable: &[Node],
) -> String {
    let mut out = query(graph.supergraph, path);
    let place = format!("{}.{}", merged.name, field.name);
    let mut told = Vec::new();
    for node in start {
        if told.contains(&node.graph) {
            continue;
        }
        told.push(node.graph);
        let subgraphs = graph.subgraphs;
        let Some(own) = subgraphs.get(node.graph) else {
            continue;
        };
        let _ = writeln!(out, "- from subgraph \"{}\":", own.name);
        let _ = writeln!(out, "  - {}", here(graph, *node, merged, field, &place));
        for (index, other) in subgraphs
            .iter()
            .enumerate()
            .filter(|(index, _)| *index != node.graph)
        {
            let Some(def) = other.types.get(&merged.name) else {
                continue;
            };
            if def.fields.get(&field.name).is_none_or(|own| own.external) {
                continue;
            }
            if reachable.iter().any(|node| node.graph == index) {
                let _ = writeln!(
                    out,
                    "  - subgraph \"{}\" can be reached, but cannot resolve field \"{place}\" (it is overridden, or its \
                     @requires cannot be satisfied).",
                    other.name
                );
            } else if def.keys.is_empty() {
                let _ = writeln!(
                    out,
                    "  - cannot move to subgraph \"{}\", which has field \"{place}\", because type \"{}\" has no @key defined in \
                     subgraph \"{}\".",
                    other.name, merged.name, other.name
                );
            } else if def.keys.iter().all(|key| !key.resolvable) {
                let _ = writeln!(
                    out,
                    "  - cannot move to subgraph \"{}\", which has field \"{place}\", because none of the @key defined on type \
                     \"{}\" in subgraph \"{}\" are resolvable (they are all declared with their \"resolvable\" argument set to \
                     false).",
                    other.name, merged.name, other.name
                );
            } else {
                for key in def.keys.iter().filter(|key| key.resolvable) {
                    let _ = writeln!(
                        out,
                        "  - cannot move to subgraph \"{}\" using @key(fields: \"{}\") of \"{}\", the key field(s) cannot be \
                         resolved from subgraph \"{}\".",
                        other.name,
                        key.fields.text(),
                        merged.name,
                        own.name
                    );
                }
            }
        }
    }
    out.truncate(out.trim_end().len());
    out
}

fn here<'a>(
    graph: &mut Graph<'a>,
    node: Node,
    merged: &'a Merged,
    field: &MergedField,
    place: &str,
) -> String {
    let own = graph.def(node).and_then(|def| def.fields.get(&field.name));
    match own {
        None => format!("cannot find field \"{place}\"."),
        Some(own) if own.external => {
            format!("field \"{place}\" is not resolvable because marked @external.")
        }
        Some(own) if !graph.requirement_holds(merged, node, own) => {
            let fields = own.requires.as_ref().map(|set| set.text()).unwrap_or_default();
            format!("cannot satisfy @requires(fields: \"{fields}\") on field \"{place}\".")
        }
        Some(_) => format!("field \"{place}\" is overridden by another subgraph."),
    }
}

/// An interface object stands for types that nobody on the way can name.
pub(super) fn unknown_type(graph: &Graph<'_>, path: &[Step], merged: &Merged, start: &[Node]) -> String {
    let mut out = query(graph.supergraph, path);
    let mut told = Vec::new();
    for node in start {
        let Some(def) = graph.def(*node).filter(|_| !told.contains(&node.graph)) else {
            continue;
        };
        told.push(node.graph);
        let name = graph
            .subgraphs
            .get(node.graph)
            .map_or("", |subgraph| subgraph.name.as_str());
        let _ = writeln!(out, "- from subgraph \"{name}\":");
        let _ = writeln!(
            out,
            "  - no subgraph can be reached to resolve the implementation type of @interfaceObject type \"{}\" (for \
             \"{}\").",
            def.name, merged.name
        );
    }
    out.truncate(out.trim_end().len());
    out
}

fn query(supergraph: &Supergraph, path: &[Step]) -> String {
    let root = match path.first() {
        Some(Step::Field(parent, _)) if parent == "Mutation" => "mutation ",
        Some(Step::Field(parent, _)) if parent == "Subscription" => "subscription ",
        _ => "",
    };
    let mut out = format!("The following supergraph API query:\n{root}{{\n");
    let mut open = 0;
    for (depth, step) in path.iter().enumerate() {
        let indent = "  ".repeat(depth + 1);
        let last = depth + 1 == path.len();
        match step {
            Step::On(name) => {
                let _ = writeln!(out, "{indent}... on {name} {{");
                open += 1;
            }
            Step::Field(parent, name) => {
                let field = supergraph
                    .types
                    .get(parent)
                    .and_then(|merged| merged.fields.get(name));
                let arguments = field
                    .map(|field| arguments(supergraph, field))
                    .unwrap_or_default();
                let leaf = field.is_none_or(|field| {
                    let ty = supergraph.types.get(field.ty.inner_named_type());
                    !ty.is_some_and(|ty| ty.kind.is_composite())
                });
                if leaf {
                    let _ = writeln!(out, "{indent}{name}{arguments}");
                } else {
                    let _ = writeln!(out, "{indent}{name}{arguments} {{");
                    open += 1;
                    if last {
                        let _ = writeln!(out, "{indent}  ...");
                    }
                }
            }
        }
        if last && matches!(step, Step::On(_)) {
            let _ = writeln!(out, "{indent}  ...");
        }
    }
    for depth in (0..=open).rev() {
        let _ = writeln!(out, "{}}}", "  ".repeat(depth));
    }
    out.push_str("cannot be satisfied by the subgraphs because:\n");
    out
}

fn arguments(supergraph: &Supergraph, field: &MergedField) -> String {
    let required = field
        .args
        .values()
        .filter(|arg| arg.ty.is_non_null() && arg.default.is_none());
    let all: Vec<String> = required
        .map(|arg| format!("{}: {}", arg.name, sample(supergraph, &arg.ty, 3)))
        .collect();
    if all.is_empty() {
        String::new()
    } else {
        format!("({})", all.join(", "))
    }
}

fn sample(supergraph: &Supergraph, ty: &Type, depth: usize) -> String {
    if ty.is_list() {
        return "[]".to_owned();
    }
    let name = ty.inner_named_type();
    match name.as_str() {
        "ID" => return "\"<any id>\"".to_owned(),
        "Int" => return "0".to_owned(),
        "Float" => return "0.0".to_owned(),
        "Boolean" => return "true".to_owned(),
        _ => {}
    }
    match supergraph.types.get(name) {
        Some(merged) if merged.kind == Kind::Enum => merged
            .values
            .keys()
            .next()
            .map(ToString::to_string)
            .unwrap_or_default(),
        Some(merged) if merged.kind == Kind::Input && depth > 0 => {
            let required = merged
                .inputs
                .values()
                .filter(|one| one.ty.is_non_null() && one.default.is_none());
            let all: Vec<String> = required
                .map(|one| format!("{}: {}", one.name, sample(supergraph, &one.ty, depth - 1)))
                .collect();
            format!("{{{}}}", all.join(", "))
        }
        _ => "\"A string value\"".to_owned(),
    }
}
