//! Correcting and withdrawing what is public, from its public page. The correction itself is written as a draft.

use crate::Web;
use crate::form::Form;
use crate::page::{Answer, Errors, Req, Shell, page_with};
use crate::problem::{Kind, Problem};
use crate::subject::id_of;
use crate::urls;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use kepu_app::create::publish::{self, Editing};
use kepu_app::{AppError, FieldError};
use kepu_domain::ids::SubjectId;
use kepu_store::subject::{self, Row, Standing};

/// What an editor sees on a public page: what can be done, and how far the page has travelled.
pub struct Tools {
    /// Id of the subject.
    pub id: String,
    /// Whether it can be corrected here.
    pub correct: bool,
    /// Address of the draft that corrects it already, or empty.
    pub draft: String,
    /// Address of the page that asks before it is withdrawn.
    pub withdraw: String,
    /// Nodes below that hold it, and those that should.
    pub reach: (usize, usize),
}

/// The tools for whoever is an editor of it, else none.
pub async fn tools(web: &Web, req: &Req, row: &Row) -> Result<Option<Tools>, AppError> {
    let editing = publish::editing(&web.app, &req.actor, row).await?;
    Ok(editing.map(|Editing { correct, reach, draft }| Tools {
        id: row.id.0.clone(),
        correct,
        draft: draft.as_ref().map(urls::draft).unwrap_or_default(),
        withdraw: urls::withdraw(&row.id),
        reach,
    }))
}

/// POST /correct
pub async fn correct(State(web): State<Web>, req: Req, form: Form) -> Answer {
    let id = SubjectId::from(form.get("id"));
    let deed = async {
        let draft = publish::correct(&web.app, &req.actor, &id).await?;
        Ok::<_, AppError>(urls::draft(&draft.id))
    };
    Ok(form.once(&web, deed).await?)
}

#[derive(Template)]
#[template(path = "create/withdraw.html")]
struct WithdrawPage {
    s: Shell,
    title: String,
    href: String,
    action: String,
    reach: (usize, usize),
    reason: String,
    errors: Errors,
}

/// The public subject, for its editors only.
async fn found(web: &Web, req: &Req, id: &SubjectId) -> Result<(Row, Editing), Problem> {
    let missing = || Problem::from(AppError::NotFound { what: "subject", id: id.0.clone() });
    let mut tx = web.app.db.read().await.map_err(AppError::from)?;
    let row = subject::find(&mut tx, id).await.map_err(AppError::from)?.filter(|row| row.standing != Standing::Hidden).ok_or_else(missing)?;
    drop(tx);
    let editing = publish::editing(&web.app, &req.actor, &row).await?.ok_or_else(|| Problem::new(Kind::NoRole))?;
    Ok((row, editing))
}

fn withdraw_form(req: &Req, status: StatusCode, row: &Row, editing: &Editing, reason: &str, errors: &[FieldError]) -> Response {
    let s = req.titled(req.shell.t("withdraw-title"));
    let title = if row.title.is_empty() { row.id.0.clone() } else { s.pick(&row.title, &row.title_en).to_owned() };
    let page = WithdrawPage {
        title,
        href: urls::of_kind(&row.kind, &row.id),
        action: urls::withdraw(&row.id),
        reach: editing.reach,
        reason: reason.to_owned(),
        errors: s.errors(errors),
        s,
    };
    page_with(status, &page)
}

/// GET /withdraw/{owner}/{local}: asks for the reason.
pub async fn withdraw_page(State(web): State<Web>, req: Req, Path((owner, local)): Path<(String, String)>) -> Answer {
    let (row, editing) = found(&web, &req, &id_of(&owner, &local)?).await?;
    if row.standing == Standing::Withdrawn {
        return Ok(crate::form::see_other(&urls::of_kind(&row.kind, &row.id)));
    }
    Ok(withdraw_form(&req, StatusCode::OK, &row, &editing, "", &[]))
}

/// POST /withdraw/{owner}/{local}
pub async fn withdraw(State(web): State<Web>, req: Req, Path((owner, local)): Path<(String, String)>, form: Form) -> Answer {
    let id = id_of(&owner, &local)?;
    let (row, editing) = found(&web, &req, &id).await?;
    let reason = form.get("reason");
    let deed = async {
        publish::withdraw(&web.app, &req.actor, &id, reason).await?;
        Ok(urls::of_kind(&row.kind, &row.id))
    };
    match form.once(&web, deed).await {
        Ok(response) => Ok(response),
        Err(AppError::Invalid(errors)) => Ok(withdraw_form(&req, StatusCode::UNPROCESSABLE_ENTITY, &row, &editing, reason, &errors)),
        Err(error) => Err(error.into()),
    }
}

/// The tools as a page prints them.
#[derive(Template)]
#[template(path = "create/tools.html")]
struct ToolsPart<'a> {
    s: &'a Shell,
    tools: &'a Tools,
}

/// The tools as markup; nothing for readers.
pub async fn tools_html(web: &Web, req: &Req, row: &Row) -> Result<crate::page::Html, Problem> {
    let Some(tools) = tools(web, req, row).await? else { return Ok(crate::page::Html::default()) };
    let part = ToolsPart { s: &req.shell, tools: &tools };
    part.render().map(crate::page::Html).map_err(|error| Problem::internal(format!("a template failed: {error}")))
}
