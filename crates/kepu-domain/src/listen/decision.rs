//! Decisions of a meeting and findings of an inspection as they travel: what is asked of which place until when, and what that place reports. Both levels put
//! the same tree together from the same records. Never public: only nodes that ask for coordination get them (`deliver::scope`). The work itself is a `task`.

use super::case;
use super::order::minutes_after;
use crate::ids::{OrgId, SubjectId};
use crate::org::Region;
pub use crate::record::COORDINATION as FIELD;
use crate::text::Limit;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::BTreeSet;

/// Most asks of one decision: with them and all changes a record stays below 32 KiB.
pub const ASKS_MAX: usize = 30;
/// Most changes of one decision.
pub const CHANGES_MAX: usize = 30;
/// Most steps that a report tells; of more the first and the latest stay.
pub const SAID_MAX: usize = 12;
/// Name of a meeting or an inspection.
pub const MEETING: Limit = Limit { field: "meeting", min: 2, max: 60 };
/// A decision in words, or what an inspection found.
pub const WORDS: Limit = Limit { field: "words", min: 4, max: 400 };
/// What is asked.
pub const WHAT: Limit = Limit { field: "what", min: 4, max: 120 };
/// Why something was changed.
pub const WHY: Limit = Limit { field: "reason", min: 2, max: 120 };
/// No text of a record of coordination is longer, in bytes.
const BYTES_MAX: usize = 2_000;

/// Where it comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cause {
    /// A meeting decided it.
    Meeting,
    /// An inspection found it.
    Inspection,
}

impl Cause {
    /// The kind of case whose clock counts.
    pub fn case_kind(self) -> &'static str {
        match self {
            Cause::Meeting => "decision",
            Cause::Inspection => "finding",
        }
    }
}

/// One thing that is asked of one place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// Its name inside the decision.
    pub key: String,
    /// Who owes it: the division.
    pub place: Region,
    /// What is to be done.
    pub what: String,
    /// Until when.
    pub due: Timestamp,
    /// What proves it: `link`, or empty for anything.
    pub proof: String,
}

/// Something that was changed afterwards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// When.
    pub at: Timestamp,
    /// Key of the ask; empty where the decision was ended.
    pub ask: String,
    /// What was due until then, and what is now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<(Timestamp, Timestamp)>,
    /// Why.
    pub reason: String,
}

/// A decision or a finding in its latest version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decided {
    /// Where it comes from.
    pub cause: Cause,
    /// The meeting or inspection, by name.
    pub meeting: String,
    /// Its day.
    pub day: Date,
    /// The decision in words, or what was found.
    pub words: String,
    /// The evidence that a finding is about, else empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub about: String,
    /// Level of the kind of case.
    pub level: i64,
    /// When it was given.
    pub at: Timestamp,
    /// Who decided, by name.
    pub host: String,
    /// The same as an organisation of the node that says so.
    pub org: OrgId,
    /// How far it travels.
    pub region: Region,
    /// What is asked.
    pub asks: Vec<Ask>,
    /// What was changed, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
    /// When it was ended: nothing more is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
}

/// How far the place has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Somebody is at it.
    Taken,
    /// Done, with proof.
    Done,
    /// Something is in the way.
    Blocked,
    /// Given up.
    Dropped,
}

/// One step that a place reports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// How far.
    pub outcome: Outcome,
    /// When, by the clock of the node that says so.
    pub at: Timestamp,
    /// Evidence or reason.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub words: String,
}

/// What a place reports about one ask. Never who: only which institution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The decision.
    pub decision: SubjectId,
    /// Key of the ask.
    pub ask: String,
    /// The place asked; whoever signs must hold it.
    pub place: Region,
    /// The institution.
    pub host: String,
    /// Its steps, the oldest first.
    pub said: Vec<Said>,
}

/// What a record of coordination says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "says", rename_all = "lowercase")]
pub enum Coordination {
    /// Something is asked.
    Decided(Decided),
    /// Something is reported.
    Report(Report),
}

impl Coordination {
    /// Places it speaks for: whoever signs must hold all of them.
    pub fn places(&self) -> Vec<Region> {
        match self {
            Coordination::Decided(decided) => decided.asks.iter().map(|ask| ask.place).collect(),
            Coordination::Report(report) => vec![report.place],
        }
    }

    /// Whether it keeps the limits; else why not. Asked of whatever comes from another node.
    pub fn sound(&self) -> Result<(), &'static str> {
        let short = |texts: &[&str]| texts.iter().all(|text| text.len() <= BYTES_MAX);
        match self {
            Coordination::Decided(d) => {
                let keys: BTreeSet<&str> = d.asks.iter().map(|ask| ask.key.as_str()).collect();
                if d.asks.is_empty() || d.asks.len() > ASKS_MAX || keys.len() != d.asks.len() || keys.iter().any(|key| key.is_empty() || key.len() > 12) {
                    return Err("a decision asks 1 to 30 things, each with a key of its own");
                }
                if d.changes.len() > CHANGES_MAX {
                    return Err("a decision is changed 30 times at most");
                }
                let texts = [d.meeting.as_str(), &d.words, &d.about, &d.host, d.org.as_str()];
                let parts = d.asks.iter().flat_map(|ask| [ask.what.as_str(), ask.proof.as_str()]).chain(d.changes.iter().map(|change| change.reason.as_str()));
                if short(&texts) && parts.into_iter().all(|text| text.len() <= BYTES_MAX) { Ok(()) } else { Err("a text is too long") }
            }
            Coordination::Report(r) => {
                if r.said.is_empty() || r.said.len() > SAID_MAX {
                    return Err("a report tells 1 to 12 steps");
                }
                let fits = short(&[&r.host, &r.ask]) && r.said.iter().all(|said| said.words.len() <= BYTES_MAX);
                if fits { Ok(()) } else { Err("a text is too long") }
            }
        }
    }
}

/// Why a decision cannot be changed so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unmoved {
    /// It was ended.
    Ended,
    /// It has no such ask.
    NoAsk,
    /// Its deadline is that already.
    Same,
    /// It was changed too often.
    TooOften,
}

impl Decided {
    /// Another deadline for one ask, with the reason.
    pub fn move_due(mut self, key: &str, due: Timestamp, reason: &str, now: Timestamp) -> Result<Decided, Unmoved> {
        self.may_change()?;
        let ask = self.asks.iter_mut().find(|ask| ask.key == key).ok_or(Unmoved::NoAsk)?;
        if ask.due == due {
            return Err(Unmoved::Same);
        }
        let change = Change { at: now, ask: key.to_owned(), due: Some((ask.due, due)), reason: reason.to_owned() };
        ask.due = due;
        self.changes.push(change);
        Ok(self)
    }

    /// Nothing more is asked, with the reason.
    pub fn end(mut self, reason: &str, now: Timestamp) -> Result<Decided, Unmoved> {
        self.may_change()?;
        self.changes.push(Change { at: now, ask: String::new(), due: None, reason: reason.to_owned() });
        self.ended = Some(now);
        Ok(self)
    }

    fn may_change(&self) -> Result<(), Unmoved> {
        if self.ended.is_some() {
            return Err(Unmoved::Ended);
        }
        if self.changes.len() >= CHANGES_MAX { Err(Unmoved::TooOften) } else { Ok(()) }
    }

    /// Until when every place should have taken on what is asked of it: the first clock of the kind of case.
    pub fn take_by(&self) -> Timestamp {
        let minutes = case::level(self.cause.case_kind(), self.level).map_or(4_320, |level| level.holding_minutes);
        minutes_after(self.at, minutes)
    }
}

/// One more step of a report. The same step twice is said once; of too many the first stays and the oldest after it go.
pub fn also(mut said: Vec<Said>, step: Said) -> Vec<Said> {
    if said.last().is_some_and(|last| last.outcome == step.outcome && last.words == step.words) {
        return said;
    }
    said.push(step);
    while said.len() > SAID_MAX {
        said.remove(1);
    }
    said
}

/// A report with the key that signed it and the place for which that key speaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The key.
    pub signer: String,
    /// Its place.
    pub reach: Region,
    /// What it says.
    pub report: Report,
}

/// An ask with what its place reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Branch {
    /// What is asked.
    pub ask: Ask,
    /// Who does it, by name; empty while nobody has taken it on.
    pub host: String,
    /// What was reported, the oldest first.
    pub said: Vec<Said>,
    /// Whether the decision was ended: nothing is owed any more.
    pub ended: bool,
}

impl Branch {
    /// How far it is; `None` while nobody has taken it on.
    pub fn outcome(&self) -> Option<Outcome> {
        self.said.last().map(|said| said.outcome)
    }
    /// Whether nothing is left to do.
    pub fn is_over(&self) -> bool {
        self.ended || matches!(self.outcome(), Some(Outcome::Done | Outcome::Dropped))
    }
    /// Whether its time has passed undone.
    pub fn is_late(&self, now: Timestamp) -> bool {
        !self.is_over() && now > self.ask.due
    }
    /// Whether it was done after its time.
    pub fn was_late(&self) -> bool {
        self.done().is_some_and(|said| said.at > self.ask.due)
    }
    /// Whether something must happen: overdue, or blocked.
    pub fn is_stuck(&self, now: Timestamp) -> bool {
        self.is_late(now) || (!self.ended && self.outcome() == Some(Outcome::Blocked))
    }
    /// The step that says it is done, with its evidence.
    pub fn done(&self) -> Option<&Said> {
        self.said.last().filter(|said| said.outcome == Outcome::Done)
    }
}

/// The tree of a decision. Of several who report about one ask the node nearest to the place counts, of those the one that began first; who speaks about another
/// place than the one asked counts for nothing. The order of the reports never matters.
pub fn branches(decided: &Decided, told: &[Told]) -> Vec<Branch> {
    let teller = |ask: &Ask| {
        let fits = told.iter().filter(|one| one.report.ask == ask.key && one.report.place == ask.place && one.reach.covers(ask.place));
        fits.max_by_key(|one| (one.reach.chain().len(), Reverse(one.report.said.first().map(|said| said.at)), Reverse(one.signer.clone())))
    };
    let branch = |ask: &Ask| {
        let (host, said) = teller(ask).map(|one| (one.report.host.clone(), one.report.said.clone())).unwrap_or_default();
        Branch { ask: ask.clone(), host, said, ended: decided.ended.is_some() }
    };
    decided.asks.iter().map(branch).collect()
}

/// How a list of asks stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// All.
    pub asks: usize,
    /// Nobody has taken them on.
    pub open: usize,
    /// Somebody is at them.
    pub taken: usize,
    /// Done.
    pub done: usize,
    /// Of those done, too late.
    pub done_late: usize,
    /// Blocked.
    pub blocked: usize,
    /// Given up.
    pub dropped: usize,
    /// Undone although their time has passed.
    pub overdue: usize,
    /// Overdue or blocked.
    pub stuck: usize,
}

/// Counts them.
pub fn sums<'a>(list: impl IntoIterator<Item = &'a Branch>, now: Timestamp) -> Sums {
    let mut sums = Sums::default();
    for one in list {
        sums.asks += 1;
        match one.outcome() {
            None => sums.open += 1,
            Some(Outcome::Taken) => sums.taken += 1,
            Some(Outcome::Done) => sums.done += 1,
            Some(Outcome::Blocked) => sums.blocked += 1,
            Some(Outcome::Dropped) => sums.dropped += 1,
        }
        sums.done_late += usize::from(one.was_late());
        sums.overdue += usize::from(one.is_late(now));
        sums.stuck += usize::from(one.is_stuck(now));
    }
    sums
}

/// What a decision owes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Somebody must take on what is asked, until then.
    Take(Timestamp),
    /// The next thing is due then.
    Due(Timestamp),
    /// Nothing: everything is over.
    Nothing,
}

/// The clock of a decision: first everything is to be taken on, then done.
pub fn next(decided: &Decided, list: &[Branch]) -> Next {
    let waiting = || list.iter().filter(|one| !one.is_over());
    let due = waiting().map(|one| one.ask.due).min();
    match (waiting().any(|one| one.outcome().is_none()), due) {
        (_, None) => Next::Nothing,
        (true, Some(due)) if decided.take_by() < due => Next::Take(decided.take_by()),
        (_, Some(due)) => Next::Due(due),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(minute * 60).expect("time")
    }
    fn place(code: &str) -> Region {
        Region::parse(code).expect("code")
    }
    fn ask(key: &str, code: &str, due: i64) -> Ask {
        Ask { key: key.into(), place: place(code), what: "开放一次".into(), due: at(due), proof: "link".into() }
    }
    fn decided() -> Decided {
        Decided {
            cause: Cause::Meeting,
            meeting: "联席会议".into(),
            day: Date::constant(2026, 3, 1),
            words: "每县开放一次".into(),
            about: String::new(),
            level: 2,
            at: at(0),
            host: "省".into(),
            org: "org".into(),
            region: place("410000"),
            asks: vec![ask("a1", "411525", 100_000), ask("a2", "410100", 200_000)],
            changes: vec![],
            ended: None,
        }
    }
    fn said(outcome: Outcome, minute: i64, words: &str) -> Said {
        Said { outcome, at: at(minute), words: words.into() }
    }
    fn told(signer: &str, reach: &str, key: &str, code: &str, said: Vec<Said>) -> Told {
        let report = Report { decision: "kepu:abcdefgh23/d".into(), ask: key.into(), place: place(code), host: signer.into(), said };
        Told { signer: signer.into(), reach: place(reach), report }
    }

    #[test]
    fn the_nearest_node_counts_and_no_order_changes_the_tree() {
        let list = vec![
            told("province", "410000", "a1", "411525", vec![said(Outcome::Done, 1, "x")]),
            told("county", "411525", "a1", "411525", vec![said(Outcome::Taken, 5, "")]),
            told("second", "411525", "a1", "411525", vec![said(Outcome::Dropped, 9, "不做")]),
            told("outsider", "420000", "a2", "410100", vec![said(Outcome::Done, 2, "x")]),
            told("liar", "411525", "a2", "411525", vec![said(Outcome::Done, 2, "x")]),
        ];
        let tree = branches(&decided(), &list);
        assert_eq!(tree.iter().map(|one| one.host.as_str()).collect::<Vec<_>>(), ["county", ""]);
        let turned: Vec<Told> = list.into_iter().rev().collect();
        assert_eq!(branches(&decided(), &turned), tree);
    }

    #[test]
    fn overdue_and_blocked_things_are_stuck_and_what_was_ended_is_not() {
        let list = [told("county", "411525", "a1", "411525", vec![said(Outcome::Taken, 5, ""), said(Outcome::Blocked, 6, "停电")])];
        let tree = branches(&decided(), &list);
        let count = sums(&tree, at(7));
        assert_eq!((count.asks, count.blocked, count.open, count.overdue, count.stuck), (2, 1, 1, 0, 1));
        assert_eq!(sums(&tree, at(300_000)).stuck, 2, "both: blocked or not, their time has passed");
        let over = branches(&decided().end("改由省里做", at(8)).expect("ended"), &list);
        assert_eq!(sums(&over, at(300_000)).stuck, 0);
        let late = branches(&decided(), &[told("county", "411525", "a1", "411525", vec![said(Outcome::Done, 150_000, "https://example.org/")])]);
        assert!(late[0].was_late() && !late[0].is_late(at(300_000)) && late[0].is_over());
    }

    #[test]
    fn the_clock_waits_for_those_who_take_it_on_then_for_the_next_deadline() {
        let d = decided();
        let none = branches(&d, &[]);
        assert_eq!(next(&d, &none), Next::Take(d.take_by()));
        let all = branches(
            &d,
            &[told("a", "411525", "a1", "411525", vec![said(Outcome::Done, 5, "x")]), told("b", "410100", "a2", "410100", vec![said(Outcome::Taken, 5, "")])],
        );
        assert_eq!(next(&d, &all), Next::Due(at(200_000)));
        let ended = d.end("不再需要", at(9)).expect("ended");
        assert_eq!(next(&ended, &branches(&ended, &[])), Next::Nothing);
    }

    #[test]
    fn a_deadline_is_moved_with_a_reason_and_nothing_moves_after_the_end() {
        let moved = decided().move_due("a1", at(150_000), "汛期推迟", at(3)).expect("moved");
        assert_eq!((moved.asks[0].due, moved.changes[0].due), (at(150_000), Some((at(100_000), at(150_000)))));
        assert_eq!(decided().move_due("a9", at(1), "x", at(3)), Err(Unmoved::NoAsk));
        assert_eq!(moved.clone().move_due("a1", at(150_000), "x", at(3)), Err(Unmoved::Same));
        let ended = moved.end("已由别的文件代替", at(4)).expect("ended");
        assert_eq!(ended.clone().end("x", at(5)), Err(Unmoved::Ended));
        let mut often = decided();
        often.changes = vec![ended.changes[0].clone(); CHANGES_MAX];
        assert_eq!(often.end("x", at(5)), Err(Unmoved::TooOften));
    }

    #[test]
    fn a_report_says_each_step_once_and_keeps_its_beginning() {
        let first = also(vec![], said(Outcome::Taken, 1, ""));
        assert_eq!(also(first.clone(), said(Outcome::Taken, 2, "")), first);
        let long = (0..40).fold(first, |list, n| also(list, said(Outcome::Blocked, n, &n.to_string())));
        assert_eq!((long.len(), long[0].outcome, long[SAID_MAX - 1].words.as_str()), (SAID_MAX, Outcome::Taken, "39"));
    }

    #[test]
    fn what_another_node_says_keeps_the_limits() {
        let good = Coordination::Decided(decided());
        assert_eq!((good.sound(), good.places()), (Ok(()), vec![place("411525"), place("410100")]));
        let text = serde_json::to_string(&good).expect("json");
        assert_eq!(serde_json::from_str::<Coordination>(&text).expect("reads"), good);
        for asks in [vec![], vec![ask("a", "410000", 1), ask("a", "410000", 1)], vec![ask("", "410000", 1)]] {
            assert!(Coordination::Decided(Decided { asks, ..decided() }).sound().is_err());
        }
        assert!(Coordination::Decided(Decided { words: "长".repeat(1_000), ..decided() }).sound().is_err());
        let report = told("county", "411525", "a1", "411525", vec![]).report;
        assert!(Coordination::Report(report.clone()).sound().is_err());
        assert!(Coordination::Report(Report { said: vec![said(Outcome::Taken, 1, "")], ..report }).sound().is_ok());
    }
}
