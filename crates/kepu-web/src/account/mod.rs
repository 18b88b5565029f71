//! Signing in and out. What a session is stands in `kepu-app::account`; one's own account is in `own` and `second_factor`, the
//! first run of a node in `setup`.

pub mod own;
pub mod second_factor;

use crate::form::{self, Fields, Form, see_other, with_header};
use crate::guard::{SESSION, new_cookie, set_cookie};
use crate::page::{Answer, Errors, Html, Req, Shell, User, page, page_with};
use crate::problem::{Kind, Problem};
use crate::resume::{self, Typed};
use crate::{Web, urls};
use askama::Template;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use kepu_app::AppError;
use kepu_app::account::{self, Session};
use kepu_domain::access::Action;

/// The sign-in page. The handler of the form prints it again with `errors` when something is wrong.
#[derive(Default)]
struct SignIn {
    /// Name as typed.
    login: String,
    /// The ticket of the first step; empty: the first step is asked.
    ticket: String,
    /// What is wrong.
    errors: Errors,
    /// Where to go afterwards.
    to: String,
    /// Hidden inputs that carry a form whose session ended; empty else.
    carried: Html,
    /// Whether a form is carried.
    expired: bool,
    /// Something that was done before.
    done: &'static str,
    /// Whether the node has no account yet.
    first_run: bool,
}

#[derive(Template)]
#[template(path = "account/sign_in.html")]
struct SignInPage {
    s: Shell,
    f: SignIn,
}

fn show(req: &Req, status: StatusCode, f: SignIn) -> Response {
    let s = req.shell.clone().titled(req.shell.t("login-title"));
    with_header(page_with(status, &SignInPage { s, f }), header::CACHE_CONTROL, "no-store")
}

/// The sign-in page for whoever asked for something that needs a session: 401.
pub fn sign_in_page(req: &Req, typed: Option<&Typed>) -> Response {
    let to = if typed.is_none() { req.shell.path.clone() } else { String::new() };
    let carried = typed.map(Typed::inputs).unwrap_or_default();
    show(req, StatusCode::UNAUTHORIZED, SignIn { to, carried, expired: typed.is_some(), ..SignIn::default() })
}

/// GET /login
pub async fn login_page(State(web): State<Web>, req: Req) -> Answer {
    let to = req.query.get("to").to_owned();
    if let Some(session) = &req.signed_in {
        return Ok(see_other(&start(session, &to)));
    }
    let mut tx = web.app.db.read().await.map_err(AppError::from)?;
    let first_run = kepu_app::setup::is_open(&mut tx).await?;
    let done = match req.query.get("done") {
        "closed" => "done-closed",
        _ => "",
    };
    Ok(show(&req, StatusCode::OK, SignIn { to, first_run, done, ..SignIn::default() }))
}

/// Where somebody who has just signed in begins: where they wanted to go, else at the desk, else at their own account.
fn start(session: &account::SignedIn, to: &str) -> String {
    let wanted = Some(to).filter(|to| urls::is_own(to) && *to != "/" && !to.starts_with("/login") && !to.starts_with("/logout"));
    match wanted {
        _ if session.owes.is_some() => urls::with("/account", &[("to", wanted.unwrap_or_default())]),
        Some(to) => to.to_owned(),
        None if session.actor.may(Action::UseDesk, None).is_ok() => "/desk".into(),
        None => "/account".into(),
    }
}

/// POST /login: name and password, or in the second step ticket and code. It carries no token, because nobody is signed in
/// yet; that it comes from our own pages is asked all the same.
pub async fn sign_in(State(web): State<Web>, req: Req, request: Request) -> Answer {
    if !form::same_site(request.headers()) {
        return Err(Problem::new(Kind::CrossSite));
    }
    let fields = form::read(request).await?;
    let outcome = match fields.opt("ticket") {
        Some(ticket) => account::sign_in_code(&web.app, ticket, fields.get("code"), &req.address).await,
        None => account::sign_in(&web.app, fields.get("login"), fields.get("password"), None, &req.address).await,
    };
    match outcome {
        Ok(session) => welcome(&web, &req, &session, &fields).await,
        Err(error) if req.wants_json => Err(error.into()),
        Err(error) => again(&req, &fields, error),
    }
}

async fn welcome(web: &Web, req: &Req, session: &Session, fields: &Fields) -> Answer {
    // The session of somebody who was signed in here before ends with the new one.
    if let Some(old) = &req.token {
        account::sign_out(&web.app, old).await?;
    }
    let signed_in = account::find_session(&web.app, &session.token).await?.ok_or_else(|| Problem::new(Kind::SignIn))?;
    let mut response = match Typed::from_sign_in(fields) {
        Some(typed) => {
            let mut shell = req.shell.clone();
            shell.user = Some(User::new(&signed_in));
            resume::page(&shell, &typed)
        }
        None => see_other(&start(&signed_in, fields.get("to"))),
    };
    set_cookie(&mut response, &new_cookie(web, SESSION, &session.token, None));
    Ok(with_header(response, header::CACHE_CONTROL, "no-store"))
}

/// The page again: the second step, or what was wrong.
fn again(req: &Req, fields: &Fields, error: AppError) -> Answer {
    let s = &req.shell;
    let typed = Typed::from_sign_in(fields);
    let mut f = SignIn {
        login: fields.get("login").to_owned(),
        ticket: fields.get("ticket").to_owned(),
        to: fields.get("to").to_owned(),
        expired: typed.is_some(),
        carried: typed.as_ref().map(Typed::inputs).unwrap_or_default(),
        ..SignIn::default()
    };
    let at = |field: &str, text: String| Errors(vec![(field.to_owned(), text)]);
    match error {
        AppError::CodeNeeded(ticket) => Ok(show(req, StatusCode::OK, SignIn { ticket, ..f })),
        AppError::Code => Ok(show(req, StatusCode::UNAUTHORIZED, SignIn { errors: at("code", s.t("error-code_wrong")), ..f })),
        AppError::Credentials => Ok(show(req, StatusCode::UNAUTHORIZED, SignIn { errors: at("login", s.t("login-wrong")), ..f })),
        AppError::TicketEnded => {
            f.ticket.clear();
            Ok(show(req, StatusCode::UNAUTHORIZED, SignIn { errors: at("password", s.t("problem-ticket-ended")), ..f }))
        }
        AppError::Locked(until) => {
            let errors = at(if f.ticket.is_empty() { "login" } else { "code" }, s.t1("login-locked", "time", s.when(until)));
            let mut response = show(req, StatusCode::TOO_MANY_REQUESTS, SignIn { errors, ..f });
            let seconds = until.duration_since(s.now).as_secs().max(1);
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            Ok(response)
        }
        AppError::Invalid(list) => Ok(show(req, StatusCode::UNPROCESSABLE_ENTITY, SignIn { errors: s.errors(&list), ..f })),
        error => Err(error.into()),
    }
}

/// POST /logout
pub async fn sign_out(State(web): State<Web>, req: Req, _form: Form) -> Answer {
    if let Some(token) = &req.token {
        account::sign_out(&web.app, token).await?;
    }
    Ok(signed_out(&web, "/"))
}

/// To `place`, with the cookie gone and what the browser kept of our pages forgotten.
fn signed_out(web: &Web, place: &str) -> Response {
    let mut response = see_other(place);
    set_cookie(&mut response, &new_cookie(web, SESSION, "", Some(0)));
    with_header(response, HeaderName::from_static("clear-site-data"), "\"cache\"")
}

#[derive(Template)]
#[template(path = "account/stay.html")]
struct StayPage {
    s: Shell,
    until: Html,
    last: bool,
}

/// GET /account/stay: opened beside a page with unsaved work; being asked for is what keeps the session alive.
pub async fn stay(req: Req) -> Answer {
    let session = req.signed_in()?;
    let s = req.titled(req.shell.t("stay-title"));
    Ok(page(&StayPage { until: s.soon(&session.idle_at), last: session.idle_at >= session.expires, s }))
}
