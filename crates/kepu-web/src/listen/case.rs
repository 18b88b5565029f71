//! Cases as visitors see them: the clock, what is said so far, the time line. Working on a case stands in its own file
//! and is put into the page of whoever may.

use crate::Web;
use crate::line::Line;
use crate::page::{Answer, Html, Req, Shell, escape, page};
use askama::Template;
use axum::extract::{Path, State};
use kepu_app::AppError;
use kepu_app::listen::case;
use kepu_domain::access::Action;
use kepu_domain::ids::CaseId;
use kepu_domain::listen::case::{Case, Clock, Due, KINDS, Stage, Step};
use kepu_domain::listen::claim::Holding;
use kepu_domain::listen::question::Question;
use kepu_domain::record::Body;

/// A step of a case as a sentence.
pub fn step_text(s: &Shell, step: &Step) -> String {
    match step.kind.as_str() {
        "opened" => s.t("step-opened"),
        "taken" => s.t("step-taken"),
        "classified" => s.t("step-classified"),
        "asked" => s.t1("step-asked", "name", &step.text),
        "held" => s.t("step-held"),
        "answered" => s.t("step-answered"),
        "closed" => s.t1("step-closed", "reason", &step.text),
        "note" => s.t1("step-note", "text", &step.text),
        other => format!("{other} {}", step.text),
    }
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

/// The title of a case for whoever looks. What a visitor typed is public only once somebody of the house has taken it.
pub fn title_for(s: &Shell, case: &Case, insider: bool) -> String {
    if insider || case.stage != Stage::Open { case.title.clone() } else { s.t("case-untitled") }
}

/// Name of a kind of case with its level.
pub fn kind_word(s: &Shell, case: &Case) -> String {
    let Some(kind) = KINDS.iter().find(|kind| kind.id == case.kind) else { return case.kind.clone() };
    let level = kind.levels.iter().find(|level| level.level == case.level);
    let name = s.pick(&kind.name_zh, &kind.name_en);
    match level {
        Some(level) => format!("{name} · {}", s.pick(&level.name_zh, &level.name_en)),
        None => name.to_owned(),
    }
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
    open: Vec<Item>,
    done: Vec<Item>,
}

/// GET /cases
pub async fn list(State(web): State<Web>, req: Req) -> Answer {
    let s = req.titled(req.shell.t("cases-title"));
    let insider = req.shell.may(Action::WorkCase);
    let item = |(case, clock): &(Case, Clock)| Item {
        href: crate::urls::case(&case.id),
        title: title_for(&s, case, insider),
        kind: kind_word(&s, case),
        place: s.place_line(&case.region),
        clk: clk_of(&s, case, clock),
        stage: stage_word(&s, case),
    };
    let all = case::list(&web.app, false, 300).await?;
    let (done, open): (Vec<_>, Vec<_>) = all.iter().partition(|(_, clock)| clock.next == Due::Nothing);
    let mut done: Vec<_> = done;
    done.sort_by_key(|(case, clock)| (std::cmp::Reverse(clock.at), case.id.clone()));
    let values = ListPage { open: open.into_iter().map(&item).collect(), done: done.into_iter().take(30).map(&item).collect(), s: s.clone() };
    Ok(page(&values))
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
    /// What there is to do, for whoever may; empty for visitors.
    work: Html,
}

/// GET /case/{id}
pub async fn show(State(web): State<Web>, req: Req, Path(id): Path<String>) -> Answer {
    let id = CaseId(id);
    let view = case::view(&web.app, &req.actor, &id).await?;
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
    Ok(page(&CasePage {
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
        work: Html::default(),
        s: req.titled(title.clone()),
        title,
    }))
}
