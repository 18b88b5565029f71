//! `kepu alert`: judging warnings as files without any node or network, and taking them in.

use crate::{Data, input};
use anyhow::Context;
use kepu_app::deliver::warning::source::text;
use kepu_app::deliver::warning::take::{self, Taken};
use kepu_domain::deliver::alert::{Divisions, Judged, judge};
use serde::Serialize;
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
    /// Take official warnings into a node, as a source would send them: passed on if an issuer is known to one of its sources, else held for a duty officer.
    Take {
        #[command(flatten)]
        data: Data,
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
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Alert::Check { divisions, time, files } => check(divisions, time, &files),
            Alert::Take { data, files } => take_in(&data, &files).await,
        }
    }
}

/// Takes files in, one after the other; says what became of each.
async fn take_in(data: &Data, files: &[PathBuf]) -> anyhow::Result<ExitCode> {
    let app = data.open(false).await?;
    let mut refused = false;
    for path in files {
        let name = path.display().to_string();
        let line = match take::take(&app, "operator", None, &input::read(path)?).await? {
            Taken::Passed(id) => serde_json::json!({"file": name, "taken": "passed", "subject": id}),
            Taken::Held(hash) => serde_json::json!({"file": name, "taken": "held", "message": hash}),
            Taken::Exercise(hash) => serde_json::json!({"file": name, "taken": "exercise", "message": hash}),
            Taken::Nothing(why) => serde_json::json!({"file": name, "taken": "nothing", "why": why}),
            Taken::Duplicate => serde_json::json!({"file": name, "taken": "duplicate"}),
            Taken::Invalid(errors) => {
                refused = true;
                serde_json::json!({"file": name, "taken": "invalid", "errors": errors})
            }
        };
        println!("{line}");
    }
    Ok(if refused { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

/// Judges files.
fn check(divisions: Option<PathBuf>, time: bool, files: &[PathBuf]) -> anyhow::Result<ExitCode> {
    {
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
        for path in files {
            let name = path.display().to_string();
            let bytes = input::read(path)?;
            let judged = judge(&text(&bytes).filter(|_| bytes.len() <= BYTES_MAX).unwrap_or_default(), &divisions);
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
