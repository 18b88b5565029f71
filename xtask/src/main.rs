//! Project chores. `cargo run -p xtask -- check` compares the repository with the rules that no compiler knows.
//! What installs tools and runs the tests is the `kepu` script beside it; what a rule means is in its own module here.

mod arrows;
mod data;
mod folders;
mod licences;
mod messages;
mod openings;
mod report;
mod routes;
mod scan;
mod workspace;

use anyhow::{Result, bail};
use report::Report;
use std::process::ExitCode;
use workspace::Workspace;

fn main() -> Result<ExitCode> {
    match std::env::args().nth(1).as_deref() {
        Some("check") => check(),
        _ => bail!("usage: cargo run -p xtask -- check"),
    }
}

fn check() -> Result<ExitCode> {
    let workspace = Workspace::load()?;
    let mut report = Report::default();
    arrows::check(&workspace, &mut report);
    openings::check(&workspace, &mut report)?;
    folders::check(&workspace, &mut report)?;
    routes::check(&workspace, &mut report)?;
    messages::check(&workspace, &mut report)?;
    licences::check(&workspace, &mut report)?;
    data::check(&workspace, &mut report)?;
    print!("{report}");
    Ok(if report.failures() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
