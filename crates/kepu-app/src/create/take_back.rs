//! Taking back what is public: out of sight while it is looked at again (`hold`, `release`), for ever (`withdraw`), or with a word of an
//! institution above over it (`notice`). All of it travels in the alert stream, ahead of everything else. Who still has it is in `deliver::recall`.

use crate::App;
use crate::account::log;
use crate::create::publish::{may, may_correct, own_keys, own_subject, under_way};
use crate::error::{AppError, FieldError, note_words};
use crate::record::{self, Saying, read_row};
use jiff::ToSpan;
use jiff::civil::Date;
use kepu_domain::access::{Action, Actor};
use kepu_domain::create::draft::Draft;
use kepu_domain::ids::{DraftId, OrgId, SubjectId};
use kepu_domain::publication::{Placed, held};
use kepu_domain::record::{Body, CorrectionNotice, Hold, Retraction};
use kepu_domain::trust::{KeyRole, Refusal};
use kepu_store::Tx;
use kepu_store::subject::{self, Row, Standing};

/// Most days until the next word about something that is under check.
pub const NEXT_DAYS_MAX: i64 = 90;

/// What somebody may do with a public page, and how far its present version has travelled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Editing {
    /// Correct it here.
    pub correct: bool,
    /// Withdraw it.
    pub withdraw: bool,
    /// Take it out of sight while it is looked at again.
    pub hold: bool,
    /// Give it back.
    pub release: bool,
    /// Put a word over it, as an institution above.
    pub notice: bool,
    /// Nodes below that said that they hold it, and those that should.
    pub reach: (usize, usize),
    /// The draft that corrects it, if one is under way.
    pub draft: Option<DraftId>,
}

/// What `who` may do with a subject that is public or held; `None` for whoever may do nothing.
pub async fn editing(app: &App, who: &Actor, row: &Row) -> Result<Option<Editing>, AppError> {
    if who.may(Action::Hold, None).is_err() {
        return Ok(None);
    }
    let mut tx = app.db.read().await?;
    let edits = may_correct(&mut tx, who, &row.id).await.is_ok();
    let holds = edits || may(&mut tx, who, Action::Hold, &row.id).await.is_ok();
    let (own, takes) = (own_subject(app, &mut tx, &row.id).await.is_ok(), may_take(app, &mut tx, row).await?);
    if !holds || !takes {
        return Ok(None);
    }
    let (shown, own_hold) = (row.standing == Standing::Public, own_hold(app, &mut tx, &row.id).await?.is_some());
    let known = shown || row.held.is_some();
    let children = kepu_store::peer::list(&mut tx, Some(kepu_store::peer::Direction::Child), 5_000).await?;
    Ok(Some(Editing {
        correct: own && edits && known,
        withdraw: edits && known,
        hold: shown,
        release: edits && own_hold,
        notice: edits && shown && !own,
        reach: crate::node::reach(&mut tx, row, &children).await?,
        draft: under_way(&mut tx, &row.id).await?.map(|draft| draft.id),
    }))
}

/// The subject with the organisation that answers for it, if this node may take it back.
async fn open(app: &App, tx: &mut Tx, who: &Actor, action: Action, id: &SubjectId) -> Result<(Row, OrgId), AppError> {
    let org = may(tx, who, action, id).await?;
    let row = subject::find(tx, id).await?.ok_or_else(|| AppError::NotFound { what: "subject", id: id.0.clone() })?;
    if !may_take(app, tx, &row).await? {
        return Err(AppError::Refused(Refusal::NotOwner));
    }
    Ok((row, org))
}

fn wrong(field: &str, key: &str) -> AppError {
    AppError::Invalid(vec![FieldError::new(field, key)])
}

fn saying(row: &Row, body: Body) -> Saying {
    Saying { subject: row.id.clone(), region: row.region, fields: row.fields.clone(), lang: row.lang.clone(), body }
}

async fn name(tx: &mut Tx, org: &OrgId) -> Result<String, AppError> {
    Ok(kepu_store::org::find(tx, org).await?.map_or_else(String::new, |org| org.name))
}

async fn say(app: &App, mut tx: Tx, who: &Actor, row: &Row, body: Body, deed: &str) -> Result<(), AppError> {
    record::publish(app, &mut tx, vec![saying(row, body)]).await?;
    log(app, &mut tx, &who.log_name(), deed, &row.id.0, "ok").await?;
    tx.commit().await?;
    app.notify();
    Ok(())
}

/// Withdraws all versions of a subject up to now, here and wherever it went. Ends a hold, too: a withdrawal outlives it.
///
/// May: editors of the organisation that answers for it; for subjects of nodes below, if this node's certificate carries the role.
/// Writes: record, subject, log.
pub async fn withdraw(app: &App, who: &Actor, id: &SubjectId, reason: &str) -> Result<(), AppError> {
    let reason = note_words("reason", reason)?;
    let mut tx = app.db.write().await?;
    let (row, org) = open(app, &mut tx, who, Action::Correct, id).await?;
    if row.standing != Standing::Public && row.held.is_none() {
        return Err(wrong("reason", "already_withdrawn"));
    }
    let versions = kepu_store::record::list_by_subjects(&mut tx, std::slice::from_ref(id)).await?;
    let through = versions.iter().filter(|v| v.key == row.signer && matches!(v.kind.as_str(), "resource" | "claim")).map(|v| v.n).max().unwrap_or(row.n);
    let body = Body::Retraction(Retraction { key: row.signer.clone(), through, reason, by: name(&mut tx, &org).await? });
    say(app, tx, who, &row, body, "subject.withdrawn").await
}

/// Takes a subject out of sight while it is looked at again, here and wherever it went. `next`: the day of the next word, which everybody sees.
///
/// May: duty officers and editors of the organisation that answers for it; for subjects of nodes below, if this node's certificate carries the role.
/// Writes: record, subject, log.
pub async fn hold(app: &App, who: &Actor, id: &SubjectId, reason: &str, next: Option<Date>) -> Result<(), AppError> {
    let reason = note_words("reason", reason)?;
    let latest = app.today().checked_add(NEXT_DAYS_MAX.days()).unwrap_or(Date::MAX);
    let next = next
        .filter(|day| (app.today()..=latest).contains(day))
        .ok_or_else(|| AppError::Invalid(vec![FieldError::new("next", "hold_next").with("max", NEXT_DAYS_MAX)]))?;
    let mut tx = app.db.write().await?;
    let (row, org) = open(app, &mut tx, who, Action::Hold, id).await?;
    if row.held.is_some() {
        return Err(wrong("reason", "already_held"));
    }
    if row.standing != Standing::Public {
        return Err(wrong("reason", "already_withdrawn"));
    }
    let body = Body::Hold(Hold { on: true, reason, by: name(&mut tx, &org).await?, next });
    say(app, tx, who, &row, body, "subject.held").await
}

/// Gives back what this institution held, as it was: the look at it found nothing wrong. Whoever finds something wrong corrects or withdraws.
///
/// May: editors of the organisation that answers for it. Writes: record, subject, log.
pub async fn release(app: &App, who: &Actor, id: &SubjectId, found: &str) -> Result<(), AppError> {
    let reason = note_words("reason", found)?;
    let mut tx = app.db.write().await?;
    let (row, org) = open(app, &mut tx, who, Action::Correct, id).await?;
    if own_hold(app, &mut tx, id).await?.is_none() {
        return Err(wrong("reason", "not_held"));
    }
    let body = Body::Hold(Hold { on: false, reason, by: name(&mut tx, &org).await?, next: app.today() });
    say(app, tx, who, &row, body, "subject.released").await
}

/// Puts a word over what an institution below said: what is wrong and what is right. It stands there until that institution has published a
/// corrected version.
///
/// May: editors of the organisation that answers, if this node's certificate carries the role. Writes: record, subject, log.
pub async fn notice(app: &App, who: &Actor, id: &SubjectId, text: &str) -> Result<(), AppError> {
    let text = note_words("reason", text)?;
    let mut tx = app.db.write().await?;
    let (row, _) = open(app, &mut tx, who, Action::Correct, id).await?;
    if own_subject(app, &mut tx, id).await.is_ok() {
        return Err(wrong("reason", "notice_own"));
    }
    let replaces = row.doc_hash.filter(|_| row.standing == Standing::Public).ok_or_else(|| wrong("reason", "already_withdrawn"))?;
    say(app, tx, who, &row, Body::Correction(CorrectionNotice { replaces, text }), "subject.noticed").await
}

/// The end of this institution's hold, if what `draft` says was held: it has been reviewed anew.
pub(crate) async fn over(app: &App, tx: &mut Tx, draft: &Draft) -> Result<Option<Hold>, AppError> {
    let Some(hold) = own_hold(app, tx, &draft.subject).await? else { return Ok(None) };
    Ok(Some(Hold { on: false, reason: draft.correction.clone(), by: hold.by, next: app.today() }))
}

/// The hold of this institution that stands, whatever others hold.
async fn own_hold(app: &App, tx: &mut Tx, id: &SubjectId) -> Result<Option<Hold>, AppError> {
    let trust = app.trust(tx).await?;
    let own = own_keys(app, &trust);
    let rows = kepu_store::record::list_by_subjects(tx, std::slice::from_ref(id)).await?;
    let mine = rows.into_iter().filter(|row| row.kind == "hold" && row.refusal.is_empty() && own.contains(&row.key)).filter_map(read_row);
    let holds: Vec<Placed<Hold>> = mine
        .filter_map(|record| match record.body {
            Ok(Body::Hold(doc)) => Some(Placed { place: record.envelope.place, modified: record.envelope.modified, doc }),
            _ => None,
        })
        .collect();
    Ok(held(&holds, &trust).map(|hold| hold.doc.clone()))
}

/// Whether this node may take back what `row` shows: its own words, or those of others if its certificate carries the role.
async fn may_take(app: &App, tx: &mut Tx, row: &Row) -> Result<bool, AppError> {
    let trust = app.trust(tx).await?;
    Ok(own_keys(app, &trust).contains(&row.signer) || trust.grant(app.key.id()).is_some_and(|grant| grant.roles.contains(&KeyRole::Retractor)))
}
