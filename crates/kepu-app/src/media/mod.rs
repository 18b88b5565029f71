//! Files of resources: kept in a folder under the hash of their bytes, known by content and never by name. How they come
//! from a parent is in `fetch`.

mod fetch;

pub use fetch::Fetched;
pub(crate) use fetch::{Part, fetch};

use crate::App;
use crate::account::log;
use crate::error::{AppError, FieldError};
use kepu_domain::access::{Action, Actor};
use kepu_store::media::{self as store, Media};
use kepu_store::{Tx, meta};
use std::path::PathBuf;

/// Largest file taken, in bytes.
pub const MEDIA_BYTES_MAX: usize = 20 * 1024 * 1024;

/// The media type that the first bytes show; `None` for what Kepu does not take (pages, programs, SVG).
pub fn sniff(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        [b'%', b'P', b'D', b'F', b'-', ..] => Some("application/pdf"),
        [b'I', b'D', b'3', ..] | [0xff, 0xfb | 0xf3 | 0xf2, ..] => Some("audio/mpeg"),
        // The same container holds pictures of telephones (HEIC, AVIF), which most browsers do not show.
        [_, _, _, _, b'f', b't', b'y', b'p', brand @ ..] if !brand.starts_with(b"hei") && !brand.starts_with(b"mif") && !brand.starts_with(b"avi") => {
            Some("video/mp4")
        }
        _ => None,
    }
}

/// What a node is ready to keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of all files together.
    pub quota: i64,
    /// Bytes of one file.
    pub file_max: i64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { quota: 10 << 30, file_max: MEDIA_BYTES_MAX as i64 }
    }
}

/// The limits of this node.
pub async fn limits(tx: &mut Tx) -> Result<Limits, AppError> {
    let default = Limits::default();
    let mut read = async |name: &str, or: i64| Ok::<_, AppError>(meta::find(tx, name).await?.and_then(|text| text.parse().ok()).unwrap_or(or));
    Ok(Limits { quota: read("media_quota", default.quota).await?, file_max: read("media_file_max", default.file_max).await? })
}

/// Sets the limits of this node; files given up for lack of room are tried again.
///
/// May: system administrators. Writes: meta, media, log.
pub async fn set_limits(app: &App, who: &Actor, limits: Limits) -> Result<(), AppError> {
    who.may(Action::ManageNodes, None)?;
    let mut tx = app.db.write().await?;
    meta::set(&mut tx, "media_quota", &limits.quota.max(0).to_string()).await?;
    meta::set(&mut tx, "media_file_max", &limits.file_max.clamp(0, MEDIA_BYTES_MAX as i64).to_string()).await?;
    store::clear_tries(&mut tx).await?;
    log(app, &mut tx, &who.log_name(), "media.limited", &format!("{} {}", limits.quota, limits.file_max), "ok").await?;
    tx.commit().await?;
    Ok(())
}

/// Where a file lies or will lie. `hash` must be one; see [`is_hash`].
pub(crate) fn path(app: &App, hash: &str) -> Result<PathBuf, AppError> {
    Ok(app.folder(&format!("media/{}", &hash[..2]))?.join(hash))
}

/// Whether a text is the hash of a file: nothing else ever becomes a part of a path.
pub(crate) fn is_hash(hash: &str) -> bool {
    hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// Keeps a file; the same bytes are kept once. Returns its hash.
pub async fn put(app: &App, bytes: &[u8]) -> Result<Media, AppError> {
    if bytes.len() > MEDIA_BYTES_MAX {
        return Err(AppError::TooLarge { max: MEDIA_BYTES_MAX as u64 });
    }
    let media_type = sniff(bytes).ok_or_else(|| AppError::Invalid(vec![FieldError::new("file", "file_kind")]))?;
    let hash = blake3::hash(bytes).to_hex().to_string();
    let target = path(app, &hash)?;
    crate::blob::write_whole(&target, bytes)?;
    let media = Media { hash, media_type: media_type.into(), size: bytes.len() as i64, created_at: app.now(), wanted: false, have: true };
    let mut tx = app.db.write().await?;
    store::upsert(&mut tx, &media).await?;
    tx.commit().await?;
    Ok(media)
}

/// Media type and place of a file that is here. None of one that only withdrawn or replaced versions name.
pub async fn open(app: &App, hash: &str) -> Result<Option<(String, PathBuf)>, AppError> {
    if !is_hash(hash) {
        return Ok(None);
    }
    let mut tx = app.db.read().await?;
    let (uses, live) = store::count_uses(&mut tx, hash).await?;
    match store::find(&mut tx, hash).await? {
        Some(media) if media.have && (live > 0 || uses == 0) => Ok(Some((media.media_type, path(app, hash)?))),
        _ => Ok(None),
    }
}
