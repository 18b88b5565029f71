//! Cases: the list with its filters, and one case as visitors see it: the clock, what is said so far, the time line. What can
//! be done with a case is in `work` and is put into the page of whoever may.

use crate::Web;
use crate::line::{Choice, Line, attachment, choices, csv_cell, region_choices};
use crate::listen::report;
use crate::listen::work::{Failed, panel};
use crate::page::{Answer, Html, Pager, Req, Shell, escape, page, page_with};
use crate::words::iso;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use kepu_app::AppError;
use kepu_app::listen::case::{self, Listed, Wanted};
use kepu_domain::access::Action;
use kepu_domain::ids::CaseId;
use kepu_domain::listen::case::{Case, Clock, Due, KINDS, Stage, Step};
use kepu_domain::listen::claim::Holding;
use kepu_domain::listen::question::Question;
use kepu_domain::listen::report::RULES;
use kepu_domain::org::Region;
use kepu_domain::record::Body;

/// A step of a case as a sentence.
pub fn step_text(s: &Shell, step: &Step) -> String {
    match step.kind.as_str() {
        "opened" => s.t("step-opened"),
        "taken" => s.t("step-taken"),
        "handed" => s.t1("step-handed", "name", &step.text),
        "classified" => classified_text(s, &step.text),
        "asked" => s.t1("step-asked", "name", &step.text),
        "held" => s.t("step-held"),
        "answered" => s.t("step-answered"),
        "closed" => s.t1("step-closed", "reason", &step.text),
        "note" => s.t1("step-note", "text", &step.text),
        "reported" => s.t1("step-reported", "text", &step.text),
        "decided" => s.t1("step-decided", "outcome", RULES.outcome(&step.text).map_or(step.text.as_str(), |o| s.pick(&o.zh, &o.en))),
        "appealed" => s.t("step-appealed"),
        "called" if step.text.is_empty() => s.t("step-called"),
        "called" => s.t1("step-called-up", "org", &step.text),
        other => format!("{other} {}", step.text),
    }
}

/// What a case was classified as: the level's number, then the fields.
fn classified_text(s: &Shell, text: &str) -> String {
    let Some((_, fields)) = text.split_once(' ') else { return s.t("step-classified") };
    let fields: Vec<String> = fields.split(',').map(str::to_owned).collect();
    s.t1("step-classified-as", "fields", s.fields(&fields))
}

/// A time line of steps with what comes next.
pub struct Events(String);

impl Events {
    /// Steps oldest first; the last one is where things stand.
    pub fn new(s: &Shell, steps: &[Step], case: Option<(&Case, &Clock)>, question: Option<&Question>) -> Self {
        let mut out = String::new();
        let mut add = |class: &str, time: Html, text: &str| {
            let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
            out.push_str(&format!("<li{class}>{time}<p>{}</p></li>\n", escape(text)));
        };
        if let Some(question) = question {
            add("", s.time(&question.asked_at), &s.t("step-question"));
        }
        for (at, step) in steps.iter().enumerate() {
            add(if at + 1 == steps.len() { "now" } else { "" }, s.time(&step.at), &step_text(s, step));
        }
        if let Some((_, clock)) = case {
            match clock.next {
                Due::Holding => add("next", s.soon(&clock.at), &s.t("step-next-holding")),
                Due::Answer => add("next", s.soon(&clock.at), &s.t("step-next-answer")),
                Due::Nothing => {}
            }
        }
        Self(out)
    }
    /// The list.
    pub fn html(&self) -> Html {
        Html(format!("<ol class=\"timeline\">{}</ol>", self.0))
    }
}

/// Where a case stands, in one word.
pub fn stage_word(s: &Shell, case: &Case) -> String {
    match &case.stage {
        Stage::Open => s.t("case-open"),
        Stage::Working { expert: None, .. } => s.t("case-working"),
        Stage::Working { expert: Some(_), .. } => s.t("case-expert"),
        Stage::Answered { .. } => s.t("case-answered"),
        Stage::Closed { .. } => s.t("case-closed"),
    }
}

/// Class of a clock: in time, soon (a third left), over, done.
fn clock_class(case: &Case, clock: &Clock, s: &Shell) -> &'static str {
    if clock.next == Due::Nothing {
        return "is-done";
    }
    if clock.late {
        return "is-over";
    }
    let (whole, left) = (clock.at.duration_since(case.opened_at).as_secs(), clock.at.duration_since(s.now).as_secs());
    if left * 3 < whole { "is-soon" } else { "" }
}

/// The clock of a case: elapsed, limit, next step, who.
pub fn clock_of(s: &Shell, case: &Case, clock: &Clock, owner: &str) -> Html {
    let class = clock_class(case, clock, s);
    let next = match clock.next {
        Due::Holding => s.t("due-holding"),
        Due::Answer => s.t("due-answer"),
        Due::Nothing => stage_word(s, case),
    };
    let limit = match clock.next {
        Due::Nothing => s.time(&clock.at).0,
        _ => format!("<b>{}</b><small>{}</small>", escape(&s.left(clock.at)), s.soon(&clock.at)),
    };
    let who = if owner.is_empty() { stage_word(s, case) } else { owner.to_owned() };
    let (whole, used) = (clock.at.duration_since(case.opened_at).as_mins().max(1), clock.elapsed.as_mins().max(0));
    let bar = if clock.next == Due::Nothing {
        String::new()
    } else {
        let share = (used * 100 / whole).min(100);
        format!("<progress max=\"{whole}\" value=\"{}\" aria-label=\"{}\">{share}%</progress>", used.min(whole), escape(&s.t1("clock-share", "share", share)))
    };
    Html(format!(
        "<div class=\"clock {class}\" role=\"group\" aria-label=\"{}\"><dl><div><dt>{}</dt><dd>{}</dd></div><div><dt>{}</dt><dd>{limit}</dd></div><div><dt>{}</dt><dd>{}</dd></div><div><dt>{}</dt><dd>{}</dd></div></dl>{bar}</div>",
        escape(&s.t("clock")),
        escape(&s.t("clock-elapsed")),
        escape(&s.span(&clock.elapsed)),
        escape(&if clock.next == Due::Nothing { s.t("clock-ended") } else { s.t("clock-limit") }),
        escape(&s.t("clock-next")),
        escape(&next),
        escape(&s.t("clock-owner")),
        escape(&who),
    ))
}

/// The small clock of a row.
pub fn clk_of(s: &Shell, case: &Case, clock: &Clock) -> Html {
    let class = clock_class(case, clock, s);
    let text = if clock.next == Due::Nothing { stage_word(s, case) } else { s.left(clock.at) };
    s.clk_text(class, &text)
}

/// The title of a case for whoever looks. What a visitor typed is public only once somebody of the house has taken it, and
/// is forgotten some time after the case is over.
pub fn title_for(s: &Shell, case: &Case, insider: bool) -> String {
    if case.title.is_empty() {
        s.t("case-forgotten")
    } else if insider || case.stage != Stage::Open {
        case.title.clone()
    } else {
        s.t("case-untitled")
    }
}

/// Name of a kind of case with its level.
pub fn kind_word(s: &Shell, case: &Case) -> String {
    let Some(kind) = KINDS.iter().find(|kind| kind.id == case.kind) else { return case.kind.clone() };
    let level = kind.levels.iter().find(|level| level.level == case.level);
    let name = kind_name(s, &case.kind);
    match level {
        Some(level) => format!("{name} · {}", s.pick(&level.name_zh, &level.name_en)),
        None => name,
    }
}

/// Name of a kind of case.
pub fn kind_name(s: &Shell, id: &str) -> String {
    KINDS.iter().find(|kind| kind.id == id).map_or_else(|| id.to_owned(), |kind| s.pick(&kind.name_zh, &kind.name_en).to_owned())
}

struct Item {
    href: String,
    title: String,
    kind: String,
    place: String,
    clk: Html,
    stage: String,
}

#[derive(Template)]
#[template(path = "listen/cases.html")]
struct ListPage {
    s: Shell,
    stages: Vec<Choice>,
    kinds: Vec<Choice>,
    regions: Vec<Choice>,
    lates: Vec<Choice>,
    /// "All" and "mine", for whoever works on cases.
    owners: Vec<Choice>,
    items: Vec<Item>,
    filtered: bool,
    total: usize,
    first: usize,
    last: usize,
    pager: Pager,
    csv: String,
}

/// Cases of a page.
const SIZE: usize = 30;

/// What the sentence above the list asks for: cases under way, unless something else is said.
fn wanted(req: &Req) -> Wanted {
    let stage = req.query.opt("stage").unwrap_or("active");
    Wanted {
        stage: (stage != "any").then(|| stage.chars().take(20).collect()),
        kind: req.query.opt("kind").map(|kind| kind.chars().take(40).collect()),
        within: req.query.opt("region").and_then(|code| Region::parse(code).ok()),
        late: req.query.opt("late").is_some(),
        owner: req.query.opt("mine").and_then(|_| req.actor.account().cloned()),
    }
}

/// Choices without "any" on top.
fn plain_choices<const N: usize>(list: [(&str, String); N], present: &str) -> Vec<Choice> {
    list.into_iter().map(|(value, text)| Choice { value: value.to_owned(), text, on: value == present }).collect()
}

/// GET /cases
pub async fn list(State(web): State<Web>, req: Req) -> Answer {
    let s = req.titled(req.shell.t("cases-title")).script("htmx.min.js");
    let all = case::search(&web.app, &req.actor, &wanted(&req)).await?;
    if req.query.get("format") == "csv" {
        // What a visitor typed and nobody has taken yet leaves the house with those who work on it only.
        req.actor.may(Action::WorkCase, None).map_err(AppError::from)?;
        return Ok(attachment("kepu-cases.csv", csv(&s, &all)));
    }
    let item = |one: &Listed| Item {
        href: crate::urls::case(&one.case.id),
        title: title_for(&s, &one.case, one.can_work),
        kind: kind_word(&s, &one.case),
        place: s.place_line(&one.case.region),
        clk: clk_of(&s, &one.case, &one.clock),
        stage: stage_word(&s, &one.case),
    };
    let at = req.page_number();
    let shown: Vec<Item> = all.iter().skip((at - 1) * SIZE).take(SIZE).map(item).collect();
    let stages = [
        ("", s.t("cases-active")),
        ("open", s.t("case-open")),
        ("working", s.t("case-working")),
        ("answered", s.t("case-answered")),
        ("closed", s.t("case-closed")),
        ("any", s.t("cases-any")),
    ];
    let kinds = KINDS.iter().filter(|kind| !kind.inward).map(|kind| (kind.id.clone(), s.pick(&kind.name_zh, &kind.name_en).to_owned()));
    let works = req.shell.may(Action::WorkCase);
    let query = &req.query;
    let first = if shown.is_empty() { 0 } else { (at - 1) * SIZE + 1 };
    Ok(page(&ListPage {
        stages: plain_choices(stages, query.get("stage")),
        kinds: choices(s.t("cases-any-kind"), kinds, query.get("kind")),
        regions: region_choices(&s, web.settings.region, query.get("region")),
        lates: plain_choices([("", s.t("cases-any-clock")), ("1", s.t("cases-late"))], query.get("late")),
        owners: if works { plain_choices([("", s.t("cases-anybody")), ("1", s.t("cases-mine"))], query.get("mine")) } else { vec![] },
        filtered: ["stage", "kind", "region", "late", "mine"].into_iter().any(|name| query.opt(name).is_some()),
        total: all.len(),
        first,
        last: (first + shown.len()).saturating_sub(1),
        pager: Pager::new(&s, at, SIZE, all.len()),
        csv: if works { s.here_with("format", "csv") } else { String::new() },
        items: shown,
        s,
    }))
}

/// Cases as CSV, for those who work on them.
fn csv(s: &Shell, list: &[Listed]) -> String {
    let head = ["id", "kind", "level", "title", "fields", "region", "stage", "opened", "held", "due", "due_at", "late", "address"];
    let mut out = format!("\u{feff}{}\r\n", head.join(","));
    for one in list {
        let case = &one.case;
        let due = match one.clock.next {
            Due::Holding => "holding",
            Due::Answer => "answer",
            Due::Nothing => "",
        };
        let cells = [
            case.id.0.clone(),
            case.kind.clone(),
            case.level.to_string(),
            title_for(s, case, one.can_work),
            case.fields.join(";"),
            case.region.to_string(),
            case.stage.name().to_owned(),
            iso(case.opened_at),
            case.held_at.map(iso).unwrap_or_default(),
            due.to_owned(),
            iso(one.clock.at),
            one.clock.late.to_string(),
            format!("{}{}", s.origin, crate::urls::case(&case.id)),
        ];
        out.push_str(&cells.map(|cell| csv_cell(&cell)).join(","));
        out.push_str("\r\n");
    }
    out
}

#[derive(Template)]
#[template(path = "listen/case.html")]
struct CasePage {
    s: Shell,
    id: String,
    title: String,
    kind: String,
    place: String,
    fields: String,
    questions: usize,
    clock: Html,
    claim: Option<Line>,
    holding: Option<Holding>,
    next_update: Html,
    events: Events,
    closed: String,
    /// What a report is about, with decision and appeal; empty for other cases.
    report: Html,
    /// What there is to do, for whoever may; empty for visitors.
    work: Html,
}

/// GET /case/{id}
pub async fn show(State(web): State<Web>, req: Req, Path(id): Path<String>) -> Answer {
    show_with(&web, &req, &CaseId(id), StatusCode::OK, None).await
}

/// The page of a case; `failed` is a form of the work panel that could not be taken.
pub(crate) async fn show_with(web: &Web, req: &Req, id: &CaseId, status: StatusCode, failed: Option<&Failed<'_>>) -> Answer {
    show_whole(web, req, id, status, (failed, &report::Typed::default())).await
}

/// The page of a case about a report; `typed` is a form of it that could not be taken.
pub(crate) async fn show_reported(web: &Web, req: &Req, id: &CaseId, status: StatusCode, typed: &report::Typed<'_>) -> Answer {
    show_whole(web, req, id, status, (None, typed)).await
}

async fn show_whole(web: &Web, req: &Req, id: &CaseId, status: StatusCode, (failed, typed): (Option<&Failed<'_>>, &report::Typed<'_>)) -> Answer {
    let view = case::view(&web.app, &req.actor, id).await?;
    let s = &req.shell;
    let mut tx = web.app.db.read().await.map_err(AppError::from)?;
    let trust = web.app.trust(&mut tx).await?;
    let mut holding = None;
    if let Some(row) = view.claim.as_ref().filter(|row| row.verdict == "checking") {
        let found = kepu_app::create::publish::current(&web.app, &mut tx, &row.id).await?;
        if let Some(Body::Claim(claim)) = found.and_then(|(_, record)| record).and_then(|record| record.body.ok()) {
            holding = claim.holding;
        }
    }
    drop(tx);
    let title = title_for(s, &view.case, view.can_work);
    let work = if view.can_work { panel(web, req, &view, holding.as_ref(), failed).await? } else { Html::default() };
    Ok(page_with(
        status,
        &CasePage {
            id: id.0.clone(),
            kind: kind_word(s, &view.case),
            place: s.place_line(&view.case.region),
            fields: s.fields(&view.case.fields),
            questions: view.questions,
            clock: clock_of(s, &view.case, &view.clock, &view.owner_name),
            claim: view.claim.as_ref().map(|row| Line::new(s, row, &trust)),
            next_update: holding.as_ref().map_or_else(Html::default, |h| s.soon(&h.next_update)),
            holding,
            events: Events::new(s, &view.steps, Some((&view.case, &view.clock)), None),
            closed: match &view.case.stage {
                Stage::Closed { reason, .. } => reason.clone(),
                _ => String::new(),
            },
            report: report::part(web, req, &view, typed).await?,
            work,
            s: req.titled(title.clone()),
            title,
        },
    ))
}
