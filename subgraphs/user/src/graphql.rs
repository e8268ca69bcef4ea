//! The domain's part of the supergraph.

pub mod inputs;
mod loaders;
mod mutation;
mod query;
mod types;

pub use loaders::Loaders;
pub use mutation::Mutation;
pub use query::Query;
