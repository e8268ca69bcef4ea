//! The contract of the store: every case on SQLite and on MySQL.

#![expect(clippy::unwrap_used, reason = "a case that fails should say where")]

mod crash;
mod migrations;
mod transactions;

use relstore::{RelStore, RelStoreConfig};
use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue::Set, Database};
use sea_orm_migration::prelude::{self as migration, DeriveMigrationName, MigrationTrait, SchemaManager};
use tempfile::TempDir;

/// Makes two tests of each case: one for each backend.
macro_rules! on_both {
    ($($case:ident)*) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::$case(&crate::Fixture::sqlite().await).await;
            })*
        }
        mod mysql {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::$case(&crate::Fixture::mysql().await).await;
            })*
        }
    };
}
pub(crate) use on_both;

/// An empty store of its own for a case.
struct Fixture {
    store: RelStore,
    config: RelStoreConfig,
    _folder: TempDir,
}

/// Accounts of points, and the entries that made them.
mod account {
    use super::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "accounts")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub name: String,
        pub points: i64,
        pub created_at: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

mod entry {
    use super::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "entries")]
    pub(crate) struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub account: String,
        #[sea_orm(unique)]
        pub reference: String,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

struct Migrator;

#[derive(DeriveMigrationName)]
struct CreateAccounts;

impl migration::MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(CreateAccounts)]
    }

    fn migration_table_name() -> DynIden {
        use sea_orm::sea_query::IntoIden as _;
        "points_migrations".into_iden()
    }
}

#[migration::async_trait::async_trait]
impl MigrationTrait for CreateAccounts {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        use sea_orm_migration::schema::{big_integer, pk_auto, string_len, string_len_uniq};
        let accounts = migration::Table::create()
            .table("accounts")
            .col(string_len("name", 120).primary_key())
            .col(big_integer("points"))
            .col(big_integer("created_at"))
            .to_owned();
        manager.create_table(accounts).await?;
        let owner = migration::ForeignKey::create()
            .from("entries", "account")
            .to("accounts", "name")
            .to_owned();
        let entries = migration::Table::create()
            .table("entries")
            .col(pk_auto("id").big_integer())
            .col(string_len("account", 120))
            .col(string_len_uniq("reference", 64))
            .foreign_key(&mut owner.clone())
            .to_owned();
        manager.create_table(entries).await
    }
}

impl Fixture {
    async fn sqlite() -> Self {
        let folder = testkit::data_dir();
        let path = folder.path().join("new/relations.sqlite");
        Self::open(format!("sqlite://{}?mode=rwc", path.display()), folder).await
    }

    async fn mysql() -> Self {
        Self::open(
            database_on(&testkit::servers::mysql_url()).await,
            testkit::data_dir(),
        )
        .await
    }

    async fn open(url: String, folder: TempDir) -> Self {
        let config = RelStoreConfig { url };
        let store = RelStore::open(&config).await.unwrap();
        store.migrate::<Migrator>().await.unwrap();
        Self {
            store,
            config,
            _folder: folder,
        }
    }

    async fn account(&self, name: &str) -> Option<account::Model> {
        account::Entity::find_by_id(name)
            .one(self.store.connection())
            .await
            .unwrap()
    }
}

/// A new database on a server.
async fn database_on(server: &str) -> String {
    let name = testkit::unique_name("relstore");
    let connection = Database::connect(server).await.unwrap();
    connection
        .execute_unprepared(&format!("CREATE DATABASE {name}"))
        .await
        .unwrap();
    connection.close().await.unwrap();
    format!("{server}/{name}")
}

async fn open_account(db: &impl ConnectionTrait, name: &str, created_at: i64) -> Result<(), DbErr> {
    let account = account::ActiveModel {
        name: Set(name.to_owned()),
        points: Set(0),
        created_at: Set(created_at),
    };
    account::Entity::insert(account)
        .exec_without_returning(db)
        .await
        .map(drop)
}

async fn record(db: &impl ConnectionTrait, account: &str, reference: &str) -> Result<(), DbErr> {
    let entry = entry::ActiveModel {
        account: Set(account.to_owned()),
        reference: Set(reference.to_owned()),
        ..Default::default()
    };
    entry::Entity::insert(entry)
        .exec_without_returning(db)
        .await
        .map(drop)
}
