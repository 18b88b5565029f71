//! The parent's side of an exchange: takes what a child pushes, notes what it holds, sends what it lacks.

use super::frames::{frames_of, item, region_filter};
use super::{Asked, Exchange, caller, read_query, scope_text};
use crate::App;
use crate::error::AppError;
use crate::record::{self, Report};
use bytes::Bytes;
use futures::channel::mpsc;
use futures::{SinkExt, Stream as _};
use kepu_domain::deliver::scope::Scope;
use kepu_domain::ids::KeyId;
use kepu_domain::record::{STREAMS, Stream};
use kepu_store::peer::{self as peers, Peer};
use kepu_store::record::{RegionFilter, Row};
use kepu_store::{counter, meta, record as records};
use kepu_sync::cursor::{Cursor, Vector};
use kepu_sync::frame::{self, Frame, Item, RAW_TARGET};
use std::pin::Pin;
use std::time::Duration;

/// Rows read from the store at once while answering.
const CHUNK: u32 = 1_000;

/// The answer.
pub enum Answer {
    /// Nothing new.
    Nothing,
    /// Frames, produced while they are sent.
    Frames(mpsc::Receiver<Result<Bytes, std::io::Error>>),
}

/// Answers a child: takes what it pushes, notes what it holds, sends what it lacks.
///
/// May: nodes that joined (their key signs every request). Writes: records, subject, peer.
pub async fn handle(app: &App, exchange: Exchange) -> Result<Answer, AppError> {
    let key = caller(&exchange).ok_or(kepu_domain::access::Denied::NotSignedIn)?;
    let mut tx = app.db.read().await?;
    let Some(peer) = peers::find(&mut tx, &key).await? else { return Err(kepu_domain::access::Denied::NotSignedIn.into()) };
    drop(tx);
    let wrong = || AppError::Peer { peer: peer.name.clone(), cause: "sent a request address that cannot be read".into() };
    let asked = read_query(&exchange.target).ok_or_else(wrong)?;
    let mut vector = None;
    let mut report = Report::default();
    for frame in frames_of(&exchange.body)? {
        match frame {
            Frame::Records(list) => report.add(receive(app, list.items, &key.0).await?),
            Frame::Vector(json) => vector = Vector::from_json(&json).ok(),
            Frame::Meta(_) => {}
        }
    }
    note_contact(app, &peer, &asked, &report).await?;
    let mut changed = app.watch();
    let deadline = tokio::time::Instant::now() + Duration::from_secs(asked.wait);
    loop {
        changed.mark_unchanged();
        let plan = plan(app, &asked.cursor).await?;
        if plan.iter().any(|(_, gaps)| !gaps.is_empty()) {
            let (sender, receiver) = mpsc::channel(4);
            let (app, scope) = (app.clone(), asked.scope.clone());
            tokio::spawn(async move {
                if let Err(error) = send(&app, sender, plan, scope, vector, key).await {
                    tracing::warn!(%error, "an answer to a child broke off");
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

async fn note_contact(app: &App, peer: &Peer, asked: &Asked, report: &Report) -> Result<(), AppError> {
    let mut tx = app.db.write().await?;
    let epoch = meta::find(&mut tx, "epoch").await?.unwrap_or_default();
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

type Plan = Vec<(Stream, Vec<(i64, i64)>)>;

/// Which arrival numbers the child lacks, per class in the order of travel.
async fn plan(app: &App, cursor: &Cursor) -> Result<Plan, AppError> {
    let mut tx = app.db.read().await?;
    let epoch = meta::find(&mut tx, "epoch").await?.unwrap_or_default();
    let top = counter::last(&mut tx, counter::ARRIVAL).await?;
    let held = if cursor.epoch == epoch { cursor.clone() } else { Cursor::default() };
    Ok(STREAMS[..3].iter().zip(held.classes.iter()).map(|(stream, class)| (*stream, class.missing(top))).collect())
}

async fn send(
    app: &App,
    mut out: mpsc::Sender<Result<Bytes, std::io::Error>>,
    plan: Plan,
    scope: Scope,
    vector: Option<Vector>,
    to: KeyId,
) -> Result<(), AppError> {
    let mut tx = app.db.read().await?;
    let epoch = meta::find(&mut tx, "epoch").await?.unwrap_or_default();
    drop(tx);
    let mut alerts_to = plan.iter().flat_map(|(_, gaps)| gaps.iter().map(|(_, high)| *high)).max().unwrap_or(0);
    for (class, gaps) in plan {
        for (low, high) in gaps {
            let mut top = high;
            while top > low {
                if class == Stream::Lib {
                    // A withdrawal overtakes whatever backlog is under way.
                    let mut tx = app.db.read().await?;
                    let newest = records::max_arrival(&mut tx, Stream::Alert).await?;
                    if newest > alerts_to {
                        let rows = records::list_arrivals(&mut tx, Stream::Alert, alerts_to, newest, &RegionFilter::default(), CHUNK, true).await?;
                        let bottom = if rows.len() as u32 == CHUNK { rows.last().map_or(alerts_to, |r| r.arrival - 1) } else { alerts_to };
                        emit(&mut out, Stream::Alert, &epoch, rows, bottom, newest, &to, vector.as_ref()).await?;
                        alerts_to = newest;
                    }
                }
                let filter = if class == Stream::Lib { region_filter(&scope) } else { RegionFilter::default() };
                let mut tx = app.db.read().await?;
                let mut rows = records::list_arrivals(&mut tx, class, low, top, &filter, CHUNK, true).await?;
                drop(tx);
                let bottom = if rows.len() as u32 == CHUNK { rows.last().map_or(low, |row| row.arrival - 1) } else { low };
                if class == Stream::Lib {
                    rows.retain(|row| scope.wants_lib(row.region, &row.fields, &row.lang));
                }
                if !emit(&mut out, class, &epoch, rows, bottom, top, &to, vector.as_ref()).await? {
                    return Ok(());
                }
                top = bottom;
            }
        }
    }
    Ok(())
}

/// Sends rows as frames that together cover `(low, high]`. `false` if nobody listens any more.
#[expect(clippy::too_many_arguments, reason = "each belongs to one run of frames; a struct would only rename them")]
async fn emit(
    out: &mut mpsc::Sender<Result<Bytes, std::io::Error>>,
    class: Stream,
    epoch: &str,
    rows: Vec<Row>,
    low: i64,
    high: i64,
    to: &KeyId,
    vector: Option<&Vector>,
) -> Result<bool, AppError> {
    let items: Vec<(i64, Item)> = rows
        .into_iter()
        .filter(|row| row.source != to.0 && vector.is_none_or(|v| !v.holds(&row.key, row.stream, row.n)))
        .filter_map(|row| Some((row.arrival, item(row)?)))
        .collect();
    for records in frame::split(class, epoch, items, low, high, RAW_TARGET) {
        let bytes = tokio::task::spawn_blocking(move || frame::write(&Frame::Records(records), 3)).await.map_err(|e| AppError::Record(e.to_string()))?;
        let bytes = bytes.map_err(|e| AppError::Record(e.to_string()))?;
        if out.send(Ok(Bytes::from(bytes))).await.is_err() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Checks and applies what a peer sent.
async fn receive(app: &App, items: Vec<Item>, source: &str) -> Result<Report, AppError> {
    let (good, rejected) = tokio::task::spawn_blocking(move || record::check(items)).await.map_err(|e| AppError::Record(e.to_string()))?;
    let mut tx = app.db.write().await?;
    let mut report = record::apply(app, &mut tx, good, source).await?;
    tx.commit().await?;
    app.notify();
    report.rejected.extend(rejected);
    Ok(report)
}

/// Polls the receiver of an answer as a stream: what the web layer sends.
pub fn into_stream(receiver: mpsc::Receiver<Result<Bytes, std::io::Error>>) -> impl futures::Stream<Item = Result<Bytes, std::io::Error>> {
    let mut receiver = receiver;
    futures::stream::poll_fn(move |cx| Pin::new(&mut receiver).poll_next(cx))
}
