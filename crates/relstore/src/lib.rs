//! The relational store: a sea-orm connection to MySQL or SQLite that behaves the same on both, with
//! migrations that several processes may run at once and transactions that are tried again when they collide.

mod error;
mod migrate;
mod store;

pub use error::{Error, Result, is_unique_violation};
pub use store::{RelStore, RelStoreConfig};
