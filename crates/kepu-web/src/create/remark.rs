//! Remarks at sentences of a draft: the list that stands beside the text, and the page on which one is made.

use super::draft::{Head, head};
use crate::Web;
use crate::form::{Form, Upload};
use crate::page::{Answer, Errors, Html, Req, Shell, page_with};
use crate::urls;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use kepu_app::create::draft;
use kepu_app::create::review::comment::{self, Remark, Thread, places};
use kepu_app::{AppError, FieldError};
use kepu_domain::create::sentence::anchor;
use kepu_domain::ids::DraftId;
use kepu_store::create::comment::Comment;

/// A remark or an answer as shown.
pub struct Said {
    /// Who.
    pub name: String,
    /// When.
    pub time: Html,
    /// Words.
    pub body: String,
    /// Address of the spoken remark, or empty.
    pub voice: String,
}

/// A remark with its answers as shown.
pub struct ThreadLine {
    /// Id.
    pub id: String,
    /// The sentence, as it was.
    pub quote: String,
    /// As it stands now, if it was changed since; empty if it is the same.
    pub now: String,
    /// Whether the sentence is gone.
    pub gone: bool,
    /// Whether it is settled.
    pub settled: bool,
    /// The remark, then the answers.
    pub said: Vec<Said>,
}

/// The remarks of a draft.
pub fn lines(s: &Shell, threads: &[Thread]) -> Vec<ThreadLine> {
    let said = |c: &Comment| Said {
        name: c.name.clone(),
        time: s.soon(&c.made_at),
        body: c.body.clone(),
        voice: if c.voice.is_empty() { String::new() } else { urls::media(&c.voice) },
    };
    let line = |thread: &Thread| ThreadLine {
        id: thread.remark.id.clone(),
        quote: thread.remark.quote.clone(),
        now: thread.now.clone().filter(|now| *now != thread.remark.quote).unwrap_or_default(),
        gone: thread.now.is_none(),
        settled: thread.remark.resolved_at.is_some(),
        said: std::iter::once(&thread.remark).chain(&thread.answers).map(said).collect(),
    };
    threads.iter().map(line).collect()
}

#[derive(Template)]
#[template(path = "create/draft/remarks.html")]
struct RemarksPage {
    s: Shell,
    head: Head,
    remarks: Vec<ThreadLine>,
    /// Name and words of each sentence, and whether it is chosen.
    sentences: Vec<(String, String, bool)>,
    body: String,
    may_settle: bool,
    errors: Errors,
    done: String,
}

async fn shown(web: &Web, req: &Req, id: &DraftId, status: StatusCode, typed: (&str, &str), errors: &[FieldError]) -> Answer {
    let view = draft::view(&web.app, &req.actor, id).await?;
    let s = req.titled(req.shell.t1("remarks-title", "title", view.draft.matter.title()));
    let sentences = places(&view.draft.matter).into_iter().map(|sentence| {
        let name = anchor(&sentence);
        let on = name == typed.0;
        (name, sentence, on)
    });
    let page = RemarksPage {
        head: head(&s, &view),
        remarks: lines(&s, &view.remarks),
        sentences: sentences.collect(),
        body: typed.1.to_owned(),
        may_settle: view.may.write,
        errors: s.errors(errors),
        done: match req.query.get("done") {
            "remarked" => s.t("remark-done"),
            "settled" => s.t("remark-settled-done"),
            _ => String::new(),
        },
        s,
    };
    Ok(page_with(status, &page))
}

/// GET /drafts/{id}/remarks
pub async fn list(State(web): State<Web>, req: Req, Path(id): Path<String>) -> Answer {
    shown(&web, &req, &DraftId(id), StatusCode::OK, (req.query.get("at"), ""), &[]).await
}

/// POST /remarks: a remark at a sentence, or an answer, in words or spoken.
pub async fn add(State(web): State<Web>, req: Req, upload: Upload) -> Answer {
    let form = &upload.form;
    let id = DraftId(form.get("draft").to_owned());
    let said = Remark { anchor: form.get("anchor"), parent: form.get("parent"), body: form.get("body"), voice: &upload.bytes };
    let deed = async {
        comment::add(&web.app, &req.actor, &id, said).await?;
        Ok(format!("{}/remarks?done=remarked", urls::draft(&id)))
    };
    match form.once(&web, deed).await {
        Ok(response) => Ok(response),
        Err(AppError::Invalid(errors)) => shown(&web, &req, &id, StatusCode::UNPROCESSABLE_ENTITY, (said.anchor, said.body), &errors).await,
        Err(error) => Err(error.into()),
    }
}

/// POST /drafts/{id}/settle
pub async fn settle(State(web): State<Web>, req: Req, Path(id): Path<String>, form: Form) -> Answer {
    let id = DraftId(id);
    let deed = async {
        comment::resolve(&web.app, &req.actor, &id, form.get("remark")).await?;
        Ok::<_, AppError>(format!("{}/remarks?done=settled", urls::draft(&id)))
    };
    Ok(form.once(&web, deed).await?)
}
