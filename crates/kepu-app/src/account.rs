//! Signing in and out, second factors, accounts and their roles (RULES §13).

use crate::error::{AppError, FieldError};
use crate::{App, keys};
use argon2::{Argon2, PasswordHasher, PasswordVerifier, password_hash::phc::PasswordHash};
use data_encoding::HEXLOWER;
use jiff::{SignedDuration, Timestamp};
use kepu_domain::access::{Action, Actor, Membership, OrgLine, Role, check_combination};
use kepu_domain::account::{Account, IDLE_MINUTES, SESSION_HOURS, check_password, locked_until};
use kepu_domain::ids::{AccountId, OrgId, PartyId};
use kepu_store::{Tx, account as store, login_lock, member, session};
use sha2::{Digest, Sha256};

/// A session as its owner holds it.
#[derive(Clone, Debug)]
pub struct Session {
    /// Secret for the cookie; the store holds its hash only.
    pub token: String,
    /// Token for forms.
    pub csrf: String,
    /// Latest end.
    pub expires: Timestamp,
}

/// Who is signed in, as read from a cookie.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The actor for `may`.
    pub actor: Actor,
    /// The account.
    pub account: Account,
    /// Token that forms must carry.
    pub csrf: String,
    /// Roles with the organisations they are held in.
    pub memberships: Vec<Membership>,
}

/// Signs in. Failures count per name and per address and survive restarts; the answer never says which part was wrong.
///
/// May: anybody. Writes: session, lock, log.
pub async fn sign_in(app: &App, login: &str, password: &str, code: Option<&str>, address: &str) -> Result<Session, AppError> {
    let now = app.now();
    let fold = kepu_text::fold(login.trim());
    let locks = [format!("login:{fold}"), format!("addr:{}", hash(address))];
    let mut tx = app.db.write().await?;
    for lock in &locks {
        if let Some(until) = login_lock::find(&mut tx, lock).await?.and_then(|l| l.until).filter(|until| *until > now) {
            return Err(AppError::Locked(until));
        }
    }
    let found = store::find_by_login(&mut tx, &fold).await?;
    let (stored, usable) = match &found {
        Some(row) => (row.pass_hash.clone(), !row.account.disabled),
        // A hash is computed for unknown names too, so that the time taken says nothing.
        None => (DUMMY_HASH.to_owned(), false),
    };
    let attempt = password.to_owned();
    let right = tokio::task::spawn_blocking(move || verify_password(&stored, &attempt)).await.unwrap_or(false) && usable;
    let Some(row) = found.filter(|_| right) else { return fail(app, tx, &locks, "password").await };
    let account = row.account;
    if let Some(secret) = &row.totp_secret {
        let Some(code) = code.map(str::trim).filter(|c| !c.is_empty()) else {
            tx.commit().await?;
            return Err(AppError::CodeNeeded);
        };
        let fresh = match check_code(secret, code, now, row.totp_last) {
            Some(step) => store::use_totp_step(&mut tx, &account.id, step).await?,
            None => false,
        };
        if !fresh {
            return fail(app, tx, &locks, "code").await;
        }
    }
    login_lock::delete(&mut tx, &locks[0]).await?;
    let session = open_session(&mut tx, &account.id, now).await?;
    log(app, &mut tx, &format!("account:{}", account.id), "account.signed_in", &account.id.0, "ok").await?;
    tx.commit().await?;
    Ok(session)
}

async fn fail(app: &App, mut tx: Tx, locks: &[String], part: &str) -> Result<Session, AppError> {
    let now = app.now();
    let mut until = None;
    for lock in locks {
        let failures = login_lock::add_failure(&mut tx, lock, now).await?;
        // An address may be shared by a whole office: it gets four times the patience of a name.
        let counted = if lock.starts_with("addr:") { failures / 4 } else { failures };
        let end = locked_until(counted, now);
        login_lock::set_until(&mut tx, lock, end).await?;
        until = until.max(end);
    }
    log(app, &mut tx, "visitor", "account.sign_in_failed", part, "refused").await?;
    tx.commit().await?;
    Err(until.map_or(AppError::Credentials, AppError::Locked))
}

async fn open_session(tx: &mut Tx, account: &AccountId, now: Timestamp) -> Result<Session, AppError> {
    let token = HEXLOWER.encode(&rand::random::<[u8; 32]>());
    let csrf = HEXLOWER.encode(&rand::random::<[u8; 16]>());
    let expires = later(now, SignedDuration::from_hours(SESSION_HOURS));
    let row = session::Session { token_hash: hash(&token), account: account.clone(), csrf: csrf.clone(), created_at: now, seen_at: now, expires_at: expires };
    session::insert(tx, &row).await?;
    store::set_last_seen(tx, account, now).await?;
    Ok(Session { token, csrf, expires })
}

/// Who holds this session token; `None` if it ended. Moves the idle limit.
pub async fn find_session(app: &App, token: &str) -> Result<Option<SignedIn>, AppError> {
    let now = app.now();
    let id = hash(token);
    let mut tx = app.db.read().await?;
    let Some(session) = session::find(&mut tx, &id, now).await? else { return Ok(None) };
    let idle = now.duration_since(session.seen_at) > SignedDuration::from_mins(IDLE_MINUTES);
    if idle || session.expires_at <= now {
        return Ok(None);
    }
    let row = store::get(&mut tx, &session.account).await?;
    if row.account.disabled {
        return Ok(None);
    }
    let memberships = member::list_by_account(&mut tx, &session.account).await?;
    drop(tx);
    if now.duration_since(session.seen_at) > SignedDuration::from_mins(1) {
        let mut tx = app.db.write().await?;
        session::touch(&mut tx, &id, now).await?;
        tx.commit().await?;
    }
    let account = row.account;
    let actor = Actor::Person { account: account.id.clone(), name: account.name.clone(), memberships: memberships.clone() };
    Ok(Some(SignedIn { actor, account, csrf: session.csrf, memberships }))
}

/// Ends a session.
pub async fn sign_out(app: &App, token: &str) -> Result<(), AppError> {
    let mut tx = app.db.write().await?;
    session::delete(&mut tx, &hash(token)).await?;
    tx.commit().await?;
    Ok(())
}

/// A new account.
#[derive(Clone, Debug, Default)]
pub struct NewAccount {
    /// Sign-in name.
    pub login: String,
    /// Name shown.
    pub name: String,
    /// First password; must be changed at first sign-in unless its owner chose it.
    pub password: String,
    /// Registry entry of the same person.
    pub party: Option<PartyId>,
    /// Whether the password must be changed.
    pub must_change: bool,
}

/// Makes an account within `tx`.
pub async fn create(app: &App, tx: &mut Tx, who: &Actor, new: NewAccount) -> Result<AccountId, AppError> {
    let login = kepu_text::clean_line(&new.login);
    let name = kepu_text::clean_line(&new.name);
    let mut wrong = Vec::new();
    let count = kepu_text::count(&login);
    if !(2..=40).contains(&count) || login.chars().any(char::is_whitespace) {
        wrong.push(FieldError::new("login", "login_form"));
    }
    if let Err(error) = kepu_domain::text::NAME.check(kepu_text::count(&name)) {
        wrong.push(crate::error::text_error(&error));
    }
    if let Err(error) = check_password(&login, &new.password) {
        wrong.push(password_field("password", error));
    }
    let fold = kepu_text::fold(&login);
    if wrong.is_empty() && store::find_by_login(tx, &fold).await?.is_some() {
        wrong.push(FieldError::new("login", "login_taken"));
    }
    if !wrong.is_empty() {
        return Err(AppError::Invalid(wrong));
    }
    let id = AccountId(keys::random_word(16));
    let account = Account { id: id.clone(), login, name, party: new.party, has_totp: false, disabled: false, must_change: new.must_change };
    let row = store::Row {
        account,
        login_fold: fold,
        pass_hash: hash_password(&new.password)?,
        totp_secret: None,
        totp_last: 0,
        created_at: app.now(),
        last_seen: None,
        version: 1,
    };
    store::insert(tx, &row).await?;
    log(app, tx, &who.log_name(), "account.created", &id.0, "ok").await?;
    Ok(id)
}

/// The message of a weak password.
pub fn password_field(field: &str, error: kepu_domain::account::PasswordError) -> FieldError {
    use kepu_domain::account::PasswordError::{Common, Long, Pattern, Short};
    let key = match error {
        Short => "password_short",
        Long => "password_long",
        Common => "password_common",
        Pattern => "password_pattern",
    };
    FieldError::new(field, key)
}

/// Adds a member to an organisation: a new account with a first password, and a role.
///
/// May: stewards of the organisation; administrators' roles: the security administrator. Writes: account, member, log.
pub async fn add_member(app: &App, who: &Actor, org: &OrgId, new: NewAccount, role: Role) -> Result<AccountId, AppError> {
    let mut tx = app.db.write().await?;
    may_grant(&mut tx, who, org, role).await?;
    let id = create(app, &mut tx, who, NewAccount { must_change: true, ..new }).await?;
    grant_in(app, &mut tx, who, &id, org, role).await?;
    tx.commit().await?;
    Ok(id)
}

async fn may_grant(tx: &mut Tx, who: &Actor, org: &OrgId, role: Role) -> Result<(), AppError> {
    let line = kepu_store::org::line(tx, org).await?;
    let action = if role.is_admin() { Action::ManageSecurity } else { Action::ManageMembers };
    let line = if role.is_admin() { None } else { Some(&line) };
    Ok(who.may(action, line)?)
}

/// Gives a role. May and writes as [`add_member`].
pub async fn grant(app: &App, who: &Actor, account: &AccountId, org: &OrgId, role: Role) -> Result<(), AppError> {
    let mut tx = app.db.write().await?;
    may_grant(&mut tx, who, org, role).await?;
    grant_in(app, &mut tx, who, account, org, role).await?;
    tx.commit().await?;
    Ok(())
}

/// Gives a role within `tx`, without asking whether the actor may.
pub async fn grant_in(app: &App, tx: &mut Tx, who: &Actor, account: &AccountId, org: &OrgId, role: Role) -> Result<(), AppError> {
    let held: Vec<Role> = member::list_by_account(tx, account).await?.into_iter().map(|m| m.role).collect();
    check_combination(&held, role).map_err(|_| AppError::Invalid(vec![FieldError::new("role", "roles_apart")]))?;
    member::insert(tx, account, &Membership { org: org.clone(), role }).await?;
    log(app, tx, &who.log_name(), "member.role_granted", &format!("{account} {} {org}", role.as_str()), "ok").await
}

/// Takes a role away. May and writes as [`add_member`]; nobody takes the last steward's role.
pub async fn revoke(app: &App, who: &Actor, account: &AccountId, org: &OrgId, role: Role) -> Result<(), AppError> {
    let mut tx = app.db.write().await?;
    may_grant(&mut tx, who, org, role).await?;
    member::delete(&mut tx, account, &Membership { org: org.clone(), role }).await?;
    log(app, &mut tx, &who.log_name(), "member.role_revoked", &format!("{account} {} {org}", role.as_str()), "ok").await?;
    tx.commit().await?;
    Ok(())
}

/// Ends the lock of a name. May: the security administrator.
pub async fn unlock(app: &App, who: &Actor, login: &str) -> Result<(), AppError> {
    who.may(Action::ManageSecurity, None)?;
    let mut tx = app.db.write().await?;
    login_lock::delete(&mut tx, &format!("login:{}", kepu_text::fold(login.trim()))).await?;
    log(app, &mut tx, &who.log_name(), "account.unlocked", "", "ok").await?;
    tx.commit().await?;
    Ok(())
}

/// Changes one's own password; ends all other sessions.
pub async fn change_password(app: &App, who: &SignedIn, old: &str, new: &str, keep_token: &str) -> Result<(), AppError> {
    check_password(&who.account.login, new).map_err(|e| AppError::Invalid(vec![password_field("new", e)]))?;
    let mut tx = app.db.write().await?;
    let row = store::get(&mut tx, &who.account.id).await?;
    if !verify_password(&row.pass_hash, old) {
        return Err(AppError::Invalid(vec![FieldError::new("old", "password_wrong")]));
    }
    let account = Account { must_change: false, ..row.account.clone() };
    store::update(&mut tx, store::Row { account, pass_hash: hash_password(new)?, ..row }).await?;
    session::delete_by_account(&mut tx, &who.account.id, &hash(keep_token)).await?;
    log(app, &mut tx, &who.actor.log_name(), "account.password_changed", &who.account.id.0, "ok").await?;
    tx.commit().await?;
    Ok(())
}

/// A fresh secret for a second factor with its `otpauth://` address; kept nowhere until [`confirm_totp`].
pub fn new_totp(account: &Account) -> (String, String) {
    let secret = data_encoding::BASE32_NOPAD.encode(&rand::random::<[u8; 20]>());
    let login: String = account.login.chars().filter(char::is_ascii_alphanumeric).collect();
    let address = format!("otpauth://totp/Kepu:{login}?secret={secret}&issuer=Kepu&digits=6&period=30&algorithm=SHA1");
    (secret, address)
}

/// Sets up the second factor once a right code proves that the owner has it.
pub async fn confirm_totp(app: &App, who: &SignedIn, secret: &str, code: &str) -> Result<(), AppError> {
    let now = app.now();
    let bytes = data_encoding::BASE32_NOPAD.decode(secret.as_bytes()).unwrap_or_default();
    let Some(step) = check_code(&bytes, code.trim(), now, 0) else { return Err(AppError::Invalid(vec![FieldError::new("code", "code_wrong")])) };
    let mut tx = app.db.write().await?;
    let row = store::get(&mut tx, &who.account.id).await?;
    store::update(&mut tx, store::Row { totp_secret: Some(bytes), totp_last: step, ..row }).await?;
    log(app, &mut tx, &who.actor.log_name(), "account.second_factor_set", &who.account.id.0, "ok").await?;
    tx.commit().await?;
    Ok(())
}

/// Removes the second factor, with the password.
pub async fn remove_totp(app: &App, who: &SignedIn, password: &str) -> Result<(), AppError> {
    let mut tx = app.db.write().await?;
    let row = store::get(&mut tx, &who.account.id).await?;
    if !verify_password(&row.pass_hash, password) {
        return Err(AppError::Invalid(vec![FieldError::new("password", "password_wrong")]));
    }
    store::update(&mut tx, store::Row { totp_secret: None, ..row }).await?;
    log(app, &mut tx, &who.actor.log_name(), "account.second_factor_removed", &who.account.id.0, "ok").await?;
    tx.commit().await?;
    Ok(())
}

/// The organisations where the actor may draft, nearest first.
pub async fn drafting_orgs(app: &App, who: &SignedIn) -> Result<Vec<kepu_domain::org::Org>, AppError> {
    let mut tx = app.db.read().await?;
    let mut list = Vec::new();
    for membership in &who.memberships {
        let line = OrgLine(vec![membership.org.clone()]);
        if who.actor.may(Action::Draft, Some(&line)).is_ok() && !list.iter().any(|o: &kepu_domain::org::Org| o.id == membership.org) {
            list.extend(kepu_store::org::find(&mut tx, &membership.org).await?);
        }
    }
    Ok(list)
}

/// The time step of a right one-time code (RFC 6238, 30 s, one step of drift) later than `last`; each step counts once.
fn check_code(secret: &[u8], code: &str, now: Timestamp, last: i64) -> Option<i64> {
    let step = now.as_second().div_euclid(30);
    (step - 1..=step + 1).find(|at| *at > last && totp(secret, *at) == code)
}

fn totp(secret: &[u8], step: i64) -> String {
    use totp_rs::{Algorithm, Builder};
    Builder::new()
        .with_algorithm(Algorithm::SHA1)
        .with_secret(secret.to_vec())
        .build()
        .map(|t| t.generate(u64::try_from(step * 30).unwrap_or_default()).to_string())
        .unwrap_or_default()
}

/// Argon2id with the crate's defaults (19 MiB, two passes: OWASP's first recommendation).
fn hash_password(password: &str) -> Result<String, AppError> {
    let hash = Argon2::default().hash_password(password.as_bytes());
    hash.map(|h| h.to_string()).map_err(|e| AppError::Record(format!("the password could not be hashed: {e}")))
}

fn verify_password(stored: &str, password: &str) -> bool {
    PasswordHash::new(stored).is_ok_and(|parsed| Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok())
}

/// Argon2id of a random value that nobody knows.
const DUMMY_HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXJhbmRvbXNhbHQ$Nf3LhYxKqQ1m0bqYk9r0mV0m1x2l5J7b0i8m2w3c4d5";

fn hash(text: &str) -> String {
    HEXLOWER.encode(&Sha256::digest(text.as_bytes()))
}

/// `at` moved by `by`, at the end of time if that overflows.
pub(crate) fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// Writes an entry into the audit log, in the same transaction as the change.
pub(crate) async fn log(app: &App, tx: &mut Tx, who: &str, action: &str, object: &str, result: &str) -> Result<(), AppError> {
    kepu_store::log::append(tx, app.now(), who, action, object, result, "").await?;
    Ok(())
}

/// [`log`] for a deed that was done, with further facts: ids and words, never contents.
pub(crate) async fn log_detail(app: &App, tx: &mut Tx, who: &str, action: &str, object: &str, detail: &serde_json::Value) -> Result<(), AppError> {
    kepu_store::log::append(tx, app.now(), who, action, object, "ok", &detail.to_string()).await?;
    Ok(())
}
