//! What is related to a user in the relational store: roles with their permissions, membership, badges.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;
use kernel::{Error, Refusal, Result, Text, UserId};
use relstore::RelStore;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::entities::{badge, membership, role_permission, user_role};

/// The relations of users.
#[derive(Clone)]
pub struct Relations(RelStore);

/// A kind of membership.
#[derive(Debug, Clone, Copy, PartialEq, Eq, async_graphql::Enum)]
pub enum MembershipType {
    /// Everybody.
    Free,
    /// By the month.
    Monthly,
    /// By the year.
    Yearly,
    /// Without an end.
    Lifetime,
}

/// What somebody is a member of, until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Membership {
    /// The kind.
    pub kind: MembershipType,
    /// When it ends; `None` for never.
    pub expires_at: Option<Timestamp>,
}

impl Membership {
    const FREE: Self = Self {
        kind: MembershipType::Free,
        expires_at: None,
    };

    /// What is in force at `now`: expiry is judged when it is read, no job ends a membership.
    pub fn in_force(self, now: Timestamp) -> Self {
        if self.expires_at.is_some_and(|end| end <= now) {
            Self::FREE
        } else {
            self
        }
    }
}

impl Relations {
    /// The relations in a store.
    pub fn new(store: RelStore) -> Self {
        Self(store)
    }

    /// Everything that the roles of a person permit, and the names of the roles.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE` where the store does not answer; so do all functions here.
    pub async fn roles(&self, user: UserId) -> Result<(BTreeSet<String>, BTreeSet<String>)> {
        let roles: BTreeSet<String> = user_role::Entity::find()
            .filter(user_role::Column::UserId.eq(user.to_string()))
            .all(self.0.connection())
            .await
            .map_err(relstore::Error::from)?
            .into_iter()
            .map(|row| row.role)
            .collect();
        if roles.is_empty() {
            return Ok((roles, BTreeSet::new()));
        }
        let permissions = role_permission::Entity::find()
            .filter(role_permission::Column::Role.is_in(roles.iter().cloned()))
            .all(self.0.connection())
            .await
            .map_err(relstore::Error::from)?
            .into_iter()
            .map(|row| row.permission)
            .collect();
        Ok((roles, permissions))
    }

    /// Gives a person a role. Doing it again changes nothing.
    pub async fn grant(&self, user: UserId, role: &str, by: Option<UserId>, now: Timestamp) -> Result<()> {
        let row = user_role::ActiveModel {
            user_id: Set(user.to_string()),
            role: Set(role.to_owned()),
            granted_by: Set(by.map(|by| by.to_string())),
            granted_at: Set(now.as_millisecond()),
        };
        let keep_first = OnConflict::columns([user_role::Column::UserId, user_role::Column::Role])
            .do_nothing_on([user_role::Column::UserId, user_role::Column::Role])
            .to_owned();
        user_role::Entity::insert(row)
            .on_conflict(keep_first)
            .exec_without_returning(self.0.connection())
            .await
            .map_err(relstore::Error::from)?;
        Ok(())
    }

    /// Takes a role from a person. Taking what is not there changes nothing.
    ///
    /// # Errors
    /// `CONFLICT` with `LAST_ROLE` for the last administrator.
    pub async fn revoke(&self, user: UserId, role: &str) -> Result<()> {
        let (user, role) = (user.to_string(), role.to_owned());
        let left = self
            .0
            .transaction(|tx| {
                let (user, role) = (user.clone(), role.clone());
                async move {
                    let holders = user_role::Entity::find()
                        .filter(user_role::Column::Role.eq(&role))
                        .lock_exclusive()
                        .all(&*tx)
                        .await?;
                    let is_only_holder =
                        holders.len() == 1 && holders.iter().all(|holder| holder.user_id == user);
                    if role == auth::permissions::ADMIN && is_only_holder {
                        return Ok(false);
                    }
                    user_role::Entity::delete_by_id((user, role)).exec(&*tx).await?;
                    Ok(true)
                }
            })
            .await?;
        if left {
            Ok(())
        } else {
            Err(Refusal::conflict("LAST_ROLE", Text::new("last-role")).into())
        }
    }

    /// Whether a role exists.
    pub async fn role_exists(&self, role: &str) -> Result<bool> {
        let count = role_permission::Entity::find()
            .filter(role_permission::Column::Role.eq(role))
            .limit(1)
            .count(self.0.connection())
            .await
            .map_err(relstore::Error::from)?;
        Ok(count > 0)
    }

    /// The memberships of several people; who has none is a free member.
    pub async fn memberships(&self, users: &[UserId]) -> Result<HashMap<UserId, Membership>> {
        let rows = membership::Entity::find()
            .filter(membership::Column::UserId.is_in(users.iter().map(ToString::to_string)))
            .all(self.0.connection())
            .await
            .map_err(relstore::Error::from)?;
        let mut memberships: HashMap<_, _> = users.iter().map(|user| (*user, Membership::FREE)).collect();
        for row in rows {
            let expires_at = row
                .expires_at
                .map(Timestamp::from_millisecond)
                .transpose()
                .map_err(Error::internal)?;
            let kind = membership_type(&row.kind)
                .ok_or_else(|| Error::internal(format!("membership {}", row.kind)))?;
            memberships.insert(
                row.user_id.parse().map_err(Error::internal)?,
                Membership { kind, expires_at },
            );
        }
        Ok(memberships)
    }

    /// Sets what somebody is a member of.
    pub async fn set_membership(&self, user: UserId, membership: Membership) -> Result<()> {
        let row = membership::ActiveModel {
            user_id: Set(user.to_string()),
            kind: Set(membership_name(membership.kind).to_owned()),
            expires_at: Set(membership.expires_at.map(|end| end.as_millisecond())),
        };
        let overwrite = OnConflict::column(membership::Column::UserId)
            .update_columns([membership::Column::Kind, membership::Column::ExpiresAt])
            .to_owned();
        membership::Entity::insert(row)
            .on_conflict(overwrite)
            .exec_without_returning(self.0.connection())
            .await
            .map_err(relstore::Error::from)?;
        Ok(())
    }

    /// The badges of several people, oldest first: code and instant.
    pub async fn badges(&self, users: &[UserId]) -> Result<HashMap<UserId, Vec<(String, Timestamp)>>> {
        let rows = badge::Entity::find()
            .filter(badge::Column::UserId.is_in(users.iter().map(ToString::to_string)))
            .order_by_asc(badge::Column::AwardedAt)
            .all(self.0.connection())
            .await
            .map_err(relstore::Error::from)?;
        let mut badges: HashMap<UserId, Vec<_>> = HashMap::new();
        for row in rows {
            let awarded = Timestamp::from_millisecond(row.awarded_at).map_err(Error::internal)?;
            badges
                .entry(row.user_id.parse().map_err(Error::internal)?)
                .or_default()
                .push((row.code, awarded));
        }
        Ok(badges)
    }
}

const MEMBERSHIPS: [(MembershipType, &str); 4] = [
    (MembershipType::Free, "free"),
    (MembershipType::Monthly, "monthly"),
    (MembershipType::Yearly, "yearly"),
    (MembershipType::Lifetime, "lifetime"),
];

fn membership_type(name: &str) -> Option<MembershipType> {
    MEMBERSHIPS
        .iter()
        .find(|(_, known)| *known == name)
        .map(|(kind, _)| *kind)
}

fn membership_name(kind: MembershipType) -> &'static str {
    MEMBERSHIPS
        .iter()
        .find(|(known, _)| *known == kind)
        .map_or("free", |(_, name)| name)
}
