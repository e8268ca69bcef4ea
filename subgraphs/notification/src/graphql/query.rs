//! What can be asked.

use async_graphql::{Context, ID, Object};
use kernel::{NotificationId, Result};
use subgraph::answer::Answer;
use subgraph::caller::{self, Caller};
use subgraph::directives::{authenticated, list_size, page_size};
use subgraph::lists::{Connected, DEFAULT_LIMIT, PageArgs, connected};

use super::inputs::NotificationFilter;
use super::types::{Notification, User, app, unread};
use crate::ops::list_notifications;

/// What can be asked.
pub struct Query;

/// What can be asked.
#[Object]
impl Query {
    /// What the caller was told, the newest first.
    #[graphql(directive = authenticated::apply(), directive = list_size::apply(DEFAULT_LIMIT))]
    async fn notifications(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which ones; by default all.")] filter: Option<NotificationFilter>,
        #[graphql(desc = "How many at the most: 50 by default, up to 200.")] limit: Option<i32>,
    ) -> async_graphql::Result<Vec<Notification>> {
        let filter = filter.unwrap_or_default();
        let found = list_notifications::list(app(ctx), &ctx.caller(), &filter, limit).await;
        Ok(ctx.answer(found)?.into_iter().map(Notification).collect())
    }

    /// The same as pages.
    #[graphql(
        directive = authenticated::apply(),
        directive = page_size::apply(DEFAULT_LIMIT, vec!["first".to_owned(), "last".to_owned()], vec!["nodes".to_owned(), "edges".to_owned()], false)
    )]
    async fn notifications_connection(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many: 50 by default, up to 200.")] first: Option<i32>,
        #[graphql(desc = "After this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, up to 200.")] last: Option<i32>,
        #[graphql(desc = "Before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which ones; by default all.")] filter: Option<NotificationFilter>,
    ) -> async_graphql::Result<Connected<Notification>> {
        let args = PageArgs {
            first,
            after,
            last,
            before,
        };
        let page = ctx.answer(args.request())?;
        let filter = filter.unwrap_or_default();
        let found = list_notifications::page(app(ctx), &ctx.caller(), &filter, &page).await;
        Ok(connected(ctx.answer(found)?, Notification))
    }

    /// How many of the caller's notifications are unread.
    #[graphql(directive = authenticated::apply())]
    async fn unread_notification_count(&self, ctx: &Context<'_>) -> async_graphql::Result<i32> {
        let user = ctx.answer(caller::person(&ctx.caller()))?;
        ctx.answer(unread(app(ctx), user).await)
    }

    /// A notification of the caller.
    #[graphql(directive = authenticated::apply())]
    async fn notification(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id.")] id: ID,
    ) -> Option<Notification> {
        ctx.nullable(own(ctx, &id).await)
    }

    /// A person whose notifications another domain asks for.
    #[graphql(entity)]
    async fn find_user_by_id(&self, id: ID) -> Option<User> {
        id.parse().ok().map(User::of)
    }
}

async fn own(ctx: &Context<'_>, id: &ID) -> Result<Option<Notification>> {
    let user = caller::person(&ctx.caller())?;
    let Ok(id) = id.parse::<NotificationId>() else {
        return Ok(None);
    };
    let found = app(ctx).notifications().get(id).await?;
    Ok(found
        .filter(|notification| notification.user_id == user)
        .map(Notification))
}
