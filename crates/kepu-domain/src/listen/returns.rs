//! Rumours that return: which known claims are to be expected soon, and why. By the calendar (festivals, solar terms and seasons of a file,
//! `data/policy/returns.json`), by the months in which they were heard before, by official warnings in force. A forecast says "soon, because",
//! never "true" or "false".

use crate::definition::{File, Mistake};
use jiff::ToSpan;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A time of the year with what people say then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Occasion {
    /// Id.
    pub id: String,
    /// Chinese name.
    pub zh: String,
    /// English name.
    pub en: String,
    /// Days that are the same every year, `MM-DD`; solar terms move by a day at most.
    #[serde(default)]
    pub days: Vec<String>,
    /// Days of the lunar calendar, year by year, `YYYY-MM-DD`.
    #[serde(default)]
    pub dates: Vec<Date>,
    /// Days before, from which on it is expected.
    pub before: i64,
    /// Days after, until which it lasts.
    pub after: i64,
    /// Words in claims that belong to it.
    pub words: Vec<String>,
}

/// What returns when (`data/policy/returns.json`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Returns {
    /// Version of the file.
    pub version: u32,
    /// Where the dates come from.
    pub source: String,
    /// Times of the year.
    pub occasions: Vec<Occasion>,
    /// By hazard (`data/vocabularies/hazards.csv`): words in claims that come up while a warning of it is in force.
    pub hazards: BTreeMap<String, Vec<String>>,
}

/// The file built into the program.
pub const BUILT_IN: File<'static> = File { name: "returns.json", text: include_str!("../../../../data/policy/returns.json") };

impl Default for Returns {
    fn default() -> Self {
        Self::read(&BUILT_IN).expect("the built-in calendar is checked by a test")
    }
}

/// Why something is expected.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Because {
    /// A warning of this hazard is in force, and this word is in the claim.
    Warning(String, String),
    /// An occasion is near, by id, with the day it is, and this word is in the claim.
    Occasion(String, Date, String),
    /// It was heard in this month of so many earlier years.
    Month(i8, usize),
}

/// A known claim, as far as a forecast looks at it.
#[derive(Clone, Debug, Default)]
pub struct Known<'a> {
    /// Its words, simplified and in small letters.
    pub folded: &'a str,
    /// Year and month of each month in which it was heard.
    pub heard: &'a [(i16, i8)],
}

impl Returns {
    /// Reads and checks a file.
    pub fn read(file: &File<'_>) -> Result<Self, Mistake> {
        let returns: Self = file.read()?;
        for (n, occasion) in returns.occasions.iter().enumerate() {
            let at = ["occasions", &n.to_string()];
            if occasion.words.is_empty() || (occasion.days.is_empty() && occasion.dates.is_empty()) {
                return Err(file.mistake(&at, "an occasion has words, and days (MM-DD) or dates (YYYY-MM-DD)"));
            }
            if let Some(day) = occasion.days.iter().find(|day| on(day, 2024).is_none()) {
                return Err(file.mistake(&at, format!("\"{day}\" is no day such as 06-05")));
            }
            if !(0..=120).contains(&occasion.before) || !(0..=120).contains(&occasion.after) {
                return Err(file.mistake(&at, "before and after are 0 to 120 days"));
            }
        }
        Ok(returns)
    }

    /// The occasion with this id.
    pub fn occasion(&self, id: &str) -> Option<&Occasion> {
        self.occasions.iter().find(|occasion| occasion.id == id)
    }

    /// Why a claim is expected around `today` while warnings of `hazards` are in force; empty if it is not.
    pub fn expected(&self, claim: &Known<'_>, hazards: &[String], today: Date) -> Vec<Because> {
        let has = |words: &[String]| words.iter().find(|word| claim.folded.contains(word.as_str())).cloned();
        let mut out = Vec::new();
        for hazard in hazards {
            if let Some(word) = self.hazards.get(hazard).and_then(|words| has(words)) {
                out.push(Because::Warning(hazard.clone(), word));
            }
        }
        for occasion in &self.occasions {
            if let Some(day) = occasion.near(today)
                && let Some(word) = has(&occasion.words)
            {
                out.push(Because::Occasion(occasion.id.clone(), day, word));
            }
        }
        let month = today.month();
        let mut years: Vec<i16> = claim.heard.iter().filter(|(year, heard)| *heard == month && *year < today.year()).map(|(year, _)| *year).collect();
        years.dedup();
        if !years.is_empty() {
            out.push(Because::Month(month, years.len()));
        }
        out
    }
}

impl Occasion {
    /// The day of the occasion if `today` lies within its time.
    pub fn near(&self, today: Date) -> Option<Date> {
        let years = [today.year() - 1, today.year(), today.year() + 1];
        let yearly = self.days.iter().flat_map(|day| years.iter().filter_map(|year| on(day, *year)));
        let mut days: Vec<Date> = yearly.chain(self.dates.iter().copied()).collect();
        days.sort_unstable();
        days.into_iter().find(|day| {
            let from = day.checked_sub(self.before.days()).unwrap_or(*day);
            let until = day.checked_add(self.after.days()).unwrap_or(*day);
            (from..=until).contains(&today)
        })
    }
}

fn on(day: &str, year: i16) -> Option<Date> {
    let (month, day) = day.split_once('-')?;
    Date::new(year, month.parse().ok()?, day.parse().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn why(claim: &str, heard: &[(i16, i8)], hazards: &[&str], today: Date) -> Vec<Because> {
        let hazards: Vec<String> = hazards.iter().map(|h| (*h).to_owned()).collect();
        Returns::default().expected(&Known { folded: claim, heard }, &hazards, today)
    }

    #[test]
    fn a_rumour_about_crabs_is_expected_before_the_moon_festival_and_not_in_march() {
        let claim = "螃蟹和柿子一起吃会中毒";
        let found = why(claim, &[], &[], date(2026, 9, 15));
        assert!(found.iter().any(|b| matches!(b, Because::Occasion(id, day, _) if id == "mid-autumn" && *day == date(2026, 9, 25))), "{found:?}");
        assert_eq!(why(claim, &[], &[], date(2026, 3, 25)), []);
    }

    #[test]
    fn the_turn_of_the_year_is_no_border() {
        let laba = "腊八蒜变绿有毒不能吃";
        assert!(why(laba, &[], &[], date(2026, 12, 31)).iter().any(|b| matches!(b, Because::Occasion(id, ..) if id == "laba")));
    }

    #[test]
    fn a_warning_brings_its_rumours_at_any_time() {
        let found = why("水库决堤了快跑", &[], &["N-FLOOD"], date(2026, 3, 1));
        assert!(matches!(&found[..], [Because::Warning(hazard, _)] if hazard == "N-FLOOD"), "{found:?}");
        assert_eq!(why("水库决堤了快跑", &[], &["N-HEAT"], date(2026, 3, 1)), []);
    }

    #[test]
    fn what_was_heard_in_this_month_of_earlier_years_is_expected_again() {
        let heard = [(2024, 5), (2025, 5), (2025, 8), (2026, 5)];
        assert_eq!(why("一句没有时令的话", &heard, &[], date(2026, 5, 3)), [Because::Month(5, 2)]);
        assert_eq!(why("一句没有时令的话", &heard, &[], date(2026, 6, 3)), []);
    }

    #[test]
    fn hazards_are_those_of_the_vocabulary() {
        for hazard in Returns::default().hazards.keys() {
            assert!(crate::vocabulary::HAZARDS.find(hazard).is_some(), "{hazard}");
        }
        let broken = BUILT_IN.text.replacen("\"02-04\"", "\"2-40\"", 1);
        assert!(Returns::read(&File { name: "returns.json", text: &broken }).is_err());
    }
}
