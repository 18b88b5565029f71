//! The files that prove what an application says: added here, used again from earlier applications, read by whoever may see it.

use super::{apply, refused};
use crate::Web;
use crate::form::{Form, Upload};
use crate::line::Choice;
use crate::media::{Sent, send};
use crate::page::{Answer, Errors, Html, Req, Shell, page_with};
use crate::problem::{Kind, Problem, size};
use crate::urls;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use kepu_app::create::round::apply::view;
use kepu_app::create::round::proof::{self, Proof, Said};
use kepu_app::{AppError, FieldError};
use kepu_domain::create::round::AppStage;
use kepu_domain::ids::ApplicationId;

/// A kept file.
struct Line {
    hash: String,
    href: String,
    title: String,
    /// What it shows, how long, how large.
    words: String,
    at: Html,
    /// Whether this application names it.
    used: bool,
}

#[derive(Template)]
#[template(path = "create/round/proofs.html")]
struct ProofsPage {
    s: Shell,
    id: String,
    place: String,
    label: String,
    kinds: Vec<Choice>,
    title: String,
    until: String,
    files: Vec<Line>,
    said: String,
    errors: Errors,
}

async fn proofs_page(web: &Web, req: &Req, id: &ApplicationId, form: Option<&Form>, status: StatusCode, errors: &[FieldError]) -> Answer {
    let view = view(&web.app, &req.actor, id).await?;
    if !view.rights.write {
        return Err(Problem::new(Kind::NoRole));
    }
    let kept = proof::kept(&web.app, &req.actor, id).await?;
    let label = if view.label.is_empty() { view.kind.zh.clone() } else { view.label.clone() };
    let s = req.titled(req.shell.t1("proof-title", "label", &label));
    let typed = |name: &str| form.map(|form| form.get(name).to_owned()).unwrap_or_default();
    let open = matches!(view.application.stage, AppStage::Writing { .. });
    let names = apply::kinds(&s, &view, "");
    let line = |proof: Proof| {
        let shows = names.iter().find(|choice| choice.value == proof.kind && !choice.value.is_empty()).map(|choice| choice.text.clone());
        let until = proof.until.map(|day| s.t1("criteria-until", "day", s.day_text(day)));
        let bytes = size(u64::try_from(proof.size).unwrap_or_default());
        Line {
            href: urls::proof(id, &proof.hash),
            words: shows.into_iter().chain(until).chain([bytes]).collect::<Vec<_>>().join(" · "),
            at: s.time(&proof.at),
            used: view.application.evidence.iter().any(|one| one.media == proof.hash),
            title: proof.title,
            hash: proof.hash,
        }
    };
    let files = kept.into_iter().map(line).collect();
    let said = match req.query.get("done") {
        word @ ("added" | "used" | "deleted") => s.t(&format!("proof-said-{word}")),
        _ => String::new(),
    };
    let page = ProofsPage {
        id: if open { id.0.clone() } else { String::new() },
        place: urls::application(id),
        kinds: apply::kinds(&s, &view, &typed("kind")),
        title: typed("title"),
        until: typed("until"),
        files,
        said,
        errors: s.errors(errors),
        label,
        s,
    };
    Ok(page_with(status, &page))
}

/// GET /application/{id}/proofs
pub async fn show(State(web): State<Web>, req: Req, Path(id): Path<String>) -> Answer {
    proofs_page(&web, &req, &ApplicationId(id), None, StatusCode::OK, &[]).await
}

/// POST /application/{id}/proofs
pub async fn upload(State(web): State<Web>, req: Req, Path(id): Path<String>, upload: Upload) -> Answer {
    let id = ApplicationId(id);
    let form = &upload.form;
    let deed = async {
        let until = match form.get("until").trim() {
            "" => None,
            text => Some(text.parse().map_err(|_| AppError::Invalid(vec![FieldError::new("until", "date_form")]))?),
        };
        let said = Said { title: form.get("title").to_owned(), kind: form.get("kind").to_owned(), until };
        proof::add(&web.app, &req.actor, &id, &upload.bytes, said).await?;
        Ok(format!("{}?done=added", urls::proofs(&id)))
    };
    match form.once(&web, deed).await {
        Ok(response) => Ok(response),
        Err(error) => {
            let (status, errors) = refused(error)?;
            proofs_page(&web, &req, &id, Some(form), status, &errors).await
        }
    }
}

/// POST /application/{id}/proof/{hash}: `do` is the button: use, delete.
pub async fn act(State(web): State<Web>, req: Req, Path((id, hash)): Path<(String, String)>, form: Form) -> Answer {
    let id = ApplicationId(id);
    let deed = async {
        let word = match form.get("do") {
            "delete" if form.get("confirm").is_empty() => return Err(AppError::Invalid(vec![FieldError::new("confirm", "not_sure")])),
            "delete" => proof::delete(&web.app, &req.actor, &id, &hash).await.map(|()| "deleted")?,
            _ => proof::reuse(&web.app, &req.actor, &id, &hash).await.map(|()| "used")?,
        };
        Ok(format!("{}?done={word}", urls::proofs(&id)))
    };
    match form.once(&web, deed).await {
        Ok(response) => Ok(response),
        Err(error) => {
            let (status, errors) = refused(error)?;
            proofs_page(&web, &req, &id, None, status, &errors).await
        }
    }
}

/// GET /application/{id}/proof/{hash}
pub async fn read(State(web): State<Web>, req: Req, Path((id, hash)): Path<(String, String)>, headers: HeaderMap) -> Answer {
    let (proof, path) = proof::read(&web.app, &req.actor, &ApplicationId(id), &hash).await?;
    send(&Sent { hash: &proof.hash, kind: &proof.media_type, cache: "private, no-store" }, &path, &headers).await
}
