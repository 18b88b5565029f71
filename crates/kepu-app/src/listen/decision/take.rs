//! Taking on what is asked of one's place, and reporting how far it is. One letter never makes two tasks; a second letter about the same joins the first task.

use super::make::{same_words, whole};
use super::{fingerprint, missing, say, tree};
use crate::account::log;
use crate::error::{AppError, FieldError};
use crate::listen::task::{self, New};
use crate::{App, keys};
use jiff::Timestamp;
use kepu_domain::access::{Action, Actor};
use kepu_domain::ids::{OrgId, SubjectId, TaskId};
use kepu_domain::listen::decision::{Ask, Cause, Coordination, Decided, Outcome, Report, Said, also};
use kepu_domain::listen::task::{Of, REASON, Stage, Task};
use kepu_store::Tx;
use kepu_store::listen::{decision as store, task as tasks};

/// Takes on what is asked: it becomes a task of `org`, and those who asked are told. Who comes second is led to the task of the first.
///
/// May: those who take on what is asked of the organisation's place. Writes: task, record, log.
pub async fn take_on(app: &App, who: &Actor, id: &SubjectId, key: &str, org: &OrgId) -> Result<TaskId, AppError> {
    who.may(Action::TakeOn, None).map_err(|_| missing(id))?;
    let mut tx = app.db.write().await?;
    who.may(Action::TakeOn, Some(&kepu_store::org::line(&mut tx, org).await?))?;
    let tree = tree(app, &mut tx, id).await?;
    let refused = |field: &str, key: &str| Err(AppError::Invalid(vec![FieldError::new(field, key)]));
    let Some(branch) = tree.branches.iter().find(|branch| branch.ask.key == key) else { return Err(missing(id)) };
    if let Some(task) = store::find_task(&mut tx, id, key).await? {
        return Ok(task);
    }
    if branch.is_over() {
        return refused("org", "decision_ended");
    }
    if !kepu_store::org::get(&mut tx, org).await?.region.covers(branch.ask.place) {
        return refused("org", "ask_not_ours");
    }
    let task = take_in(app, &mut tx, id, &tree.decided, &branch.ask, org).await?;
    log(app, &mut tx, &who.log_name(), "decision.taken", &id.0, "ok").await?;
    tx.commit().await?;
    app.notify();
    Ok(task)
}

/// The task that answers an ask: the one that is there, else the open one that does the same, else a new one. Those who asked are told.
pub(crate) async fn take_in(app: &App, tx: &mut Tx, id: &SubjectId, decided: &Decided, ask: &Ask, org: &OrgId) -> Result<TaskId, AppError> {
    if let Some(task) = store::find_task(tx, id, &ask.key).await? {
        return Ok(task);
    }
    let words = same_words(ask.place, &ask.what);
    let mut same = None;
    for held in store::list_same(tx, &words, 50).await? {
        same = same.or(tasks::find(tx, &held).await?.filter(|task| !task.is_over()));
    }
    let task = match same {
        Some(task) => task,
        None => {
            let of = match decided.cause {
                Cause::Meeting => Of::Decision(id.0.clone()),
                Cause::Inspection => Of::Finding(id.0.clone()),
            };
            let new = New {
                key: ask.key.clone(),
                title: ask.what.clone(),
                title_en: String::new(),
                org: org.clone(),
                role: String::new(),
                owner: None,
                due: ask.due,
                proof: ask.proof.clone(),
            };
            task::give(app, tx, &of, vec![new]).await?.pop().ok_or_else(|| missing(id))?
        }
    };
    store::insert_task(tx, id, &ask.key, &task.id, &words).await?;
    settle(app, tx, &task).await?;
    report(app, tx, id, decided, ask, &task, Said { outcome: Outcome::Taken, at: whole(app.now()), words: String::new() }).await?;
    Ok(task.id)
}

async fn report(app: &App, tx: &mut Tx, id: &SubjectId, decided: &Decided, ask: &Ask, task: &Task, step: Said) -> Result<(), AppError> {
    let subject = SubjectId::new(&fingerprint(app, tx).await?, &format!("report-{}", keys::short_hash(&format!("{id}\n{}", ask.key))));
    let before = match store::find(tx, &subject).await?.map(|word| word.says) {
        Some(Coordination::Report(report)) => report.said,
        _ => vec![],
    };
    let said = also(before.clone(), step);
    if said == before {
        return Ok(());
    }
    let host = kepu_store::org::find(tx, &task.org).await?.map_or_else(|| task.org.0.clone(), |org| org.name);
    let says = Report { decision: id.clone(), ask: ask.key.clone(), place: ask.place, host, said };
    // What is reported travels as far as what was asked.
    say(app, tx, subject, decided.region, Coordination::Report(says)).await
}

/// What a decision says now about one of its asks; `None` if it is not known here.
async fn asked(tx: &mut Tx, id: &SubjectId, key: &str) -> Result<Option<(Decided, Ask)>, AppError> {
    let Some(Coordination::Decided(decided)) = store::find(tx, id).await?.map(|word| word.says) else { return Ok(None) };
    let ask = decided.asks.iter().find(|ask| ask.key == key).cloned();
    Ok(ask.map(|ask| (decided, ask)))
}

/// After a task was moved: everybody who asked for it is told.
pub(crate) async fn noticed(app: &App, tx: &mut Tx, task: &Task) -> Result<(), AppError> {
    let outcome = match task.stage {
        Stage::Open | Stage::Doing { .. } => Outcome::Taken,
        Stage::Done { .. } => Outcome::Done,
        Stage::Blocked { .. } => Outcome::Blocked,
        Stage::Dropped { .. } => Outcome::Dropped,
    };
    for (id, key) in store::list_asks(tx, &task.id).await? {
        if let Some((decided, ask)) = asked(tx, &id, &key).await?.filter(|(decided, _)| decided.ended.is_none()) {
            let step = Said { outcome, at: whole(app.now()), words: task.stage.words().to_owned() };
            report(app, tx, &id, &decided, &ask, task, step).await?;
        }
    }
    Ok(())
}

/// Brings a task to what all who asked for it say now: the earliest deadline; given up where nobody asks any more.
async fn settle(app: &App, tx: &mut Tx, task: &Task) -> Result<(), AppError> {
    let (mut due, mut ended): (Option<Timestamp>, Option<(Timestamp, String)>) = (None, None);
    for (id, key) in store::list_asks(tx, &task.id).await? {
        // What is not known here now, such as while everything is made anew, changes nothing.
        let Some((decided, ask)) = asked(tx, &id, &key).await? else { return Ok(()) };
        match decided.ended {
            Some(at) => ended = Some((at, decided.changes.last().map(|change| change.reason.clone()).unwrap_or_default())),
            None => due = Some(due.map_or(ask.due, |held| held.min(ask.due))),
        }
    }
    let (changed, word) = match (due, ended) {
        (Some(due), _) if due != task.due => (Task { due, ..task.clone() }, "task.moved"),
        (None, Some((at, why))) => {
            let why = kepu_text::clean_line(&why);
            let why = if why.is_empty() { "—" } else { kepu_text::truncate(&why, REASON.max) };
            (task.clone().give_up(why, at)?, "task.dropped")
        }
        _ => return Ok(()),
    };
    tasks::update(tx, &changed).await?;
    log(app, tx, "node", word, &task.id.0, "ok").await
}

/// After decisions came in, from here or from another node: the tasks that answer them follow. Writes: task, log.
pub(crate) async fn follow(app: &App, tx: &mut Tx, words: &[store::Word]) -> Result<(), AppError> {
    for word in words.iter().filter(|word| matches!(word.says, Coordination::Decided(_))) {
        for (_, id) in store::list_tasks(tx, &word.subject).await? {
            if let Some(task) = tasks::find(tx, &id).await?.filter(|task| !task.is_over()) {
                settle(app, tx, &task).await?;
            }
        }
    }
    Ok(())
}
