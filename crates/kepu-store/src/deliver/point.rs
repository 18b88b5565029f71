//! Points that warnings are pushed to, posted by place and hazard, and the queue: one row for each warning and point.

use crate::bulk::bulk_insert;
use crate::counter;
use crate::db::Tx;
use crate::error::StoreError;
use crate::sql::{Cells, all, all_in, args, must, number, one, run, run_versioned};
use crate::value::{Value, list_text};
use jiff::Timestamp;
use kepu_domain::deliver::point::{Channel, Point, State};
use kepu_domain::deliver::warning::Name;
use kepu_domain::ids::{PointId, SubjectId};
use kepu_domain::org::Region;

/// Hazard under which a point is posted that wants to hear of all.
const ANY: &str = "*";

macro_rules! columns {
    () => {
        "id, n, org, name, channel, address, region, hazards, level, lang, audience, nonce, is_on, version"
    };
}

fn read(c: &mut Cells<'_>) -> Result<Point, StoreError> {
    Ok(Point {
        id: c.id()?,
        n: c.int()?,
        org: c.id()?,
        name: c.text()?,
        channel: c.word(Channel::parse)?,
        address: c.text()?,
        region: c.region()?,
        hazards: c.list()?,
        level: c.int()?,
        lang: c.text()?,
        audience: c.text()?,
        nonce: c.text()?,
        on: c.bool()?,
        version: c.int()?,
    })
}

/// Adds points, with their numbers, and posts them.
pub async fn insert_many(tx: &mut Tx, points: &mut [Point]) -> Result<(), StoreError> {
    const HEAD: &str = concat!("INSERT INTO point (", columns!(), ") VALUES");
    let first = counter::take(tx, "point", i64::try_from(points.len()).unwrap_or(0)).await?;
    for (point, n) in points.iter_mut().zip(first..) {
        point.n = n;
    }
    bulk_insert(tx, "add points", HEAD, 14, "", points, |p: &Point, values: &mut Vec<Value<'_>>| {
        values.extend([
            p.id.0.clone().into(),
            p.n.into(),
            p.org.0.clone().into(),
            p.name.clone().into(),
            p.channel.as_str().into(),
            p.address.clone().into(),
            p.region.to_string().into(),
            list_text(&p.hazards).into(),
            p.level.into(),
            p.lang.clone().into(),
            p.audience.clone().into(),
            p.nonce.clone().into(),
            p.on.into(),
            p.version.into(),
        ]);
    })
    .await?;
    post(tx, points).await
}

async fn post(tx: &mut Tx, points: &[Point]) -> Result<(), StoreError> {
    const HEAD: &str = "INSERT INTO point_post (region, hazard, point, level, is_called) VALUES";
    let rows: Vec<(&Point, &str)> = points
        .iter()
        .filter(|point| point.on)
        .flat_map(|point| {
            let all = point.hazards.is_empty().then_some((point, ANY));
            all.into_iter().chain(point.hazards.iter().map(move |hazard| (point, hazard.as_str())))
        })
        .collect();
    bulk_insert(tx, "post points", HEAD, 5, "ON CONFLICT (region, hazard, point) DO NOTHING", &rows, |(p, hazard), values| {
        values.extend([p.region.to_string().into(), (*hazard).to_owned().into(), p.n.into(), p.level.into(), (!p.address.is_empty()).into()]);
    })
    .await
    .map(drop)
}

/// Stores a changed point that was read in `point.version`, and posts it anew.
pub async fn update(tx: &mut Tx, p: &Point) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE point SET org = $3, name = $4, channel = $5, address = $6, region = $7, hazards = $8, level = $9, lang = $10, audience = $11, nonce = $12,
                         is_on = $13, version = version + 1
        WHERE id = $1 AND version = $2";
    const EXISTS: &str = "SELECT COUNT(*) FROM point WHERE id = $1";
    let args = args![
        p.id.as_str(),
        p.version,
        p.org.as_str(),
        &p.name,
        p.channel.as_str(),
        &p.address,
        p.region.to_string(),
        list_text(&p.hazards),
        p.level,
        &p.lang,
        &p.audience,
        &p.nonce,
        p.on
    ];
    run_versioned(tx, "change a point", "point", p.id.as_str(), SQL, args, EXISTS).await?;
    run(tx, "take a point down", "DELETE FROM point_post WHERE point = $1", args![p.n]).await?;
    post(tx, std::slice::from_ref(p)).await
}

/// One point.
pub async fn find(tx: &mut Tx, id: &PointId) -> Result<Option<Point>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM point WHERE id = $1");
    one(tx, "find a point", SQL, args![id.as_str()], read).await
}

/// One point that must be there.
pub async fn get(tx: &mut Tx, id: &PointId) -> Result<Point, StoreError> {
    must(find(tx, id).await?, "point", id)
}

/// Points by name, at most `limit`.
pub async fn list(tx: &mut Tx, limit: u32) -> Result<Vec<Point>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM point ORDER BY name, id LIMIT $1");
    all(tx, "list points", SQL, args![limit], read).await
}

/// A warning that was put into the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Push {
    /// Its number.
    pub n: i64,
    /// The warning.
    pub subject: SubjectId,
    /// The message.
    pub name: Name,
    /// When it was queued.
    pub at: Timestamp,
    /// How many points.
    pub points: i64,
    /// Of them those that are called.
    pub called: i64,
    /// Whether something of it still waits.
    pub open: bool,
}

macro_rules! push {
    () => {
        "n, subject, sender, identifier, at, points, called, is_open"
    };
}

fn read_push(c: &mut Cells<'_>) -> Result<Push, StoreError> {
    Ok(Push {
        n: c.int()?,
        subject: c.id()?,
        name: Name { sender: c.text()?, identifier: c.text()? },
        at: c.time()?,
        points: c.int()?,
        called: c.int()?,
        open: c.bool()?,
    })
}

/// The push of a message, if there is one.
pub async fn find_push(tx: &mut Tx, name: &Name) -> Result<Option<Push>, StoreError> {
    const SQL: &str = concat!("SELECT ", push!(), " FROM warning_push WHERE sender = $1 AND identifier = $2");
    one(tx, "find a push", SQL, args![&name.sender, &name.identifier], read_push).await
}

/// Those of `names` that were put into the queue.
pub async fn list_pushed_of(tx: &mut Tx, names: &[Name]) -> Result<Vec<Name>, StoreError> {
    const PARTS: (&str, &str) = ("SELECT sender, identifier FROM warning_push WHERE (sender, identifier) IN (", ")");
    let read = |c: &mut Cells<'_>| Ok(Name { sender: c.text()?, identifier: c.text()? });
    all_in(tx, "look for pushes", PARTS, names, |name| args![&name.sender, &name.identifier], read).await
}

/// The push with this number.
pub async fn find_push_by(tx: &mut Tx, n: i64) -> Result<Option<Push>, StoreError> {
    const SQL: &str = concat!("SELECT ", push!(), " FROM warning_push WHERE n = $1");
    one(tx, "find a push", SQL, args![n], read_push).await
}

/// Pushes, the latest first; only those with something that waits, if `open`.
pub async fn list_pushes(tx: &mut Tx, open: bool, limit: u32) -> Result<Vec<Push>, StoreError> {
    const ALL: &str = concat!("SELECT ", push!(), " FROM warning_push ORDER BY n DESC LIMIT $1");
    const OPEN: &str = concat!("SELECT ", push!(), " FROM warning_push WHERE is_open ORDER BY n DESC LIMIT $1");
    all(tx, "list pushes", if open { OPEN } else { ALL }, args![limit], read_push).await
}

/// Puts a message into the queue for every point that a place of it touches and that wants its hazard and level, and for those that were told of `earlier`
/// messages, which it takes the place of: what of those still waits is not sent any more. Posting lists are read, never all points.
///
/// Returns its push; the message must not have one yet.
pub async fn queue(
    tx: &mut Tx,
    subject: &SubjectId,
    name: &Name,
    places: &[Region],
    (hazard, level): (&str, i64),
    earlier: &[i64],
    now: Timestamp,
) -> Result<Push, StoreError> {
    const INSIDE: &str = "
        INSERT INTO delivery (push, point, is_called, state, due_at, tries, why, card)
        SELECT $1, p.point, p.is_called, 'queued', $2, 0, '', '' FROM point_post p
        WHERE p.region >= $3 AND p.region < $4 AND p.hazard IN ($5, '*') AND p.level >= $6
        ORDER BY p.point
        ON CONFLICT (push, point) DO NOTHING";
    const ABOVE: &str = "
        INSERT INTO delivery (push, point, is_called, state, due_at, tries, why, card)
        SELECT $1, p.point, p.is_called, 'queued', $2, 0, '', '' FROM point_post p
        WHERE p.region = $3 AND p.hazard IN ($4, '*') AND p.level >= $5
        ON CONFLICT (push, point) DO NOTHING";
    const TOLD: &str = "
        INSERT INTO delivery (push, point, is_called, state, due_at, tries, why, card)
        SELECT $1, d.point, d.is_called, 'queued', $2, 0, '', '' FROM delivery d WHERE d.push = $3 AND d.state IN ('sent', 'confirmed', 'failed')
        ON CONFLICT (push, point) DO NOTHING";
    let n = counter::take(tx, "push", 1).await?;
    let mut points = 0;
    let mut above: Vec<Region> = Vec::new();
    for place in places {
        let code = place.to_string();
        // A code without its zeros begins the codes of everything inside.
        let stem = if *place == Region::NATION { String::new() } else { code.trim_end_matches("00").to_owned() };
        let (low, high) = (format!("{stem:0<6}"), format!("{stem:9<6}~"));
        points += run(tx, "queue a warning", INSIDE, args![n, now, low, high, hazard, level]).await?;
        above.extend(place.chain().into_iter().filter(|region| region != place && !above.contains(region)).collect::<Vec<_>>());
    }
    for region in above.into_iter().filter(|region| !places.iter().any(|place| place.covers(*region))) {
        points += run(tx, "queue a warning above", ABOVE, args![n, now, region.to_string(), hazard, level]).await?;
    }
    for old in earlier {
        overtake(tx, *old, "newer").await?;
        points += run(tx, "queue a change", TOLD, args![n, now, *old]).await?;
    }
    let called = number(tx, "count calls", "SELECT COUNT(*) FROM delivery WHERE push = $1 AND is_called", args![n]).await?;
    const SQL: &str = concat!("INSERT INTO warning_push (", push!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8)");
    let points = i64::try_from(points).unwrap_or(i64::MAX);
    run(tx, "note a push", SQL, args![n, subject.as_str(), &name.sender, &name.identifier, now, points, called, points > 0]).await?;
    Ok(Push { n, subject: subject.clone(), name: name.clone(), at: now, points, called, open: points > 0 })
}

/// What still waits of a push is not sent any more.
pub async fn overtake(tx: &mut Tx, push: i64, why: &str) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE warning_push SET is_open = FALSE, closed_why = $2 WHERE n = $1 AND is_open";
    run(tx, "close a push", SQL, args![push, why]).await.map(drop)
}

/// Points of a push that are to be called now, after number `after`, at most `limit`, with their attempts so far.
pub async fn list_calls(tx: &mut Tx, push: i64, now: Timestamp, after: i64, limit: u32) -> Result<Vec<(Point, i64)>, StoreError> {
    const SQL: &str = concat!(
        "SELECT ",
        columns!(),
        ", (SELECT tries FROM delivery e WHERE e.push = $1 AND e.point = point.n) FROM point
          WHERE n IN (SELECT point FROM delivery d WHERE d.push = $1 AND d.is_called AND d.state = 'queued' AND d.due_at <= $2 AND d.point > $3 ORDER BY d.point LIMIT $4)
          ORDER BY n"
    );
    all(tx, "list points to be called", SQL, args![push, now, after, limit], |c| Ok((read(c)?, c.int()?))).await
}

/// When the next call of a push is due; `None` if none waits.
pub async fn next_call(tx: &mut Tx, push: i64) -> Result<Option<Timestamp>, StoreError> {
    const SQL: &str = "
        SELECT d.due_at FROM delivery d JOIN warning_push w ON w.n = d.push
        WHERE d.push = $1 AND w.is_open AND d.is_called AND d.state = 'queued' ORDER BY d.due_at LIMIT 1";
    one(tx, "find the next call", SQL, args![push], |c| c.time()).await
}

/// What became of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    /// The point.
    pub point: i64,
    /// How its delivery stands.
    pub state: State,
    /// When it is tried again, where it still waits.
    pub due_at: Timestamp,
    /// Attempts so far.
    pub tries: i64,
    /// Why it failed.
    pub why: String,
    /// The version of the card that was sent, hex; empty without one.
    pub card: String,
}

/// Notes what became of attempts. Of a push that was closed meanwhile it stays true that a point heard of it.
pub async fn note(tx: &mut Tx, push: i64, list: &[Tried], now: Timestamp) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE delivery SET state = $3, due_at = $4, tries = $5, why = $6, card = $7, sent_at = CASE WHEN $3 IN ('sent', 'confirmed') THEN $8 ELSE sent_at END,
                            done_at = CASE WHEN $3 IN ('confirmed', 'failed') THEN $8 ELSE done_at END
        WHERE push = $1 AND point = $2 AND state IN ('queued', 'sent')";
    for one in list {
        run(tx, "note a delivery", SQL, args![push, one.point, one.state.as_str(), one.due_at, one.tries, &one.why, &one.card, now]).await?;
    }
    Ok(())
}

/// Pushes of which something waits for a point that asks by itself, or was handed over and not confirmed; the oldest first.
pub async fn list_for(tx: &mut Tx, point: i64, limit: u32) -> Result<Vec<(Push, State)>, StoreError> {
    const SQL: &str = "
        SELECT w.n, w.subject, w.sender, w.identifier, w.at, w.points, w.called, w.is_open, d.state FROM warning_push w
        JOIN delivery d ON d.push = w.n AND d.point = $1
        WHERE w.is_open AND d.state IN ('queued', 'sent') ORDER BY w.n LIMIT $2";
    all(tx, "list what waits for a point", SQL, args![point, limit], |c| Ok((read_push(c)?, c.word(State::parse)?))).await
}

/// How the deliveries of a push stand: state, why, how many.
pub async fn counts(tx: &mut Tx, push: i64) -> Result<Vec<(State, String, i64)>, StoreError> {
    const SQL: &str = "
        SELECT stands, cause, COUNT(*) FROM (
            SELECT CASE WHEN d.state = 'queued' AND NOT w.is_open THEN 'overtaken' ELSE d.state END AS stands,
                   CASE WHEN d.state = 'queued' AND NOT w.is_open THEN w.closed_why ELSE d.why END AS cause
            FROM delivery d JOIN warning_push w ON w.n = d.push WHERE d.push = $1) AS s
        GROUP BY stands, cause ORDER BY stands, cause";
    all(tx, "count deliveries", SQL, args![push], |c| Ok((c.word(State::parse)?, c.text()?, c.int()?))).await
}

/// Points that have not confirmed a push, by name, at most `limit`: id, name, state, why.
pub async fn list_unconfirmed(tx: &mut Tx, push: i64, limit: u32) -> Result<Vec<(PointId, String, State, String)>, StoreError> {
    const SQL: &str = "
        SELECT p.id, p.name, d.state, d.why FROM delivery d JOIN point p ON p.n = d.point JOIN warning_push w ON w.n = d.push
        WHERE d.push = $1 AND (d.state IN ('sent', 'failed') OR d.state = 'queued' AND w.is_open) ORDER BY p.name, p.id LIMIT $2";
    all(tx, "list points that have not confirmed", SQL, args![push, limit], |c| Ok((c.id()?, c.text()?, c.word(State::parse)?, c.text()?))).await
}

/// Forgets pushes with their deliveries that were queued before `before`. Returns how many deliveries.
pub async fn purge(tx: &mut Tx, before: Timestamp) -> Result<u64, StoreError> {
    let rows = run(tx, "forget old deliveries", "DELETE FROM delivery WHERE push IN (SELECT n FROM warning_push WHERE at < $1)", args![before]).await?;
    run(tx, "forget old pushes", "DELETE FROM warning_push WHERE at < $1", args![before]).await?;
    Ok(rows)
}
