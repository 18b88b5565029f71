//! Cursors: which arrival numbers of a parent a child holds, as a set of intervals per class of record; and vectors:
//! which numbers of each key's streams a node holds. Both answer "what is missing" without looking at what exists.

use kepu_domain::ids::KeyId;
use kepu_domain::record::Stream;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// Sorted, disjoint intervals of numbers, each `(above, up_to]`: `(0, 5)` holds 1 to 5.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Intervals(Vec<(i64, i64)>);

/// More intervals than this are never kept: the lower ones are forgotten and asked for again, which costs bytes, not truth.
pub const INTERVALS_MAX: usize = 16;

impl Intervals {
    /// From 1 up to `top`.
    pub fn up_to(top: i64) -> Self {
        if top > 0 { Self(vec![(0, top)]) } else { Self::default() }
    }

    /// The intervals.
    pub fn parts(&self) -> &[(i64, i64)] {
        &self.0
    }

    /// Adds `(above, up_to]`.
    pub fn add(&mut self, above: i64, up_to: i64) {
        if up_to <= above || above < 0 {
            return;
        }
        self.0.push((above, up_to));
        self.0.sort_unstable();
        let mut merged: Vec<(i64, i64)> = Vec::with_capacity(self.0.len());
        for (low, high) in self.0.drain(..) {
            match merged.last_mut() {
                Some(last) if low <= last.1 => last.1 = last.1.max(high),
                _ => merged.push((low, high)),
            }
        }
        if merged.len() > INTERVALS_MAX {
            merged.drain(..merged.len() - INTERVALS_MAX);
        }
        self.0 = merged;
    }

    /// What is missing from 1 to `top`, highest first.
    pub fn missing(&self, top: i64) -> Vec<(i64, i64)> {
        let mut gaps = Vec::new();
        let mut at = 0;
        for (low, high) in &self.0 {
            if *low > at {
                gaps.push((at, (*low).min(top)));
            }
            at = at.max(*high);
        }
        if at < top {
            gaps.push((at, top));
        }
        gaps.retain(|(low, high)| low < high);
        gaps.reverse();
        gaps
    }

    /// Whether everything from 1 to `n` is held.
    pub fn covers_to(&self, n: i64) -> bool {
        n <= 0 || self.0.first().is_some_and(|(low, high)| *low == 0 && *high >= n)
    }
}

/// What a child holds of one parent: intervals of its arrival numbers per class, valid within one epoch of that parent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The parent's epoch; a restored or rebuilt store begins a new one.
    pub epoch: String,
    /// Intervals per class in the order of `STREAMS` (trust, alert, lib).
    pub classes: [Intervals; 3],
}

/// A text that is no cursor.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no cursor")]
pub struct CursorError(pub String);

impl Cursor {
    /// The short text in requests: `epoch.120` when all classes hold 1 to 120, else `epoch.t~a~l` with intervals `low-high,…`.
    pub fn write(&self) -> String {
        let [trust, alert, lib] = &self.classes;
        if trust == alert && alert == lib {
            match trust.parts() {
                [] => return format!("{}.0", self.epoch),
                [(0, top)] => return format!("{}.{top}", self.epoch),
                _ => {}
            }
        }
        let class = |c: &Intervals| c.0.iter().map(|(low, high)| format!("{low}-{high}")).collect::<Vec<_>>().join(",");
        format!("{}.{}~{}~{}", self.epoch, class(trust), class(alert), class(lib))
    }

    /// Reads what [`Cursor::write`] wrote.
    pub fn read(text: &str) -> Result<Self, CursorError> {
        let wrong = || CursorError(text.chars().take(60).collect());
        let (epoch, rest) = text.split_once('.').filter(|_| text.len() < 2_000).ok_or_else(wrong)?;
        if epoch.len() > 40 || !epoch.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(wrong());
        }
        if let Ok(top) = rest.parse::<i64>() {
            let all = Intervals::up_to(top);
            return Ok(Self { epoch: epoch.into(), classes: [all.clone(), all.clone(), all] });
        }
        let mut classes: [Intervals; 3] = Default::default();
        let parts: Vec<&str> = rest.split('~').collect();
        if parts.len() != 3 {
            return Err(wrong());
        }
        for (class, part) in classes.iter_mut().zip(parts) {
            for interval in part.split(',').filter(|i| !i.is_empty()) {
                let (low, high) = interval.split_once('-').ok_or_else(wrong)?;
                class.add(low.parse().map_err(|_| wrong())?, high.parse().map_err(|_| wrong())?);
            }
        }
        Ok(Self { epoch: epoch.into(), classes })
    }

    /// The intervals of a class.
    pub fn class(&mut self, stream: Stream) -> Option<&mut Intervals> {
        self.classes.get_mut(usize::from(stream.code()))
    }

    /// Everything up to this arrival number is held, in every class.
    pub fn covers_to(&self, arrival: i64) -> bool {
        self.classes.iter().all(|class| class.covers_to(arrival))
    }

    /// The highest arrival number up to which everything is held.
    pub fn floor(&self) -> i64 {
        self.classes.iter().map(|c| c.0.first().filter(|(low, _)| *low == 0).map_or(0, |(_, high)| *high)).min().unwrap_or(0)
    }
}

/// Which numbers of each (key, stream) a node holds: sent once after changing parent, or written on a stick.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vector(HashMap<(KeyId, Stream), Held>);

/// The highest number, and the inclusive ranges missing below it.
type Held = (i64, Vec<(i64, i64)>);

#[derive(Serialize, Deserialize)]
struct VectorRow(String, String, i64, Vec<(i64, i64)>);

impl Vector {
    /// Notes that numbers up to `high` are held or known to be outside the scope, but for `holes` (inclusive ranges).
    pub fn note(&mut self, key: KeyId, stream: Stream, high: i64, holes: Vec<(i64, i64)>) {
        self.0.insert((key, stream), (high, holes));
    }

    /// Whether the number is held.
    pub fn holds(&self, key: &KeyId, stream: Stream, n: i64) -> bool {
        self.0.get(&(key.clone(), stream)).is_some_and(|(high, holes)| n <= *high && !holes.iter().any(|(a, b)| (*a..=*b).contains(&n)))
    }

    /// JSON lines of `[key, stream, high, holes]`.
    pub fn to_json(&self) -> Vec<u8> {
        let mut rows: Vec<VectorRow> =
            self.0.iter().map(|((key, stream), (high, holes))| VectorRow(key.0.clone(), stream.to_string(), *high, holes.clone())).collect();
        rows.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
        serde_json::to_vec(&rows).unwrap_or_default()
    }

    /// Reads what [`Vector::to_json`] wrote.
    pub fn from_json(bytes: &[u8]) -> Result<Self, CursorError> {
        let rows: Vec<VectorRow> = serde_json::from_slice(bytes).map_err(|e| CursorError(e.to_string()))?;
        let mut vector = Self::default();
        for VectorRow(key, stream, high, holes) in rows {
            let stream = Stream::parse(&stream).ok_or_else(|| CursorError(stream.clone()))?;
            vector.note(KeyId(key), stream, high, holes);
        }
        Ok(vector)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_cut_fill_resumes_with_what_is_missing() {
        let mut held = Intervals::default();
        held.add(80, 100);
        held.add(60, 80);
        assert_eq!(held.missing(120), vec![(100, 120), (0, 60)]);
        held.add(0, 60);
        assert_eq!(held.missing(100), vec![]);
        assert!(held.covers_to(100) && !held.covers_to(101));
    }

    #[test]
    fn a_settled_cursor_is_short() {
        let all = Intervals::up_to(1200);
        let cursor = Cursor { epoch: "e1".into(), classes: [all.clone(), all.clone(), all] };
        assert_eq!(cursor.write(), "e1.1200");
        assert_eq!(Cursor::read("e1.1200"), Ok(cursor));
        for bad in ["", "e1", "e1.x", "e/1.3", "e.1-2~3", "e.a-b~~"] {
            assert!(Cursor::read(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_was_added_is_never_missing(parts in proptest::collection::vec((0i64..200, 0i64..40), 0..12)) {
            let mut held = Intervals::default();
            for (low, length) in &parts {
                held.add(*low, low + length);
            }
            let missing = held.missing(260);
            for n in 1..=260 {
                let added = parts.iter().any(|(low, length)| n > *low && n <= low + length);
                let asked = missing.iter().any(|(low, high)| n > *low && n <= *high);
                prop_assert_eq!(added, !asked, "{}", n);
            }
            let cursor = Cursor { epoch: "x".into(), classes: [held.clone(), Intervals::default(), held] };
            prop_assert_eq!(Cursor::read(&cursor.write()), Ok(cursor));
        }
    }
}
