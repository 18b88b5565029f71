//! Scoring schemes as data (`data/scoring/*.json`): what a unit counts of its people's contributions, and how much. Every step of
//! the sum is shown; the unit chooses the scheme, never the program (R112).

use crate::definition::{File, Mistake, is_id};
use crate::measure::contribution::{Contribution, kind};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// A scheme in one version. Points are in hundredths.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scheme {
    /// Id.
    pub id: String,
    /// Version, from 1.
    pub version: u32,
    /// Chinese name.
    pub zh: String,
    /// English name.
    pub en: String,
    /// Where it comes from and for whom it is meant.
    pub source: String,
    /// Rules in order.
    pub rules: Vec<Rule>,
    /// Most points in all; none: no limit.
    #[serde(default)]
    pub cap: Option<i64>,
}

/// One rule: points for a kind of contribution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Kind of contribution.
    pub kind: String,
    /// What is counted.
    pub per: Per,
    /// Points (hundredths) for each.
    pub points: i64,
    /// Most points (hundredths) by this rule; none: no limit.
    #[serde(default)]
    pub cap: Option<i64>,
}

/// What a rule counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Per {
    /// Units of the kind.
    Count,
    /// Full hours of effort, summed over the period first.
    Hour,
}

/// One step of the sum.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ScoreStep {
    /// The rule's kind.
    pub kind: String,
    /// What was counted.
    pub per: Per,
    /// How many.
    pub amount: i64,
    /// Points for each.
    pub points: i64,
    /// Their product.
    pub product: i64,
    /// What counts after the cap.
    pub counted: i64,
    /// Ids of the contributions behind it.
    pub lines: Vec<String>,
}

/// A scored period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Score {
    /// Scheme.
    pub scheme: String,
    /// Its version.
    pub version: u32,
    /// Steps in the order of the rules; rules without any contribution too.
    pub steps: Vec<ScoreStep>,
    /// Sum of what counts.
    pub sum: i64,
    /// The sum after the cap of the whole.
    pub total: i64,
}

impl Scheme {
    /// Reads a file and checks it.
    pub fn read(file: &File<'_>) -> Result<Scheme, Vec<Mistake>> {
        let scheme: Scheme = file.read().map_err(|m| vec![m])?;
        let mut mistakes = Vec::new();
        if !is_id(&scheme.id) || scheme.version == 0 {
            mistakes.push(file.mistake(&["id"], "an id of small letters, digits, _ and -, and a version from 1"));
        }
        for (at, rule) in scheme.rules.iter().enumerate() {
            let n = at.to_string();
            if kind(&rule.kind).is_none() {
                mistakes.push(file.mistake(&["rules", &n, "kind"], format!("there is no kind of contribution \"{}\"", rule.kind)));
            }
            if rule.points < 0 || rule.cap.is_some_and(|cap| cap < 0) {
                mistakes.push(file.mistake(&["rules", &n], "points and caps are not negative"));
            }
        }
        if mistakes.is_empty() { Ok(scheme) } else { Err(mistakes) }
    }

    /// Scores the confirmed contributions whose day lies in `from..=until`.
    pub fn score(&self, lines: &[Contribution], from: Date, until: Date) -> Score {
        let inside = |c: &&Contribution| c.counts() && (from..=until).contains(&c.day);
        let steps: Vec<ScoreStep> = self
            .rules
            .iter()
            .map(|rule| {
                let mine: Vec<&Contribution> = lines.iter().filter(inside).filter(|c| c.kind == rule.kind).collect();
                let amount = match rule.per {
                    Per::Count => mine.iter().map(|c| c.count).sum(),
                    Per::Hour => mine.iter().map(|c| c.minutes).sum::<i64>() / 60,
                };
                let product = amount.saturating_mul(rule.points);
                let counted = rule.cap.map_or(product, |cap| product.min(cap));
                let lines = mine.iter().map(|c| c.id.0.clone()).collect();
                ScoreStep { kind: rule.kind.clone(), per: rule.per, amount, points: rule.points, product, counted, lines }
            })
            .collect();
        let sum = steps.iter().map(|s| s.counted).sum();
        Score { scheme: self.id.clone(), version: self.version, steps, sum, total: self.cap.map_or(sum, |cap| sum.min(cap)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::contribution::Stage;
    use crate::measure::contribution::tests::line;
    use jiff::civil::date;

    fn scheme() -> Scheme {
        let text = r#"{"id": "x", "version": 1, "zh": "甲", "en": "X", "source": "s", "cap": 1000,
            "rules": [{"kind": "talk", "per": "count", "points": 200, "cap": 500}, {"kind": "service", "per": "hour", "points": 10}]}"#;
        Scheme::read(&File { name: "x.json", text }).expect("scheme")
    }

    #[test]
    fn every_step_of_the_sum_is_shown_and_caps_hold() {
        let day = date(2026, 5, 1);
        let mut lines = vec![line("talk", "a", day, 1, 60), line("talk", "b", day, 3, 60), line("service", "c", day, 1, 50), line("service", "d", day, 1, 80)];
        lines.push(line("talk", "old", date(2025, 5, 1), 9, 60));
        lines.push(Contribution { stage: Stage::Claimed, ..line("talk", "unseen", day, 9, 60) });
        let score = scheme().score(&lines, date(2026, 1, 1), date(2026, 12, 31));
        let steps: Vec<_> = score.steps.iter().map(|s| (s.amount, s.product, s.counted)).collect();
        assert_eq!(steps, [(4, 800, 500), (2, 20, 20)], "130 minutes are two full hours");
        assert_eq!((score.sum, score.total), (520, 520));
        assert_eq!(score.steps[0].lines, ["a", "b"]);
    }

    #[test]
    fn schemes_that_come_with_the_program_load() {
        for (name, text) in [
            ("title-review.json", include_str!("../../../../data/scoring/title-review.json")),
            ("volunteer-stars.json", include_str!("../../../../data/scoring/volunteer-stars.json")),
            ("annual-appraisal.json", include_str!("../../../../data/scoring/annual-appraisal.json")),
        ] {
            Scheme::read(&File { name, text }).expect("scheme");
        }
        let text = "{\"id\": \"x\", \"version\": 1, \"zh\": \"甲\", \"en\": \"X\", \"source\": \"s\", \"rules\": [\n{\"kind\": \"juggling\", \"per\": \"count\", \"points\": 1}]}";
        assert_eq!(Scheme::read(&File { name: "x.json", text }).expect_err("unknown kind")[0].line, 2);
    }
}
