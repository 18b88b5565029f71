//! `kepu verify`: checking files without any node or network.

use crate::input;
use kepu_app::files::Verifier;
use kepu_domain::ids::KeyId;
use std::path::PathBuf;
use std::process::ExitCode;

/// `kepu verify`
#[derive(clap::Args)]
pub struct Verify {
    /// Pinned root: with it certificates must lead from it to every author.
    #[arg(long)]
    root: Option<String>,
    /// File with certificates, such as a bundle, for records that do not bring their own; may be given several times.
    #[arg(long)]
    trust: Vec<PathBuf>,
    /// Records, certificates, bundles.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

impl Verify {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let mut verifier = Verifier::new(self.root.map(KeyId));
        for path in &self.trust {
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
