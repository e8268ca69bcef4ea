//! Reading, on a connection of its own thread.

use rusqlite::{CachedStatement, Connection, OptionalExtension as _, Row, params_from_iter};

use super::failure;
use super::sql::{Sql, expression, key};
use crate::collection::{Find, FindPage, FoundPage};
use crate::document::Document;
use crate::error::{Error, Result};
use crate::keyset;

pub(super) fn get<D: Document>(connection: &Connection, collection: &str, id: &str) -> Result<Option<D>> {
    let text = format!("SELECT doc FROM \"{collection}\" WHERE _id = ?");
    let mut statement = prepare(connection, &text)?;
    let found = statement
        .query_row([id], |row| Ok(document(row)))
        .optional()
        .map_err(failure)?;
    found.transpose()
}

pub(super) fn find<D: Document>(connection: &Connection, find: &Find) -> Result<Vec<D>> {
    collect(connection, &Sql::select("doc", find)?, document)
}

pub(super) fn count(connection: &Connection, find: &Find) -> Result<u64> {
    let mut sql = Sql::new(format!("SELECT count(*) FROM \"{}\"", find.collection.name));
    sql.filters(&find.filters)?;
    let mut statement = prepare(connection, &sql.text)?;
    let count: i64 = statement
        .query_row(params_from_iter(sql.params), |row| row.get(0))
        .map_err(failure)?;
    u64::try_from(count).map_err(Error::internal)
}

pub(super) fn exists(connection: &Connection, find: &Find) -> Result<bool> {
    let mut sql = Sql::new(format!("SELECT 1 FROM \"{}\"", find.collection.name));
    sql.filters(&find.filters)?;
    sql.text.push_str(" LIMIT 1");
    let mut statement = prepare(connection, &sql.text)?;
    statement.exists(params_from_iter(sql.params)).map_err(failure)
}

/// The parts beyond the position one after the other, each by its range of the index, on one snapshot.
pub(super) fn page<D: Document>(connection: &Connection, request: FindPage) -> Result<FoundPage<D>> {
    let FindPage { find: whole, from } = request;
    let mut columns = String::from("doc");
    for (path, _) in &whole.sort {
        columns.push_str(", ");
        columns.push_str(&expression(path)?);
    }
    let width = whole.sort.len();
    let item = |row: &Row<'_>| -> Result<_> {
        let keys: rusqlite::Result<Vec<_>> = (1..=width).map(|column| row.get(column).map(key)).collect();
        Ok((keys.map_err(failure)?, document(row)?))
    };
    let Some(position) = from else {
        let items = collect(connection, &Sql::select(&columns, &whole)?, item)?;
        return Ok(FoundPage {
            items,
            any_behind: false,
        });
    };

    // Ends when it is dropped; there is nothing to commit.
    let _snapshot = connection.unchecked_transaction().map_err(failure)?;
    let wanted = whole.limit.unwrap_or(usize::MAX);
    let mut items = Vec::new();
    for part in keyset::beyond(&whole.sort, &position, false) {
        if items.len() >= wanted {
            break;
        }
        let rest = Some(wanted - items.len());
        let find = within(&whole, part, rest);
        items.extend(collect(connection, &Sql::select(&columns, &find)?, item)?);
    }
    let mut any_behind = false;
    for part in keyset::beyond(&keyset::reversed(&whole.sort), &position, true) {
        any_behind = any_behind || exists(connection, &within(&whole, part, None))?;
    }
    Ok(FoundPage { items, any_behind })
}

fn within(find: &Find, part: Vec<crate::Filter>, limit: Option<usize>) -> Find {
    let mut find = find.clone();
    find.filters.extend(part);
    find.limit = limit;
    find
}

fn collect<T>(connection: &Connection, sql: &Sql, item: impl Fn(&Row<'_>) -> Result<T>) -> Result<Vec<T>> {
    let mut statement = prepare(connection, &sql.text)?;
    let mut rows = statement.query(params_from_iter(&sql.params)).map_err(failure)?;
    let mut items = Vec::new();
    while let Some(row) = rows.next().map_err(failure)? {
        items.push(item(row)?);
    }
    Ok(items)
}

fn prepare<'c>(connection: &'c Connection, text: &str) -> Result<CachedStatement<'c>> {
    connection.prepare_cached(text).map_err(failure)
}

fn document<D: Document>(row: &Row<'_>) -> Result<D> {
    let json = row
        .get_ref(0)
        .map_err(failure)?
        .as_str()
        .map_err(Error::internal)?;
    serde_json::from_str(json).map_err(|error| {
        Error::internal(format!(
            "a document of {} cannot be read: {error}",
            D::COLLECTION.name
        ))
    })
}
