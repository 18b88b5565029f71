//! One account as stewards and the security administrator see it, and what they may do for it.

use super::org::nonce;
use crate::form::Form;
use crate::line::{Choice, choices};
use crate::page::{Answer, Errors, Html, Req, Shell, page_with};
use crate::{Web, urls};
use askama::Template;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use kepu_app::account::secret;
use kepu_app::member::{self, Person};
use kepu_app::{AppError, FieldError, org as orgs};
use kepu_domain::access::{Action, Role};
use kepu_domain::ids::{AccountId, OrgId, PartyId};

struct SeatLine {
    org: String,
    org_id: String,
    role: String,
    word: &'static str,
    revocable: bool,
}

#[derive(Template)]
#[template(path = "member/person.html")]
struct PersonPage {
    s: Shell,
    p: Person,
    path: String,
    done: &'static str,
    first: String,
    errors: Errors,
    seats: Vec<SeatLine>,
    seen: Html,
    created: Html,
    locked: Html,
    orgs: Vec<Choice>,
    roles: Vec<Choice>,
    parties: Vec<Choice>,
    security: bool,
    stale: bool,
}

/// Organisations in which the actor may give this person a role, and their people of the registry.
async fn places(web: &Web, req: &Req, person: &Person) -> Result<(Vec<(String, String)>, Vec<(String, String)>), AppError> {
    let (s, house) = (&req.shell, orgs::house(&web.app, &req.actor, "").await?);
    let mut ids: Vec<OrgId> = house.own.iter().map(|(org, _)| org.id.clone()).collect();
    ids.extend(person.member.seats.iter().map(|seat| seat.org.clone()));
    ids.sort();
    ids.dedup();
    let (mut places, mut people) = (vec![], vec![]);
    for id in ids {
        let view = orgs::view(&web.app, &req.actor, &id).await?;
        if !view.grants.is_empty() {
            places.push((id.0, s.pick(&view.org.name, &view.org.name_en).to_owned()));
        }
        if view.grants.iter().any(|role| !role.is_admin()) {
            people.extend(view.parties.into_iter().map(|party| (party.id.0, format!("{} {}", party.name, party.title))));
        }
    }
    if let Some((id, name)) = person.party.as_ref().filter(|(id, _)| !people.iter().any(|(known, _)| *known == id.0)) {
        people.push((id.0.clone(), name.clone()));
    }
    Ok((places, people))
}

async fn show_person(web: &Web, req: &Req, id: &AccountId, status: StatusCode, errors: &[FieldError]) -> Answer {
    let person = member::person(&web.app, &req.actor, id).await?;
    let (places, people) = places(web, req, &person).await?;
    let s = req.titled(person.member.account.name.clone());
    let security = s.may(Action::ManageSecurity);
    let account = &person.member.account;
    // Shown while the link that the deed led to is fresh, and only until its owner has chosen another.
    let fresh = secret::unseal(&web.app, "first password", req.query.get("first"), &id.0).filter(|_| account.must_change);
    let seat = |seat: &kepu_store::member::Seat| SeatLine {
        org: s.pick(&seat.org_name, &seat.org_name_en).to_owned(),
        org_id: seat.org.0.clone(),
        role: s.role(&seat.role),
        word: seat.role.as_str(),
        revocable: person.revocable.contains(&(seat.org.clone(), seat.role)),
    };
    let roles = person.grantable.iter();
    let never = || Html(crate::page::escape(&s.t("member-never")));
    let page = PersonPage {
        path: urls::member(id),
        done: done(req.query.get("done")),
        first: fresh.map(|nonce| secret::first_password(&web.app, nonce, &account.login)).unwrap_or_default(),
        errors: s.errors(errors),
        seats: person.member.seats.iter().map(seat).collect(),
        seen: person.member.last_seen.map_or_else(never, |at| s.time(&at)),
        created: s.time(&person.member.created_at),
        locked: person.locked.map_or_else(Html::default, |until| s.time(&until)),
        roles: choices(s.t("role-choose"), roles.map(|role| (role.as_str().to_owned(), s.role(role))), ""),
        orgs: places.into_iter().map(|(value, text)| Choice { on: false, value, text }).collect(),
        parties: choices(s.t("party-none"), people.into_iter(), account.party.as_ref().map_or("", PartyId::as_str)),
        stale: person.member.is_stale(s.now),
        security,
        p: person,
        s,
    };
    Ok(crate::form::with_header(page_with(status, &page), header::CACHE_CONTROL, "no-store"))
}

fn done(word: &str) -> &'static str {
    match word {
        "added" => "done-added",
        "granted" => "done-granted",
        "revoked" => "done-revoked",
        "described" => "done-described",
        "disabled" => "done-disabled",
        "enabled" => "done-enabled",
        "unlocked" => "done-unlocked",
        "password" => "done-reset",
        "second-factor" => "done-factor-reset",
        _ => "",
    }
}

/// GET /members/people/{id}
pub async fn show(State(web): State<Web>, req: Req, Path(id): Path<String>) -> Answer {
    show_person(&web, &req, &AccountId(id), StatusCode::OK, &[]).await
}

/// Runs a deed once and leads back to the account, with what was done; errors of fields stand on the account's page.
async fn deed(web: &Web, req: &Req, id: &AccountId, form: &Form, word: &str, deed: impl Future<Output = Result<(), AppError>>) -> Answer {
    let deed = async {
        deed.await?;
        Ok(urls::with(&urls::member(id), &[("done", word)]))
    };
    match form.once(web, deed).await {
        Err(AppError::Invalid(errors)) => show_person(web, req, id, StatusCode::UNPROCESSABLE_ENTITY, &errors).await,
        other => Ok(other?),
    }
}

fn seat_of(form: &Form) -> Result<(OrgId, Role), AppError> {
    let role = Role::parse(form.get("role")).ok_or_else(|| AppError::Invalid(vec![FieldError::new("role", "role_missing")]))?;
    Ok((OrgId::from(form.get("org")), role))
}

/// POST /members/people/{id}/grant
pub async fn grant(State(web): State<Web>, req: Req, Path(id): Path<String>, form: Form) -> Answer {
    let id = AccountId(id);
    let run = async {
        let (org, role) = seat_of(&form)?;
        // Administrators are about the node, wherever the form was.
        let org = if role.is_admin() { orgs::house(&web.app, &req.actor, "").await?.node } else { org };
        member::grant(&web.app, &req.actor, &id, &org, role).await
    };
    deed(&web, &req, &id, &form, "granted", run).await
}

/// POST /members/people/{id}/revoke
pub async fn revoke(State(web): State<Web>, req: Req, Path(id): Path<String>, form: Form) -> Answer {
    let id = AccountId(id);
    let result = form
        .once(&web, async {
            let (org, role) = seat_of(&form)?;
            member::revoke(&web.app, &req.actor, &id, &org, role).await?;
            // Without its last role here the account may be out of sight.
            let visible = member::person(&web.app, &req.actor, &id).await.is_ok();
            Ok(if visible { urls::with(&urls::member(&id), &[("done", "revoked")]) } else { urls::member_org(&org) })
        })
        .await;
    match result {
        Err(AppError::Invalid(errors)) => show_person(&web, &req, &id, StatusCode::UNPROCESSABLE_ENTITY, &errors).await,
        other => Ok(other?),
    }
}

/// POST /members/people/{id}/describe: name and registry entry.
pub async fn describe(State(web): State<Web>, req: Req, Path(id): Path<String>, form: Form) -> Answer {
    let id = AccountId(id);
    let run = member::describe(&web.app, &req.actor, &id, form.get("name"), form.opt("party").map(PartyId::from));
    deed(&web, &req, &id, &form, "described", run).await
}

/// POST /members/people/{id}/disable
pub async fn disable(State(web): State<Web>, req: Req, Path(id): Path<String>, form: Form) -> Answer {
    let id = AccountId(id);
    deed(&web, &req, &id, &form, "disabled", member::disable(&web.app, &req.actor, &id)).await
}

/// POST /members/people/{id}/enable
pub async fn enable(State(web): State<Web>, req: Req, Path(id): Path<String>, form: Form) -> Answer {
    let id = AccountId(id);
    deed(&web, &req, &id, &form, "enabled", member::enable(&web.app, &req.actor, &id)).await
}

/// POST /members/people/{id}/unlock
pub async fn unlock(State(web): State<Web>, req: Req, Path(id): Path<String>, form: Form) -> Answer {
    let id = AccountId(id);
    deed(&web, &req, &id, &form, "unlocked", member::unlock(&web.app, &req.actor, &id)).await
}

/// POST /members/people/{id}/second-factor: removes it.
pub async fn second_factor(State(web): State<Web>, req: Req, Path(id): Path<String>, form: Form) -> Answer {
    let id = AccountId(id);
    deed(&web, &req, &id, &form, "second-factor", member::reset_totp(&web.app, &req.actor, &id)).await
}

/// POST /members/people/{id}/password: a new first password, shown after.
pub async fn password(State(web): State<Web>, req: Req, Path(id): Path<String>, form: Form) -> Answer {
    let id = AccountId(id);
    let run = async {
        let login = member::person(&web.app, &req.actor, &id).await?.member.account.login;
        let nonce = nonce(&form);
        member::reset_password(&web.app, &req.actor, &id, &secret::first_password(&web.app, &nonce, &login)).await?;
        let seal = secret::seal(&web.app, "first password", &nonce, &id.0);
        Ok(urls::with(&urls::member(&id), &[("done", "password"), ("first", &seal)]))
    };
    Ok(form.once::<AppError>(&web, run).await?)
}
