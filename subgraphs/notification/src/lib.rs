//! The notification domain: what people are told, in their inbox and live.
//!
//! It owns the type `Notification` and the collections `notifications`, `inboxes`, `notification_posts` and
//! `notification_likes`, and adds to `User` how much is unread. It emits `notification.changed`, and is told by the events
//! of others what there is to tell.

mod app;
mod config;
mod consumers;
mod graphql;
mod live;
mod ops;
mod outdated;
mod store;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_graphql::{Schema, ValidationMode};
use subgraph::service::{Consumer, Deps, Prepared, Subgraph};

pub use config::NotificationConfig;
pub use outdated::OUTDATING;

use app::App;
use graphql::{Mutation, Query, Subscription};

/// The name of the subgraph.
pub const NAME: &str = "notification";

/// Builds the subgraph.
pub fn build(config: NotificationConfig, deps: Deps) -> Subgraph {
    let app = App::new(config, deps);
    let schema = Schema::build(Query, Mutation, Subscription)
        .enable_federation()
        .enable_subscription_in_federation()
        // The router, and other subgraphs, only send what is valid.
        .validation_mode(ValidationMode::Fast)
        .data(app.clone())
        .finish();
    let consumer = Consumer {
        kinds: consumers::KINDS,
        handler: Arc::new(consumers::Tell(app)),
    };
    Subgraph {
        name: NAME,
        sdl: subgraph::sdl::sdl(&schema),
        version_of: None,
        schema: Arc::new(Prepared::new(schema, |_: &_| ())),
        collections: store::COLLECTIONS.to_vec(),
        consumers: vec![consumer],
    }
}

/// The subgraph's schema in Federation 2 form, without any store.
pub fn sdl() -> String {
    subgraph::sdl::sdl(
        &Schema::build(Query, Mutation, Subscription)
            .enable_federation()
            .enable_subscription_in_federation()
            .finish(),
    )
}
