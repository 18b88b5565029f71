//! `kepu verify`: checking files without any node or network.

use crate::{Data, input};
use anyhow::Context;
use kepu_app::files::{Pin, Verifier};
use std::path::PathBuf;
use std::process::ExitCode;

/// `kepu verify`
#[derive(clap::Args)]
pub struct Verify {
    /// Pinned root, as key or 24 digits: with it certificates must lead from it to every author.
    #[arg(long)]
    root: Option<String>,
    /// A file with certificates, revocations or withdrawals, such as a bundle, that counts for all others; may be given several times.
    #[arg(long = "with")]
    beside: Vec<PathBuf>,
    /// Folder of a node: what it holds about keys and withdrawals counts for all files. Nothing is asked over a network.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Tables of that node elsewhere.
    #[arg(long, env = "KEPU_DATABASE")]
    database: Option<String>,
    /// Records, certificates, bundles.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

impl Verify {
    /// Runs the command.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        let pin = |text: String| Pin::parse(&text).with_context(|| format!("\"{text}\" is no root: neither did:key:… nor 24 digits"));
        let mut verifier = Verifier::new(self.root.map(pin).transpose()?);
        if let Some(folder) = self.data {
            let app = Data { data: folder, database: self.database }.open(false).await?;
            let mut tx = app.db.read().await?;
            kepu_app::chain::each_support(&mut tx, |record| verifier.learn_record(&record)).await?;
        }
        for path in &self.beside {
            verifier.learn(input::open(path)?).map_err(|why| anyhow::anyhow!("{}: {why}", path.display()))?;
        }
        let mut all = true;
        for path in &self.files {
            let verified = verifier.verify(&path.display().to_string(), input::open(path)?);
            all &= verified.ok;
            println!("{}", serde_json::to_string(&verified)?);
        }
        Ok(if all { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }
}
