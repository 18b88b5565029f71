//! The child's side of an exchange: says what is new here, takes what is new above, until neither has anything left.

use super::frames::item;
use super::transport::{Connection, Counts};
use super::{authorize, read_scope, scope_query};
use crate::App;
use crate::error::AppError;
use crate::record;
use kepu_domain::record::Stream;
use kepu_store::peer::{self as peers, Direction, Peer};
use kepu_store::record::RegionFilter;
use kepu_store::{counter, record as records};
use kepu_sync::cursor::{Cursor, Vector};
use kepu_sync::frame::{self, Frame, Item, RAW_TARGET, Records};
use serde::Serialize;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Records pushed in one request at most.
const PUSH_MAX: u32 = 2_000;

/// What one exchange with one parent came to.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Exchanged {
    /// The parent's name.
    pub parent: String,
    /// New records received.
    pub pulled: usize,
    /// Records sent.
    pub pushed: usize,
    /// Bytes received, headers included.
    pub bytes_in: u64,
    /// Bytes sent, headers included.
    pub bytes_out: u64,
    /// Requests.
    pub round_trips: u32,
    /// Seconds.
    pub wall_s: f64,
    /// Records that did not verify or do not count: place and reason.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<String>,
    /// Why it broke off, if it did; what arrived until then stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// One full exchange with every parent.
pub async fn run(app: &App, wait: u64) -> Result<Vec<Exchanged>, AppError> {
    let mut tx = app.db.read().await?;
    let parents = peers::list(&mut tx, Some(Direction::Parent), 100).await?;
    drop(tx);
    let mut list = Vec::new();
    for parent in parents {
        list.push(with_parent(app, &parent, wait).await?);
    }
    Ok(list)
}

async fn with_parent(app: &App, parent: &Peer, wait: u64) -> Result<Exchanged, AppError> {
    let start = std::time::Instant::now();
    let counts = Arc::new(Counts::default());
    let mut done = Exchanged { parent: parent.name.clone(), ..Exchanged::default() };
    if let Err(error) = session(app, parent, wait, &counts, &mut done).await {
        done.error = Some(error.to_string());
    }
    done.bytes_in = counts.read.load(Ordering::Relaxed);
    done.bytes_out = counts.written.load(Ordering::Relaxed);
    done.wall_s = start.elapsed().as_secs_f64();
    let mut tx = app.db.write().await?;
    let result = done.error.clone().unwrap_or_else(|| "ok".into());
    // A failed contact must not look like a fresh one: "withdrawals checked until" reads this time.
    let seen = if done.error.is_some() { parent.last_seen.unwrap_or(parent.joined_at) } else { app.now() };
    peers::set_seen(&mut tx, &parent.id, seen, &result).await?;
    tx.commit().await?;
    Ok(done)
}

async fn session(app: &App, parent: &Peer, wait: u64, counts: &Arc<Counts>, done: &mut Exchanged) -> Result<(), AppError> {
    let mut connection = Connection::open(&parent.url, counts.clone()).await?;
    let scope = read_scope(&parent.scope);
    let mut cursor = Cursor::read(&parent.cursor).unwrap_or_default();
    let mut offer_vector = cursor.epoch.is_empty();
    let mut pushed_to = parent.push_cursor;
    loop {
        let (body, sent_to, sent) = outgoing(app, parent, pushed_to, offer_vector).await?;
        let wait = if done.round_trips == 0 && sent == 0 { wait } else { 0 };
        let wait = if wait > 0 { format!("&wait={wait}") } else { String::new() };
        let target = format!("/sync?{}&cur={}{wait}", scope_query(&scope), cursor.write());
        let authorization = authorize(app, &target, &body);
        done.round_trips += 1;
        let mut answer = connection.post(&target, Some(&authorization), body).await?;
        if sent_to > pushed_to {
            let mut tx = app.db.write().await?;
            peers::set_push_cursor(&mut tx, &parent.id, sent_to).await?;
            tx.commit().await?;
            pushed_to = sent_to;
            done.pushed += sent;
        }
        offer_vector = false;
        let mut got = 0;
        while let Some(frame) = answer.next_frame().await? {
            if let Frame::Records(list) = frame {
                got += 1;
                take(app, parent, list, &mut cursor, done).await?;
            }
        }
        // Ask again until the parent has nothing: the last request tells it what has arrived, which is the receipt.
        if got == 0 && sent < PUSH_MAX as usize {
            return Ok(());
        }
    }
}

/// Applies one frame and moves the cursor in the same transaction: a cut loses at most the frame under way.
async fn take(app: &App, parent: &Peer, list: Records, cursor: &mut Cursor, done: &mut Exchanged) -> Result<(), AppError> {
    let items = list.items;
    let (good, rejected) = tokio::task::spawn_blocking(move || record::check(items)).await.map_err(|e| AppError::Record(e.to_string()))?;
    if cursor.epoch != list.epoch {
        *cursor = Cursor { epoch: list.epoch, ..Cursor::default() };
    }
    if let Some(class) = cursor.class(list.class) {
        class.add(list.above, list.up_to);
    }
    let mut tx = app.db.write().await?;
    let report = record::apply(app, &mut tx, good, &parent.id.0).await?;
    peers::set_cursor(&mut tx, &parent.id, &cursor.write()).await?;
    tx.commit().await?;
    app.notify();
    done.pulled += report.applied;
    done.refused.extend(rejected.into_iter().chain(report.refused).map(|(place, why)| format!("{place}: {why}")));
    done.refused.truncate(1_000);
    Ok(())
}

/// What this node has to say to the parent: everything that did not come from it.
async fn outgoing(app: &App, parent: &Peer, after: i64, with_vector: bool) -> Result<(Vec<u8>, i64, usize), AppError> {
    let mut tx = app.db.read().await?;
    let top = counter::last(&mut tx, counter::ARRIVAL).await?;
    let mut body = Vec::new();
    let wrong = |e: frame::FrameError| AppError::Record(e.to_string());
    if with_vector {
        let mut vector = Vector::default();
        for head in records::heads(&mut tx).await? {
            vector.note(head.key, head.stream, head.high, head.holes);
        }
        body.extend(frame::write(&Frame::Vector(vector.to_json()), 3).map_err(wrong)?);
    }
    if top <= after {
        return Ok((body, after, 0));
    }
    let (mut sent, mut reached) = (0, top);
    for stream in [Stream::Trust, Stream::Alert, Stream::Lib] {
        let rows = records::list_arrivals(&mut tx, stream, after, top, &RegionFilter::default(), PUSH_MAX, false).await?;
        if rows.len() as u32 == PUSH_MAX {
            reached = reached.min(rows.last().map_or(top, |row| row.arrival));
        }
        let items: Vec<(i64, Item)> =
            rows.into_iter().rev().filter(|row| row.source != parent.id.0).filter_map(|row| Some((row.arrival, item(row)?))).collect();
        sent += items.len();
        if items.is_empty() {
            continue;
        }
        for part in frame::split(stream, "", items, after, top, RAW_TARGET) {
            body.extend(frame::write(&Frame::Records(part), 3).map_err(wrong)?);
        }
    }
    Ok((body, reached, sent))
}
