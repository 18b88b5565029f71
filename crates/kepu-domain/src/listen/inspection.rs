//! Inspections: a random sample over evidence that lies there already, looked at against a checklist. Nobody fills in a form for it, and anybody with the list can
//! repeat the draw. What is found travels like a decision (`decision`). How sure a share of a sample is is in `kepu-stats`.

use crate::ids::{AccountId, InspectionId, OrgId, SubjectId};
use crate::org::Region;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashSet};

/// Most evidence that one inspection draws from.
pub const LIST_MAX: usize = 5_000;
/// Most of it that is drawn.
pub const SIZE_MAX: usize = 200;

/// A question of a checklist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// Id.
    pub id: String,
    /// Which rule asks for it.
    pub source: String,
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

/// A checklist as its file says it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checklist {
    /// Id.
    pub id: String,
    /// Chinese name.
    pub zh: String,
    /// English name.
    pub en: String,
    /// Its questions.
    pub questions: Vec<Question>,
}

/// The checklists built into the program.
pub static CHECKLISTS: std::sync::LazyLock<Vec<Checklist>> = std::sync::LazyLock::new(|| {
    const FILES: [&str; 2] = [include_str!("../../../../data/inspections/evidence.json"), include_str!("../../../../data/inspections/venue.json")];
    FILES.iter().map(|text| serde_json::from_str(text).expect("built-in checklists are checked by a test")).collect()
});

/// A checklist by its id.
pub fn checklist(id: &str) -> Option<&'static Checklist> {
    CHECKLISTS.iter().find(|list| list.id == id)
}

/// An inspection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// Id.
    pub id: InspectionId,
    /// What it is called.
    pub title: String,
    /// Who inspects.
    pub org: OrgId,
    /// Checklist.
    pub checklist: String,
    /// Where.
    pub region: Region,
    /// The word that the lot hangs on: published, and known to nobody before the list was closed.
    pub word: String,
    /// SHA-256 of the list, in hex.
    pub list_hash: String,
    /// How many were on the list.
    pub listed: i64,
    /// How many were drawn.
    pub drawn: i64,
    /// When.
    pub drawn_at: Timestamp,
}

/// One piece of evidence on the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What names it: decision and ask, or a task of this node.
    pub key: String,
    /// Where it was done.
    pub place: Region,
    /// What was to be done.
    pub title: String,
    /// Who did it, by name.
    pub host: String,
    /// The evidence: an address or a line of text.
    pub evidence: String,
    /// When it was done.
    pub at: Timestamp,
}

fn hex(parts: &[&str]) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(parts.join("\n").as_bytes()))
}

/// The hash of a list: SHA-256 over one line for each entry, key, place and evidence parted by tabs, in the order of the keys.
pub fn list_hash(list: &[Entry]) -> String {
    let mut lines: Vec<String> = list.iter().map(|one| format!("{}\t{}\t{}", one.key, one.place, one.evidence)).collect();
    lines.sort_unstable();
    hex(&lines.iter().map(String::as_str).collect::<Vec<_>>())
}

/// The lot of an entry: SHA-256 of word, list hash and key, each on a line of its own.
pub fn lot(word: &str, list_hash: &str, key: &str) -> String {
    hex(&[word, list_hash, key])
}

/// Draws `size` of the list: each place gets its share (largest remainders; ties to the smaller code), and in each place the smallest lots are taken.
/// The keys drawn, in the order of places and lots.
pub fn draw(list: &[Entry], word: &str, size: usize) -> Vec<String> {
    let hash = list_hash(list);
    let mut places: BTreeMap<String, Vec<(String, &str)>> = BTreeMap::new();
    for one in list {
        places.entry(one.place.to_string()).or_default().push((lot(word, &hash, &one.key), &one.key));
    }
    let size = size.min(list.len());
    let share = |count: usize| size * count / list.len().max(1);
    let mut quotas: Vec<usize> = places.values().map(|part| share(part.len())).collect();
    let mut order: Vec<usize> = (0..quotas.len()).collect();
    let rests: Vec<usize> = places.values().map(|part| size * part.len() % list.len().max(1)).collect();
    order.sort_by_key(|at| (std::cmp::Reverse(rests[*at]), *at));
    let short = size - quotas.iter().sum::<usize>();
    for at in order.into_iter().take(short) {
        quotas[at] += 1;
    }
    let mut drawn = Vec::with_capacity(size);
    for (mut part, quota) in places.into_values().zip(quotas) {
        part.sort_unstable();
        drawn.extend(part.into_iter().take(quota).map(|(_, key)| key.to_owned()));
    }
    drawn
}

/// An answer to a question of the checklist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tick {
    /// It is so.
    Yes,
    /// It is not.
    No,
    /// It does not apply here.
    Na,
}

impl Tick {
    /// Reads the word of a form.
    pub fn parse(text: &str) -> Option<Tick> {
        match text {
            "yes" => Some(Tick::Yes),
            "no" => Some(Tick::No),
            "na" => Some(Tick::Na),
            _ => None,
        }
    }
    /// The word of a form.
    pub fn as_str(self) -> &'static str {
        match self {
            Tick::Yes => "yes",
            Tick::No => "no",
            Tick::Na => "na",
        }
    }
}

/// What was seen of a sample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: AccountId,
    /// The answers, by question.
    pub ticks: BTreeMap<String, Tick>,
    /// The finding that was made of it; none: in order.
    pub finding: Option<SubjectId>,
}

/// A sample: an entry that was drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Its number in the draw, from 1; 0 for what was not drawn.
    pub n: i64,
    /// The evidence.
    pub entry: Entry,
    /// What was seen; none while nobody has looked.
    pub seen: Option<Seen>,
}

/// The questions that have no answer yet.
pub fn unanswered<'a>(list: &'a Checklist, ticks: &BTreeMap<String, Tick>) -> Vec<&'a str> {
    list.questions.iter().map(|question| question.id.as_str()).filter(|id| !ticks.contains_key(*id)).collect()
}

/// Whether something is not as it should be.
pub fn has_fault(ticks: &BTreeMap<String, Tick>) -> bool {
    ticks.values().any(|tick| *tick == Tick::No)
}

/// How an inspection stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// On the list.
    pub listed: usize,
    /// Drawn.
    pub drawn: usize,
    /// Looked at.
    pub seen: usize,
    /// In order.
    pub in_order: usize,
    /// Findings.
    pub findings: usize,
    /// Corrected.
    pub corrected: usize,
    /// Of those, in time.
    pub in_time: usize,
    /// Neither corrected nor in time any more.
    pub overdue: usize,
}

/// Whether a second draw gives the same: the list as it is kept, the word and the number.
pub fn repeats(list: &[Entry], inspection: &Inspection, drawn: &[String]) -> bool {
    let size = usize::try_from(inspection.drawn).unwrap_or_default();
    let again: HashSet<String> = draw(list, &inspection.word, size).into_iter().collect();
    list_hash(list) == inspection.list_hash && again.len() == drawn.len() && drawn.iter().all(|key| again.contains(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(key: &str, code: &str) -> Entry {
        Entry {
            key: key.into(),
            place: Region::parse(code).expect("code"),
            title: "开放一次".into(),
            host: "县".into(),
            evidence: format!("https://example.org/{key}"),
            at: Timestamp::UNIX_EPOCH,
        }
    }
    fn list() -> Vec<Entry> {
        let big = (0..30).map(|n| entry(&format!("a{n}"), "411525"));
        big.chain((0..9).map(|n| entry(&format!("b{n}"), "410100"))).chain([entry("c", "420100")]).collect()
    }

    #[test]
    fn a_draw_is_the_same_for_everybody_and_hangs_on_the_word_and_the_list() {
        let list = list();
        let first = draw(&list, "双色球第2026030期 03 07", 12);
        let turned: Vec<Entry> = list.iter().rev().cloned().collect();
        assert_eq!(draw(&turned, "双色球第2026030期 03 07", 12), first);
        assert_ne!(draw(&list, "另一句话", 12), first);
        assert_ne!(draw(&list[1..], "双色球第2026030期 03 07", 12), first);
        let mut once = first.clone();
        once.sort();
        once.dedup();
        assert_eq!(once.len(), 12);
    }

    #[test]
    fn each_place_gets_its_share() {
        let count = |drawn: &[String], begin: &str| drawn.iter().filter(|key| key.starts_with(begin)).count();
        let drawn = draw(&list(), "x", 20);
        assert_eq!((count(&drawn, "a"), count(&drawn, "b"), count(&drawn, "c")), (15, 5, 0), "half a share goes to the smaller code");
        let drawn = draw(&list(), "x", 22);
        assert_eq!((count(&drawn, "a"), count(&drawn, "b"), count(&drawn, "c")), (16, 5, 1));
        assert_eq!(draw(&list(), "x", 4_000).len(), 40, "no more than there are");
        assert!(draw(&[], "x", 5).is_empty() && draw(&list(), "x", 0).is_empty());
    }

    #[test]
    fn every_entry_is_drawn_about_equally_often() {
        let list: Vec<Entry> = (0..20).map(|n| entry(&format!("a{n}"), "411525")).collect();
        let mut times: BTreeMap<String, usize> = BTreeMap::new();
        for n in 0..2_000 {
            for key in draw(&list, &n.to_string(), 5) {
                *times.entry(key).or_default() += 1;
            }
        }
        assert!(times.len() == 20 && times.values().all(|count| (400..600).contains(count)), "{times:?}");
    }

    #[test]
    fn a_changed_list_or_sample_is_noticed() {
        let list = list();
        let drawn = draw(&list, "w", 6);
        let inspection = Inspection {
            id: "i".into(),
            title: "抽查".into(),
            org: "o".into(),
            checklist: "evidence".into(),
            region: Region::NATION,
            word: "w".into(),
            list_hash: list_hash(&list),
            listed: 40,
            drawn: 6,
            drawn_at: Timestamp::UNIX_EPOCH,
        };
        assert!(repeats(&list, &inspection, &drawn));
        let mut swapped = drawn.clone();
        swapped[0] = list.iter().map(|one| one.key.clone()).find(|key| !drawn.contains(key)).expect("another");
        assert!(!repeats(&list, &inspection, &swapped) && !repeats(&list[1..], &inspection, &drawn));
    }

    #[test]
    fn checklists_load_and_name_their_sources() {
        for list in CHECKLISTS.iter() {
            let ids: HashSet<&str> = list.questions.iter().map(|one| one.id.as_str()).collect();
            assert!(!list.questions.is_empty() && ids.len() == list.questions.len(), "{}", list.id);
            assert!(list.questions.iter().all(|one| !one.source.is_empty() && !one.zh.is_empty() && !one.en.is_empty()));
        }
        let list = checklist("evidence").expect("list");
        let mut ticks = BTreeMap::from([("opens".to_owned(), Tick::Yes)]);
        assert!(unanswered(list, &ticks).len() == list.questions.len() - 1 && !has_fault(&ticks));
        ticks.insert("fits".into(), Tick::No);
        assert!(has_fault(&ticks));
        for tick in [Tick::Yes, Tick::No, Tick::Na] {
            assert_eq!(Tick::parse(tick.as_str()), Some(tick));
        }
    }
}
