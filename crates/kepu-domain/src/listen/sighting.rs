//! Sightings: that a claim was met somewhere, kept as a count for an hour, a county and a channel. No text, no sender, nothing that tells
//! two askers apart (`docs/decisions/0018`). What is heard and matched is in `kepu-app::listen::hear`.

use crate::deliver::pack::Month;
use crate::ids::SubjectId;
use crate::org::Region;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Where something said came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// The page "is this true?", and questions typed on a page.
    Page,
    /// A program that asked through the API.
    Api,
    /// A search.
    Search,
    /// A public list of topics.
    List,
    /// A tipline that hands messages on.
    Tipline,
    /// A file with many messages.
    File,
    /// The work on a case.
    Case,
}

/// Every channel, in the order shown.
pub const CHANNELS: [Channel; 7] = [Channel::Page, Channel::Api, Channel::Search, Channel::List, Channel::Tipline, Channel::File, Channel::Case];

impl Channel {
    /// The stored word.
    pub fn as_str(self) -> &'static str {
        match self {
            Channel::Page => "page",
            Channel::Api => "api",
            Channel::Search => "search",
            Channel::List => "list",
            Channel::Tipline => "tipline",
            Channel::File => "file",
            Channel::Case => "case",
        }
    }
    /// Reads the stored word.
    pub fn parse(text: &str) -> Option<Channel> {
        CHANNELS.into_iter().find(|channel| channel.as_str() == text)
    }
}

/// How often a claim was met in one hour, county and channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// The claim.
    pub claim: SubjectId,
    /// Hours since 1970.
    pub hour: i64,
    /// Where it came in.
    pub channel: Channel,
    /// County at most; the nation where none was named.
    pub region: Region,
    /// How often.
    pub count: i64,
}

/// Nothing is shown of fewer sightings than these: one question from one county would be somebody.
pub const SHOWN_LEAST: i64 = 5;
/// Of one text, so many sightings count in an hour: a flood is not a wave.
pub const COUNTED_AN_HOUR: u32 = 20;
/// Months without a visible count after which a claim that is met again has returned.
pub const QUIET_MONTHS: i32 = 3;

/// The hour in which something was heard.
pub fn hour_of(at: Timestamp) -> i64 {
    at.as_second().div_euclid(3_600)
}

/// The month, in China's civil time, of an hour since 1970.
pub fn month_of(hour: i64) -> Month {
    let at = Timestamp::from_second(hour.saturating_mul(3_600)).unwrap_or(Timestamp::UNIX_EPOCH);
    Month::of(jiff::tz::Offset::constant(8).to_datetime(at).date())
}

/// What sightings say about a claim as a whole. Months in order; every number is at least [`SHOWN_LEAST`] or not there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// How often in all; none below the minimum.
    pub total: Option<i64>,
    /// How often in each month that may be shown.
    pub months: Vec<(Month, i64)>,
    /// Months in which it came back after [`QUIET_MONTHS`] without a visible count.
    pub returned: Vec<Month>,
    /// How often in January, February and so on, whatever the year.
    pub season: [Option<i64>; 12],
}

impl Heard {
    /// Sums up sightings (hour, count) of one claim.
    pub fn of(hours: impl IntoIterator<Item = (i64, i64)>) -> Self {
        let mut by_month = std::collections::BTreeMap::new();
        let mut total = 0;
        let mut season = [0; 12];
        for (hour, count) in hours {
            let month = month_of(hour);
            *by_month.entry(month).or_insert(0) += count;
            total += count;
            if let Some(sum) = usize::try_from(month.month() - 1).ok().and_then(|at| season.get_mut(at)) {
                *sum += count;
            }
        }
        let months = shown(by_month.into_iter().collect());
        let returned = months.windows(2).filter(|pair| pair[0].0.plus(QUIET_MONTHS) < pair[1].0).map(|pair| pair[1].0).collect();
        let mut year = [None; 12];
        for (at, count) in shown(season.into_iter().enumerate().collect()) {
            year[at] = Some(count);
        }
        Self { total: (total >= SHOWN_LEAST).then_some(total), months, returned, season: year }
    }
}

/// The cells of a table that may be shown beside its sum: none below the minimum, and none by which a single hidden one could be computed.
pub fn shown<T>(mut cells: Vec<(T, i64)>) -> Vec<(T, i64)> {
    let hidden: i64 = cells.iter().map(|(_, count)| *count).filter(|count| *count < SHOWN_LEAST).sum();
    cells.retain(|(_, count)| *count >= SHOWN_LEAST);
    if (1..SHOWN_LEAST).contains(&hidden)
        && let Some(least) = cells.iter().enumerate().min_by_key(|(at, (_, count))| (*count, *at)).map(|(at, _)| at)
    {
        cells.remove(least);
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hour(year: i16, month: i8) -> i64 {
        let at = jiff::tz::Offset::constant(8).to_timestamp(jiff::civil::date(year, month, 2).at(0, 0, 0, 0)).expect("time");
        hour_of(at)
    }

    #[test]
    fn channels_read_back() {
        for channel in CHANNELS {
            assert_eq!(Channel::parse(channel.as_str()), Some(channel));
        }
    }

    #[test]
    fn fewer_than_five_are_not_shown_anywhere() {
        let heard = Heard::of([(hour(2026, 1), 4), (hour(2026, 2), 4)]);
        assert_eq!((heard.total, heard.months.len(), heard.season), (Some(8), 0, [None; 12]));
        assert_eq!(Heard::of([(hour(2026, 1), 4)]).total, None);
    }

    #[test]
    fn what_comes_every_winter_is_seen_to_return() {
        let heard = Heard::of([(hour(2024, 12), 30), (hour(2025, 1), 12), (hour(2025, 6), 2), (hour(2025, 7), 4), (hour(2025, 12), 40)]);
        assert_eq!(heard.returned, [Month::of(jiff::civil::date(2025, 12, 1))]);
        assert_eq!((heard.season[11], heard.season[0], heard.season[5]), (Some(70), Some(12), None));
    }

    #[test]
    fn a_small_cell_cannot_be_computed_from_the_sum() {
        assert_eq!(shown(vec![("api", 7), ("page", 1)]), [], "seven of eight would tell of the one");
        assert_eq!(shown(vec![("api", 7), ("page", 1), ("list", 90)]), [("list", 90)]);
        assert_eq!(shown(vec![("api", 7), ("page", 3), ("list", 4)]), [("api", 7)], "two small ones hide each other");
        assert_eq!(shown(vec![("api", 7), ("list", 9)]), [("api", 7), ("list", 9)]);
    }

    #[test]
    fn a_month_begins_at_midnight_in_china() {
        let before = jiff::civil::date(2026, 1, 31).at(15, 59, 0, 0);
        let at = jiff::tz::Offset::UTC.to_timestamp(before).expect("time");
        assert_eq!(month_of(hour_of(at)).to_string(), "2026-01");
        assert_eq!(month_of(hour_of(at) + 1).to_string(), "2026-02");
    }
}
