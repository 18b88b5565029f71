//! Criteria sets as data (`data/criteria/*.json`): what a base, work or person must show for a designation. One party is
//! compared with several sets at once; the outcome names gaps and what will lapse. Judging by people is in `round`.

use crate::create::party::Party;
use crate::create::register::{Condition, days_between};
use crate::definition::{File, Mistake, is_id};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Days before a proof ends in which it is named as lapsing (RULES §3).
pub const LAPSE_NOTICE_DAYS: i64 = 180;

/// A set of criteria in one version. A changed threshold is a new version; decisions keep the version they were made by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CriteriaSet {
    /// Id.
    pub id: String,
    /// Version, from 1.
    pub version: u32,
    /// Chinese name.
    pub zh: String,
    /// English name.
    pub en: String,
    /// `nation`, `province`, `city` or `county`.
    pub level: String,
    /// Where the figures come from.
    pub source: String,
    /// Items.
    pub items: Vec<Item>,
    /// Grades by score, best first; empty: met or not.
    #[serde(default)]
    pub grades: Vec<Grade>,
}

/// One criterion.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// Id.
    pub id: String,
    /// Chinese text.
    pub zh: String,
    /// English text.
    pub en: String,
    /// Field of the registry that shows it.
    pub field: String,
    /// How the field is judged.
    #[serde(flatten)]
    pub test: ItemTest,
    /// Whether the designation needs it; else it only adds to the score.
    #[serde(default = "yes")]
    pub required: bool,
    /// What proof is asked for, in Chinese; empty: the registry's entry is enough.
    #[serde(default)]
    pub evidence: String,
}

fn yes() -> bool {
    true
}

/// How a field is judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemTest {
    /// A number that must be reached; the first case whose conditions hold counts.
    AtLeast(Vec<Case>),
    /// Points by steps, the highest reached one counts.
    Steps(Vec<Level>),
    /// Filled, or a yes.
    Present(bool),
    /// A day that must not have passed.
    ValidUntil(bool),
}

/// A threshold for parties of one sort.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Case {
    /// All must hold; empty: any party.
    #[serde(default)]
    pub when: Vec<Condition>,
    /// The threshold.
    pub value: f64,
}

/// Points for reaching a value.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Level {
    /// Value.
    pub value: f64,
    /// Points.
    pub points: i64,
}

/// A grade of the whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grade {
    /// Id.
    pub id: String,
    /// Chinese name.
    pub zh: String,
    /// English name.
    pub en: String,
    /// Least points.
    pub points: i64,
}

/// How one item stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// Met, with points where the item gives them.
    Met {
        /// Points.
        points: i64,
    },
    /// Met today, but the proof ends soon.
    Lapsing {
        /// Last day.
        until: Date,
    },
    /// Not met.
    Unmet {
        /// What is there.
        have: String,
        /// What is needed.
        need: String,
    },
    /// The registry does not say.
    Unknown,
    /// Does not concern parties of this sort.
    NotAsked,
}

/// A party held against a set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Assessment {
    /// Set.
    pub set: String,
    /// Its version.
    pub version: u32,
    /// Item ids with what was found, in the order of the set.
    pub findings: Vec<(String, Finding)>,
    /// Points reached.
    pub points: i64,
    /// Points possible.
    pub points_max: i64,
    /// Whether every required item is met.
    pub met: bool,
    /// The grade, if the set has grades, all required items are met and the points reach one.
    pub grade: Option<String>,
}

impl CriteriaSet {
    /// Reads a file and checks it.
    pub fn read(file: &File<'_>) -> Result<CriteriaSet, Vec<Mistake>> {
        let set: CriteriaSet = file.read().map_err(|m| vec![m])?;
        let mut mistakes = file.strangers(&[], &["id", "version", "zh", "en", "level", "source", "items", "grades"]);
        if !is_id(&set.id) || set.version == 0 {
            mistakes.push(file.mistake(&["id"], "an id of small letters, digits, _ and -, and a version from 1"));
        }
        if !["nation", "province", "city", "county"].contains(&set.level.as_str()) {
            mistakes.push(file.mistake(&["level"], format!("\"{}\" is no level; nation, province, city and county are", set.level)));
        }
        for (at, item) in set.items.iter().enumerate() {
            let n = at.to_string();
            if !is_id(&item.id) || set.items[..at].iter().any(|other| other.id == item.id) {
                mistakes.push(file.mistake(&["items", &n, "id"], format!("\"{}\" is no id or stands twice", item.id)));
            }
            let empty = match &item.test {
                ItemTest::AtLeast(cases) => cases.is_empty(),
                ItemTest::Steps(steps) => steps.is_empty(),
                _ => false,
            };
            if empty {
                mistakes.push(file.mistake(&["items", &n], "an item needs at least one threshold"));
            }
        }
        if set.grades.windows(2).any(|pair| pair[0].points <= pair[1].points) {
            mistakes.push(file.mistake(&["grades"], "grades stand from the best down"));
        }
        if mistakes.is_empty() { Ok(set) } else { Err(mistakes) }
    }

    /// Holds `party` against the set on `day`.
    pub fn assess(&self, party: &Party, day: Date) -> Assessment {
        let findings: Vec<(String, Finding)> = self.items.iter().map(|item| (item.id.clone(), item.find(party, day))).collect();
        let points = findings.iter().map(|(_, f)| if let Finding::Met { points } = f { *points } else { 0 }).sum();
        let met = self.items.iter().zip(&findings).all(|(item, (_, f))| !item.required || !matches!(f, Finding::Unmet { .. } | Finding::Unknown));
        let grade = self.grades.iter().find(|g| met && points >= g.points).map(|g| g.id.clone());
        Assessment { set: self.id.clone(), version: self.version, findings, points, points_max: self.items.iter().map(Item::points_max).sum(), met, grade }
    }
}

impl Item {
    fn points_max(&self) -> i64 {
        match &self.test {
            ItemTest::Steps(steps) => steps.iter().map(|s| s.points).max().unwrap_or(0),
            _ => 0,
        }
    }

    fn find(&self, party: &Party, day: Date) -> Finding {
        let value = party.value(&self.field);
        let number = value.as_f64().or_else(|| value.as_str()?.parse().ok());
        match &self.test {
            ItemTest::AtLeast(cases) => {
                let Some(case) = cases.iter().find(|case| case.when.iter().all(|c| c.holds(party, day))) else { return Finding::NotAsked };
                match number {
                    None => Finding::Unknown,
                    Some(n) if n >= case.value => Finding::Met { points: 0 },
                    Some(n) => Finding::Unmet { have: n.to_string(), need: case.value.to_string() },
                }
            }
            ItemTest::Steps(steps) => {
                let Some(n) = number else { return Finding::Unknown };
                let reached = steps.iter().filter(|s| n >= s.value).map(|s| s.points).max();
                let least = steps.iter().map(|s| s.value).fold(f64::INFINITY, f64::min);
                reached.map_or_else(|| Finding::Unmet { have: n.to_string(), need: least.to_string() }, |points| Finding::Met { points })
            }
            ItemTest::Present(_) => match value {
                Value::Null => Finding::Unknown,
                Value::Bool(false) => Finding::Unmet { have: "false".into(), need: "true".into() },
                _ => Finding::Met { points: 0 },
            },
            ItemTest::ValidUntil(_) => match value.as_str().and_then(|t| t.parse::<Date>().ok()) {
                None => Finding::Unknown,
                Some(until) if until < day => Finding::Unmet { have: until.to_string(), need: day.to_string() },
                Some(until) if days_between(day, until) <= LAPSE_NOTICE_DAYS => Finding::Lapsing { until },
                Some(_) => Finding::Met { points: 0 },
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::create::party::PartyKind;
    use crate::create::party::tests::party;
    use jiff::civil::date;
    use serde_json::json;

    const DAY: Date = date(2026, 11, 25);

    fn base(values: &[(&str, Value)]) -> Party {
        let mut base = Party { kind: PartyKind::Venue, ..party("v", &[], 0) };
        for (id, value) in values {
            base.set(id, value.clone()).expect("set");
        }
        base
    }
    fn district() -> CriteriaSet {
        let text = include_str!("../../../../data/criteria/base-district.json");
        CriteriaSet::read(&File { name: "base-district.json", text }).expect("set")
    }

    #[test]
    fn the_district_sheet_grades_a_sample_base() {
        let set = district();
        let good = base(&[("opening_days", json!(310)), ("visits", json!(31_000)), ("renewal", json!("16.0")), ("area_indoor", json!(1_200))]);
        let assessment = set.assess(&good, DAY);
        assert_eq!((assessment.points, assessment.points_max, assessment.grade.as_deref()), (12, 12, Some("a")));
        let small = base(&[("opening_days", json!(200)), ("visits", json!(1_000)), ("renewal", json!("5.0")), ("area_indoor", json!(150))]);
        assert_eq!(set.assess(&small, DAY).grade.as_deref(), Some("c"));
        let gaps = set.assess(&base(&[("opening_days", json!(199))]), DAY);
        assert!(!gaps.met && gaps.grade.is_none());
        assert_eq!(gaps.findings[0].1, Finding::Unmet { have: "199".into(), need: "200".into() });
        assert_eq!(gaps.findings[1].1, Finding::Unknown);
    }

    #[test]
    fn a_new_version_leaves_old_decisions_untouched() {
        let mut set = district();
        let sample = base(&[("opening_days", json!(310)), ("visits", json!(31_000)), ("renewal", json!("16.0")), ("area_indoor", json!(1_200))]);
        let decided = serde_json::to_string(&set.assess(&sample, DAY)).expect("kept");
        set.version = 2;
        set.items[0].test = ItemTest::Steps(vec![Level { value: 350.0, points: 3 }]);
        assert!(!set.assess(&sample, DAY).met);
        let kept: Assessment = serde_json::from_str(&decided).expect("read");
        assert_eq!((kept.version, kept.grade.as_deref()), (1, Some("a")));
    }

    #[test]
    fn what_lapses_is_said_in_time() {
        let text = r#"{"id": "x", "version": 1, "zh": "甲", "en": "X", "level": "county", "source": "s",
            "items": [{"id": "fire", "zh": "消防", "en": "Fire", "field": "fire_until", "valid_until": true}]}"#;
        let set = CriteriaSet::read(&File { name: "x.json", text }).expect("set");
        let find = |until: &str| set.assess(&base(&[("fire_until", json!(until))]), DAY).findings[0].1.clone();
        assert_eq!(find("2027-01-01"), Finding::Lapsing { until: date(2027, 1, 1) });
        assert_eq!(find("2028-01-01"), Finding::Met { points: 0 });
        assert!(matches!(find("2026-11-24"), Finding::Unmet { .. }));
    }
}
