//! `kepu bench rounds`: a round whose truth is planted. Works have a quality, judges a harshness and a spread; the engine assigns and orders as it
//! does for an office, once in memory and once through a node's tables. The question: does the order come nearer to the truth than raw means do?

use crate::bench::Figure;
use anyhow::Context;
use jiff::Timestamp;
use kepu_app::create::round::engine::{By, Entrant, Seat, interest_of, plan, ranking};
use kepu_app::create::round::{assign, office};
use kepu_app::{App, Options, keys::NodeKey, node};
use kepu_domain::access::Actor;
use kepu_domain::create::party::{Consent, Party, Qualification, Verified};
use kepu_domain::create::round::{AppStage, Application, Judgement, JudgementStage, Round, RoundKind, RoundStage, built_in};
use kepu_domain::ids::{AccountId, ApplicationId, OrgId, PartyId};
use kepu_domain::org::Region;
use kepu_search::claims::learn::dice::Dice;
use kepu_stats::rank::kendall;
use kepu_store::create::party::{self as parties, Entry};
use kepu_store::create::round as store;
use std::collections::{BTreeMap, HashMap};
use std::time::Instant;

/// Judges of each work.
const EACH: usize = 5;
/// Institutions that works and judges come from.
const HOUSES: u64 = 400;

struct Town {
    kind: RoundKind,
    round: Round,
    seats: Vec<Seat>,
    entrants: Vec<Entrant>,
    quality: HashMap<ApplicationId, f64>,
    /// Harshness and spread.
    manner: HashMap<PartyId, (f64, f64)>,
    dice: Dice,
}

fn person(id: String, house: u64, day: jiff::civil::Date) -> Party {
    let seen = Verified { by: "bench".into(), on: day };
    Party {
        name: id.clone(),
        id: PartyId(id),
        org: OrgId(format!("house-{house}")),
        fields: vec!["health".into()],
        qualifications: vec![Qualification { what: "x".into(), verified: Some(seen), ..Qualification::default() }],
        consents: vec![Consent { purpose: "public_card".into(), version: 1, given: Timestamp::UNIX_EPOCH, withdrawn: None }],
        available: true,
        monthly_ceiling: 8,
        ..Party::default()
    }
}

fn town(works: usize, judges: usize) -> anyhow::Result<Town> {
    let file = built_in().into_iter().find(|file| file.name == "works-prize.json").context("the works prize")?;
    let kind = RoundKind::read(&file).map_err(|mistakes| anyhow::anyhow!("{mistakes:?}"))?;
    let (mut dice, day) = (Dice::new(20_261_125), jiff::civil::date(2026, 11, 25));
    let ceiling = u32::try_from((works * EACH).div_ceil(judges.max(1)) * 6 / 5 + 1)?;
    let mut manner = HashMap::new();
    let seats: Vec<Seat> = (0..judges)
        .map(|n| {
            let party = person(format!("judge-{n:04}"), dice.bits() % HOUSES, day);
            manner.insert(party.id.clone(), (9.0 * dice.normal(), 0.5 + 1.1 * dice.unit()));
            Seat { line: vec![party.org.clone()], party, held: 0, ceiling }
        })
        .collect();
    let round = Round {
        id: "bench".into(),
        kind: kind.id.clone(),
        title: "bench".into(),
        call: String::new(),
        org: "000000".into(),
        opens: Timestamp::from_second(1)?,
        closes: Timestamp::from_second(2)?,
        quota: Some(u32::try_from(works / 20)?),
        least: None,
        region: Region::NATION,
        panel: seats.iter().map(|seat| seat.party.id.clone()).collect(),
        judges: Some(EACH),
        ceiling: Some(ceiling),
        declared: vec![],
        proposer: None,
        sample: true,
        stage: RoundStage::Called,
        version: 1,
    };
    let mut quality = HashMap::new();
    let entrants = (0..works)
        .map(|n| {
            let party = person(format!("author-{n:05}"), dice.bits() % HOUSES, day);
            let id = ApplicationId(format!("work-{n:05}"));
            quality.insert(id.clone(), 60.0 + 9.0 * dice.normal());
            let mut application = Application::begin(id, &round, party.id.clone(), AccountId::from("bench"));
            let at = Timestamp::from_second(1).unwrap_or(Timestamp::UNIX_EPOCH);
            application.stage = AppStage::Complete { at };
            application.submitted = Some(at);
            Entrant { line: vec![party.org.clone()], application, party }
        })
        .collect();
    Ok(Town { kind, round, seats, entrants, quality, manner, dice })
}

impl Town {
    /// The scores that a judge gives: the planted quality through the judge's own manner, in whole points of each item.
    fn score(&mut self, judgement: &Judgement) -> Judgement {
        let (harshness, spread) = self.manner[&judgement.judge];
        let total = 60.0 + (self.quality[&judgement.application] - 60.0) * spread - harshness + 7.0 * self.dice.normal();
        let mut scores = BTreeMap::new();
        for item in &self.kind.judged {
            let points = total / 100.0 * item.max as f64 + 0.4 * self.dice.normal();
            scores.insert(item.id.clone(), (points.round() as i64).clamp(0, item.max));
        }
        let stage = JudgementStage::Scored { scores, comment: String::new(), at: Timestamp::UNIX_EPOCH };
        Judgement { stage, ..judgement.clone() }
    }
}

/// The round in memory, then through a node.
pub async fn run(works: usize) -> anyhow::Result<Vec<Figure>> {
    let judges = (works / 25).max(EACH + 1);
    let mut town = town(works, judges)?;
    let day = jiff::civil::date(2026, 11, 25);
    let start = Instant::now();
    let planned = plan(EACH, &[], &town.seats, &town.entrants, &[], day)?;
    let assigning = start.elapsed().as_secs_f64();
    anyhow::ensure!(planned.short.is_empty() && planned.groups == 1, "{} places stayed empty, {} groups", planned.short.len(), planned.groups);
    let by_id: HashMap<&ApplicationId, &Entrant> = town.entrants.iter().map(|e| (&e.application.id, e)).collect();
    let seat: HashMap<&PartyId, &Seat> = town.seats.iter().map(|s| (&s.party.id, s)).collect();
    let broken = planned.given.iter().filter(|j| interest_of(seat[&j.judge], by_id[&j.application], &[]).is_some()).count();
    anyhow::ensure!(broken == 0, "{broken} recusals were broken");
    let scored: Vec<Judgement> = planned.given.iter().map(|j| town.score(j)).collect();
    let entries: Vec<(ApplicationId, Timestamp)> = town.entrants.iter().map(|e| (e.application.id.clone(), Timestamp::UNIX_EPOCH)).collect();
    let start = Instant::now();
    let order = ranking(&town.kind, &entries, &scored)?;
    let ordering = start.elapsed().as_secs_f64();
    anyhow::ensure!(order.by == By::Adjusted && order.groups == 1, "the scores could not be compared");
    let column = |value: &dyn Fn(&kepu_app::create::round::engine::Placed) -> f64| order.places.iter().map(value).collect::<Vec<f64>>();
    let truth = column(&|p| town.quality[&p.application]);
    let raw = kendall(&truth, &column(&|p| p.raw))?.tau_b();
    let adjusted = kendall(&truth, &column(&|p| p.adjusted))?.tau_b();
    let mut figures = vec![
        Figure::new("works", works as f64, "works"),
        Figure::new("judges", judges as f64, "judges"),
        Figure::new("assigned", assigning, "s"),
        Figure::new("assigned_best", f64::from(u8::from(planned.optimal)), "1 = proven"),
        Figure::new("load_least", f64::from(planned.load.0), "works"),
        Figure::new("load_most", f64::from(planned.load.1), "works"),
        Figure::new("ordered", ordering, "s"),
        Figure::new("tau_raw", raw, "Kendall tau-b"),
        Figure::new("tau_adjusted", adjusted, "Kendall tau-b"),
    ];
    figures.extend(through_a_node(&mut town).await?);
    Ok(figures)
}

/// The same through the operations of a node: what an office waits for.
async fn through_a_node(town: &mut Town) -> anyhow::Result<Vec<Figure>> {
    let folder = tempfile::tempdir()?;
    drop(
        node::init(folder.path(), node::Init { name: "bench".into(), region: Region::NATION, suite: kepu_sync::suite::Suite::Ed25519, database: None }).await?,
    );
    let options = Options { data: folder.path().to_owned(), database: None, index: false };
    let app = App::open_with(options, NodeKey::load(folder.path())?, Box::new(Timestamp::now)).await?;
    let people = town.seats.iter().map(|s| &s.party).chain(town.entrants.iter().map(|e| &e.party));
    let entries: Vec<Entry> = people.map(|party| Entry { name_fold: party.name.clone(), party: party.clone(), changed_at: 0, version: 1 }).collect();
    let mut tx = app.db.write().await?;
    parties::upsert_many(&mut tx, &entries).await?;
    store::insert(&mut tx, &town.round).await?;
    for entrant in &town.entrants {
        store::insert_application(&mut tx, &entrant.application).await?;
    }
    tx.commit().await?;
    let operator = Actor::Node { name: "operator".into() };
    let start = Instant::now();
    assign::assign(&app, &operator, &town.round.id, 1).await?;
    let assigned = start.elapsed().as_secs_f64();
    let mut tx = app.db.write().await?;
    let given = store::list_judgements(&mut tx, &town.round.id, 1_000_000).await?;
    let scored: Vec<Judgement> = given.iter().map(|j| town.score(j)).collect();
    store::put_judgements(&mut tx, &town.round.id, &scored).await?;
    tx.commit().await?;
    let start = Instant::now();
    office::view(&app, &operator, &town.round.id).await?;
    let viewed = start.elapsed().as_secs_f64();
    let start = Instant::now();
    office::propose(&app, &operator, &town.round.id, 2).await?;
    let proposed = start.elapsed().as_secs_f64();
    Ok(vec![Figure::new("node_assigned", assigned, "s"), Figure::new("node_office_page", viewed, "s"), Figure::new("node_proposed", proposed, "s")])
}
