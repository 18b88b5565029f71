//! One-time invitations for a child node. Who may give one is decided in `kepu-app`; the joined node is a `peer`.

use crate::db::Tx;
use crate::error::StoreError;
use crate::sql::{Cells, all, args, must, one, run};
use crate::value::list_text;
use jiff::Timestamp;
use kepu_domain::ids::KeyId;
use kepu_domain::org::Region;
use kepu_domain::trust::KeyRole;
use std::collections::BTreeSet;

/// An invitation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invite {
    /// Hash of the token; the token itself is nowhere stored.
    pub token_hash: String,
    /// Name of the invited node.
    pub name: String,
    /// Place its certificate will name.
    pub region: Region,
    /// Roles its certificate will name.
    pub roles: BTreeSet<KeyRole>,
    /// Fields its certificate will name; empty = all.
    pub fields: BTreeSet<String>,
    /// Not good after.
    pub expires_at: Timestamp,
    /// The key that used it.
    pub used_by: Option<KeyId>,
    /// When it was made.
    pub created_at: Timestamp,
}

macro_rules! columns {
    () => {
        "token_hash, name, region, roles, fields, expires_at, used_by, created_at"
    };
}

fn read(c: &mut Cells<'_>) -> Result<Invite, StoreError> {
    let (token_hash, name, region) = (c.text()?, c.text()?, c.region()?);
    let roles = c.list()?.into_iter().map(|role| KeyRole::parse(&role).ok_or_else(|| c.corrupt(format!("\"{role}\" is no role of a key"))));
    let roles = roles.collect::<Result<_, _>>()?;
    let fields = c.list()?.into_iter().collect();
    Ok(Invite { token_hash, name, region, roles, fields, expires_at: c.time()?, used_by: c.opt_id()?, created_at: c.time()? })
}

/// Adds an invitation.
pub async fn insert(tx: &mut Tx, invite: &Invite) -> Result<(), StoreError> {
    const SQL: &str = concat!("INSERT INTO invite (", columns!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8)");
    let roles: Vec<&str> = invite.roles.iter().map(|role| role.as_str()).collect();
    let fields: Vec<&String> = invite.fields.iter().collect();
    let used_by = invite.used_by.as_ref().map(KeyId::as_str);
    let (roles, fields, region) = (list_text(&roles), list_text(&fields), invite.region.to_string());
    let args = args![&invite.token_hash, &invite.name, region, roles, fields, invite.expires_at, used_by, invite.created_at];
    run(tx, "add an invitation", SQL, args).await.map(drop)
}

/// One invitation.
pub async fn find(tx: &mut Tx, token_hash: &str) -> Result<Option<Invite>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM invite WHERE token_hash = $1");
    one(tx, "find an invitation", SQL, args![token_hash], read).await
}

/// Uses up an invitation. `NotFound` if there is none or it is no longer good, `Stale` if another key used it;
/// the same key may come again, because its answer may have been lost on the way.
pub async fn claim(tx: &mut Tx, token_hash: &str, by: &KeyId, now: Timestamp) -> Result<Invite, StoreError> {
    const SQL: &str =
        concat!("UPDATE invite SET used_by = $2 WHERE token_hash = $1 AND (used_by IS NULL OR used_by = $2) AND expires_at > $3 RETURNING ", columns!());
    if let Some(invite) = one(tx, "use an invitation", SQL, args![token_hash, by.as_str(), now], read).await? {
        return Ok(invite);
    }
    match find(tx, token_hash).await? {
        Some(Invite { used_by: Some(_), name, .. }) => Err(StoreError::Stale { what: "invitation", id: name }),
        found => must(found.filter(|_| false), "invitation", "given"),
    }
}

/// Invitations, newest first, at most `limit`.
pub async fn list(tx: &mut Tx, limit: u32) -> Result<Vec<Invite>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM invite ORDER BY created_at DESC, token_hash LIMIT $1");
    all(tx, "list invitations", SQL, args![limit], read).await
}

/// Forgets invitations that ran out before `before`; returns how many.
pub async fn purge(tx: &mut Tx, before: Timestamp) -> Result<u64, StoreError> {
    run(tx, "forget old invitations", "DELETE FROM invite WHERE expires_at < $1", args![before]).await
}

/// Takes an invitation back that nobody used; `false` if there is none.
pub async fn delete(tx: &mut Tx, token_hash: &str) -> Result<bool, StoreError> {
    Ok(run(tx, "take an invitation back", "DELETE FROM invite WHERE token_hash = $1 AND used_by IS NULL", args![token_hash]).await? == 1)
}
