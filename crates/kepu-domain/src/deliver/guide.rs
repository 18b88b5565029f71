//! What to do about a warning: which pre-reviewed emergency cards stand beside it, in which order, and why. A pure choice by published rules
//! (`data/policy/guidance.json`): the same warning, place and hour give the same cards to everybody.

use super::alert::Info;
use super::warning::{Kind, Warning};
use crate::definition::{File, Mistake};
use crate::ids::SubjectId;
use crate::org::Region;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

/// Most cards beside one warning.
pub const CARDS_MAX: usize = 4;
/// Hours of the night in China, in which loudspeakers are for red and orange only.
const NIGHT: (i8, i8) = (22, 6);

/// One hazard of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hazard {
    /// Id.
    pub id: String,
    /// Chinese name.
    pub zh: String,
    /// English name.
    pub en: String,
    /// One of the four classes.
    pub class: String,
    /// Its part.
    pub subclass: String,
    /// Code of the OASIS event terms.
    pub oet: String,
}

/// The hazards, to be found by code.
#[derive(Clone, Debug, Default)]
pub struct Hazards {
    list: Vec<Hazard>,
    by_id: HashMap<String, usize>,
}

/// The list built into the program.
pub static HAZARD_LIST: LazyLock<Hazards> =
    LazyLock::new(|| Hazards::read(include_str!("../../../../data/vocabularies/hazards.csv")).expect("the built-in list is checked by a test"));

impl Hazards {
    fn read(text: &str) -> Option<Self> {
        let mut out = Self::default();
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let head = reader.headers().ok()?.clone();
        let column = |name: &str| head.iter().position(|h| h == name);
        let [id, zh, en, class, subclass, oet] =
            [column("id")?, column("name_zh")?, column("name_en")?, column("class_zh")?, column("subclass_zh")?, column("oet_code")?];
        for row in reader.records() {
            let row = row.ok()?;
            let cell = |at: usize| row.get(at).unwrap_or_default().to_owned();
            let hazard = Hazard { id: cell(id), zh: cell(zh), en: cell(en), class: cell(class), subclass: cell(subclass), oet: cell(oet) };
            out.by_id.insert(hazard.id.clone(), out.list.len());
            out.list.push(hazard);
        }
        Some(out)
    }

    /// One hazard.
    pub fn find(&self, id: &str) -> Option<&Hazard> {
        self.list.get(*self.by_id.get(id)?)
    }

    /// All of them, in the order of the file.
    pub fn list(&self) -> &[Hazard] {
        &self.list
    }

    /// The hazard that an `info` names: by our own code, by the event term, by the words of `event`; empty if none is known.
    pub fn of(&self, info: &Info) -> String {
        let code = |name: &'static str| info.event_codes.iter().filter(move |(n, _)| n.starts_with(name)).map(|(_, value)| value.as_str());
        let own = code("KEPU:hazard").find_map(|id| self.find(id));
        let event = info.event.as_deref().map(str::trim).unwrap_or_default();
        let said = |hazard: &&Hazard| hazard.zh == event || hazard.en.eq_ignore_ascii_case(event);
        let term = code("OET").filter_map(|oet| self.list.iter().find(|hazard| hazard.oet == oet)).next();
        own.or_else(|| self.list.iter().find(said)).or(term).map(|hazard| hazard.id.clone()).unwrap_or_default()
    }
}

/// When a card is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Ordinary times.
    Normal,
    /// Something is coming.
    Warning,
    /// It happens.
    During,
    /// Afterwards.
    Recovery,
}

impl Phase {
    /// The word of `phases.csv`.
    pub fn as_str(self) -> &'static str {
        match self {
            Phase::Normal => "normal",
            Phase::Warning => "warning",
            Phase::During => "during",
            Phase::Recovery => "recovery",
        }
    }
    /// Reads the word.
    pub fn parse(text: &str) -> Option<Self> {
        [Phase::Normal, Phase::Warning, Phase::During, Phase::Recovery].into_iter().find(|phase| phase.as_str() == text)
    }

    /// The phase of a warning: after a cancel or for what is past, recovery; what is to be done at once, or is seen already and holds, happens now.
    pub fn of(warning: &Warning, now: Timestamp) -> Self {
        match (warning.kind, warning.urgency.as_str()) {
            (Kind::Cancel, _) | (_, "Past") => Phase::Recovery,
            (_, "Immediate") if now >= warning.effective => Phase::During,
            _ if warning.certainty == "Observed" && now >= warning.effective => Phase::During,
            _ => Phase::Warning,
        }
    }

    /// How far a card for `self` is from one for `wanted`; what only ordinary times need is farthest, and recovery stands for nothing else.
    fn distance(self, wanted: Phase) -> Option<u32> {
        use Phase::{During, Normal, Recovery, Warning};
        Some(match (wanted, self) {
            (a, b) if a == b => 0,
            (During, Warning) | (Warning, During) => 1,
            (Warning | During, Normal) | (Recovery, During) => 2,
            (Normal, Warning) => 1,
            _ => return None,
        })
    }
}

/// Which hazards bring which, and which never stand for each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// Version of the file.
    pub version: i64,
    /// Where the rules come from.
    pub source: String,
    /// Hazard to those that come with it, the nearest first.
    pub brings: BTreeMap<String, Vec<String>>,
    /// Groups; hazards of two groups never stand for each other.
    pub apart: Vec<Vec<String>>,
}

/// The file built into the program.
pub const BUILT_IN: File<'static> = File { name: "guidance.json", text: include_str!("../../../../data/policy/guidance.json") };

impl Default for Rules {
    fn default() -> Self {
        Self::read(&BUILT_IN).expect("the built-in rules are checked by a test")
    }
}

impl Rules {
    /// Reads a file; every hazard must be one of the list.
    pub fn read(file: &File<'_>) -> Result<Self, Mistake> {
        let rules: Rules = file.read()?;
        for (hazard, list) in &rules.brings {
            let strange = std::iter::once(hazard).chain(list).find(|id| HAZARD_LIST.find(id).is_none());
            if let Some(id) = strange {
                return Err(file.mistake(&["brings", hazard], format!("\"{id}\" is no hazard")));
            }
        }
        match rules.apart.iter().flatten().find(|id| HAZARD_LIST.find(id).is_none()) {
            Some(id) => Err(file.mistake(&["apart"], format!("\"{id}\" is no hazard"))),
            None => Ok(rules),
        }
    }

    fn may_stand_for(&self, card: &str, wanted: &str) -> bool {
        let group = |id: &str| self.apart.iter().position(|group| group.iter().any(|one| one == id));
        match (group(card), group(wanted)) {
            (Some(a), Some(b)) => a == b,
            (None, None) => true,
            _ => false,
        }
    }
}

/// How near a card's hazard is to the warning's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Near {
    /// The hazard itself.
    Own,
    /// One that comes with it.
    Brought,
    /// Of the same part of its class.
    Subclass,
    /// Of the same class.
    Class,
}

/// A card, as far as choosing needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// Its subject.
    pub id: SubjectId,
    /// Hazard.
    pub hazard: String,
    /// When it is for.
    pub phase: Phase,
    /// Where it is meant for.
    pub region: Region,
    /// For whom.
    pub audience: Vec<String>,
    /// Its language and those of its editions.
    pub langs: Vec<String>,
    /// Whether it has a text to be read aloud.
    pub spoken: bool,
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Hazard of the warning.
    pub hazard: String,
    /// Phase.
    pub phase: Phase,
    /// 1 red … 4 blue.
    pub level: i64,
    /// The place.
    pub region: Region,
    /// Hour of the day in China.
    pub hour: i8,
    /// For whom; empty: everybody.
    pub audience: String,
    /// BCP 47.
    pub lang: String,
}

/// Why a card was chosen, for those who read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Why {
    /// How near its hazard is.
    pub near: Near,
    /// Whether it is for just this phase.
    pub phase: bool,
    /// Whether it is meant for this place in particular.
    pub place: bool,
    /// Whether it is for this audience in particular.
    pub audience: bool,
    /// Whether it is in the language asked for.
    pub lang: bool,
}

/// Whether it is night: then nobody is woken for less than orange, and cards that can be read aloud at home come first.
pub fn is_night(hour: i8) -> bool {
    hour >= NIGHT.0 || hour < NIGHT.1
}

/// The cards for a warning, best first, at most [`CARDS_MAX`]: two for blue and yellow, all for orange and red. One of another hazard stands there only
/// where the own one and what it brings have none.
pub fn choose(rules: &Rules, wanted: &Wanted, cards: &[Card]) -> Vec<(usize, Why)> {
    let Some(own) = HAZARD_LIST.find(&wanted.hazard) else { return vec![] };
    let brought = rules.brings.get(&own.id).map(Vec::as_slice).unwrap_or_default();
    let rank = |card: &Card| -> Option<(Near, usize)> {
        if card.hazard == own.id {
            return Some((Near::Own, 0));
        }
        if let Some(at) = brought.iter().position(|id| *id == card.hazard) {
            return Some((Near::Brought, at));
        }
        let other = HAZARD_LIST.find(&card.hazard).filter(|_| rules.may_stand_for(&card.hazard, &own.id))?;
        match () {
            () if other.subclass == own.subclass => Some((Near::Subclass, 0)),
            () if other.class == own.class => Some((Near::Class, 0)),
            () => None,
        }
    };
    let mut found = Vec::new();
    for (at, card) in cards.iter().enumerate() {
        let (Some((near, order)), Some(away)) = (rank(card), card.phase.distance(wanted.phase)) else { continue };
        if !(card.region.covers(wanted.region) || wanted.region.covers(card.region)) {
            continue;
        }
        // At red, what to do while it happens goes before what to prepare.
        let away = if wanted.level == 1 && wanted.phase == Phase::Warning && card.phase == Phase::During { 0 } else { away };
        let lang = card.langs.iter().any(|lang| lang == &wanted.lang || lang.split('-').next() == wanted.lang.split('-').next());
        let audience = !wanted.audience.is_empty() && card.audience.contains(&wanted.audience);
        let everybody = card.audience.is_empty() || card.audience.iter().any(|one| one == "public");
        if !wanted.audience.is_empty() && !audience && !everybody {
            continue;
        }
        let why = Why { near, phase: card.phase == wanted.phase, place: card.region != Region::NATION, audience, lang };
        let narrow = std::cmp::Reverse(card.region.chain().len());
        let quiet = is_night(wanted.hour) && !card.spoken;
        let key = (near, !lang, away, order, !audience, narrow, quiet, card.id.clone());
        found.push((key, at, why));
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    let fits = found.iter().any(|(_, _, why)| matches!(why.near, Near::Own | Near::Brought));
    let most = match (fits, wanted.level) {
        (false, _) => 1,
        (true, 1 | 2) => CARDS_MAX,
        (true, _) => 2,
    };
    found.into_iter().filter(|(_, _, why)| !fits || matches!(why.near, Near::Own | Near::Brought)).take(most).map(|(_, at, why)| (at, why)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(id: &str, hazard: &str, phase: Phase) -> Card {
        Card {
            id: id.into(),
            hazard: hazard.into(),
            phase,
            region: Region::NATION,
            audience: vec!["public".into()],
            langs: vec!["zh-Hans".into()],
            spoken: true,
        }
    }
    fn wanted(hazard: &str) -> Wanted {
        let region = Region::parse("410102").expect("code");
        Wanted { hazard: hazard.into(), phase: Phase::During, level: 2, region, hour: 15, audience: String::new(), lang: "zh-Hans".into() }
    }
    fn ids(wanted: &Wanted, cards: &[Card]) -> Vec<String> {
        let turned: Vec<Card> = cards.iter().rev().cloned().collect();
        let of = |cards: &[Card]| choose(&Rules::default(), wanted, cards).into_iter().map(|(at, _)| cards[at].id.0.clone()).collect::<Vec<_>>();
        assert_eq!(of(cards), of(&turned), "the order of the cards does not matter");
        of(cards)
    }

    #[test]
    fn the_own_hazard_goes_before_what_it_brings_and_the_phase_decides_among_equals() {
        let cards = [
            card("flood", "N-FLOOD", Phase::During),
            card("rain-before", "N-RAIN", Phase::Warning),
            card("rain", "N-RAIN", Phase::During),
            card("water", "N-WATERLOG", Phase::During),
            card("heat", "N-HEAT", Phase::During),
            card("after", "N-RAIN", Phase::Recovery),
        ];
        assert_eq!(ids(&wanted("N-RAIN"), &cards), ["rain", "rain-before", "water", "flood"]);
        assert_eq!(ids(&Wanted { level: 4, ..wanted("N-RAIN") }, &cards), ["rain", "rain-before"]);
        assert_eq!(ids(&Wanted { phase: Phase::Recovery, ..wanted("N-RAIN") }, &cards)[0], "after");
        assert_eq!(
            ids(&Wanted { phase: Phase::Warning, level: 1, ..wanted("N-RAIN") }, &cards)[..2],
            ["rain", "rain-before"],
            "at red, what to do comes first"
        );
    }

    #[test]
    fn a_card_that_would_mislead_never_stands_in() {
        let heat = [card("heat", "N-HEAT", Phase::During)];
        assert!(ids(&wanted("N-COLDWAVE"), &heat).is_empty() && ids(&wanted("N-SNOW"), &heat).is_empty());
        let gale = [card("bolt", "N-LIGHTNING", Phase::During)];
        assert_eq!(ids(&wanted("N-GALE"), &gale), ["bolt"], "of the same part, and not apart");
        assert!(ids(&wanted(""), &heat).is_empty() && ids(&wanted("X"), &heat).is_empty());
    }

    #[test]
    fn place_audience_language_and_hour_decide_among_equals() {
        let region = |code| Region::parse(code).expect("code");
        let mut cards = vec![card("nation", "N-RAIN", Phase::During), card("here", "N-RAIN", Phase::During), card("far", "N-RAIN", Phase::During)];
        cards[1].region = region("410100");
        cards[2].region = region("420000");
        assert_eq!(ids(&wanted("N-RAIN"), &cards), ["here", "nation"], "a card for another province is not for us");
        cards[1].audience = vec!["farmer".into()];
        assert_eq!(ids(&Wanted { audience: "elderly".into(), ..wanted("N-RAIN") }, &cards), ["nation"]);
        let mut two = vec![card("a", "N-RAIN", Phase::During), card("b", "N-RAIN", Phase::During)];
        two[1].langs = vec!["bo".into()];
        assert_eq!(ids(&Wanted { lang: "bo".into(), ..wanted("N-RAIN") }, &two), ["b", "a"], "the asked language first, any rather than none");
        two[1].langs = vec!["zh-Hans".into()];
        two[0].spoken = false;
        assert_eq!(
            (ids(&wanted("N-RAIN"), &two), ids(&Wanted { hour: 23, ..wanted("N-RAIN") }, &two)),
            (vec!["a".into(), "b".into()], vec!["b".into(), "a".into()])
        );
    }

    #[test]
    fn hazards_are_found_by_code_term_and_words() {
        let info = |codes: &[(&str, &str)], event: &str| Info {
            event: Some(event.into()),
            event_codes: codes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            ..Info::default()
        };
        assert_eq!(HAZARD_LIST.of(&info(&[("KEPU:hazard", "N-RAIN"), ("OET:v1.2", "OET-081")], "x")), "N-RAIN");
        assert_eq!(HAZARD_LIST.of(&info(&[("OET:v1.2", "OET-081")], "x")), "N-FLOOD");
        assert_eq!((HAZARD_LIST.of(&info(&[], "暴雨")), HAZARD_LIST.of(&info(&[], "Typhoon"))), ("N-RAIN".into(), "N-TYPHOON".into()));
        assert_eq!(HAZARD_LIST.of(&info(&[("KEPU:hazard", "N-NONE")], "?")), "");
        assert!(HAZARD_LIST.list().len() >= 68);
    }

    #[test]
    fn rules_name_hazards_of_the_list_only() {
        let text = BUILT_IN.text.replacen("\"N-DAM\"]", "\"N-DAMM\"]", 1);
        let mistake = Rules::read(&File { name: "guidance.json", text: &text }).expect_err("no hazard");
        assert!(mistake.cause.contains("N-DAMM") && mistake.line > 1, "{mistake}");
    }
}
