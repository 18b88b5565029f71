//! `kepu alert check`: judging warnings as files, without any node or network.

use crate::input;
use anyhow::Context;
use kepu_domain::deliver::alert::{Divisions, Judged, judge};
use serde::Serialize;
use std::borrow::Cow;
use std::path::PathBuf;
use std::process::ExitCode;

/// Most bytes of a warning.
const BYTES_MAX: usize = 8 * 1024 * 1024;

/// `kepu alert …`
#[derive(clap::Subcommand)]
pub enum Alert {
    /// Read official warnings (CAP 1.2), say whether they are valid, what is to be done, and which counties they are for.
    Check {
        /// The list of divisions instead of the one built in: CSV with adcode, level, parent, lng, lat.
        #[arg(long)]
        divisions: Option<PathBuf>,
        /// Print time and memory as JSON on standard error.
        #[arg(long)]
        time: bool,
        /// Warnings.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
}

#[derive(Serialize)]
struct Line<'a> {
    file: &'a str,
    #[serde(flatten)]
    judged: Judged,
}

impl Alert {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let Alert::Check { divisions, time, files } = self;
        let start = std::time::Instant::now();
        let divisions = match divisions {
            Some(path) => {
                let text = String::from_utf8(input::read(&path)?).with_context(|| format!("{} is not UTF-8", path.display()))?;
                Divisions::read(&text).with_context(|| format!("{} cannot be read", path.display()))?
            }
            None => kepu_app::org::places()?.clone(),
        };
        let loaded = start.elapsed();
        let mut refused = false;
        for path in &files {
            let name = path.display().to_string();
            let bytes = input::read(path)?;
            let judged = judge(&text(&bytes).unwrap_or_default(), &divisions);
            if !judged.valid {
                refused = true;
                let why: Vec<String> = judged.errors.iter().map(|note| format!("{}: {}", note.rule, note.text)).collect();
                eprintln!("{name}: not valid: {}", why.join("; "));
            }
            println!("{}", serde_json::to_string(&Line { file: &name, judged })?);
        }
        if time {
            let (load, all) = (loaded.as_secs_f64(), start.elapsed().as_secs_f64());
            eprintln!("{}", serde_json::json!({"load_s": load, "run_s": all - load, "wall_s": all, "rows": files.len()}));
        }
        Ok(if refused { ExitCode::from(1) } else { ExitCode::SUCCESS })
    }
}

/// The text of a document: UTF-8, what its declaration says, or what it can only be.
fn text(bytes: &[u8]) -> Option<Cow<'_, str>> {
    if bytes.len() > BYTES_MAX {
        return None;
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Some(Cow::Borrowed(text));
    }
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).to_ascii_lowercase();
    if ["iso-8859-1", "latin1", "us-ascii", "windows-1252"]
        .iter()
        .any(|name| head.contains(&format!("encoding=\"{name}\"")) || head.contains(&format!("encoding='{name}'")))
    {
        return Some(bytes.iter().map(|byte| char::from(*byte)).collect());
    }
    kepu_text::decode(bytes).ok().map(|decoded| Cow::Owned(decoded.text))
}
