//! The rules as examples, as properties, and against the published vectors.

#![expect(
    clippy::unwrap_used,
    reason = "what the tests share may fail them as the tests themselves may"
)]

mod days;
mod edits;
mod excuses;
mod periods;
mod property;
mod refusals;
mod streaks;
mod time;
mod travel;
mod users;
mod validation;
mod vectors;

mod world;
