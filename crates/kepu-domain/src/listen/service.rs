//! How well cases keep their clocks: for each kind the time to the first honest statement and to the answer, and how many kept the deadline. Published, so that
//! everybody sees who owns a late clock. Pure sums over cases; a case that is late and still open counts as late.

use crate::listen::case::{Case, Stage};
use crate::measure::quantile::quantiles;
use jiff::{SignedDuration, Timestamp};

/// One of the two clocks of the cases of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// Cases that kept the deadline.
    pub in_time: usize,
    /// Cases whose deadline has passed or that are done: what the share is taken of.
    pub due: usize,
    /// Time that half of those done took at most.
    pub median: Option<SignedDuration>,
    /// Time that nine of ten of those done took at most.
    pub p90: Option<SignedDuration>,
}

impl Kept {
    fn of(list: &[(Option<Timestamp>, Timestamp, Timestamp)], now: Timestamp) -> Self {
        let mut times: Vec<SignedDuration> = list.iter().filter_map(|(done, opened, _)| done.map(|at| at.duration_since(*opened))).collect();
        times.sort_unstable();
        let spread = quantiles(&times);
        Self {
            in_time: list.iter().filter(|(done, _, until)| done.is_some_and(|at| at <= *until)).count(),
            due: list.iter().filter(|(done, _, until)| done.is_some() || now > *until).count(),
            median: spread.map(|(median, _)| median),
            p90: spread.map(|(_, p90)| p90),
        }
    }

    /// Share that kept the deadline, in percent; none while nothing was due.
    pub fn percent(&self) -> Option<usize> {
        (self.due > 0).then(|| self.in_time * 100 / self.due)
    }
}

/// The cases of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Id of the kind.
    pub kind: String,
    /// How many were opened.
    pub opened: usize,
    /// How many of them are over.
    pub over: usize,
    /// To the first statement.
    pub first: Kept,
    /// To the answer.
    pub answer: Kept,
}

/// The figures of `cases` at `now`, by kind.
pub fn service(cases: &[Case], now: Timestamp) -> Vec<Service> {
    let mut kinds: Vec<&str> = cases.iter().map(|case| case.kind.as_str()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let one = |kind: &str| {
        let mine: Vec<&Case> = cases.iter().filter(|case| case.kind == kind).collect();
        let ended = |case: &Case| match &case.stage {
            Stage::Answered { at, .. } | Stage::Closed { at, .. } => Some(*at),
            _ => None,
        };
        // Whoever ends a case without a statement before has said then what there was to say.
        let first: Vec<_> = mine.iter().map(|case| (case.held_at.or(ended(case)), case.opened_at, case.deadlines().0)).collect();
        let answer: Vec<_> = mine.iter().map(|case| (ended(case), case.opened_at, case.deadlines().1)).collect();
        Service {
            kind: kind.to_owned(),
            opened: mine.len(),
            over: mine.iter().filter(|case| ended(case).is_some()).count(),
            first: Kept::of(&first, now),
            answer: Kept::of(&answer, now),
        }
    };
    kinds.into_iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::org::Region;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(minutes * 60).expect("time")
    }

    fn case(held: Option<i64>, ended: Option<i64>) -> Case {
        Case {
            id: "c".into(),
            kind: "rumour".into(),
            level: 1,
            title: String::new(),
            fields: vec![],
            region: Region::NATION,
            org: "o".into(),
            subject: "kepu:abcdefgh23/c-1".into(),
            opened_at: at(0),
            held_at: held.map(at),
            stage: ended.map_or(Stage::Open, |end| Stage::Closed { reason: "x".into(), at: at(end) }),
            version: 1,
        }
    }

    #[test]
    fn late_and_open_counts_as_late_and_nothing_due_has_no_share() {
        // Level 1 of a rumour: half an hour to the first statement, four hours to the answer.
        let cases = [case(Some(10), Some(100)), case(Some(40), None), case(None, None)];
        let all = service(&cases, at(60));
        assert_eq!((all.len(), all[0].opened, all[0].over), (1, 3, 1));
        assert_eq!((all[0].first.in_time, all[0].first.due, all[0].first.percent()), (1, 3, Some(33)));
        assert_eq!((all[0].first.median, all[0].first.p90), (Some(SignedDuration::from_mins(10)), Some(SignedDuration::from_mins(40))));
        assert_eq!((all[0].answer.in_time, all[0].answer.due), (1, 1), "the other two still have time");
        assert_eq!(service(&cases[2..], at(5))[0].first.percent(), None);
        assert_eq!(service(&[], at(5)), []);
    }
}
