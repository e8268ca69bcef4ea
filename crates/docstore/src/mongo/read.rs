//! Reading.

use bson::{Document as BsonDocument, RawDocument, doc};
use mongodb::options::FindOptions;

use super::{Mongo, failure, translate};
use crate::collection::{Find, FindPage, FoundPage};
use crate::document::{CollectionSpec, Document};
use crate::error::{Error, Result};
use crate::keyset;
use crate::query::Filter;

/// Documents of one answer of the server, where the query has no smaller limit.
const ANSWER: u32 = 1000;

pub(super) async fn get<D: Document>(
    mongo: &Mongo,
    collection: CollectionSpec,
    id: &str,
) -> Result<Option<D>> {
    let found = mongo
        .collection(collection.name)
        .find_one(doc! { "_id": id })
        .await
        .map_err(failure)?;
    found.map(|document| read(&document)).transpose()
}

pub(super) async fn find<D: Document>(mongo: &Mongo, find: &Find) -> Result<Vec<D>> {
    collect(mongo, find, translate::all(&find.filters)?, read).await
}

pub(super) async fn page<D: Document>(mongo: &Mongo, request: FindPage) -> Result<FoundPage<D>> {
    let FindPage { find, from } = request;
    let item = |document: &RawDocument| -> Result<_> {
        let keys: Result<Vec<_>> = find
            .sort
            .iter()
            .map(|(path, _)| translate::key(document, path))
            .collect();
        Ok((keys?, read(document)?))
    };
    let Some(position) = from else {
        let items = collect(mongo, &find, translate::all(&find.filters)?, item).await?;
        return Ok(FoundPage {
            items,
            any_behind: false,
        });
    };
    let beyond = any_of(&find.filters, keyset::beyond(&find.sort, &position, false))?;
    let behind = any_of(
        &find.filters,
        keyset::beyond(&keyset::reversed(&find.sort), &position, true),
    )?;
    let (items, any_behind) = futures::try_join!(
        collect(mongo, &find, beyond, item),
        any(mongo, find.collection, behind)
    )?;
    Ok(FoundPage { items, any_behind })
}

pub(super) async fn count(mongo: &Mongo, find: &Find) -> Result<u64> {
    // Not the `count` command, which is wrong on a sharded cluster that moves documents.
    let filter = translate::all(&find.filters)?;
    mongo
        .collection(find.collection.name)
        .count_documents(filter)
        .await
        .map_err(failure)
}

pub(super) async fn exists(mongo: &Mongo, find: &Find) -> Result<bool> {
    any(mongo, find.collection, translate::all(&find.filters)?).await
}

/// The ids of what a query finds.
pub(super) async fn ids(mongo: &Mongo, find: &Find) -> Result<Vec<String>> {
    let text = |document: &RawDocument| {
        document
            .get_str("_id")
            .map(str::to_owned)
            .map_err(Error::internal)
    };
    let options = FindOptions::builder().projection(doc! { "_id": 1 }).build();
    collect_with(mongo, find, translate::all(&find.filters)?, options, text).await
}

/// The parts of a list as the branches of one `$or`, each complete in itself, so that the server merges one
/// range of an index for each.
pub(super) fn any_of(filters: &[Filter], parts: Vec<Vec<Filter>>) -> Result<BsonDocument> {
    let branches = parts
        .into_iter()
        .map(|part| Filter::And(filters.iter().cloned().chain(part).collect()));
    let mut branches: Vec<Filter> = branches.collect();
    match branches.len() {
        1 => translate::all(&branches.split_off(0)),
        _ => translate::filter(&Filter::Or(branches)),
    }
}

async fn any(mongo: &Mongo, collection: CollectionSpec, filter: BsonDocument) -> Result<bool> {
    let only_id = doc! { "_id": 1 };
    let found = mongo
        .collection(collection.name)
        .find_one(filter)
        .projection(only_id)
        .await;
    Ok(found.map_err(failure)?.is_some())
}

async fn collect<T>(
    mongo: &Mongo,
    find: &Find,
    filter: BsonDocument,
    item: impl Fn(&RawDocument) -> Result<T>,
) -> Result<Vec<T>> {
    collect_with(mongo, find, filter, FindOptions::default(), item).await
}

async fn collect_with<T>(
    mongo: &Mongo,
    find: &Find,
    filter: BsonDocument,
    mut options: FindOptions,
    item: impl Fn(&RawDocument) -> Result<T>,
) -> Result<Vec<T>> {
    let limit = find.limit.map(|limit| i64::try_from(limit).unwrap_or(i64::MAX));
    if limit == Some(0) {
        // Which the server takes for no limit.
        return Ok(Vec::new());
    }
    options.limit = limit;
    let answer = limit
        .and_then(|limit| u32::try_from(limit).ok())
        .unwrap_or(ANSWER);
    options.batch_size = Some(answer.min(ANSWER));
    if !find.sort.is_empty() {
        options.sort = Some(translate::sort(&find.sort)?);
    }
    let collection = mongo.collection(find.collection.name);
    let mut cursor = collection
        .find(filter)
        .with_options(options)
        .await
        .map_err(failure)?;
    let mut items = Vec::new();
    while cursor.advance().await.map_err(failure)? {
        items.push(item(cursor.current())?);
    }
    Ok(items)
}

fn read<D: Document>(document: &RawDocument) -> Result<D> {
    let json = translate::json(document)?;
    serde_json::from_str(&json).map_err(|error| {
        Error::internal(format!(
            "a document of {} cannot be read: {error}",
            D::COLLECTION.name
        ))
    })
}
