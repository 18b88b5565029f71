//! One organisation: its members, adding one, and organisations below it.

use super::{Line, OrgLine, SIZE, Sentence, csv, filter, kind_word};
use crate::form::Form;
use crate::line::Choice;
use crate::page::{Answer, Errors, Req, Shell, page, page_with, random_id};
use crate::{Web, urls};
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use kepu_app::account::{NewAccount, secret};
use kepu_app::org::NewOrg;
use kepu_app::{AppError, FieldError, member, org as orgs};
use kepu_domain::access::{ROLES, Role};
use kepu_domain::ids::{OrgId, PartyId};
use kepu_domain::org::OrgKind;
use kepu_store::account::Filter;

#[derive(Template)]
#[template(path = "member/org.html")]
struct OrgPage {
    s: Shell,
    name: String,
    kind: String,
    place: String,
    path: String,
    above: Vec<(String, String)>,
    below: Vec<OrgLine>,
    members: i64,
    f: Sentence,
    lines: Vec<Line>,
    next: String,
    later: bool,
    csv: String,
    grants: bool,
    fixed: bool,
    steward: bool,
}

/// GET /members/orgs/{id}
pub async fn show(State(web): State<Web>, req: Req, Path(id): Path<String>) -> Answer {
    let id = OrgId(id);
    let filter = Filter { org: Some(id.clone()), ..filter(&req) };
    if req.query.get("format") == "csv" {
        return csv(&req.shell, &member::export(&web.app, &req.actor, &filter).await?);
    }
    let view = orgs::view(&web.app, &req.actor, &id).await?;
    let (members, next) = member::list(&web.app, &req.actor, &filter, req.query.opt("after"), SIZE).await?;
    let name = req.shell.pick(&view.org.name, &view.org.name_en).to_owned();
    let s = req.titled(name.clone());
    Ok(page(&OrgPage {
        name,
        kind: kind_word(&s, view.org.kind),
        place: s.place_line(&view.org.region),
        path: urls::member_org(&id),
        above: view.above.iter().rev().map(|org| (urls::member_org(&org.id), s.pick(&org.name, &org.name_en).to_owned())).collect(),
        below: view.below.iter().map(|org| OrgLine::new(&s, org, None)).collect(),
        members: view.members,
        f: Sentence::new(&s, &req.query, &ROLES),
        lines: members.iter().map(|member| Line::new(&s, member, true)).collect(),
        next: next.map(|after| s.here_with("after", &after)).unwrap_or_default(),
        later: req.query.opt("after").is_some(),
        csv: s.here_with("format", "csv"),
        grants: !view.grants.is_empty(),
        fixed: view.org.kind == OrgKind::Division,
        steward: view.grants.iter().any(|role| !role.is_admin()),
        s,
    }))
}

#[derive(Template)]
#[template(path = "member/add.html")]
struct AddPage {
    s: Shell,
    org: String,
    path: String,
    errors: Errors,
    known: bool,
    login: String,
    name: String,
    roles: Vec<(Role, String, String, bool)>,
    parties: Vec<Choice>,
}

async fn show_add(web: &Web, req: &Req, id: &OrgId, status: StatusCode, form: Option<&Form>, errors: &[FieldError]) -> Answer {
    let view = orgs::view(&web.app, &req.actor, id).await?;
    let s = req.titled(req.shell.t("member-add"));
    let typed = |name: &str| form.map_or_else(String::new, |form| form.get(name).to_owned());
    let ticked = form.map_or_else(Vec::new, |form| form.all("role"));
    let hint = |role: &Role| s.t(&format!("role-hint-{}", role.as_str()));
    let parties = view.parties.iter().map(|party| (party.id.0.clone(), format!("{} {}", party.name, party.title)));
    Ok(page_with(
        status,
        &AddPage {
            org: s.pick(&view.org.name, &view.org.name_en).to_owned(),
            path: urls::member_org(id),
            errors: s.errors(errors),
            known: typed("known") == "1",
            login: typed("login"),
            name: typed("name"),
            roles: view.grants.iter().map(|role| (*role, s.role(role), hint(role), ticked.iter().any(|word| word == role.as_str()))).collect(),
            parties: crate::line::choices(s.t("party-none"), parties, &typed("party")),
            s,
        },
    ))
}

/// GET /members/orgs/{id}/add
pub async fn add_page(State(web): State<Web>, req: Req, Path(id): Path<String>) -> Answer {
    show_add(&web, &req, &OrgId(id), StatusCode::OK, None, &[]).await
}

/// Random letters of the form, or new ones: what first passwords are made from.
pub(crate) fn nonce(form: &Form) -> String {
    form.opt("_once").filter(|id| id.len() <= 64 && id.bytes().all(|b| b.is_ascii_alphanumeric())).map_or_else(random_id, str::to_owned)
}

/// POST /members/orgs/{id}/add: a new account, or roles for somebody who has one.
pub async fn add(State(web): State<Web>, req: Req, Path(id): Path<String>, form: Form) -> Answer {
    let org = OrgId(id);
    let roles: Vec<Role> = form.all("role").iter().filter_map(|word| Role::parse(word)).collect();
    let login = kepu_text::clean_line(form.get("login"));
    let deed = async {
        if form.get("known") == "1" {
            let id = member::grant_by_login(&web.app, &req.actor, &login, &org, &roles).await?;
            return Ok(urls::with(&urls::member(&id), &[("done", "granted")]));
        }
        let nonce = nonce(&form);
        let password = secret::first_password(&web.app, &nonce, &login);
        let party = form.opt("party").map(PartyId::from);
        let new = NewAccount { login: login.clone(), name: form.get("name").to_owned(), password, party, must_change: true };
        let id = member::add(&web.app, &req.actor, &org, new, &roles).await?;
        let seal = secret::seal(&web.app, "first password", &nonce, &id.0);
        Ok(urls::with(&urls::member(&id), &[("done", "added"), ("first", &seal)]))
    };
    match form.once(&web, deed).await {
        Err(AppError::Invalid(errors)) => show_add(&web, &req, &org, StatusCode::UNPROCESSABLE_ENTITY, Some(&form), &errors).await,
        other => Ok(other?),
    }
}

#[derive(Template)]
#[template(path = "member/org_form.html")]
struct OrgFormPage {
    s: Shell,
    /// The organisation above a new one, or the one that is renamed.
    org: String,
    path: String,
    action: &'static str,
    errors: Errors,
    name: String,
    name_en: String,
    kind: String,
    version: i64,
}

/// GET /members/orgs/{id}/new
pub async fn new_page(State(web): State<Web>, req: Req, Path(id): Path<String>) -> Answer {
    show_form(&web, &req, &OrgId(id), "new", StatusCode::OK, None, &[]).await
}

/// GET /members/orgs/{id}/rename
pub async fn rename_page(State(web): State<Web>, req: Req, Path(id): Path<String>) -> Answer {
    show_form(&web, &req, &OrgId(id), "rename", StatusCode::OK, None, &[]).await
}

async fn show_form(web: &Web, req: &Req, id: &OrgId, action: &'static str, status: StatusCode, form: Option<&Form>, errors: &[FieldError]) -> Answer {
    let view = orgs::view(&web.app, &req.actor, id).await?;
    let renaming = action == "rename";
    let s = req.titled(req.shell.t(if renaming { "org-rename" } else { "org-new" }));
    let typed = |name: &str, before: &str| form.map_or_else(|| if renaming { before.to_owned() } else { String::new() }, |form| form.get(name).to_owned());
    let page = OrgFormPage {
        org: s.pick(&view.org.name, &view.org.name_en).to_owned(),
        path: urls::member_org(id),
        action,
        errors: s.errors(errors),
        name: typed("org_name", &view.org.name),
        name_en: typed("org_name_en", &view.org.name_en),
        kind: form.map_or("territory", |form| form.get("org_kind")).to_owned(),
        version: form.and_then(|form| form.int("version")).unwrap_or(view.version),
        s,
    };
    Ok(page_with(status, &page))
}

/// POST /members/orgs/{id}/new
pub async fn new(State(web): State<Web>, req: Req, Path(id): Path<String>, form: Form) -> Answer {
    let parent = OrgId(id);
    let kind = OrgKind::parse(form.get("org_kind")).unwrap_or(OrgKind::Territory);
    let new = NewOrg { kind, name: form.get("org_name").to_owned(), name_en: form.get("org_name_en").to_owned() };
    let deed = async { Ok(urls::member_org(&orgs::add(&web.app, &req.actor, &parent, &new).await?)) };
    let result = form.once(&web, deed).await;
    again(&web, &req, &parent, "new", &form, result).await
}

/// POST /members/orgs/{id}/rename
pub async fn rename(State(web): State<Web>, req: Req, Path(id): Path<String>, form: Form) -> Answer {
    let id = OrgId(id);
    let version = form.int("version").unwrap_or_default();
    let deed = async {
        orgs::rename(&web.app, &req.actor, &id, form.get("org_name"), form.get("org_name_en"), version).await?;
        Ok(urls::member_org(&id))
    };
    let result = form.once(&web, deed).await;
    again(&web, &req, &id, "rename", &form, result).await
}

async fn again(web: &Web, req: &Req, id: &OrgId, action: &'static str, form: &Form, result: Result<Response, AppError>) -> Answer {
    match result {
        Err(AppError::Invalid(errors)) => show_form(web, req, id, action, StatusCode::UNPROCESSABLE_ENTITY, Some(form), &errors).await,
        other => Ok(other?),
    }
}
