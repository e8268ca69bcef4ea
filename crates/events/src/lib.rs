//! How domains learn of each other: events that are written together with the change they tell of, carried to
//! every consumer, and handled there exactly once in effect; and jobs that run later or again and again.
//!
//! 1. A use case adds its events to the batch of its change with [`Outbox::emit`]: both are committed or neither.
//! 2. [`Relay::run`] carries them from the outbox to the [`Bus`], at least once, in their order.
//! 3. [`Bus::consume`] hands them to the [`Handler`] of each group (a group is a service), at least once. The events
//!    of one user come one after the other, in the order in which each source emitted them; those of different users
//!    come at the same time.
//! 4. The handler adds [`once`] to its own batch: an event that comes a second time then changes nothing.
//!
//! An event whose handling keeps failing goes to the [dead letters](Bus::dead_letters) of its group, from where it
//! can be [replayed](Bus::replay); the events after it go on. While a store or the bus is away nothing is dropped:
//! events wait in the outbox or on the bus.
//!
//! The embedded bus keeps its streams in a document store, the other one in Redis.

mod bus;
mod config;
mod consumer;
mod dead_letters;
mod document;
mod embedded;
mod error;
mod event;
mod handler;
mod jobs;
mod lease;
mod once;
mod outbox;
mod relay;
mod streams;

use docstore::{CollectionSpec, Document as _};

pub use bus::{Bus, Health, Lag, Linker};
pub use config::{BusConfig, Tuning};
pub use dead_letters::DeadLetter;
pub use error::{BoxError, Error, Result};
pub use event::{Event, Payload};
pub use handler::{Handler, HandlerError};
pub use jobs::{Job, Jobs, JobsConfig, JobsWorker, Pace, Schedule};
pub use once::{is_duplicate, once};
pub use outbox::Outbox;
pub use relay::Relay;

/// What this crate keeps in a document store. To be ensured in each store that has an outbox, belongs to a bus, or
/// is written by handlers that use [`once`].
pub const COLLECTIONS: &[CollectionSpec] = &[
    outbox::Row::COLLECTION,
    relay::Progress::COLLECTION,
    once::Processed::COLLECTION,
    dead_letters::Stored::COLLECTION,
    lease::Node::COLLECTION,
    lease::Holding::COLLECTION,
    embedded::Head::COLLECTION,
    embedded::Position::COLLECTION,
    embedded::Entry::COLLECTION,
    jobs::Ticked::COLLECTION,
];
