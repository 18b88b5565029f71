//! Reading and proving the audit log (RULES §13): who did what, whether the chain is whole, and the daily anchors, small signed
//! files outside the tables that a rewritten log no longer fits. Entries are written by operations through `account::log`.

use crate::App;
use crate::account::{log, log_with};
use crate::error::AppError;
use data_encoding::BASE64URL_NOPAD;
use jiff::Timestamp;
use kepu_domain::access::{Action, Actor};
use kepu_domain::ids::{AccountId, KeyId, OrgId};
use kepu_domain::log::{Break, Entry};
use kepu_store::log::{self as store, Filter, Verdict};
use kepu_store::{Tx, account, meta, org};
use kepu_sync::suite::{Check, Suite, verify as verify_signature};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

/// Folder of the anchors in the data folder: one file a day, named by the day.
pub const ANCHORS: &str = "audit-anchors";
/// Days that the log is kept at least (网络安全法: six months).
pub const KEEP_DAYS_MIN: i64 = 180;
/// Years that the log is kept unless the law of the place says longer; this version removes nothing.
pub const KEEP_YEARS: i64 = 3;
/// Where the outcome of the last check stands, so that it can be shown even when the log itself takes no more entries.
const CHECKED: &str = "audit_checked";
/// Most entries of an export.
const EXPORT_MAX: u32 = 100_000;

/// Entries before number `before`, newest first, at most `limit`. May: the audit administrator.
pub async fn list(app: &App, who: &Actor, filter: &Filter, before: Option<i64>, limit: u32) -> Result<Vec<Entry>, AppError> {
    who.may(Action::ReadAudit, None)?;
    let mut tx = app.db.read().await?;
    Ok(store::list(&mut tx, filter, before, limit).await?)
}

/// Names of the accounts and organisations whose ids entries hold.
pub type Names = HashMap<String, String>;

/// Who acted, and whose accounts were acted on where. May: the audit administrator.
pub async fn names(app: &App, who: &Actor, entries: &[Entry]) -> Result<Names, AppError> {
    who.may(Action::ReadAudit, None)?;
    let actor = |entry: &Entry| entry.who.strip_prefix("account:").map(str::to_owned).into_iter().collect::<Vec<_>>();
    let touched = |entry: &Entry| {
        let about = ["account.", "member.", "org."].iter().any(|noun| entry.action.starts_with(noun));
        if about { entry.object.split(' ').map(str::to_owned).collect() } else { vec![] }
    };
    let ids: BTreeSet<String> = entries.iter().flat_map(|entry| [actor(entry), touched(entry)].concat()).collect();
    let mut tx = app.db.read().await?;
    let mut names = Names::new();
    for id in ids {
        if let Some(row) = account::find(&mut tx, &AccountId::from(id.as_str())).await? {
            names.insert(id, format!("{}（{}）", row.account.name, row.account.login));
        } else if let Some(org) = org::find(&mut tx, &OrgId::from(id.as_str())).await? {
            names.insert(id, org.name);
        }
    }
    Ok(names)
}

/// What to filter by when somebody typed `text` as the actor: a sign-in name stands for its account. May: the audit administrator.
pub async fn actor_of(app: &App, who: &Actor, text: &str) -> Result<String, AppError> {
    who.may(Action::ReadAudit, None)?;
    let mut tx = app.db.read().await?;
    let found = account::find_by_login(&mut tx, &kepu_text::fold(text)).await?;
    Ok(found.map_or_else(|| text.to_owned(), |row| format!("account:{}", row.account.id)))
}

/// The entries of [`list`] for a file, newest first. May: the audit administrator. Writes: log.
pub async fn export(app: &App, who: &Actor, filter: &Filter) -> Result<Vec<Entry>, AppError> {
    who.may(Action::ReadAudit, None)?;
    let mut tx = app.db.write().await?;
    let entries = store::list(&mut tx, filter, None, EXPORT_MAX).await?;
    let detail = serde_json::json!({"entries": entries.len()}).to_string();
    log_with(app, &mut tx, &who.log_name(), "audit.exported", "", "ok", &detail).await?;
    tx.commit().await?;
    Ok(entries)
}

/// What is wrong with an anchor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AnchorFault {
    /// No anchor of this program.
    Unreadable,
    /// Not signed by this node's key.
    Forged,
    /// The log has another entry at that number, or none: it was rewritten or cut.
    Differs,
}

impl AnchorFault {
    /// The word in messages and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::Forged => "forged",
            Self::Differs => "differs",
        }
    }
}

/// What a check of log and anchors found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    /// When.
    pub at: Timestamp,
    /// Entries, if the chain is whole.
    pub entries: i64,
    /// Hash of the last one.
    pub head: String,
    /// The first broken entry and what is wrong with it.
    pub broken: Option<(i64, Break)>,
    /// Anchors that fit.
    pub anchors: usize,
    /// Days whose anchors do not.
    pub wrong: Vec<(String, AnchorFault)>,
}

impl Checked {
    /// Whether nothing is wrong.
    pub fn is_whole(&self) -> bool {
        self.broken.is_none() && self.wrong.is_empty()
    }
}

/// Checks the whole chain, and every anchor against it. May: whoever has the data folder.
pub async fn check(app: &App) -> Result<Checked, AppError> {
    let mut tx = app.db.read().await?;
    let mut checked = Checked { at: app.now(), entries: 0, head: String::new(), broken: None, anchors: 0, wrong: vec![] };
    match store::verify(&mut tx).await? {
        Verdict::Whole { entries, head } => (checked.entries, checked.head) = (entries, head),
        Verdict::Broken { seq, cause } => checked.broken = Some((seq, cause)),
    }
    for (day, path) in files(&app.data.join(ANCHORS))? {
        match fault(app, &mut tx, &path).await? {
            None => checked.anchors += 1,
            Some(fault) => checked.wrong.push((day, fault)),
        }
    }
    Ok(checked)
}

/// [`check`] on the page: its outcome is kept for the page and written into the log.
///
/// May: the audit administrator. Writes: meta, log.
pub async fn verify(app: &App, who: &Actor) -> Result<Checked, AppError> {
    who.may(Action::ReadAudit, None)?;
    let checked = check(app).await?;
    let text = serde_json::to_string(&checked).map_err(|e| AppError::Record(e.to_string()))?;
    let mut tx = app.db.write().await?;
    meta::set(&mut tx, CHECKED, &text).await?;
    tx.commit().await?;
    // A log whose end is cut takes no entry. The outcome above must be seen all the same.
    let noted = note(app, who, if checked.is_whole() { "ok" } else { "refused" }).await;
    if checked.broken.is_none() {
        noted?;
    }
    Ok(checked)
}

async fn note(app: &App, who: &Actor, result: &str) -> Result<(), AppError> {
    let mut tx = app.db.write().await?;
    log(app, &mut tx, &who.log_name(), "audit.verified", "", result).await?;
    Ok(tx.commit().await?)
}

/// The outcome of the last [`verify`]. May: the audit administrator.
pub async fn last_check(app: &App, who: &Actor) -> Result<Option<Checked>, AppError> {
    who.may(Action::ReadAudit, None)?;
    let mut tx = app.db.read().await?;
    Ok(meta::find(&mut tx, CHECKED).await?.and_then(|text| serde_json::from_str(&text).ok()))
}

/// A day's anchor: the end of the log, signed.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Anchor {
    /// Number of the last entry.
    seq: i64,
    /// Its hash, which stands for everything before it.
    hash: String,
    /// When the anchor was written.
    at: Timestamp,
    /// Key of the node.
    key: String,
    /// Its signature over [`message`].
    signature: String,
}

/// What is signed: the purpose and the place in the log, each as a digest.
fn message(suite: Suite, seq: i64, hash: &str) -> [u8; 64] {
    let mut message = [0; 64];
    message[..32].copy_from_slice(&suite.digest(b"kepu audit anchor 1"));
    message[32..].copy_from_slice(&suite.digest(format!("{seq} {hash}").as_bytes()));
    message
}

/// Writes today's anchor unless it is there; returns whether it wrote one. Copies of the folder elsewhere make it stronger.
///
/// May: the node. Writes: a file.
pub async fn anchor(app: &App) -> Result<bool, AppError> {
    let path = app.folder(ANCHORS)?.join(app.today().to_string());
    if path.exists() {
        return Ok(false);
    }
    let mut tx = app.db.read().await?;
    let Some(last) = store::last(&mut tx).await? else { return Ok(false) };
    let (seq, hash, key) = (last.entry.seq, last.hash, app.key.signing());
    let signature = BASE64URL_NOPAD.encode(&key.sign(&message(key.suite(), seq, &hash)));
    let anchor = Anchor { seq, hash, at: app.now(), key: app.key.id().0.clone(), signature };
    let text = serde_json::to_string_pretty(&anchor).map_err(|e| AppError::Record(e.to_string()))?;
    write_new(&path, &text)
}

/// Written aside and then linked to its name, so that no half file is ever found; a file that is there stays.
fn write_new(path: &Path, text: &str) -> Result<bool, AppError> {
    let wrap = |source| AppError::File { action: "write", path: path.display().to_string(), source };
    let aside = path.with_extension(format!("{}.part", std::process::id()));
    std::fs::write(&aside, text).map_err(wrap)?;
    let linked = std::fs::hard_link(&aside, path);
    std::fs::remove_file(&aside).map_err(wrap)?;
    match linked {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(wrap(error)),
    }
}

/// The anchor files by day.
fn files(folder: &Path) -> Result<Vec<(String, PathBuf)>, AppError> {
    let wrap = |source| AppError::File { action: "read", path: folder.display().to_string(), source };
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(vec![]),
        Err(error) => return Err(wrap(error)),
    };
    let mut list = Vec::new();
    for entry in entries {
        let path = entry.map_err(wrap)?.path();
        let day = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        if day.parse::<jiff::civil::Date>().is_ok() {
            list.push((day, path));
        }
    }
    list.sort();
    Ok(list)
}

async fn fault(app: &App, tx: &mut Tx, path: &Path) -> Result<Option<AnchorFault>, AppError> {
    let text = std::fs::read(path).map_err(|source| AppError::File { action: "read", path: path.display().to_string(), source })?;
    let Ok(anchor) = serde_json::from_slice::<Anchor>(&text) else { return Ok(Some(AnchorFault::Unreadable)) };
    let signature = BASE64URL_NOPAD.decode(anchor.signature.as_bytes()).unwrap_or_default();
    let own = anchor.key == app.key.id().0;
    let message = message(app.key.signing().suite(), anchor.seq, &anchor.hash);
    if !own || !verify_signature(&Check { key: KeyId(anchor.key), message, signature }) {
        return Ok(Some(AnchorFault::Forged));
    }
    let same = store::find(tx, anchor.seq).await?.is_some_and(|stored| stored.hash == anchor.hash);
    Ok((!same).then_some(AnchorFault::Differs))
}
