//! The parent's side of an exchange: takes what a child pushes, notes what it holds, sends what it lacks. What is sent in
//! which order is in `outbox`.

use super::frames::{frames_of, vector_of};
use super::inbox::{self, From};
use super::outbox::{Outbox, Plan, Sink, Stop};
use super::wishes;
use super::{Asked, Exchange, caller, read_query, scope_text};
use crate::error::AppError;
use crate::record::{Report, heads};
use crate::{App, node, relearn};
use bytes::Bytes;
use futures::Stream as _;
use futures::channel::mpsc;
use kepu_domain::ids::KeyId;
use kepu_domain::record::STREAMS;
use kepu_store::peer::{self as peers, Peer};
use kepu_store::{counter, meta};
use kepu_sync::cursor::{Cursor, Vector};
use kepu_sync::frame::Frame;
use kepu_sync::session::{Note, Want};
use std::pin::Pin;
use std::time::Duration;

/// The answer.
pub enum Answer {
    /// Nothing new.
    Nothing,
    /// Frames, produced while they are sent.
    Frames(mpsc::Receiver<Result<Bytes, std::io::Error>>),
}

/// What came with a request.
#[derive(Default)]
struct Received {
    report: Report,
    /// What the child holds, if it says so.
    vector: Option<Vector>,
    /// What it asks for.
    wants: Vec<Want>,
}

/// Answers a child: takes what it pushes, notes what it holds, sends what it lacks.
///
/// May: nodes that joined (their key signs every request). Writes: records, subject, peer.
pub async fn handle(app: &App, exchange: Exchange) -> Result<Answer, AppError> {
    let key = caller(&exchange).ok_or(AppError::Stranger)?;
    let peer = find_child(app, &key).await?;
    let asked = read_query(&exchange.target).ok_or_else(|| AppError::Record("the address of the request cannot be read".into()))?;
    let received = receive(app, &exchange.body, &key).await?;
    let mut tx = app.db.read().await?;
    let epoch = meta::find(&mut tx, "epoch").await?.unwrap_or_default();
    drop(tx);
    note_contact(app, &peer, &asked, &received.report, &epoch).await?;
    let wishes = if received.report.applied > 0 || received.vector.is_some() { wishes::of_child(app, &key).await? } else { vec![] };
    let talk = Talk { app: app.clone(), key, epoch, asked, received, wishes };
    talk.answer().await
}

/// The node behind a key. One that this node certified is a child even if its row was lost with a restored backup.
async fn find_child(app: &App, key: &KeyId) -> Result<Peer, AppError> {
    let mut tx = app.db.read().await?;
    if let Some(peer) = peers::find(&mut tx, key).await? {
        return Ok(peer);
    }
    let trust = app.trust(&mut tx).await?;
    let grant = trust.grant(key).filter(|grant| grant.issuer.as_ref() == Some(app.key.id())).ok_or(AppError::Stranger)?;
    drop(tx);
    let peer = node::child(key.clone(), grant.holder.clone(), grant.region, app.now());
    let mut tx = app.db.write().await?;
    peers::upsert(&mut tx, &peer).await?;
    tx.commit().await?;
    Ok(peer)
}

async fn receive(app: &App, body: &[u8], from: &KeyId) -> Result<Received, AppError> {
    let mut received = Received::default();
    for frame in frames_of(body) {
        match frame? {
            Frame::Records(list) => {
                // A child's word about what lies outside a scope counts for nothing: the parent's is the wider one.
                let from = From { source: &from.0, knows_scope: false, cursor: None };
                received.report.add(inbox::take(app, list, from).await?);
            }
            Frame::Vector(json) => {
                let part = Vector::from_json(&json).map_err(|e| AppError::Record(e.to_string()))?;
                received.vector.get_or_insert_default().absorb(part);
            }
            Frame::Meta(json) => received.wants.extend(Note::from_json(&json).wants()),
            Frame::Chunk(_) | Frame::Index(_) | Frame::Trailer(_) => {}
        }
    }
    if let Some(vector) = &received.vector {
        let mut tx = app.db.write().await?;
        relearn::hear(app, &mut tx, from, vector).await?;
        tx.commit().await?;
    }
    if received.report.applied > 0 || received.vector.is_some() {
        heads::compare_all(app).await?;
        relearn::settle(app).await?;
    }
    Ok(received)
}

async fn note_contact(app: &App, peer: &Peer, asked: &Asked, report: &Report, epoch: &str) -> Result<(), AppError> {
    let mut tx = app.db.write().await?;
    if asked.cursor.epoch == epoch {
        peers::set_acked(&mut tx, &peer.id, asked.cursor.floor()).await?;
    }
    let scope = scope_text(&asked.scope);
    if scope != peer.scope {
        peers::set_scope(&mut tx, &peer.id, &scope).await?;
    }
    let result = match (report.applied, report.rejected.len() + report.refused.len()) {
        (0, 0) => "ok".to_owned(),
        (applied, bad) => format!("ok +{applied} !{bad}"),
    };
    peers::set_seen(&mut tx, &peer.id, app.now(), &result).await?;
    tx.commit().await?;
    Ok(())
}

/// One request being answered.
struct Talk {
    app: App,
    key: KeyId,
    epoch: String,
    asked: Asked,
    received: Received,
    /// What this node lacks and the child may have.
    wishes: Vec<Want>,
}

impl Talk {
    /// The cursor is of another life of this node's tables, and the child did not say what it holds.
    fn is_lost(&self) -> bool {
        let cursor = &self.asked.cursor;
        !cursor.epoch.is_empty() && cursor.epoch != self.epoch && self.received.vector.is_none()
    }

    async fn answer(self) -> Result<Answer, AppError> {
        let mut changed = self.app.watch();
        let deadline = tokio::time::Instant::now() + Duration::from_secs(self.asked.wait);
        let must = self.is_lost() || self.received.vector.is_some() || !self.received.wants.is_empty() || !self.wishes.is_empty();
        loop {
            changed.mark_unchanged();
            let (plan, top) = self.plan().await?;
            if must || plan.iter().any(|(_, gaps)| !gaps.is_empty()) {
                let (sender, receiver) = mpsc::channel(4);
                tokio::spawn(async move {
                    match self.send(sender, plan, top).await {
                        Ok(()) | Err(Stop::Gone) => {}
                        Err(Stop::Failed(error)) => tracing::warn!(%error, "an answer to a child broke off"),
                    }
                });
                return Ok(Answer::Frames(receiver));
            }
            // Another process may publish as well: look at the table once a second while waiting.
            let step = deadline.min(tokio::time::Instant::now() + Duration::from_secs(1));
            if tokio::time::Instant::now() >= deadline {
                return Ok(Answer::Nothing);
            }
            let _ = tokio::time::timeout_at(step, changed.changed()).await;
        }
    }

    /// Which arrival numbers the child lacks, per class in the order of travel; and the highest there is.
    async fn plan(&self) -> Result<(Plan, i64), AppError> {
        let mut tx = self.app.db.read().await?;
        let top = counter::last(&mut tx, counter::ARRIVAL).await?;
        let cursor = &self.asked.cursor;
        let nothing = Cursor::default();
        // Whoever says what it holds of each key lacks something that its cursor does not know of.
        let held = if cursor.epoch == self.epoch && self.received.vector.is_none() { cursor } else { &nothing };
        Ok((STREAMS[..3].iter().zip(held.classes.iter()).map(|(stream, class)| (*stream, class.missing(top))).collect(), top))
    }

    async fn send(self, sender: mpsc::Sender<Result<Bytes, std::io::Error>>, plan: Plan, top: i64) -> Result<(), Stop> {
        let lost = self.is_lost();
        let held = self.received.vector.clone();
        let mut out = Outbox::new(&self.app, Sink::Stream(sender), Some(self.key.clone()), self.asked.scope.clone(), held).await?;
        if lost {
            return out.note(&Note::ask_vector()).await;
        }
        if self.received.vector.is_some() {
            // Whoever has lost its tables learns here which of its own numbers were seen.
            let mut tx = self.app.db.read().await?;
            let seen = vector_of(&mut tx, &self.key).await?;
            drop(tx);
            out.vector(&seen).await?;
        }
        if !self.wishes.is_empty() {
            out.note(&Note::ask(&self.wishes)).await?;
        }
        match self.received.vector {
            Some(_) => out.by_vector(plan, &self.epoch, top).await?,
            None => out.arrivals(plan, &self.epoch).await?,
        }
        out.vector = None;
        out.ranges(self.received.wants).await
    }
}

/// Polls the receiver of an answer as a stream: what the web layer sends.
pub fn into_stream(receiver: mpsc::Receiver<Result<Bytes, std::io::Error>>) -> impl futures::Stream<Item = Result<Bytes, std::io::Error>> {
    let mut receiver = receiver;
    futures::stream::poll_fn(move |cx| Pin::new(&mut receiver).poll_next(cx))
}
