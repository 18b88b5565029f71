//! Taking a message in: judged, compared with what was here, passed on if its issuer is known, else held until a duty officer decides. Nothing here writes a
//! warning of its own.

use super::source::text;
use crate::account::{log, log_detail};
use crate::error::{AppError, FieldError, text_error};
use crate::record::{self, Saying};
use crate::{App, keys, org};
use data_encoding::HEXLOWER;
use jiff::Timestamp;
use kepu_domain::access::{Action, Actor};
use kepu_domain::deliver::alert::{self, Note, judge_and_read};
use kepu_domain::deliver::guide::HAZARD_LIST;
use kepu_domain::deliver::warning::{Warning, is_known};
use kepu_domain::ids::SubjectId;
use kepu_domain::listen::inlet::{Inlet, Kind as InletKind, State as InletState};
use kepu_domain::org::Region;
use kepu_domain::record::{Body, DOC_BYTES_MAX, Envelope, N_MAX, Place, Stream};
use kepu_domain::text::NOTE;
use kepu_store::deliver::warning::{self as store, Message, State};
use kepu_store::listen::inlet as inlets;
use kepu_store::{Tx, counter};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// Largest message, in bytes; original messages of a whole province with polygons are below one.
pub const BYTES_MAX: usize = 4 * 1024 * 1024;
/// Messages that wait for an officer at most: who floods us fills no disk.
const HELD_MAX: u32 = 500;

/// What became of a message.
#[derive(Clone, Debug, PartialEq)]
pub enum Taken {
    /// It is passed on.
    Passed(SubjectId),
    /// Nobody here knows its issuer: an officer must look. The hash of the original.
    Held(String),
    /// An exercise: shown to those who exercise.
    Exercise(String),
    /// Valid, but nothing to be done: a test, a draft, a message between systems, or nothing for this place; why.
    Nothing(String),
    /// It was here already.
    Duplicate,
    /// It is not valid: why.
    Invalid(Vec<Note>),
}

/// A judged message on its way in.
struct Judged {
    hash: String,
    text: String,
    action: alert::Action,
    warning: Result<Warning, String>,
}

/// Judges bytes; the reasons if they are no valid message.
fn judge(bytes: &[u8]) -> Result<Judged, Vec<Note>> {
    let refuse = |rule: &str, cause: String| vec![Note { rule: rule.into(), text: cause }];
    if bytes.len() > BYTES_MAX {
        return Err(refuse("size", format!("larger than {BYTES_MAX} bytes")));
    }
    let text = text(bytes).ok_or_else(|| refuse("encoding", "neither UTF-8 nor what the declaration says".into()))?.into_owned();
    let places = org::places().map_err(|error| refuse("divisions", error.to_string()))?;
    let (judged, message) = judge_and_read(&text, places);
    let Some(message) = message.filter(|_| judged.valid) else { return Err(judged.errors) };
    let hash = HEXLOWER.encode(&Sha256::digest(bytes));
    let gathered = places.gather(&judged.targets.iter().copied().collect::<BTreeSet<_>>());
    let warning = Warning::of(&message, &judged, gathered, &hash, &HAZARD_LIST).map_err(|unfit| unfit.to_string());
    Ok(Judged { hash, text, action: judged.action, warning })
}

/// Takes a message in. `inlet`: the source it comes from; none: a file that somebody with the machine in hand brought, of issuers that any source knows.
///
/// May: a source with its secret, the node itself, the operator. Writes: warning_message, record, warning, inlet_hour, log.
pub async fn take(app: &App, by: &str, inlet: Option<&Inlet>, bytes: &[u8]) -> Result<Taken, AppError> {
    let judged = match judge(bytes) {
        Ok(judged) => judged,
        Err(errors) => return Ok(Taken::Invalid(errors)),
    };
    if judged.action == alert::Action::None {
        return Ok(Taken::Nothing("status".into()));
    }
    let mut tx = app.db.write().await?;
    if store::find_message(&mut tx, &judged.hash).await?.is_some() {
        return Ok(Taken::Duplicate);
    }
    let warning = match judged.warning {
        Ok(warning) => warning,
        Err(why) => return Ok(Taken::Nothing(why)),
    };
    if store::has_message(&mut tx, &warning.name, warning.sent).await? {
        return Ok(Taken::Duplicate);
    }
    let held = |state, why: &str, original: &str| Message {
        hash: judged.hash.clone(),
        inlet: inlet.map(|inlet| inlet.id.0.clone()).unwrap_or_default(),
        name: warning.name.clone(),
        headline: warning.words("zh-Hans").headline,
        sent: warning.sent,
        got_at: app.now(),
        state,
        why: why.into(),
        original: original.into(),
        decided_by: String::new(),
        version: 1,
    };
    let known = is_known(&patterns(&mut tx, inlet).await?, &warning.name);
    let taken = if judged.action == alert::Action::DrillOnly {
        store::insert_message(&mut tx, &held(State::Exercise, "", &judged.text)).await?;
        Taken::Exercise(judged.hash.clone())
    } else if known {
        match pass_on(app, &mut tx, warning.clone()).await? {
            Some(subject) => {
                store::insert_message(&mut tx, &held(State::Passed, "", "")).await?;
                Taken::Passed(subject)
            }
            None => {
                store::insert_message(&mut tx, &held(State::Unfit, "place", "")).await?;
                Taken::Nothing("place".into())
            }
        }
    } else {
        if store::list_messages(&mut tx, Some(State::Held), HELD_MAX).await?.len() >= HELD_MAX as usize {
            return Err(AppError::TooMany(600));
        }
        store::insert_message(&mut tx, &held(State::Held, "issuer", &judged.text)).await?;
        Taken::Held(judged.hash.clone())
    };
    let word = match &taken {
        Taken::Passed(_) => "warning.passed",
        Taken::Held(_) => "warning.held",
        Taken::Exercise(_) => "warning.exercise",
        _ => "warning.unfit",
    };
    log_detail(app, &mut tx, by, word, &judged.hash, &serde_json::json!({"sender": warning.name.sender, "identifier": warning.name.identifier})).await?;
    tx.commit().await?;
    app.notify();
    super::follow::follow(app).await?;
    Ok(taken)
}

/// The issuers that a source knows; for a file those of every source that is on.
async fn patterns(tx: &mut Tx, inlet: Option<&Inlet>) -> Result<Vec<String>, AppError> {
    if let Some(inlet) = inlet {
        return Ok(inlet.plan.issuers.clone());
    }
    let all = inlets::list(tx, crate::listen::intake::inlet::INLETS_MAX).await?;
    let on = all.into_iter().filter(|inlet| inlet.kind == InletKind::Warning && inlet.state == InletState::On);
    Ok(on.flat_map(|inlet| inlet.plan.issuers).collect())
}

/// Says a message on, within `tx`: for the places that this node's certificate names, short enough for a record. `None` if it is for none of them.
async fn pass_on(app: &App, tx: &mut Tx, warning: Warning) -> Result<Option<SubjectId>, AppError> {
    let trust = app.trust(tx).await?;
    let held = trust.grant(app.key.id()).map_or(Region::NATION, |grant| grant.region);
    let fingerprint = trust.grant(app.key.id()).map_or_else(|| app.key.id().fingerprint(), |grant| grant.lineage.fingerprint());
    let mut warning = if warning.places.is_empty() {
        warning
    } else {
        let Some(narrow) = warning.within(held) else { return Ok(None) };
        narrow
    };
    if warning.places.is_empty() {
        // A cancel that names no place ends what had some: for the places of that.
        let earlier = store::list_named(tx, &warning.references).await?;
        let places: BTreeSet<Region> = earlier.into_iter().flat_map(|row| row.warning.places).filter(|place| held.covers(*place)).collect();
        warning.places = if places.is_empty() { vec![held] } else { places.into_iter().collect() };
    }
    let name = &warning.name;
    let local = format!("w-{}", keys::short_hash(&format!("{}\n{}\n{}", name.sender, name.identifier, warning.sent)));
    let subject = SubjectId::new(&fingerprint, &local);
    publish(app, tx, &subject, warning).await?;
    Ok(Some(subject))
}

async fn publish(app: &App, tx: &mut Tx, subject: &SubjectId, mut warning: Warning) -> Result<(), AppError> {
    let region = warning.region();
    let lang = warning.words.first().map_or_else(|| "zh-Hans".to_owned(), |words| words.lang.clone());
    let place = Place { key: app.key.id().clone(), stream: Stream::Alert, n: N_MAX };
    let envelope = Envelope { place, modified: app.now(), subject: subject.clone(), region, fields: vec![], lang: lang.clone() };
    for _ in 0..16 {
        let body = Body::Warning(Box::new(warning.clone()));
        match kepu_sync::record::size(&envelope, &body) {
            Ok(size) if size > DOC_BYTES_MAX => warning = warning.shorter(),
            _ => break,
        }
    }
    let saying = Saying { subject: subject.clone(), region, fields: vec![], lang, body: Body::Warning(Box::new(warning)) };
    record::publish(app, tx, vec![saying]).await?;
    Ok(())
}

/// Where duty officers decide: at the organisation that runs the node.
async fn may(tx: &mut Tx, who: &Actor) -> Result<(), AppError> {
    let org = crate::node::org(tx).await?;
    Ok(who.may(Action::IssueHolding, Some(&kepu_store::org::line(tx, &org).await?))?)
}

/// A message with what it says, for those who decide.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// The message.
    pub message: Message,
    /// What it says, as it would be passed on; none if the original was not kept.
    pub warning: Option<Warning>,
}

/// Messages that wait, exercises, and what became of the others. May: duty officers of the organisation that runs the node.
pub async fn messages(app: &App, who: &Actor, state: Option<State>, limit: u32) -> Result<Vec<Waiting>, AppError> {
    let mut tx = app.db.read().await?;
    may(&mut tx, who).await?;
    let list = store::list_messages(&mut tx, state, limit).await?;
    Ok(list.into_iter().map(|message| Waiting { warning: judge(message.original.as_bytes()).ok().and_then(|judged| judged.warning.ok()), message }).collect())
}

/// One message. May: as [`messages`].
pub async fn message(app: &App, who: &Actor, hash: &str) -> Result<Waiting, AppError> {
    let mut tx = app.db.read().await?;
    may(&mut tx, who).await?;
    let message = store::get_message(&mut tx, hash).await?;
    let warning = judge(message.original.as_bytes()).ok().and_then(|judged| judged.warning.ok());
    Ok(Waiting { message, warning })
}

/// Lets a message of an unknown issuer through. `version` is the one the officer saw.
///
/// May: duty officers of the organisation that runs the node. Writes: warning_message, record, warning, log.
pub async fn let_through(app: &App, who: &Actor, hash: &str, version: i64) -> Result<SubjectId, AppError> {
    let mut tx = app.db.write().await?;
    may(&mut tx, who).await?;
    let message = waiting(&mut tx, hash, version).await?;
    let judged = judge(message.original.as_bytes()).map_err(|_| AppError::Stale { what: "message", id: hash.to_owned() })?;
    // The hash is that of the bytes as they came, which may not have been UTF-8.
    let warning = judged.warning.map(|warning| Warning { original: message.hash.clone(), ..warning });
    let passed = match warning {
        Ok(warning) => pass_on(app, &mut tx, warning).await?,
        Err(_) => None,
    };
    let Some(subject) = passed else { return Err(AppError::Invalid(vec![FieldError::new("do", "warning_unfit")])) };
    store::decide_message(&mut tx, &Message { state: State::Passed, original: String::new(), decided_by: who.log_name(), ..message }).await?;
    log(app, &mut tx, &who.log_name(), "warning.let_through", hash, "ok").await?;
    tx.commit().await?;
    app.notify();
    super::follow::follow(app).await?;
    Ok(subject)
}

async fn waiting(tx: &mut Tx, hash: &str, version: i64) -> Result<Message, AppError> {
    let message = store::get_message(tx, hash).await?;
    if message.version != version || message.state != State::Held {
        return Err(AppError::Stale { what: "message", id: hash.to_owned() });
    }
    Ok(message)
}

fn reason_of(reason: &str) -> Result<String, AppError> {
    let reason = kepu_text::clean_line(reason);
    NOTE.check(kepu_text::count(&reason)).map_err(|error| AppError::Invalid(vec![FieldError { field: "reason".into(), ..text_error(&error) }]))?;
    Ok(reason)
}

/// Refuses a message of an unknown issuer.
///
/// May: as [`let_through`]. Writes: warning_message, log.
pub async fn refuse(app: &App, who: &Actor, hash: &str, version: i64, reason: &str) -> Result<(), AppError> {
    let reason = reason_of(reason)?;
    let mut tx = app.db.write().await?;
    may(&mut tx, who).await?;
    let message = waiting(&mut tx, hash, version).await?;
    store::decide_message(&mut tx, &Message { state: State::Refused, why: reason, original: String::new(), decided_by: who.log_name(), ..message }).await?;
    log(app, &mut tx, &who.log_name(), "warning.refused", hash, "ok").await?;
    tx.commit().await?;
    Ok(())
}

/// Stops passing a warning on that this node should never have passed on: the issuer's own cancel is the rule, this is for what was no warning.
///
/// May: duty officers of the organisation that runs the node, for what it passes on itself. Writes: record, warning, log.
pub async fn take_back(app: &App, who: &Actor, id: &SubjectId, reason: &str) -> Result<(), AppError> {
    let reason = reason_of(reason)?;
    let mut tx = app.db.write().await?;
    may(&mut tx, who).await?;
    crate::create::publish::own_subject(app, &mut tx, id).await?;
    let row = store::find_many(&mut tx, std::slice::from_ref(id)).await?.pop();
    let row = row.ok_or_else(|| AppError::NotFound { what: "warning", id: id.0.clone() })?;
    if !row.warning.taken_back.is_empty() {
        return Err(AppError::Invalid(vec![FieldError::new("reason", "already_withdrawn")]));
    }
    publish(app, &mut tx, id, Warning { taken_back: reason, ..row.warning }).await?;
    log(app, &mut tx, &who.log_name(), "warning.taken_back", &id.0, "ok").await?;
    tx.commit().await?;
    app.notify();
    Ok(())
}

/// How many messages wait for the actor, and the oldest of them.
pub(crate) async fn held(tx: &mut Tx, who: &Actor) -> Result<Option<(usize, Timestamp)>, AppError> {
    if may(tx, who).await.is_err() {
        return Ok(None);
    }
    let list = store::list_messages(tx, Some(State::Held), HELD_MAX).await?;
    Ok(list.last().map(|oldest| (list.len(), oldest.got_at)))
}

/// The number that changes whenever a warning does.
pub(crate) async fn version(tx: &mut Tx) -> Result<i64, AppError> {
    Ok(counter::last(tx, counter::WARNING).await?)
}
