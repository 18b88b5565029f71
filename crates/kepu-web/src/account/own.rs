//! The page of one's own account: name and roles, password, sessions, what happened to it, a copy of what is held, closing it.

use super::signed_out;
use crate::form::Form;
use crate::page::{Answer, Errors, Html, Req, Shell, page_with};
use crate::problem::Problem;
use crate::{Web, urls};
use askama::Template;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use kepu_app::account::own;
use kepu_app::{AppError, FieldError};
use kepu_domain::account::Owes;
use kepu_store::member::Seat;

/// Roles by organisation: name and roles in words, in the order in which the organisations come.
pub fn by_org(s: &Shell, seats: &[Seat]) -> Vec<(String, String)> {
    let mut list: Vec<(String, Vec<String>)> = Vec::new();
    for seat in seats {
        let (org, role) = (s.pick(&seat.org_name, &seat.org_name_en).to_owned(), s.role(&seat.role));
        match list.iter_mut().find(|(name, _)| *name == org) {
            Some((_, roles)) => roles.push(role),
            None => list.push((org, vec![role])),
        }
    }
    list.into_iter().map(|(org, roles)| (org, s.list(roles.iter().map(String::as_str)))).collect()
}

struct Event {
    time: Html,
    text: String,
    refused: bool,
}

#[derive(Template)]
#[template(path = "account/own.html")]
struct OwnPage {
    s: Shell,
    owes: &'static str,
    done: &'static str,
    errors: Errors,
    name: String,
    login: String,
    party: String,
    seats: Vec<(String, String)>,
    has_totp: bool,
    sessions: Vec<(Html, Html, bool)>,
    others: usize,
    ends: Html,
    events: Vec<Event>,
    to: String,
}

async fn show(web: &Web, req: &Req, status: StatusCode, errors: &[FieldError], to: &str) -> Result<Response, Problem> {
    let who = req.signed_in()?;
    let view = own::view(&web.app, who, req.token.as_deref().unwrap_or_default()).await?;
    let s = req.titled(req.shell.t("account-title"));
    let session = |open: own::OpenSession| (s.time(&open.since), s.time(&open.seen), open.this);
    let event = |entry: kepu_domain::log::Entry| {
        let own = entry.who == who.actor.log_name();
        let text = crate::audit::sentence(&s, &entry.action);
        let text = if own || entry.result == "refused" { text } else { s.t1("account-by-other", "text", text) };
        Event { time: s.time(&entry.at), text, refused: entry.result == "refused" }
    };
    let sessions: Vec<_> = view.sessions.into_iter().map(session).collect();
    Ok(page_with(
        status,
        &OwnPage {
            owes: match who.owes {
                Some(Owes::Password) => "password",
                Some(Owes::SecondFactor) => "second-factor",
                None => "",
            },
            done: match req.query.get("done") {
                "password" => "done-password",
                "second-factor" => "done-second-factor",
                "removed" => "done-removed",
                "sessions" => "done-sessions",
                _ => "",
            },
            errors: s.errors(errors),
            name: who.account.name.clone(),
            login: who.account.login.clone(),
            party: view.party.unwrap_or_default(),
            seats: by_org(&s, &view.seats),
            has_totp: who.account.has_totp,
            others: sessions.iter().filter(|(.., this)| !this).count(),
            sessions,
            ends: s.soon(&who.expires),
            events: view.events.into_iter().map(event).collect(),
            to: to.to_owned(),
            s,
        },
    ))
}

/// GET /account
pub async fn own(State(web): State<Web>, req: Req) -> Answer {
    show(&web, &req, StatusCode::OK, &[], req.query.get("to")).await
}

/// Back to the account, or to where its owner was on the way to.
pub(super) fn back(form: &Form, done: &str) -> String {
    let to = form.get("to");
    if urls::is_own(to) { to.to_owned() } else { urls::with("/account", &[("done", done)]) }
}

/// POST /account/password
pub async fn password(State(web): State<Web>, req: Req, form: Form) -> Answer {
    let token = req.token.clone().unwrap_or_default();
    let deed = async {
        if form.get("new") != form.get("password_again") {
            return Err(AppError::Invalid(vec![FieldError::new("password_again", "password_differs")]));
        }
        own::change_password(&web.app, req.signed_in()?, form.get("old"), form.get("new"), &token).await?;
        Ok(back(&form, "password"))
    };
    match form.once(&web, deed).await {
        Err(AppError::Invalid(errors)) => show(&web, &req, StatusCode::UNPROCESSABLE_ENTITY, &errors, form.get("to")).await,
        other => Ok(other?),
    }
}

/// POST /account/sessions: ends all others.
pub async fn end_others(State(web): State<Web>, req: Req, form: Form) -> Answer {
    let deed = async {
        own::end_other_sessions(&web.app, req.signed_in()?, req.token.as_deref().unwrap_or_default()).await?;
        Ok("/account?done=sessions".to_owned())
    };
    Ok(form.once::<AppError>(&web, deed).await?)
}

/// GET /account/data.json: everything that is held about oneself.
pub async fn data(State(web): State<Web>, req: Req) -> Answer {
    let value = own::export(&web.app, req.signed_in()?).await?;
    let text = serde_json::to_string_pretty(&value).map_err(|error| Problem::internal(format!("a copy of an account cannot be written: {error}")))?;
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"kepu-account.json\""),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, text).into_response())
}

#[derive(Template)]
#[template(path = "account/close.html")]
struct ClosePage {
    s: Shell,
    errors: Errors,
}

fn show_close(req: &Req, status: StatusCode, errors: &[FieldError]) -> Response {
    let s = req.titled(req.shell.t("close-title"));
    page_with(status, &ClosePage { errors: s.errors(errors), s })
}

/// GET /account/close
pub async fn close_page(req: Req) -> Answer {
    req.signed_in()?;
    Ok(show_close(&req, StatusCode::OK, &[]))
}

/// POST /account/close
pub async fn close(State(web): State<Web>, req: Req, form: Form) -> Answer {
    let deed = async {
        if !form.has("sure") {
            return Err(AppError::Invalid(vec![FieldError::new("sure", "not_sure")]));
        }
        own::close(&web.app, req.signed_in()?, form.get("password")).await
    };
    match deed.await {
        Ok(()) => Ok(signed_out(&web, "/login?done=closed")),
        Err(AppError::Invalid(errors)) => Ok(show_close(&req, StatusCode::UNPROCESSABLE_ENTITY, &errors)),
        Err(error) => Err(error.into()),
    }
}
