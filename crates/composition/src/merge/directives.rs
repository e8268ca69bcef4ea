//! Merging of directive applications.

use apollo_compiler::ast::{Directive, Value};
use apollo_compiler::{Name, Node};
use indexmap::{IndexMap, IndexSet};

use super::Merger;
use crate::build;
use crate::error::{ErrorCode, quoted_list};
use crate::spec::Known;
use crate::subgraph::{Applied, all};

type Sources<'s> = [(usize, &'s [Applied])];

impl Merger<'_> {
    /// The directives that one element of the supergraph gets from its sources.
    pub(super) fn merge_applied(&mut self, sources: &Sources<'_>, place: &str) -> Vec<Directive> {
        let mut out = Vec::new();
        let every = |known: Known| sources.iter().flat_map(move |(_, applied)| all(applied, known));
        if every(Known::Inaccessible).next().is_some() {
            out.push(build::directive(build::name("inaccessible"), Vec::new()));
            self.out.used.insert(Known::Inaccessible);
        }
        let tags: IndexSet<&str> = every(Known::Tag).filter_map(|tag| tag.str_arg("name")).collect();
        for tag in tags {
            out.push(build::directive(
                build::name("tag"),
                vec![(build::name("name"), build::string(tag))],
            ));
            self.out.used.insert(Known::Tag);
        }
        if every(Known::Authenticated).next().is_some() {
            out.push(build::directive(build::name("authenticated"), Vec::new()));
            self.out.used.insert(Known::Authenticated);
        }
        for (known, name, argument) in [
            (Known::RequiresScopes, "requiresScopes", "scopes"),
            (Known::Policy, "policy", "policies"),
        ] {
            let all: Vec<Vec<Vec<String>>> = every(known)
                .filter_map(|one| one.arg(argument))
                .map(|value| alternatives(value))
                .collect();
            if let Some(merged) = conjunction(all) {
                out.push(alternatives_directive(name, argument, &merged));
                self.out.used.insert(known);
            }
        }
        let weight = every(Known::Cost)
            .filter_map(|cost| cost.arg("weight"))
            .filter_map(|v| v.to_i32())
            .max();
        if let Some(weight) = weight {
            let args = vec![(build::name("weight"), build::int(weight.into()))];
            out.push(build::directive(build::name("cost"), args));
            self.out.used.insert(Known::Cost);
        }
        let sizes: Vec<&Applied> = every(Known::ListSize).collect();
        if !sizes.is_empty() {
            out.push(list_size(&sizes));
            self.out.used.insert(Known::ListSize);
        }
        for (known, name) in [
            (Known::Deprecated, "deprecated"),
            (Known::SpecifiedBy, "specifiedBy"),
            (Known::OneOf, "oneOf"),
        ] {
            let found: Vec<&Applied> = every(known).collect();
            if let Some(one) = self.most_common(&found, place) {
                out.push(build::directive(build::name(name), one.args.clone()));
                self.out.used.insert(known);
            }
        }
        out.extend(self.merge_composed(sources, place));
        out
    }

    fn merge_composed(&mut self, sources: &Sources<'_>, place: &str) -> Vec<Directive> {
        let mut by_name: IndexMap<Name, Vec<&Applied>> = IndexMap::new();
        for (index, applied) in sources {
            for one in applied
                .iter()
                .filter(|one| one.known.is_none() && self.composed.contains(*index, &one.name))
            {
                by_name.entry(one.name.clone()).or_default().push(one);
            }
        }
        let mut out: Vec<Directive> = Vec::new();
        for (name, found) in by_name {
            let repeatable = self
                .out
                .directives
                .get(&name)
                .is_some_and(|definition| definition.repeatable);
            if repeatable {
                for one in found {
                    let directive = build::directive(name.clone(), one.args.clone());
                    if !out.contains(&directive) {
                        out.push(directive);
                    }
                }
            } else if let Some(one) = self.most_common(&found, place) {
                out.push(build::directive(name, one.args.clone()));
            }
        }
        out
    }

    fn most_common<'b>(&mut self, found: &[&'b Applied], place: &str) -> Option<&'b Applied> {
        let count = |one: &Applied| found.iter().filter(|other| other.args == one.args).count();
        let most = found.iter().map(|one| count(one)).max()?;
        if most < found.len() {
            let name = found.first().map_or("", |one| one.name.as_str());
            let message = format!(
                "Non-repeatable directive @{name} is applied to \"{place}\" in multiple subgraphs but with incompatible \
                 arguments."
            );
            self.report
                .hint("INCONSISTENT_NON_REPEATABLE_DIRECTIVE_ARGUMENTS", message);
        }
        found.iter().find(|one| count(one) == most).copied()
    }

    pub(super) fn merge_schema_directives(&mut self) {
        let subgraphs = self.subgraphs;
        let applied: Vec<(usize, &[Applied])> = subgraphs
            .iter()
            .enumerate()
            .map(|(index, subgraph)| (index, subgraph.schema_applied.as_slice()))
            .collect();
        let merged = self.merge_applied(&applied, "schema");
        self.out.schema_directives = merged;
        self.check_import_names();
    }

    /// A known directive should go by one name; it is always printed under its own.
    fn check_import_names(&mut self) {
        let mut names: IndexMap<(String, String), IndexSet<String>> = IndexMap::new();
        for link in self.subgraphs.iter().flat_map(|subgraph| &subgraph.links.0) {
            for import in link.imports.iter().filter(|_| link.spec.is_none()) {
                let key = (link.identity.clone(), import.element.clone());
                names.entry(key).or_default().insert(import.local().to_owned());
            }
        }
        for ((identity, element), locals) in names.iter().filter(|(_, locals)| locals.len() > 1) {
            let composed =
                self.out.links.iter().any(|link| {
                    link.identity == *identity && link.imports.iter().any(|(own, _)| own == element)
                });
            if composed {
                let message = format!(
                    "The \"{element}\" directive (from {identity}) is imported with mismatched name between subgraphs: it \
                     is imported as {}.",
                    quoted_list(locals)
                );
                self.report.error(ErrorCode::LinkImportNameMismatch, message);
            }
        }
    }
}

/// `[["a", "b"], ["c"]]`: (a and b) or c.
pub(crate) fn alternatives(value: &Value) -> Vec<Vec<String>> {
    let strings = |value: &Node<Value>| match value.as_ref() {
        Value::List(items) => items
            .iter()
            .filter_map(|item| item.as_str().map(str::to_owned))
            .collect(),
        Value::String(text) => vec![text.clone()],
        _ => Vec::new(),
    };
    match value {
        Value::List(items) => items.iter().map(strings).collect(),
        Value::String(text) => vec![vec![text.clone()]],
        _ => Vec::new(),
    }
}

pub(crate) fn alternatives_directive(
    name: &'static str,
    argument: &'static str,
    all: &[Vec<String>],
) -> Directive {
    let inner = |one: &Vec<String>| build::list(one.iter().map(build::string).collect());
    let value = build::list(all.iter().map(inner).collect());
    build::directive(build::name(name), vec![(build::name(argument), value)])
}

/// All requirements must hold: each is an "or" of "and"s, and so is the answer, in its shortest form.
pub(crate) fn conjunction(all: Vec<Vec<Vec<String>>>) -> Option<Vec<Vec<String>>> {
    let mut rest = all.into_iter().filter(|one| !one.is_empty());
    let mut merged: Vec<Vec<String>> = normalized(rest.next()?);
    for next in rest {
        let mut product = Vec::new();
        for left in &merged {
            for right in &next {
                product.push(left.iter().chain(right).cloned().collect());
            }
        }
        merged = normalized(product);
    }
    Some(merged)
}

fn normalized(all: Vec<Vec<String>>) -> Vec<Vec<String>> {
    let mut sorted: Vec<Vec<String>> = all
        .into_iter()
        .map(|mut one| {
            one.sort();
            one.dedup();
            one
        })
        .collect();
    sorted.sort_by(|a, b| a.len().cmp(&b.len()).then_with(|| a.cmp(b)));
    let mut out: Vec<Vec<String>> = Vec::new();
    for one in sorted {
        if !out
            .iter()
            .any(|shorter| shorter.iter().all(|item| one.contains(item)))
        {
            out.push(one);
        }
    }
    out
}

fn list_size(found: &[&Applied]) -> Directive {
    let mut args = Vec::new();
    let assumed = found
        .iter()
        .filter_map(|one| one.arg("assumedSize"))
        .filter_map(|value| value.to_i32())
        .max();
    if let Some(assumed) = assumed {
        args.push((build::name("assumedSize"), build::int(assumed.into())));
    }
    for argument in ["slicingArguments", "sizedFields"] {
        let items: IndexSet<String> = found
            .iter()
            .filter_map(|one| one.arg(argument))
            .filter_map(|value| value.as_list())
            .flatten()
            .filter_map(|item| item.as_str().map(str::to_owned))
            .collect();
        if !items.is_empty() {
            args.push((
                build::name(argument),
                build::list(items.iter().map(build::string).collect()),
            ));
        }
    }
    let all: Vec<bool> = found
        .iter()
        .filter_map(|one| one.arg("requireOneSlicingArgument"))
        .filter_map(|value| value.to_bool())
        .collect();
    if !all.is_empty() {
        // A subgraph that says nothing says `true`.
        args.push((
            build::name("requireOneSlicingArgument"),
            build::boolean(all.iter().all(|own| *own)),
        ));
    }
    build::directive(build::name("listSize"), args)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(groups: &[&[&str]]) -> Vec<Vec<String>> {
        groups
            .iter()
            .map(|group| group.iter().map(ToString::to_string).collect())
            .collect()
    }

    #[test]
    fn two_requirements_must_both_hold() {
        let merged = conjunction(vec![all(&[&["a"], &["b"]]), all(&[&["c"]])]).unwrap();
        assert_eq!(merged, all(&[&["a", "c"], &["b", "c"]]));
    }

    #[test]
    fn a_requirement_that_contains_another_is_dropped() {
        let merged = conjunction(vec![all(&[&["a"], &["b"]]), all(&[&["a"]])]).unwrap();
        assert_eq!(merged, all(&[&["a"]]));
    }
}
