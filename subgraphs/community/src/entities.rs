//! The rows of this domain's tables.

pub mod relation;
