//! Warnings that a node passes on: what an official message says, which message ends which, and how one stands at a moment. A node is never the
//! issuer: a [`Warning`] keeps sender, identifier and the hash of the original. Reading and judging the original is in `alert`; what to do about
//! a warning in `guide`.

use super::alert::{Info, Judged, Message as Cap};
use super::guide::Hazards;
use crate::org::Region;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// How long a message that names no end is taken to hold, from its sending.
pub const HOURS_WITHOUT_END: i64 = 24;
/// No message holds longer, whatever it says: one that is to hold longer is sent again.
pub const DAYS_MAX: i64 = 30;
/// How long the end of a warning is told.
pub const CLEAR_HOURS: i64 = 24;
/// Most letters of a headline, of a description, of an instruction, of the words for an area.
const LETTERS: [usize; 4] = [200, 1_500, 800, 300];
/// Most languages of one message.
const LANGS_MAX: usize = 4;
/// Most messages that one refers to.
const REFERENCES_MAX: usize = 100;

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A first warning.
    Alert,
    /// Takes the place of an earlier one.
    Update,
    /// Ends earlier ones.
    Cancel,
}

impl Kind {
    /// The stored word.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Alert => "alert",
            Kind::Update => "update",
            Kind::Cancel => "cancel",
        }
    }
    /// Reads the stored word.
    pub fn parse(text: &str) -> Option<Self> {
        [Kind::Alert, Kind::Update, Kind::Cancel].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// What names a message: its sender and its identifier.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Name {
    /// `sender`.
    pub sender: String,
    /// `identifier`.
    pub identifier: String,
}

/// What the issuer says in one language.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Words {
    /// BCP 47.
    pub lang: String,
    /// `headline`, else `event`.
    pub headline: String,
    /// `description`.
    pub description: String,
    /// `instruction`.
    pub instruction: String,
    /// Name of the issuer.
    pub issuer: String,
    /// The area in words.
    pub area: String,
}

/// An official message as it is passed on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// Sender and identifier.
    pub name: Name,
    /// When the issuer sent it.
    pub sent: Timestamp,
    /// What it is.
    pub kind: Kind,
    /// Earlier messages that it is about.
    pub references: Vec<Name>,
    /// Hazard, id of `hazards.csv`; empty if the message names none that is known.
    pub hazard: String,
    /// 1 red … 4 blue.
    pub level: i64,
    /// `urgency` of the most severe part.
    pub urgency: String,
    /// `certainty` of the same.
    pub certainty: String,
    /// From when it holds.
    pub effective: Timestamp,
    /// Until when it holds; always after `sent`.
    pub expires: Timestamp,
    /// Whether the issuer named that end.
    pub ends: bool,
    /// Codes of divisions; each means everything inside.
    pub places: Vec<Region>,
    /// Languages, in the order of the message.
    pub words: Vec<Words>,
    /// The issuer's page, perhaps empty.
    pub web: String,
    /// SHA-256 of the original, hex.
    pub original: String,
    /// Why this node no longer passes it on; empty while it does.
    pub taken_back: String,
}

/// Why a valid message cannot be passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// Only the public's messages are passed on.
    #[error("its scope is not Public")]
    NotPublic,
    /// Neither a first warning, an update nor a cancel.
    #[error("it is neither Alert, Update nor Cancel")]
    Kind,
    /// It was over before it was sent.
    #[error("it ended before it was sent")]
    Ended,
    /// It names no place that is known.
    #[error("no place that is known lies in its area")]
    NoPlace,
    /// It says nothing.
    #[error("it has no info")]
    NoInfo,
}

fn time(text: Option<&String>) -> Option<Timestamp> {
    text.and_then(|text| text.trim().parse().ok())
}

fn cut(text: Option<&str>, max: usize) -> String {
    let text = text.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(max) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

/// `zh-CN` is `zh-Hans` here, `en-US` is `en`; without a tag the letters decide, because the standard's own default fits few.
fn lang_of(info: &Info) -> String {
    let han = || info.headline.iter().chain(&info.event).any(|text| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)));
    match info.language.as_deref().map(str::trim) {
        Some(tag) if ["zh", "zh-cn", "zh-sg", "zh-hans", "zh-hans-cn"].contains(&tag.to_ascii_lowercase().as_str()) => "zh-Hans".into(),
        Some(tag) if tag.len() >= 2 && tag.to_ascii_lowercase().starts_with("en") => "en".into(),
        Some(tag) if !tag.is_empty() => tag.chars().take(20).collect(),
        _ if han() => "zh-Hans".into(),
        _ => "en".into(),
    }
}

/// 1 red … 4 blue, by severity; where that is unknown, by the colour in the headline.
fn level_of(info: &Info) -> i64 {
    const COLOURS: [(&str, &str); 4] = [("红", "red"), ("橙", "orange"), ("黄", "yellow"), ("蓝", "blue")];
    match info.severity.as_deref() {
        Some("Extreme") => 1,
        Some("Severe") => 2,
        Some("Moderate") => 3,
        Some("Minor") => 4,
        _ => {
            let head = info.headline.clone().unwrap_or_default().to_lowercase();
            (1..).zip(COLOURS).find(|(_, (zh, en))| head.contains(zh) || head.contains(en)).map_or(4, |(level, _)| level)
        }
    }
}

fn references(text: Option<&String>) -> Vec<Name> {
    let triple = |word: &str| {
        let mut parts = word.split(',');
        let (sender, identifier) = (parts.next()?.trim(), parts.next()?.trim());
        (!sender.is_empty() && !identifier.is_empty()).then(|| Name { sender: sender.into(), identifier: identifier.into() })
    };
    let mut list: Vec<Name> = text.map(String::as_str).unwrap_or_default().split_whitespace().filter_map(triple).take(REFERENCES_MAX).collect();
    list.sort();
    list.dedup();
    list
}

impl Warning {
    /// What a judged message says. `places` are the codes of its counties, gathered; a cancel may name none, because it ends what had some.
    pub fn of(cap: &Cap, judged: &Judged, places: Vec<Region>, original: &str, hazards: &Hazards) -> Result<Self, Unfit> {
        if cap.scope.as_deref() != Some("Public") {
            return Err(Unfit::NotPublic);
        }
        let kind = match judged.msg_type.as_deref() {
            Some("Alert") => Kind::Alert,
            Some("Update") => Kind::Update,
            Some("Cancel") => Kind::Cancel,
            _ => return Err(Unfit::Kind),
        };
        let name = Name { sender: cap.sender.clone().unwrap_or_default(), identifier: cap.identifier.clone().unwrap_or_default() };
        let sent = time(cap.sent.as_ref()).ok_or(Unfit::Kind)?;
        if places.is_empty() && kind != Kind::Cancel {
            return Err(Unfit::NoPlace);
        }
        let worst = cap.infos.iter().min_by_key(|info| level_of(info));
        if worst.is_none() && kind != Kind::Cancel {
            return Err(Unfit::NoInfo);
        }
        let after = |from: Timestamp, hours: i64| from.checked_add(SignedDuration::from_hours(hours)).unwrap_or(Timestamp::MAX);
        let ends: Vec<Timestamp> = cap.infos.iter().filter_map(|info| time(info.expires.as_ref())).collect();
        let open = cap.infos.iter().any(|info| time(info.expires.as_ref()).is_none());
        let named = ends.iter().max().copied().filter(|_| !open);
        let expires =
            named.unwrap_or_else(|| ends.iter().copied().chain([after(sent, HOURS_WITHOUT_END)]).max().unwrap_or(sent)).min(after(sent, DAYS_MAX * 24));
        let effective = cap.infos.iter().filter_map(|info| time(info.effective.as_ref())).min().unwrap_or(sent);
        if kind != Kind::Cancel && (expires <= sent || effective > expires) {
            return Err(Unfit::Ended);
        }
        let text = |pick: fn(&Info) -> Option<&String>| worst.and_then(pick).map(|text| text.trim().to_owned()).unwrap_or_default();
        Ok(Self {
            name,
            sent,
            kind,
            references: references(cap.references.as_ref()),
            hazard: worst.map(|info| hazards.of(info)).unwrap_or_default(),
            level: worst.map_or(4, level_of),
            urgency: text(|info| info.urgency.as_ref()),
            certainty: text(|info| info.certainty.as_ref()),
            effective,
            expires: expires.max(sent),
            ends: named.is_some(),
            places,
            words: words(cap),
            web: worst.and_then(|info| info.web.as_deref()).map(str::trim).filter(|web| is_web(web)).unwrap_or_default().to_owned(),
            original: original.to_owned(),
            taken_back: String::new(),
        })
    }

    /// What it says in `lang`, else in its first language.
    pub fn words(&self, lang: &str) -> Words {
        let base = lang.split('-').next().unwrap_or_default();
        let own = self.words.iter().find(|words| words.lang == lang).or_else(|| self.words.iter().find(|words| words.lang.split('-').next() == Some(base)));
        own.or_else(|| self.words.first()).cloned().unwrap_or_default()
    }

    /// Whether it is for `region`, or for something inside it.
    pub fn touches(&self, region: Region) -> bool {
        self.places.iter().any(|place| place.covers(region) || region.covers(*place))
    }

    /// The smallest division that everything it is for lies in.
    pub fn region(&self) -> Region {
        let mut places = self.places.iter();
        let Some(first) = places.next() else { return Region::NATION };
        let rest: Vec<&Region> = places.collect();
        first.chain().into_iter().rev().find(|above| rest.iter().all(|place| above.covers(**place))).unwrap_or(Region::NATION)
    }

    /// Only what lies in `held`: a node passes on for the place that its certificate names. `None` if nothing does.
    pub fn within(mut self, held: Region) -> Option<Self> {
        if self.places.iter().all(|place| held.covers(*place)) {
            return Some(self);
        }
        let narrow = |place: &Region| if place.covers(held) { Some(held) } else { held.covers(*place).then_some(*place) };
        self.places = self.places.iter().filter_map(narrow).collect::<BTreeSet<_>>().into_iter().collect();
        (!self.places.is_empty()).then_some(self)
    }

    /// Shorter, so that it fits into a record: fewer languages, then shorter descriptions. Never other places.
    #[must_use]
    pub fn shorter(mut self) -> Self {
        if self.words.len() > 1 {
            self.words.pop();
            return self;
        }
        for words in &mut self.words {
            words.description = cut(Some(&words.description), words.description.chars().count() / 2);
            words.instruction = cut(Some(&words.instruction), (words.instruction.chars().count() / 2).max(100));
        }
        self
    }
}

fn is_web(web: &str) -> bool {
    web.len() <= 500 && (web.starts_with("https://") || web.starts_with("http://")) && !web.contains(|c: char| c.is_whitespace() || c == '"' || c == '<')
}

fn words(cap: &Cap) -> Vec<Words> {
    let mut list: Vec<Words> = Vec::new();
    let mut infos: Vec<&Info> = cap.infos.iter().collect();
    infos.sort_by_key(|info| level_of(info));
    for info in infos {
        let lang = lang_of(info);
        if list.len() == LANGS_MAX || list.iter().any(|words| words.lang == lang) {
            continue;
        }
        let area = info.areas.iter().map(|area| area.desc.as_str()).filter(|desc| !desc.is_empty()).collect::<Vec<_>>().join("、");
        list.push(Words {
            headline: cut(info.headline.as_deref().filter(|text| !text.trim().is_empty()).or(info.event.as_deref()), LETTERS[0]),
            description: cut(info.description.as_deref(), LETTERS[1]),
            instruction: cut(info.instruction.as_deref(), LETTERS[2]),
            issuer: cut(info.sender_name.as_deref().or(cap.sender.as_deref()), LETTERS[0]),
            area: cut(Some(&area), LETTERS[3]),
            lang,
        });
    }
    list.sort_by_key(|words| words.lang != "zh-Hans");
    list
}

/// What decides which message ends which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The message.
    pub name: Name,
    /// When it was sent.
    pub sent: Timestamp,
    /// What it is.
    pub kind: Kind,
    /// Earlier messages that it is about.
    pub references: Vec<Name>,
}

/// Which of `links` are over because another of them says so. The same set gives the same answer in any order: an update ends what it refers to and
/// what that refers to; a cancel ends besides what has come of the message that it names. Only a message of the same sender counts, and none
/// that was sent before.
pub fn ended(links: &[Link]) -> BTreeSet<Name> {
    let by_name: HashMap<&Name, &Link> = links.iter().map(|link| (&link.name, link)).collect();
    let mut later: HashMap<&Name, Vec<&Name>> = HashMap::new();
    for link in links {
        link.references.iter().for_each(|earlier| later.entry(earlier).or_default().push(&link.name));
    }
    let mut over = BTreeSet::new();
    for link in links.iter().filter(|link| link.kind != Kind::Alert) {
        let mut reached: BTreeSet<&Name> = BTreeSet::new();
        let mut rest: Vec<&Name> = link.references.iter().collect();
        while let Some(name) = rest.pop() {
            if reached.insert(name) {
                rest.extend(by_name.get(name).into_iter().flat_map(|found| &found.references));
            }
        }
        if link.kind == Kind::Cancel {
            let mut rest: Vec<&Name> = link.references.iter().collect();
            let mut seen: BTreeSet<&Name> = BTreeSet::new();
            while let Some(name) = rest.pop() {
                if seen.insert(name) {
                    reached.insert(name);
                    rest.extend(later.get(name).into_iter().flatten());
                }
            }
        }
        let ends = |name: &&&Name| **name != &link.name && name.sender == link.name.sender && by_name.get(**name).is_none_or(|other| other.sent <= link.sent);
        over.extend(reached.iter().filter(ends).filter(|name| by_name.contains_key(**name)).map(|name| (*name).clone()));
    }
    // Of two that end each other the later stands; of two at one moment, the one whose name comes last.
    over.retain(|name| {
        let Some(link) = by_name.get(name) else { return true };
        let mutual = link.references.iter().filter_map(|other| by_name.get(other)).any(|other| {
            other.references.contains(name) && link.kind != Kind::Alert && other.kind != Kind::Alert && other.sent == link.sent && link.name > other.name
        });
        !mutual
    });
    over
}

/// How a warning stands at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stands {
    /// It holds.
    InForce,
    /// It holds from later on.
    Coming,
    /// It was ended by its issuer a short while ago.
    Clear,
    /// It is over, or never held.
    Over,
}

/// How `warning` stands. `ended`: another message ended it. `seen_over`: somebody here has seen its end already, so a clock that is set back brings nothing back.
pub fn stands(warning: &Warning, ended: bool, seen_over: bool, now: Timestamp) -> Stands {
    if ended || seen_over || !warning.taken_back.is_empty() {
        return Stands::Over;
    }
    if warning.kind == Kind::Cancel {
        let told = warning.sent.checked_add(SignedDuration::from_hours(CLEAR_HOURS)).unwrap_or(Timestamp::MAX);
        return if now < told { Stands::Clear } else { Stands::Over };
    }
    match now {
        now if now >= warning.expires => Stands::Over,
        now if now < warning.effective => Stands::Coming,
        _ => Stands::InForce,
    }
}

/// Whether an issuer is known: a pattern is a sender, `*@host`, or the digits with which identifiers begin followed by `*`.
pub fn is_known(patterns: &[String], name: &Name) -> bool {
    patterns.iter().map(|pattern| pattern.trim()).any(|pattern| match (pattern.strip_prefix("*@"), pattern.strip_suffix('*')) {
        (Some(host), _) => !host.is_empty() && name.sender.rsplit_once('@').is_some_and(|(_, of)| of.eq_ignore_ascii_case(host)),
        (None, Some(begin)) => begin.len() >= 6 && begin.bytes().all(|b| b.is_ascii_digit()) && name.identifier.starts_with(begin),
        (None, None) => !pattern.is_empty() && name.sender == pattern,
    })
}

/// Texts by language for programs.
pub fn by_lang(warning: &Warning) -> BTreeMap<&str, &Words> {
    warning.words.iter().map(|words| (words.lang.as_str(), words)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(id: &str) -> Name {
        Name { sender: "a@example.org".into(), identifier: id.into() }
    }
    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("time")
    }
    fn link(id: &str, sent: i64, kind: Kind, references: &[&str]) -> Link {
        Link { name: name(id), sent: at(sent), kind, references: references.iter().map(|id| name(id)).collect() }
    }
    fn over(links: &[Link]) -> Vec<String> {
        let mut all: Vec<Vec<Link>> = vec![links.to_vec(), links.iter().rev().cloned().collect()];
        all.push({
            let mut turned = links.to_vec();
            turned.rotate_left(links.len() / 2);
            turned
        });
        let sets: Vec<BTreeSet<Name>> = all.iter().map(|list| ended(list)).collect();
        assert!(sets.windows(2).all(|pair| pair[0] == pair[1]), "order matters: {sets:?}");
        sets[0].iter().map(|name| name.identifier.clone()).collect()
    }

    #[test]
    fn what_ends_what_does_not_depend_on_the_order() {
        let (alert, update, cancel) = (link("1", 1, Kind::Alert, &[]), link("2", 2, Kind::Update, &["1"]), link("3", 3, Kind::Cancel, &["2"]));
        assert_eq!(over(std::slice::from_ref(&alert)), Vec::<String>::new());
        assert_eq!(over(&[alert.clone(), update.clone()]), ["1"]);
        assert_eq!(over(&[alert.clone(), update.clone(), cancel.clone()]), ["1", "2"]);
        assert_eq!(over(&[update.clone(), cancel.clone()]), ["2"], "before its first message came");
        let early = link("3", 3, Kind::Cancel, &["1"]);
        assert_eq!(over(&[alert.clone(), update.clone(), early]), ["1", "2"], "a cancel that names the first message ends what has come of it");
        assert_eq!(over(&[link("1", 1, Kind::Alert, &["2"]), link("2", 2, Kind::Alert, &[])]), Vec::<String>::new(), "a first message ends nothing");
    }

    #[test]
    fn parts_of_a_warning_go_on_by_themselves() {
        let split =
            [link("1", 1, Kind::Alert, &[]), link("2", 2, Kind::Update, &["1"]), link("3", 3, Kind::Update, &["1"]), link("4", 4, Kind::Cancel, &["3"])];
        assert_eq!(over(&split), ["1", "3"], "the other half holds");
    }

    #[test]
    fn nobody_ends_what_another_sent_and_nothing_that_came_later() {
        let mut foreign = link("2", 2, Kind::Cancel, &["1"]);
        foreign.name.sender = "b@example.org".into();
        assert_eq!(over(&[link("1", 1, Kind::Alert, &[]), foreign]), Vec::<String>::new());
        assert_eq!(over(&[link("1", 5, Kind::Alert, &[]), link("2", 2, Kind::Cancel, &["1"])]), Vec::<String>::new());
        let circle = [link("1", 1, Kind::Update, &["2"]), link("2", 1, Kind::Update, &["1"])];
        assert_eq!(over(&circle), ["1"], "of two that name each other one stands");
        assert_eq!(over(&[link("1", 1, Kind::Update, &["1"])]), Vec::<String>::new());
    }

    fn warning() -> Warning {
        Warning {
            name: name("1"),
            sent: at(100),
            kind: Kind::Alert,
            references: vec![],
            hazard: "N-RAIN".into(),
            level: 2,
            urgency: "Immediate".into(),
            certainty: "Observed".into(),
            effective: at(100),
            expires: at(200),
            ends: true,
            places: vec![Region::parse("410100").expect("code"), Region::parse("410725").expect("code")],
            words: vec![Words { lang: "zh-Hans".into(), headline: "暴雨橙色预警".into(), ..Words::default() }, Words { lang: "en".into(), ..Words::default() }],
            web: String::new(),
            original: String::new(),
            taken_back: String::new(),
        }
    }

    #[test]
    fn a_warning_goes_by_its_own_end_and_stays_gone() {
        let one = warning();
        assert_eq!(stands(&one, false, false, at(99)), Stands::Coming);
        assert_eq!((stands(&one, false, false, at(199)), stands(&one, false, false, at(200))), (Stands::InForce, Stands::Over));
        assert_eq!(stands(&one, false, true, at(150)), Stands::Over, "a clock that was set back revives nothing");
        assert_eq!(stands(&one, true, false, at(150)), Stands::Over);
        assert_eq!(stands(&Warning { taken_back: "误发".into(), ..one.clone() }, false, false, at(150)), Stands::Over);
        let cancel = Warning { kind: Kind::Cancel, ..one };
        assert_eq!((stands(&cancel, false, false, at(150)), stands(&cancel, false, false, at(100 + 86_400))), (Stands::Clear, Stands::Over));
    }

    #[test]
    fn a_node_passes_on_for_its_own_place_only() {
        let region = |code| Region::parse(code).expect("code");
        assert_eq!(warning().region(), region("410000"));
        assert!(warning().touches(region("410102")) && warning().touches(region("410000")) && !warning().touches(region("410702")));
        assert_eq!(warning().within(region("410102")).map(|one| one.places), Some(vec![region("410102")]));
        assert_eq!(warning().within(region("410700")).map(|one| one.places), Some(vec![region("410725")]));
        assert_eq!(warning().within(region("420000")), None);
        assert_eq!(warning().within(Region::NATION), Some(warning()));
    }

    #[test]
    fn issuers_are_known_by_sender_host_or_code() {
        let known = |pattern: &str| is_known(&[pattern.into()], &Name { sender: "w@nmc.example.org".into(), identifier: "41000041600000_2026".into() });
        assert!(known("w@nmc.example.org") && known("*@NMC.example.org") && known("41000041*"));
        for bad in ["", "*", "*@", "*@example.org", "4*", "x@nmc.example.org", "42*", "w@nmc"] {
            assert!(!known(bad), "{bad}");
        }
    }
}
