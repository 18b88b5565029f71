//! "Is this true?": which judged claims say what somebody heard, with their public rows. How they are found is in `hear`.

use crate::App;
use crate::error::AppError;
use crate::listen::hear::{self, Band, Heard, Said, Span};
use kepu_domain::ids::SubjectId;
use kepu_store::subject::{self, Row, Standing};
use std::collections::HashMap;

/// A judged claim that says, or may say, what was asked.
#[derive(Clone, Debug)]
pub struct Match {
    /// Its public row.
    pub row: Row,
    /// `Answer`, or `Ask`: somebody should say whether it is the one.
    pub band: Band,
    /// Chance that it says the same, 0 to 1.
    pub score: f64,
    /// Its wording that comes nearest.
    pub wording: String,
    /// Which stretches of [`Checked::query`] and of the wording say the same.
    pub because: Vec<Span>,
}

/// Answer to "is this true?".
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// What was compared: cleaned, cut, personal data masked.
    pub query: String,
    /// Whether the text was longer than what is looked at.
    pub cut: bool,
    /// What is to be done: answer, ask which, nothing known.
    pub band: Band,
    /// The claims, the surest first.
    pub matches: Vec<Match>,
}

impl Checked {
    /// Whether a claim says the same.
    pub fn answered(&self) -> bool {
        self.band == Band::Answer
    }
}

/// Finds claims that say what was said, and counts the sighting of those that do. Nothing about the asker or the text is kept.
pub async fn check(app: &App, said: &Said, limit: usize) -> Result<Checked, AppError> {
    with_rows(app, hear::hear(app, said).await?, limit).await
}

/// Public claims that say, or may say, what `text` says, the surest first: for whoever is about to write one. Counts nothing.
pub async fn like(app: &App, text: &str, limit: usize) -> Result<Vec<Row>, AppError> {
    let checked = with_rows(app, hear::compare(app, text).await?, limit).await?;
    Ok(checked.matches.into_iter().map(|found| found.row).collect())
}

async fn with_rows(app: &App, heard: Heard, limit: usize) -> Result<Checked, AppError> {
    let ids: Vec<SubjectId> = heard.matches.iter().take(limit).map(|found| found.claim.clone()).collect();
    let mut tx = app.db.read().await?;
    let mut rows: HashMap<SubjectId, Row> =
        subject::find_many(&mut tx, &ids).await?.into_iter().filter(|row| row.standing == Standing::Public).map(|row| (row.id.clone(), row)).collect();
    let matched = |found: hear::Match| {
        let row = rows.remove(&found.claim)?;
        Some(Match { row, band: found.band, score: found.probability, wording: found.wording, because: found.because })
    };
    let matches: Vec<Match> = heard.matches.into_iter().take(limit).filter_map(matched).collect();
    let band = matches.first().map_or(Band::Nothing, |found| found.band);
    Ok(Checked { query: heard.text, cut: heard.cut, band, matches })
}
