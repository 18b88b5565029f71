//! Applications: written, handed in, checked, proposed, granted, delivered, confirmed every year, taken away. What the applicant
//! showed when it was handed in is in `held`.

use super::{Concern, Held, Noted, Round, RoundError, RoundKind, RoundStage, TRIES_MAX};
use crate::create::criteria::LAPSE_NOTICE_DAYS;
use crate::create::party::Party;
use crate::create::register::{Registers, days_between};
use crate::ids::{AccountId, ApplicationId, OrgId, PartyId, RoundId, SubjectId};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// The purpose of consent without which a person's name does not stand in public.
pub const PUBLIC_CARD: &str = "public_card";

/// A proof handed in with an application, or taken from the registry or the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// What it shows: a field id or criterion id.
    pub kind: String,
    /// Title.
    pub title: String,
    /// BLAKE3 of a file kept among the applicant's proofs, or empty.
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
        /// Place and total with which it moves up when somebody leaves the proposal: only the quota kept it out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next: Option<(u32, Option<i64>)>,
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

/// Attempts at the test of the kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    /// Right answers of the best attempt.
    pub right: usize,
    /// Questions.
    pub of: usize,
    /// Attempts.
    pub tries: u32,
    /// Questions answered wrongly in the last attempt.
    pub wrong: Vec<String>,
}

/// What was delivered after the grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Answers by field id.
    pub values: BTreeMap<String, Value>,
    /// When.
    pub at: Timestamp,
    /// Outputs named in it that are public here.
    pub counted: usize,
    /// What the office said: none yet, or whether it is accepted, with a remark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checked: Option<(bool, String)>,
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
    /// Who is asked to recommend it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recommender: Option<OrgId>,
    /// The recommendation: institution, words, when.
    pub recommended: Option<(OrgId, String, Timestamp)>,
    /// Rank and total (hundredths) with which it was proposed; kept beyond the grant for the public list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placed: Option<(u32, Option<i64>)>,
    /// Who signed the work that it names, as author or reviewer; found when it is handed in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signed_by: Vec<PartyId>,
    /// When it was handed in last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub submitted: Option<Timestamp>,
    /// What was shown on the day of handing in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<Held>,
    /// Concerns that the office has looked at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub noted: Vec<Noted>,
    /// Attempts at the test.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken: Option<Taken>,
    /// Money granted, as a decimal; recorded, never paid here.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub money: String,
    /// What was delivered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<Delivery>,
    /// The report of the year that waits for the office.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<(String, Timestamp)>,
    /// Day on which the coming end was announced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_announced: Option<Date>,
    /// Day on which the honour ended without being renewed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Date>,
    /// Stage.
    pub stage: AppStage,
    /// Version read, for safe updates.
    pub version: i64,
}

impl Application {
    fn wrong(&self, attempted: &'static str) -> RoundError {
        RoundError::WrongStage { stage: self.stage.name(), attempted }
    }

    /// An empty one.
    pub fn begin(id: ApplicationId, round: &Round, party: PartyId, owner: AccountId) -> Application {
        Application {
            id,
            round: round.id.clone(),
            party,
            owner,
            answers: BTreeMap::new(),
            evidence: vec![],
            recommender: None,
            recommended: None,
            placed: None,
            signed_by: vec![],
            submitted: None,
            held: None,
            noted: vec![],
            taken: None,
            money: String::new(),
            delivery: None,
            report: None,
            end_announced: None,
            ended: None,
            stage: AppStage::Writing { remark: String::new() },
            version: 1,
        }
    }

    /// Whether the field that exempts says yes.
    pub fn is_exempt(&self, kind: &RoundKind) -> bool {
        !kind.exempts.is_empty() && self.answers.get(&kind.exempts) == Some(&Value::Bool(true))
    }

    /// Puts answers; with the exempting yes among them nothing else is kept.
    pub fn answer(&mut self, kind: &RoundKind, answers: BTreeMap<String, Value>, evidence: Vec<Evidence>) -> Result<(), RoundError> {
        if !matches!(self.stage, AppStage::Writing { .. }) {
            return Err(self.wrong("changed"));
        }
        self.answers = answers.into_iter().filter(|(_, value)| !value.is_null()).collect();
        self.evidence = evidence;
        if self.is_exempt(kind) {
            self.answers.retain(|id, _| *id == kind.exempts);
            self.evidence.clear();
        }
        Ok(())
    }

    /// What is missing: required answers, registry fields that the kind asks for, a passed test, and for an honour in public the
    /// consent of the person it names.
    pub fn missing(&self, kind: &RoundKind, party: &Party, registers: &Registers) -> Vec<String> {
        if self.is_exempt(kind) {
            return vec![];
        }
        let answers = kind.fields.iter().filter(|f| f.required && self.answers.get(&f.id).is_none_or(Value::is_null)).map(|f| f.id.clone());
        let registry = kind.registry.iter().filter(|id| party.value(id).is_null()).cloned();
        let passed = kind.test.is_empty() || self.taken.as_ref().is_some_and(|taken| kind.passes(taken.right));
        let agreed = kind.private || !party.kind.is_personal() || registers.consents(party, PUBLIC_CARD);
        let rest = [(passed, "test"), (agreed, "consent")].into_iter().filter(|(there, _)| !there).map(|(_, id)| id.to_owned());
        answers.chain(registry).chain(rest).collect()
    }

    /// Notes an attempt at the test.
    pub fn take_test(mut self, kind: &RoundKind, answers: &BTreeMap<String, String>) -> Result<Application, RoundError> {
        let before = self.taken.take().unwrap_or_default();
        if !matches!(self.stage, AppStage::Writing { .. }) || kind.test.is_empty() || before.tries >= TRIES_MAX || kind.passes(before.right) && before.tries > 0
        {
            return Err(self.wrong("tested"));
        }
        let wrong = kind.test.iter().filter(|q| answers.get(&q.id) != Some(&q.answer)).map(|q| q.id.clone()).collect();
        self.taken = Some(Taken { right: kind.right(answers).max(before.right), of: kind.test.len(), tries: before.tries + 1, wrong });
        Ok(self)
    }

    /// Hands it in.
    pub fn submit(self, round: &Round, kind: &RoundKind, party: &Party, registers: &Registers, held: Held, now: Timestamp) -> Result<Application, RoundError> {
        if !matches!(self.stage, AppStage::Writing { .. }) {
            return Err(self.wrong("handed in"));
        }
        round.takes(kind, party.kind, now)?;
        let missing = self.missing(kind, party, registers);
        if !missing.is_empty() {
            return Err(RoundError::Incomplete(missing));
        }
        Ok(Application { stage: AppStage::Submitted { at: now }, submitted: Some(now), held: Some(held), ..self })
    }

    /// Notes that a concern was looked at.
    pub fn note(mut self, concern: Concern, words: &str) -> Result<Application, RoundError> {
        if !concern.can_be_noted() {
            return Err(self.wrong("noted"));
        }
        if words.trim().is_empty() {
            return Err(RoundError::NoReason);
        }
        self.noted.push(Noted { concern, words: words.trim().into() });
        Ok(self)
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

    /// Notes a recommendation.
    pub fn recommend(self, org: OrgId, words: &str, now: Timestamp) -> Result<Application, RoundError> {
        if !matches!(self.stage, AppStage::Submitted { .. }) {
            return Err(self.wrong("recommended"));
        }
        if words.trim().is_empty() {
            return Err(RoundError::NoReason);
        }
        Ok(Application { recommended: Some((org, words.trim().into(), now)), ..self })
    }

    /// Notes that it is whole, and recommended where the kind asks for it.
    pub fn complete(self, kind: &RoundKind) -> Result<Application, RoundError> {
        let AppStage::Submitted { at } = self.stage else { return Err(self.wrong("completed")) };
        if kind.recommender && self.recommended.is_none() {
            return Err(RoundError::Incomplete(vec!["recommended".into()]));
        }
        Ok(Application { stage: AppStage::Complete { at }, ..self })
    }

    /// Puts it among the proposed.
    pub fn propose(self, rank: u32, total: Option<i64>) -> Result<Application, RoundError> {
        if !matches!(self.stage, AppStage::Complete { .. }) {
            return Err(self.wrong("proposed"));
        }
        Ok(Application { placed: Some((rank, total)), stage: AppStage::Proposed { rank, total }, ..self })
    }

    /// Leaves it out of the proposal; `next`: in line for a place that falls free.
    pub fn pass_over(self, rank: Option<u32>, reason: String, next: Option<(u32, Option<i64>)>) -> Result<Application, RoundError> {
        if !matches!(self.stage, AppStage::Complete { .. }) {
            return Err(self.wrong("passed over"));
        }
        Ok(Application { stage: AppStage::NotProposed { rank, reason, next }, ..self })
    }

    /// Takes a place that fell free.
    pub fn move_up(self) -> Result<Application, RoundError> {
        let AppStage::NotProposed { next: Some((rank, total)), .. } = self.stage else { return Err(self.wrong("moved up")) };
        Ok(Application { placed: Some((rank, total)), stage: AppStage::Proposed { rank, total }, ..self })
    }

    /// Turns it down, or takes it out of the proposal, with a reason that the applicant reads.
    pub fn decline(self, reason: &str) -> Result<Application, RoundError> {
        let rank = match self.stage {
            AppStage::Proposed { rank, .. } => Some(rank),
            AppStage::Submitted { .. } | AppStage::Complete { .. } => None,
            _ => return Err(self.wrong("declined")),
        };
        if reason.trim().is_empty() {
            return Err(RoundError::NoReason);
        }
        Ok(Application { stage: AppStage::NotProposed { rank, reason: reason.trim().into(), next: None }, ..self })
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

    /// Says what was delivered.
    pub fn deliver(self, kind: &RoundKind, values: BTreeMap<String, Value>, counted: usize, now: Timestamp) -> Result<Application, RoundError> {
        let open = self.delivery.as_ref().is_none_or(|d| !matches!(d.checked, Some((true, _))));
        if !matches!(self.stage, AppStage::Granted { .. }) || kind.delivery.is_empty() || !open {
            return Err(self.wrong("delivered"));
        }
        let missing: Vec<String> = kind.delivery.iter().filter(|f| f.required && values.get(&f.id).is_none_or(Value::is_null)).map(|f| f.id.clone()).collect();
        if !missing.is_empty() {
            return Err(RoundError::Incomplete(missing));
        }
        Ok(Application { delivery: Some(Delivery { values, at: now, counted, checked: None }), ..self })
    }

    /// Accepts what was delivered, or sends it back with a remark.
    pub fn check_delivery(self, accepted: bool, remark: &str) -> Result<Application, RoundError> {
        if !accepted && remark.trim().is_empty() {
            return Err(RoundError::NoReason);
        }
        match &self.delivery {
            Some(delivery) if delivery.checked.is_none() => {
                let delivery = Delivery { checked: Some((accepted, remark.trim().into())), ..delivery.clone() };
                Ok(Application { delivery: Some(delivery), ..self })
            }
            _ => Err(self.wrong("checked")),
        }
    }

    /// Reports on the year, or for a new term.
    pub fn report(self, words: &str, now: Timestamp) -> Result<Application, RoundError> {
        if !matches!(self.stage, AppStage::Granted { .. }) || self.ended.is_some() {
            return Err(self.wrong("reported on"));
        }
        if words.trim().is_empty() {
            return Err(RoundError::NoReason);
        }
        Ok(Application { report: Some((words.trim().into(), now)), ..self })
    }

    /// When the yearly confirmation, or that of a new term, is due; none if nothing is owed.
    pub fn check_due(&self, kind: &RoundKind) -> Option<Date> {
        let AppStage::Granted { until, confirmed, .. } = self.stage else { return None };
        if self.ended.is_some() {
            return None;
        }
        let yearly = kind.yearly_check.then(|| confirmed.saturating_add(jiff::Span::new().years(1)));
        [yearly, until].into_iter().flatten().min()
    }

    /// Days before [`Application::check_due`] from which on it is asked for.
    pub fn notice_days(&self, kind: &RoundKind) -> i64 {
        let AppStage::Granted { until, .. } = self.stage else { return 0 };
        if until.is_some() && self.check_due(kind) == until { LAPSE_NOTICE_DAYS } else { 60 }
    }

    /// The yearly check, or one confirmation at the end of the term that renews it.
    pub fn confirm(self, kind: &RoundKind, today: Date) -> Result<Application, RoundError> {
        match self.stage {
            AppStage::Granted { at, credential, until, .. } if self.ended.is_none() => {
                let ends_soon = until.is_some_and(|until| days_between(today, until) <= LAPSE_NOTICE_DAYS);
                let until = if ends_soon { kind.until(today) } else { until };
                let stage = AppStage::Granted { at, credential, until, confirmed: today };
                Ok(Application { stage, report: None, end_announced: None, ..self })
            }
            _ => Err(self.wrong("confirmed")),
        }
    }

    /// Whether the honour ended by itself before `today`.
    pub fn has_ended(&self, today: Date) -> bool {
        matches!(self.stage, AppStage::Granted { until: Some(until), .. } if until < today)
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

/// Who moves up when places of `quota` fell free: the next by place among those that only the quota kept out. Where a place is shared
/// by more than there is room for, nobody of it does: chance decides nothing.
pub fn moving_up(list: &[Application], quota: Option<u32>) -> Vec<ApplicationId> {
    let held = list.iter().filter(|a| matches!(a.stage, AppStage::Proposed { .. })).count();
    let room = quota.map_or(0, |quota| (quota as usize).saturating_sub(held));
    let place = |a: &Application| if let AppStage::NotProposed { next: Some((rank, _)), .. } = a.stage { Some((rank, a.id.clone())) } else { None };
    let mut line: Vec<(u32, ApplicationId)> = list.iter().filter_map(place).collect();
    line.sort();
    let mut count = room.min(line.len());
    if let Some((edge, _)) = line.get(count) {
        while count > 0 && line[count - 1].0 == *edge {
            count -= 1;
        }
    }
    line.into_iter().take(count).map(|(_, id)| id).collect()
}
