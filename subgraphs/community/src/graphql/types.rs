//! What clients get of posts.

use std::sync::Arc;

use async_graphql::{ComplexObject, Context, ID, Object, SimpleObject};
use docstore::{Order, Query as Find};
use jiff::Timestamp;
use kernel::{CheckInId, HabitId, Page, PageRequest, PostId, Principal, Result, UserId};
use subgraph::answer::Answer;
use subgraph::caller::Caller;
use subgraph::directives::{list_size, page_size};
use subgraph::lists::{self, Connected, DEFAULT_LIMIT, PageArgs, connected};
use subgraph::place::Location;
use subgraph::scalars::{DateTime, Url};
use subgraph::visibility::Visibility;

use super::inputs::PostFilter;
use super::loaders::Loaders;
use super::people::User;
use crate::app::App;
use crate::ops::list_posts;
use crate::relations::Between;
use crate::store::{CommentDoc, LikeDoc, PostDoc, PostType};

/// What somebody shares.
pub struct Post(pub(super) Arc<PostDoc>);

impl Post {
    /// A post that the caller may see.
    pub fn of(post: impl Into<Arc<PostDoc>>) -> Self {
        Self(post.into())
    }
}

/// What somebody shares.
#[Object]
impl Post {
    /// The id.
    async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// Who shares it.
    async fn user_id(&self) -> ID {
        self.0.user_id.to_string().into()
    }

    /// Who shares it, where the caller may see them.
    async fn user(&self) -> Option<User> {
        Some(User::of(self.0.user_id))
    }

    /// What it is.
    #[graphql(name = "type")]
    async fn kind(&self) -> PostType {
        self.0.kind
    }

    /// Some words.
    async fn content(&self) -> &str {
        &self.0.content
    }

    /// Addresses of pictures.
    #[graphql(directive = list_size::apply(9))]
    async fn images(&self) -> Vec<Url> {
        self.0.images.iter().cloned().map(Url).collect()
    }

    /// The habit that it is about.
    async fn habit_id(&self) -> Option<ID> {
        self.0.habit_id.map(|id| id.to_string().into())
    }

    /// The habit that it is about, where the caller may see it.
    async fn habit(&self) -> Option<Habit> {
        self.0.habit_id.map(Habit::of)
    }

    /// The check-in that it shows.
    async fn check_in_id(&self) -> Option<ID> {
        self.0.check_in_id.map(|id| id.to_string().into())
    }

    /// The check-in that it shows, where the caller may see it.
    async fn check_in(&self) -> Option<CheckIn> {
        self.0.check_in_id.map(CheckIn::of)
    }

    /// Where it was.
    async fn location(&self) -> Option<&Location> {
        self.0.location.as_ref()
    }

    /// Who sees it.
    async fn visibility(&self) -> Visibility {
        self.0.visibility
    }

    /// How many like it.
    async fn like_count(&self) -> i64 {
        self.0.likes
    }

    /// Whether the caller likes it.
    async fn is_liked(&self, ctx: &Context<'_>) -> async_graphql::Result<bool> {
        let Some(me) = ctx.caller().user_id() else {
            return Ok(false);
        };
        let like = loaders_and_app(ctx).0.likes.get((self.0.id, me)).await;
        Ok(ctx.answer(like)?.is_some())
    }

    /// Who likes it, the newest first.
    #[graphql(directive = list_size::apply(DEFAULT_LIMIT))]
    async fn likes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many at the most: 50 by default, up to 200.")] limit: Option<i32>,
    ) -> async_graphql::Result<Vec<ID>> {
        let likes = ctx.answer(likes(ctx, self.0.id, limit).await)?;
        Ok(likes.into_iter().map(|user| user.to_string().into()).collect())
    }

    /// How many comments there are.
    async fn comment_count(&self) -> i64 {
        self.0.comments
    }

    /// The comments, the oldest first.
    #[graphql(directive = list_size::apply(DEFAULT_LIMIT))]
    async fn comments(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many at the most: 50 by default, up to 200.")] limit: Option<i32>,
    ) -> async_graphql::Result<Vec<Comment>> {
        let comments = ctx.answer(comments(ctx, self.0.id, limit).await)?;
        Ok(comments.into_iter().map(Comment::of).collect())
    }

    /// The same as pages. What a block keeps from the caller is left out, so that a page may be shorter.
    #[graphql(directive = page_size::apply(DEFAULT_LIMIT, vec!["first".to_owned(), "last".to_owned()], vec!["nodes".to_owned(), "edges".to_owned()], false))]
    async fn comments_connection(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many: 50 by default, up to 200.")] first: Option<i32>,
        #[graphql(desc = "After this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, up to 200.")] last: Option<i32>,
        #[graphql(desc = "Before this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<Connected<Comment>> {
        let args = PageArgs {
            first,
            after,
            last,
            before,
        };
        let page = ctx.answer(args.request())?;
        let found = ctx.answer(comments_page(ctx, self.0.id, &page).await)?;
        Ok(connected(found, Comment::of))
    }

    /// When it was shared.
    async fn created_at(&self) -> DateTime {
        instant(self.0.created_at)
    }

    /// When it was last changed.
    async fn updated_at(&self) -> DateTime {
        instant(self.0.updated_at)
    }

    /// Words to find it by.
    #[graphql(directive = list_size::apply(20))]
    async fn tags(&self) -> &[String] {
        &self.0.tags
    }
}

/// What somebody says of a post.
pub struct Comment(Arc<CommentDoc>);

impl Comment {
    /// A comment of a post that the caller may see.
    pub fn of(comment: impl Into<Arc<CommentDoc>>) -> Self {
        Self(comment.into())
    }
}

/// What somebody says of a post.
#[Object]
impl Comment {
    /// The id.
    async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// The post's id.
    async fn post_id(&self) -> ID {
        self.0.post_id.to_string().into()
    }

    /// Who says it.
    async fn user_id(&self) -> ID {
        self.0.user_id.to_string().into()
    }

    /// Who says it, where the caller may see them.
    async fn user(&self) -> Option<User> {
        Some(User::of(self.0.user_id))
    }

    /// The words.
    async fn content(&self) -> &str {
        &self.0.content
    }

    /// When it was said.
    async fn created_at(&self) -> DateTime {
        instant(self.0.created_at)
    }

    /// The comment that it answers, which may be gone.
    async fn reply_to(&self) -> Option<ID> {
        self.0.reply_to.map(|id| id.to_string().into())
    }
}

/// What the community adds to a habit.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct Habit {
    /// The id.
    id: ID,
    #[graphql(skip)]
    habit: HabitId,
}

impl Habit {
    /// A reference to a habit.
    pub fn of(habit: HabitId) -> Self {
        Self {
            id: habit.to_string().into(),
            habit,
        }
    }
}

/// What the community adds to a habit.
#[ComplexObject]
impl Habit {
    /// Posts about it that the caller may see, the newest first.
    #[graphql(directive = list_size::apply(DEFAULT_LIMIT))]
    async fn posts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many at the most: 50 by default, up to 200.")] limit: Option<i32>,
    ) -> async_graphql::Result<Vec<Post>> {
        let filter = PostFilter {
            habit_id: Some(self.habit.to_string().into()),
            ..PostFilter::default()
        };
        let found = list_posts::list(loaders_and_app(ctx).1, &ctx.caller(), &filter, limit).await;
        Ok(ctx.answer(found)?.into_iter().map(Post::of).collect())
    }
}

/// What the community adds to a check-in.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct CheckIn {
    /// The id.
    id: ID,
    #[graphql(skip)]
    check_in: CheckInId,
}

impl CheckIn {
    /// A reference to a check-in.
    pub fn of(check_in: CheckInId) -> Self {
        Self {
            id: check_in.to_string().into(),
            check_in,
        }
    }
}

/// What the community adds to a check-in.
#[ComplexObject]
impl CheckIn {
    /// The post that shows it, where the caller may see it.
    async fn post(&self, ctx: &Context<'_>) -> Option<Post> {
        let shown = async {
            let found = loaders_and_app(ctx).0.of_check_ins.get(self.check_in).await?;
            if_visible(ctx, found).await
        };
        ctx.nullable(shown.await)
    }
}

/// A post that was found, where the caller may see it.
pub(super) async fn if_visible(ctx: &Context<'_>, found: Option<Arc<PostDoc>>) -> Result<Option<Post>> {
    let Some(post) = found else { return Ok(None) };
    let caller = ctx.caller();
    let between = between(ctx, &caller, post.user_id).await?;
    Ok(post.is_visible_to(&caller, &between).then_some(Post(post)))
}

/// What stands between the caller and somebody.
pub(super) async fn between(ctx: &Context<'_>, caller: &Principal, other: UserId) -> Result<Between> {
    match caller.user_id() {
        Some(me) if me != other => {
            let found = loaders_and_app(ctx).0.between.get((me, other)).await?;
            Ok(found.unwrap_or_default())
        }
        _ => Ok(Between::default()),
    }
}

/// Without those from whom the caller is kept apart by a block.
async fn not_apart<T>(ctx: &Context<'_>, found: Vec<T>, of: impl Fn(&T) -> UserId) -> Result<Vec<T>> {
    let caller = ctx.caller();
    let sides = found.iter().map(|one| between(ctx, &caller, of(one)));
    let sides = futures::future::try_join_all(sides).await?;
    let seen = found.into_iter().zip(sides);
    Ok(seen
        .filter(|(_, between)| !between.is_apart())
        .map(|(one, _)| one)
        .collect())
}

async fn likes(ctx: &Context<'_>, post: PostId, limit: Option<i32>) -> Result<Vec<UserId>> {
    let newest = Find::all()
        .eq("postId", post)
        .sort("createdAt", Order::Desc)
        .limit(lists::limit(limit)?);
    let found: Vec<LikeDoc> = loaders_and_app(ctx).1.likes().find(newest).await?;
    let users = found.into_iter().map(|like| like.user_id).collect();
    not_apart(ctx, users, |user| *user).await
}

fn comments_of(post: PostId) -> Find {
    Find::all().eq("postId", post).sort("createdAt", Order::Asc)
}

async fn comments(ctx: &Context<'_>, post: PostId, limit: Option<i32>) -> Result<Vec<CommentDoc>> {
    let oldest = comments_of(post).limit(lists::limit(limit)?);
    let found = loaders_and_app(ctx).1.comments().find(oldest).await?;
    not_apart(ctx, found, |comment| comment.user_id).await
}

async fn comments_page(ctx: &Context<'_>, post: PostId, page: &PageRequest) -> Result<Page<CommentDoc>> {
    let comments = loaders_and_app(ctx).1.comments();
    let mut found = comments.page(comments_of(post), page).await?;
    found.items = not_apart(ctx, found.items, |(_, comment)| comment.user_id).await?;
    Ok(found)
}

fn instant(millisecond: i64) -> DateTime {
    Timestamp::from_millisecond(millisecond)
        .unwrap_or_default()
        .into()
}

pub(super) fn loaders_and_app<'a>(ctx: &Context<'a>) -> (&'a Loaders, &'a App) {
    (ctx.data_unchecked::<Arc<Loaders>>(), ctx.data_unchecked())
}
