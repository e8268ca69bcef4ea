//! What people are to each other.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

const TABLE: &str = "relations";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let text = |name: &str, length: u32| {
            ColumnDef::new(Alias::new(name))
                .string_len(length)
                .not_null()
                .to_owned()
        };
        let since = ColumnDef::new(Alias::new("since"))
            .big_integer()
            .not_null()
            .to_owned();
        let mut key = Index::create()
            .col(Alias::new("user_id"))
            .col(Alias::new("kind"))
            .col(Alias::new("other_id"))
            .primary()
            .to_owned();
        let table = Table::create()
            .table(Alias::new(TABLE))
            .if_not_exists()
            .col(text("user_id", 24))
            .col(text("kind", 16))
            .col(text("other_id", 24))
            .col(since)
            .primary_key(&mut key)
            .to_owned();
        manager.create_table(table).await?;
        // Newest first, from both sides.
        for (name, side) in [("relations_of", "user_id"), ("relations_to", "other_id")] {
            let index = Index::create()
                .name(name)
                .table(Alias::new(TABLE))
                .col(Alias::new(side))
                .col(Alias::new("kind"))
                .col(Alias::new("since"))
                .to_owned();
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let drop = Table::drop().table(Alias::new(TABLE)).if_exists().to_owned();
        manager.drop_table(drop).await
    }
}
