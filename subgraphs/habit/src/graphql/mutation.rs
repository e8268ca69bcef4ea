//! What can be changed.

use async_graphql::{Context, ID, Object};
use kernel::{HabitId, Refusal, Result};
use subgraph::answer::Answer;
use subgraph::caller::Caller;
use subgraph::directives::{authenticated, list_size};

use super::inputs::{CreateHabitInput, UpdateHabitInput};
use super::types::{Habit, loaders_and_app};
use crate::ops::{archive_habit, create_habit, delete_habit, reorder_habits, update_habit};
use crate::store::HabitDoc;

/// What can be changed.
pub struct Mutation;

/// What can be changed.
#[Object]
impl Mutation {
    /// Makes a habit.
    #[graphql(directive = authenticated::apply())]
    async fn create_habit(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The habit.")] input: CreateHabitInput,
    ) -> async_graphql::Result<Habit> {
        answer(
            ctx,
            create_habit::create_habit(loaders_and_app(ctx).1, &ctx.caller(), &input).await,
        )
    }

    /// Changes a habit. Schedule and goal change from a date on; what was before stays as it was.
    #[graphql(directive = authenticated::apply())]
    async fn update_habit(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The habit.")] id: ID,
        #[graphql(desc = "The changes.")] input: UpdateHabitInput,
    ) -> async_graphql::Result<Habit> {
        let id = ctx.answer(habit(&id))?;
        answer(
            ctx,
            update_habit::update_habit(loaders_and_app(ctx).1, &ctx.caller(), id, &input).await,
        )
    }

    /// Deletes a habit with its check-ins, for good. To keep them, archive it.
    #[graphql(directive = authenticated::apply())]
    async fn delete_habit(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The habit.")] id: ID,
    ) -> async_graphql::Result<bool> {
        let id = ctx.answer(habit(&id))?;
        ctx.answer(delete_habit::delete_habit(loaders_and_app(ctx).1, &ctx.caller(), id).await)?;
        Ok(true)
    }

    /// Puts a habit away: it keeps its history and is never due.
    #[graphql(directive = authenticated::apply())]
    async fn archive_habit(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The habit.")] id: ID,
    ) -> async_graphql::Result<Habit> {
        let id = ctx.answer(habit(&id))?;
        answer(
            ctx,
            archive_habit::archive_habit(loaders_and_app(ctx).1, &ctx.caller(), id, true).await,
        )
    }

    /// Takes an archived habit out again.
    #[graphql(directive = authenticated::apply())]
    async fn unarchive_habit(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The habit.")] id: ID,
    ) -> async_graphql::Result<Habit> {
        let id = ctx.answer(habit(&id))?;
        answer(
            ctx,
            archive_habit::archive_habit(loaders_and_app(ctx).1, &ctx.caller(), id, false).await,
        )
    }

    /// Puts the named habits first, in that order, and gives all habits as they stand then.
    #[graphql(directive = authenticated::apply(), directive = list_size::apply(50))]
    async fn reorder_habits(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The habits, each once.")] ids: Vec<ID>,
    ) -> async_graphql::Result<Vec<Habit>> {
        let ordered = reorder_habits::reorder_habits(loaders_and_app(ctx).1, &ctx.caller(), &ids).await;
        Ok(ctx.answer(ordered)?.into_iter().map(Habit::stored).collect())
    }
}

fn habit(id: &ID) -> Result<HabitId, Refusal> {
    id.parse().map_err(|_| Refusal::not_found())
}

fn answer(ctx: &Context<'_>, changed: Result<HabitDoc>) -> async_graphql::Result<Habit> {
    ctx.answer(changed).map(Habit::stored)
}
