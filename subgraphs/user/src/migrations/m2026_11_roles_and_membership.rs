//! Roles with the permissions they start with, memberships, badges.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let id = |name: &str| {
            ColumnDef::new(Alias::new(name))
                .string_len(24)
                .not_null()
                .to_owned()
        };
        let name = |name: &str| {
            ColumnDef::new(Alias::new(name))
                .string_len(64)
                .not_null()
                .to_owned()
        };
        let instant = |name: &str| {
            ColumnDef::new(Alias::new(name))
                .big_integer()
                .not_null()
                .to_owned()
        };
        let key = |one: &str, two: &str| {
            Index::create()
                .col(Alias::new(one))
                .col(Alias::new(two))
                .primary()
                .to_owned()
        };
        let table = |name: &str| Table::create().table(Alias::new(name)).if_not_exists().to_owned();

        let tables = [
            table("role_permissions")
                .col(name("role"))
                .col(name("permission"))
                .primary_key(&mut key("role", "permission"))
                .to_owned(),
            table("user_roles")
                .col(id("user_id"))
                .col(name("role"))
                .col(ColumnDef::new(Alias::new("granted_by")).string_len(24))
                .col(instant("granted_at"))
                .primary_key(&mut key("user_id", "role"))
                .to_owned(),
            table("memberships")
                .col(id("user_id").primary_key())
                .col(name("kind"))
                .col(ColumnDef::new(Alias::new("expires_at")).big_integer())
                .to_owned(),
            table("badges")
                .col(id("user_id"))
                .col(name("code"))
                .col(instant("awarded_at"))
                .primary_key(&mut key("user_id", "code"))
                .to_owned(),
        ];
        for table in tables {
            manager.create_table(table).await?;
        }
        let mut rows = Query::insert();
        rows.into_table(Alias::new("role_permissions"))
            .columns([Alias::new("role"), Alias::new("permission")]);
        for (role, permissions) in auth::permissions::ROLES {
            for permission in *permissions {
                rows.values_panic([(*role).into(), (*permission).into()]);
            }
        }
        manager.execute(rows.to_owned()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["badges", "memberships", "user_roles", "role_permissions"] {
            manager
                .drop_table(Table::drop().table(Alias::new(table)).if_exists().to_owned())
                .await?;
        }
        Ok(())
    }
}
