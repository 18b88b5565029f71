//! Members: the organisations one cares for, and for the security administrator all accounts and what is demanded of them.
//! One organisation is in `org`, one account in `person`; rights and deeds in `kepu-app::member` and `kepu-app::org`.

pub mod org;
pub mod person;

use crate::audit::file;
use crate::form::{Fields, Form};
use crate::line::{Choice, choices, csv_cell};
use crate::page::{Answer, Html, Req, Shell, page};
use crate::words::iso;
use crate::{Web, urls};
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use kepu_app::member::{self, Member, stale_before};
use kepu_app::{AppError, org as orgs};
use kepu_domain::access::{Action, ROLES, Role};
use kepu_domain::org::{Org, OrgKind};
use kepu_store::account::Filter;

/// Accounts on a page.
pub(crate) const SIZE: u32 = 50;

/// What an organisation is, in words.
pub fn kind_word(s: &Shell, kind: OrgKind) -> String {
    match kind {
        OrgKind::Division => s.t("org-division"),
        OrgKind::Territory => s.t("org-territory"),
        OrgKind::Sector => s.t("org-sector"),
    }
}

/// A link to an organisation.
pub struct OrgLine {
    href: String,
    name: String,
    kind: String,
    place: String,
    members: Option<i64>,
}

impl OrgLine {
    fn new(s: &Shell, org: &Org, members: Option<i64>) -> Self {
        Self {
            href: urls::member_org(&org.id),
            name: s.pick(&org.name, &org.name_en).to_owned(),
            kind: kind_word(s, org.kind),
            place: s.place_line(&org.region),
            members,
        }
    }
}

/// A row of a list of accounts.
pub struct Line {
    href: String,
    name: String,
    login: String,
    roles: String,
    seen: Html,
    totp: bool,
    state: &'static str,
}

/// The state of an account in one word: `disabled`, `first`, `stale` or none.
fn state(s: &Shell, member: &Member) -> &'static str {
    match &member.account {
        account if account.disabled => "member-disabled",
        account if account.must_change => "member-first",
        _ if member.is_stale(s.now) => "member-stale",
        _ => "",
    }
}

impl Line {
    /// From an account; `org`: its roles are all in one organisation that need not be named.
    fn new(s: &Shell, member: &Member, org: bool) -> Self {
        let roles = match org {
            true => s.list(member.seats.iter().map(|seat| s.role(&seat.role)).collect::<Vec<_>>().iter().map(String::as_str)),
            false => crate::account::own::by_org(s, &member.seats)
                .into_iter()
                .map(|(org, roles)| s.t2("org-roles", "org", org, "roles", roles))
                .collect::<Vec<_>>()
                .join(if s.is_en() { "; " } else { "；" }),
        };
        Self {
            href: urls::member(&member.account.id),
            name: member.account.name.clone(),
            login: member.account.login.clone(),
            roles,
            seen: member.last_seen.map_or_else(|| Html(crate::page::escape(&s.t("member-never"))), |at| s.day_ms(&at.as_millisecond())),
            totp: member.account.has_totp,
            state: state(s, member),
        }
    }
}

/// What the sentence above a list of accounts asks for.
pub(crate) fn filter(req: &Req) -> Filter {
    let show = req.query.get("show");
    Filter {
        org: None,
        role: Role::parse(req.query.get("role")),
        text: req.query.opt("q").map(|text| kepu_text::fold(&text.chars().take(60).collect::<String>())),
        unseen_since: (show == "stale").then(|| stale_before(req.shell.now)),
        disabled: show == "disabled",
        without_totp: show == "plain",
    }
}

/// The sentence above a list of accounts.
pub struct Sentence {
    q: String,
    show: Vec<Choice>,
    roles: Vec<Choice>,
}

impl Sentence {
    fn new(s: &Shell, query: &Fields, roles: &[Role]) -> Self {
        let states = ["stale", "disabled", "plain"].map(|word| (word.to_owned(), s.t(&format!("show-{word}"))));
        let words = roles.iter().map(|role| (role.as_str().to_owned(), s.role(role)));
        Self {
            q: query.get("q").to_owned(),
            show: choices(s.t("show-all"), states.into_iter(), query.get("show")),
            roles: choices(s.t("any-role"), words, query.get("role")),
        }
    }
}

#[derive(Template)]
#[template(path = "member/house.html")]
struct HousePage {
    s: Shell,
    own: Vec<OrgLine>,
    steward: bool,
    security: bool,
    q: String,
    found: Vec<OrgLine>,
    vacant: Vec<String>,
    name_first: String,
    demands: Vec<(Role, String, bool)>,
    done: bool,
}

/// GET /members
pub async fn house(State(web): State<Web>, req: Req) -> Answer {
    let house = orgs::house(&web.app, &req.actor, req.query.get("q")).await?;
    let s = req.titled(req.shell.t("members-title"));
    let (steward, security) = (s.may(Action::ManageMembers), s.may(Action::ManageSecurity));
    let first = house.vacant.contains(&Role::SecurityAdmin);
    let node = urls::member_org(&house.node);
    let names_admins = security || (first && house.own.iter().any(|(org, _)| org.id == house.node));
    Ok(page(&HousePage {
        own: house.own.iter().map(|(org, members)| OrgLine::new(&s, org, Some(*members))).collect(),
        q: req.query.get("q").to_owned(),
        found: house.found.iter().map(|org| OrgLine::new(&s, org, None)).collect(),
        vacant: house.vacant.iter().map(|role| s.role(role)).collect(),
        name_first: if names_admins { format!("{node}/add") } else { String::new() },
        demands: ROLES.iter().filter(|role| role.is_sensitive()).map(|role| (*role, s.role(role), house.demanded.contains(role))).collect(),
        done: req.query.get("done") == "demanded",
        steward,
        security,
        s,
    }))
}

/// POST /members/second-factor: of which roles a second factor is demanded.
pub async fn demand(State(web): State<Web>, req: Req, form: Form) -> Answer {
    let roles: Vec<Role> = form.all("role").iter().filter_map(|word| Role::parse(word)).collect();
    let deed = async {
        member::demand(&web.app, &req.actor, &roles).await?;
        Ok("/members?done=demanded".to_owned())
    };
    Ok(form.once::<AppError>(&web, deed).await?)
}

#[derive(Template)]
#[template(path = "member/people.html")]
struct PeoplePage {
    s: Shell,
    f: Sentence,
    lines: Vec<Line>,
    next: String,
    later: bool,
    csv: String,
}

/// GET /members/people: all accounts.
pub async fn people(State(web): State<Web>, req: Req) -> Answer {
    let filter = filter(&req);
    if req.query.get("format") == "csv" {
        return csv(&req.shell, &member::export(&web.app, &req.actor, &filter).await?);
    }
    let s = req.titled(req.shell.t("people-title"));
    let (members, next) = member::list(&web.app, &req.actor, &filter, req.query.opt("after"), SIZE).await?;
    Ok(page(&PeoplePage {
        f: Sentence::new(&s, &req.query, &ROLES),
        lines: members.iter().map(|member| Line::new(&s, member, false)).collect(),
        next: next.map(|after| s.here_with("after", &after)).unwrap_or_default(),
        later: req.query.opt("after").is_some(),
        csv: s.here_with("format", "csv"),
        s,
    }))
}

/// Accounts as a file, one row a role, so that a spreadsheet can count them.
pub(crate) fn csv(s: &Shell, members: &[Member]) -> Result<Response, crate::problem::Problem> {
    let mut out = String::from("\u{feff}login,name,organisation,organisation_id,role,role_name,last_sign_in,created,second_factor,state\r\n");
    for member in members {
        let seats: Vec<_> = if member.seats.is_empty() { vec![None] } else { member.seats.iter().map(Some).collect() };
        for seat in seats {
            let of = |read: fn(&kepu_store::member::Seat) -> String| seat.map(read).unwrap_or_default();
            let cells = [
                member.account.login.clone(),
                member.account.name.clone(),
                of(|seat| seat.org_name.clone()),
                of(|seat| seat.org.0.clone()),
                of(|seat| seat.role.as_str().to_owned()),
                seat.map(|seat| s.role(&seat.role)).unwrap_or_default(),
                member.last_seen.map(iso).unwrap_or_default(),
                iso(member.created_at),
                member.account.has_totp.to_string(),
                Some(state(s, member)).filter(|key| !key.is_empty()).map(|key| s.t(key)).unwrap_or_default(),
            ];
            out.push_str(&cells.map(|cell| csv_cell(&cell)).join(","));
            out.push_str("\r\n");
        }
    }
    Ok(file("text/csv; charset=utf-8", "kepu-members.csv", out))
}
