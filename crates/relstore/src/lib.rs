//! relstore.
