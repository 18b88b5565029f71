//! Signing in and out, sessions, and making accounts (RULES §13). What owners do with their own account is in `own`, passwords
//! and codes in `secret`; roles and what stewards and administrators do for others in `member`.

pub mod own;
pub mod secret;

use crate::error::{AppError, FieldError};
use crate::{App, keys};
use data_encoding::HEXLOWER;
use jiff::{SignedDuration, Timestamp};
use kepu_domain::access::{Action, Actor, Membership, OrgLine, Role, check_combination};
use kepu_domain::account::{Account, IDLE_MINUTES, Owes, SESSION_HOURS, check_password, locked_until, owes};
use kepu_domain::ids::{AccountId, OrgId, PartyId};
use kepu_store::account::Row;
use kepu_store::{Tx, account as store, login_lock, member, session};
use secret::hash;

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
    /// The actor for `may`; without roles while the account owes something.
    pub actor: Actor,
    /// The account.
    pub account: Account,
    /// Token that forms must carry.
    pub csrf: String,
    /// Roles with the organisations they are held in.
    pub memberships: Vec<Membership>,
    /// What must be done before anything else.
    pub owes: Option<Owes>,
    /// When the session ends if nothing is done.
    pub idle_at: Timestamp,
    /// When it ends whatever is done.
    pub expires: Timestamp,
}

/// Longest sign-in name that is looked up, in characters.
const LOGIN_MAX: usize = 60;

/// Signs in. Failures count per name and per address and survive restarts; the answer never says which part was wrong.
///
/// An account with a second factor answers [`AppError::CodeNeeded`] to a right password; [`sign_in_code`] goes on from there.
///
/// May: anybody. Writes: session, lock, log.
pub async fn sign_in(app: &App, login: &str, password: &str, code: Option<&str>, address: &str) -> Result<Session, AppError> {
    let blank = [("login", login), ("password", password)].into_iter().filter(|(_, value)| value.trim().is_empty());
    let blank: Vec<_> = blank.map(|(field, _)| FieldError::new(field, "required")).collect();
    if !blank.is_empty() {
        return Err(AppError::Invalid(blank));
    }
    let fold: String = kepu_text::fold(login.trim()).chars().take(LOGIN_MAX).collect();
    let locks = locks(app, &fold, address);
    let mut tx = app.db.read().await?;
    refuse_locked(app, &mut tx, &locks).await?;
    let found = store::find_by_login(&mut tx, &fold).await?;
    drop(tx);
    let usable = found.as_ref().filter(|row| !row.account.disabled);
    // Outside the transaction: hashing takes long, and nobody else could write meanwhile.
    let right = secret::verify_password(usable.map(|row| row.pass_hash.clone()), password).await;
    let mut tx = app.db.write().await?;
    // Guesses that were sent together have counted by now.
    refuse_locked(app, &mut tx, &locks).await?;
    let now = store::find_by_login(&mut tx, &fold).await?;
    let same = |row: &&Row| !row.account.disabled && found.as_ref().is_some_and(|before| before.pass_hash == row.pass_hash);
    match now.as_ref().filter(same).filter(|_| right) {
        Some(row) => enter(app, tx, &locks, row, code).await,
        None => fail(app, tx, &locks, found.as_ref(), "password", AppError::Credentials).await,
    }
}

/// The second step of signing in: the ticket of [`AppError::CodeNeeded`], bound to the password it was given for, and a code.
///
/// May: whoever gave the right password within ten minutes. Writes: session, lock, log.
pub async fn sign_in_code(app: &App, ticket: &str, code: &str, address: &str) -> Result<Session, AppError> {
    let mut tx = app.db.write().await?;
    let id = AccountId::from(secret::word_of(ticket));
    let row = store::find(&mut tx, &id).await?.filter(|row| !row.account.disabled && unseal_ticket(app, ticket, row)).ok_or(AppError::TicketEnded)?;
    let locks = locks(app, &row.login_fold, address);
    refuse_locked(app, &mut tx, &locks).await?;
    enter(app, tx, &locks, &row, Some(code)).await
}

fn unseal_ticket(app: &App, ticket: &str, row: &Row) -> bool {
    secret::unseal(app, "ticket", ticket, &row.pass_hash).is_some()
}

/// What is left once the password is right: the second factor, if there is one, then the session.
async fn enter(app: &App, mut tx: Tx, locks: &[String; 2], row: &Row, code: Option<&str>) -> Result<Session, AppError> {
    let (account, now) = (&row.account, app.now());
    if let Some(secret) = &row.totp_secret {
        let Some(code) = code.map(str::trim).filter(|c| !c.is_empty()) else {
            return Err(AppError::CodeNeeded(secret::seal(app, "ticket", &account.id.0, &row.pass_hash)));
        };
        let fresh = match secret::check_code(secret, code, now, row.totp_last) {
            Some(step) => store::use_totp_step(&mut tx, &account.id, step).await?,
            None => false,
        };
        if !fresh {
            return fail(app, tx, locks, Some(row), "code", AppError::Code).await;
        }
    }
    login_lock::delete(&mut tx, &locks[0]).await?;
    let session = open_session(&mut tx, &account.id, now).await?;
    log(app, &mut tx, &format!("account:{}", account.id), "account.signed_in", &account.id.0, "ok").await?;
    tx.commit().await?;
    Ok(session)
}

/// The names under which failures of this sign-in name and address are counted. The address is hashed with a secret of the
/// node, so that the tables alone tell nobody where anybody was.
fn locks(app: &App, fold: &str, address: &str) -> [String; 2] {
    [format!("login:{fold}"), format!("addr:{}", HEXLOWER.encode(&app.key.derive("address", &[address])[..16]))]
}

async fn refuse_locked(app: &App, tx: &mut Tx, locks: &[String]) -> Result<(), AppError> {
    let now = app.now();
    for lock in locks {
        if let Some(until) = login_lock::find(tx, lock).await?.and_then(|l| l.until).filter(|until| *until > now) {
            return Err(AppError::Locked(until));
        }
    }
    Ok(())
}

async fn fail<T>(app: &App, mut tx: Tx, locks: &[String], row: Option<&Row>, part: &str, error: AppError) -> Result<T, AppError> {
    let until = count_failure(app, &mut tx, locks).await?;
    // An unknown name is not written down: people type passwords into the wrong field.
    let object = row.map_or("", |row| row.account.id.as_str());
    let detail = serde_json::json!({ "part": part }).to_string();
    log_with(app, &mut tx, "visitor", "account.sign_in_failed", object, "refused", &detail).await?;
    tx.commit().await?;
    Err(until.map_or(error, AppError::Locked))
}

/// Counts a failure under each of `locks`; until when they are locked now.
async fn count_failure(app: &App, tx: &mut Tx, locks: &[String]) -> Result<Option<Timestamp>, AppError> {
    let now = app.now();
    let mut until = None;
    for lock in locks {
        let failures = login_lock::add_failure(tx, lock, now).await?;
        // An address may be shared by a whole office: it gets four times the patience of a name.
        let counted = if lock.starts_with("addr:") { failures / 4 } else { failures };
        let end = locked_until(counted, now);
        login_lock::set_until(tx, lock, end).await?;
        until = until.max(end);
    }
    Ok(until)
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

/// Who holds this session token; `None` if it ended. Moves the idle limit, but writes at most once a minute.
pub async fn find_session(app: &App, token: &str) -> Result<Option<SignedIn>, AppError> {
    let now = app.now();
    let id = hash(token);
    let mut tx = app.db.read().await?;
    let Some(mut session) = session::find(&mut tx, &id, now).await? else { return Ok(None) };
    let idle = now.duration_since(session.seen_at) > SignedDuration::from_mins(IDLE_MINUTES);
    if idle || session.expires_at <= now {
        return Ok(None);
    }
    let account = store::get(&mut tx, &session.account).await?.account;
    if account.disabled {
        return Ok(None);
    }
    let memberships = member::list_by_account(&mut tx, &session.account).await?;
    let roles: Vec<Role> = memberships.iter().map(|m| m.role).collect();
    let owes = owes(&account, &roles, &crate::member::demanded(&mut tx).await?);
    drop(tx);
    if now.duration_since(session.seen_at) > SignedDuration::from_mins(1) {
        let mut tx = app.db.write().await?;
        session::touch(&mut tx, &id, now).await?;
        tx.commit().await?;
        session.seen_at = now;
    }
    let counting = if owes.is_some() { vec![] } else { memberships.clone() };
    Ok(Some(SignedIn {
        actor: Actor::Person { account: account.id.clone(), name: account.name.clone(), memberships: counting },
        account,
        csrf: session.csrf,
        memberships,
        owes,
        idle_at: later(session.seen_at, SignedDuration::from_mins(IDLE_MINUTES)).min(session.expires_at),
        expires: session.expires_at,
    }))
}

/// Ends a session.
///
/// May: whoever holds the token. Writes: session, log.
pub async fn sign_out(app: &App, token: &str) -> Result<(), AppError> {
    let id = hash(token);
    let mut tx = app.db.write().await?;
    if let Some(session) = session::find(&mut tx, &id, app.now()).await? {
        session::delete(&mut tx, &id).await?;
        log(app, &mut tx, &format!("account:{}", session.account), "account.signed_out", &session.account.0, "ok").await?;
    }
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

/// Makes an account within `tx`, without asking whether the actor may.
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
    let row = Row {
        account,
        login_fold: fold,
        pass_hash: secret::hash_password(&new.password)?,
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

/// Gives a role within `tx`, without asking whether the actor may.
pub async fn grant_in(app: &App, tx: &mut Tx, who: &Actor, account: &AccountId, org: &OrgId, role: Role) -> Result<(), AppError> {
    let held: Vec<Role> = member::list_by_account(tx, account).await?.into_iter().map(|m| m.role).collect();
    check_combination(&held, role).map_err(|_| AppError::Invalid(vec![FieldError::new("role", "roles_apart")]))?;
    member::insert(tx, account, &Membership { org: org.clone(), role }).await?;
    log(app, tx, &who.log_name(), "member.role_granted", &format!("{account} {} {org}", role.as_str()), "ok").await
}

/// The organisations where the actor may draft, nearest first.
pub async fn drafting_orgs(app: &App, who: &SignedIn) -> Result<Vec<kepu_domain::org::Org>, AppError> {
    orgs_where(app, who, Action::Draft).await
}

/// The organisations in which the actor holds a role that allows `action`, in the order of the memberships.
pub async fn orgs_where(app: &App, who: &SignedIn, action: Action) -> Result<Vec<kepu_domain::org::Org>, AppError> {
    let mut tx = app.db.read().await?;
    let mut list = Vec::new();
    for membership in &who.memberships {
        let line = OrgLine(vec![membership.org.clone()]);
        if who.actor.may(action, Some(&line)).is_ok() && !list.iter().any(|o: &kepu_domain::org::Org| o.id == membership.org) {
            list.extend(kepu_store::org::find(&mut tx, &membership.org).await?);
        }
    }
    Ok(list)
}

/// `at` moved by `by`, at the end of time if that overflows.
pub(crate) fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// [`log`] for a deed that was done, with further facts: ids and words, never contents.
pub(crate) async fn log_detail(app: &App, tx: &mut Tx, who: &str, action: &str, object: &str, detail: &serde_json::Value) -> Result<(), AppError> {
    log_with(app, tx, who, action, object, "ok", &detail.to_string()).await
}

/// Writes an entry into the audit log, in the same transaction as the change.
pub(crate) async fn log(app: &App, tx: &mut Tx, who: &str, action: &str, object: &str, result: &str) -> Result<(), AppError> {
    log_with(app, tx, who, action, object, result, "").await
}

/// [`log`] with further facts as JSON text; never answers, contact data, tokens, or who searched for what.
pub(crate) async fn log_with(app: &App, tx: &mut Tx, who: &str, action: &str, object: &str, result: &str, detail: &str) -> Result<(), AppError> {
    kepu_store::log::append(tx, app.now(), who, action, object, result, detail).await?;
    Ok(())
}
