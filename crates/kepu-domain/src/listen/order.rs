//! Start orders: a plan that was set going, from a warning in force or as a drill. Its tasks are in `task`, its public clock in the case, what nodes say to
//! each other in a drill in `deliver::drill`.

use crate::ids::{CaseId, OrderId, OrgId, SubjectId};
use crate::org::Region;
use jiff::{SignedDuration, Timestamp};

/// Kind of the case that belongs to a real order.
pub const CASE_KIND: &str = "warning";

/// Whether it is real.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It is.
    Real,
    /// It is an exercise: seen by those who play only.
    Drill,
}

impl Mode {
    /// The stored word.
    pub fn as_str(self) -> &'static str {
        match self {
            Mode::Real => "real",
            Mode::Drill => "drill",
        }
    }
    /// Reads the stored word.
    pub fn parse(text: &str) -> Option<Self> {
        [Mode::Real, Mode::Drill].into_iter().find(|mode| mode.as_str() == text)
    }
}

/// A plan that was set going.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Id.
    pub id: OrderId,
    /// Whether it is real.
    pub mode: Mode,
    /// What it is called.
    pub title: String,
    /// Plan.
    pub plan: String,
    /// Hazard.
    pub hazard: String,
    /// 1 red … 4 blue.
    pub level: i64,
    /// Where.
    pub region: Region,
    /// The organisation that gives it.
    pub org: OrgId,
    /// The case with the public clock, of a real one.
    pub case: Option<CaseId>,
    /// The warning it answers, or the drill it plays.
    pub about: Option<SubjectId>,
    /// When it was given.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// What was learnt, in the words of those who were there.
    pub lesson: String,
    /// Version read, for safe updates.
    pub version: i64,
}

/// So many minutes after a moment.
pub fn minutes_after(at: Timestamp, minutes: i64) -> Timestamp {
    at.checked_add(SignedDuration::from_mins(minutes)).unwrap_or(Timestamp::MAX)
}
