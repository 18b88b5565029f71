//! Files from a parent: smallest first, in pieces that survive a cut, and into the store only when every byte is proved.
//!
//! A file grows under `media/part/`. When it is whole, its hash must be its name and its first bytes must show the media type
//! that the record states; then it is renamed. Whatever else a parent sends leaves nothing behind.

use super::{Limits, is_hash, limits, path, sniff};
use crate::App;
use crate::error::AppError;
use crate::sync::transport::Connection;
use jiff::{SignedDuration, Timestamp};
use kepu_store::media::{self as store, Media, Try};
use serde::Serialize;
use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Files looked up at once.
const PAGE: u32 = 100;

/// What became of wanted files in one exchange.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Fetched {
    /// Files that are here now.
    pub fetched: u32,
    /// Bytes of them that came over the line.
    pub bytes: u64,
    /// Files whose bytes were not what the record says; nothing of them was kept.
    pub refused: u32,
    /// Files still wanted.
    pub left: i64,
    /// Requests made.
    #[serde(skip)]
    pub(crate) requests: u32,
    /// Whether the time was over before all were tried.
    #[serde(skip)]
    pub unfinished: bool,
}

/// Why a file is not here yet.
enum Failed {
    /// The line or the parent: what has come stays, and it is tried again soon.
    Line(String),
    /// The bytes are not the file: nothing of them stays.
    Wrong(&'static str),
    /// There is no room.
    Room(&'static str),
    /// The time is over; what has come stays.
    Time,
    /// This node failed.
    Own(AppError),
}

impl<E: Into<AppError>> From<E> for Failed {
    fn from(error: E) -> Self {
        Failed::Own(error.into())
    }
}

/// Fetches wanted files from the parent at the other end of `connection`, for at most `budget`.
pub(crate) async fn fetch(app: &App, connection: &mut Connection, budget: Duration) -> Result<Fetched, AppError> {
    let end = Instant::now() + budget;
    let mut done = Fetched::default();
    let mut tried: HashSet<String> = HashSet::new();
    'all: loop {
        let mut tx = app.db.read().await?;
        let due: Vec<Media> = store::list_due(&mut tx, app.now(), PAGE).await?.into_iter().filter(|file| !tried.contains(&file.hash)).collect();
        let limits = limits(&mut tx).await?;
        drop(tx);
        if due.is_empty() {
            break;
        }
        for file in due {
            tried.insert(file.hash.clone());
            let result = one(app, &file, limits, connection, end, &mut done).await;
            let again = matches!(result, Err(Failed::Line(_) | Failed::Wrong(_)));
            match note(app, &file, result, &mut done).await? {
                Next::On => {}
                Next::Stop => {
                    done.unfinished = true;
                    break 'all;
                }
            }
            // Whatever was left unread on the connection belongs to that file.
            if again && connection.reopen().await.is_err() {
                break 'all;
            }
        }
    }
    let mut tx = app.db.read().await?;
    done.left = store::totals(&mut tx).await?.wanted;
    Ok(done)
}

enum Next {
    On,
    Stop,
}

async fn note(app: &App, file: &Media, result: Result<(), Failed>, done: &mut Fetched) -> Result<Next, AppError> {
    let mut tx = app.db.write().await?;
    let tries = store::find_try(&mut tx, &file.hash).await?.map_or(0, |failed| failed.tries) + 1;
    let failed = |cause: String, minutes: i64| Try { hash: file.hash.clone(), tries, retry_at: later(app.now(), minutes), cause };
    let backoff = |first: i64| (first << tries.clamp(0, 12)).min(24 * 60);
    match result {
        Ok(()) => {
            store::set_have(&mut tx, &file.hash, true).await?;
            store::delete_try(&mut tx, &file.hash).await?;
            done.fetched += 1;
        }
        Err(Failed::Line(cause)) => store::put_try(&mut tx, &failed(cause, backoff(1))).await?,
        Err(Failed::Wrong(cause)) => {
            tracing::warn!(media.hash = %file.hash, cause, "a parent sent something else than the file");
            store::put_try(&mut tx, &failed(cause.into(), backoff(30))).await?;
            done.refused += 1;
        }
        Err(Failed::Room(cause)) => store::put_try(&mut tx, &failed(cause.into(), 24 * 60)).await?,
        Err(Failed::Time) => return Ok(Next::Stop),
        Err(Failed::Own(error)) => return Err(error),
    }
    tx.commit().await?;
    Ok(Next::On)
}

fn later(now: Timestamp, minutes: i64) -> Timestamp {
    crate::account::later(now, SignedDuration::from_mins(minutes))
}

async fn one(app: &App, file: &Media, limits: Limits, connection: &mut Connection, end: Instant, done: &mut Fetched) -> Result<(), Failed> {
    if !is_hash(&file.hash) {
        return Err(Failed::Wrong("its name is no hash"));
    }
    if file.size > limits.file_max {
        return Err(Failed::Room("larger than this node takes"));
    }
    let mut tx = app.db.read().await?;
    let held = store::totals(&mut tx).await?.have_bytes;
    drop(tx);
    if held.saturating_add(file.size) > limits.quota {
        return Err(Failed::Room("the node's quota for files is used up"));
    }
    let mut part = Part::open(app, &file.hash, file.size as u64)?;
    if part.size < part.whole {
        download(&mut part, connection, end, done).await?;
    }
    let media_type = file.media_type.clone();
    let result = tokio::task::spawn_blocking(move || part.finish(&media_type)).await;
    result.map_err(|e| AppError::Record(e.to_string()))??.map_err(Failed::Wrong)
}

async fn download(part: &mut Part, connection: &mut Connection, end: Instant, done: &mut Fetched) -> Result<(), Failed> {
    done.requests += 1;
    let line = |error: AppError| Failed::Line(error.to_string());
    let mut answer = connection.get(&format!("/media/{}", part.hash), part.size).await.map_err(line)?;
    if answer.from != part.size {
        // Asked for the rest, it sends the whole or another part.
        part.discard();
        if answer.from != 0 {
            return Err(Failed::Wrong("another part of the file came than was asked for"));
        }
    }
    while let Some(piece) = answer.piece().await.map_err(line)? {
        done.bytes += piece.len() as u64;
        if !part.add(&piece)? {
            return Err(Failed::Wrong("more bytes came than the record says"));
        }
        if Instant::now() > end && part.size < part.whole {
            return Err(Failed::Time);
        }
    }
    if part.size < part.whole { Err(Failed::Line("it was cut off; the rest is asked for next time".into())) } else { Ok(()) }
}

/// A file that is still growing.
pub(crate) struct Part {
    hash: String,
    at: PathBuf,
    target: PathBuf,
    out: Option<File>,
    /// Bytes here.
    pub(crate) size: u64,
    /// Bytes there will be.
    pub(crate) whole: u64,
}

impl Part {
    /// Goes on with what is here of the file, or begins.
    pub(crate) fn open(app: &App, hash: &str, whole: u64) -> Result<Self, AppError> {
        let at = app.folder("media/part")?.join(hash);
        let target = path(app, hash)?;
        let size = std::fs::metadata(&at).map_or(0, |found| found.len());
        let mut part = Self { hash: hash.to_owned(), at, target, out: None, size, whole };
        if part.size > whole {
            part.discard();
        }
        Ok(part)
    }

    /// Adds the next bytes; `false`, and nothing is left, if they are more than the file has.
    pub(crate) fn add(&mut self, piece: &[u8]) -> Result<bool, AppError> {
        if self.size + piece.len() as u64 > self.whole {
            self.discard();
            return Ok(false);
        }
        let out = match &mut self.out {
            Some(out) => out,
            none => {
                let opened = OpenOptions::new().create(true).append(true).open(&self.at);
                none.insert(opened.map_err(|source| failed("open", &self.at, source))?)
            }
        };
        out.write_all(piece).map_err(|source| failed("write", &self.at, source))?;
        self.size += piece.len() as u64;
        Ok(true)
    }

    /// Checks the whole file and moves it to its place; else removes it and says why.
    pub(crate) fn finish(mut self, media_type: &str) -> Result<Result<(), &'static str>, AppError> {
        let bytes = std::fs::read(&self.at).map_err(|source| failed("read", &self.at, source))?;
        let why = if blake3::hash(&bytes).to_hex().as_str() != self.hash {
            "the bytes are not those that the record names"
        } else if sniff(&bytes) != Some(media_type) {
            "the file is of another kind than the record says"
        } else {
            settle(&self.at, &self.target).map_err(|source| failed("move", &self.at, source))?;
            return Ok(Ok(()));
        };
        self.discard();
        Ok(Err(why))
    }

    /// Gives up what is here of the file.
    fn discard(&mut self) {
        (self.out, self.size) = (None, 0);
        match std::fs::remove_file(&self.at) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => tracing::warn!(%error, path = %self.at.display(), "a refused file cannot be removed"),
            _ => {}
        }
    }
}

/// Makes a written file permanent under its final name.
pub(super) fn settle(part: &Path, target: &Path) -> io::Result<()> {
    File::open(part)?.sync_all()?;
    std::fs::rename(part, target)?;
    match target.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

fn failed(action: &'static str, path: &Path, source: io::Error) -> AppError {
    AppError::File { action, path: path.display().to_string(), source }
}
