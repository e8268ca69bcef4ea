//! Migrations, by several processes and of several sets.

use relstore::{Error, RelStore};
use sea_orm::entity::prelude::*;
use sea_orm_migration::prelude::{self as migration, DeriveMigrationName, MigrationTrait, SchemaManager};

use crate::{Fixture, Migrator, on_both};

on_both! {
    several_processes_may_migrate_at_once
    sets_do_not_see_each_other
    a_set_must_name_its_history
}

struct Other;

#[derive(DeriveMigrationName)]
struct CreateOther;

impl migration::MigratorTrait for Other {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(CreateOther)]
    }

    fn migration_table_name() -> DynIden {
        use sea_orm::sea_query::IntoIden as _;
        "other_migrations".into_iden()
    }
}

#[migration::async_trait::async_trait]
impl MigrationTrait for CreateOther {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = migration::Table::create()
            .table("other")
            .col(sea_orm_migration::schema::pk_auto("id"))
            .to_owned();
        manager.create_table(table).await
    }
}

struct Nameless;

impl migration::MigratorTrait for Nameless {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![]
    }
}

async fn several_processes_may_migrate_at_once(fixture: &Fixture) {
    // `CREATE TABLE` would fail if two of them did it.
    let tasks = (0..8).map(|_| {
        let config = fixture.config.clone();
        tokio::spawn(async move {
            let store = RelStore::open(&config).await?;
            store.migrate::<Other>().await?;
            store.migrate::<Migrator>().await
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap().unwrap();
    }
}

async fn sets_do_not_see_each_other(fixture: &Fixture) {
    for _ in 0..2 {
        fixture.store.migrate::<Other>().await.unwrap();
        fixture.store.migrate::<Migrator>().await.unwrap();
    }
}

async fn a_set_must_name_its_history(fixture: &Fixture) {
    let result = fixture.store.migrate::<Nameless>().await;
    assert!(matches!(result, Err(Error::Internal(_))), "{result:?}");
}
