//! A picture or a link instead of typed words: what was read is shown to be corrected, and only then asked about on the page "is this true?".

use crate::Web;
use crate::form::{Form, Upload};
use crate::page::{Answer, Errors, Req, Shell, page_with};
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use kepu_app::listen::intake::shown;
use kepu_app::{AppError, FieldError};

#[derive(Template)]
#[template(path = "listen/shown.html")]
struct ShownPage {
    s: Shell,
    pictures: bool,
    links: bool,
    max: String,
    link: String,
    /// What was read, to be corrected.
    text: String,
    errors: Errors,
}

fn form_page(web: &Web, req: &Req, status: StatusCode, link: &str, text: String, errors: &[FieldError]) -> Answer {
    let s = req.titled(req.shell.t("shown-title"));
    let (pictures, links) = web.app.reads_shown();
    let max = crate::problem::size(shown::PICTURE_BYTES_MAX as u64);
    Ok(page_with(status, &ShownPage { pictures, links, max, link: link.to_owned(), text, errors: s.errors(errors), s }))
}

fn answer(web: &Web, req: &Req, link: &str, read: Result<String, AppError>) -> Answer {
    match read {
        Ok(text) => form_page(web, req, StatusCode::OK, link, text, &[]),
        Err(AppError::Invalid(errors)) => form_page(web, req, StatusCode::UNPROCESSABLE_ENTITY, link, String::new(), &errors),
        Err(other) => Err(other.into()),
    }
}

/// GET /check/shown
pub async fn ask(State(web): State<Web>, req: Req) -> Answer {
    form_page(&web, &req, StatusCode::OK, "", String::new(), &[])
}

/// POST /check/picture
pub async fn picture(State(web): State<Web>, req: Req, upload: Upload) -> Answer {
    let read = shown::picture(&web.app, &upload.bytes, &req.address).await;
    answer(&web, &req, "", read)
}

/// POST /check/link
pub async fn link(State(web): State<Web>, req: Req, form: Form) -> Answer {
    let read = shown::link(&web.app, form.get("link"), &req.address).await;
    answer(&web, &req, form.get("link"), read)
}
