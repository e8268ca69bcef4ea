//! Writes that happen together or not at all.

use serde::Serialize;

use crate::document::{CollectionSpec, Document, check_path};
use crate::error::{Error, Result};
use crate::query::{Filter, Value};

/// Writes, over any collections, that [`DocStore::commit`](crate::DocStore::commit) applies in their order,
/// all of them or none.
#[derive(Debug, Default)]
pub struct Batch {
    ops: Vec<Op>,
    invalid: Option<Error>,
}

/// A change to some fields of a document, done by the store itself.
///
/// A path may be named once only, and not together with a part of it; `_id` and `version` cannot be set.
#[derive(Debug, Default)]
pub struct Update {
    pub(crate) set: Vec<(String, String)>,
    pub(crate) unset: Vec<String>,
    pub(crate) inc: Vec<(String, i64)>,
    pub(crate) when: Vec<Filter>,
    pub(crate) or_ignore: bool,
    invalid: Option<Error>,
}

/// One write. Documents are JSON texts, which is how both backends take them.
#[derive(Debug)]
pub(crate) struct Op {
    pub(crate) collection: CollectionSpec,
    pub(crate) id: String,
    pub(crate) change: Change,
}

#[derive(Debug)]
pub(crate) enum Change {
    Insert { doc: String },
    Replace { doc: String, expected: i64 },
    Put { doc: String },
    Update(Box<Update>),
    Delete { expected: Option<i64> },
}

impl Batch {
    /// A batch that does nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a document. [`ConflictKind::Duplicate`](crate::ConflictKind) if its id or a unique key exists.
    pub fn insert<D: Document>(&mut self, doc: &D) -> &mut Self {
        let id = doc.id();
        self.write(doc, id, |doc| Change::Insert { doc })
    }

    /// Replaces the stored document, if that has the version of `doc`, and counts up the version of `doc` at
    /// once. [`ConflictKind::Stale`](crate::ConflictKind) if the stored one has another version or is gone.
    pub fn replace<D: Document>(&mut self, doc: &mut D) -> &mut Self {
        let expected = doc.version();
        doc.set_version(expected.saturating_add(1));
        let id = doc.id();
        self.write(doc, id, |doc| Change::Replace { doc, expected })
    }

    /// Adds the document, or replaces the stored one whatever its version.
    pub fn put<D: Document>(&mut self, doc: &D) -> &mut Self {
        let id = doc.id();
        self.write(doc, id, |doc| Change::Put { doc })
    }

    /// Changes some fields of the stored document and counts up its version.
    /// [`ConflictKind::Missing`](crate::ConflictKind) if there is none that fits.
    pub fn update<D: Document>(&mut self, id: impl ToString, mut update: Update) -> &mut Self {
        if let Some(error) = update.invalid.take().or_else(|| update.check().err()) {
            self.invalid.get_or_insert(error);
        }
        self.push::<D>(id.to_string(), Change::Update(update.into()))
    }

    /// Removes the document. That there is none is fine.
    pub fn delete<D: Document>(&mut self, id: impl ToString) -> &mut Self {
        self.push::<D>(id.to_string(), Change::Delete { expected: None })
    }

    /// Removes the document, if it still has the version of `doc`.
    /// [`ConflictKind::Stale`](crate::ConflictKind) if it has another one or is gone.
    pub fn delete_version<D: Document>(&mut self, doc: &D) -> &mut Self {
        let expected = Some(doc.version());
        self.push::<D>(doc.id(), Change::Delete { expected })
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.ops.is_empty() && self.invalid.is_none()
    }

    /// Adds the writes of another batch after those of this one.
    pub fn append(&mut self, other: Self) {
        self.ops.extend(other.ops);
        if let Some(error) = other.invalid {
            self.invalid.get_or_insert(error);
        }
    }

    pub(crate) fn into_ops(self) -> Result<Vec<Op>> {
        self.invalid.map_or(Ok(self.ops), Err)
    }

    fn write<D: Document>(
        &mut self,
        doc: &D,
        id: String,
        change: impl FnOnce(String) -> Change,
    ) -> &mut Self {
        match serde_json::to_string(doc) {
            Ok(json) => self.push::<D>(id, change(json)),
            Err(error) => {
                self.invalid.get_or_insert(Error::internal(error));
                self
            }
        }
    }

    fn push<D: Document>(&mut self, id: String, change: Change) -> &mut Self {
        self.ops.push(Op {
            collection: D::COLLECTION,
            id,
            change,
        });
        self
    }
}

impl Update {
    /// An update that only counts up the version.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a field to a single value, making the objects that the path names.
    pub fn set(self, path: impl Into<String>, value: impl Into<Value>) -> Self {
        self.set_json(path, &value.into())
    }

    /// Sets a field to anything that can be serialised, such as a list or an object. Mind that an instant
    /// serialises as what its type says, where [`Update::set`] stores milliseconds.
    pub fn set_json(mut self, path: impl Into<String>, value: &impl Serialize) -> Self {
        match serde_json::to_string(value) {
            Ok(json) => self.set.push((path.into(), json)),
            Err(error) => {
                self.invalid.get_or_insert(Error::internal(error));
            }
        }
        self
    }

    /// Removes a field.
    pub fn unset(mut self, path: impl Into<String>) -> Self {
        self.unset.push(path.into());
        self
    }

    /// Adds to a number; an absent one counts as 0. The commit fails if it is something else, null included.
    pub fn inc(mut self, path: impl Into<String>, by: i64) -> Self {
        self.inc.push((path.into(), by));
        self
    }

    /// Only if the stored document fits; else there is none to update.
    pub fn when(mut self, filter: Filter) -> Self {
        self.when.push(filter);
        self
    }

    /// It is fine if there is no document that fits: then nothing is done.
    pub fn or_ignore(mut self) -> Self {
        self.or_ignore = true;
        self
    }

    /// MongoDB refuses overlapping changes and SQLite would apply them one by one: refused on both.
    fn check(&self) -> Result<()> {
        let set = self.set.iter().map(|(path, _)| path);
        let inc = self.inc.iter().map(|(path, _)| path);
        let mut paths: Vec<&str> = set.chain(inc).chain(&self.unset).map(String::as_str).collect();
        paths.extend(["_id", "version"]);
        for (position, path) in paths.iter().enumerate() {
            check_path(path)?;
            if paths[..position].iter().any(|other| overlap(other, path)) {
                return Err(Error::internal(format!("an update names {path} twice")));
            }
        }
        Ok(())
    }
}

fn overlap(one: &str, other: &str) -> bool {
    let (short, long) = if one.len() < other.len() {
        (one, other)
    } else {
        (other, one)
    };
    long.strip_prefix(short)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_update_may_not_touch_a_path_twice() {
        assert!(
            Update::new()
                .set("a", 1_i64)
                .unset("b")
                .inc("c.d", 1)
                .set("c.e", 1_i64)
                .check()
                .is_ok()
        );
        assert!(Update::new().set("a", 1_i64).unset("a").check().is_err());
        assert!(Update::new().set("a.b", 1_i64).inc("a", 1).check().is_err());
        assert!(Update::new().set("ab", 1_i64).inc("a", 1).check().is_ok());
        assert!(Update::new().set("version", 1_i64).check().is_err());
        assert!(Update::new().set("_id", "x").check().is_err());
    }

    #[test]
    fn a_path_that_could_become_part_of_a_statement_is_refused() {
        assert!(Update::new().set("a'); drop table x; --", 1_i64).check().is_err());
        assert!(Update::new().unset("a..b").check().is_err());
        assert!(Update::new().unset("$where").check().is_err());
    }
}
