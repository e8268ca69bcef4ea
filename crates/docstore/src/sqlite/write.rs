//! Writing: one thread, which syncs once for all the batches that wait.

use std::sync::mpsc::Receiver;

use rusqlite::{Connection, params, params_from_iter};
use tokio::sync::{oneshot, watch};

use super::sql::{Sql, json_path};
use super::{failure, write_failure};
use crate::batch::{Change, Op, Update};
use crate::collection::Find;
use crate::error::{ConflictKind, Error, Result};

/// Batches of one transaction at the most: the first should not wait too long for the last.
const GROUP: usize = 256;

/// What is done inside the transaction; the number is how many documents were deleted.
pub(super) type Work = Box<dyn FnOnce(&Connection) -> Result<u64> + Send>;

/// Work for the writing thread.
pub(super) struct Job {
    /// Whether the work is more than one statement, and so needs a savepoint to be all or nothing.
    pub(super) several: bool,
    pub(super) work: Work,
    pub(super) answer: oneshot::Sender<Result<u64>>,
}

/// Serves jobs until the store is dropped.
pub(super) fn run(connection: &Connection, jobs: &Receiver<Job>, committed: &watch::Sender<u64>) {
    while let Ok(first) = jobs.recv() {
        let group: Vec<Job> = std::iter::once(first)
            .chain(jobs.try_iter().take(GROUP - 1))
            .collect();
        commit_group(connection, group, committed);
    }
}

/// Applies a batch.
pub(super) fn apply(connection: &Connection, ops: &[Op]) -> Result<()> {
    ops.iter().try_for_each(|op| apply_one(connection, op))
}

/// Deletes what a query finds; returns how many.
pub(super) fn delete_where(connection: &Connection, find: &Find) -> Result<u64> {
    let table = find.collection.name;
    let mut sql = if find.limit.is_some() {
        let chosen = Sql::select("rowid", find)?;
        Sql {
            text: format!("DELETE FROM \"{table}\" WHERE rowid IN ({})", chosen.text),
            ..chosen
        }
    } else {
        Sql::new(format!("DELETE FROM \"{table}\""))
    };
    if find.limit.is_none() {
        sql.filters(&find.filters)?;
    }
    Ok(execute(connection, table, sql)? as u64)
}

/// One transaction, and with it one sync of the disk, for the whole group. Answers after the commit.
fn commit_group(connection: &Connection, group: Vec<Job>, committed: &watch::Sender<u64>) {
    let mut answers = Vec::with_capacity(group.len());
    let mut jobs = group.into_iter();
    let mut broken = statement(connection, "BEGIN IMMEDIATE").err();
    for job in jobs.by_ref() {
        if broken.is_some() {
            answers.push((job.answer, Ok(0)));
            continue;
        }
        let result = if job.several {
            in_savepoint(connection, job.work)
        } else {
            (job.work)(connection)
        };
        // On some failures, such as a full disk, SQLite rolls back everything
        // (https://www.sqlite.org/lang_transaction.html#response_to_errors_within_a_transaction).
        if connection.is_autocommit() {
            let cause = result
                .as_ref()
                .err()
                .map_or_else(String::new, ToString::to_string);
            broken = Some(Error::unavailable(format!(
                "the transaction was rolled back: {cause}"
            )));
        }
        answers.push((job.answer, result));
    }
    if broken.is_none() {
        broken = statement(connection, "COMMIT").err();
    }
    if !connection.is_autocommit()
        && let Err(error) = statement(connection, "ROLLBACK")
    {
        tracing::error!(%error, "a transaction of the document store cannot be ended");
    }
    if broken.is_none() && answers.iter().any(|(_, result)| result.is_ok()) {
        committed.send_modify(|count| *count = count.wrapping_add(1));
    }
    let cause = broken.map(|error| error.to_string());
    for (answer, result) in answers {
        let result = match &cause {
            Some(cause) if result.is_ok() => Err(Error::unavailable(cause.clone())),
            _ => result,
        };
        // Whoever dropped the call does not want to know.
        let _ = answer.send(result);
    }
}

fn in_savepoint(connection: &Connection, work: impl FnOnce(&Connection) -> Result<u64>) -> Result<u64> {
    statement(connection, "SAVEPOINT batch")?;
    let result = work(connection);
    if result.is_err() && !connection.is_autocommit() {
        statement(connection, "ROLLBACK TO batch")?;
    }
    if !connection.is_autocommit() {
        statement(connection, "RELEASE batch")?;
    }
    result
}

fn statement(connection: &Connection, text: &str) -> Result<()> {
    let mut statement = connection.prepare_cached(text).map_err(failure)?;
    statement.execute([]).map(drop).map_err(failure)
}

fn apply_one(connection: &Connection, op: &Op) -> Result<()> {
    let (table, id) = (op.collection.name, op.id.as_str());
    let run = |text: String, params: &[&dyn rusqlite::ToSql]| -> Result<usize> {
        let mut statement = connection.prepare_cached(&text).map_err(failure)?;
        statement
            .execute(params)
            .map_err(|error| write_failure(table, error))
    };
    let (changed, otherwise) = match &op.change {
        Change::Insert { doc } => (
            run(
                format!("INSERT INTO \"{table}\" (_id, doc) VALUES (?, ?)"),
                params![id, doc],
            )?,
            None,
        ),
        Change::Put { doc } => {
            let text = format!(
                "INSERT INTO \"{table}\" (_id, doc) VALUES (?, ?) ON CONFLICT (_id) DO UPDATE SET doc = excluded.doc"
            );
            (run(text, params![id, doc])?, None)
        }
        Change::Replace { doc, expected } => {
            let text =
                format!("UPDATE \"{table}\" SET doc = ? WHERE _id = ? AND (doc ->> '$.\"version\"') = ?");
            (run(text, params![doc, id, expected])?, Some(ConflictKind::Stale))
        }
        Change::Delete { expected: None } => (
            run(format!("DELETE FROM \"{table}\" WHERE _id = ?"), params![id])?,
            None,
        ),
        Change::Delete {
            expected: Some(expected),
        } => {
            let text = format!("DELETE FROM \"{table}\" WHERE _id = ? AND (doc ->> '$.\"version\"') = ?");
            (run(text, params![id, expected])?, Some(ConflictKind::Stale))
        }
        Change::Update(update) => {
            let otherwise = (!update.or_ignore).then_some(ConflictKind::Missing);
            (
                execute(connection, table, update_statement(table, id, update)?)?,
                otherwise,
            )
        }
    };
    match otherwise {
        Some(kind) if changed == 0 => Err(Error::conflict(table, kind)),
        _ => Ok(()),
    }
}

fn update_statement(table: &str, id: &str, update: &Update) -> Result<Sql> {
    let mut sql = Sql::new(format!("UPDATE \"{table}\" SET doc = json_set("));
    if update.unset.is_empty() {
        sql.text.push_str("doc");
    } else {
        sql.text.push_str("json_remove(doc");
        for path in &update.unset {
            sql.text.push_str(&format!(", {}", json_path(path)?));
        }
        sql.text.push(')');
    }
    for (path, json) in &update.set {
        sql.text.push_str(&format!(", {}, json(", json_path(path)?));
        sql.param(json.clone());
        sql.text.push(')');
    }
    for (path, by) in &update.inc {
        let path = json_path(path)?;
        // What is no number fails the statement, as it does with MongoDB, by not being JSON.
        sql.text.push_str(&format!(
            ", {path}, CASE WHEN json_type(doc, {path}) IS NULL OR json_type(doc, {path}) IN ('integer', 'real') \
             THEN coalesce(doc ->> {path}, 0) + "
        ));
        sql.param(*by);
        sql.text.push_str(" ELSE json('not a number') END");
    }
    sql.text
        .push_str(", '$.\"version\"', coalesce(doc ->> '$.\"version\"', 0) + 1) WHERE _id = ");
    sql.param(id.to_owned());
    for filter in &update.when {
        sql.text.push_str(" AND ");
        sql.filter(filter)?;
    }
    Ok(sql)
}

fn execute(connection: &Connection, table: &'static str, sql: Sql) -> Result<usize> {
    let mut statement = connection.prepare_cached(&sql.text).map_err(failure)?;
    statement
        .execute(params_from_iter(sql.params))
        .map_err(|error| write_failure(table, error))
}
