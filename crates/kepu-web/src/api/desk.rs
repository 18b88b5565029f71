//! The API of content work, for signed-in sessions: the desk, drafts, reviews. The same operations as the pages, so the same
//! permissions: a stranger's draft is not found.

use super::json;
use crate::Web;
use crate::create::draft::{progress_word, query_of};
use crate::page::{Answer, Req, Shell};
use crate::urls;
use crate::words::iso;
use axum::extract::{Path, State};
use kepu_app::create::draft as drafting;
use kepu_app::create::review::{self as reviewing, Which};
use kepu_app::desk::{Clock, Item, List};
use kepu_domain::create::check::{Finding, Weight};
use kepu_domain::create::draft::Draft;
use kepu_domain::create::review::{Review, Stage};
use kepu_domain::ids::{DraftId, ReviewId};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// The desk: five lists.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeskItem {
    /// What has a day or an hour, the next due first.
    due: DeskList,
    /// What waits for the person.
    waiting: DeskList,
    /// Official warnings for the person's places.
    warnings: DeskList,
    /// Emergency cards for these places.
    cards: Vec<DeskRow>,
    /// Questions that nobody has taken.
    unanswered: DeskList,
    /// What was corrected, withdrawn, or must be looked at again.
    changed: DeskList,
}

/// One list of the desk.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeskList {
    /// Its first rows.
    items: Vec<DeskRow>,
    /// How many rows it has.
    total: usize,
}

/// One row of the desk.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeskRow {
    /// What to do: `review`, `case`, `takeCase`, `answer`, `write`, `mend`, `assign`, `replace`, `publish`, `card`, `corrected`, `withdrawn`, `recheck`, `judge`, `round`, `application`.
    task: &'static str,
    /// What it is about.
    title: String,
    /// A sentence more.
    #[serde(skip_serializing_if = "String::is_empty")]
    note: String,
    /// Where.
    place: String,
    /// By when it is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    due: Option<String>,
    /// Since when it is so.
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<String>,
    /// The page on which it is done.
    url: String,
}

fn desk_list(s: &Shell, list: &List) -> DeskList {
    DeskList { items: list.rows.iter().map(|item| desk_row(s, item)).collect(), total: list.total }
}

fn desk_row(s: &Shell, item: &Item) -> DeskRow {
    let row = crate::desk::row(s, item);
    let (due, since) = match item.clock {
        Clock::By(at) => (Some(iso(at)), None),
        Clock::Since(at) => (None, Some(iso(at))),
    };
    DeskRow { task: row.task, title: row.title, note: row.note, place: row.place, due, since, url: format!("{}{}", s.origin, row.href) }
}

/// The desk of the person signed in.
#[utoipa::path(get, path = "/api/desk", tag = "work", responses((status = 200, body = DeskItem), (status = 401, description = "problem details"), (status = 403, description = "problem details")))]
pub async fn desk(State(web): State<Web>, req: Req) -> Answer {
    let desk = kepu_app::desk::desk(&web.app, &req.actor).await?;
    let list = |list| desk_list(&req.shell, list);
    json(&DeskItem {
        due: list(&desk.due),
        waiting: list(&desk.waiting),
        warnings: list(&desk.warnings),
        cards: desk.cards.iter().map(|item| desk_row(&req.shell, item)).collect(),
        unanswered: list(&desk.unanswered),
        changed: list(&desk.changed),
    })
}

/// A draft in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct DraftItem {
    /// Id.
    id: String,
    /// `resource` or `claim`.
    kind: &'static str,
    /// Title, or the claim.
    title: String,
    /// Organisation it is written for.
    org: String,
    /// Who writes it; empty if no account does.
    #[serde(skip_serializing_if = "String::is_empty")]
    owner: String,
    /// `writing`, `returned`, `inReview`, `ready`, `published`, `dropped`.
    state: &'static str,
    /// Counts changes.
    version: i64,
    /// When it was changed last.
    changed: String,
    /// The subject it will be a version of.
    subject: String,
    /// Its page.
    url: String,
}

fn draft_item(s: &Shell, draft: &Draft, org: &str, owner: &str, state: &'static str, changed: jiff::Timestamp) -> DraftItem {
    DraftItem {
        id: draft.id.0.clone(),
        kind: draft.matter.kind(),
        title: draft.matter.title().to_owned(),
        org: org.to_owned(),
        owner: owner.to_owned(),
        state,
        version: draft.version,
        changed: iso(changed),
        subject: draft.subject.0.clone(),
        url: format!("{}{}", s.origin, urls::draft(&draft.id)),
    }
}

/// A page of drafts.
#[derive(Debug, Serialize, ToSchema)]
pub struct Drafts {
    /// The rows.
    items: Vec<DraftItem>,
    /// How many rows there are on all pages.
    total: usize,
    /// Cursor of the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
    /// Address of the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// How many rows a cursor has behind it.
fn offset(req: &Req) -> Result<usize, crate::problem::Problem> {
    Ok(super::read_cursor(req.query.get("cursor"))?.map_or(0, |(n, _)| usize::try_from(n).unwrap_or_default().min(100_000)))
}

fn next(req: &Req, from: usize, shown: usize, total: usize) -> (Option<String>, Option<String>) {
    let cursor = (from + shown < total && shown > 0).then(|| super::write_cursor((from + shown) as i64, "-"));
    let next = cursor.as_ref().map(|cursor| format!("{}{}", req.shell.origin, req.shell.here_with("cursor", cursor)));
    (cursor, next)
}

/// Drafts: one's own, or with `of=org` those of the organisations where one is an editor.
#[utoipa::path(get, path = "/api/drafts", tag = "work", params(
    ("of" = Option<String>, Query, description = "org: those of one's organisations; else one's own"),
    ("stage" = Option<String>, Query, description = "active, writing, submitted, published or dropped"),
    ("kind" = Option<String>, Query, description = "resource or claim"),
    ("sort" = Option<String>, Query, description = "oldest; else the latest change first"),
    ("limit" = Option<usize>, Query, description = "Rows of a page, at most 200"),
    ("cursor" = Option<String>, Query, description = "From the page before"),
), responses((status = 200, body = Drafts), (status = 401, description = "problem details"), (status = 403, description = "problem details")))]
pub async fn drafts(State(web): State<Web>, req: Req) -> Answer {
    let (from, limit) = (offset(&req)?, super::limit_of(&req));
    let (rows, total) = drafting::list(&web.app, &req.actor, &query_of(&req), from, limit).await?;
    let item = |row: &drafting::Row| draft_item(&req.shell, &row.listed.draft, &row.org, &row.owner, progress_word(&row.progress), row.listed.updated_at);
    let (cursor, next) = next(&req, from, rows.len(), total);
    json(&Drafts { items: rows.iter().map(item).collect(), total, cursor, next })
}

/// One result of the machine checks.
#[derive(Debug, Serialize, ToSchema)]
pub struct FindingItem {
    /// Field it is about.
    field: String,
    /// Rule.
    rule: String,
    /// Whether publication is refused until it is mended.
    blocks: bool,
    /// The sentence in the reader's language.
    text: String,
}

fn finding(s: &Shell, f: &Finding) -> FindingItem {
    FindingItem { field: f.field.clone(), rule: f.rule.clone(), blocks: f.weight == Weight::Block, text: s.finding(f) }
}

/// One draft.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DraftWhole {
    /// As in lists.
    draft: DraftItem,
    /// What it holds, with its kind.
    #[schema(value_type = Object)]
    matter: Value,
    /// If it corrects a public version: what was wrong.
    #[serde(skip_serializing_if = "String::is_empty")]
    correction: String,
    /// What a machine found.
    findings: Vec<FindingItem>,
    /// Approvals of this version that count.
    approvals: usize,
    /// Approvals the policy asks for.
    approvals_needed: usize,
    /// Bytes of the record that it would become.
    size: usize,
    /// Its reviews.
    reviews: Vec<ReviewItem>,
}

/// One draft, for its writer, its reviewers and editors of its organisation.
#[utoipa::path(get, path = "/api/drafts/{id}", tag = "work", params(("id" = String, Path, description = "Id")),
    responses((status = 200, body = DraftWhole), (status = 401, description = "problem details"), (status = 404, description = "problem details")))]
pub async fn draft(State(web): State<Web>, req: Req, Path(id): Path<String>) -> Answer {
    let view = drafting::view(&web.app, &req.actor, &DraftId(id)).await?;
    let s = &req.shell;
    let matter = serde_json::to_value(&view.draft.matter).map_err(|error| crate::problem::Problem::internal(error.to_string()))?;
    let review = |(review, by): &(Review, _)| {
        let by: &kepu_domain::create::review::SignOff = by;
        review_item(s, review, view.draft.matter.title(), &by.name)
    };
    json(&DraftWhole {
        draft: draft_item(s, &view.draft, &view.org, &view.owner, progress_word(&view.progress), view.updated_at),
        correction: view.draft.correction.clone(),
        findings: view.findings.iter().map(|f| finding(s, f)).collect(),
        approvals: view.approvals.0,
        approvals_needed: view.approvals.1,
        size: view.size,
        reviews: view.reviews.iter().map(review).collect(),
        matter,
    })
}

/// A review task.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReviewItem {
    /// Id.
    id: String,
    /// The draft.
    draft: String,
    /// The version that is reviewed.
    draft_version: i64,
    /// Title of the draft.
    title: String,
    /// The reviewer; empty in one's own list.
    #[serde(skip_serializing_if = "String::is_empty")]
    reviewer: String,
    /// `assigned`, `approve`, `return`, `declined`.
    state: &'static str,
    /// Day it is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    due: Option<String>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<String>,
    /// Remark, or why it was given back.
    #[serde(skip_serializing_if = "String::is_empty")]
    comment: String,
    /// Stated interests.
    #[serde(skip_serializing_if = "String::is_empty")]
    conflict: String,
    /// Its page.
    url: String,
}

fn review_item(s: &Shell, review: &Review, title: &str, reviewer: &str) -> ReviewItem {
    let (state, due, ended, comment, conflict) = match &review.stage {
        Stage::Assigned { due } => ("assigned", Some(due.to_string()), None, String::new(), String::new()),
        Stage::Decided { decision, conflict, comment, at, .. } => (decision.as_str(), None, Some(iso(*at)), comment.clone(), conflict.clone()),
        Stage::Declined { reason, at } => ("declined", None, Some(iso(*at)), reason.clone(), String::new()),
    };
    ReviewItem {
        id: review.id.0.clone(),
        draft: review.draft.0.clone(),
        draft_version: review.draft_version,
        title: title.to_owned(),
        reviewer: reviewer.to_owned(),
        state,
        due,
        ended,
        comment,
        conflict,
        url: format!("{}{}", s.origin, urls::review(&review.id)),
    }
}

/// A page of review tasks.
#[derive(Debug, Serialize, ToSchema)]
pub struct Reviews {
    /// The rows.
    items: Vec<ReviewItem>,
    /// How many rows there are on all pages.
    total: usize,
    /// Cursor of the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
    /// Address of the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// One's own review tasks: open ones by the day they are due, or with `done=1` the others.
#[utoipa::path(get, path = "/api/reviews", tag = "work", params(
    ("done" = Option<String>, Query, description = "1: decided, given back or overtaken ones, latest first"),
    ("limit" = Option<usize>, Query, description = "Rows of a page, at most 200"),
    ("cursor" = Option<String>, Query, description = "From the page before"),
), responses((status = 200, body = Reviews), (status = 401, description = "problem details"), (status = 403, description = "problem details")))]
pub async fn reviews(State(web): State<Web>, req: Req) -> Answer {
    let (from, limit) = (offset(&req)?, super::limit_of(&req));
    let which = if req.query.opt("done").is_some() { Which::Done } else { Which::Open };
    let (tasks, total) = reviewing::list(&web.app, &req.actor, which, from, limit).await?;
    let (cursor, next) = next(&req, from, tasks.len(), total);
    json(&Reviews { items: tasks.iter().map(|task| review_item(&req.shell, &task.review, &task.title, "")).collect(), total, cursor, next })
}

/// One review task with the text it is about.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReviewWhole {
    /// As in lists.
    review: ReviewItem,
    /// The text as it stands now, with its kind.
    #[schema(value_type = Object)]
    matter: Value,
    /// Whether that is still the version that was assigned.
    current: bool,
    /// What a machine found.
    findings: Vec<FindingItem>,
}

/// One review task, for its reviewer, the draft's writer and editors.
#[utoipa::path(get, path = "/api/reviews/{id}", tag = "work", params(("id" = String, Path, description = "Id")),
    responses((status = 200, body = ReviewWhole), (status = 401, description = "problem details"), (status = 404, description = "problem details")))]
pub async fn review(State(web): State<Web>, req: Req, Path(id): Path<String>) -> Answer {
    let view = reviewing::view(&web.app, &req.actor, &ReviewId(id)).await?;
    let matter = serde_json::to_value(&view.draft.matter).map_err(|error| crate::problem::Problem::internal(error.to_string()))?;
    json(&ReviewWhole {
        review: review_item(&req.shell, &view.review, view.draft.matter.title(), &view.party.name),
        current: view.current,
        findings: view.findings.iter().map(|f| finding(&req.shell, f)).collect(),
        matter,
    })
}
