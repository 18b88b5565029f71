//! Which numbers of each stream are accounted for: held, or known to lie outside the scope. What is neither is missing.

use crate::App;
use crate::error::AppError;
use kepu_domain::history::Numbers;
use kepu_domain::ids::KeyId;
use kepu_domain::record::{Place, Stream};
use kepu_store::record::{self as records, SkipRow, StreamHead};
use kepu_store::{Tx, counter};
use kepu_sync::frame::Skip;
use std::collections::BTreeMap;

type Ranges = BTreeMap<(KeyId, Stream), Vec<(i64, i64)>>;

/// Notes numbers as held, from the place's own to the second one: heads move up, holes close or open.
pub async fn note_numbers(tx: &mut Tx, numbers: impl IntoIterator<Item = (Place, i64)>) -> Result<(), AppError> {
    let mut ranges = Ranges::new();
    for (place, to) in numbers {
        ranges.entry((place.key, place.stream)).or_default().push((place.n, to));
    }
    if records::has_skips(tx).await? {
        trim_skips(tx, &ranges).await?;
    }
    note(tx, ranges).await.map(drop)
}

/// Brings heads up to date; returns what was new in them.
async fn note(tx: &mut Tx, ranges: Ranges) -> Result<Ranges, AppError> {
    let keys: Vec<(KeyId, Stream)> = ranges.keys().cloned().collect();
    let mut heads: BTreeMap<(KeyId, Stream), Numbers> = records::get_heads(tx, &keys).await?.into_iter().map(split).collect();
    let mut new = Ranges::new();
    let mut changed = Vec::with_capacity(keys.len());
    for (stream, mut list) in ranges {
        let mut numbers = heads.remove(&stream).unwrap_or_default();
        list.sort_unstable();
        for (from, to) in list {
            let unknown = numbers.unknown(from, to);
            if !unknown.is_empty() {
                numbers.note(from, to);
                new.entry(stream.clone()).or_default().extend(unknown);
            }
        }
        changed.push(join(stream, numbers));
    }
    records::put_heads(tx, &changed).await?;
    Ok(new)
}

/// A stored head as what it says.
pub(crate) fn split(head: StreamHead) -> ((KeyId, Stream), Numbers) {
    ((head.key, head.stream), Numbers { high: head.high, holes: head.holes })
}

fn join((key, stream): (KeyId, Stream), numbers: Numbers) -> StreamHead {
    StreamHead { key, stream, high: numbers.high, holes: numbers.holes }
}

/// Notes what a parent left out because it lies outside this node's scope. Only library records can: a withdrawal or a
/// certificate that is left out is withheld. Numbers that are held already stay held.
///
/// Each run takes an arrival number, so that nodes below learn of it like of a record.
pub async fn note_skips(tx: &mut Tx, skips: Vec<Skip>) -> Result<(), AppError> {
    let mut ranges = Ranges::new();
    for skip in skips.into_iter().filter(|skip| skip.stream == Stream::Lib) {
        ranges.entry((skip.key, skip.stream)).or_default().push((skip.from, skip.to));
    }
    let mut rows = Vec::new();
    for ((key, stream), list) in note(tx, ranges).await? {
        for (from, to) in list {
            rows.push(SkipRow { key: key.clone(), stream, low: from, high: to, arrival: 0 });
        }
    }
    // A stream that stays outside grows at its end: one row that moves, not one for each exchange.
    let ends: Vec<(KeyId, Stream, i64)> = rows.iter().map(|row| (row.key.clone(), row.stream, row.low - 1)).collect();
    let before = records::find_skips(tx, &ends).await?;
    records::delete_skips(tx, &before).await?;
    for row in &mut rows {
        if let Some(earlier) = before.iter().find(|b| b.key == row.key && b.stream == row.stream && b.high == row.low - 1) {
            row.low = earlier.low;
        }
    }
    if rows.is_empty() {
        return Ok(());
    }
    let first = counter::take(tx, counter::ARRIVAL, rows.len() as i64).await?;
    rows.iter_mut().zip(first..).for_each(|(row, arrival)| row.arrival = arrival);
    Ok(records::insert_skips(tx, &rows).await?)
}

/// Takes numbers that arrived after all out of what lies outside.
async fn trim_skips(tx: &mut Tx, ranges: &Ranges) -> Result<(), AppError> {
    let all = ranges.iter().filter(|((_, stream), _)| *stream == Stream::Lib);
    let numbers: Vec<(KeyId, Stream, i64)> =
        all.flat_map(|((key, stream), list)| list.iter().flat_map(|(from, to)| (*from..=*to).map(|n| (key.clone(), *stream, n)))).collect();
    let hit = records::find_skips(tx, &numbers).await?;
    records::delete_skips(tx, &hit).await?;
    let mut left = Vec::new();
    for row in hit {
        let arrived = ranges.get(&(row.key.clone(), row.stream)).into_iter().flatten();
        let mut outside = Numbers { high: row.high, holes: vec![] };
        arrived.for_each(|(from, to)| outside.reopen((*from).max(row.low), *to));
        let mut low = row.low;
        for (from, to) in outside.holes {
            if low < from {
                left.push(SkipRow { low, high: from - 1, ..row.clone() });
            }
            low = to + 1;
        }
        if low <= row.high {
            left.push(SkipRow { low, ..row });
        }
    }
    Ok(records::insert_skips(tx, &left).await?)
}

/// The scope has changed: what lay outside it is missing until a parent says otherwise.
pub async fn reopen_skips(tx: &mut Tx) -> Result<(), AppError> {
    let mut ranges = Ranges::new();
    for row in records::take_skips(tx).await? {
        ranges.entry((row.key, row.stream)).or_default().push((row.low, row.high));
    }
    let keys: Vec<(KeyId, Stream)> = ranges.keys().cloned().collect();
    let mut changed = Vec::with_capacity(keys.len());
    for (stream, mut numbers) in records::get_heads(tx, &keys).await?.into_iter().map(split) {
        ranges.remove(&stream).into_iter().flatten().for_each(|(from, to)| numbers.reopen(from, to));
        changed.push(join(stream, numbers));
    }
    Ok(records::put_heads(tx, &changed).await?)
}

/// Streams with missing numbers, by key and stream, with what a signed head says should be there.
pub async fn has_holes(tx: &mut Tx) -> Result<Vec<((KeyId, Stream), Vec<(i64, i64)>)>, AppError> {
    let mut all: BTreeMap<(KeyId, Stream), Numbers> = records::open_heads(tx).await?.into_iter().map(split).collect();
    let checks = records::list_open_checks(tx).await?;
    let claimed: BTreeMap<(KeyId, Stream), i64> = checks.into_iter().map(|check| ((check.key, check.stream), check.n)).collect();
    let streams: Vec<(KeyId, Stream)> = claimed.keys().cloned().collect();
    let mut known: BTreeMap<(KeyId, Stream), Numbers> = records::get_heads(tx, &streams).await?.into_iter().map(split).collect();
    for stream in streams {
        let numbers = known.remove(&stream).unwrap_or_default();
        all.insert(stream, numbers);
    }
    let missing = all.into_iter().map(|(stream, numbers)| {
        let missing = numbers.missing(claimed.get(&stream).copied().unwrap_or(0));
        (stream, missing)
    });
    Ok(missing.filter(|(_, missing)| !missing.is_empty()).collect())
}

/// Numbers of this node's own key that come back from elsewhere were given out before its tables were restored: they are
/// never given out again.
pub(super) async fn raise_own<'a>(app: &App, tx: &mut Tx, fresh: impl Iterator<Item = &'a Place>) -> Result<(), AppError> {
    let own = fresh.filter(|place| place.key == *app.key.id());
    let mut high: BTreeMap<Stream, i64> = BTreeMap::new();
    for place in own {
        let slot = high.entry(place.stream).or_default();
        *slot = (*slot).max(place.n);
    }
    for (stream, n) in high {
        counter::raise(tx, &counter_name(app, stream), n).await?;
    }
    Ok(())
}

/// The counter that gives out this node's numbers in `stream`.
pub(crate) fn counter_name(app: &App, stream: Stream) -> String {
    format!("n/{}/{stream}", app.key.id().fingerprint())
}
