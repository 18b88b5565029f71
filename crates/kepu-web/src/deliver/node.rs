//! Nodes as their operator sees them: this one, those above and below, invitations, what is missing, whose history forked.
//! What visitors may see is in `network`.

use crate::Web;
use crate::form::Form;
use crate::line::Choice;
use crate::page::{Answer, Errors, Html, Req, Shell, page, page_with};
use crate::place;
use askama::Template;
use axum::extract::State;
use axum::http::{StatusCode, header};
use kepu_app::job::{self, Kind};
use kepu_app::node::{self, Invitation};
use kepu_app::peering::{self, Health};
use kepu_app::{AppError, FieldError};
use kepu_domain::org::Region;
use kepu_domain::record::Stream;
use kepu_domain::trust::{KEY_ROLES, KeyRole};
use kepu_domain::vocabulary::FIELDS;
use kepu_store::peer::Peer;
use std::collections::BTreeSet;

/// Another node.
struct Node {
    name: String,
    key: String,
    digits: String,
    url: String,
    scope: String,
    seen: Html,
    /// Nothing heard for longer than a day.
    silent: bool,
    /// Records not confirmed yet.
    behind: i64,
    result: String,
    good: bool,
    until: String,
}

/// An invitation.
struct Invited {
    hash: String,
    name: String,
    place: String,
    roles: String,
    state: Html,
    time: Html,
    open: bool,
}

/// Something missing or forked.
struct Trouble {
    who: String,
    key: String,
    what: String,
    cure: String,
}

#[derive(Template)]
#[template(path = "deliver/nodes.html")]
struct NodesPage {
    s: Shell,
    name: String,
    key: String,
    digits: String,
    fingerprint: String,
    region: String,
    root: String,
    is_root: bool,
    records: i64,
    state: String,
    head: Html,
    checked: Html,
    parents: Vec<Node>,
    children: Vec<Node>,
    latest: Vec<(String, String, Html, usize, usize)>,
    invites: Vec<Invited>,
    holes: Vec<Trouble>,
    outside: i64,
    forks: Vec<Trouble>,
    form: InviteForm,
    errors: Errors,
    exchanging: bool,
}

/// What the form of an invitation holds.
#[derive(Default)]
struct InviteForm {
    name: String,
    provinces: Vec<Choice>,
    county: String,
    counties: Vec<String>,
    roles: Vec<Choice>,
    fields: Vec<Choice>,
    narrowed: bool,
}

fn role_word(s: &Shell, role: KeyRole) -> String {
    match role {
        KeyRole::Issuer => s.t("key-role-issuer"),
        KeyRole::Author => s.t("key-role-author"),
        KeyRole::Reviewer => s.t("key-role-reviewer"),
        KeyRole::Retractor => s.t("key-role-retractor"),
        KeyRole::Statistician => s.t("key-role-statistician"),
    }
}

fn stream_word(s: &Shell, stream: Stream) -> String {
    match stream {
        Stream::Trust => s.t("stream-trust"),
        Stream::Alert => s.t("stream-alert"),
        Stream::Lib => s.t("stream-lib"),
        Stream::Up => s.t("stream-up"),
    }
}

fn scope_words(s: &Shell, peer: &Peer) -> String {
    let scope = kepu_app::sync::read_scope(&peer.scope);
    let place = if scope.region == Region::NATION && scope.below { s.t("scope-all") } else { s.t1("scope-place", "place", s.place_line(&scope.region)) };
    let fields = if scope.fields.is_empty() { String::new() } else { s.fields(&scope.fields) };
    s.list([place.as_str(), fields.as_str()].into_iter().filter(|text| !text.is_empty()))
}

fn node(s: &Shell, health: &Health, peer: &Peer, behind: i64) -> Node {
    Node {
        name: peer.name.clone(),
        key: peer.id.fingerprint(),
        digits: peer.id.digits(),
        url: peer.url.clone(),
        scope: scope_words(s, peer),
        seen: peer.last_seen.map_or_else(|| Html(s.t("network-never")), |at| s.time(&at)),
        silent: peer.last_seen.is_none_or(|at| s.now.duration_since(at).as_hours() >= 24),
        behind,
        result: peer.last_result.clone(),
        good: peer.went_well(),
        until: health.until.get(&peer.id).filter(|until| until.year() < 9000).map(|until| s.day_text(*until)).unwrap_or_default(),
    }
}

fn invited(s: &Shell, invite: &kepu_store::invite::Invite) -> Invited {
    let over = invite.expires_at <= s.now;
    let state = match (&invite.used_by, over) {
        (Some(key), _) => s.state("true", s.t1("invite-used", "key", key.fingerprint())),
        (None, true) => s.state("open", s.t("invite-over")),
        (None, false) => s.state("now", s.t1("invite-open", "left", s.left(invite.expires_at))),
    };
    let roles: Vec<String> = invite.roles.iter().map(|role| role_word(s, *role)).collect();
    Invited {
        hash: invite.token_hash.clone(),
        name: if invite.name.is_empty() { s.t("invite-unnamed") } else { invite.name.clone() },
        place: s.place_line(&invite.region),
        roles: s.list(roles.iter().map(String::as_str)),
        state,
        time: s.time(&invite.created_at),
        open: invite.used_by.is_none(),
    }
}

fn holes(s: &Shell, health: &Health) -> Vec<Trouble> {
    let hole = |hole: &peering::Hole| Trouble {
        who: if hole.holder.is_empty() { s.t("network-unknown-holder") } else { hole.holder.clone() },
        key: hole.key.fingerprint(),
        what: s.t3("hole-what", "stream", stream_word(s, hole.stream), "from", hole.from, "to", hole.to),
        cure: s.t("hole-cure"),
    };
    health.holes.iter().map(hole).collect()
}

fn forks(s: &Shell, health: &Health) -> Vec<Trouble> {
    let fork = |fork: &peering::Fork| Trouble {
        who: if fork.holder.is_empty() { s.t("network-unknown-holder") } else { fork.holder.clone() },
        key: fork.key.fingerprint(),
        what: s.t2("fork-what", "stream", stream_word(s, fork.stream), "n", fork.n),
        cure: if fork.ours_to_decide { s.t("fork-cure-ours") } else { s.t("fork-cure") },
    };
    health.forks.iter().map(fork).collect()
}

fn invite_form(web: &Web, s: &Shell, typed: Option<&Form>) -> InviteForm {
    let own = web.settings.region;
    let province = typed.map_or_else(|| own.chain().get(1).map(Region::to_string).unwrap_or_default(), |form| form.get("province").to_owned());
    let chosen = typed.map_or_else(|| vec!["author".to_owned(), "reviewer".to_owned()], |form| form.all("roles"));
    let fields = typed.map(|form| form.all("fields")).unwrap_or_default();
    InviteForm {
        name: typed.map(|form| form.get("name").to_owned()).unwrap_or_default(),
        provinces: place::provinces(s, &province),
        county: typed.map(|form| form.get("county").to_owned()).unwrap_or_default(),
        counties: place::counties(own),
        roles: KEY_ROLES
            .into_iter()
            .map(|role| Choice { value: role.as_str().into(), text: role_word(s, role), on: chosen.iter().any(|c| c == role.as_str()) })
            .collect(),
        fields: FIELDS
            .terms()
            .iter()
            .map(|term| Choice { value: term.id.clone(), text: s.field(&term.id).to_owned(), on: fields.contains(&term.id) })
            .collect(),
        narrowed: !fields.is_empty(),
    }
}

async fn nodes_page(web: &Web, req: &Req, status: StatusCode, typed: Option<&Form>, errors: &[FieldError]) -> Answer {
    let s = req.titled(req.shell.t("nodes-title"));
    let health = peering::health(&web.app, &req.actor).await?;
    let me = &health.overview.me;
    let mut tx = web.app.db.read().await.map_err(AppError::from)?;
    let exchanging = kepu_store::job::count_waiting(&mut tx, Kind::Exchange.as_str()).await.map_err(AppError::from)? > 0;
    drop(tx);
    let reach = |(row, reached, of): &(kepu_store::subject::Row, usize, usize)| {
        (crate::urls::of_kind(&row.kind, &row.id), crate::line::title_of(&s, row), s.time_ms(&row.modified), *reached, *of)
    };
    Ok(page_with(
        status,
        &NodesPage {
            name: me.name.clone(),
            key: me.id.0.clone(),
            digits: me.id.digits(),
            fingerprint: me.id.fingerprint(),
            region: s.place_line(&me.region),
            root: me.root.0.clone(),
            is_root: me.root == me.id,
            records: me.records,
            state: me.state.clone(),
            head: health.head.map_or_else(|| Html(s.t("nodes-no-head")), |at| s.time(&at)),
            checked: health.overview.checked_until.map_or_else(|| Html(s.t("network-never")), |at| s.time(&at)),
            parents: health.overview.parents.iter().map(|peer| node(&s, &health, peer, (health.arrivals - peer.push_cursor).max(0))).collect(),
            children: health.overview.children.iter().map(|peer| node(&s, &health, peer, (health.arrivals - peer.acked).max(0))).collect(),
            latest: health.overview.latest.iter().map(reach).collect(),
            invites: health.invites.iter().map(|invite| invited(&s, invite)).collect(),
            holes: holes(&s, &health),
            outside: health.outside,
            forks: forks(&s, &health),
            form: invite_form(web, &s, typed),
            errors: s.errors(errors),
            exchanging,
            s,
        },
    ))
}

/// GET /nodes
pub async fn show(State(web): State<Web>, req: Req) -> Answer {
    nodes_page(&web, &req, StatusCode::OK, None, &[]).await
}

#[derive(Template)]
#[template(path = "deliver/invited.html")]
struct InvitedPage {
    s: Shell,
    name: String,
    word: String,
    place: String,
    command: String,
}

fn invitation(form: &Form) -> Result<Invitation, AppError> {
    let region = place::read(form.get("province"), form.get("county")).map_err(|error| AppError::Invalid(vec![error]))?;
    let roles: BTreeSet<KeyRole> = form.all("roles").iter().filter_map(|word| KeyRole::parse(word)).collect();
    let fields: BTreeSet<String> = form.all("fields").into_iter().filter(|id| FIELDS.find(id).is_some()).collect();
    let name = kepu_text::clean_line(form.get("name"));
    let limit = kepu_domain::text::Limit { field: "name", ..kepu_domain::text::NAME };
    limit.check(kepu_text::count(&name))?;
    Ok(Invitation { name, region, roles, fields })
}

/// POST /nodes/invite: shows the word once. A second sending of the same form leads to the list: the word is kept nowhere.
pub async fn invite(State(web): State<Web>, req: Req, form: Form) -> Answer {
    let mut made = None;
    let deed = async {
        let invitation = invitation(&form)?;
        let shown = (invitation.name.clone(), invitation.region);
        made = Some((shown, node::invite(&web.app, &req.actor, invitation).await?));
        Ok::<_, AppError>("/nodes#invitations".to_owned())
    };
    let response = match form.once(&web, deed).await {
        Err(AppError::Invalid(errors)) => return nodes_page(&web, &req, StatusCode::UNPROCESSABLE_ENTITY, Some(&form), &errors).await,
        other => other?,
    };
    let Some(((name, region), token)) = made else { return Ok(response) };
    let s = req.titled(req.shell.t("invited-title"));
    let word = token.write();
    let command = format!("kepu node join --data kepu-data {word} --url {}", s.origin);
    let shown = page(&InvitedPage { name, place: s.place_line(&region), word, command, s });
    Ok(crate::form::with_header(shown, header::CACHE_CONTROL, "no-store"))
}

/// POST /nodes/revoke: takes back an invitation that nobody used.
pub async fn revoke(State(web): State<Web>, req: Req, form: Form) -> Answer {
    let deed = async {
        peering::take_back(&web.app, &req.actor, form.get("invitation")).await?;
        Ok::<_, AppError>("/nodes#invitations".to_owned())
    };
    Ok(form.once(&web, deed).await?)
}

/// POST /nodes/exchange: asks for an exchange with all parents now.
pub async fn exchange(State(web): State<Web>, req: Req, form: Form) -> Answer {
    let deed = async {
        match job::ask_for(&web.app, &req.actor, Kind::Exchange).await {
            // One that waits already is what was asked for.
            Ok(()) | Err(AppError::Stale { .. }) => Ok("/nodes".to_owned()),
            Err(error) => Err(error),
        }
    };
    Ok(form.once(&web, deed).await?)
}
