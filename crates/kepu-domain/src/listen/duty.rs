//! Who is on duty, and whom a case calls next when nobody has taken it. A rota turns by itself: whoever was second is first in the next turn, and the
//! others stand behind as the fallback chain, so that a table is made once and never runs out. Reading the tables and calling is in the operations.

use crate::ids::{CaseId, OrgId, PartyId, RotaId};
use crate::listen::case::{self, Case, Due, Stage};
use jiff::civil::{Date, Time};
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp, ToSpan};

/// Most people of one rota.
pub const PEOPLE_MAX: usize = 8;
/// Most days of one turn.
pub const TURN_DAYS_MAX: i64 = 28;
/// The first hour at which somebody is called about what can wait for the morning, in China time.
const MORNING: i8 = 7;
/// From this hour on nobody is called about it.
const NIGHT: i8 = 22;
/// After this many months without a word whoever is on a rota counts as not confirmed.
pub const CONFIRM_MONTHS: i32 = 3;

/// What those on a rota are called for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Post {
    /// Takes the case.
    Officer,
    /// Knows the matter; is asked by whoever has the case.
    Expert,
}

/// Every post.
pub const POSTS: [Post; 2] = [Post::Officer, Post::Expert];

impl Post {
    /// The stored word.
    pub fn as_str(self) -> &'static str {
        match self {
            Post::Officer => "officer",
            Post::Expert => "expert",
        }
    }
    /// Reads the stored word.
    pub fn parse(text: &str) -> Option<Post> {
        POSTS.into_iter().find(|post| post.as_str() == text)
    }
}

/// A duty roster that turns by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rota {
    /// Id.
    pub id: RotaId,
    /// Whose cases it covers; with them those of every organisation below that has none of its own.
    pub org: OrgId,
    /// What its people are called for.
    pub post: Post,
    /// Day of the first turn.
    pub begins: Date,
    /// Days of one turn, 1 to [`TURN_DAYS_MAX`].
    pub turn_days: i64,
    /// Hour of the change, 0 to 23, China time.
    pub hour: i64,
    /// In the order of their turns, 1 to [`PEOPLE_MAX`].
    pub people: Vec<PartyId>,
    /// Last day; none: goes on.
    pub ends: Option<Date>,
    /// Version read, for safe updates.
    pub version: i64,
}

/// Days on which somebody is not there. Holds for every rota they are on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absence {
    /// Who.
    pub party: PartyId,
    /// First day.
    pub from: Date,
    /// Last day.
    pub to: Date,
    /// Who stands in, if somebody does.
    pub instead: Option<PartyId>,
}

/// One turn of a rota.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// When it begins.
    pub from: Timestamp,
    /// When the next one begins.
    pub to: Timestamp,
    /// Whoever is called first, then the fallback chain.
    pub chain: Vec<PartyId>,
}

fn china(at: Timestamp) -> jiff::civil::DateTime {
    Offset::constant(8).to_datetime(at)
}

fn moment(day: Date, hour: i64) -> Timestamp {
    let time = Time::new(i8::try_from(hour).unwrap_or_default(), 0, 0, 0).unwrap_or(Time::MIN);
    Offset::constant(8).to_timestamp(day.to_datetime(time)).unwrap_or(Timestamp::MAX)
}

fn later(day: Date, days: i64) -> Date {
    i32::try_from(days).ok().and_then(|days| day.checked_add(days.days()).ok()).unwrap_or(Date::MAX)
}

impl Rota {
    fn number(&self, at: Timestamp) -> Option<i64> {
        let passed = at.duration_since(moment(self.begins, self.hour)).as_secs();
        let over = self.ends.is_some_and(|last| at >= moment(later(last, 1), self.hour));
        (passed >= 0 && !over).then(|| passed / (self.turn_days.max(1) * 86_400))
    }

    /// The turn with this number, counted from 0. Who is absent on its first day stands out for the whole turn; for a turn of one day that is the day itself.
    fn turn(&self, number: i64, day: Date, absences: &[Absence]) -> Turn {
        let days = self.turn_days.max(1);
        let first = later(self.begins, number.saturating_mul(days));
        let count = i64::try_from(self.people.len()).unwrap_or(1).max(1);
        let mut chain: Vec<PartyId> = Vec::new();
        for at in 0..count {
            let person = usize::try_from((number + at) % count).ok().and_then(|at| self.people.get(at));
            let Some(person) = person.and_then(|person| stand_in(person, day, absences)) else { continue };
            if !chain.contains(&person) {
                chain.push(person);
            }
        }
        Turn { from: moment(first, self.hour), to: moment(later(first, days), self.hour), chain }
    }

    /// Who is called at `at`, in which order; `None` before the first turn and after the last.
    pub fn now(&self, absences: &[Absence], at: Timestamp) -> Option<Turn> {
        // The night until the change belongs to the day before.
        let day = china(at.checked_sub(SignedDuration::from_hours(self.hour)).unwrap_or(at)).date();
        self.number(at).map(|number| self.turn(number, day, absences))
    }

    /// The `count` turns that follow the one of `at`, or the first ones.
    pub fn next(&self, absences: &[Absence], at: Timestamp, count: usize) -> Vec<Turn> {
        let begin = match self.number(at) {
            Some(number) => number + 1,
            None if at < moment(self.begins, self.hour) => 0,
            None => return vec![],
        };
        let turns = (begin..).take(count).map(|number| self.turn(number, later(self.begins, number.saturating_mul(self.turn_days.max(1))), absences));
        turns.take_while(|turn| self.ends.is_none_or(|last| turn.from < moment(later(last, 1), self.hour))).collect()
    }
}

/// Who is there for `person` on `day`: they themselves, who stands in for them, or nobody. Whoever stands in may be away too.
fn stand_in(person: &PartyId, day: Date, absences: &[Absence]) -> Option<PartyId> {
    let mut who = person.clone();
    // Each person at most once: two who stand in for each other end the search.
    for _ in 0..PEOPLE_MAX {
        let Some(away) = absences.iter().find(|one| one.party == who && one.from <= day && day <= one.to) else { return Some(who) };
        who = away.instead.clone()?;
    }
    None
}

/// Whether somebody who confirmed on `confirmed` counts as confirmed on `day`.
pub fn is_confirmed(confirmed: Option<Date>, day: Date) -> bool {
    confirmed.and_then(|on| on.checked_add(CONFIRM_MONTHS.months()).ok()).is_some_and(|until| day <= until)
}

/// Why somebody is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Why {
    /// Nobody has the case.
    Open,
    /// The first statement is overdue.
    Holding,
    /// The answer is overdue.
    Answer,
}

impl Why {
    /// The stored word.
    pub fn as_str(self) -> &'static str {
        match self {
            Why::Open => "open",
            Why::Holding => "holding",
            Why::Answer => "answer",
        }
    }
    /// Reads the stored word.
    pub fn parse(text: &str) -> Option<Why> {
        [Why::Open, Why::Holding, Why::Answer].into_iter().find(|why| why.as_str() == text)
    }
}

/// What became of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Nothing yet.
    Waiting,
    /// They took the case.
    Taken,
    /// They cannot.
    Cannot,
    /// Somebody else has it, or it was over before they answered.
    Settled,
}

impl Answer {
    /// The stored word.
    pub fn as_str(self) -> &'static str {
        match self {
            Answer::Waiting => "waiting",
            Answer::Taken => "taken",
            Answer::Cannot => "cannot",
            Answer::Settled => "settled",
        }
    }
    /// Reads the stored word.
    pub fn parse(text: &str) -> Option<Answer> {
        [Answer::Waiting, Answer::Taken, Answer::Cannot, Answer::Settled].into_iter().find(|answer| answer.as_str() == text)
    }
}

/// A call to somebody on duty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The case.
    pub case: CaseId,
    /// Its number among the calls of the case, from 1.
    pub n: i64,
    /// Who.
    pub party: PartyId,
    /// Whose rota they were on.
    pub org: OrgId,
    /// Why.
    pub why: Why,
    /// When.
    pub at: Timestamp,
    /// What became of it.
    pub answer: Answer,
    /// When it was answered.
    pub answered_at: Option<Timestamp>,
}

/// A place in the chain of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seat {
    /// Who.
    pub party: PartyId,
    /// Whose rota they are on.
    pub org: OrgId,
}

/// What a case's clock does about calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing: somebody has it in time, or nobody is called for its level.
    Nothing,
    /// Waits until then.
    Wait(Timestamp),
    /// Calls this one now.
    Call(Seat, Why),
    /// Everybody was called in vain, or no rota covers the place.
    Nobody(Why),
}

/// The chain of a case: the people of the nearest organisation first, then those above; each once.
pub fn chain(turns: &[(OrgId, Vec<PartyId>)]) -> Vec<Seat> {
    let mut seats: Vec<Seat> = Vec::new();
    for (org, people) in turns {
        for party in people {
            if !seats.iter().any(|seat| seat.party == *party) {
                seats.push(Seat { party: party.clone(), org: org.clone() });
            }
        }
    }
    seats
}

/// The first moment from `at` on at which somebody may be called about a matter that can wait for the morning.
fn by_day(at: Timestamp) -> Timestamp {
    let local = china(at);
    match local.hour() {
        hour if hour < MORNING => moment(local.date(), i64::from(MORNING)),
        hour if hour >= NIGHT => moment(later(local.date(), 1), i64::from(MORNING)),
        _ => at,
    }
}

/// What is due about calls for `case` at `now`. `owner` is the registry entry of whoever has the case: nobody is called to wake themselves.
pub fn next(case: &Case, owner: Option<&PartyId>, chain: &[Seat], calls: &[Call], now: Timestamp) -> Next {
    let Some(level) = case::level(&case.kind, case.level).filter(|level| level.call_minutes > 0) else { return Next::Nothing };
    let clock = case.clock(now);
    let (why, since) = match (&case.stage, clock.next) {
        (_, Due::Nothing) => return Next::Nothing,
        (Stage::Open, _) => (Why::Open, case.opened_at),
        (_, Due::Holding) if clock.late => (Why::Holding, clock.at),
        (_, Due::Answer) if clock.late => (Why::Answer, clock.at),
        _ => return Next::Nothing,
    };
    let callable = |at: Timestamp| if level.night { at } else { by_day(at) };
    let said = calls.iter().filter(|call| call.why == why);
    let from = match said.clone().next_back() {
        // Who cannot makes room at once.
        Some(last) if last.answer == Answer::Cannot => last.answered_at.unwrap_or(last.at),
        Some(last) => last.at.checked_add(SignedDuration::from_mins(level.call_minutes)).unwrap_or(Timestamp::MAX),
        None => since,
    };
    let at = callable(from);
    if now < at {
        return Next::Wait(at);
    }
    match chain.iter().find(|seat| Some(&seat.party) != owner && !said.clone().any(|call| call.party == seat.party)) {
        Some(seat) => Next::Call(seat.clone(), why),
        None => Next::Nobody(why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::org::Region;
    use jiff::civil::date;

    fn rota(people: &[&str], turn_days: i64) -> Rota {
        Rota {
            id: "r".into(),
            org: "o".into(),
            post: Post::Officer,
            begins: date(2026, 3, 2),
            turn_days,
            hour: 8,
            people: people.iter().map(|id| PartyId::from(*id)).collect(),
            ends: None,
            version: 1,
        }
    }

    fn at(day: Date, hour: i64) -> Timestamp {
        moment(day, hour)
    }

    fn ids(turn: Option<Turn>) -> Vec<String> {
        turn.map(|turn| turn.chain.into_iter().map(|id| id.0).collect()).unwrap_or_default()
    }

    #[test]
    fn a_rota_turns_by_itself_and_the_others_stand_behind() {
        let week = rota(&["a", "b", "c"], 7);
        assert_eq!(ids(week.now(&[], at(date(2026, 3, 2), 7))), [] as [&str; 0], "the first turn begins at eight");
        assert_eq!(ids(week.now(&[], at(date(2026, 3, 2), 8))), ["a", "b", "c"]);
        assert_eq!(ids(week.now(&[], at(date(2026, 3, 9), 7))), ["a", "b", "c"], "until the change it is still last week");
        assert_eq!(ids(week.now(&[], at(date(2026, 3, 9), 8))), ["b", "c", "a"]);
        assert_eq!(ids(week.now(&[], at(date(2036, 3, 3), 8))).len(), 3, "it never runs out");
        let coming = week.next(&[], at(date(2026, 3, 9), 8), 2);
        assert_eq!(coming.iter().map(|turn| turn.chain[0].0.as_str()).collect::<Vec<_>>(), ["c", "a"]);
        assert_eq!(coming[0].from, at(date(2026, 3, 16), 8));
    }

    #[test]
    fn who_is_away_is_stood_in_for_and_comes_back_by_themselves() {
        let day = rota(&["a", "b"], 1);
        let away = |party: &str, instead: Option<&str>| Absence {
            party: party.into(),
            from: date(2026, 3, 4),
            to: date(2026, 3, 5),
            instead: instead.map(PartyId::from),
        };
        assert_eq!(ids(day.now(&[away("a", Some("x"))], at(date(2026, 3, 4), 9))), ["x", "b"]);
        assert_eq!(ids(day.now(&[away("a", None)], at(date(2026, 3, 4), 9))), ["b"]);
        assert_eq!(ids(day.now(&[away("a", Some("b"))], at(date(2026, 3, 4), 9))), ["b"], "nobody stands twice in one chain");
        assert_eq!(ids(day.now(&[away("a", Some("b")), away("b", Some("a"))], at(date(2026, 3, 4), 9))), [] as [&str; 0]);
        assert_eq!(ids(day.now(&[away("a", None)], at(date(2026, 3, 6), 9))), ["a", "b"]);
        assert_eq!(ids(day.now(&[away("a", None)], at(date(2026, 3, 6), 7))), ["b"], "the night belongs to the day before");
    }

    #[test]
    fn a_rota_with_an_end_ends() {
        let short = Rota { ends: Some(date(2026, 3, 3)), ..rota(&["a"], 1) };
        assert!(short.now(&[], at(date(2026, 3, 4), 7)).is_some());
        assert!(short.now(&[], at(date(2026, 3, 4), 8)).is_none());
        assert_eq!(short.next(&[], at(date(2026, 3, 2), 9), 9).len(), 1);
        assert!(short.next(&[], at(date(2026, 3, 9), 9), 9).is_empty());
    }

    fn case(level: i64, opened_at: Timestamp) -> Case {
        Case {
            id: "c".into(),
            kind: "question".into(),
            level,
            title: "t".into(),
            fields: vec![],
            region: Region::NATION,
            org: "o".into(),
            subject: "kepu:abcdefgh23/c-1".into(),
            opened_at,
            held_at: None,
            stage: Stage::Open,
            version: 1,
        }
    }

    fn call(n: i64, party: &str, why: Why, at: Timestamp, answer: Answer) -> Call {
        let answered_at = (answer != Answer::Waiting).then_some(at);
        Call { case: "c".into(), n, party: party.into(), org: "o".into(), why, at, answer, answered_at }
    }

    fn seats(ids: &[&str]) -> Vec<Seat> {
        ids.iter().map(|id| Seat { party: PartyId::from(*id), org: "o".into() }).collect()
    }

    #[test]
    fn an_urgent_case_calls_one_after_the_other_until_nobody_is_left() {
        let begin = at(date(2026, 3, 4), 2);
        let (urgent, chain) = (case(1, begin), seats(&["a", "b"]));
        let minutes = |n| begin.checked_add(SignedDuration::from_mins(n)).expect("time");
        let wait = case::level("question", 1).expect("level").call_minutes;
        assert_eq!(next(&urgent, None, &chain, &[], begin), Next::Call(chain[0].clone(), Why::Open), "at once, at night");
        let mut calls = vec![call(1, "a", Why::Open, begin, Answer::Waiting)];
        assert_eq!(next(&urgent, None, &chain, &calls, minutes(wait - 1)), Next::Wait(minutes(wait)));
        assert_eq!(next(&urgent, None, &chain, &calls, minutes(wait)), Next::Call(chain[1].clone(), Why::Open));
        calls[0].answer = Answer::Cannot;
        calls[0].answered_at = Some(minutes(1));
        assert_eq!(next(&urgent, None, &chain, &calls, minutes(1)), Next::Call(chain[1].clone(), Why::Open), "who cannot makes room at once");
        calls.push(call(2, "b", Why::Open, minutes(1), Answer::Waiting));
        assert_eq!(next(&urgent, None, &chain, &calls, minutes(60)), Next::Nobody(Why::Open));
        assert_eq!(next(&urgent, None, &[], &[], begin), Next::Nobody(Why::Open));
    }

    #[test]
    fn what_can_wait_calls_nobody_at_night() {
        let begin = at(date(2026, 3, 4), 23);
        let morning = at(date(2026, 3, 5), 7);
        let normal = case(2, begin);
        assert_eq!(next(&normal, None, &seats(&["a"]), &[], begin), Next::Wait(morning));
        assert_eq!(next(&normal, None, &seats(&["a"]), &[], morning), Next::Call(seats(&["a"]).remove(0), Why::Open));
        assert_eq!(by_day(at(date(2026, 3, 5), 3)), morning);
        assert_eq!(by_day(at(date(2026, 3, 5), 12)), at(date(2026, 3, 5), 12));
    }

    #[test]
    fn a_clock_that_its_owner_lets_pass_calls_somebody_else() {
        let begin = at(date(2026, 3, 4), 9);
        let taken = case(1, begin).take("account".into()).expect("taken");
        let chain = seats(&["a", "b"]);
        assert_eq!(next(&taken, Some(&"a".into()), &chain, &[], begin), Next::Nothing);
        let late = begin.checked_add(SignedDuration::from_hours(2)).expect("time");
        assert_eq!(
            next(&taken, Some(&"a".into()), &chain, &[call(1, "b", Why::Open, begin, Answer::Settled)], late),
            Next::Call(chain[1].clone(), Why::Holding)
        );
        let done = taken.held(late).expect("held").answer(late).expect("answered");
        assert_eq!(next(&done, None, &chain, &[], Timestamp::MAX), Next::Nothing);
    }

    #[test]
    fn the_chain_goes_up_and_names_nobody_twice() {
        let list = chain(&[("county".into(), vec!["a".into(), "b".into()]), ("province".into(), vec!["b".into(), "c".into()])]);
        assert_eq!(list.iter().map(|seat| (seat.party.as_str(), seat.org.as_str())).collect::<Vec<_>>(), [("a", "county"), ("b", "county"), ("c", "province")]);
    }

    #[test]
    fn a_word_of_three_months_ago_still_counts_and_an_older_one_does_not() {
        assert!(is_confirmed(Some(date(2026, 1, 31)), date(2026, 4, 30)));
        assert!(!is_confirmed(Some(date(2026, 1, 31)), date(2026, 5, 1)));
        assert!(!is_confirmed(None, date(2026, 5, 1)));
    }
}
