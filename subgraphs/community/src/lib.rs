//! The community domain: posts, likes and comments, and what people are to each other.
//!
//! It owns the entities `Post` and `Comment`, the collections `posts`, `likes` and `comments` and the table `relations`,
//! and adds posts to `User`, `Habit` and `CheckIn`. It emits `post.*`, `comment.*`, `user.followed`, `friend.*` and
//! `relations.changed`.

mod app;
mod config;
mod consumers;
mod entities;
mod graphql;
mod migrations;
mod ops;
mod outdated;
mod relations;
mod store;

use std::sync::Arc;

use async_graphql::{EmptySubscription, Schema, ValidationMode};
use kernel::Result;
use subgraph::service::{Consumer, Deps, Prepared, Subgraph};

pub use config::CommunityConfig;
pub use outdated::OUTDATING;

use app::App;
use graphql::{Loaders, Mutation, Query};

/// The name of the subgraph.
pub const NAME: &str = "community";

/// Builds the subgraph on migrated stores.
///
/// # Errors
/// Where the relational store cannot be migrated.
pub async fn build(config: CommunityConfig, deps: Deps) -> Result<Subgraph> {
    deps.relations.migrate::<migrations::Migrations>().await?;
    let relations = relations::Relations::new(deps.relations.clone());
    let app = App {
        deps,
        relations,
        config,
    };
    let schema = Schema::build(Query, Mutation, EmptySubscription)
        .enable_federation()
        // The router, and other subgraphs, only send what is valid.
        .validation_mode(ValidationMode::Fast)
        .data(app.clone())
        .finish();
    let consumer = Consumer {
        kinds: consumers::KINDS,
        handler: Arc::new(consumers::PostsDeleted(app.clone())),
    };
    Ok(Subgraph {
        name: NAME,
        sdl: subgraph::sdl::sdl(&schema),
        version_of: None,
        schema: Arc::new(Prepared::new(schema, move |_: &_| Loaders::new(&app))),
        collections: store::COLLECTIONS.to_vec(),
        consumers: vec![consumer],
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
