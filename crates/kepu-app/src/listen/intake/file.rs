//! Files of signals: rows that `create::import` has read become signals, each batch with its counts in one transaction, so that a file that was cut off goes
//! on where it stopped and nothing enters twice.

use super::{Fresh, make_room, put, room};
use crate::App;
use crate::account::log;
use crate::create::import::Reason;
use crate::create::import::{Lines, line_of};
use crate::error::AppError;
use jiff::Timestamp;
use kepu_domain::access::Actor;
use kepu_domain::create::import::{Import, Plan, Row};
use kepu_domain::listen::inlet::FILES;
use kepu_domain::listen::sighting::Channel;
use kepu_domain::listen::signal::State;
use kepu_store::create::import::{self as store, LineKind};

/// Rows of one transaction.
pub(crate) const BATCH: usize = 500;

/// One row as a signal, or why it is refused.
pub(crate) fn read(plan: &Plan, row: &Row, now: Timestamp) -> Result<Fresh, Reason> {
    let text = plan.value(row, "text").ok_or_else(|| Reason::new("error-import_missing").of("text"))?;
    if super::clean(text).is_empty() {
        return Err(Reason::new("error-import_missing").of("text"));
    }
    let region = match plan.value(row, "region") {
        Some(code) => {
            crate::org::region_named(code).ok_or_else(|| Reason::new("error-import_region").of("region").with("code", kepu_text::truncate(code, 40)))?
        }
        None => kepu_domain::org::Region::NATION,
    };
    let at = match plan.cell(row, "time") {
        Some(text) => super::list::moment(text).ok_or_else(|| Reason::new("error-import_date").of("time").with("text", kepu_text::truncate(text, 40)))?,
        None => now,
    };
    let weight = match plan.cell(row, "weight") {
        Some(text) => text
            .parse()
            .ok()
            .filter(|w: &f64| w.is_finite() && *w > 0.0)
            .ok_or_else(|| Reason::new("error-import_weight").of("weight").with("text", kepu_text::truncate(text, 40)))?,
        None => 1.0,
    };
    Ok(Fresh { text: text.to_owned(), at, region, weight, state: State::Waiting })
}

/// A text file with one message a line as JSON lines; empty lines keep their place, so that line numbers are those of the file.
pub fn lines_of_text(bytes: &[u8]) -> Result<Vec<u8>, AppError> {
    let decoded = kepu_text::decode(bytes).map_err(|_| AppError::Invalid(vec![crate::FieldError::new("file", "file_no_text").with("looks", "")]))?;
    let mut out = String::with_capacity(decoded.text.len() + 16);
    for line in decoded.text.lines() {
        if !line.trim().is_empty() {
            out.push_str(&serde_json::json!({"text": line.trim()}).to_string());
        }
        out.push('\n');
    }
    Ok(out.into_bytes())
}

/// Puts one batch into the queue, waiting for room if there is none.
pub(crate) async fn enter(app: &App, who: &Actor, import: Import, rows: Lines<Fresh>) -> Result<Import, AppError> {
    let (mut counts, mut lines, mut fresh) = (import.counts, Vec::new(), Vec::with_capacity(rows.len()));
    for (line, row) in rows {
        counts.done += 1;
        match row {
            Ok(one) => fresh.push(one),
            Err(reason) => {
                counts.refused += 1;
                lines.push(line_of(line, LineKind::Refused, &reason));
            }
        }
    }
    let wanted = i64::try_from(fresh.len()).unwrap_or(i64::MAX);
    counts.published += wanted;
    let mut tx = loop {
        make_room(app, wanted).await?;
        let mut tx = app.db.write().await?;
        // Somebody else may have been quicker.
        if room(app, &mut tx).await? >= wanted {
            break tx;
        }
    };
    put(app, &mut tx, &FILES.into(), Channel::File, fresh).await?;
    store::add_lines(&mut tx, &import.id, &lines).await?;
    let import = store::update(&mut tx, Import { counts, ..import }).await?;
    let object = format!("{} {}/{}", import.id, counts.done, counts.rows);
    log(app, &mut tx, &who.log_name(), "import.batch", &object, "ok").await?;
    tx.commit().await?;
    app.notify();
    Ok(import)
}
