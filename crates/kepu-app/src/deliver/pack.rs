//! Monthly packs: making one for a place, seeing what became of what is in it, saying that it was put up, and the monthly table of who got
//! what. The rules of choice are in `kepu-domain::deliver::pack`; files are made in `kepu-web` whenever somebody takes them, so that
//! none of them ever holds what was withdrawn meanwhile.

use super::channel::{Piece, piece};
use crate::App;
use crate::account::{log, log_detail};
use crate::create::find::card_of;
use crate::create::publish::matter_of;
use crate::error::{AppError, FieldError};
use crate::keys::random_word;
use kepu_domain::access::{Actor, Denied};
use kepu_domain::create::draft::Matter;
use kepu_domain::create::party::PartyKind;
use kepu_domain::create::resource::Resource;
use kepu_domain::deliver::channel::{Goes, goes};
use kepu_domain::deliver::pack::{Candidate, Month, Pack, PackItem, Population, Rules, Wish, choose, key};
use kepu_domain::ids::{ContributionId, OrgId, PackId, SubjectId};
use kepu_domain::measure::contribution::{Contribution, Stage};
use kepu_domain::measure::talent::{Cell, protect};
use kepu_domain::org::Region;
use kepu_domain::vocabulary::{AUDIENCES, LANGUAGES, licence};
use kepu_store::deliver::pack as store;
use kepu_store::subject::{self, Filter, Order, Row, Standing};
use kepu_store::{Tx, org};
use std::collections::{BTreeMap, HashSet};

/// Resources that are looked at for one pack, the newest first.
const LOOKED_AT: u32 = 1_000;
/// Months in which a place does not get the same again.
const MONTHS_APART: i32 = 6;
/// How many months ahead, and back, a pack may be made.
const AHEAD: i32 = 3;
const BACK: i32 = 1;

/// What somebody asks for.
#[derive(Clone, Debug, Default)]
pub struct Make {
    /// The place; that of the service point if one is named.
    pub region: Option<Region>,
    /// The month; this one if none is named.
    pub month: Option<Month>,
    /// Language, BCP 47.
    pub lang: String,
    /// Readers, empty: everybody.
    pub audience: String,
    /// The card of the service point.
    pub point: Option<SubjectId>,
}

/// Makes a pack, or fills up the one that is there with as much as has left it since.
///
/// May: whoever is signed in. Writes: pack, log.
pub async fn make(app: &App, who: &Actor, asked: Make) -> Result<PackId, AppError> {
    if matches!(who, Actor::Visitor) {
        return Err(Denied::NotSignedIn.into());
    }
    let mut tx = app.db.write().await?;
    let (wish, point, org) = wish(app, &mut tx, asked).await?;
    let held = store::find_by_key(&mut tx, &key(&wish, point.as_ref())).await?;
    let rules = app.definitions().packs.clone();
    let good = match &held {
        Some(pack) => still_good(app, &mut tx, pack).await?,
        None => vec![],
    };
    let quota = rules.tilt.quota(wish.region);
    if let Some(pack) = held.as_ref().filter(|pack| good.len() == pack.items.len() && good.len() >= quota) {
        return Ok(pack.id.clone());
    }
    let keep: HashSet<SubjectId> = good.iter().map(|item| item.subject.clone()).collect();
    let more = find(app, &mut tx, &wish, &rules, quota.saturating_sub(good.len()), &keep).await?;
    if let Some(pack) = held.as_ref().filter(|pack| more.is_empty() && good.len() == pack.items.len()) {
        return Ok(pack.id.clone());
    }
    let items: Vec<PackItem> = good.into_iter().chain(more).collect();
    if items.is_empty() {
        return Err(AppError::Invalid(vec![FieldError::new("county", "pack_nothing")]));
    }
    let pack = match held {
        Some(mut pack) => {
            let gone = pack.items.iter().map(|item| item.subject.clone()).filter(|id| !keep.contains(id));
            pack.dropped.extend(gone.collect::<Vec<_>>());
            Pack { items, made_at: app.now(), ..pack }
        }
        None => Pack { id: PackId(random_word(16)), wish, point, org, items, dropped: vec![], made_at: app.now(), version: 0 },
    };
    if pack.version == 0 {
        store::insert_once(&mut tx, &pack).await?;
    } else {
        store::update(&mut tx, &pack).await?;
    }
    let detail = serde_json::json!({"region": pack.wish.region, "month": pack.wish.month, "items": pack.items.len()});
    log_detail(app, &mut tx, &who.log_name(), "pack.made", &pack.id.0, &detail).await?;
    tx.commit().await?;
    Ok(pack.id)
}

/// What is asked for as a wish, with the service point and the institution that answers.
async fn wish(app: &App, tx: &mut Tx, asked: Make) -> Result<(Wish, Option<SubjectId>, OrgId), AppError> {
    let mut wrong = Vec::new();
    let now = Month::of(app.today());
    let month = asked.month.unwrap_or(now);
    if month < now.plus(-BACK) || month > now.plus(AHEAD) {
        wrong.push(FieldError::new("month", "pack_month").with("from", now.plus(-BACK)).with("to", now.plus(AHEAD)));
    }
    if !asked.audience.is_empty() && AUDIENCES.find(&asked.audience).is_none() {
        wrong.push(FieldError::new("audience", "pack_audience"));
    }
    let lang = if asked.lang.is_empty() { "zh-Hans".to_owned() } else { asked.lang };
    if LANGUAGES.find(&lang).is_none() {
        wrong.push(FieldError::new("lang", "pack_lang"));
    }
    let mut place = asked.region;
    let mut crops = Vec::new();
    if let Some(id) = &asked.point {
        match card_of(tx, id).await?.filter(|(card, _)| card.kind == PartyKind::ServicePoint && card.expires >= app.today()) {
            Some((card, region)) => {
                place = Some(region);
                crops = words_of(card.text("crops"));
            }
            None => wrong.push(FieldError::new("point", "pack_point")),
        }
    }
    let division = place.filter(|region| crate::org::division(*region).is_some());
    let Some(region) = division.filter(|_| wrong.is_empty()) else {
        if asked.point.is_none() && wrong.is_empty() {
            wrong.push(FieldError::new("county", "pack_region"));
        }
        return Err(AppError::Invalid(wrong));
    };
    Ok((Wish { region, month, lang, audience: asked.audience, crops }, asked.point, crate::node::org(tx).await?))
}

/// The words of a line of crops.
fn words_of(line: &str) -> Vec<String> {
    line.split(['、', '，', ',', ' ', ';', '；']).map(str::trim).filter(|word| !word.is_empty()).take(20).map(str::to_owned).collect()
}

async fn still_good(app: &App, tx: &mut Tx, pack: &Pack) -> Result<Vec<PackItem>, AppError> {
    let mut good = Vec::new();
    for item in &pack.items {
        let row = subject::find(tx, &item.subject).await?;
        if row.is_some_and(|row| row.standing == Standing::Public && goes(row.expires.as_deref(), app.today()) == Goes::Out) {
            good.push(item.clone());
        }
    }
    Ok(good)
}

/// Chooses `count` resources that are not in `keep`.
async fn find(app: &App, tx: &mut Tx, wish: &Wish, rules: &Rules, count: usize, keep: &HashSet<SubjectId>) -> Result<Vec<PackItem>, AppError> {
    let filter = Filter { kind: Some("resource".into()), standing: Some(Standing::Public), region_chain: wish.region.chain(), ..Filter::default() };
    let mut rows = subject::list(tx, &filter, Order::Newest, None, LOOKED_AT).await?;
    rows.retain(|row| goes(row.expires.as_deref(), app.today()) == Goes::Out && !keep.contains(&row.id));
    let earlier = store::list_between(tx, wish.region, wish.month.plus(-MONTHS_APART), wish.month).await?;
    let had: HashSet<SubjectId> = earlier.into_iter().flat_map(|pack| pack.items).map(|item| item.subject).collect();
    let mut candidates = Vec::with_capacity(rows.len());
    for row in &rows {
        candidates.push(candidate(app, tx, row, wish, &had).await?);
    }
    let mut items = Vec::with_capacity(count);
    for (at, reasons) in choose(wish, &rules.seasons, &candidates, count + SPARE) {
        // A text under a licence that is not known may not be printed and passed on.
        if items.len() < count && may_be_passed_on(tx, &rows[at]).await? {
            items.push(PackItem { subject: rows[at].id.clone(), title: rows[at].title.clone(), reasons });
        }
    }
    Ok(items)
}

/// Chosen beyond what is wanted, for those that may not be passed on.
const SPARE: usize = 4;

async fn may_be_passed_on(tx: &mut Tx, row: &Row) -> Result<bool, AppError> {
    Ok(matches!(matter_of(tx, row).await?, Some(Matter::Resource(r)) if licence(&r.licence).is_some()))
}

async fn candidate(app: &App, tx: &mut Tx, row: &Row, wish: &Wish, had: &HashSet<SubjectId>) -> Result<Candidate, AppError> {
    let age = |date: jiff::civil::Date| (app.today() - date).get_days();
    let mut langs = vec![row.lang.clone()];
    // Which editions there are stands in the text only, which is read only where it matters.
    if !row.lang.starts_with(wish.lang.as_str())
        && let Some(Matter::Resource(r)) = matter_of(tx, row).await?
    {
        langs.extend(r.editions.keys().filter(|name| LANGUAGES.find(name).is_some()).cloned());
    }
    Ok(Candidate {
        id: row.id.0.clone(),
        words: format!("{} {}", row.title, row.summary),
        fields: row.fields.clone(),
        audience: row.audience.clone(),
        hazard: row.hazard.clone(),
        region: row.region,
        langs,
        had: had.contains(&row.id),
        days: row.date.parse().map_or(i64::MAX, |date| i64::from(age(date))),
    })
}

/// What became of something in a pack.
#[derive(Clone, Debug)]
pub enum Now {
    /// It is printed.
    Good(Box<Piece>),
    /// It was withdrawn: whoever put it up takes it down.
    Withdrawn {
        /// Why.
        reason: String,
        /// When, ms.
        at: i64,
    },
    /// It must be looked at again first, or is not shown here any more.
    Resting,
}

/// A pack as its page shows it.
#[derive(Clone, Debug)]
pub struct View {
    /// The pack.
    pub pack: Pack,
    /// What is in it, in order.
    pub items: Vec<(PackItem, Now)>,
    /// Name of the service point, if it is for one.
    pub point: String,
    /// Name of the institution that answers for it.
    pub host: String,
    /// Whether the reader said that they put it up.
    pub posted: bool,
    /// Whether somebody did.
    pub posted_at_all: bool,
}

impl View {
    /// The resources that are printed.
    pub fn resources(&self) -> impl Iterator<Item = (&Piece, &Resource)> {
        self.items.iter().filter_map(|(_, now)| match now {
            Now::Good(piece) => match &piece.matter {
                Matter::Resource(r) => Some((&**piece, &**r)),
                Matter::Claim(_) => None,
            },
            _ => None,
        })
    }
}

/// A pack; everybody may see and take it.
pub async fn view(app: &App, who: &Actor, id: &PackId) -> Result<View, AppError> {
    let mut tx = app.db.read().await?;
    let pack = store::find(&mut tx, id).await?.ok_or_else(|| missing(id))?;
    let mut items = Vec::with_capacity(pack.items.len());
    for item in &pack.items {
        items.push((item.clone(), now_of(app, &mut tx, &item.subject).await?));
    }
    let point = match &pack.point {
        Some(point) => card_of(&mut tx, point).await?.map_or_else(String::new, |(card, _)| card.name),
        None => String::new(),
    };
    let host = org::find(&mut tx, &pack.org).await?.map_or_else(String::new, |org| org.name);
    let posted = match who.account() {
        Some(account) => store::has_receipt(&mut tx, id, account).await?,
        None => false,
    };
    let posted_at_all = store::count_receipts(&mut tx, id).await? > 0;
    Ok(View { pack, items, point, host, posted, posted_at_all })
}

fn missing(id: &PackId) -> AppError {
    AppError::NotFound { what: "pack", id: id.0.clone() }
}

async fn now_of(app: &App, tx: &mut Tx, id: &SubjectId) -> Result<Now, AppError> {
    let Some(row) = subject::find(tx, id).await? else { return Ok(Now::Resting) };
    if row.standing == Standing::Withdrawn {
        return Ok(Now::Withdrawn { reason: row.reason, at: row.withdrawn_at.unwrap_or_default() });
    }
    let found = piece(app, tx, row).await?;
    Ok(found.filter(|piece| piece.goes(app.today()) == Goes::Out).map_or(Now::Resting, |piece| Now::Good(Box::new(piece))))
}

/// Packs, the latest month first.
pub async fn list(app: &App, month: Option<Month>, region: Option<Region>, limit: u32) -> Result<Vec<Pack>, AppError> {
    Ok(store::list(&mut app.db.read().await?, month, region, limit).await?)
}

/// Says that a pack was put up. Once for each person; for whoever stands in the registry it also becomes a line of their ledger, which
/// counts as soon as the host confirms it.
///
/// May: whoever is signed in. Writes: receipt, contribution, log. Tells: the host, whose list shows it.
pub async fn posted(app: &App, who: &Actor, id: &PackId) -> Result<(), AppError> {
    let Some(account) = who.account().cloned() else { return Err(Denied::NotSignedIn.into()) };
    let mut tx = app.db.write().await?;
    let pack = store::find(&mut tx, id).await?.ok_or_else(|| missing(id))?;
    if !store::insert_receipt(&mut tx, id, &account, app.now()).await? {
        return Ok(());
    }
    if let Some(party) = crate::create::review::party_of(&mut tx, who).await? {
        let place = org::find(&mut tx, &OrgId(pack.wish.region.to_string())).await?.map_or_else(String::new, |org| org.name);
        let line = Contribution {
            id: ContributionId(random_word(16)),
            party,
            kind: "pack".into(),
            title: format!("{place} {}", pack.wish.month),
            object: format!("pack:{id}"),
            host: pack.org.clone(),
            day: app.today(),
            count: 1,
            minutes: 0,
            stage: Stage::Claimed,
            version: 1,
        };
        kepu_store::measure::contribution::insert_once(&mut tx, &line).await?;
    }
    log(app, &mut tx, &who.log_name(), "pack.posted", &id.0, "ok").await?;
    tx.commit().await?;
    Ok(())
}

/// What one place got in a month.
#[derive(Clone, Debug)]
pub struct Got {
    /// The place.
    pub region: Region,
    /// Ids of the classes of the tilt rule that it is in.
    pub classes: Vec<String>,
    /// Resources that each of its packs should have.
    pub quota: usize,
    /// Packs.
    pub packs: i64,
    /// Resources in them.
    pub items: i64,
    /// Times that somebody put one up; few are hidden, because few people work in a place.
    pub receipts: Cell,
    /// People, if known.
    pub people: Option<i64>,
}

/// Several places together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// Places.
    pub places: usize,
    /// Packs.
    pub packs: i64,
    /// Resources in them.
    pub items: i64,
    /// People of the places whose number is known, with the resources that came there.
    pub people: i64,
    /// Resources in the places whose number of people is known.
    pub items_known: i64,
}

impl Sum {
    /// Resources for 100,000 people, where their number is known.
    pub fn per_100k(&self) -> Option<f64> {
        (self.people > 0).then(|| self.items_known as f64 * 100_000.0 / self.people as f64)
    }
    fn add(&mut self, got: &Got) {
        self.places += 1;
        self.packs += got.packs;
        self.items += got.items;
        if let Some(people) = got.people {
            self.people += people;
            self.items_known += got.items;
        }
    }
}

/// Who got what in a month.
#[derive(Clone, Debug)]
pub struct Table {
    /// The rules in force.
    pub rules: Rules,
    /// Places that got something, by code.
    pub rows: Vec<Got>,
    /// Sums by class of the tilt rule; the last one, without an id, is of places in no class.
    pub classes: Vec<(String, Sum)>,
    /// Sums by province, with all its people.
    pub provinces: Vec<(Region, Sum)>,
    /// All receipts, unless that would give one away.
    pub receipts: Option<u32>,
}

/// The table of a month. Public: the tilt rule is worth what this shows.
pub async fn table(app: &App, month: Month) -> Result<Table, AppError> {
    let rules = app.definitions().packs.clone();
    let found = store::list_got(&mut app.db.read().await?, month).await?;
    let counts: Vec<u32> = found.iter().map(|got| u32::try_from(got.receipts).unwrap_or(u32::MAX)).collect();
    let (cells, receipts) = protect(&counts);
    let rows: Vec<Got> = found
        .into_iter()
        .zip(cells)
        .map(|(got, receipts)| Got {
            classes: rules.tilt.classes_of(got.region).iter().map(|class| class.id.clone()).collect(),
            quota: rules.tilt.quota(got.region),
            people: rules.population.people.get(&got.region).copied(),
            region: got.region,
            packs: got.packs,
            items: got.items,
            receipts,
        })
        .collect();
    let classes = by_class(&rules, &rows);
    let provinces = by_province(&rules.population, &rows);
    Ok(Table { rules, rows, classes, provinces, receipts })
}

fn by_class(rules: &Rules, rows: &[Got]) -> Vec<(String, Sum)> {
    let ids = rules.tilt.classes.iter().map(|class| class.id.clone()).chain([String::new()]);
    ids.map(|id| {
        let mut sum = Sum::default();
        rows.iter().filter(|row| if id.is_empty() { row.classes.is_empty() } else { row.classes.contains(&id) }).for_each(|row| sum.add(row));
        (id, sum)
    })
    .collect()
}

/// A province has all its people, whichever of its counties got something: else one county served well would look like all of them.
fn by_province(population: &Population, rows: &[Got]) -> Vec<(Region, Sum)> {
    let mut sums: BTreeMap<Region, Sum> = BTreeMap::new();
    for row in rows {
        let Some(province) = row.region.chain().get(1).copied() else { continue };
        sums.entry(province).or_default().add(&Got { people: None, ..row.clone() });
    }
    for (province, sum) in &mut sums {
        if let Some(people) = population.people.get(province) {
            sum.people = *people;
            sum.items_known = sum.items;
        }
    }
    sums.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn got(code: &str, items: i64, people: Option<i64>) -> Got {
        let region = Region::parse(code).expect("code");
        Got { region, classes: vec![], quota: 4, packs: 1, items, receipts: Cell::Count(0), people }
    }

    #[test]
    fn a_province_counts_all_its_people_and_a_class_those_that_are_known() {
        let rows = [got("411525", 4, None), got("411526", 8, Some(1_000_000)), got("540102", 8, None)];
        let population = Population { source: "s".into(), year: 2020, people: [(Region::parse("410000").expect("code"), 100_000_000)].into() };
        let provinces = by_province(&population, &rows);
        assert_eq!(provinces.len(), 2);
        assert_eq!(provinces[0].1.per_100k(), Some(0.012));
        assert_eq!((provinces[1].1.items, provinces[1].1.per_100k()), (8, None));
        let rules = Rules::default();
        let classes = by_class(&rules, &rows);
        assert_eq!(classes.last().map(|(id, sum)| (id.as_str(), sum.places, sum.items, sum.per_100k())), Some(("", 3, 20, Some(0.8))));
    }

    #[test]
    fn crops_are_words() {
        assert_eq!(words_of("水稻、小麦，玉米 大豆"), ["水稻", "小麦", "玉米", "大豆"]);
    }
}
