//! What can be changed.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};
use kernel::{Refusal, Result, UserId};
use subgraph::answer::Answer;
use subgraph::caller::Caller;
use subgraph::directives::{authenticated, policy};
use subgraph::input::Checker;
use subgraph::scalars::{Date, DateTime};

use super::inputs::{UpdatePreferencesInput, UpdateProfileInput};
use super::types::{LoginPayload, User, loaders_and_app};
use crate::ops::{log_in, log_out, pause_habits, refresh, staff, update_preferences, update_profile};
use crate::relations::MembershipType;
use crate::store::UserDoc;

/// What can be changed.
pub struct Mutation;

/// What can be changed.
#[Object]
impl Mutation {
    /// Logs in with a code of WeChat's `wx.login`; in the sandbox, `sandbox:NAME` logs in the user of that name.
    /// The first time makes the account.
    async fn login(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The code, good for one log-in.")] code: String,
        #[graphql(desc = "Name of the device, for the list of sessions.")] device: Option<String>,
    ) -> async_graphql::Result<LoginPayload> {
        let app = loaders_and_app(ctx).1;
        let logged_in = ctx.answer(log_in::log_in(app, &code, device.as_deref()).await)?;
        Ok(LoginPayload::of(logged_in, app.issuer.ttl().as_secs() as i64))
    }

    /// Renews a log-in. The refresh token is replaced; using one again that was replaced ends the session.
    async fn refresh_token(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The refresh token that the last log-in or renewal gave.")] refresh_token: String,
    ) -> async_graphql::Result<LoginPayload> {
        let app = loaders_and_app(ctx).1;
        let logged_in = ctx.answer(refresh::refresh(app, &refresh_token).await)?;
        Ok(LoginPayload::of(logged_in, app.issuer.ttl().as_secs() as i64))
    }

    /// Ends the session that asks: its refresh token, and within seconds its access token.
    #[graphql(directive = authenticated::apply())]
    async fn logout(&self, ctx: &Context<'_>) -> async_graphql::Result<bool> {
        ctx.answer(log_out::log_out(loaders_and_app(ctx).1, &ctx.caller()).await)?;
        Ok(true)
    }

    /// Ends one of the person's own sessions.
    #[graphql(directive = authenticated::apply())]
    async fn revoke_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The session.")] id: ID,
    ) -> async_graphql::Result<bool> {
        let session = ctx.answer(id.parse().map_err(|_| Refusal::not_found()))?;
        ctx.answer(log_out::revoke(loaders_and_app(ctx).1, &ctx.caller(), session).await)?;
        Ok(true)
    }

    /// Ends all of the person's sessions but the one that asks, and tells how many.
    #[graphql(directive = authenticated::apply())]
    async fn revoke_other_sessions(&self, ctx: &Context<'_>) -> async_graphql::Result<i32> {
        let ended = ctx.answer(log_out::revoke_others(loaders_and_app(ctx).1, &ctx.caller()).await)?;
        Ok(i32::try_from(ended).unwrap_or(i32::MAX))
    }

    /// Changes the own profile.
    #[graphql(directive = authenticated::apply())]
    async fn update_profile(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The changes.")] input: UpdateProfileInput,
    ) -> async_graphql::Result<User> {
        user(
            ctx,
            update_profile::update_profile(loaders_and_app(ctx).1, &ctx.caller(), &input).await,
        )
    }

    /// Changes the own preferences.
    #[graphql(directive = authenticated::apply())]
    async fn update_preferences(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The changes.")] input: UpdatePreferencesInput,
    ) -> async_graphql::Result<User> {
        user(
            ctx,
            update_preferences::update_preferences(loaders_and_app(ctx).1, &ctx.caller(), &input).await,
        )
    }

    /// Pauses all habits, for a holiday or an illness: paused days are not due.
    #[graphql(directive = authenticated::apply())]
    async fn pause_all_habits(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first paused day: today (the default) or later.")] from: Option<Date>,
        #[graphql(desc = "The last paused day; by default until resumed.")] until: Option<Date>,
    ) -> async_graphql::Result<User> {
        let app = loaders_and_app(ctx).1;
        user(
            ctx,
            pause_habits::pause_all(app, &ctx.caller(), from.as_ref(), until.as_ref()).await,
        )
    }

    /// Ends the pause of all habits: today counts again.
    #[graphql(directive = authenticated::apply())]
    async fn resume_all_habits(&self, ctx: &Context<'_>) -> async_graphql::Result<User> {
        user(
            ctx,
            pause_habits::resume_all(loaders_and_app(ctx).1, &ctx.caller()).await,
        )
    }

    /// Gives somebody a role; for staff.
    #[graphql(directive = policy::apply(vec![vec!["roles:grant".to_owned()]]))]
    async fn grant_role(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who gets it.")] user_id: ID,
        #[graphql(desc = "Name of the role.")] role: String,
    ) -> async_graphql::Result<User> {
        let id = ctx.answer(person(&user_id))?;
        user(
            ctx,
            staff::grant_role(loaders_and_app(ctx).1, &ctx.caller(), id, &role).await,
        )
    }

    /// Takes a role from somebody; for staff.
    #[graphql(directive = policy::apply(vec![vec!["roles:grant".to_owned()]]))]
    async fn revoke_role(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who loses it.")] user_id: ID,
        #[graphql(desc = "Name of the role.")] role: String,
    ) -> async_graphql::Result<User> {
        let id = ctx.answer(person(&user_id))?;
        user(
            ctx,
            staff::revoke_role(loaders_and_app(ctx).1, &ctx.caller(), id, &role).await,
        )
    }

    /// Sets what somebody is a member of; for staff.
    #[graphql(directive = policy::apply(vec![vec!["users:write".to_owned()]]))]
    async fn set_membership(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who.")] user_id: ID,
        #[graphql(desc = "The kind.")] membership_type: MembershipType,
        #[graphql(desc = "When it ends; absent for never.")] expire_at: Option<DateTime>,
    ) -> async_graphql::Result<User> {
        let id = ctx.answer(person(&user_id))?;
        let mut check = Checker::new("expireAt");
        let end = expire_at.and_then(|end| check.instant(&end));
        ctx.answer(check.finish())?;
        user(
            ctx,
            staff::set_membership(loaders_and_app(ctx).1, &ctx.caller(), id, membership_type, end).await,
        )
    }

    /// Says whether somebody's name was verified; for staff.
    #[graphql(directive = policy::apply(vec![vec!["users:write".to_owned()]]))]
    async fn set_verified(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who.")] user_id: ID,
        #[graphql(desc = "Whether the name was verified.")] is_verified: bool,
    ) -> async_graphql::Result<User> {
        let id = ctx.answer(person(&user_id))?;
        user(
            ctx,
            staff::set_verified(loaders_and_app(ctx).1, &ctx.caller(), id, is_verified).await,
        )
    }
}

fn person(id: &ID) -> Result<UserId, Refusal> {
    id.parse().map_err(|_| Refusal::not_found())
}

fn user(ctx: &Context<'_>, changed: Result<UserDoc>) -> async_graphql::Result<User> {
    ctx.answer(changed).map(|user| User(Arc::new(user)))
}
