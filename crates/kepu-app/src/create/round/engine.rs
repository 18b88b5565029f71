//! The arithmetic of a round, without store or clock: who judges what, and who comes first. `kepu bench rounds` measures the same functions.
//! Assignment itself is in `kepu-plan`, making scores comparable in `kepu-stats`.

use crate::error::AppError;
use jiff::Timestamp;
use jiff::civil::Date;
use kepu_domain::create::party::Party;
use kepu_domain::create::round::{Application, Declared, Interest, Judgement, JudgementStage, RoundKind, interest};
use kepu_domain::ids::{ApplicationId, OrgId, PartyId};
use kepu_plan::assign::{self, Cause, Forbidden, Options, Overlap, Pair, Person, Problem, Task};
use kepu_stats::judging::{Normalised, Score, normalise};
use kepu_stats::rank::{First, Key};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Whether a judge's scores were corrected, and why not.
pub use kepu_stats::judging::Standing as JudgeStanding;

/// Somebody on the panel.
#[derive(Clone, Debug)]
pub struct Seat {
    /// Who.
    pub party: Party,
    /// Their institution with those above it, divisions left out.
    pub line: Vec<OrgId>,
    /// Tasks held elsewhere: reviews, cases, other rounds.
    pub held: u32,
    /// Most tasks at a time, those held included; 0 for somebody who is away.
    pub ceiling: u32,
}

/// An application that is judged.
#[derive(Clone, Debug)]
pub struct Entrant {
    /// The application.
    pub application: Application,
    /// Who applies.
    pub party: Party,
    /// The applicant's institution with those above it, divisions left out.
    pub line: Vec<OrgId>,
}

/// What a new assignment brings.
#[derive(Clone, Debug)]
pub struct Planned {
    /// Judgements to add. What stood stays.
    pub given: Vec<Judgement>,
    /// Applications that still lack judges: how many, and why.
    pub short: Vec<(ApplicationId, usize, Cause)>,
    /// Sets of judges that no chain of shared applications connects, what stood included. More than one cannot be compared.
    pub groups: usize,
    /// Whether no better assignment of what was open exists.
    pub optimal: bool,
    /// Fewest and most tasks that anybody has now.
    pub load: (u32, u32),
}

/// Why `seat` may not judge `entrant`, if so.
pub fn interest_of(seat: &Seat, entrant: &Entrant, declared: &[Declared]) -> Option<Interest> {
    interest(&seat.party, &entrant.party, &entrant.application, &seat.line, &entrant.line, declared)
}

/// Gives every entrant as many judges as `each` says, keeping what `standing` holds: nobody with an interest, nobody twice, nobody who
/// recused, nobody beyond the ceiling; the best fit with fair loads among what is left.
pub fn plan(each: usize, declared: &[Declared], seats: &[Seat], entrants: &[Entrant], standing: &[Judgement], day: Date) -> Result<Planned, AppError> {
    let seat_at: HashMap<&PartyId, usize> = seats.iter().enumerate().map(|(at, seat)| (&seat.party.id, at)).collect();
    let mut asked: HashMap<&ApplicationId, Vec<&Judgement>> = HashMap::new();
    let mut load = vec![0_u32; seats.len()];
    for judgement in standing {
        asked.entry(&judgement.application).or_default().push(judgement);
        // What is scored counts too: a judge agreed to so many applications of the round.
        if !matches!(judgement.stage, JudgementStage::Recused { .. })
            && let Some(at) = seat_at.get(&judgement.judge)
        {
            load[*at] += 1;
        }
    }
    let holds = |application: &ApplicationId| asked.get(application).map_or(&[][..], Vec::as_slice);
    let counts = |j: &&&Judgement| !matches!(j.stage, JudgementStage::Recused { .. });
    let open: Vec<(&Entrant, usize)> = entrants
        .iter()
        .map(|entrant| (entrant, each.saturating_sub(holds(&entrant.application.id).iter().filter(counts).count())))
        .filter(|(_, needs)| *needs > 0)
        .collect();
    let mut problem = Problem {
        tasks: open.iter().map(|(_, needs)| Task { needs: u32::try_from(*needs).unwrap_or(u32::MAX) }).collect(),
        people: seats.iter().zip(&load).map(|(seat, here)| Person { ceiling: seat.ceiling, held: seat.held + here, target: None }).collect(),
        pairs: vec![],
        unlisted: Some(0.0),
        forbidden: vec![],
    };
    let proved: Vec<HashSet<&str>> = seats.iter().map(|seat| seat.party.proved_fields(day).into_iter().collect()).collect();
    for (task, (entrant, _)) in open.iter().enumerate() {
        let task = task as u32;
        let wanted = &entrant.party.fields;
        for (person, seat) in seats.iter().enumerate() {
            let pair = (task, person as u32);
            let done = holds(&entrant.application.id).iter().any(|j| j.judge == seat.party.id);
            if done || interest_of(seat, entrant, declared).is_some() {
                problem.forbidden.push(Forbidden { task: pair.0, person: pair.1 });
            } else {
                let covered = wanted.iter().filter(|field| proved[person].contains(field.as_str())).count();
                if covered > 0 {
                    problem.pairs.push(Pair { task: pair.0, person: pair.1, fit: covered as f64 / wanted.len() as f64 });
                }
            }
        }
    }
    let options = Options { overlap: Overlap::Prefer, ..Options::default() };
    let found = assign::assign(&problem, &options).map_err(|error| AppError::Record(error.to_string()))?;
    let mut given = Vec::new();
    let mut short = Vec::new();
    for ((entrant, _), assigned) in open.iter().zip(&found.tasks) {
        let id = &entrant.application.id;
        given.extend(assigned.people.iter().map(|at| Judgement {
            application: id.clone(),
            judge: seats[*at].party.id.clone(),
            stage: JudgementStage::Assigned,
        }));
        short.extend(assigned.shortage.map(|shortage| (id.clone(), shortage.places, shortage.cause)));
    }
    let groups = groups(standing.iter().filter(|j| counts(&j)).chain(&given));
    let optimal = found.optimal;
    Ok(Planned { given, short, groups, optimal, load: (found.balance.load_min, found.balance.load_max) })
}

/// Sets of judges connected by shared applications.
fn groups<'a>(judgements: impl Iterator<Item = &'a Judgement>) -> usize {
    let mut numbers: HashMap<&PartyId, usize> = HashMap::new();
    let mut first: HashMap<&ApplicationId, usize> = HashMap::new();
    let mut parent: Vec<usize> = Vec::new();
    fn root(parent: &mut [usize], mut at: usize) -> usize {
        while parent[at] != at {
            parent[at] = parent[parent[at]];
            at = parent[at];
        }
        at
    }
    for judgement in judgements {
        let judge = *numbers.entry(&judgement.judge).or_insert_with(|| {
            parent.push(parent.len());
            parent.len() - 1
        });
        let other = *first.entry(&judgement.application).or_insert(judge);
        let (a, b) = (root(&mut parent, judge), root(&mut parent, other));
        parent[a] = b;
    }
    (0..parent.len()).filter(|at| parent[*at] == *at).count()
}

/// Which total decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Adjusted for harsh and mild judges.
    Adjusted,
    /// Raw means: no judge has scores enough to be compared, or the estimate did not settle.
    Raw,
}

/// One application in the order.
#[derive(Clone, Debug, PartialEq)]
pub struct Placed {
    /// Which.
    pub application: ApplicationId,
    /// From 1.
    pub rank: u32,
    /// Scores it has.
    pub scores: usize,
    /// Mean of the totals, 0 to 100.
    pub raw: f64,
    /// What average judges would give.
    pub adjusted: f64,
    /// Standard error of `adjusted`, if it can be told.
    pub std_error: Option<f64>,
    /// What parted it from the one before: `score`, a tie rule, or nothing.
    pub decided_by: String,
}

impl Placed {
    /// The total that decides, in hundredths.
    pub fn total(&self, by: By) -> i64 {
        let value = if by == By::Adjusted { self.adjusted } else { self.raw };
        (value.clamp(0.0, 100.0) * 100.0).round() as i64
    }
}

/// One judge's way of scoring.
#[derive(Clone, Debug, PartialEq)]
pub struct JudgeLine {
    /// Who.
    pub judge: PartyId,
    /// Scores given.
    pub scores: usize,
    /// Their mean.
    pub raw_mean: f64,
    /// Points below an average judge.
    pub harshness: f64,
    /// How far apart, 1 for the common spread.
    pub spread: f64,
    /// Whether it was corrected, and why not.
    pub standing: JudgeStanding,
}

/// The order of a round.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranking {
    /// Applications, the best first. Those without a score are not in it.
    pub places: Vec<Placed>,
    /// Judges with a score, by id.
    pub judges: Vec<JudgeLine>,
    /// Sets of applications that cannot be compared with each other.
    pub groups: usize,
    /// Which total decides.
    pub by: By,
    /// Whether the estimate settled.
    pub converged: bool,
}

/// Orders `entries` (each with the moment it was handed in) by their scores; ties fall as the kind says.
pub fn ranking(kind: &RoundKind, entries: &[(ApplicationId, Timestamp)], judgements: &[Judgement]) -> Result<Ranking, AppError> {
    let index: HashMap<&ApplicationId, usize> = entries.iter().enumerate().map(|(at, (id, _))| (id, at)).collect();
    let mut judges: BTreeMap<&PartyId, usize> = BTreeMap::new();
    let scored: Vec<(usize, &PartyId, &BTreeMap<String, i64>, f64)> = judgements
        .iter()
        .filter_map(|j| match &j.stage {
            JudgementStage::Scored { scores, .. } => Some((*index.get(&j.application)?, &j.judge, scores, kind.total(scores)? as f64 / 100.0)),
            _ => None,
        })
        .collect();
    judges.extend(scored.iter().map(|(_, judge, ..)| (*judge, 0)));
    judges.values_mut().enumerate().for_each(|(at, slot)| *slot = at);
    if scored.is_empty() {
        return Ok(Ranking { places: vec![], judges: vec![], groups: 0, by: By::Raw, converged: true });
    }
    let scores: Vec<Score> =
        scored.iter().map(|(application, judge, _, value)| Score { application: *application, judge: judges[judge], value: *value }).collect();
    let found = normalise(entries.len(), judges.len(), &scores, &kepu_stats::judging::Options::default()).map_err(|e| AppError::Record(e.to_string()))?;
    let corrected = found.judges.iter().any(|judge| judge.standing == JudgeStanding::Corrected);
    let by = if found.converged && corrected { By::Adjusted } else { By::Raw };
    let places = places(kind, entries, &scored, &found, by)?;
    let judges = judges.into_iter().zip(&found.judges).map(|((id, _), judge)| JudgeLine {
        judge: id.clone(),
        scores: judge.scores,
        raw_mean: judge.raw_mean.unwrap_or_default(),
        harshness: judge.harshness,
        spread: judge.spread,
        standing: judge.standing,
    });
    Ok(Ranking { places, judges: judges.collect(), groups: found.groups, by, converged: found.converged })
}

type Scored<'a> = (usize, &'a PartyId, &'a BTreeMap<String, i64>, f64);

fn places(kind: &RoundKind, entries: &[(ApplicationId, Timestamp)], scored: &[Scored<'_>], found: &Normalised, by: By) -> Result<Vec<Placed>, AppError> {
    let rows: Vec<usize> = (0..entries.len()).filter(|at| found.applications[*at].scores > 0).collect();
    let raw = |at: usize| found.applications[at].raw_mean.unwrap_or_default();
    let adjusted = |at: usize| found.applications[at].adjusted.unwrap_or_default();
    let mut of: Vec<Vec<&Scored<'_>>> = vec![vec![]; entries.len()];
    scored.iter().for_each(|score| of[score.0].push(score));
    let mean = |at: usize, value: &dyn Fn(&Scored<'_>) -> f64| of[at].iter().map(|s| value(s)).sum::<f64>() / of[at].len().max(1) as f64;
    let mut columns: Vec<(Vec<f64>, First, u8)> =
        vec![(rows.iter().map(|at| if by == By::Adjusted { adjusted(*at) } else { raw(*at) }).collect(), First::Highest, 2)];
    for tie in &kind.ties {
        columns.push(match tie.as_str() {
            "earlier" => (rows.iter().map(|at| entries[*at].1.as_second() as f64).collect(), First::Lowest, 0),
            "spread" => {
                let spread = |at: usize| {
                    let centre = mean(at, &|s| s.3);
                    mean(at, &|s| (s.3 - centre) * (s.3 - centre)).sqrt()
                };
                (rows.iter().map(|at| spread(*at)).collect(), First::Lowest, 4)
            }
            other => {
                let id = other.strip_prefix("judged:").unwrap_or_default();
                (rows.iter().map(|at| mean(*at, &|s| s.2.get(id).copied().unwrap_or_default() as f64)).collect(), First::Highest, 4)
            }
        });
    }
    let keys: Vec<Key<'_>> = columns.iter().map(|(values, first, decimals)| Key { values, first: *first, decimals: Some(*decimals) }).collect();
    let ranked = kepu_stats::rank::rank(&keys).map_err(|e| AppError::Record(e.to_string()))?;
    let word = |key: Option<usize>| match key {
        None => String::new(),
        Some(0) => "score".into(),
        Some(n) => kind.ties[n - 1].clone(),
    };
    Ok(ranked
        .into_iter()
        .map(|r| {
            let at = rows[r.row];
            Placed {
                application: entries[at].0.clone(),
                rank: u32::try_from(r.rank).unwrap_or(u32::MAX),
                scores: found.applications[at].scores,
                raw: raw(at),
                adjusted: adjusted(at),
                std_error: found.applications[at].std_error,
                decided_by: word(r.decided_by),
            }
        })
        .collect())
}

/// The ranks that are proposed: within the quota and at `least` (hundredths) or above. A rank that several share at the end of the
/// quota is not cut: `Err` names it.
pub fn chosen(ranking: &Ranking, quota: Option<u32>, least: Option<i64>) -> Result<usize, u32> {
    let good = ranking.places.iter().take_while(|p| least.is_none_or(|least| p.total(ranking.by) >= least)).count();
    let Some(quota) = quota.map(|n| n as usize).filter(|n| *n < good) else { return Ok(good) };
    let last = &ranking.places[quota.max(1) - 1];
    if quota > 0 && ranking.places[quota].rank == last.rank { Err(last.rank) } else { Ok(quota) }
}

#[cfg(test)]
#[path = "engine_tests.rs"]
mod tests;
