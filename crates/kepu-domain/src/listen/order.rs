//! Start orders: a plan that was set going, from a warning in force or as a drill. Its tasks are in `task`, its public clock in the case, what nodes say to
//! each other in a drill in `deliver::drill`.

use super::task::{Stage, Task};
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

/// How a task of an order went against its minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Went {
    /// Done by then, so many minutes after the beginning.
    InTime(i64),
    /// Done, so many minutes after the beginning; the second number: minutes too late.
    Late(i64, i64),
    /// Not done although its time is over, or given up.
    Missed,
    /// Its time has not come.
    Waiting,
}

/// How a task went, at a moment; after the end of the order that of the end.
pub fn went(order: &Order, task: &Task, now: Timestamp) -> Went {
    let minutes = |from: Timestamp, to: Timestamp| to.duration_since(from).as_mins();
    match task.stage {
        Stage::Done { at, .. } if at > task.due => Went::Late(minutes(order.started_at, at), minutes(task.due, at).max(1)),
        Stage::Done { at, .. } => Went::InTime(minutes(order.started_at, at)),
        Stage::Dropped { .. } => Went::Missed,
        _ if order.ended_at.unwrap_or(now) > task.due => Went::Missed,
        _ => Went::Waiting,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::listen::task::Of;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(minute * 60).expect("time")
    }

    #[test]
    fn each_task_is_held_against_its_minute() {
        let order = Order {
            id: "o".into(),
            mode: Mode::Real,
            title: "暴雨".into(),
            plan: "rainstorm".into(),
            hazard: "N-RAIN".into(),
            level: 2,
            region: Region::NATION,
            org: "org".into(),
            case: None,
            about: None,
            started_at: at(100),
            ended_at: None,
            lesson: String::new(),
            version: 1,
        };
        let task = Task {
            id: "t".into(),
            of: Of::Order("o".into()),
            key: "k".into(),
            title: "上屏".into(),
            title_en: String::new(),
            org: "org".into(),
            role: String::new(),
            owner: None,
            due: at(110),
            proof: String::new(),
            given_at: at(100),
            stage: Stage::Open,
            version: 1,
        };
        assert_eq!((went(&order, &task, at(110)), went(&order, &task, at(111))), (Went::Waiting, Went::Missed));
        let over = Order { ended_at: Some(at(105)), ..order.clone() };
        assert_eq!(went(&over, &task, at(900)), Went::Waiting, "it ended before its minute");
        let done = |minute| task.clone().finish("已上屏", at(minute)).expect("done");
        assert_eq!((went(&order, &done(107), at(900)), went(&order, &done(125), at(900))), (Went::InTime(7), Went::Late(25, 15)));
        assert_eq!(went(&order, &task.clone().give_up("停电", at(101)).expect("dropped"), at(102)), Went::Missed);
    }
}
