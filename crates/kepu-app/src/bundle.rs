//! Bundles: an exchange on a stick. One node writes down what it holds (`ask`), another packs what the first one lacks (`make`),
//! the first one applies it (`apply`) with the same code as an exchange over the network. The bytes are in `kepu-sync::bundle`.

use crate::account::log;
use crate::error::AppError;
use crate::media::{self, Part, is_hash};
use crate::record::heads;
use crate::sync::{self, From, Outbox, Sink, Stop};
use crate::{App, node, relearn, subscription};
use data_encoding::HEXLOWER;
use futures::StreamExt;
use futures::channel::mpsc;
use kepu_domain::access::{Action, Actor};
use kepu_domain::deliver::scope::Scope;
use kepu_domain::record::{Body, Stream};
use kepu_store::counter;
use kepu_store::media::{self as files, Media};
use kepu_store::peer::{self as peers, Direction, Peer};
use kepu_sync::bundle::{self, BundleError, Header, Reader, Writer};
use kepu_sync::cursor::Vector;
use kepu_sync::frame::{Chunk, Content, Frame, Item, Records, Skip};
use kepu_sync::record::{Unverified, write_time};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};

/// Format word of an ask file.
const ASK: &str = "kepu-ask-1";
/// zstd level of a bundle: packed once, carried often.
const LEVEL: i32 = 9;
/// Wanted files named in an ask file.
const FILES_MAX: u32 = 5_000;

impl std::convert::From<BundleError> for AppError {
    fn from(error: BundleError) -> Self {
        let cause = match &error {
            BundleError::Io { source, .. } => format!("{error}: {source}"),
            _ => error.to_string(),
        };
        AppError::Record(cause)
    }
}

/// What a node holds and wants, to be answered by a bundle.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ask {
    format: String,
    /// Key of the asking node.
    pub node: String,
    /// Its name.
    pub name: String,
    /// Its scope, as JSON.
    pub scope: String,
    vector: serde_json::Value,
    /// Hashes of wanted files, smallest first.
    #[serde(default)]
    files: Vec<String>,
}

impl Ask {
    /// Reads an ask file, or a bare vector.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        if let Ok(ask) = serde_json::from_slice::<Self>(bytes) {
            return (ask.format == ASK).then_some(ask);
        }
        let vector: serde_json::Value = serde_json::from_slice(bytes).ok().filter(serde_json::Value::is_array)?;
        Some(Self { format: ASK.into(), node: String::new(), name: String::new(), scope: String::new(), vector, files: vec![] })
    }

    fn vector(&self) -> Result<Vector, AppError> {
        Vector::from_json(&serde_json::to_vec(&self.vector).unwrap_or_default()).map_err(|e| AppError::Record(format!("the ask file: {e}")))
    }
}

/// What this node would ask for. May: whoever holds the data folder.
pub async fn ask(app: &App) -> Result<Ask, AppError> {
    let scope = sync::scope_text(&subscription::current(app).await?);
    let mut tx = app.db.read().await?;
    let vector = serde_json::from_slice(&sync::vector(&mut tx).await?.to_json()).unwrap_or_default();
    let wanted = files::list_wanted(&mut tx, FILES_MAX).await?.into_iter().map(|file| file.hash).collect();
    Ok(Ask { format: ASK.into(), node: app.key.id().0.clone(), name: node::name(&mut tx).await?, scope, vector, files: wanted })
}

/// What to pack.
#[derive(Clone, Debug)]
pub struct Make {
    /// What for; `None`: the asking node's scope, or everything.
    pub scope: Option<Scope>,
    /// What is asked for; `None`: everything.
    pub ask: Option<Ask>,
    /// Whether files go along: those of the records in the bundle, and those that the ask file names.
    pub files: bool,
    /// Bytes at which files are left for another bundle.
    pub bytes_max: u64,
}

/// What was packed.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Made {
    /// Records.
    pub records: usize,
    /// Files.
    pub files: usize,
    /// Files left for another bundle.
    pub files_left: usize,
    /// Bytes of the bundle.
    pub bytes: u64,
}

/// Packs what this node holds, certificates and alerts first, and signs the end. `progress` hears how many records are packed.
///
/// May: whoever holds the data folder: everything in it is public.
pub async fn make<W: Write>(app: &App, what: Make, out: W, mut progress: impl FnMut(usize)) -> Result<(Made, W), AppError> {
    let asked_scope = what.ask.as_ref().filter(|ask| !ask.scope.is_empty()).map(|ask| sync::read_scope(&ask.scope));
    let scope = what.scope.or(asked_scope).unwrap_or_else(Scope::all);
    let vector = what.ask.as_ref().map(Ask::vector).transpose()?;
    let mut tx = app.db.read().await?;
    let header = Header {
        format: bundle::FORMAT.into(),
        by: app.key.id().0.clone(),
        name: node::name(&mut tx).await?,
        at: write_time(app.now()),
        scope: sync::scope_text(&scope),
        answers: what.ask.as_ref().map(|ask| ask.node.clone()).unwrap_or_default(),
        ..Header::default()
    };
    drop(tx);
    let mut writer = Writer::begin(out, &header, LEVEL)?;
    let mut made = Made::default();
    let mut wanted: BTreeSet<String> = what.ask.iter().flat_map(|ask| ask.files.iter().cloned()).collect();
    let (sender, mut receiver) = mpsc::channel(4);
    let packing = tokio::spawn(produce(app.clone(), sender, scope, vector));
    while let Some(frame) = receiver.next().await {
        let Frame::Records(records) = frame else { continue };
        if records.items.is_empty() && records.skips.is_empty() {
            continue;
        }
        if what.files {
            wanted.extend(records.items.iter().flat_map(named_files));
        }
        made.records += records.items.len();
        // Arrival numbers are a matter between two nodes on a line; in a file they would only be somebody's claim.
        writer.frame(&Frame::Records(Records { epoch: String::new(), above: 0, up_to: 0, ..records }))?;
        progress(made.records);
    }
    match packing.await.map_err(|e| AppError::Record(e.to_string()))? {
        Ok(()) | Err(Stop::Gone) => {}
        Err(Stop::Failed(error)) => return Err(error),
    }
    if what.files {
        pack_files(app, &mut writer, wanted, what.bytes_max, &mut made).await?;
    }
    let bytes = writer.bytes();
    let out = writer.finish(app.key.signing())?;
    made.bytes = bytes;
    Ok((made, out))
}

async fn produce(app: App, sender: mpsc::Sender<Frame>, scope: Scope, vector: Option<Vector>) -> Result<(), Stop> {
    let mut tx = app.db.read().await?;
    let top = counter::last(&mut tx, counter::ARRIVAL).await?;
    drop(tx);
    let everything = [Stream::Trust, Stream::Alert, Stream::Lib].map(|class| (class, vec![(0, top)])).to_vec();
    let by_vector = vector.is_some();
    let mut out = Outbox::new(&app, Sink::Frames(sender), None, scope, vector).await?;
    if by_vector { out.by_vector(everything, "", top).await } else { out.arrivals(everything, "").await }
}

/// Hashes of the files that a library record names.
fn named_files(item: &Item) -> Vec<String> {
    let Content::Doc(doc) = &item.content else { return vec![] };
    let body = Unverified::read(doc.clone(), item.signature.clone()).ok().and_then(|read| read.trust_stored().body.ok());
    match body {
        Some(Body::Resource(resource)) => resource.media.iter().map(|file| file.hash.clone()).collect(),
        _ => vec![],
    }
}

async fn pack_files<W: Write>(app: &App, writer: &mut Writer<W>, wanted: BTreeSet<String>, bytes_max: u64, made: &mut Made) -> Result<(), AppError> {
    let mut here: BTreeMap<(i64, String), std::path::PathBuf> = BTreeMap::new();
    for hash in wanted.into_iter().filter(|hash| is_hash(hash)) {
        let mut tx = app.db.read().await?;
        // Only what is public leaves the house: a file of a draft has a hash too.
        let live = files::count_uses(&mut tx, &hash).await?.1 > 0;
        if let Some(file) = files::find(&mut tx, &hash).await?.filter(|file| file.have && live) {
            here.insert((file.size, hash.clone()), media::path(app, &hash)?);
        }
    }
    for ((size, hash), path) in here {
        let size = u64::try_from(size).unwrap_or(0);
        if writer.bytes() + size + size / 50 + 65_536 > bytes_max {
            made.files_left += 1;
            continue;
        }
        let file = std::fs::File::open(&path).map_err(|source| AppError::File { action: "open", path: path.display().to_string(), source })?;
        writer.file(digest(&hash), size, file)?;
        made.files += 1;
    }
    Ok(())
}

/// The bytes behind a hash in hex.
pub(crate) fn digest(hash: &str) -> [u8; 32] {
    HEXLOWER.decode(hash.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok()).unwrap_or([0; 32])
}

/// What a bundle brought.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Applied {
    /// Key of the node that packed it, as it says.
    pub by: String,
    /// Records that are new here.
    pub records: usize,
    /// Records that were here already.
    pub duplicates: usize,
    /// Files that are here now.
    pub files: usize,
    /// Bytes read.
    pub bytes: u64,
    /// Whether it was read to its signed end.
    pub complete: bool,
    /// What is wrong with it as a whole; what stands before a cut was applied all the same.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Records that did not verify or do not count: place and reason.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<String>,
}

/// Takes a bundle in, frame by frame, each in a transaction of its own. Twice does no harm; a cut loses at most the last frame.
///
/// May: system administrators. Writes: records, subject, media, log.
pub async fn apply(app: &App, who: &Actor, input: impl Read, mut progress: impl FnMut(&Applied)) -> Result<Applied, AppError> {
    who.may(Action::ManageNodes, None)?;
    let mut reader = Reader::begin(input, &[bundle::FORMAT])?;
    let mut applied = Applied { by: reader.header().by.clone(), ..Applied::default() };
    let mut skips: Vec<Skip> = Vec::new();
    let mut wrong: Option<String> = None;
    loop {
        match reader.next_frame() {
            Ok(Some(Frame::Records(mut records))) => {
                skips.append(&mut records.skips);
                take(app, records, &mut applied).await?;
            }
            Ok(Some(Frame::Chunk(chunk))) => {
                if take_chunk(app, chunk).await? {
                    applied.files += 1;
                }
            }
            Ok(Some(_)) => {}
            Ok(None) => {
                applied.complete = wrong.is_none();
                break;
            }
            Err(error) => {
                wrong.get_or_insert(AppError::from(error).to_string());
                if reader.is_over() {
                    break;
                }
            }
        }
        applied.bytes = reader.bytes();
        progress(&applied);
    }
    applied.bytes = reader.bytes();
    applied.reason = wrong.unwrap_or_default();
    applied.refused.truncate(1_000);
    close(app, who, &applied, skips).await?;
    Ok(applied)
}

async fn take(app: &App, records: Records, applied: &mut Applied) -> Result<(), AppError> {
    let from = From { source: &applied.by.clone(), knows_scope: false, cursor: None };
    let report = sync::take(app, records, from).await?;
    applied.records += report.applied;
    applied.duplicates += report.duplicates;
    applied.refused.extend(report.rejected.into_iter().chain(report.refused).map(|(place, why)| format!("{place}: {why}")));
    Ok(())
}

/// What follows from a bundle as a whole. Only the signed word of a parent counts for what lies outside this node's scope.
async fn close(app: &App, who: &Actor, applied: &Applied, skips: Vec<Skip>) -> Result<(), AppError> {
    let mut tx = app.db.write().await?;
    let parents = peers::list(&mut tx, Some(Direction::Parent), 100).await?;
    let knows_scope = |parent: &Peer| parent.id.0 == applied.by && !sync::read_scope(&parent.scope).is_all();
    if applied.complete && parents.iter().any(knows_scope) {
        crate::record::note_skips(&mut tx, skips).await?;
    }
    if applied.records > 0 {
        // Parents do not know what came on a stick; what this node holds is told them once, so that they do not send it again.
        sync::offer_vector_next(&mut tx).await?;
    }
    let object = format!("{} +{} {}", applied.by, applied.records, if applied.complete { "whole" } else { "cut" });
    log(app, &mut tx, &who.log_name(), "bundle.applied", &object, "ok").await?;
    tx.commit().await?;
    app.notify();
    heads::compare_all(app).await?;
    relearn::settle(app).await
}

/// Adds a piece of a file that this node wants; `true` when the file is whole and here.
async fn take_chunk(app: &App, chunk: Chunk) -> Result<bool, AppError> {
    let hash = HEXLOWER.encode(&chunk.hash);
    let mut tx = app.db.read().await?;
    let known: Option<Media> = files::find(&mut tx, &hash).await?;
    let limits = media::limits(&mut tx).await?;
    let held = files::totals(&mut tx).await?.have_bytes;
    drop(tx);
    let Some(file) = known.filter(|file| file.wanted && !file.have && u64::try_from(file.size) == Ok(chunk.size)) else { return Ok(false) };
    if file.size > limits.file_max || held.saturating_add(file.size) > limits.quota {
        return Ok(false);
    }
    let mut part = Part::open(app, &hash, chunk.size)?;
    // A piece that is here already is passed over; one that leaves a gap cannot be used.
    if part.size == chunk.offset && !part.add(&chunk.bytes)? {
        return Ok(false);
    }
    if part.size < part.whole {
        return Ok(false);
    }
    let finished = tokio::task::spawn_blocking(move || part.finish(&file.media_type)).await.map_err(|e| AppError::Record(e.to_string()))??;
    if let Err(cause) = finished {
        tracing::warn!(media.hash = hash, cause, "a bundle holds something else than the file");
        return Ok(false);
    }
    let mut tx = app.db.write().await?;
    files::set_have(&mut tx, &hash, true).await?;
    files::delete_try(&mut tx, &hash).await?;
    tx.commit().await?;
    Ok(true)
}

/// What a bundle says of itself and holds, without any node.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Shown {
    /// Its header.
    pub header: Header,
    /// Records per stream.
    pub records: BTreeMap<String, usize>,
    /// Numbers left out because they lie outside the scope.
    pub skipped: i64,
    /// Keys that signed something.
    pub keys: usize,
    /// Files.
    pub files: usize,
    /// Bytes.
    pub bytes: u64,
    /// Whether it reaches to its signed end.
    pub complete: bool,
    /// What is wrong with it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// Looks into a bundle.
pub fn show(input: impl Read) -> Result<Shown, AppError> {
    let mut reader = Reader::begin(input, &[bundle::FORMAT])?;
    let mut shown = Shown { header: reader.header().clone(), ..Shown::default() };
    let (mut keys, mut files) = (BTreeSet::new(), BTreeSet::new());
    loop {
        match reader.next_frame() {
            Ok(Some(Frame::Records(records))) => {
                *shown.records.entry(records.class.to_string()).or_default() += records.items.len();
                shown.skipped += records.skips.iter().map(|skip| skip.to - skip.from + 1).sum::<i64>();
                keys.extend(records.items.into_iter().map(|item| item.place.key));
            }
            Ok(Some(Frame::Chunk(chunk))) => {
                files.insert(chunk.hash);
            }
            Ok(Some(_)) => {}
            Ok(None) => {
                shown.complete = shown.reason.is_empty();
                break;
            }
            Err(error) => {
                if shown.reason.is_empty() {
                    shown.reason = AppError::from(error).to_string();
                }
                if reader.is_over() {
                    break;
                }
            }
        }
    }
    (shown.bytes, shown.keys, shown.files) = (reader.bytes(), keys.len(), files.len());
    Ok(shown)
}
