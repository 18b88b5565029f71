//! Private files that wait to be worked on, named by the BLAKE3 digest of their bytes. Nobody can fetch them; files that belong
//! to resources and may be fetched are in `media`.

use crate::App;
use crate::error::AppError;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

fn path(app: &App, hash: &str) -> Result<PathBuf, AppError> {
    if hash.len() != 64 || !hash.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
        return Err(AppError::NotFound { what: "file", id: hash.chars().take(80).collect() });
    }
    Ok(app.folder(&format!("blobs/{}", &hash[..2]))?.join(hash))
}

fn failed<'a>(action: &'static str, path: &'a Path) -> impl FnOnce(std::io::Error) -> AppError + 'a {
    move |source| AppError::File { action, path: path.display().to_string(), source }
}

/// Writes a file that appears whole or not at all, be it written by several at once.
pub(crate) fn write_whole(target: &Path, bytes: &[u8]) -> Result<(), AppError> {
    let part = target.with_extension(format!("{}.part", crate::keys::random_word(8)));
    let write = || {
        std::fs::write(&part, bytes)?;
        std::fs::File::open(&part)?.sync_all()?;
        std::fs::rename(&part, target)
    };
    write().map_err(failed("write", target))
}

/// Keeps bytes; the same bytes are kept once. Returns their digest.
pub fn put(app: &App, bytes: &[u8]) -> Result<String, AppError> {
    let hash = blake3::hash(bytes).to_hex().to_string();
    write_whole(&path(app, &hash)?, bytes)?;
    Ok(hash)
}

/// The bytes of a file.
pub fn read(app: &App, hash: &str) -> Result<Vec<u8>, AppError> {
    let path = path(app, hash)?;
    std::fs::read(&path).map_err(failed("read", &path))
}

/// Removes a file; none is no error.
pub fn delete(app: &App, hash: &str) -> Result<(), AppError> {
    remove(&path(app, hash)?)
}

/// Removes the file at a path; none is no error.
pub(crate) fn remove(path: &Path) -> Result<(), AppError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(failed("remove", path)(error)),
        _ => Ok(()),
    }
}

/// The digests of all files that were written before `before`.
pub fn list_before(app: &App, before: SystemTime) -> Result<Vec<String>, AppError> {
    let root = app.folder("blobs")?;
    let entries = |folder: &Path| -> std::io::Result<Vec<std::fs::DirEntry>> { std::fs::read_dir(folder)?.collect() };
    let mut list = Vec::new();
    for folder in entries(&root).map_err(failed("list", &root))? {
        let folder = folder.path();
        for file in entries(&folder).map_err(failed("list", &folder))? {
            let old = file.metadata().and_then(|m| m.modified()).is_ok_and(|at| at < before);
            if old && let Some(name) = file.file_name().to_str() {
                list.push(name.to_owned());
            }
        }
    }
    list.sort_unstable();
    Ok(list)
}
