//! `kepu bench reviews`: a queue of texts among reviewers with conflicts and ceilings, given away at once and, beside it, first come first served.
//! The arithmetic is the same that the desk and the night use; reading the tables is left out.

use crate::bench::Figure;
use kepu_app::create::review::engine::{Interests, Reviewer, Shared, Waiting, plan};
use kepu_domain::create::lane::SameOrg;
use kepu_domain::create::party::{Party, Qualification, Verified};
use kepu_domain::ids::{DraftId, OrgId, PartyId};
use kepu_domain::vocabulary::FIELDS;
use kepu_search::claims::learn::dice::Dice;
use std::collections::HashSet;
use std::time::Instant;

/// Texts for one reviewer.
const EACH: usize = 10;
/// Institutions that writers and reviewers come from.
const HOUSES: u64 = 300;

/// A queue with its people, the same for the same size.
fn town(texts: usize) -> (Vec<Waiting>, Vec<Reviewer>, Interests, jiff::civil::Date) {
    let (mut dice, day) = (Dice::new(20_261_126), jiff::civil::date(2026, 11, 26));
    let fields: Vec<&str> = FIELDS.terms().iter().map(|term| term.id.as_str()).collect();
    let mut draw = move |n: u64| dice.bits() % n;
    // Some fields are asked for far more than others.
    let field = |draw: &mut dyn FnMut(u64) -> u64| fields[(draw(fields.len() as u64).min(draw(fields.len() as u64))) as usize].to_owned();
    let seen = Verified { by: "bench".into(), on: day };
    let people: Vec<Reviewer> = (0..texts.div_ceil(EACH))
        .map(|n| {
            let own: Vec<String> = (0..2 + draw(4)).map(|_| field(&mut draw)).collect::<HashSet<_>>().into_iter().collect();
            let mut own = own;
            own.sort();
            let party = Party {
                id: PartyId(format!("p{n:05}")),
                org: OrgId(format!("h{}", draw(HOUSES))),
                fields: own,
                qualifications: vec![Qualification { what: "执业医师".into(), verified: Some(seen.clone()), ..Qualification::default() }],
                monthly_ceiling: 7 + i64::try_from(draw(21)).unwrap_or_default(),
                available: draw(20) > 0,
                ..Party::default()
            };
            Reviewer { held: u32::try_from(draw(5)).unwrap_or_default(), quiet: false, roster: false, party }
        })
        .collect();
    let reviewers = people.len() as u64;
    let interests: Interests = (0..texts / 4).map(|_| (PartyId(format!("p{:05}", draw(reviewers))), format!("p{:05}", draw(reviewers)))).collect();
    let waiting = (0..texts)
        .map(|n| {
            let mut own: Vec<String> = (0..1 + draw(3)).map(|_| field(&mut draw)).collect();
            own.sort();
            own.dedup();
            // A lane with two reviewers is a third of the queue.
            let medical = draw(3) == 0;
            Waiting {
                draft: DraftId(format!("d{n:06}")),
                title: String::new(),
                fields: own,
                needs: if medical { 2 } else { 1 },
                qualified: medical,
                qualifications: if medical { vec!["医师".into()] } else { vec![] },
                authors: vec![PartyId(format!("p{:05}", draw(reviewers)))],
                orgs: vec![OrgId(format!("h{}", draw(HOUSES)))],
                same_org: if medical { SameOrg::One } else { SameOrg::Allowed },
                same_org_taken: false,
                asked: HashSet::new(),
                urgent: false,
            }
        })
        .collect();
    (waiting, people, interests, day)
}

/// `size` texts among a tenth as many reviewers.
pub fn run(size: usize) -> anyhow::Result<Vec<Figure>> {
    let (waiting, people, interests, day) = town(size);
    let start = Instant::now();
    let found = plan(&waiting, &people, &interests, day)?;
    let solved = start.elapsed().as_secs_f64();
    let start = Instant::now();
    let greedy = found.first_come();
    let served = start.elapsed().as_secs_f64();
    let places: usize = waiting.iter().map(|text| text.needs).sum();
    let mut figures = vec![
        Figure::new("reviewers", people.len() as f64, "people"),
        Figure::new("places", places as f64, "reviews"),
        Figure::new("possible_pairs", found.pairs() as f64, "pairs"),
        Figure::new("time", solved, "s"),
        Figure::new("cost", found.cost, "fit"),
        Figure::new("bound", found.bound, "fit"),
        Figure::new("gap_proved", found.cost - found.bound, "fit"),
        Figure::new("optimal", f64::from(u8::from(found.optimal)), "1 = proved"),
        Figure::new("unfilled", found.unfilled() as f64, "places"),
        Figure::new("fit_mean", found.fit() / found.given.len().max(1) as f64, "of 1"),
    ];
    figures.extend(shared("", &found.shared));
    figures.extend([
        Figure::new("first_come_time", served, "s"),
        Figure::new("first_come_cost", greedy.load - greedy.fit, "fit"),
        Figure::new("first_come_unfilled", greedy.unfilled as f64, "places"),
        Figure::new("first_come_fit_mean", greedy.fit / (places - greedy.unfilled).max(1) as f64, "of 1"),
    ]);
    figures.extend(shared("first_come_", &greedy.shared));
    Ok(figures)
}

fn shared(which: &str, shared: &Shared) -> [Figure; 4] {
    [
        Figure::new(format!("{which}load_min"), f64::from(shared.min), "tasks"),
        Figure::new(format!("{which}load_median"), shared.median, "tasks"),
        Figure::new(format!("{which}load_max"), f64::from(shared.max), "tasks"),
        Figure::new(format!("{which}gini"), shared.gini, "of 1"),
    ]
}
