//! Holds changes against operations: which of them still work.

use std::collections::BTreeSet;

use apollo_compiler::Schema;
use apollo_compiler::validation::Valid;

use super::operation::{Fault, Operation, faults};
use super::usage::Usage;
use super::{Change, Level};

/// What a comparison comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// All changes, as [`changes`](super::changes) orders them.
    pub changes: Vec<Judged>,
    /// The operations that were valid and are so no more.
    pub broken: Vec<Broken>,
    /// The operations that were not valid before and are not now: no change is to blame.
    pub never_valid: Vec<Broken>,
    /// How many operations were held against the changes.
    pub operations: usize,
    /// How many of them work with the new schema: they are valid, and use nothing with a breaking change.
    pub working: usize,
}

/// A change, with the operations that it concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// The change.
    pub change: Change,
    /// The names of the operations that use what changed. `None` where nobody asked: of safe changes, and without
    /// operations.
    pub used_by: Option<Vec<String>>,
}

/// An operation that is not valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Its name.
    pub operation: String,
    /// What is wrong with it.
    pub faults: Vec<Fault>,
}

impl Verdict {
    /// Whether clients can live with the new schema: no operation broke, and no breaking change is used, as far as
    /// operations tell.
    #[must_use]
    pub fn passes(&self) -> bool {
        self.broken.is_empty() && !self.changes.iter().any(Judged::fails)
    }

    /// How many changes there are of a level.
    #[must_use]
    pub fn count(&self, level: Level) -> usize {
        self.changes
            .iter()
            .filter(|judged| judged.change.level == level)
            .count()
    }
}

impl Judged {
    /// Whether this change alone makes a check fail: it breaks, and is used or may be.
    #[must_use]
    pub fn fails(&self) -> bool {
        let used = self.used_by.as_ref().is_none_or(|names| !names.is_empty());
        self.change.level == Level::Breaking && used
    }
}

pub(super) fn judge(
    old: &Valid<Schema>,
    new: &Valid<Schema>,
    changes: Vec<Change>,
    operations: &[Operation],
) -> Verdict {
    let judged = |change: Change| {
        let asked = change.level != Level::Safe && !operations.is_empty();
        Judged {
            used_by: asked.then(Vec::new),
            change,
        }
    };
    let mut verdict = Verdict {
        changes: changes.into_iter().map(judged).collect(),
        broken: Vec::new(),
        never_valid: Vec::new(),
        operations: operations.len(),
        working: 0,
    };
    for operation in operations {
        verdict.hold_against(old, new, operation);
    }
    verdict
}

impl Verdict {
    fn hold_against(&mut self, old: &Valid<Schema>, new: &Valid<Schema>, operation: &Operation) {
        let after = operation.document.to_executable_validate(new);
        let now = after.as_ref().err().map(|failed| Broken {
            operation: operation.name().to_owned(),
            faults: distinct(faults(&failed.errors)),
        });
        let Ok(before) = operation.document.to_executable_validate(old) else {
            match now {
                Some(broken) => self.never_valid.push(broken),
                None => self.working += 1,
            }
            return;
        };
        let after = after.as_ref().ok().map(|after| (&**new, &**after));
        let usage = Usage::of(old, &before, after);
        let mut works = now.is_none();
        for judged in &mut self.changes {
            let Some(used_by) = &mut judged.used_by else {
                continue;
            };
            if usage.meets(&judged.change, now.is_some()) {
                used_by.push(operation.name().to_owned());
                works &= judged.change.level != Level::Breaking;
            }
        }
        self.working += usize::from(works);
        self.broken.extend(now);
    }
}

/// A fault in a fragment is told once for every way to it.
fn distinct(faults: Vec<Fault>) -> Vec<Fault> {
    faults.into_iter().collect::<BTreeSet<_>>().into_iter().collect()
}
