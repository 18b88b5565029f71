//! How long it took from an official warning to guidance beside it: a public figure by month and hazard.

use crate::App;
use crate::error::AppError;
use jiff::{SignedDuration, Timestamp};
use kepu_domain::deliver::pack::Month;
use kepu_domain::measure::quantile::quantiles;
use kepu_store::deliver::warning as store;
use std::collections::BTreeMap;

/// How far back the figures go.
const DAYS: i64 = 731;
/// Warnings that are looked through.
const WARNINGS_MAX: u32 = 200_000;

/// One line: a month and a hazard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Month in China.
    pub month: Month,
    /// Hazard; empty: none that is known.
    pub hazard: String,
    /// Warnings.
    pub warnings: usize,
    /// Of them without any card.
    pub bare: usize,
    /// Median and ninetieth percentile of the seconds from the issuer's sending to guidance on the page.
    pub from_sent_s: Option<(i64, i64)>,
    /// The same from its arrival here, in milliseconds.
    pub from_got_ms: Option<(i64, i64)>,
}

/// Month, the latest first, and hazard.
type Group = (std::cmp::Reverse<Month>, String);
/// Warnings without a card; of the others seconds since they were sent and milliseconds since they came.
type Times = (usize, Vec<i64>, Vec<i64>);

/// The figures, the latest month first. Everybody may see them.
pub async fn figures(app: &App) -> Result<Vec<Line>, AppError> {
    let from = app.now().checked_sub(SignedDuration::from_hours(24 * DAYS)).unwrap_or(Timestamp::MIN);
    let list = store::list_guided(&mut app.db.read().await?, from, WARNINGS_MAX).await?;
    let mut groups: BTreeMap<Group, Times> = BTreeMap::new();
    for one in list {
        let month = Month::of(crate::china_date(one.guided_at));
        let group = groups.entry((std::cmp::Reverse(month), one.hazard)).or_default();
        // What has no card is no fast guidance: it is counted by itself.
        if one.cards == 0 {
            group.0 += 1;
        } else {
            group.1.push(one.guided_at.duration_since(one.sent).as_secs().max(0));
            group.2.push(i64::try_from(one.guided_at.duration_since(one.got_at).as_millis()).unwrap_or(i64::MAX).max(0));
        }
    }
    let line = |((month, hazard), (bare, mut sent, mut got)): (Group, Times)| {
        sent.sort_unstable();
        got.sort_unstable();
        Line { month: month.0, hazard, warnings: bare + sent.len(), bare, from_sent_s: quantiles(&sent), from_got_ms: quantiles(&got) }
    };
    Ok(groups.into_iter().map(line).collect())
}
