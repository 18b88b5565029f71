//! Reading what commands are given. Files: `-` is standard input, `.gz` and `.zst` are unpacked, with a limit on what they unpack to.

use anyhow::{Context, bail};
use kepu_domain::org::Region;
use std::io::Read;
use std::path::Path;

/// Most bytes a command reads from one file after unpacking.
const BYTES_MAX: u64 = 2 << 30;

/// A file as a stream, unpacked. Whoever reads it to the end in one piece uses [`read`], which has a limit.
pub fn open(path: &Path) -> anyhow::Result<Box<dyn Read>> {
    let name = path.display();
    let raw: Box<dyn Read> = if path.as_os_str() == "-" {
        Box::new(std::io::stdin().lock())
    } else {
        Box::new(std::fs::File::open(path).with_context(|| format!("cannot open {name}"))?)
    };
    let unpacked: Box<dyn Read> = match path.extension().and_then(|e| e.to_str()) {
        Some("gz") => Box::new(flate2::read::GzDecoder::new(raw)),
        Some("zst") => Box::new(zstd::stream::read::Decoder::new(raw).with_context(|| format!("cannot unpack {name}"))?),
        _ => raw,
    };
    Ok(Box::new(std::io::BufReader::new(unpacked)))
}

/// The whole content of a file.
pub fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let name = path.display();
    let mut bytes = Vec::new();
    open(path)?.take(BYTES_MAX + 1).read_to_end(&mut bytes).with_context(|| format!("cannot read {name}"))?;
    if bytes.len() as u64 > BYTES_MAX {
        bail!("{name} unpacks to more than {BYTES_MAX} bytes");
    }
    Ok(bytes)
}

/// A place by its code or name.
pub fn place(text: &str) -> anyhow::Result<Region> {
    kepu_app::org::region_named(text)
        .with_context(|| format!("\"{text}\" is no division; write its six-digit code (GB/T 2260) or its name, 000000 for the nation"))
}
