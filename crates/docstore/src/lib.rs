//! Document collections on SQLite or MongoDB, behind one API with one meaning.
//!
//! A [`DocStore`] holds typed [`Collection`]s of [`Document`]s with declared indexes. Reading is by id, by
//! [`Query`], or by keyset page. Writing is by [`Batch`]: all or nothing, durable when
//! [`DocStore::commit`] returns. There are no interactive transactions, on purpose: a use case loads, applies
//! its rule, and commits one batch with version conditions; when it was overtaken ([`ConflictKind::Stale`])
//! it runs again, which is what [`retry_stale`] is for. That works the same on both backends.
//!
//! A document is whatever it serialises to as JSON, with `_id` (a text) and `version` (a whole number) at the
//! top. Dates are stored as `YYYY-MM-DD`, instants as whole milliseconds since 1970, so that they sort.
//! Absent and null are the same to filters, sorting and unique indexes.

mod batch;
mod collection;
mod config;
mod document;
mod error;
mod keyset;
mod mongo;
mod query;
mod retry;
mod sqlite;
mod store;

pub use batch::{Batch, Update};
pub use collection::Collection;
pub use config::StoreConfig;
pub use document::{CollectionSpec, Document, IndexSpec, Order};
pub use error::{Conflict, ConflictKind, Error, Result};
pub use query::{Filter, Query, Value};
pub use retry::retry_stale;
pub use store::{Calls, DocStore};
