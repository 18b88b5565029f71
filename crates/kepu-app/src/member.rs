//! Who belongs to which organisation in which role, and what stewards and the security administrator do for the accounts of
//! others (RULES §13). Rights are in `kepu-domain::access`, one's own account in `account::own`, organisations in `org`.

use crate::account::{NewAccount, create, grant_in, log, secret};
use crate::error::{AppError, FieldError};
use crate::{App, node};
use jiff::{SignedDuration, Timestamp};
use kepu_domain::access::{Action, Actor, Denied, Membership, OrgLine, ROLES, Role, check_combination};
use kepu_domain::account::{Account, STALE_DAYS, check_password};
use kepu_domain::ids::{AccountId, OrgId, PartyId};
use kepu_store::account::{self as accounts, Filter, Row};
use kepu_store::member::{self as store, Seat};
use kepu_store::value::{list_text, parse_list};
use kepu_store::{Tx, create::party, login_lock, meta, org as orgs, session};

/// The three administrators, in the order in which they are named.
pub const ADMINS: [Role; 3] = [Role::SecurityAdmin, Role::SystemAdmin, Role::AuditAdmin];

/// Where the roles stand of which the node demands a second factor.
const DEMANDED: &str = "second_factor";

/// The roles of which the node demands a second factor.
pub async fn demanded(tx: &mut Tx) -> Result<Vec<Role>, AppError> {
    let text = meta::find(tx, DEMANDED).await?.unwrap_or_default();
    Ok(parse_list(&text).iter().filter_map(|word| Role::parse(word)).collect())
}

/// Demands a second factor of these roles, and of no others. Roles that are not sensitive are left out.
///
/// May: the security administrator. Writes: meta, log.
pub async fn demand(app: &App, who: &Actor, roles: &[Role]) -> Result<(), AppError> {
    who.may(Action::ManageSecurity, None)?;
    let words: Vec<&str> = ROLES.iter().filter(|role| role.is_sensitive() && roles.contains(role)).map(|role| role.as_str()).collect();
    let mut tx = app.db.write().await?;
    meta::set(&mut tx, DEMANDED, &list_text(&words)).await?;
    log(app, &mut tx, &who.log_name(), "node.second_factor_demanded", &words.join(" "), "ok").await?;
    tx.commit().await?;
    Ok(())
}

/// Which of the three administrators nobody is.
pub async fn vacant(tx: &mut Tx) -> Result<Vec<Role>, AppError> {
    let mut list = Vec::new();
    for role in ADMINS {
        if store::count_role(tx, role, None).await? == 0 {
            list.push(role);
        }
    }
    Ok(list)
}

/// Whether the actor may give and take `role` in `org`.
///
/// Content roles: stewards of the organisation or of one above. Administrators: the security administrator; while there is
/// none, a steward of the organisation that runs the node may name the first.
pub async fn may_grant(tx: &mut Tx, who: &Actor, org: &OrgId, role: Role) -> Result<(), AppError> {
    let line = line_of(tx, org).await?;
    if !role.is_admin() {
        return Ok(who.may(Action::ManageMembers, Some(&line))?);
    }
    let decided = who.may(Action::ManageSecurity, None);
    if decided.is_err() && role == Role::SecurityAdmin && store::count_role(tx, role, None).await? == 0 {
        let own = node::org(tx).await?;
        return Ok(who.may(Action::ManageMembers, Some(&line_of(tx, &own).await?))?);
    }
    Ok(decided?)
}

async fn line_of(tx: &mut Tx, org: &OrgId) -> Result<OrgLine, AppError> {
    let line = orgs::line(tx, org).await?;
    if line.0.is_empty() { Err(AppError::NotFound { what: "organisation", id: org.0.clone() }) } else { Ok(line) }
}

/// Adds a member to an organisation: a new account with a first password that must be changed, and its roles.
///
/// May: as [`may_grant`]. Writes: account, member, log.
pub async fn add(app: &App, who: &Actor, org: &OrgId, new: NewAccount, roles: &[Role]) -> Result<AccountId, AppError> {
    let mut tx = app.db.write().await?;
    some_role(roles)?;
    for role in roles {
        may_grant(&mut tx, who, org, *role).await?;
    }
    known_party(&mut tx, who, new.party.as_ref()).await?;
    let id = create(app, &mut tx, who, NewAccount { must_change: true, ..new }).await?;
    for role in roles {
        grant_in(app, &mut tx, who, &id, org, *role).await?;
    }
    tx.commit().await?;
    Ok(id)
}

fn some_role(roles: &[Role]) -> Result<(), AppError> {
    if roles.is_empty() { Err(AppError::Invalid(vec![FieldError::new("role", "role_missing")])) } else { Ok(()) }
}

/// A registry entry may be linked by the stewards of its own organisation: else anybody could review under another's name.
async fn known_party(tx: &mut Tx, who: &Actor, id: Option<&PartyId>) -> Result<(), AppError> {
    let Some(id) = id else { return Ok(()) };
    let known = match party::find(tx, id).await? {
        Some(party) => who.may(Action::ManageMembers, Some(&orgs::line(tx, &party.org).await?)).is_ok(),
        None => false,
    };
    if known { Ok(()) } else { Err(AppError::Invalid(vec![FieldError::new("party", "party_unknown")])) }
}

/// Gives roles to somebody who has an account already, by the exact sign-in name. May and writes as [`grant`].
pub async fn grant_by_login(app: &App, who: &Actor, login: &str, org: &OrgId, roles: &[Role]) -> Result<AccountId, AppError> {
    let mut tx = app.db.write().await?;
    some_role(roles)?;
    for role in roles {
        may_grant(&mut tx, who, org, *role).await?;
    }
    let found = accounts::find_by_login(&mut tx, &kepu_text::fold(login.trim())).await?.filter(|row| !row.account.is_closed());
    let id = found.ok_or_else(|| AppError::Invalid(vec![FieldError::new("login", "login_unknown")]))?.account.id;
    for role in roles {
        grant_in(app, &mut tx, who, &id, org, *role).await?;
    }
    tx.commit().await?;
    Ok(id)
}

/// Gives a role.
///
/// May: as [`may_grant`]. Writes: member, log.
pub async fn grant(app: &App, who: &Actor, account: &AccountId, org: &OrgId, role: Role) -> Result<(), AppError> {
    let mut tx = app.db.write().await?;
    may_grant(&mut tx, who, org, role).await?;
    let row = accounts::get(&mut tx, account).await?;
    if row.account.is_closed() {
        return Err(AppError::NotFound { what: "account", id: account.0.clone() });
    }
    grant_in(app, &mut tx, who, account, org, role).await?;
    tx.commit().await?;
    Ok(())
}

/// Takes a role away. Nobody takes the role of an organisation's last steward or of the last security administrator.
///
/// May: as [`may_grant`]. Writes: member, log.
pub async fn revoke(app: &App, who: &Actor, account: &AccountId, org: &OrgId, role: Role) -> Result<(), AppError> {
    let mut tx = app.db.write().await?;
    may_grant(&mut tx, who, org, role).await?;
    let membership = Membership { org: org.clone(), role };
    // Writers of the log wait for each other. Logging first makes two stewards who take each other's role count one by one.
    log(app, &mut tx, &who.log_name(), "member.role_revoked", &format!("{account} {} {org}", role.as_str()), "ok").await?;
    keep_the_last(&mut tx, account, std::slice::from_ref(&membership), "role").await?;
    if !store::delete(&mut tx, account, &membership).await? {
        return Err(AppError::NotFound { what: "role", id: role.as_str().into() });
    }
    tx.commit().await?;
    Ok(())
}

/// Refuses, with an error at `field`, what would leave an organisation without any steward, there or above, or the node
/// without a security administrator. The caller has written to the log before, so that nobody else decides meanwhile.
pub(crate) async fn keep_the_last(tx: &mut Tx, account: &AccountId, losing: &[Membership], field: &str) -> Result<(), AppError> {
    let refused = |key: &str| Err(AppError::Invalid(vec![FieldError::new(field, key)]));
    for membership in losing {
        match membership.role {
            Role::Steward => {
                let mut others = 0;
                for org in orgs::line(tx, &membership.org).await?.0 {
                    others += store::count_others(tx, &org, Role::Steward, account).await?;
                }
                if others == 0 {
                    return refused("last_steward");
                }
            }
            Role::SecurityAdmin if store::count_role(tx, Role::SecurityAdmin, Some(account)).await? == 0 => return refused("last_security_admin"),
            _ => {}
        }
    }
    Ok(())
}

/// The roles of an account, each with the line of its organisation.
async fn held(tx: &mut Tx, account: &AccountId) -> Result<Vec<(Role, OrgLine)>, AppError> {
    let mut list = Vec::new();
    for membership in store::list_by_account(tx, account).await? {
        list.push((membership.role, orgs::line(tx, &membership.org).await?));
    }
    Ok(list)
}

/// The account `id` for somebody who may care for it. Who may not even know of it is told that it is not there.
async fn care(tx: &mut Tx, who: &Actor, id: &AccountId) -> Result<Row, AppError> {
    let missing = || AppError::NotFound { what: "account", id: id.0.clone() };
    let row = accounts::find(tx, id).await?.filter(|row| !row.account.is_closed()).ok_or_else(missing)?;
    if who.account() == Some(id) {
        return Err(Denied::OwnWork.into());
    }
    let held = held(tx, id).await?;
    match who.may_care_for(&held) {
        Err(Denied::NoRole { .. }) if !sees(who, &held) => Err(missing()),
        decided => Ok(decided.map(|()| row)?),
    }
}

/// Whether the actor may see an account with these roles: cares for one of its organisations, or for all accounts.
fn sees(who: &Actor, held: &[(Role, OrgLine)]) -> bool {
    who.may(Action::ManageSecurity, None).is_ok() || held.iter().any(|(_, line)| who.may(Action::ManageMembers, Some(line)).is_ok())
}

/// Disables an account: it cannot sign in, its sessions end, nothing of it is deleted.
///
/// May: as `Actor::may_care_for`; nobody for the own account. Writes: account, session, log.
pub async fn disable(app: &App, who: &Actor, id: &AccountId) -> Result<(), AppError> {
    let mut tx = app.db.write().await?;
    let row = care(&mut tx, who, id).await?;
    log(app, &mut tx, &who.log_name(), "account.disabled", &id.0, "ok").await?;
    let losing = store::list_by_account(&mut tx, id).await?;
    keep_the_last(&mut tx, id, &losing, "account").await?;
    let account = Account { disabled: true, ..row.account.clone() };
    accounts::update(&mut tx, Row { account, ..row }).await?;
    session::delete_by_account(&mut tx, id, "").await?;
    tx.commit().await?;
    Ok(())
}

/// Lets a disabled account sign in again. May and writes as [`disable`].
pub async fn enable(app: &App, who: &Actor, id: &AccountId) -> Result<(), AppError> {
    let mut tx = app.db.write().await?;
    let row = care(&mut tx, who, id).await?;
    let account = Account { disabled: false, ..row.account.clone() };
    accounts::update(&mut tx, Row { account, ..row }).await?;
    log(app, &mut tx, &who.log_name(), "account.enabled", &id.0, "ok").await?;
    tx.commit().await?;
    Ok(())
}

/// Gives an account a new first password; its sessions end.
///
/// May: as `Actor::may_care_for`; nobody for the own account. Writes: account, session, lock, log.
pub async fn reset_password(app: &App, who: &Actor, id: &AccountId, password: &str) -> Result<(), AppError> {
    let mut tx = app.db.write().await?;
    let row = care(&mut tx, who, id).await?;
    check_password(&row.account.login, password).map_err(|e| AppError::Invalid(vec![crate::account::password_field("password", e)]))?;
    let (pass_hash, account) = (secret::hash_password(password)?, Account { must_change: true, ..row.account.clone() });
    login_lock::delete(&mut tx, &format!("login:{}", row.login_fold)).await?;
    accounts::update(&mut tx, Row { account, pass_hash, ..row }).await?;
    session::delete_by_account(&mut tx, id, "").await?;
    log(app, &mut tx, &who.log_name(), "account.password_reset", &id.0, "ok").await?;
    tx.commit().await?;
    Ok(())
}

/// Removes the second factor of somebody who lost it; the sessions end.
///
/// May: the security administrator; nobody for the own account. Writes: account, session, log.
pub async fn reset_totp(app: &App, who: &Actor, id: &AccountId) -> Result<(), AppError> {
    let mut tx = app.db.write().await?;
    let row = care(&mut tx, who, id).await?;
    who.may(Action::ManageSecurity, None)?;
    accounts::update(&mut tx, Row { totp_secret: None, ..row }).await?;
    session::delete_by_account(&mut tx, id, "").await?;
    log(app, &mut tx, &who.log_name(), "account.second_factor_reset", &id.0, "ok").await?;
    tx.commit().await?;
    Ok(())
}

/// Ends the lock of an account's sign-in name.
///
/// May: as `Actor::may_care_for`. Writes: lock, log.
pub async fn unlock(app: &App, who: &Actor, id: &AccountId) -> Result<(), AppError> {
    let mut tx = app.db.write().await?;
    let row = care(&mut tx, who, id).await?;
    login_lock::delete(&mut tx, &format!("login:{}", row.login_fold)).await?;
    log(app, &mut tx, &who.log_name(), "account.unlocked", &id.0, "ok").await?;
    tx.commit().await?;
    Ok(())
}

/// Corrects the name shown for an account and says which registry entry is the same person's.
///
/// May: stewards of an organisation where it has a role, the security administrator. Writes: account, log.
pub async fn describe(app: &App, who: &Actor, id: &AccountId, name: &str, party: Option<PartyId>) -> Result<(), AppError> {
    let mut tx = app.db.write().await?;
    let missing = || AppError::NotFound { what: "account", id: id.0.clone() };
    let row = accounts::find(&mut tx, id).await?.filter(|row| !row.account.is_closed()).ok_or_else(missing)?;
    if !sees(who, &held(&mut tx, id).await?) {
        return Err(missing());
    }
    let name = kepu_text::clean_line(name);
    kepu_domain::text::NAME.check(kepu_text::count(&name))?;
    known_party(&mut tx, who, party.as_ref().filter(|party| row.account.party.as_ref() != Some(party))).await?;
    let account = Account { name, party, ..row.account.clone() };
    accounts::update(&mut tx, Row { account, ..row }).await?;
    log(app, &mut tx, &who.log_name(), "account.described", &id.0, "ok").await?;
    tx.commit().await?;
    Ok(())
}

/// An account as others see it.
#[derive(Clone, Debug)]
pub struct Member {
    /// The account.
    pub account: Account,
    /// When it was made.
    pub created_at: Timestamp,
    /// The last sign-in.
    pub last_seen: Option<Timestamp>,
    /// Its roles, as far as the actor may know of them.
    pub seats: Vec<Seat>,
}

impl Member {
    /// Whether nobody signed in with it for 90 days.
    pub fn is_stale(&self, now: Timestamp) -> bool {
        !self.account.disabled && self.last_seen.unwrap_or(self.created_at) < stale_before(now)
    }
}

/// Who has not signed in since is stale.
pub fn stale_before(now: Timestamp) -> Timestamp {
    now.checked_sub(SignedDuration::from_hours(24 * STALE_DAYS)).unwrap_or(Timestamp::MIN)
}

/// Accounts with their roles after the folded sign-in name `after`, by that name, with the `after` of the next page.
///
/// May: stewards of `filter.org`; for all accounts the security administrator.
pub async fn list(app: &App, who: &Actor, filter: &Filter, after: Option<&str>, limit: u32) -> Result<(Vec<Member>, Option<String>), AppError> {
    let mut tx = app.db.read().await?;
    may_list(&mut tx, who, filter).await?;
    list_in(&mut tx, filter, after, limit).await
}

async fn may_list(tx: &mut Tx, who: &Actor, filter: &Filter) -> Result<(), AppError> {
    if who.may(Action::ManageSecurity, None).is_ok() {
        return Ok(());
    }
    match &filter.org {
        Some(org) => Ok(who.may(Action::ManageMembers, Some(&line_of(tx, org).await?))?),
        None => Ok(who.may(Action::ManageSecurity, None)?),
    }
}

async fn list_in(tx: &mut Tx, filter: &Filter, after: Option<&str>, limit: u32) -> Result<(Vec<Member>, Option<String>), AppError> {
    let mut rows = accounts::list(tx, filter, after, limit.saturating_add(1)).await?;
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Ok((vec![], None)) };
    let next = more.then(|| last.login_fold.clone());
    let mut seats = store::list_seats(tx, &first.login_fold, &last.login_fold).await?;
    // Whoever cares for one organisation learns nothing about roles elsewhere.
    seats.retain(|seat| filter.org.as_ref().is_none_or(|org| seat.org == *org));
    let members = rows.into_iter().map(|row| {
        let own = seats.iter().filter(|seat| seat.account == row.account.id).cloned().collect();
        Member { account: row.account, created_at: row.created_at, last_seen: row.last_seen, seats: own }
    });
    Ok((members.collect(), next))
}

/// Most accounts of an export.
const EXPORT_MAX: u32 = 10_000;

/// The accounts of [`list`] for a file. May: as [`list`]. Writes: log.
pub async fn export(app: &App, who: &Actor, filter: &Filter) -> Result<Vec<Member>, AppError> {
    let mut tx = app.db.write().await?;
    may_list(&mut tx, who, filter).await?;
    let (members, _) = list_in(&mut tx, filter, None, EXPORT_MAX).await?;
    let object = filter.org.as_ref().map_or("", OrgId::as_str);
    log(app, &mut tx, &who.log_name(), "member.exported", object, "ok").await?;
    tx.commit().await?;
    Ok(members)
}

/// An account with what the actor may do about it.
#[derive(Clone, Debug)]
pub struct Person {
    /// The account with the roles that the actor may know of.
    pub member: Member,
    /// Those of them that the actor may take away.
    pub revocable: Vec<(OrgId, Role)>,
    /// Roles that it could hold beside its others and that the actor gives somewhere.
    pub grantable: Vec<Role>,
    /// How many roles it holds elsewhere.
    pub elsewhere: usize,
    /// The linked registry entry: id and name.
    pub party: Option<(PartyId, String)>,
    /// Until when its sign-in name is locked.
    pub locked: Option<Timestamp>,
    /// Whether the actor may disable it or give it a new password.
    pub care: bool,
    /// Whether it is the actor's own.
    pub own: bool,
}

/// One account.
///
/// May: stewards of an organisation where it has a role, the security administrator; to others it is not there.
pub async fn person(app: &App, who: &Actor, id: &AccountId) -> Result<Person, AppError> {
    let mut tx = app.db.read().await?;
    let missing = || AppError::NotFound { what: "account", id: id.0.clone() };
    let row = accounts::find(&mut tx, id).await?.filter(|row| !row.account.is_closed()).ok_or_else(missing)?;
    let held = held(&mut tx, id).await?;
    if !sees(who, &held) {
        return Err(missing());
    }
    let mut seats = store::list_seats(&mut tx, &row.login_fold, &row.login_fold).await?;
    let all = seats.len();
    let security = who.may(Action::ManageSecurity, None).is_ok();
    let known = |seat: &Seat| held.iter().any(|(_, line)| line.0.first() == Some(&seat.org) && who.may(Action::ManageMembers, Some(line)).is_ok());
    seats.retain(|seat| security || known(seat));
    let mut revocable = Vec::new();
    for seat in &seats {
        if may_grant(&mut tx, who, &seat.org, seat.role).await.is_ok() {
            revocable.push((seat.org.clone(), seat.role));
        }
    }
    let steward = who.may(Action::ManageMembers, None).is_ok();
    let roles: Vec<Role> = held.iter().map(|(role, _)| *role).collect();
    let fits = |role: &Role| check_combination(&roles, *role).is_ok() && if role.is_admin() { security } else { steward };
    let party = match &row.account.party {
        Some(id) => party::find(&mut tx, id).await?.map(|party| (party.id, party.name)),
        None => None,
    };
    let lock = login_lock::find(&mut tx, &format!("login:{}", row.login_fold)).await?;
    let own = who.account() == Some(id);
    Ok(Person {
        revocable,
        grantable: ROLES.into_iter().filter(fits).collect(),
        elsewhere: all - seats.len(),
        party,
        locked: lock.and_then(|lock| lock.until).filter(|until| *until > app.now()),
        care: !own && who.may_care_for(&held).is_ok(),
        own,
        member: Member { account: row.account, created_at: row.created_at, last_seen: row.last_seen, seats },
    })
}
