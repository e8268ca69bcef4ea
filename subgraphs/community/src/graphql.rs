//! The domain as GraphQL shows it.

pub mod inputs;
mod loaders;
mod mutation;
mod people;
mod query;
mod types;

pub use loaders::Loaders;
pub use mutation::Mutation;
pub use query::Query;
