//! A judge's pages: the tasks, and one application with its scores. Stepping back is one press away at any time.

use super::{SetColumn, columns, refused};
use crate::Web;
use crate::create::field;
use crate::form::{Fields, Form};
use crate::page::{Answer, Errors, Html, Req, Shell, page, page_with};
use crate::urls;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use kepu_app::create::round::judge::{self, JudgeView};
use kepu_app::{AppError, FieldError};
use kepu_domain::create::round::JudgementStage;
use kepu_domain::ids::ApplicationId;
use std::collections::BTreeMap;

struct Item {
    href: String,
    label: String,
    mark: Html,
    open: bool,
    first: bool,
}

struct Lot {
    title: String,
    href: String,
    done: usize,
    of: usize,
    items: Vec<Item>,
}

#[derive(Template)]
#[template(path = "create/round/judging.html")]
struct JudgingPage {
    s: Shell,
    lots: Vec<Lot>,
    said: String,
}

/// GET /judging
pub async fn list(State(web): State<Web>, req: Req) -> Answer {
    let s = req.titled(req.shell.t("judging-title"));
    let mut lots: Vec<Lot> = Vec::new();
    let mut first = true;
    for task in judge::tasks(&web.app, &req.actor).await? {
        let href = urls::round(&task.round.id);
        let at = match lots.iter().position(|lot| lot.href == href) {
            Some(at) => at,
            None => {
                lots.push(Lot { title: task.round.title.clone(), href, done: 0, of: 0, items: vec![] });
                lots.len() - 1
            }
        };
        let scored = task.judgement.stage != JudgementStage::Assigned;
        let lot = &mut lots[at];
        lot.done += usize::from(scored);
        lot.of += 1;
        lot.items.push(Item {
            href: urls::judging(&task.application),
            label: task.label,
            mark: s.state(if scored { "true" } else { "now" }, s.t(if scored { "judging-scored" } else { "judging-waits" })),
            open: task.open,
            first: std::mem::take(&mut first),
        });
    }
    let said = match req.query.get("done") {
        word @ ("scored" | "recused") => s.t(&format!("judging-said-{word}")),
        _ => String::new(),
    };
    Ok(page(&JudgingPage { lots, said, s }))
}

struct Criterion {
    id: String,
    name: String,
    max: i64,
    weight: i64,
    value: String,
}

#[derive(Template)]
#[template(path = "create/round/judge.html")]
struct JudgePage {
    s: Shell,
    id: String,
    label: String,
    round: String,
    round_href: String,
    party: String,
    blind: bool,
    answers: Vec<(String, String)>,
    /// Title, and where the file is read.
    evidence: Vec<(String, String)>,
    sets: Vec<SetColumn>,
    items: Vec<Criterion>,
    comment: String,
    open: bool,
    done: usize,
    of: usize,
    next: String,
    said: String,
    errors: Errors,
}

fn judge_page(req: &Req, view: &JudgeView, typed: Option<&Fields>, errors: &[FieldError]) -> JudgePage {
    let s = req.titled(req.shell.t1("judge-title", "label", &view.label));
    let (scores, comment) = match &view.judgement.stage {
        JudgementStage::Scored { scores, comment, .. } => (scores.clone(), comment.clone()),
        _ => (BTreeMap::new(), String::new()),
    };
    let value = |id: &str| match typed {
        Some(form) => form.get(&format!("score-{id}")).to_owned(),
        None => scores.get(id).map(i64::to_string).unwrap_or_default(),
    };
    let mut errors = s.errors(errors);
    // Errors of scores carry the names of what is scored, which stand in the kind and not in the catalogues.
    for (field, text) in &mut errors.0 {
        if let Some(item) = field.strip_prefix("score-").and_then(|id| view.kind.judged.iter().find(|j| j.id == id)) {
            *text = s.t2("score-range", "name", s.pick(&item.zh, &item.en), "max", item.max);
        }
    }
    JudgePage {
        id: view.id.0.clone(),
        label: view.label.clone(),
        round: view.round.title.clone(),
        round_href: urls::round(&view.round.id),
        party: view
            .party
            .as_ref()
            .map(|(p, org)| if *org == p.name || org.is_empty() { p.name.clone() } else { format!("{} · {org}", p.name) })
            .unwrap_or_default(),
        blind: view.kind.blind,
        answers: view.answers.iter().map(|(f, v)| (f.label(s.lang.code()).to_owned(), field::show(&s, f, v))).collect(),
        evidence: view
            .evidence
            .iter()
            .map(|(title, hash)| (title.clone(), if hash.is_empty() { String::new() } else { urls::proof(&view.id, hash) }))
            .collect(),
        sets: columns(&s, &view.assessments),
        items: view
            .kind
            .judged
            .iter()
            .map(|j| Criterion { id: format!("score-{}", j.id), name: s.pick(&j.zh, &j.en).to_owned(), max: j.max, weight: j.weight, value: value(&j.id) })
            .collect(),
        comment: typed.map_or(comment, |form| form.get("comment").to_owned()),
        open: view.open,
        done: view.done.0,
        of: view.done.1,
        next: view.next.as_ref().map(urls::judging).unwrap_or_default(),
        said: if req.query.get("done") == "scored" { s.t("judging-said-scored") } else { String::new() },
        errors,
        s,
    }
}

/// GET /judging/{id}
pub async fn show(State(web): State<Web>, req: Req, Path(id): Path<String>) -> Answer {
    let view = judge::view(&web.app, &req.actor, &ApplicationId(id)).await?;
    Ok(page(&judge_page(&req, &view, None, &[])))
}

fn read(view: &JudgeView, form: &Fields) -> Result<BTreeMap<String, i64>, AppError> {
    let mut scores = BTreeMap::new();
    let mut errors = Vec::new();
    for item in &view.kind.judged {
        match form.int(&format!("score-{}", item.id)).filter(|n| (0..=item.max).contains(n)) {
            Some(n) => drop(scores.insert(item.id.clone(), n)),
            None => errors.push(FieldError::new(&format!("score-{}", item.id), "score_range")),
        }
    }
    if errors.is_empty() { Ok(scores) } else { Err(AppError::Invalid(errors)) }
}

/// POST /judging/{id}
pub async fn score(State(web): State<Web>, req: Req, Path(id): Path<String>, form: Form) -> Answer {
    let id = ApplicationId(id);
    let view = judge::view(&web.app, &req.actor, &id).await?;
    let deed = async {
        judge::score(&web.app, &req.actor, &id, read(&view, form.fields())?, form.get("comment")).await?;
        let next = view.next.as_ref().map_or_else(|| urls::JUDGING.to_owned(), urls::judging);
        Ok(format!("{next}?done=scored"))
    };
    match form.once(&web, deed).await {
        Ok(response) => Ok(response),
        Err(AppError::Round(error @ kepu_domain::create::round::RoundError::Recused { .. })) => Err(AppError::Round(error).into()),
        Err(error) => {
            let (status, errors) = refused(error)?;
            let view = judge::view(&web.app, &req.actor, &id).await?;
            Ok(page_with(status, &judge_page(&req, &view, Some(form.fields()), &errors)))
        }
    }
}

/// POST /judging/{id}/recuse
pub async fn recuse(State(web): State<Web>, req: Req, Path(id): Path<String>, form: Form) -> Answer {
    let id = ApplicationId(id);
    let deed = async {
        if form.get("confirm").is_empty() {
            return Err(AppError::Invalid(vec![FieldError::new("confirm", "not_sure")]));
        }
        judge::recuse(&web.app, &req.actor, &id).await?;
        Ok(format!("{}?done=recused", urls::JUDGING))
    };
    match form.once(&web, deed).await {
        Ok(response) => Ok(response),
        Err(error) => {
            let (status, errors): (StatusCode, _) = refused(error)?;
            let view = judge::view(&web.app, &req.actor, &id).await?;
            Ok(page_with(status, &judge_page(&req, &view, Some(form.fields()), &errors)))
        }
    }
}
