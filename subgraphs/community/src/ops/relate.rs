//! What people become to each other: follow, friendship, block, mute.

use async_graphql::ID;
use docstore::Batch;
use kernel::{Principal, Refusal, Result, Text, UserId};
use subgraph::messages::{FriendAccepted, FriendRequested, RelationsChanged, UserFollowed};
use subgraph::{caller, peers};

use crate::app::App;
use crate::relations::Kind;

/// Something that somebody does about somebody else. Each may be done again, and changes nothing then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Sees their posts first.
    Follow,
    /// No longer does.
    Unfollow,
    /// Asks for friendship; where the other one has asked, they are friends.
    RequestFriend,
    /// Makes friends with somebody who has asked.
    AcceptFriend,
    /// Ends the friendship, takes back one's request, or declines the other one's.
    RemoveFriend,
    /// Ends everything between the two and keeps it from coming back.
    Block,
    /// No longer does.
    Unblock,
    /// Leaves their posts out of lists.
    Mute,
    /// No longer does.
    Unmute,
}

/// Does it, and says to whom.
///
/// # Errors
/// `NOT_FOUND` where there is nobody, or one blocks the other; `FORBIDDEN` where the other one wants no requests for
/// friendship; `BAD_USER_INPUT` about oneself; `CONFLICT` with `TOO_MANY`.
pub async fn relate(app: &App, principal: &Principal, act: Act, id: &ID) -> Result<UserId> {
    let me = caller::person(principal)?;
    let other: UserId = id.parse().map_err(|_| Refusal::not_found())?;
    if other == me {
        let mut check = subgraph::input::Checker::new("id");
        check.issue("CONTRADICTION", Text::new("issue-contradiction"));
        check.finish()?;
    }
    let known = peers::user(&app.deps.peers, other).await?;
    let known = known.ok_or_else(Refusal::not_found)?;
    if act == Act::RequestFriend && !known.is_open_to_friends {
        may_ask_all_the_same(app, me, other).await?;
    }
    // What is done in the relational store is told after it. Who is not told because that fails is refused, and does it
    // again: so what was done already is told again, and whoever listens must not mind.
    let mut told = Batch::new();
    done(app, me, act, other, &mut told).await?;
    app.deps
        .outbox
        .emit(&mut told, me, &RelationsChanged { other_id: other })?;
    app.deps.store.commit(told).await?;
    Ok(other)
}

/// Does it, and adds to the batch what is to be told of it.
async fn done(app: &App, me: UserId, act: Act, other: UserId, told: &mut Batch) -> Result<()> {
    let outbox = &app.deps.outbox;
    let (relations, limits, now) = (&app.relations, &app.config, app.deps.clock.now());
    match act {
        Act::Follow => {
            relations
                .add(me, Kind::Follows, other, limits.max_following, now)
                .await?;
            Ok(outbox.emit(told, me, &UserFollowed { followed_id: other })?)
        }
        Act::Unfollow => relations.remove(me, Kind::Follows, other).await,
        Act::RequestFriend => {
            if relations.ask(me, other, limits.max_friends, now).await? {
                Ok(outbox.emit(told, me, &FriendAccepted { friend_id: other })?)
            } else {
                Ok(outbox.emit(told, me, &FriendRequested { asked_id: other })?)
            }
        }
        Act::AcceptFriend => {
            relations.accept(me, other, limits.max_friends, now).await?;
            Ok(outbox.emit(told, me, &FriendAccepted { friend_id: other })?)
        }
        Act::RemoveFriend => relations.part(me, other).await,
        Act::Block => relations.block(me, other, limits.max_blocked, now).await,
        Act::Unblock => relations.remove(me, Kind::Blocks, other).await,
        Act::Mute => {
            relations
                .add(me, Kind::Mutes, other, limits.max_blocked, now)
                .await
        }
        Act::Unmute => relations.remove(me, Kind::Mutes, other).await,
    }
}

/// Who does not want to be asked may have asked themself, or be a friend.
async fn may_ask_all_the_same(app: &App, me: UserId, other: UserId) -> Result<()> {
    let between = app.between(me, other).await?;
    match () {
        () if between.is_apart() => Err(Refusal::not_found().into()),
        () if between.is_asked || between.is_friend => Ok(()),
        () => Err(Refusal::forbidden().into()),
    }
}
