//! Finds the objects about which a subgraph is asked and writes their representations, equal ones once.

use std::collections::HashMap;

use super::State;
use super::data::{Key, Object, Sources, TYPENAME, Value};
use super::shape::DecodeField;
use crate::plan::{Batch, Change, Fetch, Require, RewriteStep, Step};
use crate::schema::TypeTable;
use crate::transport::Argument;

/// The way to one object: positions of fields and items from the root. Positions stay valid while the answer grows.
pub(super) type Place = Box<[u32]>;

/// What is asked in one call.
pub(super) struct Asked<'f> {
    /// The representations by variable; empty if there is nothing to ask.
    pub(super) arguments: Vec<Argument<'f>>,
    /// By batch: each object and which representation speaks of it.
    pub(super) batches: Vec<Vec<(Place, usize)>>,
}

/// The objects at the end of a path.
pub(super) fn places(state: &State, path: &[Step], types: &TypeTable) -> Vec<Place> {
    let mut places = Vec::new();
    let mut walk = Walk {
        sources: &state.sources,
        types,
        trail: Vec::new(),
        found: &mut |trail, _| places.push(trail.into()),
    };
    walk.object(&state.root, path);
    places
}

/// The object at a place.
pub(super) fn at<'s>(root: &'s mut Object, place: &[u32]) -> Option<&'s mut Object> {
    let mut object = root;
    let mut steps = place.iter();
    while let Some(step) = steps.next() {
        let mut value = &mut object.fields.get_mut(*step as usize)?.1;
        while let Value::List(items) = value {
            value = items.get_mut(*steps.next()? as usize)?;
        }
        object = match value {
            Value::Object(object) => object,
            _ => return None,
        };
    }
    Some(object)
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
    };
    for batch in batches {
        if let Some(same) = batch.same_as.and_then(|same| asked.batches.get(same)) {
            let same = same.clone();
            asked.batches.push(same);
            continue;
        }
        let mut known: HashMap<Vec<u8>, usize> = HashMap::new();
        let mut json = vec![b'['];
        let mut targets = Vec::new();
        let mut failed: Vec<(Place, u32)> = Vec::new();
        let writer = Representation {
            sources: &state.sources,
            types,
        };
        let mut found = |trail: &[u32], object: &Object| {
            let mut text = Vec::new();
            match writer.write(object, batch, &mut text) {
                Outcome::Written => {
                    let next = known.len();
                    let number = *known.entry(text).or_insert_with_key(|text| {
                        if next > 0 {
                            json.push(b',');
                        }
                        json.extend_from_slice(text);
                        next
                    });
                    targets.push((trail.into(), number));
                }
                Outcome::Failed(failure) => failed.push((trail.into(), failure)),
                Outcome::Missing => {}
            }
        };
        for path in &batch.paths {
            let mut walk = Walk {
                sources: &state.sources,
                types,
                trail: Vec::new(),
                found: &mut found,
            };
            walk.object(&state.root, path);
        }
        json.push(b']');
        for (place, failure) in failed {
            fail(&mut state.root, &place, asked_fields(fetch, batch), failure);
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

/// Puts a failure where an answer should have been.
pub(super) fn fail(root: &mut Object, place: &[u32], asked: &[DecodeField], failure: u32) {
    if let Some(object) = at(root, place) {
        object.fail(asked, failure);
    }
}

struct Walk<'w> {
    sources: &'w Sources,
    types: &'w TypeTable,
    trail: Vec<u32>,
    found: &'w mut dyn FnMut(&[u32], &Object),
}

impl Walk<'_> {
    fn object(&mut self, object: &Object, path: &[Step]) {
        match path.split_first() {
            None => (self.found)(&self.trail, object),
            Some((Step::Types(names), rest)) => {
                // An object without a type name is of the type that was declared.
                let fits = object
                    .type_name(self.sources)
                    .is_none_or(|actual| names.iter().any(|name| self.types.satisfies(actual, name)));
                if fits {
                    self.object(object, rest);
                }
            }
            Some((Step::Field(key), rest)) => {
                if let Some(position) = object.fields.iter().position(|(known, _)| known == key) {
                    self.trail.push(position as u32);
                    if let Some((_, value)) = object.fields.get(position) {
                        self.value(value, rest);
                    }
                    self.trail.pop();
                }
            }
            Some((Step::List, _)) => {}
        }
    }

    fn value(&mut self, value: &Value, path: &[Step]) {
        match value {
            Value::Object(object) => self.object(object, path),
            Value::List(items) => {
                // A list of lists has one step for each, but a step too few must not lose anything.
                let rest = match path.split_first() {
                    Some((Step::List, rest)) => rest,
                    _ => path,
                };
                for (index, item) in items.iter().enumerate() {
                    self.trail.push(index as u32);
                    self.value(item, rest);
                    self.trail.pop();
                }
            }
            Value::Null | Value::Failed(_) | Value::Scalar(_) => {}
        }
    }
}

struct Representation<'r> {
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
    fn write(&self, object: &Object, batch: &Batch, out: &mut Vec<u8>) -> Outcome {
        let ahead: Ahead<'_> = batch
            .rewrites
            .iter()
            .map(|r| (r.path.as_slice(), &r.change))
            .collect();
        let actual = object.type_name(self.sources);
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

    fn object(&self, object: &Object, sets: &[&[Require]], ahead: Ahead<'_>, out: &mut Vec<u8>) -> Outcome {
        let actual = object.type_name(self.sources);
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
            match (change, object.get(key)) {
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

    fn value(&self, value: &Value, sets: &[&[Require]], ahead: &Ahead<'_>, out: &mut Vec<u8>) -> Outcome {
        match value {
            Value::Null => out.extend_from_slice(b"null"),
            Value::Failed(failure) => return Outcome::Failed(*failure),
            Value::Scalar(span) => out.extend_from_slice(self.sources.text(*span)),
            Value::Object(object) => return self.object(object, sets, ahead.clone(), out),
            Value::List(items) => {
                out.push(b'[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    match self.value(item, sets, ahead, out) {
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
