//! What the answer is made of: response keys, which are numbers, given out once for an operation ([`Keys`]), and leaves.
//!
//! Scalars are never unescaped or parsed: a leaf points into the text that a subgraph sent.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;

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
