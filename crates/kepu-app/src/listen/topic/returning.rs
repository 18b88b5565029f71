//! Known rumours that are to be expected soon: by the calendar, by the months in which they were heard, by official warnings in force: those that are passed on, and
//! files of the folder `warnings` of the node, judged as `kepu alert check` judges them.

use crate::App;
use crate::deliver::warning;
use crate::error::AppError;
use jiff::Timestamp;
use kepu_domain::deliver::alert::{self, Action as Deal};
use kepu_domain::deliver::warning::Stands;
use kepu_domain::listen::claim::Verdict;
use kepu_domain::listen::returns::{Because, Known};
use kepu_domain::org::Region;
use kepu_store::Tx;
use kepu_store::listen::sighting;
use kepu_store::subject::{self, Filter, Order, Row, Standing};

/// Claims that are looked through.
const CLAIMS_MAX: u32 = 5_000;
/// Warnings that are looked through, and the largest.
const WARNINGS_MAX: usize = 500;
const WARNING_BYTES_MAX: u64 = 256 * 1024;

/// A known claim that is expected soon.
#[derive(Clone, Debug)]
pub struct Returning {
    /// Its public row.
    pub row: Row,
    /// Why.
    pub because: Vec<Because>,
}

/// Claims that are expected around now, those with most reasons first, at most `limit`. What was found true is no rumour.
pub(super) async fn expected(app: &App, tx: &mut Tx, region: Region, limit: usize) -> Result<Vec<Returning>, AppError> {
    let definitions = app.definitions();
    let mut hazards = in_force(app, region)?;
    let passed_on = warning::here_in(app, tx, region).await?;
    hazards.extend(passed_on.iter().filter(|one| one.stands == Stands::InForce).map(|one| one.open.warning.hazard.clone()));
    hazards.sort_unstable();
    hazards.dedup();
    let filter = Filter { kind: Some("claim".into()), standing: Some(Standing::Public), ..Filter::default() };
    let rows = subject::list(tx, &filter, Order::Newest, None, CLAIMS_MAX).await?;
    let mut list = Vec::new();
    for row in rows.into_iter().filter(|row| ![Verdict::True, Verdict::Checking].map(Verdict::as_str).contains(&row.verdict.as_str())) {
        let folded = kepu_text::fold(&format!("{} {}", row.title, row.summary));
        let hours = sighting::by_hour(tx, std::slice::from_ref(&row.id)).await?;
        let months = kepu_domain::listen::sighting::Heard::of(hours).months;
        let heard: Vec<(i16, i8)> = months.iter().map(|(month, _)| (month.year(), month.month())).collect();
        let because = definitions.returns.expected(&Known { folded: &folded, heard: &heard }, &hazards, app.today());
        if !because.is_empty() {
            list.push(Returning { row, because });
        }
    }
    // Warnings before months before occasions: what is happening weighs more than what usually happens.
    let rank = |one: &Returning| {
        let warns = one.because.iter().any(|b| matches!(b, Because::Warning(..)));
        let months = one.because.iter().any(|b| matches!(b, Because::Month(..)));
        (!warns, !months, std::cmp::Reverse(one.because.len()))
    };
    list.sort_by(|a, b| rank(a).cmp(&rank(b)).then_with(|| a.row.id.cmp(&b.row.id)));
    list.truncate(limit);
    Ok(list)
}

/// Hazards of the warnings that are in force for a place, each once. A file that is no valid warning is passed over: who put it there checks it with
/// `kepu alert check`.
fn in_force(app: &App, region: Region) -> Result<Vec<String>, AppError> {
    let Ok(entries) = std::fs::read_dir(app.data().join("warnings")) else { return Ok(vec![]) };
    let divisions = crate::org::places()?;
    let now = app.now();
    let mut hazards = Vec::new();
    for entry in entries.flatten().take(WARNINGS_MAX) {
        let small = entry.metadata().is_ok_and(|meta| meta.is_file() && meta.len() <= WARNING_BYTES_MAX);
        let Some(text) = std::fs::read_to_string(entry.path()).ok().filter(|_| small) else { continue };
        let judged = alert::judge(&text, divisions);
        let here = judged.targets.iter().any(|place| region.covers(*place) || place.covers(region));
        if judged.action == Deal::Deliver && here && ends(&text).is_some_and(|end| end > now) {
            hazards.extend(judged.hazards);
        }
    }
    hazards.sort_unstable();
    hazards.dedup();
    Ok(hazards)
}

/// When the last part of a warning ends; one without an end is not taken to be in force.
fn ends(text: &str) -> Option<Timestamp> {
    let (message, _) = alert::read(text);
    message?.infos.iter().filter_map(|info| info.expires.as_deref()?.trim().parse().ok()).max()
}
