//! Votes on answers, as counts by kind of reader; and the tickets that are spent. Nothing joins the two.

use crate::db::Tx;
use crate::error::StoreError;
use crate::sql::{Cells, all, args, run};
use kepu_domain::ids::SubjectId;
use kepu_domain::listen::usefulness::{ReaderKind, Tally, Vote};

fn read(c: &mut Cells<'_>) -> Result<Tally, StoreError> {
    Ok(Tally { claim: c.id()?, kind: c.word(ReaderKind::parse)?, useful: c.int()?, useless: c.int()? })
}

/// Spends a ticket; false if it was spent before.
pub async fn spend(tx: &mut Tx, nullifier: &[u8; 32]) -> Result<bool, StoreError> {
    const SQL: &str = "INSERT INTO ticket_spent (nullifier) VALUES ($1) ON CONFLICT (nullifier) DO NOTHING";
    Ok(run(tx, "spend a ticket", SQL, args![nullifier.as_slice()]).await? == 1)
}

/// Counts one vote.
pub async fn count(tx: &mut Tx, claim: &SubjectId, kind: ReaderKind, vote: Vote) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO usefulness (claim, kind, useful, useless) VALUES ($1, $2, $3, $4)
        ON CONFLICT (claim, kind) DO UPDATE SET useful = usefulness.useful + excluded.useful, useless = usefulness.useless + excluded.useless";
    let (useful, useless) = if vote == Vote::Useful { (1_i64, 0_i64) } else { (0, 1) };
    run(tx, "count a vote", SQL, args![claim.as_str(), kind.as_str(), useful, useless]).await.map(drop)
}

/// Counts of all claims, in order, after `after`, at most `limit`.
pub async fn list(tx: &mut Tx, after: Option<&SubjectId>, limit: u32) -> Result<Vec<Tally>, StoreError> {
    const SQL: &str = "SELECT claim, kind, useful, useless FROM usefulness WHERE claim > $1 ORDER BY claim, kind LIMIT $2";
    all(tx, "list votes", SQL, args![after.map_or("", SubjectId::as_str), limit], read).await
}

/// Counts of one claim.
pub async fn of(tx: &mut Tx, claim: &SubjectId) -> Result<Vec<Tally>, StoreError> {
    const SQL: &str = "SELECT claim, kind, useful, useless FROM usefulness WHERE claim = $1 ORDER BY kind";
    all(tx, "find votes", SQL, args![claim.as_str()], read).await
}
