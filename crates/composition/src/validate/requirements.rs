//! `@authenticated`, `@requiresScopes` and `@policy`: no way around them.
//!
//! Source: <https://www.apollographql.com/docs/graphos/routing/security/authorization>.

use apollo_compiler::Name;
use apollo_compiler::ast::Directive;

use crate::build;
use crate::error::{ErrorCode, Report};
use crate::fieldset::Sel;
use crate::merge::directives::{alternatives, alternatives_directive, conjunction};
use crate::spec::Known;
use crate::subgraph::{Kind, Subgraph};
use crate::supergraph::{Merged, MergedField, Supergraph};

/// What someone needs to read something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Requirement {
    authenticated: bool,
    scopes: Vec<Vec<String>>,
    policies: Vec<Vec<String>>,
}

impl Requirement {
    fn of(directives: &[Directive]) -> Self {
        let get = |name: &str, argument: &str| {
            let directive = directives.iter().find(|directive| directive.name == name);
            let value = directive.and_then(|directive| directive.specified_argument_by_name(argument));
            value.map(|value| alternatives(value)).unwrap_or_default()
        };
        Self {
            authenticated: directives
                .iter()
                .any(|directive| directive.name == "authenticated"),
            scopes: get("requiresScopes", "scopes"),
            policies: get("policy", "policies"),
        }
    }

    fn and(self, other: Self) -> Self {
        Self {
            authenticated: self.authenticated || other.authenticated,
            scopes: conjunction(vec![self.scopes, other.scopes]).unwrap_or_default(),
            policies: conjunction(vec![self.policies, other.policies]).unwrap_or_default(),
        }
    }

    /// Whoever fulfils this fulfils the other.
    fn implies(&self, other: &Self) -> bool {
        let all = |own: &[Vec<String>], other: &[Vec<String>]| {
            let covers = |one: &Vec<String>| {
                other
                    .iter()
                    .any(|needed| needed.iter().all(|item| one.contains(item)))
            };
            other.is_empty() || (!own.is_empty() && own.iter().all(covers))
        };
        (self.authenticated || !other.authenticated)
            && all(&self.scopes, &other.scopes)
            && all(&self.policies, &other.policies)
    }

    fn apply(self, directives: &mut Vec<Directive>) {
        directives.retain(|one| !matches!(one.name.as_str(), "authenticated" | "requiresScopes" | "policy"));
        if self.authenticated {
            directives.push(build::directive(build::name("authenticated"), Vec::new()));
        }
        if !self.scopes.is_empty() {
            directives.push(alternatives_directive("requiresScopes", "scopes", &self.scopes));
        }
        if !self.policies.is_empty() {
            directives.push(alternatives_directive("policy", "policies", &self.policies));
        }
    }
}

/// A field that is read through an interface needs what its implementations need.
pub(super) fn onto_interfaces(supergraph: &mut Supergraph) {
    let guarded = [Known::Authenticated, Known::RequiresScopes, Known::Policy];
    if !guarded.iter().any(|known| supergraph.used.contains(known)) {
        return;
    }
    let mut changes: Vec<(Name, Option<Name>, Requirement)> = Vec::new();
    for interface in supergraph
        .types
        .values()
        .filter(|merged| merged.kind == Kind::Interface)
    {
        let implementations: Vec<&Merged> = supergraph
            .runtime_types(&interface.name)
            .iter()
            .filter_map(|name| supergraph.types.get(name))
            .collect();
        let own = Requirement::of(&interface.directives);
        let whole = implementations
            .iter()
            .fold(own, |all, one| all.and(Requirement::of(&one.directives)));
        changes.push((interface.name.clone(), None, whole));
        for field in interface.fields.values() {
            let own = Requirement::of(&field.directives);
            let all = implementations.iter().fold(own, |all, implementation| {
                match implementation.fields.get(&field.name) {
                    Some(field) => all.and(Requirement::of(&field.directives)),
                    None => all,
                }
            });
            changes.push((interface.name.clone(), Some(field.name.clone()), all));
        }
    }
    for (interface, field, requirement) in changes {
        let Some(interface) = supergraph.types.get_mut(&interface) else {
            continue;
        };
        match field {
            None => requirement.apply(&mut interface.directives),
            Some(field) => {
                if let Some(field) = interface.fields.get_mut(&field) {
                    requirement.apply(&mut field.directives);
                }
            }
        }
    }
}

/// A field with `@requires` hands data on: it must be as guarded as what it requires.
pub(crate) fn validate_selections(supergraph: &Supergraph, subgraphs: &[Subgraph], report: &mut Report) {
    for subgraph in subgraphs {
        for def in subgraph.types.values() {
            let Some(merged) = supergraph.types.get(&def.name) else {
                continue;
            };
            for field in def.fields.values() {
                let Some(requires) = &field.requires else { continue };
                let Some(own) = merged.fields.get(&field.name) else {
                    continue;
                };
                let given = Requirement::of(&merged.directives).and(Requirement::of(&own.directives));
                if let Some(place) = lacking(supergraph, merged, &requires.selections, &given) {
                    let message = format!(
                        "Field \"{}.{}\" does not specify necessary @authenticated, @requiresScopes and/or @policy auth \
                         requirements to access the transitive field \"{place}\" data from @requires selection set.",
                        def.name, field.name
                    );
                    report.at(
                        ErrorCode::MissingTransitiveAuthRequirements,
                        &subgraph.name,
                        requires.line,
                        message,
                    );
                }
            }
        }
    }
}

fn lacking(
    supergraph: &Supergraph,
    parent: &Merged,
    selections: &[Sel],
    given: &Requirement,
) -> Option<String> {
    for selection in selections {
        let found = match selection {
            Sel::Fragment { on, selections } => {
                let target = on.as_ref().map_or(Some(parent), |on| supergraph.types.get(on));
                let Some(target) = target else { continue };
                if !given.implies(&Requirement::of(&target.directives)) {
                    return Some(target.name.to_string());
                }
                lacking(supergraph, target, selections, given)
            }
            Sel::Field(selected) => {
                let Some(field) = parent.fields.get(&selected.name) else {
                    continue;
                };
                lacking_field(supergraph, parent, field, &selected.selections, given)
            }
        };
        if found.is_some() {
            return found;
        }
    }
    None
}

fn lacking_field(
    supergraph: &Supergraph,
    parent: &Merged,
    field: &MergedField,
    selections: &[Sel],
    given: &Requirement,
) -> Option<String> {
    let place = format!("{}.{}", parent.name, field.name);
    if !given.implies(&Requirement::of(&field.directives)) {
        return Some(place);
    }
    let target = supergraph.types.get(field.ty.inner_named_type())?;
    if !given.implies(&Requirement::of(&target.directives)) {
        return Some(place);
    }
    lacking(supergraph, target, selections, given)
}
