//! Asking without login, and the asker's page. What is known is shown first; what is not opens a case.

use crate::Web;
use crate::form::Form;
use crate::line::{Choice, Line};
use crate::listen::case::{Events, clock_of};
use crate::page::{Answer, Errors, Html, Req, Shell, page, page_with};
use crate::{place, urls};
use askama::Template;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::Response;
use kepu_app::listen::claim::Checked;
use kepu_app::listen::question::{self, Ask, Asked};
use kepu_app::{AppError, FieldError};
use kepu_domain::ids::QuestionId;
use kepu_domain::listen::claim::Holding;
use kepu_domain::listen::question::Stage;
use kepu_domain::listen::sighting::Channel;
use kepu_domain::org::Region;
use kepu_domain::record::Body;

#[derive(Template)]
#[template(path = "listen/ask.html")]
struct AskPage {
    s: Shell,
    text: String,
    provinces: Vec<Choice>,
    county: String,
    counties: Vec<String>,
    errors: Errors,
}

fn ask_form(web: &Web, req: &Req, status: StatusCode, text: &str, province: &str, county: &str, errors: &[FieldError]) -> Response {
    let s = req.titled(req.shell.t("ask-title"));
    page_with(
        status,
        &AskPage {
            text: text.to_owned(),
            provinces: place::provinces(&s, province),
            county: county.to_owned(),
            counties: place::counties(web.settings.region),
            errors: s.errors(errors),
            s,
        },
    )
}

/// GET /ask
pub async fn ask_page(State(web): State<Web>, req: Req) -> Answer {
    let province = web.settings.region.chain().get(1).map(Region::to_string).unwrap_or_default();
    Ok(ask_form(&web, &req, StatusCode::OK, req.query.get("text"), &province, "", &[]))
}

enum Ended {
    Known(Checked),
    Failed(AppError),
}

impl From<AppError> for Ended {
    fn from(error: AppError) -> Self {
        Ended::Failed(error)
    }
}

/// POST /ask
pub async fn ask(State(web): State<Web>, req: Req, form: Form) -> Answer {
    let (text, province, county) = (form.get("text"), form.get("province"), form.get("county"));
    let again = |errors: &[FieldError]| ask_form(&web, &req, StatusCode::UNPROCESSABLE_ENTITY, text, province, county, errors);
    let region = match place::read(province, county) {
        Ok(region) => region,
        Err(error) => return Ok(again(&[error])),
    };
    let ask = Ask { text: text.to_owned(), region, anyway: form.has("anyway"), channel: Channel::Page, address: req.address.clone() };
    let deed = async {
        match question::ask(&web.app, ask).await.map_err(Ended::Failed)? {
            Asked::Opened { question } => Ok(urls::question(&question)),
            Asked::Known(checked) => Err(Ended::Known(checked)),
        }
    };
    match form.once(&web, deed).await {
        Ok(response) => Ok(response),
        Err(Ended::Known(checked)) => known(&web, &req, checked, text, province, county).await,
        Err(Ended::Failed(AppError::Invalid(errors))) => Ok(again(&errors)),
        Err(Ended::Failed(error)) => Err(error.into()),
    }
}

#[derive(Template)]
#[template(path = "listen/known.html")]
struct KnownPage {
    s: Shell,
    text: String,
    province: String,
    county: String,
    answered: bool,
    lines: Vec<Line>,
}

async fn known(web: &Web, req: &Req, checked: Checked, text: &str, province: &str, county: &str) -> Answer {
    let s = req.titled(req.shell.t("known-title"));
    let mut tx = web.app.db.read().await.map_err(AppError::from)?;
    let trust = web.app.trust(&mut tx).await?;
    let lines = checked.matches.iter().map(|m| Line::new(&s, &m.row, &trust)).collect();
    Ok(page(&KnownPage { text: text.to_owned(), province: province.to_owned(), county: county.to_owned(), answered: checked.answered(), lines, s }))
}

#[derive(Template)]
#[template(path = "listen/question.html")]
struct QuestionPage {
    s: Shell,
    id: String,
    text: String,
    region: Region,
    asked: Html,
    clock: Html,
    holding: Option<Holding>,
    next_update: Html,
    answer: Option<Line>,
    closed: Option<String>,
    events: Events,
    case: String,
}

/// GET /q/{id}: the asker's page. Whoever has the address may read it, nobody finds it.
pub async fn status(State(web): State<Web>, req: Req, Path(id): Path<String>) -> Answer {
    let view = question::view(&web.app, &QuestionId(id)).await?;
    let s = &req.shell;
    let mut tx = web.app.db.read().await.map_err(AppError::from)?;
    let trust = web.app.trust(&mut tx).await?;
    let mut holding = None;
    let mut answer = None;
    if let Some(row) = &view.claim {
        if row.verdict == "checking" {
            let found = kepu_app::create::publish::current(&web.app, &mut tx, &row.id).await?;
            holding = match found.and_then(|(_, record)| record).and_then(|record| record.body.ok()) {
                Some(Body::Claim(claim)) => claim.holding,
                _ => None,
            };
        } else {
            answer = Some(Line::new(s, row, &trust));
        }
    }
    let steps = match &view.case {
        Some(case) => kepu_store::listen::case::list_steps(&mut tx, &case.id, kepu_store::listen::case::Steps::Public, 100).await.map_err(AppError::from)?,
        None => vec![],
    };
    let mut shell = req.titled(s.t("question-title"));
    shell.head = Html("<meta name=\"robots\" content=\"noindex\"><meta name=\"referrer\" content=\"no-referrer\">".into());
    let response = page(&QuestionPage {
        id: view.question.id.0.clone(),
        text: if view.question.text.is_empty() { s.t("question-forgotten") } else { view.question.text.clone() },
        region: view.question.region,
        asked: s.time(&view.question.asked_at),
        clock: view.case.as_ref().zip(view.clock).map_or_else(Html::default, |(case, clock)| clock_of(s, case, &clock, "")),
        next_update: holding.as_ref().map_or_else(Html::default, |h| s.soon(&h.next_update)),
        holding,
        answer,
        closed: match &view.question.stage {
            Stage::Closed { reason, .. } => Some(reason.clone()),
            _ => None,
        },
        events: Events::new(s, &steps, view.case.as_ref().zip(view.clock).as_ref().map(|(case, clock)| (*case, clock)), Some(&view.question)),
        case: view.case.as_ref().map(|case| urls::case(&case.id)).unwrap_or_default(),
        s: shell,
    });
    Ok(crate::form::with_header(response, header::CACHE_CONTROL, "no-store"))
}
