//! One's own account: password, second factor, sessions, what is held about oneself, closing it (RULES §7 and §13).
//! What others may do with it is in `member`.

use super::{SignedIn, count_failure, hash, log, log_with, password_field, refuse_locked, secret};
use crate::App;
use crate::error::{AppError, FieldError};
use jiff::Timestamp;
use kepu_domain::account::{Account, CLOSED, CLOSED_NAME, check_password};
use kepu_domain::create::review::Stage;
use kepu_domain::log::Entry;
use kepu_store::account::Row;
use kepu_store::create::{draft, party, review};
use kepu_store::listen::case;
use kepu_store::{Tx, account as store, log as entries, login_lock, member, session};
use serde_json::{Value, json};

/// Most entries of the audit log in the copy of what is held about somebody.
const ENTRIES_MAX: u32 = 10_000;
/// Most drafts, reviews and cases in it.
const WORKS_MAX: u32 = 2_000;

/// The account of `who` once `password` was proved in `field`. Wrong ones count like failed sign-ins, so that a session left
/// open is no place to guess at.
async fn prove(app: &App, who: &SignedIn, field: &str, password: &str) -> Result<Row, AppError> {
    let mut tx = app.db.read().await?;
    let row = store::get(&mut tx, &who.account.id).await?;
    let lock = [format!("login:{}", row.login_fold)];
    refuse_locked(app, &mut tx, &lock).await?;
    drop(tx);
    if secret::verify_password(Some(row.pass_hash.clone()), password).await {
        return Ok(row);
    }
    let mut tx = app.db.write().await?;
    let until = count_failure(app, &mut tx, &lock).await?;
    log_with(app, &mut tx, &who.actor.log_name(), "account.proof_failed", &row.account.id.0, "refused", "").await?;
    tx.commit().await?;
    Err(until.map_or_else(|| AppError::Invalid(vec![FieldError::new(field, "password_wrong")]), AppError::Locked))
}

/// Changes one's own password; ends all other sessions.
///
/// May: the owner, with the old password. Writes: account, session, log.
pub async fn change_password(app: &App, who: &SignedIn, old: &str, new: &str, keep_token: &str) -> Result<(), AppError> {
    check_password(&who.account.login, new).map_err(|e| AppError::Invalid(vec![password_field("new", e)]))?;
    let row = prove(app, who, "old", old).await?;
    if old == new {
        return Err(AppError::Invalid(vec![FieldError::new("new", "password_same")]));
    }
    let pass_hash = secret::hash_password(new)?;
    let mut tx = app.db.write().await?;
    let account = Account { must_change: false, ..row.account.clone() };
    login_lock::delete(&mut tx, &format!("login:{}", row.login_fold)).await?;
    store::update(&mut tx, Row { account, pass_hash, ..row }).await?;
    session::delete_by_account(&mut tx, &who.account.id, &hash(keep_token)).await?;
    log(app, &mut tx, &who.actor.log_name(), "account.password_changed", &who.account.id.0, "ok").await?;
    tx.commit().await?;
    Ok(())
}

/// Sets up the second factor once a right code proves that the owner has it.
///
/// May: the owner, with the password. Writes: account, log.
pub async fn confirm_totp(app: &App, who: &SignedIn, secret: &str, code: &str, password: &str) -> Result<(), AppError> {
    let wrong = |field: &str, key: &str| AppError::Invalid(vec![FieldError::new(field, key)]);
    let bytes = secret::read_totp(secret).ok_or_else(|| wrong("code", "code_wrong"))?;
    let step = secret::check_code(&bytes, code, app.now(), 0).ok_or_else(|| wrong("code", "code_wrong"))?;
    let row = prove(app, who, "password", password).await?;
    let mut tx = app.db.write().await?;
    store::update(&mut tx, Row { totp_secret: Some(bytes), totp_last: step, ..row }).await?;
    log(app, &mut tx, &who.actor.log_name(), "account.second_factor_set", &who.account.id.0, "ok").await?;
    tx.commit().await?;
    Ok(())
}

/// Removes the second factor.
///
/// May: the owner, with the password. Writes: account, log.
pub async fn remove_totp(app: &App, who: &SignedIn, password: &str) -> Result<(), AppError> {
    let row = prove(app, who, "password", password).await?;
    let mut tx = app.db.write().await?;
    store::update(&mut tx, Row { totp_secret: None, ..row }).await?;
    log(app, &mut tx, &who.actor.log_name(), "account.second_factor_removed", &who.account.id.0, "ok").await?;
    tx.commit().await?;
    Ok(())
}

/// Ends all sessions but the one with `keep_token`; returns how many.
///
/// May: the owner. Writes: session, log.
pub async fn end_other_sessions(app: &App, who: &SignedIn, keep_token: &str) -> Result<u64, AppError> {
    let mut tx = app.db.write().await?;
    let ended = session::delete_by_account(&mut tx, &who.account.id, &hash(keep_token)).await?;
    log(app, &mut tx, &who.actor.log_name(), "account.sessions_ended", &who.account.id.0, "ok").await?;
    tx.commit().await?;
    Ok(ended)
}

/// A browser that is signed in.
#[derive(Clone, Debug)]
pub struct OpenSession {
    /// Since when.
    pub since: Timestamp,
    /// Used last.
    pub seen: Timestamp,
    /// Whether it is the one that asks.
    pub this: bool,
}

/// What the page of one's own account shows.
#[derive(Clone, Debug)]
pub struct View {
    /// Roles with the names of their organisations.
    pub seats: Vec<member::Seat>,
    /// Name of the linked registry entry.
    pub party: Option<String>,
    /// Open sessions, newest first.
    pub sessions: Vec<OpenSession>,
    /// What happened to the account lately, newest first: sign-ins, failures, changes by others.
    pub events: Vec<Entry>,
}

/// What the owner sees of the own account. May: the owner.
pub async fn view(app: &App, who: &SignedIn, token: &str) -> Result<View, AppError> {
    let (mut tx, now) = (app.db.read().await?, app.now());
    let row = store::get(&mut tx, &who.account.id).await?;
    let seats = member::list_seats(&mut tx, &row.login_fold, &row.login_fold).await?;
    let party = match &row.account.party {
        Some(id) => party::find(&mut tx, id).await?.map(|party| party.name),
        None => None,
    };
    let (this, idle) = (hash(token), jiff::SignedDuration::from_mins(kepu_domain::account::IDLE_MINUTES));
    let open =
        session::list_by_account(&mut tx, &who.account.id, 50).await?.into_iter().filter(|s| s.expires_at > now && now.duration_since(s.seen_at) <= idle);
    let sessions = open.map(|s| OpenSession { since: s.created_at, seen: s.seen_at, this: s.token_hash == this }).collect();
    let about = entries::Filter { object: Some(who.account.id.0.clone()), ..entries::Filter::default() };
    let events = entries::list(&mut tx, &about, None, 20).await?;
    Ok(View { seats, party, sessions, events })
}

/// Everything that is held about `who`, for the owner to take along (RULES §7: access, copy, transfer).
///
/// May: the owner. Writes: log.
pub async fn export(app: &App, who: &SignedIn) -> Result<Value, AppError> {
    let mut tx = app.db.write().await?;
    let row = store::get(&mut tx, &who.account.id).await?;
    let seats = member::list_seats(&mut tx, &row.login_fold, &row.login_fold).await?;
    let entry = match &row.account.party {
        Some(id) => party::find(&mut tx, id).await?,
        None => None,
    };
    let a = &row.account;
    let time = |at: Timestamp| at.to_string();
    let value = json!({
        "format": "kepu-account-1",
        "made": time(app.now()),
        "account": {
            "id": a.id.0, "login": a.login, "name": a.name, "created": time(row.created_at), "lastSignIn": row.last_seen.map(time),
            "secondFactor": a.has_totp, "mustChangePassword": a.must_change,
        },
        "roles": seats.iter().map(|s| json!({"organisation": s.org.0, "name": s.org_name, "role": s.role.as_str()})).collect::<Vec<_>>(),
        "registryEntry": entry,
        "sessions": session::list_by_account(&mut tx, &a.id, 500).await?.iter()
            .map(|s| json!({"since": time(s.created_at), "lastUsed": time(s.seen_at), "ends": time(s.expires_at)})).collect::<Vec<_>>(),
        "work": works(&mut tx, &row).await?,
        "log": deeds(&mut tx, who).await?,
        "notHeld": "what was read or searched, network addresses, the password itself",
    });
    log(app, &mut tx, &who.actor.log_name(), "account.exported", &a.id.0, "ok").await?;
    tx.commit().await?;
    Ok(value)
}

/// Drafts, reviews and cases of an account.
async fn works(tx: &mut Tx, row: &Row) -> Result<Value, AppError> {
    let drafts = draft::list_by_owner(tx, &row.account.id, WORKS_MAX).await?;
    let drafts = drafts.iter().map(|l| {
        let d = &l.draft;
        json!({"id": d.id.0, "subject": d.subject.0, "organisation": d.org.0, "stage": d.stage.name(), "begun": l.created_at.to_string(),
               "changed": l.updated_at.to_string(), "content": d.matter})
    });
    let drafts: Vec<Value> = drafts.collect();
    let reviews = match &row.account.party {
        Some(party) => review::list_by_reviewer(tx, party, None, WORKS_MAX).await?,
        None => vec![],
    };
    let reviews = reviews.iter().map(|r| {
        let stage = match &r.stage {
            Stage::Assigned { due } => json!({"due": due.to_string()}),
            Stage::Decided { decision, conflict, comment, checks, at } => {
                json!({"decision": decision.as_str(), "interests": conflict, "comment": comment, "checks": checks, "at": at.to_string()})
            }
            Stage::Declined { reason, at } => json!({"declined": reason, "at": at.to_string()}),
        };
        json!({"id": r.id.0, "draft": r.draft.0, "version": r.draft_version, "stage": stage})
    });
    let reviews: Vec<Value> = reviews.collect();
    let mine = case::Filter { owner: Some(row.account.id.clone()), ..case::Filter::default() };
    let cases = case::list(tx, &mine, None, WORKS_MAX).await?;
    let cases: Vec<Value> = cases.iter().map(|c| json!({"id": c.id.0, "title": c.title, "opened": c.opened_at.to_string()})).collect();
    Ok(json!({"drafts": drafts, "reviews": reviews, "cases": cases}))
}

/// What the audit log holds by and about somebody, each entry once, newest first.
async fn deeds(tx: &mut Tx, who: &SignedIn) -> Result<Vec<Value>, AppError> {
    let by = entries::Filter { who: Some(who.actor.log_name()), ..entries::Filter::default() };
    let about = entries::Filter { object: Some(who.account.id.0.clone()), ..entries::Filter::default() };
    let mut list = entries::list(tx, &by, None, ENTRIES_MAX).await?;
    list.extend(entries::list(tx, &about, None, ENTRIES_MAX).await?);
    list.sort_by_key(|entry| std::cmp::Reverse(entry.seq));
    list.dedup_by_key(|entry| entry.seq);
    Ok(list.iter().map(|e| json!({"at": e.at.to_string(), "action": e.action, "object": e.object, "result": e.result})).collect())
}

/// Closes the own account: name, password, second factor, roles and sessions go; the id stays in the audit log and the name
/// under what was signed, because others rely on both.
///
/// May: the owner, with the password; not the last steward of an organisation, not the last security administrator.
/// Writes: account, member, session, log.
pub async fn close(app: &App, who: &SignedIn, password: &str) -> Result<(), AppError> {
    let row = prove(app, who, "password", password).await?;
    let mut tx = app.db.write().await?;
    // First, so that two who close their accounts at once are counted one after the other (see `member::revoke`).
    log(app, &mut tx, &who.actor.log_name(), "account.closed", &who.account.id.0, "ok").await?;
    let held = member::list_by_account(&mut tx, &row.account.id).await?;
    crate::member::keep_the_last(&mut tx, &row.account.id, &held, "password").await?;
    for membership in &held {
        member::delete(&mut tx, &row.account.id, membership).await?;
    }
    session::delete_by_account(&mut tx, &row.account.id, "").await?;
    login_lock::delete(&mut tx, &format!("login:{}", row.login_fold)).await?;
    let login = format!("{CLOSED}{}", row.account.id);
    let account = Account { login: login.clone(), name: CLOSED_NAME.into(), party: None, disabled: true, must_change: false, ..row.account.clone() };
    store::update(&mut tx, Row { account, login_fold: login, pass_hash: String::new(), totp_secret: None, ..row }).await?;
    tx.commit().await?;
    Ok(())
}
