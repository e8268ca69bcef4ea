//! A role that somebody has.

use sea_orm::entity::prelude::*;

/// A role that somebody has.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "user_roles")]
pub struct Model {
    /// Who.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: String,
    /// Which role.
    #[sea_orm(primary_key, auto_increment = false)]
    pub role: String,
    /// Who gave it; absent for the platform itself.
    pub granted_by: Option<String>,
    /// Milliseconds since 1970.
    pub granted_at: i64,
}

/// No relations are declared: rows are asked for by their keys.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
