//! Reporting a content: the form for everybody, what a case about a report shows, the decision, the appeal. What is done is in `kepu-app::listen::report`.

use crate::Web;
use crate::form::Form;
use crate::line::{Choice, title_of};
use crate::page::{Answer, Errors, Html, Req, Shell, page_with};
use crate::subject::id_of;
use crate::urls;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use kepu_app::create::take_back;
use kepu_app::listen::case::CaseView;
use kepu_app::listen::report::{self as deeds, Filed};
use kepu_app::{AppError, FieldError};
use kepu_domain::access::Action;
use kepu_domain::ids::{CaseId, SubjectId};
use kepu_domain::listen::case::Stage;
use kepu_domain::listen::report::RULES;

#[derive(Template)]
#[template(path = "listen/report.html")]
struct ReportPage {
    s: Shell,
    title: String,
    href: String,
    action: String,
    grounds: Vec<Choice>,
    words: String,
    days: i64,
    errors: Errors,
}

async fn form_with(web: &Web, req: &Req, id: &SubjectId, status: StatusCode, (ground, words): (&str, &str), errors: &[FieldError]) -> Answer {
    let row = deeds::reported(&web.app, id).await?;
    let s = req.titled(req.shell.t("against-title"));
    let page = ReportPage {
        title: s.pick(&row.title, &row.title_en).to_owned(),
        href: urls::of_kind(&row.kind, id),
        action: urls::report(id),
        grounds: RULES.grounds.iter().map(|g| Choice { value: g.id.clone(), text: s.pick(&g.zh, &g.en).to_owned(), on: g.id == ground }).collect(),
        words: words.to_owned(),
        days: RULES.appeal_days,
        errors: s.errors(errors),
        s,
    };
    Ok(page_with(status, &page))
}

/// GET /report/{owner}/{local}
pub async fn show(State(web): State<Web>, req: Req, Path((owner, local)): Path<(String, String)>) -> Answer {
    form_with(&web, &req, &id_of(&owner, &local)?, StatusCode::OK, ("", ""), &[]).await
}

/// POST /report/{owner}/{local}
pub async fn file(State(web): State<Web>, req: Req, Path((owner, local)): Path<(String, String)>, form: Form) -> Answer {
    let id = id_of(&owner, &local)?;
    let (ground, words) = (form.get("ground"), form.get("words"));
    let filed = Filed { ground: ground.to_owned(), words: words.to_owned(), address: req.address.clone() };
    let deed = async { deeds::file(&web.app, &id, filed).await.map(|case| urls::case(&case)) };
    match form.once(&web, deed).await {
        Err(AppError::Invalid(errors)) => form_with(&web, &req, &id, StatusCode::UNPROCESSABLE_ENTITY, (ground, words), &errors).await,
        other => Ok(other?),
    }
}

/// What a case about a report shows beside the rest.
#[derive(Template)]
#[template(path = "listen/report_case.html")]
struct Part {
    s: Shell,
    id: String,
    title: String,
    href: String,
    ground: String,
    times: i64,
    /// What was decided, in words.
    outcome: String,
    /// Until when it may be appealed against.
    appeal: Option<Html>,
    /// Whether whoever looks may decide now.
    decides: bool,
    /// What they can do with the content, with the words.
    tools: Vec<(String, String)>,
    outcomes: Vec<Choice>,
    reason: String,
    words: String,
    errors: Errors,
}

/// What was typed into one of the two forms, and what is wrong with it.
#[derive(Default)]
pub(crate) struct Typed<'a> {
    pub(crate) outcome: &'a str,
    pub(crate) reason: &'a str,
    pub(crate) words: &'a str,
    pub(crate) errors: Vec<FieldError>,
}

/// The part of a case page that is about a report; empty for other cases.
pub(crate) async fn part(web: &Web, req: &Req, view: &CaseView, typed: &Typed<'_>) -> Result<Html, AppError> {
    let Some((report, row)) = deeds::of_case(&web.app, &view.case.id).await? else { return Ok(Html::default()) };
    let s = &req.shell;
    let word = |zh: &str, en: &str| s.pick(zh, en).to_owned();
    let over = matches!(view.case.stage, Stage::Answered { .. } | Stage::Closed { .. });
    let decides = matches!(view.case.stage, Stage::Working { .. }) && view.can_work && req.actor.may(Action::Correct, None).is_ok();
    let editing = match row.as_ref().filter(|_| decides) {
        Some(row) => take_back::editing(&web.app, &req.actor, row).await?,
        None => None,
    };
    let deeds = editing.map(|e| [("hold", e.hold), ("withdraw", e.withdraw)]).unwrap_or_default();
    let tools = deeds.into_iter().filter(|(_, may)| *may).map(|(deed, _)| (urls::take_back(deed, &report.subject), s.t(&format!("{deed}-go"))));
    let part = Part {
        id: view.case.id.0.clone(),
        title: row.as_ref().map_or_else(|| report.subject.0.clone(), |row| title_of(s, row)),
        href: row.as_ref().map_or_else(String::new, |row| urls::of_kind(&row.kind, &row.id)),
        ground: RULES.ground(&report.ground).map_or_else(|| report.ground.clone(), |ground| word(&ground.zh, &ground.en)),
        times: report.times,
        outcome: report.decided.as_ref().filter(|_| over).and_then(|d| RULES.outcome(&d.outcome)).map(|o| word(&o.zh, &o.en)).unwrap_or_default(),
        appeal: report.appeal_until(&RULES).filter(|until| over && s.now <= *until).map(|until| s.time(&until)),
        decides,
        tools: tools.collect(),
        outcomes: RULES.outcomes.iter().map(|o| Choice { value: o.id.clone(), text: word(&o.zh, &o.en), on: o.id == typed.outcome }).collect(),
        reason: typed.reason.to_owned(),
        words: typed.words.to_owned(),
        errors: s.errors(&typed.errors),
        s: s.clone(),
    };
    part.render().map(Html).map_err(|error| AppError::Record(format!("a template failed: {error}")))
}

/// POST /case/{id}/decide
pub async fn decide(State(web): State<Web>, req: Req, Path(id): Path<String>, form: Form) -> Answer {
    let id = CaseId(id);
    let (outcome, reason) = (form.get("outcome"), form.get("reason"));
    let deed = async { deeds::decide(&web.app, &req.actor, &id, outcome, reason).await.map(|()| urls::case(&id)) };
    match form.once(&web, deed).await {
        Err(AppError::Invalid(errors)) => {
            let typed = Typed { outcome, reason, errors, ..Typed::default() };
            super::case::show_reported(&web, &req, &id, StatusCode::UNPROCESSABLE_ENTITY, &typed).await
        }
        other => Ok(other?),
    }
}

/// POST /case/{id}/appeal
pub async fn appeal(State(web): State<Web>, req: Req, Path(id): Path<String>, form: Form) -> Answer {
    let id = CaseId(id);
    let words = form.get("words");
    let deed = async { deeds::appeal(&web.app, &id, words, &req.address).await.map(|()| urls::case(&id)) };
    match form.once(&web, deed).await {
        Err(AppError::Invalid(errors)) => {
            let typed = Typed { words, errors, ..Typed::default() };
            super::case::show_reported(&web, &req, &id, StatusCode::UNPROCESSABLE_ENTITY, &typed).await
        }
        other => Ok(other?),
    }
}
