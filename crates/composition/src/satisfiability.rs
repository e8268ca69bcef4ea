//! Whether every query of the supergraph can be resolved by the subgraphs.
//!
//! The supergraph is walked from its root types. A place in a query is described by the set of all subgraphs
//! that can be asked there; from it, keys lead to more. A field that none of them can resolve is an error,
//! shown with the query that reaches it.

mod explain;
mod graph;

use apollo_compiler::Name;
use indexmap::{IndexMap, IndexSet};

use crate::error::{ErrorCode, Report};
use crate::subgraph::{Kind, Subgraph};
use crate::supergraph::{Merged, Supergraph};
use graph::{Graph, Node};

/// Reports of how many fields are unreachable before it is enough.
const MOST_ERRORS: usize = 32;

/// With so many labels of gradual overrides, all ways in which they can be on and off are looked at.
const MOST_LABELS: usize = 6;

/// Checks the whole supergraph.
pub(crate) fn check(supergraph: &Supergraph, subgraphs: &[Subgraph], report: &mut Report) {
    let mut found: IndexMap<(Name, Name), String> = IndexMap::new();
    // Whichever labels are on for a request, somebody must be able to answer.
    for on in label_sets(&labels(subgraphs)) {
        let mut walk = Walk {
            supergraph,
            graph: Graph::new(supergraph, subgraphs, on),
            seen: IndexMap::new(),
            found: &mut found,
        };
        walk.run();
    }
    for message in found.into_values().take(MOST_ERRORS) {
        report.error(ErrorCode::SatisfiabilityError, message);
    }
}

/// The labels of gradual overrides.
fn labels(subgraphs: &[Subgraph]) -> IndexSet<&str> {
    let types = subgraphs.iter().flat_map(|subgraph| subgraph.types.values());
    let overrides = types.flat_map(|def| def.fields.values().filter_map(|field| field.overrides.as_ref()));
    overrides
        .filter_map(|overrides| overrides.label.as_deref())
        .collect()
}

/// Which labels may be on together: any, as far as there are few. Of many it is looked at all, none, each alone, and all
/// but each.
fn label_sets<'l>(labels: &IndexSet<&'l str>) -> Vec<IndexSet<&'l str>> {
    let pick = |is_on: &dyn Fn(usize) -> bool| {
        let on = labels.iter().enumerate().filter(|(number, _)| is_on(*number));
        on.map(|(_, label)| *label).collect()
    };
    let count = labels.len();
    if count <= MOST_LABELS {
        let ways = (0..1_u32 << count).rev();
        return ways.map(|way| pick(&|number| way >> number & 1 == 1)).collect();
    }
    let mut sets = vec![pick(&|_| true), pick(&|_| false)];
    for one in 0..count {
        sets.push(pick(&|number| number == one));
        sets.push(pick(&|number| number != one));
    }
    sets
}

/// One step of the query that leads to a place.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Field(Name, Name),
    On(Name),
}

struct Walk<'a, 'r> {
    supergraph: &'a Supergraph,
    graph: Graph<'a>,
    /// The sets of nodes from which each type was found to be satisfiable.
    seen: IndexMap<Name, Vec<IndexSet<Node>>>,
    found: &'r mut IndexMap<(Name, Name), String>,
}

/// A place still to look at.
struct Place<'a> {
    merged: &'a Merged,
    nodes: Vec<Node>,
    path: Vec<Step>,
}

impl<'a> Walk<'a, '_> {
    fn run(&mut self) {
        // A queue rather than recursion: schemas can be deep, and the shortest query explains best.
        let mut queue = std::collections::VecDeque::new();
        for root in ["Query", "Mutation", "Subscription"] {
            if let Some(merged) = self.supergraph.types.get(root) {
                let nodes = self.graph.roots(merged);
                queue.push_back(Place {
                    merged,
                    nodes,
                    path: Vec::new(),
                });
            }
        }
        while let Some(place) = queue.pop_front() {
            if self.found.len() >= MOST_ERRORS {
                return;
            }
            if matches!(place.merged.kind, Kind::Interface | Kind::Union) {
                for name in self.supergraph.runtime_types(&place.merged.name) {
                    let merged = self
                        .supergraph
                        .types
                        .get(&name)
                        .filter(|merged| !merged.is_inaccessible());
                    let Some(merged) = merged else { continue };
                    let nodes = self.graph.narrow(&place.nodes, merged);
                    // What no subgraph can return needs no resolving.
                    if !nodes.is_empty() {
                        let mut path = place.path.clone();
                        path.push(Step::On(name));
                        queue.push_back(Place { merged, nodes, path });
                    }
                }
            } else {
                self.object(&place, &mut queue);
            }
        }
    }

    fn object(&mut self, place: &Place<'a>, queue: &mut std::collections::VecDeque<Place<'a>>) {
        let merged = place.merged;
        let reachable = self.graph.closure(merged, &place.nodes);
        let as_set: IndexSet<Node> = reachable.iter().copied().collect();
        let seen = self.seen.entry(merged.name.clone()).or_default();
        if seen.iter().any(|earlier| earlier.is_subset(&as_set)) {
            return;
        }
        seen.push(as_set);
        if !self.graph.knows_type(merged, &reachable) {
            let key = (merged.name.clone(), crate::build::name("__typename"));
            if !self.found.contains_key(&key) {
                let message = explain::unknown_type(&self.graph, place.path.as_slice(), merged, &place.nodes);
                self.found.insert(key, message);
            }
            return;
        }
        // Clients cannot ask for what is hidden.
        for field in merged.fields.values().filter(|field| !field.is_inaccessible()) {
            let next = self.graph.step_all(merged, &reachable, &field.name);
            let mut path = place.path.clone();
            path.push(Step::Field(merged.name.clone(), field.name.clone()));
            let Some(nodes) = next else {
                let key = (merged.name.clone(), field.name.clone());
                if !self.found.contains_key(&key) {
                    let message =
                        explain::field(&mut self.graph, &path, merged, field, &place.nodes, &reachable);
                    self.found.insert(key, message);
                }
                continue;
            };
            if let Some(target) = self.supergraph.types.get(field.ty.inner_named_type())
                && target.kind.is_composite()
            {
                queue.push_back(Place {
                    merged: target,
                    nodes,
                    path,
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_labels_are_looked_at_in_all_ways_and_many_one_by_one() {
        let labels = |count: usize| {
            ["a", "b", "c", "d", "e", "f", "g"]
                .into_iter()
                .take(count)
                .collect()
        };
        assert_eq!(label_sets(&labels(0)), [IndexSet::new()]);
        let two = label_sets(&labels(2));
        assert_eq!(two, [labels(2), IndexSet::from(["b"]), labels(1), labels(0)]);
        assert_eq!(label_sets(&labels(6)).len(), 64);
        let many = label_sets(&labels(7));
        assert_eq!(many.len(), 16);
        assert!(many.contains(&IndexSet::from(["c"])) && many.contains(&labels(7)));
    }
}
