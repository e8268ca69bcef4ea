//! The habit domain: habits with their schedules and goals, their order and links, templates.
//!
//! It owns the entity `Habit` and the collections `habits` and `habit_owners`, and adds to `User` what other
//! domains ask of a person's habits. It emits `habit.created`, `habit.changed`, `habit.edited` and
//! `habit.deleted`.

mod app;
mod config;
mod graphql;
mod ops;
mod outdated;
pub mod seed;
mod store;
mod templates;

use std::sync::Arc;

use async_graphql::{EmptySubscription, Schema, ValidationMode};
use docstore::Document;
use kernel::{Scope, UserId};
use subgraph::service::{Deps, Prepared, Subgraph, VersionOf};

pub use config::HabitConfig;
pub use outdated::OUTDATING;
pub use store::HabitDoc;

use app::App;
use graphql::{Loaders, Mutation, Query};

/// The name of the subgraph.
pub const NAME: &str = "habit";

/// Builds the subgraph.
pub fn build(config: HabitConfig, deps: Deps) -> Subgraph {
    let app = App { deps, config };
    let schema = Schema::build(Query, Mutation, EmptySubscription)
        .enable_federation()
        // The router, and other subgraphs, only send what is valid.
        .validation_mode(ValidationMode::Fast)
        .data(app.clone())
        .finish();
    Subgraph {
        name: NAME,
        sdl: subgraph::sdl::sdl(&schema),
        version_of: Some(version_of(app.clone())),
        schema: Arc::new(Prepared::new(schema, move |_: &_| Loaders::new(&app))),
        collections: vec![HabitDoc::COLLECTION, store::OwnerDoc::COLLECTION],
        consumers: Vec::new(),
    }
}

/// `User.habitsRevision`, for the other subgraphs of this process.
fn version_of(app: App) -> VersionOf {
    Arc::new(move |user: UserId, scope: Arc<Scope>| {
        let loaders = scope.get_or_insert_with(|| Loaders::new(&app));
        Box::pin(async move { Ok(loaders.owners.get(user).await?.map(|owner| owner.revision)) })
    })
}

/// The subgraph's schema in Federation 2 form, without any store.
pub fn sdl() -> String {
    subgraph::sdl::sdl(
        &Schema::build(Query, Mutation, EmptySubscription)
            .enable_federation()
            .finish(),
    )
}
