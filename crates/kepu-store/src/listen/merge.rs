//! Merges of claims as the house decided them. That two claims are one stands in the signed version; here is who asked, why, and who agreed.

use crate::db::Tx;
use crate::error::StoreError;
use crate::sql::{Cells, all, args, must, one, run, run_versioned};
use kepu_domain::ids::SubjectId;
use kepu_domain::listen::claim::{Merge, MergeStage};

macro_rules! columns {
    () => {
        "id, claim, into_claim, reason, asked_by, asked_at, stage, decided_by, decided_at"
    };
}

fn read(c: &mut Cells<'_>) -> Result<Merge, StoreError> {
    Ok(Merge {
        id: c.text()?,
        claim: c.id()?,
        into: c.id()?,
        reason: c.text()?,
        asked_by: c.text()?,
        asked_at: c.time()?,
        stage: c.word(MergeStage::parse)?,
        decided_by: c.text()?,
        decided_at: c.opt_time()?,
    })
}

/// Adds one.
pub async fn insert(tx: &mut Tx, merge: &Merge) -> Result<(), StoreError> {
    const SQL: &str = concat!("INSERT INTO claim_merge (", columns!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)");
    let m = merge;
    let args = args![&m.id, m.claim.as_str(), m.into.as_str(), &m.reason, &m.asked_by, m.asked_at, m.stage.as_str(), &m.decided_by, m.decided_at];
    run(tx, "add a merge", SQL, args).await.map(drop)
}

/// Notes how a merge that stood at `was` stands now.
pub async fn decide(tx: &mut Tx, merge: &Merge, was: MergeStage) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE claim_merge SET stage = $3, decided_by = $4, decided_at = $5 WHERE id = $1 AND stage = $2";
    const EXISTS: &str = "SELECT COUNT(*) FROM claim_merge WHERE id = $1";
    let args = args![&merge.id, was.as_str(), merge.stage.as_str(), &merge.decided_by, merge.decided_at];
    run_versioned(tx, "decide a merge", "merge", &merge.id, SQL, args, EXISTS).await
}

/// One that must be there.
pub async fn get(tx: &mut Tx, id: &str) -> Result<Merge, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM claim_merge WHERE id = $1");
    must(one(tx, "find a merge", SQL, args![id], read).await?, "merge", id)
}

/// Those that begin or end at a claim, newest first, at most `limit`.
pub async fn list(tx: &mut Tx, claim: &SubjectId, limit: u32) -> Result<Vec<Merge>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM claim_merge WHERE claim = $1 OR into_claim = $1 ORDER BY asked_at DESC, id DESC LIMIT $2");
    all(tx, "list merges", SQL, args![claim.as_str(), limit], read).await
}
