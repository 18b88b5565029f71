//! Opening a database, transactions, migrations and retries. Statements are in the modules of the nouns.
//!
//! SQLite: one writer connection (a second writer waits for it instead of failing), four readers, WAL.
//! PostgreSQL: one pool. Readers see one snapshot on both.

use crate::error::StoreError;
use crate::migrations;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Postgres, Sqlite, Transaction};
use std::future::Future;
use std::str::FromStr;
use std::time::Duration;

/// Which database program stands behind a [`Db`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// SQLite, one file.
    Sqlite,
    /// PostgreSQL or what speaks like it.
    Postgres,
}

/// An open database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Db {
    pools: Pools,
}

#[derive(Clone, Debug)]
enum Pools {
    Sqlite { writer: SqlitePool, readers: SqlitePool },
    Postgres(PgPool),
}

/// A transaction. Dropped without [`Tx::commit`] it leaves nothing behind.
#[derive(Debug)]
pub enum Tx {
    /// On SQLite.
    Sqlite(Transaction<'static, Sqlite>),
    /// On PostgreSQL.
    Postgres(Transaction<'static, Postgres>),
}

/// Runs one expression on whichever connection the transaction has: `both!(tx, c => sqlx::query(SQL).execute(c).await)`.
#[macro_export]
macro_rules! both {
    ($tx:expr, $c:ident => $body:expr) => {
        match $tx {
            $crate::Tx::Sqlite(transaction) => {
                let $c = &mut **transaction;
                $body
            }
            $crate::Tx::Postgres(transaction) => {
                let $c = &mut **transaction;
                $body
            }
        }
    };
}

/// Attempts of [`Db::with_retry`].
const ATTEMPTS: u32 = 6;

impl Db {
    /// Opens `sqlite:PATH` or a plain path (the file is created), or `postgres://…` (a socket directory as `?host=`).
    pub async fn open(url: &str) -> Result<Db, StoreError> {
        let is_postgres = url.starts_with("postgres://") || url.starts_with("postgresql://");
        let pools = if is_postgres { open_postgres(url).await } else { open_sqlite(url).await };
        pools.map(|pools| Db { pools }).map_err(|source| StoreError::Open { url: without_password(url), source })
    }

    /// The engine.
    pub fn engine(&self) -> Engine {
        match &self.pools {
            Pools::Sqlite { .. } => Engine::Sqlite,
            Pools::Postgres(_) => Engine::Postgres,
        }
    }

    /// Begins a transaction that only reads; what it sees does not change while it lives.
    pub async fn read(&self) -> Result<Tx, StoreError> {
        let begun = match &self.pools {
            Pools::Sqlite { readers, .. } => readers.begin().await.map(Tx::Sqlite),
            Pools::Postgres(pool) => pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await.map(Tx::Postgres),
        };
        begun.map_err(|source| StoreError::query("begin to read", source))
    }

    /// Begins a transaction that writes. On SQLite it waits until no other writes.
    pub async fn write(&self) -> Result<Tx, StoreError> {
        let begun = match &self.pools {
            // A deferred transaction that reads first fails at once when another process writes; IMMEDIATE waits.
            Pools::Sqlite { writer, .. } => writer.begin_with("BEGIN IMMEDIATE").await.map(Tx::Sqlite),
            Pools::Postgres(pool) => pool.begin().await.map(Tx::Postgres),
        };
        begun.map_err(|source| StoreError::query("begin to write", source))
    }

    /// Brings the tables up to date.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        let mut migrator = migrations::migrator();
        match &self.pools {
            Pools::Sqlite { writer, .. } => migrator.run(writer).await?,
            Pools::Postgres(pool) => {
                let version: String = sqlx::query_scalar("SELECT version()")
                    .fetch_one(pool)
                    .await
                    .map_err(|source| StoreError::query("ask for the database's version", source))?;
                // CockroachDB has no advisory locks.
                migrator.set_locking(!version.contains("CockroachDB"));
                migrator.run(pool).await?;
            }
        }
        Ok(())
    }

    /// Runs a whole operation again, after a growing pause, while it fails with something that `retryable` accepts
    /// (mostly [`StoreError::is_retryable`]): another transaction was in the way. Gives up after six attempts.
    pub async fn with_retry<T, E, F, Fut>(&self, retryable: impl Fn(&E) -> bool, mut deed: F) -> Result<T, E>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        for attempt in 1..ATTEMPTS {
            match deed().await {
                Err(error) if retryable(&error) => tokio::time::sleep(Duration::from_millis(5 << attempt)).await,
                result => return result,
            }
        }
        deed().await
    }

    /// Writes a consistent copy of an SQLite file to `path`, which must not exist; others may read and write meanwhile.
    pub async fn copy_to(&self, path: &std::path::Path) -> Result<(), StoreError> {
        const ACTION: &str = "copy the database";
        match &self.pools {
            Pools::Sqlite { writer, .. } => {
                let copy = sqlx::query("VACUUM INTO $1").bind(path.display().to_string());
                copy.execute(writer).await.map(drop).map_err(|source| StoreError::query(ACTION, source))
            }
            Pools::Postgres(_) => Err(StoreError::query(ACTION, sqlx::Error::Configuration("PostgreSQL is copied by its own tools".into()))),
        }
    }

    /// Lets what was overwritten leave the files as well, as far as nobody reads it just now. PostgreSQL does so by itself, in time.
    pub async fn forget_deleted(&self) -> Result<(), StoreError> {
        let Pools::Sqlite { writer, .. } = &self.pools else { return Ok(()) };
        let done = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(writer).await;
        done.map(drop).map_err(|source| StoreError::query("clear the log of changes", source))
    }

    /// Ends all connections after their transactions.
    pub async fn close(&self) {
        match &self.pools {
            Pools::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Pools::Postgres(pool) => pool.close().await,
        }
    }
}

impl Tx {
    /// Makes the changes permanent.
    pub async fn commit(self) -> Result<(), StoreError> {
        let done = match self {
            Tx::Sqlite(transaction) => transaction.commit().await,
            Tx::Postgres(transaction) => transaction.commit().await,
        };
        done.map_err(|source| StoreError::query("commit", source))
    }

    /// Takes the changes back at once; dropping does the same a little later.
    pub async fn rollback(self) -> Result<(), StoreError> {
        let done = match self {
            Tx::Sqlite(transaction) => transaction.rollback().await,
            Tx::Postgres(transaction) => transaction.rollback().await,
        };
        done.map_err(|source| StoreError::query("roll back", source))
    }

    /// The engine.
    pub fn engine(&self) -> Engine {
        match self {
            Tx::Sqlite(_) => Engine::Sqlite,
            Tx::Postgres(_) => Engine::Postgres,
        }
    }
}

async fn open_sqlite(url: &str) -> Result<Pools, sqlx::Error> {
    let path = url.strip_prefix("sqlite:").map_or(url, |rest| rest.strip_prefix("//").unwrap_or(rest));
    let base = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(5));
    // Negative: KiB. The writer keeps the inner pages of the large indexes. What is deleted is overwritten: a body that a law
    // takes away must not stay readable in the file.
    let writer_options = base.clone().pragma("cache_size", "-65536").pragma("temp_store", "2").pragma("secure_delete", "1");
    let writer = SqlitePoolOptions::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .acquire_timeout(Duration::from_secs(60))
        .connect_with(writer_options)
        .await?;
    let reader_options = base.pragma("cache_size", "-16384").pragma("query_only", "1").create_if_missing(false);
    let readers = SqlitePoolOptions::new().max_connections(4).idle_timeout(None).max_lifetime(None).connect_with(reader_options).await?;
    Ok(Pools::Sqlite { writer, readers })
}

async fn open_postgres(url: &str) -> Result<Pools, sqlx::Error> {
    let options = PgConnectOptions::from_str(url)?.application_name("kepu");
    Ok(Pools::Postgres(PgPoolOptions::new().max_connections(8).connect_with(options).await?))
}

/// The address for messages: what stands between the user's colon and the `@` is left out.
fn without_password(url: &str) -> String {
    let Some((head, rest)) = url.split_once("://") else { return url.to_owned() };
    match rest.rsplit_once('@') {
        Some((user, place)) => format!("{head}://{}@{place}", user.split(':').next().unwrap_or_default()),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_hold_no_password() {
        assert_eq!(without_password("postgres://u:secret@h/d"), "postgres://u@h/d");
        assert_eq!(without_password("postgres://h/d?host=/tmp"), "postgres://h/d?host=/tmp");
        assert_eq!(without_password("/var/lib/kepu.db"), "/var/lib/kepu.db");
    }
}
