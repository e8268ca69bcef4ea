//! What somebody is to somebody else.

use sea_orm::entity::prelude::*;

/// What somebody is to somebody else. Friends have a row each.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "relations")]
pub struct Model {
    /// Who follows, asked for friendship, is a friend, blocks or mutes.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: String,
    /// Which of these.
    #[sea_orm(primary_key, auto_increment = false)]
    pub kind: String,
    /// Whom.
    #[sea_orm(primary_key, auto_increment = false)]
    pub other_id: String,
    /// Since when, in milliseconds since 1970.
    pub since: i64,
}

/// No relations are declared: rows are asked for by their keys.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
