//! Finding parties: by register, competence, place, availability and words. Everybody finds the cards that nodes have signed;
//! those who work here find the node's own entries too. The index is in memory; how it follows the tables is in `follow`.

mod follow;

pub use follow::Kept;
pub(crate) use follow::forget;

use crate::App;
use crate::error::AppError;
use crate::record::read_row;
use jiff::civil::Date;
use kepu_domain::access::{Action, Actor};
use kepu_domain::create::attention::Attention;
use kepu_domain::create::card::Card;
use kepu_domain::create::party::{Party, PartyKind};
use kepu_domain::create::register::{Registers, days_between};
use kepu_domain::field::Exposure;
use kepu_domain::ids::{OrgId, PartyId, SubjectId};
use kepu_domain::org::Region;
use kepu_domain::record::Body;
use kepu_search::PartyQuery;
use kepu_store::create::party as store;
use kepu_store::subject::{self, Standing};
use kepu_store::{Tx, record as records};
use serde_json::Value;
use std::collections::BTreeMap;

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
    /// Words of the name, title, address or introduction.
    pub text: String,
    /// Near this point or the seat of this place, perhaps within so many kilometres.
    pub near: Option<((f64, f64), Option<f64>)>,
    /// Only who can take a task now.
    pub free: bool,
    /// Only entries kept by one of these organisations or below it; `None`: all.
    pub within: Option<Vec<OrgId>>,
    /// Only entries that ask for this.
    pub attention: Option<Attention>,
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
    /// What it is.
    pub kind: PartyKind,
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

/// Finds parties, best first, and how many there are in all. `Scope::Entries` asks for [`Action::Draft`] or
/// [`Action::ManageMembers`] somewhere.
pub async fn find(app: &App, who: &Actor, scope: Scope, search: &Search) -> Result<(Vec<Found>, usize), AppError> {
    if scope == Scope::Entries {
        who.may(Action::Draft, None).or_else(|_| who.may(Action::ManageMembers, None))?;
    }
    follow::refresh(app).await?;
    let query = query(app, scope, search);
    let (hits, total) = app.parties.with(|index| index.search(&query));
    let mut tx = app.db.read().await?;
    let mut found = Vec::with_capacity(hits.len());
    for hit in hits {
        let one = match scope {
            Scope::Cards => card_of(&mut tx, &SubjectId(hit.id.clone())).await?.map(|(card, region)| from_card(hit.id.clone(), card, region)),
            Scope::Entries => entry_of(app, &mut tx, who, &PartyId(hit.id.clone())).await?,
        };
        // The index may lag a moment: what was just withdrawn or deleted is left out.
        found.extend(one.map(|one| Found { covered: hit.covered, distance_km: hit.distance_km, ..one }));
    }
    Ok((found, total))
}

/// How many parties of the search have each value of a field.
pub async fn facet(app: &App, scope: Scope, search: &Search, field: &str, values: &[String]) -> Result<Vec<usize>, AppError> {
    follow::refresh(app).await?;
    let words: Vec<String> = values.iter().map(|value| format!("{field}={value}")).collect();
    let query = query(app, scope, search);
    Ok(app.parties.with(|index| index.count_words(&query, &words)))
}

fn query(app: &App, scope: Scope, search: &Search) -> PartyQuery {
    let mut words = vec![scope.word()];
    if !search.register.is_empty() {
        words.push(format!("in={}", search.register));
    }
    if let Some(attention) = search.attention {
        words.push(format!("state={}", attention.as_str()));
    }
    let mut any: Vec<Vec<String>> = search.filters.iter().map(|(id, values)| values.iter().map(|value| format!("{id}={value}")).collect()).collect();
    // Who keeps nothing sees nothing: an empty group would be no condition.
    any.extend(search.within.as_ref().map(|orgs| orgs.iter().map(|org| format!("under={org}")).chain([String::new()]).collect()));
    PartyQuery {
        words,
        any,
        region: search.region,
        text: kepu_text::fold(search.text.trim()),
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

/// A party's card as this node holds it, with its place; none if it was withdrawn or erased. Whether it has ended by its own
/// date is asked of [`Card::expires`].
pub async fn card_of(tx: &mut Tx, id: &SubjectId) -> Result<Option<(Card, Region)>, AppError> {
    let Some(row) = subject::find(tx, id).await?.filter(|row| row.standing == Standing::Public && row.kind == "party") else { return Ok(None) };
    let Some(hash) = row.doc_hash else { return Ok(None) };
    let body = records::find_by_hash(tx, &hash).await?.and_then(read_row).and_then(|record| record.body.ok());
    Ok(match body {
        Some(Body::Party(card)) => Some((*card, row.region)),
        _ => None,
    })
}

/// A card as searches give it.
pub fn from_card(id: String, card: Card, region: Region) -> Found {
    Found {
        id,
        kind: card.kind,
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

/// An own entry: everything for those who keep it, what its card may show for everybody else who works here.
async fn entry_of(app: &App, tx: &mut Tx, who: &Actor, id: &PartyId) -> Result<Option<Found>, AppError> {
    let Some(party) = store::find(tx, id).await? else { return Ok(None) };
    let org = kepu_store::org::find(tx, &party.org).await?.map_or_else(String::new, |o| o.name);
    let keeps = who.may(Action::ManageMembers, Some(&kepu_store::org::line(tx, &party.org).await?)).is_ok();
    let definitions = app.definitions();
    Ok(Some(Found {
        id: id.0.clone(),
        kind: party.kind,
        values: open_values(&party, &definitions.registers, keeps),
        name: party.name,
        name_en: party.name_en,
        org,
        region: party.region,
        covered: 0,
        distance_km: None,
        confirmed: party.confirmed,
        sample: party.sample,
    }))
}

/// The filled values of an entry; without `all` only those that its card may show.
pub(crate) fn open_values(party: &Party, registers: &Registers, all: bool) -> BTreeMap<String, Value> {
    let open = |exposure: &Exposure| match exposure {
        Exposure::Never => false,
        Exposure::Card => true,
        Exposure::Purpose(purpose) => registers.consents(party, purpose),
    };
    let fields = registers.fields_of(party).into_iter().filter(|field| all || open(&field.public));
    fields.map(|field| (field.id.clone(), party.value(&field.id))).filter(|(_, value)| !value.is_null()).collect()
}

/// Own entries of the same kind whose name is the same to a searcher: perhaps the same party twice.
pub async fn namesakes(tx: &mut Tx, party: &Party) -> Result<Vec<Party>, AppError> {
    let same = store::list_namesakes(tx, &kepu_text::fold(&party.name), 50).await?;
    Ok(same.into_iter().filter(|other| other.id != party.id && other.kind == party.kind && other.merged_into.is_none()).collect())
}
