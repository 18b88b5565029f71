//! The office of a round: the queue, the panel, the order raw and adjusted, objections, and the one next step; exports. The steps about
//! one application come from its page.

use super::show::csv;
use super::{apply, refused, round_clock, round_mark, stage_mark, stage_word};
use crate::Web;
use crate::form::Form;
use crate::line::{Choice, choices, csv_cell};
use crate::page::{Answer, Errors, Html, Pager, Req, Shell, page_with};
use crate::urls;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use kepu_app::create::round::engine::By;
use kepu_app::create::round::office::{self, Office, Row};
use kepu_app::create::round::{self as rounds, after, assign, object};
use kepu_app::{AppError, FieldError};
use kepu_domain::create::round::{AppStage, RoundStage};
use kepu_domain::ids::{ApplicationId, ObjectionId, PartyId, RoundId};

/// Rows of the queue on a page.
const SIZE: usize = 50;
/// Rows of the order on the page; all are in the export.
const PLACES: usize = 100;

struct Item {
    href: String,
    label: String,
    name: String,
    mark: Html,
    judged: String,
    handed_in: Html,
    concerns: usize,
}

struct Place {
    href: String,
    rank: u32,
    label: String,
    raw: String,
    adjusted: String,
    error: String,
    scores: usize,
    why: String,
    moved: String,
}

struct JudgeRow {
    name: String,
    done: usize,
    of: usize,
    mean: String,
    harshness: String,
    standing: String,
}

struct ObjectionRow {
    id: String,
    href: String,
    label: String,
    words: String,
    contact: String,
    at: Html,
    answer: String,
    upheld: bool,
    open: bool,
}

#[derive(Template)]
#[template(path = "create/round/office.html")]
struct OfficePage {
    s: Shell,
    id: String,
    href: String,
    version: i64,
    title: String,
    kind: String,
    org: String,
    mark: Html,
    clock: Html,
    /// The next step: `wait`, `check`, `assign`, `judging`, `propose`, `answer`, `publicity`, `decide`, `over`.
    step: &'static str,
    step_text: String,
    items: Vec<Item>,
    total: usize,
    all: usize,
    stages: Vec<Choice>,
    pager: Pager,
    judged: bool,
    places: Vec<Place>,
    more_places: usize,
    by_text: String,
    groups: usize,
    judges: Vec<JudgeRow>,
    panel: Vec<Choice>,
    panel_open: bool,
    objections: Vec<ObjectionRow>,
    may_answer: bool,
    may_decide: bool,
    can_cancel: bool,
    recusals: Vec<Choice>,
    targets: Vec<Choice>,
    csv: String,
    said: String,
    reason: String,
    answer: String,
    errors: Errors,
}

/// What the office has to do next, and in how many cases.
fn step(s: &Shell, view: &Office, now: jiff::Timestamp) -> (&'static str, String) {
    let count = |f: &dyn Fn(&AppStage) -> bool| view.rows.iter().filter(|r| f(&r.application.stage)).count();
    let unchecked = count(&|stage| matches!(stage, AppStage::Submitted { .. }));
    let complete = count(&|stage| matches!(stage, AppStage::Complete { .. }));
    let open = view.objections.iter().filter(|o| o.answered_at.is_none()).count();
    let waits = view.rows.iter().filter(|r| matches!(r.application.stage, AppStage::Complete { .. })).any(|r| r.judged.0 < view.round.judges_each(&view.kind));
    match &view.round.stage {
        RoundStage::Planned | RoundStage::Called if now < view.round.closes && unchecked == 0 => ("wait", s.t1("step-wait", "n", complete)),
        RoundStage::Planned | RoundStage::Called | RoundStage::Judging if unchecked > 0 => ("check", s.t1("step-check", "n", unchecked)),
        RoundStage::Planned | RoundStage::Called if view.kind.judged.is_empty() => ("propose", s.t1("step-propose", "n", complete)),
        RoundStage::Planned | RoundStage::Called => ("assign", s.t1("step-assign", "n", complete)),
        RoundStage::Judging if waits => {
            let (done, of) = view
                .rows
                .iter()
                .filter(|r| matches!(r.application.stage, AppStage::Complete { .. }))
                .fold((0, 0), |(d, o), r| (d + r.judged.0, o + r.judged.1));
            ("judging", s.t2("step-judging", "done", done, "of", of))
        }
        RoundStage::Judging => ("propose", s.t1("step-propose", "n", complete)),
        RoundStage::Publicity { .. } if open > 0 => ("answer", s.t1("step-answer", "n", open)),
        RoundStage::Publicity { until, .. } if now < *until => ("publicity", s.t1("step-publicity", "time", s.when(*until))),
        RoundStage::Publicity { .. } => ("decide", s.t1("step-decide", "n", count(&|stage| matches!(stage, AppStage::Proposed { .. })))),
        RoundStage::Decided { .. } => ("over", s.t("step-over")),
        RoundStage::Cancelled { reason, .. } => ("over", reason.clone()),
    }
}

fn item(s: &Shell, row: &Row) -> Item {
    Item {
        href: urls::application(&row.application.id),
        label: if row.label.is_empty() { s.t("concern-entry-gone") } else { row.label.clone() },
        name: if row.label == row.name { String::new() } else { row.name.clone() },
        mark: stage_mark(s, &row.application.stage),
        judged: if row.judged.1 > 0 { s.t2("office-judged", "done", row.judged.0, "of", row.judged.1) } else { String::new() },
        handed_in: row.application.submitted.as_ref().map(|at| s.soon(at)).unwrap_or_default(),
        concerns: row.concerns.len(),
    }
}

fn number(value: f64) -> String {
    format!("{value:.2}")
}

fn places(s: &Shell, view: &Office) -> Vec<Place> {
    let Some(ranking) = &view.ranking else { return vec![] };
    let label = |id: &ApplicationId| view.rows.iter().find(|r| r.application.id == *id).map(|r| r.label.clone()).unwrap_or_default();
    // Where it would stand by raw means alone, so that everybody sees what the correction changes.
    let mut raw: Vec<(&ApplicationId, f64)> = ranking.places.iter().map(|p| (&p.application, p.raw)).collect();
    raw.sort_by(|a, b| b.1.total_cmp(&a.1));
    let raw_rank = |id: &ApplicationId| raw.iter().position(|(other, _)| *other == id).map_or(0, |n| n + 1);
    let tie = |word: &str| match word.strip_prefix("judged:") {
        Some(id) => s.t1("tie-judged", "name", view.kind.judged.iter().find(|j| j.id == id).map_or(id, |j| s.pick(&j.zh, &j.en))),
        None if word.is_empty() => String::new(),
        None => s.t(&format!("tie-{word}")),
    };
    ranking
        .places
        .iter()
        .take(PLACES)
        .map(|p| Place {
            href: urls::application(&p.application),
            rank: p.rank,
            label: label(&p.application),
            raw: number(p.raw),
            adjusted: number(p.adjusted.clamp(0.0, 100.0)),
            error: p.std_error.map(|e| format!("±{e:.1}")).unwrap_or_default(),
            scores: p.scores,
            why: tie(&p.decided_by),
            moved: if raw_rank(&p.application) == p.rank as usize { String::new() } else { s.t1("office-raw-rank", "rank", raw_rank(&p.application)) },
        })
        .collect()
}

fn judges(s: &Shell, view: &Office) -> Vec<JudgeRow> {
    view.judges
        .iter()
        .map(|(id, name, done, of)| {
            let found = view.ranking.as_ref().and_then(|r| r.judges.iter().find(|j| j.judge == *id));
            JudgeRow {
                name: name.clone(),
                done: *done,
                of: *of,
                mean: found.map(|j| number(j.raw_mean)).unwrap_or_default(),
                harshness: found.map(|j| format!("{:+.1}", j.harshness)).unwrap_or_default(),
                standing: found.map(|j| s.t(&format!("judge-{}", standing(j.standing)))).unwrap_or_default(),
            }
        })
        .collect()
}

fn standing(standing: kepu_app::create::round::engine::JudgeStanding) -> &'static str {
    use kepu_app::create::round::engine::JudgeStanding as S;
    match standing {
        S::Corrected => "corrected",
        S::TooFew => "too-few",
        S::Alone => "alone",
        S::Flat => "flat",
        S::Silent => "silent",
    }
}

async fn office_page(web: &Web, req: &Req, id: &RoundId, form: Option<&Form>, status: StatusCode, errors: &[FieldError]) -> Answer {
    let view = office::view(&web.app, &req.actor, id).await?;
    if req.query.get("format") == "csv" {
        return Ok(export(&req.shell, &view));
    }
    let s = req.titled(req.shell.t1("office-title", "round", &view.round.title));
    let (step, step_text) = step(&s, &view, web.app.now());
    let wanted = req.query.get("stage");
    let chosen: Vec<&Row> =
        view.rows.iter().filter(|r| wanted.is_empty() || r.application.stage.name() == wanted || wanted == "concerns" && !r.concerns.is_empty()).collect();
    let at = req.page_number();
    let stages = ["submitted", "complete", "proposed", "not_proposed", "granted", "revoked", "withdrawn"];
    let stages = stages
        .iter()
        .map(|word| ((*word).to_owned(), s.t(&format!("application-{}", word.replace('_', "-")))))
        .chain([("concerns".to_owned(), s.t("office-concerns"))]);
    let people = rounds::assign::possible_judges(&web.app, &req.actor, 300).await?;
    let on_panel = |id: &PartyId| view.round.panel.contains(id);
    let mut panel: Vec<Choice> = view.panel.iter().map(|p| Choice { value: p.id.0.clone(), text: format!("{} · {}", p.name, p.title), on: true }).collect();
    panel.extend(people.into_iter().filter(|(p, _)| !on_panel(&p.id)).map(|(p, org)| Choice {
        text: format!("{} · {} · {org}", p.name, p.title),
        value: p.id.0,
        on: false,
    }));
    let label = |id: &ApplicationId| view.rows.iter().find(|r| r.application.id == *id).map(|r| r.label.clone()).unwrap_or_default();
    let judging = matches!(view.round.stage, RoundStage::Called | RoundStage::Judging);
    let page = OfficePage {
        id: id.0.clone(),
        href: urls::round(id),
        version: view.round.version,
        title: view.round.title.clone(),
        kind: s.pick(&view.kind.zh, &view.kind.en).to_owned(),
        org: view.org.clone(),
        mark: round_mark(&s, &view.round),
        clock: round_clock(&s, &view.round),
        step,
        step_text,
        total: chosen.len(),
        all: view.rows.len(),
        items: chosen.iter().skip((at - 1) * SIZE).take(SIZE).map(|row| item(&s, row)).collect(),
        stages: choices(s.t("office-any-stage"), stages, wanted),
        pager: Pager::new(&s, at, SIZE, chosen.len()),
        judged: !view.kind.judged.is_empty(),
        places: places(&s, &view),
        more_places: view.ranking.as_ref().map_or(0, |r| r.places.len().saturating_sub(PLACES)),
        by_text: view.ranking.as_ref().map(|r| s.t(if r.by == By::Adjusted { "office-by-adjusted" } else { "office-by-raw" })).unwrap_or_default(),
        groups: view.ranking.as_ref().map_or(0, |r| r.groups),
        judges: judges(&s, &view),
        recusals: view.panel.iter().map(|p| Choice { value: p.id.0.clone(), text: p.name.clone(), on: false }).collect(),
        targets: view
            .rows
            .iter()
            .filter(|r| matches!(r.application.stage, AppStage::Complete { .. } | AppStage::Submitted { .. }))
            .take(500)
            .map(|r| Choice { value: r.application.id.0.clone(), text: r.label.clone(), on: false })
            .collect(),
        panel,
        panel_open: judging,
        objections: view
            .objections
            .iter()
            .map(|o| ObjectionRow {
                id: o.id.0.clone(),
                href: urls::application(&o.application),
                label: label(&o.application),
                words: o.words.clone(),
                contact: o.contact.clone(),
                at: s.time(&o.at),
                answer: o.answer.clone(),
                upheld: o.upheld,
                open: o.answered_at.is_none(),
            })
            .collect(),
        may_answer: view.may.0,
        may_decide: view.may.1,
        can_cancel: !matches!(view.round.stage, RoundStage::Decided { .. } | RoundStage::Cancelled { .. }),
        csv: s.here_with("format", "csv"),
        said: match req.query.get("done") {
            word @ ("assigned" | "proposed" | "decided" | "answered" | "panel" | "declared" | "cancelled") => s.t(&format!("office-said-{word}")),
            _ => String::new(),
        },
        reason: form.map(|f| f.get("reason").to_owned()).unwrap_or_default(),
        answer: form.map(|f| f.get("answer").to_owned()).unwrap_or_default(),
        errors: s.errors(errors),
        s,
    };
    Ok(page_with(status, &page))
}

/// Results for the office: every application with stage, rank, raw and adjusted total.
fn export(s: &Shell, view: &Office) -> axum::response::Response {
    let mut out = String::from("\u{feff}id,applicant,title,state,submitted,rank,raw,adjusted,std_error,scores,decided_by,money,credential,note\r\n");
    for row in &view.rows {
        let a = &row.application;
        let place = view.ranking.as_ref().and_then(|r| r.places.iter().find(|p| p.application == a.id));
        let (credential, note) = match &a.stage {
            AppStage::Granted { credential, .. } => (credential.0.clone(), String::new()),
            AppStage::NotProposed { reason, .. } | AppStage::Revoked { reason, .. } => (String::new(), reason.clone()),
            _ => (String::new(), String::new()),
        };
        let cells = [
            a.id.0.clone(),
            row.name.clone(),
            row.label.clone(),
            stage_word(s, &a.stage),
            a.submitted.map(crate::words::iso).unwrap_or_default(),
            place.map(|p| p.rank.to_string()).unwrap_or_default(),
            place.map(|p| number(p.raw)).unwrap_or_default(),
            place.map(|p| number(p.adjusted)).unwrap_or_default(),
            place.and_then(|p| p.std_error).map(number).unwrap_or_default(),
            place.map(|p| p.scores.to_string()).unwrap_or_default(),
            place.map(|p| p.decided_by.clone()).unwrap_or_default(),
            a.money.clone(),
            credential,
            note,
        ];
        out.push_str(&cells.map(|cell| csv_cell(&cell)).join(","));
        out.push_str("\r\n");
    }
    csv("kepu-round.csv", out)
}

/// GET /round/{id}/office
pub async fn show(State(web): State<Web>, req: Req, Path(id): Path<String>) -> Answer {
    office_page(&web, &req, &RoundId(id), None, StatusCode::OK, &[]).await
}

/// POST /round/{id}/office: `do` is the button that was pressed.
pub async fn act(State(web): State<Web>, req: Req, Path(id): Path<String>, form: Form) -> Answer {
    let id = RoundId(id);
    let (app, who, version) = (&web.app, &req.actor, form.int("version").unwrap_or_default());
    let deed = async {
        let word = match form.get("do") {
            "assign" => assign::assign(app, who, &id, version).await.map(|_| "assigned")?,
            "propose" => office::propose(app, who, &id, version).await.map(|()| "proposed")?,
            "decide" => office::decide(app, who, &id, version).await.map(|_| "decided")?,
            "panel" => rounds::set_panel(app, who, &id, version, form.all("panel").into_iter().map(PartyId).collect()).await.map(|()| "panel")?,
            "declare" => {
                let (judge, application) = (PartyId::from(form.get("judge")), ApplicationId::from(form.get("application")));
                assign::declare(app, who, &id, &judge, &application).await.map(|()| "declared")?
            }
            "answer" => {
                let upheld = form.get("upheld") == "1";
                object::answer(app, who, &ObjectionId::from(form.get("objection")), form.get("answer"), upheld).await.map(|_| "answered")?
            }
            "cancel" => rounds::cancel(app, who, &id, version, form.get("reason")).await.map(|()| "cancelled")?,
            _ => return Err(AppError::Invalid(vec![FieldError::new("do", "required")])),
        };
        Ok(format!("{}?done={word}", urls::round_office(&id)))
    };
    match form.once(&web, deed).await {
        Ok(response) => Ok(response),
        Err(error) => {
            let (status, errors) = refused(error)?;
            office_page(&web, &req, &id, Some(&form), status, &errors).await
        }
    }
}

/// POST /application/{id}/office: the office's step about one application; `do` is the button.
pub async fn step_on(State(web): State<Web>, req: Req, Path(id): Path<String>, form: Form) -> Answer {
    let id = ApplicationId(id);
    let (app, who, version) = (&web.app, &req.actor, form.int("version").unwrap_or_default());
    let deed = async {
        match form.get("do") {
            "complete" => office::complete(app, who, &id, version).await?,
            "back" => office::send_back(app, who, &id, version, form.get("remark")).await?,
            "decline" => office::decline(app, who, &id, version, form.get("reason")).await?,
            "note" => {
                office::note(app, who, &id, version, form.int("at").and_then(|n| usize::try_from(n).ok()).unwrap_or(usize::MAX), form.get("note")).await?
            }
            "money" => office::set_money(app, who, &id, version, form.get("money")).await?,
            "confirm" => after::confirm(app, who, &id, version).await?,
            "revoke" => after::revoke(app, who, &id, version, form.get("reason")).await?,
            "accept" => after::check_delivery(app, who, &id, version, true, form.get("remark")).await?,
            "return" => after::check_delivery(app, who, &id, version, false, form.get("remark")).await?,
            _ => return Err(AppError::Invalid(vec![FieldError::new("do", "required")])),
        }
        Ok(format!("{}?done=done", urls::application(&id)))
    };
    match form.once(&web, deed).await {
        Ok(response) => Ok(response),
        Err(error) => apply::again(&web, &req, &id, &form, error).await,
    }
}
