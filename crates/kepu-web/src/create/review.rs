//! Review tasks: the reviewer's list, and one task with the exact text, its sources, what changed, and the decision.

use super::edit;
use super::lane::{LaneBox, lane_box};
use super::matter::{Difference, FindingLine, Shown, differences, findings};
use super::remark::{self, ThreadLine};
use crate::Web;
use crate::form::Form;
use crate::page::{Answer, Errors, Html, Pager, Req, Shell, page, page_with};
use crate::problem::Problem;
use crate::urls;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use kepu_app::create::review::{self, ReviewView, Task, Which};
use kepu_app::{AppError, FieldError};
use kepu_domain::create::review::{Decision, ReviewError, Said, Stage};
use kepu_domain::ids::ReviewId;

/// Rows on a page.
const SIZE: usize = 20;
/// Open tasks shown: a reviewer with more has other worries than paging.
const OPEN_MAX: usize = 100;

/// A row of the list.
struct Item {
    href: String,
    title: String,
    kind: String,
    clk: Html,
    mark: Html,
}

#[derive(Template)]
#[template(path = "create/review/list.html")]
struct ListPage {
    s: Shell,
    open: Vec<Item>,
    open_total: usize,
    done: Vec<Item>,
    done_total: usize,
    pager: Pager,
    said: String,
}

/// GET /reviews
pub async fn list(State(web): State<Web>, req: Req) -> Answer {
    let s = req.titled(req.shell.t("reviews-title"));
    let at = req.page_number();
    let (open, open_total) = review::list(&web.app, &req.actor, Which::Open, 0, OPEN_MAX).await?;
    let (done, done_total) = review::list(&web.app, &req.actor, Which::Done, (at - 1) * SIZE, SIZE).await?;
    let today = web.app.today();
    Ok(page(&ListPage {
        open: open.iter().map(|task| item(&s, task, today)).collect(),
        open_total,
        done: done.iter().map(|task| item(&s, task, today)).collect(),
        done_total,
        pager: Pager::new(&s, at, SIZE, done_total),
        said: said(&s, req.query.get("done")),
        s,
    }))
}

fn said(s: &Shell, word: &str) -> String {
    match word {
        "approved" => s.t("done-approved"),
        "returned" => s.t("done-returned"),
        "declined" => s.t("done-declined"),
        _ => String::new(),
    }
}

fn item(s: &Shell, task: &Task, today: jiff::civil::Date) -> Item {
    let kind = if task.kind == "claim" { s.t("draft-kind-claim") } else { s.t("draft-kind-resource") };
    let clk = match &task.review.stage {
        Stage::Assigned { due } => s.due(*due, today),
        Stage::Decided { at, .. } | Stage::Declined { at, .. } => s.soon(at),
    };
    Item { href: urls::review(&task.review.id), title: task.title.clone(), kind, clk, mark: stage_mark(s, &task.review.stage, true) }
}

/// The state of a task: shape and word. `open_is_overtaken` is for lists of what is done.
fn stage_mark(s: &Shell, stage: &Stage, in_done_list: bool) -> Html {
    let (shape, word) = match stage {
        Stage::Assigned { .. } if in_done_list => ("open", s.t("review-overtaken")),
        Stage::Assigned { .. } => ("now", s.t("review-waiting")),
        Stage::Decided { decision: Decision::Approve, .. } => ("true", s.t("review-approved")),
        Stage::Decided { .. } => ("part", s.t("review-returned")),
        Stage::Declined { .. } => ("open", s.t("review-declined")),
    };
    s.state(shape, word)
}

#[derive(Template)]
#[template(path = "create/review/show.html")]
struct ShowPage {
    s: Shell,
    id: String,
    m: Shown,
    title: String,
    org: String,
    reviewer: String,
    fields: String,
    mark: Html,
    clk: Html,
    findings: Vec<FindingLine>,
    changes: Vec<Difference>,
    correction: String,
    /// Whether the actor can decide now.
    deciding: bool,
    /// Whether the text was changed after it was assigned.
    overtaken: bool,
    /// What was decided: remark and stated interests.
    remark: String,
    stated: String,
    conflict: String,
    /// Whether the interests were stated before and only need to be looked at.
    remembered: bool,
    comment: String,
    reason: String,
    lane: Option<LaneBox>,
    /// Points that are ticked.
    ticked: Vec<String>,
    remarks: Vec<ThreadLine>,
    /// The draft's page.
    draft: String,
    errors: Errors,
}

impl ShowPage {
    /// Whether a point of the checklist is ticked.
    fn ticks(&self, id: &str) -> bool {
        self.ticked.iter().any(|one| one == id)
    }

    /// Whether the form for giving the task back has something wrong in it.
    fn declining(&self) -> bool {
        self.errors.0.iter().any(|(field, _)| field == "reason")
    }
}

/// What a reviewer typed.
#[derive(Default)]
struct Words<'a> {
    conflict: Option<&'a str>,
    comment: &'a str,
    reason: &'a str,
    checks: &'a [String],
}

fn show_page(web: &Web, req: &Req, view: &ReviewView, words: &Words<'_>, errors: &[FieldError]) -> ShowPage {
    let s = req.titled(req.shell.t1("review-title", "title", view.draft.matter.title()));
    let open = matches!(view.review.stage, Stage::Assigned { .. });
    let (remark, stated) = match &view.review.stage {
        Stage::Decided { comment, conflict, .. } => (comment.clone(), conflict.clone()),
        Stage::Declined { reason, .. } => (reason.clone(), String::new()),
        Stage::Assigned { .. } => (String::new(), String::new()),
    };
    let changes = view.before.as_ref().map(|before| differences(&s, &edit::write(before, ""), &edit::write(&view.draft.matter, "")));
    ShowPage {
        id: view.review.id.0.clone(),
        m: Shown::new(&s, &view.draft.matter),
        title: view.draft.matter.title().to_owned(),
        org: view.org.clone(),
        reviewer: s.pick(&view.party.name, &view.party.name_en).to_owned(),
        fields: s.fields(&view.party.fields),
        mark: stage_mark(&s, &view.review.stage, !view.current),
        clk: match &view.review.stage {
            Stage::Assigned { due } => s.due(*due, web.app.today()),
            Stage::Decided { at, .. } | Stage::Declined { at, .. } => s.time(at),
        },
        findings: findings(&s, &view.findings),
        changes: changes.unwrap_or_default(),
        correction: view.draft.correction.clone(),
        deciding: view.mine && open && view.current,
        overtaken: open && !view.current,
        remark,
        stated,
        conflict: words.conflict.unwrap_or(&view.last_conflict).to_owned(),
        remembered: words.conflict.is_none() && !view.last_conflict.is_empty(),
        comment: words.comment.to_owned(),
        lane: view.lane.as_ref().map(|lane| lane_box(&s, lane)),
        ticked: match &view.review.stage {
            Stage::Decided { checks, .. } => checks.clone(),
            _ => words.checks.to_vec(),
        },
        remarks: remark::lines(&s, &view.remarks),
        draft: urls::draft(&view.draft.id),
        reason: words.reason.to_owned(),
        errors: s.errors(errors),
        s,
    }
}

/// GET /reviews/{id}
pub async fn show(State(web): State<Web>, req: Req, Path(id): Path<String>) -> Answer {
    let view = review::view(&web.app, &req.actor, &ReviewId(id)).await?;
    Ok(page(&show_page(&web, &req, &view, &Words::default(), &[])))
}

/// POST /reviews/{id}: `decision` is the button that was pressed.
pub async fn decide(State(web): State<Web>, req: Req, Path(id): Path<String>, form: Form) -> Answer {
    let id = ReviewId(id);
    let (conflict, comment, checks) = (form.get("conflict"), form.get("comment"), form.all("checks"));
    let deed = async {
        let decision = Decision::parse(form.get("decision")).ok_or_else(|| AppError::Invalid(vec![FieldError::new("comment", "no_decision")]))?;
        review::decide(&web.app, &req.actor, &id, Said { decision, conflict, comment, checks: &checks }).await?;
        Ok(format!("/reviews?done={}", if decision == Decision::Approve { "approved" } else { "returned" }))
    };
    let words = Words { conflict: Some(conflict), comment, reason: "", checks: &checks };
    match form.once(&web, deed).await {
        Ok(response) => Ok(response),
        Err(error) => refused(&web, &req, &id, &words, error).await,
    }
}

/// POST /reviews/{id}/decline
pub async fn decline(State(web): State<Web>, req: Req, Path(id): Path<String>, form: Form) -> Answer {
    let id = ReviewId(id);
    let reason = form.get("reason");
    let deed = async {
        review::decline(&web.app, &req.actor, &id, reason, form.get("interest") == "1").await?;
        Ok("/reviews?done=declined".to_owned())
    };
    match form.once(&web, deed).await {
        Ok(response) => Ok(response),
        Err(AppError::Review(ReviewError::NoComment)) => {
            let error = AppError::Invalid(vec![FieldError::new("reason", "no_decline_reason")]);
            refused(&web, &req, &id, &Words { reason, ..Words::default() }, error).await
        }
        Err(error) => refused(&web, &req, &id, &Words { reason, ..Words::default() }, error).await,
    }
}

/// The page again with what was typed, where the reviewer can mend something or must know that it is too late.
async fn refused(web: &Web, req: &Req, id: &ReviewId, words: &Words<'_>, error: AppError) -> Answer {
    let (status, errors) = match error {
        AppError::Invalid(errors) => (StatusCode::UNPROCESSABLE_ENTITY, errors),
        AppError::Review(ReviewError::NoConflictStatement) => (StatusCode::UNPROCESSABLE_ENTITY, vec![FieldError::new("conflict", "no_conflict_statement")]),
        AppError::Review(ReviewError::NoComment) => (StatusCode::UNPROCESSABLE_ENTITY, vec![FieldError::new("comment", "no_comment")]),
        AppError::Review(ReviewError::Lapsed { .. }) => (StatusCode::CONFLICT, vec![FieldError::new("comment", "lapsed")]),
        AppError::Review(ReviewError::Unticked(points)) => {
            (StatusCode::UNPROCESSABLE_ENTITY, vec![FieldError::new("checks", "unticked").with("points", points.join("；"))])
        }
        AppError::Review(ReviewError::Outdated) => (StatusCode::CONFLICT, vec![FieldError::new("comment", "review_overtaken")]),
        AppError::Review(ReviewError::Closed) => (StatusCode::CONFLICT, vec![FieldError::new("comment", "review_closed")]),
        other => return Err(Problem::from(other)),
    };
    let view = review::view(&web.app, &req.actor, id).await?;
    Ok(page_with(status, &show_page(web, req, &view, words, &errors)))
}
