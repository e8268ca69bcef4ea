//! Writes the answer: one pass over what the client selected, straight into the response's bytes.
//!
//! Null propagation is by the GraphQL specification: a null where none may be takes the nearest nullable parent along;
//! the bytes written for that parent are cut off again. [`Failure`] says why something is null and what is told of it.

use bytes::Bytes;
use kernel::ErrorCode;

use super::data::{Span, UNTOLD_TYPE};
use super::tree::{ObjectId, Value};
use super::{Execution, Failure, ROOT, State};
use crate::error::{GraphQlError, PathSegment};
use crate::introspection::Introspection;
use crate::response::{DATA, Response};
use crate::selection::{Leaf, OutField, OutKind, OutType, Set, Source};

/// Writes the whole answer.
pub(super) fn write(execution: &Execution<'_>, state: State) -> Response {
    let mut out = Vec::with_capacity(1024);
    out.extend_from_slice(DATA);
    let mut writer = Writer {
        execution,
        state: &state,
        out,
        errors: Vec::new(),
        path: Vec::new(),
        max_errors: execution.compiler.config.limits.max_errors,
    };
    let start = writer.out.len();
    let mut fields = Vec::new();
    let root = execution.compiled.selections.root();
    if let Err(why) = writer.object(ROOT, root, Some(&mut fields)) {
        writer.told(why);
        writer.out.truncate(start);
        writer.out.extend_from_slice(b"null");
        fields.clear();
    }
    let Writer {
        mut out,
        mut errors,
        max_errors,
        ..
    } = writer;
    let end = out.len();
    out.push(b'}');
    errors.extend(
        state
            .loose
            .iter()
            .take(max_errors.saturating_sub(errors.len()))
            .cloned(),
    );
    Response::executed(Bytes::from(out), start..end, fields, errors)
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
    max_errors: usize,
}

type Fields = Vec<(std::sync::Arc<str>, std::ops::Range<usize>)>;

impl<'w> Writer<'w> {
    fn object(
        &mut self,
        object: ObjectId,
        set: &'w Set,
        mut places: Option<&mut Fields>,
    ) -> Result<(), MustNotBeNull> {
        let type_name = self.state.tree.type_name(object, &self.state.sources);
        self.out.push(b'{');
        let mut first = true;
        for field in set.fields(type_name) {
            if !std::mem::take(&mut first) {
                self.out.push(b',');
            }
            self.out.push(b'"');
            self.out.extend_from_slice(field.name.as_bytes());
            self.out.extend_from_slice(b"\":");
            let start = self.out.len();
            self.path.push(Step::Field(field));
            let written = self.field(object, set, field, type_name);
            self.path.pop();
            written?;
            if let Some(places) = &mut places {
                places.push((field.name.clone(), start..self.out.len()));
            }
        }
        self.out.push(b'}');
        Ok(())
    }

    fn field(
        &mut self,
        object: ObjectId,
        set: &'w Set,
        field: &'w OutField,
        type_name: Option<&'w str>,
    ) -> Result<(), MustNotBeNull> {
        match &field.source {
            Source::Data => self.value(self.state.tree.get(object, field.key), &field.ty, set, field),
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
        let start = self.out.len();
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
            (OutKind::Composite(number), Value::Object(object)) => {
                let set = self.execution.compiled.selections.set(*number);
                if let Some(name) = self.state.tree.type_name(object, &self.state.sources)
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
            (OutKind::Leaf(Leaf::Custom), value) => {
                self.any(value);
                Ok(())
            }
            (OutKind::Leaf(leaf), Value::Scalar(span)) => self.leaf(leaf, span),
            _ => self.malformed("a value of another shape than its type"),
        }
    }

    /// Any JSON: what a subgraph sends for a custom scalar is passed on as it is.
    fn any(&mut self, value: Value) {
        match value {
            Value::Scalar(span) => self.out.extend_from_slice(self.state.sources.text(span)),
            Value::List(list) => {
                self.out.push(b'[');
                for (index, item) in self.state.tree.items(list).iter().enumerate() {
                    if index > 0 {
                        self.out.push(b',');
                    }
                    self.any(*item);
                }
                self.out.push(b']');
            }
            Value::Null | Value::Failed(_) | Value::Object(_) => self.out.extend_from_slice(b"null"),
        }
    }

    fn leaf(&mut self, leaf: &Leaf, span: Span) -> Result<(), MustNotBeNull> {
        let text = self.state.sources.text(span);
        let first = text.first().copied().unwrap_or_default();
        let is_number = first == b'-' || first.is_ascii_digit();
        let fits = match leaf {
            Leaf::Int => is_i32(text),
            Leaf::Float => is_number,
            Leaf::String => first == b'"',
            Leaf::Boolean => matches!(text, b"true" | b"false"),
            Leaf::Id if is_number && !text.iter().any(|b| matches!(b, b'.' | b'e' | b'E')) => {
                self.out.push(b'"');
                self.out.extend_from_slice(text);
                self.out.push(b'"');
                return Ok(());
            }
            Leaf::Id => first == b'"',
            Leaf::Enum(values) => self
                .state
                .sources
                .plain_string(span)
                .is_some_and(|name| values.contains(name)),
            Leaf::Custom => true,
        };
        if !fits {
            return self.malformed("a value that is not of its type");
        }
        self.out.extend_from_slice(text);
        Ok(())
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
        let here = self.path.iter().map(|step| match step {
            Step::Field(field) => PathSegment::Key(field.name.clone()),
            Step::Index(index) => PathSegment::Index(*index),
        });
        let path = here.chain(below.iter().cloned()).collect();
        self.errors.push(error.at(path));
    }
}

/// Whether a JSON number is a 32-bit integer. `1.0` is one to JSON, but no GraphQL server writes it so.
fn is_i32(text: &[u8]) -> bool {
    std::str::from_utf8(text).is_ok_and(|text| text.parse::<i32>().is_ok())
}
