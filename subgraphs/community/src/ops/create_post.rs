//! Sharing something.

use docstore::{Batch, ConflictKind};
use kernel::{CheckInId, HabitId, Principal, Refusal, Result, Text, UserId};
use subgraph::idempotency::Idempotent;
use subgraph::input::Checker;
use subgraph::messages::PostCreated;
use subgraph::visibility::Visibility;
use subgraph::{caller, peers};

use crate::app::App;
use crate::graphql::inputs::CreatePostInput;
use crate::store::{PostDoc, PostType};

/// Longest words of a post.
const MAX_CONTENT: usize = 2000;

/// Shares something.
///
/// # Errors
/// `BAD_USER_INPUT`, also for a habit or check-in of somebody else; `CONFLICT` with `ALREADY_POSTED` for a check-in that
/// a post shows already, or with `IDEMPOTENCY_MISMATCH`.
pub async fn create_post(app: &App, principal: &Principal, input: &CreatePostInput) -> Result<PostDoc> {
    let user = caller::person(principal)?;
    let idempotent = Idempotent::new(user, "createPost", input.idempotency_key.as_deref(), input);
    let post = judged(app, user, input).await?;

    docstore::retry_stale(async || {
        if let Some(idempotent) = &idempotent
            && let Some(id) = idempotent.earlier::<kernel::kinds::Post>(&app.deps.store).await?
        {
            // What was deleted since stays deleted.
            return Ok(app.posts().get(id).await?.ok_or_else(Refusal::not_found)?);
        }
        let mut batch = Batch::new();
        batch.insert(&post);
        let event = PostCreated {
            post_id: post.id,
            check_in_id: post.check_in_id,
        };
        app.deps.outbox.emit(&mut batch, user, &event)?;
        if let Some(idempotent) = &idempotent {
            idempotent.remember(&mut batch, post.id, app.deps.clock.now());
        }
        match app.deps.store.commit(batch).await {
            Err(docstore::Error::Conflict(conflict))
                if conflict.kind == ConflictKind::Duplicate
                    && conflict.index.as_deref() == Some("checkIn") =>
            {
                Err(Refusal::conflict("ALREADY_POSTED", Text::new("already-posted")).into())
            }
            other => Ok(other.map(|()| post.clone())?),
        }
    })
    .await
}

async fn judged(app: &App, user: UserId, input: &CreatePostInput) -> Result<PostDoc> {
    let mut check = Checker::new("input");
    let content = check.at("content", |check| {
        check.text(input.content.as_deref().unwrap_or_default(), 0, MAX_CONTENT)
    });
    let images = check.images(input.images.as_deref().unwrap_or_default());
    let tags = check.tags(input.tags.as_deref().unwrap_or_default());
    let location = input.location.as_ref().and_then(|place| place.judged(&mut check));
    let habit = own_habit(app, &mut check, user, input).await?;
    let check_in = own_check_in(app, &mut check, user, input).await?;
    check.idempotency_key(input.idempotency_key.as_deref());
    let kind = input.kind.unwrap_or(if input.check_in_id.is_some() {
        PostType::CheckIn
    } else {
        PostType::Normal
    });
    if (kind == PostType::CheckIn) != input.check_in_id.is_some() {
        check.at("type", |check| {
            check.issue("CONTRADICTION", Text::new("issue-contradiction"));
        });
    }
    let says_nothing = content.as_deref() == Some("") && images.is_empty() && input.check_in_id.is_none();
    if says_nothing && check.is_clean() {
        check.at("content", |check| {
            check.issue("REQUIRED", Text::new("issue-required"));
        });
    }
    check.finish()?;
    let now = app.deps.clock.now();
    Ok(PostDoc {
        id: app.deps.random.id(now),
        version: 0,
        user_id: user,
        kind,
        content: content.unwrap_or_default(),
        images,
        habit_id: habit,
        check_in_id: check_in,
        location,
        visibility: input.visibility.unwrap_or(Visibility::Public),
        tags,
        likes: 0,
        comments: 0,
        created_at: now.as_millisecond(),
        updated_at: now.as_millisecond(),
    })
}

async fn own_habit(
    app: &App,
    check: &mut Checker,
    user: UserId,
    input: &CreatePostInput,
) -> Result<Option<HabitId>> {
    let Some(id) = &input.habit_id else {
        return Ok(None);
    };
    let Some(habit) = check.at("habitId", |check| check.id(id)) else {
        return Ok(None);
    };
    if peers::habit_owner(&app.deps.peers, habit).await? == Some(user) {
        return Ok(Some(habit));
    }
    not_found(check, "habitId");
    Ok(None)
}

async fn own_check_in(
    app: &App,
    check: &mut Checker,
    user: UserId,
    input: &CreatePostInput,
) -> Result<Option<CheckInId>> {
    let Some(id) = &input.check_in_id else {
        return Ok(None);
    };
    let Some(check_in) = check.at("checkInId", |check| check.id(id)) else {
        return Ok(None);
    };
    if peers::check_in_owner(&app.deps.peers, check_in).await? == Some(user) {
        return Ok(Some(check_in));
    }
    not_found(check, "checkInId");
    Ok(None)
}

fn not_found(check: &mut Checker, field: &'static str) {
    check.at(field, |check| {
        check.issue("NOT_FOUND", Text::new("issue-not-found"));
    });
}
