//! Coverage: per field of knowledge what there is, what is old, what readers have nothing of, what nobody put up (R60, R40). Which texts
//! count is asked in `kepu-store::subject`; the page is `/coverage`.

use crate::org::Region;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use std::collections::BTreeMap;

/// A text is old after this many years, unless it names its own day to be looked at again.
pub const OLD_YEARS: i32 = 3;
/// A text that was public for this many days may be called unused; a newer one has not had its month yet.
pub const UNUSED_DAYS: i64 = 90;
/// Receipts are looked at this many months back.
pub const USED_MONTHS: i32 = 12;

/// A public text as coverage sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Piece {
    /// Whether it is a claim; else a resource.
    pub claim: bool,
    /// Fields.
    pub fields: Vec<String>,
    /// Audiences.
    pub audience: Vec<String>,
    /// Where it is meant for.
    pub region: Region,
    /// Its own date, if it is one.
    pub date: Option<Date>,
    /// When it is to be looked at again.
    pub expires: Option<Date>,
    /// When its latest version was signed.
    pub modified: Timestamp,
    /// Receipts of those who put it up in the last months.
    pub used: i64,
}

impl Piece {
    /// Whether it must be looked at again: its own day has passed, or it names none and is old.
    pub fn is_old(&self, today: Date) -> bool {
        match (self.expires, self.date) {
            (Some(day), _) => day <= today,
            (None, Some(date)) => date.checked_add(OLD_YEARS.years()).is_ok_and(|end| end <= today),
            (None, None) => true,
        }
    }
    /// Whether it could have been put up and nobody did. Claims are answered, not put up.
    pub fn is_unused(&self, now: Timestamp) -> bool {
        !self.claim && self.used == 0 && now.duration_since(self.modified).as_hours() >= UNUSED_DAYS * 24
    }
}

/// What there is of one field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// Resources.
    pub resources: usize,
    /// Judged claims.
    pub claims: usize,
    /// Of both, those to be looked at again.
    pub old: usize,
    /// Resources that nobody put up.
    pub unused: usize,
    /// Receipts.
    pub used: i64,
    /// The latest date of content.
    pub newest: Option<Date>,
    /// Audiences that have nothing of it, in the order of the vocabulary.
    pub missing: Vec<String>,
}

/// Counts `pieces` by field. `fields` and `audiences` are all there are: what nobody wrote about is a row too.
pub fn count<'a>(pieces: impl Iterator<Item = &'a Piece>, fields: &[&str], audiences: &[&str], today: Date, now: Timestamp) -> BTreeMap<String, Row> {
    let mut rows: BTreeMap<String, Row> =
        fields.iter().map(|field| ((*field).to_owned(), Row { missing: audiences.iter().map(|a| (*a).to_owned()).collect(), ..Row::default() })).collect();
    for piece in pieces {
        for field in &piece.fields {
            let Some(row) = rows.get_mut(field) else { continue };
            *(if piece.claim { &mut row.claims } else { &mut row.resources }) += 1;
            row.old += usize::from(piece.is_old(today));
            row.unused += usize::from(piece.is_unused(now));
            row.used += piece.used;
            row.newest = row.newest.max(piece.date);
            row.missing.retain(|audience| !piece.audience.contains(audience));
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn piece(fields: &[&str], audience: &[&str]) -> Piece {
        let list = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect();
        Piece {
            claim: false,
            fields: list(fields),
            audience: list(audience),
            region: Region::NATION,
            date: Some(date(2024, 5, 1)),
            expires: None,
            modified: "2024-05-01T00:00:00Z".parse().expect("time"),
            used: 0,
        }
    }

    #[test]
    fn old_missing_and_unused_are_counted_by_field() {
        let (today, now) = (date(2026, 11, 26), "2026-11-26T00:00:00Z".parse().expect("time"));
        let pieces = [
            piece(&["health"], &["elderly"]),
            Piece { used: 3, expires: Some(date(2026, 1, 1)), ..piece(&["health", "food"], &["public"]) },
            Piece { claim: true, date: Some(date(2020, 1, 1)), ..piece(&["food"], &["public"]) },
            piece(&["nonsense"], &["public"]),
        ];
        let rows = count(pieces.iter(), &["health", "food", "physics"], &["public", "elderly"], today, now);
        let row = |field: &str| rows[field].clone();
        assert_eq!((row("health").resources, row("health").old, row("health").unused, row("health").used), (2, 1, 1, 3));
        assert_eq!(row("health").missing, Vec::<String>::new());
        assert_eq!((row("food").resources, row("food").claims, row("food").old, row("food").unused), (1, 1, 2, 0));
        assert_eq!((row("food").newest, row("food").missing), (Some(date(2024, 5, 1)), vec!["elderly".to_owned()]));
        assert_eq!(row("physics"), Row { missing: vec!["public".into(), "elderly".into()], ..Row::default() });
        assert_eq!(rows.len(), 3, "what no vocabulary names is no row");
    }

    #[test]
    fn a_new_text_is_not_unused_yet_and_its_own_day_counts_before_its_age() {
        let now = "2024-06-01T00:00:00Z".parse().expect("time");
        assert!(!piece(&["health"], &[]).is_unused(now));
        let old = Piece { date: Some(date(2010, 1, 1)), ..piece(&[], &[]) };
        assert!(old.is_old(date(2024, 6, 1)));
        assert!(!Piece { expires: Some(date(2025, 1, 1)), ..old }.is_old(date(2024, 6, 1)));
    }
}
