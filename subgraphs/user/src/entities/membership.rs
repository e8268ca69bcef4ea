//! What somebody is a member of.

use sea_orm::entity::prelude::*;

/// What somebody is a member of.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "memberships")]
pub struct Model {
    /// Whose.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: String,
    /// Which kind.
    pub kind: String,
    /// Milliseconds since 1970; absent for without an end.
    pub expires_at: Option<i64>,
}

/// No relations are declared: rows are asked for by their keys.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
