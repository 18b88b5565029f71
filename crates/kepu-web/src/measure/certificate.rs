//! Certificates: one's own, drawing one from the ledger, bringing one from elsewhere, the office's list, revoking, the files, and the
//! public page that says whether a number holds.

use super::{hours, period, unit};
use crate::audit::file as download;
use crate::form::{Form, Upload};
use crate::line::Choice;
use crate::page::{Answer, Errors, Html, Pager, Req, Shell, page, page_with};
use crate::paper::CertificatePaper;
use crate::problem::Problem;
use crate::{Web, urls};
use askama::Template;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use kepu_app::measure::certificate::{self as app, BYTES_MAX, Draw, Held};
use kepu_app::{AppError, FieldError};
use kepu_domain::create::credential::Credential;
use kepu_domain::ids::PartyId;
use kepu_domain::measure::contribution::KINDS;

/// Rows on a page of the office.
const SIZE: usize = 50;

/// A certificate in a list.
struct Row {
    href: String,
    number: String,
    title: String,
    holder: String,
    issued: Html,
    issuer: String,
    mark: Html,
}

fn row(s: &Shell, held: &Held) -> Row {
    let says = held.says.as_ref();
    Row {
        href: if held.row.origin.is_empty() { urls::certificate(&held.row.number) } else { String::new() },
        number: held.row.number.clone(),
        title: says.map_or_else(|| s.t("certificate-erased"), |says| says.title.clone()),
        holder: says.map(|says| says.holder.clone()).unwrap_or_default(),
        issued: s.date(&held.row.issued),
        issuer: says.map(|says| says.issuer.clone()).unwrap_or_default(),
        mark: mark(s, held.revoked.is_some()),
    }
}

fn mark(s: &Shell, revoked: bool) -> Html {
    if revoked { s.state("false", s.t("certificate-revoked")) } else { s.state("true", s.t("certificate-valid")) }
}

#[derive(Template)]
#[template(path = "measure/certificates.html")]
struct MinePage {
    s: Shell,
    errors: Errors,
    linked: bool,
    name: String,
    party: String,
    from: String,
    to: String,
    kinds: Vec<Choice>,
    rows: Vec<Row>,
    brought: Vec<Row>,
    office: bool,
    said: String,
}

async fn mine_page(web: &Web, req: &Req, status: StatusCode, form: Option<&Form>, errors: &[FieldError]) -> Answer {
    let said = |name: &str| form.map_or_else(|| req.query.get(name), |form| form.get(name)).to_owned();
    let party = said("party");
    let found = app::list(&web.app, &req.actor, Some(PartyId(party.clone())).filter(|id| !id.0.is_empty()).as_ref()).await?;
    let s = req.titled(req.shell.t("certificates-title"));
    let (from, until) = period(&req.query, web.app.today());
    let or = |typed: String, other: String| if typed.is_empty() { other } else { typed };
    let chosen = form.map_or_else(Vec::new, |form| form.all("kind"));
    let kinds = KINDS.iter().map(|kind| Choice { value: kind.id.clone(), text: s.pick(&kind.zh, &kind.en).to_owned(), on: chosen.contains(&kind.id) });
    let (own, brought): (Vec<&Held>, Vec<&Held>) = found.iter().flat_map(|(_, list)| list).partition(|held| held.row.origin.is_empty());
    Ok(page_with(
        status,
        &MinePage {
            errors: s.errors(errors),
            linked: found.is_some(),
            name: found.as_ref().filter(|(owner, _)| !owner.own).map(|(owner, _)| owner.party.name.clone()).unwrap_or_default(),
            party,
            from: or(said("from"), from.to_string()),
            to: or(said("to"), until.to_string()),
            kinds: kinds.collect(),
            rows: own.into_iter().map(|held| row(&s, held)).collect(),
            brought: brought.into_iter().map(|held| row(&s, held)).collect(),
            office: req.actor.may(kepu_domain::access::Action::ManageMembers, None).is_ok(),
            said: if req.query.get("done") == "brought" { s.t("done-brought") } else { String::new() },
            s,
        },
    ))
}

/// GET /certificates
pub async fn mine(State(web): State<Web>, req: Req) -> Answer {
    mine_page(&web, &req, StatusCode::OK, None, &[]).await
}

/// POST /certificates: draws one from what was confirmed.
pub async fn draw(State(web): State<Web>, req: Req, form: Form) -> Answer {
    let (Ok(from), Ok(until)) = (form.get("from").parse(), form.get("to").parse()) else {
        return mine_page(&web, &req, StatusCode::UNPROCESSABLE_ENTITY, Some(&form), &[FieldError::new("from", "period")]).await;
    };
    let kinds = form.all("kind").iter().map(|id| (*id).to_string()).collect();
    let lang = if req.shell.is_en() { "en" } else { "zh-Hans" };
    let wanted = Draw { party: form.opt("party").map(PartyId::from), from, until, kinds, lang: lang.into() };
    let deed = async { Ok::<_, AppError>(urls::certificate(&app::draw(&web.app, &req.actor, wanted).await?)) };
    match form.once(&web, deed).await {
        Err(AppError::Invalid(errors)) => mine_page(&web, &req, StatusCode::UNPROCESSABLE_ENTITY, Some(&form), &errors).await,
        other => other.map_err(Problem::from),
    }
}

/// POST /certificates/bring: one from another node.
pub async fn bring(State(web): State<Web>, req: Req, upload: Upload) -> Answer {
    if upload.bytes.len() > BYTES_MAX {
        return Err(Problem::too_large(BYTES_MAX as u64));
    }
    let form = &upload.form;
    let party = form.opt("party").map(PartyId::from);
    let deed = async {
        app::bring(&web.app, &req.actor, party.as_ref(), &upload.bytes).await?;
        Ok::<_, AppError>(urls::with("/certificates", &[("party", form.get("party")), ("done", "brought")]))
    };
    match form.once(&web, deed).await {
        Err(AppError::Invalid(errors)) => mine_page(&web, &req, StatusCode::UNPROCESSABLE_ENTITY, Some(form), &errors).await,
        other => other.map_err(Problem::from),
    }
}

#[derive(Template)]
#[template(path = "measure/office.html")]
struct OfficePage {
    s: Shell,
    rows: Vec<Row>,
    total: usize,
    pager: Pager,
}

/// GET /certificates/office
pub async fn office(State(web): State<Web>, req: Req) -> Answer {
    let at = req.page_number();
    let skip = u32::try_from((at - 1) * SIZE).unwrap_or(u32::MAX);
    let (list, total) = app::office(&web.app, &req.actor, skip, SIZE as u32).await?;
    let s = req.titled(req.shell.t("certificate-office"));
    Ok(page(&OfficePage { rows: list.iter().map(|held| row(&s, held)).collect(), total, pager: Pager::new(&s, at, SIZE, total), s }))
}

/// What a certificate says, in words.
struct Says {
    title: String,
    holder: String,
    org: String,
    issuer: String,
    issued: Html,
    period: String,
    /// What, how many, hours.
    items: Vec<(String, String, String)>,
    sample: bool,
    lang: Html,
}

fn says(s: &Shell, credential: &Credential) -> Says {
    let item = |item: &kepu_domain::create::credential::CredentialItem| {
        (item.title.clone(), format!("{} {}", item.count, unit(s, &item.kind)), if item.minutes > 0 { hours(item.minutes) } else { String::new() })
    };
    Says {
        title: credential.title.clone(),
        holder: credential.holder.clone(),
        // Said once, where somebody is certified by their own institution.
        org: if credential.org == credential.issuer { String::new() } else { credential.org.clone() },
        issuer: credential.issuer.clone(),
        issued: s.date(&credential.issued),
        period: match (credential.from, credential.until) {
            (Some(from), Some(until)) => s.t2("certificate-period", "from", from, "until", until),
            (None, Some(until)) => s.t1("certificate-until", "until", until),
            _ => String::new(),
        },
        items: credential.items.iter().map(item).collect(),
        sample: credential.sample,
        lang: s.lang_attr(&credential.lang),
    }
}

#[derive(Template)]
#[template(path = "measure/certificate.html")]
struct ShowPage {
    s: Shell,
    errors: Errors,
    number: String,
    path: String,
    public: String,
    says: Option<Says>,
    mark: Html,
    revoked: Option<(String, String)>,
    may_revoke: bool,
    pdf: bool,
    digits: String,
    reason: String,
}

/// What the QR code of a paper holds: the public page, with the code that only the paper knows.
fn check_address(s: &Shell, held: &Held) -> String {
    let base = if s.base_url.is_empty() { &s.origin } else { &s.base_url };
    format!("{base}{}", urls::with(&urls::certificate_status(&held.row.number), &[("k", &held.row.code)]))
}

fn show_page(web: &Web, req: &Req, held: &Held, reason: &str, errors: &[FieldError]) -> ShowPage {
    let s = req.titled(req.shell.t1("certificate-title", "number", &held.row.number));
    ShowPage {
        errors: s.errors(errors),
        number: held.row.number.clone(),
        path: urls::certificate(&held.row.number),
        public: urls::with(&urls::certificate_status(&held.row.number), &[("k", &held.row.code)]),
        says: held.says.as_ref().map(|credential| says(&s, credential)),
        mark: mark(&s, held.revoked.is_some()),
        revoked: held.revoked.as_ref().map(|revoked| (revoked.reason.clone(), revoked.by.clone())),
        may_revoke: held.may_revoke,
        pdf: web.settings.printer.is_some(),
        digits: held.row.signer.digits(),
        reason: reason.to_owned(),
        s,
    }
}

/// GET /certificates/{number}
pub async fn show(State(web): State<Web>, req: Req, Path(number): Path<String>) -> Answer {
    let held = app::view(&web.app, &req.actor, &number).await?;
    Ok(page(&show_page(&web, &req, &held, "", &[])))
}

/// POST /certificates/{number}/revoke
pub async fn revoke(State(web): State<Web>, req: Req, Path(number): Path<String>, form: Form) -> Answer {
    let deed = async {
        app::revoke(&web.app, &req.actor, &number, form.get("reason")).await?;
        Ok::<_, AppError>(urls::certificate(&number))
    };
    match form.once(&web, deed).await {
        Err(AppError::Invalid(errors)) => {
            let held = app::view(&web.app, &req.actor, &number).await?;
            Ok(page_with(StatusCode::UNPROCESSABLE_ENTITY, &show_page(&web, &req, &held, form.get("reason"), &errors)))
        }
        other => other.map_err(Problem::from),
    }
}

/// GET /certificates/{number}/{file}: `certificate.json` with all that proves it, `certificate.pdf` for paper.
pub async fn file(State(web): State<Web>, req: Req, Path((number, name)): Path<(String, String)>) -> Answer {
    let held = app::view(&web.app, &req.actor, &number).await?;
    match name.as_str() {
        "certificate.json" => Ok(download("application/ld+json", &format!("kepu-{number}.json"), app::file(&web.app, &req.actor, &number).await?)),
        "certificate.pdf" => pdf(&web, &req, &held).await,
        _ => Err(Problem::not_found()),
    }
}

async fn pdf(web: &Web, req: &Req, held: &Held) -> Answer {
    let (Some(printer), Some(credential)) = (web.settings.printer, held.says.as_ref()) else { return Err(Problem::not_found()) };
    let paper = paper(&req.shell, held, credential);
    let made = tokio::task::spawn_blocking(move || (printer.certificate)(&paper)).await.map_err(|error| Problem::internal(error.to_string()))??;
    let name = format!("inline; filename=\"kepu-{}.pdf\"", held.row.number);
    Ok(([(header::CONTENT_TYPE, "application/pdf"), (header::CONTENT_DISPOSITION, name.as_str()), (header::CACHE_CONTROL, "no-store")], made).into_response())
}

fn paper(s: &Shell, held: &Held, credential: &Credential) -> CertificatePaper {
    let english = credential.lang == "en";
    // The words of the paper are in its own language, whatever the reader's page speaks.
    let s = Shell { lang: if english { crate::i18n::Lang::En } else { crate::i18n::Lang::Zh }, ..s.clone() };
    let words = says(&s, credential);
    let mut lines = Vec::new();
    if !credential.org.is_empty() && credential.org != credential.issuer {
        lines.push(credential.org.clone());
    }
    if !words.period.is_empty() {
        lines.push(words.period);
    }
    lines.push(s.t("certificate-says"));
    let item = |item: &kepu_domain::create::credential::CredentialItem| {
        let hours = (item.minutes > 0).then(|| item.minutes as f64 / 60.0);
        (item.title.clone(), u32::try_from(item.count).unwrap_or(u32::MAX), unit(&s, &item.kind).to_owned(), hours)
    };
    CertificatePaper {
        english,
        title: credential.title.clone(),
        number: credential.number.clone(),
        holder: credential.holder.clone(),
        lines,
        items: credential.items.iter().map(item).collect(),
        issuer: credential.issuer.clone(),
        date: credential.issued,
        verify: check_address(&s, held),
        key_digits: held.row.signer.digits(),
        sample: credential.sample,
    }
}

#[derive(Template)]
#[template(path = "measure/certificate_status.html")]
struct StatusPage {
    s: Shell,
    number: String,
    /// `valid`, `revoked` or `unknown`.
    state: &'static str,
    says: Option<Says>,
    issued: Html,
    revoked: Option<(String, String)>,
}

/// GET /certificate/{number}: for whoever holds the paper.
pub async fn status(State(web): State<Web>, req: Req, Path(number): Path<String>) -> Answer {
    let status = app::status(&web.app, &number, req.query.get("k")).await?;
    let number: String = number.chars().take(60).collect();
    let s = req.titled(req.shell.t1("certificate-title", "number", &number));
    let code = if status.is_some() { StatusCode::OK } else { StatusCode::NOT_FOUND };
    let mut answer = page_with(
        code,
        &StatusPage {
            number,
            state: match &status {
                None => "unknown",
                Some(status) if status.revoked.is_some() => "revoked",
                Some(_) => "valid",
            },
            says: status.as_ref().and_then(|status| status.shown.as_ref()).map(|credential| says(&s, credential)),
            issued: status.as_ref().map(|status| s.date(&status.issued)).unwrap_or_default(),
            revoked: status.and_then(|status| status.revoked).map(|revoked| (revoked.reason, revoked.by)),
            s,
        },
    );
    // What only the paper's holder may see stays in no cache and is found by no search engine.
    answer.headers_mut().insert(header::CACHE_CONTROL, axum::http::HeaderValue::from_static("no-store"));
    answer.headers_mut().insert("x-robots-tag", axum::http::HeaderValue::from_static("noindex"));
    Ok(answer)
}
