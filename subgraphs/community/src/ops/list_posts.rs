//! Finding posts that somebody may see, newest first.

use std::collections::BTreeSet;

use docstore::{Filter, Order, Query};
use kernel::{HabitId, Page, PageRequest, Principal, Result, UserId};
use subgraph::input::Checker;
use subgraph::{caller, lists};

use crate::app::App;
use crate::graphql::inputs::{Feed, PostFilter};
use crate::store::PostDoc;

/// A list of posts.
///
/// # Errors
/// `UNAUTHENTICATED`, `BAD_USER_INPUT`.
pub async fn list(
    app: &App,
    principal: &Principal,
    filter: &PostFilter,
    limit: Option<i32>,
) -> Result<Vec<PostDoc>> {
    let limit = lists::limit(limit)?;
    match query(app, principal, filter).await? {
        Some(query) => Ok(app.posts().find(query.limit(limit)).await?),
        None => Ok(Vec::new()),
    }
}

/// A page of posts.
///
/// # Errors
/// `UNAUTHENTICATED`, `BAD_USER_INPUT`.
pub async fn page(
    app: &App,
    principal: &Principal,
    filter: &PostFilter,
    page: &PageRequest,
) -> Result<Page<PostDoc>> {
    match query(app, principal, filter).await? {
        Some(query) => Ok(app.posts().page(query, page).await?),
        None => Ok(Page::empty()),
    }
}

/// The judged filter; `None` where the caller may see nothing of it.
async fn query(app: &App, principal: &Principal, filter: &PostFilter) -> Result<Option<Query>> {
    let me = caller::person(principal)?;
    let mut check = Checker::new("filter");
    let author: Option<UserId> = check.at("userId", |check| {
        filter.user_id.as_ref().and_then(|id| check.id(id))
    });
    let habit: Option<HabitId> = check.at("habitId", |check| {
        filter.habit_id.as_ref().and_then(|id| check.id(id))
    });
    let tag = check.at("tag", |check| {
        filter.tag.as_ref().and_then(|tag| check.text(tag, 1, 30))
    });
    check.finish()?;

    let seen = match author {
        Some(author) => of_author(app, me, author).await?,
        None if filter.feed == Some(Feed::Following) => of_followed(app, me).await?,
        None => Some(of_all(app, me).await?),
    };
    let Some(mut query) = seen else { return Ok(None) };
    if let Some(kind) = filter.kind {
        query = query.eq("type", kind.name());
    }
    if let Some(habit) = habit {
        query = query.eq("habitId", habit);
    }
    if let Some(tag) = tag {
        query = query.contains("tags", tag);
    }
    Ok(Some(query.sort("createdAt", Order::Desc)))
}

/// What somebody shows the person who asks.
async fn of_author(app: &App, me: UserId, author: UserId) -> Result<Option<Query>> {
    let query = Query::all().eq("userId", author);
    if author == me {
        return Ok(Some(query));
    }
    let between = app.between(me, author).await?;
    if between.is_apart() {
        return Ok(None);
    }
    Ok(Some(if between.is_friend {
        query.is_in("visibility", ["public", "friends"])
    } else {
        query.eq("visibility", "public")
    }))
}

/// What those show whom somebody follows. Asked by author, so that it costs as much as is followed, not as is posted.
async fn of_followed(app: &App, me: UserId) -> Result<Option<Query>> {
    let around = app.relations.around(me).await?;
    let followed = around.follows.difference(&around.hidden).copied();
    let followed: Vec<UserId> = followed.collect();
    if followed.is_empty() {
        return Ok(None);
    }
    let query = Query::all().is_in("userId", followed);
    Ok(Some(query.filter(seen_by(me, around.friends))))
}

/// What everybody shows.
async fn of_all(app: &App, me: UserId) -> Result<Query> {
    let around = app.relations.around(me).await?;
    let query = Query::all().filter(seen_by(me, around.friends));
    if around.hidden.is_empty() {
        return Ok(query);
    }
    let hidden = around.hidden.into_iter().map(Into::into).collect();
    Ok(query.filter(Filter::Not(Box::new(Filter::In("userId".to_owned(), hidden)))))
}

/// Whatever is public, one's own, and what friends show their friends.
fn seen_by(me: UserId, friends: BTreeSet<UserId>) -> Filter {
    let visibility = |name: &str| Filter::Eq("visibility".to_owned(), name.into());
    let mut any = vec![visibility("public"), Filter::Eq("userId".to_owned(), me.into())];
    if !friends.is_empty() {
        let friends = friends.into_iter().map(Into::into).collect();
        let by_friends = Filter::In("userId".to_owned(), friends);
        any.push(Filter::And(vec![visibility("friends"), by_friends]));
    }
    Filter::Or(any)
}
