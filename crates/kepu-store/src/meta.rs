//! One value per name: what the node knows about itself. Numbers that are given out are in `counter`.

use crate::db::Tx;
use crate::error::StoreError;
use crate::sql::{args, one, run};

/// The value stored under `name`.
pub async fn find(tx: &mut Tx, name: &str) -> Result<Option<String>, StoreError> {
    const SQL: &str = "SELECT value FROM meta WHERE name = $1";
    one(tx, "read a value of the node", SQL, args![name], |c| c.text()).await
}

/// Stores `value` under `name`, over what was there.
pub async fn set(tx: &mut Tx, name: &str, value: &str) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    run(tx, "store a value of the node", SQL, args![name, value]).await.map(drop)
}

/// Forgets the value stored under `name`.
pub async fn delete(tx: &mut Tx, name: &str) -> Result<(), StoreError> {
    const SQL: &str = "DELETE FROM meta WHERE name = $1";
    run(tx, "forget a value of the node", SQL, args![name]).await.map(drop)
}
