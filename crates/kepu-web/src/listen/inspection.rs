//! Inspections as pages: the draw, the sample with what was seen, one piece of evidence at a time, the list for whoever repeats the draw. What is done is in
//! `kepu-app::listen::inspection`.

use super::decision::{link, state};
use super::decision_new::{levels, orgs};
use crate::Web;
use crate::form::{Fields, Form};
use crate::line::{Choice, attachment, csv_cell};
use crate::page::{Answer, Errors, Html, Req, Shell, page, page_with};
use crate::words::iso;
use crate::{place, urls};
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use kepu_app::listen::inspection::{self as deeds, Look, New, View};
use kepu_app::{AppError, FieldError};
use kepu_domain::access::Action;
use kepu_domain::ids::{InspectionId, OrgId};
use kepu_domain::listen::decision::Cause;
use kepu_domain::listen::inspection::{CHECKLISTS, Tick, lot};

struct Item {
    href: String,
    title: String,
    line: String,
    at: Html,
    state: Html,
}

#[derive(Template)]
#[template(path = "listen/inspections.html")]
struct ListPage {
    s: Shell,
    can_draw: bool,
    items: Vec<Item>,
}

/// GET /inspections
pub async fn list(State(web): State<Web>, req: Req) -> Answer {
    let found = deeds::list(&web.app, &req.actor).await?;
    let s = req.titled(req.shell.t("inspections-title"));
    let items = found.iter().map(|(one, sum)| Item {
        href: urls::inspection(&one.id),
        title: one.title.clone(),
        line: format!("{} · {}", s.place(&one.region), s.t3("inspection-line", "drawn", sum.drawn, "seen", sum.seen, "findings", sum.findings)),
        at: s.soon(&one.drawn_at),
        state: match (sum.overdue, sum.drawn - sum.seen.min(sum.drawn)) {
            (0, 0) if sum.corrected == sum.findings => s.state("true", s.t("inspection-over")),
            (0, 0) => s.state("now", s.t("inspection-correcting")),
            (0, _) => s.state("now", s.t("inspection-looking")),
            _ => s.state("false", s.t("task-overdue")),
        },
    });
    Ok(page(&ListPage { items: items.collect(), can_draw: s.may(Action::Coordinate), s }))
}

#[derive(Template)]
#[template(path = "listen/inspection_new.html")]
struct NewPage {
    s: Shell,
    title: String,
    word: String,
    size: String,
    since: String,
    county: String,
    checklists: Vec<Choice>,
    orgs: Vec<Choice>,
    counties: Vec<String>,
    errors: Errors,
}

async fn new_with(web: &Web, req: &Req, status: StatusCode, f: &Fields, errors: &[FieldError]) -> Answer {
    let s = req.titled(req.shell.t("inspection-new"));
    let lists = CHECKLISTS.iter().map(|one| Choice { value: one.id.clone(), text: s.pick(&one.zh, &one.en).to_owned(), on: one.id == f.get("checklist") });
    let answer = NewPage {
        title: f.get("title").to_owned(),
        word: f.get("word").to_owned(),
        size: if f.has("size") { f.get("size").to_owned() } else { "20".into() },
        since: f.get("since").to_owned(),
        county: f.get("county").to_owned(),
        checklists: lists.collect(),
        orgs: orgs(web, req, f.get("org")).await?,
        counties: place::counties(web.settings.region),
        errors: s.errors(errors),
        s,
    };
    Ok(page_with(status, &answer))
}

/// GET /inspections/new
pub async fn new_page(State(web): State<Web>, req: Req) -> Answer {
    new_with(&web, &req, StatusCode::OK, &Fields::default(), &[]).await
}

fn read(web: &Web, f: &Fields) -> Result<New, AppError> {
    let province = web.settings.region.chain().get(1).map_or_else(String::new, ToString::to_string);
    let region = match f.opt("county") {
        Some(name) => Some(place::read(&province, name).map_err(|error| AppError::Invalid(vec![error]))?),
        None => None,
    };
    Ok(New {
        title: f.get("title").to_owned(),
        checklist: f.get("checklist").to_owned(),
        region,
        org: OrgId::from(f.get("org")),
        word: f.get("word").to_owned(),
        size: f.int("size").and_then(|n| usize::try_from(n).ok()).unwrap_or_default(),
        since: f.get("since").trim().parse().ok(),
    })
}

/// POST /inspections/new
pub async fn create(State(web): State<Web>, req: Req, form: Form) -> Answer {
    let deed = async { deeds::draw(&web.app, &req.actor, read(&web, &form)?).await.map(|id| urls::inspection(&id)) };
    match form.once(&web, deed).await {
        Err(AppError::Invalid(errors)) => new_with(&web, &req, StatusCode::UNPROCESSABLE_ENTITY, form.fields(), &errors).await,
        other => Ok(other?),
    }
}

/// A sample of the table.
struct SampleRow {
    n: i64,
    title: String,
    line: String,
    evidence: String,
    link: String,
    state: Html,
    finding: String,
    look: String,
}

#[derive(Template)]
#[template(path = "listen/inspection.html")]
struct InspectionPage {
    s: Shell,
    title: String,
    org: String,
    place: String,
    at: Html,
    word: String,
    list_hash: String,
    csv: String,
    repeats: bool,
    share: String,
    figures: Vec<(String, usize)>,
    rows: Vec<SampleRow>,
    next: String,
}

/// The share in order as a sentence.
fn share_line(s: &Shell, view: &View) -> String {
    let percent = |share: f64| format!("{:.0}", share * 100.0);
    let Some(found) = view.share else { return s.t("inspection-share-none") };
    s.t3("inspection-share", "share", percent(found.share), "low", percent(found.low), "high", percent(found.high))
}

fn sample_row(s: &Shell, view: &View, row: &deeds::Row) -> SampleRow {
    let entry = &row.sample.entry;
    let seen = row.sample.seen.as_ref();
    SampleRow {
        n: row.sample.n,
        title: entry.title.clone(),
        line: format!("{} · {} · {}", s.place(&entry.place), entry.host, s.day_text(jiff::tz::Offset::constant(8).to_datetime(entry.at).date())),
        link: link(&entry.evidence),
        evidence: entry.evidence.clone(),
        state: match (seen, &row.finding) {
            (None, _) => s.state("open", s.t("inspection-unseen")),
            (Some(seen), _) if seen.finding.is_none() => s.state("true", s.t("inspection-in-order")),
            (Some(_), Some(branch)) => state(s, branch),
            (Some(_), None) => s.state("false", s.t("inspection-found")),
        },
        finding: seen.and_then(|seen| seen.finding.as_ref()).map(urls::decision).unwrap_or_default(),
        look: if view.can_look && seen.is_none() { format!("{}/look/{}", urls::inspection(&view.inspection.id), row.sample.n) } else { String::new() },
    }
}

/// GET /inspections/{id}
pub async fn show(State(web): State<Web>, req: Req, Path(id): Path<String>) -> Answer {
    let view = deeds::view(&web.app, &req.actor, &InspectionId(id)).await?;
    let s = req.titled(view.inspection.title.clone());
    let sum = view.summary;
    let names = ["listed", "drawn", "seen", "in-order", "findings", "corrected", "in-time", "overdue"];
    let values = [sum.listed, sum.drawn, sum.seen, sum.in_order, sum.findings, sum.corrected, sum.in_time, sum.overdue];
    let rows: Vec<SampleRow> = view.rows.iter().map(|row| sample_row(&s, &view, row)).collect();
    Ok(page(&InspectionPage {
        title: view.inspection.title.clone(),
        org: view.org.clone(),
        place: s.place_line(&view.inspection.region),
        at: s.time(&view.inspection.drawn_at),
        word: view.inspection.word.clone(),
        list_hash: view.inspection.list_hash.clone(),
        csv: format!("{}/list.csv", urls::inspection(&view.inspection.id)),
        repeats: view.repeats,
        share: share_line(&s, &view),
        figures: names.iter().map(|name| s.t(&format!("inspection-n-{name}"))).zip(values).collect(),
        next: rows.iter().map(|row| row.look.clone()).find(|look| !look.is_empty()).unwrap_or_default(),
        rows,
        s,
    }))
}

/// GET /inspections/{id}/list.csv: everything that the draw was made from, with each lot
pub async fn list_csv(State(web): State<Web>, req: Req, Path(id): Path<String>) -> Answer {
    let (inspection, list) = deeds::closed_list(&web.app, &req.actor, &InspectionId(id)).await?;
    let mut out = "\u{feff}key,place,evidence,title,host,done,lot,drawn\r\n".to_owned();
    for one in list {
        let lot = lot(&inspection.word, &inspection.list_hash, &one.entry.key);
        let drawn = if one.n > 0 { one.n.to_string() } else { String::new() };
        let entry = one.entry;
        let cells = [entry.key, entry.place.to_string(), entry.evidence, entry.title, entry.host, iso(entry.at), lot, drawn];
        out.push_str(&cells.map(|cell| csv_cell(&cell)).join(","));
        out.push_str("\r\n");
    }
    Ok(attachment("kepu-inspection.csv", out))
}

struct QuestionView {
    id: String,
    text: String,
    source: String,
    ticks: Vec<Choice>,
}

#[derive(Template)]
#[template(path = "listen/inspection_look.html")]
struct LookPage {
    s: Shell,
    action: String,
    back: String,
    title: String,
    row: SampleRow,
    of: usize,
    questions: Vec<QuestionView>,
    found: String,
    what: String,
    due: String,
    levels: Vec<Choice>,
    today: String,
    faulty: bool,
    errors: Errors,
}

async fn look_with(web: &Web, req: &Req, (id, n): (&str, i64), status: StatusCode, f: &Fields, errors: &[FieldError]) -> Answer {
    let id = InspectionId(id.to_owned());
    let missing = || AppError::NotFound { what: "sample", id: n.to_string() };
    let view = deeds::view(&web.app, &req.actor, &id).await?;
    let row = view.rows.iter().find(|row| row.sample.n == n).filter(|_| view.can_look).ok_or_else(missing)?;
    let s = req.titled(row.sample.entry.title.clone());
    let tick =
        |question: &str, word: &'static str| Choice { value: word.into(), text: s.t(&format!("tick-{word}")), on: f.get(&format!("q-{question}")) == word };
    let questions = view.checklist.questions.iter().map(|one| QuestionView {
        id: format!("q-{}", one.id),
        text: s.pick(&one.zh, &one.en).to_owned(),
        source: one.source.clone(),
        ticks: ["yes", "no", "na"].map(|word| tick(&one.id, word)).into(),
    });
    let errors = s.errors(errors);
    let answer = LookPage {
        action: format!("{}/look/{n}", urls::inspection(&id)),
        back: urls::inspection(&id),
        title: view.inspection.title.clone(),
        row: sample_row(&s, &view, row),
        of: view.rows.len(),
        questions: questions.collect(),
        found: f.get("found").to_owned(),
        what: f.get("what").to_owned(),
        due: f.get("due").to_owned(),
        levels: levels(&s, Cause::Inspection, f.int("level")),
        today: web.app.today().to_string(),
        faulty: ["found", "what", "due", "level"].into_iter().any(|field| errors.has(field)),
        errors,
        s,
    };
    Ok(page_with(status, &answer))
}

/// GET /inspections/{id}/look/{n}
pub async fn look_page(State(web): State<Web>, req: Req, Path((id, n)): Path<(String, i64)>) -> Answer {
    look_with(&web, &req, (&id, n), StatusCode::OK, &Fields::default(), &[]).await
}

/// POST /inspections/{id}/look/{n}
pub async fn look(State(web): State<Web>, req: Req, Path((id, n)): Path<(String, i64)>, form: Form) -> Answer {
    let inspection = InspectionId(id.clone());
    let ticks = form.fields().0.iter().filter_map(|(name, value)| Some((name.strip_prefix("q-")?.to_owned(), Tick::parse(value)?)));
    let looked = Look {
        n,
        ticks: ticks.collect(),
        found: form.get("found").to_owned(),
        what: form.get("what").to_owned(),
        due: form.get("due").trim().parse().ok(),
        level: form.int("level").unwrap_or_default(),
    };
    let deed = async { deeds::look(&web.app, &req.actor, &inspection, looked).await.map(|()| urls::inspection(&inspection)) };
    match form.once(&web, deed).await {
        Err(AppError::Invalid(errors)) => look_with(&web, &req, (&id, n), StatusCode::UNPROCESSABLE_ENTITY, form.fields(), &errors).await,
        other => Ok(other?),
    }
}
