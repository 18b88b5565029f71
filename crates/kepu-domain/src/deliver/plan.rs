//! Plans for emergencies as files (`data/plans`): who tells the public what in which minute, by hazard and level, and which measures of science
//! communication a plan lacks. A plan that is set going is an order (`listen::order`), one that is exercised a drill.

use super::guide::HAZARD_LIST;
use crate::definition::{File, Mistake};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Most tasks of a plan, most surprises of a drill.
const PARTS_MAX: usize = 60;
/// Latest minute: three days.
const MINUTE_MAX: i64 = 3 * 24 * 60;

/// A measure of science communication that a plan should have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measure {
    /// Id.
    pub id: String,
    /// Chinese name.
    pub zh: String,
    /// English name.
    pub en: String,
}

/// Where a task is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Seat {
    /// Where the order is given.
    Here,
    /// On every node below that takes part.
    Below,
}

/// A task of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Id within the plan.
    pub key: String,
    /// Where it is done.
    pub at: Seat,
    /// Minutes from the order, for red, orange, yellow and blue; none: not at this level.
    pub minutes: [Option<i64>; 4],
    /// What is to be done.
    pub zh: String,
    /// The same in English.
    pub en: String,
    /// Post or department.
    pub role_zh: String,
    /// The same in English.
    pub role_en: String,
    /// What proves it: `link` or `text`.
    pub proof: String,
    /// The measure it is.
    pub measure: String,
}

/// A surprise of a drill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inject {
    /// Minutes from the start.
    pub minute: i64,
    /// What happens.
    pub zh: String,
    /// The same in English.
    pub en: String,
}

/// A plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Id.
    pub id: String,
    /// Version of the file.
    pub version: i64,
    /// Chinese name.
    pub zh: String,
    /// English name.
    pub en: String,
    /// Where it comes from.
    pub source: String,
    /// Hazards it is for.
    pub hazards: Vec<String>,
    /// Tasks.
    pub tasks: Vec<Line>,
    /// Surprises of a drill.
    #[serde(default)]
    pub injects: Vec<Inject>,
}

/// The plans built into the program, and the list of measures.
pub const BUILT_IN: [File<'static>; 4] = [
    File { name: "rainstorm.json", text: include_str!("../../../../data/plans/rainstorm.json") },
    File { name: "typhoon.json", text: include_str!("../../../../data/plans/typhoon.json") },
    File { name: "quake.json", text: include_str!("../../../../data/plans/quake.json") },
    File { name: "heat.json", text: include_str!("../../../../data/plans/heat.json") },
];

/// The measures that are looked for in every plan.
pub static MEASURES: std::sync::LazyLock<Vec<Measure>> =
    std::sync::LazyLock::new(|| serde_json::from_str(include_str!("../../../../data/plans/measures.json")).expect("the built-in list is checked by a test"));

impl Plan {
    /// Reads and checks a file.
    pub fn read(file: &File<'_>) -> Result<Self, Vec<Mistake>> {
        let plan: Plan = file.read().map_err(|mistake| vec![mistake])?;
        let mut wrong = Vec::new();
        if plan.hazards.is_empty() {
            wrong.push(file.mistake(&["hazards"], "a plan names at least one hazard"));
        }
        if let Some((at, id)) = plan.hazards.iter().enumerate().find(|(_, id)| HAZARD_LIST.find(id).is_none()) {
            wrong.push(file.mistake(&["hazards", &at.to_string()], format!("\"{id}\" is no hazard")));
        }
        if plan.tasks.is_empty() || plan.tasks.len() > PARTS_MAX || plan.injects.len() > PARTS_MAX {
            wrong.push(file.mistake(&["tasks"], format!("a plan has 1 to {PARTS_MAX} tasks and at most as many surprises")));
        }
        let mut keys = BTreeSet::new();
        for (at, line) in plan.tasks.iter().enumerate() {
            let at = at.to_string();
            let mut say = |field: &str, cause: String| wrong.push(file.mistake(&["tasks", &at, field], cause));
            if line.key.is_empty() || line.key.len() > 40 || !keys.insert(&line.key) {
                say("key", "every task has a key of its own, at most 40 letters".into());
            }
            if line.minutes.iter().flatten().any(|minute| !(1..=MINUTE_MAX).contains(minute)) {
                say("minutes", format!("minutes lie between 1 and {MINUTE_MAX}"));
            }
            if !["link", "text"].contains(&line.proof.as_str()) {
                say("proof", "what proves a task is link or text".into());
            }
            if !MEASURES.iter().any(|measure| measure.id == line.measure) {
                say("measure", format!("\"{}\" is no measure of measures.json", line.measure));
            }
            if [&line.zh, &line.en, &line.role_zh, &line.role_en].iter().any(|text| text.trim().is_empty() || text.chars().count() > 200) {
                say("zh", "names and posts have 1 to 200 letters in both languages".into());
            }
        }
        if wrong.is_empty() { Ok(plan) } else { Err(wrong) }
    }

    /// Its tasks at a level (1 red … 4 blue), with their minutes, in that order.
    pub fn at(&self, level: i64) -> Vec<(&Line, i64)> {
        let Some(place) = usize::try_from(level - 1).ok().filter(|place| *place < 4) else { return vec![] };
        let mut list: Vec<(&Line, i64)> = self.tasks.iter().filter_map(|line| Some((line, line.minutes[place]?))).collect();
        list.sort_by_key(|(line, minute)| (*minute, line.key.clone()));
        list
    }

    /// The measures that it lacks at a level.
    pub fn gaps(&self, level: i64) -> Vec<&'static Measure> {
        let has: BTreeSet<&str> = self.at(level).into_iter().map(|(line, _)| line.measure.as_str()).collect();
        MEASURES.iter().filter(|measure| !has.contains(measure.id.as_str())).collect()
    }

    /// Whether it is for a hazard.
    pub fn is_for(&self, hazard: &str) -> bool {
        self.hazards.iter().any(|id| id == hazard)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_plan_loads_and_red_asks_for_everything_sooner() {
        for file in BUILT_IN {
            let plan = Plan::read(&file).unwrap_or_else(|wrong| panic!("{wrong:?}"));
            assert!(plan.gaps(1).is_empty(), "{}: {:?}", plan.id, plan.gaps(1));
            assert!(plan.at(1).len() >= plan.at(4).len() && plan.at(5).is_empty() && plan.at(0).is_empty());
            for line in &plan.tasks {
                let minutes: Vec<i64> = line.minutes.iter().flatten().copied().collect();
                assert!(minutes.windows(2).all(|pair| pair[0] <= pair[1]), "{} {}", plan.id, line.key);
            }
        }
    }

    #[test]
    fn a_mistake_is_named_with_its_line() {
        let text = BUILT_IN[0].text.replacen("\"proof\": \"link\"", "\"proof\": \"word\"", 1);
        let wrong = Plan::read(&File { name: "rainstorm.json", text: &text }).expect_err("no proof");
        assert!(wrong[0].line > 1 && wrong[0].cause.contains("link or text"), "{wrong:?}");
    }

    #[test]
    fn what_a_plan_lacks_is_listed() {
        let mut plan = Plan::read(&BUILT_IN[0]).expect("plan");
        plan.tasks.retain(|line| line.measure != "broadcast");
        assert_eq!(plan.gaps(1).iter().map(|m| m.id.as_str()).collect::<Vec<_>>(), ["broadcast"]);
    }
}
