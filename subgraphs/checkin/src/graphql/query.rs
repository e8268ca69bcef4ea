//! What can be asked.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};
use kernel::{CheckInId, HabitId, Refusal, Result, Text, UserId};
use subgraph::answer::Answer;
use subgraph::caller::{self, Caller};
use subgraph::directives::{authenticated, kept, list_size, page_size};
use subgraph::lists::{Connected, DEFAULT_LIMIT, PageArgs, connected};
use subgraph::plain::{Plain, PlainList};
use subgraph::scalars::Date;
use subgraph::texts;

use super::days::{CalendarData, CalendarDay, Today, today_of};
use super::inputs::{CheckInFilter, PreviewHabitInput};
use super::shared::{ChangePreview, DayExplanation, HabitDay, HabitStats, PeriodResult, int, reason_key};
use super::types::{
    CheckIn, Habit, User, UserStats, everything_of, loaders_and_app, may_see_activity, person_stats,
};
use crate::ops::{calendar, list_check_ins, preview};
use crate::store::CheckInDoc;

/// What can be asked.
pub struct Query;

/// What can be asked.
#[Object]
impl Query {
    /// The own check-ins, newest day first, or the public ones of somebody else.
    #[graphql(directive = authenticated::apply(), directive = list_size::apply(DEFAULT_LIMIT))]
    async fn check_ins(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which ones; by default all own ones.")] filter: Option<CheckInFilter>,
        #[graphql(desc = "How many at the most: 50 by default, up to 200.")] limit: Option<i32>,
    ) -> async_graphql::Result<PlainList<CheckIn>> {
        let found = list_check_ins::list(
            loaders_and_app(ctx).1,
            &ctx.caller(),
            &filter.unwrap_or_default(),
            limit,
        )
        .await;
        Ok(ctx.answer(found)?.into_iter().map(CheckIn::stored).collect())
    }

    /// The same as pages.
    #[graphql(
        directive = authenticated::apply(),
        directive = page_size::apply(DEFAULT_LIMIT, vec!["first".to_owned(), "last".to_owned()], vec!["nodes".to_owned(), "edges".to_owned()], false)
    )]
    async fn check_ins_connection(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many: 50 by default, up to 200.")] first: Option<i32>,
        #[graphql(desc = "After this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, up to 200.")] last: Option<i32>,
        #[graphql(desc = "Before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which ones; by default all own ones.")] filter: Option<CheckInFilter>,
    ) -> async_graphql::Result<Connected<CheckIn>> {
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
        let found = list_check_ins::page(app, &ctx.caller(), &filter.unwrap_or_default(), &page).await;
        Ok(connected(ctx.answer(found)?, CheckIn::stored))
    }

    /// A check-in that the caller may see.
    #[graphql(directive = authenticated::apply())]
    async fn check_in(&self, ctx: &Context<'_>, #[graphql(desc = "The id.")] id: ID) -> Option<CheckIn> {
        ctx.nullable(visible(ctx, &id).await)
    }

    /// The check-ins that were made for today, newest first.
    #[graphql(directive = authenticated::apply(), directive = list_size::apply(20), directive = kept::apply(0))]
    async fn today_check_ins(&self, ctx: &Context<'_>) -> async_graphql::Result<PlainList<CheckIn>> {
        let found = ctx.answer(today_check_ins(ctx).await)?;
        Ok(found.into_iter().map(CheckIn::stored).collect())
    }

    /// Today: what is to be done, and what was.
    #[graphql(directive = authenticated::apply())]
    async fn today(&self, ctx: &Context<'_>) -> async_graphql::Result<Today> {
        let user = ctx.answer(caller::person(&ctx.caller()))?;
        ctx.answer(today_of(ctx, user).await)
    }

    /// A month of days over all habits.
    #[graphql(directive = authenticated::apply())]
    async fn calendar_view(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The month, 1 to 12.")] month: i32,
        #[graphql(desc = "The year.")] year: i32,
    ) -> async_graphql::Result<CalendarData> {
        ctx.answer(month_of(ctx, year, month).await)
    }

    /// The figures of the person who asks.
    #[graphql(directive = authenticated::apply())]
    async fn my_stats(&self, ctx: &Context<'_>) -> Option<UserStats> {
        let user = ctx.nullable(caller::person(&ctx.caller()).map(Some))?;
        ctx.nullable(person_stats(ctx, user).await)
    }

    /// The figures of an own habit.
    #[graphql(directive = authenticated::apply())]
    async fn habit_stats(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The habit.")] habit_id: ID,
    ) -> Option<Plain<HabitStats>> {
        ctx.nullable(habit_stats(ctx, &habit_id).await).map(Plain)
    }

    /// Why a day is what it is for an own habit.
    #[graphql(directive = authenticated::apply())]
    async fn explain_day(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The habit.")] habit_id: ID,
        #[graphql(desc = "The day.")] date: Date,
    ) -> async_graphql::Result<DayExplanation> {
        ctx.answer(explain_day(ctx, &habit_id, &date).await)
    }

    /// What a change of an own habit's rules would do. Nothing changes.
    #[graphql(directive = authenticated::apply())]
    async fn preview_habit_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The habit.")] id: ID,
        #[graphql(desc = "The change.")] input: PreviewHabitInput,
    ) -> async_graphql::Result<ChangePreview> {
        let habit = ctx.answer(habit(&id))?;
        let change = preview::update(loaders_and_app(ctx).1, &ctx.caller(), habit, &input).await;
        ctx.answer(change).map(ChangePreview::from)
    }

    /// What making up a day of an own habit would do. Nothing changes.
    #[graphql(directive = authenticated::apply())]
    async fn preview_makeup(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The habit.")] habit_id: ID,
        #[graphql(desc = "The day to make up.")] date: Date,
    ) -> async_graphql::Result<ChangePreview> {
        let habit = ctx.answer(habit(&habit_id))?;
        let date = ctx.answer(preview::date("date", &date))?;
        ctx.answer(preview::makeup(loaders_and_app(ctx).1, &ctx.caller(), habit, date).await)
            .map(ChangePreview::from)
    }

    /// A check-in that another domain refers to.
    #[graphql(entity)]
    async fn find_check_in_by_id(&self, ctx: &Context<'_>, id: ID) -> Option<Plain<CheckIn>> {
        ctx.nullable(visible(ctx, &id).await).map(Plain)
    }

    /// A habit whose figures are asked for.
    #[graphql(entity)]
    async fn find_habit_by_id(&self, id: ID) -> Option<Habit> {
        Some(Habit::of(id.parse().ok()?))
    }

    /// A person whose figures are asked for.
    #[graphql(entity)]
    async fn find_user_by_id(&self, id: ID) -> Option<User> {
        Some(User::of(id.parse().ok()?))
    }
}

async fn visible(ctx: &Context<'_>, id: &ID) -> Result<Option<CheckIn>> {
    let caller = ctx.caller();
    let Ok(id) = id.parse::<CheckInId>() else {
        return Ok(None);
    };
    let (loaders, _) = loaders_and_app(ctx);
    let Some(found) = loaders.check_ins.get(id).await? else {
        return Ok(None);
    };
    let is_own = caller.is_service() || caller.user_id() == Some(found.user_id);
    if !is_own {
        caller::person(&caller)?;
        let owner = loaders.fresh.get(found.user_id).await?;
        let is_shown = found.is_public && owner.is_some_and(|owner| may_see_activity(&caller, &owner));
        if !is_shown {
            return Ok(None);
        }
    }
    Ok(Some(CheckIn::stored(found)))
}

async fn today_check_ins(ctx: &Context<'_>) -> Result<Vec<CheckInDoc>> {
    let user: UserId = caller::person(&ctx.caller())?;
    let (loaders, app) = loaders_and_app(ctx);
    let owner = loaders
        .fresh
        .get(user)
        .await?
        .ok_or_else(Refusal::unauthenticated)?;
    let today = owner.known.rules.times.today(app.now()).date;
    list_check_ins::on(app, user, today).await
}

async fn month_of(ctx: &Context<'_>, year: i32, month: i32) -> Result<CalendarData> {
    let user = caller::person(&ctx.caller())?;
    let range = calendar::month(year, month)?;
    let everything = everything_of(ctx, user).await?;
    let app = loaders_and_app(ctx).1;
    let days = calendar::days(app, &everything.owner, &everything.habits, range).await?;
    Ok(CalendarData {
        year,
        month,
        days: days.into_iter().map(CalendarDay).collect(),
    })
}

async fn habit_stats(ctx: &Context<'_>, id: &ID) -> Result<Option<HabitStats>> {
    let user = caller::person(&ctx.caller())?;
    let Ok(habit) = id.parse::<HabitId>() else {
        return Ok(None);
    };
    let (loaders, app) = loaders_and_app(ctx);
    let owner = loaders
        .fresh
        .get(user)
        .await?
        .ok_or_else(Refusal::unauthenticated)?;
    let found: Option<Arc<_>> = loaders.habits.get(habit).await?;
    let Some(habit) = found.filter(|habit| habit.log.user_id == user) else {
        return Ok(None);
    };
    let outlook = habit.outlook(app, &owner).await?;
    Ok(Some(HabitStats::from(&outlook.view)))
}

async fn explain_day(ctx: &Context<'_>, id: &ID, date: &Date) -> Result<DayExplanation> {
    let caller = ctx.caller();
    let user = caller::person(&caller)?;
    let date = preview::date("date", date)?;
    let habit = habit(id)?;
    let (loaders, app) = loaders_and_app(ctx);
    let owner = loaders
        .fresh
        .get(user)
        .await?
        .ok_or_else(Refusal::unauthenticated)?;
    let found = loaders
        .habits
        .get(habit)
        .await?
        .filter(|habit| habit.log.user_id == user)
        .ok_or_else(Refusal::not_found)?;
    let days = app.days(&found.log, &owner, date..=date).await?;
    let day = days.into_iter().next().ok_or_else(Refusal::not_found)?;
    Ok(DayExplanation {
        reason: day.reason.as_str().to_owned(),
        text: texts::render(&Text::new(reason_key(day.reason)), caller.locale),
        rules_version: day.version.map(int),
        fact_id: day.fact.map(|fact| fact.to_string().into()),
        period: day.unit.as_ref().map(PeriodResult::from),
        day: HabitDay::of(habit, day),
    })
}

pub(super) fn habit(id: &ID) -> Result<HabitId, Refusal> {
    id.parse().map_err(|_| Refusal::not_found())
}
