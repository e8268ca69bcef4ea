//! What every subgraph shares: who asks, how input is judged and errors are answered, batching look-ups,
//! directives and SDL, asking other subgraphs, and what domains tell each other.

pub mod account;
pub mod answer;
pub mod caller;
pub mod directives;
pub mod habit_rules;
pub mod idempotency;
pub mod input;
pub mod lists;
pub mod loader;
pub mod messages;
pub mod outdated;
pub mod peers;
pub mod place;
pub mod plain;
pub mod scalars;
pub mod sdl;
pub mod server;
pub mod service;
pub mod texts;
pub mod visibility;
