//! Lanes: what is asked of a text before it may be public, by what it could do if it were wrong. One file a lane in `data/lanes/`;
//! a node may add its own beside them. What peers decide by is the part in [`crate::publication::Rule`], signed by the root; what a
//! machine looks at is in `check`; who reviews is decided in `review`.

use crate::create::draft::Matter;
use crate::create::resource::Resource;
use crate::create::review::SignOff;
use crate::definition::{File, Mistake, is_id};
use crate::publication::{Policy, Rule};
use jiff::ToSpan;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

/// Which matters fall into a lane: all conditions that are given must hold; in each, one of the words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Applies {
    /// `resource`, `claim`, `holding`; `edition`: a version that changes nothing but editions.
    pub matters: Vec<String>,
    /// Types of resources; empty: any.
    #[serde(default)]
    pub types: Vec<String>,
    /// Safety grades (`a` to `d`); empty: any, also none.
    #[serde(default)]
    pub grades: Vec<String>,
    /// Fields, of which the matter has one; empty: any.
    #[serde(default)]
    pub fields: Vec<String>,
    /// Fields, of which the matter has none.
    #[serde(default)]
    pub not_fields: Vec<String>,
}

/// How much a check weighs in a lane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Weight {
    /// Shown to author and reviewer.
    #[default]
    Hint,
    /// Publication is refused until it is mended.
    Block,
}

/// A machine check that a lane asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// One of [`RULES`].
    pub rule: String,
    /// What it weighs here.
    pub weight: Weight,
    /// Whether the writer may say why it is right all the same; reviewers read the reason.
    #[serde(default)]
    pub excuse: bool,
}

/// The checks that lanes choose from; what each looks at is in `check`.
pub const RULES: [&str; 18] = [
    "absolute",
    "unit",
    "advert",
    "contact",
    "product",
    "secret",
    "ai_undeclared",
    "see_doctor",
    "exclusions",
    "no_guideline",
    "guideline_old",
    "hype",
    "recheck_late",
    "no_expiry",
    "uncleared",
    "contradicts",
    "judged_otherwise",
    "author_unqualified",
];

/// A point that a reviewer ticks off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Point {
    /// Id, unique in its lane.
    pub id: String,
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
    /// Whether nobody approves without it.
    #[serde(default = "yes")]
    pub required: bool,
}

fn yes() -> bool {
    true
}

/// Who may be named as the author.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AuthorRule {
    /// Anybody.
    #[default]
    Any,
    /// Somebody with a verified, unexpired qualification of the lane in one of the matter's fields.
    Qualified,
}

/// Whether people of the author's institution may review.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SameOrg {
    /// All of them.
    #[default]
    Allowed,
    /// One of the reviewers at most.
    One,
    /// None.
    Refused,
}

/// A lane.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lane {
    /// Id.
    pub id: String,
    /// The lane of a matter is the first that it falls into; the checks of all of them apply.
    pub order: u32,
    /// Name in Chinese.
    pub zh: String,
    /// Name in English.
    pub en: String,
    /// Rows of the plan it carries.
    #[serde(default)]
    pub rows: Vec<String>,
    /// Why it asks for what it asks, to writers and readers.
    pub why_zh: String,
    /// The same in English.
    pub why_en: String,
    /// What falls into it.
    pub applies: Applies,
    /// Reviewers needed.
    pub reviews: usize,
    /// How many of them need a qualification of the lane.
    #[serde(default)]
    pub qualified: usize,
    /// Who may be the author.
    #[serde(default)]
    pub author: AuthorRule,
    /// Words in the name of a qualification that counts; empty: any.
    #[serde(default)]
    pub qualifications: Vec<String>,
    /// Reviewers of the author's institution.
    #[serde(default)]
    pub same_org: SameOrg,
    /// Whether a sign-off for a whole batch counts.
    #[serde(default)]
    pub batch: bool,
    /// Whether it cannot wait for the morning: at night those on the duty roster are asked.
    #[serde(default)]
    pub urgent: bool,
    /// Whether it may only be kept with a clearance that is in force.
    #[serde(default)]
    pub clearance: bool,
    /// Days a reviewer has.
    pub days: i64,
    /// Months after which it must have been looked at again, at most.
    #[serde(default)]
    pub recheck_months: Option<i32>,
    /// How many decide, by majority, when one approves and another returns.
    #[serde(default = "three")]
    pub panel: usize,
    /// Machine checks.
    pub checks: Vec<Check>,
    /// What a reviewer ticks off.
    #[serde(default)]
    pub checklist: Vec<Point>,
}

fn three() -> usize {
    3
}

/// The grade that says who may do an experiment.
fn grade(r: &Resource) -> &str {
    r.details.get("safety").and_then(serde_json::Value::as_str).unwrap_or_default()
}

impl Applies {
    /// Whether `matter` falls into the lane.
    pub fn to(&self, matter: &Matter) -> bool {
        let any = |list: &[String], word: &str| list.is_empty() || list.iter().any(|one| one == word);
        let (word, kind, grade) = match matter {
            Matter::Resource(r) => ("resource", r.kind.as_str(), grade(r)),
            Matter::Claim(c) => (if c.is_holding() { "holding" } else { "claim" }, "", ""),
        };
        self.matters.iter().any(|one| one == word)
            && any(&self.types, kind)
            && any(&self.grades, grade)
            && (self.fields.is_empty() || matter.fields().iter().any(|field| self.fields.contains(field)))
            && !matter.fields().iter().any(|field| self.not_fields.contains(field))
    }
}

impl Lane {
    /// Reads a file and checks it.
    pub fn read(file: &File<'_>) -> Result<Self, Vec<Mistake>> {
        let one: Self = file.read().map_err(|mistake| vec![mistake])?;
        let mut mistakes = Vec::new();
        let mut say = |path: &[&str], cause: &str| mistakes.push(file.mistake(path, cause));
        if !is_id(&one.id) {
            say(&["id"], "an id is a-z, then a-z, 0-9, _ or -, at most 40");
        }
        if one.applies.matters.is_empty() || one.applies.matters.iter().any(|m| !["resource", "claim", "holding", "edition"].contains(&m.as_str())) {
            say(&["applies"], "matters are resource, claim, holding, edition; at least one");
        }
        if one.reviews > 9 || one.qualified > one.reviews {
            say(&["reviews"], "0 to 9 reviewers, the qualified ones among them");
        }
        if !(1..=60).contains(&one.days) || one.recheck_months.is_some_and(|months| !(1..=120).contains(&months)) {
            say(&["days"], "1 to 60 days to review, 1 to 120 months until the next look");
        }
        if one.panel < 3 || one.panel > 9 || one.panel.is_multiple_of(2) {
            say(&["panel"], "a panel is 3, 5, 7 or 9, so that it has a majority");
        }
        if let Some(at) = one.checks.iter().position(|check| !RULES.contains(&check.rule.as_str())) {
            say(&["checks", &at.to_string(), "rule"], &format!("known are {}", RULES.join(", ")));
        }
        if one.checklist.len() > 20 || one.checklist.iter().any(|point| !is_id(&point.id)) {
            say(&["checklist"], "at most 20 points, each with an id");
        }
        if mistakes.is_empty() { Ok(one) } else { Err(mistakes) }
    }

    /// The lane as peers hold it, once for each kind of matter.
    fn rules(&self) -> impl Iterator<Item = Rule> + '_ {
        self.applies.matters.iter().map(|matter| Rule {
            matter: matter.clone(),
            lane: self.id.clone(),
            types: self.applies.types.clone(),
            grades: self.applies.grades.clone(),
            fields: self.applies.fields.clone(),
            not_fields: self.applies.not_fields.clone(),
            reviews: self.reviews,
            batch: self.batch,
            qualified: self.qualified,
            author: self.author == AuthorRule::Qualified,
            qualifications: if self.qualified > 0 || self.author == AuthorRule::Qualified { self.qualifications.clone() } else { vec![] },
            clearance: self.clearance,
        })
    }

    /// The last day by which a text of `date` is looked at again.
    pub fn recheck_by(&self, date: Date) -> Option<Date> {
        self.recheck_months.and_then(|months| date.checked_add(months.months()).ok())
    }

    /// Points that a reviewer has to tick off before approving.
    pub fn required(&self) -> impl Iterator<Item = &Point> {
        self.checklist.iter().filter(|point| point.required)
    }

    /// Whether a qualification of this name counts here.
    pub fn takes(&self, what: &str) -> bool {
        self.qualifications.is_empty() || self.qualifications.iter().any(|word| what.contains(word.as_str()))
    }
}

/// A guideline with its latest edition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Guideline {
    /// Name, as sources write it.
    pub name: String,
    /// Year of the edition in force.
    pub year: i16,
    /// Who gave it out.
    pub by: String,
    /// Names of what it replaced.
    #[serde(default)]
    pub was: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct GuidelineFile {
    checked: Date,
    guidelines: Vec<Guideline>,
}

/// Words that the checks look for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// Claim more than science can; hinted, because quoting them may be right.
    pub absolute: Vec<String>,
    /// Advertising.
    pub advert: Vec<String>,
    /// Ways of being reached, beside which advertising begins.
    pub contact: Vec<String>,
    /// Names of things to buy.
    pub product: Vec<String>,
    /// Say when to see a doctor.
    pub see_doctor: Vec<String>,
    /// Say to whom it does not apply.
    pub exclusions: Vec<String>,
    /// Promise more than research has.
    pub hype: Vec<String>,
    /// Marks of what must not be public.
    pub secret: Vec<String>,
    /// What a machine leaves in the texts that it writes.
    pub ai: Vec<String>,
    /// Beside these a sentence quotes what it denies.
    pub refuting: Vec<String>,
    /// A figure of three or more digits that is followed by none of these is hinted.
    pub units: Vec<String>,
}

/// All lanes with what their checks look for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lanes {
    /// By order, then id.
    list: Vec<Lane>,
    /// What follows from the list.
    policy: Policy,
    /// Words.
    pub words: Words,
    /// Guidelines with their latest editions.
    pub guidelines: Vec<Guideline>,
}

macro_rules! files {
    ($($name:literal),+ $(,)?) => { [$(File { name: $name, text: include_str!(concat!("../../../../data/lanes/", $name)) }),+] };
}

/// The files built into the program.
pub const BUILT_IN: [File<'static>; 16] = files![
    "claim.json",
    "defence.json",
    "design.json",
    "edition.json",
    "emergency.json",
    "food.json",
    "frontier.json",
    "general.json",
    "guidelines.json",
    "handson.json",
    "holding.json",
    "low.json",
    "medical.json",
    "product.json",
    "standard.json",
    "words.json",
];

static STANDARD: LazyLock<Lanes> = LazyLock::new(|| {
    let mut lanes = Lanes { list: vec![], policy: Policy { rules: vec![] }, words: Words::default(), guidelines: vec![] };
    for file in BUILT_IN {
        lanes.take(&file).unwrap_or_else(|mistakes| panic!("the built-in lanes are checked by a test: {mistakes:?}"));
    }
    lanes
});

impl Default for Lanes {
    fn default() -> Self {
        STANDARD.clone()
    }
}

impl Lanes {
    /// Those built into the program.
    pub fn standard() -> &'static Lanes {
        &STANDARD
    }

    /// Takes a file in: a lane (in the place of the one with its id), `guidelines.json` or `words.json`.
    pub fn take(&mut self, file: &File<'_>) -> Result<(), Vec<Mistake>> {
        let one = |mistake: Mistake| vec![mistake];
        match file.name.rsplit('/').next().unwrap_or_default() {
            "words.json" => self.words = file.read().map_err(one)?,
            "guidelines.json" => self.guidelines = file.read::<GuidelineFile>().map_err(one)?.guidelines,
            _ => {
                let lane = Lane::read(file)?;
                self.list.retain(|known| known.id != lane.id);
                self.list.push(lane);
                self.list.sort_by(|a, b| (a.order, &a.id).cmp(&(b.order, &b.id)));
                self.policy = Policy { rules: self.list.iter().flat_map(Lane::rules).collect() };
            }
        }
        Ok(())
    }

    /// Every lane, in order.
    pub fn list(&self) -> &[Lane] {
        &self.list
    }

    /// One lane.
    pub fn get(&self, id: &str) -> Option<&Lane> {
        self.list.iter().find(|lane| lane.id == id)
    }

    /// The lane of a matter: it says who reviews.
    pub fn of(&self, matter: &Matter) -> Option<&Lane> {
        self.list.iter().find(|lane| lane.applies.to(matter))
    }

    /// Every lane that a matter falls into: their checks apply.
    pub fn all_of<'a>(&'a self, matter: &'a Matter) -> impl Iterator<Item = &'a Lane> {
        self.list.iter().filter(|lane| lane.applies.to(matter))
    }

    /// The strictest setting of a check among the lanes of a matter: what it weighs, and whether the writer may give a reason.
    pub fn check(&self, matter: &Matter, rule: &str) -> Option<(Weight, bool)> {
        // A check that the first lane sets is set; what is more general may add, not soften.
        let found = self.all_of(matter).flat_map(|lane| &lane.checks).filter(|check| check.rule == rule);
        found.map(|check| (check.weight, check.excuse)).max_by_key(|(weight, excuse)| (*weight, !*excuse))
    }

    /// What peers decide by.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The points of a lane that some approving reviewer of `under` has ticked off, with whether it is.
    pub fn ticked<'a>(&'a self, lane: &'a Lane, under: &'a [SignOff]) -> impl Iterator<Item = (&'a Point, bool)> {
        lane.checklist.iter().map(|point| (point, under.iter().any(|name| name.checks.contains(&point.id))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::create::resource::tests::resource;
    use serde_json::json;

    fn of(kind: &str, fields: &[&str], safety: Option<&str>) -> &'static str {
        let details = safety.map(|grade| ("safety".to_owned(), json!(grade))).into_iter().collect();
        let fields = fields.iter().map(|f| (*f).to_owned()).collect();
        let matter = Matter::Resource(Box::new(Resource { kind: kind.into(), fields, details, ..resource() }));
        Lanes::standard().of(&matter).map_or("", |lane| &lane.id)
    }

    #[test]
    fn every_file_is_a_lane_without_a_mistake_and_everything_has_one() {
        for file in BUILT_IN {
            Lanes::standard().clone().take(&file).unwrap_or_else(|mistakes| panic!("{mistakes:?}"));
        }
        assert_eq!(Lanes::standard().list().len(), BUILT_IN.len() - 2);
        assert_eq!(of("article", &["health", "physics"], None), "medical");
        assert_eq!(of("article", &["agri", "food"], None), "food");
        assert_eq!(of("emergency", &["safety", "health"], None), "emergency");
        assert_eq!(of("frontier", &["newenergy"], None), "frontier");
        assert_eq!(of("frontier", &["biomed"], None), "medical");
        assert_eq!(of("defence", &["health"], None), "defence");
        assert_eq!(of("standard", &["metrology"], None), "standard");
        assert_eq!(of("experiment", &["physics"], Some("c")), "handson");
        assert_eq!(of("experiment", &["physics"], Some("b")), "general");
        assert_eq!(of("article", &["astronomy"], None), "low");
        assert_eq!(of("article", &["astronomy", "safety"], None), "general");
        assert_eq!(of("design", &["other"], None), "design");
    }

    #[test]
    fn a_file_with_a_mistake_is_named_with_its_line() {
        let text = Lanes::standard().get("general").map(|lane| serde_json::to_string_pretty(lane).expect("json")).expect("lane");
        let wrong = |from: &str, to: &str| Lane::read(&File { name: "x.json", text: &text.replace(from, to) }).map(drop).expect_err(to).len();
        assert_eq!(wrong("\"days\": 3", "\"days\": 0"), 1);
        assert_eq!(wrong("\"panel\": 3", "\"panel\": 4"), 1);
        assert_eq!(wrong("\"reviews\": 1", "\"reviews\": 99"), 1);
        assert_eq!(wrong("\"absolute\"", "\"absolut\""), 1);
        assert_eq!(wrong("\"batch\": true", "\"batsch\": true"), 1);
    }

    #[test]
    fn of_two_lanes_the_stricter_check_counts() {
        let matter = Matter::Resource(Box::new(Resource { fields: vec!["health".into(), "food".into()], ..resource() }));
        assert_eq!(Lanes::standard().check(&matter, "see_doctor"), Some((Weight::Block, true)));
        assert_eq!(Lanes::standard().check(&matter, "unit"), Some((Weight::Hint, false)));
        assert_eq!(Lanes::standard().check(&matter, "uncleared"), None);
        let due = Lanes::standard().get("medical").and_then(|lane| lane.recheck_by(jiff::civil::date(2026, 2, 28)));
        assert_eq!(due, Some(jiff::civil::date(2027, 2, 28)));
    }
}
