//! Monthly packs: which few resources suit a place, a month and its readers, and how many a place gets. Both rules are files in
//! `data/packs`, published as they are; how a pack is kept and printed is elsewhere.

use crate::definition::{File, Mistake};
use crate::ids::{OrgId, PackId, SubjectId};
use crate::org::Region;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// A month such as `2026-11`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Month(i16, i8);

impl Month {
    /// The month of a day.
    pub fn of(day: Date) -> Self {
        Self(day.year(), day.month())
    }
    /// Reads `YYYY-MM`, years 2000 to 2999.
    pub fn parse(text: &str) -> Option<Self> {
        let (year, month) = text.split_once('-')?;
        let digits = |text: &str, length: usize| text.len() == length && text.bytes().all(|b| b.is_ascii_digit());
        if !digits(year, 4) || !digits(month, 2) {
            return None;
        }
        let (year, month) = (year.parse().ok()?, month.parse().ok()?);
        ((2000..3000).contains(&year) && (1..=12).contains(&month)).then_some(Self(year, month))
    }
    /// From 1.
    pub fn month(self) -> i8 {
        self.1
    }
    /// The year.
    pub fn year(self) -> i16 {
        self.0
    }
    /// So many months later, or before.
    #[must_use]
    pub fn plus(self, months: i32) -> Self {
        let all = i32::from(self.0) * 12 + i32::from(self.1) - 1 + months;
        let year = i16::try_from(all.div_euclid(12)).unwrap_or(self.0);
        Self(year, i8::try_from(all.rem_euclid(12) + 1).unwrap_or(1))
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.0, self.1)
    }
}
impl From<Month> for String {
    fn from(month: Month) -> String {
        month.to_string()
    }
}
impl TryFrom<String> for Month {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        Month::parse(&text).ok_or_else(|| format!("\"{text}\" is no month such as 2026-11"))
    }
}

/// What a time of the year brings (`data/packs/seasons.json`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Season {
    /// Chinese name, told as the reason of a choice.
    pub zh: String,
    /// English name.
    pub en: String,
    /// Months, from 1.
    pub months: Vec<i8>,
    /// Where; empty: everywhere.
    #[serde(default)]
    pub places: Vec<Region>,
    /// Hazards of that time.
    #[serde(default)]
    pub hazards: Vec<String>,
    /// Words in titles and summaries that belong to it.
    #[serde(default)]
    pub words: Vec<String>,
}

impl Season {
    fn is_now(&self, place: Region, month: Month) -> bool {
        self.months.contains(&month.month()) && (self.places.is_empty() || self.places.iter().any(|here| here.covers(place)))
    }
    fn names(&self, one: &Candidate) -> bool {
        self.hazards.contains(&one.hazard) || self.words.iter().any(|word| one.words.contains(word.as_str()))
    }
}

/// A class of places that get more than others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TiltClass {
    /// Id.
    pub id: String,
    /// Chinese name.
    pub zh: String,
    /// English name.
    pub en: String,
    /// Resources more in each pack.
    pub extra: usize,
    /// Its places; a province or prefecture stands for everything in it.
    #[serde(default)]
    pub places: Vec<Region>,
    /// Where the list comes from.
    pub source: String,
    /// What the list lacks, told beside it; empty: nothing known.
    #[serde(default)]
    pub lacks: String,
}

/// The tilt rule (`data/packs/tilt.json`): how many resources a pack has, and where it has more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tilt {
    /// Version of the rule.
    pub version: u32,
    /// Chinese sentence about it.
    pub zh: String,
    /// English sentence.
    pub en: String,
    /// Resources of every pack.
    pub base: usize,
    /// Most resources of a pack, whatever classes a place is in.
    pub most: usize,
    /// Classes.
    pub classes: Vec<TiltClass>,
}

impl Tilt {
    /// The classes that a place is in.
    pub fn classes_of(&self, place: Region) -> Vec<&TiltClass> {
        self.classes.iter().filter(|class| place != Region::NATION && class.places.iter().any(|here| here.covers(place))).collect()
    }
    /// How many resources a pack for this place has.
    pub fn quota(&self, place: Region) -> usize {
        let extra: usize = self.classes_of(place).iter().map(|class| class.extra).sum();
        (self.base + extra).min(self.most)
    }
}

/// People by place, to tell what came to each head (`data/packs/population.json`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Population {
    /// Where the numbers come from.
    pub source: String,
    /// The year they are of.
    pub year: i16,
    /// People by place.
    pub people: BTreeMap<Region, i64>,
}

/// The rules of packs in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// What each time of the year brings.
    pub seasons: Vec<Season>,
    /// Who gets how many.
    pub tilt: Tilt,
    /// People by place.
    pub population: Population,
}

/// Names and texts of the files built into the program.
pub const BUILT_IN: [File<'static>; 3] = [
    File { name: "seasons.json", text: include_str!("../../../../data/packs/seasons.json") },
    File { name: "tilt.json", text: include_str!("../../../../data/packs/tilt.json") },
    File { name: "population.json", text: include_str!("../../../../data/packs/population.json") },
];

/// Most resources in a pack under any rule: more nobody pins up in a month.
pub const ITEMS_MAX: usize = 12;

impl Default for Rules {
    fn default() -> Self {
        let read = |at: usize| BUILT_IN[at].text;
        let expect = "built-in rules are checked by a test";
        Self {
            seasons: serde_json::from_str(read(0)).expect(expect),
            tilt: serde_json::from_str(read(1)).expect(expect),
            population: serde_json::from_str(read(2)).expect(expect),
        }
    }
}

impl Rules {
    /// Takes a file of this node in place of the built-in one of the same name.
    pub fn take(&mut self, file: &File<'_>) -> Result<(), Mistake> {
        match file.name.rsplit('/').next().unwrap_or_default() {
            "seasons.json" => self.seasons = file.read()?,
            "tilt.json" => {
                let tilt: Tilt = file.read()?;
                if !(1..=ITEMS_MAX).contains(&tilt.base) || tilt.most < tilt.base || tilt.most > ITEMS_MAX {
                    return Err(file.mistake(&["base"], format!("base and most lie between 1 and {ITEMS_MAX}, and most is not below base")));
                }
                self.tilt = tilt;
            }
            "population.json" => self.population = file.read()?,
            _ => return Err(file.mistake(&[], "files of packs are seasons.json, tilt.json and population.json")),
        }
        Ok(())
    }
}

/// For whom a pack is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wish {
    /// The place.
    pub region: Region,
    /// The month.
    pub month: Month,
    /// Language of the texts, BCP 47.
    pub lang: String,
    /// Readers, empty: everybody.
    #[serde(default)]
    pub audience: String,
    /// What grows there, as words.
    #[serde(default)]
    pub crops: Vec<String>,
}

/// One resource of a pack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackItem {
    /// Which.
    pub subject: SubjectId,
    /// Its title when the pack was made, for the day on which it is gone.
    pub title: String,
    /// Why it was chosen.
    pub reasons: Vec<Reason>,
}

/// A pack that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pack {
    /// Id.
    pub id: PackId,
    /// For whom.
    pub wish: Wish,
    /// For which service point, if for one: its public card.
    pub point: Option<SubjectId>,
    /// Who answers for it and confirms that it was put up.
    pub org: OrgId,
    /// What is in it, in order.
    pub items: Vec<PackItem>,
    /// What was in it once and was not fit to be shown any more when it was filled up again: it may still hang.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dropped: Vec<SubjectId>,
    /// When it was made, or filled up again.
    pub made_at: Timestamp,
    /// Version read, for safe updates.
    pub version: i64,
}

impl Pack {
    /// What makes two wishes the same.
    pub fn key(&self) -> String {
        key(&self.wish, self.point.as_ref())
    }
}

/// What makes two wishes the same: place, month, language, readers, service point.
pub fn key(wish: &Wish, point: Option<&SubjectId>) -> String {
    format!("{} {} {} {} {}", wish.region, wish.month, wish.lang, wish.audience, point.map_or("", |point| point.as_str()))
}

/// A resource that might come into a pack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Candidate {
    /// Its id, which breaks ties.
    pub id: String,
    /// Title and summary.
    pub words: String,
    /// Fields, the most important first.
    pub fields: Vec<String>,
    /// Audiences.
    pub audience: Vec<String>,
    /// Hazard of an emergency card.
    pub hazard: String,
    /// Where it is meant for.
    pub region: Region,
    /// Its languages: that of the text and those of its editions.
    pub langs: Vec<String>,
    /// Whether a pack for the same place had it within the last half year.
    pub had: bool,
    /// Days since it was written.
    pub days: i64,
}

/// Why something was chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "why")]
pub enum Reason {
    /// The time of the year, by its names.
    Season {
        /// Chinese name.
        zh: String,
        /// English name.
        en: String,
    },
    /// What grows there.
    Crop {
        /// The word.
        word: String,
    },
    /// Meant for this place in particular.
    Place,
    /// Meant for these readers.
    Audience,
    /// Written lately.
    New,
}

/// Resources with one field that a pack takes at most: a board with four texts about one thing is read by few.
const OF_ONE_FIELD: usize = 2;
/// What is younger is new.
const NEW_DAYS: i64 = 180;

/// Chooses at most `count` of `candidates` for `wish`: the order of the pack, each with its reasons.
///
/// Points: the season 4, a crop 5, the place in particular 3, these readers 3, new 1; what the place had within half a year comes only when
/// nothing else is left. What is not in the language is left out. Ties go to the smaller id.
pub fn choose(wish: &Wish, seasons: &[Season], candidates: &[Candidate], count: usize) -> Vec<(usize, Vec<Reason>)> {
    let now: Vec<&Season> = seasons.iter().filter(|season| season.is_now(wish.region, wish.month)).collect();
    let mut ranked: Vec<(bool, i64, usize, Vec<Reason>)> = Vec::new();
    for (at, one) in candidates.iter().enumerate() {
        if !one.langs.iter().any(|lang| lang.starts_with(wish.lang.as_str())) {
            continue;
        }
        let (points, reasons) = weigh(wish, &now, one);
        ranked.push((one.had, -points, at, reasons));
    }
    ranked.sort_by(|a, b| (a.0, a.1, &candidates[a.2].id).cmp(&(b.0, b.1, &candidates[b.2].id)));
    let mut fields: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut chosen, mut left) = (Vec::new(), Vec::new());
    for (_, _, at, reasons) in ranked {
        let field = candidates[at].fields.first().map_or("", String::as_str);
        let used = fields.entry(field).or_default();
        if *used < OF_ONE_FIELD && chosen.len() < count {
            *used += 1;
            chosen.push((at, reasons));
        } else {
            left.push((at, reasons));
        }
    }
    // Rather a third text about one field than an empty corner of the board.
    let missing = count.saturating_sub(chosen.len());
    chosen.extend(left.into_iter().take(missing));
    chosen
}

fn weigh(wish: &Wish, now: &[&Season], one: &Candidate) -> (i64, Vec<Reason>) {
    let mut reasons = Vec::new();
    let mut points = 0;
    if let Some(word) = wish.crops.iter().find(|word| !word.is_empty() && one.words.contains(word.as_str())) {
        points += 5;
        reasons.push(Reason::Crop { word: word.clone() });
    }
    if let Some(season) = now.iter().find(|season| season.names(one)) {
        points += 4;
        reasons.push(Reason::Season { zh: season.zh.clone(), en: season.en.clone() });
    }
    if one.region != Region::NATION && one.region.covers(wish.region) {
        points += 3;
        reasons.push(Reason::Place);
    }
    if !wish.audience.is_empty() && one.audience.contains(&wish.audience) {
        points += 3;
        reasons.push(Reason::Audience);
    }
    if one.days <= NEW_DAYS {
        points += 1;
        reasons.push(Reason::New);
    }
    (points, reasons)
}

/// The hazards of the time of the year at a place.
pub fn hazards_now(seasons: &[Season], place: Region, month: Month) -> BTreeSet<String> {
    seasons.iter().filter(|season| season.is_now(place, month)).flat_map(|season| season.hazards.iter().cloned()).collect()
}

/// Seconds that a script for a loudspeaker lasts.
pub const SCRIPT_SECONDS: usize = 90;
/// Characters that a calm voice reads in a second.
const CHARS_A_SECOND: usize = 4;

/// The beginning of a text that is read in [`SCRIPT_SECONDS`], ended after a sentence where there is one.
pub fn script_of(text: &str) -> &str {
    let most = SCRIPT_SECONDS * CHARS_A_SECOND;
    let Some((end, _)) = text.char_indices().nth(most) else { return text };
    let head = &text[..end];
    match head.rfind(['。', '！', '？', '\n']) {
        Some(at) => &head[..at + head[at..].chars().next().map_or(1, char::len_utf8)],
        None => head,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(code: &str) -> Region {
        Region::parse(code).expect("code")
    }
    fn wish() -> Wish {
        Wish { region: region("411525"), month: Month(2026, 7), lang: "zh".into(), audience: "farmer".into(), crops: vec!["稻".into()] }
    }
    fn one(id: &str, words: &str, field: &str) -> Candidate {
        Candidate { id: id.into(), words: words.into(), fields: vec![field.into()], langs: vec!["zh-Hans".into()], days: 900, ..Candidate::default() }
    }
    fn summer() -> Vec<Season> {
        vec![Season {
            zh: "高温".into(), en: "heat".into(), months: vec![6, 7, 8], places: vec![], hazards: vec!["N-HEAT".into()], words: vec!["中暑".into()]
        }]
    }

    #[test]
    fn months_follow_each_other() {
        let month = Month::parse("2026-11").expect("month");
        assert_eq!((month.plus(2).to_string(), month.plus(-11).to_string()), ("2027-01".into(), "2025-12".into()));
        for bad in ["2026-13", "2026-1", "26-01", "2026-00", "2026-+1", "1999-01"] {
            assert_eq!(Month::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_village_gets_its_crop_its_season_and_its_readers_first() {
        let list = [
            one("a", "量子计算机", "quantum"),
            one("b", "防中暑", "health"),
            one("c", "稻瘟病", "agri"),
            Candidate { audience: vec!["farmer".into()], ..one("d", "测土配方", "agri") },
            Candidate { hazard: "N-HEAT".into(), had: true, ..one("e", "高温天", "safety") },
            Candidate { langs: vec!["bo".into()], ..one("f", "稻", "agri") },
        ];
        let chosen = choose(&wish(), &summer(), &list, 4);
        let ids: Vec<&str> = chosen.iter().map(|(at, _)| list[*at].id.as_str()).collect();
        assert_eq!(ids, ["c", "b", "d", "a"], "what the place had comes last, other languages never");
        assert_eq!(chosen[0].1, [Reason::Crop { word: "稻".into() }]);
        assert_eq!(choose(&wish(), &summer(), &list, 9).len(), 5);
    }

    #[test]
    fn no_more_than_two_of_one_field_while_there_is_another() {
        let list = [one("a", "中暑一", "health"), one("b", "中暑二", "health"), one("c", "中暑三", "health"), one("d", "别的", "it")];
        let ids = |count| choose(&wish(), &summer(), &list, count).iter().map(|(at, _)| list[*at].id.clone()).collect::<Vec<_>>();
        assert_eq!(ids(3), ["a", "b", "d"]);
        assert_eq!(ids(4), ["a", "b", "d", "c"]);
    }

    #[test]
    fn the_tilt_rule_is_a_file_and_has_a_ceiling() {
        let rules = Rules::default();
        let (plain, ethnic) = (region("411525"), region("540102"));
        assert_eq!(rules.tilt.quota(plain), rules.tilt.base);
        assert!(rules.tilt.quota(ethnic) > rules.tilt.base && rules.tilt.quota(ethnic) <= rules.tilt.most);
        assert!(rules.tilt.classes_of(Region::NATION).is_empty());
        assert!(rules.tilt.classes.iter().all(|class| !class.source.is_empty()));
        assert_eq!(rules.population.people.len(), 31);
        assert!(!hazards_now(&rules.seasons, plain, Month(2026, 7)).is_empty() && (1..=12).all(|m| rules.seasons.iter().any(|s| s.months.contains(&m))));
        let mut own = Rules::default();
        let text = r#"{"version": 2, "zh": "规则", "en": "rule", "base": 40, "most": 4, "classes": []}"#;
        assert!(own.take(&File { name: "packs/tilt.json", text }).is_err());
        assert!(own.take(&File { name: "packs/tilt.json", text: &text.replace("40", "2") }).is_ok() && own.tilt.quota(ethnic) == 2);
        assert!(own.take(&File { name: "packs/other.json", text: "{}" }).is_err());
    }

    #[test]
    fn a_script_ends_after_a_sentence() {
        let sentence = "一二三四五六七八九。";
        assert_eq!(script_of(sentence), sentence);
        let long = format!("{}一二三", sentence.repeat(36));
        assert_eq!(script_of(&long), sentence.repeat(36));
        assert_eq!(script_of(&"字".repeat(500)).chars().count(), 360);
    }
}
