//! The domain's part of the supergraph.

mod days;
pub mod inputs;
mod loaders;
mod mutation;
mod query;
mod shared;
mod types;

pub use loaders::Loaders;
pub use mutation::Mutation;
pub use query::Query;
