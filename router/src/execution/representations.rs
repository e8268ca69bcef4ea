//! Finds the objects about which a subgraph is asked and writes their representations, equal ones once.

use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher;
use std::ops::Range;

use super::data::{Key, Sources, TYPENAME};
use super::shape::DecodeField;
use super::tree::{Copies, ObjectId, Tree, Value};
use super::{ROOT, State};
use crate::plan::{Batch, Change, Fetch, PlainKey, Require, RewriteStep, Step};
use crate::schema::TypeTable;
use crate::transport::Argument;

/// What is asked in one call.
pub(super) struct Asked<'f> {
    /// The representations by variable; empty if there is nothing to ask.
    pub(super) arguments: Vec<Argument<'f>>,
    /// By batch: who is asked about.
    pub(super) batches: Vec<Vec<Target>>,
    /// How many copies of shared objects there were then.
    copies: usize,
}

impl Asked<'_> {
    /// Where an object has been copied since the call was put together, the answer is for the copies, too.
    pub(super) fn follow_copies(&mut self, tree: &Tree) {
        if tree.copies() == self.copies {
            return;
        }
        let mut copies = Copies::since(self.copies);
        copies.follow(tree);
        for targets in &mut self.batches {
            let more = targets.iter().flat_map(|target| {
                let copies = copies.of(target.object).iter();
                copies.map(|copy| Target {
                    object: *copy,
                    ..*target
                })
            });
            let more: Vec<Target> = more.collect();
            targets.extend(more);
        }
    }
}

/// An object about which is asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target {
    pub(super) object: ObjectId,
    /// Which representation speaks of it.
    pub(super) number: usize,
    /// Which of the batch's paths leads to it.
    pub(super) path: usize,
}

/// The objects at the end of a path, each once.
pub(super) fn places(state: &State, path: &[Step], types: &TypeTable) -> Vec<ObjectId> {
    let mut places = Vec::new();
    Walk::new(state, types, &mut |object| places.push(object)).object(ROOT, path);
    places
}

/// Writes the representations for a call. Objects that cannot be asked about because something that is needed has
/// failed get that failure in place of what would have been asked.
pub(super) fn build<'f>(
    state: &mut State,
    fetch: &'f Fetch,
    batches: &'f [Batch],
    types: &TypeTable,
) -> Asked<'f> {
    let mut asked = Asked {
        arguments: Vec::new(),
        batches: Vec::with_capacity(batches.len()),
        copies: state.tree.copies(),
    };
    for batch in batches {
        if let Some(same) = batch.same_as.and_then(|same| asked.batches.get(same)) {
            let same = same.clone();
            asked.batches.push(same);
            continue;
        }
        let mut known: HashMap<u64, (usize, Range<usize>), foldhash::fast::RandomState> = HashMap::default();
        let mut json = vec![b'['];
        let mut targets = Vec::new();
        let mut failed: Vec<(ObjectId, u32)> = Vec::new();
        let writer = Representation {
            tree: &state.tree,
            sources: &state.sources,
            types,
        };
        let mut count = 0;
        for (path, steps) in batch.paths.iter().enumerate() {
            let mut found = |object: ObjectId| {
                let before = json.len();
                if before > 1 {
                    json.push(b',');
                }
                let start = json.len();
                match writer.write(object, batch, &mut json) {
                    Outcome::Written => {
                        let text = start..json.len();
                        let hash = known.hasher().hash_one(&json[text.clone()]);
                        let (number, earlier) = known.entry(hash).or_insert((count, text.clone())).clone();
                        let number = if number == count {
                            count += 1;
                            number
                        } else if json.get(earlier) == json.get(text) {
                            json.truncate(before);
                            number
                        } else {
                            // Different texts of the same hash: what is asked twice is answered twice.
                            count += 1;
                            count - 1
                        };
                        targets.push(Target { object, number, path });
                        return;
                    }
                    Outcome::Failed(failure) => failed.push((object, failure)),
                    Outcome::Missing => {}
                }
                json.truncate(before);
            };
            Walk::new(state, types, &mut found).object(ROOT, steps);
        }
        json.push(b']');
        for (object, failure) in failed {
            state.tree.fail(object, asked_fields(fetch, batch), failure);
        }
        asked.arguments.push(Argument {
            name: &batch.variable,
            json,
        });
        asked.batches.push(targets);
    }
    if asked.batches.iter().all(Vec::is_empty) {
        asked.arguments.clear();
    }
    asked
}

/// What a batch asks of each of its objects.
pub(super) fn asked_fields<'f>(fetch: &'f Fetch, batch: &Batch) -> &'f [DecodeField] {
    let field = fetch.shape.field(&batch.field);
    let set = field.and_then(|field| field.set.as_ref());
    set.map(|set| set.fields.as_slice()).unwrap_or_default()
}

struct Walk<'w> {
    tree: &'w Tree,
    sources: &'w Sources,
    types: &'w TypeTable,
    /// The shared objects that have been walked through.
    seen: HashSet<ObjectId, foldhash::fast::RandomState>,
    found: &'w mut dyn FnMut(ObjectId),
}

impl<'w> Walk<'w> {
    fn new(state: &'w State, types: &'w TypeTable, found: &'w mut dyn FnMut(ObjectId)) -> Self {
        Self {
            tree: &state.tree,
            sources: &state.sources,
            types,
            seen: HashSet::default(),
            found,
        }
    }

    fn object(&mut self, object: ObjectId, path: &[Step]) {
        match path.split_first() {
            None => (self.found)(object),
            Some((Step::Types(names), rest)) => {
                // An object without a type name is of the type that was declared.
                let fits = self
                    .tree
                    .type_name(object, self.sources)
                    .is_none_or(|actual| names.iter().any(|name| self.types.satisfies(actual, name)));
                if fits {
                    self.object(object, rest);
                }
            }
            Some((Step::Field(key), rest)) => {
                if let Some(value) = self.tree.get(object, *key) {
                    self.value(value, rest);
                }
            }
            Some((Step::List, _)) => {}
        }
    }

    fn value(&mut self, value: Value, path: &[Step]) {
        match value {
            Value::Object(object) => {
                if !self.tree.is_shared(object) || self.seen.insert(object) {
                    self.object(object, path);
                }
            }
            Value::List(list) => {
                // A list of lists has one step for each, but a step too few must not lose anything.
                let rest = match path.split_first() {
                    Some((Step::List, rest)) => rest,
                    _ => path,
                };
                for item in self.tree.items(list) {
                    self.value(*item, rest);
                }
            }
            Value::Null | Value::Failed(_) | Value::Scalar(_) => {}
        }
    }
}

struct Representation<'r> {
    tree: &'r Tree,
    sources: &'r Sources,
    types: &'r TypeTable,
}

enum Outcome {
    Written,
    /// Something that is needed is not there, or the object is of another type.
    Missing,
    /// Something that is needed has failed.
    Failed(u32),
}

/// A field to write: its name, where it is, and what of it.
type Needed<'p> = (&'p str, Key, Vec<&'p [Require]>);

/// Rewrites that are still on their way, with the part of the path that lies ahead.
type Ahead<'p> = Vec<(&'p [RewriteStep], &'p Change)>;

impl Representation<'_> {
    fn write(&self, object: ObjectId, batch: &Batch, out: &mut Vec<u8>) -> Outcome {
        if let Some(key) = &batch.plain_key {
            return self.plain_key(object, key, out);
        }
        let ahead: Ahead<'_> = batch
            .rewrites
            .iter()
            .map(|r| (r.path.as_slice(), &r.change))
            .collect();
        let actual = self.tree.type_name(object, self.sources);
        let fits = batch.requires.iter().any(|require| match require {
            Require::On { condition, .. } => {
                actual.is_none_or(|actual| self.types.satisfies(actual, condition))
            }
            Require::Field { .. } => true,
        });
        if !fits {
            return Outcome::Missing;
        }
        self.object(object, &[&batch.requires], ahead, out)
    }

    /// What is most usual: fields without fields, of objects of one type.
    fn plain_key(&self, object: ObjectId, key: &PlainKey, out: &mut Vec<u8>) -> Outcome {
        let fields = self.tree.fields(object);
        let value_of = |key: Key| {
            fields
                .iter()
                .find(|(known, _)| *known == key)
                .map(|(_, value)| *value)
        };
        let fits = match value_of(TYPENAME) {
            Some(Value::Scalar(span)) => {
                let name = self.sources.text(span);
                *name == *key.condition_json || {
                    let actual = self.sources.plain_string(span);
                    actual.is_none_or(|actual| self.types.satisfies(actual, &key.condition))
                }
            }
            _ => true,
        };
        if !fits {
            return Outcome::Missing;
        }
        for (prefix, field) in &key.fields {
            out.extend_from_slice(prefix);
            match value_of(*field) {
                Some(Value::Scalar(span)) => out.extend_from_slice(self.sources.text(span)),
                Some(value) => match self.value(value, &[], &Vec::new(), out) {
                    Outcome::Written => {}
                    other => return other,
                },
                None if *field == TYPENAME => out.extend_from_slice(&key.condition_json),
                None => return Outcome::Missing,
            }
        }
        out.push(b'}');
        Outcome::Written
    }

    fn object(&self, object: ObjectId, sets: &[&[Require]], ahead: Ahead<'_>, out: &mut Vec<u8>) -> Outcome {
        let actual = self.tree.type_name(object, self.sources);
        let ahead: Ahead<'_> = ahead
            .into_iter()
            .filter_map(|(path, change)| match path.split_first() {
                Some((RewriteStep::Types(names), rest)) => {
                    let fits =
                        actual.is_none_or(|actual| names.iter().any(|n| self.types.satisfies(actual, n)));
                    fits.then_some((rest, change))
                }
                _ => Some((path, change)),
            })
            .collect();
        let mut needed: Vec<Needed<'_>> = Vec::new();
        let mut condition = None;
        for set in sets {
            self.gather(actual, set, &mut needed, &mut condition);
        }
        out.push(b'{');
        let mut first = true;
        for (name, key, sets) in needed {
            if !std::mem::take(&mut first) {
                out.push(b',');
            }
            let here: Ahead<'_> = ahead
                .iter()
                .filter_map(|(path, change)| match path.split_first() {
                    Some((RewriteStep::Key(step), rest)) if step == name => Some((rest, *change)),
                    _ => None,
                })
                .collect();
            let change = here
                .iter()
                .find(|(rest, _)| rest.is_empty())
                .map(|(_, change)| *change);
            let shown = match change {
                Some(Change::Rename(to)) => to,
                _ => name,
            };
            quote(shown, out);
            out.push(b':');
            match (change, self.tree.get(object, key)) {
                (Some(Change::Set(text)), _) => quote(text, out),
                (_, Some(value)) => match self.value(value, &sets, &here, out) {
                    Outcome::Written => {}
                    other => return other,
                },
                (_, None) => match condition.filter(|_| key == TYPENAME) {
                    Some(condition) => quote(condition, out),
                    None => return Outcome::Missing,
                },
            }
        }
        out.push(b'}');
        Outcome::Written
    }

    fn value(&self, value: Value, sets: &[&[Require]], ahead: &Ahead<'_>, out: &mut Vec<u8>) -> Outcome {
        match value {
            Value::Null => out.extend_from_slice(b"null"),
            Value::Failed(failure) => return Outcome::Failed(failure),
            Value::Scalar(span) => out.extend_from_slice(self.sources.text(span)),
            Value::Object(object) => return self.object(object, sets, ahead.clone(), out),
            Value::List(list) => {
                out.push(b'[');
                for (index, item) in self.tree.items(list).iter().enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    match self.value(*item, sets, ahead, out) {
                        Outcome::Written => {}
                        other => return other,
                    }
                }
                out.push(b']');
            }
        }
        Outcome::Written
    }

    fn gather<'p>(
        &self,
        actual: Option<&str>,
        set: &'p [Require],
        needed: &mut Vec<Needed<'p>>,
        found: &mut Option<&'p str>,
    ) {
        for require in set {
            match require {
                Require::Field { key, name, set } => {
                    let position = needed.iter().position(|(known, _, _)| known == name);
                    match position.and_then(|position| needed.get_mut(position)) {
                        Some((_, _, sets)) => sets.push(set),
                        None => needed.push((name, *key, vec![set.as_slice()])),
                    }
                }
                Require::On { condition, set } => {
                    if actual.is_none_or(|actual| self.types.satisfies(actual, condition)) {
                        found.get_or_insert(condition);
                        self.gather(actual, set, needed, found);
                    }
                }
            }
        }
    }
}

/// Names of GraphQL hold nothing that JSON escapes.
fn quote(name: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    out.extend_from_slice(name.as_bytes());
    out.push(b'"');
}
