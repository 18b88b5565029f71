//! `kepu bundle …`: an exchange on a stick.

use crate::commands::operator;
use crate::node::bytes;
use crate::{Data, input};
use anyhow::Context;
use kepu_app::bundle::{self, Ask, Make};
use kepu_app::{subscription, sync};
use kepu_domain::deliver::scope::Scope;
use serde_json::json;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// `kepu bundle …`
#[derive(clap::Subcommand)]
pub enum Bundle {
    /// Pack what this node holds, or what an ask file lacks of it.
    Make {
        #[command(flatten)]
        data: Data,
        /// The file to write, such as stick.kepu; must not exist.
        out: PathBuf,
        /// Ask file of the node that the bundle is for: only what it lacks is packed.
        #[arg(long, visible_alias = "since")]
        ask: Option<PathBuf>,
        /// Division code: only what is meant for it, for places above it and below it. Default: the asking node's scope, or everything.
        #[arg(long)]
        scope: Option<String>,
        /// Leave files (pictures, sound, films) out.
        #[arg(long)]
        no_files: bool,
        /// Size at which further files are left for another bundle. Sticks take 4 GiB in one file.
        #[arg(long, default_value = "4095MiB")]
        max: String,
    },
    /// Say what is in a bundle, and whether it is whole.
    Show {
        /// The bundle.
        file: PathBuf,
    },
    /// Take a bundle in. Twice does no harm; of a damaged one everything genuine is taken.
    Apply {
        #[command(flatten)]
        data: Data,
        /// The bundle.
        file: PathBuf,
    },
    /// Write down what this node holds, so that another one packs only what is new.
    Ask {
        #[command(flatten)]
        data: Data,
        /// The file to write, such as county.ask.
        out: PathBuf,
    },
}

impl Bundle {
    /// Runs the command.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Bundle::Make { data, out, ask, scope, no_files, max } => make(&data, &out, ask, scope, !no_files, &max).await,
            Bundle::Show { file } => {
                let shown = bundle::show(input::open(&file)?)?;
                println!("{}", serde_json::to_string(&shown)?);
                Ok(if shown.complete { ExitCode::SUCCESS } else { ExitCode::from(1) })
            }
            Bundle::Apply { data, file } => {
                let app = data.open(false).await?;
                let input = input::open(&file)?;
                let applied = bundle::apply(&app, &operator(), input, |at| eprint!("\r{} records, {} files", at.records + at.duplicates, at.files)).await?;
                eprintln!();
                for line in &applied.refused {
                    eprintln!("not taken: {line}");
                }
                println!("{}", serde_json::to_string(&applied)?);
                Ok(if applied.complete && applied.refused.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
            }
            Bundle::Ask { data, out } => {
                let app = data.open(false).await?;
                let ask = bundle::ask(&app).await?;
                std::fs::write(&out, serde_json::to_vec(&ask)?).with_context(|| format!("cannot write {}", out.display()))?;
                println!("{}", json!({"file": out, "bytes": std::fs::metadata(&out)?.len(), "scope": sync::scope_text(&subscription::current(&app).await?)}));
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}

async fn make(data: &Data, out: &Path, ask: Option<PathBuf>, scope: Option<String>, files: bool, max: &str) -> anyhow::Result<ExitCode> {
    let app = data.open(false).await?;
    let ask = match ask {
        Some(path) => Some(Ask::read(&input::read(&path)?).with_context(|| format!("{} is no ask file; `kepu bundle ask` writes one", path.display()))?),
        None => None,
    };
    let scope = match scope {
        Some(code) => Some(Scope { region: input::place(&code)?, ..Scope::all() }),
        None => None,
    };
    let bytes_max = u64::try_from(bytes(max)?)?.min(kepu_sync::bundle::BYTES_MAX);
    let part = out.with_extension("part");
    anyhow::ensure!(!out.exists(), "{} is there already; choose another name", out.display());
    let file = BufWriter::new(File::create(&part).with_context(|| format!("cannot write {}", part.display()))?);
    let packed = bundle::make(&app, Make { scope, ask, files, bytes_max }, file, |count| eprint!("\r{count} records")).await;
    eprintln!();
    let (made, mut file) = packed.inspect_err(|_| drop(std::fs::remove_file(&part)))?;
    file.flush()?;
    file.get_ref().sync_all()?;
    std::fs::rename(&part, out)?;
    if made.files_left > 0 {
        eprintln!("{} files did not fit; take the bundle there, bring its next ask file back, and they go into the next one", made.files_left);
    }
    println!("{}", serde_json::to_string(&made)?);
    Ok(ExitCode::SUCCESS)
}
