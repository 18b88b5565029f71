//! Signals that an outside queue holds (NATS JetStream), where one machine's table is outgrown: each message is a row as in a file of signals. How far the
//! stream was read stands in our tables, written together with what was read: nothing enters twice, nothing is lost, whatever stops when, and however many
//! processes read. The queue's protocol is known to the binary alone.

use super::{Fresh, file, make_room, number, put, room};
use crate::App;
use crate::create::import::read::flatten;
use crate::error::AppError;
use kepu_domain::create::import::{Plan, SIGNAL};
use kepu_domain::listen::inlet::STREAM;
use kepu_domain::listen::sighting::Channel;
use kepu_domain::listen::signal::Counts;
use kepu_store::listen::inlet as inlets;
use kepu_store::{Tx, meta};
use serde::{Deserialize, Serialize};

/// Most messages of one transaction.
pub const BATCH: usize = 500;
/// Most bytes of one message; a longer one is refused unread.
pub const BYTES_MAX: usize = 64 * 1024;

/// One message of a stream.
#[derive(Clone, Debug)]
pub struct Message {
    /// Its number in the stream, growing.
    pub seq: u64,
    /// A JSON object with `text`, and perhaps `time`, `region`, `weight`.
    pub bytes: Vec<u8>,
}

/// How a stream stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Name of the stream.
    pub name: String,
    /// Messages that still wait there, as it said last.
    pub waiting: u64,
    /// When it was last heard of, ms.
    pub at: i64,
    /// Why nothing comes, if it cannot be reached or read; else empty.
    pub trouble: String,
}

/// The name under which the number reached is kept; the stream's own creation is part of it, because a stream that was made anew counts from one again.
fn place(stream: &str, made: i64) -> String {
    format!("stream.upto.{made}.{stream}")
}

/// Number of the last message that was read of a stream that was made at `made` (seconds since 1970); 0 before the first.
pub async fn reached(app: &App, stream: &str, made: i64) -> Result<u64, AppError> {
    Ok(u64::try_from(number(&mut app.db.read().await?, &place(stream, made)).await?).unwrap_or_default())
}

/// Takes messages in, in the order of their numbers, after waiting for room; returns how many were refused because nothing can be read in them. Those that were read
/// before, by this or another process, are passed over.
///
/// Writes: signal, inlet_hour, job, how far the stream was read.
pub async fn take(app: &App, stream: (&str, i64), messages: &[Message], waiting: u64) -> Result<usize, AppError> {
    let plan = Plan { columns: SIGNAL.iter().map(|target| (target.name.to_owned(), target.name.to_owned())).collect(), ..Plan::default() };
    let read = |message: &Message| -> Option<Fresh> {
        let bytes = Some(&message.bytes).filter(|bytes| bytes.len() <= BYTES_MAX)?;
        let row = flatten(serde_json::from_slice(bytes).ok()?).ok()?;
        file::read(&plan, &row, app.now()).ok()
    };
    let read: Vec<(u64, Option<Fresh>)> = messages.iter().map(|message| (message.seq, read(message))).collect();
    let place = place(stream.0, stream.1);
    let mut tx = loop {
        let wanted = i64::try_from(messages.len()).unwrap_or(i64::MAX);
        make_room(app, wanted).await?;
        let mut tx = app.db.write().await?;
        if room(app, &mut tx).await? >= wanted {
            break tx;
        }
    };
    let upto = u64::try_from(number(&mut tx, &place).await?).unwrap_or_default();
    let fresh: Vec<(u64, Option<Fresh>)> = read.into_iter().filter(|(seq, _)| *seq > upto).collect();
    let Some(last) = fresh.iter().map(|(seq, _)| *seq).max() else { return Ok(0) };
    let refused = fresh.iter().filter(|(_, one)| one.is_none()).count();
    put(app, &mut tx, &STREAM.into(), Channel::Tipline, fresh.into_iter().filter_map(|(_, one)| one).collect()).await?;
    if refused > 0 {
        let counts = Counts { refused: i64::try_from(refused).unwrap_or(i64::MAX), ..Counts::default() };
        inlets::add_counts(&mut tx, STREAM, kepu_domain::listen::sighting::hour_of(app.now()), counts).await?;
    }
    meta::set(&mut tx, &place, &last.to_string()).await?;
    note_in(&mut tx, &Standing { name: stream.0.to_owned(), waiting, at: app.now().as_millisecond(), trouble: String::new() }).await?;
    tx.commit().await?;
    app.notify();
    Ok(refused)
}

/// Where the last word about the stream is kept.
const STANDING: &str = "stream.standing";

async fn note_in(tx: &mut Tx, standing: &Standing) -> Result<(), AppError> {
    Ok(meta::set(tx, STANDING, &serde_json::to_string(standing).unwrap_or_default()).await?)
}

/// Notes how a stream stands when nothing came: that it is empty, or why it cannot be reached.
pub async fn note(app: &App, stream: &str, waiting: u64, trouble: &str) -> Result<(), AppError> {
    let trouble = kepu_text::truncate(&kepu_text::clean_line(trouble), 200).to_owned();
    let mut tx = app.db.write().await?;
    note_in(&mut tx, &Standing { name: stream.to_owned(), waiting, at: app.now().as_millisecond(), trouble }).await?;
    tx.commit().await?;
    Ok(())
}

/// How the stream stands, if there is one.
pub(super) async fn standing(tx: &mut Tx) -> Result<Option<Standing>, AppError> {
    Ok(meta::find(tx, STANDING).await?.and_then(|text| serde_json::from_str(&text).ok()))
}
