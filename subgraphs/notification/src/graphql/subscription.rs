//! What can be listened to.

use async_graphql::{Context, Subscription};
use futures::{Stream, StreamExt};
use subgraph::answer::{Answer, to_graphql};
use subgraph::caller::Caller;
use subgraph::directives::authenticated;

use super::types::{Notification, app};
use crate::ops::follow_inbox;

/// What can be listened to.
pub struct Subscription;

/// What can be listened to.
#[Subscription]
impl Subscription {
    /// Each notification as the caller is told it, and again when what it counts grows.
    #[graphql(directive = authenticated::apply())]
    async fn notification_received(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Whether what is unread comes first, so that nothing is missed in between.",
            default
        )]
        with_unread: bool,
    ) -> async_graphql::Result<impl Stream<Item = async_graphql::Result<Notification>> + use<>> {
        let caller = ctx.caller();
        let told = ctx.answer(follow_inbox::follow(app(ctx), &caller, with_unread).await)?;
        Ok(told.map(move |told| {
            told.map(Notification)
                .map_err(|error| to_graphql(&error, caller.locale))
        }))
    }
}
