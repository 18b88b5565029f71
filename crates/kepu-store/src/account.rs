//! Accounts with what signing in needs. Roles are in `member`, browsers in `session`, failed sign-ins in `login_lock`.

use crate::db::Tx;
use crate::error::StoreError;
use crate::sql::{Built, Cells, all, args, must, number, one, run, run_versioned};
use crate::value::like_escape;
use jiff::Timestamp;
use kepu_domain::access::Role;
use kepu_domain::account::Account;
use kepu_domain::ids::{AccountId, OrgId, PartyId};

/// An account with its secrets. `account.has_totp` is made from `totp_secret` on reading and not looked at on writing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The account.
    pub account: Account,
    /// The sign-in name as it is looked up: unique.
    pub login_fold: String,
    /// PHC string of the password.
    pub pass_hash: String,
    /// Secret of the second factor.
    pub totp_secret: Option<Vec<u8>>,
    /// The last time step accepted, so that no code counts twice.
    pub totp_last: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its owner was here last.
    pub last_seen: Option<Timestamp>,
    /// Version read, for safe updates.
    pub version: i64,
}

macro_rules! columns {
    () => {
        "id, login, login_fold, name, party, pass_hash, totp_secret, totp_last, disabled, must_change, created_at, last_seen, version"
    };
}

fn read(c: &mut Cells<'_>) -> Result<Row, StoreError> {
    let (id, login, login_fold) = (c.id()?, c.text()?, c.text()?);
    let (name, party, pass_hash, totp_secret, totp_last) = (c.text()?, c.opt_id()?, c.text()?, c.opt_bytes()?, c.int()?);
    let (disabled, must_change) = (c.bool()?, c.bool()?);
    let account = Account { id, login, name, party, has_totp: totp_secret.is_some(), disabled, must_change };
    Ok(Row { account, login_fold, pass_hash, totp_secret, totp_last, created_at: c.time()?, last_seen: c.opt_time()?, version: c.int()? })
}

/// Adds an account. `Duplicate` if the sign-in name is taken.
pub async fn insert(tx: &mut Tx, row: &Row) -> Result<(), StoreError> {
    const SQL: &str = concat!("INSERT INTO account (", columns!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)");
    let a = &row.account;
    let party = a.party.as_ref().map(PartyId::as_str);
    let (secret, version) = (row.totp_secret.as_deref(), row.version);
    let args = args![
        a.id.as_str(),
        &a.login,
        &row.login_fold,
        &a.name,
        party,
        &row.pass_hash,
        secret,
        row.totp_last,
        a.disabled,
        a.must_change,
        row.created_at,
        row.last_seen,
        version
    ];
    run(tx, "add an account", SQL, args).await.map(drop)
}

/// Stores a changed account that was read in `row.version`; returns it with its new version. `last_seen` is left alone.
pub async fn update(tx: &mut Tx, row: Row) -> Result<Row, StoreError> {
    const SQL: &str = "
        UPDATE account SET login = $3, login_fold = $4, name = $5, party = $6, pass_hash = $7, totp_secret = $8, totp_last = $9,
                           disabled = $10, must_change = $11, version = version + 1
        WHERE id = $1 AND version = $2";
    const EXISTS: &str = "SELECT COUNT(*) FROM account WHERE id = $1";
    let a = &row.account;
    let party = a.party.as_ref().map(PartyId::as_str);
    let secret = row.totp_secret.as_deref();
    let args = args![a.id.as_str(), row.version, &a.login, &row.login_fold, &a.name, party, &row.pass_hash, secret, row.totp_last, a.disabled, a.must_change];
    run_versioned(tx, "change an account", "account", a.id.as_str(), SQL, args, EXISTS).await?;
    Ok(Row { version: row.version + 1, account: Account { has_totp: row.totp_secret.is_some(), ..row.account }, ..row })
}

/// Notes that a second factor's time step was used. `false` if it, or a later one, was used before: the code must not count.
pub async fn use_totp_step(tx: &mut Tx, id: &AccountId, step: i64) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE account SET totp_last = $2 WHERE id = $1 AND totp_last < $2";
    Ok(run(tx, "use up a code", SQL, args![id.as_str(), step]).await? == 1)
}

/// Notes that the owner was here.
pub async fn set_last_seen(tx: &mut Tx, id: &AccountId, now: Timestamp) -> Result<(), StoreError> {
    run(tx, "note a visit", "UPDATE account SET last_seen = $2 WHERE id = $1", args![id.as_str(), now]).await.map(drop)
}

/// One account.
pub async fn find(tx: &mut Tx, id: &AccountId) -> Result<Option<Row>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM account WHERE id = $1");
    one(tx, "find an account", SQL, args![id.as_str()], read).await
}

/// One account that must be there.
pub async fn get(tx: &mut Tx, id: &AccountId) -> Result<Row, StoreError> {
    must(find(tx, id).await?, "account", id)
}

/// The account with this folded sign-in name.
pub async fn find_by_login(tx: &mut Tx, login_fold: &str) -> Result<Option<Row>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM account WHERE login_fold = $1");
    one(tx, "find an account by its name", SQL, args![login_fold], read).await
}

/// Which accounts; the default asks for nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Holds a role in this organisation.
    pub org: Option<OrgId>,
    /// Holds this role somewhere, or in `org`.
    pub role: Option<Role>,
    /// Part of the folded sign-in name or of the name.
    pub text: Option<String>,
    /// Not signed in since, and not disabled: the stale ones.
    pub unseen_since: Option<Timestamp>,
    /// Disabled ones only.
    pub disabled: bool,
    /// Ones without a second factor only.
    pub without_totp: bool,
}

fn built<'a>(head: &'static str, filter: &'a Filter) -> Built<'a> {
    let mut query = Built::new(head);
    match (&filter.org, filter.role) {
        (Some(org), Some(role)) => {
            query.push(" AND id IN (SELECT account FROM member WHERE org = {} AND role = {})", args![org.as_str(), role.as_str()]);
        }
        (Some(org), None) => {
            query.push(" AND id IN (SELECT account FROM member WHERE org = {})", args![org.as_str()]);
        }
        (None, Some(role)) => {
            query.push(" AND id IN (SELECT account FROM member WHERE role = {})", args![role.as_str()]);
        }
        (None, None) => {}
    }
    if let Some(text) = &filter.text {
        let like = format!("%{}%", like_escape(text));
        query.push(" AND (login_fold LIKE {} ESCAPE '\\' OR name LIKE {} ESCAPE '\\')", args![like.clone(), like]);
    }
    if let Some(since) = filter.unseen_since {
        query.push(" AND COALESCE(last_seen, created_at) < {} AND NOT disabled", args![since]);
    }
    if filter.disabled {
        query.push(" AND disabled", args![]);
    }
    if filter.without_totp {
        query.push(" AND totp_secret IS NULL AND NOT disabled", args![]);
    }
    query
}

/// Accounts after the folded sign-in name `after`, by that name, at most `limit`.
pub async fn list(tx: &mut Tx, filter: &Filter, after: Option<&str>, limit: u32) -> Result<Vec<Row>, StoreError> {
    let mut query = built(concat!("SELECT ", columns!(), " FROM account WHERE TRUE"), filter);
    if let Some(after) = after {
        query.push(" AND login_fold > {}", args![after]);
    }
    query.push(" ORDER BY login_fold LIMIT {}", args![limit]);
    let (sql, args) = query.done();
    all(tx, "list accounts", sql, args, read).await
}

/// How many accounts the filter lets through.
pub async fn count_filtered(tx: &mut Tx, filter: &Filter) -> Result<i64, StoreError> {
    let (sql, args) = built("SELECT COUNT(*) FROM account WHERE TRUE", filter).done();
    number(tx, "count accounts", sql, args).await
}

/// The accounts linked to a registry entry, by id, at most `limit`.
pub async fn list_by_party(tx: &mut Tx, party: &PartyId, limit: u32) -> Result<Vec<Row>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM account WHERE party = $1 ORDER BY id LIMIT $2");
    all(tx, "list the accounts of a party", SQL, args![party.as_str(), limit], read).await
}

/// Links the accounts of party `from` to `into`.
pub async fn move_party(tx: &mut Tx, from: &PartyId, into: &PartyId) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE account SET party = $2, version = version + 1 WHERE party = $1";
    run(tx, "move accounts to another party", SQL, args![from.as_str(), into.as_str()]).await.map(drop)
}

/// Unlinks the accounts of a party.
pub async fn clear_party(tx: &mut Tx, party: &PartyId) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE account SET party = NULL, version = version + 1 WHERE party = $1";
    run(tx, "unlink accounts from a party", SQL, args![party.as_str()]).await.map(drop)
}

/// How many accounts there are or ever were: closed ones leave their row.
pub async fn count(tx: &mut Tx) -> Result<i64, StoreError> {
    number(tx, "count accounts", "SELECT COUNT(*) FROM account", vec![]).await
}
