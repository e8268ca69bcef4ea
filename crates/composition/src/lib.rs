//! composition.
