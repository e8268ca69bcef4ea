//! Saying something of a post, and taking it back.

use docstore::{Batch, ConflictKind, Update};
use kernel::{CommentId, PostId, Principal, Refusal, Result, Text, UserId};
use subgraph::caller;
use subgraph::idempotency::Idempotent;
use subgraph::input::Checker;
use subgraph::messages::{CommentCreated, CommentDeleted};

use super::see;
use crate::app::App;
use crate::graphql::inputs::CreateCommentInput;
use crate::store::{CommentDoc, PostDoc};

/// Longest words of a comment.
const MAX_CONTENT: usize = 500;

/// Comments on a post.
///
/// # Errors
/// `NOT_FOUND` where there is no post that the person may see; `BAD_USER_INPUT`; `CONFLICT` with `IDEMPOTENCY_MISMATCH`.
pub async fn create_comment(
    app: &App,
    principal: &Principal,
    post_id: PostId,
    input: &CreateCommentInput,
) -> Result<CommentDoc> {
    let user = caller::person(principal)?;
    let asked = (post_id, input);
    let idempotent = Idempotent::new(user, "createComment", input.idempotency_key.as_deref(), &asked);
    let (content, reply_to) = judged(input)?;
    let now = app.deps.clock.now();
    let comment = CommentDoc {
        id: app.deps.random.id(now),
        version: 0,
        post_id,
        user_id: user,
        content,
        reply_to,
        created_at: now.as_millisecond(),
    };
    docstore::retry_stale(async || {
        if let Some(idempotent) = &idempotent
            && let Some(id) = idempotent
                .earlier::<kernel::kinds::Comment>(&app.deps.store)
                .await?
        {
            return Ok(app.comments().get(id).await?.ok_or_else(Refusal::not_found)?);
        }
        let post = see::post(app, principal, post_id).await?;
        let answered_id = match reply_to {
            Some(id) => Some(answered(app, user, &post, id).await?),
            None => None,
        };
        let mut batch = Batch::new();
        batch.insert(&comment);
        batch.update::<PostDoc>(post_id, Update::new().inc("comments", 1));
        let event = CommentCreated {
            comment_id: comment.id,
            post_id,
            author_id: post.user_id,
            answered_id,
        };
        app.deps.outbox.emit(&mut batch, user, &event)?;
        if let Some(idempotent) = &idempotent {
            idempotent.remember(&mut batch, comment.id, now);
        }
        committed(app, batch).await?;
        Ok(comment.clone())
    })
    .await
}

/// Deletes a comment: its author may, the author of the post, and moderators.
///
/// # Errors
/// `NOT_FOUND` where there is none that the person may see, `FORBIDDEN` where it is not theirs to delete.
pub async fn delete_comment(app: &App, principal: &Principal, id: CommentId) -> Result<()> {
    let user = caller::person(principal)?;
    docstore::retry_stale(async || {
        let comment = app.comments().get(id).await?.ok_or_else(Refusal::not_found)?;
        if !principal.may(auth::permissions::CONTENT_MODERATE) {
            let post = see::post(app, principal, comment.post_id).await?;
            if ![comment.user_id, post.user_id].contains(&user) {
                return Err(Refusal::forbidden().into());
            }
        }
        let mut batch = Batch::new();
        batch.delete_version::<CommentDoc>(&comment);
        let count = Update::new().inc("comments", -1).or_ignore();
        batch.update::<PostDoc>(comment.post_id, count);
        let event = CommentDeleted {
            comment_id: id,
            post_id: comment.post_id,
        };
        app.deps.outbox.emit(&mut batch, comment.user_id, &event)?;
        Ok(app.deps.store.commit(batch).await?)
    })
    .await
}

fn judged(input: &CreateCommentInput) -> Result<(String, Option<CommentId>)> {
    let mut check = Checker::new("input");
    let content = check.at("content", |check| check.text(&input.content, 1, MAX_CONTENT));
    let reply_to = check.at("replyTo", |check| {
        input.reply_to.as_ref().and_then(|id| check.id(id))
    });
    check.idempotency_key(input.idempotency_key.as_deref());
    check.finish()?;
    Ok((content.unwrap_or_default(), reply_to))
}

/// Who wrote the comment of the same post that is answered: nobody from whom a block keeps the person apart.
async fn answered(app: &App, me: UserId, post: &PostDoc, id: CommentId) -> Result<UserId> {
    let found = app.comments().get(id).await?;
    if let Some(found) = found.filter(|found| found.post_id == post.id)
        && !app.between(me, found.user_id).await?.is_apart()
    {
        return Ok(found.user_id);
    }
    let mut check = Checker::new("input");
    check.at("replyTo", |check| {
        check.issue("NOT_FOUND", Text::new("issue-not-found"));
    });
    check.finish()?;
    Err(Refusal::not_found().into())
}

/// Commits what needs the post, which may have been deleted meanwhile.
async fn committed(app: &App, batch: Batch) -> Result<()> {
    match app.deps.store.commit(batch).await {
        Err(docstore::Error::Conflict(conflict)) if conflict.kind == ConflictKind::Missing => {
            Err(Refusal::not_found().into())
        }
        other => Ok(other?),
    }
}
