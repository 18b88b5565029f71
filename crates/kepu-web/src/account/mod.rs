//! Signing in and out, and one's own account. What a session is stands in `kepu-app::account`.

use crate::page::{Answer, Errors, Html, Req, Shell, page_with};
use crate::resume::Typed;
use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;

/// The sign-in page. The handler of the form prints it again with `errors` when something is wrong.
#[derive(Template)]
#[template(path = "account/sign_in.html")]
pub struct SignInPage {
    /// Shell.
    pub s: Shell,
    /// Name as typed.
    pub login: String,
    /// Whether a one-time code is asked for.
    pub code: bool,
    /// What is wrong.
    pub errors: Errors,
    /// Where to go afterwards.
    pub to: String,
    /// Hidden inputs that carry a form whose session ended; empty else.
    pub carried: Html,
    /// Whether a form is carried.
    pub expired: bool,
}

/// The sign-in page for whoever asked for something that needs a session: 401.
pub fn sign_in_page(req: &Req, typed: Option<&Typed>) -> Response {
    let s = req.shell.clone().titled(req.shell.t("login-title"));
    let to = if typed.is_none() { s.path.clone() } else { String::new() };
    let carried = typed.map(Typed::inputs).unwrap_or_default();
    page_with(StatusCode::UNAUTHORIZED, &SignInPage { login: String::new(), code: false, errors: Errors::default(), to, carried, expired: typed.is_some(), s })
}

/// GET /login.
pub async fn login_page(req: Req) -> Answer {
    let s = req.shell.clone().titled(req.shell.t("login-title"));
    let to = req.query.get("to").to_owned();
    Ok(page_with(StatusCode::OK, &SignInPage { login: String::new(), code: false, errors: Errors::default(), to, carried: Html::default(), expired: false, s }))
}
