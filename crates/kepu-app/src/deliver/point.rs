//! Setting points up, their secrets, what they ask for and confirm. Queue and calls are in `push`.

use super::push::{Letter, letter};
use crate::account::log;
use crate::error::{AppError, FieldError, text_error};
use crate::outside::Address;
use crate::{App, keys};
use data_encoding::HEXLOWER;
use kepu_domain::access::{Action, Actor};
use kepu_domain::deliver::guide::HAZARD_LIST;
use kepu_domain::deliver::point::{Channel, Point, State};
use kepu_domain::ids::{OrgId, PointId};
use kepu_domain::org::Region;
use kepu_domain::text::NAME;
use kepu_domain::vocabulary::{AUDIENCES, LANGUAGES};
use kepu_store::Tx;
use kepu_store::deliver::point::{self as store, Push, Tried};
use sha2::{Digest, Sha256};

/// Most points in a list.
pub const LIST_MAX: u32 = 500;
/// Letters given at once to a point that asks.
const LETTERS: u32 = 20;

/// A point as typed.
#[derive(Clone, Debug)]
pub struct Typed {
    /// Its name.
    pub name: String,
    /// What it is.
    pub channel: Channel,
    /// Where it is called; empty: it asks by itself.
    pub address: String,
    /// Where it stands.
    pub region: Region,
    /// Hazards; empty: all.
    pub hazards: Vec<String>,
    /// The mildest level it wants.
    pub level: i64,
    /// BCP 47.
    pub lang: String,
    /// For whom; empty: everybody.
    pub audience: String,
    /// Who answers for it.
    pub org: OrgId,
}

fn check(typed: &Typed) -> Result<(), AppError> {
    let mut wrong: Vec<FieldError> = NAME.check(kepu_text::count(&typed.name)).err().map(|e| text_error(&e)).into_iter().collect();
    if !typed.address.is_empty() && Address::parse(&typed.address).is_none() {
        wrong.push(FieldError::new("address", "inlet_address"));
    }
    if typed.hazards.iter().any(|id| HAZARD_LIST.find(id).is_none()) {
        wrong.push(FieldError::new("hazards", "point_hazard"));
    }
    if !(1..=4).contains(&typed.level) {
        wrong.push(FieldError::new("level", "no_level"));
    }
    if LANGUAGES.find(&typed.lang).is_none() {
        wrong.push(FieldError::new("lang", "pack_lang"));
    }
    if !typed.audience.is_empty() && AUDIENCES.find(&typed.audience).is_none() {
        wrong.push(FieldError::new("audience", "pack_audience"));
    }
    if wrong.is_empty() { Ok(()) } else { Err(AppError::Invalid(wrong)) }
}

async fn may(tx: &mut Tx, who: &Actor, org: &OrgId) -> Result<(), AppError> {
    Ok(who.may(Action::ManageMembers, Some(&kepu_store::org::line(tx, org).await?))?)
}

/// Adds a point.
///
/// May: stewards of the organisation. Writes: point, point_post, log.
pub async fn add(app: &App, who: &Actor, typed: Typed) -> Result<PointId, AppError> {
    let mut tx = app.db.write().await?;
    may(&mut tx, who, &typed.org).await?;
    let typed = Typed { name: kepu_text::clean_line(&typed.name), address: typed.address.trim().to_owned(), ..typed };
    check(&typed)?;
    let mut points = [Point {
        id: PointId(keys::random_word(12)),
        n: 0,
        org: typed.org,
        name: typed.name,
        channel: typed.channel,
        address: typed.address,
        region: typed.region,
        hazards: typed.hazards,
        level: typed.level,
        lang: typed.lang,
        audience: typed.audience,
        nonce: keys::random_word(16),
        on: true,
        version: 1,
    }];
    store::insert_many(&mut tx, &mut points).await?;
    let id = points[0].id.clone();
    log(app, &mut tx, &who.log_name(), "point.added", &id.0, "ok").await?;
    tx.commit().await?;
    Ok(id)
}

/// A point, for its stewards; nobody else learns that it exists.
pub async fn get(app: &App, who: &Actor, id: &PointId) -> Result<Point, AppError> {
    let mut tx = app.db.read().await?;
    own(&mut tx, who, id).await
}

async fn own(tx: &mut Tx, who: &Actor, id: &PointId) -> Result<Point, AppError> {
    let point = store::get(tx, id).await?;
    match may(tx, who, &point.org).await {
        Err(AppError::Denied(_)) => Err(AppError::NotFound { what: "point", id: id.0.clone() }),
        other => other.map(|()| point),
    }
}

/// Points that the actor cares for. May: stewards.
pub async fn list(app: &App, who: &Actor) -> Result<Vec<Point>, AppError> {
    who.may(Action::ManageMembers, None)?;
    let mut tx = app.db.read().await?;
    let mut out = Vec::new();
    for point in store::list(&mut tx, LIST_MAX).await? {
        if may(&mut tx, who, &point.org).await.is_ok() {
            out.push(point);
        }
    }
    Ok(out)
}

/// Switches a point on or off. May: its stewards. Writes: point, point_post, log.
pub async fn switch(app: &App, who: &Actor, id: &PointId, version: i64, on: bool) -> Result<(), AppError> {
    let mut tx = app.db.write().await?;
    let point = own(&mut tx, who, id).await?;
    store::update(&mut tx, &Point { on, version, ..point }).await?;
    log(app, &mut tx, &who.log_name(), if on { "point.on" } else { "point.off" }, &id.0, "ok").await?;
    tx.commit().await?;
    Ok(())
}

/// The secret of a point: always the same for the same nonce, kept nowhere. With it its calls are signed, and it asks.
pub fn secret(app: &App, point: &Point) -> String {
    HEXLOWER.encode(&app.key.derive("point", &[point.id.as_str(), &point.nonce]))
}

/// The point that this secret belongs to. Who has none must not learn which points there are.
async fn known(app: &App, tx: &mut Tx, id: &PointId, given: &str) -> Result<Point, AppError> {
    let point = store::find(tx, id).await?.ok_or(AppError::Stranger)?;
    // Compared by their digests, whose difference says nothing about how much of a secret was right.
    if Sha256::digest(secret(app, &point)) == Sha256::digest(given.trim()) { Ok(point) } else { Err(AppError::Stranger) }
}

/// What waits for a point, with the words made now; handed over, not confirmed.
///
/// May: the point with its secret. Writes: delivery.
pub async fn collect(app: &App, id: &PointId, given: &str) -> Result<Vec<Letter>, AppError> {
    app.limit(&format!("point {id}"), 60)?;
    let mut tx = app.db.write().await?;
    let point = known(app, &mut tx, id, given).await?;
    let mut letters = Vec::new();
    if point.on {
        for (push, _) in store::list_for(&mut tx, point.n, LETTERS).await? {
            let Some(made) = letter(app, &mut tx, &push, &point).await? else {
                store::overtake(&mut tx, push.n, "over").await?;
                continue;
            };
            store::note(&mut tx, push.n, &[tried(&point, State::Sent, &made, app)], app.now()).await?;
            letters.push(made);
        }
    }
    tx.commit().await?;
    Ok(letters)
}

fn tried(point: &Point, state: State, letter: &Letter, app: &App) -> Tried {
    Tried { point: point.n, state, due_at: app.now(), tries: 1, why: String::new(), card: letter.card.clone() }
}

/// Notes that a point has what was handed over: its push numbers.
///
/// May: the point with its secret. Writes: delivery.
pub async fn confirm(app: &App, id: &PointId, given: &str, pushes: &[i64]) -> Result<usize, AppError> {
    let mut tx = app.db.write().await?;
    let point = known(app, &mut tx, id, given).await?;
    let waiting: Vec<Push> = store::list_for(&mut tx, point.n, LETTERS).await?.into_iter().map(|(push, _)| push).collect();
    let mut done = 0;
    for push in waiting.iter().filter(|push| pushes.contains(&push.n)) {
        let one = Tried { point: point.n, state: State::Confirmed, due_at: app.now(), tries: 1, why: String::new(), card: String::new() };
        store::note(&mut tx, push.n, &[one], app.now()).await?;
        done += 1;
    }
    tx.commit().await?;
    Ok(done)
}

/// A point opts out: nothing is queued for it any more.
///
/// May: the point with its secret. Writes: point, point_post, log.
pub async fn leave(app: &App, id: &PointId, given: &str) -> Result<(), AppError> {
    let mut tx = app.db.write().await?;
    let point = known(app, &mut tx, id, given).await?;
    store::update(&mut tx, &Point { on: false, ..point }).await?;
    log(app, &mut tx, &format!("point:{id}"), "point.left", &id.0, "ok").await?;
    tx.commit().await?;
    Ok(())
}
