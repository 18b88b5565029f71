//! Finding parties: by register, competence, place, availability and name. Everybody finds the cards that nodes have signed;
//! those who work here find the node's own entries too. The index is in memory and follows the tables.

use crate::App;
use crate::error::AppError;
use crate::record::read_row;
use jiff::SignedDuration;
use jiff::civil::Date;
use kepu_domain::access::{Action, Actor};
use kepu_domain::create::card::Card;
use kepu_domain::create::party::Party;
use kepu_domain::create::register::{Registers, days_between};
use kepu_domain::field::{FieldType, point};
use kepu_domain::ids::{PartyId, SubjectId};
use kepu_domain::org::Region;
use kepu_domain::record::Body;
use kepu_search::{PartyDoc, PartyIndex, PartyQuery};
use kepu_store::create::party::{self as store, Entry};
use kepu_store::subject::{self, Standing};
use kepu_store::{Tx, record as records};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::sync::RwLock;

/// Rows read from a table at once.
const CHUNK: u32 = 2_000;
/// Seconds after which loads are counted anew.
const LOADS_SECONDS: i64 = 60;

/// What is looked for.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// Register, empty: all.
    pub register: String,
    /// Field filters: id and accepted values, one of which must be there.
    pub filters: Vec<(String, Vec<String>)>,
    /// Wanted fields of competence.
    pub fields: Vec<String>,
    /// Inside this place.
    pub region: Option<Region>,
    /// Part of a name.
    pub name: String,
    /// Near this point or the seat of this place, perhaps within so many kilometres.
    pub near: Option<((f64, f64), Option<f64>)>,
    /// Only who can take a task now.
    pub free: bool,
    /// Rows in front to leave out.
    pub skip: usize,
    /// Rows at most, up to 1,000.
    pub limit: usize,
}

/// Whose entries are searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Signed cards of all nodes: everybody.
    Cards,
    /// This node's own entries, shown or not: those who work here.
    Entries,
}

impl Scope {
    fn word(self) -> String {
        match self {
            Scope::Cards => "scope=card".into(),
            Scope::Entries => "scope=entry".into(),
        }
    }
}

/// A party that was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// The registry id of an own entry, the subject of a card.
    pub id: String,
    /// Values by field id; of a card only what is public.
    pub values: BTreeMap<String, Value>,
    /// Name.
    pub name: String,
    /// English name.
    pub name_en: String,
    /// Its institution's name.
    pub org: String,
    /// Place.
    pub region: Region,
    /// Wanted fields it covers.
    pub covered: usize,
    /// Kilometres from the point asked for.
    pub distance_km: Option<f64>,
    /// When it was last confirmed.
    pub confirmed: Option<Date>,
    /// Invented for demonstration.
    pub sample: bool,
}

/// The index with how far it has read.
#[derive(Debug, Default)]
pub struct Kept(RwLock<Held>);

#[derive(Debug, Default)]
struct Held {
    index: PartyIndex,
    changed: i64,
    changed_id: String,
    seq: i64,
    loads: HashMap<PartyId, i64>,
    loads_at: i64,
    /// The registers it was made with; others mean other words.
    registers: Option<Registers>,
}

/// Finds parties, best first, and how many there are in all. `Scope::Entries` asks for [`Action::Draft`] somewhere.
pub async fn find(app: &App, who: &Actor, scope: Scope, search: &Search) -> Result<(Vec<Found>, usize), AppError> {
    if scope == Scope::Entries {
        who.may(Action::Draft, None)?;
    }
    refresh(app).await?;
    let query = query(app, scope, search);
    let (hits, total) = match app.parties.0.read() {
        Ok(held) => held.index.search(&query),
        Err(poisoned) => poisoned.into_inner().index.search(&query),
    };
    let mut tx = app.db.read().await?;
    let mut found = Vec::with_capacity(hits.len());
    for hit in hits {
        let one = match scope {
            Scope::Cards => card_of(&mut tx, &SubjectId(hit.id.clone())).await?.map(|(card, region)| from_card(hit.id.clone(), card, region)),
            Scope::Entries => entry_of(app, &mut tx, &PartyId(hit.id.clone())).await?,
        };
        // The index may lag a moment: what was just withdrawn or deleted is left out.
        found.extend(one.map(|one| Found { covered: hit.covered, distance_km: hit.distance_km, ..one }));
    }
    Ok((found, total))
}

/// How many parties of the search have each value of a field.
pub async fn facet(app: &App, scope: Scope, search: &Search, field: &str, values: &[String]) -> Result<Vec<usize>, AppError> {
    refresh(app).await?;
    let words: Vec<String> = values.iter().map(|value| format!("{field}={value}")).collect();
    let query = query(app, scope, search);
    Ok(match app.parties.0.read() {
        Ok(held) => held.index.count_words(&query, &words),
        Err(poisoned) => poisoned.into_inner().index.count_words(&query, &words),
    })
}

fn query(app: &App, scope: Scope, search: &Search) -> PartyQuery {
    let mut words = vec![scope.word()];
    if !search.register.is_empty() {
        words.push(format!("in={}", search.register));
    }
    PartyQuery {
        words,
        any: search.filters.iter().map(|(id, values)| values.iter().map(|value| format!("{id}={value}")).collect()).collect(),
        region: search.region,
        name: kepu_text::fold(search.name.trim()),
        fields: search.fields.clone(),
        near: search.near,
        free: search.free,
        today: day_number(app.today()),
        skip: search.skip,
        limit: search.limit.min(1_000),
    }
}

fn day_number(date: Date) -> i32 {
    i32::try_from(days_between(Date::constant(1970, 1, 1), date)).unwrap_or(i32::MAX)
}

/// A party's card as this node holds it, with its place; none if it was withdrawn, erased or has ended.
pub async fn card_of(tx: &mut Tx, id: &SubjectId) -> Result<Option<(Card, Region)>, AppError> {
    let Some(row) = subject::find(tx, id).await?.filter(|row| row.standing == Standing::Public && row.kind == "party") else { return Ok(None) };
    let Some(hash) = row.doc_hash else { return Ok(None) };
    let body = records::find_by_hash(tx, &hash).await?.and_then(read_row).and_then(|record| record.body.ok());
    Ok(match body {
        Some(Body::Party(card)) => Some((*card, row.region)),
        _ => None,
    })
}

fn from_card(id: String, card: Card, region: Region) -> Found {
    Found {
        id,
        name: card.name,
        name_en: card.name_en,
        org: card.org,
        region,
        values: card.values,
        covered: 0,
        distance_km: None,
        confirmed: Some(card.confirmed),
        sample: card.sample,
    }
}

async fn entry_of(app: &App, tx: &mut Tx, id: &PartyId) -> Result<Option<Found>, AppError> {
    let Some(party) = store::find(tx, id).await? else { return Ok(None) };
    let org = kepu_store::org::find(tx, &party.org).await?.map_or_else(String::new, |o| o.name);
    let definitions = app.definitions();
    let values = definitions.registers.fields_of(&party).into_iter().map(|f| (f.id.clone(), party.value(&f.id))).filter(|(_, v)| !v.is_null()).collect();
    Ok(Some(Found {
        id: id.0.clone(),
        name: party.name,
        name_en: party.name_en,
        org,
        region: party.region,
        values,
        covered: 0,
        distance_km: None,
        confirmed: party.confirmed,
        sample: party.sample,
    }))
}

/// Brings the index level with the tables.
async fn refresh(app: &App) -> Result<(), AppError> {
    let definitions = app.definitions();
    let (mut changed, mut changed_id, mut seq, loads_at, fresh) = {
        let held = match app.parties.0.read() {
            Ok(held) => held,
            Err(poisoned) => poisoned.into_inner(),
        };
        let fresh = held.registers.as_ref() != Some(&definitions.registers);
        if fresh { (i64::MIN, String::new(), 0, 0, true) } else { (held.changed, held.changed_id.clone(), held.seq, held.loads_at, false) }
    };
    let now = app.now();
    let mut tx = app.db.read().await?;
    let mut puts: Vec<PartyDoc> = Vec::new();
    let mut gone: Vec<String> = Vec::new();
    let since = now.checked_sub(SignedDuration::from_hours(30 * 24)).unwrap_or(jiff::Timestamp::MIN);
    let recount = fresh || now.as_second() - loads_at >= LOADS_SECONDS;
    let loads = if recount { kepu_store::create::review::loads(&mut tx, since).await? } else { HashMap::new() };
    let known = |id: &PartyId, held: &HashMap<PartyId, i64>| held.get(id).copied().unwrap_or(0);
    let old_loads = match app.parties.0.read() {
        Ok(held) => held.loads.clone(),
        Err(poisoned) => poisoned.into_inner().loads.clone(),
    };
    let current = if recount { &loads } else { &old_loads };
    loop {
        let entries = store::list_changed(&mut tx, changed, &changed_id, CHUNK).await?;
        let Some(last) = entries.last() else { break };
        (changed, changed_id) = (last.changed_at, last.party.id.0.clone());
        let whole = entries.len() == CHUNK as usize;
        puts.extend(entries.iter().map(|entry| entry_doc(entry, known(&entry.party.id, current), &definitions.registers, app.today())));
        if !whole {
            break;
        }
    }
    if recount && !fresh {
        let moved: Vec<PartyId> = loads.keys().chain(old_loads.keys()).filter(|id| known(id, &loads) != known(id, &old_loads)).cloned().collect();
        for id in moved {
            if let Some(entry) = store::find_entry(&mut tx, &id).await? {
                puts.push(entry_doc(&entry, known(&id, &loads), &definitions.registers, app.today()));
            }
        }
    }
    loop {
        let rows = subject::list_changed(&mut tx, seq, CHUNK).await?;
        let Some(last) = rows.last() else { break };
        seq = last.seq;
        for row in rows.iter().filter(|row| row.kind == "party" || row.standing == Standing::Withdrawn) {
            match card_of(&mut tx, &row.id).await? {
                Some((card, region)) => puts.push(card_doc(&row.id, &card, region)),
                None => gone.push(row.id.0.clone()),
            }
        }
    }
    drop(tx);
    let mut held = match app.parties.0.write() {
        Ok(held) => held,
        Err(poisoned) => poisoned.into_inner(),
    };
    if fresh {
        *held = Held { registers: Some(definitions.registers.clone()), ..Held::default() };
    }
    gone.iter().for_each(|id| held.index.remove(id));
    puts.into_iter().for_each(|doc| held.index.put(doc));
    (held.changed, held.changed_id, held.seq) = (changed, changed_id, seq);
    if recount {
        (held.loads, held.loads_at) = (loads, now.as_second());
    }
    Ok(())
}

fn entry_doc(entry: &Entry, load: i64, registers: &Registers, today: Date) -> PartyDoc {
    let party = &entry.party;
    let mut words = vec![Scope::Entries.word(), format!("kind={}", party.kind.as_str()), format!("org={}", party.org)];
    words.extend(registers.registers.values().filter(|register| register.holds(party, today)).map(|register| format!("in={}", register.id)));
    for field in registers.fields_of(party) {
        if matches!(field.kind, FieldType::Choice { .. } | FieldType::Choices { .. } | FieldType::Yes) {
            words.extend(words_of(&field.id, &party.value(&field.id)));
        }
    }
    let can_be_asked = party.available && party.monthly_ceiling > 0;
    PartyDoc {
        id: party.id.0.clone(),
        name_fold: entry.name_fold.clone(),
        region: party.region,
        point: place_of(party.kind.has_point().then(|| party.value("point")).as_ref(), party.region),
        words,
        competence: party.proved_fields(today).into_iter().map(str::to_owned).collect(),
        used: if can_be_asked { load * 1_000 / party.monthly_ceiling } else { 1_000 },
        shown_until: if party.merged_into.is_some() { i32::MIN } else { i32::MAX },
    }
}

fn card_doc(id: &SubjectId, card: &Card, region: Region) -> PartyDoc {
    let mut words = vec![Scope::Cards.word(), format!("kind={}", card.kind.as_str())];
    words.extend(card.registers.iter().map(|register| format!("in={register}")));
    card.values.iter().for_each(|(field, value)| words.extend(words_of(field, value)));
    PartyDoc {
        id: id.0.clone(),
        name_fold: kepu_text::fold(&card.name),
        region,
        point: place_of(card.values.get("point"), region),
        words,
        competence: card.list("fields"),
        used: if card.values.get("available") == Some(&Value::Bool(false)) { 1_000 } else { 0 },
        shown_until: day_number(card.expires),
    }
}

/// `field=value` for each value that can be filtered by.
fn words_of(field: &str, value: &Value) -> Vec<String> {
    match value {
        Value::String(text) if text.len() <= 60 => vec![format!("{field}={text}")],
        Value::Bool(yes) => vec![format!("{field}={yes}")],
        Value::Array(list) => list.iter().filter_map(Value::as_str).map(|text| format!("{field}={text}")).collect(),
        _ => vec![],
    }
}

/// The point of a place, else the seat of its county.
fn place_of(value: Option<&Value>, region: Region) -> Option<(f64, f64)> {
    value.and_then(point).or_else(|| crate::org::seat(region))
}

/// Own entries of the same name or qualification number: perhaps the same party twice.
pub async fn namesakes(tx: &mut Tx, party: &Party) -> Result<Vec<Party>, AppError> {
    let same = store::list_namesakes(tx, &kepu_text::fold(&party.name), 50).await?;
    Ok(same.into_iter().filter(|other| other.id != party.id && other.kind == party.kind && other.merged_into.is_none()).collect())
}
