//! Drills: what nodes that play one say to each other, and how it went. A drill is never public: its records travel only to nodes that ask for drills
//! (`deliver::scope`), and no page shows them to visitors. The tasks of the people who play are in `listen::task`.

use super::plan::{Inject, Seat};
use crate::ids::SubjectId;
use crate::org::Region;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The field that marks records of drills.
pub const FIELD: &str = "drill";

/// A task of a drill as it travels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Key in the plan.
    pub key: String,
    /// Where it is done.
    pub at: Seat,
    /// Minutes from the start.
    pub minute: i64,
    /// What is to be done.
    pub zh: String,
    /// The same in English.
    pub en: String,
    /// Post or department.
    pub role_zh: String,
    /// The same in English.
    pub role_en: String,
    /// What proves it.
    pub proof: String,
}

/// The beginning of a drill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Start {
    /// Its name.
    pub title: String,
    /// Plan.
    pub plan: String,
    /// Hazard.
    pub hazard: String,
    /// 1 red … 4 blue.
    pub level: i64,
    /// Where.
    pub region: Region,
    /// When.
    pub at: Timestamp,
    /// Who gives it, by name.
    pub host: String,
    /// Its tasks.
    pub parts: Vec<Part>,
    /// Its surprises.
    pub injects: Vec<Inject>,
}

/// How a task ended in a drill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The node takes part; no task.
    Joined,
    /// Done.
    Done,
    /// Something is in the way.
    Blocked,
    /// Given up.
    Dropped,
}

/// What a node says in a drill. Never who: only which institution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The drill.
    pub drill: SubjectId,
    /// Key of the task; empty with `Joined`.
    pub key: String,
    /// How it ended.
    pub outcome: Outcome,
    /// When, by the clock of the node that says so.
    pub at: Timestamp,
    /// The institution.
    pub host: String,
}

/// What a record of a drill says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "says", rename_all = "lowercase")]
pub enum Drill {
    /// It begins.
    Start(Start),
    /// Something was done in it.
    Answer(Answer),
    /// It is over.
    End {
        /// The drill.
        drill: SubjectId,
        /// When.
        at: Timestamp,
    },
}

/// What one node did with one task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The task.
    pub part: Part,
    /// How it ended and when, if it did.
    pub answer: Option<(Outcome, Timestamp)>,
}

/// A node that takes part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Side {
    /// Key of the node that says it.
    pub signer: String,
    /// The institution.
    pub host: String,
    /// Its tasks.
    pub cells: Vec<Cell>,
}

/// How a drill went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Score {
    /// Tasks of all who take part.
    pub tasks: usize,
    /// Done in time.
    pub in_time: usize,
    /// Done too late.
    pub late: usize,
    /// Not done although the time is over, blocked, given up.
    pub missed: usize,
    /// Median of the minutes after the time, of what was done; 0 for what was in time.
    pub median_delay: Option<i64>,
}

impl Score {
    /// Done in time of a hundred tasks whose time is over or that are done; `None` if there is none.
    pub fn percent(&self) -> Option<usize> {
        (self.in_time * 100).checked_div(self.in_time + self.late + self.missed)
    }
}

/// Puts together what nodes said: the host first, then the others by name. Answers to what is no task of theirs count for nothing; of several answers to
/// one task the first that is `Done` counts, else the latest.
pub fn sides(start: &Start, host: &str, answers: &[(String, Answer)]) -> Vec<Side> {
    let mut nodes: BTreeMap<&str, (String, Vec<&Answer>)> = BTreeMap::new();
    nodes.insert(host, (start.host.clone(), vec![]));
    for (signer, answer) in answers {
        let node = nodes.entry(signer).or_insert_with(|| (answer.host.clone(), vec![]));
        node.1.push(answer);
    }
    let mut list: Vec<Side> = nodes
        .into_iter()
        .map(|(signer, (name, said))| {
            let seat = if signer == host { Seat::Here } else { Seat::Below };
            let cells = start.parts.iter().filter(|part| part.at == seat).map(|part| Cell { part: part.clone(), answer: best(&said, &part.key) }).collect();
            Side { signer: signer.to_owned(), host: name, cells }
        })
        .collect();
    list.sort_by(|a, b| (a.signer != host, &a.host, &a.signer).cmp(&(b.signer != host, &b.host, &b.signer)));
    list
}

fn best(said: &[&Answer], key: &str) -> Option<(Outcome, Timestamp)> {
    let mine = || said.iter().filter(|answer| answer.key == key && answer.outcome != Outcome::Joined).map(|answer| (answer.outcome, answer.at));
    let done = mine().filter(|(outcome, _)| *outcome == Outcome::Done).min_by_key(|(_, at)| *at);
    done.or_else(|| mine().max_by_key(|(outcome, at)| (*at, *outcome)))
}

/// When a task is due.
pub fn due(start: &Start, part: &Part) -> Timestamp {
    crate::listen::order::minutes_after(start.at, part.minute)
}

/// The score at a moment; after the end of the drill that of the end.
pub fn score(start: &Start, sides: &[Side], now: Timestamp) -> Score {
    let mut score = Score::default();
    let mut delays = Vec::new();
    for cell in sides.iter().flat_map(|side| &side.cells) {
        score.tasks += 1;
        let due = due(start, &cell.part);
        match cell.answer {
            Some((Outcome::Done, at)) => {
                let late = at.duration_since(due).as_mins().max(0);
                delays.push(late);
                if at <= due { score.in_time += 1 } else { score.late += 1 }
            }
            Some(_) => score.missed += 1,
            None if now > due => score.missed += 1,
            None => {}
        }
    }
    delays.sort_unstable();
    score.median_delay = crate::measure::quantile::quantiles(&delays).map(|(median, _)| median);
    score
}

/// Keys of the tasks that did not go well anywhere, for the next drill.
pub fn weak(start: &Start, sides: &[Side], now: Timestamp) -> BTreeSet<String> {
    let bad = |cell: &&Cell| match cell.answer {
        Some((Outcome::Done, at)) => at > due(start, &cell.part),
        Some(_) => true,
        None => now > due(start, &cell.part),
    };
    sides.iter().flat_map(|side| &side.cells).filter(bad).map(|cell| cell.part.key.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(minute * 60).expect("time")
    }
    fn part(key: &str, seat: Seat, minute: i64) -> Part {
        let text = || key.to_owned();
        Part { key: text(), at: seat, minute, zh: text(), en: text(), role_zh: text(), role_en: text(), proof: "text".into() }
    }
    fn start() -> Start {
        Start {
            title: "演练".into(),
            plan: "rainstorm".into(),
            hazard: "N-RAIN".into(),
            level: 2,
            region: Region::NATION,
            at: at(0),
            host: "省".into(),
            parts: vec![part("card", Seat::Here, 10), part("screen", Seat::Here, 20), part("speaker", Seat::Below, 15)],
            injects: vec![],
        }
    }
    fn answer(signer: &str, key: &str, outcome: Outcome, minute: i64) -> (String, Answer) {
        (signer.into(), Answer { drill: "kepu:a/d".into(), key: key.into(), outcome, at: at(minute), host: signer.into() })
    }

    #[test]
    fn a_drill_is_scored_over_all_who_take_part_in_any_order() {
        let said = vec![
            answer("up", "card", Outcome::Done, 8),
            answer("county", "", Outcome::Joined, 3),
            answer("county", "speaker", Outcome::Blocked, 5),
            answer("county", "speaker", Outcome::Done, 25),
            answer("county", "card", Outcome::Done, 1),
        ];
        let turned: Vec<_> = said.iter().rev().cloned().collect();
        let both = [sides(&start(), "up", &said), sides(&start(), "up", &turned)];
        assert_eq!(both[0], both[1]);
        assert_eq!(both[0].iter().map(|side| side.cells.len()).collect::<Vec<_>>(), [2, 1], "a county has its own tasks only");
        let early = score(&start(), &both[0], at(12));
        assert_eq!((early.tasks, early.in_time, early.late, early.missed), (3, 1, 1, 0));
        let end = score(&start(), &both[0], at(60));
        assert_eq!((end.in_time, end.late, end.missed, end.median_delay, end.percent()), (1, 1, 1, Some(0), Some(33)));
        assert_eq!(weak(&start(), &both[0], at(60)), ["screen", "speaker"].map(str::to_owned).into());
    }

    #[test]
    fn an_empty_drill_has_no_percentage() {
        assert_eq!(Score::default().percent(), None);
        assert_eq!(sides(&start(), "up", &[]).len(), 1);
    }
}
