//! Wordings by which people meant a claim, waiting for its editors. No column can name who wrote one.

use crate::db::Tx;
use crate::error::StoreError;
use crate::sql::{all, args, number, run};
use jiff::Timestamp;
use kepu_domain::ids::SubjectId;
use kepu_domain::listen::claim::Wording;

/// Notes that a claim was meant by `text`; the same words are counted.
pub async fn note(tx: &mut Tx, claim: &SubjectId, digest: &[u8; 32], text: &str, day: Timestamp) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO wording (claim, digest, text, times, first_at) VALUES ($1, $2, $3, 1, $4)
        ON CONFLICT (claim, digest) DO UPDATE SET times = wording.times + 1";
    run(tx, "note a wording", SQL, args![claim.as_str(), digest.as_slice(), text, day]).await.map(drop)
}

/// Wordings that wait for a claim, the most often used first, at most `limit`.
pub async fn list(tx: &mut Tx, claim: &SubjectId, limit: u32) -> Result<Vec<Wording>, StoreError> {
    const SQL: &str = "SELECT digest, text, times, first_at FROM wording WHERE claim = $1 ORDER BY times DESC, first_at, digest LIMIT $2";
    all(tx, "list wordings", SQL, args![claim.as_str(), limit], |c| {
        let digest = c.bytes()?.try_into().map_err(|_| c.corrupt("a digest has 32 bytes"))?;
        Ok(Wording { digest, text: c.text()?, times: c.int()?, first_at: c.time()? })
    })
    .await
}

/// How many wait for a claim.
pub async fn count(tx: &mut Tx, claim: &SubjectId) -> Result<i64, StoreError> {
    number(tx, "count wordings", "SELECT COUNT(*) FROM wording WHERE claim = $1", args![claim.as_str()]).await
}

/// Forgets one wording; whether it was there.
pub async fn remove(tx: &mut Tx, claim: &SubjectId, digest: &[u8; 32]) -> Result<bool, StoreError> {
    const SQL: &str = "DELETE FROM wording WHERE claim = $1 AND digest = $2";
    Ok(run(tx, "remove a wording", SQL, args![claim.as_str(), digest.as_slice()]).await? == 1)
}

/// Forgets wordings first met before `before`; returns how many.
pub async fn purge(tx: &mut Tx, before: Timestamp) -> Result<u64, StoreError> {
    run(tx, "forget wordings", "DELETE FROM wording WHERE first_at < $1", args![before]).await
}
