//! Kinds of rounds: what a file of `data/rounds/` says, read and checked. The rounds themselves are one level up.

use crate::create::party::PartyKind;
use crate::definition::{File, Mistake, is_id};
use crate::field::{Choice, FieldDef};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A kind of round as its file defines it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RoundKind {
    /// Id.
    pub id: String,
    /// Chinese name.
    pub zh: String,
    /// English name.
    pub en: String,
    /// Rows of the plan it carries.
    #[serde(default)]
    pub rows: Vec<String>,
    /// Who may apply.
    pub applicants: Vec<PartyKind>,
    /// Whether a party may hand in several applications in one round, as authors do with works.
    #[serde(default)]
    pub several: bool,
    /// What the application asks beyond the registry.
    #[serde(default)]
    pub fields: Vec<FieldDef>,
    /// Registry fields that must be filled before an application is complete.
    #[serde(default)]
    pub registry: Vec<String>,
    /// Criteria sets that the applicant is held against (ids of `data/criteria`).
    #[serde(default)]
    pub criteria: Vec<String>,
    /// A yes-field that exempts: with a yes in it nothing else is asked and nothing else is kept.
    #[serde(default)]
    pub exempts: String,
    /// Questions that the applicant has to answer before the application is complete.
    #[serde(default)]
    pub test: Vec<Question>,
    /// Right answers needed, in percent.
    #[serde(default)]
    pub pass: i64,
    /// What judges score; empty: decided by criteria and the office alone.
    #[serde(default)]
    pub judged: Vec<Judged>,
    /// Judges per application.
    #[serde(default)]
    pub judges: usize,
    /// Whether judges see neither the applicant's name nor institution.
    #[serde(default)]
    pub blind: bool,
    /// Whether an upper or professional body has to recommend the application first.
    #[serde(default)]
    pub recommender: bool,
    /// How ties are broken, in order: `judged:<id>` (higher first), `spread` (less disagreement first), `earlier`.
    #[serde(default)]
    pub ties: Vec<String>,
    /// Days the proposal stands in public before it is decided.
    pub publicity_days: i64,
    /// Whether names stay out of the public list and the certificate is its holder's alone.
    #[serde(default)]
    pub private: bool,
    /// Months the honour lasts; none: for good.
    #[serde(default)]
    pub term_months: Option<i64>,
    /// Whether it has to be confirmed every year.
    #[serde(default)]
    pub yearly_check: bool,
    /// Register that a granted applicant is entered in.
    #[serde(default)]
    pub register: String,
    /// Title of the honour in Chinese.
    pub honour_zh: String,
    /// Title in English.
    pub honour_en: String,
    /// What has to be delivered after the grant, if anything.
    #[serde(default)]
    pub delivery: Vec<FieldDef>,
    /// Whether the honour is given for what was delivered, not for the plan.
    #[serde(default)]
    pub honour_on_delivery: bool,
    /// Whether money is granted: recorded, never paid here.
    #[serde(default)]
    pub pays: bool,
}

/// One thing judges score.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Judged {
    /// Id.
    pub id: String,
    /// Chinese name.
    pub zh: String,
    /// English name.
    pub en: String,
    /// Highest score; the lowest is 0.
    pub max: i64,
    /// Weight in the total, in percent; all weights of a kind sum to 100.
    pub weight: i64,
}

/// One question of a test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// Id.
    pub id: String,
    /// Chinese text.
    pub zh: String,
    /// English text.
    pub en: String,
    /// What can be answered.
    pub options: Vec<Choice>,
    /// Id of the right answer.
    pub answer: String,
    /// Why, in Chinese; shown after an attempt.
    pub why_zh: String,
    /// Why, in English.
    pub why_en: String,
}

/// Attempts at a test before somebody has to learn first and ask the office.
pub const TRIES_MAX: u32 = 3;

const MEMBERS: [&str; 27] = [
    "id",
    "zh",
    "en",
    "rows",
    "applicants",
    "several",
    "fields",
    "registry",
    "criteria",
    "exempts",
    "test",
    "pass",
    "judged",
    "judges",
    "blind",
    "recommender",
    "ties",
    "publicity_days",
    "private",
    "term_months",
    "yearly_check",
    "register",
    "honour_zh",
    "honour_en",
    "delivery",
    "honour_on_delivery",
    "pays",
];

impl RoundKind {
    /// Reads a file and checks it.
    pub fn read(file: &File<'_>) -> Result<RoundKind, Vec<Mistake>> {
        let kind: RoundKind = file.read().map_err(|m| vec![m])?;
        let mut mistakes = file.strangers(&[], &MEMBERS);
        if !is_id(&kind.id) {
            mistakes.push(file.mistake(&["id"], format!("\"{}\" is no id: small letters, digits, _ and -, at most 40", kind.id)));
        }
        mistakes.extend(FieldDef::check_all(&kind.fields, file, &["fields"]));
        mistakes.extend(FieldDef::check_all(&kind.delivery, file, &["delivery"]));
        let weights: i64 = kind.judged.iter().map(|j| j.weight).sum();
        if !kind.judged.is_empty() && (weights != 100 || kind.judges == 0) {
            mistakes.push(file.mistake(&["judged"], format!("weights sum to {weights}, not 100, or no number of judges is given")));
        }
        for (at, judged) in kind.judged.iter().enumerate().filter(|(_, j)| j.max < 1 || j.weight < 0 || !is_id(&j.id)) {
            mistakes.push(file.mistake(&["judged", &at.to_string()], format!("\"{}\" needs an id, a highest score from 1 and a weight from 0", judged.id)));
        }
        for (at, tie) in kind.ties.iter().enumerate() {
            let known = matches!(tie.as_str(), "spread" | "earlier") || tie.strip_prefix("judged:").is_some_and(|id| kind.judged.iter().any(|j| j.id == id));
            if !known {
                mistakes.push(file.mistake(&["ties", &at.to_string()], format!("\"{tie}\" breaks no tie; judged:ID, spread and earlier do")));
            }
        }
        mistakes.extend(kind.test_mistakes(file));
        let exempting = kind.fields.iter().any(|f| f.id == kind.exempts && f.kind == crate::field::FieldType::Yes);
        if !kind.exempts.is_empty() && !exempting {
            mistakes.push(file.mistake(&["exempts"], format!("\"{}\" is no yes-field of this kind", kind.exempts)));
        }
        if kind.publicity_days < 0 || kind.publicity_days > 90 {
            mistakes.push(file.mistake(&["publicity_days"], "0 to 90 days"));
        }
        if mistakes.is_empty() { Ok(kind) } else { Err(mistakes) }
    }

    fn test_mistakes(&self, file: &File<'_>) -> Vec<Mistake> {
        let mut mistakes = Vec::new();
        for (at, question) in self.test.iter().enumerate() {
            let twice = self.test[..at].iter().any(|other| other.id == question.id);
            if !is_id(&question.id) || twice || question.options.len() < 2 || !question.options.iter().any(|o| o.id == question.answer) {
                mistakes.push(file.mistake(&["test", &at.to_string()], "a question needs an id of its own, two options and an answer among them"));
            }
        }
        if !self.test.is_empty() && !(1..=100).contains(&self.pass) {
            mistakes.push(file.mistake(&["pass"], "right answers needed: 1 to 100 percent"));
        }
        mistakes
    }

    /// Right answers of an attempt.
    pub fn right(&self, answers: &BTreeMap<String, String>) -> usize {
        self.test.iter().filter(|q| answers.get(&q.id) == Some(&q.answer)).count()
    }

    /// Whether so many right answers pass.
    pub fn passes(&self, right: usize) -> bool {
        (right * 100) as i64 >= self.pass * self.test.len() as i64
    }

    /// Name in this language.
    pub fn name(&self, lang: &str) -> &str {
        if lang.starts_with("en") { &self.en } else { &self.zh }
    }

    /// The weighted total of one judge's scores, in hundredths of 0 to 100; `None` if one is missing.
    pub fn total(&self, scores: &BTreeMap<String, i64>) -> Option<i64> {
        self.judged.iter().map(|j| scores.get(&j.id).map(|score| score * j.weight * 100 / j.max)).sum()
    }

    /// Last day of an honour granted on `day`.
    pub fn until(&self, day: Date) -> Option<Date> {
        self.term_months.map(|months| day.checked_add(jiff::Span::new().months(months)).unwrap_or(Date::MAX))
    }
}

macro_rules! built_in {
    ($($name:literal),+ $(,)?) => { [$(File { name: $name, text: include_str!(concat!("../../../../../data/rounds/", $name)) }),+] };
}

/// The files built into the program.
pub fn built_in() -> Vec<File<'static>> {
    built_in![
        "base-nation.json",
        "base-province.json",
        "base-county.json",
        "works-prize.json",
        "creation-support.json",
        "project-outreach.json",
        "commendation.json",
        "model-county.json",
        "talent.json",
        "training.json",
    ]
    .to_vec()
}
