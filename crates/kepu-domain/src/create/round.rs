//! Application rounds: call, application, completeness, recommendation, blind judging, publicity, objection, decision, term.
//! Kinds of rounds are files in `data/rounds/`. How scores of harsh and mild judges are made comparable is in `kepu-stats`, who
//! gets which application in `kepu-plan`; criteria that a registry entry shows by itself are in `criteria`.

use crate::create::party::{Party, PartyKind};
use crate::definition::{File, Mistake, is_id};
use crate::field::FieldDef;
use crate::ids::{AccountId, ApplicationId, OrgId, PartyId, RoundId, SubjectId};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
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
    /// What the application asks beyond the registry.
    #[serde(default)]
    pub fields: Vec<FieldDef>,
    /// Registry fields that must be filled before an application is complete.
    #[serde(default)]
    pub registry: Vec<String>,
    /// Criteria sets that the applicant is held against (ids of `data/criteria`).
    #[serde(default)]
    pub criteria: Vec<String>,
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

const MEMBERS: [&str; 20] = [
    "id",
    "zh",
    "en",
    "rows",
    "applicants",
    "fields",
    "registry",
    "criteria",
    "judged",
    "judges",
    "blind",
    "recommender",
    "ties",
    "publicity_days",
    "term_months",
    "yearly_check",
    "register",
    "honour_zh",
    "honour_en",
    "delivery",
];

impl RoundKind {
    /// Reads a file and checks it.
    pub fn read(file: &File<'_>) -> Result<RoundKind, Vec<Mistake>> {
        let kind: RoundKind = file.read().map_err(|m| vec![m])?;
        let mut mistakes = file.strangers(&[], &[&MEMBERS[..], &["pays"]].concat());
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
        if kind.publicity_days < 0 || kind.publicity_days > 90 {
            mistakes.push(file.mistake(&["publicity_days"], "0 to 90 days"));
        }
        if mistakes.is_empty() { Ok(kind) } else { Err(mistakes) }
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
    ($($name:literal),+ $(,)?) => { [$(File { name: $name, text: include_str!(concat!("../../../../data/rounds/", $name)) }),+] };
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

/// How far a round has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "snake_case")]
pub enum RoundStage {
    /// Being prepared; nobody else sees it.
    Planned,
    /// Called: applications come in between `opens` and `closes`.
    Called,
    /// Applications are with the judges.
    Judging,
    /// The proposal stands in public.
    Publicity {
        /// Since.
        from: Timestamp,
        /// Objections are taken until then, and nothing is decided before.
        until: Timestamp,
    },
    /// Decided.
    Decided {
        /// When.
        at: Timestamp,
    },
    /// Called off, with a public reason.
    Cancelled {
        /// Why.
        reason: String,
        /// When.
        at: Timestamp,
    },
}

impl RoundStage {
    /// The stored word.
    pub fn name(&self) -> &'static str {
        match self {
            RoundStage::Planned => "planned",
            RoundStage::Called => "called",
            RoundStage::Judging => "judging",
            RoundStage::Publicity { .. } => "publicity",
            RoundStage::Decided { .. } => "decided",
            RoundStage::Cancelled { .. } => "cancelled",
        }
    }
}

/// One round.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Round {
    /// Id.
    pub id: RoundId,
    /// Kind (id of `data/rounds`).
    pub kind: String,
    /// Title, such as 2026年度科普作品奖.
    pub title: String,
    /// What is called for, for applicants.
    pub call: String,
    /// Organisation that runs it.
    pub org: OrgId,
    /// First moment of application.
    pub opens: Timestamp,
    /// From this moment on nothing is taken any more.
    pub closes: Timestamp,
    /// How many are granted at most; none: as many as merit it.
    pub quota: Option<u32>,
    /// Least adjusted total (hundredths) to be granted.
    pub least: Option<i64>,
    /// The panel.
    pub panel: Vec<PartyId>,
    /// Stage.
    pub stage: RoundStage,
    /// Version read, for safe updates.
    pub version: i64,
}

/// Why a move is not legal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RoundError {
    /// The round's or application's stage does not allow it.
    #[error("this is {stage}; it cannot be {attempted}")]
    WrongStage {
        /// Present stage.
        stage: &'static str,
        /// Attempted move.
        attempted: &'static str,
    },
    /// Before the opening.
    #[error("applications are taken from {0} on")]
    NotYet(Timestamp),
    /// At or after the close.
    #[error("applications were taken until {0}")]
    TooLate(Timestamp),
    /// This kind of party cannot apply.
    #[error("this round is not for a {}", .0.as_str())]
    NotFor(PartyKind),
    /// What is still missing, by field id.
    #[error("{} field(s) are missing: {}", .0.len(), .0.join(", "))]
    Incomplete(Vec<String>),
    /// A judge with an interest.
    #[error("{judge} may not judge this: {}", .why.as_str())]
    Recused {
        /// Who.
        judge: PartyId,
        /// Why.
        why: Interest,
    },
    /// A score outside its range, or one missing.
    #[error("score \"{0}\" is missing or outside its range")]
    Score(String),
    /// The publicity period has not passed.
    #[error("nothing is decided before {0}")]
    InPublicity(Timestamp),
    /// Objections are open.
    #[error("{0} objection(s) have not been answered")]
    OpenObjections(usize),
    /// An end without a reason.
    #[error("say why")]
    NoReason,
    /// Too few judges.
    #[error("{have} of {need} judgements are there")]
    TooFewJudgements {
        /// There.
        have: usize,
        /// Needed.
        need: usize,
    },
}

impl Round {
    fn wrong(&self, attempted: &'static str) -> RoundError {
        RoundError::WrongStage { stage: self.stage.name(), attempted }
    }

    /// Opens the call.
    pub fn call(self) -> Result<Round, RoundError> {
        if self.stage != RoundStage::Planned || self.opens >= self.closes {
            return Err(self.wrong("called"));
        }
        Ok(Round { stage: RoundStage::Called, ..self })
    }

    /// Whether an application may be handed in now. The close itself is too late.
    pub fn takes(&self, kind: &RoundKind, applicant: PartyKind, now: Timestamp) -> Result<(), RoundError> {
        if self.stage != RoundStage::Called {
            return Err(self.wrong("applied for"));
        }
        if !kind.applicants.contains(&applicant) {
            return Err(RoundError::NotFor(applicant));
        }
        if now < self.opens {
            return Err(RoundError::NotYet(self.opens));
        }
        if now >= self.closes { Err(RoundError::TooLate(self.closes)) } else { Ok(()) }
    }

    /// Hands the complete applications to the judges, once the call has closed.
    pub fn judge(self, now: Timestamp) -> Result<Round, RoundError> {
        if self.stage != RoundStage::Called {
            return Err(self.wrong("judged"));
        }
        if now < self.closes {
            return Err(RoundError::NotYet(self.closes));
        }
        Ok(Round { stage: RoundStage::Judging, ..self })
    }

    /// Puts the proposal before the public.
    pub fn propose(self, kind: &RoundKind, now: Timestamp) -> Result<Round, RoundError> {
        let from_call = self.stage == RoundStage::Called && kind.judged.is_empty() && now >= self.closes;
        if self.stage != RoundStage::Judging && !from_call {
            return Err(self.wrong("proposed"));
        }
        let until = now.checked_add(SignedDuration::from_hours(24 * kind.publicity_days)).unwrap_or(Timestamp::MAX);
        Ok(Round { stage: RoundStage::Publicity { from: now, until }, ..self })
    }

    /// Whether objections are taken now.
    pub fn takes_objections(&self, now: Timestamp) -> Result<(), RoundError> {
        match self.stage {
            RoundStage::Publicity { until, .. } if now < until => Ok(()),
            RoundStage::Publicity { until, .. } => Err(RoundError::TooLate(until)),
            _ => Err(self.wrong("objected to")),
        }
    }

    /// Decides: only after the publicity period, only when every objection has its answer.
    pub fn decide(self, open_objections: usize, now: Timestamp) -> Result<Round, RoundError> {
        match self.stage {
            RoundStage::Publicity { until, .. } if now < until => Err(RoundError::InPublicity(until)),
            RoundStage::Publicity { .. } if open_objections > 0 => Err(RoundError::OpenObjections(open_objections)),
            RoundStage::Publicity { .. } => Ok(Round { stage: RoundStage::Decided { at: now }, ..self }),
            _ => Err(self.wrong("decided")),
        }
    }

    /// Calls the round off.
    pub fn cancel(self, reason: &str, now: Timestamp) -> Result<Round, RoundError> {
        if matches!(self.stage, RoundStage::Decided { .. } | RoundStage::Cancelled { .. }) {
            return Err(self.wrong("called off"));
        }
        if reason.trim().is_empty() {
            return Err(RoundError::NoReason);
        }
        Ok(Round { stage: RoundStage::Cancelled { reason: reason.trim().into(), at: now }, ..self })
    }
}

/// A proof handed in with an application, or taken from the registry or the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// What it shows: a field id or criterion id.
    pub kind: String,
    /// Title.
    pub title: String,
    /// BLAKE3 of a file of this node, or empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub media: String,
    /// Last day it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
}

/// How far an application has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "snake_case")]
pub enum AppStage {
    /// Being written; after a return with the office's remark.
    Writing {
        /// What the office asked for; empty at first.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        remark: String,
    },
    /// Handed in.
    Submitted {
        /// When.
        at: Timestamp,
    },
    /// Checked by the office, recommended where needed.
    Complete {
        /// When it was handed in.
        at: Timestamp,
    },
    /// Proposed to the public, with its place and adjusted total in hundredths.
    Proposed {
        /// Place from 1.
        rank: u32,
        /// Adjusted total.
        total: Option<i64>,
    },
    /// Not among the proposed.
    NotProposed {
        /// Place from 1; none without judging.
        rank: Option<u32>,
        /// Why, for the applicant.
        reason: String,
    },
    /// Granted.
    Granted {
        /// When.
        at: Timestamp,
        /// Last day.
        until: Option<Date>,
        /// Subject of the credential record.
        credential: SubjectId,
        /// Day on which it was last confirmed or granted.
        confirmed: Date,
    },
    /// Taken away again: the credential was retracted.
    Revoked {
        /// Why, for the public.
        reason: String,
        /// When.
        at: Timestamp,
    },
    /// Taken back by the applicant.
    Withdrawn {
        /// When.
        at: Timestamp,
    },
}

impl AppStage {
    /// The stored word.
    pub fn name(&self) -> &'static str {
        match self {
            AppStage::Writing { .. } => "writing",
            AppStage::Submitted { .. } => "submitted",
            AppStage::Complete { .. } => "complete",
            AppStage::Proposed { .. } => "proposed",
            AppStage::NotProposed { .. } => "not_proposed",
            AppStage::Granted { .. } => "granted",
            AppStage::Revoked { .. } => "revoked",
            AppStage::Withdrawn { .. } => "withdrawn",
        }
    }
}

/// An application.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Application {
    /// Id.
    pub id: ApplicationId,
    /// Round.
    pub round: RoundId,
    /// Who applies.
    pub party: PartyId,
    /// Who filled it in.
    pub owner: AccountId,
    /// Answers by field id.
    pub answers: BTreeMap<String, Value>,
    /// Proofs.
    pub evidence: Vec<Evidence>,
    /// The recommendation: institution, words, when.
    pub recommended: Option<(OrgId, String, Timestamp)>,
    /// Stage.
    pub stage: AppStage,
    /// Version read, for safe updates.
    pub version: i64,
}

impl Application {
    fn wrong(&self, attempted: &'static str) -> RoundError {
        RoundError::WrongStage { stage: self.stage.name(), attempted }
    }

    /// What is missing: required answers, and registry fields that the kind asks for.
    pub fn missing(&self, kind: &RoundKind, party: &Party) -> Vec<String> {
        let answers = kind.fields.iter().filter(|f| f.required && self.answers.get(&f.id).is_none_or(Value::is_null)).map(|f| f.id.clone());
        let registry = kind.registry.iter().filter(|id| party.value(id).is_null()).cloned();
        answers.chain(registry).collect()
    }

    /// Hands it in.
    pub fn submit(self, round: &Round, kind: &RoundKind, party: &Party, now: Timestamp) -> Result<Application, RoundError> {
        if !matches!(self.stage, AppStage::Writing { .. }) {
            return Err(self.wrong("handed in"));
        }
        round.takes(kind, party.kind, now)?;
        let missing = self.missing(kind, party);
        if !missing.is_empty() {
            return Err(RoundError::Incomplete(missing));
        }
        Ok(Application { stage: AppStage::Submitted { at: now }, ..self })
    }

    /// Sends it back with what is missing.
    pub fn send_back(self, remark: &str) -> Result<Application, RoundError> {
        if !matches!(self.stage, AppStage::Submitted { .. }) {
            return Err(self.wrong("sent back"));
        }
        if remark.trim().is_empty() {
            return Err(RoundError::NoReason);
        }
        Ok(Application { stage: AppStage::Writing { remark: remark.trim().into() }, ..self })
    }

    /// Notes that it is whole, and recommended where the kind asks for it.
    pub fn complete(self, kind: &RoundKind) -> Result<Application, RoundError> {
        let AppStage::Submitted { at } = self.stage else { return Err(self.wrong("completed")) };
        if kind.recommender && self.recommended.is_none() {
            return Err(RoundError::Incomplete(vec!["recommended".into()]));
        }
        Ok(Application { stage: AppStage::Complete { at }, ..self })
    }

    /// Takes it back, at any time before the decision.
    pub fn withdraw(self, now: Timestamp) -> Result<Application, RoundError> {
        match self.stage {
            AppStage::Granted { .. } | AppStage::Revoked { .. } | AppStage::Withdrawn { .. } | AppStage::NotProposed { .. } => Err(self.wrong("taken back")),
            _ => Ok(Application { stage: AppStage::Withdrawn { at: now }, ..self }),
        }
    }

    /// Grants it, after the round was decided.
    pub fn grant(self, round: &Round, kind: &RoundKind, credential: SubjectId, today: Date) -> Result<Application, RoundError> {
        let RoundStage::Decided { at } = round.stage else { return Err(round.wrong("granted")) };
        if !matches!(self.stage, AppStage::Proposed { .. }) {
            return Err(self.wrong("granted"));
        }
        Ok(Application { stage: AppStage::Granted { at, until: kind.until(today), credential, confirmed: today }, ..self })
    }

    /// The yearly check, or one confirmation at the end of the term that renews it.
    pub fn confirm(self, kind: &RoundKind, today: Date) -> Result<Application, RoundError> {
        match self.stage {
            AppStage::Granted { at, credential, until, .. } => {
                let ends_soon = until.is_some_and(|until| crate::create::register::days_between(today, until) <= crate::create::criteria::LAPSE_NOTICE_DAYS);
                let until = if ends_soon { kind.until(today) } else { until };
                Ok(Application { stage: AppStage::Granted { at, credential, until, confirmed: today }, ..self })
            }
            _ => Err(self.wrong("confirmed")),
        }
    }

    /// Takes the honour away.
    pub fn revoke(self, reason: &str, now: Timestamp) -> Result<Application, RoundError> {
        if !matches!(self.stage, AppStage::Granted { .. }) {
            return Err(self.wrong("revoked"));
        }
        if reason.trim().is_empty() {
            return Err(RoundError::NoReason);
        }
        Ok(Application { stage: AppStage::Revoked { reason: reason.trim().into(), at: now }, ..self })
    }
}

/// Why somebody may not judge an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Interest {
    /// It is their own.
    Own,
    /// They work at the same institution, or one above or below it.
    Colleague,
    /// They recommended it, or work where it was recommended.
    Recommender,
    /// They said so themselves.
    Stated,
}

impl Interest {
    /// The word of catalogues and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Interest::Own => "own",
            Interest::Colleague => "colleague",
            Interest::Recommender => "recommender",
            Interest::Stated => "stated",
        }
    }
}

/// Whether `judge` has an interest in an application of `applicant`. `line_judge` and `line_applicant`: the institutions with
/// those above them that are institutions too (not divisions), nearest first.
pub fn interest(judge: &Party, applicant: &Party, application: &Application, line_judge: &[OrgId], line_applicant: &[OrgId]) -> Option<Interest> {
    let named = |value: &Value| value.as_str() == Some(judge.id.as_str());
    if judge.id == applicant.id || application.answers.values().any(named) || applicant.values.values().any(named) {
        return Some(Interest::Own);
    }
    if line_judge.iter().any(|org| line_applicant.contains(org)) {
        return Some(Interest::Colleague);
    }
    let recommender = application.recommended.as_ref().map(|(org, ..)| org);
    recommender.filter(|org| line_judge.contains(org)).map(|_| Interest::Recommender)
}

/// One judge's word on one application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judgement {
    /// Application.
    pub application: ApplicationId,
    /// Judge.
    pub judge: PartyId,
    /// Where it stands.
    pub stage: JudgementStage,
}

/// Where a judgement stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "snake_case")]
pub enum JudgementStage {
    /// Waits for the judge.
    Assigned,
    /// Scored.
    Scored {
        /// Scores by criterion id.
        scores: BTreeMap<String, i64>,
        /// Words for the applicant.
        comment: String,
        /// When.
        at: Timestamp,
    },
    /// Given back because of an interest.
    Recused {
        /// Which.
        why: Interest,
        /// When.
        at: Timestamp,
    },
}

impl Judgement {
    /// Scores an assigned application; `interest` was asked again at this moment.
    pub fn score(
        self,
        kind: &RoundKind,
        scores: BTreeMap<String, i64>,
        comment: &str,
        interest: Option<Interest>,
        now: Timestamp,
    ) -> Result<Judgement, RoundError> {
        if let Some(why) = interest {
            return Err(RoundError::Recused { judge: self.judge, why });
        }
        if matches!(self.stage, JudgementStage::Recused { .. }) {
            return Err(RoundError::WrongStage { stage: "recused", attempted: "scored" });
        }
        for judged in &kind.judged {
            if !scores.get(&judged.id).is_some_and(|score| (0..=judged.max).contains(score)) {
                return Err(RoundError::Score(judged.id.clone()));
            }
        }
        if let Some(unknown) = scores.keys().find(|id| !kind.judged.iter().any(|j| j.id == **id)) {
            return Err(RoundError::Score(unknown.clone()));
        }
        Ok(Judgement { stage: JudgementStage::Scored { scores, comment: comment.trim().into(), at: now }, ..self })
    }

    /// Gives it back.
    pub fn recuse(self, why: Interest, now: Timestamp) -> Judgement {
        Judgement { stage: JudgementStage::Recused { why, at: now }, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::create::party::tests::party;
    use jiff::civil::date;
    use proptest::prelude::*;

    fn kind() -> RoundKind {
        let text = r#"{"id": "prize", "zh": "奖", "en": "Prize", "applicants": ["person"], "judges": 3, "blind": true, "publicity_days": 7, "term_months": 60,
            "fields": [{"id": "work", "zh": "作品", "en": "Work", "type": "line", "required": true}], "registry": ["title"],
            "judged": [{"id": "science", "zh": "科学性", "en": "Science", "max": 10, "weight": 60}, {"id": "style", "zh": "表达", "en": "Style", "max": 5, "weight": 40}],
            "ties": ["judged:science", "earlier"], "honour_zh": "奖", "honour_en": "Prize"}"#;
        RoundKind::read(&File { name: "prize.json", text }).expect("kind")
    }
    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("time")
    }
    fn round() -> Round {
        Round {
            id: "r".into(),
            kind: "prize".into(),
            title: "奖".into(),
            call: String::new(),
            org: "o".into(),
            opens: at(100),
            closes: at(200),
            quota: Some(1),
            least: None,
            panel: vec![],
            stage: RoundStage::Planned,
            version: 1,
        }
    }
    fn application() -> Application {
        Application {
            id: "a".into(),
            round: "r".into(),
            party: "p".into(),
            owner: "x".into(),
            answers: [("work".to_owned(), Value::from("书"))].into(),
            evidence: vec![],
            recommended: None,
            stage: AppStage::Writing { remark: String::new() },
            version: 1,
        }
    }
    fn author() -> Party {
        Party { title: "作者".into(), ..party("p", &[], 0) }
    }

    #[test]
    fn every_kind_that_comes_with_the_program_loads() {
        for file in built_in() {
            let kind = RoundKind::read(&file).expect("kind");
            assert_eq!(file.name, format!("{}.json", kind.id));
        }
    }

    #[test]
    fn a_second_after_the_deadline_is_too_late() {
        let (kind, round) = (kind(), round().call().expect("called"));
        assert_eq!(application().submit(&round, &kind, &author(), at(99)), Err(RoundError::NotYet(at(100))));
        assert!(application().submit(&round, &kind, &author(), at(199)).is_ok());
        assert_eq!(application().submit(&round, &kind, &author(), at(200)), Err(RoundError::TooLate(at(200))));
        let bare = Application { answers: BTreeMap::new(), ..application() };
        assert_eq!(bare.submit(&round, &kind, &party("p", &[], 0), at(150)), Err(RoundError::Incomplete(vec!["work".into(), "title".into()])));
    }

    #[test]
    fn nothing_is_decided_before_the_publicity_ends_or_over_open_objections() {
        let kind = kind();
        let round = round().call().expect("called");
        assert_eq!(round.clone().judge(at(199)), Err(RoundError::NotYet(at(200))));
        let proposed = round.judge(at(300)).expect("judging").propose(&kind, at(1_000)).expect("proposed");
        let end = at(1_000 + 7 * 86_400);
        assert!(proposed.takes_objections(at(1_001)).is_ok());
        assert_eq!(proposed.takes_objections(end), Err(RoundError::TooLate(end)));
        assert_eq!(proposed.clone().decide(0, at(2_000)), Err(RoundError::InPublicity(end)));
        assert_eq!(proposed.clone().decide(1, end), Err(RoundError::OpenObjections(1)));
        assert!(proposed.decide(0, end).is_ok());
    }

    #[test]
    fn an_honour_is_renewed_by_one_confirmation_near_its_end_and_can_be_taken_away() {
        let kind = kind();
        let decided = Round { stage: RoundStage::Decided { at: at(9) }, ..round() };
        let proposed = Application { stage: AppStage::Proposed { rank: 1, total: None }, ..application() };
        let granted = proposed.grant(&decided, &kind, "kepu:abcdefgh23/h-1".into(), date(2021, 12, 1)).expect("granted");
        let early = granted.clone().confirm(&kind, date(2022, 12, 1)).expect("checked");
        assert!(matches!(early.stage, AppStage::Granted { until: Some(until), .. } if until == date(2026, 12, 1)));
        let renewed = early.confirm(&kind, date(2026, 11, 25)).expect("renewed");
        assert!(matches!(renewed.stage, AppStage::Granted { until: Some(until), .. } if until == date(2031, 11, 25)));
        assert_eq!(renewed.clone().revoke(" ", at(1)), Err(RoundError::NoReason));
        assert_eq!(renewed.revoke("材料不实", at(1)).expect("revoked").stage.name(), "revoked");
    }

    #[test]
    fn totals_are_weighted_and_scores_bounded() {
        let kind = kind();
        let scores = |science, style| [("science".to_owned(), science), ("style".to_owned(), style)].into();
        assert_eq!(kind.total(&scores(10, 5)), Some(10_000));
        assert_eq!(kind.total(&scores(5, 0)), Some(3_000));
        assert_eq!(kind.total(&BTreeMap::new()), None);
        let judgement = Judgement { application: "a".into(), judge: "j".into(), stage: JudgementStage::Assigned };
        assert_eq!(judgement.clone().score(&kind, scores(11, 0), "", None, at(1)), Err(RoundError::Score("science".into())));
        let recused = judgement.clone().score(&kind, scores(1, 1), "", Some(Interest::Colleague), at(1));
        assert_eq!(recused, Err(RoundError::Recused { judge: "j".into(), why: Interest::Colleague }));
        assert!(judgement.recuse(Interest::Stated, at(1)).score(&kind, scores(1, 1), "", None, at(2)).is_err());
    }

    #[test]
    fn a_definition_whose_weights_do_not_sum_up_is_refused_with_its_line() {
        let text = "{\"id\": \"p\", \"zh\": \"奖\", \"en\": \"P\", \"applicants\": [\"person\"], \"judges\": 3, \"publicity_days\": 7,\n\"judged\": [{\"id\": \"a\", \"zh\": \"甲\", \"en\": \"A\", \"max\": 10, \"weight\": 90}],\n\"ties\": [\"luck\"], \"honour_zh\": \"奖\", \"honour_en\": \"P\"}";
        let mistakes = RoundKind::read(&File { name: "p.json", text }).expect_err("two mistakes");
        assert_eq!(mistakes.iter().map(|m| m.line).collect::<Vec<_>>(), [2, 3], "{mistakes:?}");
    }

    proptest! {
        #[test]
        fn nobody_judges_their_own_house(judge_org in 0..6_usize, own_org in 0..6_usize, up_judge in 0..6_usize, up_own in 0..6_usize) {
            let org = |n: usize| OrgId(format!("o{n}"));
            let judge = Party { org: org(judge_org), ..party("j", &[], 0) };
            let applicant = Party { org: org(own_org), ..author() };
            let (line_judge, line_own) = ([org(judge_org), org(up_judge)], [org(own_org), org(up_own)]);
            let shared = line_judge.iter().any(|o| line_own.contains(o));
            prop_assert_eq!(interest(&judge, &applicant, &application(), &line_judge, &line_own).is_some(), shared);
            prop_assert_eq!(interest(&applicant, &applicant, &application(), &line_judge, &line_own), Some(Interest::Own));
        }
    }
}
