//! Habits that belong together. Links never form a circle: a chain of habits must have a first one.

use std::collections::{HashMap, HashSet};

use kernel::{HabitId, PathSegment, Refusal, Text};
use subgraph::input::Checker;

use crate::store::HabitDoc;

/// Judges the links that a habit shall have, among all habits of its owner.
///
/// # Errors
/// `BAD_USER_INPUT`: `NOT_FOUND` for what is no habit of the owner, `CYCLE` where the habit would reach itself.
pub fn judge(habit: HabitId, links: &[HabitId], all: &[HabitDoc]) -> Result<(), Refusal> {
    let graph: HashMap<HabitId, &[HabitId]> = all
        .iter()
        .map(|one| (one.id, one.linked_habits.as_slice()))
        .collect();
    let mut check = Checker::new("input");
    for (index, link) in links.iter().enumerate() {
        let here = || [PathSegment::from("linkedHabits"), PathSegment::from(index)];
        if *link == habit || reaches(&graph, *link, habit) {
            check.issue_at(here(), "CYCLE", Text::new("issue-cycle"));
        } else if !graph.contains_key(link) {
            check.issue_at(here(), "NOT_FOUND", Text::new("issue-not-found"));
        }
    }
    check.finish()
}

fn reaches(graph: &HashMap<HabitId, &[HabitId]>, from: HabitId, to: HabitId) -> bool {
    let mut seen = HashSet::new();
    let mut open = vec![from];
    while let Some(one) = open.pop() {
        if one == to {
            return true;
        }
        if seen.insert(one) {
            open.extend(graph.get(&one).copied().unwrap_or_default());
        }
    }
    false
}
