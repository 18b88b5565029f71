//! Sample rounds, one in every stage, so that a newcomer sees what each looks like. All of them are fictional and say so.

use super::{after, kind_of, sets_of};
use crate::App;
use crate::create::party;
use crate::error::AppError;
use jiff::Timestamp;
use kepu_domain::access::Actor;
use kepu_domain::create::criteria::CriteriaSet;
use kepu_domain::create::party::Party;
use kepu_domain::create::round::{AppStage, Application, Held, Judgement, JudgementStage, Round, RoundStage};
use kepu_domain::ids::{AccountId, ApplicationId, ObjectionId, OrgId, PartyId, RoundId};
use kepu_domain::org::Region;
use kepu_store::Tx;
use kepu_store::create::party::{self as parties, Entry};
use kepu_store::create::round as store;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

const ROUNDS: &str = include_str!("../../../../../data/seed/rounds.json");

#[derive(Deserialize)]
struct Samples {
    parties: Vec<Party>,
    rounds: Vec<SampleRound>,
}

/// A round with its moments in days from today.
#[derive(Deserialize)]
struct SampleRound {
    id: RoundId,
    kind: String,
    org: OrgId,
    title: String,
    call: String,
    opens: i64,
    closes: i64,
    quota: Option<u32>,
    state: String,
    #[serde(default)]
    since: i64,
    panel: Vec<PartyId>,
    applications: Vec<SampleApplication>,
    #[serde(default)]
    objection: Option<SampleObjection>,
}

#[derive(Deserialize)]
struct SampleApplication {
    id: ApplicationId,
    party: PartyId,
    stage: String,
    #[serde(default)]
    money: String,
    answers: BTreeMap<String, Value>,
    /// Scores by judge; nothing while the judge has not scored.
    #[serde(default)]
    scores: BTreeMap<PartyId, Option<BTreeMap<String, i64>>>,
}

#[derive(Deserialize)]
struct SampleObjection {
    id: ObjectionId,
    application: ApplicationId,
    words: String,
}

/// Writes the sample rounds. Institutions and people of the samples must be there.
pub(crate) async fn write(app: &App, tx: &mut Tx) -> Result<(), AppError> {
    let samples: Samples = serde_json::from_str(ROUNDS).map_err(|e| AppError::Record(format!("rounds.json: {e}")))?;
    for party in samples.parties {
        let party = Party { confirmed: Some(app.today()), available: true, ..party };
        let entry = Entry { name_fold: kepu_text::fold(&party.name), party, changed_at: app.now().as_millisecond(), version: 1 };
        parties::insert(tx, &entry).await?;
        party::tell(app, tx, &entry.party).await?;
    }
    for sample in samples.rounds {
        write_round(app, tx, sample).await?;
    }
    Ok(())
}

async fn write_round(app: &App, tx: &mut Tx, sample: SampleRound) -> Result<(), AppError> {
    // Calls open in the morning and close in the afternoon, as offices do.
    let at = |n: i64, hour: i8| {
        let day = app.today().saturating_add(jiff::Span::new().days(n));
        jiff::tz::Offset::constant(8).to_timestamp(day.at(hour, 0, 0, 0)).unwrap_or(Timestamp::MAX)
    };
    let days = |n: i64| at(n, 9);
    let mut round = Round {
        id: sample.id,
        kind: sample.kind,
        title: sample.title,
        call: sample.call,
        org: sample.org,
        opens: days(sample.opens),
        closes: at(sample.closes, 17),
        quota: sample.quota,
        least: None,
        region: Region::NATION,
        panel: sample.panel,
        judges: None,
        ceiling: Some(20),
        declared: vec![],
        proposer: None,
        sample: true,
        stage: RoundStage::Called,
        version: 1,
    };
    let kind = kind_of(app, &round)?;
    round.stage = match sample.state.as_str() {
        "judging" => RoundStage::Judging,
        "publicity" => RoundStage::Publicity { from: days(sample.since), until: days(sample.since + kind.publicity_days) },
        "decided" => RoundStage::Decided { at: days(sample.since) },
        _ => RoundStage::Called,
    };
    store::insert(tx, &round).await?;
    let mut rank = 0;
    for one in sample.applications {
        let party = parties::get(tx, &one.party).await?;
        let handed_in = days(sample.closes.min(0) - 1);
        let mut application = Application::begin(one.id, &round, one.party, AccountId::from("sample"));
        application.answers = one.answers;
        application.money = one.money;
        let totals: Vec<i64> = one.scores.values().flatten().filter_map(|scores| kind.total(scores)).collect();
        let total = (!totals.is_empty()).then(|| totals.iter().sum::<i64>() / totals.len() as i64);
        if one.stage != "writing" {
            let sets = sets_of(app, &kind);
            let refs: Vec<&CriteriaSet> = sets.iter().collect();
            application.submitted = Some(handed_in);
            application.held = Some(Held::of(&party, &refs, &app.definitions().registers, app.today()));
            rank += 1;
            application.placed = matches!(one.stage.as_str(), "proposed" | "granted").then_some((rank, total));
        }
        application.stage = match one.stage.as_str() {
            "submitted" => AppStage::Submitted { at: handed_in },
            "complete" => AppStage::Complete { at: handed_in },
            "proposed" | "granted" => AppStage::Proposed { rank, total },
            "not_proposed" => AppStage::NotProposed { rank: Some(rank), reason: "超出本轮名额（示例）".into(), next: None },
            _ => AppStage::Writing { remark: String::new() },
        };
        store::insert_application(tx, &application).await?;
        let judgements: Vec<Judgement> = one.scores.into_iter().map(|(judge, scores)| judgement(&application.id, judge, scores, handed_in)).collect();
        store::put_judgements(tx, &round.id, &judgements).await?;
        if one.stage == "granted" {
            let node = Actor::Node { name: "operator".into() };
            after::grant(app, tx, &node, &round, &kind, application).await?;
        }
    }
    if let Some(objection) = sample.objection {
        let objection = store::Objection {
            id: objection.id,
            round: round.id,
            application: objection.application,
            at: app.now(),
            words: objection.words,
            contact: String::new(),
            answer: String::new(),
            upheld: false,
            answered_at: None,
            answered_by: None,
        };
        store::insert_objection(tx, &objection).await?;
    }
    Ok(())
}

fn judgement(application: &ApplicationId, judge: PartyId, scores: Option<BTreeMap<String, i64>>, at: Timestamp) -> Judgement {
    let stage = match scores {
        Some(scores) => JudgementStage::Scored { scores, comment: String::new(), at },
        None => JudgementStage::Assigned,
    };
    Judgement { application: application.clone(), judge, stage }
}
