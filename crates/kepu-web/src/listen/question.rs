//! Asking without login, and the asker's page. What is known is shown first; what is not opens a case.

use crate::Web;
use crate::form::Form;
use crate::line::{Choice, Line, choices};
use crate::listen::case::{Events, clock_of};
use crate::page::{Answer, Errors, Html, Req, Shell, page, page_with};
use crate::urls;
use crate::words::{DIVISIONS, divisions_below};
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
    let own: Vec<Region> = web.settings.region.chain();
    let provinces = divisions_below(Region::NATION).into_iter().map(|org| (org.region.to_string(), org.name.clone()));
    // Names below the node's own province, to choose from while typing; every other place can be typed all the same.
    let mut counties: Vec<String> = own.get(1).map(|province| below(*province)).unwrap_or_default();
    counties.dedup();
    page_with(
        status,
        &AskPage {
            text: text.to_owned(),
            provinces: choices(s.t("place-nation"), provinces, province),
            county: county.to_owned(),
            counties,
            errors: s.errors(errors),
            s,
        },
    )
}

/// Names of the places inside `province`, to choose from while typing.
pub(crate) fn below(province: Region) -> Vec<String> {
    DIVISIONS.iter().filter(|org| org.region != province && province.covers(org.region)).map(|org| org.name.clone()).collect()
}

/// GET /ask
pub async fn ask_page(State(web): State<Web>, req: Req) -> Answer {
    let province = web.settings.region.chain().get(1).map(Region::to_string).unwrap_or_default();
    Ok(ask_form(&web, &req, StatusCode::OK, req.query.get("text"), &province, "", &[]))
}

/// The place that province and county name say (also asked when a node is set up). An unknown or doubtful name is an error with what to write.
pub(crate) fn place(province: &str, county: &str) -> Result<Region, FieldError> {
    let region = Region::parse(province).unwrap_or(Region::NATION);
    let name = kepu_text::clean::clean_line(county);
    if name.is_empty() {
        return Ok(region);
    }
    let inside = |org: &&kepu_domain::org::Org| org.region != region && region.covers(org.region);
    let exact: Vec<_> = DIVISIONS.iter().filter(inside).filter(|org| org.name == name).collect();
    let list = if exact.is_empty() { DIVISIONS.iter().filter(inside).filter(|org| org.name.starts_with(&name)).collect() } else { exact };
    match list.as_slice() {
        [one] => Ok(one.region),
        [] => Err(FieldError::new("county", "place_unknown").with("name", &name)),
        several => {
            let names: Vec<String> = several
                .iter()
                .take(6)
                .map(|org| {
                    crate::words::division(*org.region.chain().get(1).unwrap_or(&org.region)).map_or_else(String::new, |p| format!("{} {}", p.name, org.name))
                })
                .collect();
            Err(FieldError::new("county", "place_doubtful").with("name", &name).with("names", names.join("、")))
        }
    }
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
    let region = match place(province, county) {
        Ok(region) => region,
        Err(error) => return Ok(again(&[error])),
    };
    let ask = Ask { text: text.to_owned(), region, anyway: form.has("anyway"), address: req.address.clone() };
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
    Ok(page(&KnownPage { text: text.to_owned(), province: province.to_owned(), county: county.to_owned(), answered: checked.answered, lines, s }))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_found_by_name() {
        assert_eq!(place("", "").expect("nation"), Region::NATION);
        assert_eq!(place("410000", "固始").expect("county").to_string(), "411525");
        assert_eq!(place("410000", " 固始县 ").expect("county").to_string(), "411525");
        assert_eq!(place("410000", "云岭县").expect_err("unknown").key, "place_unknown");
        assert_eq!(place("", "新城区").expect_err("several").key, "place_doubtful");
    }
}
