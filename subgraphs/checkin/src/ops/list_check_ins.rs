//! Finding check-ins: the own ones, or the public ones of somebody whose activity is public.

use docstore::{Order, Query};
use jiff::civil::Date;
use kernel::{HabitId, Page, PageRequest, Principal, Result, UserId};
use subgraph::caller;
use subgraph::input::Checker;
use subgraph::lists;

use crate::app::App;
use crate::graphql::inputs::CheckInFilter;
use crate::store::CheckInDoc;

/// A list of check-ins, newest day first.
///
/// # Errors
/// `UNAUTHENTICATED`, `BAD_USER_INPUT`.
pub async fn list(
    app: &App,
    principal: &Principal,
    filter: &CheckInFilter,
    limit: Option<i32>,
) -> Result<Vec<CheckInDoc>> {
    let limit = lists::limit(limit)?;
    match query(app, principal, filter).await? {
        Some(query) => Ok(app.check_ins().find(query.limit(limit)).await?),
        None => Ok(Vec::new()),
    }
}

/// A page of check-ins, newest day first.
///
/// # Errors
/// `UNAUTHENTICATED`, `BAD_USER_INPUT`.
pub async fn page(
    app: &App,
    principal: &Principal,
    filter: &CheckInFilter,
    page: &PageRequest,
) -> Result<Page<CheckInDoc>> {
    match query(app, principal, filter).await? {
        Some(query) => Ok(app.check_ins().page(query, page).await?),
        None => Ok(Page::empty()),
    }
}

/// The check-ins that the person who asks made on a date.
///
/// # Errors
/// `UNAUTHENTICATED`.
pub async fn on(app: &App, user: UserId, date: Date) -> Result<Vec<CheckInDoc>> {
    let query = standing(user)
        .eq("date", date)
        .sort("date", Order::Desc)
        .sort("at", Order::Desc);
    Ok(app.check_ins().find(query).await?)
}

fn standing(user: UserId) -> Query {
    Query::all().eq("userId", user).eq("isUndone", false)
}

/// The judged filter; `None` where the caller may see nothing of it.
async fn query(app: &App, principal: &Principal, filter: &CheckInFilter) -> Result<Option<Query>> {
    let me = caller::person(principal)?;
    let mut check = Checker::new("filter");
    let other: Option<UserId> = check.at("userId", |check| {
        filter.user_id.as_ref().and_then(|id| check.id(id))
    });
    let habit: Option<HabitId> = check.at("habitId", |check| {
        filter.habit_id.as_ref().and_then(|id| check.id(id))
    });
    let from = check.at("from", |check| {
        filter.from.as_ref().and_then(|date| check.date(date))
    });
    let to = check.at("to", |check| filter.to.as_ref().and_then(|date| check.date(date)));
    if let (Some(from), Some(to)) = (from, to)
        && to < from
    {
        check.at("to", |check| {
            check.issue("BEFORE_START", kernel::Text::new("issue-before-start"))
        });
    }
    check.finish()?;

    let user = other.unwrap_or(me);
    let mut query = standing(user);
    if user != me {
        let is_open = app
            .users()
            .get(user)
            .await?
            .is_some_and(|log| log.known.is_activity_public);
        if !is_open {
            return Ok(None);
        }
        query = query.eq("isPublic", true);
    }
    if let Some(habit) = habit {
        query = query.eq("habitId", habit);
    }
    if let Some(from) = from {
        query = query.gte("date", from);
    }
    if let Some(to) = to {
        query = query.lte("date", to);
    }
    if let Some(tag) = &filter.tag {
        query = query.contains("tags", tag.as_str());
    }
    Ok(Some(query.sort("date", Order::Desc).sort("at", Order::Desc)))
}
