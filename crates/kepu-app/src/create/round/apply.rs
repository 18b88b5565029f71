//! Applying: who may, the draft, the test, handing in, taking back; after the grant what was
//! delivered and the report of the year. The office's part is in `office`, what somebody sees of an application in `seen`.

pub use super::seen::{ApplicationView, Shown, own, view};

use super::{applications, fresh, kind_of, office, proof, sets_of, words};
use crate::account::log_detail;
use crate::create::{party, publish};
use crate::error::{AppError, FieldError};
use crate::{App, keys};
use kepu_domain::access::{Action, Actor, Denied, Role};
use kepu_domain::create::draft::Matter;
use kepu_domain::create::party::Party;
use kepu_domain::create::round::{AppStage, Application, Evidence, Held, Round, RoundError, RoundKind};
use kepu_domain::field::{Fault, FieldDef};
use kepu_domain::ids::{ApplicationId, OrgId, PartyId, RoundId, SubjectId};
use kepu_store::Tx;
use kepu_store::create::{party as parties, round as store};
use kepu_store::subject::{self, Standing as Public};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Most proofs of one application.
pub const EVIDENCE_MAX: usize = 20;

/// What somebody may do with an application.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    /// Write it, hand it in, take it back: whom it is about, who keeps their entry, who began it.
    pub write: bool,
    /// Check it: the organisation that runs the round.
    pub office: bool,
    /// Recommend it: the body that was asked.
    pub recommend: bool,
}

/// What `who` may do with it; `None`: not even know of it.
pub(crate) async fn rights(tx: &mut Tx, who: &Actor, application: &Application, round: &Round, party: Option<&Party>) -> Result<Option<Rights>, AppError> {
    let mut rights = Rights { office: office(tx, who, round).await.is_ok(), ..Rights::default() };
    rights.write = who.account() == Some(&application.owner);
    if let Some(party) = party {
        let standing = party::standing(tx, who, party).await?;
        rights.write |= matches!(standing, Some(party::Standing::Own | party::Standing::Keeper)) && matches!(who, Actor::Person { .. });
    }
    if let Some(org) = &application.recommender {
        rights.recommend = who.may(Action::ManageMembers, Some(&kepu_store::org::line(tx, org).await?)).is_ok();
    }
    // The office and the body that recommends look at what was handed in, not at drafts.
    let writing = matches!(application.stage, AppStage::Writing { .. });
    rights.office &= !writing;
    rights.recommend &= !writing;
    Ok((rights.write || rights.office || rights.recommend).then_some(rights))
}

/// An application with its round and party, for somebody who may see it.
pub(crate) struct Opened {
    pub(crate) application: Application,
    pub(crate) round: Round,
    pub(crate) kind: RoundKind,
    pub(crate) party: Option<Party>,
    pub(crate) rights: Rights,
}

pub(crate) async fn open(app: &App, tx: &mut Tx, who: &Actor, id: &ApplicationId) -> Result<Opened, AppError> {
    let application = store::get_application(tx, id).await?;
    let round = store::get(tx, &application.round).await?;
    let party = parties::find(tx, &application.party).await?;
    let missing = || AppError::NotFound { what: "application", id: id.0.clone() };
    let rights = rights(tx, who, &application, &round, party.as_ref()).await?.ok_or_else(missing)?;
    Ok(Opened { kind: kind_of(app, &round)?, application, round, party, rights })
}

impl Opened {
    /// Goes on only for who writes it.
    pub(crate) fn writer(self) -> Result<Self, AppError> {
        if self.rights.write { Ok(self) } else { Err(Denied::NoRole { action: Action::ManageMembers }.into()) }
    }
    /// Goes on only for the office.
    pub(crate) fn office(self) -> Result<Self, AppError> {
        if self.rights.office { Ok(self) } else { Err(Denied::NoRole { action: Action::ManageMembers }.into()) }
    }
    /// The applicant, who must still be there.
    pub(crate) fn applicant(&self) -> Result<&Party, AppError> {
        self.party.as_ref().ok_or_else(|| AppError::NotFound { what: "party", id: self.application.party.0.clone() })
    }
}

/// Stores a changed application with its entry in the log.
pub(crate) async fn keep(app: &App, tx: &mut Tx, who: &Actor, application: &Application, word: &str, detail: &Value) -> Result<(), AppError> {
    store::update_application(tx, application).await?;
    log_detail(app, tx, &who.log_name(), word, &application.id.0, detail).await
}

/// Entries for which `who` could apply: their own, and those of institutions whose steward they are.
pub async fn candidates(app: &App, who: &Actor, id: &RoundId) -> Result<Vec<Party>, AppError> {
    let mut tx = app.db.read().await?;
    let round = store::get(&mut tx, id).await?;
    let kind = kind_of(app, &round)?;
    let mut list = own_parties(&mut tx, who).await?;
    list.retain(|party| kind.applicants.contains(&party.kind) && party.merged_into.is_none());
    Ok(list)
}

/// The entries that `who` may speak for.
pub async fn own_parties(tx: &mut Tx, who: &Actor) -> Result<Vec<Party>, AppError> {
    let mut list = Vec::new();
    if let Some(id) = crate::create::review::party_of(tx, who).await? {
        list.extend(parties::find(tx, &id).await?);
    }
    if let Actor::Person { memberships, .. } = who {
        for membership in memberships.iter().filter(|m| m.role == Role::Steward) {
            let more = parties::list_by_org(tx, &membership.org, 200).await?;
            list.extend(more.into_iter().filter(|party| !list.iter().any(|known| known.id == party.id)).collect::<Vec<_>>());
        }
    }
    Ok(list)
}

/// Begins an application, or finds the one that was begun: one for a party and round, or one at a time where several may be handed in.
///
/// May: the party, and stewards of its institution. Writes: application, log.
pub async fn begin(app: &App, who: &Actor, id: &RoundId, party: &PartyId) -> Result<ApplicationId, AppError> {
    let mut tx = app.db.write().await?;
    let round = store::get(&mut tx, id).await?;
    let kind = kind_of(app, &round)?;
    let found = parties::find(&mut tx, party).await?;
    let standing = match &found {
        Some(found) => party::standing(&mut tx, who, found).await?,
        None => None,
    };
    let (Some(party), Some(party::Standing::Own | party::Standing::Keeper)) = (found, standing) else {
        return Err(AppError::NotFound { what: "party", id: party.0.clone() });
    };
    let Some(account) = who.account() else { return Err(Denied::NotSignedIn.into()) };
    round.takes(&kind, party.kind, app.now())?;
    let own = store::list_by_party(&mut tx, &party.id, 1_000).await?;
    let same = own.into_iter().filter(|a| a.round == round.id && !matches!(a.stage, AppStage::Withdrawn { .. }));
    if let Some(begun) = same.into_iter().find(|a| !kind.several || matches!(a.stage, AppStage::Writing { .. })) {
        return Ok(begun.id);
    }
    let mut application = Application::begin(ApplicationId(keys::random_word(16)), &round, party.id.clone(), account.clone());
    application.answers = prefilled(&kind, &party);
    application.evidence = proof::prefilled(app, &mut tx, &kind, &party).await?;
    store::insert_application(&mut tx, &application).await?;
    log_detail(app, &mut tx, &who.log_name(), "application.begun", &application.id.0, &json!({"round": round.id})).await?;
    tx.commit().await?;
    Ok(application.id)
}

/// Answers that the registry gives already: fields of the same id, and who the authors are.
fn prefilled(kind: &RoundKind, party: &Party) -> BTreeMap<String, Value> {
    let known = |field: &FieldDef| match party.value(&field.id) {
        Value::Null if field.id == "authors" => Value::String(party.name.clone()),
        value => value,
    };
    let fits = |field: &&FieldDef, value: &Value| !value.is_null() && field.check(value, crate::org::FACTS).is_ok();
    kind.fields.iter().map(|field| (field, known(field))).filter(|(field, value)| fits(field, value)).map(|(f, value)| (f.id.clone(), value)).collect()
}

/// What a writer typed.
#[derive(Clone, Debug, Default)]
pub struct Written {
    /// Values by field id, read by their definitions.
    pub answers: Vec<(String, Value)>,
    /// Proofs.
    pub evidence: Vec<Evidence>,
    /// Name of the body that is asked to recommend.
    pub recommender: String,
}

/// Checks answers against the fields of a form; missing ones are no mistake in a draft.
fn read_values(fields: &[FieldDef], values: Vec<(String, Value)>) -> Result<BTreeMap<String, Value>, AppError> {
    let mut faults = Vec::new();
    let mut read = BTreeMap::new();
    for (id, value) in values {
        let value = party::clean(value);
        match fields.iter().find(|f| f.id == id) {
            None => faults.push(Fault::new(&id, "unknown_field")),
            Some(_) if value.is_null() => {}
            Some(field) => match field.check(&value, crate::org::FACTS) {
                Ok(()) => drop(read.insert(id, value)),
                Err(fault) => faults.push(fault),
            },
        }
    }
    if faults.is_empty() { Ok(read) } else { Err(party::field_errors(faults)) }
}

fn read_evidence(list: Vec<Evidence>) -> Result<Vec<Evidence>, AppError> {
    if list.len() > EVIDENCE_MAX {
        return Err(AppError::Invalid(vec![FieldError::new("evidence", "many").with("count", list.len()).with("max", EVIDENCE_MAX)]));
    }
    list.into_iter().filter(|e| !e.title.trim().is_empty()).map(|e| Ok(Evidence { title: words("evidence", &e.title, 1, 200)?, ..e })).collect()
}

/// The body that is asked, by its full name: another one than the applicant's own and the one that decides.
async fn read_recommender(tx: &mut Tx, name: &str, round: &Round, party: &Party) -> Result<Option<OrgId>, AppError> {
    let name = kepu_text::clean_line(name);
    if name.is_empty() {
        return Ok(None);
    }
    let found = kepu_store::org::search(tx, &name, 20).await?.into_iter().find(|org| org.name == name || org.name_en == name);
    let wrong = |key: &str| AppError::Invalid(vec![FieldError::new("recommender", key)]);
    let org = found.ok_or_else(|| wrong("org_unknown"))?;
    if org.id == party.org || org.id == round.org {
        return Err(wrong("recommender_self"));
    }
    Ok(Some(org.id))
}

/// Saves a draft that was read in `version`; what is written stays, whatever is missing.
///
/// May: the applicant's side. Writes: application, log. Returns the version it has now.
pub async fn save(app: &App, who: &Actor, id: &ApplicationId, version: i64, written: Written) -> Result<i64, AppError> {
    let mut tx = app.db.write().await?;
    let opened = open(app, &mut tx, who, id).await?.writer()?;
    fresh("application", &id.0, version, opened.application.version)?;
    let recommender = read_recommender(&mut tx, &written.recommender, &opened.round, opened.applicant()?).await?;
    let answers = read_values(&opened.kind.fields, written.answers)?;
    let evidence = proof::own_only(&mut tx, &opened.application.party, read_evidence(written.evidence)?).await?;
    let mut application = opened.application;
    application.answer(&opened.kind, answers, evidence)?;
    application.recommender = recommender;
    keep(app, &mut tx, who, &application, "application.saved", &json!({})).await?;
    tx.commit().await?;
    Ok(version + 1)
}

/// Hands an application in: whole, in time, to the second. What is refused stays a draft.
///
/// May: the applicant's side. Writes: application, log.
pub async fn submit(app: &App, who: &Actor, id: &ApplicationId) -> Result<(), AppError> {
    let mut tx = app.db.write().await?;
    let opened = open(app, &mut tx, who, id).await?.writer()?;
    let definitions = app.definitions();
    let party = opened.applicant()?;
    let sets = sets_of(app, &opened.kind);
    let held = Held::of(party, &sets.iter().collect::<Vec<_>>(), &definitions.registers, app.today());
    if opened.kind.recommender && opened.application.recommender.is_none() {
        opened.round.takes(&opened.kind, party.kind, app.now())?;
        return Err(AppError::Invalid(vec![FieldError::new("recommender", "required")]));
    }
    let mut application = opened.application.clone().submit(&opened.round, &opened.kind, party, &definitions.registers, held, app.now())?;
    application.signed_by = signed_by(&mut tx, &application).await?;
    keep(app, &mut tx, who, &application, "application.submitted", &json!({"round": application.round})).await?;
    tx.commit().await?;
    Ok(())
}

/// Who signed the work that an application names by its identifier: authors and reviewers do not judge it.
async fn signed_by(tx: &mut Tx, application: &Application) -> Result<Vec<PartyId>, AppError> {
    let Some(id) = application.answers.get("work_id").and_then(Value::as_str) else { return Ok(vec![]) };
    let Some(row) = subject::find(tx, &SubjectId::from(id.trim())).await? else { return Ok(vec![]) };
    let (author, reviews) = match publish::matter_of(tx, &row).await? {
        Some(Matter::Resource(r)) => (r.author, r.reviews),
        Some(Matter::Claim(c)) => (c.author, c.reviews),
        None => return Ok(vec![]),
    };
    let all = std::iter::once(author.party).chain(reviews.into_iter().map(|review| review.party));
    Ok(all.filter(|id| !id.is_empty()).map(PartyId).collect())
}

/// Answers the test of the kind.
///
/// May: the applicant's side. Writes: application, log.
pub async fn take_test(app: &App, who: &Actor, id: &ApplicationId, answers: &BTreeMap<String, String>) -> Result<(), AppError> {
    let mut tx = app.db.write().await?;
    let opened = open(app, &mut tx, who, id).await?.writer()?;
    let application = opened.application.take_test(&opened.kind, answers)?;
    let taken = application.taken.clone().unwrap_or_default();
    keep(app, &mut tx, who, &application, "application.tested", &json!({"right": taken.right, "of": taken.of, "try": taken.tries})).await?;
    tx.commit().await?;
    Ok(())
}

/// Takes an application back, at any time before the decision. Judges lose the task with it.
///
/// May: the applicant's side. Writes: application, log.
pub async fn withdraw(app: &App, who: &Actor, id: &ApplicationId) -> Result<(), AppError> {
    let mut tx = app.db.write().await?;
    let opened = open(app, &mut tx, who, id).await?.writer()?;
    let application = opened.application.withdraw(app.now())?;
    keep(app, &mut tx, who, &application, "application.withdrawn", &json!({})).await?;
    super::office::fill_places(app, &mut tx, who, &application.round).await?;
    tx.commit().await?;
    Ok(())
}

/// Says what was delivered. Outputs named by their identifiers are counted here, once each, if they are public.
///
/// May: the applicant's side. Writes: application, log.
pub async fn deliver(app: &App, who: &Actor, id: &ApplicationId, values: Vec<(String, Value)>) -> Result<(), AppError> {
    let mut tx = app.db.write().await?;
    let opened = open(app, &mut tx, who, id).await?.writer()?;
    let values = read_values(&opened.kind.delivery, values)?;
    let counted = outputs(&mut tx, &values).await?;
    let application = opened.application.deliver(&opened.kind, values, counted, app.now())?;
    keep(app, &mut tx, who, &application, "application.delivered", &json!({"outputs": counted})).await?;
    tx.commit().await?;
    Ok(())
}

async fn outputs(tx: &mut Tx, values: &BTreeMap<String, Value>) -> Result<usize, AppError> {
    let texts = values.iter().filter(|(id, _)| matches!(id.as_str(), "work_id" | "work_ids")).filter_map(|(_, value)| value.as_str());
    let mut ids: Vec<&str> = texts.flat_map(|text| text.split([',', '，', ';', '；', '、', ' ', '\n'])).map(str::trim).filter(|id| !id.is_empty()).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut counted = 0;
    for id in ids.into_iter().take(1_000) {
        let row = subject::find(tx, &SubjectId::from(id)).await?;
        counted += usize::from(row.is_some_and(|row| row.standing == Public::Public));
    }
    Ok(counted)
}

/// Reports on the year that passed, or asks for a new term.
///
/// May: the applicant's side. Writes: application, log.
pub async fn report(app: &App, who: &Actor, id: &ApplicationId, text: &str) -> Result<(), AppError> {
    let text = words("report", text, 2, 2_000)?;
    let mut tx = app.db.write().await?;
    let opened = open(app, &mut tx, who, id).await?.writer()?;
    let application = opened.application.report(&text, app.now())?;
    keep(app, &mut tx, who, &application, "application.reported", &json!({})).await?;
    tx.commit().await?;
    Ok(())
}

/// Recommends an application.
///
/// May: stewards of the body that was asked, unless it is their own. Writes: application, log.
pub async fn recommend(app: &App, who: &Actor, id: &ApplicationId, text: &str) -> Result<(), AppError> {
    let text = words("recommendation", text, 2, 1_000)?;
    let mut tx = app.db.write().await?;
    let opened = open(app, &mut tx, who, id).await?;
    let Some(org) = opened.application.recommender.clone().filter(|_| opened.rights.recommend) else {
        return Err(Denied::NoRole { action: Action::ManageMembers }.into());
    };
    if who.account() == Some(&opened.application.owner) {
        return Err(Denied::OwnWork.into());
    }
    let application = opened.application.recommend(org.clone(), &text, app.now())?;
    keep(app, &mut tx, who, &application, "application.recommended", &json!({"org": org})).await?;
    tx.commit().await?;
    Ok(())
}

/// A criteria set with one of the actor's entries held against it; none: the set alone.
pub async fn self_check(app: &App, who: &Actor, party: Option<&PartyId>) -> Result<(Vec<Party>, Option<Party>), AppError> {
    let mut tx = app.db.read().await?;
    let list = own_parties(&mut tx, who).await?;
    let chosen = party.and_then(|id| list.iter().find(|party| party.id == *id)).cloned();
    if let (Some(id), None) = (party, &chosen) {
        return Err(AppError::NotFound { what: "party", id: id.0.clone() });
    }
    Ok((list, chosen))
}

/// Whether anything in a round waits to be checked by the office.
pub(crate) async fn unchecked(tx: &mut Tx, round: &RoundId) -> Result<usize, AppError> {
    Ok(applications(tx, round).await?.iter().filter(|a| matches!(a.stage, AppStage::Submitted { .. })).count())
}

/// Refuses with the field that a rule names.
pub(crate) fn no_reason(field: &str, error: RoundError) -> AppError {
    match error {
        RoundError::NoReason => AppError::Invalid(vec![FieldError::new(field, "required")]),
        other => other.into(),
    }
}
