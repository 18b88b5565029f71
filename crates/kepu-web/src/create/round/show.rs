//! Rounds for everybody: the list, one round with its call, dates, proposal and results, and objections.

use super::{kind_choices, points, refused, round_clock, round_mark};
use crate::Web;
use crate::form::Form;
use crate::line::{Choice, choices, csv_cell, region_choices};
use crate::page::{Answer, Errors, Html, Pager, Req, Shell, page, page_with};
use crate::urls;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use kepu_app::FieldError;
use kepu_app::create::round::{self as rounds, PublicView, Wanted, apply, judge, object};
use kepu_domain::access::Action;
use kepu_domain::create::round::{AppStage, Round, RoundStage};
use kepu_domain::ids::{ApplicationId, ObjectionId, RoundId};
use kepu_domain::org::Region;

/// Rows on a page.
const SIZE: usize = 20;
/// Lines of a public list on a page.
const LINES: usize = 200;

struct Item {
    href: String,
    title: String,
    kind: String,
    org: String,
    mark: Html,
    clock: Html,
    sample: bool,
}

struct Own {
    href: String,
    title: String,
    round: String,
    mark: Html,
}

#[derive(Template)]
#[template(path = "create/round/list.html")]
struct ListPage {
    s: Shell,
    items: Vec<Item>,
    total: usize,
    first: usize,
    last: usize,
    states: Vec<Choice>,
    kinds: Vec<Choice>,
    regions: Vec<Choice>,
    pager: Pager,
    csv: String,
    own: Vec<Own>,
    judging: usize,
    may_call: bool,
}

/// What the query of a list asks for.
pub fn wanted(req: &Req) -> Wanted {
    let word = |name: &str| req.query.opt(name).map(|v| v.chars().take(40).collect::<String>()).unwrap_or_default();
    Wanted { state: word("state"), kind: word("kind"), region: req.query.opt("region").and_then(|code| Region::parse(code).ok()) }
}

/// GET /rounds
pub async fn list(State(web): State<Web>, req: Req) -> Answer {
    let s = req.titled(req.shell.t("rounds-title")).script("htmx.min.js");
    let wanted = wanted(&req);
    let found = rounds::list(&web.app, &wanted).await?;
    let definitions = web.app.definitions();
    let name = |round: &Round| definitions.rounds.get(&round.kind).map_or_else(|| round.kind.clone(), |kind| s.pick(&kind.zh, &kind.en).to_owned());
    if req.query.get("format") == "csv" {
        let mut out = String::from("\u{feff}id,title,kind,organisation,region,opens,closes,state\r\n");
        for (round, org) in &found {
            let (opens, closes) = (crate::words::iso(round.opens), crate::words::iso(round.closes));
            let cells = [&round.id.0, &round.title, &round.kind, org, &round.region.to_string(), &opens, &closes, rounds::state(round, s.now)].map(csv_cell);
            out.push_str(&cells.join(","));
            out.push_str("\r\n");
        }
        return Ok(csv("kepu-rounds.csv", out));
    }
    let at = req.page_number();
    let total = found.len();
    let shown: Vec<_> = found.into_iter().skip((at - 1) * SIZE).take(SIZE).collect();
    let states = ["open", "running", "decided", "over"].map(|word| (word.to_owned(), s.t(&format!("rounds-{word}"))));
    let (own, judging) = match req.actor.account() {
        Some(_) => {
            let own = apply::own(&web.app, &req.actor).await?;
            let judging = judge::tasks(&web.app, &req.actor).await?;
            let own = own.into_iter().take(10).map(|(a, round, label)| Own {
                href: urls::application(&a.id),
                title: if label.is_empty() { round.title.clone() } else { label },
                round: round.title,
                mark: super::stage_mark(&s, &a.stage),
            });
            (own.collect(), judging.iter().filter(|task| task.open).count())
        }
        None => (vec![], 0),
    };
    Ok(page(&ListPage {
        items: shown
            .iter()
            .map(|(round, org)| Item {
                href: urls::round(&round.id),
                title: round.title.clone(),
                kind: name(round),
                org: org.clone(),
                mark: round_mark(&s, round),
                clock: round_clock(&s, round),
                sample: round.sample,
            })
            .collect(),
        first: (at - 1) * SIZE + 1,
        last: (at - 1) * SIZE + shown.len(),
        total,
        states: choices(s.t("rounds-any-state"), states.into_iter(), &wanted.state),
        kinds: choices(s.t("rounds-any-kind"), kind_choices(&s, definitions.rounds.values()).into_iter(), &wanted.kind),
        regions: region_choices(&s, web.settings.region, req.query.get("region")),
        pager: Pager::new(&s, at, SIZE, total),
        csv: s.here_with("format", "csv"),
        own,
        judging,
        may_call: req.actor.may(Action::ManageMembers, None).is_ok(),
        s,
    }))
}

/// A table as a file.
pub(super) fn csv(name: &str, text: String) -> axum::response::Response {
    let headers = [(header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\""))];
    (headers, text).into_response()
}

/// A line of the public list.
struct Line {
    anchor: String,
    rank: String,
    label: String,
    name: String,
    score: String,
    money: String,
    mark: Html,
    note: String,
    certificate: String,
    objections: String,
    object: String,
}

#[derive(Template)]
#[template(path = "create/round/show.html")]
struct ShowPage {
    s: Shell,
    id: String,
    title: String,
    kind: String,
    org: String,
    place: String,
    mark: Html,
    clock: Html,
    call: Html,
    opens: Html,
    closes: Html,
    facts: Vec<(String, String)>,
    cancelled: String,
    asks: Vec<(String, String)>,
    criteria: Vec<(String, String)>,
    judged: Vec<(String, String, String)>,
    counts: Vec<(String, i64)>,
    lines: Vec<Line>,
    total: usize,
    pager: Pager,
    is_publicity: bool,
    is_decided: bool,
    has_scores: bool,
    has_money: bool,
    publicity: Html,
    open: bool,
    office: bool,
    sample: bool,
    said: String,
}

impl ShowPage {
    fn heading(&self) -> String {
        self.s.t(if self.is_decided { "round-results" } else { "round-proposed" })
    }
}

/// GET /round/{id}
pub async fn show(State(web): State<Web>, req: Req, Path(id): Path<String>) -> Answer {
    let view = rounds::view(&web.app, &req.actor, &RoundId(id)).await?;
    let s = req.titled(&view.round.title);
    Ok(page(&show_page(&req, s, &view)))
}

fn facts(s: &Shell, view: &PublicView) -> Vec<(String, String)> {
    let (round, kind) = (&view.round, &view.kind);
    let any = || s.t("round-no-quota");
    let mut list = vec![
        (
            s.t("round-fact-who"),
            s.list(kind.applicants.iter().map(|k| s.t(&format!("party-kind-{}", k.as_str()))).collect::<Vec<_>>().iter().map(String::as_str)),
        ),
        (s.t("round-fact-quota"), round.quota.map_or_else(any, |n| n.to_string())),
        (s.t("round-fact-publicity"), s.t1("round-days", "n", kind.publicity_days)),
        (s.t("round-fact-term"), kind.term_months.map_or_else(|| s.t("round-for-good"), |n| s.t1("round-months", "n", n))),
    ];
    if let Some(least) = round.least {
        list.push((s.t("round-fact-least"), points(least)));
    }
    if !kind.judged.is_empty() {
        let how = s.t(if kind.blind { "round-blind" } else { "round-not-blind" });
        list.push((s.t("round-fact-judges"), s.t2("round-judges-each", "n", round.judges_each(kind), "how", how)));
        let ties: Vec<String> = kind.ties.iter().map(|tie| tie_word(s, view, tie)).collect();
        list.push((s.t("round-fact-ties"), ties.join(if s.is_en() { ", then " } else { "；再" })));
    }
    if kind.yearly_check {
        list.push((s.t("round-fact-check"), s.t("round-yearly")));
    }
    if kind.recommender {
        list.push((s.t("round-fact-recommender"), s.t("round-recommended")));
    }
    list
}

/// What breaks a tie, in words.
fn tie_word(s: &Shell, view: &PublicView, tie: &str) -> String {
    match tie.strip_prefix("judged:") {
        Some(id) => {
            let name = view.kind.judged.iter().find(|j| j.id == id).map_or(id, |j| s.pick(&j.zh, &j.en));
            s.t1("tie-judged", "name", name)
        }
        None => s.t(&format!("tie-{tie}")),
    }
}

fn line(s: &Shell, view: &PublicView, line: &rounds::PublicLine) -> Line {
    let publicity = matches!(view.round.stage, RoundStage::Publicity { until, .. } if until > s.now);
    let (all, open) = line.objections;
    let certificate = match &line.stage {
        AppStage::Granted { credential, .. } if !credential.0.is_empty() && !view.kind.private => urls::subject(credential),
        _ => String::new(),
    };
    let hidden = if view.kind.private { s.t("round-name-private") } else { s.t("round-name-withheld") };
    Line {
        anchor: format!("a-{}", line.id),
        rank: line.rank.map(|n| n.to_string()).unwrap_or_default(),
        label: if line.label.is_empty() { hidden } else { line.label.clone() },
        name: [if line.label == line.name { "" } else { line.name.as_str() }, line.org.as_str()]
            .into_iter()
            .filter(|t| !t.is_empty())
            .collect::<Vec<_>>()
            .join(" · "),
        score: line.total.map(points).unwrap_or_default(),
        money: line.money.clone(),
        mark: super::stage_mark(s, &line.stage),
        note: if let AppStage::Revoked { reason, .. } = &line.stage { reason.clone() } else { String::new() },
        certificate,
        objections: if all > 0 { s.t2("round-objection-counts", "n", all, "open", open) } else { String::new() },
        object: if publicity { urls::with(&format!("{}/object", urls::round(&view.round.id)), &[("application", line.id.as_str())]) } else { String::new() },
    }
}

fn show_page(req: &Req, s: Shell, view: &PublicView) -> ShowPage {
    let (round, kind) = (&view.round, &view.kind);
    let at = req.page_number();
    let shown = view.lines.iter().skip((at - 1) * LINES).take(LINES);
    ShowPage {
        id: round.id.0.clone(),
        title: round.title.clone(),
        kind: s.pick(&kind.zh, &kind.en).to_owned(),
        org: view.org.clone(),
        place: s.place(&round.region),
        mark: round_mark(&s, round),
        clock: round_clock(&s, round),
        call: Html(kepu_text::markdown::render(&round.call, 3)),
        opens: s.time(&round.opens),
        closes: s.time(&round.closes),
        facts: facts(&s, view),
        cancelled: if let RoundStage::Cancelled { reason, .. } = &round.stage { reason.clone() } else { String::new() },
        asks: kind.fields.iter().map(|f| (f.label(s.lang.code()).to_owned(), s.pick(&f.hint_zh, &f.hint_en).to_owned())).collect(),
        criteria: view.sets.iter().map(|set| (urls::criteria(&set.id), s.pick(&set.zh, &set.en).to_owned())).collect(),
        judged: kind.judged.iter().map(|j| (s.pick(&j.zh, &j.en).to_owned(), j.max.to_string(), format!("{} %", j.weight))).collect(),
        counts: view
            .counts
            .iter()
            .filter(|(stage, _)| *stage != "writing")
            .map(|(stage, n)| (s.t(&format!("application-{}", stage.replace('_', "-"))), *n))
            .collect(),
        total: view.lines.len(),
        lines: shown.map(|one| line(&s, view, one)).collect(),
        pager: Pager::new(&s, at, LINES, view.lines.len()),
        is_publicity: matches!(round.stage, RoundStage::Publicity { .. }),
        is_decided: matches!(round.stage, RoundStage::Decided { .. }),
        has_scores: view.lines.iter().any(|l| l.total.is_some()),
        has_money: view.lines.iter().any(|l| !l.money.is_empty()),
        publicity: if let RoundStage::Publicity { until, .. } = &round.stage { s.time(until) } else { Html::default() },
        open: rounds::state(round, s.now) == "open",
        office: view.office,
        sample: round.sample,
        said: match req.query.get("done") {
            "objected" => s.t("round-said-objected"),
            _ => String::new(),
        },
        s,
    }
}

#[derive(Template)]
#[template(path = "create/round/object.html")]
struct ObjectPage {
    s: Shell,
    id: String,
    title: String,
    application: String,
    label: String,
    until: Html,
    objection: String,
    contact: String,
    errors: Errors,
}

/// What somebody typed about a proposal.
struct Typed<'a> {
    application: &'a str,
    objection: &'a str,
    contact: &'a str,
}

async fn object_form(web: &Web, req: &Req, id: &RoundId, typed: Typed<'_>, status: StatusCode, errors: &[FieldError]) -> Answer {
    let view = rounds::view(&web.app, &req.actor, id).await?;
    view.round.takes_objections(web.app.now()).map_err(kepu_app::AppError::from)?;
    let s = req.titled(req.shell.t("objection-title"));
    let Some(line) = view.lines.iter().find(|l| l.id.as_str() == typed.application && matches!(l.stage, AppStage::Proposed { .. })) else {
        return Err(kepu_app::AppError::NotFound { what: "application", id: typed.application.chars().take(40).collect() }.into());
    };
    let until = if let RoundStage::Publicity { until, .. } = &view.round.stage { s.time(until) } else { Html::default() };
    let page = ObjectPage {
        id: id.0.clone(),
        title: view.round.title.clone(),
        application: line.id.0.clone(),
        label: if line.label.is_empty() { s.t("round-name-withheld") } else { line.label.clone() },
        until,
        objection: typed.objection.to_owned(),
        contact: typed.contact.to_owned(),
        errors: s.errors(errors),
        s,
    };
    Ok(page_with(status, &page))
}

/// GET /round/{id}/object?application=…
pub async fn object_page(State(web): State<Web>, req: Req, Path(id): Path<String>) -> Answer {
    let typed = Typed { application: req.query.get("application"), objection: "", contact: "" };
    object_form(&web, &req, &RoundId(id), typed, StatusCode::OK, &[]).await
}

/// POST /round/{id}/object
pub async fn object_to(State(web): State<Web>, req: Req, Path(id): Path<String>, form: Form) -> Answer {
    let id = RoundId(id);
    let (application, objection, contact) = (form.get("application"), form.get("objection"), form.get("contact"));
    let deed = async {
        let number = object::object(&web.app, &req.address, &id, &ApplicationId::from(application), objection, contact).await?;
        Ok(format!("{}/objection/{}", urls::round(&id), number))
    };
    match form.once(&web, deed).await {
        Ok(response) => Ok(response),
        Err(error) => {
            let (status, errors) = refused(error)?;
            object_form(&web, &req, &id, Typed { application, objection, contact }, status, &errors).await
        }
    }
}

#[derive(Template)]
#[template(path = "create/round/objection.html")]
struct ObjectionPage {
    s: Shell,
    round: String,
    title: String,
    words: String,
    at: Html,
    answer: String,
    answered: Html,
    upheld: bool,
}

/// GET /round/{id}/objection/{number}: the number is the objector's only ticket.
pub async fn objection(State(web): State<Web>, req: Req, Path((id, number)): Path<(String, String)>) -> Answer {
    let id = RoundId(id);
    let found = object::find(&web.app, &id, &ObjectionId(number)).await?;
    let view = rounds::view(&web.app, &req.actor, &id).await?;
    let s = req.titled(req.shell.t("objection-yours"));
    Ok(page(&ObjectionPage {
        round: urls::round(&id),
        title: view.round.title,
        words: found.words,
        at: s.time(&found.at),
        answered: found.answered_at.as_ref().map(|at| s.time(at)).unwrap_or_default(),
        answer: found.answer,
        upheld: found.upheld,
        s,
    }))
}
