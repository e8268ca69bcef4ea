//! What an operation costs: by the weights and list sizes that the schema gives with `@cost` and `@listSize`
//! (<https://ibm.github.io/graphql-specs/cost-spec.html>), counted as Apollo Router does: an object is worth 1, a scalar or
//! enum nothing, a mutation 10 more, everything in a list as often as the list is long.
//!
//! Costs are whole numbers from 0 on; what is too large for one is [`u64::MAX`]. Negative weights count as 0, and parts of
//! one as the whole, so that asking for more never costs less.

mod actual;
mod compile;
mod expression;
mod inputs;
mod weights;

#[cfg(test)]
mod tests;

pub(crate) use compile::Pricing;
pub(crate) use expression::{Cost, Priced};
pub(crate) use weights::Weights;

/// What a mutation costs beside its fields.
const MUTATION: u64 = 10;
