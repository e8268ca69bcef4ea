//! What people are to each other, in the relational store.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;
use kernel::{Error, Refusal, Result, Text, UserId};
use relstore::RelStore;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect,
};

use crate::entities::relation::{ActiveModel, Column, Entity};

/// The relations of people.
#[derive(Clone)]
pub struct Relations(RelStore);

/// What somebody is to somebody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Sees their posts first.
    Follows,
    /// Has asked them for friendship.
    Asked,
    /// Is their friend, and they are theirs.
    Friend,
    /// Neither shows them anything nor sees anything of theirs.
    Blocks,
    /// Does not see their posts in lists.
    Mutes,
}

/// Everything between the person who asks and another one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Between {
    /// Whether the person follows the other one.
    pub is_following: bool,
    /// Whether the other one follows the person.
    pub is_followed: bool,
    /// Whether they are friends.
    pub is_friend: bool,
    /// Whether the person has asked for friendship.
    pub has_asked: bool,
    /// Whether the other one has asked for friendship.
    pub is_asked: bool,
    /// Whether the person blocks the other one.
    pub is_blocking: bool,
    /// Whether the other one blocks the person.
    pub is_blocked: bool,
    /// Whether the person mutes the other one.
    pub is_muting: bool,
}

impl Between {
    /// Whether they are nothing to each other because one blocks the other.
    pub fn is_apart(&self) -> bool {
        self.is_blocking || self.is_blocked
    }
}

/// Whom somebody sees in lists, and whom not.
#[derive(Debug, Default)]
pub struct Around {
    /// Whom they follow.
    pub follows: BTreeSet<UserId>,
    /// Their friends.
    pub friends: BTreeSet<UserId>,
    /// Whom they block or mute, and who blocks them.
    pub hidden: BTreeSet<UserId>,
}

/// Which side of a relation somebody stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Who follows, asks, blocks.
    Of,
    /// Who is followed, asked, blocked.
    To,
}

impl Kind {
    const ALL: [Self; 5] = [
        Self::Follows,
        Self::Asked,
        Self::Friend,
        Self::Blocks,
        Self::Mutes,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Follows => "follows",
            Self::Asked => "asked",
            Self::Friend => "friend",
            Self::Blocks => "blocks",
            Self::Mutes => "mutes",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl Relations {
    /// The relations in a store.
    pub fn new(store: RelStore) -> Self {
        Self(store)
    }

    /// What stands between somebody and others; who is not named is nothing to them.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE` where the store does not answer; so do all functions here.
    pub async fn between(&self, me: UserId, others: &[UserId]) -> Result<HashMap<UserId, Between>> {
        let ids: Vec<String> = others.iter().map(ToString::to_string).collect();
        let me = me.to_string();
        let mine = Condition::all()
            .add(Column::UserId.eq(&me))
            .add(Column::OtherId.is_in(ids.clone()));
        let theirs = Condition::all()
            .add(Column::OtherId.eq(&me))
            .add(Column::UserId.is_in(ids));
        let rows = Entity::find()
            .filter(Condition::any().add(mine).add(theirs))
            .all(self.0.connection())
            .await
            .map_err(relstore::Error::from)?;
        let mut found: HashMap<UserId, Between> = HashMap::new();
        for row in rows {
            let Some(kind) = Kind::parse(&row.kind) else {
                continue;
            };
            let is_mine = row.user_id == me;
            let other = if is_mine { row.other_id } else { row.user_id };
            let between = found.entry(other.parse().map_err(Error::internal)?).or_default();
            match (kind, is_mine) {
                (Kind::Follows, true) => between.is_following = true,
                (Kind::Follows, false) => between.is_followed = true,
                (Kind::Asked, true) => between.has_asked = true,
                (Kind::Asked, false) => between.is_asked = true,
                (Kind::Friend, _) => between.is_friend = true,
                (Kind::Blocks, true) => between.is_blocking = true,
                (Kind::Blocks, false) => between.is_blocked = true,
                (Kind::Mutes, true) => between.is_muting = true,
                (Kind::Mutes, false) => {}
            }
        }
        Ok(found)
    }

    /// Whom somebody sees in lists, and whom not: one look at what they are to others, as their limits bound it, and one at
    /// who blocks them.
    pub async fn around(&self, me: UserId) -> Result<Around> {
        let mine = [Kind::Follows, Kind::Friend, Kind::Blocks, Kind::Mutes];
        let mine = Condition::all()
            .add(Column::UserId.eq(me.to_string()))
            .add(Column::Kind.is_in(mine.map(Kind::name)));
        let against = Condition::all()
            .add(Column::OtherId.eq(me.to_string()))
            .add(Column::Kind.eq(Kind::Blocks.name()));
        let mut around = Around::default();
        for (of, side) in [(mine, Side::Of), (against, Side::To)] {
            let found = Entity::find().filter(of).all(self.0.connection()).await;
            for row in found.map_err(relstore::Error::from)? {
                let other = match side {
                    Side::Of => row.other_id,
                    Side::To => row.user_id,
                };
                let other = other.parse().map_err(Error::internal)?;
                match Kind::parse(&row.kind) {
                    Some(Kind::Follows) => around.follows.insert(other),
                    Some(Kind::Friend) => around.friends.insert(other),
                    _ => around.hidden.insert(other),
                };
            }
        }
        Ok(around)
    }

    /// Whom somebody follows, or by whom they are followed, and so on: the newest first.
    pub async fn list(&self, user: UserId, side: Side, kind: Kind, limit: usize) -> Result<Vec<UserId>> {
        let (here, _) = side.columns();
        let rows = Entity::find()
            .filter(here.eq(user.to_string()))
            .filter(Column::Kind.eq(kind.name()))
            .order_by_desc(Column::Since)
            .order_by_asc(side.columns().1)
            .limit(limit as u64)
            .all(self.0.connection())
            .await
            .map_err(relstore::Error::from)?;
        rows.into_iter()
            .map(|row| match side {
                Side::Of => row.other_id,
                Side::To => row.user_id,
            })
            .map(|id| id.parse().map_err(Error::internal))
            .collect()
    }

    /// How many there are.
    pub async fn count(&self, user: UserId, side: Side, kind: Kind) -> Result<u64> {
        Ok(Self::count_on(self.0.connection(), user, side, kind).await?)
    }

    /// Makes somebody something to somebody else; to do it again changes nothing.
    ///
    /// # Errors
    /// `NOT_FOUND` where one blocks the other; `CONFLICT` with `TOO_MANY` where there are `max` already.
    pub async fn add(&self, user: UserId, kind: Kind, other: UserId, max: u32, now: Timestamp) -> Result<()> {
        let outcome = self.0.transaction(|tx| async move {
            if kind != Kind::Mutes && Self::is_apart(&*tx, user, other).await? {
                return Ok(Outcome::Apart);
            }
            if Self::has(&*tx, user, kind, other).await? {
                return Ok(Outcome::Done);
            }
            if Self::count_on(&*tx, user, Side::Of, kind).await? >= u64::from(max) {
                return Ok(Outcome::TooMany);
            }
            Self::insert(&*tx, user, kind, other, now).await?;
            Ok(Outcome::Done)
        });
        outcome.await?.answer(max)
    }

    /// Ends what `add` made; that it is not so is fine.
    pub async fn remove(&self, user: UserId, kind: Kind, other: UserId) -> Result<()> {
        Ok(Self::delete(self.0.connection(), user, &[kind], other).await?)
    }

    /// Asks for friendship, or makes friends where the other one has asked. Whether they are friends now.
    ///
    /// # Errors
    /// As [`Relations::add`].
    pub async fn ask(&self, user: UserId, other: UserId, max: u32, now: Timestamp) -> Result<bool> {
        let outcome = self.0.transaction(|tx| async move {
            if Self::is_apart(&*tx, user, other).await? {
                return Ok((Outcome::Apart, false));
            }
            if Self::has(&*tx, user, Kind::Friend, other).await? {
                return Ok((Outcome::Done, true));
            }
            for kind in [Kind::Friend, Kind::Asked] {
                if Self::count_on(&*tx, user, Side::Of, kind).await? >= u64::from(max) {
                    return Ok((Outcome::TooMany, false));
                }
            }
            if Self::has(&*tx, other, Kind::Asked, user).await? {
                Self::befriend(&*tx, user, other, now).await?;
                return Ok((Outcome::Done, true));
            }
            Self::insert(&*tx, user, Kind::Asked, other, now).await?;
            Ok((Outcome::Done, false))
        });
        let (outcome, are_friends) = outcome.await?;
        outcome.answer(max)?;
        // Two who ask each other at once do not see each other's request; whoever looks last sees both.
        if !are_friends && Self::has(self.0.connection(), other, Kind::Asked, user).await? {
            self.accept(user, other, max, now).await?;
            return Ok(true);
        }
        Ok(are_friends)
    }

    /// Makes friends with somebody who has asked; to accept again changes nothing.
    ///
    /// # Errors
    /// `NOT_FOUND` where they have not; `CONFLICT` with `TOO_MANY` where there are `max` friends already.
    pub async fn accept(&self, user: UserId, other: UserId, max: u32, now: Timestamp) -> Result<()> {
        let outcome = self.0.transaction(|tx| async move {
            if Self::has(&*tx, user, Kind::Friend, other).await? {
                return Ok(Outcome::Done);
            }
            if Self::is_apart(&*tx, user, other).await? || !Self::has(&*tx, other, Kind::Asked, user).await? {
                return Ok(Outcome::Apart);
            }
            if Self::count_on(&*tx, user, Side::Of, Kind::Friend).await? >= u64::from(max) {
                return Ok(Outcome::TooMany);
            }
            Self::befriend(&*tx, user, other, now).await?;
            Ok(Outcome::Done)
        });
        outcome.await?.answer(max)
    }

    /// Ends a friendship, or a request for one, whoever has asked.
    pub async fn part(&self, user: UserId, other: UserId) -> Result<()> {
        let done = self.0.transaction(|tx| async move {
            let kinds = [Kind::Friend, Kind::Asked];
            Self::delete(&*tx, user, &kinds, other).await?;
            Self::delete(&*tx, other, &kinds, user).await
        });
        Ok(done.await?)
    }

    /// Blocks somebody: whatever was between the two ends.
    ///
    /// # Errors
    /// `CONFLICT` with `TOO_MANY` where `max` are blocked already.
    pub async fn block(&self, user: UserId, other: UserId, max: u32, now: Timestamp) -> Result<()> {
        let outcome = self.0.transaction(|tx| async move {
            if Self::has(&*tx, user, Kind::Blocks, other).await? {
                return Ok(Outcome::Done);
            }
            if Self::count_on(&*tx, user, Side::Of, Kind::Blocks).await? >= u64::from(max) {
                return Ok(Outcome::TooMany);
            }
            let kinds = [Kind::Follows, Kind::Asked, Kind::Friend];
            Self::delete(&*tx, user, &kinds, other).await?;
            Self::delete(&*tx, other, &kinds, user).await?;
            Self::insert(&*tx, user, Kind::Blocks, other, now).await?;
            Ok(Outcome::Done)
        });
        outcome.await?.answer(max)
    }

    async fn befriend(
        on: &impl ConnectionTrait,
        user: UserId,
        other: UserId,
        now: Timestamp,
    ) -> relstore::Result<()> {
        Self::delete(on, user, &[Kind::Asked], other).await?;
        Self::delete(on, other, &[Kind::Asked], user).await?;
        Self::insert(on, user, Kind::Friend, other, now).await?;
        Self::insert(on, other, Kind::Friend, user, now).await
    }

    async fn insert(
        on: &impl ConnectionTrait,
        user: UserId,
        kind: Kind,
        other: UserId,
        now: Timestamp,
    ) -> relstore::Result<()> {
        let row = ActiveModel {
            user_id: Set(user.to_string()),
            kind: Set(kind.name().to_owned()),
            other_id: Set(other.to_string()),
            since: Set(now.as_millisecond()),
        };
        let key = [Column::UserId, Column::Kind, Column::OtherId];
        let keep_first = OnConflict::columns(key).do_nothing_on(key).to_owned();
        Entity::insert(row)
            .on_conflict(keep_first)
            .exec_without_returning(on)
            .await?;
        Ok(())
    }

    async fn delete(
        on: &impl ConnectionTrait,
        user: UserId,
        kinds: &[Kind],
        other: UserId,
    ) -> relstore::Result<()> {
        Entity::delete_many()
            .filter(Column::UserId.eq(user.to_string()))
            .filter(Column::Kind.is_in(kinds.iter().map(|kind| kind.name())))
            .filter(Column::OtherId.eq(other.to_string()))
            .exec(on)
            .await?;
        Ok(())
    }

    async fn has(
        on: &impl ConnectionTrait,
        user: UserId,
        kind: Kind,
        other: UserId,
    ) -> relstore::Result<bool> {
        let key = (user.to_string(), kind.name().to_owned(), other.to_string());
        Ok(Entity::find_by_id(key).one(on).await?.is_some())
    }

    async fn is_apart(on: &impl ConnectionTrait, user: UserId, other: UserId) -> relstore::Result<bool> {
        Ok(Self::has(on, user, Kind::Blocks, other).await?
            || Self::has(on, other, Kind::Blocks, user).await?)
    }

    async fn count_on(
        on: &impl ConnectionTrait,
        user: UserId,
        side: Side,
        kind: Kind,
    ) -> relstore::Result<u64> {
        let (here, _) = side.columns();
        Ok(Entity::find()
            .filter(here.eq(user.to_string()))
            .filter(Column::Kind.eq(kind.name()))
            .count(on)
            .await?)
    }
}

impl Side {
    fn columns(self) -> (Column, Column) {
        match self {
            Self::Of => (Column::UserId, Column::OtherId),
            Self::To => (Column::OtherId, Column::UserId),
        }
    }
}

/// How a transaction ended that refusals do not roll back, as it had changed nothing then.
enum Outcome {
    Done,
    Apart,
    TooMany,
}

impl Outcome {
    fn answer(self, max: u32) -> Result<()> {
        match self {
            Self::Done => Ok(()),
            Self::Apart => Err(Refusal::not_found().into()),
            Self::TooMany => {
                Err(Refusal::conflict("TOO_MANY", Text::new("issue-too-many").with("max", max)).into())
            }
        }
    }
}
