//! Documents, filters and orders in MongoDB's terms.
//!
//! A document passes through the same JSON as with SQLite, so that a type is stored and read back in the same
//! way on both; in the database it is plain BSON, with 64-bit whole numbers.

use bson::{Bson, Document, RawArray, RawBsonRef, RawDocument, RawDocumentBuf, doc};
use kernel::Key;
use serde_json::Value as Json;

use crate::document::{CollectionSpec, Order, check_path};
use crate::error::{Error, Result};
use crate::keyset::Sort;
use crate::query::Filter;

/// A document from its JSON text.
///
/// Nulls of fields in unique indexes are left out: MongoDB's unique index can leave out documents without a
/// field, but not those with a null in it (`partialFilterExpression` knows `$exists: true`, no `$ne: null`).
pub(super) fn document(json: &str, collection: &CollectionSpec) -> Result<Document> {
    let json: Json = serde_json::from_str(json).map_err(Error::internal)?;
    let Json::Object(fields) = json else {
        return Err(Error::internal(format!(
            "a document of {} is no object",
            collection.name
        )));
    };
    object(fields, "", collection)
}

/// Any value from its JSON text.
pub(super) fn value(json: &str, collection: &CollectionSpec) -> Result<Bson> {
    let json: Json = serde_json::from_str(json).map_err(Error::internal)?;
    // Inside of a value that is set, no path begins at the document.
    bson(json, None, collection)
}

/// Whether a null in this field must be left out.
pub(super) fn is_unique(path: &str, collection: &CollectionSpec) -> bool {
    let unique = collection.indexes.iter().filter(|index| index.unique);
    unique
        .flat_map(|index| index.fields)
        .any(|(field, _)| *field == path)
}

/// A document as BSON bytes.
pub(super) fn raw(document: &Document) -> Result<RawDocumentBuf> {
    RawDocumentBuf::try_from(document).map_err(Error::internal)
}

/// The JSON text of a stored document.
pub(super) fn json(document: &RawDocument) -> Result<String> {
    let mut text = String::with_capacity(document.as_bytes().len());
    write_object(document, &mut text)?;
    Ok(text)
}

/// The value of a field as a sort key.
pub(super) fn key(document: &RawDocument, path: &str) -> Result<Key> {
    let (name, rest) = path
        .split_once('.')
        .map_or((path, None), |(name, rest)| (name, Some(rest)));
    let value = document.get(name).map_err(Error::internal)?;
    Ok(match (value, rest) {
        (Some(RawBsonRef::Document(inner)), Some(rest)) => return key(inner, rest),
        (Some(RawBsonRef::Boolean(truth)), None) => Key::Bool(truth),
        (Some(RawBsonRef::Int32(number)), None) => Key::Int(number.into()),
        (Some(RawBsonRef::Int64(number)), None) => Key::Int(number),
        (Some(RawBsonRef::Double(number)), None) => Key::Float(number),
        (Some(RawBsonRef::String(text)), None) => Key::Text(text.to_owned()),
        _ => Key::Null,
    })
}

/// All of the filters as one.
pub(super) fn all(filters: &[Filter]) -> Result<Document> {
    match filters {
        [] => Ok(doc! {}),
        [one] => filter(one),
        several => Ok(doc! { "$and": each(several)? }),
    }
}

pub(super) fn filter(filter: &Filter) -> Result<Document> {
    let nothing = || doc! { "_id": { "$in": [] } };
    Ok(match filter {
        Filter::Lt(_, Key::Null) => nothing(),
        Filter::Gte(_, Key::Null) => doc! {},
        Filter::Gt(path, Key::Null) => operator(path, "$ne", Bson::Null)?,
        Filter::Eq(path, value) | Filter::Lte(path, value @ Key::Null) => {
            operator(path, "$eq", bound(value))?
        }
        Filter::Lt(path, value) => operator(path, "$lt", bound(value))?,
        Filter::Lte(path, value) => operator(path, "$lte", bound(value))?,
        Filter::Gt(path, value) => operator(path, "$gt", bound(value))?,
        Filter::Gte(path, value) => operator(path, "$gte", bound(value))?,
        Filter::In(path, values) => {
            operator(path, "$in", values.iter().map(bound).collect::<Vec<_>>().into())?
        }
        Filter::Contains(path, value) => {
            operator(path, "$elemMatch", Bson::Document(doc! { "$eq": bound(value) }))?
        }
        Filter::And(filters) => all(filters)?,
        Filter::Or(filters) if filters.is_empty() => nothing(),
        Filter::Or(filters) => doc! { "$or": each(filters)? },
        Filter::Not(filter) => doc! { "$nor": [self::filter(filter)?] },
    })
}

pub(super) fn sort(sort: &Sort) -> Result<Document> {
    let mut document = Document::new();
    for (path, order) in sort {
        check_path(path)?;
        document.insert(path.clone(), direction(*order));
    }
    Ok(document)
}

pub(super) const fn direction(order: Order) -> i32 {
    match order {
        Order::Asc => 1,
        Order::Desc => -1,
    }
}

fn each(filters: &[Filter]) -> Result<Vec<Document>> {
    filters.iter().map(filter).collect()
}

fn operator(path: &str, operator: &str, value: Bson) -> Result<Document> {
    check_path(path)?;
    Ok(doc! { path: { operator: value } })
}

fn bound(value: &Key) -> Bson {
    match value {
        Key::Null => Bson::Null,
        Key::Bool(truth) => Bson::Boolean(*truth),
        Key::Int(number) => Bson::Int64(*number),
        Key::Float(number) => Bson::Double(*number),
        Key::Text(text) => Bson::String(text.clone()),
    }
}

fn object(
    fields: serde_json::Map<String, Json>,
    path: &str,
    collection: &CollectionSpec,
) -> Result<Document> {
    let mut document = Document::new();
    for (name, value) in fields {
        let path = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}.{name}")
        };
        if value.is_null() && is_unique(&path, collection) {
            continue;
        }
        document.insert(name, bson(value, Some(&path), collection)?);
    }
    Ok(document)
}

fn bson(json: Json, path: Option<&str>, collection: &CollectionSpec) -> Result<Bson> {
    Ok(match json {
        Json::Null => Bson::Null,
        Json::Bool(truth) => Bson::Boolean(truth),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Bson::Int64(whole),
            (None, Some(float)) if number.is_f64() => Bson::Double(float),
            _ => return Err(Error::internal(format!("{number} is too large to be stored"))),
        },
        Json::String(text) => Bson::String(text),
        // Paths do not lead into lists.
        Json::Array(items) => {
            let items: Result<Vec<Bson>> = items
                .into_iter()
                .map(|item| bson(item, None, collection))
                .collect();
            Bson::Array(items?)
        }
        Json::Object(fields) => match path {
            Some(path) => Bson::Document(object(fields, path, collection)?),
            None => {
                let mut document = Document::new();
                for (name, value) in fields {
                    document.insert(name, bson(value, None, collection)?);
                }
                Bson::Document(document)
            }
        },
    })
}

fn write_object(document: &RawDocument, text: &mut String) -> Result<()> {
    text.push('{');
    for (position, field) in document.iter().enumerate() {
        let (name, value) = field.map_err(Error::internal)?;
        if position > 0 {
            text.push(',');
        }
        push(text, name.as_str())?;
        text.push(':');
        write_value(value, text)?;
    }
    text.push('}');
    Ok(())
}

fn write_list(list: &RawArray, text: &mut String) -> Result<()> {
    text.push('[');
    for (position, item) in list.into_iter().enumerate() {
        if position > 0 {
            text.push(',');
        }
        write_value(item.map_err(Error::internal)?, text)?;
    }
    text.push(']');
    Ok(())
}

fn write_value(value: RawBsonRef<'_>, text: &mut String) -> Result<()> {
    match value {
        RawBsonRef::Document(inner) => write_object(inner, text),
        RawBsonRef::Array(list) => write_list(list, text),
        RawBsonRef::String(string) => push(text, string),
        RawBsonRef::Boolean(truth) => push(text, &truth),
        RawBsonRef::Int32(number) => push(text, &number),
        RawBsonRef::Int64(number) => push(text, &number),
        RawBsonRef::Double(number) => push(text, &number),
        RawBsonRef::Null => push(text, &()),
        other => Err(Error::internal(format!(
            "a stored value has the type {:?}",
            other.element_type()
        ))),
    }
}

fn push<T: serde::Serialize + ?Sized>(text: &mut String, value: &T) -> Result<()> {
    text.push_str(&serde_json::to_string(value).map_err(Error::internal)?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::IndexSpec;

    const SPEC: CollectionSpec = CollectionSpec {
        name: "habits",
        indexes: &[IndexSpec {
            name: "key",
            fields: &[("a.key", Order::Asc)],
            unique: true,
        }],
    };

    fn there_and_back(json: &str) -> String {
        super::json(&raw(&document(json, &SPEC).unwrap()).unwrap()).unwrap()
    }

    #[test]
    fn json_comes_back_as_it_was() {
        for json in [
            r#"{"_id":"x","b":true,"f":0.30000000000000004,"i":-9223372036854775808,"l":[1,[null],{"k":1.0}]}"#,
            r#"{"$date":"not a date","$oid":{"$numberLong":"7"},"emoji":"\u0000\"🎉","key":null}"#,
        ] {
            let known: Json = serde_json::from_str(json).unwrap();
            assert_eq!(
                serde_json::from_str::<Json>(&there_and_back(json)).unwrap(),
                known
            );
        }
    }

    #[test]
    fn nulls_of_unique_fields_are_left_out() {
        assert_eq!(
            there_and_back(r#"{"a":{"key":null,"other":null},"key":null}"#),
            r#"{"a":{"other":null},"key":null}"#
        );
    }

    #[test]
    fn what_cannot_be_stored_exactly_is_refused() {
        assert!(document(r#"{"i":18446744073709551615}"#, &SPEC).is_err());
        assert!(document("[]", &SPEC).is_err());
    }

    #[test]
    fn a_path_that_is_an_operator_is_refused() {
        assert!(filter(&Filter::Eq("$where".into(), Key::from("sleep(1)"))).is_err());
    }
}
