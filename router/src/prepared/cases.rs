//! The plans of one operation that have been made: of each case one for every number that a request may draw.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Compiled;
use crate::overrides::{self, Drawing};

/// So many plans of one operation are kept; others are made when they are needed.
const MAX_PLANS: usize = 64;

/// The guards that are not met, with whether the caller is nobody, the switches that are on, and whether the answer may
/// come in parts.
pub(super) type CaseKey = (Vec<(usize, bool)>, Vec<bool>, bool);

type Plans = HashMap<CaseKey, Vec<Arc<Compiled>>>;

/// The plans that have been made.
#[derive(Default)]
pub(super) struct Cases(Mutex<Plans>);

/// A case that was not planned before for what the request has drawn.
pub(crate) struct Unknown {
    pub(super) case: CaseKey,
    pub(super) number: u64,
}

impl Unknown {
    /// Of a request for which fields are where they were before they began to move.
    pub(super) fn unmoved(case: CaseKey) -> Self {
        Self {
            case,
            number: overrides::LAST,
        }
    }
}

impl Cases {
    /// The plan for a request that draws so, which it does only if it matters.
    pub(super) fn find(&self, case: CaseKey, mut drawing: Drawing<'_>) -> Result<Arc<Compiled>, Unknown> {
        let plans = self.plans();
        let plan = plans
            .get(&case)
            .and_then(|plans| plans.iter().find(|plan| drawing.is_in(&plan.numbers)).cloned());
        plan.ok_or_else(|| Unknown {
            case,
            number: drawing.number(),
        })
    }

    /// Any plan of a case.
    pub(super) fn any(&self, case: &CaseKey) -> Option<Arc<Compiled>> {
        self.plans().get(case)?.first().cloned()
    }

    /// Keeps a plan, if there is room.
    pub(super) fn keep(&self, unknown: Unknown, plan: &Arc<Compiled>) {
        let mut kept = self.plans();
        if kept.values().map(Vec::len).sum::<usize>() < MAX_PLANS {
            let plans = kept.entry(unknown.case).or_default();
            // Somebody else may have made it meanwhile.
            if !plans.iter().any(|plan| plan.numbers.contains(&unknown.number)) {
                plans.push(plan.clone());
            }
        }
    }

    fn plans(&self) -> MutexGuard<'_, Plans> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use composition::{SubgraphSource, compose};
    use kernel::{Principal, Random};
    use serde_json::Map;

    use super::*;
    use crate::config::{OverridesConfig, RequestShare, RouterConfig};
    use crate::plan::Planner;
    use crate::prepared::Compiler;

    const LINK: &str = "extend schema @link(url: \"https://specs.apollo.dev/federation/v2.9\", import: [\"@key\", \
        \"@override\", \"@external\", \"@requires\"])\n";

    fn compiler() -> Compiler {
        let old = "type Query { goods: [Good!]! } type Good @key(fields: \"id\") { id: ID! name: String a: Int b: Int \
            c: Int d: Int }";
        let new = "type Good @key(fields: \"id\") { id: ID! a: Int @override(from: \"old\", label: \"percent(10)\") \
            b: Int @override(from: \"old\", label: \"percent(40)\") c: Int @override(from: \"old\", label: \"half\") }";
        let needs =
            "type Good @key(fields: \"id\") { id: ID! c: Int @external e: Int @requires(fields: \"c\") }";
        let source = |(name, sdl): (&str, &str)| {
            SubgraphSource::new(
                name,
                Some("http://127.0.0.1:1/".to_owned()),
                format!("{LINK}{sdl}"),
            )
        };
        let sdl = compose(&[("old", old), ("new", new), ("needs", needs)].map(source))
            .unwrap()
            .supergraph_sdl;
        let half = RequestShare::percent(50.0).unwrap();
        let overrides = OverridesConfig {
            labels: [("half".to_owned(), half)].into(),
        };
        let timeout = std::time::Duration::from_secs(60);
        Compiler {
            supergraph: crate::schema::load(&sdl, false).unwrap(),
            planner: Planner::new(&sdl, timeout, overrides::Shares::new(&overrides)).unwrap(),
            config: RouterConfig::default(),
            services: ["old", "new", "needs"]
                .map(str::to_owned)
                .into_iter()
                .zip([0, 1, 2].map(|at| (at, false)))
                .collect(),
        }
    }

    /// How many plans many requests need.
    fn plans(query: &str) -> usize {
        let (compiler, random) = (compiler(), Random::seeded(7));
        let document = compiler.document(query).unwrap();
        let prepared = compiler.prepare(&document, None).unwrap();
        let mut made = 1;
        for _ in 0..300 {
            let drawing = Drawing::new(Some(&random));
            let found = prepared.compiled(&Principal::anonymous(), &Map::new(), false, drawing);
            if let Err(unknown) = found {
                prepared.compile(&compiler, unknown).unwrap();
                made += 1;
            }
        }
        assert_eq!(made, prepared.cases.plans().values().map(Vec::len).sum::<usize>());
        made
    }

    #[test]
    fn an_operation_has_as_many_plans_as_its_labels_tell_apart() {
        assert_eq!(plans("{ goods { name d } }"), 1);
        assert_eq!(plans("{ goods { name a } }"), 2);
        assert_eq!(plans("{ goods { b c } }"), 3);
        assert_eq!(plans("{ goods { a b c } }"), 4);
        assert_eq!(plans("{ goods { e } }"), 2, "what a field requires may move, too");
    }
}
