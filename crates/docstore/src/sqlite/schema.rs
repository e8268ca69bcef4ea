//! Tables and indexes.

use rusqlite::{Connection, OptionalExtension as _};

use super::failure;
use super::sql::term;
use crate::document::{CollectionSpec, IndexSpec};
use crate::error::{Error, Result};

/// Creates what is missing, and what is declared otherwise than it was.
pub(super) fn ensure(connection: &Connection, collections: &[CollectionSpec]) -> Result<()> {
    for collection in collections {
        // With rowids: documents are too long for a table that is its own primary index, whose upper pages
        // would hold documents too (https://www.sqlite.org/withoutrowid.html).
        let table = format!(
            "CREATE TABLE IF NOT EXISTS \"{}\" (_id TEXT PRIMARY KEY NOT NULL, doc TEXT NOT NULL)",
            collection.name
        );
        connection.execute(&table, []).map_err(failure)?;
        for index in collection.indexes {
            ensure_index(connection, collection, index)?;
        }
    }
    Ok(())
}

fn ensure_index(connection: &Connection, collection: &CollectionSpec, index: &IndexSpec) -> Result<()> {
    // Names of indexes are unique in the whole file.
    let name = format!("{}.{}", collection.name, index.name);
    let wanted = definition(&name, collection, index)?;
    let query = "SELECT sql FROM sqlite_schema WHERE type = 'index' AND name = ?";
    let found: Option<String> = connection
        .query_row(query, [&name], |row| row.get(0))
        .optional()
        .map_err(failure)?;
    if found.as_ref() == Some(&wanted) {
        return Ok(());
    }
    if found.is_some() {
        connection
            .execute(&format!("DROP INDEX \"{name}\""), [])
            .map_err(failure)?;
    }
    let created = connection.execute(&wanted, []);
    created.map(drop).map_err(|error| match failure(error) {
        Error::Internal(cause) => Error::internal(format!("index {name}: {cause}")),
        other => other,
    })
}

/// The statement that creates an index, exactly as SQLite keeps it in `sqlite_schema`.
fn definition(name: &str, collection: &CollectionSpec, index: &IndexSpec) -> Result<String> {
    let mut terms = Vec::new();
    for (path, order) in index.fields {
        terms.push(term(path, *order)?);
    }
    if let Some((_, last)) = index.fields.last()
        && !index.unique
        && index.fields.iter().all(|(path, _)| *path != "_id")
    {
        terms.push(term("_id", *last)?);
    }
    let unique = if index.unique { "UNIQUE " } else { "" };
    Ok(format!(
        "CREATE {unique}INDEX \"{name}\" ON \"{}\" ({})",
        collection.name,
        terms.join(", ")
    ))
}
