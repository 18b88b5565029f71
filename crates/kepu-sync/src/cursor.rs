//! Cursors: which arrival numbers of a parent a child holds, as a set of intervals per class of record; and vectors:
//! which numbers of each key's streams a node holds. Both answer "what is missing" without looking at what exists.

use kepu_domain::history::{HOLES_MAX, Numbers};
use kepu_domain::ids::KeyId;
use kepu_domain::record::{N_MAX, Stream};
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
pub struct Vector(HashMap<(KeyId, Stream), Numbers>);

#[derive(Serialize, Deserialize)]
struct VectorRow(String, String, i64, Vec<(i64, i64)>);

impl Vector {
    /// Notes which numbers of a stream are held or known to be outside the scope.
    pub fn note(&mut self, key: KeyId, stream: Stream, numbers: Numbers) {
        self.0.insert((key, stream), numbers);
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the number is held.
    pub fn holds(&self, key: &KeyId, stream: Stream, n: i64) -> bool {
        self.unknown(key, stream, n, n).is_empty()
    }

    /// The parts of `from..=to` that are not held.
    pub fn unknown(&self, key: &KeyId, stream: Stream, from: i64, to: i64) -> Vec<(i64, i64)> {
        self.0.get(&(key.clone(), stream)).map_or_else(|| vec![(from, to)], |numbers| numbers.unknown(from, to))
    }

    /// The highest number held of a stream; 0 if none is.
    pub fn high(&self, key: &KeyId, stream: Stream) -> i64 {
        self.0.get(&(key.clone(), stream)).map_or(0, |numbers| numbers.high)
    }

    /// Adds what another one says, over what this one says about the same stream.
    pub fn absorb(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// As several lists of at most about `bytes` bytes each: one of a nation's does not fit into a frame.
    pub fn to_parts(&self, bytes: usize) -> Vec<Vec<u8>> {
        let mut parts = vec![Self::default()];
        let mut room = bytes;
        for (stream, numbers) in &self.0 {
            let size = 100 + numbers.holes.len() * 36;
            if size > room {
                parts.push(Self::default());
                room = bytes;
            }
            room = room.saturating_sub(size);
            if let Some(last) = parts.last_mut() {
                last.0.insert(stream.clone(), numbers.clone());
            }
        }
        parts.iter().map(Self::to_json).collect()
    }

    /// A JSON list of `[key, stream, high, holes]`, by key and stream.
    pub fn to_json(&self) -> Vec<u8> {
        let mut rows: Vec<VectorRow> =
            self.0.iter().map(|((key, stream), held)| VectorRow(key.0.clone(), stream.to_string(), held.high, held.holes.clone())).collect();
        rows.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
        serde_json::to_vec(&rows).unwrap_or_default()
    }

    /// Reads what [`Vector::to_json`] wrote.
    pub fn from_json(bytes: &[u8]) -> Result<Self, CursorError> {
        let rows: Vec<VectorRow> = serde_json::from_slice(bytes).map_err(|e| CursorError(e.to_string()))?;
        let mut vector = Self::default();
        for VectorRow(key, stream, high, holes) in rows {
            let stream = Stream::parse(&stream).ok_or_else(|| CursorError(stream.clone()))?;
            let sound = (0..=N_MAX).contains(&high) && holes.len() <= HOLES_MAX && holes.iter().all(|(from, to)| 1 <= *from && from <= to && *to <= high);
            if !sound || key.len() > 120 {
                return Err(CursorError(key.chars().take(60).collect()));
            }
            vector.note(KeyId(key), stream, Numbers { high, holes });
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

    #[test]
    fn a_vector_reads_back_and_nonsense_is_refused() {
        let key = KeyId::from("did:key:a");
        let mut vector = Vector::default();
        vector.note(key.clone(), Stream::Lib, Numbers { high: 9, holes: vec![(2, 3)] });
        vector.note(KeyId::from("did:key:b"), Stream::Alert, Numbers { high: 1, holes: vec![] });
        assert_eq!(Vector::from_json(&vector.to_json()), Ok(vector.clone()));
        assert!(vector.holds(&key, Stream::Lib, 4) && !vector.holds(&key, Stream::Lib, 3) && !vector.holds(&key, Stream::Lib, 10));
        assert_eq!(vector.unknown(&key, Stream::Lib, 1, 12), [(2, 3), (10, 12)]);
        let parts = vector.to_parts(1);
        assert!(parts.len() > 1);
        let mut whole = Vector::default();
        parts.iter().for_each(|part| whole.absorb(Vector::from_json(part).expect("a part")));
        assert_eq!(whole, vector);
        assert_eq!((vector.high(&key, Stream::Lib), vector.high(&key, Stream::Trust)), (9, 0));
        for bad in [r#"[["a","lib",-1,[]]]"#, r#"[["a","lib",3,[[2,9]]]]"#, r#"[["a","lib",3,[[0,1]]]]"#, r#"[["a","x",3,[]]]"#, "{}", ""] {
            assert!(Vector::from_json(bad.as_bytes()).is_err(), "{bad}");
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
