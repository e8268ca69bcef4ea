//! Definitions of directives: those of `@composeDirective`, and those for operations.

use apollo_compiler::ast::{DirectiveDefinition, DirectiveLocation};
use apollo_compiler::{Name, Node};
use indexmap::{IndexMap, IndexSet};

use crate::error::{ErrorCode, Report};
use crate::spec::Known;
use crate::subgraph::Subgraph;
use crate::supergraph::{ComposedLink, Supergraph};

/// Which directives of which subgraph travel into the supergraph by `@composeDirective`.
#[derive(Default)]
pub(crate) struct Composed(IndexSet<(usize, String)>);

impl Composed {
    /// Reads `@composeDirective` of all subgraphs and puts links and definitions into the supergraph.
    pub(super) fn read(subgraphs: &[Subgraph], out: &mut Supergraph, report: &mut Report) -> Self {
        let mut composed = Self::default();
        let mut names: IndexMap<(String, String), String> = IndexMap::new();
        for (index, subgraph) in subgraphs.iter().enumerate() {
            for (argument, line) in &subgraph.composed {
                match compose_one(subgraph, argument) {
                    Ok(None) => report.hint(
                        "DIRECTIVE_COMPOSITION_INFO",
                        format!("Directive \"{argument}\" is composed without @composeDirective."),
                    ),
                    Ok(Some((name, link, definition))) => {
                        let key = (link.identity.clone(), link.imports[0].0.clone());
                        let first = names.entry(key).or_insert_with(|| name.clone());
                        if *first != name {
                            let message = format!(
                                "Composed directive \"@{name}\" in subgraph \"{}\" is named \"@{first}\" in another \
                                 subgraph; it must have one name.",
                                subgraph.name
                            );
                            report.at(
                                ErrorCode::DirectiveCompositionError,
                                &subgraph.name,
                                *line,
                                message,
                            );
                            continue;
                        }
                        composed.0.insert((index, name));
                        if let Err(message) = add_link(out, link, definition) {
                            report.at(
                                ErrorCode::DirectiveCompositionError,
                                &subgraph.name,
                                *line,
                                message,
                            );
                        }
                    }
                    Err(message) => {
                        report.at(
                            ErrorCode::DirectiveCompositionError,
                            &subgraph.name,
                            *line,
                            message,
                        );
                    }
                }
            }
        }
        merge_executable(subgraphs, out, report);
        composed
    }

    pub(super) fn contains(&self, subgraph: usize, name: &str) -> bool {
        self.0.contains(&(subgraph, name.to_owned()))
    }
}

type One = (String, ComposedLink, Node<DirectiveDefinition>);

fn compose_one(subgraph: &Subgraph, argument: &str) -> Result<Option<One>, String> {
    let Some(name) = argument.strip_prefix('@').filter(|name| !name.is_empty()) else {
        return Err(format!(
            "Argument to @composeDirective \"{argument}\" must have a leading \"@\""
        ));
    };
    match crate::spec::resolve(name, &subgraph.links) {
        Some(Known::Tag | Known::Inaccessible | Known::Authenticated | Known::RequiresScopes)
        | Some(Known::Policy | Known::Cost | Known::ListSize) => return Ok(None),
        Some(_) => {
            return Err(format!(
                "Composing federation directive \"@{name}\" in subgraph \"{}\" is not supported",
                subgraph.name
            ));
        }
        None => {}
    }
    let Some(definition) = subgraph.directives.get(name) else {
        return Err(format!(
            "Could not find matching directive definition for argument to @composeDirective \"@{name}\" in subgraph \
             \"{}\".",
            subgraph.name
        ));
    };
    for link in subgraph.links.0.iter().filter(|link| link.spec.is_none()) {
        if let Some(import) = link.imports.iter().find(|import| import.local() == argument) {
            let link = ComposedLink {
                identity: link.identity.clone(),
                version: link.version,
                alias: link.alias.clone(),
                imports: vec![(import.element.clone(), import.alias.clone())],
            };
            return Ok(Some((name.to_owned(), link, definition.clone())));
        }
        let own = link.prefix();
        let prefixed = name.strip_prefix(own).and_then(|rest| rest.strip_prefix("__"));
        if !own.is_empty() && (name == own || prefixed.is_some()) {
            let element = prefixed.map_or_else(|| argument.to_owned(), |bare| format!("@{bare}"));
            let alias = (element != argument).then(|| argument.to_owned());
            let link = ComposedLink {
                identity: link.identity.clone(),
                version: link.version,
                alias: link.alias.clone(),
                imports: vec![(element, alias)],
            };
            return Ok(Some((name.to_owned(), link, definition.clone())));
        }
    }
    Err(format!(
        "Directive \"@{name}\" in subgraph \"{}\" cannot be composed because it is not a member of a core feature",
        subgraph.name
    ))
}

/// The newest minor version wins, with its definition.
fn add_link(
    out: &mut Supergraph,
    link: ComposedLink,
    definition: Node<DirectiveDefinition>,
) -> Result<(), String> {
    let name = definition.name.clone();
    let Some(existing) = out.links.iter_mut().find(|other| other.identity == link.identity) else {
        out.links.push(link);
        out.directives.insert(name, definition);
        return Ok(());
    };
    let major = |version: Option<(u32, u32)>| version.map(|(major, _)| major);
    if major(existing.version) != major(link.version) {
        return Err(format!(
            "Core feature \"{}\" requested to be merged has major version mismatch across subgraphs",
            link.identity
        ));
    }
    let newer = link.version > existing.version;
    if newer {
        existing.version = link.version;
    }
    for import in link.imports {
        if !existing.imports.contains(&import) {
            existing.imports.push(import);
        }
    }
    if newer || !out.directives.contains_key(&name) {
        out.directives.insert(name, definition);
    }
    Ok(())
}

const EXECUTABLE: [DirectiveLocation; 8] = [
    DirectiveLocation::Query,
    DirectiveLocation::Mutation,
    DirectiveLocation::Subscription,
    DirectiveLocation::Field,
    DirectiveLocation::FragmentDefinition,
    DirectiveLocation::FragmentSpread,
    DirectiveLocation::InlineFragment,
    DirectiveLocation::VariableDefinition,
];

/// A directive for operations is part of the API if all subgraphs define it in the same way.
fn merge_executable(subgraphs: &[Subgraph], out: &mut Supergraph, report: &mut Report) {
    let mut names: IndexSet<&Name> = IndexSet::new();
    for subgraph in subgraphs {
        names.extend(subgraph.directives.keys());
    }
    for name in names {
        if out.directives.contains_key(name) {
            continue;
        }
        let definitions: Vec<&Node<DirectiveDefinition>> = subgraphs
            .iter()
            .filter_map(|subgraph| subgraph.directives.get(name))
            .collect();
        let Some(first) = definitions.first() else {
            continue;
        };
        let executable = definitions
            .iter()
            .any(|one| one.locations.iter().any(|place| EXECUTABLE.contains(place)));
        if !executable {
            continue;
        }
        let same_arguments = definitions.iter().all(|one| {
            one.arguments.len() == first.arguments.len()
                && one.arguments.iter().all(|argument| {
                    first.argument_by_name(&argument.name).is_some_and(|other| {
                        other.ty == argument.ty && other.default_value == argument.default_value
                    })
                })
        });
        let locations: Vec<DirectiveLocation> = first
            .locations
            .iter()
            .copied()
            .filter(|place| EXECUTABLE.contains(place))
            .filter(|place| definitions.iter().all(|one| one.locations.contains(place)))
            .collect();
        if definitions.len() < subgraphs.len() || !same_arguments || locations.is_empty() {
            report.hint(
                "INCONSISTENT_EXECUTABLE_DIRECTIVE_PRESENCE",
                format!("Executable directive \"@{name}\" will not be part of the supergraph as it is not the same in all subgraphs."),
            );
            continue;
        }
        let mut merged = DirectiveDefinition::clone(first);
        merged.locations = locations;
        merged.repeatable = definitions.iter().all(|one| one.repeatable);
        out.directives.insert(name.clone(), Node::new(merged));
    }
}
