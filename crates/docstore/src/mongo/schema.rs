//! Collections and indexes.

use bson::{Document, doc};
use mongodb::error::{Error as DriverError, ErrorKind};
use mongodb::options::IndexOptions;
use mongodb::{Database, IndexModel};

use super::{failure, translate};
use crate::document::{CollectionSpec, IndexSpec};
use crate::error::{Error, Result};

const NAMESPACE_EXISTS: i32 = 48;
const NAMESPACE_NOT_FOUND: i32 = 26;
const INDEX_NOT_FOUND: i32 = 27;
const INDEX_OPTIONS_CONFLICT: i32 = 85;
const INDEX_KEY_SPECS_CONFLICT: i32 = 86;

/// Creates what is missing, and what is declared otherwise than it was.
pub(super) async fn ensure(database: &Database, collections: &[CollectionSpec]) -> Result<()> {
    for collection in collections {
        let created = database.create_collection(collection.name).await;
        unless(created, &[NAMESPACE_EXISTS]).map_err(failure)?;
        for index in collection.indexes {
            ensure_index(database, collection, index)
                .await
                .map_err(|error| match failure(error) {
                    Error::Internal(cause) => {
                        Error::internal(format!("index {}.{}: {cause}", collection.name, index.name))
                    }
                    other => other,
                })?;
        }
    }
    Ok(())
}

async fn ensure_index(
    database: &Database,
    collection: &CollectionSpec,
    index: &IndexSpec,
) -> Result<(), DriverError> {
    let stored = database.collection::<Document>(collection.name);
    let model = model(index);
    let differs = |error: &DriverError| {
        matches!(
            code(error),
            Some(INDEX_OPTIONS_CONFLICT | INDEX_KEY_SPECS_CONFLICT)
        )
    };
    match stored.create_index(model.clone()).await {
        Err(error) if differs(&error) => {}
        result => return result.map(drop),
    }
    // There is one of the same name with other fields, or one of another name with the same fields.
    let mut others = stored.list_indexes().await?;
    while others.advance().await? {
        let other = others.deserialize_current()?;
        let name = other.options.and_then(|options| options.name).unwrap_or_default();
        if name == index.name || other.keys == model.keys {
            unless(
                stored.drop_index(name).await,
                &[INDEX_NOT_FOUND, NAMESPACE_NOT_FOUND],
            )?;
        }
    }
    stored.create_index(model).await.map(drop)
}

fn model(index: &IndexSpec) -> IndexModel {
    let mut keys = Document::new();
    for (path, order) in index.fields {
        keys.insert(*path, translate::direction(*order));
    }
    let mut present = Document::new();
    if index.unique {
        for (path, _) in index.fields {
            present.insert(*path, doc! { "$exists": true });
        }
    } else if let Some((_, last)) = index.fields.last()
        && !keys.contains_key("_id")
    {
        keys.insert("_id", translate::direction(*last));
    }
    let mut options = IndexOptions::default();
    options.name = Some(index.name.to_owned());
    options.unique = index.unique.then_some(true);
    options.partial_filter_expression = index.unique.then_some(present);
    IndexModel::builder().keys(keys).options(options).build()
}

fn unless<T>(result: Result<T, DriverError>, codes: &[i32]) -> Result<(), DriverError> {
    match result {
        Err(error) if !code(&error).is_some_and(|code| codes.contains(&code)) => Err(error),
        _ => Ok(()),
    }
}

fn code(error: &DriverError) -> Option<i32> {
    match error.kind.as_ref() {
        ErrorKind::Command(error) => Some(error.code),
        _ => None,
    }
}
