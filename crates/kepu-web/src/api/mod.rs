//! The API: everything a page shows, for programs. Lists have cursors, errors are problem details, answers carry ETags.
//! `/api/openapi.json` is made from the declarations beside the handlers; `/api/docs` is the same as a page.

pub mod coordination;
pub mod create;
pub mod desk;
pub mod dump;
pub mod house;
pub mod listen;
pub mod registry;
pub mod round;
pub mod tipline;
pub mod warning;
pub mod work;

use crate::Web;
use crate::line::holder;
use crate::page::{Answer, Req, Shell, page};
use crate::problem::{Kind, Problem};
use crate::urls;
use crate::words::{divisions_below, iso, moment};
use askama::Template;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use kepu_app::AppError;
use kepu_domain::measure::figure::FIGURES;
use kepu_domain::org::Region;
use kepu_domain::trust::TrustView;
use kepu_domain::vocabulary::{AUDIENCES, EVIDENCE, FIELDS, HAZARDS, LANGUAGES, LICENCES, PHASES, RESOURCE_TYPES, Vocabulary};
use kepu_store::Tx;
use kepu_store::subject::{self, Filter, Order, Row};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::{OpenApi, ToSchema};

/// Rows of a page unless `limit` says otherwise.
const LIMIT: usize = 50;
/// Most rows of a page.
pub(crate) const LIMIT_MAX: usize = 200;

/// An answer as JSON.
pub(crate) fn json(value: &impl Serialize) -> Answer {
    let text = serde_json::to_string(value).map_err(|error| Problem::internal(format!("an answer cannot be written as JSON: {error}")))?;
    let mut response = text.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

/// A claim or resource in a list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    /// Stable id, `kepu:` + owner + `/` + local part.
    id: String,
    /// `claim` or `resource`.
    kind: String,
    /// Title, or the claim as people say it.
    title: String,
    /// English title, perhaps empty.
    title_en: String,
    /// Summary, or the conclusion in one sentence.
    summary: String,
    /// `true`, `false`, `partly`, `unproven`, `checking`; claims only.
    #[serde(skip_serializing_if = "String::is_empty")]
    verdict: String,
    /// Type, id of the vocabulary `types`; resources only.
    #[serde(skip_serializing_if = "String::is_empty", rename = "type")]
    type_: String,
    /// Fields, ids of the vocabulary `fields`.
    fields: Vec<String>,
    /// Audiences, ids of the vocabulary `audiences`.
    audience: Vec<String>,
    /// Place, six digits (GB/T 2260).
    region: String,
    /// Language, BCP 47.
    lang: String,
    /// Date of the content.
    date: String,
    /// When the version was signed.
    modified: String,
    /// When it was last corrected.
    #[serde(skip_serializing_if = "Option::is_none")]
    corrected: Option<String>,
    /// Last day before it must be looked at again.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<String>,
    /// Institution that signed it.
    publisher: String,
    /// Invented for demonstration.
    sample: bool,
    /// Its page.
    url: String,
    /// Its record: SHA-256 of the signed document.
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<String>,
}

impl Item {
    pub(crate) fn new(s: &Shell, row: &Row, trust: &TrustView) -> Self {
        Self {
            id: row.id.0.clone(),
            kind: row.kind.clone(),
            title: row.title.clone(),
            title_en: row.title_en.clone(),
            summary: row.summary.clone(),
            verdict: row.verdict.clone(),
            type_: row.type_.clone(),
            fields: row.fields.clone(),
            audience: row.audience.clone(),
            region: row.region.to_string(),
            lang: row.lang.clone(),
            date: row.date.clone(),
            modified: iso(moment(row.modified)),
            corrected: (row.corrected > 0).then(|| iso(moment(row.corrected))),
            expires: row.expires.clone(),
            publisher: holder(trust, row),
            sample: row.sample,
            url: format!("{}{}", s.origin, urls::of_kind(&row.kind, &row.id)),
            record: row.doc_hash.map(|hash| hash.hex()),
        }
    }
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Items {
    /// The rows.
    items: Vec<Item>,
    /// How many rows there are on all pages.
    total: i64,
    /// Cursor of the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
    /// Address of the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

fn limit_of(req: &Req) -> usize {
    req.query.int("limit").and_then(|n| usize::try_from(n).ok()).unwrap_or(LIMIT).clamp(1, LIMIT_MAX)
}

/// A cursor: the number and id of the last row seen, unreadable on purpose so that nobody builds one.
fn write_cursor(number: i64, id: &str) -> String {
    data_encoding::BASE64URL_NOPAD.encode(format!("{number} {id}").as_bytes())
}

fn read_cursor(text: &str) -> Result<Option<(i64, String)>, Problem> {
    if text.is_empty() {
        return Ok(None);
    }
    let read = || {
        let bytes = data_encoding::BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
        let plain = String::from_utf8(bytes).ok()?;
        let (number, id) = plain.split_once(' ')?;
        Some((number.parse().ok()?, id.to_owned()))
    };
    read().map(Some).ok_or_else(|| Problem::new(Kind::BadRequest).why("problem-cursor", &[]))
}

/// A list of subjects from the cursor of the request on.
pub(crate) async fn list(web: &Web, req: &Req, filter: &Filter) -> Answer {
    let limit = limit_of(req);
    let after = read_cursor(req.query.get("cursor"))?;
    let mut tx = web.app.db.read().await.map_err(AppError::from)?;
    let trust = web.app.trust(&mut tx).await?;
    let mut rows = subject::list(&mut tx, filter, Order::Newest, after, limit as u32 + 1).await.map_err(AppError::from)?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let total = subject::count(&mut tx, filter).await.map_err(AppError::from)?;
    let cursor = rows.last().filter(|_| more).map(|row| write_cursor(row.modified, &row.id.0));
    let s = &req.shell;
    let next = cursor.as_ref().map(|cursor| format!("{}{}", s.origin, s.here_with("cursor", cursor)));
    json(&Items { items: rows.iter().map(|row| Item::new(s, row, &trust)).collect(), total, cursor, next })
}

/// One claim or resource with its signed record.
#[derive(Debug, Serialize, ToSchema)]
pub struct Whole {
    /// As in lists.
    item: Item,
    /// A correction whose new version has not arrived yet.
    #[serde(skip_serializing_if = "String::is_empty")]
    notice: String,
    /// The signed document with its proof: schema.org JSON-LD.
    #[schema(value_type = Object)]
    record: Value,
    /// Its life, oldest first.
    history: Vec<Event>,
}

/// One entry of a history.
#[derive(Debug, Serialize, ToSchema)]
pub struct Event {
    /// When.
    at: String,
    /// What happened, in the reader's language.
    text: String,
    /// Address of the record.
    #[serde(skip_serializing_if = "String::is_empty")]
    record: String,
}

/// One subject of `kind`; 410 with the reason if it was withdrawn.
pub(crate) async fn one(web: &Web, req: &Req, kind: &str, owner: &str, local: &str) -> Answer {
    let id = crate::subject::id_of(owner, local)?;
    let mut tx = web.app.db.read().await.map_err(AppError::from)?;
    let missing = || Problem::from(AppError::NotFound { what: "subject", id: id.0.clone() });
    let (row, record) = kepu_app::create::publish::current(&web.app, &mut tx, &id).await?.ok_or_else(missing)?;
    if row.standing == subject::Standing::Withdrawn {
        let key = if row.held.is_some() { "problem-held-reason" } else { "problem-gone-reason" };
        return Err(Problem::new(Kind::Gone).why(key, &[("reason", row.reason), ("by", row.withdrawn_by), ("day", row.held.unwrap_or_default())]));
    }
    let record = record.filter(|_| row.kind == kind && row.standing == subject::Standing::Public).ok_or_else(missing)?;
    let trust = web.app.trust(&mut tx).await?;
    let (history, _) = crate::subject::history(&req.shell, &mut tx, &row).await?;
    let history = history.into_iter().map(|e| Event { at: iso(e.at), text: e.text, record: e.href }).collect();
    json(&Whole { item: Item::new(&req.shell, &row, &trust), notice: row.notice.clone(), record: record.with_proof(), history })
}

/// Something found, with the part of its text that says why.
#[derive(Debug, Serialize, ToSchema)]
pub struct Found {
    /// As in lists.
    item: Item,
    /// Compares only within one answer.
    score: f32,
    /// The best part of its text, in pieces.
    snippet: Vec<Piece>,
}

/// A piece of a snippet.
#[derive(Debug, Serialize, ToSchema)]
pub struct Piece {
    /// Text.
    text: String,
    /// Whether it matches the query.
    hit: bool,
}

/// What a search found.
#[derive(Debug, Serialize, ToSchema)]
pub struct FoundPage {
    /// Hits of this page.
    items: Vec<Found>,
    /// Hits on all pages.
    total: usize,
    /// Nothing holds the words; the items sound or look like them.
    guessed: bool,
    /// The sentence that answers best; none where nothing fits. First page by relevance only.
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<Quote>,
    /// How many of everything found have which kind, field and audience.
    facets: BTreeMap<String, BTreeMap<String, usize>>,
    /// Cursor of the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
    /// Address of the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// A sentence quoted as the answer.
#[derive(Debug, Serialize, ToSchema)]
pub struct Quote {
    /// The sentence, as it stands there.
    quote: String,
    /// Id of the item it stands in.
    id: String,
    /// How sure it is that the item speaks of what was asked, from 0 to 1.
    confidence: f32,
}

/// Full-text search over claims and resources.
#[utoipa::path(get, path = "/api/search", tag = "search", params(
    ("q" = String, Query, description = "What to look for; empty: everything, newest first"),
    ("kind" = Option<String>, Query, description = "claim or resource"),
    ("field" = Option<String>, Query, description = "Field, id of the vocabulary fields"),
    ("audience" = Option<String>, Query, description = "Audience, id of the vocabulary audiences"),
    ("region" = Option<String>, Query, description = "Place, six digits; what is meant for it or for a larger place around it"),
    ("in" = Option<String>, Query, description = "Language, by prefix"),
    ("sort" = Option<String>, Query, description = "newest; else by relevance"),
    ("limit" = Option<usize>, Query, description = "Rows of a page, at most 200"),
    ("cursor" = Option<String>, Query, description = "From the page before"),
), responses((status = 200, body = FoundPage), (status = 400, description = "problem details")))]
pub async fn search(State(web): State<Web>, req: Req) -> Answer {
    let limit = limit_of(&req);
    let offset = read_cursor(req.query.get("cursor"))?.map_or(0, |(n, _)| usize::try_from(n).unwrap_or_default().min(100_000));
    let q = kepu_text::clean::clean_line(req.query.get("q"));
    let query = kepu_search::Query { facets: ["kind", "field", "audience"].map(str::to_owned).into(), ..crate::search::query_of(&req, &q, offset, limit) };
    let found = crate::search::find(&web, &query).await?;
    let answer = found.answer.map(|answer| Quote { quote: answer.quote, id: answer.id, confidence: answer.confidence });
    let facets = found.facets.into_iter().map(|(name, values)| (name, values.into_iter().collect())).collect();
    let guessed = found.guessed;
    let mut tx = web.app.db.read().await.map_err(AppError::from)?;
    let trust = web.app.trust(&mut tx).await?;
    let s = &req.shell;
    let rows = crate::search::with_rows(&mut tx, found.hits).await?;
    // The index may lag a moment: what is not shown is not quoted either.
    let answer = answer.filter(|answer| rows.iter().any(|(hit, _)| hit.id == answer.id));
    let items = rows.into_iter().map(|(hit, row)| Found {
        item: Item::new(s, &row, &trust),
        score: hit.score,
        snippet: hit.snippet.into_iter().map(|span| Piece { text: span.text, hit: span.hit }).collect(),
    });
    let cursor = (offset + limit < found.total).then(|| write_cursor((offset + limit) as i64, "-"));
    let next = cursor.as_ref().map(|cursor| format!("{}{}", s.origin, s.here_with("cursor", cursor)));
    json(&FoundPage { items: items.collect(), total: found.total, guessed, answer, facets, cursor, next })
}

/// A title offered while somebody types.
#[derive(Debug, Serialize, ToSchema)]
pub struct Suggestion {
    /// Its title.
    title: String,
    /// `claim` or `resource`.
    kind: String,
    /// Its page.
    url: String,
}

/// Titles for what was typed so far.
#[derive(Debug, Serialize, ToSchema)]
pub struct Suggestions {
    /// At most eight, the best first.
    items: Vec<Suggestion>,
}

/// Titles that go on from what was typed so far. What is typed is not kept.
#[utoipa::path(get, path = "/api/suggest", tag = "search", params(("q" = String, Query, description = "At least two characters")),
    responses((status = 200, body = Suggestions)))]
pub async fn suggest(State(web): State<Web>, req: Req) -> Answer {
    let rows = crate::search::suggestions(&web, req.query.get("q")).await?;
    let one = |row: kepu_store::subject::Row| Suggestion {
        url: format!("{}{}", req.shell.origin, crate::urls::of_kind(&row.kind, &row.id)),
        title: row.title,
        kind: row.kind,
    };
    json(&Suggestions { items: rows.into_iter().map(one).collect() })
}

/// A figure of the plan, or what became of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct FigureItem {
    /// N1 … N11.
    id: &'static str,
    /// Chinese name.
    name_zh: &'static str,
    /// English name.
    name_en: &'static str,
    /// Year.
    year: i16,
    /// Value as published; none where the plan names the indicator without a figure.
    value: Option<&'static str>,
    /// Unit.
    unit: &'static str,
    /// `plan_baseline`, `target` or `official_later`.
    kind: &'static str,
    /// What is counted.
    definition_zh: &'static str,
    /// Source.
    source_zh: &'static str,
    /// Date of the source.
    source_date: &'static str,
    /// Remark.
    note_zh: &'static str,
}

/// The plan's figures with later official values, all sourced.
#[utoipa::path(get, path = "/api/figures", tag = "figures", responses((status = 200, body = Vec<FigureItem>)))]
pub async fn figures() -> Answer {
    let list: Vec<FigureItem> = FIGURES
        .iter()
        .map(|f| FigureItem {
            id: &f.id,
            name_zh: &f.indicator_zh,
            name_en: &f.indicator_en,
            year: f.year,
            value: f.value.as_deref(),
            unit: &f.unit,
            kind: &f.kind,
            definition_zh: &f.definition_zh,
            source_zh: &f.source_zh,
            source_date: &f.source_date,
            note_zh: &f.note_zh,
        })
        .collect();
    json(&list)
}

/// A signed record and what checking it found.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecordItem {
    /// The signed document with its proof.
    #[schema(value_type = Object)]
    record: Value,
    /// SHA-256 of the document.
    hash: String,
    /// Whether the signature fits, checked for this answer.
    signature: bool,
    /// Keys from the author up to the root.
    chain: Vec<ChainLink>,
    /// Why the record does not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<String>,
    /// Whether the number before it is held.
    gapless: bool,
}

/// A key in a chain of certificates.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChainLink {
    /// Institution.
    holder: String,
    /// Key.
    key: String,
}

/// One signed record, checked anew.
#[utoipa::path(get, path = "/api/records/{hash}", tag = "records", params(("hash" = String, Path, description = "SHA-256 of the document, hex")),
    responses((status = 200, body = RecordItem), (status = 404, description = "problem details")))]
pub async fn record(State(web): State<Web>, Path(hash): Path<String>) -> Answer {
    let mut tx = web.app.db.read().await.map_err(AppError::from)?;
    let (_, record) = crate::record::find(&mut tx, &hash, web.app.today()).await?;
    let trust = web.app.trust(&mut tx).await?;
    let checked = crate::record::check(&mut tx, &trust, &record).await?;
    json(&RecordItem {
        record: record.with_proof(),
        hash: record.hash.hex(),
        signature: checked.signature,
        chain: checked.chain.into_iter().map(|link| ChainLink { holder: link.holder, key: link.key }).collect(),
        refusal: checked.refusal,
        gapless: checked.gapless,
    })
}

/// How this node stands in the network.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NetworkItem {
    /// Name.
    name: String,
    /// Key.
    key: String,
    /// Key of the root.
    root: String,
    /// Place.
    region: String,
    /// Records held.
    records: i64,
    /// Hash of the public state.
    state: String,
    /// Until when withdrawals are known: the root's own signed word, else the last contact with a node above.
    checked_until: Option<String>,
    /// What is wrong with histories: forks, records that do not fit signed heads, missing numbers.
    problems: Vec<TroubleItem>,
    /// Files of resources held, and still to be fetched.
    files: FilesItem,
    /// Nodes above.
    parents: Vec<PeerItem>,
    /// Nodes below.
    children: Vec<PeerItem>,
    /// How far the latest public changes travelled.
    latest: Vec<ReachItem>,
}

/// Something wrong with the history of a key.
#[derive(Debug, Serialize, ToSchema)]
pub struct TroubleItem {
    /// The key.
    key: String,
    /// Its stream: trust, alert or lib.
    stream: String,
    /// `forked`, `differs` (from a signed head) or `missing`.
    what: &'static str,
    /// The number concerned, or the first of them.
    n: i64,
    /// How many numbers are concerned.
    count: i64,
}

impl From<&kepu_app::record::heads::Trouble> for TroubleItem {
    fn from(trouble: &kepu_app::record::heads::Trouble) -> Self {
        use kepu_app::record::heads::What;
        let (what, n, count) = match &trouble.what {
            What::Forked { n } => ("forked", *n, 1),
            What::Differs { n } => ("differs", *n, 1),
            What::Missing(ranges) => ("missing", ranges.first().map_or(0, |r| r.0), ranges.iter().map(|(from, to)| to - from + 1).sum()),
        };
        Self { key: trouble.key.0.clone(), stream: trouble.stream.to_string(), what, n, count }
    }
}

/// Files of resources at this node.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FilesItem {
    /// Held.
    here: i64,
    /// Their bytes.
    bytes: i64,
    /// Wanted and not here yet.
    wanted: i64,
    /// Their bytes.
    wanted_bytes: i64,
}

/// Another node.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PeerItem {
    /// Name.
    name: String,
    /// Fingerprint of its key.
    fingerprint: String,
    /// Last contact.
    last_seen: Option<String>,
}

/// How far a change travelled.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReachItem {
    /// Subject.
    id: String,
    /// Nodes below that said that they have it.
    reached: usize,
    /// Nodes below that should have it.
    of: usize,
}

/// The network as everybody may see it.
#[utoipa::path(get, path = "/api/network", tag = "network", responses((status = 200, body = NetworkItem)))]
pub async fn network(State(web): State<Web>) -> Answer {
    let overview = kepu_app::node::overview(&web.app).await?;
    let peer = |p: &kepu_store::peer::Peer| PeerItem { name: p.name.clone(), fingerprint: p.id.fingerprint(), last_seen: p.last_seen.map(iso) };
    json(&NetworkItem {
        name: overview.me.name,
        key: overview.me.id.0,
        root: overview.me.root.0,
        region: overview.me.region.to_string(),
        records: overview.me.records,
        state: overview.me.state,
        checked_until: overview.checked_until.map(iso),
        problems: overview.troubles.iter().map(TroubleItem::from).collect(),
        files: FilesItem {
            here: overview.files.totals.have,
            bytes: overview.files.totals.have_bytes,
            wanted: overview.files.totals.wanted,
            wanted_bytes: overview.files.totals.wanted_bytes,
        },
        parents: overview.parents.iter().map(peer).collect(),
        children: overview.children.iter().map(peer).collect(),
        latest: overview.latest.into_iter().map(|(row, reached, of)| ReachItem { id: row.id.0, reached, of }).collect(),
    })
}

/// An administrative division.
#[derive(Debug, Serialize, ToSchema)]
pub struct DivisionItem {
    /// Six digits (GB/T 2260).
    code: String,
    /// Name.
    name: &'static str,
}

/// The administrative divisions right below one.
#[utoipa::path(get, path = "/api/divisions", tag = "vocabularies", params(("parent" = Option<String>, Query, description = "Six digits; default 000000, the nation")),
    responses((status = 200, body = Vec<DivisionItem>), (status = 400, description = "problem details")))]
pub async fn divisions(req: Req) -> Answer {
    let parent = req.query.opt("parent").map_or(Ok(Region::NATION), Region::parse).map_err(|_| Problem::new(Kind::BadRequest).why("problem-region", &[]))?;
    let list: Vec<DivisionItem> = divisions_below(parent).into_iter().map(|org| DivisionItem { code: org.region.to_string(), name: &org.name }).collect();
    json(&list)
}

/// A word of a vocabulary.
#[derive(Debug, Serialize, ToSchema)]
pub struct TermItem {
    /// Stable id.
    id: String,
    /// Chinese name.
    zh: String,
    /// English name.
    en: String,
    /// schema.org type or role, rank, direction; where the vocabulary has one.
    #[serde(skip_serializing_if = "String::is_empty")]
    group: String,
}

/// A vocabulary: `fields`, `audiences`, `types`, `evidence`, `languages`, `licences`, `hazards`, `phases`.
#[utoipa::path(get, path = "/api/vocabularies/{name}", tag = "vocabularies", params(("name" = String, Path, description = "fields, audiences, types, evidence, languages, licences, hazards or phases")),
    responses((status = 200, body = Vec<TermItem>), (status = 404, description = "problem details")))]
pub async fn vocabulary(Path(name): Path<String>) -> Answer {
    let from = |vocabulary: &Vocabulary| -> Vec<TermItem> {
        vocabulary.terms().iter().map(|t| TermItem { id: t.id.clone(), zh: t.zh.clone(), en: t.en.clone(), group: t.group.clone() }).collect()
    };
    let list = match name.as_str() {
        "fields" => from(&FIELDS),
        "audiences" => from(&AUDIENCES),
        "types" => from(&RESOURCE_TYPES),
        "evidence" => from(&EVIDENCE),
        "languages" => from(&LANGUAGES),
        "hazards" => from(&HAZARDS),
        "phases" => from(&PHASES),
        "licences" => LICENCES.iter().map(|(id, zh)| TermItem { id: (*id).into(), zh: (*zh).into(), en: (*id).into(), group: String::new() }).collect(),
        _ => return Err(Problem::from(AppError::NotFound { what: "vocabulary", id: name })),
    };
    json(&list)
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Kepu",
        description = "Everything a page of a Kepu node shows, for programs. Errors are problem details (RFC 9457); their types are listed at /problems. Lists carry `next`. Every answer has an ETag."
    ),
    paths(
        listen::claims,
        listen::claim,
        dump::claims,
        listen::check,
        listen::check_long,
        listen::ask,
        listen::question,
        listen::cases,
        listen::case,
        create::resources,
        create::resource,
        search,
        suggest,
        figures,
        record,
        network,
        divisions,
        vocabulary,
        house::account,
        house::account_data,
        house::organisations,
        house::members,
        house::people,
        house::person,
        house::audit,
        work::jobs,
        work::imports,
        work::nodes,
        desk::desk,
        desk::drafts,
        desk::draft,
        desk::reviews,
        crate::create::queue::api_queue,
        crate::create::queue::api_fairness,
        desk::review,
        round::rounds,
        round::round,
        registry::registers,
        registry::register,
        registry::party,
        registry::talent,
        tipline::call,
        tipline::changes,
        tipline::topics,
        warning::take,
        warning::list,
        coordination::decisions,
        coordination::decision,
        coordination::inspections,
        coordination::inspection
    )
)]
struct Doc;

/// The description of the API, without an address of its own: programs use the one they fetched it from.
fn description() -> utoipa::openapi::OpenApi {
    Doc::openapi()
}

/// GET /api/openapi.json
pub async fn openapi() -> Answer {
    json(&description())
}

struct Operation {
    method: String,
    path: String,
    summary: String,
    params: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "api.html")]
struct DocsPage {
    s: Shell,
    operations: Vec<Operation>,
}

/// GET /api/docs: the operations as a page, read from the same description.
pub async fn docs(req: Req) -> Answer {
    let value = serde_json::to_value(description()).unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut operations = Vec::new();
    for (path, methods) in value["paths"].as_object().into_iter().flatten() {
        for (method, operation) in methods.as_object().into_iter().flatten() {
            let params = operation["parameters"].as_array().into_iter().flatten().map(|p| (text(&p["name"]), text(&p["description"]))).collect();
            let summary = if operation["summary"].is_null() { text(&operation["description"]) } else { text(&operation["summary"]) };
            operations.push(Operation { method: method.to_uppercase(), path: path.clone(), summary, params });
        }
    }
    let s = req.titled(req.shell.t("api-title"));
    let mut response = page(&DocsPage { operations, s });
    response.headers_mut().remove(header::ETAG);
    Ok(response)
}

/// Reads a claim's row with what a list shows of it.
pub(crate) async fn item(s: &Shell, tx: &mut Tx, web: &Web, row: &Row) -> Result<Item, AppError> {
    let trust = web.app.trust(tx).await?;
    Ok(Item::new(s, row, &trust))
}

/// Shorthand for handlers that answer with a status of their own.
pub(crate) fn with_status(answer: Answer, status: axum::http::StatusCode) -> Answer {
    answer.map(|mut response: Response| {
        *response.status_mut() = status;
        response
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_come_back_and_others_are_refused() {
        let cursor = write_cursor(1_234, "kepu:abcdefgh23/c-1");
        assert_eq!(read_cursor(&cursor).expect("cursor"), Some((1_234, "kepu:abcdefgh23/c-1".to_owned())));
        assert!(read_cursor("%%%").is_err() && read_cursor("AAAA").is_err());
        assert_eq!(read_cursor("").expect("none"), None);
    }

    #[test]
    fn the_description_names_its_version_and_every_operation() {
        let value = serde_json::to_value(description()).expect("json");
        assert!(value["openapi"].as_str().is_some_and(|v| v.starts_with("3.1")));
        assert_eq!(value["paths"].as_object().map(serde_json::Map::len), Some(48));
    }
}
