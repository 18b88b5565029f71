//! Which role an account holds where. What a role allows is in `kepu-domain::access`.

use crate::db::Tx;
use crate::error::StoreError;
use crate::sql::{all, args, number, run};
use kepu_domain::access::{Membership, Role};
use kepu_domain::ids::{AccountId, OrgId};

/// Gives a role; `false` if it was held before.
pub async fn insert(tx: &mut Tx, account: &AccountId, membership: &Membership) -> Result<bool, StoreError> {
    const SQL: &str = "INSERT INTO member (org, account, role) VALUES ($1, $2, $3) ON CONFLICT (org, account, role) DO NOTHING";
    Ok(run(tx, "give a role", SQL, args![membership.org.as_str(), account.as_str(), membership.role.as_str()]).await? == 1)
}

/// Takes a role away; `false` if it was not held.
pub async fn delete(tx: &mut Tx, account: &AccountId, membership: &Membership) -> Result<bool, StoreError> {
    const SQL: &str = "DELETE FROM member WHERE org = $1 AND account = $2 AND role = $3";
    Ok(run(tx, "take a role away", SQL, args![membership.org.as_str(), account.as_str(), membership.role.as_str()]).await? == 1)
}

/// The roles of an account, by organisation and role; nobody holds more than a few, at most 500 are read.
pub async fn list_by_account(tx: &mut Tx, account: &AccountId) -> Result<Vec<Membership>, StoreError> {
    const SQL: &str = "SELECT org, role FROM member WHERE account = $1 ORDER BY org, role LIMIT 500";
    all(tx, "list the roles of an account", SQL, args![account.as_str()], |c| Ok(Membership { org: c.id()?, role: c.word(Role::parse)? })).await
}

/// The members of an organisation with their roles, by account and role, at most `limit`.
pub async fn list_by_org(tx: &mut Tx, org: &OrgId, limit: u32) -> Result<Vec<(AccountId, Role)>, StoreError> {
    const SQL: &str = "SELECT account, role FROM member WHERE org = $1 ORDER BY account, role LIMIT $2";
    all(tx, "list members", SQL, args![org.as_str(), limit], |c| Ok((c.id()?, c.word(Role::parse)?))).await
}

/// How many accounts hold `role` anywhere: the last security administrator must not go.
pub async fn count_role(tx: &mut Tx, role: Role) -> Result<i64, StoreError> {
    number(tx, "count holders of a role", "SELECT COUNT(DISTINCT account) FROM member WHERE role = $1", args![role.as_str()]).await
}
