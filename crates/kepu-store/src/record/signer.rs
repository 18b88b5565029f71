//! Keys by short number: a record names its signer in eight bytes instead of fifty-six.

use crate::bulk::bulk_insert;
use crate::counter;
use crate::db::Tx;
use crate::error::StoreError;
use crate::sql::{all_in, args};
use crate::value::Value;
use kepu_domain::ids::KeyId;
use std::collections::{HashMap, HashSet};

/// The numbers of those of `keys` that are known.
pub async fn signers(tx: &mut Tx, keys: &[KeyId]) -> Result<HashMap<KeyId, i64>, StoreError> {
    const HEAD: &str = "SELECT did, id FROM signer WHERE did IN (";
    let distinct: Vec<&KeyId> = keys.iter().collect::<HashSet<_>>().into_iter().collect();
    let rows = all_in(tx, "look up keys", (HEAD, ")"), &distinct, |key| args![key.as_str()], |c| Ok((c.id()?, c.int()?))).await?;
    Ok(rows.into_iter().collect())
}

/// The numbers of all `keys`; new ones are given a number.
pub async fn signer_ids(tx: &mut Tx, keys: &[KeyId]) -> Result<HashMap<KeyId, i64>, StoreError> {
    let known = signers(tx, keys).await?;
    let mut missing: Vec<&KeyId> = keys.iter().filter(|key| !known.contains_key(*key)).collect::<HashSet<_>>().into_iter().collect();
    if missing.is_empty() {
        return Ok(known);
    }
    missing.sort();
    let first = counter::take(tx, "signer", i64::try_from(missing.len()).unwrap_or(i64::MAX)).await?;
    let rows: Vec<(i64, &KeyId)> = (first..).zip(missing).collect();
    // Somebody else may have added the same key while this transaction waited for the counter: theirs stays.
    const SQL: &str = "INSERT INTO signer (id, did) VALUES";
    bulk_insert(tx, "add keys", SQL, 2, "ON CONFLICT (did) DO NOTHING", &rows, |(id, key), values: &mut Vec<Value<'_>>| {
        values.extend([(*id).into(), key.as_str().into()]);
    })
    .await?;
    signers(tx, keys).await
}

/// The keys with these numbers.
pub async fn names_of(tx: &mut Tx, ids: &[i64]) -> Result<HashMap<i64, KeyId>, StoreError> {
    const HEAD: &str = "SELECT id, did FROM signer WHERE id IN (";
    let rows = all_in(tx, "look up keys by number", (HEAD, ")"), ids, |id| args![*id], |c| Ok((c.int()?, c.id()?))).await?;
    Ok(rows.into_iter().collect())
}
