//! The child's side of an exchange: says what is new here, takes what is new above, until neither has anything left; then
//! asks for what is missing, and fetches files.

use super::frames::{item, pack, vector, vector_frames};
use super::inbox::{self, From};
use super::outbox::{Outbox, Sink, Stop};
use super::transport::{Connection, Counts};
use super::{authorize, read_scope, scope_query, wishes};
use crate::error::AppError;
use crate::record::heads;
use crate::{App, media, relearn};
use kepu_domain::deliver::scope::Scope;
use kepu_domain::record::Stream;
use kepu_store::peer::{self as peers, Direction, Peer};
use kepu_store::{Tx, counter, meta, record as records};
use kepu_sync::cursor::{Cursor, Vector};
use kepu_sync::frame::{self, Frame, Item, Records, Sizes};
use kepu_sync::session::{Note, Want};
use serde::Serialize;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Records pushed in one request at most …
const PUSH_MAX: u32 = 2_000;
/// … and in the first one after an exchange that broke off: a body counts only when it has arrived whole. Each that arrives doubles the next.
const PUSH_FIRST: u32 = 16;
/// How long files are fetched in one exchange of a node that serves …
const MEDIA_TURN: Duration = Duration::from_secs(20);
/// … and in one that was asked for by hand.
const MEDIA_PATIENCE: Duration = Duration::from_secs(3_600);
/// Frames in a row that bring nothing and cover nothing: a parent that sends more of them is not in order.
const IDLE_MAX: u32 = 1_000;

/// What one exchange with one parent came to.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Exchanged {
    /// The parent's name.
    pub parent: String,
    /// New records received.
    pub pulled: usize,
    /// Records sent.
    pub pushed: usize,
    /// Bytes received, headers and files included.
    pub bytes_in: u64,
    /// Bytes sent, headers included.
    pub bytes_out: u64,
    /// Requests, those for files included.
    pub round_trips: u32,
    /// Seconds.
    pub wall_s: f64,
    /// Files.
    pub media: media::Fetched,
    /// Records that did not verify or do not count: place and reason.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<String>,
    /// Streams with missing numbers after it, as `key/stream/from-to`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// Why it broke off, if it did; what arrived until then stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// One full exchange with every parent. `wait`: seconds that a parent may hold the first request until it has something new.
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
    let mut session = Session::new(app, parent, counts.clone());
    if let Err(error) = session.run(wait).await {
        session.done.error = Some(error.to_string());
    }
    let mut done = session.done;
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

/// Asks the parent at the next exchange for whatever it has and this node lacks, by key and number: records came another way,
/// or the scope has changed.
pub(crate) async fn offer_vector_next(tx: &mut Tx) -> Result<(), AppError> {
    for parent in peers::list(tx, Some(Direction::Parent), 100).await? {
        meta::set(tx, &offer_name(&parent), "1").await?;
    }
    Ok(())
}

fn offer_name(parent: &Peer) -> String {
    format!("offer/{}", parent.id.fingerprint())
}

/// What goes into one request.
#[derive(Default)]
struct Outgoing {
    body: Vec<u8>,
    /// Up to which arrival of this node everything was said.
    reached: i64,
    records: usize,
    /// Whether more is left to say than fits into one request.
    more: bool,
}

struct Session<'a> {
    app: &'a App,
    parent: &'a Peer,
    scope: Scope,
    counts: Arc<Counts>,
    cursor: Cursor,
    pushed_to: i64,
    /// Records in the next request at most.
    push_most: u32,
    offer_vector: bool,
    /// What the parent asked for.
    asked_for: Vec<Want>,
    /// What this node asks for.
    wants: Vec<Want>,
    done: Exchanged,
}

impl<'a> Session<'a> {
    fn new(app: &'a App, parent: &'a Peer, counts: Arc<Counts>) -> Self {
        let cursor = Cursor::read(&parent.cursor).unwrap_or_default();
        Self {
            app,
            parent,
            scope: read_scope(&parent.scope),
            counts,
            offer_vector: cursor.epoch.is_empty(),
            cursor,
            pushed_to: parent.push_cursor,
            push_most: if parent.went_well() { PUSH_MAX } else { PUSH_FIRST },
            asked_for: vec![],
            wants: vec![],
            done: Exchanged { parent: parent.name.clone(), ..Exchanged::default() },
        }
    }

    async fn run(&mut self, wait: u64) -> Result<(), AppError> {
        let mut tx = self.app.db.read().await?;
        self.offer_vector |= meta::find(&mut tx, &offer_name(self.parent)).await?.is_some();
        drop(tx);
        let mut connection = Connection::open(&self.parent.url, self.counts.clone()).await?;
        // Ask again until the parent has nothing: the last request tells it what has arrived, which is the receipt.
        while self.round(&mut connection, wait).await? {}
        if self.done.pulled > 0 || self.done.round_trips > 1 || wishes::is_due(self.app, &self.parent.id).await? {
            self.ask_for_missing(&mut connection).await?;
        }
        relearn::settle(self.app).await?;
        // While a parent may be waited for, files take turns with records: a withdrawal never waits behind a film.
        let budget = if wait > 0 { MEDIA_TURN } else { MEDIA_PATIENCE };
        self.done.media = media::fetch(self.app, &mut connection, budget).await?;
        self.done.round_trips += self.done.media.requests;
        Ok(())
    }

    /// Asks once for what is missing, and compares histories with what their keys committed to.
    async fn ask_for_missing(&mut self, connection: &mut Connection) -> Result<(), AppError> {
        heads::compare_all(self.app).await?;
        self.wants = wishes::of_parent(self.app, &self.parent.id).await?;
        if !self.wants.is_empty() {
            while self.round(connection, 0).await? {}
            heads::compare_all(self.app).await?;
        }
        let mut tx = self.app.db.read().await?;
        for ((key, stream), list) in crate::record::has_holes(&mut tx).await? {
            self.done.missing.extend(list.into_iter().take(20).map(|(from, to)| format!("{key}/{stream}/{from}-{to}")));
        }
        self.done.missing.truncate(200);
        Ok(())
    }

    /// One request with its answer; `true` if there may be more.
    async fn round(&mut self, connection: &mut Connection, wait: u64) -> Result<bool, AppError> {
        let out = self.outgoing().await?;
        let offered = self.offer_vector;
        let quiet = self.done.round_trips == 0 && out.body.is_empty();
        let wait_for = if quiet && wait > 0 { format!("&wait={wait}") } else { String::new() };
        let target = format!("/sync?{}&cur={}{wait_for}", scope_query(&self.scope), self.cursor.write());
        let authorization = authorize(self.app, &target, &out.body);
        self.done.round_trips += 1;
        let mut answer = tokio::select! {
            answer = connection.post(&target, Some(&authorization), out.body) => answer?,
            () = something_to_say(self.app, out.reached), if quiet && wait > 0 => {
                connection.reopen().await?;
                return Ok(true);
            }
        };
        self.push_most = (self.push_most * 2).min(PUSH_MAX);
        self.note_sent(out.reached, out.records, offered).await?;
        let (mut got, mut idle) = (false, 0);
        while let Some(frame) = answer.next_frame().await? {
            got = true;
            let brought = self.take(frame).await?;
            idle = if brought { 0 } else { idle + 1 };
            if idle > IDLE_MAX {
                return Err(AppError::Peer { peer: self.parent.name.clone(), cause: "sends one empty frame after the other".into() });
            }
        }
        Ok(got || out.more || self.offer_vector || !self.asked_for.is_empty())
    }

    async fn note_sent(&mut self, reached: i64, records: usize, offered: bool) -> Result<(), AppError> {
        self.done.pushed += records;
        self.wants.clear();
        self.asked_for.clear();
        self.offer_vector = false;
        if reached <= self.pushed_to && !offered {
            return Ok(());
        }
        let mut tx = self.app.db.write().await?;
        if reached > self.pushed_to {
            peers::set_push_cursor(&mut tx, &self.parent.id, reached).await?;
        }
        if offered {
            meta::delete(&mut tx, &offer_name(self.parent)).await?;
        }
        tx.commit().await?;
        self.pushed_to = self.pushed_to.max(reached);
        Ok(())
    }

    /// Takes one frame in; `false` if it brought nothing.
    async fn take(&mut self, frame: Frame) -> Result<bool, AppError> {
        match frame {
            Frame::Records(list) => self.take_records(list).await,
            Frame::Vector(json) => {
                let seen = Vector::from_json(&json).map_err(|e| AppError::Peer { peer: self.parent.name.clone(), cause: e.to_string() })?;
                let mut tx = self.app.db.write().await?;
                relearn::hear(self.app, &mut tx, &self.parent.id, &seen).await?;
                tx.commit().await?;
                Ok(false)
            }
            Frame::Meta(json) => {
                let note = Note::from_json(&json);
                self.offer_vector |= note.vector;
                self.asked_for.extend(note.wants());
                Ok(false)
            }
            Frame::Chunk(_) | Frame::Index(_) | Frame::Trailer(_) => Ok(false),
        }
    }

    /// Applies records and moves the cursor in the same transaction: a cut loses at most the frame under way.
    async fn take_records(&mut self, list: Records) -> Result<bool, AppError> {
        let covers = list.up_to > list.above;
        if covers && self.cursor.epoch != list.epoch {
            self.cursor = Cursor { epoch: list.epoch.clone(), ..Cursor::default() };
        }
        if covers && let Some(class) = self.cursor.class(list.class) {
            class.add(list.above, list.up_to);
        }
        let brought = covers || !list.items.is_empty() || !list.skips.is_empty();
        let cursor = covers.then(|| (&self.parent.id, self.cursor.write()));
        let report = inbox::take(self.app, list, From { source: &self.parent.id.0, knows_scope: !self.scope.is_whole(), cursor }).await?;
        self.done.pulled += report.applied;
        self.done.refused.extend(report.rejected.into_iter().chain(report.refused).map(|(place, why)| format!("{place}: {why}")));
        self.done.refused.truncate(1_000);
        Ok(brought)
    }

    /// What this node has to say: everything that did not come from the parent, what it holds, what it lacks, what was asked for.
    async fn outgoing(&self) -> Result<Outgoing, AppError> {
        let mut out = self.news().await?;
        if self.offer_vector {
            let mut tx = self.app.db.read().await?;
            out.body.extend(vector_frames(&vector(&mut tx).await?)?);
        }
        if !self.wants.is_empty() {
            out.body.extend(pack(&Frame::Meta(Note::ask(&self.wants).to_json()))?);
        }
        if !self.asked_for.is_empty() {
            let mut answer = Outbox::new(self.app, Sink::List(vec![]), None, Scope::whole(), None).await?;
            match answer.ranges(self.asked_for.clone()).await {
                Ok(()) | Err(Stop::Gone) => {}
                Err(Stop::Failed(error)) => return Err(error),
            }
            for frame in answer.into_list() {
                if let Frame::Records(list) = &frame {
                    out.records += list.items.len();
                }
                out.body.extend(pack(&frame)?);
            }
        }
        Ok(out)
    }

    async fn news(&self) -> Result<Outgoing, AppError> {
        let after = self.pushed_to;
        let mut tx = self.app.db.read().await?;
        let top = counter::last(&mut tx, counter::ARRIVAL).await?;
        let mut out = Outgoing { reached: top.max(after), ..Outgoing::default() };
        if top <= after {
            return Ok(out);
        }
        for stream in [Stream::Trust, Stream::Alert, Stream::Lib] {
            let rows = records::list_news(&mut tx, stream, after, top, &self.parent.id, self.push_most).await?;
            if rows.len() as u32 == self.push_most {
                out.more = true;
                out.reached = out.reached.min(rows.last().map_or(top, |row| row.arrival));
            }
            let items: Vec<(i64, Item)> = rows.into_iter().rev().map(|row| (row.arrival, item(row))).collect();
            out.records += items.len();
            if items.is_empty() {
                continue;
            }
            for part in frame::split(stream, "", items, after, top, &mut Sizes::full()) {
                out.body.extend(pack(&Frame::Records(part))?);
            }
        }
        Ok(out)
    }
}

/// Returns when this node has said something that the parent was not told: a long poll need not be waited out.
async fn something_to_say(app: &App, pushed_to: i64) {
    let mut changed = app.watch();
    loop {
        // Another process may publish as well: look at the table once a second.
        let _ = tokio::time::timeout(Duration::from_secs(1), changed.changed()).await;
        let Ok(mut tx) = app.db.read().await else { continue };
        if counter::last(&mut tx, counter::ARRIVAL).await.is_ok_and(|top| top > pushed_to) {
            return;
        }
    }
}
