//! Writing: single writes where one is enough, else transactions.

use std::collections::HashSet;
use std::time::Duration;

use bson::{Bson, Document, RawDocumentBuf, doc};
use mongodb::ClientSession;
use mongodb::error::{Error as DriverError, TRANSIENT_TRANSACTION_ERROR, UNKNOWN_TRANSACTION_COMMIT_RESULT};
use tokio::time::Instant;

use super::{Mongo, duplicate_index, failure, is_away, is_transient, read, translate};
use crate::batch::{Change, Op, Update};
use crate::collection::Find;
use crate::error::{ConflictKind, Error, Result};
use crate::query::Filter;
use crate::retry::pause;

/// How long a write that failed for a passing reason is tried again.
const SINGLE: Duration = Duration::from_secs(3);
/// The same for a transaction, which also collides with others.
const TRANSACTION: Duration = Duration::from_secs(8);
const SHORTEST: Duration = Duration::from_millis(1);
const LONGEST: Duration = Duration::from_millis(100);
/// Ids of one statement that deletes.
const CHUNK: usize = 1000;

/// One write in the driver's terms.
struct Prepared<'a> {
    op: &'a Op,
    write: Write,
    /// The conflict if nothing was matched.
    otherwise: Option<ConflictKind>,
}

enum Write {
    Insert(RawDocumentBuf),
    Replace {
        filter: Document,
        doc: RawDocumentBuf,
        upsert: bool,
    },
    Update {
        filter: Document,
        update: Document,
    },
    Delete {
        filter: Document,
    },
}

/// Applies a batch.
pub(super) async fn commit(mongo: &Mongo, ops: &[Op]) -> Result<()> {
    let writes: Result<Vec<Prepared<'_>>> = ops.iter().map(prepare).collect();
    match writes?.as_slice() {
        [] => Ok(()),
        [one] => single(mongo, one).await,
        several => transaction(mongo, several).await,
    }
}

/// Deletes what a query finds; returns how many.
pub(super) async fn delete_where(mongo: &Mongo, find: &Find) -> Result<u64> {
    let _permit = mongo.single_writes.acquire().await.map_err(Error::internal)?;
    let collection = mongo.collection(find.collection.name);
    let filter = translate::all(&find.filters)?;
    if find.limit.is_none() {
        return Ok(collection
            .delete_many(filter)
            .await
            .map_err(failure)?
            .deleted_count);
    }
    let ids = read::ids(mongo, find).await?;
    let mut deleted = 0;
    for chunk in ids.chunks(CHUNK) {
        // The filter again: a document may have changed since.
        let chosen = doc! { "$and": [{ "_id": { "$in": chunk } }, filter.clone()] };
        deleted += collection
            .delete_many(chosen)
            .await
            .map_err(failure)?
            .deleted_count;
    }
    Ok(deleted)
}

/// A write that is atomic by itself. The driver repeats it once, and the server knows the repetition from a
/// second write. If that fails too, it is done again here where what is found afterwards can tell whether it
/// had been done.
async fn single(mongo: &Mongo, write: &Prepared<'_>) -> Result<()> {
    let _permit = mongo.single_writes.acquire().await.map_err(Error::internal)?;
    let deadline = Instant::now() + SINGLE;
    let repeatable = !matches!(write.write, Write::Update { .. });
    let mut attempt = 0;
    let mut in_doubt = false;
    loop {
        attempt += 1;
        let result = apply(mongo, write, None).await;
        let again = Instant::now() < deadline;
        match result {
            Ok(matched) if matched > 0 => return Ok(()),
            Ok(_) => match write.otherwise {
                Some(kind) => {
                    let conflict = Error::conflict(write.op.collection.name, kind);
                    return if in_doubt {
                        resolve(mongo, write, conflict).await
                    } else {
                        Err(conflict)
                    };
                }
                None => return Ok(()),
            },
            Err(error) if is_transient(&error) && !is_away(&error) && repeatable && again => in_doubt = true,
            Err(error) => match duplicate_index(&error) {
                // Two upserts of one id may collide: the second finds the first when it is done again.
                Some(index) if index == "_id" && write.is_put() && again => {}
                Some(index) => {
                    let conflict = Error::duplicate(write.op.collection.name, &index);
                    return if in_doubt {
                        resolve(mongo, write, conflict).await
                    } else {
                        Err(conflict)
                    };
                }
                None => return Err(failure(error)),
            },
        }
        tokio::time::sleep(pause(attempt, SHORTEST, LONGEST)).await;
    }
}

/// The write was repeated after it had perhaps been done, and now does not fit: whether that is so because it
/// had been done.
async fn resolve(mongo: &Mongo, write: &Prepared<'_>, conflict: Error) -> Result<()> {
    let op = write.op;
    let collection = mongo.collection(op.collection.name);
    let found = collection
        .find_one(doc! { "_id": &op.id })
        .await
        .map_err(failure)?;
    let found = found
        .map(|raw| Document::try_from(raw.as_ref()))
        .transpose()
        .map_err(Error::internal)?;
    match (&op.change, found) {
        (Change::Insert { doc } | Change::Replace { doc, .. }, Some(found)) => {
            if found == translate::document(doc, &op.collection)? {
                return Ok(());
            }
            // Perhaps ours, and changed since: a caller that is told "conflict" would do it a second time.
            Err(Error::unavailable("it is not known whether the write was done"))
        }
        (Change::Delete { .. }, None) => Ok(()),
        _ => Err(conflict),
    }
}

/// All of the writes in one transaction, which is run again when it collides with another one.
async fn transaction(mongo: &Mongo, writes: &[Prepared<'_>]) -> Result<()> {
    let deadline = Instant::now() + TRANSACTION;
    let mut attempt = 0;
    loop {
        attempt += 1;
        let error = match attempt_transaction(mongo, writes, deadline).await? {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        let again = error.contains_label(TRANSIENT_TRANSACTION_ERROR) && !is_away(&error);
        if !again || Instant::now() >= deadline {
            return Err(failure(error));
        }
        tokio::time::sleep(pause(attempt, SHORTEST, LONGEST)).await;
    }
}

/// The outer result is final; the inner error may be worth another attempt.
async fn attempt_transaction(
    mongo: &Mongo,
    writes: &[Prepared<'_>],
    deadline: Instant,
) -> Result<Result<(), DriverError>> {
    let mut session = mongo.client.start_session().await.map_err(failure)?;
    if let Err(error) = session.start_transaction().await {
        return Ok(Err(error));
    }
    match apply_all(mongo, writes, &mut session).await {
        Ok(Ok(())) => {}
        failed => {
            // If this fails, the server ends the transaction after a while by itself.
            let _ = session.abort_transaction().await;
            return failed;
        }
    }
    let mut attempt = 0;
    loop {
        attempt += 1;
        match session.commit_transaction().await {
            Err(error)
                if error.contains_label(UNKNOWN_TRANSACTION_COMMIT_RESULT)
                    && !is_away(&error)
                    && Instant::now() < deadline =>
            {
                // Committing twice is committing once.
                tokio::time::sleep(pause(attempt, SHORTEST, LONGEST)).await;
            }
            result => return Ok(result),
        }
    }
}

async fn apply_all(
    mongo: &Mongo,
    writes: &[Prepared<'_>],
    session: &mut ClientSession,
) -> Result<Result<(), DriverError>> {
    let mut rest = writes;
    while let Some(first) = rest.first() {
        let (run, length) = run_of(rest);
        let collection = mongo.collection(first.op.collection.name);
        let result = match run {
            Run::Inserts(documents) => {
                let action = collection.insert_many(documents).session(&mut *session);
                action.await.map(|_| 1)
            }
            Run::Deletes(ids) => {
                let action = collection.delete_many(doc! { "_id": { "$in": ids } });
                action.session(&mut *session).await.map(|_| 1)
            }
            Run::Updates(ids, update) => {
                let action = collection.update_many(doc! { "_id": { "$in": ids } }, update.clone());
                action.session(&mut *session).await.map(|_| 1)
            }
            Run::One => apply(mongo, first, Some(session)).await,
        };
        match (result, first.otherwise) {
            (Ok(0), Some(kind)) => return Err(Error::conflict(first.op.collection.name, kind)),
            (Ok(_), _) => {}
            (Err(error), _) => match duplicate_index(&error) {
                Some(index) => return Err(Error::duplicate(first.op.collection.name, &index)),
                None => return Ok(Err(error)),
            },
        }
        rest = rest.get(length..).unwrap_or_default();
    }
    Ok(Ok(()))
}

/// Writes of one kind to one collection, which can go in one message.
enum Run<'a> {
    Inserts(Vec<&'a RawDocumentBuf>),
    /// Whether the documents are there or not.
    Deletes(Vec<&'a str>),
    /// The same update, of those that are there.
    Updates(Vec<&'a str>, &'a Document),
    One,
}

/// The writes at the front that can go together, and how many they are.
fn run_of<'a>(writes: &'a [Prepared<'_>]) -> (Run<'a>, usize) {
    let Some(first) = writes.first() else {
        return (Run::One, 1);
    };
    let collection = first.op.collection.name;
    let here = || {
        writes
            .iter()
            .take_while(|write| write.op.collection.name == collection)
    };
    let id = |write: &'a Prepared<'_>| write.op.id.as_str();
    let run = match &first.write {
        Write::Insert(_) => {
            let document = |write: &'a Prepared<'_>| match &write.write {
                Write::Insert(document) => Some(document),
                _ => None,
            };
            Run::Inserts(here().map_while(document).collect())
        }
        Write::Delete { .. } => {
            let is_plain =
                |write: &&Prepared<'_>| matches!(write.op.change, Change::Delete { expected: None });
            Run::Deletes(here().take_while(is_plain).map(id).collect())
        }
        Write::Update { update, .. } => {
            let is_same = |write: &&Prepared<'_>| {
                let Change::Update(change) = &write.op.change else {
                    return false;
                };
                change.or_ignore
                    && change.when.is_empty()
                    && matches!(&write.write, Write::Update { update: other, .. } if other == update)
            };
            // A document that comes twice is updated twice.
            let mut seen = HashSet::new();
            let ids = here().take_while(is_same).map(id);
            Run::Updates(ids.take_while(|id| seen.insert(*id)).collect(), update)
        }
        Write::Replace { .. } => Run::One,
    };
    let length = match &run {
        Run::Inserts(documents) => documents.len(),
        Run::Deletes(ids) | Run::Updates(ids, _) => ids.len(),
        Run::One => 1,
    };
    if length > 1 { (run, length) } else { (Run::One, 1) }
}

/// How many documents it inserted or matched.
async fn apply(
    mongo: &Mongo,
    write: &Prepared<'_>,
    session: Option<&mut ClientSession>,
) -> Result<u64, DriverError> {
    let collection = mongo.collection(write.op.collection.name);
    match &write.write {
        Write::Insert(document) => {
            let action = collection.insert_one(document);
            match session {
                Some(session) => action.session(session).await,
                None => action.await,
            }
            .map(|_| 1)
        }
        Write::Replace { filter, doc, upsert } => {
            let action = collection.replace_one(filter.clone(), doc).upsert(*upsert);
            let result = match session {
                Some(session) => action.session(session).await,
                None => action.await,
            }?;
            Ok(result.matched_count + u64::from(result.upserted_id.is_some()))
        }
        Write::Update { filter, update } => {
            let action = collection.update_one(filter.clone(), update.clone());
            let result = match session {
                Some(session) => action.session(session).await,
                None => action.await,
            }?;
            Ok(result.matched_count)
        }
        Write::Delete { filter } => {
            let action = collection.delete_one(filter.clone());
            let result = match session {
                Some(session) => action.session(session).await,
                None => action.await,
            }?;
            Ok(result.deleted_count)
        }
    }
}

impl Prepared<'_> {
    fn is_put(&self) -> bool {
        matches!(self.op.change, Change::Put { .. })
    }
}

fn prepare(op: &Op) -> Result<Prepared<'_>> {
    let document = |json: &str| translate::raw(&translate::document(json, &op.collection)?);
    let id = op.id.as_str();
    let (write, otherwise) = match &op.change {
        Change::Insert { doc } => (Write::Insert(document(doc)?), None),
        Change::Put { doc } => (
            Write::Replace {
                filter: doc! { "_id": id },
                doc: document(doc)?,
                upsert: true,
            },
            None,
        ),
        Change::Replace { doc, expected } => {
            let filter = doc! { "_id": id, "version": expected };
            (
                Write::Replace {
                    filter,
                    doc: document(doc)?,
                    upsert: false,
                },
                Some(ConflictKind::Stale),
            )
        }
        Change::Delete { expected: None } => (
            Write::Delete {
                filter: doc! { "_id": id },
            },
            None,
        ),
        Change::Delete {
            expected: Some(expected),
        } => {
            let filter = doc! { "_id": id, "version": expected };
            (Write::Delete { filter }, Some(ConflictKind::Stale))
        }
        Change::Update(update) => {
            let mut filters = vec![Filter::Eq("_id".to_owned(), id.into())];
            filters.extend(update.when.iter().cloned());
            let write = Write::Update {
                filter: translate::all(&filters)?,
                update: update_document(update, op)?,
            };
            (write, (!update.or_ignore).then_some(ConflictKind::Missing))
        }
    };
    Ok(Prepared { op, write, otherwise })
}

fn update_document(update: &Update, op: &Op) -> Result<Document> {
    let mut set = Document::new();
    let mut unset = Document::new();
    let mut inc = doc! { "version": 1_i64 };
    for (path, json) in &update.set {
        match translate::value(json, &op.collection)? {
            Bson::Null if translate::is_unique(path, &op.collection) => unset.insert(path, ""),
            value => set.insert(path, value),
        };
    }
    for path in &update.unset {
        unset.insert(path, "");
    }
    for (path, by) in &update.inc {
        inc.insert(path, *by);
    }
    let mut document = doc! { "$inc": inc };
    if !set.is_empty() {
        document.insert("$set", set);
    }
    if !unset.is_empty() {
        document.insert("$unset", unset);
    }
    Ok(document)
}
