//! Pages about this site (about, privacy, help), the settings of a reader, and QR codes of our own addresses.

use crate::Web;
use crate::form::{Form, see_other};
use crate::guard::{set_cookie, view_cookie};
use crate::i18n::Lang;
use crate::page::{Answer, Req, Shell, Theme, page};
use crate::problem::{Kind, Problem};
use crate::urls;
use askama::Template;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use fast_qr::qr::QRBuilder;
use kepu_app::AppError;
use kepu_domain::retention;

/// POST /settings: language, elder mode, theme. Kept in one cookie, nowhere else.
pub async fn settings(State(web): State<Web>, req: Req, form: Form) -> Answer {
    let s = &req.shell;
    let lang = Lang::parse(form.get("lang")).unwrap_or(s.lang);
    let elder = match form.get("elder") {
        "1" => true,
        "0" => false,
        _ => s.elder,
    };
    let theme = match form.get("theme") {
        "dark" => Theme::Dark,
        "light" => Theme::Light,
        "auto" => Theme::Auto,
        _ => s.theme,
    };
    // `?lang=` in the address would win over the choice just made.
    let back = Shell { path: form.get("back").to_owned(), ..s.clone() }.here_with("lang", "");
    let mut response = see_other(&back);
    set_cookie(&mut response, &view_cookie(&web, lang, elder, theme));
    Ok(response)
}

#[derive(Template)]
#[template(path = "about.html")]
struct AboutPage {
    s: Shell,
    org: String,
    place: String,
}

/// GET /about
pub async fn about(State(web): State<Web>, req: Req) -> Answer {
    let s = req.titled(req.shell.t("foot-about"));
    let mut tx = web.app.db.read().await.map_err(AppError::from)?;
    let id = kepu_app::node::org(&mut tx).await?;
    let org = kepu_store::org::find(&mut tx, &id).await.map_err(AppError::from)?;
    let org = org.map_or_else(|| web.settings.node_name.clone(), |org| s.pick(&org.name, &org.name_en).to_owned());
    Ok(page(&AboutPage { org, place: s.place_line(&web.settings.region), s }))
}

#[derive(Template)]
#[template(path = "privacy.html")]
struct PrivacyPage {
    s: Shell,
    /// What is kept, what for, how long.
    kept: Vec<(String, String, String)>,
}

/// GET /privacy
pub async fn privacy(req: Req) -> Answer {
    let s = req.titled(req.shell.t("foot-privacy"));
    let kept = vec![
        (s.t("kept-view"), s.t("kept-view-why"), s.t("kept-view-long")),
        (s.t("kept-shelf"), s.t("kept-shelf-why"), s.t("kept-shelf-long")),
        (s.t("kept-question"), s.t("kept-question-why"), s.t1("kept-question-long", "days", retention::QUESTION_DAYS)),
        (s.t("kept-signal"), s.t("kept-signal-why"), s.t1("kept-signal-long", "hours", retention::SIGNAL_HOURS)),
        (s.t("kept-sighting"), s.t("kept-sighting-why"), s.t1("kept-sighting-long", "days", retention::SIGHTING_DAYS)),
        (s.t("kept-wording"), s.t("kept-wording-why"), s.t1("kept-wording-long", "days", retention::WORDING_DAYS)),
        (s.t("kept-placement"), s.t("kept-placement-why"), s.t("kept-placement-long")),
        (s.t("kept-vote"), s.t("kept-vote-why"), s.t("kept-vote-long")),
        (s.t("kept-address"), s.t("kept-address-why"), s.t1("kept-address-long", "days", retention::SIGN_IN_FAILURE_DAYS)),
        (s.t("kept-form"), s.t("kept-form-why"), s.t1("kept-form-long", "days", retention::FORM_DAYS)),
        (s.t("kept-point"), s.t("kept-point-why"), s.t1("kept-point-long", "days", retention::DELIVERY_DAYS)),
        (s.t("kept-objection"), s.t("kept-objection-why"), s.t1("kept-objection-long", "days", retention::CONTACT_DAYS)),
        (s.t("kept-proof"), s.t("kept-proof-why"), s.t("kept-proof-long")),
        (s.t("kept-session"), s.t("kept-session-why"), s.t("kept-session-long")),
        (s.t("kept-account"), s.t("kept-account-why"), s.t("kept-account-long")),
        (s.t("kept-log"), s.t("kept-log-why"), s.t("kept-log-long")),
        (s.t("kept-record"), s.t("kept-record-why"), s.t("kept-record-long")),
    ];
    Ok(page(&PrivacyPage { kept, s }))
}

#[derive(Template)]
#[template(path = "help.html")]
struct HelpPage {
    s: Shell,
}

/// GET /help
pub async fn help(req: Req) -> Answer {
    Ok(page(&HelpPage { s: req.titled(req.shell.t("foot-help")) }))
}

/// GET /qr.svg?path=: a QR code of one of our own addresses, never of anybody else's.
pub async fn qr(req: Req) -> Answer {
    let path = req.query.get("path");
    if !urls::is_own(path) || path.len() > 200 {
        return Err(Problem::new(Kind::BadRequest));
    }
    let svg = qr_svg(&format!("{}{path}", req.shell.origin)).ok_or_else(|| Problem::new(Kind::BadRequest))?;
    Ok(([(header::CONTENT_TYPE, "image/svg+xml"), (header::CACHE_CONTROL, "private, max-age=86400")], svg).into_response())
}

/// A QR code as one path, one unit a module, with the quiet zone of four modules.
pub fn qr_svg(text: &str) -> Option<String> {
    let code = QRBuilder::new(text).build().ok()?;
    let size = code.size;
    let mut path = String::new();
    for row in 0..size {
        for column in 0..size {
            if code[row][column].value() {
                path.push_str(&format!("M{column} {row}h1v1h-1z"));
            }
        }
    }
    let whole = size + 8;
    Some(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"-4 -4 {whole} {whole}\"><path fill=\"#fff\" d=\"M-4 -4h{whole}v{whole}h-{whole}z\"/><path fill=\"#000\" d=\"{path}\"/></svg>"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_a_quiet_zone_and_no_style() {
        let svg = qr_svg("https://kepu.example/c/abcdefgh23/c-1").expect("code");
        assert!(svg.contains("viewBox=\"-4 -4 ") && !svg.contains("style"));
    }
}
