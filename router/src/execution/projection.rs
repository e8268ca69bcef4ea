//! Writes the answer: one pass over what the client selected, straight into the response's bytes.
//!
//! Null propagation is by the GraphQL specification: a null where none may be takes the nearest nullable parent along;
//! the bytes written for that parent are cut off again. [`Failure`] says why something is null and what is told of it.
//! Where a deferred fragment belongs is noted; what it selects is written by itself, and its nulls go no further.

mod leaf;

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use kernel::ErrorCode;
use serde::Serialize;

use super::data::{Key, TYPENAME, UNTOLD_TYPE};
use super::later::{Awaited, Hop, find};
use super::tree::{Field, ObjectId, Value};
use super::{Execution, Failure, ROOT, State};
use crate::error::{GraphQlError, PathSegment};
use crate::introspection::Introspection;
use crate::response::{DATA, Response};
use crate::selection::{Leaf, OutField, OutKind, OutType, Set, Source};

/// Writes the answer, and says what is still to come.
pub(super) fn write(execution: &Execution<'_>, state: &mut State) -> (Response, Vec<Awaited>) {
    // As much as the same operation needed before, and a little more.
    let before = execution.compiled.length.load(Ordering::Relaxed);
    let mut out = Vec::with_capacity(before + before / 16 + 256);
    out.extend_from_slice(DATA);
    let max_errors = execution.compiler.config.limits.max_errors;
    let mut writer = Writer::new(execution, state, out, &[], max_errors);
    let start = writer.out.len();
    let mut fields = Vec::new();
    let root = execution.compiled.selections.root();
    if writer.root(ROOT, root, Some(&mut fields)).is_err() {
        fields.clear();
    }
    let Writer {
        mut out,
        mut errors,
        awaited,
        ..
    } = writer;
    let end = out.len();
    out.push(b'}');
    execution.compiled.length.store(out.len(), Ordering::Relaxed);
    let loose = std::mem::take(&mut state.loose);
    errors.extend(loose.into_iter().take(max_errors.saturating_sub(errors.len())));
    (
        Response::executed(Bytes::from(out), start..end, fields, errors),
        awaited,
    )
}

/// Writes what a deferred fragment says of one object, as an entry of `incremental` behind what `out` holds. Gives the
/// number of errors in it, and what is still to come.
pub(super) fn write_later(
    execution: &Execution<'_>,
    state: &mut State,
    place: &Awaited,
    label: Option<&str>,
    max_errors: usize,
    out: &mut Vec<u8>,
) -> (usize, Vec<Awaited>) {
    out.extend_from_slice(DATA);
    let mut writer = Writer::new(execution, state, std::mem::take(out), &place.place, max_errors);
    if let Some(object) = find(&state.tree, &place.place) {
        let set = execution.compiled.selections.set(place.set);
        let _told = writer.root(object, set, None);
    } else {
        writer.out.extend_from_slice(b"null");
    }
    let path = writer.path(&[]);
    let Writer {
        out: written,
        mut errors,
        awaited,
        ..
    } = writer;
    *out = written;
    let loose = std::mem::take(&mut state.loose);
    errors.extend(loose.into_iter().take(max_errors.saturating_sub(errors.len())));
    entry("path", &path, out);
    if let Some(label) = label {
        entry("label", &label, out);
    }
    if !errors.is_empty() {
        entry("errors", &errors, out);
    }
    out.push(b'}');
    (errors.len(), awaited)
}

fn entry(name: &str, value: &impl Serialize, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
    // Writing to memory cannot fail.
    let _ = serde_json::to_writer(out, value);
}

/// Something is null that must not be.
enum MustNotBeNull {
    /// Why has been told.
    Told,
    /// A subgraph did not return the entity that it is a field of: the failure of that number.
    NotReturned(u32),
}

enum Step<'w> {
    Field(&'w OutField),
    Index(usize),
}

struct Writer<'w> {
    execution: &'w Execution<'w>,
    state: &'w State,
    out: Vec<u8>,
    errors: Vec<GraphQlError>,
    path: Vec<Step<'w>>,
    /// Where the object is with which the writing begins.
    base: &'w [Hop],
    awaited: Vec<Awaited>,
    /// Where shared objects were written, by object and set, and how many cuts there were then.
    written: HashMap<(ObjectId, usize), (Range<usize>, usize), foldhash::fast::RandomState>,
    /// How often something that was written has been cut off again.
    cuts: usize,
    max_errors: usize,
}

type Fields = Vec<(Arc<str>, Range<usize>)>;

impl<'w> Writer<'w> {
    fn new(
        execution: &'w Execution<'w>,
        state: &'w State,
        out: Vec<u8>,
        base: &'w [Hop],
        max_errors: usize,
    ) -> Self {
        Self {
            execution,
            state,
            out,
            errors: Vec::new(),
            path: Vec::new(),
            base,
            awaited: Vec::new(),
            written: HashMap::default(),
            cuts: 0,
            max_errors,
        }
    }

    /// An object from which null goes no further.
    fn root(
        &mut self,
        object: ObjectId,
        set: &'w Set,
        places: Option<&mut Fields>,
    ) -> Result<(), MustNotBeNull> {
        let start = self.out.len();
        self.object(object, set, places).map_err(|why| {
            let why = self.told(why);
            self.awaited.clear();
            self.out.truncate(start);
            self.cuts += 1;
            self.out.extend_from_slice(b"null");
            why
        })
    }

    fn object(
        &mut self,
        object: ObjectId,
        set: &'w Set,
        mut places: Option<&mut Fields>,
    ) -> Result<(), MustNotBeNull> {
        let fields = self.state.tree.fields(object);
        let type_name = self.type_name(fields, set);
        self.out.push(b'{');
        let mut first = true;
        let mut next = 0;
        let shape = set.shape(type_name);
        for field in shape.fields.iter() {
            if !std::mem::take(&mut first) {
                self.out.push(b',');
            }
            self.out.extend_from_slice(&field.prefix);
            let start = self.out.len();
            let value = value_of(fields, field.key, &mut next);
            if !self.plain(value, field) {
                self.path.push(Step::Field(field));
                let written = self.field(value, set, field, type_name);
                self.path.pop();
                written?;
            }
            if let Some(places) = &mut places {
                places.push((field.name.clone(), start..self.out.len()));
            }
        }
        self.out.push(b'}');
        for later in &shape.deferred {
            self.awaited.push(Awaited {
                fragment: later.fragment,
                set: later.set,
                place: self.place(),
            });
        }
        Ok(())
    }

    /// An object's type, as far as it is told.
    fn type_name(&self, fields: &[Field], set: &'w Set) -> Option<&'w str> {
        let (_, Value::Scalar(span)) = fields.iter().find(|(key, _)| *key == TYPENAME)? else {
            return None;
        };
        if *self.state.sources.text(*span) == *set.parent_json {
            return Some(&set.parent);
        }
        self.state.sources.plain_string(*span)
    }

    fn field(
        &mut self,
        value: Option<Value>,
        set: &'w Set,
        field: &'w OutField,
        type_name: Option<&'w str>,
    ) -> Result<(), MustNotBeNull> {
        match &field.source {
            Source::Data => self.value(value, &field.ty, set, field),
            Source::TypeName => {
                let name = type_name.filter(|name| set.allows(name)).unwrap_or(&set.parent);
                self.out.push(b'"');
                self.out.extend_from_slice(name.as_bytes());
                self.out.push(b'"');
                Ok(())
            }
            Source::Introspection { .. } => {
                let introspection = Introspection {
                    supergraph: &self.execution.compiler.supergraph,
                    selections: &self.execution.compiled.selections,
                    variables: self.execution.variables,
                    rate: self.execution.context.rate.as_ref(),
                };
                introspection.root(field, &mut self.out);
                Ok(())
            }
            Source::Denied(code) => {
                let message = match code {
                    ErrorCode::Unauthenticated => "log in to see this",
                    _ => "you may not see this",
                };
                self.error(GraphQlError::new(*code, message), &[]);
                self.null(&field.ty)
            }
        }
    }

    fn null(&mut self, ty: &OutType) -> Result<(), MustNotBeNull> {
        if ty.non_null {
            return Err(MustNotBeNull::Told);
        }
        self.out.extend_from_slice(b"null");
        Ok(())
    }

    fn value(
        &mut self,
        value: Option<Value>,
        ty: &'w OutType,
        set: &'w Set,
        field: &'w OutField,
    ) -> Result<(), MustNotBeNull> {
        let (start, awaited) = (self.out.len(), self.awaited.len());
        let written = match value {
            None | Some(Value::Null) => {
                if ty.non_null {
                    let message = format!("null for the non-nullable field {}.{}", set.parent, field.name);
                    self.error(GraphQlError::new(ErrorCode::Internal, message), &[]);
                }
                Err(MustNotBeNull::Told)
            }
            Some(Value::Failed(failure)) => Err(self.failure(failure)),
            Some(value) => match self.present(value, ty, set, field) {
                // This is the place of the entity.
                Err(why) if ty.non_null => Err(self.told(why)),
                written => written,
            },
        };
        if let Err(why) = written {
            self.out.truncate(start);
            self.awaited.truncate(awaited);
            self.cuts += 1;
            if ty.non_null {
                return Err(why);
            }
            self.out.extend_from_slice(b"null");
        }
        Ok(())
    }

    fn present(
        &mut self,
        value: Value,
        ty: &'w OutType,
        set: &'w Set,
        field: &'w OutField,
    ) -> Result<(), MustNotBeNull> {
        match (&ty.kind, value) {
            (OutKind::List(item), Value::List(list)) => {
                self.out.push(b'[');
                for (index, value) in self.state.tree.items(list).iter().enumerate() {
                    if index > 0 {
                        self.out.push(b',');
                    }
                    self.path.push(Step::Index(index));
                    let written = self.value(Some(*value), item, set, field);
                    self.path.pop();
                    written?;
                }
                self.out.push(b']');
                Ok(())
            }
            (OutKind::Composite(number), Value::Object(object)) => self.composite(object, *number),
            (OutKind::Leaf(Leaf::Custom), value) => {
                self.any(value);
                Ok(())
            }
            (OutKind::Leaf(leaf), Value::Scalar(span)) => self.leaf(leaf, span),
            _ => self.malformed("a value of another shape than its type"),
        }
    }

    /// An object in its place. What was written of a shared one before is copied.
    fn composite(&mut self, object: ObjectId, number: usize) -> Result<(), MustNotBeNull> {
        let set = self.execution.compiled.selections.set(number);
        if !self.state.tree.is_shared(object) {
            return self.admitted(object, set);
        }
        if let Some((range, cuts)) = self.written.get(&(object, number))
            && *cuts == self.cuts
        {
            self.out.extend_from_within(range.clone());
            return Ok(());
        }
        let start = self.out.len();
        let (errors, awaited) = (self.errors.len(), self.awaited.len());
        self.admitted(object, set)?;
        // Errors are told, and deferred fragments come, at each place.
        if (self.errors.len(), self.awaited.len()) == (errors, awaited) {
            let range = start..self.out.len();
            self.written.insert((object, number), (range, self.cuts));
        }
        Ok(())
    }

    /// An object, if objects of its type may stand there.
    fn admitted(&mut self, object: ObjectId, set: &'w Set) -> Result<(), MustNotBeNull> {
        let name = self.type_name(self.state.tree.fields(object), set);
        if name.is_none() && matches!(self.state.tree.get(object, TYPENAME), Some(Value::Scalar(_))) {
            return self.malformed("an object whose `__typename` is no name");
        }
        if name.is_none() && set.needs_type {
            return match self.state.tree.get(object, UNTOLD_TYPE) {
                Some(Value::Failed(failure)) => Err(self.failure(failure)),
                _ => self.malformed("an object without its `__typename`"),
            };
        }
        if let Some(name) = name
            && !set.allows(name)
        {
            if !self.execution.compiler.supergraph.types.is_abstract(name) {
                // An object of a type that clients must not know of is nothing to them.
                return self.malformed("an object of a type that does not belong there");
            }
            if let Some(Value::Failed(failure)) = self.state.tree.get(object, UNTOLD_TYPE) {
                return Err(self.failure(failure));
            }
        }
        self.object(object, set, None)
    }

    fn malformed(&mut self, what: &str) -> Result<(), MustNotBeNull> {
        let message = format!("a subgraph answered {what}");
        self.error(GraphQlError::new(ErrorCode::Internal, message), &[]);
        Err(MustNotBeNull::Told)
    }

    fn failure(&mut self, number: u32) -> MustNotBeNull {
        match self.state.failures.get(number as usize) {
            Some(Failure::Errors(reasons)) => {
                // One failure may be told at thousands of places.
                let left = self.max_errors.saturating_sub(self.errors.len());
                for reason in reasons.iter().take(left) {
                    self.error(reason.error.clone(), &reason.below);
                }
                MustNotBeNull::Told
            }
            Some(Failure::NotReturned(_)) => MustNotBeNull::NotReturned(number),
            None => MustNotBeNull::Told,
        }
    }

    /// Tells why, if that is still to be told.
    fn told(&mut self, why: MustNotBeNull) -> MustNotBeNull {
        if let MustNotBeNull::NotReturned(number) = why
            && let Some(Failure::NotReturned(error)) = self.state.failures.get(number as usize)
        {
            self.error(error.clone(), &[]);
        }
        MustNotBeNull::Told
    }

    fn error(&mut self, error: GraphQlError, below: &[PathSegment]) {
        if self.errors.len() >= self.max_errors {
            return;
        }
        let path = self.path(below);
        self.errors.push(error.at(path));
    }

    /// What is `below` the place that is being written, by the client's names.
    fn path(&self, below: &[PathSegment]) -> Vec<PathSegment> {
        let base = self.base.iter().map(|hop| match hop {
            Hop::Field(key) => PathSegment::Key(self.execution.compiled.keys.client_name(*key).into()),
            Hop::Item(index) => PathSegment::Index(*index),
        });
        let here = self.path.iter().map(|step| match step {
            Step::Field(field) => PathSegment::Key(field.name.clone()),
            Step::Index(index) => PathSegment::Index(*index),
        });
        base.chain(here).chain(below.iter().cloned()).collect()
    }

    /// The place that is being written.
    fn place(&self) -> Box<[Hop]> {
        let here = self.path.iter().map(|step| match step {
            Step::Field(field) => Hop::Field(field.key),
            Step::Index(index) => Hop::Item(*index),
        });
        self.base.iter().copied().chain(here).collect()
    }
}

/// A field's value: fields mostly come in the order in which they were asked for, so the one after the last is tried first.
fn value_of(fields: &[Field], key: Key, next: &mut usize) -> Option<Value> {
    let is_next = fields.get(*next).is_some_and(|(known, _)| *known == key);
    let position = match is_next {
        true => *next,
        false => fields.iter().position(|(known, _)| *known == key)?,
    };
    *next = position + 1;
    fields.get(position).map(|(_, value)| *value)
}
