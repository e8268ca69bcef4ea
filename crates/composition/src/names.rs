//! Names of subgraphs as values of the enum `join__Graph`.

use std::collections::{BTreeMap, BTreeSet};

use apollo_compiler::Name;

use crate::SubgraphSource;
use crate::error::{ErrorCode, Report};

/// One enum value for each subgraph, in their order.
///
/// Source of the form: <https://specs.apollo.dev/join/v0.3/#join__Graph>.
pub(crate) fn graphs(sources: &[&SubgraphSource], report: &mut Report) -> Vec<Name> {
    let mut seen = BTreeSet::new();
    let mut wanted: BTreeMap<String, usize> = BTreeMap::new();
    for source in sources {
        if !seen.insert(&source.name) {
            report.at(
                ErrorCode::InvalidSubgraphName,
                &source.name,
                None,
                format!("A subgraph named \"{}\" already exists", source.name),
            );
        }
        if source.name.is_empty() || source.name == "_" || source.name.starts_with("__") {
            let message = format!(
                "Invalid name \"{}\" for a subgraph: this name is reserved",
                source.name
            );
            report.at(ErrorCode::InvalidSubgraphName, &source.name, None, message);
        }
        // Text that the supergraph would have to escape: not everybody who reads it takes the escapes away again.
        if source
            .name
            .contains(|it: char| it.is_control() || matches!(it, '"' | '\\'))
        {
            let message = format!(
                "Invalid name {:?} for a subgraph: it must not hold quotes, backslashes or control characters",
                source.name
            );
            report.at(ErrorCode::InvalidSubgraphName, &source.name, None, message);
        }
        *wanted.entry(constant(&source.name)).or_default() += 1;
    }
    let mut given: BTreeMap<String, usize> = BTreeMap::new();
    let names = sources.iter().map(|source| {
        let base = constant(&source.name);
        if wanted.get(&base).copied().unwrap_or_default() < 2 {
            return base;
        }
        let count = given.entry(base.clone()).or_default();
        *count += 1;
        format!("{base}_{count}")
    });
    names
        .map(|name| Name::new(&name).unwrap_or_else(|_| crate::build::name("_")))
        .collect()
}

/// `product-catalog` and `productCatalog` become constants: letters, digits and `_`, no leading digit.
fn constant(name: &str) -> String {
    let mut out = String::new();
    for character in name.chars() {
        out.push(if character.is_ascii_alphanumeric() {
            character.to_ascii_uppercase()
        } else {
            '_'
        });
    }
    if out.starts_with(|first: char| first.is_ascii_digit()) {
        out.insert(0, '_');
        out.push('_');
    }
    if out.is_empty() { "_".to_owned() } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_distinct_constants() {
        let sources: Vec<SubgraphSource> = ["a-b", "a_b", "1st", "user"]
            .map(|name| SubgraphSource::new(name, None, ""))
            .into();
        let mut report = Report::default();
        let names = graphs(&sources.iter().collect::<Vec<_>>(), &mut report);
        assert_eq!(names, ["A_B_1", "A_B_2", "_1ST_", "USER"]);
        assert!(report.errors.is_empty());
    }
}
