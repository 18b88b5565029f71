//! The registry for its stewards: the list with what each entry asks for, adding and changing entries through forms that the
//! definitions draw, names that stand twice, export. One entry with everything that can be done with it is in `entry`.

use super::field;
use super::register::{Row, row};
use crate::Web;
use crate::form::{Fields, Form};
use crate::line::{Choice, choices, region_choices};
use crate::page::{Answer, Errors, Pager, Req, Shell, page, page_with};
use crate::{place, urls};
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use kepu_app::create::find::{Scope, Search};
use kepu_app::create::party::{self, PartyView, Standing};
use kepu_app::create::{export, registry};
use kepu_app::{AppError, FieldError};
use kepu_domain::create::attention::Attention;
use kepu_domain::create::party::{PARTY_KINDS, Party, PartyKind};
use kepu_domain::field::FieldDef;
use kepu_domain::ids::{OrgId, PartyId};
use kepu_domain::org::Region;

/// Rows on a page.
const SIZE: usize = 30;
/// Groups of names on a page.
const GROUPS: u32 = 30;

/// The word for something that an entry asks for.
pub(crate) fn attention_word(s: &Shell, attention: Attention) -> String {
    match attention {
        Attention::Stale => s.t("attention-stale"),
        Attention::Soon => s.t("attention-soon"),
        Attention::Unverified => s.t("attention-unverified"),
        Attention::Lapsing => s.t("attention-lapsing"),
        Attention::NotAgreed => s.t("attention-not_agreed"),
    }
}

struct Line {
    row: Row,
    attention: Vec<String>,
    registers: String,
}

#[derive(Template)]
#[template(path = "create/registry/list.html")]
struct ListPage {
    s: Shell,
    q: String,
    registers: Vec<Choice>,
    kinds: Vec<Choice>,
    states: Vec<Choice>,
    regions: Vec<Choice>,
    lines: Vec<Line>,
    total: usize,
    first: usize,
    last: usize,
    pager: Pager,
    /// Export of the register chosen, or empty.
    csv: String,
    narrowed: bool,
}

/// GET /registry
pub async fn list(State(web): State<Web>, req: Req) -> Answer {
    let (definitions, query) = (web.app.definitions(), &req.query);
    let registers = &definitions.registers;
    let s = req.titled(req.shell.t("registry-title"));
    let kind = PartyKind::parse(query.get("kind"));
    let search = Search {
        register: query.get("register").chars().take(40).collect(),
        filters: kind.map(|kind| ("kind".to_owned(), vec![kind.as_str().to_owned()])).into_iter().collect(),
        region: query.opt("region").and_then(|code| Region::parse(code).ok()).filter(|region| *region != Region::NATION),
        text: kepu_text::clean_line(query.get("q")).chars().take(80).collect(),
        attention: Attention::parse(query.get("state")),
        ..Search::default()
    };
    let at = req.page_number();
    let skip = (at - 1) * SIZE;
    let (found, total) = registry::list(&web.app, &req.actor, &Search { skip, limit: SIZE, ..search.clone() }).await?;
    let counts = registry::counts(&web.app, &req.actor, &search).await?;
    let name = |id: &String| registers.registers.get(id).map(|register| register.name(s.lang.code()));
    let lines = found.iter().map(|one| Line {
        row: row(&s, Scope::Entries, &[], &one.found),
        attention: one.attention.iter().map(|kind| attention_word(&s, *kind)).collect(),
        registers: s.list(one.registers.iter().filter_map(name)),
    });
    let states = counts.into_iter().map(|(kind, n)| (kind.as_str().to_owned(), format!("{} {n}", attention_word(&s, kind))));
    let listed = registers.registers.values().map(|register| (register.id.clone(), register.name(s.lang.code()).to_owned()));
    let kinds = registers.kinds.values().map(|kind| (kind.kind.as_str().to_owned(), s.pick(&kind.zh, &kind.en).to_owned()));
    Ok(page(&ListPage {
        q: query.get("q").to_owned(),
        registers: choices(s.t("registry-any-register"), listed, query.get("register")),
        kinds: choices(s.t("registry-any-kind"), kinds, query.get("kind")),
        states: choices(s.t("registry-any-state"), states, query.get("state")),
        regions: region_choices(&s, web.settings.region, query.get("region")),
        lines: lines.collect(),
        first: skip + 1,
        last: skip + found.len(),
        total,
        pager: Pager::new(&s, at, SIZE, total),
        csv: if registers.registers.contains_key(&search.register) {
            urls::with("/registry/export.csv", &[("register", &search.register)])
        } else {
            String::new()
        },
        narrowed: ["q", "register", "kind", "state", "region"].iter().any(|name| query.opt(name).is_some()),
        s,
    }))
}

/// GET /registry/export.csv?register=…: everything its keepers hold of a register, for `kepu import` and the import page.
pub async fn export_csv(State(web): State<Web>, req: Req) -> Answer {
    let register = req.query.get("register").chars().take(40).collect::<String>();
    let mut text = String::new();
    export::export(&web.app, &req.actor, &register, &mut |part| {
        text.push_str(part);
        Ok(())
    })
    .await?;
    Ok(crate::line::attachment(&format!("kepu-registry-{register}.csv"), text).into_response())
}

/// What a form is for.
struct Target {
    /// The entry as stored, or an empty one.
    party: Party,
    /// The version that the form changes; 0 for a new entry.
    version: i64,
    /// The register that a new entry is for.
    register: String,
    own: bool,
}

/// A field in which somebody else's saved version differs from what stands in the form.
struct Difference {
    label: String,
    theirs: String,
    mine: String,
}

#[derive(Template)]
#[template(path = "create/registry/edit.html")]
struct EditPage {
    s: Shell,
    action: String,
    back: String,
    back_word: String,
    errors: Errors,
    version: i64,
    kind: &'static str,
    register: String,
    fields: Vec<field::Input>,
    differences: Vec<Difference>,
    counties: Vec<String>,
    personal: bool,
}

async fn edit_page(
    web: &Web,
    req: &Req,
    status: StatusCode,
    target: &Target,
    form: Option<&Fields>,
    errors: &[FieldError],
    differences: Vec<Difference>,
) -> Answer {
    let definitions = web.app.definitions();
    let registers = &definitions.registers;
    let party = &target.party;
    let fresh = target.version == 0;
    let asked: Vec<&FieldDef> = asked(target, registers);
    let orgs = if target.own {
        vec![]
    } else {
        registry::orgs(&web.app, &req.actor, &party.org)
            .await?
            .into_iter()
            .map(|org| (org.id.0.clone(), req.shell.pick(&org.name, &org.name_en).to_owned()))
            .collect()
    };
    let stored = field::typed(&req.shell, party, &asked);
    let register = registers.registers.get(&target.register);
    let title = match (fresh, register) {
        (true, Some(register)) => req.shell.t1("registry-new-in", "register", register.name(req.shell.lang.code())),
        (true, None) => req.shell.t("registry-new"),
        (false, _) => req.shell.t1("registry-edit-of", "name", &party.name),
    };
    let s = req.titled(title);
    let (back, back_word) = match (fresh, target.own) {
        (true, _) => ("/registry".to_owned(), s.t("registry-title")),
        (false, true) => ("/account/registry".to_owned(), s.t("registry-mine")),
        (false, false) => (urls::entry(&party.id.0), party.name.clone()),
    };
    Ok(page_with(
        status,
        &EditPage {
            action: if fresh { "/registry/new".to_owned() } else { format!("{}/edit", urls::entry(&party.id.0)) },
            back,
            back_word,
            errors: field::explained(&s, &asked, errors),
            version: target.version,
            kind: party.kind.as_str(),
            register: target.register.clone(),
            fields: field::inputs(&s, registers, &asked, form.unwrap_or(&stored), &orgs),
            differences,
            counties: place::counties(web.settings.region),
            personal: party.kind.is_personal(),
            s,
        },
    ))
}

/// The fields of a form: a person does not move their own entry to another institution.
fn asked<'a>(target: &Target, registers: &'a kepu_domain::create::register::Registers) -> Vec<&'a FieldDef> {
    field::asked(&target.party, registers).into_iter().filter(|field| !(target.own && field.id == "org")).collect()
}

/// The empty entry that a form for a new one begins with: register, kind and institution come with the address or the form.
async fn blank(web: &Web, req: &Req, from: &Fields) -> Result<Target, AppError> {
    let definitions = web.app.definitions();
    let register = definitions.registers.registers.get(from.get("register"));
    let first = register.and_then(|register| register.kinds.first()).copied().unwrap_or_default();
    let kind = PartyKind::parse(from.get("kind")).filter(|kind| register.is_none_or(|register| register.kinds.contains(kind))).unwrap_or(first);
    let orgs = registry::orgs(&web.app, &req.actor, &OrgId::from(from.get("org"))).await?;
    let org = orgs.iter().find(|org| org.id.0 == from.get("org")).or(orgs.first());
    let party = Party {
        kind,
        org: org.map_or_else(|| OrgId(String::new()), |org| org.id.clone()),
        region: org.map_or(Region::NATION, |org| org.region),
        registers: register.filter(|register| register.entered).map(|register| register.id.clone()).into_iter().collect(),
        available: true,
        monthly_ceiling: if kind.is_personal() { 4 } else { 0 },
        ..Party::default()
    };
    Ok(Target { party, version: 0, register: register.map_or_else(String::new, |register| register.id.clone()), own: false })
}

struct Way {
    href: String,
    name: String,
    lead: String,
    kinds: String,
}

#[derive(Template)]
#[template(path = "create/registry/ways.html")]
struct WaysPage {
    s: Shell,
    ways: Vec<Way>,
    kinds: Vec<(String, String)>,
}

/// GET /registry/new: first which register, then the form.
pub async fn new_page(State(web): State<Web>, req: Req) -> Answer {
    if req.query.opt("register").is_some() || req.query.opt("kind").is_some() {
        let target = blank(&web, &req, &req.query).await?;
        return edit_page(&web, &req, StatusCode::OK, &target, None, &[], vec![]).await;
    }
    let definitions = web.app.definitions();
    let registers = &definitions.registers;
    let s = req.titled(req.shell.t("registry-new"));
    let ways = registers.registers.values().flat_map(|register| {
        register.kinds.iter().filter_map(|kind| registers.kinds.get(kind)).map(|kind| Way {
            href: urls::with("/registry/new", &[("register", &register.id), ("kind", kind.kind.as_str())]),
            name: register.name(s.lang.code()).to_owned(),
            lead: s.pick(&register.lead_zh, &register.lead_en).to_owned(),
            kinds: s.pick(&kind.zh, &kind.en).to_owned(),
        })
    });
    let kinds = PARTY_KINDS.iter().filter_map(|kind| registers.kinds.get(kind));
    let kinds = kinds.map(|kind| (urls::with("/registry/new", &[("kind", kind.kind.as_str())]), s.pick(&kind.zh, &kind.en).to_owned())).collect();
    Ok(page(&WaysPage { ways: ways.collect(), kinds, s }))
}

/// POST /registry/new
pub async fn create(State(web): State<Web>, req: Req, form: Form) -> Answer {
    let head = Fields([("register", "_register"), ("kind", "_kind"), ("org", "org")].map(|(name, from)| (name.to_owned(), form.get(from).to_owned())).into());
    let target = blank(&web, &req, &head).await?;
    if form.opt("_more").is_some() {
        return edit_page(&web, &req, StatusCode::OK, &target, Some(form.fields()), &[], vec![]).await;
    }
    let definitions = web.app.definitions();
    let (values, errors) = field::read(&asked(&target, &definitions.registers), form.fields());
    let deed = async {
        if !errors.is_empty() {
            return Err(AppError::Invalid(errors));
        }
        let (org, kind) = (target.party.org.clone(), target.party.kind);
        let id = party::add(&web.app, &req.actor, &org, kind, Some(&target.register), values).await?;
        Ok(urls::with(&urls::entry(&id.0), &[("done", "added")]))
    };
    match form.once(&web, deed).await {
        Err(AppError::Invalid(errors)) => edit_page(&web, &req, StatusCode::UNPROCESSABLE_ENTITY, &target, Some(form.fields()), &errors, vec![]).await,
        other => Ok(other?),
    }
}

fn target_of(view: PartyView) -> Result<Target, AppError> {
    if view.standing == Standing::Colleague {
        return Err(kepu_domain::access::Denied::NoRole { action: kepu_domain::access::Action::ManageMembers }.into());
    }
    Ok(Target { own: view.standing == Standing::Own, version: view.version, party: view.party, register: String::new() })
}

/// GET /registry/{id}/edit
pub async fn edit(State(web): State<Web>, req: Req, Path(id): Path<String>) -> Answer {
    let target = target_of(party::view(&web.app, &req.actor, &PartyId(id)).await?)?;
    edit_page(&web, &req, StatusCode::OK, &target, None, &[], vec![]).await
}

/// POST /registry/{id}/edit. If somebody else has saved in between, the form comes back with what was typed, the other's words
/// beside it, and the next sending counts.
pub async fn save(State(web): State<Web>, req: Req, Path(id): Path<String>, form: Form) -> Answer {
    let id = PartyId(id);
    let target = target_of(party::view(&web.app, &req.actor, &id).await?)?;
    let seen = form.int("version").unwrap_or_default();
    if form.opt("_more").is_some() {
        return edit_page(&web, &req, StatusCode::OK, &Target { version: seen.max(1), ..target }, Some(form.fields()), &[], vec![]).await;
    }
    let definitions = web.app.definitions();
    let registers = &definitions.registers;
    let (values, errors) = field::read(&asked(&target, registers), form.fields());
    let done = if target.own { urls::with("/account/registry", &[("done", "saved")]) } else { urls::with(&urls::entry(&id.0), &[("done", "saved")]) };
    let deed = async {
        if !errors.is_empty() {
            return Err(AppError::Invalid(errors));
        }
        party::save(&web.app, &req.actor, &id, seen, values).await?;
        Ok(done)
    };
    match form.once(&web, deed).await {
        Err(AppError::Invalid(errors)) => {
            // The version seen stays: a mistake mended later must not overwrite what somebody saved meanwhile.
            edit_page(&web, &req, StatusCode::UNPROCESSABLE_ENTITY, &Target { version: seen.max(1), ..target }, Some(form.fields()), &errors, vec![]).await
        }
        Err(AppError::Stale { .. }) => {
            let now = target_of(party::view(&web.app, &req.actor, &id).await?)?;
            let fields = asked(&now, registers);
            let (mine, _) = field::read(&fields, form.fields());
            let differences = fields.iter().filter_map(|field| {
                let (theirs, mine) = (now.party.value(&field.id), mine.iter().find(|(id, _)| *id == field.id).map(|(_, value)| value.clone())?);
                let shown =
                    |value| Some(field::show(&req.shell, field, value)).filter(|text| !text.is_empty()).unwrap_or_else(|| req.shell.t("registry-not-said"));
                (theirs != mine).then(|| Difference { label: field.label(req.shell.lang.code()).to_owned(), theirs: shown(&theirs), mine: shown(&mine) })
            });
            let differences: Vec<Difference> = differences.collect();
            edit_page(&web, &req, StatusCode::CONFLICT, &now, Some(form.fields()), &[], differences).await
        }
        other => Ok(other?),
    }
}

struct Double {
    id: String,
    href: String,
    name: String,
    summary: String,
}

#[derive(Template)]
#[template(path = "create/registry/doubles.html")]
struct DoublesPage {
    s: Shell,
    groups: Vec<Vec<Double>>,
    next: String,
}

/// GET /registry/doubles: names that stand twice.
pub async fn doubles(State(web): State<Web>, req: Req) -> Answer {
    let s = req.titled(req.shell.t("registry-doubles"));
    let groups = registry::doubles(&web.app, &req.actor, req.query.get("after"), GROUPS).await?;
    let next = groups.last().filter(|_| groups.len() == GROUPS as usize).and_then(|group| group.first()).map(|(party, _)| kepu_text::fold(&party.name));
    let one = |(party, org): &(Party, String)| Double {
        id: party.id.0.clone(),
        href: urls::entry(&party.id.0),
        name: party.name.clone(),
        summary: [party.title.as_str(), org.as_str(), &s.place_line(&party.region)].into_iter().filter(|t| !t.is_empty()).collect::<Vec<_>>().join(" · "),
    };
    let groups = groups.iter().map(|group| group.iter().map(one).collect()).collect();
    Ok(page(&DoublesPage { groups, next: next.map(|name| s.here_with("after", &name)).unwrap_or_default(), s }))
}

#[cfg(test)]
mod tests {
    use crate::i18n::{Lang, exists};
    use kepu_domain::create::attention::ATTENTIONS;

    #[test]
    fn every_state_has_words_in_both_languages() {
        for kind in ATTENTIONS {
            let key = format!("attention-{}", kind.as_str());
            assert!(exists(Lang::Zh, &key) && exists(Lang::En, &key), "{key}");
        }
    }
}
