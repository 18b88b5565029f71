//! Doing tasks: taking one, saying that it is done and what proves it, what is in the way. Whoever gives tasks (`order`) puts them into the table
//! in its own transaction with [`give`].

use crate::account::log;
use crate::error::{AppError, FieldError, text_error};
use crate::{App, keys};
use jiff::Timestamp;
use kepu_domain::access::{Action, Actor};
use kepu_domain::ids::{AccountId, OrgId, TaskId};
use kepu_domain::listen::task::{EVIDENCE, Of, REASON, Stage, Task};
use kepu_domain::text::Limit;
use kepu_store::Tx;
use kepu_store::listen::task as store;

/// Most tasks of one thing.
pub const TASKS_MAX: u32 = 500;

/// A task to be given.
#[derive(Clone, Debug)]
pub struct New {
    /// Its id in the plan it comes from, or empty.
    pub key: String,
    /// What is to be done.
    pub title: String,
    /// The same in English, perhaps empty.
    pub title_en: String,
    /// The organisation that owes it.
    pub org: OrgId,
    /// The post or department, in words.
    pub role: String,
    /// Who has it already.
    pub owner: Option<AccountId>,
    /// Until when.
    pub due: Timestamp,
    /// What proves it.
    pub proof: String,
}

/// Gives tasks within `tx`. The caller has asked whether the actor may, and writes the log.
///
/// Writes: task.
pub async fn give(app: &App, tx: &mut Tx, of: &Of, list: Vec<New>) -> Result<Vec<Task>, AppError> {
    let now = app.now();
    let stage = |owner: &Option<AccountId>| if owner.is_some() { Stage::Doing { since: now } } else { Stage::Open };
    let tasks: Vec<Task> = list
        .into_iter()
        .map(|new| Task {
            id: TaskId(keys::random_word(12)),
            of: of.clone(),
            key: new.key,
            title: new.title,
            title_en: new.title_en,
            org: new.org,
            role: new.role,
            stage: stage(&new.owner),
            owner: new.owner,
            due: new.due,
            proof: new.proof,
            given_at: now,
            version: 1,
        })
        .collect();
    store::insert_many(tx, &tasks).await?;
    Ok(tasks)
}

/// What is done with a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// The actor takes it.
    Take,
    /// It is done: a line of text or an address.
    Done(String),
    /// Something is in the way.
    Block(String),
    /// It will not be done.
    Drop(String),
}

/// A task as somebody may see it.
#[derive(Clone, Debug)]
pub struct View {
    /// The task.
    pub task: Task,
    /// Name of whoever has taken it, or empty.
    pub owner: String,
    /// Name of the organisation that owes it.
    pub org: String,
    /// Whether the actor may work on it.
    pub can_work: bool,
}

/// Whether somebody may work on a task: who has taken it, those who work on cases of its organisation, and where somebody above asked for it those who take on.
pub(super) async fn may(tx: &mut Tx, who: &Actor, task: &Task) -> Result<(), AppError> {
    if task.owner.is_some() && task.owner.as_ref() == who.account() {
        return Ok(());
    }
    let action = if is_asked(&task.of) { Action::TakeOn } else { Action::WorkCase };
    Ok(who.may(action, Some(&kepu_store::org::line(tx, &task.org).await?))?)
}

/// Whether a meeting or an inspection asked for it.
fn is_asked(of: &Of) -> bool {
    matches!(of, Of::Decision(_) | Of::Finding(_))
}

/// A task; nobody else learns that it exists. May: its owner, those who work on cases of its organisation.
pub async fn get(app: &App, who: &Actor, id: &TaskId) -> Result<Task, AppError> {
    let mut tx = app.db.read().await?;
    own(&mut tx, who, id).await
}

async fn own(tx: &mut Tx, who: &Actor, id: &TaskId) -> Result<Task, AppError> {
    let task = store::get(tx, id).await?;
    match may(tx, who, &task).await {
        Err(AppError::Denied(_)) => Err(AppError::NotFound { what: "task", id: id.0.clone() }),
        other => other.map(|()| task),
    }
}

/// A task with what the actor may do. May: as [`get`].
pub async fn view(app: &App, who: &Actor, id: &TaskId) -> Result<View, AppError> {
    let mut tx = app.db.read().await?;
    let task = own(&mut tx, who, id).await?;
    shown(&mut tx, who, task).await
}

async fn shown(tx: &mut Tx, who: &Actor, task: Task) -> Result<View, AppError> {
    let owner = match &task.owner {
        Some(owner) => kepu_store::account::find(tx, owner).await?.map(|row| row.account.name).unwrap_or_default(),
        None => String::new(),
    };
    let org = kepu_store::org::find(tx, &task.org).await?.map_or_else(|| task.org.0.clone(), |org| org.name);
    let can_work = may(tx, who, &task).await.is_ok();
    Ok(View { task, owner, org, can_work })
}

/// The tasks of one thing with what the actor may do. The caller has asked whether the actor may see the thing.
pub async fn list_of(tx: &mut Tx, who: &Actor, of: &Of) -> Result<Vec<View>, AppError> {
    let mut list = Vec::new();
    for task in store::list_of(tx, of, TASKS_MAX).await? {
        list.push(shown(tx, who, task).await?);
    }
    Ok(list)
}

/// What waits for the actor: tasks of their organisations that are late, blocked or due within `within`, and what they have taken; the next due first.
pub(crate) async fn waiting(app: &App, tx: &mut Tx, who: &Actor, within: jiff::SignedDuration) -> Result<Vec<Task>, AppError> {
    let Some(account) = who.account() else { return Ok(vec![]) };
    let mut list = store::list_open(tx, &[], Some(account), 100).await?;
    if who.may(Action::TakeOn, None).is_ok() {
        let orgs = who.roots(Action::TakeOn).unwrap_or_default();
        let soon = crate::account::later(app.now(), within);
        for task in store::list_open(tx, &orgs, None, 200).await?.into_iter().filter(|task| task.due <= soon || matches!(task.stage, Stage::Blocked { .. })) {
            if may(tx, who, &task).await.is_ok() {
                list.push(task);
            }
        }
    }
    list.sort_by_key(|task| (task.due, task.id.clone()));
    list.dedup_by(|a, b| a.id == b.id);
    Ok(list)
}

fn words(text: &str, limit: Limit) -> Result<String, AppError> {
    let text = kepu_text::clean_line(text);
    limit.check(kepu_text::count(&text)).map_err(|error| AppError::Invalid(vec![text_error(&error)]))?;
    Ok(text)
}

/// Moves a task that was read in `version`. Two people who do it at once: the second learns that the first was quicker.
///
/// May: its owner, those who work on cases of its organisation. Writes: task, log; in a drill and where somebody above asked for it also a record.
pub async fn act(app: &App, who: &Actor, id: &TaskId, version: i64, deed: Deed) -> Result<Task, AppError> {
    let mut tx = app.db.write().await?;
    let task = own(&mut tx, who, id).await?;
    if task.version != version {
        return Err(AppError::Stale { what: "task", id: id.0.clone() });
    }
    let now = app.now();
    let (task, word) = match deed {
        Deed::Take => {
            let Some(account) = who.account() else { return Err(kepu_domain::access::Denied::NotSignedIn.into()) };
            (task.take(account.clone(), now)?, "task.taken")
        }
        Deed::Done(evidence) => {
            let evidence = words(&evidence, EVIDENCE)?;
            // Whoever asked looks from another node: a page of this one is no address there.
            let opens = is_link(&evidence) && !(is_asked(&task.of) && evidence.starts_with('/'));
            if task.proof == "link" && !opens {
                return Err(AppError::Invalid(vec![FieldError::new("evidence", "task_link")]));
            }
            (task.finish(&evidence, now)?, "task.done")
        }
        Deed::Block(reason) => (task.block(&words(&reason, REASON)?, now)?, "task.blocked"),
        Deed::Drop(reason) => (task.give_up(&words(&reason, REASON)?, now)?, "task.dropped"),
    };
    store::update(&mut tx, &task).await?;
    match &task.of {
        Of::Order(order) => super::order::noticed(app, &mut tx, order, &task).await?,
        Of::Decision(_) | Of::Finding(_) => super::decision::noticed(app, &mut tx, &task).await?,
        Of::Case(_) => {}
    }
    log(app, &mut tx, &who.log_name(), word, &id.0, "ok").await?;
    tx.commit().await?;
    app.notify();
    Ok(Task { version: task.version + 1, ..task })
}

/// An address of the web, or a page of this node.
fn is_link(text: &str) -> bool {
    ["https://", "http://", "/"].iter().any(|begin| text.starts_with(begin)) && !text.contains(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::listen::tests::{Hand, begin, member as person};
    use kepu_domain::access::Role;

    async fn given(app: &App, org: &str, proof: &str) -> Task {
        let mut tx = app.db.write().await.expect("tx");
        let new = New {
            key: "screen".into(),
            title: "上屏".into(),
            title_en: String::new(),
            org: org.into(),
            role: "值班".into(),
            owner: None,
            due: app.now(),
            proof: proof.into(),
        };
        let mut tasks = give(app, &mut tx, &Of::Decision("d1".into()), vec![new]).await.expect("given");
        tx.commit().await.expect("commit");
        tasks.remove(0)
    }

    #[tokio::test]
    async fn one_tap_ends_a_task_and_the_second_officer_learns_that_it_is_done() {
        let folder = tempfile::tempdir().expect("folder");
        let app = begin(folder.path(), &Hand::at(1_772_294_400)).await;
        let (one, other) = (person("one", "000000", Role::DutyOfficer), person("other", "000000", Role::DutyOfficer));
        let task = given(&app, "000000", "").await;
        let done = act(&app, &one, &task.id, task.version, Deed::Done("已上屏".into())).await.expect("done");
        assert_eq!((done.stage.name(), done.stage.words()), ("done", "已上屏"));
        let late = act(&app, &other, &task.id, task.version, Deed::Done("我也上了".into())).await;
        assert!(matches!(late, Err(AppError::Stale { .. })), "{late:?}");
        let over = act(&app, &other, &task.id, done.version, Deed::Take).await;
        assert!(matches!(over, Err(AppError::Task(_))), "{over:?}");
        let log = kepu_store::log::verify(&mut app.db.read().await.expect("tx")).await.expect("log");
        assert!(matches!(log, kepu_store::log::Verdict::Whole { .. }));
    }

    #[tokio::test]
    async fn strangers_do_not_learn_that_a_task_exists_and_proof_is_asked_for() {
        let folder = tempfile::tempdir().expect("folder");
        let app = begin(folder.path(), &Hand::at(1_772_294_400)).await;
        let officer = person("one", "410000", Role::DutyOfficer);
        let task = given(&app, "411525", "link").await;
        for stranger in [Actor::Visitor, person("far", "420000", Role::DutyOfficer), person("pen", "411525", Role::Contributor)] {
            assert!(matches!(get(&app, &stranger, &task.id).await, Err(AppError::NotFound { .. })));
            assert!(matches!(act(&app, &stranger, &task.id, 1, Deed::Take).await, Err(AppError::NotFound { .. })));
        }
        for bad in ["", "好", "已发，见群里"] {
            assert!(matches!(act(&app, &officer, &task.id, 1, Deed::Done(bad.into())).await, Err(AppError::Invalid(_))), "{bad}");
        }
        let taken = act(&app, &officer, &task.id, 1, Deed::Take).await.expect("taken");
        let blocked = act(&app, &officer, &task.id, taken.version, Deed::Block("停电".into())).await.expect("blocked");
        let mut tx = app.db.read().await.expect("tx");
        assert_eq!(waiting(&app, &mut tx, &officer, jiff::SignedDuration::ZERO).await.expect("waiting").len(), 1);
        drop(tx);
        act(&app, &officer, &task.id, blocked.version, Deed::Done("https://example.org/p".into())).await.expect("done");
    }
}
