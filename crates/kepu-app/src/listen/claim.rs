//! "Is this true?": which judged claims say what somebody heard. A simple lexical match; a better engine replaces
//! `kepu_search::Index::similar` without touching this file.

use crate::App;
use crate::error::AppError;
use kepu_store::subject;

/// A judged claim close to what was asked.
#[derive(Clone, Debug)]
pub struct Match {
    /// Its public row.
    pub row: subject::Row,
    /// Closeness, 0 to 1.
    pub score: f64,
}

/// Answer to "is this true?".
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// What was asked, cleaned.
    pub query: String,
    /// Whether the first match says the same, as far as a lexical match can tell.
    pub answered: bool,
    /// Close claims, the closest first.
    pub matches: Vec<Match>,
}

/// From here on the first match is shown as the answer; below it, as "perhaps you mean".
const SAME: f64 = 0.5;
/// Below this nothing is shown.
const CLOSE: f64 = 0.2;

/// Finds claims that say what `text` says. Nothing about the asker or the text is kept.
pub async fn check(app: &App, text: &str, limit: usize) -> Result<Checked, AppError> {
    let query = kepu_text::truncate(&kepu_text::clean_text(text), 1_000).to_string();
    let matches: Vec<Match> = crate::index::near(app, &query, "claim", CLOSE, limit).await?.into_iter().map(|(row, score)| Match { row, score }).collect();
    let answered = matches.first().is_some_and(|m| m.score >= SAME);
    Ok(Checked { query, answered, matches })
}
