//! Tasks: what somebody has to do until a moment. Which moves are legal is in `kepu-domain::listen::task`.

use crate::bulk::bulk_insert;
use crate::db::Tx;
use crate::error::StoreError;
use crate::org::push_below;
use crate::sql::{Built, Cells, all, args, must, one, run_versioned};
use crate::value::Value;
use kepu_domain::ids::{AccountId, OrgId, TaskId};
use kepu_domain::listen::task::{Of, Stage, Task};

macro_rules! columns {
    () => {
        "id, of_kind, of_id, plan_key, title, title_en, org, post, owner, due, proof, given_at, stage, stage_at, words, version"
    };
}

fn read(c: &mut Cells<'_>) -> Result<Task, StoreError> {
    let (id, kind, of, key) = (c.id()?, c.text()?, c.text()?, c.text()?);
    let of = Of::parse(&kind, &of).ok_or_else(|| c.corrupt(format!("a task cannot belong to a \"{kind}\"")))?;
    let (title, title_en, org, role, owner) = (c.text()?, c.text()?, c.id()?, c.text()?, c.opt_id()?);
    let (due, proof, given_at) = (c.time()?, c.text()?, c.time()?);
    let (name, at, words, version) = (c.text()?, c.opt_time()?, c.text()?, c.int()?);
    let stage = Stage::parse(&name, at, words).ok_or_else(|| c.corrupt(format!("what belongs to the stage \"{name}\" is missing")))?;
    Ok(Task { id, of, key, title, title_en, org, role, owner, due, proof, given_at, stage, version })
}

fn bind<'r>(task: &'r Task, values: &mut Vec<Value<'r>>) {
    values.extend([
        task.id.as_str().into(),
        task.of.kind().into(),
        task.of.id().into(),
        task.key.as_str().into(),
        task.title.as_str().into(),
        task.title_en.as_str().into(),
        task.org.as_str().into(),
        task.role.as_str().into(),
        task.owner.as_ref().map(AccountId::as_str).into(),
        task.due.into(),
        task.proof.as_str().into(),
        task.given_at.into(),
        task.stage.name().into(),
        task.stage.at().into(),
        task.stage.words().into(),
        task.version.into(),
    ]);
}

/// Adds tasks.
pub async fn insert_many(tx: &mut Tx, tasks: &[Task]) -> Result<(), StoreError> {
    const HEAD: &str = concat!("INSERT INTO task (", columns!(), ") VALUES");
    bulk_insert(tx, "add tasks", HEAD, 16, "", tasks, bind).await.map(drop)
}

/// Stores a changed task that was read in `task.version`: due, owner, stage, organisation and words. What it belongs to never changes.
pub async fn update(tx: &mut Tx, task: &Task) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE task SET title = $3, title_en = $4, org = $5, post = $6, owner = $7, due = $8, stage = $9, stage_at = $10, words = $11, version = version + 1
        WHERE id = $1 AND version = $2";
    const EXISTS: &str = "SELECT COUNT(*) FROM task WHERE id = $1";
    let id = task.id.as_str();
    let args = args![
        id,
        task.version,
        &task.title,
        &task.title_en,
        task.org.as_str(),
        &task.role,
        task.owner.as_ref().map(AccountId::as_str),
        task.due,
        task.stage.name(),
        task.stage.at(),
        task.stage.words()
    ];
    run_versioned(tx, "change a task", "task", id, SQL, args, EXISTS).await
}

/// One task.
pub async fn find(tx: &mut Tx, id: &TaskId) -> Result<Option<Task>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM task WHERE id = $1");
    one(tx, "find a task", SQL, args![id.as_str()], read).await
}

/// One task that must be there.
pub async fn get(tx: &mut Tx, id: &TaskId) -> Result<Task, StoreError> {
    must(find(tx, id).await?, "task", id)
}

/// The tasks of one thing, the next due first, at most `limit`.
pub async fn list_of(tx: &mut Tx, of: &Of, limit: u32) -> Result<Vec<Task>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM task WHERE of_kind = $1 AND of_id = $2 ORDER BY due, id LIMIT $3");
    all(tx, "list the tasks of one thing", SQL, args![of.kind(), of.id(), limit], read).await
}

/// Tasks that are not over: of `orgs` and those below them (none: of all) or taken by `owner`; the next due first, at most `limit`.
pub async fn list_open(tx: &mut Tx, orgs: &[OrgId], owner: Option<&AccountId>, limit: u32) -> Result<Vec<Task>, StoreError> {
    let mut query = Built::new(concat!("SELECT ", columns!(), " FROM task WHERE stage IN ('open', 'doing', 'blocked')"));
    match owner {
        Some(owner) => drop(query.push(" AND owner = {}", args![owner.as_str()])),
        None => push_below(&mut query, orgs),
    }
    query.push(" ORDER BY due, id LIMIT {}", args![limit]);
    let (sql, args) = query.done();
    all(tx, "list open tasks", sql, args, read).await
}
