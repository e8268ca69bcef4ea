//! The answer while it grows: a tree of objects whose leaves are spans of JSON text.
//!
//! Scalars are never unescaped or parsed: a leaf points into the text that a subgraph sent. Response keys are
//! numbers, given out once for an operation ([`Keys`]).

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;

use super::shape::{DecodeField, DecodeSet};

/// A response key of an operation; [`TYPENAME`] is the same in all of them.
pub(crate) type Key = u32;

/// How the response keys begin under which aliased fields, and fields with arguments, are asked for. So they never
/// meet a field that the plan needs for itself under the same name; clients see their own names.
const ALIAS: &str = "_c_";

/// The key of `__typename`.
pub(crate) const TYPENAME: Key = 0;

/// The key of why nobody told the type of an object that is known by its interface only.
pub(crate) const UNTOLD_TYPE: Key = 1;

/// The names of an operation's response keys.
#[derive(Debug)]
pub(crate) struct Keys {
    names: Vec<Arc<str>>,
    by_name: HashMap<Arc<str>, Key>,
}

/// JSON text within one of the request's sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    source: u32,
    start: u32,
    end: u32,
}

/// A value of the answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    /// `null`.
    Null,
    /// Null because of the failure of that number.
    Failed(u32),
    /// The JSON text of a scalar; of a custom one, any JSON text but an array.
    Scalar(Span),
    /// A list.
    List(Vec<Value>),
    /// An object.
    Object(Object),
}

/// An object of the answer: few fields, so they are searched one after another.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Object {
    /// In the order in which they came. Fields are only ever added or changed in place: places stay valid.
    pub(crate) fields: Vec<(Key, Value)>,
}

/// The texts that leaves point into.
#[derive(Debug, Default)]
pub(crate) struct Sources(Vec<Bytes>);

impl Keys {
    /// Only the keys that are the same in all operations.
    pub(crate) fn new() -> Self {
        let mut keys = Self {
            names: Vec::new(),
            by_name: HashMap::new(),
        };
        keys.intern("__typename");
        // No field has this name.
        keys.intern("");
        keys
    }

    /// The number of a name.
    pub(crate) fn intern(&mut self, name: &str) -> Key {
        if let Some(key) = self.by_name.get(name) {
            return *key;
        }
        let key = self.names.len() as Key;
        let name: Arc<str> = name.into();
        self.names.push(name.clone());
        self.by_name.insert(name, key);
        key
    }

    /// The client's name of a number that this table gave out.
    pub(crate) fn client_name(&self, key: Key) -> &str {
        self.names
            .get(key as usize)
            .map(|name| client_name(name))
            .unwrap_or_default()
    }
}

/// The response key under which a client's field is asked for; `None`: its own name.
pub(crate) fn asked_as(field: &str, alias: Option<&str>, has_arguments: bool) -> Option<String> {
    let aliased = alias.is_some_and(|alias| alias != field);
    (aliased || has_arguments).then(|| format!("{ALIAS}{}", alias.unwrap_or(field)))
}

/// The client's name for a response key of a subgraph's answer.
pub(crate) fn client_name(key: &str) -> &str {
    key.strip_prefix(ALIAS).unwrap_or(key)
}

impl Object {
    /// A field's value.
    pub(crate) fn get(&self, key: Key) -> Option<&Value> {
        self.fields
            .iter()
            .find(|(k, _)| *k == key)
            .map(|(_, value)| value)
    }

    /// A field's value, to change.
    pub(crate) fn get_mut(&mut self, key: Key) -> Option<&mut Value> {
        self.fields
            .iter_mut()
            .find(|(k, _)| *k == key)
            .map(|(_, value)| value)
    }

    /// Sets a field of a new object; of two with the same key the later counts.
    pub(crate) fn put(&mut self, key: Key, value: Value) {
        match self.get_mut(key) {
            Some(old) => *old = value,
            None => self.fields.push((key, value)),
        }
    }

    /// Notes that what was asked of the object has failed: every field that is not there, or is null without a reason.
    /// In objects that are there already, what was asked of them.
    pub(crate) fn fail(&mut self, asked: &[DecodeField], failure: u32) {
        for field in asked {
            let key = if field.key == TYPENAME {
                UNTOLD_TYPE
            } else {
                field.key
            };
            match self.get_mut(key) {
                None => self.fields.push((key, Value::Failed(failure))),
                Some(value) => value.fail(field.set.as_ref(), failure),
            }
        }
    }

    /// The object's type by its `__typename`.
    pub(crate) fn type_name<'s>(&self, sources: &'s Sources) -> Option<&'s str> {
        match self.get(TYPENAME)? {
            Value::Scalar(span) => sources.plain_string(*span),
            _ => None,
        }
    }

    /// Takes over the fields of another answer about the same object. Where both have something, objects and
    /// lists of the same length are joined; else what is there stays, unless it is null.
    pub(crate) fn merge(&mut self, other: Object, keeps_type: impl Fn(Span, Span) -> bool + Copy) {
        for (key, value) in other.fields {
            match self.get_mut(key) {
                None => self.fields.push((key, value)),
                Some(old) if key == TYPENAME => match (&*old, &value) {
                    (Value::Scalar(a), Value::Scalar(b)) if keeps_type(*a, *b) => {}
                    (_, Value::Scalar(_)) => *old = value,
                    _ => {}
                },
                Some(old) => old.merge(value, keeps_type),
            }
        }
    }
}

impl Value {
    fn fail(&mut self, asked: Option<&DecodeSet>, failure: u32) {
        match (self, asked) {
            (value @ Value::Null, _) => *value = Value::Failed(failure),
            (Value::Object(object), Some(asked)) => object.fail(&asked.fields, failure),
            (Value::List(items), Some(_)) => items
                .iter_mut()
                .filter(|item| !matches!(item, Value::Null))
                .for_each(|item| item.fail(asked, failure)),
            _ => {}
        }
    }

    fn merge(&mut self, other: Value, keeps_type: impl Fn(Span, Span) -> bool + Copy) {
        match (self, other) {
            (Value::Object(old), Value::Object(new)) => old.merge(new, keeps_type),
            (Value::List(old), Value::List(new)) if old.len() == new.len() => {
                old.iter_mut()
                    .zip(new)
                    .for_each(|(old, new)| old.merge(new, keeps_type));
            }
            (old @ Value::Null, new) => *old = new,
            (old @ Value::Failed(_), new) if !matches!(new, Value::Null) => *old = new,
            _ => {}
        }
    }
}

impl Sources {
    /// Takes a text in; its number is what spans refer to.
    pub(crate) fn add(&mut self, text: Bytes) -> u32 {
        self.0.push(text);
        (self.0.len() - 1) as u32
    }

    /// The number that the next text gets.
    pub(crate) fn next(&self) -> u32 {
        self.0.len() as u32
    }

    /// The text of a span.
    pub(crate) fn text(&self, span: Span) -> &[u8] {
        let source = self.0.get(span.source as usize);
        source
            .and_then(|source| source.get(span.start as usize..span.end as usize))
            .unwrap_or(b"null")
    }

    /// What a JSON string without escapes says; `None` for anything else.
    pub(crate) fn plain_string(&self, span: Span) -> Option<&str> {
        let inner = self.text(span).strip_prefix(b"\"")?.strip_suffix(b"\"")?;
        if inner.contains(&b'\\') {
            return None;
        }
        std::str::from_utf8(inner).ok()
    }
}

impl Span {
    /// The bytes from `start` to `end` of a source.
    pub(crate) fn new(source: u32, start: usize, end: usize) -> Self {
        Self {
            source,
            start: start as u32,
            end: end as u32,
        }
    }
}
