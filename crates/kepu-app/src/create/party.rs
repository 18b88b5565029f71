//! The registry: entries are added, changed, confirmed, merged and deleted; consents are given and withdrawn; what the world may
//! see follows at once as a signed card, or as its withdrawal. Searching is in `find`, rules in `kepu-domain::create::{party, card}`.

use crate::account::log;
use crate::create::round::proof;
use crate::error::{AppError, FieldError};
use crate::record::{self, Saying};
use crate::{App, keys};
use jiff::civil::Date;
use kepu_domain::access::{Action, Actor};
use kepu_domain::create::attention::{Attention, attention, shown_until};
use kepu_domain::create::card::{Card, NoCard};
use kepu_domain::create::party::{Consent, Party, PartyKind, Verified};
use kepu_domain::create::register::Registers;
use kepu_domain::field::Fault;
use kepu_domain::ids::{OrgId, PartyId, SubjectId};
use kepu_domain::record::{Body, Retraction};
use kepu_store::create::party::{self as store, Entry};
use kepu_store::{Tx, subject};
use serde_json::{Value, json};

/// What somebody is to an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is about them.
    Own,
    /// They keep it for its institution.
    Keeper,
    /// They work on content at some institution of the node and may see names, fields and load.
    Colleague,
}

/// An entry as somebody may see it.
#[derive(Clone, Debug)]
pub struct PartyView {
    /// The party; for a colleague without what its card may not show.
    pub party: Party,
    /// The version that a change has to name.
    pub version: i64,
    /// What the viewer is to it.
    pub standing: Standing,
    /// Its institution's name.
    pub org_name: String,
    /// Its card as of today, or why there is none.
    pub card: Result<Box<Card>, NoCard>,
    /// What there is to look at.
    pub attention: Vec<Attention>,
    /// The day after which a register hides it.
    pub until: Option<Date>,
    /// The card's subject.
    pub subject: SubjectId,
}

/// The subject under which this node speaks of a party.
pub fn subject_of(app: &App, id: &PartyId) -> SubjectId {
    let plain = id.0.len() <= 48 && id.0.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_' | b'.'));
    let local = if plain { format!("p-{id}") } else { format!("p-{}", keys::short_hash(id.as_str())) };
    SubjectId::new(&app.key.id().fingerprint(), &local)
}

/// Faults of fields as the errors of a form.
pub fn field_errors(faults: Vec<Fault>) -> AppError {
    let error = |fault: Fault| fault.args.into_iter().fold(FieldError::new(&fault.field, fault.key), |error, (name, value)| error.with(name, value));
    AppError::Invalid(faults.into_iter().map(error).collect())
}

pub(crate) async fn standing(tx: &mut Tx, who: &Actor, party: &Party) -> Result<Option<Standing>, AppError> {
    if let Some(account) = who.account()
        && kepu_store::account::get(tx, account).await?.account.party.as_ref() == Some(&party.id)
    {
        return Ok(Some(Standing::Own));
    }
    let line = kepu_store::org::line(tx, &party.org).await?;
    if who.may(Action::ManageMembers, Some(&line)).is_ok() {
        return Ok(Some(Standing::Keeper));
    }
    Ok(who.may(Action::Draft, None).ok().map(|()| Standing::Colleague))
}

/// The entry, its version and what `who` is to it; a stranger learns nothing, not even that it exists.
pub(super) async fn open(tx: &mut Tx, who: &Actor, id: &PartyId) -> Result<(Entry, Standing), AppError> {
    let missing = || AppError::NotFound { what: "party", id: id.0.clone() };
    let entry = store::find_entry(tx, id).await?.ok_or_else(missing)?;
    let standing = standing(tx, who, &entry.party).await?.ok_or_else(missing)?;
    Ok((entry, standing))
}

/// As [`open`], for those who may change it.
async fn open_to_change(tx: &mut Tx, who: &Actor, id: &PartyId) -> Result<(Entry, Standing), AppError> {
    let (entry, standing) = open(tx, who, id).await?;
    if standing == Standing::Colleague {
        who.may(Action::ManageMembers, Some(&kepu_store::org::line(tx, &entry.party.org).await?))?;
    }
    Ok((entry, standing))
}

/// An entry as `who` may see it.
pub async fn view(app: &App, who: &Actor, id: &PartyId) -> Result<PartyView, AppError> {
    let mut tx = app.db.read().await?;
    let (entry, standing) = open(&mut tx, who, id).await?;
    let org_name = org_name(&mut tx, &entry.party.org).await?;
    let (definitions, today) = (app.definitions(), app.today());
    let registers = &definitions.registers;
    Ok(PartyView {
        subject: subject_of(app, id),
        card: Card::of(&entry.party, registers, &org_name, today).map(Box::new),
        attention: attention(&entry.party, registers, today),
        until: shown_until(&entry.party, registers, today),
        version: entry.version,
        party: if standing == Standing::Colleague { open_part(who, entry.party, registers) } else { entry.party },
        standing,
        org_name,
    })
}

/// Consent and field by which duty officers reach somebody in an emergency.
const EMERGENCY: (&str, &str) = ("emergency", "mobile");

/// The number by which somebody agreed to be called in an emergency.
pub(crate) fn emergency_number(party: &Party, registers: &Registers) -> Option<String> {
    let number = party.value(EMERGENCY.1);
    number.as_str().filter(|number| !number.is_empty() && registers.consents(party, EMERGENCY.0)).map(str::to_owned)
}

/// What a colleague may see of an entry: what its card may show, when and how much it can be asked, and, for who works on cases,
/// the number that a person gave for emergencies.
fn open_part(who: &Actor, mut party: Party, registers: &Registers) -> Party {
    let open = super::find::open_values(&party, registers, false);
    let calls = who.may(Action::WorkCase, None).is_ok() && emergency_number(&party, registers).is_some();
    party.values.retain(|id, _| open.contains_key(id) || (calls && id == EMERGENCY.1));
    party.qualifications.iter_mut().for_each(|q| q.number.clear());
    party.consents.clear();
    party
}

pub(crate) async fn org_name(tx: &mut Tx, org: &OrgId) -> Result<String, AppError> {
    Ok(kepu_store::org::find(tx, org).await?.map_or_else(String::new, |o| o.name))
}

/// What a form or an import says of an entry: field ids with values that their definitions have read.
pub type Values = Vec<(String, Value)>;

/// Puts `values` into `party` and checks it against the definitions of its kind and registers.
pub fn fill(party: &mut Party, values: Values, registers: &Registers) -> Result<(), AppError> {
    let mut faults = Vec::new();
    for (id, value) in values {
        let value = clean(value);
        match registers.fields_of(party).into_iter().find(|f| f.id == id) {
            None => faults.push(Fault::new(&id, "unknown_field")),
            Some(field) => faults.extend(field.check(&value, crate::org::FACTS).and_then(|()| party.set(&id, value)).err()),
        }
    }
    for field in registers.fields_of(party).into_iter().filter(|f| f.required) {
        if party.value(&field.id).is_null() && !faults.iter().any(|fault| fault.field == field.id) {
            faults.push(Fault::new(&field.id, "required"));
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(field_errors(faults)) }
}

/// Texts without invisible and broken characters, at every depth.
pub(crate) fn clean(value: Value) -> Value {
    match value {
        Value::String(text) => {
            let text = kepu_text::clean_text(&text);
            if text.is_empty() { Value::Null } else { Value::String(text) }
        }
        Value::Array(list) => Value::Array(list.into_iter().map(clean).collect()),
        Value::Object(object) => Value::Object(object.into_iter().map(|(id, value)| (id, clean(value))).collect()),
        other => other,
    }
}

/// Adds an entry for `org`, entered in `register` if one is named.
///
/// May: stewards of the organisation. Writes: party, log; a card follows once there may be one.
pub async fn add(app: &App, who: &Actor, org: &OrgId, kind: PartyKind, register: Option<&str>, values: Values) -> Result<PartyId, AppError> {
    let mut tx = app.db.write().await?;
    who.may(Action::ManageMembers, Some(&kepu_store::org::line(&mut tx, org).await?))?;
    let id = PartyId(keys::random_word(16));
    let definitions = app.definitions();
    let mut party = Party { id: id.clone(), kind, org: org.clone(), available: true, ..Party::default() };
    enter(&mut party, register, &definitions.registers)?;
    fill(&mut party, values, &definitions.registers)?;
    if !party.kind.is_personal() {
        // Whoever keeps a place has just said that it is so; a person confirms for themself.
        party.confirmed = Some(app.today());
    }
    let entry = Entry { name_fold: kepu_text::fold(&party.name), party, changed_at: app.now().as_millisecond(), version: 1 };
    store::insert(&mut tx, &entry).await?;
    log(app, &mut tx, &who.log_name(), "party.added", &id.0, "ok").await?;
    tell(app, &mut tx, &entry.party).await?;
    tx.commit().await?;
    app.notify();
    Ok(id)
}

pub(super) fn enter(party: &mut Party, register: Option<&str>, registers: &Registers) -> Result<(), AppError> {
    let Some(id) = register.filter(|id| !id.is_empty()) else { return Ok(()) };
    let known = registers.registers.get(id).ok_or_else(|| AppError::NotFound { what: "register", id: id.to_owned() })?;
    if !known.kinds.contains(&party.kind) {
        return Err(AppError::Invalid(vec![FieldError::new("register", "register_kind")]));
    }
    if known.entered && !party.registers.iter().any(|held| held == id) {
        party.registers.push(id.to_owned());
    }
    Ok(())
}

/// Runs a change of one entry: reads it in `version` (any, if `None`), lets `change` work on it, keeps what it said before, and
/// says in public what follows from it.
async fn change(
    app: &App,
    who: &Actor,
    id: &PartyId,
    version: Option<i64>,
    word: &str,
    work: impl FnOnce(&mut Party, Standing, &Registers) -> Result<(), AppError>,
) -> Result<(), AppError> {
    let mut tx = app.db.write().await?;
    let (mut entry, standing) = open_to_change(&mut tx, who, id).await?;
    if version.is_some_and(|seen| seen != entry.version) {
        return Err(AppError::Stale { what: "party", id: id.0.clone() });
    }
    work(&mut entry.party, standing, &app.definitions().registers)?;
    let told = keep(app, &mut tx, who, entry, word).await?;
    committed(app, tx, told).await
}

/// What a deed said in public.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Told {
    /// Nothing, or a new card.
    Shown,
    /// That a card stands no more: its body is erased, here too.
    Withdrawn,
}

/// Commits; what was taken back leaves the store's files as well.
pub(crate) async fn committed(app: &App, tx: Tx, told: Told) -> Result<(), AppError> {
    tx.commit().await?;
    app.notify();
    if told == Told::Withdrawn {
        app.db.forget_deleted().await?;
    }
    Ok(())
}

pub(crate) async fn keep(app: &App, tx: &mut Tx, who: &Actor, entry: Entry, word: &str) -> Result<Told, AppError> {
    let entry = Entry { name_fold: kepu_text::fold(&entry.party.name), changed_at: app.now().as_millisecond(), ..entry };
    store::update(tx, &entry, &who.log_name()).await?;
    log(app, tx, &who.log_name(), word, &entry.party.id.0, "ok").await?;
    tell(app, tx, &entry.party).await
}

/// Saves changed values. `version` is the one the writer saw.
///
/// May: the person, and stewards of the institution; to another institution it moves only by who is steward of both.
/// Writes: party, history, log, card.
pub async fn save(app: &App, who: &Actor, id: &PartyId, version: i64, values: Values) -> Result<(), AppError> {
    let mut tx = app.db.read().await?;
    let (_, standing) = open_to_change(&mut tx, who, id).await?;
    if let Some((_, org)) = values.iter().find(|(id, _)| id == "org").filter(|_| standing == Standing::Keeper) {
        let line = kepu_store::org::line(&mut tx, &OrgId::from(org.as_str().unwrap_or_default())).await?;
        who.may(Action::ManageMembers, Some(&line)).map_err(|_| AppError::Invalid(vec![FieldError::new("org", "not_your_org")]))?;
    }
    drop(tx);
    change(app, who, id, Some(version), "party.saved", |party, standing, registers| {
        // A person moves to another institution through the stewards of both, not by a form of their own.
        let values = values.into_iter().filter(|(id, _)| standing == Standing::Keeper || id != "org").collect();
        fill(party, values, registers)?;
        Ok(())
    })
    .await
}

/// Says that everything in the entry is still right: one tap, once a year or once a quarter.
pub async fn confirm(app: &App, who: &Actor, id: &PartyId) -> Result<(), AppError> {
    let today = app.today();
    change(app, who, id, None, "party.confirmed", |party, _, _| {
        party.confirmed = Some(today);
        Ok(())
    })
    .await
}

/// Gives or withdraws a consent. Only the person gives one at a screen; a steward may note one given on paper.
/// A withdrawal takes effect in the same transaction, here and, with the next exchange, everywhere.
pub async fn consent(app: &App, who: &Actor, id: &PartyId, purpose: &str, given: bool) -> Result<(), AppError> {
    let now = app.now();
    let word = if given { "party.consent_given" } else { "party.consent_withdrawn" };
    change(app, who, id, None, &format!("{word}.{purpose}"), |party, _, registers| {
        let purpose = registers.purpose(purpose).ok_or_else(|| AppError::NotFound { what: "purpose", id: purpose.to_owned() })?;
        let stands = registers.consents(party, &purpose.id);
        if given && !stands {
            party.consents.push(Consent { purpose: purpose.id.clone(), version: purpose.version, given: now, withdrawn: None });
        }
        if !given {
            party.consents.iter_mut().filter(|c| c.purpose == purpose.id && c.withdrawn.is_none()).for_each(|c| c.withdrawn = Some(now));
        }
        Ok(())
    })
    .await
}

fn keepers_only(standing: Standing) -> Result<(), AppError> {
    if standing == Standing::Keeper { Ok(()) } else { Err(kepu_domain::access::Denied::NoRole { action: Action::ManageMembers }.into()) }
}

/// Enters a party in a register, or takes it out. Who is in one answers for whom it lists: only stewards enter; the person may leave.
pub async fn register(app: &App, who: &Actor, id: &PartyId, register: &str, inside: bool) -> Result<(), AppError> {
    change(app, who, id, None, if inside { "party.entered" } else { "party.left" }, |party, standing, registers| {
        if inside {
            keepers_only(standing)?;
            return enter(party, Some(register), registers);
        }
        party.registers.retain(|held| held != register);
        Ok(())
    })
    .await
}

/// Notes that a steward has seen the proof of a qualification. Nobody verifies their own.
pub async fn verify_qualification(app: &App, who: &Actor, id: &PartyId, at: usize) -> Result<(), AppError> {
    let on = app.today();
    let by = match who {
        Actor::Person { name, .. } => name.clone(),
        other => other.log_name(),
    };
    change(app, who, id, None, "party.qualification_verified", |party, standing, _| {
        if standing != Standing::Keeper {
            return Err(AppError::Invalid(vec![FieldError::new("qualifications", "own_qualification")]));
        }
        let qualification = party.qualifications.get_mut(at).ok_or_else(|| AppError::Invalid(vec![FieldError::new("qualifications", "no_qualification")]))?;
        qualification.verified = Some(Verified { by, on });
        Ok(())
    })
    .await
}

/// Merges `from` into `into`: what `into` lacks is taken over, `from` is kept with a pointer, its card is withdrawn.
///
/// May: stewards of both institutions. Writes: both parties, histories, log, cards.
pub async fn merge(app: &App, who: &Actor, from: &PartyId, into: &PartyId) -> Result<(), AppError> {
    let mut tx = app.db.write().await?;
    let (mut old, first) = open_to_change(&mut tx, who, from).await?;
    let (mut kept, second) = open_to_change(&mut tx, who, into).await?;
    keepers_only(first)?;
    keepers_only(second)?;
    if from == into || old.party.kind != kept.party.kind || old.party.merged_into.is_some() || kept.party.merged_into.is_some() {
        return Err(AppError::Invalid(vec![FieldError::new("into", "merge_pair")]));
    }
    take_over(&mut kept.party, &old.party, &app.definitions().registers);
    old.party.merged_into = Some(into.clone());
    let told = keep(app, &mut tx, who, old, "party.merged_away").await?;
    keep(app, &mut tx, who, kept, "party.merged").await?;
    kepu_store::account::move_party(&mut tx, from, into).await?;
    kepu_store::measure::contribution::move_party(&mut tx, from, into).await?;
    kepu_store::create::credential::move_party(&mut tx, from, into).await?;
    kepu_store::create::proof::move_party(&mut tx, from, into).await?;
    committed(app, tx, told).await
}

/// Fills what `kept` lacks from `old`. Consents are never taken over: each was given for its own entry.
fn take_over(kept: &mut Party, old: &Party, registers: &Registers) {
    let ids: Vec<String> = registers.fields_of(old).into_iter().map(|f| f.id.clone()).collect();
    for id in ids {
        let value = old.value(&id);
        if kept.value(&id).is_null() && !value.is_null() && id != "confirmed" {
            // Core lists kept by other deeds are refused by `set`; they are joined below.
            let _ = kept.set(&id, value);
        }
    }
    for honour in &old.honours {
        if !kept.honours.contains(honour) {
            kept.honours.push(honour.clone());
        }
    }
    for register in &old.registers {
        if !kept.registers.contains(register) {
            kept.registers.push(register.clone());
        }
    }
}

/// Undoes a merge: the entry stands on its own again. What the other took over stays there and can be mended by hand.
pub async fn unmerge(app: &App, who: &Actor, id: &PartyId) -> Result<(), AppError> {
    change(app, who, id, None, "party.unmerged", |party, standing, _| {
        keepers_only(standing)?;
        party.merged_into = None;
        Ok(())
    })
    .await
}

/// Everything this node holds about a person, for that person (PIPL 45): entry, earlier versions, consents, where their name
/// stands in public.
pub async fn export(app: &App, who: &Actor, id: &PartyId) -> Result<Value, AppError> {
    let mut tx = app.db.read().await?;
    let (entry, standing) = open(&mut tx, who, id).await?;
    if standing == Standing::Colleague {
        return Err(AppError::NotFound { what: "party", id: id.0.clone() });
    }
    let history = store::list_history(&mut tx, id, 1_000).await?;
    let proofs = kepu_store::create::proof::list(&mut tx, id, proof::PROOFS_MAX).await?;
    let subject = subject_of(app, id);
    let public = subject::find(&mut tx, &subject).await?.is_some_and(|row| row.standing == subject::Standing::Public);
    Ok(json!({
        "entry": entry.party,
        "earlier": history.into_iter().map(|(version, at, _, party)| json!({"version": version, "replaced_at": at, "entry": party})).collect::<Vec<_>>(),
        "proofs": proofs.into_iter().map(|p| json!({"title": p.title, "shows": p.kind, "until": p.until, "at": p.at, "blake3": p.hash, "bytes": p.size})).collect::<Vec<_>>(),
        "public_card": public.then_some(subject.0),
    }))
}

/// Deletes an entry with everything it said before. A public card is withdrawn and its body erased everywhere; reviews and texts
/// that the person signed keep the name under them, because readers relied on it.
///
/// May: the person, and stewards of the institution. Writes: party, log, card.
pub async fn delete(app: &App, who: &Actor, id: &PartyId) -> Result<(), AppError> {
    let mut tx = app.db.write().await?;
    let (entry, _) = open_to_change(&mut tx, who, id).await?;
    withdraw_card(app, &mut tx, &entry.party, "登记信息已删除").await?;
    store::delete(&mut tx, id).await?;
    kepu_store::account::clear_party(&mut tx, id).await?;
    kepu_store::measure::contribution::delete_by_party(&mut tx, id).await?;
    kepu_store::listen::duty::forget(&mut tx, id).await?;
    kepu_store::create::credential::erase_bodies(&mut tx, id).await?;
    let files = proof::delete_all(app, &mut tx, id).await?;
    log(app, &mut tx, &who.log_name(), "party.deleted", &id.0, "ok").await?;
    committed(app, tx, Told::Withdrawn).await?;
    proof::erase(&files)?;
    super::find::forget(app, id);
    Ok(())
}

/// Says in public what follows from an entry: a new card, or the withdrawal of one that may stand no more. A card that only
/// grew old ends by its own date and needs no record.
pub async fn tell(app: &App, tx: &mut Tx, party: &Party) -> Result<Told, AppError> {
    let registers = &app.definitions().registers;
    let org = org_name(tx, &party.org).await?;
    match Card::of(party, registers, &org, app.today()) {
        Ok(card) => {
            let said = crate::create::publish::current(app, tx, &subject_of(app, &party.id)).await?;
            let same = said.filter(|(row, _)| row.standing == subject::Standing::Public).and_then(|(_, record)| record).and_then(|r| r.body.ok());
            if same == Some(Body::Party(Box::new(card.clone()))) {
                return Ok(Told::Shown);
            }
            record::publish(app, tx, vec![saying(app, party, Body::Party(Box::new(card)))]).await?;
            Ok(Told::Shown)
        }
        Err(NoCard::Stale) => Ok(Told::Shown),
        Err(NoCard::Merged) => withdraw_card(app, tx, party, "已与另一条登记合并").await,
        Err(NoCard::NotAgreed) => withdraw_card(app, tx, party, "本人撤回公开同意或已离开名录").await,
    }
}

pub(crate) fn saying(app: &App, party: &Party, body: Body) -> Saying {
    Saying { subject: subject_of(app, &party.id), region: party.region, fields: party.fields.clone(), lang: String::new(), body }
}

async fn withdraw_card(app: &App, tx: &mut Tx, party: &Party, reason: &str) -> Result<Told, AppError> {
    let id = subject_of(app, &party.id);
    let Some(row) = subject::find(tx, &id).await?.filter(|row| row.standing == subject::Standing::Public) else { return Ok(Told::Shown) };
    let by = org_name(tx, &party.org).await?;
    let retraction = Retraction { key: row.signer.clone(), through: row.n, reason: reason.to_owned(), by };
    record::publish(app, tx, vec![saying(app, party, Body::Retraction(retraction))]).await?;
    Ok(Told::Withdrawn)
}
