//! An application as somebody may see it: what is in it, what is missing, how the applicant stands against the criteria, what registry and
//! ledger show by themselves. Changing one is in `apply`.

use super::apply::{Opened, Rights, open, own_parties};
use super::{label_of, parties_of, proof, sets_of};
use crate::App;
use crate::create::party;
use crate::error::AppError;
use jiff::civil::Date;
use kepu_domain::access::Actor;
use kepu_domain::create::criteria::{Assessment, CriteriaSet};
use kepu_domain::create::party::Party;
use kepu_domain::create::round::{Application, Concern, JudgementStage, Round, RoundKind, RoundStage};
use kepu_domain::field::FieldDef;
use kepu_domain::ids::ApplicationId;
use kepu_domain::measure::contribution::{self, Stage as Line};
use kepu_store::Tx;
use kepu_store::create::round as store;
use serde_json::Value;
use std::collections::BTreeMap;

/// Something that the registry or the ledger shows by itself.
#[derive(Clone, Debug)]
pub enum Shown {
    /// A registry field, perhaps empty.
    Field(Box<FieldDef>, Value),
    /// A qualification that counts, with its last day.
    Qualification(String, Option<Date>),
    /// An honour, with its last day.
    Honour(String, Option<Date>),
    /// Confirmed contributions of a kind in three years: Chinese and English name, count.
    Contributions(String, String, i64),
}

/// An application as somebody may see it.
#[derive(Clone, Debug)]
pub struct ApplicationView {
    /// The application.
    pub application: Application,
    /// Its round.
    pub round: Round,
    /// Kind of the round.
    pub kind: RoundKind,
    /// Who applies, while the entry is there.
    pub party: Option<Party>,
    /// Their institution.
    pub org: String,
    /// The organisation that runs the round.
    pub office_name: String,
    /// What it is about.
    pub label: String,
    /// What the viewer may do.
    pub rights: Rights,
    /// What is missing, by field id.
    pub missing: Vec<String>,
    /// The criteria sets with what was found today.
    pub assessments: Vec<(CriteriaSet, Assessment)>,
    /// What does not hold any more.
    pub concerns: Vec<Concern>,
    /// What is shown without asking.
    pub shows: Vec<Shown>,
    /// Name of the body asked to recommend.
    pub recommender: String,
    /// Files among the proofs that are still kept, by digest.
    pub files: Vec<String>,
    /// Words of judges, without their names, once the round is decided.
    pub comments: Vec<String>,
}

/// An application, for who may see it.
pub async fn view(app: &App, who: &Actor, id: &ApplicationId) -> Result<ApplicationView, AppError> {
    let mut tx = app.db.read().await?;
    let Opened { application, round, kind, party, rights } = open(app, &mut tx, who, id).await?;
    let definitions = app.definitions();
    let sets = sets_of(app, &kind);
    let today = app.today();
    let (org, shows) = match &party {
        Some(party) => (party::org_name(&mut tx, &party.org).await?, shows(app, &mut tx, &kind, party).await?),
        None => (String::new(), vec![]),
    };
    let refs: Vec<&CriteriaSet> = sets.iter().collect();
    let over = matches!(round.stage, RoundStage::Decided { .. });
    Ok(ApplicationView {
        missing: party.as_ref().map(|p| application.missing(&kind, p, &definitions.registers)).unwrap_or_default(),
        concerns: application.concerns(party.as_ref(), &refs, &definitions.registers, today),
        assessments: party.iter().flat_map(|p| sets.iter().map(|set| (set.clone(), set.assess(p, today)))).collect(),
        label: party.as_ref().map(|p| label_of(&application, p)).unwrap_or_default(),
        recommender: match &application.recommender {
            Some(org) => party::org_name(&mut tx, org).await?,
            None => String::new(),
        },
        comments: if over && (rights.write || rights.office) { comments(&mut tx, &application).await? } else { vec![] },
        office_name: party::org_name(&mut tx, &round.org).await?,
        files: proof::held(&mut tx, &application).await?,
        application,
        round,
        kind,
        party,
        org,
        rights,
        shows,
    })
}

async fn comments(tx: &mut Tx, application: &Application) -> Result<Vec<String>, AppError> {
    let all = store::list_by_application(tx, &application.id, 100).await?;
    Ok(all
        .into_iter()
        .filter_map(|j| if let JudgementStage::Scored { comment, .. } = j.stage { Some(comment) } else { None })
        .filter(|c| !c.is_empty())
        .collect())
}

/// What registry and ledger show: the fields that the kind asks for, what is proved, what was done in three years.
async fn shows(app: &App, tx: &mut Tx, kind: &RoundKind, party: &Party) -> Result<Vec<Shown>, AppError> {
    let definitions = app.definitions();
    let fields = definitions.registers.fields_of(party);
    let today = app.today();
    let mut list: Vec<Shown> = Vec::new();
    for id in &kind.registry {
        let field = fields.iter().find(|f| f.id == *id).map(|f| (*f).clone());
        list.extend(field.map(|field| Shown::Field(Box::new(field), party.value(id))));
    }
    list.extend(party.qualifications.iter().filter(|q| q.counts(today)).map(|q| Shown::Qualification(q.what.clone(), q.until)));
    list.extend(party.honours.iter().filter(|h| h.until.is_none_or(|until| until >= today)).map(|h| Shown::Honour(h.title.clone(), h.until)));
    let since = today.saturating_sub(jiff::Span::new().years(3));
    let mut counts: BTreeMap<String, i64> = BTreeMap::new();
    for line in kepu_store::measure::contribution::list_by_party(tx, &party.id, since, today, 5_000).await? {
        if matches!(line.stage, Line::Confirmed { .. }) {
            *counts.entry(line.kind).or_default() += line.count;
        }
    }
    list.extend(counts.into_iter().map(|(id, n)| {
        let (zh, en) = contribution::kind(&id).map_or((id.clone(), id.clone()), |kind| (kind.zh.clone(), kind.en.clone()));
        Shown::Contributions(zh, en, n)
    }));
    Ok(list)
}

/// Applications that an account fills in, or that are about its own entry, the newest first, with their rounds and what they are about.
pub async fn own(app: &App, who: &Actor) -> Result<Vec<(Application, Round, String)>, AppError> {
    let Some(account) = who.account() else { return Ok(vec![]) };
    let mut tx = app.db.read().await?;
    let mut list = store::list_by_owner(&mut tx, account, 200).await?;
    for party in own_parties(&mut tx, who).await? {
        let more = store::list_by_party(&mut tx, &party.id, 50).await?;
        list.extend(more.into_iter().filter(|a| !list.iter().any(|known| known.id == a.id)).collect::<Vec<_>>());
    }
    list.sort_by(|a, b| b.id.cmp(&a.id));
    list.truncate(200);
    let parties = parties_of(&mut tx, list.iter().map(|a| a.party.clone())).await?;
    let mut out = Vec::with_capacity(list.len());
    for application in list {
        let round = store::get(&mut tx, &application.round).await?;
        let label = parties.get(&application.party).map(|party| label_of(&application, party)).unwrap_or_default();
        out.push((application, round, label));
    }
    Ok(out)
}
