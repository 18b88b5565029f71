//! Backup and restore of a whole node: its tables, its files, and only if asked for its key. A restored node begins a new epoch
//! and, with its old key, first learns which numbers it has used since (`relearn`).
//!
//! A backup is a bundle of files (`kepu-sync::bundle`) with the tables as one of them; it has no file names either.

use crate::account::log;
use crate::bundle::digest;
use crate::error::AppError;
use crate::keys::NodeKey;
use crate::{App, Options, node, relearn};
use data_encoding::HEXLOWER;
use jiff::Timestamp;
use kepu_domain::ids::KeyId;
use kepu_store::create::proof;
use kepu_store::{Engine, Tx, media as files, session};
use kepu_sync::bundle::{Header, Reader, Writer};
use kepu_sync::did;
use kepu_sync::frame::{Chunk, Frame};
use kepu_sync::record::write_time;
use serde::Serialize;
use serde_json::json;
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Format word of a backup.
const FORMAT: &str = "kepu-backup-1";
/// Tables pack well, and a backup is made at night.
const LEVEL: i32 = 6;

/// What was saved.
#[derive(Clone, Debug, Serialize)]
pub struct Saved {
    /// Bytes of the backup.
    pub bytes: u64,
    /// Bytes of the tables.
    pub tables: u64,
    /// Files of resources.
    pub files: usize,
    /// Whether the node's key is in it.
    pub key: bool,
}

fn failed(action: &'static str, path: &Path, source: std::io::Error) -> AppError {
    AppError::File { action, path: path.display().to_string(), source }
}

fn private_file(path: &Path) -> Result<File, AppError> {
    std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(|source| failed("make", path, source))
}

/// Writes a consistent copy of the node to `out`, also while it is being served. Fails if `out` exists.
///
/// May: whoever holds the data folder. Writes: log.
pub async fn backup(app: &App, out: &Path, with_key: bool) -> Result<Saved, AppError> {
    if app.db.engine() == Engine::Postgres {
        let cure = "the tables are in PostgreSQL: save them with pg_dump, and the folder media with any tool that copies files";
        return Err(AppError::Record(cure.into()));
    }
    let part = out.with_extension("part");
    let file = private_file(&part)?;
    let result = write(app, file, with_key).await;
    match result {
        Ok(saved) => {
            // Never over an earlier backup: whoever keeps one file would lose the old copy to a broken new one.
            std::fs::hard_link(&part, out).map_err(|source| failed("make", out, source))?;
            std::fs::remove_file(&part).map_err(|source| failed("remove", &part, source))?;
            let mut tx = app.db.write().await?;
            log(app, &mut tx, "operator", "node.saved", &saved.bytes.to_string(), "ok").await?;
            tx.commit().await?;
            Ok(saved)
        }
        Err(error) => {
            let _ = std::fs::remove_file(&part);
            Err(error)
        }
    }
}

async fn write(app: &App, file: File, with_key: bool) -> Result<Saved, AppError> {
    let copy = app.folder("tmp")?.join(format!("backup-{}.db", crate::keys::random_word(8)));
    app.db.copy_to(&copy).await?;
    let result = pack(app, &copy, file, with_key).await;
    std::fs::remove_file(&copy).map_err(|source| failed("remove", &copy, source))?;
    result
}

async fn pack(app: &App, tables: &Path, file: File, with_key: bool) -> Result<Saved, AppError> {
    let (hash, size) = hash_file(tables)?;
    let mut tx = app.db.read().await?;
    let name = node::name(&mut tx).await?;
    let mut header = Header { format: FORMAT.into(), by: app.key.id().0.clone(), name, at: write_time(app.now()), ..Header::default() };
    header.more.insert("tables".into(), json!(hash));
    let key = NodeKey::path(&app.data);
    let key_hash = if with_key { Some(hash_file(&key)?) } else { None };
    if let Some((hash, _)) = &key_hash {
        header.more.insert("key".into(), json!(hash));
    }
    let mut writer = Writer::begin(BufWriter::new(file), &header, LEVEL)?;
    let open = |path: &Path| File::open(path).map(BufReader::new).map_err(|source| failed("open", path, source));
    writer.file(digest(&hash), size, open(tables)?)?;
    if let Some((hash, size)) = key_hash {
        writer.file(digest(&hash), size, open(&key)?)?;
    }
    let files = digests(&mut tx).await?;
    let count = files.len();
    for (hash, size) in files {
        writer.file(digest(&hash), u64::try_from(size).unwrap_or(0), open(&crate::media::path(app, &hash)?)?)?;
    }
    let bytes = writer.bytes();
    let out = writer.finish(app.key.signing())?;
    let file = out.into_inner().map_err(|e| AppError::Record(e.to_string()))?;
    file.sync_all().map_err(|source| failed("write", tables, source))?;
    Ok(Saved { bytes, tables: size, files: count, key: with_key })
}

/// Digests and sizes of all files that are here: those of resources, and proofs that applicants handed in.
async fn digests(tx: &mut Tx) -> Result<BTreeMap<String, i64>, AppError> {
    let mut list = BTreeMap::new();
    let mut after = String::new();
    loop {
        let page = files::list_here(tx, &after, 500).await?;
        let Some(last) = page.last() else { break };
        after = last.hash.clone();
        list.extend(page.into_iter().map(|media| (media.hash, media.size)));
    }
    after.clear();
    loop {
        let page = proof::list_hashes(tx, &after, 500).await?;
        let Some((last, _)) = page.last() else { return Ok(list) };
        after = last.clone();
        list.extend(page);
    }
}

fn hash_file(path: &Path) -> Result<(String, u64), AppError> {
    let mut hasher = blake3::Hasher::new();
    let mut file = File::open(path).map_err(|source| failed("open", path, source))?;
    let size = std::io::copy(&mut file, &mut hasher).map_err(|source| failed("read", path, source))?;
    Ok((hasher.finalize().to_hex().to_string(), size))
}

/// Whose key a restored node has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RestoredKey {
    /// The one it had: it lay in the folder, or in the backup.
    Same,
    /// A new one: the node must be invited again.
    New,
}

/// What came back.
#[derive(Clone, Debug, Serialize)]
pub struct Restored {
    /// When the backup was made.
    pub at: String,
    /// Files of resources.
    pub files: usize,
    /// Whose key it has.
    pub key: RestoredKey,
    /// Who must be heard before it may publish.
    pub waits_for: Vec<String>,
}

/// Brings a node back into `data`, which may hold its key file and nothing else of a node. The backup is read to its signed end
/// before anything is written.
///
/// Writes: everything, session (ended), log.
pub async fn restore(input: &Path, data: &Path) -> Result<Restored, AppError> {
    let tables = data.join("kepu.db");
    if tables.exists() {
        let cause = format!("{} is there already; move it away first, a backup never goes over a node", tables.display());
        return Err(AppError::Record(cause));
    }
    let header = check(input)?;
    std::fs::create_dir_all(data).map_err(|source| failed("make", data, source))?;
    if NodeKey::path(data).exists() && NodeKey::load(data)?.id().0 != header.by {
        return Err(AppError::Record("the key in this folder belongs to another node than the backup".into()));
    }
    let count = unpack(input, data, &header)?;
    let key = if NodeKey::path(data).exists() {
        RestoredKey::Same
    } else {
        let (suite, _) = did::decode(&KeyId(header.by.clone())).map_err(|e| AppError::Record(e.to_string()))?;
        NodeKey::create(data, suite)?;
        RestoredKey::New
    };
    // The tables appear last: before, the folder is no node.
    let fresh = data.join("restored.db");
    std::fs::rename(&fresh, &tables).map_err(|source| failed("move", &fresh, source))?;
    let app = App::open(Options { data: data.to_owned(), database: None, index: false }).await?;
    let mut tx = app.db.write().await?;
    session::purge(&mut tx, Timestamp::MAX, Timestamp::MAX).await?;
    tx.commit().await?;
    relearn::begin(&app, &format!("from {}", header.at)).await?;
    if key == RestoredKey::New {
        // A new key has used no numbers, whatever others say of the old one.
        relearn::forget(&app).await?;
    }
    let mut tx = app.db.read().await?;
    let waits_for = relearn::waiting(&app, &mut tx).await?;
    drop(tx);
    app.db.close().await;
    Ok(Restored { at: header.at, files: count, key, waits_for })
}

fn open(input: &Path) -> Result<Reader<BufReader<File>>, AppError> {
    let file = File::open(input).map_err(|source| failed("open", input, source))?;
    Ok(Reader::begin(BufReader::new(file), &[FORMAT])?)
}

/// Reads the whole backup once: digest and signature must fit.
fn check(input: &Path) -> Result<Header, AppError> {
    let mut reader = open(input)?;
    let header = reader.header().clone();
    let unfit = |e: kepu_sync::bundle::BundleError| AppError::Record(format!("nothing was restored: {e}"));
    while reader.next_frame().map_err(unfit)?.is_some() {}
    Ok(header)
}

/// Writes tables, key and files to their places under `data`; returns how many files of resources.
fn unpack(input: &Path, data: &Path, header: &Header) -> Result<usize, AppError> {
    let named = |name: &str| header.more.get(name).and_then(|value| value.as_str()).unwrap_or_default().to_owned();
    let (tables, key) = (named("tables"), named("key"));
    let fresh = data.join("restored.db");
    if fresh.exists() {
        std::fs::remove_file(&fresh).map_err(|source| failed("remove", &fresh, source))?;
    }
    let mut reader = open(input)?;
    let mut growing: HashMap<[u8; 32], Growing> = HashMap::new();
    let mut count = 0;
    while let Some(frame) = reader.next_frame()? {
        let Frame::Chunk(chunk) = frame else { continue };
        let hash = HEXLOWER.encode(&chunk.hash);
        let (is_tables, is_key) = (hash == tables, hash == key);
        let target = if is_tables {
            fresh.clone()
        } else if is_key {
            NodeKey::path(data)
        } else {
            data.join("media").join(&hash[..2]).join(&hash)
        };
        if is_key && target.exists() && !growing.contains_key(&chunk.hash) {
            continue;
        }
        if grow(&mut growing, &chunk, target)? && !is_tables && !is_key {
            count += 1;
        }
    }
    if !fresh.exists() || !growing.is_empty() {
        return Err(AppError::Record("nothing was restored: the backup lacks its tables or a part of a file".into()));
    }
    Ok(count)
}

struct Growing {
    out: File,
    part: PathBuf,
    hasher: blake3::Hasher,
    size: u64,
}

/// Adds a piece to its file; `true` when it is whole and proved.
fn grow(growing: &mut HashMap<[u8; 32], Growing>, chunk: &Chunk, target: PathBuf) -> Result<bool, AppError> {
    if let std::collections::hash_map::Entry::Vacant(place) = growing.entry(chunk.hash) {
        if let Some(folder) = target.parent() {
            std::fs::create_dir_all(folder).map_err(|source| failed("make", folder, source))?;
        }
        let part = target.with_extension("part");
        let _ = std::fs::remove_file(&part);
        place.insert(Growing { out: private_file(&part)?, part, hasher: blake3::Hasher::new(), size: 0 });
    }
    let Some(file) = growing.get_mut(&chunk.hash) else { return Ok(false) };
    if file.size != chunk.offset {
        return Err(AppError::Record("nothing was restored: pieces of a file do not follow each other".into()));
    }
    file.out.write_all(&chunk.bytes).map_err(|source| failed("write", &file.part, source))?;
    file.hasher.update(&chunk.bytes);
    file.size += chunk.bytes.len() as u64;
    if file.size < chunk.size {
        return Ok(false);
    }
    let Some(file) = growing.remove(&chunk.hash) else { return Ok(false) };
    if *file.hasher.finalize().as_bytes() != chunk.hash {
        return Err(AppError::Record("nothing was restored: a file has other bytes than its name says".into()));
    }
    file.out.sync_all().map_err(|source| failed("write", &file.part, source))?;
    std::fs::rename(&file.part, &target).map_err(|source| failed("move", &file.part, source))?;
    Ok(true)
}
