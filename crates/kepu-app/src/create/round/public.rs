//! A round as everybody sees it: the call, the numbers once it has closed, the proposal and the results. Names stand only while the people agree.

use super::{applications, kind_of, label_of, office, parties_of, sets_of};
use crate::App;
use crate::create::party;
use crate::error::AppError;
use kepu_domain::access::Actor;
use kepu_domain::create::criteria::CriteriaSet;
use kepu_domain::create::party::Party;
use kepu_domain::create::round::{AppStage, Application, PUBLIC_CARD, Round, RoundKind, RoundStage};
use kepu_domain::ids::{ApplicationId, RoundId};
use kepu_store::Tx;
use kepu_store::create::round as store;
use std::collections::BTreeMap;

/// A line of the public list of a round.
#[derive(Clone, Debug)]
pub struct PublicLine {
    /// The application.
    pub id: ApplicationId,
    /// What it is about: the work, else who applied; empty if a name may not stand here any more.
    pub label: String,
    /// Who applied; empty if it may not stand here.
    pub name: String,
    /// Their institution.
    pub org: String,
    /// Rank, if judged.
    pub rank: Option<u32>,
    /// Total in hundredths of 0 to 100, if judged.
    pub total: Option<i64>,
    /// Its stage: `proposed`, `granted`, `revoked`.
    pub stage: AppStage,
    /// Money granted.
    pub money: String,
    /// Objections to it: all, and those without an answer.
    pub objections: (usize, usize),
}

/// A round as everybody sees it.
#[derive(Clone, Debug)]
pub struct PublicView {
    /// The round.
    pub round: Round,
    /// Its kind.
    pub kind: RoundKind,
    /// Name of the organisation.
    pub org: String,
    /// Criteria sets that applicants are held against.
    pub sets: Vec<CriteriaSet>,
    /// Applications in each stage, once the call has closed; before, nobody is told how many compete.
    pub counts: BTreeMap<String, i64>,
    /// What is proposed or granted.
    pub lines: Vec<PublicLine>,
    /// Whether `who` runs it.
    pub office: bool,
}

/// A round as everybody sees it.
pub async fn view(app: &App, who: &Actor, id: &RoundId) -> Result<PublicView, AppError> {
    let mut tx = app.db.read().await?;
    let round = store::get(&mut tx, id).await?;
    let is_office = office(&mut tx, who, &round).await.is_ok();
    if round.stage == RoundStage::Planned && !is_office {
        return Err(AppError::NotFound { what: "round", id: id.0.clone() });
    }
    let kind = kind_of(app, &round)?;
    let shown = matches!(round.stage, RoundStage::Publicity { .. } | RoundStage::Decided { .. });
    let closed = shown || app.now() >= round.closes;
    let counts = if closed { store::count_by_stage(&mut tx, id).await?.into_iter().collect() } else { BTreeMap::new() };
    let lines = if shown { public_lines(app, &mut tx, &round, &kind).await? } else { vec![] };
    Ok(PublicView { org: party::org_name(&mut tx, &round.org).await?, sets: sets_of(app, &kind), round, kind, counts, lines, office: is_office })
}

/// What is proposed or granted, in the order of ranks. Names stand only while the people agree.
async fn public_lines(app: &App, tx: &mut Tx, round: &Round, kind: &RoundKind) -> Result<Vec<PublicLine>, AppError> {
    let definitions = app.definitions();
    let registers = &definitions.registers;
    let list: Vec<Application> = applications(tx, &round.id).await?.into_iter().filter(|a| place_of(&a.stage).is_some()).collect();
    let parties = parties_of(tx, list.iter().map(|a| a.party.clone())).await?;
    let objections = store::list_objections(tx, &round.id, 10_000).await?;
    let mut lines = Vec::with_capacity(list.len());
    for a in list {
        let party = parties.get(&a.party);
        let agreed = |party: &&Party| !kind.private && (!party.kind.is_personal() || registers.consents(party, PUBLIC_CARD));
        let named = party.filter(agreed);
        let org = match named.filter(|p| p.kind.is_personal()) {
            Some(party) => party::org_name(tx, &party.org).await?,
            None => String::new(),
        };
        let about: Vec<_> = objections.iter().filter(|o| o.application == a.id).collect();
        let (rank, total) = place_of(&a.stage).unwrap_or_default();
        lines.push(PublicLine {
            label: named.map(|party| label_of(&a, party)).unwrap_or_default(),
            name: named.map(|party| party.name.clone()).unwrap_or_default(),
            org,
            rank: rank.or_else(|| a.placed.map(|(rank, _)| rank)).filter(|_| !kind.judged.is_empty()),
            total: total.or_else(|| a.placed.and_then(|(_, total)| total)),
            stage: a.stage,
            money: a.money,
            objections: (about.len(), about.iter().filter(|o| o.answered_at.is_none()).count()),
            id: a.id,
        });
    }
    lines.sort_by(|a, b| (a.rank.unwrap_or(u32::MAX), &a.id).cmp(&(b.rank.unwrap_or(u32::MAX), &b.id)));
    Ok(lines)
}

/// Rank and total of what stands in the public list; `None` for what does not.
fn place_of(stage: &AppStage) -> Option<(Option<u32>, Option<i64>)> {
    match stage {
        AppStage::Proposed { rank, total } => Some((Some(*rank), *total)),
        AppStage::Granted { .. } | AppStage::Revoked { .. } => Some((None, None)),
        _ => None,
    }
}
