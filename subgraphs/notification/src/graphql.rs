//! The domain's part of the supergraph.

pub mod inputs;
mod mutation;
mod query;
mod subscription;
mod types;

pub use mutation::Mutation;
pub use query::Query;
pub use subscription::Subscription;
