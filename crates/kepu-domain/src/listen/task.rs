//! Tasks: who does what until when, with the proof that it was done. One noun for what a start order, a case, a decision or a finding asks of
//! somebody. What they belong to is a word and an id; how it hangs together is in the operations.

use crate::ids::{AccountId, CaseId, OrderId, OrgId, TaskId};
use crate::text::Limit;
use jiff::{SignedDuration, Timestamp};

/// Evidence: a line of text or an address.
pub const EVIDENCE: Limit = Limit { field: "evidence", min: 2, max: 300 };
/// Why something cannot be done now, or will not be done.
pub const REASON: Limit = Limit { field: "reason", min: 2, max: 300 };

/// What a task belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Of {
    /// A case.
    Case(CaseId),
    /// A plan that was set going.
    Order(OrderId),
    /// A decision of a meeting.
    Decision(String),
    /// A finding of an inspection.
    Finding(String),
}

impl Of {
    /// The stored word.
    pub fn kind(&self) -> &'static str {
        match self {
            Of::Case(_) => "case",
            Of::Order(_) => "order",
            Of::Decision(_) => "decision",
            Of::Finding(_) => "finding",
        }
    }
    /// The id of what it belongs to.
    pub fn id(&self) -> &str {
        match self {
            Of::Case(id) => id.as_str(),
            Of::Order(id) => id.as_str(),
            Of::Decision(id) | Of::Finding(id) => id,
        }
    }
    /// Reads the stored word and id.
    pub fn parse(kind: &str, id: &str) -> Option<Of> {
        Some(match kind {
            "case" => Of::Case(id.into()),
            "order" => Of::Order(id.into()),
            "decision" => Of::Decision(id.to_owned()),
            "finding" => Of::Finding(id.to_owned()),
            _ => return None,
        })
    }
}

/// How far a task has come. A stage holds only what is true in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Nobody has begun.
    Open,
    /// Somebody is at it.
    Doing {
        /// Since when.
        since: Timestamp,
    },
    /// Done, with proof.
    Done {
        /// When.
        at: Timestamp,
        /// A line of text or an address.
        evidence: String,
    },
    /// Something is in the way.
    Blocked {
        /// Since when.
        at: Timestamp,
        /// What.
        reason: String,
    },
    /// It will not be done.
    Dropped {
        /// When that was decided.
        at: Timestamp,
        /// Why.
        reason: String,
    },
}

impl Stage {
    /// The stored word.
    pub fn name(&self) -> &'static str {
        match self {
            Stage::Open => "open",
            Stage::Doing { .. } => "doing",
            Stage::Done { .. } => "done",
            Stage::Blocked { .. } => "blocked",
            Stage::Dropped { .. } => "dropped",
        }
    }
    /// Since when it is so; `None` while nobody has begun.
    pub fn at(&self) -> Option<Timestamp> {
        match self {
            Stage::Open => None,
            Stage::Doing { since } => Some(*since),
            Stage::Done { at, .. } | Stage::Blocked { at, .. } | Stage::Dropped { at, .. } => Some(*at),
        }
    }
    /// Evidence or reason.
    pub fn words(&self) -> &str {
        match self {
            Stage::Open | Stage::Doing { .. } => "",
            Stage::Done { evidence: words, .. } | Stage::Blocked { reason: words, .. } | Stage::Dropped { reason: words, .. } => words,
        }
    }
    /// Reads what is stored; `None` if what belongs to the word is missing.
    pub fn parse(name: &str, at: Option<Timestamp>, words: String) -> Option<Stage> {
        Some(match (name, at) {
            ("open", None) => Stage::Open,
            ("doing", Some(since)) => Stage::Doing { since },
            ("done", Some(at)) => Stage::Done { at, evidence: words },
            ("blocked", Some(at)) => Stage::Blocked { at, reason: words },
            ("dropped", Some(at)) => Stage::Dropped { at, reason: words },
            _ => return None,
        })
    }
}

/// Something that somebody has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// Id.
    pub id: TaskId,
    /// What it belongs to.
    pub of: Of,
    /// Its id in the plan it comes from, else empty. Nodes that play one drill know it by this.
    pub key: String,
    /// What is to be done.
    pub title: String,
    /// The same in English, perhaps empty.
    pub title_en: String,
    /// The organisation that owes it.
    pub org: OrgId,
    /// The post or department, in words; perhaps empty.
    pub role: String,
    /// Who has taken it.
    pub owner: Option<AccountId>,
    /// Until when.
    pub due: Timestamp,
    /// What proves it, a word of `data/plans` (`link`, `text`, …); empty: anything.
    pub proof: String,
    /// When it was given.
    pub given_at: Timestamp,
    /// Stage.
    pub stage: Stage,
    /// Version read, for safe updates.
    pub version: i64,
}

/// Why a move is not legal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TaskError {
    /// It is done or dropped.
    #[error("this task is over")]
    Over,
    /// Done without proof, blocked or dropped without a reason.
    #[error("say what proves it, or why not")]
    NoWords,
}

impl Task {
    /// Whether nothing is left to do.
    pub fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Done { .. } | Stage::Dropped { .. })
    }

    /// Whether its time has passed undone.
    pub fn is_late(&self, now: Timestamp) -> bool {
        !self.is_over() && now > self.due
    }

    /// Whether it was done after its time.
    pub fn was_late(&self) -> bool {
        matches!(self.stage, Stage::Done { at, .. } if at > self.due)
    }

    /// How long after it was given it was done.
    pub fn took(&self) -> Option<SignedDuration> {
        match self.stage {
            Stage::Done { at, .. } => Some(at.duration_since(self.given_at)),
            _ => None,
        }
    }

    fn on(self) -> Result<Task, TaskError> {
        if self.is_over() { Err(TaskError::Over) } else { Ok(self) }
    }

    /// Gives it to `owner`, who begins; one that was blocked goes on.
    pub fn take(self, owner: AccountId, now: Timestamp) -> Result<Task, TaskError> {
        let task = self.on()?;
        Ok(Task { owner: Some(owner), stage: Stage::Doing { since: now }, ..task })
    }

    /// Done, with proof.
    pub fn finish(self, evidence: &str, now: Timestamp) -> Result<Task, TaskError> {
        let task = self.on()?;
        Ok(Task { stage: Stage::Done { at: now, evidence: said(evidence)? }, ..task })
    }

    /// Something is in the way.
    pub fn block(self, reason: &str, now: Timestamp) -> Result<Task, TaskError> {
        let task = self.on()?;
        Ok(Task { stage: Stage::Blocked { at: now, reason: said(reason)? }, ..task })
    }

    /// It will not be done.
    pub fn give_up(self, reason: &str, now: Timestamp) -> Result<Task, TaskError> {
        let task = self.on()?;
        Ok(Task { stage: Stage::Dropped { at: now, reason: said(reason)? }, ..task })
    }
}

fn said(words: &str) -> Result<String, TaskError> {
    let words = words.trim();
    if words.is_empty() { Err(TaskError::NoWords) } else { Ok(words.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(minute * 60).expect("time")
    }
    fn task() -> Task {
        Task {
            id: "t".into(),
            of: Of::Order("o".into()),
            key: "k".into(),
            title: "上屏".into(),
            title_en: String::new(),
            org: "org-nat".into(),
            role: String::new(),
            owner: None,
            due: at(10),
            proof: String::new(),
            given_at: at(0),
            stage: Stage::Open,
            version: 1,
        }
    }

    #[test]
    fn a_task_is_taken_blocked_taken_again_and_done_with_proof() {
        let doing = task().take("a".into(), at(1)).expect("taken");
        assert!(doing.is_late(at(11)) && !doing.is_late(at(10)));
        let blocked = doing.block("没有网络", at(2)).expect("blocked");
        assert_eq!((blocked.stage.name(), blocked.stage.words()), ("blocked", "没有网络"));
        let done = blocked.take("b".into(), at(3)).expect("again").finish(" https://example.org/p ", at(12)).expect("done");
        assert_eq!((done.stage.words(), done.was_late(), done.took()), ("https://example.org/p", true, Some(SignedDuration::from_mins(12))));
        assert!(!done.is_late(at(99)));
        for refused in [done.clone().take("a".into(), at(13)), done.clone().block("x", at(13)), done.clone().finish("x", at(13)), done.give_up("x", at(13))] {
            assert_eq!(refused, Err(TaskError::Over));
        }
    }

    #[test]
    fn nothing_ends_without_words() {
        assert_eq!(task().finish("  ", at(1)), Err(TaskError::NoWords));
        assert_eq!(task().block("", at(1)), Err(TaskError::NoWords));
        assert_eq!(task().give_up("", at(1)), Err(TaskError::NoWords));
        assert_eq!(task().finish("已播", at(1)).map(|t| t.stage.name()), Ok("done"), "one tap: it need not be taken first");
    }

    #[test]
    fn words_read_back() {
        for of in [Of::Case("c".into()), Of::Order("o".into()), Of::Decision("d".into()), Of::Finding("f".into())] {
            assert_eq!(Of::parse(of.kind(), of.id()), Some(of));
        }
        for stage in [Stage::Open, Stage::Doing { since: at(1) }, Stage::Done { at: at(1), evidence: "x".into() }] {
            assert_eq!(Stage::parse(stage.name(), stage.at(), stage.words().to_owned()), Some(stage));
        }
        assert_eq!(Stage::parse("done", None, String::new()), None);
    }
}
