//! What all documents of this crate have alike.

/// Makes a type with an `id` and a `version` the document of a collection.
macro_rules! document {
    ($type:ty, $name:literal $(, $index:expr)?) => {
        impl docstore::Document for $type {
            const COLLECTION: docstore::CollectionSpec = docstore::CollectionSpec {
                name: $name,
                indexes: &[$($index)?],
            };

            fn id(&self) -> String {
                self.id.clone()
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

pub(crate) use document;
