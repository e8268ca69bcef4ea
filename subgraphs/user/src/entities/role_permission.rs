//! A permission that a role has.

use sea_orm::entity::prelude::*;

/// A permission that a role has.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "role_permissions")]
pub struct Model {
    /// The role.
    #[sea_orm(primary_key, auto_increment = false)]
    pub role: String,
    /// The permission.
    #[sea_orm(primary_key, auto_increment = false)]
    pub permission: String,
}

/// No relations are declared: rows are asked for by their keys.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
