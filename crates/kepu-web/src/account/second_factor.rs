//! Setting up and removing the second factor of one's own account. The secret is in the page alone until a right code proves
//! that it arrived.

use super::own::back;
use crate::Web;
use crate::form::Form;
use crate::page::{Answer, Errors, Html, Req, Shell, page_with};
use crate::statics::qr_svg;
use askama::Template;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::Response;
use kepu_app::account::{own, secret};
use kepu_app::{AppError, FieldError};
use kepu_domain::account::Owes;

#[derive(Template)]
#[template(path = "account/second_factor.html")]
struct SecondFactorPage {
    s: Shell,
    errors: Errors,
    has: bool,
    owed: bool,
    /// In groups of four, as one types it.
    groups: String,
    secret: String,
    qr: Html,
    to: String,
}

fn show(req: &Req, status: StatusCode, secret: &str, errors: &[FieldError], to: &str) -> Result<Response, AppError> {
    let who = req.signed_in()?;
    let s = req.titled(req.shell.t("factor-title"));
    let groups: Vec<&str> = (0..secret.len()).step_by(4).filter_map(|at| secret.get(at..(at + 4).min(secret.len()))).collect();
    let response = page_with(
        status,
        &SecondFactorPage {
            errors: s.errors(errors),
            has: who.account.has_totp,
            owed: who.owes == Some(Owes::SecondFactor),
            groups: groups.join(" "),
            qr: Html(qr_svg(&secret::totp_address(&who.account, secret)).unwrap_or_default()),
            secret: secret.to_owned(),
            to: to.to_owned(),
            s,
        },
    );
    Ok(crate::form::with_header(response, header::CACHE_CONTROL, "no-store"))
}

/// GET /account/second-factor: a fresh secret each time.
pub async fn second_factor_page(req: Req) -> Answer {
    Ok(show(&req, StatusCode::OK, &secret::new_totp(), &[], req.query.get("to"))?)
}

/// POST /account/second-factor
pub async fn set_up(State(web): State<Web>, req: Req, form: Form) -> Answer {
    let deed = async {
        own::confirm_totp(&web.app, req.signed_in()?, form.get("secret"), form.get("code"), form.get("password")).await?;
        Ok(back(&form, "second-factor"))
    };
    match form.once(&web, deed).await {
        Err(AppError::Invalid(errors)) => {
            // A secret that is none of ours is not shown again.
            let known = form.get("secret").len() == 32 && form.get("secret").bytes().all(|b| b.is_ascii_alphanumeric());
            let secret = if known { form.get("secret").to_owned() } else { secret::new_totp() };
            Ok(show(&req, StatusCode::UNPROCESSABLE_ENTITY, &secret, &errors, form.get("to"))?)
        }
        other => Ok(other?),
    }
}

/// POST /account/second-factor/remove
pub async fn remove(State(web): State<Web>, req: Req, form: Form) -> Answer {
    let deed = async {
        own::remove_totp(&web.app, req.signed_in()?, form.get("password")).await?;
        Ok("/account?done=removed".to_owned())
    };
    match form.once(&web, deed).await {
        Err(AppError::Invalid(errors)) => {
            let errors: Vec<FieldError> = errors.into_iter().map(|e| FieldError { field: "remove_password".into(), ..e }).collect();
            Ok(show(&req, StatusCode::UNPROCESSABLE_ENTITY, &secret::new_totp(), &errors, "")?)
        }
        other => Ok(other?),
    }
}
