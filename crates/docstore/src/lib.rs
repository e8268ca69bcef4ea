//! docstore.
