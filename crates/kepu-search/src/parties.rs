//! Finding parties by competence, place, availability and name: an index in memory over the registry's own entries and the
//! cards of other nodes, always rebuildable from the tables. Who may be shown to whom is decided by whoever fills it.

use kepu_domain::org::Region;
use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashMap};

/// What the index knows of a party.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PartyDoc {
    /// Id, unique in the index: a registry id, or the subject of a card.
    pub id: String,
    /// Name as it is sorted by (`kepu_text::fold`).
    pub name_fold: String,
    /// Name and whatever else words are looked for in, folded.
    pub text_fold: String,
    /// Place.
    pub region: Region,
    /// Longitude and latitude in degrees; none: only the county is known and no seat of it.
    pub point: Option<(f64, f64)>,
    /// Words of the form `field=value` that can be filtered by, such as `kind=person`, `fields=health`, `in=experts`.
    pub words: Vec<String>,
    /// Fields of proved competence: they rank.
    pub competence: Vec<String>,
    /// Share of the monthly ceiling that is used, in thousandths; 1000 and more: nothing can be asked at present.
    pub used: i64,
    /// Last day on which it is shown, as days since 1970-01-01; `i32::MAX`: it does not end.
    pub shown_until: i32,
}

/// What is looked for. Every condition must hold.
#[derive(Clone, Debug, Default)]
pub struct PartyQuery {
    /// Words that the party must all have.
    pub words: Vec<String>,
    /// Groups of words of which the party must have one each, such as one of several languages.
    pub any: Vec<Vec<String>>,
    /// Only inside this place.
    pub region: Option<Region>,
    /// Folded words, each of which must stand somewhere in the text; empty: any.
    pub text: String,
    /// Fields wanted; the more a party covers the higher it stands. With none, competence does not matter.
    pub fields: Vec<String>,
    /// Near here: ranks by distance, and with a limit in kilometres leaves out what is farther.
    pub near: Option<((f64, f64), Option<f64>)>,
    /// Only who can be asked at present.
    pub free: bool,
    /// Today, as days since 1970-01-01.
    pub today: i32,
    /// Rows to leave out in front.
    pub skip: usize,
    /// Rows at most.
    pub limit: usize,
}

/// A party that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct PartyHit {
    /// Its id.
    pub id: String,
    /// Wanted fields it covers.
    pub covered: usize,
    /// Kilometres from the point asked for; none if none was, or if it is not known where the party is.
    pub distance_km: Option<f64>,
    /// Share of its ceiling used, in thousandths.
    pub used: i64,
}

#[derive(Clone, Debug)]
struct Slot {
    doc: PartyDoc,
    /// Numbers of its words, sorted.
    words: Box<[u32]>,
    /// Numbers of the words of its proved fields.
    competence: Box<[u32]>,
    alive: bool,
}

/// The index.
#[derive(Debug, Default)]
pub struct PartyIndex {
    slots: Vec<Slot>,
    by_id: HashMap<String, u32>,
    numbers: HashMap<String, u32>,
    /// Slots that have a word, by the word's number, oldest first; dead ones are skipped.
    postings: Vec<Vec<u32>>,
    dead: usize,
}

impl PartyIndex {
    /// Puts a party in place of the one with the same id.
    pub fn put(&mut self, doc: PartyDoc) {
        self.remove(&doc.id);
        let slot = u32::try_from(self.slots.len()).unwrap_or(u32::MAX);
        let mut words: Vec<u32> = doc.words.iter().map(|word| self.number(word)).collect();
        for place in doc.region.chain() {
            words.push(self.number(&region_word(place)));
        }
        let competence: Box<[u32]> = doc.competence.iter().map(|field| self.number(&field_word(field))).collect();
        words.extend(&competence);
        words.sort_unstable();
        words.dedup();
        words.iter().for_each(|word| self.postings[*word as usize].push(slot));
        self.by_id.insert(doc.id.clone(), slot);
        self.slots.push(Slot { doc: PartyDoc { words: vec![], competence: vec![], ..doc }, words: words.into(), competence, alive: true });
        if self.dead > 1_024 && self.dead > self.slots.len() / 2 {
            self.compact();
        }
    }

    /// Takes a party out.
    pub fn remove(&mut self, id: &str) {
        if let Some(slot) = self.by_id.remove(id)
            && let Some(slot) = self.slots.get_mut(slot as usize)
        {
            slot.alive = false;
            slot.doc = PartyDoc::default();
            self.dead += 1;
        }
    }

    /// How many parties it holds.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    fn number(&mut self, word: &str) -> u32 {
        if let Some(number) = self.numbers.get(word) {
            return *number;
        }
        let number = u32::try_from(self.postings.len()).unwrap_or(u32::MAX);
        self.numbers.insert(word.to_owned(), number);
        self.postings.push(Vec::new());
        number
    }

    /// Drops dead slots; numbers of words stay.
    fn compact(&mut self) {
        let alive: Vec<Slot> = std::mem::take(&mut self.slots).into_iter().filter(|slot| slot.alive).collect();
        self.postings.iter_mut().for_each(Vec::clear);
        self.by_id.clear();
        self.dead = 0;
        for (at, slot) in alive.iter().enumerate() {
            slot.words.iter().for_each(|word| self.postings[*word as usize].push(at as u32));
            self.by_id.insert(slot.doc.id.clone(), at as u32);
        }
        self.slots = alive;
    }

    /// The best hits, best first, and how many there are in all.
    ///
    /// Order: fields covered, then distance, then the less burdened, then name, then id.
    pub fn search(&self, query: &PartyQuery) -> (Vec<PartyHit>, usize) {
        let Some(plan) = self.plan(query) else { return (vec![], 0) };
        let wanted = query.skip.saturating_add(query.limit);
        let mut best: BinaryHeap<Ranked<'_>> = BinaryHeap::with_capacity(wanted.min(10_000) + 1);
        let mut total = 0;
        for slot in self.candidates(&plan) {
            let Some(ranked) = plan.rank(slot, query).map(|rank| Ranked { rank, slot }) else { continue };
            total += 1;
            if best.len() < wanted {
                best.push(ranked);
            } else if best.peek().is_some_and(|worst| ranked < *worst) {
                best.pop();
                best.push(ranked);
            }
        }
        let hits = best.into_sorted_vec().into_iter().skip(query.skip).map(|r| r.hit()).collect();
        (hits, total)
    }

    /// How many parties have each of these words among those that the query finds (its own limit aside).
    pub fn count_words(&self, query: &PartyQuery, words: &[String]) -> Vec<usize> {
        let mut counts = vec![0; words.len()];
        let Some(plan) = self.plan(query) else { return counts };
        let numbers: Vec<Option<u32>> = words.iter().map(|word| self.numbers.get(word).copied()).collect();
        for slot in self.candidates(&plan).filter(|slot| plan.rank(slot, query).is_some()) {
            for (count, number) in counts.iter_mut().zip(&numbers) {
                if number.is_some_and(|number| slot.words.binary_search(&number).is_ok()) {
                    *count += 1;
                }
            }
        }
        counts
    }

    fn candidates<'a>(&'a self, plan: &'a Plan<'a>) -> Box<dyn Iterator<Item = &'a Slot> + 'a> {
        match &plan.first {
            First::All => Box::new(self.slots.iter()),
            First::Word(list) => Box::new(list.iter().filter_map(|slot| self.slots.get(*slot as usize))),
            First::Field(list) => Box::new(list.iter().filter_map(|slot| self.slots.get(*slot as usize))),
        }
    }

    /// Words as numbers, and the shortest list to walk; `None` if nothing can match.
    fn plan<'a>(&'a self, query: &PartyQuery) -> Option<Plan<'a>> {
        let mut all = Vec::with_capacity(query.words.len() + 1);
        for word in &query.words {
            all.push(*self.numbers.get(word)?);
        }
        if let Some(region) = query.region.filter(|region| *region != Region::NATION) {
            all.push(*self.numbers.get(&region_word(region))?);
        }
        let mut any = Vec::with_capacity(query.any.len());
        for group in query.any.iter().filter(|group| !group.is_empty()) {
            let known: Vec<u32> = group.iter().filter_map(|word| self.numbers.get(word).copied()).collect();
            if known.is_empty() {
                return None;
            }
            any.push(known);
        }
        let fields: Vec<u32> = query.fields.iter().filter_map(|field| self.numbers.get(&field_word(field)).copied()).collect();
        if fields.is_empty() && !query.fields.is_empty() {
            return None;
        }
        let first = self.first(&all, &fields);
        let texts = query.text.split_whitespace().map(str::to_owned).collect();
        Some(Plan { all, any, fields, texts, first })
    }

    /// The shortest list that holds everything that can match.
    fn first(&self, all: &[u32], fields: &[u32]) -> First<'_> {
        let list = |number: &u32| self.postings.get(*number as usize).map_or(&[] as &[u32], Vec::as_slice);
        let word = all.iter().map(list).min_by_key(|list| list.len());
        let competent: usize = fields.iter().map(|field| list(field).len()).sum();
        match word {
            Some(word) if fields.is_empty() || word.len() <= competent => First::Word(word),
            None if fields.is_empty() => First::All,
            _ => {
                let mut slots: Vec<u32> = fields.iter().flat_map(list).copied().collect();
                slots.sort_unstable();
                slots.dedup();
                First::Field(slots)
            }
        }
    }
}

fn region_word(region: Region) -> String {
    format!("region={region}")
}

/// Competence is a word of its own: a stated field without proof can be filtered by, but does not rank.
fn field_word(field: &str) -> String {
    format!("proved={field}")
}

enum First<'a> {
    All,
    Word(&'a [u32]),
    Field(Vec<u32>),
}

struct Plan<'a> {
    all: Vec<u32>,
    any: Vec<Vec<u32>>,
    fields: Vec<u32>,
    texts: Vec<String>,
    first: First<'a>,
}

#[derive(Clone, Copy)]
struct Rank {
    covered: usize,
    metres: i64,
    used: i64,
    /// Whether a point was asked for; else every distance is 0 and none is told.
    near: bool,
}

impl Plan<'_> {
    fn rank(&self, slot: &Slot, query: &PartyQuery) -> Option<Rank> {
        let has = |number: &u32| slot.words.binary_search(number).is_ok();
        let doc = &slot.doc;
        let fits = slot.alive
            && doc.shown_until >= query.today
            && (!query.free || doc.used < 1_000)
            && self.all.iter().all(has)
            && self.any.iter().all(|group| group.iter().any(has))
            && self.texts.iter().all(|text| doc.text_fold.contains(text.as_str()));
        if !fits {
            return None;
        }
        let covered = self.fields.iter().filter(|field| slot.competence.contains(field)).count();
        if covered == 0 && !query.fields.is_empty() {
            return None;
        }
        let metres = match query.near {
            None => 0,
            Some((here, limit)) => {
                let km = doc.point.map(|there| distance_km(here, there));
                match (km, limit) {
                    (None, Some(_)) => return None,
                    (Some(km), Some(limit)) if km > limit => return None,
                    (Some(km), _) => (km * 1_000.0) as i64,
                    (None, None) => i64::MAX,
                }
            }
        };
        Some(Rank { covered, metres, used: doc.used, near: query.near.is_some() })
    }
}

struct Ranked<'a> {
    rank: Rank,
    slot: &'a Slot,
}

impl Ranked<'_> {
    fn key(&self) -> (std::cmp::Reverse<usize>, i64, i64, &str, &str) {
        (std::cmp::Reverse(self.rank.covered), self.rank.metres, self.rank.used, &self.slot.doc.name_fold, &self.slot.doc.id)
    }
    fn hit(&self) -> PartyHit {
        let known = self.rank.near && self.rank.metres != i64::MAX;
        PartyHit {
            id: self.slot.doc.id.clone(),
            covered: self.rank.covered,
            distance_km: known.then_some(self.rank.metres as f64 / 1_000.0),
            used: self.rank.used,
        }
    }
}

impl PartialEq for Ranked<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}
impl Eq for Ranked<'_> {}
impl PartialOrd for Ranked<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Ranked<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

/// Great-circle distance of two points (longitude, latitude in degrees) in kilometres, on a sphere of 6,371 km.
pub fn distance_km(a: (f64, f64), b: (f64, f64)) -> f64 {
    let (lat_a, lat_b) = (a.1.to_radians(), b.1.to_radians());
    let (dlat, dlng) = (lat_b - lat_a, (b.0 - a.0).to_radians());
    let h = (dlat / 2.0).sin().powi(2) + lat_a.cos() * lat_b.cos() * (dlng / 2.0).sin().powi(2);
    2.0 * 6_371.0 * h.sqrt().min(1.0).asin()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn doc(id: &str, fields: &[&str], point: (f64, f64), used: i64) -> PartyDoc {
        PartyDoc {
            id: id.into(),
            name_fold: id.into(),
            text_fold: format!("{id} doctor"),
            region: Region::parse("411525").expect("code"),
            point: Some(point),
            words: std::iter::once("kind=person".to_owned()).chain(fields.iter().map(|f| format!("fields={f}"))).collect(),
            competence: fields.iter().map(|f| (*f).to_owned()).collect(),
            used,
            shown_until: i32::MAX,
        }
    }
    fn ids(index: &PartyIndex, query: &PartyQuery) -> String {
        index.search(query).0.into_iter().map(|hit| hit.id).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn competence_then_distance_then_burden() {
        let mut index = PartyIndex::default();
        index.put(doc("far", &["health", "food"], (121.5, 31.2), 0));
        index.put(doc("near", &["health", "food"], (115.7, 32.2), 500));
        index.put(doc("rested", &["health", "food"], (115.7, 32.2), 0));
        index.put(doc("one", &["health"], (115.65, 32.18), 0));
        index.put(doc("full", &["health"], (115.65, 32.18), 1_000));
        let query =
            PartyQuery { fields: vec!["health".into(), "food".into()], near: Some(((115.65, 32.18), None)), free: true, limit: 10, ..PartyQuery::default() };
        assert_eq!(ids(&index, &query), "rested near far one");
        assert_eq!(ids(&index, &PartyQuery { near: Some(((115.65, 32.18), Some(50.0))), ..query.clone() }), "rested near one");
        assert_eq!(ids(&index, &PartyQuery { skip: 1, limit: 2, ..query.clone() }), "near far");
        assert_eq!(index.search(&PartyQuery { limit: 1, ..query.clone() }).1, 4);
        index.remove("rested");
        index.put(doc("near", &["physics"], (115.7, 32.2), 0));
        assert_eq!(ids(&index, &query), "far one");
        assert_eq!(index.len(), 4);
    }

    #[test]
    fn places_words_and_names_narrow_down() {
        let mut index = PartyIndex::default();
        index.put(doc("a-lin", &["health"], (115.6, 32.1), 0));
        index.put(PartyDoc { region: Region::parse("420000").expect("code"), ..doc("b-lin", &["health"], (114.3, 30.6), 0) });
        let all = PartyQuery { limit: 10, ..PartyQuery::default() };
        assert_eq!(ids(&index, &all), "a-lin b-lin");
        assert_eq!(index.search(&all).0[0].distance_km, None, "nobody asked from where");
        let here = PartyQuery { near: Some(((115.6, 32.1), None)), ..all.clone() };
        assert_eq!(index.search(&here).0[0].distance_km, Some(0.0));
        assert_eq!(ids(&index, &PartyQuery { region: Region::parse("410000").ok(), ..all.clone() }), "a-lin");
        assert_eq!(ids(&index, &PartyQuery { text: "b- doc".into(), ..all.clone() }), "b-lin");
        assert_eq!(ids(&index, &PartyQuery { fields: vec!["unheard".into()], ..all.clone() }), "");
        assert_eq!(ids(&index, &PartyQuery { words: vec!["kind=venue".into()], ..all.clone() }), "");
        assert_eq!(ids(&index, &PartyQuery { any: vec![vec!["fields=food".into(), "fields=health".into()]], ..all.clone() }), "a-lin b-lin");
        assert_eq!(index.count_words(&all, &["fields=health".into(), "fields=food".into()]), [2, 0]);
    }

    #[test]
    fn what_ended_is_not_found_and_the_index_stays_small() {
        let mut index = PartyIndex::default();
        index.put(PartyDoc { shown_until: 10, ..doc("old", &["health"], (115.6, 32.1), 0) });
        let query = |today| PartyQuery { today, limit: 9, ..PartyQuery::default() };
        assert_eq!((ids(&index, &query(10)), ids(&index, &query(11))), ("old".into(), String::new()));
        for n in 0..10_000 {
            index.put(doc(&format!("p{}", n % 10), &["health"], (115.6, 32.1), 0));
        }
        assert!(index.slots.len() < 3_000, "{}", index.slots.len());
        assert_eq!(index.search(&query(11)).1, 10);
    }

    #[test]
    fn distances_agree_with_known_ones() {
        // Beijing to Shanghai, about 1,068 km on the sphere.
        assert!((distance_km((116.4074, 39.9042), (121.4737, 31.2304)) - 1_067.3).abs() < 2.0);
        assert_eq!(distance_km((1.0, 2.0), (1.0, 2.0)), 0.0);
    }
}
