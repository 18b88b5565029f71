//! The public card of a party: what it agreed to show, from its signed record. The entry behind it is in `entry`, lists of cards
//! are in `register`.

use super::field::{Shown, shown};
use crate::Web;
use crate::page::{Answer, Html, Req, Shell, page};
use crate::problem::Problem;
use crate::subject::{Event, Found, find, json_ld};
use crate::urls;
use askama::Template;
use axum::extract::{Path, State};
use kepu_app::create::registry;
use kepu_domain::create::card::Card;
use kepu_domain::create::party::{Party, Qualification};
use kepu_domain::field::FieldDef;
use kepu_domain::record::Body;
use serde_json::Value;

/// A qualification as a card shows it.
pub(crate) struct Proof {
    pub(crate) what: String,
    pub(crate) issuer: String,
    pub(crate) fields: String,
    pub(crate) until: Html,
    pub(crate) state: Html,
    /// Who has seen it and when, or empty.
    pub(crate) seen: String,
}

pub(crate) fn proof(s: &Shell, q: &Qualification, today: jiff::civil::Date) -> Proof {
    let lapsed = q.until.is_some_and(|until| until < today);
    Proof {
        what: q.what.clone(),
        issuer: q.issuer.clone(),
        fields: s.fields(&q.fields),
        until: q.until.map_or_else(Html::default, |day| s.date(&day)),
        state: match (&q.verified, lapsed) {
            (_, true) => s.state("false", s.t("registry-q-lapsed")),
            (Some(_), false) => s.state("true", s.t("registry-q-verified")),
            (None, false) => s.state("open", s.t("registry-q-unverified")),
        },
        seen: q.verified.as_ref().map_or_else(String::new, |v| s.t2("registry-q-seen", "who", &v.by, "day", s.day_text(v.on))),
    }
}

#[derive(Template)]
#[template(path = "create/register/card.html")]
struct CardPage {
    s: Shell,
    name: String,
    other_name: String,
    summary: String,
    sample: bool,
    place: String,
    about: String,
    values: Vec<Shown>,
    proofs: Vec<Proof>,
    registers: Vec<(String, String)>,
    confirmed: Html,
    expires: Html,
    consents: String,
    holder: String,
    record: String,
    json: String,
    row_id: String,
    history: Vec<Event>,
    versions: usize,
    /// Whether it is the reader's own.
    mine: bool,
}

/// GET /party/{owner}/{local}
pub async fn show(State(web): State<Web>, req: Req, Path((owner, local)): Path<(String, String)>) -> Answer {
    let subject = match find(&web, &req, "party", &owner, &local).await? {
        Found::Here(subject) => *subject,
        Found::Other(response) => return Ok(response),
    };
    let Ok(Body::Party(card)) = &subject.record.body else { return Err(Problem::not_found()) };
    let today = web.app.today();
    if card.expires < today {
        // Nobody has said for too long that it is still right: it hides itself, on every node, without a word from its owner.
        return Err(Problem::not_found());
    }
    let definitions = web.app.definitions();
    let registers = &definitions.registers;
    let fields = fields_of(card, registers);
    let mut s = req.titled(req.shell.pick(&card.name, &card.name_en));
    let engines = if card.kind.is_personal() { "<meta name=\"robots\" content=\"noindex\">" } else { "" };
    s.head = Html(format!("{engines}{}", json_ld(&subject.record)));
    let value = |id: &str| card.values.get(id).cloned().unwrap_or(Value::Null);
    let proofs: Vec<Qualification> = serde_json::from_value(value("qualifications")).unwrap_or_default();
    let named = |id: &String| registers.registers.get(id).map(|register| (urls::register(id), register.name(s.lang.code()).to_owned()));
    let purposes = card.consents.iter().map(|(id, version)| {
        let name = registers.purpose(id).map_or(id.as_str(), |purpose| s.pick(&purpose.zh, &purpose.en));
        s.t2("registry-consent-v", "purpose", name, "version", version)
    });
    let mine = match registry::mine(&web.app, &req.actor).await? {
        Some(id) => kepu_app::create::party::subject_of(&web.app, &id) == subject.row.id,
        None => false,
    };
    Ok(page(&CardPage {
        name: s.title.clone(),
        other_name: if s.is_en() { card.name.clone() } else { card.name_en.clone() },
        summary: [s.pick(card.text("title"), card.text("title_en")), card.org.as_str()].into_iter().filter(|t| !t.is_empty()).collect::<Vec<_>>().join(" · "),
        sample: card.sample,
        place: s.place_line(&subject.row.region),
        about: card.text("about").to_owned(),
        values: shown(&s, registers, &fields, value, &["title", "title_en", "about", "region", "qualifications", "available", "sample"]),
        proofs: proofs.iter().map(|q| proof(&s, q, today)).collect(),
        registers: card.registers.iter().filter_map(named).collect(),
        confirmed: s.date(&card.confirmed),
        expires: s.date(&card.expires),
        consents: s.list(purposes.collect::<Vec<_>>().iter().map(String::as_str)),
        holder: subject.holder,
        record: urls::record(&subject.record.hash.hex()),
        json: format!("/api{}", urls::party(&subject.row.id).replacen("/party/", "/parties/", 1)),
        row_id: subject.row.id.0.clone(),
        history: subject.history,
        versions: subject.versions,
        mine,
        s,
    }))
}

/// Definitions of a card's values as far as this node has them; a value of a register that only its own node knows stays unshown.
pub(crate) fn fields_of<'a>(card: &Card, registers: &'a kepu_domain::create::register::Registers) -> Vec<&'a FieldDef> {
    registers.fields_of(&Party { kind: card.kind, registers: card.registers.clone(), ..Party::default() })
}
