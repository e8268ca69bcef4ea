//! A badge that somebody was awarded.

use sea_orm::entity::prelude::*;

/// A badge that somebody was awarded.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "badges")]
pub struct Model {
    /// Whose.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: String,
    /// Which.
    #[sea_orm(primary_key, auto_increment = false)]
    pub code: String,
    /// Milliseconds since 1970.
    pub awarded_at: i64,
}

/// No relations are declared: rows are asked for by their keys.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
