//! Placements of claims: one row a place, with the version that it showed last.

use crate::db::Tx;
use crate::error::StoreError;
use crate::sql::{Cells, all, args, number, run};
use kepu_domain::ids::SubjectId;
use kepu_domain::listen::placement::{PlaceKind, Placement};

/// Notes what a place shows now.
pub async fn put(tx: &mut Tx, placement: &Placement) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO placement (claim, kind, place, doc, at) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (claim, kind, place) DO UPDATE SET doc = excluded.doc, at = excluded.at";
    let p = placement;
    run(tx, "note a placement", SQL, args![p.claim.as_str(), p.kind.as_str(), &p.place, p.doc.0.as_slice(), p.at]).await.map(drop)
}

/// Places of a claim, the longest silent first, at most `limit`.
pub async fn list(tx: &mut Tx, claim: &SubjectId, limit: u32) -> Result<Vec<Placement>, StoreError> {
    const SQL: &str = "SELECT claim, kind, place, doc, at FROM placement WHERE claim = $1 ORDER BY at, kind, place LIMIT $2";
    all(tx, "list placements", SQL, args![claim.as_str(), limit], read).await
}

fn read(c: &mut Cells<'_>) -> Result<Placement, StoreError> {
    Ok(Placement { claim: c.id()?, kind: c.word(PlaceKind::parse)?, place: c.text()?, doc: c.hash()?, at: c.time()? })
}

/// Claims that a place of this kind showed, with the version it showed last; by claim, at most `limit`.
pub async fn list_by_place(tx: &mut Tx, kind: PlaceKind, place: &str, limit: u32) -> Result<Vec<Placement>, StoreError> {
    const SQL: &str = "SELECT claim, kind, place, doc, at FROM placement WHERE kind = $1 AND place = $2 ORDER BY claim LIMIT $3";
    all(tx, "list what a place shows", SQL, args![kind.as_str(), place, limit], read).await
}

/// How many places a claim has.
pub async fn count(tx: &mut Tx, claim: &SubjectId) -> Result<i64, StoreError> {
    number(tx, "count placements", "SELECT COUNT(*) FROM placement WHERE claim = $1", args![claim.as_str()]).await
}
