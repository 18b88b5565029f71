//! The API of claims, questions and cases.

use super::{Item, json, with_status};
use crate::Web;
use crate::form::{Fields, read_body, same_site};
use crate::line::filter;
use crate::page::{Answer, Req};
use crate::problem::{Kind, Problem};
use crate::urls;
use crate::words::{iso, moment};
use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, header};
use kepu_app::AppError;
use kepu_app::listen::claim::Checked;
use kepu_app::listen::hear::{Band, Said, Side};
use kepu_app::listen::placement;
use kepu_app::listen::question::{Ask, Asked};
use kepu_domain::ids::{CaseId, QuestionId};
use kepu_domain::listen::case::{Case, Clock, Due, Stage as CaseStage};
use kepu_domain::listen::placement::PlaceKind;
use kepu_domain::listen::question::Stage;
use kepu_domain::listen::sighting::Channel;
use kepu_domain::org::Region;
use kepu_domain::record::Body;
use kepu_store::listen::case::{self as store, Filter};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Claims with what was found about them, newest first.
#[utoipa::path(get, path = "/api/claims", tag = "claims", params(
    ("verdict" = Option<String>, Query, description = "true, false, partly, unproven or checking"),
    ("field" = Option<String>, Query, description = "Field, id of the vocabulary fields"),
    ("audience" = Option<String>, Query, description = "Audience, id of the vocabulary audiences"),
    ("region" = Option<String>, Query, description = "Place, six digits; what is meant for it or for a larger place around it"),
    ("limit" = Option<usize>, Query, description = "Rows of a page, at most 200"),
    ("cursor" = Option<String>, Query, description = "From the page before"),
), responses((status = 200, body = super::Items), (status = 400, description = "problem details")))]
pub async fn claims(State(web): State<Web>, req: Req) -> Answer {
    super::list(&web, &req, &filter(&req.query, "claim")).await
}

/// One claim with its signed ClaimReview; 410 if it was withdrawn.
#[utoipa::path(get, path = "/api/claims/{owner}/{local}", tag = "claims", params(
    ("owner" = String, Path, description = "First part of the id"), ("local" = String, Path, description = "Second part of the id")),
    responses((status = 200, body = super::Whole), (status = 404, description = "problem details"), (status = 410, description = "problem details")))]
pub async fn claim(State(web): State<Web>, req: Req, Path((owner, local)): Path<(String, String)>) -> Answer {
    super::one(&web, &req, "claim", &owner, &local).await
}

/// What is known about something said, with a text ready to be said back.
#[derive(Debug, Serialize, ToSchema)]
pub struct CheckedItem {
    /// What was compared: cleaned, cut, personal data masked.
    query: String,
    /// `answer`: a claim says the same; `ask`: one of these may, let a person choose; `nothing`: nobody has checked it.
    band: &'static str,
    /// Whether the first match says the same.
    answered: bool,
    /// Whether the text was longer than what is looked at.
    cut: bool,
    /// What a chat bot can say: the answer, the choice, or where to ask. Plain text, lines.
    say: String,
    /// The claims, the surest first.
    matches: Vec<MatchItem>,
}

/// A claim that says, or may say, the same.
#[derive(Debug, Serialize, ToSchema)]
pub struct MatchItem {
    /// The claim.
    claim: Item,
    /// `answer` or `ask`; a long message may hold several claims.
    band: &'static str,
    /// Chance that it says the same, 0 to 1.
    score: f64,
    /// Its wording that comes nearest.
    wording: String,
    /// The words of the query that it has as well.
    because: Vec<String>,
    /// Day from which on it must be looked at again has passed: say the date of the check.
    overdue: bool,
}

fn band_word(band: Band) -> &'static str {
    match band {
        Band::Answer => "answer",
        Band::Ask => "ask",
        Band::Nothing => "nothing",
    }
}

async fn checked_item(web: &Web, req: &Req, checked: Checked) -> Result<CheckedItem, Problem> {
    let say = say(web, req, &checked).await?;
    let mut tx = web.app.db.read().await.map_err(AppError::from)?;
    let today = web.app.today().to_string();
    let mut matches = Vec::new();
    for found in &checked.matches {
        let because = found.because.iter().filter(|span| span.side == Side::Said).filter_map(|span| checked.query.get(span.from..span.to)).map(str::to_owned);
        matches.push(MatchItem {
            claim: super::item(&req.shell, &mut tx, web, &found.row).await?,
            band: band_word(found.band),
            // Four digits are more than any chance is known to.
            score: (found.score * 1e4).round() / 1e4,
            wording: found.wording.clone(),
            because: because.collect(),
            overdue: found.row.verdict != "checking" && found.row.expires.as_deref().is_some_and(|day| day <= today.as_str()),
        });
    }
    Ok(CheckedItem { band: band_word(checked.band), answered: checked.answered(), cut: checked.cut, query: checked.query, say, matches })
}

/// What a chat bot says: every claim that is sure, else the choice, else where to ask.
async fn say(web: &Web, req: &Req, checked: &Checked) -> Result<String, Problem> {
    let s = &req.shell;
    let mut tx = web.app.db.read().await.map_err(AppError::from)?;
    let mut parts = Vec::new();
    for found in checked.matches.iter().filter(|found| found.band == Band::Answer).take(SAID) {
        let address = format!("{}{}", s.origin, urls::claim(&found.row.id));
        if let Some(record) = kepu_app::create::publish::current(&web.app, &mut tx, &found.row.id).await?.and_then(|(_, record)| record)
            && let Ok(Body::Claim(claim)) = &record.body
        {
            parts.push(crate::listen::share::said(s, &address, claim));
        }
    }
    if !parts.is_empty() {
        return Ok(parts.join("\n\n"));
    }
    if checked.matches.is_empty() {
        return Ok(s.t1("bot-nothing", "address", format!("{}/ask", s.origin)));
    }
    let choice = |(at, found): (usize, &kepu_app::listen::claim::Match)| {
        format!("{}. {} {}{}", at + 1, s.pick(&found.row.title, &found.row.title_en), s.origin, urls::claim(&found.row.id))
    };
    let list: Vec<String> = checked.matches.iter().take(SAID).enumerate().map(choice).collect();
    Ok(format!("{}\n{}", s.t("bot-perhaps"), list.join("\n")))
}

/// Claims that a bot says at once.
const SAID: usize = 3;

/// Is this true? Judged claims that say what `text` (or `q`) says.
#[utoipa::path(get, path = "/api/check", tag = "claims", params(
    ("text" = Option<String>, Query, description = "What somebody heard"),
    ("q" = Option<String>, Query, description = "The same by its older name"),
    ("region" = Option<String>, Query, description = "County of whoever asks, six digits; counted, never kept with the text"),
    ("place" = Option<String>, Query, description = "Name of the service that will say the answer, never of a group or person: remembered, so that a correction can be followed there")),
    responses((status = 200, body = CheckedItem), (status = 400, description = "problem details")))]
pub async fn check(State(web): State<Web>, req: Req) -> Answer {
    let text = req.query.opt("text").unwrap_or(req.query.get("q")).to_owned();
    let (region, place) = (req.query.get("region").to_owned(), req.query.get("place").to_owned());
    check_text(&web, &req, NewCheck { text, region, place }).await
}

/// Something said.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NewCheck {
    /// What somebody heard, at most some thousand characters are looked at.
    text: String,
    /// County of whoever asks, six digits; counted, never kept with the text.
    region: String,
    /// Name of the service that will say the answer, never of a group or person: remembered, so that a correction can be followed there.
    place: String,
}

/// Is this true? For what is too long, or too private, for an address.
#[utoipa::path(post, path = "/api/check", tag = "claims", request_body = NewCheck,
    responses((status = 200, body = CheckedItem), (status = 400, description = "problem details"), (status = 413, description = "problem details")))]
pub async fn check_long(State(web): State<Web>, req: Req, request: Request) -> Answer {
    if !same_site(request.headers()) {
        return Err(Problem::new(Kind::CrossSite));
    }
    let bytes = read_body(request, crate::form::FORM_BYTES_MAX).await?;
    let new: NewCheck = serde_json::from_slice(&bytes).map_err(|error| Problem::new(Kind::BadRequest).why("problem-json", &[("cause", error.to_string())]))?;
    check_text(&web, &req, new).await
}

async fn check_text(web: &Web, req: &Req, new: NewCheck) -> Answer {
    let region =
        if new.region.is_empty() { None } else { Some(Region::parse(&new.region).map_err(|_| Problem::new(Kind::BadRequest).why("problem-region", &[]))?) };
    let said = Said { text: new.text, channel: Channel::Api, region, at: web.app.now() };
    let checked = kepu_app::listen::claim::check(&web.app, &said, 10).await?;
    for found in checked.matches.iter().filter(|found| found.band == Band::Answer) {
        placement::note(&web.app, &found.row, PlaceKind::Bot, &new.place).await?;
    }
    json(&checked_item(web, req, checked).await?)
}

/// A question.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NewQuestion {
    /// What somebody heard or wants to know. Please no names, numbers or addresses.
    text: String,
    /// Place, six digits; default: the nation.
    region: String,
    /// Open a case although close claims are known.
    anyway: bool,
}

/// What became of a question.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewQuestionAnswer {
    /// The asker's ticket, if a case works on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// Address of the ticket in the API.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    /// Claims that may answer it already; nothing was opened then.
    #[serde(skip_serializing_if = "Option::is_none")]
    known: Option<CheckedItem>,
}

/// Asks a question, without login. 200 with known claims, or 201 with a ticket.
#[utoipa::path(post, path = "/api/questions", tag = "questions", request_body = NewQuestion,
    responses((status = 200, body = NewQuestionAnswer), (status = 201, body = NewQuestionAnswer), (status = 422, description = "problem details"), (status = 429, description = "problem details")))]
pub async fn ask(State(web): State<Web>, req: Req, request: Request) -> Answer {
    if !same_site(request.headers()) {
        return Err(Problem::new(Kind::CrossSite));
    }
    let new = read_question(request).await?;
    let region = if new.region.is_empty() { Ok(Region::NATION) } else { Region::parse(&new.region) };
    let region = region.map_err(|_| Problem::new(Kind::BadRequest).why("problem-region", &[]))?;
    let ask = Ask { text: new.text, region, anyway: new.anyway, channel: Channel::Api, address: req.address.clone() };
    match kepu_app::listen::question::ask(&web.app, ask).await? {
        Asked::Known(checked) => json(&NewQuestionAnswer { id: None, url: None, known: Some(checked_item(&web, &req, checked).await?) }),
        Asked::Opened { question } => {
            let url = format!("/api/questions/{}", question.0);
            let answer = json(&NewQuestionAnswer { id: Some(question.0), url: Some(url.clone()), known: None });
            with_status(answer, StatusCode::CREATED).map(|response| crate::form::with_header(response, header::LOCATION, &url))
        }
    }
}

async fn read_question(request: Request) -> Result<NewQuestion, Problem> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default().to_ascii_lowercase();
    let bytes = read_body(request, crate::form::FORM_BYTES_MAX).await?;
    if kind.starts_with("application/json") {
        return serde_json::from_slice(&bytes).map_err(|error| Problem::new(Kind::BadRequest).why("problem-json", &[("cause", error.to_string())]));
    }
    if kind.starts_with("application/x-www-form-urlencoded") {
        let fields = Fields::parse(&bytes)?;
        return Ok(NewQuestion { text: fields.get("text").into(), region: fields.get("region").into(), anyway: fields.has("anyway") });
    }
    Err(Problem::new(Kind::BadMediaType))
}

/// A question as its asker sees it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct QuestionItem {
    /// Ticket.
    id: String,
    /// The question, numbers and accounts masked.
    text: String,
    /// Place.
    region: String,
    /// When.
    asked_at: String,
    /// `open`, `answered` or `closed`.
    stage: &'static str,
    /// Why it was closed.
    #[serde(skip_serializing_if = "String::is_empty")]
    reason: String,
    /// The case that works on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    case: Option<CaseItem>,
    /// What is said publicly by now.
    #[serde(skip_serializing_if = "Option::is_none")]
    claim: Option<Item>,
}

/// A question by its ticket.
#[utoipa::path(get, path = "/api/questions/{id}", tag = "questions", params(("id" = String, Path, description = "The ticket")),
    responses((status = 200, body = QuestionItem), (status = 404, description = "problem details")))]
pub async fn question(State(web): State<Web>, req: Req, Path(id): Path<String>) -> Answer {
    let view = kepu_app::listen::question::view(&web.app, &QuestionId(id)).await?;
    let mut tx = web.app.db.read().await.map_err(AppError::from)?;
    let claim = match &view.claim {
        Some(row) if row.standing == kepu_store::subject::Standing::Public => Some(super::item(&req.shell, &mut tx, &web, row).await?),
        _ => None,
    };
    let (stage, reason) = match &view.question.stage {
        Stage::Open { .. } => ("open", String::new()),
        Stage::Answered { .. } => ("answered", String::new()),
        Stage::Closed { reason, .. } => ("closed", reason.clone()),
    };
    json(&QuestionItem {
        id: view.question.id.0.clone(),
        text: view.question.text.clone(),
        region: view.question.region.to_string(),
        asked_at: iso(view.question.asked_at),
        stage,
        reason,
        case: view.case.as_ref().zip(view.clock.as_ref()).map(|(case, clock)| CaseItem::new(&req, case, clock, true)),
        claim,
    })
}

/// A case with its clock.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CaseItem {
    /// Id.
    id: String,
    /// Kind.
    kind: String,
    /// Level, 1 the most urgent.
    level: i64,
    /// What it is about; none until somebody of the house has taken it.
    title: Option<String>,
    /// Fields.
    fields: Vec<String>,
    /// Place.
    region: String,
    /// `open`, `working`, `answered`, `closed`.
    stage: &'static str,
    /// When it opened.
    opened_at: String,
    /// When the first public statement went out.
    held_at: Option<String>,
    /// `holding`, `answer`, or none when it is over.
    due: Option<&'static str>,
    /// When that is due; for a finished case, when it ended.
    due_at: String,
    /// Whether that moment has passed undone.
    late: bool,
    /// Subject of its answer.
    subject: String,
    /// Its page.
    url: String,
}

impl CaseItem {
    fn new(req: &Req, case: &Case, clock: &Clock, insider: bool) -> Self {
        Self {
            id: case.id.0.clone(),
            kind: case.kind.clone(),
            level: case.level,
            title: (!case.title.is_empty() && (insider || case.stage != CaseStage::Open)).then(|| case.title.clone()),
            fields: case.fields.clone(),
            region: case.region.to_string(),
            stage: case.stage.name(),
            opened_at: iso(case.opened_at),
            held_at: case.held_at.map(iso),
            due: match clock.next {
                Due::Holding => Some("holding"),
                Due::Answer => Some("answer"),
                Due::Nothing => None,
            },
            due_at: iso(clock.at),
            late: clock.late,
            subject: case.subject.0.clone(),
            url: format!("{}{}", req.shell.origin, urls::case(&case.id)),
        }
    }
}

/// A list of cases.
#[derive(Debug, Serialize, ToSchema)]
pub struct Cases {
    /// The cases, the newest first.
    items: Vec<CaseItem>,
    /// Cursor of the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
    /// Address of the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// Cases with their clocks, newest first.
#[utoipa::path(get, path = "/api/cases", tag = "cases", params(
    ("open" = Option<String>, Query, description = "1: only cases that are not over"),
    ("limit" = Option<usize>, Query, description = "Rows of a page, at most 200"),
    ("cursor" = Option<String>, Query, description = "From the page before"),
), responses((status = 200, body = Cases), (status = 400, description = "problem details")))]
pub async fn cases(State(web): State<Web>, req: Req) -> Answer {
    let limit = super::limit_of(&req);
    let filter = Filter { stage: req.query.opt("open").map(|_| "active".into()), ..Filter::default() };
    let after = super::read_cursor(req.query.get("cursor"))?.map(|(ms, id)| (moment(ms), CaseId(id)));
    let mut tx = web.app.db.read().await.map_err(AppError::from)?;
    let mut list = store::list(&mut tx, &filter, after.as_ref().map(|(at, id)| (*at, id)), limit as u32 + 1).await.map_err(AppError::from)?;
    let more = list.len() > limit;
    list.truncate(limit);
    let cursor = list.last().filter(|_| more).map(|case| super::write_cursor(case.opened_at.as_millisecond(), &case.id.0));
    let next = cursor.as_ref().map(|cursor| format!("{}{}", req.shell.origin, req.shell.here_with("cursor", cursor)));
    let now = web.app.now();
    let insider = kepu_app::listen::case::may_work(&mut tx, &req.actor, &list).await?;
    json(&Cases { items: list.iter().zip(insider).map(|(case, insider)| CaseItem::new(&req, case, &case.clock(now), insider)).collect(), cursor, next })
}

/// A case with its time line.
#[derive(Debug, Serialize, ToSchema)]
pub struct CaseWhole {
    /// The case.
    case: CaseItem,
    /// How many people asked.
    questions: usize,
    /// What is said publicly by now.
    #[serde(skip_serializing_if = "Option::is_none")]
    claim: Option<Item>,
    /// Its time line, oldest first.
    steps: Vec<super::Event>,
}

/// One case.
#[utoipa::path(get, path = "/api/cases/{id}", tag = "cases", params(("id" = String, Path, description = "Id")),
    responses((status = 200, body = CaseWhole), (status = 404, description = "problem details")))]
pub async fn case(State(web): State<Web>, req: Req, Path(id): Path<String>) -> Answer {
    let view = kepu_app::listen::case::view(&web.app, &req.actor, &CaseId(id)).await?;
    let mut tx = web.app.db.read().await.map_err(AppError::from)?;
    let claim = match &view.claim {
        Some(row) if row.standing == kepu_store::subject::Standing::Public => Some(super::item(&req.shell, &mut tx, &web, row).await?),
        _ => None,
    };
    let steps = view.steps.iter().map(|step| super::Event { at: iso(step.at), text: crate::listen::case::step_text(&req.shell, step), record: String::new() });
    json(&CaseWhole { case: CaseItem::new(&req, &view.case, &view.clock, view.can_work), questions: view.questions, claim, steps: steps.collect() })
}
