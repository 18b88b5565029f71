//! Talent data: the node's own entries counted as `kepu-domain::measure::talent` says. Everybody gets the same few tables and no
//! others, so that no two questions can be subtracted from each other; nothing about single people leaves this file.

use crate::App;
use crate::create::review::loads;
use crate::error::AppError;
use jiff::SignedDuration;
use kepu_domain::create::party::{Party, PartyKind};
use kepu_domain::ids::PartyId;
use kepu_domain::measure::talent::{Person, Talent, count};
use kepu_domain::org::Region;
use kepu_domain::vocabulary::FIELDS;
use kepu_store::create::party as store;
use kepu_store::meta;
use std::collections::HashMap;

/// Rows read from the table at once.
const CHUNK: u32 = 2_000;

/// The tables with what they are about.
#[derive(Clone, Debug)]
pub struct Overview {
    /// The place that the node serves.
    pub region: Region,
    /// The places that are the rows, right below it.
    pub places: Vec<Region>,
    /// Counties in it.
    pub counties: usize,
    /// The tables.
    pub talent: Talent,
    /// The day they are about.
    pub day: jiff::civil::Date,
}

/// Counts the people of this node's registry. Public: aggregates only.
pub async fn overview(app: &App) -> Result<Overview, AppError> {
    let mut tx = app.db.read().await?;
    let region = meta::find(&mut tx, "region").await?.and_then(|code| Region::parse(&code).ok()).unwrap_or(Region::NATION);
    let (definitions, day) = (app.definitions(), app.today());
    let registers = &definitions.registers;
    let roles: Vec<String> =
        registers.registers.values().filter(|register| register.kinds.contains(&PartyKind::Person)).map(|register| register.id.clone()).collect();
    let divisions = crate::org::divisions()?;
    let inside: Vec<Region> = divisions.iter().map(|org| org.region).filter(|place| *place != region && region.covers(*place)).collect();
    let depth = region.chain().len();
    let places: Vec<Region> = inside.iter().copied().filter(|place| place.chain().len() == depth + 1).collect();
    let since = app.now().checked_sub(SignedDuration::from_hours(30 * 24)).unwrap_or(jiff::Timestamp::MIN);
    let load: HashMap<PartyId, i64> = loads(&mut tx, since).await?;
    let (mut people, mut after) = (Vec::new(), None::<PartyId>);
    loop {
        let parties = store::list(&mut tx, after.as_ref(), CHUNK).await?;
        let Some(last) = parties.last() else { break };
        after = Some(last.id.clone());
        for party in parties.iter().filter(|party| party.kind == PartyKind::Person && party.merged_into.is_none()) {
            let held = registers.registers.values().filter(|register| register.holds(party, day)).map(|register| register.id.clone()).collect();
            people.push(person(party, held, &places, load.get(&party.id).copied().unwrap_or(0), day));
        }
    }
    let fields: Vec<String> = FIELDS.terms().iter().map(|term| term.id.clone()).collect();
    let rows: Vec<String> = places.iter().map(Region::to_string).collect();
    let counties = inside.iter().filter(|place| place.chain().len() == 4).count();
    Ok(Overview { region, places, counties, talent: count(&people, &rows, &fields, &roles), day })
}

fn person(party: &Party, roles: Vec<String>, places: &[Region], load: i64, day: jiff::civil::Date) -> Person {
    let chain = party.region.chain();
    let born = party.value("birth_year").as_i64();
    Person {
        fields: party.proved_fields(day).into_iter().map(str::to_owned).collect(),
        place: places.iter().find(|place| chain.contains(place)).map(Region::to_string).unwrap_or_default(),
        county: (chain.len() == 4).then(|| party.region.to_string()),
        roles,
        age: born.map(|year| i64::from(day.year()) - year),
        ceiling: if party.available { party.monthly_ceiling } else { 0 },
        load,
    }
}
