//! What can be changed.

use async_graphql::{Context, ID, Object};
use kernel::{Refusal, Result};
use subgraph::answer::Answer;
use subgraph::caller::Caller;
use subgraph::directives::authenticated;
use subgraph::scalars::Date;

use super::inputs::{CreateCheckInInput, UpdateCheckInInput};
use super::query::habit;
use super::types::{CheckIn, Habit, loaders_and_app};
use crate::app::Judged;
use crate::ops::{create_check_in, delete_check_in, mark_days, preview, update_check_in};

/// What can be changed.
pub struct Mutation;

/// What can be changed.
#[Object]
impl Mutation {
    /// Checks in: today, or on a day before, which is made up.
    #[graphql(directive = authenticated::apply())]
    async fn create_check_in(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The check-in.")] input: CreateCheckInInput,
    ) -> async_graphql::Result<CheckIn> {
        let made = create_check_in::create_check_in(loaders_and_app(ctx).1, &ctx.caller(), &input).await;
        ctx.answer(made).map(CheckIn::stored)
    }

    /// Changes a check-in. Its day stays.
    #[graphql(directive = authenticated::apply())]
    async fn update_check_in(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The check-in.")] id: ID,
        #[graphql(desc = "The changes.")] input: UpdateCheckInInput,
    ) -> async_graphql::Result<CheckIn> {
        let id = ctx.answer(id.parse().map_err(|_| Refusal::not_found()))?;
        let changed =
            update_check_in::update_check_in(loaders_and_app(ctx).1, &ctx.caller(), id, &input).await;
        ctx.answer(changed).map(CheckIn::stored)
    }

    /// Takes a check-in back, with everything that followed from it.
    #[graphql(directive = authenticated::apply())]
    async fn delete_check_in(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The check-in.")] id: ID,
    ) -> async_graphql::Result<bool> {
        let id = ctx.answer(id.parse().map_err(|_| Refusal::not_found()))?;
        ctx.answer(delete_check_in::delete_check_in(loaders_and_app(ctx).1, &ctx.caller(), id).await)?;
        Ok(true)
    }

    /// Skips a day of a habit: it neither breaks nor lengthens the streak.
    #[graphql(directive = authenticated::apply())]
    async fn skip_day(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The habit.")] habit_id: ID,
        #[graphql(desc = "The day; by default today.")] date: Option<Date>,
    ) -> async_graphql::Result<Habit> {
        let (habit, date) = (ctx.answer(habit(&habit_id))?, ctx.answer(date_of("date", date))?);
        marked(
            ctx,
            mark_days::skip(loaders_and_app(ctx).1, &ctx.caller(), habit, date).await,
        )
    }

    /// Takes a skip back.
    #[graphql(directive = authenticated::apply())]
    async fn unskip_day(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The habit.")] habit_id: ID,
        #[graphql(desc = "The day.")] date: Date,
    ) -> async_graphql::Result<Habit> {
        let (habit, date) = (
            ctx.answer(habit(&habit_id))?,
            ctx.answer(preview::date("date", &date))?,
        );
        marked(
            ctx,
            mark_days::unskip(loaders_and_app(ctx).1, &ctx.caller(), habit, date).await,
        )
    }

    /// Pauses a habit: paused days are not due.
    #[graphql(directive = authenticated::apply())]
    async fn pause_habit(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The habit.")] id: ID,
        #[graphql(desc = "The first paused day; by default today.")] from: Option<Date>,
        #[graphql(desc = "The last paused day; by default until resumed.")] until: Option<Date>,
    ) -> async_graphql::Result<Habit> {
        let habit = ctx.answer(habit(&id))?;
        let (from, until) = (
            ctx.answer(date_of("from", from))?,
            ctx.answer(date_of("until", until))?,
        );
        marked(
            ctx,
            mark_days::pause(loaders_and_app(ctx).1, &ctx.caller(), habit, from, until).await,
        )
    }

    /// Ends the pause of a habit: today counts again.
    #[graphql(directive = authenticated::apply())]
    async fn resume_habit(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The habit.")] id: ID,
    ) -> async_graphql::Result<Habit> {
        let habit = ctx.answer(habit(&id))?;
        marked(
            ctx,
            mark_days::resume(loaders_and_app(ctx).1, &ctx.caller(), habit).await,
        )
    }

    /// Adds a freeze to a habit, at most 2. The first missed due unit spends it by itself, and the streak stays.
    #[graphql(directive = authenticated::apply())]
    async fn buy_freeze(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The habit.")] habit_id: ID,
    ) -> async_graphql::Result<Habit> {
        let habit = ctx.answer(habit(&habit_id))?;
        marked(
            ctx,
            mark_days::add_freeze(loaders_and_app(ctx).1, &ctx.caller(), habit).await,
        )
    }
}

fn date_of(argument: &'static str, date: Option<Date>) -> Result<Option<jiff::civil::Date>, Refusal> {
    date.map(|date| preview::date(argument, &date)).transpose()
}

/// The habit after something was said of its days. Its figures are found by the router's next call.
fn marked(ctx: &Context<'_>, judged: Result<Judged>) -> async_graphql::Result<Habit> {
    ctx.answer(judged).map(|judged| Habit::of(judged.log.id))
}
