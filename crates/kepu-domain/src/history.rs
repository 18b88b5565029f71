//! What a node knows of a key's history: which numbers of a stream it holds, and what a signed head says about them.
//! Roots are computed in `kepu-sync::merkle`, records kept in `kepu-store::record`.

/// Numbers of one stream that are accounted for: held, or known to lie outside the scope.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Numbers {
    /// The highest number known.
    pub high: i64,
    /// Missing numbers below it, as `(from, to)`, both included, in order.
    pub holes: Vec<(i64, i64)>,
}

/// More holes than this are never kept apart: the lowest are joined, and what lies between them is asked for again.
pub const HOLES_MAX: usize = 1_000;

impl Numbers {
    /// Notes `from..=to` as known: the stream grows, holes open below or close.
    pub fn note(&mut self, from: i64, to: i64) {
        if from > self.high + 1 {
            self.holes.push((self.high + 1, from - 1));
        }
        self.holes = self.holes.iter().flat_map(|(a, b)| [(*a, (*b).min(from - 1)), ((*a).max(to + 1), *b)]).filter(|(a, b)| a <= b).collect();
        self.holes.sort_unstable();
        self.holes.dedup();
        self.high = self.high.max(to);
        self.join_lowest();
    }

    /// Makes `from..=to` missing again: the scope has grown, or a copy was lost.
    pub fn reopen(&mut self, from: i64, to: i64) {
        let to = to.min(self.high);
        if from > to {
            return;
        }
        self.holes.push((from, to));
        self.holes.sort_unstable();
        let mut joined: Vec<(i64, i64)> = Vec::with_capacity(self.holes.len());
        for (a, b) in self.holes.drain(..) {
            match joined.last_mut() {
                Some(last) if a <= last.1 + 1 => last.1 = last.1.max(b),
                _ => joined.push((a, b)),
            }
        }
        self.holes = joined;
        self.join_lowest();
    }

    fn join_lowest(&mut self) {
        while self.holes.len() > HOLES_MAX {
            self.holes[1].0 = self.holes[0].0;
            self.holes.remove(0);
        }
    }

    /// The parts of `from..=to` that are not known.
    pub fn unknown(&self, from: i64, to: i64) -> Vec<(i64, i64)> {
        let inside = self.holes.iter().map(|(a, b)| ((*a).max(from), (*b).min(to)));
        let above = std::iter::once(((self.high + 1).max(from), to));
        inside.chain(above).filter(|(a, b)| a <= b).collect()
    }

    /// Everything missing from 1 to `n`.
    pub fn missing(&self, n: i64) -> Vec<(i64, i64)> {
        self.unknown(1, n.max(self.high))
    }
}

/// What comparing a signed head with the records held came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Compared {
    /// The root over the records held is the signed one.
    Agrees,
    /// It is another: what was received is not what the author committed to.
    Differs,
    /// Numbers up to the signed one are missing: they are withheld, or still under way.
    Missing,
    /// Some numbers lie outside the scope, so the root cannot be computed here.
    Partial,
}

impl Compared {
    /// The stored word.
    pub fn as_str(self) -> &'static str {
        match self {
            Compared::Agrees => "agrees",
            Compared::Differs => "differs",
            Compared::Missing => "missing",
            Compared::Partial => "partial",
        }
    }
    /// Reads the stored word.
    pub fn parse(text: &str) -> Option<Self> {
        [Compared::Agrees, Compared::Differs, Compared::Missing, Compared::Partial].into_iter().find(|c| c.as_str() == text)
    }
}

/// Compares a head over numbers 1 to `n` with what is known of the stream. `skipped`: some of them lie outside the scope.
/// `None`: everything is there, so the roots decide.
pub fn compare(n: i64, numbers: &Numbers, skipped: bool) -> Option<Compared> {
    if !numbers.unknown(1, n).is_empty() {
        return Some(Compared::Missing);
    }
    skipped.then_some(Compared::Partial)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn streams_grow_and_holes_close() {
        let mut held = Numbers::default();
        held.note(3, 3);
        assert_eq!((held.high, held.holes.clone()), (3, vec![(1, 2)]));
        held.note(8, 9);
        held.note(1, 1);
        assert_eq!((held.high, held.holes.clone()), (9, vec![(2, 2), (4, 7)]));
        assert_eq!(held.unknown(2, 12), [(2, 2), (4, 7), (10, 12)]);
        held.note(2, 6);
        assert_eq!((held.high, held.holes.clone()), (9, vec![(7, 7)]));
        held.reopen(5, 40);
        assert_eq!((held.high, held.holes.clone()), (9, vec![(5, 9)]));
        assert_eq!(held.missing(11), [(5, 9), (10, 11)]);
    }

    #[test]
    fn a_head_is_judged_only_when_everything_is_there() {
        let held = Numbers { high: 9, holes: vec![(4, 5)] };
        assert_eq!(compare(3, &held, false), None);
        assert_eq!(compare(3, &held, true), Some(Compared::Partial));
        assert_eq!(compare(4, &held, true), Some(Compared::Missing));
        assert_eq!(compare(10, &Numbers { high: 9, holes: vec![] }, false), Some(Compared::Missing));
    }

    #[test]
    fn holes_stay_few() {
        let mut held = Numbers::default();
        for n in 1..=5_000 {
            held.note(n * 2, n * 2);
        }
        assert_eq!(held.holes.len(), HOLES_MAX);
        assert_eq!((held.high, held.holes[0].0), (10_000, 1));
    }

    proptest! {
        #[test]
        fn what_was_noted_is_known_and_nothing_else(parts in proptest::collection::vec((1i64..90, 0i64..12), 0..14)) {
            let mut held = Numbers::default();
            for (from, length) in &parts {
                held.note(*from, from + length);
            }
            for n in 1..=110 {
                let noted = parts.iter().any(|(from, length)| (*from..=from + length).contains(&n));
                prop_assert_eq!(held.unknown(n, n).is_empty(), noted, "{}", n);
            }
        }
    }
}
