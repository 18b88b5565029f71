//! What meetings decided and inspections found, for programs of those who coordinate: the same bytes on every node that holds the same records.

use super::json;
use crate::Web;
use crate::listen::decision::stage_word;
use crate::page::{Answer, Req};
use crate::words::iso;
use axum::extract::{Path, State};
use jiff::Timestamp;
use kepu_app::listen::decision::{self, Tree};
use kepu_app::listen::inspection;
use kepu_domain::ids::{InspectionId, SubjectId};
use kepu_domain::listen::decision::{Branch, Change, Next, Outcome, Said};
use kepu_domain::listen::inspection::{Inspection, Summary};
use serde::Serialize;
use utoipa::ToSchema;

/// A step that a place reports.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StepItem {
    /// `taken`, `done`, `blocked` or `dropped`.
    outcome: &'static str,
    /// When, by the clock of the node that says so.
    at: String,
    /// Evidence or reason.
    #[serde(skip_serializing_if = "String::is_empty")]
    words: String,
}

/// Something that is asked of a place.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AskItem {
    /// Its name inside the decision.
    key: String,
    /// Six digits of the place.
    place: String,
    /// What is to be done.
    what: String,
    /// Until when.
    due: String,
    /// `link` if an address must prove it.
    #[serde(skip_serializing_if = "String::is_empty")]
    proof: String,
    /// `open`, `taken`, `done`, `blocked` or `dropped`.
    stage: &'static str,
    /// Undone although its time has passed.
    overdue: bool,
    /// Done after its time.
    late: bool,
    /// Which institution does it.
    #[serde(skip_serializing_if = "String::is_empty")]
    by: String,
    /// What was reported, the oldest first.
    steps: Vec<StepItem>,
}

/// Something that was changed afterwards.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChangeItem {
    /// When.
    at: String,
    /// The ask; missing where the decision was ended.
    #[serde(skip_serializing_if = "String::is_empty")]
    ask: String,
    /// Until when it was due before.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    /// Until when it is due since.
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    /// Why.
    reason: String,
}

/// A decision or a finding with everything that hangs on it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DecisionItem {
    /// Its subject.
    id: String,
    /// `decision` or `finding`.
    kind: &'static str,
    /// The meeting or inspection.
    meeting: String,
    /// Its day.
    day: String,
    /// What was decided or found.
    words: String,
    /// The evidence that a finding is about.
    #[serde(skip_serializing_if = "String::is_empty")]
    about: String,
    /// Who decided.
    by: String,
    /// How far it travels, six digits.
    region: String,
    /// Level of the kind of case, 1 the most urgent.
    level: i64,
    /// When it was given.
    at: String,
    /// What it owes next: `take`, `due` or nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<&'static str>,
    /// When that is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_at: Option<String>,
    /// When it was ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<String>,
    /// What is asked.
    asks: Vec<AskItem>,
    /// What was changed, the oldest first.
    changes: Vec<ChangeItem>,
}

/// Decisions and findings.
#[derive(Debug, Serialize, ToSchema)]
pub struct Decisions {
    /// The latest first, 500 at most.
    items: Vec<DecisionItem>,
}

fn step(said: &Said) -> StepItem {
    let outcome = match said.outcome {
        Outcome::Taken => "taken",
        Outcome::Done => "done",
        Outcome::Blocked => "blocked",
        Outcome::Dropped => "dropped",
    };
    StepItem { outcome, at: iso(said.at), words: said.words.clone() }
}

fn ask(branch: &Branch, now: Timestamp) -> AskItem {
    AskItem {
        key: branch.ask.key.clone(),
        place: branch.ask.place.to_string(),
        what: branch.ask.what.clone(),
        due: iso(branch.ask.due),
        proof: branch.ask.proof.clone(),
        stage: stage_word(branch),
        overdue: branch.is_late(now),
        late: branch.was_late(),
        by: branch.host.clone(),
        steps: branch.said.iter().map(step).collect(),
    }
}

fn change(one: &Change) -> ChangeItem {
    let (from, to) = one.due.map(|(from, to)| (iso(from), iso(to))).unzip();
    ChangeItem { at: iso(one.at), ask: one.ask.clone(), from, to, reason: one.reason.clone() }
}

fn item(tree: &Tree, now: Timestamp) -> DecisionItem {
    let d = &tree.decided;
    let (next, next_at) = match tree.next() {
        Next::Take(at) => (Some("take"), Some(iso(at))),
        Next::Due(at) => (Some("due"), Some(iso(at))),
        Next::Nothing => (None, None),
    };
    DecisionItem {
        id: tree.id.0.clone(),
        kind: d.cause.case_kind(),
        meeting: d.meeting.clone(),
        day: d.day.to_string(),
        words: d.words.clone(),
        about: d.about.clone(),
        by: d.host.clone(),
        region: d.region.to_string(),
        level: d.level,
        at: iso(d.at),
        next,
        next_at,
        ended: d.ended.map(iso),
        asks: tree.branches.iter().map(|branch| ask(branch, now)).collect(),
        changes: d.changes.iter().map(change).collect(),
    }
}

/// What meetings decided and inspections found, with what each place reports; for those who coordinate.
#[utoipa::path(get, path = "/api/decisions", tag = "coordination",
    responses((status = 200, body = Decisions), (status = 401, description = "problem details"), (status = 403, description = "problem details")))]
pub async fn decisions(State(web): State<Web>, req: Req) -> Answer {
    let all = decision::overview(&web.app, &req.actor).await?;
    json(&Decisions { items: all.trees.iter().map(|tree| item(tree, req.shell.now)).collect() })
}

/// One decision or finding with its whole tree; for those who coordinate.
#[utoipa::path(get, path = "/api/decisions/{owner}/{local}", tag = "coordination",
    params(("owner" = String, Path, description = "Owner in the id"), ("local" = String, Path, description = "Local part of the id")),
    responses((status = 200, body = DecisionItem), (status = 401, description = "problem details"), (status = 404, description = "problem details")))]
pub async fn decision(State(web): State<Web>, req: Req, Path((owner, local)): Path<(String, String)>) -> Answer {
    let view = decision::view(&web.app, &req.actor, &SubjectId::new(&owner, &local)).await?;
    json(&item(&view.tree, req.shell.now))
}

/// An inspection with its figures.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct InspectionItem {
    /// Id.
    id: String,
    /// What it is called.
    title: String,
    /// Checklist.
    checklist: String,
    /// Six digits of the place.
    region: String,
    /// When it was drawn.
    drawn_at: String,
    /// The word that the lot hangs on.
    word: String,
    /// SHA-256 of the list, in hex.
    list_hash: String,
    /// On the list.
    listed: usize,
    /// Drawn.
    drawn: usize,
    /// Looked at.
    seen: usize,
    /// In order.
    in_order: usize,
    /// Findings.
    findings: usize,
    /// Corrected.
    corrected: usize,
    /// Of those, in time.
    in_time: usize,
    /// Neither corrected nor in time any more.
    overdue: usize,
}

/// Inspections.
#[derive(Debug, Serialize, ToSchema)]
pub struct Inspections {
    /// The latest first, 200 at most.
    items: Vec<InspectionItem>,
}

/// A piece of evidence that was drawn.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SampleItem {
    /// Number in the draw.
    n: i64,
    /// What names it on the list.
    key: String,
    /// Six digits of the place.
    place: String,
    /// What was to be done.
    title: String,
    /// Which institution did it.
    by: String,
    /// The evidence.
    evidence: String,
    /// Whether somebody looked at it.
    seen: bool,
    /// The finding, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    finding: Option<String>,
    /// How far the correction is: as the stage of an ask.
    #[serde(skip_serializing_if = "Option::is_none")]
    stage: Option<&'static str>,
}

/// An inspection with its sample.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct InspectionWhole {
    #[serde(flatten)]
    inspection: InspectionItem,
    /// Whether a second draw from the list kept gives the same sample.
    repeats: bool,
    /// Share in order with its 95 % bounds, each 0 to 1: share, low, high.
    #[serde(skip_serializing_if = "Option::is_none")]
    share: Option<[f64; 3]>,
    /// The sample, by number.
    samples: Vec<SampleItem>,
}

fn inspection_item(one: &Inspection, sum: &Summary) -> InspectionItem {
    InspectionItem {
        id: one.id.0.clone(),
        title: one.title.clone(),
        checklist: one.checklist.clone(),
        region: one.region.to_string(),
        drawn_at: iso(one.drawn_at),
        word: one.word.clone(),
        list_hash: one.list_hash.clone(),
        listed: sum.listed,
        drawn: sum.drawn,
        seen: sum.seen,
        in_order: sum.in_order,
        findings: sum.findings,
        corrected: sum.corrected,
        in_time: sum.in_time,
        overdue: sum.overdue,
    }
}

/// Inspections with their figures, for those who coordinate.
#[utoipa::path(get, path = "/api/inspections", tag = "coordination",
    responses((status = 200, body = Inspections), (status = 401, description = "problem details"), (status = 403, description = "problem details")))]
pub async fn inspections(State(web): State<Web>, req: Req) -> Answer {
    let list = inspection::list(&web.app, &req.actor).await?;
    json(&Inspections { items: list.iter().map(|(one, sum)| inspection_item(one, sum)).collect() })
}

/// One inspection with its sample and what became of it, for those who coordinate.
#[utoipa::path(get, path = "/api/inspections/{id}", tag = "coordination", params(("id" = String, Path, description = "Id")),
    responses((status = 200, body = InspectionWhole), (status = 401, description = "problem details"), (status = 404, description = "problem details")))]
pub async fn inspection(State(web): State<Web>, req: Req, Path(id): Path<String>) -> Answer {
    let view = inspection::view(&web.app, &req.actor, &InspectionId(id)).await?;
    let sample = |row: &inspection::Row| SampleItem {
        n: row.sample.n,
        key: row.sample.entry.key.clone(),
        place: row.sample.entry.place.to_string(),
        title: row.sample.entry.title.clone(),
        by: row.sample.entry.host.clone(),
        evidence: row.sample.entry.evidence.clone(),
        seen: row.sample.seen.is_some(),
        finding: row.sample.seen.as_ref().and_then(|seen| seen.finding.as_ref()).map(|id| id.0.clone()),
        stage: row.finding.as_ref().map(stage_word),
    };
    json(&InspectionWhole {
        inspection: inspection_item(&view.inspection, &view.summary),
        repeats: view.repeats,
        share: view.share.map(|found| [found.share, found.low, found.high]),
        samples: view.rows.iter().map(sample).collect(),
    })
}
