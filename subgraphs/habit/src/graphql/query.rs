//! What can be asked.

use async_graphql::{Context, ID, Object};
use kernel::{HabitId, Result, TemplateId};
use subgraph::answer::Answer;
use subgraph::caller::Caller;
use subgraph::directives::{
    CacheControlScope, RELEASED_S, authenticated, kept_for_all, list_size, page_size,
};
use subgraph::lists::{Connected, DEFAULT_LIMIT, PageArgs, connected};
use subgraph::plain::Plain;

use super::inputs::HabitFilter;
use super::types::{Habit, User, loaders_and_app};
use crate::ops::list_habits;
use crate::templates;

/// What can be asked.
pub struct Query;

/// What can be asked.
#[Object]
impl Query {
    /// The own habits in their order, or the public ones of somebody else.
    #[graphql(directive = authenticated::apply(), directive = list_size::apply(DEFAULT_LIMIT))]
    async fn habits(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which ones; by default the own ones that are not archived.")] filter: Option<
            HabitFilter,
        >,
        #[graphql(desc = "How many at the most: 50 by default, up to 200.")] limit: Option<i32>,
    ) -> async_graphql::Result<Vec<Habit>> {
        let found = list_habits::list(
            loaders_and_app(ctx).1,
            &ctx.caller(),
            &filter.unwrap_or_default(),
            limit,
        )
        .await;
        Ok(ctx.answer(found)?.into_iter().map(Habit::stored).collect())
    }

    /// The same as pages.
    #[graphql(
        directive = authenticated::apply(),
        directive = page_size::apply(DEFAULT_LIMIT, vec!["first".to_owned(), "last".to_owned()], vec!["nodes".to_owned(), "edges".to_owned()], false)
    )]
    async fn habits_connection(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many: 50 by default, up to 200.")] first: Option<i32>,
        #[graphql(desc = "After this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, up to 200.")] last: Option<i32>,
        #[graphql(desc = "Before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which ones; by default the own ones that are not archived.")] filter: Option<
            HabitFilter,
        >,
    ) -> async_graphql::Result<Connected<Habit>> {
        let page = ctx.answer(
            PageArgs {
                first,
                after,
                last,
                before,
            }
            .request(),
        )?;
        let app = loaders_and_app(ctx).1;
        let found = list_habits::page(app, &ctx.caller(), &filter.unwrap_or_default(), &page).await;
        Ok(connected(ctx.answer(found)?, Habit::stored))
    }

    /// A habit that the caller may see, or a template.
    #[graphql(directive = authenticated::apply())]
    async fn habit(&self, ctx: &Context<'_>, #[graphql(desc = "The id.")] id: ID) -> Option<Habit> {
        ctx.nullable(visible(ctx, &id).await)
    }

    /// Habits to begin with, in the caller's language.
    #[graphql(
        directive = list_size::apply(30),
        directive = kept_for_all::apply(RELEASED_S, CacheControlScope::Public)
    )]
    async fn habit_templates(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only those of a group.")] category: Option<String>,
    ) -> Vec<Habit> {
        let locale = ctx.caller().locale;
        templates::list(category.as_deref())
            .map(|template| Habit::template(template, locale))
            .collect()
    }

    /// A habit that another domain refers to.
    #[graphql(entity)]
    async fn find_habit_by_id(&self, ctx: &Context<'_>, id: ID) -> Option<Plain<Habit>> {
        ctx.nullable(visible(ctx, &id).await).map(Plain)
    }

    /// A person whose habits another domain asks for.
    #[graphql(entity)]
    async fn find_user_by_id(&self, id: ID) -> Option<User> {
        let user = id.parse().ok()?;
        Some(User { id, user })
    }
}

async fn visible(ctx: &Context<'_>, id: &ID) -> Result<Option<Habit>> {
    let Ok(habit) = id.parse::<HabitId>() else {
        return Ok(None);
    };
    let caller = ctx.caller();
    if let Some(template) = id.parse::<TemplateId>().ok().and_then(templates::find) {
        return Ok(Some(Habit::template(template, caller.locale)));
    }
    let found = loaders_and_app(ctx).0.habits.get(habit).await?;
    let may_see = found.filter(|habit| caller.is_service() || habit.is_visible_to(caller.user_id()));
    Ok(may_see.map(Habit::stored))
}
