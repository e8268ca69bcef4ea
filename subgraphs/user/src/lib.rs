//! The user domain: accounts, log-ins and sessions, profile and preferences, roles, membership, badges.
//!
//! It owns the entity `User` and the collection `users`, and the tables of roles, memberships and badges. It
//! refers to no other domain. It emits `user.registered`, `user.changed` and
//! `user.edited`.

mod app;
mod config;
mod entities;
mod graphql;
mod migrations;
mod ops;
mod outdated;
mod relations;
pub mod seed;
mod store;

use std::sync::Arc;

use async_graphql::{EmptySubscription, Schema, ValidationMode};
use auth::{Issuer, Sessions};
use docstore::Document;
use kernel::{Result, Scope, UserId};
use subgraph::service::{Deps, Prepared, Subgraph, VersionOf};
use wechat::Wechat;

pub use app::App;
pub use config::UserConfig;
pub use graphql::Loaders;
pub use outdated::OUTDATING;
pub use store::{Preferences, Privacy, UserDoc, Visibility};

use graphql::{Mutation, Query};

/// The name of the subgraph.
pub const NAME: &str = "user";

/// What this domain needs beside what all have.
pub struct Services {
    /// Sessions and their refresh tokens.
    pub sessions: Sessions,
    /// Makes access tokens.
    pub issuer: Issuer,
    /// WeChat, or its sandbox.
    pub wechat: Wechat,
}

/// Builds the subgraph on migrated stores.
///
/// # Errors
/// Where the relational store cannot be migrated.
pub async fn build(config: UserConfig, deps: Deps, services: Services) -> Result<Subgraph> {
    deps.relations.migrate::<migrations::Migrations>().await?;
    let relations = relations::Relations::new(deps.relations.clone());
    let Services {
        sessions,
        issuer,
        wechat,
    } = services;
    let app = App {
        deps,
        relations,
        sessions,
        issuer,
        wechat,
        config,
    };
    let schema = Schema::build(Query, Mutation, EmptySubscription)
        .enable_federation()
        // The router, and other subgraphs, only send what is valid.
        .validation_mode(ValidationMode::Fast)
        .data(app.clone())
        .finish();
    let version_of = version_of(app.clone());
    let loaders = move |_: &_| Loaders::new(&app);
    Ok(Subgraph {
        name: NAME,
        sdl: subgraph::sdl::sdl(&schema),
        version_of: Some(version_of),
        schema: Arc::new(Prepared::new(schema, loaders)),
        collections: vec![UserDoc::COLLECTION],
        consumers: Vec::new(),
    })
}

/// `User.rulesVersion`, for the other subgraphs of this process.
fn version_of(app: App) -> VersionOf {
    Arc::new(move |user: UserId, scope: Arc<Scope>| {
        let loaders = scope.get_or_insert_with(|| Loaders::new(&app));
        Box::pin(async move { Ok(loaders.users.get(user).await?.map(|user| user.rules.version)) })
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
