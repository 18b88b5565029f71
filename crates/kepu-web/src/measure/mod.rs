//! Pages of figures, of talent data, of the ledger of contributions, of what it scores and certifies.

pub mod certificate;
pub mod contribution;
pub mod figure;
pub mod scoring;
pub mod talent;

use crate::form::Fields;
use crate::page::Shell;
use jiff::civil::{Date, date};
use kepu_domain::measure::contribution::kind;

/// A kind of contribution in the page's language; its id if it is unknown.
fn kind_word<'a>(s: &Shell, id: &'a str) -> &'a str {
    kind(id).map_or(id, |kind| if s.is_en() { &kind.en } else { &kind.zh })
}

/// The unit in which a kind is counted.
fn unit<'a>(s: &Shell, id: &'a str) -> &'a str {
    kind(id).map_or("", |kind| if s.is_en() { &kind.unit_en } else { &kind.unit_zh })
}

/// Minutes as hours with at most two decimals.
fn hours(minutes: i64) -> String {
    let text = format!("{}.{:02}", minutes / 60, minutes % 60 * 100 / 60);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Hundredths of points.
fn points(hundredths: i64) -> String {
    let text = format!("{}.{:02}", hundredths / 100, hundredths % 100);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The period of the query; the present year where it names none.
fn period(query: &Fields, today: Date) -> (Date, Date) {
    let day = |name: &str| query.opt(name).and_then(|text| text.parse::<Date>().ok());
    (day("from").unwrap_or_else(|| date(today.year(), 1, 1)), day("to").unwrap_or(today))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_and_points_say_no_more_than_they_are() {
        assert_eq!([0, 30, 45, 90, 6_000].map(hours), ["0", "0.5", "0.75", "1.5", "100"]);
        assert_eq!([0, 50, 120, 1_000].map(points), ["0", "0.5", "1.2", "10"]);
    }

    #[test]
    fn without_a_period_it_is_this_year() {
        let today = date(2026, 11, 25);
        assert_eq!(period(&Fields::default(), today), (date(2026, 1, 1), today));
        let asked = Fields::parse(b"from=2025-03-01&to=nonsense").expect("query");
        assert_eq!(period(&asked, today), (date(2025, 3, 1), today));
    }
}
