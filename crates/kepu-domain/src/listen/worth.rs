//! What decides which topic is looked at first: how well it can be checked, what harm it may do, how far it has come. The weights and words
//! are a file (`data/policy/listen.json`), published as it is; the formula stands here and on the page that shows the queue.
//!
//! ```text
//! priority = check × harm × reach                                    each 0 to 1
//! check    = base + the weight of each group of words that is there  at most 1, at least 0
//! harm     = the weight of the worst group that is there, else base
//! reach    = ln(1 + signals) / ln(1 + full)  +  channel for each channel beyond the first
//! ```

use crate::definition::{File, Mistake};
use crate::listen::topic::Borders;
use serde::{Deserialize, Serialize};

/// Words that say something about a statement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Id.
    pub id: String,
    /// What finding one of them means, in Chinese.
    pub zh: String,
    /// The same in English.
    pub en: String,
    /// What it adds to `check`, or the `harm` it stands for.
    pub weight: f64,
    /// The words, simplified.
    #[serde(default)]
    pub words: Vec<String>,
    /// A figure counts as one of the words.
    #[serde(default)]
    pub figure: bool,
}

/// Groups of words and what holds without any.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scale {
    /// Without any word.
    pub base: f64,
    /// The groups.
    pub groups: Vec<Group>,
}

/// How far something has come.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reach {
    /// Signals that are as many as can matter.
    pub full: f64,
    /// What each channel beyond the first adds.
    pub channel: f64,
}

/// When listening does something by itself (`data/policy/listen.json`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Version of the file.
    pub version: u32,
    /// Signals that wait at most; more are refused until some are matched.
    pub queue_max: i64,
    /// Nothing about fewer signals or questions than this is shown by place or hour.
    pub shown_least: i64,
    /// Signals about one matter from which on it stands among what nobody has answered, without any rise.
    pub asked_times: i64,
    /// A topic that rises opens or joins a case by itself from this priority on; above 1: never.
    pub case_from: f64,
    /// The borders between the phases of a topic.
    pub borders: Borders,
    /// How well something can be checked.
    pub check: Scale,
    /// What harm it may do.
    pub harm: Scale,
    /// How far it has come.
    pub reach: Reach,
}

/// The file built into the program.
pub const BUILT_IN: File<'static> = File { name: "listen.json", text: include_str!("../../../../data/policy/listen.json") };

impl Default for Policy {
    fn default() -> Self {
        Self::read(&BUILT_IN).expect("the built-in policy is checked by a test")
    }
}

/// What a topic is worth, with what it was computed from.
#[derive(Clone, Debug, PartialEq)]
pub struct Worth {
    /// The product.
    pub priority: f64,
    /// How well it can be checked.
    pub check: f64,
    /// What harm it may do.
    pub harm: f64,
    /// How far it has come.
    pub reach: f64,
    /// Groups that were found, by id, each with the word that was there.
    pub because: Vec<(String, String)>,
}

impl Policy {
    /// Reads and checks a file.
    pub fn read(file: &File<'_>) -> Result<Self, Mistake> {
        let policy: Self = file.read()?;
        let share = |value: f64| (0.0..=1.0).contains(&value);
        let wrong = |path: &[&str], cause: &str| Err(file.mistake(path, cause));
        if !(100..=10_000_000).contains(&policy.queue_max) {
            return wrong(&["queue_max"], "between 100 and 10000000 signals may wait");
        }
        if policy.shown_least < 3 {
            return wrong(&["shown_least"], "fewer than 3 would let single people be seen");
        }
        if policy.asked_times < 2 {
            return wrong(&["asked_times"], "at least 2");
        }
        let b = policy.borders;
        if !(share(b.falling) && share(b.rising) && b.falling < b.rising && b.over_hours >= 1 && b.wordings >= 1) {
            return wrong(&["borders"], "shares from 0 to 1, falling below rising, at least one hour and one wording");
        }
        if policy.reach.full < 2.0 || !share(policy.reach.channel) {
            return wrong(&["reach"], "full is at least 2, channel a share from 0 to 1");
        }
        for (name, scale) in [("check", &policy.check), ("harm", &policy.harm)] {
            if !share(scale.base) {
                return wrong(&[name, "base"], "a share from 0 to 1");
            }
            for (n, group) in scale.groups.iter().enumerate() {
                if !(-1.0..=1.0).contains(&group.weight) || (group.words.is_empty() && !group.figure) {
                    return wrong(&[name, "groups", &n.to_string()], "a weight from -1 to 1, and words or figure");
                }
            }
        }
        Ok(policy)
    }

    /// The group with this id.
    pub fn group(&self, id: &str) -> Option<&Group> {
        self.check.groups.iter().chain(&self.harm.groups).find(|group| group.id == id)
    }

    /// What a statement is worth. `folded`: in small letters and simplified characters (`kepu_text::fold`).
    pub fn worth(&self, folded: &str, signals: i64, channels: i64) -> Worth {
        let mut because = Vec::new();
        let mut found = |group: &Group| {
            let word = group.words.iter().find(|word| folded.contains(word.as_str())).cloned();
            let word = word.or_else(|| figure(folded).filter(|_| group.figure));
            let there = word.is_some();
            because.extend(word.map(|word| (group.id.clone(), word)));
            there
        };
        let mut check = self.check.base;
        for group in &self.check.groups {
            if found(group) {
                check += group.weight;
            }
        }
        let mut harm = self.harm.base;
        for group in &self.harm.groups {
            if found(group) {
                harm = harm.max(group.weight);
            }
        }
        let (check, harm) = (check.clamp(0.0, 1.0), harm.clamp(0.0, 1.0));
        let spread = (1.0 + signals.max(0) as f64).ln() / (1.0 + self.reach.full).ln();
        let reach = (spread + self.reach.channel * (channels - 1).clamp(0, 5) as f64).clamp(0.0, 1.0);
        Worth { priority: check * harm * reach, check, harm, reach, because }
    }
}

/// The first figure of a text, with what stands right behind it.
fn figure(text: &str) -> Option<String> {
    let at = text.find(|c: char| c.is_ascii_digit())?;
    let rest = &text[at..];
    let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
    Some(rest[..digits].chars().chain(rest[digits..].chars().take(1)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_harm_and_be_checked_and_has_spread_comes_first() {
        let policy = Policy::default();
        let of = |text: &str, signals| policy.worth(text, signals, 1).priority;
        let danger = of("喝消毒液能杀死体内病毒，专家证实有效率90%", 200);
        assert!(danger > of("喝消毒液能杀死体内病毒，专家证实有效率90%", 5), "reach");
        assert!(danger > of("明天全市停电三天，专家证实", 200), "harm");
        assert!(danger > of("大家觉得喝消毒液怎么样", 200), "check");
        assert!(of("今天天气真好", 200) < 0.2);
        for n in [0, 1, 10, 1_000_000] {
            let worth = policy.worth("x", n, 9);
            assert!((0.0..=1.0).contains(&worth.priority) && (0.0..=1.0).contains(&worth.reach));
        }
    }

    #[test]
    fn every_reason_names_its_group_and_word() {
        let policy = Policy::default();
        let worth = policy.worth("专家证实喝3杯消毒液能治癌症", 20, 2);
        assert!(worth.because.iter().any(|(_, word)| word == "3杯") && worth.because.len() >= 3, "{:?}", worth.because);
        assert!(worth.because.iter().all(|(id, _)| policy.group(id).is_some()));
    }

    #[test]
    fn a_policy_that_would_show_single_people_is_refused() {
        let text = BUILT_IN.text.replace("\"shown_least\": 5", "\"shown_least\": 1");
        let mistake = Policy::read(&File { name: "listen.json", text: &text }).expect_err("too few");
        assert!(mistake.cause.contains("single people") && mistake.line > 1);
        let text = BUILT_IN.text.replace("\"falling\": 0.3", "\"falling\": 0.9");
        assert!(Policy::read(&File { name: "listen.json", text: &text }).is_err());
    }
}
