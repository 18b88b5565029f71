//! Working a case, beside what the public sees: take or hand over, classify, say at once what is known, ask an expert, note,
//! close. One step is the next one and stands open with the page's one primary button; the others are folded.

use crate::Web;
use crate::form::{Fields, Form};
use crate::i18n::{self, Lang};
use crate::line::Choice;
use crate::listen::{case, duty};
use crate::page::{Answer, Errors, Html, Req, Shell};
use crate::urls;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use kepu_app::listen::case::{self as deeds, CaseView, HoldingForm};
use kepu_app::{AppError, FieldError};
use kepu_domain::create::party::Candidate;
use kepu_domain::create::review::ReviewError;
use kepu_domain::ids::{AccountId, CaseId};
use kepu_domain::listen::case::{CaseError, KINDS, Level, Stage};
use kepu_domain::listen::claim::Holding;
use kepu_domain::listen::report::REPORT;
use kepu_domain::vocabulary::FIELDS;
use std::collections::HashMap;
use std::fmt::Display;

/// Experts shown at once.
const EXPERTS: usize = 12;

/// A form that could not be taken: which, what was typed, what is wrong.
pub(crate) struct Failed<'a> {
    step: &'static str,
    fields: &'a Fields,
    errors: Vec<FieldError>,
}

/// An expert with the figures that ranked the list.
struct Expert {
    id: String,
    name: String,
    title: String,
    org: String,
    qualification: String,
    covered: String,
    load: String,
    asked: bool,
}

/// Everything that can be done with a case now.
#[derive(Template)]
#[template(path = "listen/work.html")]
struct Work {
    s: Shell,
    id: String,
    /// The step that comes next: `take`, `classify`, `hold`, `expert`, `answer`, or empty.
    next: &'static str,
    /// The form that failed, or empty.
    failed: &'static str,
    errors: Errors,
    open: bool,
    /// A case about a report, which ends with a decision.
    report: bool,
    over: bool,
    mine: bool,
    held: bool,
    colleagues: Vec<Choice>,
    fields: Vec<Choice>,
    levels: Vec<Choice>,
    classified: bool,
    known: String,
    not_known: String,
    next_hours: String,
    query: String,
    experts: Vec<Expert>,
    total: usize,
    asked: String,
    draft: String,
    note: String,
    reason: String,
    wordings: Vec<String>,
    /// Whom the clock called, and who is called next.
    calls: Html,
    /// Whether the reader is called: then the button stands there.
    called: bool,
}

/// The step that a case waits for.
fn next_step(view: &CaseView) -> &'static str {
    match &view.case.stage {
        Stage::Open => "take",
        // What is to be done about a report stands in its own part of the page.
        Stage::Working { .. } if view.case.kind == REPORT => "report",
        Stage::Working { .. } if view.case.fields.is_empty() => "classify",
        Stage::Working { .. } if view.case.held_at.is_none() => "hold",
        Stage::Working { expert: None, .. } => "expert",
        Stage::Working { .. } => "answer",
        Stage::Answered { .. } | Stage::Closed { .. } => "",
    }
}

/// A ready sentence for a holding statement. Statements are Chinese whatever language the page has.
fn ready(s: &Shell, key: &str, title: &str) -> String {
    let date = Shell { lang: Lang::Zh, ..s.clone() }.day_text(kepu_app::china_date(s.now));
    let args: [(&str, &dyn Display); 2] = [("title", &title), ("date", &date)];
    i18n::message(Lang::Zh, key, &args)
}

/// A level with its deadlines.
fn level_line(s: &Shell, level: &Level) -> String {
    let holding = match level.holding_minutes {
        minutes if minutes >= 120 && minutes % 60 == 0 => s.t1("level-hours", "n", minutes / 60),
        minutes => s.t1("level-minutes", "n", minutes),
    };
    s.t3("level-line", "name", s.pick(&level.name_zh, &level.name_en), "holding", holding, "answer", s.t1("level-hours", "n", level.answer_hours))
}

/// Hours until the answer is due, within what a statement may promise; four if that moment has passed.
fn hours_left(view: &CaseView, s: &Shell) -> i64 {
    match view.case.deadlines().1.duration_since(s.now).as_hours() {
        hours @ 1..=72 => hours,
        73.. => 72,
        _ => 4,
    }
}

fn expert(s: &Shell, candidate: &Candidate, wanted: &[String], orgs: &HashMap<String, String>, asked: &str) -> Expert {
    let party = &candidate.party;
    let covered: Vec<&str> = wanted.iter().filter(|field| party.fields.contains(field)).map(|field| s.field(field)).collect();
    Expert {
        id: party.id.0.clone(),
        name: s.pick(&party.name, &party.name_en).to_owned(),
        title: s.pick(&party.title, &party.title_en).to_owned(),
        org: orgs.get(&party.org.0).cloned().unwrap_or_default(),
        qualification: s.list(party.qualifications.iter().filter(|q| q.counts(kepu_app::china_date(s.now))).map(|q| q.what.as_str())),
        covered: s.t3("expert-fields", "n", candidate.fields_covered, "of", wanted.len(), "names", s.list(covered.into_iter())),
        load: load(s, candidate),
        asked: party.id.0 == asked,
    }
}

/// What they have on hand of what they take, and whether nobody calls them at this hour.
pub(crate) fn load(s: &Shell, candidate: &Candidate) -> String {
    let party = &candidate.party;
    let words = s.t2("expert-load", "load", candidate.load, "ceiling", party.monthly_ceiling);
    if candidate.quiet { format!("{words}{}{}", s.t("comma"), s.t1("expert-quiet", "hours", &party.quiet)) } else { words }
}

/// The experts found for a case whose name, post or institution holds `query`, with how many there are.
async fn experts(web: &Web, s: &Shell, view: &CaseView, query: &str) -> Result<(Vec<Expert>, usize), AppError> {
    if view.case.fields.is_empty() {
        return Ok((vec![], 0));
    }
    let candidates = deeds::experts(&web.app, &view.case).await?;
    let mut tx = web.app.db.read().await?;
    let mut orgs = HashMap::new();
    for candidate in &candidates {
        if !orgs.contains_key(&candidate.party.org.0) {
            let org = kepu_store::org::find(&mut tx, &candidate.party.org).await?;
            orgs.insert(candidate.party.org.0.clone(), org.map_or_else(String::new, |o| s.pick(&o.name, &o.name_en).to_owned()));
        }
    }
    let asked = view.expert.as_ref().map_or("", |party| &party.id.0);
    let folded = kepu_text::fold(query);
    let holds = |e: &Expert| folded.is_empty() || kepu_text::fold(&format!("{} {} {} {}", e.name, e.title, e.org, e.qualification)).contains(&folded);
    let list: Vec<Expert> = candidates.iter().map(|c| expert(s, c, &view.case.fields, &orgs, asked)).filter(holds).collect();
    let total = list.len();
    Ok((list.into_iter().take(EXPERTS).collect(), total))
}

/// The work panel of a case, for whoever may work on it.
pub(crate) async fn panel(web: &Web, req: &Req, view: &CaseView, holding: Option<&Holding>, failed: Option<&Failed<'_>>) -> Result<Html, AppError> {
    let s = &req.shell;
    let typed = |step: &str, name: &str, otherwise: String| match failed {
        Some(failed) if failed.step == step => failed.fields.get(name).to_owned(),
        _ => otherwise,
    };
    let chosen: Vec<String> = match failed {
        Some(failed) if failed.step == "classify" => failed.fields.all("fields"),
        _ => view.case.fields.clone(),
    };
    let level = typed("classify", "level", view.case.level.to_string());
    let query = kepu_text::truncate(req.query.get("expert").trim(), 40).to_owned();
    let (experts, total) = experts(web, s, view, &query).await?;
    let me = req.actor.account();
    let (owner, draft) = match &view.case.stage {
        Stage::Working { owner, draft, .. } => (Some(owner), draft.as_ref()),
        _ => (None, None),
    };
    let others = if owner.is_some() { deeds::colleagues(&web.app, &view.case).await? } else { vec![] };
    let kind = KINDS.iter().find(|kind| kind.id == view.case.kind);
    let known = holding.map_or_else(|| ready(s, "ready-known", &view.case.title), |h| h.known.clone());
    let not_known = holding.map_or_else(|| ready(s, "ready-not-known", &view.case.title), |h| h.not_known.clone());
    let (calls, called) = duty::part(web, req, view).await?;
    let work = Work {
        id: view.case.id.0.clone(),
        next: next_step(view),
        failed: failed.map_or("", |failed| failed.step),
        errors: failed.map(|failed| s.errors(&failed.errors)).unwrap_or_default(),
        open: view.case.stage == Stage::Open,
        report: view.case.kind == REPORT,
        over: matches!(view.case.stage, Stage::Answered { .. } | Stage::Closed { .. }),
        mine: owner.is_some() && owner == me,
        held: view.case.held_at.is_some(),
        colleagues: others.into_iter().filter(|(id, _)| Some(id) != owner).map(|(id, name)| Choice { value: id.0, text: name, on: false }).collect(),
        fields: FIELDS.terms().iter().map(|t| Choice { value: t.id.clone(), text: s.field(&t.id).to_owned(), on: chosen.contains(&t.id) }).collect(),
        levels: kind.map_or_else(Vec::new, |kind| {
            let choice = |l: &Level| Choice { value: l.level.to_string(), text: level_line(s, l), on: l.level.to_string() == level };
            kind.levels.iter().map(choice).collect()
        }),
        classified: !view.case.fields.is_empty(),
        known: typed("hold", "known", known),
        not_known: typed("hold", "not_known", not_known),
        next_hours: typed("hold", "next_hours", hours_left(view, s).to_string()),
        query,
        experts,
        total,
        asked: view.expert.as_ref().map(|party| s.pick(&party.name, &party.name_en).to_owned()).unwrap_or_default(),
        draft: draft.map(urls::draft).unwrap_or_default(),
        note: typed("note", "note", String::new()),
        reason: typed("close", "reason", String::new()),
        wordings: view.wordings.clone(),
        calls,
        called,
        s: s.clone(),
    };
    work.render().map(Html).map_err(|error| AppError::Record(format!("a template failed: {error}")))
}

/// What one form of the panel does.
async fn deed(web: &Web, req: &Req, id: &CaseId, step: &str, form: &Form) -> Result<String, AppError> {
    let (app, who) = (&web.app, &req.actor);
    deeds::admit(app, who, id).await?;
    match step {
        "take" => match form.opt("to") {
            Some(to) => deeds::hand_over(app, who, id, &AccountId::from(to)).await?,
            None => deeds::take(app, who, id).await?,
        },
        "classify" => deeds::classify(app, who, id, form.all("fields"), form.int("level").unwrap_or_default()).await?,
        "hold" => {
            let next_hours = form.int("next_hours").unwrap_or_default();
            let statement = HoldingForm { known: form.get("known").to_owned(), not_known: form.get("not_known").to_owned(), next_hours };
            deeds::hold(app, who, id, statement).await?;
        }
        "expert" => {
            let party = form.opt("party").ok_or_else(|| AppError::Invalid(vec![FieldError::new("party", "no_expert")]))?;
            deeds::ask_expert(app, who, id, &party.into()).await?;
        }
        "note" => deeds::note(app, who, id, form.get("note")).await?,
        _ => {
            if !form.has("confirm") {
                return Err(AppError::Invalid(vec![FieldError::new("confirm", "not_confirmed")]));
            }
            deeds::close(app, who, id, form.get("reason")).await?;
        }
    }
    Ok(urls::case(id))
}

/// Errors that the form can show beside what was typed.
fn as_fields(error: AppError) -> Result<Vec<FieldError>, AppError> {
    match error {
        AppError::Invalid(errors) => Ok(errors),
        AppError::Case(CaseError::NoReason) => Ok(vec![FieldError::new("reason", "no_reason")]),
        AppError::Review(ReviewError::NotCompetent { .. }) => Ok(vec![FieldError::new("party", "not_competent")]),
        other => Err(other),
    }
}

async fn act(web: Web, req: Req, id: String, step: &'static str, form: Form) -> Answer {
    let id = CaseId(id);
    match form.once(&web, deed(&web, &req, &id, step, &form)).await {
        Ok(response) => Ok(response),
        Err(error) => {
            let failed = Failed { step, fields: form.fields(), errors: as_fields(error)? };
            case::show_with(&web, &req, &id, StatusCode::UNPROCESSABLE_ENTITY, Some(&failed)).await
        }
    }
}

macro_rules! handlers {
    ($($(#[$doc:meta])* $name:ident, $step:literal;)+) => {$(
        $(#[$doc])*
        pub async fn $name(State(web): State<Web>, req: Req, Path(id): Path<String>, form: Form) -> Answer {
            act(web, req, id, $step, form).await
        }
    )+};
}

handlers! {
    /// POST /case/{id}/take: takes it, or hands it to the account in `to`.
    take, "take";
    /// POST /case/{id}/classify
    classify, "classify";
    /// POST /case/{id}/expert
    ask_expert, "expert";
    /// POST /case/{id}/hold
    hold, "hold";
    /// POST /case/{id}/note
    note, "note";
    /// POST /case/{id}/close
    close, "close";
}
