//! What somebody was told, the newest first.

use docstore::{Order, Query};
use kernel::{Page, PageRequest, Principal, Result};
use subgraph::{caller, lists};

use crate::app::App;
use crate::graphql::inputs::NotificationFilter;
use crate::store::{Kind, NotificationDoc};

/// A list of the person's notifications.
///
/// # Errors
/// `UNAUTHENTICATED`, `BAD_USER_INPUT`.
pub async fn list(
    app: &App,
    principal: &Principal,
    filter: &NotificationFilter,
    limit: Option<i32>,
) -> Result<Vec<NotificationDoc>> {
    let limit = lists::limit(limit)?;
    let query = query(principal, filter)?.limit(limit);
    Ok(app.notifications().find(query).await?)
}

/// The same as a page. What is told meanwhile comes before all pages, so that they stay as they are.
///
/// # Errors
/// `UNAUTHENTICATED`, `BAD_USER_INPUT`.
pub async fn page(
    app: &App,
    principal: &Principal,
    filter: &NotificationFilter,
    page: &PageRequest,
) -> Result<Page<NotificationDoc>> {
    Ok(app.notifications().page(query(principal, filter)?, page).await?)
}

fn query(principal: &Principal, filter: &NotificationFilter) -> Result<Query> {
    let mut query = Query::all()
        .eq("userId", caller::person(principal)?)
        .sort("position", Order::Desc);
    if let Some(is_unread) = filter.is_unread {
        query = query.eq("isRead", !is_unread);
    }
    if let Some(types) = &filter.types {
        query = query.is_in("type", types.iter().copied().map(Kind::stored));
    }
    Ok(query)
}
