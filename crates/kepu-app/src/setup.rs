//! The first run: while a node has no account, whoever knows its setup code names the organisation that runs it, the first
//! steward, and the three administrators, who are kept apart (RULES §13). Later accounts are made in `member`.

use crate::account::{NewAccount, create, grant_in, log};
use crate::error::{AppError, FieldError};
use crate::member::ADMINS;
use crate::org::NewOrg;
use crate::{App, node, org};
use data_encoding::BASE32_NOPAD;
use kepu_domain::access::{Actor, Role};
use kepu_domain::ids::{AccountId, OrgId};
use kepu_domain::org::Region;
use kepu_store::{Tx, account, meta};

/// Guesses of the code a minute, per address.
const GUESSES_MAX: u32 = 10;

/// The setup code, as long as it is good for something: printed to who has the machine in hand, kept nowhere. It is made
/// from the node's key, so every process of the node and every start prints the same one; the first account ends it.
pub async fn code(app: &App) -> Result<Option<String>, AppError> {
    let mut tx = app.db.read().await?;
    Ok(if is_open(&mut tx).await? { Some(code_of(app)) } else { None })
}

fn code_of(app: &App) -> String {
    let word = BASE32_NOPAD.encode(&app.key.derive("setup code", &[])).to_ascii_lowercase();
    [&word[..4], &word[4..8], &word[8..12]].join("-")
}

/// Whether the node has no account yet.
pub async fn is_open(tx: &mut Tx) -> Result<bool, AppError> {
    Ok(account::count(tx).await? == 0)
}

/// Which organisation runs the node.
#[derive(Clone, Debug)]
pub enum Runs {
    /// A division itself.
    Division(Region),
    /// A new institution below a division.
    New(Region, NewOrg),
}

/// What the first-run page asks for.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The code as typed.
    pub code: String,
    /// The organisation.
    pub runs: Runs,
    /// Steward and editor of it, whose password its owner chose.
    pub steward: NewAccount,
    /// The administrators that are named now, each with a first password; those left out are named later.
    pub admins: Vec<(Role, NewAccount)>,
}

/// Sets the node up, once. Errors of fields name the account they belong to: `steward_login`, `audit_admin_password` …
///
/// May: whoever knows the setup code, while there is no account. Writes: org, account, member, meta, log.
pub async fn run(app: &App, setup: Setup, address: &str) -> Result<AccountId, AppError> {
    let mut tx = app.db.write().await?;
    // Writers of the log wait for each other, so two who send the page at once are counted one after the other.
    log(app, &mut tx, "operator", "node.set_up", &app.key.id().0, "ok").await?;
    if !is_open(&mut tx).await? {
        return Err(AppError::NotFound { what: "page", id: "setup".into() });
    }
    app.limit(&format!("setup {address}"), GUESSES_MAX)?;
    let typed: String = setup.code.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    if typed != code_of(app).replace('-', "") {
        return Err(AppError::Invalid(vec![FieldError::new("code", "setup_code")]));
    }
    let mut wrong = twins(&setup);
    let org = runs(app, &mut tx, &setup.runs).await.or_else(|error| gather(&mut wrong, "", error).map(|()| OrgId::from("")))?;
    let steward = person(app, &mut tx, &mut wrong, ("steward", &[Role::Steward, Role::Editor]), setup.steward, &org).await?;
    for (role, new) in setup.admins {
        let new = NewAccount { must_change: true, ..new };
        person(app, &mut tx, &mut wrong, (role.as_str(), &[role]), new, &org).await?;
    }
    match steward {
        Some(id) if wrong.is_empty() => {
            tx.commit().await?;
            Ok(id)
        }
        _ => Err(AppError::Invalid(wrong)),
    }
}

/// The same sign-in name twice would be one person with two of the offices that are kept apart.
fn twins(setup: &Setup) -> Vec<FieldError> {
    let mut seen = vec![kepu_text::fold(setup.steward.login.trim())];
    let mut wrong = Vec::new();
    for (role, new) in &setup.admins {
        let fold = kepu_text::fold(new.login.trim());
        if seen.contains(&fold) && !fold.is_empty() {
            wrong.push(FieldError::new(&format!("{}_login", role.as_str()), "roles_apart"));
        }
        seen.push(fold);
    }
    wrong
}

async fn runs(app: &App, tx: &mut Tx, runs: &Runs) -> Result<OrgId, AppError> {
    let own = node::region(tx).await?;
    let (Runs::Division(place) | Runs::New(place, _)) = runs;
    if !own.covers(*place) {
        return Err(AppError::Invalid(vec![FieldError::new("county", "place_outside")]));
    }
    let division = OrgId(place.to_string());
    let id = match runs {
        Runs::Division(_) => kepu_store::org::get(tx, &division).await?.id,
        Runs::New(_, new) => org::add_in(app, tx, &operator(), &division, new).await?,
    };
    meta::set(tx, "org", &id.0).await?;
    Ok(id)
}

fn operator() -> Actor {
    Actor::Node { name: "operator".into() }
}

/// Makes one account with its roles; what is wrong with its fields is gathered, so that all is told at once.
async fn person(
    app: &App,
    tx: &mut Tx,
    wrong: &mut Vec<FieldError>,
    (prefix, roles): (&str, &[Role]),
    new: NewAccount,
    org: &OrgId,
) -> Result<Option<AccountId>, AppError> {
    let twin = format!("{prefix}_login");
    if wrong.iter().any(|error| error.field == twin) {
        return Ok(None);
    }
    match create(app, tx, &operator(), new).await {
        Ok(id) => {
            for role in roles {
                grant_in(app, tx, &operator(), &id, org, *role).await?;
            }
            Ok(Some(id))
        }
        Err(error) => gather(wrong, prefix, error).map(|()| None),
    }
}

/// Adds errors of fields to `wrong`, under the names that they have on the page; passes every other error on.
fn gather(wrong: &mut Vec<FieldError>, prefix: &str, error: AppError) -> Result<(), AppError> {
    let AppError::Invalid(errors) = error else { return Err(error) };
    wrong.extend(
        errors.into_iter().map(|error| FieldError { field: if prefix.is_empty() { error.field } else { format!("{prefix}_{}", error.field) }, ..error }),
    );
    Ok(())
}

/// The administrators that were left for later.
pub fn later(named: &[Role]) -> Vec<Role> {
    ADMINS.into_iter().filter(|role| !named.contains(role)).collect()
}
