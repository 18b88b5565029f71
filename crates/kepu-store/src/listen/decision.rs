//! What the records of coordination say, and which task of this node answers what is asked. The tree is put together in `kepu-domain::listen::decision`.

use crate::bulk::bulk_insert;
use crate::db::Tx;
use crate::error::StoreError;
use crate::sql::{all, args, one, run, run_in};
use crate::word::{self, bind, read};
use kepu_domain::ids::{SubjectId, TaskId};
use kepu_domain::listen::decision::Coordination;

/// A decision, or a report about one.
pub type Word = word::Word<Coordination>;

macro_rules! columns {
    () => {
        "subject, decision, signer, doc_hash, at, says"
    };
}

/// Stores what was said.
pub async fn upsert_many(tx: &mut Tx, words: &[Word]) -> Result<(), StoreError> {
    const HEAD: &str = concat!("INSERT INTO coordination_word (", columns!(), ") VALUES");
    const TAIL: &str = "
        ON CONFLICT (subject) DO UPDATE
        SET decision = excluded.decision, signer = excluded.signer, doc_hash = excluded.doc_hash, at = excluded.at, says = excluded.says";
    bulk_insert(tx, "store words of coordination", HEAD, 6, TAIL, words, bind).await.map(drop)
}

/// Removes what no record that counts says any more.
pub async fn delete_many(tx: &mut Tx, ids: &[SubjectId]) -> Result<(), StoreError> {
    run_in(tx, "remove words of coordination", ("DELETE FROM coordination_word WHERE subject IN (", ")"), ids, |id| args![id.as_str()]).await.map(drop)
}

/// Removes all of it; it is made again from the records.
pub async fn clear(tx: &mut Tx) -> Result<(), StoreError> {
    run(tx, "remove all words of coordination", "DELETE FROM coordination_word", vec![]).await.map(drop)
}

/// One word.
pub async fn find(tx: &mut Tx, id: &SubjectId) -> Result<Option<Word>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM coordination_word WHERE subject = $1");
    one(tx, "find a word of coordination", SQL, args![id.as_str()], read).await
}

/// A decision with what was reported about it, by subject, at most `limit`.
pub async fn list_of(tx: &mut Tx, decision: &SubjectId, limit: u32) -> Result<Vec<Word>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM coordination_word WHERE decision = $1 ORDER BY subject LIMIT $2");
    all(tx, "list the words of a decision", SQL, args![decision.as_str(), limit], read).await
}

/// Decisions, the latest first, at most `limit`.
pub async fn list_decided(tx: &mut Tx, limit: u32) -> Result<Vec<Word>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM coordination_word WHERE decision = subject ORDER BY at DESC, subject LIMIT $1");
    all(tx, "list decisions", SQL, args![limit], read).await
}

/// Reports about all decisions, by decision and subject, at most `limit`.
pub async fn list_reports(tx: &mut Tx, limit: u32) -> Result<Vec<Word>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM coordination_word WHERE decision <> subject ORDER BY decision, subject LIMIT $1");
    all(tx, "list reports about decisions", SQL, args![limit], read).await
}

/// Notes that `task` answers this ask; `words` are the same for asks that ask the same of the same place.
pub async fn insert_task(tx: &mut Tx, decision: &SubjectId, ask: &str, task: &TaskId, words: &str) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO ask_task (decision, ask, task, words) VALUES ($1, $2, $3, $4)";
    run(tx, "note which task answers an ask", SQL, args![decision.as_str(), ask, task.as_str(), words]).await.map(drop)
}

/// The task that answers an ask.
pub async fn find_task(tx: &mut Tx, decision: &SubjectId, ask: &str) -> Result<Option<TaskId>, StoreError> {
    const SQL: &str = "SELECT task FROM ask_task WHERE decision = $1 AND ask = $2";
    one(tx, "find the task of an ask", SQL, args![decision.as_str(), ask], |c| c.id()).await
}

/// Tasks that answer asks with the same words, each once, at most `limit`.
pub async fn list_same(tx: &mut Tx, words: &str, limit: u32) -> Result<Vec<TaskId>, StoreError> {
    const SQL: &str = "SELECT DISTINCT task FROM ask_task WHERE words = $1 ORDER BY task LIMIT $2";
    all(tx, "list tasks with the same words", SQL, args![words, limit], |c| c.id()).await
}

/// The asks that a task answers.
pub async fn list_asks(tx: &mut Tx, task: &TaskId) -> Result<Vec<(SubjectId, String)>, StoreError> {
    const SQL: &str = "SELECT decision, ask FROM ask_task WHERE task = $1 ORDER BY decision, ask LIMIT 100";
    all(tx, "list the asks of a task", SQL, args![task.as_str()], |c| Ok((c.id()?, c.text()?))).await
}

/// The asks of a decision that tasks here answer.
pub async fn list_tasks(tx: &mut Tx, decision: &SubjectId) -> Result<Vec<(String, TaskId)>, StoreError> {
    const SQL: &str = "SELECT ask, task FROM ask_task WHERE decision = $1 ORDER BY ask LIMIT 100";
    all(tx, "list the tasks of a decision", SQL, args![decision.as_str()], |c| Ok((c.text()?, c.id()?))).await
}
