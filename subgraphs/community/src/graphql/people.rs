//! What clients get of people: what they are to each other, and what they share.

use async_graphql::{ComplexObject, Context, ID, SimpleObject};
use kernel::{Result, UserId};
use subgraph::answer::Answer;
use subgraph::caller::{self, Caller};
use subgraph::directives::list_size;
use subgraph::lists::{self, DEFAULT_LIMIT};

use super::inputs::PostFilter;
use super::types::{Post, between, loaders_and_app};
use crate::ops::list_posts;
use crate::relations::{Between, Kind, Side};

/// What the community adds to a person.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct User {
    /// The id.
    id: ID,
    #[graphql(skip)]
    user: UserId,
}

impl User {
    /// A reference to a person.
    pub fn of(user: UserId) -> Self {
        Self {
            id: user.to_string().into(),
            user,
        }
    }
}

/// What the community adds to a person.
#[ComplexObject]
impl User {
    /// What the person shares with the caller, the newest first.
    #[graphql(directive = list_size::apply(DEFAULT_LIMIT))]
    async fn posts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many at the most: 50 by default, up to 200.")] limit: Option<i32>,
    ) -> async_graphql::Result<Vec<Post>> {
        let filter = PostFilter {
            user_id: Some(self.id.clone()),
            ..PostFilter::default()
        };
        let found = list_posts::list(loaders_and_app(ctx).1, &ctx.caller(), &filter, limit).await;
        Ok(ctx.answer(found)?.into_iter().map(Post::of).collect())
    }

    /// How many follow the person.
    async fn follower_count(&self, ctx: &Context<'_>) -> async_graphql::Result<u64> {
        self.count(ctx, Side::To).await
    }

    /// How many the person follows.
    async fn following_count(&self, ctx: &Context<'_>) -> async_graphql::Result<u64> {
        self.count(ctx, Side::Of).await
    }

    /// What the person is to the caller; absent for oneself.
    async fn relationship(&self, ctx: &Context<'_>) -> Option<Relationship> {
        let caller = ctx.caller();
        if caller.user_id().is_none_or(|me| me == self.user) {
            return None;
        }
        let between = between(ctx, &caller, self.user).await.map(Some);
        ctx.nullable(between).map(Relationship::from)
    }
}

impl User {
    async fn count(&self, ctx: &Context<'_>, side: Side) -> async_graphql::Result<u64> {
        let relations = &loaders_and_app(ctx).1.relations;
        ctx.answer(relations.count(self.user, side, Kind::Follows).await)
    }
}

/// What a person is to the caller.
#[derive(SimpleObject)]
pub struct Relationship {
    /// Whether the caller follows the person.
    is_following: bool,
    /// Whether the person follows the caller.
    is_followed: bool,
    /// Whether they are friends.
    is_friend: bool,
    /// Whether the caller has asked the person for friendship.
    has_requested_friend: bool,
    /// Whether the person has asked the caller for friendship.
    is_requested_by: bool,
    /// Whether the caller blocks the person. Whom the caller is blocked by is not told.
    is_blocked: bool,
    /// Whether the caller mutes the person.
    is_muted: bool,
}

impl From<Between> for Relationship {
    fn from(between: Between) -> Self {
        Self {
            is_following: between.is_following,
            is_followed: between.is_followed,
            is_friend: between.is_friend && !between.is_apart(),
            has_requested_friend: between.has_asked,
            is_requested_by: between.is_asked,
            is_blocked: between.is_blocking,
            is_muted: between.is_muting,
        }
    }
}

/// The people on one side of what the caller is to them.
pub(super) async fn people(
    ctx: &Context<'_>,
    side: Side,
    kind: Kind,
    limit: Option<i32>,
) -> async_graphql::Result<Vec<User>> {
    Ok(ctx
        .answer(listed(ctx, side, kind, limit).await)?
        .into_iter()
        .map(User::of)
        .collect())
}

async fn listed(ctx: &Context<'_>, side: Side, kind: Kind, limit: Option<i32>) -> Result<Vec<UserId>> {
    let me = caller::person(&ctx.caller())?;
    let limit = lists::limit(limit)?;
    loaders_and_app(ctx).1.relations.list(me, side, kind, limit).await
}
