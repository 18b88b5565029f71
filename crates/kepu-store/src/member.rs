//! Which role an account holds where. What a role allows is in `kepu-domain::access`.

use crate::db::Tx;
use crate::error::StoreError;
use crate::sql::{Cells, all, args, number, run};
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

/// A role of an account, with the names of the organisation where it is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seat {
    /// Who.
    pub account: AccountId,
    /// Where.
    pub org: OrgId,
    /// Chinese name.
    pub org_name: String,
    /// English name, perhaps empty.
    pub org_name_en: String,
    /// What.
    pub role: Role,
}

fn read_seat(c: &mut Cells<'_>) -> Result<Seat, StoreError> {
    Ok(Seat { account: c.id()?, org: c.id()?, org_name: c.text()?, org_name_en: c.text()?, role: c.word(Role::parse)? })
}

/// The seats of the accounts whose folded sign-in names lie between two, both included, by that name, organisation and role;
/// at most 20,000. With it one query fetches the roles of a whole page of accounts.
pub async fn list_seats(tx: &mut Tx, from: &str, to: &str) -> Result<Vec<Seat>, StoreError> {
    const SQL: &str = "
        SELECT m.account, m.org, COALESCE(o.name, m.org), COALESCE(o.name_en, ''), m.role
        FROM   account a JOIN member m ON m.account = a.id LEFT JOIN org o ON o.id = m.org
        WHERE  a.login_fold >= $1 AND a.login_fold <= $2
        ORDER  BY a.login_fold, m.org, m.role LIMIT 20000";
    all(tx, "list the roles of accounts", SQL, args![from, to], read_seat).await
}

/// How many accounts other than `except` that can sign in hold `role` anywhere: the last security administrator must not go.
pub async fn count_role(tx: &mut Tx, role: Role, except: Option<&AccountId>) -> Result<i64, StoreError> {
    const SQL: &str = "
        SELECT COUNT(DISTINCT m.account) FROM member m JOIN account a ON a.id = m.account
        WHERE  m.role = $1 AND m.account <> $2 AND NOT a.disabled";
    number(tx, "count holders of a role", SQL, args![role.as_str(), except.map_or("", AccountId::as_str)]).await
}

/// How many accounts other than `except` that can sign in hold `role` in `org`.
pub async fn count_others(tx: &mut Tx, org: &OrgId, role: Role, except: &AccountId) -> Result<i64, StoreError> {
    const SQL: &str = "
        SELECT COUNT(*) FROM member m JOIN account a ON a.id = m.account
        WHERE  m.org = $1 AND m.role = $2 AND m.account <> $3 AND NOT a.disabled";
    number(tx, "count other holders of a role", SQL, args![org.as_str(), role.as_str(), except.as_str()]).await
}
