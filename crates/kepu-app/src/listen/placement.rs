//! Remembers where answers stand outside their pages: a site with the card, a screen, a service that said it. Once a day and version for each place.

use crate::App;
use crate::error::AppError;
use kepu_domain::ids::SubjectId;
use kepu_domain::listen::placement::{PLACES_MAX, PlaceKind, Placement};
use kepu_domain::record::DocHash;
use kepu_store::listen::placement as store;
use kepu_store::subject::Row;
use std::collections::HashSet;
use std::sync::Mutex;

/// What was noted today: a card is shown thousands of times, its place is written once.
#[derive(Default)]
pub struct Noted(Mutex<(Option<jiff::civil::Date>, HashSet<Shown>)>);

/// What was shown where, in which version.
type Shown = (SubjectId, PlaceKind, String, DocHash);

impl Noted {
    fn first_today(&self, today: jiff::civil::Date, key: (SubjectId, PlaceKind, String, DocHash)) -> bool {
        let Ok(mut noted) = self.0.lock() else { return false };
        if noted.0 != Some(today) {
            *noted = (Some(today), HashSet::new());
        }
        noted.1.len() < 100_000 && noted.1.insert(key)
    }
}

/// Notes that `place` shows the public version of a claim. Places beyond [`PLACES_MAX`] are not remembered.
///
/// May: anybody who shows it. Writes: placement, without the day's hour and without whoever looks.
pub async fn note(app: &App, row: &Row, kind: PlaceKind, place: &str) -> Result<(), AppError> {
    let Some(doc) = row.doc_hash.filter(|_| row.kind == "claim") else { return Ok(()) };
    let place = kepu_text::truncate(&kepu_text::clean_line(place), 60).to_owned();
    let (place, _) = kepu_domain::listen::question::mask_personal(&place);
    let today = app.today();
    if place.is_empty() || !app.placed.first_today(today, (row.id.clone(), kind, place.clone(), doc)) {
        return Ok(());
    }
    let at = jiff::tz::Offset::constant(8).to_timestamp(today.at(0, 0, 0, 0)).unwrap_or_else(|_| app.now());
    let mut tx = app.db.write().await?;
    if store::count(&mut tx, &row.id).await? < PLACES_MAX {
        store::put(&mut tx, &Placement { claim: row.id.clone(), kind, place, doc, at }).await?;
    }
    tx.commit().await?;
    Ok(())
}
