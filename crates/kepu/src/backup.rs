//! `kepu backup` and `kepu restore`: a whole node in one file.

use crate::Data;
use anyhow::Context;
use kepu_app::backup::{self, RestoredKey};
use std::path::PathBuf;
use std::process::ExitCode;

/// `kepu backup`
#[derive(clap::Args)]
pub struct Backup {
    #[command(flatten)]
    data: Data,
    /// The file to write; must not exist. It holds accounts and drafts: keep it as safe as the node itself.
    out: PathBuf,
    /// Put the node's key into it too. Whoever has the file can then sign as this node; better keep the key apart, on paper or a stick.
    #[arg(long)]
    with_key: bool,
}

impl Backup {
    /// Runs the command.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        let app = self.data.open(false).await?;
        let saved = backup::backup(&app, &self.out, self.with_key).await?;
        if !saved.key {
            eprintln!("the node's key is not in the backup; keep a copy of {} apart from it", kepu_app::keys::NodeKey::path(&app.data).display());
        }
        println!("{}", serde_json::to_string(&saved)?);
        Ok(ExitCode::SUCCESS)
    }
}

/// `kepu restore`
#[derive(clap::Args)]
pub struct Restore {
    /// The backup.
    input: PathBuf,
    /// Data folder: empty, or with the node's own node.key in it.
    #[arg(long, default_value = "kepu-data")]
    data: PathBuf,
}

impl Restore {
    /// Runs the command.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        let restored = backup::restore(&self.input, &self.data).await.with_context(|| format!("cannot restore {}", self.input.display()))?;
        match restored.key {
            RestoredKey::New => {
                eprintln!("the key was not there, so the node has a new one: it needs a new invitation (kepu node join); its old records stay as they are")
            }
            RestoredKey::Same if restored.waits_for.is_empty() => {
                eprintln!(
                    "nobody is known whom to ask which numbers this node has used since; when you are sure that nothing was published after the backup: kepu node resume"
                );
            }
            RestoredKey::Same => eprintln!("before it publishes again it must hear from: {}", restored.waits_for.join(", ")),
        }
        println!("{}", serde_json::to_string(&restored)?);
        Ok(ExitCode::SUCCESS)
    }
}
