//! Finding habits: the own ones, or the public ones of somebody.

use docstore::{Order, Query};
use jiff::civil::Date;
use kernel::{Page, PageRequest, Principal, Refusal, Result, UserId};
use rules::{DayStatus, Rules};
use subgraph::caller;
use subgraph::input::Checker;
use subgraph::lists;

use crate::app::App;
use crate::graphql::inputs::HabitFilter;
use crate::store::HabitDoc;

/// A filter that was judged.
struct Judged {
    query: Query,
    due_on: Option<Date>,
    search: Option<String>,
    owner: UserId,
}

impl Judged {
    /// Whether something is asked that the store cannot answer. It is judged here: nobody has many habits.
    fn is_computed(&self) -> bool {
        self.due_on.is_some() || self.search.is_some()
    }
}

/// A list of habits, in their owner's order.
///
/// # Errors
/// `UNAUTHENTICATED`, `BAD_USER_INPUT`.
pub async fn list(
    app: &App,
    principal: &Principal,
    filter: &HabitFilter,
    limit: Option<i32>,
) -> Result<Vec<HabitDoc>> {
    let limit = lists::limit(limit)?;
    let judged = judge(principal, filter)?;
    if !judged.is_computed() {
        return Ok(app.habits().find(judged.query.limit(limit)).await?);
    }
    let all = app
        .habits()
        .find(judged.query.clone().limit(app.config.max_habits as usize))
        .await?;
    let mut found = computed(app, &judged, all).await?;
    found.truncate(limit);
    Ok(found)
}

/// A page of habits, in their owner's order.
///
/// # Errors
/// `UNAUTHENTICATED`, `BAD_USER_INPUT`.
pub async fn page(
    app: &App,
    principal: &Principal,
    filter: &HabitFilter,
    page: &PageRequest,
) -> Result<Page<HabitDoc>> {
    let judged = judge(principal, filter)?;
    let mut found = app.habits().page(judged.query.clone(), page).await?;
    if judged.is_computed() {
        // A page may be shorter than asked for; its cursors still go on where it ended.
        let habits = found.items.iter().map(|(_, habit)| habit.clone()).collect();
        let kept: Vec<_> = computed(app, &judged, habits)
            .await?
            .into_iter()
            .map(|habit| habit.id)
            .collect();
        found.items.retain(|(_, habit)| kept.contains(&habit.id));
    }
    Ok(found)
}

fn judge(principal: &Principal, filter: &HabitFilter) -> Result<Judged, Refusal> {
    let me = caller::person(principal)?;
    let mut check = Checker::new("filter");
    let other = check.at("userId", |check| {
        filter.user_id.as_ref().and_then(|id| check.id(id))
    });
    let due_on = check.at("dueOn", |check| {
        filter.due_on.as_ref().and_then(|date| check.date(date))
    });
    let search = check.at("search", |check| {
        filter.search.as_ref().and_then(|words| check.text(words, 1, 50))
    });
    let mut word = |name: &'static str, word: &Option<String>| {
        check.at(name, |check| {
            word.as_ref().and_then(|word| check.text(word, 1, 30))
        })
    };
    let (category, tag) = (word("category", &filter.category), word("tag", &filter.tag));
    check.finish()?;

    let owner: UserId = other.unwrap_or(me);
    let mut query = Query::all().eq("userId", owner).sort("position", Order::Asc);
    if owner != me {
        query = query.eq("isPublic", true);
    }
    query = query.eq("isArchived", filter.is_archived.unwrap_or(false));
    if let Some(category) = &category {
        query = query.eq("category", category.as_str());
    }
    if let Some(tag) = &tag {
        query = query.contains("tags", tag.as_str());
    }
    let search = search.map(|words| words.to_lowercase());
    Ok(Judged {
        query,
        due_on,
        search,
        owner,
    })
}

/// The habits that match in what is computed. Being due is judged by schedules: whether a habit is done is not
/// known here.
async fn computed(app: &App, judged: &Judged, mut habits: Vec<HabitDoc>) -> Result<Vec<HabitDoc>> {
    if let Some(words) = &judged.search {
        habits.retain(|habit| habit.face.title.to_lowercase().contains(words));
    }
    if let Some(date) = judged.due_on {
        let user = app.known_user(judged.owner).await?;
        let now = app.deps.clock.now();
        habits.retain(|habit| {
            let days = rules::evaluate(Rules::new(&habit.rules, &user.rules), &[], date..=date, now);
            days.first()
                .is_some_and(|day| !matches!(day.status, DayStatus::NotDue | DayStatus::Paused))
        });
    }
    Ok(habits)
}
