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

/// Finds claims that say what was said, and counts the sighting of those that do. Nothing about the asker or the text is stored; the matcher knows texts of late by a keyed hash.
pub async fn check(app: &App, said: &Said, limit: usize) -> Result<Checked, AppError> {
    with_rows(app, hear::hear(app, said).await?, limit).await
}

/// Public claims that say, or may say, what `text` says, the surest first: for whoever is about to write one. Counts nothing.
pub async fn like(app: &App, text: &str, limit: usize) -> Result<Vec<Row>, AppError> {
    let checked = with_rows(app, hear::compare(app, text).await?, limit).await?;
    Ok(checked.matches.into_iter().map(|found| found.row).collect())
}

/// Share of a short question that a claim must hold, by the words of the index, to be offered where the matcher says nothing.
const OFFERED: f32 = 0.3;
/// Longest question, in user characters, that is helped so: a few words name a subject and make no claim.
const SHORT: usize = 30;

/// Claims about the subject that a few words name: "隔夜菜" is no claim, and whoever types it wants those there are.
fn about(app: &App, text: &str, limit: usize) -> Result<Vec<hear::Match>, AppError> {
    let Some(index) = app.index.as_ref().filter(|_| kepu_text::count(text) <= SHORT) else { return Ok(vec![]) };
    let mut list = Vec::new();
    for hit in index.similar(text, &["claim".to_owned()], OFFERED, limit)? {
        let claim = SubjectId(hit.id);
        if let Some(wording) = app.claims.first_wording(&claim) {
            list.push(hear::offered(text, claim, wording, f64::from(hit.score) / 2.0));
        }
    }
    Ok(list)
}

async fn with_rows(app: &App, mut heard: Heard, limit: usize) -> Result<Checked, AppError> {
    if heard.matches.is_empty() {
        heard.matches = about(app, &heard.text, limit.min(3))?;
    }
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
