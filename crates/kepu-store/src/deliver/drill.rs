//! What the records of drills say. How a drill went is put together in `kepu-domain::deliver::drill`.

use crate::bulk::bulk_insert;
use crate::db::Tx;
use crate::error::StoreError;
use crate::sql::{all, args, run, run_in};
use crate::word::{self, bind, read};
use kepu_domain::deliver::drill::Drill;
use kepu_domain::ids::SubjectId;

/// One thing said in a drill.
pub type Word = word::Word<Drill>;

/// Stores what was said.
pub async fn upsert_many(tx: &mut Tx, words: &[Word]) -> Result<(), StoreError> {
    const HEAD: &str = "INSERT INTO drill_word (subject, drill, signer, doc_hash, at, says) VALUES";
    const TAIL: &str = "
        ON CONFLICT (subject) DO UPDATE SET drill = excluded.drill, signer = excluded.signer, doc_hash = excluded.doc_hash, at = excluded.at, says = excluded.says";
    bulk_insert(tx, "store words of drills", HEAD, 6, TAIL, words, bind).await.map(drop)
}

/// Removes what no record that counts says any more.
pub async fn delete_many(tx: &mut Tx, ids: &[SubjectId]) -> Result<(), StoreError> {
    run_in(tx, "remove words of drills", ("DELETE FROM drill_word WHERE subject IN (", ")"), ids, |id| args![id.as_str()]).await.map(drop)
}

/// Removes all of it; it is made again from the records.
pub async fn clear(tx: &mut Tx) -> Result<(), StoreError> {
    run(tx, "remove all words of drills", "DELETE FROM drill_word", vec![]).await.map(drop)
}

/// What was said in one drill, by subject, at most `limit`.
pub async fn list_of(tx: &mut Tx, drill: &SubjectId, limit: u32) -> Result<Vec<Word>, StoreError> {
    const SQL: &str = "SELECT subject, drill, signer, doc_hash, at, says FROM drill_word WHERE drill = $1 ORDER BY subject LIMIT $2";
    all(tx, "list the words of a drill", SQL, args![drill.as_str(), limit], read).await
}

/// The beginnings of drills, the latest first, at most `limit`.
pub async fn list_starts(tx: &mut Tx, limit: u32) -> Result<Vec<Word>, StoreError> {
    const SQL: &str = "SELECT subject, drill, signer, doc_hash, at, says FROM drill_word WHERE drill = subject ORDER BY at DESC, subject LIMIT $1";
    all(tx, "list drills", SQL, args![limit], read).await
}
