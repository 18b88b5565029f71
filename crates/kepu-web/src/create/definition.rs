//! The definitions in force as their operator sees them: which files are built in, which come from this node, and what is wrong
//! with a file, by line. Definitions are files of the data folder; nothing here changes one.

use crate::Web;
use crate::page::{Answer, Req, Shell, page};
use askama::Template;
use axum::extract::State;
use kepu_app::definitions::{Source, sources};

struct Line {
    name: String,
    own: bool,
}

#[derive(Template)]
#[template(path = "create/definitions.html")]
struct DefinitionsPage {
    s: Shell,
    folder: String,
    /// File, line, cause.
    mistakes: Vec<(String, usize, String)>,
    files: Vec<Line>,
    registers: usize,
    rounds: usize,
    criteria: usize,
    schemes: usize,
}

/// GET /definitions
pub async fn list(State(web): State<Web>, req: Req) -> Answer {
    let definitions = web.app.definitions();
    let files = sources(&web.app).into_iter().map(|(name, source)| Line { name, own: source == Source::Node }).collect();
    Ok(page(&DefinitionsPage {
        // The folder's place on the machine is for the operator's command line, not for a page.
        folder: "definitions/".into(),
        mistakes: definitions.mistakes.iter().map(|m| (m.file.clone(), m.line, m.cause.clone())).collect(),
        files,
        registers: definitions.registers.registers.len(),
        rounds: definitions.rounds.len(),
        criteria: definitions.criteria.len(),
        schemes: definitions.schemes.len(),
        s: req.titled(req.shell.t("definitions-title")),
    }))
}
