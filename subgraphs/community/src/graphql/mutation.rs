//! What can be changed.

use async_graphql::{Context, ID, Object};
use kernel::{Id, Refusal};
use subgraph::answer::Answer;
use subgraph::caller::Caller;
use subgraph::directives::authenticated;

use super::inputs::{CreateCommentInput, CreatePostInput};
use super::people::User;
use super::types::{Comment, Post, loaders_and_app};
use crate::ops::relate::{Act, relate};
use crate::ops::{comment, create_post, delete_post, like_post};

/// What can be changed.
pub struct Mutation;

/// What can be changed.
#[Object]
impl Mutation {
    /// Shares something.
    #[graphql(directive = authenticated::apply())]
    async fn create_post(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The post.")] input: CreatePostInput,
    ) -> async_graphql::Result<Post> {
        let app = loaders_and_app(ctx).1;
        let created = create_post::create_post(app, &ctx.caller(), &input).await;
        ctx.answer(created).map(Post::of)
    }

    /// Deletes a post with its likes and comments, for good.
    #[graphql(directive = authenticated::apply())]
    async fn delete_post(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The post.")] id: ID,
    ) -> async_graphql::Result<bool> {
        let id = ctx.answer(known(&id))?;
        ctx.answer(delete_post::delete_post(loaders_and_app(ctx).1, &ctx.caller(), id).await)?;
        Ok(true)
    }

    /// Likes a post. To like it again changes nothing.
    #[graphql(directive = authenticated::apply())]
    async fn like_post(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The post.")] id: ID,
    ) -> async_graphql::Result<Post> {
        likes(ctx, &id, true).await
    }

    /// No longer likes a post.
    #[graphql(directive = authenticated::apply())]
    async fn unlike_post(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The post.")] id: ID,
    ) -> async_graphql::Result<Post> {
        likes(ctx, &id, false).await
    }

    /// Comments on a post.
    #[graphql(directive = authenticated::apply())]
    async fn create_comment(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The post.")] post_id: ID,
        #[graphql(desc = "The comment.")] input: CreateCommentInput,
    ) -> async_graphql::Result<Comment> {
        let id = ctx.answer(known(&post_id))?;
        let app = loaders_and_app(ctx).1;
        let created = comment::create_comment(app, &ctx.caller(), id, &input).await;
        ctx.answer(created).map(Comment::of)
    }

    /// Deletes a comment: one's own, or one on an own post.
    #[graphql(directive = authenticated::apply())]
    async fn delete_comment(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The comment.")] id: ID,
    ) -> async_graphql::Result<bool> {
        let id = ctx.answer(known(&id))?;
        ctx.answer(comment::delete_comment(loaders_and_app(ctx).1, &ctx.caller(), id).await)?;
        Ok(true)
    }

    /// Follows somebody, and gives them.
    #[graphql(directive = authenticated::apply())]
    async fn follow_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The person.")] id: ID,
    ) -> async_graphql::Result<User> {
        act(ctx, Act::Follow, &id).await
    }

    /// No longer follows somebody, and gives them.
    #[graphql(directive = authenticated::apply())]
    async fn unfollow_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The person.")] id: ID,
    ) -> async_graphql::Result<User> {
        act(ctx, Act::Unfollow, &id).await
    }

    /// Asks somebody for friendship, and gives them. Who has asked before oneself is a friend then.
    #[graphql(directive = authenticated::apply())]
    async fn request_friend(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The person.")] id: ID,
    ) -> async_graphql::Result<User> {
        act(ctx, Act::RequestFriend, &id).await
    }

    /// Makes friends with somebody who has asked, and gives them.
    #[graphql(directive = authenticated::apply())]
    async fn accept_friend(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The person.")] id: ID,
    ) -> async_graphql::Result<User> {
        act(ctx, Act::AcceptFriend, &id).await
    }

    /// Ends a friendship, takes back a request for one, or declines it, and gives the other person.
    #[graphql(directive = authenticated::apply())]
    async fn remove_friend(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The person.")] id: ID,
    ) -> async_graphql::Result<User> {
        act(ctx, Act::RemoveFriend, &id).await
    }

    /// Blocks somebody: neither sees anything of the other, and friendship and following end. Gives them.
    #[graphql(directive = authenticated::apply())]
    async fn block_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The person.")] id: ID,
    ) -> async_graphql::Result<User> {
        act(ctx, Act::Block, &id).await
    }

    /// No longer blocks somebody, and gives them.
    #[graphql(directive = authenticated::apply())]
    async fn unblock_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The person.")] id: ID,
    ) -> async_graphql::Result<User> {
        act(ctx, Act::Unblock, &id).await
    }

    /// Leaves the posts of somebody out of lists, and gives them.
    #[graphql(directive = authenticated::apply())]
    async fn mute_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The person.")] id: ID,
    ) -> async_graphql::Result<User> {
        act(ctx, Act::Mute, &id).await
    }

    /// No longer leaves the posts of somebody out of lists, and gives them.
    #[graphql(directive = authenticated::apply())]
    async fn unmute_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The person.")] id: ID,
    ) -> async_graphql::Result<User> {
        act(ctx, Act::Unmute, &id).await
    }
}

async fn likes(ctx: &Context<'_>, id: &ID, likes: bool) -> async_graphql::Result<Post> {
    let id = ctx.answer(known(id))?;
    let app = loaders_and_app(ctx).1;
    let changed = like_post::like_post(app, &ctx.caller(), id, likes).await;
    ctx.answer(changed).map(Post::of)
}

async fn act(ctx: &Context<'_>, act: Act, id: &ID) -> async_graphql::Result<User> {
    let done = relate(loaders_and_app(ctx).1, &ctx.caller(), act, id).await;
    ctx.answer(done).map(User::of)
}

fn known<T>(id: &ID) -> Result<Id<T>, Refusal> {
    id.parse().map_err(|_| Refusal::not_found())
}
