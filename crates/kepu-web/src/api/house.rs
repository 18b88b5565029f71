//! The API of people and the house, for a session that is signed in: one's own account, members, the audit log. Same rights as
//! the pages; what changes something is done on them.

use super::{json, limit_of, read_cursor, write_cursor};
use crate::Web;
use crate::page::{Answer, Req};
use crate::words::iso;
use axum::extract::{Path, State};
use kepu_app::account::own;
use kepu_app::audit::{self as log, Checked};
use kepu_app::{member, org as orgs};
use kepu_domain::account::Owes;
use kepu_domain::ids::{AccountId, OrgId};
use kepu_domain::log::Entry;
use kepu_domain::org::Org;
use kepu_store::account::Filter;
use kepu_store::member::Seat;
use serde::Serialize;
use utoipa::ToSchema;

/// A role in an organisation.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SeatItem {
    /// Organisation, its id.
    org: String,
    /// Its name.
    org_name: String,
    /// `contributor`, `reviewer`, `editor`, `duty_officer`, `steward`, `statistician`, `system_admin`, `security_admin`, `audit_admin`.
    role: &'static str,
}

fn seats(list: &[Seat]) -> Vec<SeatItem> {
    list.iter().map(|seat| SeatItem { org: seat.org.0.clone(), org_name: seat.org_name.clone(), role: seat.role.as_str() }).collect()
}

/// One's own account.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccountItem {
    /// Id, as in the audit log.
    id: String,
    /// Sign-in name.
    login: String,
    /// Name shown.
    name: String,
    /// Roles.
    roles: Vec<SeatItem>,
    /// Whether a second factor is set up.
    second_factor: bool,
    /// What must be done before anything else: `password` or `second_factor`.
    #[serde(skip_serializing_if = "Option::is_none")]
    owes: Option<&'static str>,
    /// When the session ends if nothing is done.
    idle_at: String,
    /// When it ends whatever is done.
    expires: String,
    /// Open sessions.
    sessions: Vec<SessionItem>,
}

/// A browser that is signed in.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SessionItem {
    /// Since when.
    since: String,
    /// Used last.
    last_used: String,
    /// Whether it is the one that asks.
    this: bool,
}

/// One's own account, roles and open sessions.
#[utoipa::path(get, path = "/api/account", tag = "house", responses((status = 200, body = AccountItem), (status = 401, description = "problem details")))]
pub async fn account(State(web): State<Web>, req: Req) -> Answer {
    let who = req.signed_in()?;
    let view = own::view(&web.app, who, req.token.as_deref().unwrap_or_default()).await?;
    json(&AccountItem {
        id: who.account.id.0.clone(),
        login: who.account.login.clone(),
        name: who.account.name.clone(),
        roles: seats(&view.seats),
        second_factor: who.account.has_totp,
        owes: who.owes.map(|owes| match owes {
            Owes::Password => "password",
            Owes::SecondFactor => "second_factor",
        }),
        idle_at: iso(who.idle_at),
        expires: iso(who.expires),
        sessions: view.sessions.iter().map(|s| SessionItem { since: iso(s.since), last_used: iso(s.seen), this: s.this }).collect(),
    })
}

/// Everything that is held about oneself.
#[utoipa::path(get, path = "/api/account/data", tag = "house", responses((status = 200, description = "kepu-account-1", body = Object), (status = 401, description = "problem details")))]
pub async fn account_data(State(web): State<Web>, req: Req) -> Answer {
    json(&own::export(&web.app, req.signed_in()?).await?)
}

/// An organisation.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrgItem {
    /// Id; a division's is its code (GB/T 2260).
    id: String,
    /// Chinese name.
    name: String,
    /// English name, perhaps empty.
    name_en: String,
    /// `division`, `territory` or `sector`.
    kind: &'static str,
    /// The organisation above.
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<String>,
    /// Place, six digits.
    region: String,
    /// How many members it has, where that is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    members: Option<i64>,
}

impl OrgItem {
    fn new(org: &Org, members: Option<i64>) -> Self {
        Self {
            id: org.id.0.clone(),
            name: org.name.clone(),
            name_en: org.name_en.clone(),
            kind: org.kind.as_str(),
            parent: org.parent.as_ref().map(|parent| parent.0.clone()),
            region: org.region.to_string(),
            members,
        }
    }
}

/// The organisations one cares for, or what `q` finds among them and below.
#[utoipa::path(get, path = "/api/members", tag = "house", params(("q" = Option<String>, Query, description = "Part of a name")),
    responses((status = 200, body = Vec<OrgItem>), (status = 403, description = "problem details")))]
pub async fn organisations(State(web): State<Web>, req: Req) -> Answer {
    let house = orgs::house(&web.app, &req.actor, req.query.get("q")).await?;
    let list: Vec<OrgItem> = match req.query.opt("q") {
        Some(_) => house.found.iter().map(|org| OrgItem::new(org, None)).collect(),
        None => house.own.iter().map(|(org, members)| OrgItem::new(org, Some(*members))).collect(),
    };
    json(&list)
}

/// An account with its roles.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MemberItem {
    /// Id.
    id: String,
    /// Sign-in name.
    login: String,
    /// Name shown.
    name: String,
    /// Roles, as far as the session may know of them.
    roles: Vec<SeatItem>,
    /// The last sign-in.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_sign_in: Option<String>,
    /// When it was made.
    created: String,
    /// Whether a second factor is set up.
    second_factor: bool,
    /// Whether it cannot sign in.
    disabled: bool,
    /// Whether the first password is still in use.
    first_password: bool,
    /// Whether nobody signed in for 90 days.
    stale: bool,
}

impl MemberItem {
    fn new(req: &Req, member: &member::Member) -> Self {
        let account = &member.account;
        Self {
            id: account.id.0.clone(),
            login: account.login.clone(),
            name: account.name.clone(),
            roles: seats(&member.seats),
            last_sign_in: member.last_seen.map(iso),
            created: iso(member.created_at),
            second_factor: account.has_totp,
            disabled: account.disabled,
            first_password: account.must_change,
            stale: member.is_stale(req.shell.now),
        }
    }
}

/// A page of accounts.
#[derive(Debug, Serialize, ToSchema)]
pub struct Members {
    /// The rows.
    items: Vec<MemberItem>,
    /// Cursor of the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
    /// Address of the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

async fn page(web: &Web, req: &Req, filter: &Filter) -> Answer {
    let after = read_cursor(req.query.get("cursor"))?.map(|(_, login)| login);
    let limit = u32::try_from(limit_of(req)).unwrap_or(1);
    let (members, next) = member::list(&web.app, &req.actor, filter, after.as_deref(), limit).await?;
    let cursor = next.map(|login| write_cursor(0, &login));
    let s = &req.shell;
    let next = cursor.as_ref().map(|cursor| format!("{}{}", s.origin, s.here_with("cursor", cursor)));
    json(&Members { items: members.iter().map(|member| MemberItem::new(req, member)).collect(), cursor, next })
}

/// The members of an organisation.
#[utoipa::path(get, path = "/api/members/orgs/{id}", tag = "house", params(
    ("id" = String, Path, description = "Id of the organisation"),
    ("q" = Option<String>, Query, description = "Part of a name or sign-in name"),
    ("role" = Option<String>, Query, description = "Role"),
    ("show" = Option<String>, Query, description = "stale, disabled, or plain: without a second factor"),
    ("limit" = Option<usize>, Query, description = "Rows of a page, at most 200"),
    ("cursor" = Option<String>, Query, description = "From the page before"),
), responses((status = 200, body = Members), (status = 403, description = "problem details"), (status = 404, description = "problem details")))]
pub async fn members(State(web): State<Web>, req: Req, Path(id): Path<String>) -> Answer {
    page(&web, &req, &Filter { org: Some(OrgId(id)), ..crate::member::filter(&req) }).await
}

/// All accounts.
#[utoipa::path(get, path = "/api/members/people", tag = "house", params(
    ("q" = Option<String>, Query, description = "Part of a name or sign-in name"),
    ("role" = Option<String>, Query, description = "Role"),
    ("show" = Option<String>, Query, description = "stale, disabled, or plain: without a second factor"),
    ("limit" = Option<usize>, Query, description = "Rows of a page, at most 200"),
    ("cursor" = Option<String>, Query, description = "From the page before"),
), responses((status = 200, body = Members), (status = 403, description = "problem details")))]
pub async fn people(State(web): State<Web>, req: Req) -> Answer {
    page(&web, &req, &crate::member::filter(&req)).await
}

/// One account.
#[utoipa::path(get, path = "/api/members/people/{id}", tag = "house", params(("id" = String, Path, description = "Id")),
    responses((status = 200, body = MemberItem), (status = 404, description = "problem details")))]
pub async fn person(State(web): State<Web>, req: Req, Path(id): Path<String>) -> Answer {
    let person = member::person(&web.app, &req.actor, &AccountId(id)).await?;
    json(&MemberItem::new(&req, &person.member))
}

/// An entry of the audit log.
#[derive(Debug, Serialize, ToSchema)]
pub struct EntryItem {
    /// Number in the chain.
    seq: i64,
    /// When.
    at: String,
    /// Who, as `account:…`, `operator`, `job:…`, `peer:…`, `visitor`.
    who: String,
    /// What, a short dotted word.
    action: String,
    /// The same as a sentence, in the reader's language.
    text: String,
    /// On what.
    object: String,
    /// `ok` or `refused`.
    result: String,
    /// Further facts as JSON text.
    #[serde(skip_serializing_if = "String::is_empty")]
    detail: String,
}

impl EntryItem {
    fn new(req: &Req, entry: Entry) -> Self {
        let text = crate::audit::sentence(&req.shell, &entry.action);
        let Entry { seq, at, who, action, object, result, detail } = entry;
        Self { seq, at: iso(at), who, action, text, object, result, detail }
    }
}

/// What the last check of the log found.
#[derive(Debug, Serialize, ToSchema)]
pub struct CheckItem {
    /// When.
    at: String,
    /// Whether nothing is wrong.
    whole: bool,
    /// Entries, if the chain is whole.
    entries: i64,
    /// Hash of the last one.
    head: String,
    /// Number of the first broken entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    broken: Option<i64>,
    /// `missing`, `detached` or `changed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'static str>,
    /// Daily anchors that fit.
    anchors: usize,
    /// Days whose anchors do not fit.
    wrong: Vec<String>,
}

impl From<Checked> for CheckItem {
    fn from(c: Checked) -> Self {
        Self {
            whole: c.is_whole(),
            at: iso(c.at),
            entries: c.entries,
            head: c.head,
            broken: c.broken.map(|(seq, _)| seq),
            cause: c.broken.map(|(_, cause)| cause.as_str()),
            anchors: c.anchors,
            wrong: c.wrong.into_iter().map(|(day, _)| day).collect(),
        }
    }
}

/// A page of the audit log, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct Entries {
    /// The rows.
    items: Vec<EntryItem>,
    /// The last check of the whole log.
    #[serde(skip_serializing_if = "Option::is_none")]
    checked: Option<CheckItem>,
    /// Cursor of the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
    /// Address of the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// The audit log.
#[utoipa::path(get, path = "/api/audit", tag = "house", params(
    ("who" = Option<String>, Query, description = "Actor, or a sign-in name"),
    ("action" = Option<String>, Query, description = "Dotted word"),
    ("object" = Option<String>, Query, description = "On what"),
    ("result" = Option<String>, Query, description = "ok or refused"),
    ("from" = Option<String>, Query, description = "First day, China time"),
    ("to" = Option<String>, Query, description = "Last day, China time"),
    ("limit" = Option<usize>, Query, description = "Rows of a page, at most 200"),
    ("cursor" = Option<String>, Query, description = "From the page before"),
), responses((status = 200, body = Entries), (status = 403, description = "problem details")))]
pub async fn audit(State(web): State<Web>, req: Req) -> Answer {
    let (who, limit) = (&req.actor, limit_of(&req));
    let filter = crate::audit::filter(&web, who, &req.query).await?;
    let before = read_cursor(req.query.get("cursor"))?.map(|(seq, _)| seq);
    let mut entries = log::list(&web.app, who, &filter, before, u32::try_from(limit + 1).unwrap_or(u32::MAX)).await?;
    let more = entries.len() > limit;
    entries.truncate(limit);
    let cursor = entries.last().filter(|_| more).map(|last| write_cursor(last.seq, "-"));
    let s = &req.shell;
    let next = cursor.as_ref().map(|cursor| format!("{}{}", s.origin, s.here_with("cursor", cursor)));
    let checked = log::last_check(&web.app, who).await?.map(CheckItem::from);
    json(&Entries { items: entries.into_iter().map(|entry| EntryItem::new(&req, entry)).collect(), checked, cursor, next })
}
