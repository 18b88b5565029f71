//! Rows of a register: reading one by the definitions, and entering a batch. A row that names an entry that is here changes what
//! it says something about and leaves the rest; a row without an id is the same entry whenever it says the same name, kind,
//! institution, place and post.

use super::run::line_of;
use super::{Reason, row};
use crate::account::log;
use crate::create::export::{kind_of, plain_cell};
use crate::create::party::{self as deeds, Values, fill};
use crate::error::AppError;
use crate::{App, keys, record};
use jiff::civil::Date;
use kepu_domain::access::{Action, Actor};
use kepu_domain::create::card::Card;
use kepu_domain::create::import::{Import, Plan, Row, Target};
use kepu_domain::create::party::{Consent, Honour, Party, PartyKind, Qualification};
use kepu_domain::create::register::{Register, Registers};
use kepu_domain::field::{FieldDef, FieldType};
use kepu_domain::ids::{OrgId, PartyId};
use kepu_domain::record::Body;
use kepu_store::Tx;
use kepu_store::create::import::{self as imports, Line, LineKind};
use kepu_store::create::party::{self as store, Entry};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

/// Rows of one transaction.
pub(super) const BATCH: usize = 1_000;

/// What the rows of a register can fill: every field of its kinds and its own, and what an export has besides.
pub(super) fn targets<'a>(register: &'a Register, registers: &'a Registers) -> Vec<Target<'a>> {
    let beside = [("id", "编号"), ("kind", "类别"), ("registers", "名录"), ("confirmed", "确认日期"), ("consents", "同意"), ("sample", "示例")];
    let fields = crate::create::export::fields_of(register, registers).into_iter().map(|field| Target {
        name: &field.id,
        needed: field.id == "name",
        columns: Cow::Owned(vec![field.id.as_str(), field.zh.as_str(), field.en.as_str()]),
    });
    fields.chain(beside.map(|(name, zh)| Target { name, needed: false, columns: Cow::Owned(vec![name, zh]) })).collect()
}

/// What a row says, before the tables are asked.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// The entry that it names.
    pub id: Option<PartyId>,
    /// Kind.
    pub kind: PartyKind,
    /// Its institution, by id or name; empty: the file's.
    pub org: String,
    /// Values of fields that the row fills.
    pub values: Values,
    qualifications: Option<Vec<Qualification>>,
    honours: Option<Vec<Honour>>,
    registers: Vec<String>,
    confirmed: Option<Date>,
    consents: Vec<Consent>,
    sample: bool,
}

impl Said {
    /// The name, for a preview.
    pub fn name(&self) -> &str {
        self.values.iter().find(|(id, _)| id == "name").and_then(|(_, value)| value.as_str()).unwrap_or_default()
    }
}

/// Reads a row, or says which field is wrong and why.
pub(super) fn read(plan: &Plan, row: &Row, registers: &Registers) -> Result<Said, Reason> {
    let cell = |target: &str| plan.value(row, target).map(plain_cell).filter(|text| !text.is_empty());
    let bad = |field: &str, text: &str| Reason::new("error-wrong_form").of(field).with("value", kepu_text::truncate(text, 40));
    let register = registers.registers.get(&plan.register).ok_or_else(|| Reason::new("error-import_register").with("register", &plan.register))?;
    let mut said = Said { kind: register.kinds.first().copied().unwrap_or_default(), org: cell("org").unwrap_or_default().to_owned(), ..Said::default() };
    if let Some(word) = cell("kind") {
        said.kind = kind_of(word, registers).filter(|kind| register.kinds.contains(kind)).ok_or_else(|| bad("kind", word))?;
    }
    if let Some(id) = cell("id") {
        let plain = id.len() <= 64 && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
        said.id = Some(PartyId(Some(id).filter(|_| plain).ok_or_else(|| bad("id", id))?.to_owned()));
    }
    let draft = Party { kind: said.kind, registers: vec![register.id.clone()], ..Party::default() };
    for field in registers.fields_of(&draft).into_iter().filter(|field| field.id != "org") {
        let Some(text) = cell(&field.id) else { continue };
        match field.id.as_str() {
            "qualifications" => said.qualifications = Some(qualifications(field, text)?),
            "honours" => said.honours = Some(serde_json::from_str(text).map_err(|_| bad("honours", text))?),
            "registers" | "confirmed" | "sample" => {}
            _ => said.values.push((field.id.clone(), value(field, text)?)),
        }
    }
    if let Some(text) = cell("registers") {
        said.registers = text.split([';', '；', '、', ',']).map(str::trim).filter(|id| !id.is_empty()).map(str::to_owned).collect();
        if let Some(unknown) = said.registers.iter().find(|id| !registers.registers.contains_key(*id)) {
            return Err(bad("registers", unknown));
        }
    }
    if let Some(text) = cell("confirmed") {
        said.confirmed = Some(row::day(text).ok_or_else(|| bad("confirmed", text))?);
    }
    if let Some(text) = cell("consents") {
        said.consents = serde_json::from_str(text).map_err(|_| bad("consents", text))?;
        if let Some(unknown) = said.consents.iter().find(|consent| registers.purpose(&consent.purpose).is_none()) {
            return Err(bad("consents", &unknown.purpose));
        }
    }
    said.sample = cell("sample").is_some_and(|word| matches!(word, "true" | "1" | "是"));
    Ok(said)
}

fn fault(fault: kepu_domain::field::Fault) -> Reason {
    let key = format!("error-{}", fault.key);
    fault.args.into_iter().fold(Reason::new(&key).of(&fault.field), |reason, (name, value)| reason.with(name, value))
}

/// A cell as its field takes it; places by name and days as offices write them too.
pub(super) fn value(field: &FieldDef, text: &str) -> Result<Value, Reason> {
    let text = match &field.kind {
        FieldType::Region => crate::org::region_named(text).map_or_else(|| text.to_owned(), |region| region.to_string()),
        FieldType::Date => row::day(text).map_or_else(|| text.to_owned(), |day| day.to_string()),
        FieldType::Items { fields } => items(fields, text),
        _ => text.to_owned(),
    };
    field.read(&[&text], crate::org::FACTS).map_err(fault)
}

/// A group in one cell: the JSON of an export, or names alone, parted by semicolons.
fn items(fields: &[FieldDef], text: &str) -> String {
    let Some(first) = fields.first().filter(|_| !text.starts_with('[')) else { return text.to_owned() };
    let names = text.split([';', '；', '\n']).map(str::trim).filter(|name| !name.is_empty());
    Value::Array(names.map(|name| json!({ first.id.as_str(): name })).collect()).to_string()
}

/// Qualifications with who has verified them: whoever keeps the register has seen them, here or where it was exported.
fn qualifications(field: &FieldDef, text: &str) -> Result<Vec<Qualification>, Reason> {
    let FieldType::Items { fields } = &field.kind else { return Ok(vec![]) };
    let wrong = || Reason::new("error-no_group").of("qualifications");
    let list: Vec<Qualification> = if text.starts_with('[') {
        serde_json::from_str(text).map_err(|_| wrong())?
    } else {
        let names = text.split([';', '；', '\n']).map(str::trim).filter(|name| !name.is_empty());
        return Ok(names.map(|what| Qualification { what: what.to_owned(), ..Qualification::default() }).collect());
    };
    let bare: Vec<Value> = list.iter().map(|q| json!(Qualification { verified: None, ..q.clone() })).collect();
    FieldDef { kind: FieldType::Items { fields: fields.clone() }, ..field.clone() }.check(&Value::Array(bare), crate::org::FACTS).map_err(fault)?;
    Ok(list)
}

/// The entry that follows from what a row says: a new one, or `base` with it.
fn entry_of(said: &Said, id: PartyId, org: &OrgId, base: Option<&Party>, register: &Register, registers: &Registers, today: Date) -> Result<Party, Reason> {
    let mut party = base.cloned().unwrap_or_else(|| Party { id, kind: said.kind, org: org.clone(), available: true, ..Party::default() });
    if party.kind != said.kind || party.merged_into.is_some() {
        return Err(Reason::new("error-import_other").of("id"));
    }
    party.org = org.clone();
    let entered = said.registers.iter().chain(register.entered.then_some(&register.id));
    for id in entered {
        if !party.registers.contains(id) {
            party.registers.push(id.clone());
        }
    }
    if let Some(list) = &said.qualifications {
        party.qualifications.clone_from(list);
    }
    if let Some(list) = &said.honours {
        party.honours.clone_from(list);
    }
    fill(&mut party, said.values.clone(), registers).map_err(row::first)?;
    // A consent that was given or withdrawn here says more than a file that left here earlier.
    let known: HashSet<String> = party.consents.iter().map(|consent| consent.purpose.clone()).collect();
    party.consents.extend(said.consents.iter().filter(|consent| !known.contains(&consent.purpose)).cloned());
    party.confirmed = party.confirmed.max(said.confirmed.map(|day| day.min(today)));
    if party.confirmed.is_none() && !party.kind.is_personal() {
        party.confirmed = Some(today);
    }
    party.sample |= said.sample;
    Ok(party)
}

/// The same row always means the same entry.
fn id_of(said: &Said, org: &OrgId) -> PartyId {
    let of = |id: &str| said.values.iter().find(|(known, _)| known == id).map(|(_, value)| value.as_str().unwrap_or_default()).unwrap_or_default();
    let words = [said.kind.as_str(), &kepu_text::fold(of("name")), org.as_str(), of("region"), of("title")].join("\n");
    PartyId(format!("i{}", keys::short_hash(&words)))
}

/// Institutions named in rows, each looked up once: its id if `who` may keep entries for it.
struct Orgs<'a> {
    who: &'a Actor,
    default: OrgId,
    known: HashMap<String, Result<OrgId, Reason>>,
}

impl Orgs<'_> {
    async fn find(&mut self, tx: &mut Tx, text: &str) -> Result<Result<OrgId, Reason>, AppError> {
        if let Some(known) = self.known.get(text) {
            return Ok(known.clone());
        }
        let found = match text {
            "" => Some(self.default.clone()),
            text => match kepu_store::org::find(tx, &OrgId::from(text)).await? {
                Some(org) => Some(org.id),
                None => kepu_store::org::search_below(tx, &self.default, text, 5).await?.into_iter().find(|org| org.name == text).map(|org| org.id),
            },
        };
        let outcome = match found {
            None => Err(Reason::new("error-import_org").of("org").with("name", kepu_text::truncate(text, 60))),
            Some(id) => match self.who.may(Action::ManageMembers, Some(&kepu_store::org::line(tx, &id).await?)) {
                Ok(()) => Ok(id),
                Err(_) => Err(Reason::new("error-not_your_org").of("org")),
            },
        };
        self.known.insert(text.to_owned(), outcome.clone());
        Ok(outcome)
    }
}

/// What a batch makes of its rows.
#[derive(Default)]
struct Made {
    entries: Vec<Entry>,
    /// Of those, the ones that were here before.
    changed: HashSet<PartyId>,
    lines: Vec<Line>,
}

/// Enters one batch with its counts and the cards that follow.
pub(super) async fn enter(app: &App, who: &Actor, import: Import, rows: Vec<(usize, Result<Said, Reason>)>) -> Result<Import, AppError> {
    let definitions = app.definitions();
    let registers = &definitions.registers;
    let missing = || AppError::NotFound { what: "register", id: import.plan.register.clone() };
    let register = registers.registers.get(&import.plan.register).ok_or_else(missing)?;
    let mut tx = app.db.write().await?;
    let mut counts = import.counts;
    let mut orgs = Orgs { who, default: import.org.clone(), known: HashMap::new() };
    let mut made = Made::default();
    let mut ready = Vec::new();
    for (line, said) in rows {
        counts.done += 1;
        let placed = match said {
            Ok(said) => orgs.find(&mut tx, &said.org).await?.map(|org| (said, org)),
            Err(reason) => Err(reason),
        };
        match placed {
            Ok((said, org)) => ready.push((line, said.id.clone().unwrap_or_else(|| id_of(&said, &org)), said, org)),
            Err(reason) => made.lines.push(line_of(line, LineKind::Refused, &reason)),
        }
    }
    let ids: Vec<PartyId> = ready.iter().map(|(_, id, ..)| id.clone()).collect();
    let mut here: HashMap<PartyId, Party> = store::find_many(&mut tx, &ids).await?.into_iter().map(|party| (party.id.clone(), party)).collect();
    let before: HashSet<PartyId> = here.keys().cloned().collect();
    let names: Vec<String> = ready.iter().map(|(_, _, said, _)| kepu_text::fold(said.name())).collect();
    let mut named = namesakes(&mut tx, &names).await?;
    for ((line, id, said, org), name) in ready.into_iter().zip(names) {
        let base = here.get(&id);
        if let Some(base) = base.filter(|base| base.org != org)
            && let Err(reason) = orgs.find(&mut tx, base.org.as_str()).await?
        {
            made.lines.push(line_of(line, LineKind::Refused, &reason));
            continue;
        }
        let party = match entry_of(&said, id.clone(), &org, base, register, registers, app.today()) {
            Ok(party) => party,
            Err(reason) => {
                made.lines.push(line_of(line, LineKind::Refused, &reason));
                continue;
            }
        };
        if base == Some(&party) {
            counts.known += 1;
            if said.id.is_none() {
                made.lines.push(line_of(line, LineKind::Warning, &Reason::new("error-import_same").of("name").with("name", said.name())));
            }
            continue;
        }
        let again = base.is_some();
        let key = (party.kind, org.clone(), name);
        if named.get(&key).is_some_and(|other| *other != id) {
            made.lines.push(line_of(line, LineKind::Warning, &Reason::new("error-import_namesake").of("name").with("name", said.name())));
        }
        named.entry(key).or_insert_with(|| id.clone());
        counts.published += 1;
        made.changed.extend(before.contains(&id).then(|| id.clone()));
        here.insert(id.clone(), party.clone());
        if again {
            made.entries.retain(|entry| entry.party.id != id);
        }
        made.entries.push(Entry { name_fold: kepu_text::fold(&party.name), party, changed_at: app.now().as_millisecond(), version: 1 });
    }
    counts.refused += made.lines.iter().filter(|line| line.kind == LineKind::Refused).count() as i64;
    let changed: Vec<PartyId> = made.changed.iter().cloned().collect();
    store::keep_many(&mut tx, &changed, app.now().as_millisecond(), &who.log_name()).await?;
    store::upsert_many(&mut tx, &made.entries).await?;
    tell(app, &mut tx, &made).await?;
    imports::add_lines(&mut tx, &import.id, &made.lines).await?;
    let import = imports::update(&mut tx, Import { counts, ..import }).await?;
    let object = format!("{} {}/{}", import.id, counts.done, counts.rows);
    log(app, &mut tx, &who.log_name(), "import.batch", &object, "ok").await?;
    tx.commit().await?;
    app.notify();
    Ok(import)
}

/// Who bears these names already, by kind and institution.
async fn namesakes(tx: &mut Tx, names: &[String]) -> Result<HashMap<(PartyKind, OrgId, String), PartyId>, AppError> {
    let rows = store::list_named(tx, names).await?;
    Ok(rows.into_iter().map(|(id, kind, org, name)| ((kind, org, name), id)).collect())
}

/// The cards that follow: new ones at once, changed ones as after a form.
async fn tell(app: &App, tx: &mut Tx, made: &Made) -> Result<(), AppError> {
    let definitions = app.definitions();
    let mut names: HashMap<OrgId, String> = HashMap::new();
    let mut sayings = Vec::new();
    for entry in &made.entries {
        let party = &entry.party;
        if made.changed.contains(&party.id) {
            deeds::tell(app, tx, party).await?;
            continue;
        }
        if !names.contains_key(&party.org) {
            names.insert(party.org.clone(), deeds::org_name(tx, &party.org).await?);
        }
        if let Ok(card) = Card::of(party, &definitions.registers, &names[&party.org], app.today()) {
            sayings.push(deeds::saying(app, party, Body::Party(Box::new(card))));
        }
    }
    record::publish(app, tx, sayings).await.map(drop)
}
