//! Tasks as rows and as a page of their own: the clock, one tap when it is done, what is in the way. Whatever a task belongs to shows it with [`row`].

use crate::Web;
use crate::form::Form;
use crate::page::{Answer, Errors, Html, Req, Shell, page_with};
use crate::urls;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect};
use kepu_app::listen::task::{self as deeds, Deed, View};
use kepu_app::{AppError, FieldError};
use kepu_domain::ids::{SubjectId, TaskId};
use kepu_domain::listen::task::{Of, Stage, Task};

/// A task as a page shows it.
pub struct TaskRow {
    /// Id.
    pub id: String,
    /// Version for forms.
    pub version: i64,
    /// What is to be done.
    pub title: String,
    /// Post, organisation, who has it.
    pub who: String,
    /// Its clock.
    pub clock: Html,
    /// Stage as shape and word.
    pub state: Html,
    /// Evidence or reason.
    pub words: String,
    /// Address of the evidence, if it is one.
    pub link: String,
    /// Whether the reader may move it.
    pub open: bool,
    /// Whether somebody is at it already.
    pub taken: bool,
    /// Hint for the evidence.
    pub hint: String,
}

/// A task in words.
pub fn row(s: &Shell, one: &View) -> TaskRow {
    let task = &one.task;
    let words = task.stage.words().to_owned();
    let is_link = matches!(task.stage, Stage::Done { .. })
        && (words.starts_with("https://") || words.starts_with("http://") || crate::urls::is_own(&words))
        && !words.contains(char::is_whitespace);
    let who: Vec<&str> = [task.role.as_str(), one.org.as_str(), one.owner.as_str()].into_iter().filter(|text| !text.is_empty()).collect();
    TaskRow {
        id: task.id.0.clone(),
        version: task.version,
        title: s.pick(&task.title, &task.title_en).to_owned(),
        who: who.join(" · "),
        clock: if task.is_over() { task.stage.at().map(|at| s.soon(&at)).unwrap_or_default() } else { s.clk(task.due, task.is_late(s.now)) },
        state: state(s, task),
        link: if is_link { words.clone() } else { String::new() },
        words,
        open: one.can_work && !task.is_over(),
        taken: matches!(task.stage, Stage::Doing { .. }),
        hint: s.t(if task.proof == "link" { "task-proof-link" } else { "task-proof-text" }),
    }
}

/// The stage as shape and word.
pub fn state(s: &Shell, task: &Task) -> Html {
    match &task.stage {
        Stage::Open if task.is_late(s.now) => s.state("false", s.t("task-overdue")),
        Stage::Open => s.state("open", s.t("task-open")),
        Stage::Doing { .. } if task.is_late(s.now) => s.state("false", s.t("task-overdue")),
        Stage::Doing { .. } => s.state("now", s.t("task-doing")),
        Stage::Done { .. } if task.was_late() => s.state("part", s.t("task-done-late")),
        Stage::Done { .. } => s.state("true", s.t("task-done")),
        Stage::Blocked { .. } => s.state("false", s.t("task-blocked")),
        Stage::Dropped { .. } => s.state("open", s.t("task-dropped")),
    }
}

#[derive(Template)]
#[template(path = "listen/task.html")]
struct TaskPage {
    s: Shell,
    it: TaskRow,
    back: String,
    evidence: String,
    reason: String,
    errors: Errors,
}

/// Where the thing a task belongs to is shown; empty if it has no page here.
fn place_of(of: &Of) -> String {
    match of {
        Of::Order(id) => urls::order(id),
        Of::Case(id) => urls::case(id),
        Of::Decision(id) | Of::Finding(id) => urls::decision(&SubjectId(id.clone())),
    }
}

/// GET /tasks/{id}
pub async fn show(State(web): State<Web>, req: Req, Path(id): Path<String>) -> Answer {
    show_with(&web, &req, &TaskId(id), StatusCode::OK, ("", ""), &[]).await
}

async fn show_with(web: &Web, req: &Req, id: &TaskId, status: StatusCode, (evidence, reason): (&str, &str), errors: &[FieldError]) -> Answer {
    let view = deeds::view(&web.app, &req.actor, id).await?;
    let s = req.titled(req.shell.pick(&view.task.title, &view.task.title_en));
    let answer =
        TaskPage { it: row(&s, &view), back: place_of(&view.task.of), evidence: evidence.to_owned(), reason: reason.to_owned(), errors: s.errors(errors), s };
    Ok(page_with(status, &answer))
}

/// POST /tasks/{id}: `do` is `take`, `done`, `block` or `drop`
pub async fn act(State(web): State<Web>, req: Req, Path(id): Path<String>, form: Form) -> Answer {
    let id = TaskId(id);
    let deed = async {
        let deed = match form.get("do") {
            "take" => Deed::Take,
            "done" => Deed::Done(form.get("evidence").to_owned()),
            "block" => Deed::Block(form.get("reason").to_owned()),
            "drop" => Deed::Drop(form.get("reason").to_owned()),
            other => return Err(AppError::NotFound { what: "deed", id: other.chars().take(40).collect() }),
        };
        let task = deeds::act(&web.app, &req.actor, &id, form.int("version").unwrap_or_default(), deed).await?;
        let back = place_of(&task.of);
        Ok(match &task.of {
            Of::Order(_) => format!("{back}#t-{id}"),
            _ if back.is_empty() => urls::task(&id),
            _ => back,
        })
    };
    match form.once(&web, deed).await {
        Err(AppError::Invalid(errors)) => {
            show_with(&web, &req, &id, StatusCode::UNPROCESSABLE_ENTITY, (form.get("evidence"), form.get("reason")), &errors).await
        }
        // Somebody else was quicker: the page says how it stands now.
        Err(AppError::Stale { .. }) if !req.wants_json => Ok(Redirect::to(&format!("{}?late=1", urls::task(&id))).into_response()),
        other => Ok(other?),
    }
}
