//! What can be asked.

use async_graphql::{Context, ID, Object};
use kernel::{CommentId, PostId, Result};
use subgraph::answer::Answer;
use subgraph::caller::{self, Caller};
use subgraph::directives::{authenticated, list_size, page_size};
use subgraph::lists::{Connected, DEFAULT_LIMIT, PageArgs, connected};

use super::inputs::PostFilter;
use super::people::{User, people};
use super::types::{CheckIn, Comment, Habit, Post, between, if_visible, loaders_and_app};
use crate::ops::list_posts;
use crate::relations::{Kind, Side};

/// What can be asked.
pub struct Query;

/// What can be asked.
#[Object]
impl Query {
    /// Posts that the caller may see, the newest first.
    #[graphql(directive = authenticated::apply(), directive = list_size::apply(DEFAULT_LIMIT))]
    async fn posts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which ones; by default everybody's.")] filter: Option<PostFilter>,
        #[graphql(desc = "How many at the most: 50 by default, up to 200.")] limit: Option<i32>,
    ) -> async_graphql::Result<Vec<Post>> {
        let app = loaders_and_app(ctx).1;
        let found = list_posts::list(app, &ctx.caller(), &filter.unwrap_or_default(), limit).await;
        Ok(ctx.answer(found)?.into_iter().map(Post::of).collect())
    }

    /// The same as pages.
    #[graphql(
        directive = authenticated::apply(),
        directive = page_size::apply(DEFAULT_LIMIT, vec!["first".to_owned(), "last".to_owned()], vec!["nodes".to_owned(), "edges".to_owned()], false)
    )]
    async fn posts_connection(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many: 50 by default, up to 200.")] first: Option<i32>,
        #[graphql(desc = "After this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, up to 200.")] last: Option<i32>,
        #[graphql(desc = "Before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which ones; by default everybody's.")] filter: Option<PostFilter>,
    ) -> async_graphql::Result<Connected<Post>> {
        let args = PageArgs {
            first,
            after,
            last,
            before,
        };
        let page = ctx.answer(args.request())?;
        let app = loaders_and_app(ctx).1;
        let found = list_posts::page(app, &ctx.caller(), &filter.unwrap_or_default(), &page).await;
        Ok(connected(ctx.answer(found)?, Post::of))
    }

    /// A post that the caller may see.
    #[graphql(directive = authenticated::apply())]
    async fn post(&self, ctx: &Context<'_>, #[graphql(desc = "The id.")] id: ID) -> Option<Post> {
        ctx.nullable(visible_post(ctx, &id).await)
    }

    /// The friends of the person who asks, the newest first.
    #[graphql(directive = authenticated::apply(), directive = list_size::apply(DEFAULT_LIMIT))]
    async fn friends(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many at the most: 50 by default, up to 200.")] limit: Option<i32>,
    ) -> async_graphql::Result<Vec<User>> {
        people(ctx, Side::Of, Kind::Friend, limit).await
    }

    /// Who has asked the person who asks for friendship, the newest first.
    #[graphql(directive = authenticated::apply(), directive = list_size::apply(DEFAULT_LIMIT))]
    async fn friend_requests(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many at the most: 50 by default, up to 200.")] limit: Option<i32>,
    ) -> async_graphql::Result<Vec<User>> {
        people(ctx, Side::To, Kind::Asked, limit).await
    }

    /// Whom the person who asks follows, the newest first.
    #[graphql(directive = authenticated::apply(), directive = list_size::apply(DEFAULT_LIMIT))]
    async fn following(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many at the most: 50 by default, up to 200.")] limit: Option<i32>,
    ) -> async_graphql::Result<Vec<User>> {
        people(ctx, Side::Of, Kind::Follows, limit).await
    }

    /// Who follows the person who asks, the newest first.
    #[graphql(directive = authenticated::apply(), directive = list_size::apply(DEFAULT_LIMIT))]
    async fn followers(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many at the most: 50 by default, up to 200.")] limit: Option<i32>,
    ) -> async_graphql::Result<Vec<User>> {
        people(ctx, Side::To, Kind::Follows, limit).await
    }

    /// Whom the person who asks blocks, the newest first.
    #[graphql(directive = authenticated::apply(), directive = list_size::apply(DEFAULT_LIMIT))]
    async fn blocked_users(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many at the most: 50 by default, up to 200.")] limit: Option<i32>,
    ) -> async_graphql::Result<Vec<User>> {
        people(ctx, Side::Of, Kind::Blocks, limit).await
    }

    /// Whom the person who asks mutes, the newest first.
    #[graphql(directive = authenticated::apply(), directive = list_size::apply(DEFAULT_LIMIT))]
    async fn muted_users(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many at the most: 50 by default, up to 200.")] limit: Option<i32>,
    ) -> async_graphql::Result<Vec<User>> {
        people(ctx, Side::Of, Kind::Mutes, limit).await
    }

    /// A post that another domain refers to.
    #[graphql(entity)]
    async fn find_post_by_id(&self, ctx: &Context<'_>, id: ID) -> Option<Post> {
        ctx.nullable(visible_post(ctx, &id).await)
    }

    /// A comment that another domain refers to.
    #[graphql(entity)]
    async fn find_comment_by_id(&self, ctx: &Context<'_>, id: ID) -> Option<Comment> {
        ctx.nullable(visible_comment(ctx, &id).await)
    }

    /// A habit whose posts are asked for.
    #[graphql(entity)]
    async fn find_habit_by_id(&self, id: ID) -> Option<Habit> {
        Some(Habit::of(id.parse().ok()?))
    }

    /// A check-in whose post is asked for.
    #[graphql(entity)]
    async fn find_check_in_by_id(&self, id: ID) -> Option<CheckIn> {
        Some(CheckIn::of(id.parse().ok()?))
    }

    /// A person whose posts or relations are asked for.
    #[graphql(entity)]
    async fn find_user_by_id(&self, id: ID) -> Option<User> {
        Some(User::of(id.parse().ok()?))
    }
}

async fn visible_post(ctx: &Context<'_>, id: &ID) -> Result<Option<Post>> {
    let Ok(id) = id.parse::<PostId>() else {
        return Ok(None);
    };
    let found = loaders_and_app(ctx).0.posts.get(id).await?;
    if_visible(ctx, found).await
}

async fn visible_comment(ctx: &Context<'_>, id: &ID) -> Result<Option<Comment>> {
    let Ok(id) = id.parse::<CommentId>() else {
        return Ok(None);
    };
    let (loaders, caller) = (loaders_and_app(ctx).0, ctx.caller());
    let Some(comment) = loaders.comments.get(id).await? else {
        return Ok(None);
    };
    if !caller.is_service() {
        caller::person(&caller)?;
    }
    let is_apart = between(ctx, &caller, comment.user_id).await?.is_apart();
    let post = if_visible(ctx, loaders.posts.get(comment.post_id).await?).await?;
    Ok((post.is_some() && !is_apart).then(|| Comment::of(comment)))
}
