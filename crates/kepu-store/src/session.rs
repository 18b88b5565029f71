//! Signed-in browsers, by the hash of their token. How long a session lives is decided in `kepu-app::account`.

use crate::db::Tx;
use crate::error::StoreError;
use crate::sql::{Cells, all, args, one, run};
use jiff::Timestamp;
use kepu_domain::ids::AccountId;

/// A signed-in browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Hash of the token in the cookie; the token itself is nowhere stored.
    pub token_hash: String,
    /// Who signed in.
    pub account: AccountId,
    /// What forms must send back.
    pub csrf: String,
    /// When.
    pub created_at: Timestamp,
    /// When it was used last.
    pub seen_at: Timestamp,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
}

macro_rules! columns {
    () => {
        "token_hash, account, csrf, created_at, seen_at, expires_at"
    };
}

fn read(c: &mut Cells<'_>) -> Result<Session, StoreError> {
    Ok(Session { token_hash: c.text()?, account: c.id()?, csrf: c.text()?, created_at: c.time()?, seen_at: c.time()?, expires_at: c.time()? })
}

/// Begins a session.
pub async fn insert(tx: &mut Tx, s: &Session) -> Result<(), StoreError> {
    const SQL: &str = concat!("INSERT INTO session (", columns!(), ") VALUES ($1, $2, $3, $4, $5, $6)");
    run(tx, "begin a session", SQL, args![&s.token_hash, s.account.as_str(), &s.csrf, s.created_at, s.seen_at, s.expires_at]).await.map(drop)
}

/// The session with this token hash, if it has not ended at `now`.
pub async fn find(tx: &mut Tx, token_hash: &str, now: Timestamp) -> Result<Option<Session>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM session WHERE token_hash = $1 AND expires_at > $2");
    one(tx, "find a session", SQL, args![token_hash, now], read).await
}

/// Notes that a session was used.
pub async fn touch(tx: &mut Tx, token_hash: &str, now: Timestamp) -> Result<(), StoreError> {
    run(tx, "keep a session alive", "UPDATE session SET seen_at = $2 WHERE token_hash = $1", args![token_hash, now]).await.map(drop)
}

/// Ends a session.
pub async fn delete(tx: &mut Tx, token_hash: &str) -> Result<(), StoreError> {
    run(tx, "end a session", "DELETE FROM session WHERE token_hash = $1", args![token_hash]).await.map(drop)
}

/// Ends all sessions of an account but the one with token hash `except` (empty: all); returns how many.
pub async fn delete_by_account(tx: &mut Tx, account: &AccountId, except: &str) -> Result<u64, StoreError> {
    const SQL: &str = "DELETE FROM session WHERE account = $1 AND token_hash <> $2";
    run(tx, "end the sessions of an account", SQL, args![account.as_str(), except]).await
}

/// The sessions of an account, newest first, at most `limit`.
pub async fn list_by_account(tx: &mut Tx, account: &AccountId, limit: u32) -> Result<Vec<Session>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM session WHERE account = $1 ORDER BY created_at DESC, token_hash LIMIT $2");
    all(tx, "list sessions", SQL, args![account.as_str(), limit], read).await
}

/// Removes sessions that ended before `now` or were idle since `idle_since`; returns how many.
pub async fn purge(tx: &mut Tx, now: Timestamp, idle_since: Timestamp) -> Result<u64, StoreError> {
    run(tx, "remove ended sessions", "DELETE FROM session WHERE expires_at <= $1 OR seen_at < $2", args![now, idle_since]).await
}
