//! Migrations: several sets in one database, run by several processes at once.

use sea_orm::{ConnectionTrait as _, DatabaseTransaction, DbBackend, Statement, TransactionTrait as _};
use sea_orm_migration::MigratorTrait;

use crate::error::{Error, Result};
use crate::store::{RelStore, connect, immediate};

/// How long a process waits for another one that migrates, in seconds.
const WAIT: i64 = 60;

impl RelStore {
    /// Applies the migrations of a set that are not applied yet. Each set names its own history table by
    /// `MigratorTrait::migration_table_name`, so that several can share a database. Several processes may do
    /// it at once: one migrates, the others wait and find it done.
    ///
    /// With MySQL new tables get the character set utf8mb4, compared byte by byte as with SQLite.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if another process migrates for longer than a minute.
    pub async fn migrate<M: MigratorTrait>(&self) -> Result<()> {
        let history = M::migration_table_name().to_string();
        if history == "seaql_migrations" {
            return Err(Error::internal(
                "a set of migrations must name its own history table",
            ));
        }
        match self.backend() {
            DbBackend::Sqlite => {
                // Taking the write lock first also makes the others wait, and DDL is part of the transaction.
                self.transaction(async |transaction| Ok(M::up(&*transaction, None).await?))
                    .await
            }
            _ => self.migrate_with_lock::<M>().await,
        }
    }

    /// A lock belongs to its connection, which the transaction keeps; the migrations use others. If the
    /// connection breaks, the server releases the lock.
    async fn migrate_with_lock<M: MigratorTrait>(&self) -> Result<()> {
        let holder = self.connection().begin_with_options(immediate()).await?;
        let locked = number(&holder, &format!("SELECT GET_LOCK({LOCK}, {WAIT}) AS n")).await?;
        if locked != Some(1) {
            let message = "another process has been migrating for too long".to_owned();
            return Err(Error::Unavailable(sea_orm::DbErr::Custom(message)));
        }
        let result = self.migrate_now::<M>().await;
        number(&holder, &format!("SELECT RELEASE_LOCK({LOCK}) AS n")).await?;
        holder.commit().await?;
        result
    }

    async fn migrate_now<M: MigratorTrait>(&self) -> Result<()> {
        let alter = "ALTER DATABASE CHARACTER SET utf8mb4 COLLATE utf8mb4_bin";
        let query = "SELECT @@collation_database <> 'utf8mb4_bin' AS n";
        // A connection keeps the collation that the database had when it was opened.
        let before = connect(&self.config.url, 1).await?;
        let row = before
            .query_one_raw(Statement::from_string(DbBackend::MySql, query))
            .await?;
        if row.map(|row| row.try_get::<i64>("", "n")).transpose()? == Some(1) {
            before.execute_unprepared(alter).await?;
        }
        before.close().await?;
        let connection = connect(&self.config.url, 1).await?;
        M::up(&connection, None).await?;
        Ok(connection.close().await?)
    }
}

/// Locks are named for the whole server and have short names.
const LOCK: &str = "CONCAT('daka-migrate-', MD5(DATABASE()))";

async fn number(transaction: &DatabaseTransaction, query: &str) -> Result<Option<i64>> {
    let statement = Statement::from_string(DbBackend::MySql, query);
    let row = transaction.query_one_raw(statement).await?;
    Ok(row
        .map(|row| row.try_get::<Option<i64>>("", "n"))
        .transpose()?
        .flatten())
}
