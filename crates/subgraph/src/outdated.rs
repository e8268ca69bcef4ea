//! What of a domain's answers is out of date once something happened. Each domain says it of its own answers, whoever
//! the event is from; the platform tells the routers that keep answers.

use events::Event;
use serde_json::{Value, json};

/// Answers of a subgraph that are out of date. What a person is told of their own is out of date with each of their
/// events, and need not be named.
#[derive(Debug, Clone, PartialEq)]
pub enum Outdated {
    /// What it says of one entity, by its key, and whatever holds objects of that type.
    Entity(&'static str, Value),
    /// What it says of all objects of a type.
    Type(&'static str),
}

/// Which of a subgraph's answers are out of date after which events.
#[derive(Clone, Copy)]
pub struct Outdating {
    /// The kinds of events.
    pub kinds: &'static [&'static str],
    /// What is out of date after one of them. Events come late, twice and in any order: what this says must not depend on
    /// what the domain holds.
    pub after: fn(&Event) -> events::Result<Vec<Outdated>>,
}

impl Outdated {
    /// An entity that is known by its `id`.
    pub fn entity(type_name: &'static str, id: impl ToString) -> Self {
        Self::Entity(type_name, json!({ "id": id.to_string() }))
    }
}
