//! What can be changed.

use async_graphql::{Context, ID, Object};
use kernel::{NotificationId, Refusal};
use subgraph::answer::Answer;
use subgraph::caller::Caller;
use subgraph::directives::authenticated;

use super::types::{Notification, app};
use crate::ops::{delete_notification, mark_read};

/// What can be changed.
pub struct Mutation;

/// What can be changed.
#[Object]
impl Mutation {
    /// Marks a notification as read. Doing it twice changes nothing.
    #[graphql(directive = authenticated::apply())]
    async fn mark_notification_read(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The notification.")] id: ID,
    ) -> async_graphql::Result<Notification> {
        let id = ctx.answer(notification(&id))?;
        let marked = mark_read::mark_read(app(ctx), &ctx.caller(), id).await;
        ctx.answer(marked).map(Notification)
    }

    /// Marks everything as read that the caller was told until now, and gives how many there were. What comes in
    /// meanwhile stays unread.
    #[graphql(directive = authenticated::apply())]
    async fn mark_all_notifications_read(&self, ctx: &Context<'_>) -> async_graphql::Result<i32> {
        let marked = mark_read::mark_all_read(app(ctx), &ctx.caller()).await;
        Ok(ctx.answer(marked)?.try_into().unwrap_or(i32::MAX))
    }

    /// Deletes a notification.
    #[graphql(directive = authenticated::apply())]
    async fn delete_notification(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The notification.")] id: ID,
    ) -> async_graphql::Result<bool> {
        let id = ctx.answer(notification(&id))?;
        ctx.answer(delete_notification::delete_notification(app(ctx), &ctx.caller(), id).await)?;
        Ok(true)
    }
}

fn notification(id: &ID) -> Result<NotificationId, Refusal> {
    id.parse().map_err(|_| Refusal::not_found())
}
