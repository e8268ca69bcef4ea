//! The history of this domain's tables.

use sea_orm_migration::prelude::*;

/// All migrations, oldest first.
pub struct Migrations;

impl MigratorTrait for Migrations {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(m2026_11_relations::Migration)]
    }

    fn migration_table_name() -> DynIden {
        Alias::new("community_migrations").into_iden()
    }
}

mod m2026_11_relations;
