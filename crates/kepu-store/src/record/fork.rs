//! Proofs that a key signed two documents at one place. What follows from one is decided in `kepu-domain::trust`.

use super::{code, signer_ids};
use crate::db::Tx;
use crate::error::StoreError;
use crate::sql::{Cells, all, args, one, run};
use kepu_domain::record::{ForkProof, Place, Stub};

fn read(c: &mut Cells<'_>) -> Result<ForkProof, StoreError> {
    let place = Place { key: c.id()?, stream: c.stream()?, n: c.int()? };
    let mut stub = || Ok::<_, StoreError>(Stub { modified: c.text()?, doc: c.hash()?, signature: c.bytes()? });
    Ok(ForkProof { place, stubs: [stub()?, stub()?] })
}

macro_rules! select_fork {
    () => {
        "SELECT s.did, f.stream, f.n, f.modified_a, f.doc_hash_a, f.sig_a, f.modified_b, f.doc_hash_b, f.sig_b
         FROM fork f JOIN signer s ON s.id = f.signer "
    };
}

/// Keeps a proof; `false` if one for this place was kept before, which then stays.
pub async fn insert_fork(tx: &mut Tx, proof: &ForkProof) -> Result<bool, StoreError> {
    const SQL: &str = "
        INSERT INTO fork (signer, stream, n, modified_a, doc_hash_a, sig_a, modified_b, doc_hash_b, sig_b)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (signer, stream, n) DO NOTHING";
    let place = &proof.place;
    let signer = signer_ids(tx, std::slice::from_ref(&place.key)).await?.get(&place.key).copied();
    let [a, b] = &proof.stubs;
    let args = args![
        signer,
        code(place.stream),
        place.n,
        a.modified.as_str(),
        a.doc.0.as_slice(),
        a.signature.as_slice(),
        b.modified.as_str(),
        b.doc.0.as_slice(),
        b.signature.as_slice()
    ];
    Ok(run(tx, "keep the proof of a fork", SQL, args).await? == 1)
}

/// The proof for a place.
pub async fn find_fork(tx: &mut Tx, place: &Place) -> Result<Option<ForkProof>, StoreError> {
    const SQL: &str = concat!(select_fork!(), "WHERE s.did = $1 AND f.stream = $2 AND f.n = $3");
    one(tx, "find the proof of a fork", SQL, args![place.key.as_str(), code(place.stream), place.n], read).await
}

/// Proofs of forks by key, stream and number, at most `limit`.
pub async fn list_forks(tx: &mut Tx, limit: u32) -> Result<Vec<ForkProof>, StoreError> {
    const SQL: &str = concat!(select_fork!(), "ORDER BY s.did, f.stream, f.n LIMIT $1");
    all(tx, "list proofs of forks", SQL, args![limit], read).await
}
