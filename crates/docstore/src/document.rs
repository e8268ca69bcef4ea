//! What can be stored, and how a collection and its indexes are declared.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};

/// Something that is stored in a collection.
///
/// It serialises to a JSON object that has its id as `_id` and its version as `version`. What it serialises
/// to must read back the same; fields of a unique index must read back as null when they are absent.
pub trait Document: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Where documents of this type are kept.
    const COLLECTION: CollectionSpec;

    /// What it serialises as `_id`.
    fn id(&self) -> String;

    /// What it serialises as `version`: 0 when new, one more with each replacement or update.
    fn version(&self) -> i64;

    /// Sets what [`Document::version`] returns.
    fn set_version(&mut self, version: i64);
}

/// Makes a [`Document`] of a type whose fields `id` and `version` are what it serialises as `_id` and `version`: the name of
/// its collection, and the indexes.
#[macro_export]
macro_rules! document {
    ($document:ty, $name:literal, $indexes:expr $(,)?) => {
        impl $crate::Document for $document {
            const COLLECTION: $crate::CollectionSpec = $crate::CollectionSpec {
                name: $name,
                indexes: $indexes,
            };

            fn id(&self) -> String {
                self.id.to_string()
            }

            fn version(&self) -> i64 {
                self.version
            }

            fn set_version(&mut self, version: i64) {
                self.version = version;
            }
        }
    };
}

/// A collection with its indexes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CollectionSpec {
    /// Its name: letters, digits, `_` and `-`.
    pub name: &'static str,
    /// Its indexes beside the one on `_id`.
    pub indexes: &'static [IndexSpec],
}

/// An index over some fields of a collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexSpec {
    /// Its name within the collection, which [`Conflict::index`](crate::Conflict::index) tells.
    pub name: &'static str,
    /// The fields, as paths (`"frequency.type"`), with their order. `_id` follows by itself in an index that
    /// is not unique, in the order of the last field, which makes it fit the order of pages.
    pub fields: &'static [(&'static str, Order)],
    /// Whether no two documents may have the same values in all the fields. A document in which any of the
    /// fields is absent or null is left out.
    pub unique: bool,
}

/// Ascending or descending. Absent and null come first when ascending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Order {
    /// Smallest first.
    Asc,
    /// Greatest first.
    Desc,
}

impl CollectionSpec {
    pub(crate) fn check(&self) -> Result<()> {
        let names = std::iter::once(self.name).chain(self.indexes.iter().map(|index| index.name));
        for name in names {
            check_name(name)?;
        }
        let mut fields = self.indexes.iter().flat_map(|index| index.fields);
        fields.try_for_each(|(path, _)| check_path(path))
    }
}

impl Order {
    pub(crate) const fn reversed(self) -> Self {
        match self {
            Self::Asc => Self::Desc,
            Self::Desc => Self::Asc,
        }
    }
}

/// Refuses what is no plain name: names become part of statements.
pub(crate) fn check_name(name: &str) -> Result<()> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if name.is_empty() || !name.chars().all(plain) {
        return Err(Error::internal(format!(
            "{name:?} is no name of a collection, index or field"
        )));
    }
    Ok(())
}

/// Refuses what is no dotted path of plain names.
pub(crate) fn check_path(path: &str) -> Result<()> {
    path.split('.').try_for_each(check_name)
}
