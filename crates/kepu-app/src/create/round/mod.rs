//! Rounds of applications: opened, listed, called off. Applying is in `apply`, the office's part in `office`, who judges what in
//! `assign`, a judge's own part in `judge`, objections in `object`, what follows a decision in `after`, what
//! everybody sees in `public`, files that prove something in `proof`, arithmetic in `engine`.

pub mod after;
pub mod apply;
pub mod assign;
pub mod engine;
pub mod judge;
pub mod notices;
pub mod object;
pub mod office;
pub mod proof;
pub mod public;
pub(crate) mod sample;
pub mod seen;
#[cfg(test)]
mod tests;

pub use public::{PublicLine, PublicView, view};

use crate::account::log_detail;
use crate::create::party;
use crate::error::{AppError, FieldError};
use crate::{App, keys};
use jiff::Timestamp;
use kepu_domain::access::{Action, Actor, OrgLine};
use kepu_domain::create::criteria::CriteriaSet;
use kepu_domain::create::party::Party;
use kepu_domain::create::round::{Application, Round, RoundKind, RoundStage};
use kepu_domain::ids::{OrgId, PartyId, RoundId};
use kepu_domain::org::{OrgKind, Region};
use kepu_store::Tx;
use kepu_store::create::{party as parties, round as store};
use serde_json::json;
use std::collections::HashMap;

/// Rounds that are looked through for a list.
pub const ROUNDS_MAX: u32 = 1_000;
/// Applications of one round at most.
pub const APPLICATIONS_MAX: usize = 20_000;
/// Judgements of one round at most.
const JUDGEMENTS_MAX: u32 = 200_000;
/// Most judges on a panel.
pub const PANEL_MAX: usize = 500;

/// What a steward says to open a round.
#[derive(Clone, Debug, Default)]
pub struct Call {
    /// Kind.
    pub kind: String,
    /// Organisation that runs it.
    pub org: OrgId,
    /// Title.
    pub title: String,
    /// What is called for.
    pub call: String,
    /// First moment of application.
    pub opens: Timestamp,
    /// From this moment on nothing is taken.
    pub closes: Timestamp,
    /// Place it is for.
    pub region: Region,
    /// How many are granted at most.
    pub quota: Option<u32>,
    /// Least total of 0 to 100 to be granted.
    pub least: Option<i64>,
    /// Judges per application, if not as the kind says.
    pub judges: Option<usize>,
    /// Most applications for one judge.
    pub ceiling: Option<u32>,
    /// The panel, by registry id.
    pub panel: Vec<PartyId>,
}

/// Cleans what somebody wrote and bounds it; empty texts are refused where `min` is above 0.
pub(crate) fn words(field: &str, text: &str, min: usize, max: usize) -> Result<String, AppError> {
    let text = kepu_text::clean_text(text);
    let count = kepu_text::count(&text);
    let wrong = |error: FieldError| Err(AppError::Invalid(vec![error]));
    match count {
        0 if min > 0 => wrong(FieldError::new(field, "required")),
        n if n < min => wrong(FieldError::new(field, "short").with("count", n).with("min", min)),
        n if n > max => wrong(FieldError::new(field, "long").with("count", n).with("max", max)),
        _ => Ok(text),
    }
}

/// A round with its kind, as far as its file is still there.
pub(crate) fn kind_of(app: &App, round: &Round) -> Result<RoundKind, AppError> {
    app.definitions().rounds.get(&round.kind).cloned().ok_or_else(|| AppError::NotFound { what: "kind of round", id: round.kind.clone() })
}

/// The criteria sets of a kind, in its order.
pub(crate) fn sets_of(app: &App, kind: &RoundKind) -> Vec<CriteriaSet> {
    let definitions = app.definitions();
    kind.criteria.iter().filter_map(|id| definitions.criteria.get(id).cloned()).collect()
}

/// Whether `who` runs the round.
pub(crate) async fn office(tx: &mut Tx, who: &Actor, round: &Round) -> Result<(), AppError> {
    Ok(who.may(Action::ManageMembers, Some(&kepu_store::org::line(tx, &round.org).await?))?)
}

/// The round for who runs it; others are refused, and of one in preparation they learn nothing.
pub(crate) async fn open_office(tx: &mut Tx, who: &Actor, id: &RoundId) -> Result<Round, AppError> {
    let round = store::get(tx, id).await?;
    match office(tx, who, &round).await {
        Err(_) if round.stage == RoundStage::Planned => Err(AppError::NotFound { what: "round", id: id.0.clone() }),
        other => other.map(|()| round),
    }
}

/// Refuses a change of something that was read in another version.
pub(crate) fn fresh(what: &'static str, id: &str, seen: i64, now: i64) -> Result<(), AppError> {
    if seen == now { Ok(()) } else { Err(AppError::Stale { what, id: id.to_owned() }) }
}

/// Every application of a round.
pub(crate) async fn applications(tx: &mut Tx, round: &RoundId) -> Result<Vec<Application>, AppError> {
    let mut list: Vec<Application> = Vec::new();
    loop {
        let after = list.last().map_or(String::new(), |a| a.id.0.clone());
        let more = store::list_applications(tx, round, &after, 2_000).await?;
        let last = more.len() < 2_000;
        list.extend(more);
        if last || list.len() >= APPLICATIONS_MAX {
            return Ok(list);
        }
    }
}

/// Parties by id.
pub(crate) async fn parties_of(tx: &mut Tx, ids: impl Iterator<Item = PartyId>) -> Result<HashMap<PartyId, Party>, AppError> {
    let mut ids: Vec<PartyId> = ids.collect();
    ids.sort_unstable();
    ids.dedup();
    let mut found = HashMap::new();
    for chunk in ids.chunks(400) {
        found.extend(parties::find_many(tx, chunk).await?.into_iter().map(|party| (party.id.clone(), party)));
    }
    Ok(found)
}

/// The line of each institution, divisions left out: kinship of institutions, not of places.
#[derive(Debug, Default)]
pub(crate) struct Lines(HashMap<OrgId, Vec<OrgId>>);

impl Lines {
    pub(crate) async fn of(&mut self, tx: &mut Tx, org: &OrgId) -> Result<Vec<OrgId>, AppError> {
        if let Some(line) = self.0.get(org) {
            return Ok(line.clone());
        }
        let OrgLine(line) = kepu_store::org::line(tx, org).await?;
        let mut kept = Vec::new();
        for id in line {
            if id == *org || kepu_store::org::find(tx, &id).await?.is_some_and(|o| o.kind != OrgKind::Division) {
                kept.push(id);
            }
        }
        self.0.insert(org.clone(), kept.clone());
        Ok(kept)
    }
}

/// Opens a round and calls for applications.
///
/// May: stewards of the organisation. Writes: round, log.
pub async fn call(app: &App, who: &Actor, call: Call) -> Result<RoundId, AppError> {
    let mut tx = app.db.write().await?;
    let line = kepu_store::org::line(&mut tx, &call.org).await?;
    if line.0.is_empty() {
        return Err(AppError::Invalid(vec![FieldError::new("org", "required")]));
    }
    who.may(Action::ManageMembers, Some(&line))?;
    let round = checked(app, &mut tx, call).await?.call()?;
    store::insert(&mut tx, &round).await?;
    log_detail(app, &mut tx, &who.log_name(), "round.called", &round.id.0, &json!({"kind": round.kind})).await?;
    tx.commit().await?;
    Ok(round.id)
}

async fn checked(app: &App, tx: &mut Tx, call: Call) -> Result<Round, AppError> {
    let mut errors = Vec::new();
    let mut keep = |text: Result<String, AppError>| match text {
        Err(AppError::Invalid(list)) => {
            errors.extend(list);
            Ok(String::new())
        }
        other => other,
    };
    let title = keep(words("title", &call.title, 2, 80))?;
    let text = keep(words("call", &call.call, 10, 4_000))?;
    let mut wrong = |field: &str, key: &str| errors.push(FieldError::new(field, key));
    let definitions = app.definitions();
    let kind = definitions.rounds.get(&call.kind);
    if kind.is_none() {
        wrong("kind", "required");
    }
    if call.opens >= call.closes {
        wrong("closes", "round_closes");
    }
    if call.closes <= app.now() {
        wrong("closes", "round_past");
    }
    if call.quota == Some(0) || call.quota.is_some_and(|n| n > 100_000) {
        wrong("quota", "round_number");
    }
    if call.least.is_some_and(|least| !(0..=10_000).contains(&least)) {
        wrong("least", "round_least");
    }
    if call.judges.is_some_and(|n| n == 0 || n > 50) {
        wrong("judges", "round_number");
    }
    if call.ceiling.is_some_and(|n| n == 0 || n > 10_000) {
        wrong("ceiling", "round_number");
    }
    if call.panel.len() > PANEL_MAX {
        wrong("panel", "round_number");
    }
    let known = parties_of(tx, call.panel.iter().cloned()).await?;
    if call.panel.iter().any(|id| known.get(id).is_none_or(|p| !p.kind.is_personal())) {
        wrong("panel", "round_panel");
    }
    if !errors.is_empty() {
        return Err(AppError::Invalid(errors));
    }
    let sample = kepu_store::org::find(tx, &call.org).await?.is_some_and(|org| org.sample);
    let mut panel = call.panel;
    panel.sort_unstable();
    panel.dedup();
    Ok(Round {
        id: RoundId(keys::random_word(12)),
        kind: call.kind,
        title,
        call: text,
        org: call.org,
        opens: call.opens,
        closes: call.closes,
        quota: call.quota,
        least: call.least,
        region: call.region,
        panel,
        judges: call.judges,
        ceiling: call.ceiling,
        declared: vec![],
        proposer: None,
        sample,
        stage: RoundStage::Planned,
        version: 1,
    })
}

/// Sets the panel of a round whose applications are not all judged yet.
///
/// May: stewards of the organisation. Writes: round, log.
pub async fn set_panel(app: &App, who: &Actor, id: &RoundId, version: i64, panel: Vec<PartyId>) -> Result<(), AppError> {
    let mut tx = app.db.write().await?;
    let mut round = open_office(&mut tx, who, id).await?;
    fresh("round", &id.0, version, round.version)?;
    if !matches!(round.stage, RoundStage::Planned | RoundStage::Called | RoundStage::Judging) {
        return Err(kepu_domain::create::round::RoundError::WrongStage { stage: round.stage.name(), attempted: "given another panel" }.into());
    }
    let known = parties_of(&mut tx, panel.iter().cloned()).await?;
    if panel.len() > PANEL_MAX || panel.iter().any(|id| known.get(id).is_none_or(|p| !p.kind.is_personal())) {
        return Err(AppError::Invalid(vec![FieldError::new("panel", "round_panel")]));
    }
    round.panel = panel;
    round.panel.sort_unstable();
    round.panel.dedup();
    store::update(&mut tx, &round).await?;
    log_detail(app, &mut tx, &who.log_name(), "round.panel_set", &id.0, &json!({"judges": round.panel.len()})).await?;
    tx.commit().await?;
    Ok(())
}

/// Calls a round off, with a reason that everybody reads.
///
/// May: stewards of the organisation. Writes: round, log.
pub async fn cancel(app: &App, who: &Actor, id: &RoundId, version: i64, reason: &str) -> Result<(), AppError> {
    let reason = words("reason", reason, 2, 1_000)?;
    let mut tx = app.db.write().await?;
    let round = open_office(&mut tx, who, id).await?;
    fresh("round", &id.0, version, round.version)?;
    store::update(&mut tx, &round.cancel(&reason, app.now())?).await?;
    log_detail(app, &mut tx, &who.log_name(), "round.cancelled", &id.0, &json!({})).await?;
    tx.commit().await?;
    Ok(())
}

/// Which rounds somebody looks for.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// `open` (taking applications), `running` (between close and decision), `decided`, `over` (called off); empty: all.
    pub state: String,
    /// Kind, empty: all.
    pub kind: String,
    /// For this place or a larger one around it.
    pub region: Option<Region>,
}

/// Where a round stands for a reader, with the clock looked at.
pub fn state(round: &Round, now: Timestamp) -> &'static str {
    match &round.stage {
        RoundStage::Planned => "planned",
        RoundStage::Called if now < round.opens => "coming",
        RoundStage::Called if now < round.closes => "open",
        RoundStage::Called => "closed",
        RoundStage::Judging => "judging",
        RoundStage::Publicity { .. } => "publicity",
        RoundStage::Decided { .. } => "decided",
        RoundStage::Cancelled { .. } => "cancelled",
    }
}

/// Rounds for everybody: those that take applications by their close, then the others, the latest first; with the organisations' names.
pub async fn list(app: &App, wanted: &Wanted) -> Result<Vec<(Round, String)>, AppError> {
    let mut tx = app.db.read().await?;
    let now = app.now();
    let group = |round: &Round| match state(round, now) {
        "open" | "coming" => "open",
        "closed" | "judging" | "publicity" => "running",
        "decided" => "decided",
        _ => "over",
    };
    let fits = |round: &Round| {
        round.stage != RoundStage::Planned
            && (wanted.state.is_empty() || group(round) == wanted.state)
            && (wanted.kind.is_empty() || round.kind == wanted.kind)
            && wanted.region.is_none_or(|region| round.region.covers(region))
    };
    let mut rounds: Vec<Round> = store::list(&mut tx, ROUNDS_MAX).await?.into_iter().filter(fits).collect();
    rounds.sort_by_key(|round| {
        let open = group(round) == "open";
        let at = round.closes.as_millisecond();
        (!open, if open { at } else { -at }, round.id.clone())
    });
    let mut names: HashMap<OrgId, String> = HashMap::new();
    let mut list = Vec::with_capacity(rounds.len());
    for round in rounds {
        if !names.contains_key(&round.org) {
            let name = party::org_name(&mut tx, &round.org).await?;
            names.insert(round.org.clone(), name);
        }
        let name = names.get(&round.org).cloned().unwrap_or_default();
        list.push((round, name));
    }
    Ok(list)
}

/// What an application is about, in a line: the work or project it names, else who applies.
pub fn label_of(application: &Application, party: &Party) -> String {
    let answer = |id: &str| application.answers.get(id).and_then(|value| value.as_str()).map(str::to_owned);
    answer("work").or_else(|| answer("project")).unwrap_or_else(|| party.name.clone())
}
