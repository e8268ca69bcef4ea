//! What can be asked.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};
use kernel::{Error, Refusal, Result, UserId};
use subgraph::account::Account;
use subgraph::answer::Answer;
use subgraph::caller::{self, Caller};
use subgraph::directives::{authenticated, list_size};
use subgraph::scalars::Json;

use super::types::{Session, User, loaders_and_app};
use crate::ops::log_out;

/// What can be asked.
pub struct Query;

/// What can be asked.
#[Object]
impl Query {
    /// The person who asks.
    #[graphql(directive = authenticated::apply())]
    async fn me(&self, ctx: &Context<'_>) -> Option<User> {
        ctx.nullable(me(ctx).await)
    }

    /// A person whom the caller may see.
    #[graphql(directive = authenticated::apply())]
    async fn user(&self, ctx: &Context<'_>, #[graphql(desc = "The id.")] id: ID) -> Option<User> {
        ctx.nullable(visible(ctx, &id).await)
    }

    /// The sessions of the person who asks, newest first.
    #[graphql(directive = authenticated::apply(), directive = list_size::apply(10))]
    async fn sessions(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<Session>> {
        let caller = ctx.caller();
        let sessions = ctx.answer(log_out::sessions(loaders_and_app(ctx).1, &caller).await)?;
        let current = ctx.answer(log_out::current(&caller))?;
        Ok(sessions
            .into_iter()
            .map(|session| Session::of(session, current))
            .collect())
    }

    /// How the account of an access token stands; for the platform itself.
    #[graphql(inaccessible)]
    async fn account(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The person.")] user_id: ID,
        #[graphql(desc = "The session.")] session_id: ID,
    ) -> async_graphql::Result<Json> {
        ctx.answer(account(ctx, &user_id, &session_id).await)
    }

    /// A person that another domain refers to.
    #[graphql(entity)]
    async fn find_user_by_id(&self, ctx: &Context<'_>, id: ID) -> Option<User> {
        ctx.nullable(visible(ctx, &id).await)
    }
}

async fn account(ctx: &Context<'_>, user: &ID, session: &ID) -> Result<Json> {
    caller::service_only(&ctx.caller())?;
    let (Ok(user), Ok(session)) = (user.parse(), session.parse()) else {
        return Err(Refusal::not_found().into());
    };
    let app = loaders_and_app(ctx).1;
    let account = Account {
        is_session_live: !app.sessions.is_revoked(session).await?,
        permissions: app.relations.roles(user).await?.1,
    };
    serde_json::to_value(account).map(Json).map_err(Error::internal)
}

async fn me(ctx: &Context<'_>) -> Result<Option<User>> {
    let id = caller::person(&ctx.caller())?;
    Ok(loaders_and_app(ctx).0.users.get(id).await?.map(User))
}

/// A person as far as the caller may see them; somebody hidden does not exist.
async fn visible(ctx: &Context<'_>, id: &ID) -> Result<Option<User>> {
    let caller = ctx.caller();
    let Ok(id) = id.parse::<UserId>() else {
        return Ok(None);
    };
    if !caller.is_service() {
        caller::person(&caller)?;
    }
    let found = loaders_and_app(ctx).0.users.get(id).await?;
    let may_see = |user: &Arc<_>| {
        let user: &crate::store::UserDoc = user;
        caller.user_id() == Some(id) || user.is_profile_public() || caller.may(auth::permissions::USERS_READ)
    };
    Ok(found.filter(may_see).map(User))
}
