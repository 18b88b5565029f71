//! Files of resources: kept in a folder under the hash of their bytes, known by content and never by name.

use crate::App;
use crate::error::{AppError, FieldError};
use kepu_store::media::{self as store, Media};
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

fn path(app: &App, hash: &str) -> Result<PathBuf, AppError> {
    Ok(app.folder(&format!("media/{}", &hash[..2]))?.join(hash))
}

fn is_hash(hash: &str) -> bool {
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
    let wrap = |source| AppError::File { action: "write", path: target.display().to_string(), source };
    let part = target.with_extension("part");
    // A file appears whole or not at all.
    std::fs::write(&part, bytes).and_then(|()| std::fs::File::open(&part)?.sync_all()).and_then(|()| std::fs::rename(&part, &target)).map_err(wrap)?;
    let media = Media { hash, media_type: media_type.into(), size: bytes.len() as i64, created_at: app.now(), wanted: false, have: true };
    let mut tx = app.db.write().await?;
    store::upsert(&mut tx, &media).await?;
    tx.commit().await?;
    Ok(media)
}

/// Media type and place of a file that is here.
pub async fn open(app: &App, hash: &str) -> Result<Option<(String, PathBuf)>, AppError> {
    if !is_hash(hash) {
        return Ok(None);
    }
    let mut tx = app.db.read().await?;
    match store::find(&mut tx, hash).await? {
        Some(media) if media.have => Ok(Some((media.media_type, path(app, hash)?))),
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_known_by_their_first_bytes() {
        assert_eq!(sniff(b"GIF89a...."), Some("image/gif"));
        assert_eq!(sniff(b"\0\0\0\x18ftypisom...."), Some("video/mp4"));
        for bad in [&b"\0\0\0\x18ftypheic"[..], b"<svg xmlns=", b"<!doctype html>", b"MZ\x90", b"#!/bin/sh", b""] {
            assert_eq!(sniff(bad), None, "{bad:?}");
        }
    }
}
