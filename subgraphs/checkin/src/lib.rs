//! The check-in domain: check-ins, skips, pauses and freezes, and all that follows from them: days, streaks,
//! statistics, the calendar.
//!
//! It owns the entity `CheckIn` and the collections `check_ins`, `habit_facts`, `habit_logs` and
//! `check_in_users`; it adds figures to `Habit` and `User`. It emits `checkin.created`, `checkin.updated`,
//! `checkin.deleted`, `checkin.marked` and `checkin.takenOver`, and keeps what it knows of users and habits as new as
//! their owners' word.

mod app;
mod config;
mod consumers;
mod graphql;
mod ops;
mod outdated;
pub mod seed;
mod store;

use std::sync::Arc;

use async_graphql::{EmptySubscription, Schema, ValidationMode};
use subgraph::service::{Consumer, Deps, Prepared, Subgraph};

pub use config::CheckInConfig;
pub use outdated::OUTDATING;

use app::App;
use graphql::{Loaders, Mutation, Query};

/// The name of the subgraph.
pub const NAME: &str = "checkin";

/// Builds the subgraph.
pub fn build(config: CheckInConfig, deps: Deps) -> Subgraph {
    let app = App { deps, config };
    let schema = Schema::build(Query, Mutation, EmptySubscription)
        .enable_federation()
        // The router, and other subgraphs, only send what is valid.
        .validation_mode(ValidationMode::Fast)
        .data(app.clone())
        .finish();
    let consumer = Consumer {
        kinds: consumers::KINDS,
        handler: Arc::new(consumers::OwnersChanged(app.clone())),
    };
    Subgraph {
        name: NAME,
        sdl: subgraph::sdl::sdl(&schema),
        version_of: None,
        schema: Arc::new(Prepared::new(schema, move |scope: &_| {
            Loaders::new(&app, Arc::downgrade(scope))
        })),
        collections: store::COLLECTIONS.to_vec(),
        consumers: vec![consumer],
    }
}

/// The subgraph's schema in Federation 2 form, without any store.
pub fn sdl() -> String {
    subgraph::sdl::sdl(
        &Schema::build(Query, Mutation, EmptySubscription)
            .enable_federation()
            .finish(),
    )
}
