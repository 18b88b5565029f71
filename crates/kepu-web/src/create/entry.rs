//! One entry of the registry for those whom it concerns: the person it is about, its stewards, colleagues. Everything that can
//! be done with it stands here; its form is in `registry`, its public card in `party`.

use super::field::{Shown, shown};
use super::party::{Proof, proof};
use super::registry::attention_word;
use crate::Web;
use crate::form::{Form, with_header};
use crate::page::{Answer, Html, Req, Shell, page, page_with};
use crate::urls;
use crate::words::moment;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use kepu_app::AppError;
use kepu_app::create::party::{self, PartyView, Standing};
use kepu_app::create::registry::{self, Before};
use kepu_domain::create::card::NoCard;
use kepu_domain::create::party::{Party, PartyKind};
use kepu_domain::create::register::{Purpose, Registers};
use kepu_domain::ids::PartyId;

/// A purpose of consent with how the person stands to it.
struct Consent {
    id: String,
    name: String,
    text: String,
    given: bool,
    state: Html,
    /// When it was given, withdrawn, or that a new text asks for it anew.
    since: String,
    version: u32,
}

fn consent(s: &Shell, party: &Party, registers: &Registers, purpose: &Purpose) -> Consent {
    let last = party.consents.iter().rev().find(|c| c.purpose == purpose.id);
    let given = registers.consents(party, &purpose.id);
    let day = |at: jiff::Timestamp| s.day_text(jiff::tz::Offset::constant(8).to_datetime(at).date());
    let since = match last {
        Some(c) if given => s.t2("consent-given-on", "day", day(c.given), "version", c.version),
        Some(c) => match c.withdrawn {
            Some(at) => s.t1("consent-withdrawn-on", "day", day(at)),
            None => s.t1("consent-outdated", "version", c.version),
        },
        None => String::new(),
    };
    Consent {
        id: purpose.id.clone(),
        name: s.pick(&purpose.zh, &purpose.en).to_owned(),
        text: s.pick(&purpose.text_zh, &purpose.text_en).to_owned(),
        state: if given { s.state("true", s.t("consent-given")) } else { s.state("open", s.t("consent-none")) },
        given,
        since,
        version: purpose.version,
    }
}

/// A register that an entry is in or could be entered in.
struct Place {
    id: String,
    name: String,
    href: String,
    /// Whether the world sees the entry there.
    shown: bool,
    /// Whether somebody entered it (else it belongs there by what it is).
    entered: bool,
}

struct Change {
    at: Html,
    who: String,
    what: String,
}

struct Same {
    id: String,
    href: String,
    name: String,
    title: String,
}

#[derive(Template)]
#[template(path = "create/registry/show.html")]
struct ShowPage {
    s: Shell,
    path: String,
    done: String,
    own: bool,
    keeper: bool,
    name: String,
    summary: String,
    sample: bool,
    attention: Vec<String>,
    /// What confirming does, in words.
    until: String,
    confirm_first: bool,
    merged_into: String,
    card: String,
    no_card: String,
    values: Vec<Shown>,
    proofs: Vec<Proof>,
    consents: Vec<Consent>,
    inside: Vec<Place>,
    outside: Vec<Place>,
    same: Vec<Same>,
    history: Vec<Change>,
}

/// GET /registry/{id}
pub async fn show(State(web): State<Web>, req: Req, Path(id): Path<String>) -> Answer {
    show_entry(&web, &req, &PartyId(id)).await
}

#[derive(Template)]
#[template(path = "create/registry/none.html")]
struct NonePage {
    s: Shell,
}

/// GET /account/registry: one's own entry.
pub async fn mine(State(web): State<Web>, req: Req) -> Answer {
    match registry::mine(&web.app, &req.actor).await? {
        Some(id) => show_entry(&web, &req, &id).await,
        None => Ok(page(&NonePage { s: req.titled(req.shell.t("registry-mine")) })),
    }
}

/// The words of a change: which fields, or which deed.
fn change(s: &Shell, registers: &Registers, party: &Party, before: &Before) -> Change {
    let fields = registers.fields_of(party);
    let word = |id: &String| match id.as_str() {
        "consents" => s.t("registry-consents"),
        "registers" => s.t("registry-in"),
        "confirmed" => s.t("registry-confirmed"),
        "merged_into" => s.t("registry-merged"),
        other => fields.iter().find(|field| field.id == other).map_or_else(|| other.to_owned(), |field| field.label(s.lang.code()).to_owned()),
    };
    let words: Vec<String> = before.changed.iter().map(word).collect();
    Change { at: s.time(&moment(before.at)), who: before.who.clone(), what: s.list(words.iter().map(String::as_str)) }
}

fn places(s: &Shell, registers: &Registers, party: &Party, today: jiff::civil::Date) -> (Vec<Place>, Vec<Place>) {
    let seen: Vec<&str> = registers.shown_in(party, today).iter().map(|register| register.id.as_str()).collect();
    let (mut inside, mut outside) = (vec![], vec![]);
    for register in registers.registers.values().filter(|register| register.kinds.contains(&party.kind)) {
        let place = Place {
            id: register.id.clone(),
            name: register.name(s.lang.code()).to_owned(),
            href: urls::register(&register.id),
            shown: seen.contains(&register.id.as_str()),
            entered: party.registers.contains(&register.id),
        };
        if register.holds(party, today) || place.entered {
            inside.push(place);
        } else if register.entered {
            outside.push(place);
        }
    }
    (inside, outside)
}

async fn show_entry(web: &Web, req: &Req, id: &PartyId) -> Answer {
    let view = party::view(&web.app, &req.actor, id).await?;
    let definitions = web.app.definitions();
    let registers = &definitions.registers;
    let today = web.app.today();
    let PartyView { party, standing, .. } = &view;
    let own = *standing == Standing::Own;
    let s = req.titled(if own { req.shell.t("registry-mine") } else { party.name.clone() });
    let history = registry::history(&web.app, &req.actor, id).await?;
    let same = registry::perhaps_the_same(&web.app, &req.actor, id).await?;
    let (inside, outside) = places(&s, registers, party, today);
    let fields = registers.fields_of(party);
    let confirm_first = *standing != Standing::Colleague && view.until.is_none_or(|until| kepu_domain::create::register::days_between(today, until) <= 30);
    let page = ShowPage {
        path: urls::entry(&id.0),
        done: done(&s, req.query.get("done")),
        own,
        keeper: *standing == Standing::Keeper,
        name: party.name.clone(),
        summary: [party.title.as_str(), view.org_name.as_str(), &s.place_line(&party.region)]
            .into_iter()
            .filter(|t| !t.is_empty())
            .collect::<Vec<_>>()
            .join(" · "),
        sample: party.sample,
        attention: view.attention.iter().map(|kind| attention_word(&s, *kind)).collect(),
        until: match (party.confirmed, view.until) {
            (Some(day), Some(until)) => s.t2("registry-confirmed-until", "day", s.day_text(day), "until", s.day_text(until)),
            (Some(day), None) => s.t1("registry-confirmed-on", "day", s.day_text(day)),
            (None, _) => s.t("registry-never-confirmed"),
        },
        confirm_first,
        merged_into: party.merged_into.as_ref().map(|into| urls::entry(&into.0)).unwrap_or_default(),
        card: view.card.as_ref().map(|_| urls::party(&view.subject)).unwrap_or_default(),
        no_card: match &view.card {
            Ok(_) => String::new(),
            Err(NoCard::NotAgreed) => s.t("registry-no-card-agreed"),
            Err(NoCard::Stale) => s.t("registry-no-card-stale"),
            Err(NoCard::Merged) => s.t("registry-no-card-merged"),
        },
        values: shown(
            &s,
            registers,
            &fields,
            |id| if id == "org" { view.org_name.clone().into() } else { party.value(id) },
            &["name", "title", "qualifications", "sample"],
        ),
        proofs: party.qualifications.iter().map(|q| proof(&s, q, today)).collect(),
        consents: if party.kind == PartyKind::Person && *standing != Standing::Colleague {
            registers.purposes.iter().map(|purpose| consent(&s, party, registers, purpose)).collect()
        } else {
            vec![]
        },
        inside,
        outside,
        same: same.into_iter().map(|p| Same { href: urls::entry(&p.id.0), id: p.id.0, name: p.name, title: p.title }).collect(),
        history: history.iter().map(|before| change(&s, registers, party, before)).collect(),
        s,
    };
    // What stands here is about one person: no shared cache and no browser keeps it.
    Ok(with_header(page_with(StatusCode::OK, &page), header::CACHE_CONTROL, "no-store"))
}

fn done(s: &Shell, word: &str) -> String {
    match word {
        "added" => s.t("registry-done-added"),
        "saved" => s.t("registry-done-saved"),
        "confirmed" => s.t("registry-done-confirmed"),
        "given" => s.t("registry-done-given"),
        "withdrawn" => s.t("registry-done-withdrawn"),
        "verified" => s.t("registry-done-verified"),
        "entered" => s.t("registry-done-entered"),
        "left" => s.t("registry-done-left"),
        "merged" => s.t("registry-done-merged"),
        "unmerged" => s.t("registry-done-unmerged"),
        _ => String::new(),
    }
}

/// Runs a deed once and leads back to the entry, one's own to its own address.
async fn deed(web: &Web, req: &Req, id: &PartyId, form: &Form, word: &str, deed: impl Future<Output = Result<(), AppError>>) -> Answer {
    let deed = async {
        deed.await?;
        let own = registry::mine(&web.app, &req.actor).await?.as_ref() == Some(id);
        Ok(urls::with(&if own { "/account/registry".to_owned() } else { urls::entry(&id.0) }, &[("done", word)]))
    };
    Ok(form.once::<AppError>(web, deed).await?)
}

/// POST /registry/{id}/confirm: one tap.
pub async fn confirm(State(web): State<Web>, req: Req, Path(id): Path<String>, form: Form) -> Answer {
    let id = PartyId(id);
    deed(&web, &req, &id, &form, "confirmed", party::confirm(&web.app, &req.actor, &id)).await
}

/// POST /registry/{id}/consent
pub async fn consent_to(State(web): State<Web>, req: Req, Path(id): Path<String>, form: Form) -> Answer {
    let (id, given) = (PartyId(id), form.get("given") == "1");
    let run = party::consent(&web.app, &req.actor, &id, form.get("purpose"), given);
    deed(&web, &req, &id, &form, if given { "given" } else { "withdrawn" }, run).await
}

/// POST /registry/{id}/register: enters it in a register, or takes it out.
pub async fn register(State(web): State<Web>, req: Req, Path(id): Path<String>, form: Form) -> Answer {
    let (id, inside) = (PartyId(id), form.get("inside") == "1");
    let run = party::register(&web.app, &req.actor, &id, form.get("register"), inside);
    deed(&web, &req, &id, &form, if inside { "entered" } else { "left" }, run).await
}

/// POST /registry/{id}/verify: a steward has seen the proof.
pub async fn verify(State(web): State<Web>, req: Req, Path(id): Path<String>, form: Form) -> Answer {
    let id = PartyId(id);
    let at = form.int("at").and_then(|at| usize::try_from(at).ok()).unwrap_or(usize::MAX);
    deed(&web, &req, &id, &form, "verified", party::verify_qualification(&web.app, &req.actor, &id, at)).await
}

/// POST /registry/{id}/merge: the entry goes into another one.
pub async fn merge(State(web): State<Web>, req: Req, Path(id): Path<String>, form: Form) -> Answer {
    let (id, into) = (PartyId(id), PartyId::from(form.get("into")));
    deed(&web, &req, &into, &form, "merged", party::merge(&web.app, &req.actor, &id, &into)).await
}

/// POST /registry/{id}/unmerge
pub async fn unmerge(State(web): State<Web>, req: Req, Path(id): Path<String>, form: Form) -> Answer {
    let id = PartyId(id);
    deed(&web, &req, &id, &form, "unmerged", party::unmerge(&web.app, &req.actor, &id)).await
}

#[derive(Template)]
#[template(path = "create/registry/delete.html")]
struct DeletePage {
    s: Shell,
    path: String,
    back: String,
    name: String,
    own: bool,
}

/// GET /registry/{id}/delete: asks once more.
pub async fn delete_page(State(web): State<Web>, req: Req, Path(id): Path<String>) -> Answer {
    let view = party::view(&web.app, &req.actor, &PartyId(id)).await?;
    if view.standing == Standing::Colleague {
        return Err(AppError::from(kepu_domain::access::Denied::NoRole { action: kepu_domain::access::Action::ManageMembers }).into());
    }
    let own = view.standing == Standing::Own;
    let path = urls::entry(&view.party.id.0);
    let s = req.titled(req.shell.t("registry-delete"));
    Ok(page(&DeletePage { back: if own { "/account/registry".into() } else { path.clone() }, path, name: view.party.name, own, s }))
}

/// POST /registry/{id}/delete
pub async fn delete(State(web): State<Web>, req: Req, Path(id): Path<String>, form: Form) -> Answer {
    let id = PartyId(id);
    let run = async {
        let own = registry::mine(&web.app, &req.actor).await?.as_ref() == Some(&id);
        party::delete(&web.app, &req.actor, &id).await?;
        Ok(if own { "/account/registry".to_owned() } else { "/registry".to_owned() })
    };
    Ok(form.once::<AppError>(&web, run).await?)
}

/// GET /registry/{id}/data.json: everything the node holds about a person, for that person.
pub async fn data(State(web): State<Web>, req: Req, Path(id): Path<String>) -> Answer {
    let value = party::export(&web.app, &req.actor, &PartyId(id)).await?;
    let text = serde_json::to_string_pretty(&value).unwrap_or_default();
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"kepu-registry.json\""),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, text).into_response())
}
