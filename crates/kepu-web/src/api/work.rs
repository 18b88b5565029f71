//! The API of the house's own work: jobs, files taken in, other nodes. For whoever may, with the session of a browser.

use super::{json, limit_of, read_cursor, write_cursor};
use crate::Web;
use crate::page::{Answer, Req};
use crate::problem::{Kind, Problem};
use crate::words::{iso, moment};
use axum::extract::State;
use kepu_domain::create::import::{Counts, Import, Stage};
use kepu_domain::ids::JobId;
use kepu_store::job::{Job, State as JobState};
use kepu_store::peer::Peer;
use serde::Serialize;
use utoipa::ToSchema;

/// A job.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobItem {
    /// Id.
    id: String,
    /// `import`, `expire`, `reindex`, `exchange`.
    kind: String,
    /// `queued`, `running`, `done`, `failed`, `cancelled`.
    state: &'static str,
    /// Words about how far it is; `done/of` where it is a share.
    progress: String,
    /// Attempts begun.
    attempts: i64,
    /// Attempts before it is given up.
    max_attempts: i64,
    /// What went wrong last.
    #[serde(skip_serializing_if = "String::is_empty")]
    last_error: String,
    /// When it was queued.
    created_at: String,
    /// Not before.
    run_at: String,
    /// When it was over.
    #[serde(skip_serializing_if = "Option::is_none")]
    finished_at: Option<String>,
}

/// A page of jobs.
#[derive(Debug, Serialize, ToSchema)]
pub struct Jobs {
    /// The jobs, newest first.
    items: Vec<JobItem>,
    /// Cursor of the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
    /// Address of the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

fn job_item(job: &Job) -> JobItem {
    JobItem {
        id: job.id.0.clone(),
        kind: job.kind.clone(),
        state: job.state.as_str(),
        progress: job.progress.clone(),
        attempts: job.attempts,
        max_attempts: job.max_attempts,
        last_error: job.last_error.clone(),
        created_at: iso(job.created_at),
        run_at: iso(job.run_at),
        finished_at: job.finished_at.map(iso),
    }
}

/// Jobs, newest first; for system administrators.
#[utoipa::path(get, path = "/api/jobs", tag = "work", params(
    ("state" = Option<String>, Query, description = "queued, running, done, failed or cancelled"),
    ("limit" = Option<usize>, Query, description = "Rows of a page, at most 200"),
    ("cursor" = Option<String>, Query, description = "From the page before"),
), responses((status = 200, body = Jobs), (status = 401, description = "problem details"), (status = 403, description = "problem details")))]
pub async fn jobs(State(web): State<Web>, req: Req) -> Answer {
    let limit = limit_of(&req);
    let state = match req.query.opt("state").map(|word| (word, JobState::parse(word))) {
        None => None,
        Some((_, Some(state))) => Some(state),
        Some((word, None)) => return Err(Problem::new(Kind::BadRequest).why("problem-job-state", &[("state", word.chars().take(40).collect())])),
    };
    let before = read_cursor(req.query.get("cursor"))?.map(|(ms, id)| (moment(ms), JobId(id)));
    let mut list = kepu_app::job::list(&web.app, &req.actor, state, before, limit as u32 + 1).await?.jobs;
    let more = list.len() > limit;
    list.truncate(limit);
    let cursor = list.last().filter(|_| more).map(|job| write_cursor(job.created_at.as_millisecond(), &job.id.0));
    let next = cursor.as_ref().map(|cursor| format!("{}{}", req.shell.origin, req.shell.here_with("cursor", cursor)));
    json(&Jobs { items: list.iter().map(job_item).collect(), cursor, next })
}

/// A file that is taken in.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImportItem {
    /// Id.
    id: String,
    /// Name of the file.
    file: String,
    /// `resource` or `claim`.
    kind: &'static str,
    /// `planned`, `started` or `done`.
    stage: &'static str,
    /// When it was brought.
    created_at: String,
    /// What became of its rows.
    #[schema(value_type = Object)]
    counts: Counts,
    /// Its page.
    url: String,
}

fn import_item(req: &Req, import: &Import) -> ImportItem {
    ImportItem {
        id: import.id.0.clone(),
        file: import.file_name.clone(),
        kind: import.plan.kind.as_str(),
        stage: match import.stage {
            Stage::Planned => "planned",
            Stage::Started { .. } => "started",
            Stage::Done { .. } => "done",
        },
        created_at: iso(import.created_at),
        counts: import.counts,
        url: format!("{}{}", req.shell.origin, crate::urls::import(&import.id)),
    }
}

/// Files taken in, newest first, at most 200; for editors of their organisations.
#[utoipa::path(get, path = "/api/imports", tag = "work", responses((status = 200, body = Vec<ImportItem>), (status = 401, description = "problem details"), (status = 403, description = "problem details")))]
pub async fn imports(State(web): State<Web>, req: Req) -> Answer {
    let list = kepu_app::create::import::list(&web.app, &req.actor, super::LIMIT_MAX as u32).await?;
    json(&list.iter().map(|import| import_item(&req, import)).collect::<Vec<_>>())
}

/// Another node.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PeerItem {
    /// Key.
    key: String,
    /// Name.
    name: String,
    /// `parent` or `child`.
    direction: &'static str,
    /// Address; parents only.
    #[serde(skip_serializing_if = "String::is_empty")]
    url: String,
    /// Last contact.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_seen: Option<String>,
    /// What came of it.
    last_result: String,
    /// Records that a child has not confirmed, or that a parent has not been sent.
    behind: i64,
    /// Last day of its certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
}

/// Missing numbers of a stream.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HoleItem {
    /// Key.
    key: String,
    /// Institution.
    holder: String,
    /// Stream.
    stream: String,
    /// First missing number.
    from: i64,
    /// Last missing number.
    to: i64,
}

/// A forked key.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ForkItem {
    /// Key.
    key: String,
    /// Institution.
    holder: String,
    /// Stream.
    stream: String,
    /// Number with two records; from here on nothing of the key counts.
    n: i64,
}

/// The node and those around it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Nodes {
    /// Key of this node.
    key: String,
    /// The key as 24 digits, to compare by telephone.
    digits: String,
    /// Name.
    name: String,
    /// Place, six digits.
    region: String,
    /// Root it is pinned to.
    root: String,
    /// Records held.
    records: i64,
    /// State hash of the public tables.
    state: String,
    /// When it last signed a head of its history.
    #[serde(skip_serializing_if = "Option::is_none")]
    head: Option<String>,
    /// Nodes above and below.
    peers: Vec<PeerItem>,
    /// Missing numbers.
    holes: Vec<HoleItem>,
    /// Forked keys.
    forks: Vec<ForkItem>,
    /// Invitations that can still be used.
    open_invitations: usize,
}

/// This node and those around it; for system administrators. What everybody may see is at `/api/network`.
#[utoipa::path(get, path = "/api/nodes", tag = "work", responses((status = 200, body = Nodes), (status = 401, description = "problem details"), (status = 403, description = "problem details")))]
pub async fn nodes(State(web): State<Web>, req: Req) -> Answer {
    let health = kepu_app::peering::health(&web.app, &req.actor).await?;
    let me = &health.overview.me;
    let peer = |peer: &Peer, known: i64| PeerItem {
        key: peer.id.0.clone(),
        name: peer.name.clone(),
        direction: peer.direction.as_str(),
        url: peer.url.clone(),
        last_seen: peer.last_seen.map(iso),
        last_result: peer.last_result.clone(),
        behind: (health.arrivals - known).max(0),
        until: health.until.get(&peer.id).map(ToString::to_string),
    };
    let parents = health.overview.parents.iter().map(|p| peer(p, p.push_cursor));
    let children = health.overview.children.iter().map(|p| peer(p, p.acked));
    json(&Nodes {
        key: me.id.0.clone(),
        digits: me.id.digits(),
        name: me.name.clone(),
        region: me.region.to_string(),
        root: me.root.0.clone(),
        records: me.records,
        state: me.state.clone(),
        head: health.head.map(iso),
        peers: parents.chain(children).collect(),
        holes: health
            .holes
            .iter()
            .map(|hole| HoleItem { key: hole.key.0.clone(), holder: hole.holder.clone(), stream: hole.stream.to_string(), from: hole.from, to: hole.to })
            .collect(),
        forks: health.forks.iter().map(|f| ForkItem { key: f.key.0.clone(), holder: f.holder.clone(), stream: f.stream.to_string(), n: f.n }).collect(),
        open_invitations: health.invites.iter().filter(|i| i.used_by.is_none() && i.expires_at > web.app.now()).count(),
    })
}
