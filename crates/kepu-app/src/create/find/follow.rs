//! The index of parties in memory and how it is kept level with the tables: entries by when they were changed, cards by their
//! change numbers, loads once a minute. Other definitions or another day mean other words, so then it is made anew.

use super::{Scope, card_of, day_number};
use crate::App;
use crate::definitions::Definitions;
use crate::error::AppError;
use jiff::SignedDuration;
use jiff::civil::Date;
use kepu_domain::create::attention::attention;
use kepu_domain::create::card::Card;
use kepu_domain::create::register::Registers;
use kepu_domain::field::{FieldType, point};
use kepu_domain::ids::{OrgId, PartyId, SubjectId};
use kepu_domain::org::Region;
use kepu_search::{PartyDoc, PartyIndex};
use kepu_store::Tx;
use kepu_store::create::party::{self as store, Entry};
use kepu_store::subject::{self, Standing};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// Rows read from a table at once.
const CHUNK: u32 = 2_000;
/// Seconds after which loads are counted anew.
const LOADS_SECONDS: i64 = 60;
/// User characters of a longer text that words are looked for in.
const TEXT_MAX: usize = 200;

/// The index with how far it has read.
#[derive(Debug, Default)]
pub struct Kept {
    held: RwLock<Held>,
    /// Held by whoever brings it up to date, so that two do not read the same rows.
    following: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Held {
    index: PartyIndex,
    at: At,
}

/// How far the index has read, and what it was made with.
#[derive(Clone, Debug, Default)]
struct At {
    changed: i64,
    changed_id: String,
    seq: i64,
    loads: Arc<HashMap<PartyId, i64>>,
    loads_at: i64,
    made_with: Option<(Arc<Definitions>, Date)>,
}

impl Kept {
    /// Runs a search.
    pub(super) fn with<T>(&self, look: impl FnOnce(&PartyIndex) -> T) -> T {
        look(&self.held.read().unwrap_or_else(PoisonError::into_inner).index)
    }
}

/// Takes a deleted entry out at once; no row is left to tell of it.
pub(crate) fn forget(app: &App, id: &PartyId) {
    app.parties.held.write().unwrap_or_else(PoisonError::into_inner).index.remove(id.as_str());
}

/// What changed since the index was level.
#[derive(Default)]
struct Changes {
    puts: Vec<PartyDoc>,
    gone: Vec<String>,
}

/// What reading an entry needs besides the entry.
struct Reading {
    definitions: Arc<Definitions>,
    today: Date,
    loads: Arc<HashMap<PartyId, i64>>,
    lines: HashMap<OrgId, (Vec<OrgId>, String)>,
}

/// Brings the index level with the tables.
pub(super) async fn refresh(app: &App) -> Result<(), AppError> {
    let _alone = app.parties.following.lock().await;
    let (definitions, today) = (app.definitions(), app.today());
    let before = app.parties.held.read().unwrap_or_else(PoisonError::into_inner).at.clone();
    let same = |(made, day): &(Arc<Definitions>, Date)| Arc::ptr_eq(made, &definitions) && *day == today;
    let anew = !before.made_with.as_ref().is_some_and(same);
    let mut at = if anew { At { changed: i64::MIN, ..At::default() } } else { before };
    let mut tx = app.db.read().await?;
    let moved = count_loads(app, &mut tx, &mut at, anew).await?;
    let mut reading = Reading { definitions: definitions.clone(), today, loads: at.loads.clone(), lines: HashMap::new() };
    if anew {
        at.made_with = Some((definitions, today));
        let mut index = PartyIndex::default();
        while let Some(changes) = next_entries(&mut tx, &mut at, &mut reading).await? {
            changes.puts.into_iter().for_each(|doc| index.put(doc));
        }
        while let Some(changes) = next_cards(&mut tx, &mut at).await? {
            changes.puts.into_iter().for_each(|doc| index.put(doc));
        }
        drop(tx);
        *app.parties.held.write().unwrap_or_else(PoisonError::into_inner) = Held { index, at };
        return Ok(());
    }
    let mut list = Vec::new();
    for id in moved {
        if let Some(entry) = store::find_entry(&mut tx, &id).await? {
            list.push(Changes { puts: vec![reading.entry(&mut tx, &entry).await?], ..Changes::default() });
        }
    }
    while let Some(changes) = next_entries(&mut tx, &mut at, &mut reading).await? {
        list.push(changes);
    }
    while let Some(changes) = next_cards(&mut tx, &mut at).await? {
        list.push(changes);
    }
    drop(tx);
    let mut held = app.parties.held.write().unwrap_or_else(PoisonError::into_inner);
    for changes in list {
        changes.gone.iter().for_each(|id| held.index.remove(id));
        changes.puts.into_iter().for_each(|doc| held.index.put(doc));
    }
    held.at = at;
    Ok(())
}

/// Counts loads if that was some time ago; returns whose load is another one now.
async fn count_loads(app: &App, tx: &mut Tx, at: &mut At, anew: bool) -> Result<Vec<PartyId>, AppError> {
    let now = app.now();
    if !anew && now.as_second() - at.loads_at < LOADS_SECONDS {
        return Ok(vec![]);
    }
    let loads = crate::create::review::loads(tx, now.checked_sub(SignedDuration::from_hours(30 * 24)).unwrap_or(jiff::Timestamp::MIN)).await?;
    let moved = loads.keys().chain(at.loads.keys()).filter(|id| loads.get(id) != at.loads.get(id)).cloned().collect();
    (at.loads, at.loads_at) = (Arc::new(loads), now.as_second());
    Ok(moved)
}

/// The next entries that were changed; none when all were read.
async fn next_entries(tx: &mut Tx, at: &mut At, reading: &mut Reading) -> Result<Option<Changes>, AppError> {
    let entries = store::list_changed(tx, at.changed, &at.changed_id, CHUNK).await?;
    let Some(last) = entries.last() else { return Ok(None) };
    (at.changed, at.changed_id) = (last.changed_at, last.party.id.0.clone());
    let mut changes = Changes::default();
    for entry in &entries {
        changes.puts.push(reading.entry(tx, entry).await?);
    }
    Ok(Some(changes))
}

/// The next cards that changed; none when all were read.
async fn next_cards(tx: &mut Tx, at: &mut At) -> Result<Option<Changes>, AppError> {
    let rows = subject::list_changed(tx, at.seq, CHUNK).await?;
    let Some(last) = rows.last() else { return Ok(None) };
    at.seq = last.seq;
    let mut changes = Changes::default();
    for row in rows.iter().filter(|row| row.kind == "party" || row.standing == Standing::Withdrawn) {
        match card_of(tx, &row.id).await? {
            Some((card, region)) => changes.puts.push(card_doc(&row.id, &card, region)),
            None => changes.gone.push(row.id.0.clone()),
        }
    }
    Ok(Some(changes))
}

impl Reading {
    async fn entry(&mut self, tx: &mut Tx, entry: &Entry) -> Result<PartyDoc, AppError> {
        let org = &entry.party.org;
        if !self.lines.contains_key(org) {
            let line = kepu_store::org::line(tx, org).await?.0;
            let name = kepu_store::org::find(tx, org).await?.map_or_else(String::new, |o| o.name);
            self.lines.insert(org.clone(), (line, name));
        }
        let (line, org_name) = &self.lines[org];
        let load = self.loads.get(&entry.party.id).copied().unwrap_or(0);
        Ok(entry_doc(entry, load, &self.definitions.registers, self.today, line, org_name))
    }
}

fn entry_doc(entry: &Entry, load: i64, registers: &Registers, today: Date, line: &[OrgId], org: &str) -> PartyDoc {
    let party = &entry.party;
    let mut words = vec![Scope::Entries.word(), format!("kind={}", party.kind.as_str()), format!("org={}", party.org)];
    words.extend(line.iter().map(|org| format!("under={org}")));
    words.extend(attention(party, registers, today).into_iter().map(|kind| format!("state={}", kind.as_str())));
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
        text_fold: text_fold([&party.name, &party.name_en, &party.title, org], |id| party.values.get(id)),
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
        text_fold: text_fold([&card.name, &card.name_en, card.text("title"), &card.org], |id| card.values.get(id)),
        region,
        point: place_of(card.values.get("point"), region),
        words,
        competence: card.list("fields"),
        used: if card.values.get("available") == Some(&Value::Bool(false)) { 1_000 } else { 0 },
        shown_until: day_number(card.expires),
    }
}

/// Everything that words are looked for in, folded.
fn text_fold<'a, 'b>(first: [&'a str; 4], value: impl Fn(&str) -> Option<&'b Value>) -> String {
    let more = ["address", "about", "crops", "scientists"].into_iter().filter_map(|id| value(id)?.as_str());
    let parts: Vec<&str> = first.into_iter().chain(more.map(|text| kepu_text::truncate(text, TEXT_MAX))).filter(|text| !text.is_empty()).collect();
    kepu_text::fold(&parts.join(" "))
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

#[cfg(test)]
mod tests {
    use super::*;
    use kepu_domain::create::party::Party;

    #[test]
    fn words_are_found_in_name_title_and_address_but_not_in_private_fields() {
        let party = Party {
            name: "林\u{E0100}示例".into(),
            title: "呼吸內科".into(),
            values: [("address".to_owned(), Value::from("云岭路1号")), ("mobile".to_owned(), Value::from("13800000000"))].into(),
            ..Party::default()
        };
        let text = text_fold([&party.name, &party.name_en, &party.title, "示例医院"], |id| party.values.get(id));
        assert!(text.contains("林示例") && text.contains("呼吸内科") && text.contains("云岭路1号") && text.contains("示例医院"), "{text}");
        assert!(!text.contains("138"), "{text}");
    }
}
