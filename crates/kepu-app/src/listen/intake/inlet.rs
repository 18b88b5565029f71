//! Setting inlets up: lists by editors, tiplines and the hosts that may be asked by stewards. Everything is in the audit log; a tipline's secret is nowhere: it
//! is derived from the node's key and shown once.

use crate::App;
use crate::account::log;
use crate::error::{AppError, FieldError, text_error};
use crate::keys;
use crate::outside;
use data_encoding::HEXLOWER;
use kepu_domain::access::{Action, Actor};
use kepu_domain::ids::{InletId, OrgId};
use kepu_domain::listen::inlet::{EVERY_MINUTES, ISSUERS_MAX, Inlet, Kind, Plan, State, WARNING_MINUTES};
use kepu_domain::org::Region;
use kepu_domain::text;
use kepu_store::listen::inlet as store;
use kepu_store::{Tx, meta};
use std::collections::BTreeSet;

/// Where the hosts that may be asked are kept.
const HOSTS: &str = "listen.hosts";
/// Most hosts.
const HOSTS_MAX: usize = 200;
/// Most inlets of a node.
pub const INLETS_MAX: u32 = 500;
/// What a row of a list can fill.
pub const TARGETS: [&str; 5] = ["text", "id", "time", "weight", "region"];

/// An inlet as typed.
#[derive(Clone, Debug, Default)]
pub struct Typed {
    /// Its name.
    pub name: String,
    /// Where its signals are from.
    pub region: Region,
    /// How a list is read.
    pub plan: Plan,
    /// Who answers for it.
    pub org: OrgId,
}

/// Who may care for an inlet of this kind: a list says nothing about anybody, a tipline or a source of warnings lets another house in.
pub fn action_for(kind: Kind) -> Action {
    match kind {
        Kind::List => Action::Publish,
        Kind::Tipline | Kind::Warning => Action::ManageMembers,
    }
}

async fn allowed(tx: &mut Tx, who: &Actor, org: &OrgId, kind: Kind) -> Result<(), AppError> {
    Ok(who.may(action_for(kind), Some(&kepu_store::org::line(tx, org).await?))?)
}

/// Checks what was typed; `hosts` are those that may be asked.
fn check(typed: &Typed, kind: Kind, hosts: &BTreeSet<String>) -> Result<(), AppError> {
    let mut wrong: Vec<FieldError> = text::NAME.check(kepu_text::count(&typed.name)).err().map(|e| text_error(&e)).into_iter().collect();
    let plan = &typed.plan;
    if plan.is_read(kind) {
        match plan.address.strip_prefix("file:") {
            Some(name) if is_file_name(name) => {}
            Some(_) => wrong.push(FieldError::new("address", "inlet_file")),
            None => match outside::Address::parse(&plan.address) {
                None => wrong.push(FieldError::new("address", "inlet_address")),
                Some(address) if !hosts.contains(&address.host) => wrong.push(FieldError::new("address", "inlet_host").with("host", &address.host)),
                Some(_) => {}
            },
        }
        let minutes = if kind == Kind::Warning { WARNING_MINUTES } else { EVERY_MINUTES };
        if !minutes.contains(&plan.every_minutes) {
            wrong.push(FieldError::new("every", "inlet_every").with("min", minutes.start()).with("max", minutes.end()));
        }
    }
    if kind == Kind::Warning {
        let sound = |issuer: &String| (3..=100).contains(&issuer.len()) && !issuer.contains(char::is_whitespace) && !issuer.starts_with("*@*");
        if plan.issuers.len() > ISSUERS_MAX || !plan.issuers.iter().all(sound) {
            wrong.push(FieldError::new("issuers", "inlet_issuers").with("max", ISSUERS_MAX));
        }
    }
    if kind == Kind::List {
        let named = |column: &String| !column.is_empty() && kepu_text::count(column) <= 60;
        if !plan.columns.contains_key("text") || !plan.columns.iter().all(|(target, column)| TARGETS.contains(&target.as_str()) && named(column)) {
            wrong.push(FieldError::new("column_text", "inlet_column"));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(AppError::Invalid(wrong)) }
}

/// A file of the folder `lists`: one name, no way out of it.
pub(crate) fn is_file_name(name: &str) -> bool {
    (1..=100).contains(&name.len()) && !name.starts_with('.') && !name.contains(['/', '\\', '\0'])
}

/// Adds an inlet.
///
/// May: editors (lists), stewards (tiplines). Writes: inlet, log.
pub async fn add(app: &App, who: &Actor, kind: Kind, typed: Typed) -> Result<InletId, AppError> {
    let mut tx = app.db.write().await?;
    allowed(&mut tx, who, &typed.org, kind).await?;
    let typed = Typed { name: kepu_text::clean_line(&typed.name), ..typed };
    check(&typed, kind, &hosts(&mut tx).await?)?;
    if store::list(&mut tx, INLETS_MAX).await?.len() >= INLETS_MAX as usize {
        return Err(AppError::Invalid(vec![FieldError::new("name", "inlet_many").with("max", INLETS_MAX)]));
    }
    let now = app.now();
    let due_at = typed.plan.is_read(kind).then_some(now);
    let inlet = Inlet {
        id: InletId(keys::random_word(12)),
        kind,
        org: typed.org,
        name: typed.name,
        region: typed.region,
        plan: typed.plan,
        state: State::On,
        nonce: keys::random_word(16),
        due_at,
        last_at: None,
        good_at: None,
        failures: 0,
        trouble: String::new(),
        version: 1,
    };
    store::insert(&mut tx, &inlet).await?;
    log(app, &mut tx, &who.log_name(), "inlet.added", &format!("{} {}", kind.as_str(), inlet.id), "ok").await?;
    tx.commit().await?;
    app.notify();
    Ok(inlet.id)
}

/// An inlet, for somebody who may care for it; nobody else learns that it exists.
pub async fn get(app: &App, who: &Actor, id: &InletId) -> Result<Inlet, AppError> {
    let mut tx = app.db.read().await?;
    own(&mut tx, who, id).await
}

async fn own(tx: &mut Tx, who: &Actor, id: &InletId) -> Result<Inlet, AppError> {
    let inlet = store::get(tx, id).await?;
    match allowed(tx, who, &inlet.org, inlet.kind).await {
        Ok(()) => Ok(inlet),
        Err(AppError::Denied(_)) => Err(AppError::NotFound { what: "inlet", id: id.0.clone() }),
        Err(error) => Err(error),
    }
}

/// Changes an inlet. `version` is the one the writer saw. A list is read at once; what paused it is forgotten.
///
/// May: as for adding it. Writes: inlet, log.
pub async fn save(app: &App, who: &Actor, id: &InletId, version: i64, typed: Typed) -> Result<(), AppError> {
    let mut tx = app.db.write().await?;
    let inlet = own(&mut tx, who, id).await?;
    allowed(&mut tx, who, &typed.org, inlet.kind).await?;
    if inlet.version != version {
        return Err(AppError::Stale { what: "inlet", id: id.0.clone() });
    }
    let typed = Typed { name: kepu_text::clean_line(&typed.name), ..typed };
    check(&typed, inlet.kind, &hosts(&mut tx).await?)?;
    let on = !matches!(inlet.state, State::Off);
    let changed = Inlet { name: typed.name, region: typed.region, plan: typed.plan, org: typed.org, ..inlet };
    store::update(&mut tx, &changed.switched(on, app.now())).await?;
    log(app, &mut tx, &who.log_name(), "inlet.changed", &id.0, "ok").await?;
    tx.commit().await?;
    app.notify();
    Ok(())
}

/// Switches an inlet on (a list is read at once, be it paused) or off. May: as for adding it. Writes: inlet, log.
pub async fn switch(app: &App, who: &Actor, id: &InletId, on: bool) -> Result<(), AppError> {
    let mut tx = app.db.write().await?;
    let inlet = own(&mut tx, who, id).await?;
    store::update(&mut tx, &inlet.switched(on, app.now())).await?;
    log(app, &mut tx, &who.log_name(), if on { "inlet.on" } else { "inlet.off" }, &id.0, "ok").await?;
    tx.commit().await?;
    app.notify();
    Ok(())
}

/// Removes an inlet; what it has brought stays. May: as for adding it. Writes: inlet, log.
pub async fn remove(app: &App, who: &Actor, id: &InletId) -> Result<(), AppError> {
    let mut tx = app.db.write().await?;
    own(&mut tx, who, id).await?;
    store::delete(&mut tx, id).await?;
    log(app, &mut tx, &who.log_name(), "inlet.removed", &id.0, "ok").await?;
    tx.commit().await?;
    Ok(())
}

/// Gives a tipline another secret; the one before ends at once. May: stewards. Writes: inlet, log.
pub async fn renew(app: &App, who: &Actor, id: &InletId) -> Result<(), AppError> {
    let mut tx = app.db.write().await?;
    let inlet = own(&mut tx, who, id).await?;
    if inlet.kind == Kind::List {
        return Err(AppError::NotFound { what: "tipline", id: id.0.clone() });
    }
    store::update(&mut tx, &Inlet { nonce: keys::random_word(16), ..inlet }).await?;
    log(app, &mut tx, &who.log_name(), "inlet.secret", &id.0, "ok").await?;
    tx.commit().await?;
    Ok(())
}

/// The secret of a tipline: always the same for the same nonce, kept nowhere.
pub fn secret(app: &App, inlet: &Inlet) -> String {
    HEXLOWER.encode(&app.key.derive("tipline", &[inlet.id.as_str(), &inlet.nonce]))
}

/// Hosts that may be asked for lists.
pub async fn hosts(tx: &mut Tx) -> Result<BTreeSet<String>, AppError> {
    Ok(meta::find(tx, HOSTS).await?.map(|text| text.lines().map(str::to_owned).collect()).unwrap_or_default())
}

/// Says which hosts may be asked for lists: names such as `www.example.cn`, with a port where it is no usual one.
///
/// May: stewards of the organisation that runs the node. Writes: meta, log.
pub async fn set_hosts(app: &App, who: &Actor, wanted: &[String]) -> Result<(), AppError> {
    let mut tx = app.db.write().await?;
    let org = crate::node::org(&mut tx).await?;
    who.may(Action::ManageMembers, Some(&kepu_store::org::line(&mut tx, &org).await?))?;
    let list: BTreeSet<String> = wanted.iter().map(|host| host.trim().to_ascii_lowercase()).filter(|host| !host.is_empty()).collect();
    if let Some(bad) = list.iter().find(|host| outside::Address::parse(&format!("https://{host}/")).is_none_or(|address| address.host != **host)) {
        return Err(AppError::Invalid(vec![FieldError::new("hosts", "inlet_host_name").with("host", kepu_text::truncate(bad, 60))]));
    }
    if list.len() > HOSTS_MAX {
        return Err(AppError::Invalid(vec![FieldError::new("hosts", "inlet_many").with("max", HOSTS_MAX)]));
    }
    let text = list.into_iter().collect::<Vec<_>>().join("\n");
    meta::set(&mut tx, HOSTS, &text).await?;
    log(app, &mut tx, &who.log_name(), "inlet.hosts", &text.replace('\n', " "), "ok").await?;
    tx.commit().await?;
    Ok(())
}
