//! `@defer`: cuts an operation into what is fetched first and what is fetched for each fragment that comes later.
//!
//! The planner library has no part in it. A fragment on an entity is planned by itself, from the entity's key, which is
//! fetched with what comes before; so it waits for nobody else, and nobody for it. A fragment at the root of a query is
//! an operation of its own. Of a fragment on anything else the plain fields are fetched with what comes before, and what
//! it selects of entities further down is planned from there. A fragment of which nothing is left to fetch is not deferred.

use apollo_compiler::ast::{Argument, Directive, DirectiveList, OperationType, Value};
use apollo_compiler::executable::{
    ExecutableDocument, Field, InlineFragment, Operation, Selection, SelectionSet,
};
use apollo_compiler::{Name, Node, name};

use super::trim::{self, bare_field, keep_object};
use super::{Compiled, Compiler};
use crate::error::GraphQlError;
use crate::execution::data::Keys;
use crate::overrides::Draw;
use crate::plan::{Node as PlanNode, Plan, Step};
use crate::selection::{Case, fragment_number};

/// So many pieces of one operation are planned by themselves; what goes beyond is not deferred.
const MAX_PIECES: usize = 100;

/// A fragment that comes later.
pub(crate) struct Deferred {
    /// Its label.
    pub(crate) label: Option<String>,
    /// What has to be fetched for it once what comes before is there.
    pub(crate) plan: Plan,
}

impl Compiler {
    /// Makes the plans of an operation with something deferred. `None` if nothing is, or nothing can be.
    pub(super) fn compile_deferred(
        &self,
        document: &ExecutableDocument,
        operation: &Node<Operation>,
        case: &Case,
        draw: &Draw,
    ) -> Result<Option<Compiled>, GraphQlError> {
        let mut expansion = Expansion {
            document,
            case,
            labels: Vec::new(),
        };
        let expanded = Operation {
            selection_set: expansion.set(&operation.selection_set),
            ..operation.as_ref().clone()
        };
        let labels = expansion.labels;
        let none = ExecutableDocument::new();
        let trimmed = trim::selections(&none, &expanded, case, &self.supergraph.types);
        let mut keys = Keys::new();
        let mut split = Split {
            compiler: self,
            draw,
            operation,
            keys: &mut keys,
            trail: Vec::new(),
            pieces: labels.iter().map(|_| Vec::new()).collect(),
            tries: 0,
        };
        let first = split.first(&trimmed, &[&trimmed]);
        let pieces = split.pieces;
        let later = Case {
            later: pieces.iter().map(|pieces| !pieces.is_empty()).collect(),
            ..case.clone()
        };
        if !later.later.contains(&true) {
            return Ok(None);
        }
        let plan = match trim::text(operation, operation.operation_type, first) {
            None => Plan::default(),
            Some(text) => match self.planner.plan(&text, self.conversion(&mut keys, draw)) {
                Ok(plan) => plan,
                Err(error) => {
                    tracing::warn!(%error, "nothing is deferred of an operation, since what comes first cannot be planned");
                    return Ok(None);
                }
            },
        };
        let pieces = pieces.into_iter().map(|pieces| Plan {
            root: (!pieces.is_empty()).then_some(PlanNode::Parallel(pieces)),
        });
        let mut plans: Vec<Plan> = pieces.chain([plan]).collect();
        Plan::join(&mut plans);
        let plan = plans.pop().unwrap_or_default();
        let deferred = labels.into_iter().zip(plans);
        let selections = self.selections(&none, &expanded, &mut keys, &later)?;
        Ok(Some(Compiled {
            selections,
            plan,
            cost: self.cost(document, operation, case)?,
            deferred: deferred.map(|(label, plan)| Deferred { label, plan }).collect(),
            keys,
            length: std::sync::atomic::AtomicUsize::new(0),
            numbers: draw.same(),
        }))
    }
}

/// Puts fragments into their places, without what the case leaves out, and numbers those that may come later.
struct Expansion<'d> {
    document: &'d ExecutableDocument,
    case: &'d Case,
    labels: Vec<Option<String>>,
}

impl Expansion<'_> {
    fn set(&mut self, set: &SelectionSet) -> SelectionSet {
        let mut expanded = SelectionSet::new(set.ty.clone());
        for selection in &set.selections {
            if !self.case.includes(selection.directives()) {
                continue;
            }
            match selection {
                Selection::Field(field) => expanded.push(Field {
                    directives: DirectiveList::default(),
                    selection_set: self.set(&field.selection_set),
                    ..field.as_ref().clone()
                }),
                Selection::InlineFragment(fragment) => {
                    let condition = fragment.type_condition.clone();
                    expanded.push(self.fragment(&fragment.directives, condition, &fragment.selection_set));
                }
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = self.document.fragments.get(&spread.fragment_name) {
                        let condition = Some(fragment.type_condition().clone());
                        expanded.push(self.fragment(&spread.directives, condition, &fragment.selection_set));
                    }
                }
            }
        }
        expanded
    }

    fn fragment(
        &mut self,
        directives: &DirectiveList,
        type_condition: Option<Name>,
        set: &SelectionSet,
    ) -> InlineFragment {
        let mut marker = DirectiveList::default();
        if let Some(label) = self.case.deferred(directives) {
            marker.push(Node::new(numbered(self.labels.len())));
            self.labels.push(label.map(str::to_owned));
        }
        InlineFragment {
            type_condition,
            directives: marker,
            selection_set: self.set(set),
        }
    }
}

/// The directive of which [`fragment_number`] reads the number.
fn numbered(number: usize) -> Directive {
    let number = i32::try_from(number).unwrap_or(i32::MAX);
    Directive {
        name: name!("defer"),
        arguments: vec![Node::new(Argument {
            name: name!("number"),
            value: Node::new(Value::Int(number.into())),
        })],
    }
}

/// A step on the way to a selection set.
enum Level {
    /// Into a field, which is kept without its selections.
    Field(Field),
    /// Objects of one type.
    On(Name),
}

/// Cuts an operation.
struct Split<'c> {
    compiler: &'c Compiler,
    draw: &'c Draw,
    operation: &'c Operation,
    keys: &'c mut Keys,
    /// The way to where the work is.
    trail: Vec<Level>,
    /// By fragment: what is fetched for it.
    pieces: Vec<Vec<PlanNode>>,
    tries: usize,
}

/// What is selected of the same objects by what comes before.
type Known<'s> = [&'s SelectionSet];

impl Split<'_> {
    /// What of a set is fetched first: its fields, and what the deferred fragments within have to begin with.
    fn first(&mut self, set: &SelectionSet, known: &Known<'_>) -> SelectionSet {
        let mut first = SelectionSet::new(set.ty.clone());
        for selection in &set.selections {
            match selection {
                Selection::Field(field) => {
                    let known = self.selected(known, field, &set.ty);
                    let inner = |split: &mut Self| split.first(&field.selection_set, &known);
                    first.push(self.within_field(field, inner));
                }
                Selection::InlineFragment(fragment) => {
                    let number = fragment_number(&fragment.directives);
                    let inner = |split: &mut Self| match number {
                        None => split.first(&fragment.selection_set, known),
                        Some(number) => {
                            let all: Vec<_> =
                                known.iter().copied().chain([&fragment.selection_set]).collect();
                            let all = split.first(&fragment.selection_set, &all);
                            split.defer(number, &all, known)
                        }
                    };
                    self.within_fragment(fragment, inner, &mut first);
                }
                Selection::FragmentSpread(_) => {}
            }
        }
        first
    }

    /// Plans what a deferred fragment selects, as far as it is not known, and gives what has to be fetched before.
    fn defer(&mut self, fragment: usize, set: &SelectionSet, known: &Known<'_>) -> SelectionSet {
        let mut before = SelectionSet::new(set.ty.clone());
        let mut rest = SelectionSet::new(set.ty.clone());
        self.sort(fragment, set, known, &mut before, &mut rest);
        if !rest.selections.is_empty() {
            let needed = self.piece_or_below(fragment, &rest);
            before.extend(needed.selections);
        }
        before
    }

    /// Sorts the fields of a set into those that come with what is before, and the rest.
    fn sort(
        &mut self,
        fragment: usize,
        set: &SelectionSet,
        known: &Known<'_>,
        before: &mut SelectionSet,
        rest: &mut SelectionSet,
    ) {
        for selection in &set.selections {
            match selection {
                Selection::Field(field) if field.name == "__typename" => before.push(field.clone()),
                Selection::Field(field) => {
                    let known = self.selected(known, field, &set.ty);
                    let returns = field.selection_set.ty.as_str();
                    if known.is_empty() {
                        rest.push(field.clone());
                    } else if field.selection_set.selections.is_empty() {
                        // It is there already.
                    } else if self.compiler.planner.entries(returns).is_empty() {
                        rest.push(field.clone());
                    } else {
                        let inner = |split: &mut Self| split.defer(fragment, &field.selection_set, &known);
                        before.push(self.within_field(field, inner));
                    }
                }
                Selection::InlineFragment(inner) if self.always_applies(inner, &set.ty) => {
                    self.sort(fragment, &inner.selection_set, known, before, rest);
                }
                other => rest.selections.push(other.clone()),
            }
        }
    }

    /// Plans a set by itself, or what is below it; gives what has to be fetched before.
    fn piece_or_below(&mut self, fragment: usize, set: &SelectionSet) -> SelectionSet {
        if let Some(needed) = self.piece(fragment, set) {
            return needed;
        }
        let mut before = SelectionSet::new(set.ty.clone());
        for selection in &set.selections {
            match selection {
                Selection::Field(field) if field.selection_set.selections.is_empty() => {
                    before.push(field.clone());
                }
                Selection::Field(field) => {
                    let inner = |split: &mut Self| split.piece_or_below(fragment, &field.selection_set);
                    before.push(self.within_field(field, inner));
                }
                Selection::InlineFragment(inline) => {
                    let inner = |split: &mut Self| split.piece_or_below(fragment, &inline.selection_set);
                    self.within_fragment(inline, inner, &mut before);
                }
                Selection::FragmentSpread(_) => {}
            }
        }
        before
    }

    /// Plans a set by itself, and gives what has to be fetched before. `None` if that cannot be.
    fn piece(&mut self, fragment: usize, set: &SelectionSet) -> Option<SelectionSet> {
        let planner = &self.compiler.planner;
        if !self.trail.iter().any(|level| matches!(level, Level::Field(_))) {
            self.try_one()?;
            let text = trim::text(self.operation, OperationType::Query, set.clone())?;
            let conversion = self.compiler.conversion(self.keys, self.draw);
            let plan = planner.plan(&text, conversion).ok()?;
            self.pieces.get_mut(fragment)?.extend(plan.root);
            return Some(SelectionSet::new(set.ty.clone()));
        }
        let path = self.path();
        let entries = planner.entries(&set.ty);
        let mut best: Option<(usize, Plan, SelectionSet)> = None;
        for entry in entries {
            self.try_one()?;
            let mut root = SelectionSet::new(name!("Query"));
            root.push(Field {
                selection_set: set.clone(),
                ..bare_field(entry.clone())
            });
            let text = trim::text(self.operation, OperationType::Query, root)?;
            let planned = planner.plan_from(&text, &path, self.compiler.conversion(self.keys, self.draw));
            let Ok((plan, mut needed)) = planned else { continue };
            needed.push(bare_field(name!("__typename")));
            // The key that is at hand where the object comes from.
            let calls = if entries.len() > 1 {
                self.calls_before(&needed)?
            } else {
                0
            };
            if best.as_ref().is_none_or(|(fewest, ..)| calls < *fewest) {
                best = Some((calls, plan, needed));
            }
        }
        let (_, plan, needed) = best?;
        self.pieces.get_mut(fragment)?.extend(plan.root);
        Some(needed)
    }

    fn try_one(&mut self) -> Option<()> {
        self.tries += 1;
        (self.tries <= MAX_PIECES).then_some(())
    }

    /// The calls that it takes to get to these fields from the root.
    fn calls_before(&self, set: &SelectionSet) -> Option<usize> {
        let mut set = set.clone();
        for level in self.trail.iter().rev() {
            let mut outer = SelectionSet::new(name!("_Any"));
            match level {
                Level::Field(field) => outer.push(Field {
                    selection_set: set,
                    ..field.clone()
                }),
                Level::On(condition) => outer.push(InlineFragment {
                    type_condition: Some(condition.clone()),
                    directives: DirectiveList::default(),
                    selection_set: set,
                }),
            }
            set = outer;
        }
        let text = trim::text(self.operation, self.operation.operation_type, set)?;
        self.compiler.planner.calls(&text, self.draw).ok()
    }

    fn path(&mut self) -> Vec<Step> {
        let Self { trail, keys, .. } = self;
        let step = |level: &Level| match level {
            Level::Field(field) => Step::Field(keys.intern(field.response_key())),
            Level::On(condition) => Step::Types(vec![condition.to_string()]),
        };
        trail.iter().map(step).collect()
    }

    /// The field with what `inner` makes of its selections.
    fn within_field(&mut self, field: &Field, inner: impl FnOnce(&mut Self) -> SelectionSet) -> Field {
        if field.selection_set.selections.is_empty() {
            return field.clone();
        }
        let bare = Field {
            selection_set: SelectionSet::new(field.selection_set.ty.clone()),
            ..field.clone()
        };
        self.trail.push(Level::Field(bare.clone()));
        let mut selection_set = inner(self);
        self.trail.pop();
        keep_object(&mut selection_set);
        Field {
            selection_set,
            ..bare
        }
    }

    /// The fragment with what `inner` makes of its selections, if anything.
    fn within_fragment(
        &mut self,
        fragment: &InlineFragment,
        inner: impl FnOnce(&mut Self) -> SelectionSet,
        into: &mut SelectionSet,
    ) {
        let condition = &fragment.type_condition;
        let depth = self.trail.len();
        self.trail.extend(condition.clone().map(Level::On));
        let selection_set = inner(self);
        self.trail.truncate(depth);
        if !selection_set.selections.is_empty() {
            into.push(InlineFragment {
                type_condition: condition.clone(),
                directives: DirectiveList::default(),
                selection_set,
            });
        }
    }

    /// What the sets select of a field, where they select it of every object of that type.
    fn selected<'s>(&self, sets: &Known<'s>, field: &Field, ty: &Name) -> Vec<&'s SelectionSet> {
        let mut found = Vec::new();
        let mut stack = sets.to_vec();
        while let Some(set) = stack.pop() {
            for selection in &set.selections {
                match selection {
                    Selection::Field(known) if known.response_key() == field.response_key() => {
                        found.push(&known.selection_set);
                    }
                    Selection::InlineFragment(fragment)
                        if fragment_number(&fragment.directives).is_none()
                            && self.always_applies(fragment, ty) =>
                    {
                        stack.push(&fragment.selection_set);
                    }
                    _ => {}
                }
            }
        }
        found
    }

    fn always_applies(&self, fragment: &InlineFragment, ty: &Name) -> bool {
        let condition = fragment.type_condition.as_deref();
        condition.is_none_or(|condition| self.compiler.supergraph.types.satisfies(ty, condition))
    }
}
